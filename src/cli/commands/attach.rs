//! Runs `attach`: writes a trace of a Python program that runs already.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use refloop::human::bytes;
use refloop::recorder::{Attachment, Snapshot, estimated_pause, snapshot};

use super::record::{facts, file, message};
use crate::duration::duration;
use crate::status::{Failure, Outcome};

/// Record a Python program that runs already, without a restart.
#[derive(Debug, Args)]
pub(crate) struct AttachArgs {
    /// The number of the process
    #[arg(value_name = "PID")]
    process: u32,
    /// The trace [default: named after the program, as app.reftrace]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write the heap as it is now, and leave nothing in the process
    #[arg(long, required = true)]
    snapshot: bool,
    /// Write the text keys of dicts, such as user names and addresses; else only names of attributes are written
    #[arg(long)]
    keys: bool,
    /// How long the program may take until it is back at the interpreter, such as 500ms, 30s or 5m
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "30s")]
    timeout: Duration,
    /// Say nothing but errors
    #[arg(short, long)]
    quiet: bool,
}

/// Attaches. The program goes on, whatever becomes of it.
pub(crate) fn attach(args: &AttachArgs) -> Result<Outcome, Failure> {
    let attachment = Attachment { output: args.output.clone(), keys: args.keys, timeout: args.timeout };
    let say = |text: &str| {
        if !args.quiet {
            message(text);
        }
    };
    let announce = |resident| {
        let pause = seconds(estimated_pause(resident));
        say(&format!(
            "process {} will stand still for about {pause}: an estimate, from {} of memory",
            args.process,
            bytes(resident)
        ));
    };
    let Snapshot { process, debugger } = snapshot(args.process, &attachment, announce).map_err(Failure::input)?;
    if let Some(reason) = process.lost() {
        return Err(Failure::input(format!("{}: {reason}", file(&process))));
    }
    if let Some(reason) = &process.stopped {
        return Err(Failure::input(format!("{reason}: the trace holds what was written until then")));
    }
    say(&format!("{}: {}", file(&process), facts(&process)));
    if let Some(paused) = process.paused {
        let before =
            debugger.map_or(String::new(), |time| format!(", and gdb worked on it for {} before", seconds(time)));
        say(&format!("process {} stood still for {} while its heap was walked{before}", args.process, seconds(paused)));
    }
    Ok(Outcome::Nothing)
}

fn seconds(time: Duration) -> String {
    match time.as_secs_f64() {
        seconds if seconds < 0.1 => format!("{:.0} ms", (seconds * 1e3).max(1.0)),
        seconds if seconds < 10.0 => format!("{seconds:.1} s"),
        seconds => format!("{seconds:.0} s"),
    }
}
