//! Runs `attach` and `detach`: records a Python program that runs already.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use refloop::human::bytes;
use refloop::recorder::{self, Attached, Attachment, Debugger, Process, Snapshot, Stay, Way, snapshot};

use super::record::{Events, facts, file, message};
use crate::duration::duration;
use crate::status::{Failure, Outcome};

/// Record a Python program that runs already, without a restart.
///
/// It ends after --for, on Ctrl-C, by refloop detach, or with the program.
#[derive(Debug, Args)]
pub(crate) struct AttachArgs {
    /// The number of the process
    #[arg(value_name = "PID")]
    process: u32,
    /// The trace [default: named after the program, as app.reftrace]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write the heap as it is now, once, and record nothing more
    #[arg(long, conflicts_with_all = ["time", "every", "events", "stack_depth"])]
    snapshot: bool,
    /// Walk a copy of the process while the program goes on, and search it for references that objects do not show
    #[arg(long, requires = "snapshot")]
    fork: bool,
    /// End after so long, such as 60s or 5m
    #[arg(long = "for", value_name = "TIME", value_parser = duration)]
    time: Option<Duration>,
    /// Write a checkpoint every so many seconds, besides those at the beginning and at the end
    #[arg(long, value_name = "SECONDS", value_parser = duration)]
    every: Option<Duration>,
    /// Which objects to record
    #[arg(long, value_enum, default_value_t = Events::Survivors)]
    events: Events,
    /// Frames to keep of the stack that made an object; 0 for none
    #[arg(long, value_name = "N", default_value_t = 32)]
    stack_depth: u32,
    /// Write the text keys of dicts, such as user names and addresses; else only names of attributes are written
    #[arg(long)]
    keys: bool,
    #[command(flatten)]
    way: WayArgs,
    /// Say nothing but errors
    #[arg(short, long)]
    quiet: bool,
}

/// End a recording that refloop attach began, and take all of it out of the program.
#[derive(Debug, Args)]
pub(crate) struct DetachArgs {
    /// The number of the process
    #[arg(value_name = "PID")]
    process: u32,
    #[command(flatten)]
    way: WayArgs,
    /// Say nothing but errors
    #[arg(short, long)]
    quiet: bool,
}

/// How the program is reached.
#[derive(Debug, Args)]
struct WayArgs {
    /// Where a debugger is needed, take this one [default: gdb, or lldb where there is no gdb]
    #[arg(long, value_enum)]
    debugger: Option<DebuggerName>,
    /// How long the program may take until it is back at the interpreter, such as 500ms, 30s or 5m
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "30s")]
    timeout: Duration,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum DebuggerName {
    Gdb,
    Lldb,
}

impl WayArgs {
    fn way(&self) -> Way {
        let debugger = self.debugger.map(|name| match name {
            DebuggerName::Gdb => Debugger::Gdb,
            DebuggerName::Lldb => Debugger::Lldb,
        });
        Way { debugger, timeout: self.timeout }
    }
}

/// Attaches. The program goes on, whatever becomes of it.
pub(crate) fn attach(args: &AttachArgs) -> Result<Outcome, Failure> {
    let id = args.process;
    let walked = if args.fork { Snapshot::Copy } else { Snapshot::Process };
    let page = Page { id, walked, quiet: args.quiet };
    let attachment = Attachment { output: args.output.clone(), keys: args.keys, way: args.way.way() };
    let announce = |resident| {
        let pause = seconds(walked.estimated_pause(resident));
        let memory = bytes(resident);
        page.say(&format!("process {id} will stand still for about {pause}: an estimate, from {memory} of memory"));
    };
    if args.snapshot {
        return page.end(&snapshot(id, &attachment, walked, announce).map_err(Failure::input)?);
    }
    args.events.check_every(args.every)?;
    let stay = Stay { events: args.events.mode(), stack_depth: args.stack_depth, every: args.every, time: args.time };
    let (recording, begun) = recorder::begin(id, &attachment, stay, announce).map_err(Failure::input)?;
    let long = args.time.map_or(String::new(), |time| format!(" for {}", seconds(time)));
    let trace = file(&begun.process);
    page.say(&format!("process {id} is recorded{long} into {trace}; Ctrl-C or refloop detach {id} ends it"));
    page.stood_still(&begun);
    page.end(&recording.wait().map_err(Failure::input)?)
}

/// Ends a recording. The program goes on.
pub(crate) fn detach(args: &DetachArgs) -> Result<Outcome, Failure> {
    let page = Page { id: args.process, walked: Snapshot::Process, quiet: args.quiet };
    page.end(&recorder::detach(args.process, args.way.way()).map_err(Failure::input)?)
}

/// What is said of one process.
#[derive(Clone, Copy)]
struct Page {
    id: u32,
    walked: Snapshot,
    quiet: bool,
}

impl Page {
    fn say(self, text: &str) {
        if !self.quiet {
            message(text);
        }
    }

    /// What was written, and what is left in the process.
    fn end(self, attached: &Attached) -> Result<Outcome, Failure> {
        let process: &Process = &attached.process;
        if let Some(reason) = process.lost() {
            return Err(Failure::input(format!("{}: {reason}", file(process))));
        }
        if let Some(reason) = &process.stopped {
            return Err(Failure::input(format!("{reason}: the trace holds what was written until then")));
        }
        self.say(&format!("{}: {}", file(process), facts(process)));
        self.stood_still(attached);
        if process.is_left {
            self.say(&format!(
                "process {} keeps a function that passes on what the memory allocator is asked: another wrapper, such as \
                 tracemalloc, lies over it",
                self.id
            ));
        }
        Ok(Outcome::Nothing)
    }

    fn stood_still(self, attached: &Attached) {
        if let Some(paused) = attached.process.paused {
            let before = attached.debugger.map_or(String::new(), |(debugger, time)| {
                format!(", and {} worked on it for {} before", debugger.name(), seconds(time))
            });
            let paused = seconds(paused);
            let meanwhile = match self.walked {
                Snapshot::Process => "its heap was walked",
                Snapshot::Copy => "it was copied",
            };
            self.say(&format!("process {} stood still for {paused} while {meanwhile}{before}", self.id));
        }
    }
}

fn seconds(time: Duration) -> String {
    match time.as_secs_f64() {
        seconds if seconds < 0.1 => format!("{:.0} ms", (seconds * 1e3).max(1.0)),
        seconds if seconds < 10.0 => format!("{seconds:.1} s"),
        seconds => format!("{seconds:.0} s"),
    }
}
