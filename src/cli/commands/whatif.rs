//! Runs `whatif`: writes what a change would do to the program that was recorded.

use refloop::report::collector::Form;
use refloop::report::{View, whatif as report};
use refloop::trace::TraceError;
use refloop::whatif::{self, Change, Doubt, Doubtful, Outcome, WhatIf};

use super::collector;
use crate::args;
use crate::progress::Progress;
use crate::status::{Failure, Outcome as End};
use crate::{inputs, output};

pub(crate) fn whatif(command: &args::WhatIf) -> Result<End, Failure> {
    if !command.gc.is_empty() || !command.python.is_empty() {
        return collector::collector(command);
    }
    let Form::Answer(format) = command.format else {
        return Err(Failure::usage("--format html is a page of settings of the collector: --gc, or --python"));
    };
    let changes: Vec<Change> = command.weak.iter().chain(&command.drop_local).cloned().collect();
    let mut sum: Option<(Outcome, Vec<Doubtful>)> = None;
    let mut error: Option<TraceError> = None;
    for path in inputs::find(&command.traces.traces)? {
        let mut events = inputs::open(&path)?;
        let progress = Progress::new(&path, events.as_ref(), &command.messages);
        let sets = [changes.clone()];
        let played: WhatIf = whatif::replay(events.as_mut(), sets, &mut |position| progress.at(position));
        drop(progress);
        error = error.or(played.error.map(|error| error.in_file(&path)));
        for outcome in played.outcomes {
            match &mut sum {
                None => sum = Some((outcome, played.doubtful.clone())),
                Some((known, doubtful)) => {
                    known.add(outcome);
                    // What one trace has is not missing.
                    doubtful.retain(|of| played.doubtful.iter().any(|other| other.change == of.change));
                }
            }
        }
    }
    if let Some((outcome, doubtful)) = &sum {
        if let Some(first) = doubtful.first().filter(|_| error.is_none()) {
            return Err(Failure::usage(sentence(first)));
        }
        output::write_page(command.output.as_deref(), View::Analyze, &command.messages, |page, out| {
            report::write(outcome, format, page, out)
        })?;
    }
    error.map_or(Ok(End::Nothing), |error| Err(error.into()))
}

/// `Lnie.order: no Lnie is alive at a snapshot; did you mean app.Line?`
fn sentence(doubtful: &Doubtful) -> String {
    let meant = |near: &[String]| match near.is_empty() {
        true => String::new(),
        false => format!("; did you mean {}?", near.join(" or ")),
    };
    let change = &doubtful.change;
    match &doubtful.doubt {
        Doubt::NoHolder { holder, near } => format!("{change}: no {holder} is alive at a snapshot{}", meant(near)),
        Doubt::NoReference { holder, near } => {
            format!("{change}: no {holder} that is alive at a snapshot has such a reference{}", meant(near))
        }
        Doubt::Strong(types) => {
            format!("{change}: what it refers to cannot be weakly referenced: {}", types.join(", "))
        }
        Doubt::Ambiguous(classes) => format!("{change}: there are several: {}", classes.join(", ")),
    }
}
