//! Copies the events of a trace into a sink, and says how the trace ended.

use std::io;

use super::{Ending, EventSink, Events, TraceError};

/// Why a trace could not be converted to its end.
#[derive(Debug, thiserror::Error)]
pub enum ConvertError {
    #[error(transparent)]
    Read(#[from] TraceError),
    #[error("cannot write the trace: {0}")]
    Write(#[from] io::Error),
}

/// Writes every event of a trace. Where a record cannot be read, what came before it is written and finished, and the
/// error returned. Memory is that of the reader and the sink: live objects and distinct texts, never the whole log.
pub fn convert(events: &mut dyn Events, mut sink: Box<dyn EventSink>) -> Result<Ending, ConvertError> {
    loop {
        match events.next_event() {
            Ok(Some(event)) => sink.write(&event)?,
            Ok(None) => break,
            Err(error) => {
                sink.finish()?;
                return Err(error.into());
            }
        }
    }
    sink.finish()?;
    Ok(events.ending())
}
