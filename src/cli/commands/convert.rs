//! Runs `convert`: writes a trace in another form, or its last heap in a file of another program.

use std::io::{self, BufWriter};
use std::path::Path;

use anyhow::Context;
use refloop::files::AtomicFile;
use refloop::heap;
use refloop::interchange::{self, GraphFormat, last_graph::LastGraph};
use refloop::trace::formats::{SNIFFED, WriteOptions, detect, named, open_input, target_of};
use refloop::trace::input::Input;
use refloop::trace::strip::{AttributeNames, Stripped};
use refloop::trace::{ConvertError, Ending, Events, convert as convert_events, open};

use crate::progress::Progress;
use crate::status::{Failure, Outcome};
use crate::{args, inputs, output};

/// The trace without what its program's data says, which takes another reading of the file.
fn without_data(events: Box<dyn Events>, path: &Path) -> Result<Box<dyn Events>, Failure> {
    if path == Path::new("-") {
        return Err(Failure::usage("--strip reads the trace twice: name a file"));
    }
    let mut first = open(path).map_err(|error| error.in_file(path))?;
    Ok(Box::new(Stripped::new(events, AttributeNames::of(first.as_mut()))))
}

pub(crate) fn convert(command: &args::Convert) -> Result<Outcome, Failure> {
    if let Some(format) = command.to.as_deref().and_then(interchange::named) {
        return write_graph(format, command);
    }
    let mut input = Input::open(&command.input)?;
    input.reach(SNIFFED)?;
    let start = &input.window()[..input.window().len().min(SNIFFED)];
    let format = command.to.as_deref().map_or_else(|| target_of(detect(start)), named);
    let Some(writer) = format.and_then(|format| format.writer()) else {
        return Err(Failure::usage("there is no such form to write"));
    };
    let mut events = open_input(input).map_err(|error| error.in_file(&command.input))?;
    if command.strip {
        events = without_data(events, &command.input)?;
    }
    let header = events.header().clone();
    let options = WriteOptions { zstd: command.zstd };
    let cannot = || format!("cannot write {}", command.output.display());
    let converted = if command.output == Path::new("-") {
        let out = Box::new(BufWriter::new(io::stdout()));
        let sink = writer(&header, out, options).with_context(cannot).map_err(Failure::Input)?;
        convert_events(events.as_mut(), sink)
    } else {
        let whole = AtomicFile::create(&command.output).with_context(cannot).map_err(Failure::Input)?;
        let out = Box::new(BufWriter::new(whole.writer().with_context(cannot).map_err(Failure::Input)?));
        let sink = writer(&header, out, options).with_context(cannot).map_err(Failure::Input)?;
        let converted = convert_events(events.as_mut(), sink);
        // What could be read before an error is worth having; a file that could not be written is not.
        if !matches!(converted, Err(ConvertError::Write(_))) {
            whole.commit().with_context(cannot).map_err(Failure::Input)?;
        }
        converted
    };
    match converted {
        Ok(Ending::Cut(position)) => {
            let text = format!(
                "{}: cut short at byte {}; converted up to the last whole record",
                command.input.display(),
                position.byte
            );
            output::warn(&command.messages, &text);
            Ok(Outcome::Nothing)
        }
        Ok(Ending::Complete | Ending::Open) => Ok(Outcome::Nothing),
        Err(ConvertError::Read(error)) => Err(error.in_file(&command.input).into()),
        Err(ConvertError::Write(error)) => Err(Failure::Input(anyhow::Error::new(error).context(cannot()))),
    }
}

/// Writes the last graph of the trace that the format can show.
fn write_graph(format: &dyn GraphFormat, command: &args::Convert) -> Result<Outcome, Failure> {
    if command.zstd.is_some() {
        return Err(Failure::usage(format!("--zstd packs traces, and {} is none", format.name())));
    }
    let mut events = inputs::open(&command.input)?;
    let file = tempfile::tempfile().context("cannot make a temporary file").map_err(Failure::Input)?;
    let mut last = LastGraph::new(format, file);
    let progress = Progress::new(&command.input, events.as_ref(), &command.messages);
    let replayed = heap::replay(events.as_mut(), &mut last, &mut |position| progress.at(position));
    drop(progress);
    let file = last.finish().context("cannot write a temporary file").map_err(Failure::Input)?;
    if let Some(mut file) = file {
        output::write(Some(&command.output), |out| io::copy(&mut file, out).map(drop))?;
    } else if replayed.error.is_none() {
        let name = command.input.display();
        return Err(Failure::input(format!("{name}: no checkpoint, so there is no heap to write")));
    }
    match replayed.error {
        Some(error) => Err(error.in_file(&command.input).into()),
        None => Ok(Outcome::Nothing),
    }
}
