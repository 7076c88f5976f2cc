//! Runs `whatif --gc`: writes what other settings of the collector would do to the program that was recorded.

use std::path::Path;

use refloop::report::{View, collector as report};
use refloop::whatif::collector::{self, Modelled, Setting};

use crate::args;
use crate::progress::Progress;
use crate::status::{Failure, Outcome as End};
use crate::{inputs, output};

pub(crate) fn collector(command: &args::WhatIf) -> Result<End, Failure> {
    let settings = settings(command);
    let mut tables = Vec::new();
    let mut error = None;
    for path in inputs::find(&command.traces.traces)? {
        let mut modelled = model(&path, &settings, command)?;
        error = error.or(modelled.error.take().map(|error| error.in_file(&path)));
        tables.push((path.display().to_string(), modelled));
    }
    output::write_page(command.output.as_deref(), View::Analyze, &command.messages, |page, out| {
        report::write(&tables, command.garbage_limit, command.format, page, out)
    })?;
    error.map_or(Ok(End::Nothing), |error| Err(error.into()))
}

fn model(path: &Path, settings: &[Setting], command: &args::WhatIf) -> Result<Modelled, Failure> {
    let mut events = inputs::open(path)?;
    if let Some(obstacle) = collector::obstacle(events.header()) {
        return Err(Failure::usage(format!("{}: {obstacle}", path.display())));
    }
    let progress = Progress::new(path, events.as_ref(), &command.messages);
    Ok(collector::replay(events.as_mut(), settings.iter().cloned(), &mut |position| progress.at(position)))
}

/// Each setting, of each version that was named.
fn settings(command: &args::WhatIf) -> Vec<Setting> {
    let whole = [Setting::default()];
    let settings = if command.gc.is_empty() { &whole[..] } else { &command.gc };
    let versions = if command.python.is_empty() { &whole[..] } else { &command.python };
    let each = |version: &Setting| {
        let rules = version.rules.clone();
        settings.iter().map(|setting| Setting { rules: rules.clone(), ..setting.clone() }).collect::<Vec<_>>()
    };
    versions.iter().flat_map(each).collect()
}
