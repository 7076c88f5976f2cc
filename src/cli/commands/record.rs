//! Runs `record`: starts a program with the recorder, and says what was written.

use std::ffi::OsString;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use refloop::human::{bytes, counted};
use refloop::recorder::{self, CheckpointSignal, EventsMode, Options, Process, Recording, launch};

use crate::duration::duration;
use crate::output;
use crate::status::{Failure, Outcome};

/// Record a Python program: its objects, the references between them, and the garbage of each collection.
#[derive(Debug, Args)]
pub(crate) struct RecordArgs {
    /// The trace, or a folder for it [default: named after the program, as app.reftrace]; child processes write files of their
    /// own beside it
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Which objects to record [default: survivors, and leaks with --sites]
    #[arg(long, value_enum)]
    events: Option<Events>,
    /// Code whose objects have a stack from their first loop on, by module, class or function (myapp.*); what leaks again has one
    #[arg(long, value_name = "PATTERN", value_parser = site)]
    sites: Vec<String>,
    /// Frames to keep of the stack that made an object; 0 for none
    #[arg(long, value_name = "N", default_value_t = 32)]
    stack_depth: u32,
    /// Write a checkpoint every so many seconds, also while the program waits, besides the one at the end
    #[arg(long, value_name = "SECONDS", value_parser = duration)]
    every: Option<Duration>,
    /// Write a checkpoint when this signal comes, if the program leaves it its default
    #[arg(long, value_enum, ignore_case = true, value_name = "SIGNAL")]
    signal: Option<Signal>,
    /// Leave CPython's free lists alone: lists, dicts and tuples may then show the stack of an earlier one
    #[arg(long)]
    no_bypass: bool,
    /// Write the text keys of dicts, such as user names and addresses; else only names of attributes are written
    #[arg(long)]
    keys: bool,
    /// Keep the traces of child processes only from so many objects of their own on
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true, conflicts_with = "no_children")]
    children_from: u64,
    /// Record no process that a recorded one starts or forks
    #[arg(long)]
    no_children: bool,
    /// End with 3 if nothing could be recorded, whatever the program ends with
    #[arg(long)]
    require: bool,
    /// Say nothing but errors
    #[arg(short, long)]
    quiet: bool,
    /// Unpack the agent and say where it is, for the Python package
    #[arg(long, hide = true)]
    print_agent: bool,
    /// The command, with its arguments
    #[arg(required_unless_present = "print_agent", trailing_var_arg = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

/// A pattern as the agent can be told of it, in a line with others.
fn site(text: &str) -> Result<String, &'static str> {
    if text.is_empty() || text.contains(char::is_whitespace) {
        Err("a name without spaces is needed")
    } else {
        Ok(text.into())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Events {
    /// Those that became garbage, without stacks; the program pays next to nothing
    None,
    /// The same, with the stacks of what is made of types that have leaked before: only what leaks is paid for
    Leaks,
    /// Those that a checkpoint met alive or a collection found, with the stacks that made them
    Survivors,
    /// All, with their stacks
    Full,
}

impl Events {
    pub(crate) fn mode(self) -> EventsMode {
        match self {
            Events::None => EventsMode::None,
            Events::Leaks => EventsMode::Leaks,
            Events::Survivors => EventsMode::Survivors,
            Events::Full => EventsMode::Full,
        }
    }

    /// Fails where checkpoints at intervals would say nothing.
    pub(crate) fn check_every(self, every: Option<Duration>) -> Result<(), Failure> {
        match every {
            Some(_) if matches!(self, Events::None | Events::Leaks) => {
                Err(Failure::input("--every writes what is alive: it goes with --events survivors or full".to_string()))
            }
            _ => Ok(()),
        }
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Signal {
    Usr1,
    Usr2,
}

/// Runs the program. The exit code is the program's own.
pub(crate) fn record(args: &RecordArgs) -> Result<Outcome, Failure> {
    if args.print_agent {
        let agent = recorder::unpack_agent().map_err(|error| Failure::input(error.to_string()))?;
        return output::write(None, |out| writeln!(out, "{}", agent.display())).map(|()| Outcome::Nothing);
    }
    let events = match args.events {
        Some(events) if events != Events::Leaks && !args.sites.is_empty() => {
            return Err(Failure::input(
                "--sites names what has a stack beside what leaks: it goes with --events leaks".to_string(),
            ));
        }
        Some(events) => events,
        None if args.sites.is_empty() => Events::Survivors,
        None => Events::Leaks,
    };
    events.check_every(args.every)?;
    let options = Options {
        output: args.output.clone(),
        events: events.mode(),
        stack_depth: args.stack_depth,
        sites: args.sites.clone(),
        bypass: !args.no_bypass,
        keys: args.keys,
        children_from: args.children_from,
        signal: args.signal.map(|signal| match signal {
            Signal::Usr1 => CheckpointSignal::Usr1,
            Signal::Usr2 => CheckpointSignal::Usr2,
        }),
        children: !args.no_children,
        every: args.every,
    };
    let mut is_told = false;
    let warn = |reason: &str| {
        message(&format!("nothing is recorded: {reason}"));
        is_told = true;
    };
    match launch(&args.command, &options, warn) {
        Ok(recording) => {
            if !is_told {
                say(&recording, args.quiet);
            }
            let status = recording.status;
            let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
            if args.require && !is_there(&recording) {
                return Err(Failure::input(format!("nothing was recorded, and the program ended with {code}")));
            }
            Ok(Outcome::Program(u8::try_from(code).unwrap_or(1)))
        }
        Err(error) => {
            let text = error.to_string().to_lowercase();
            let reason = text.split(" (os error").next().unwrap_or_default();
            Err(Failure::input(format!("{}: {reason}", args.command[0].display())))
        }
    }
}

/// The program's trace is under its name.
fn is_there(recording: &Recording) -> bool {
    recording.outcome.processes.first().is_some_and(|program| program.lost().is_none())
}

/// What helps against processes that are killed.
const EVERY: &str = "killed, or still there; --every 1 writes a checkpoint each second";

fn say(recording: &Recording, quiet: bool) {
    if let Some(failure) = &recording.failure {
        message(&format!("nothing was recorded: {failure}"));
        return;
    }
    let recorder::Outcome { processes, withdrawn, refused } = &recording.outcome;
    if quiet {
        return;
    }
    for reason in refused {
        message(&format!("a child process was not recorded: {reason}"));
    }
    if let Some((program, children)) = processes.split_first() {
        let more = match children.len() {
            0 => String::new(),
            1 => format!(", and {} of a child process", file(&children[0])),
            n => format!(", and {n} traces of child processes beside it"),
        };
        let killed = children.iter().filter(|child| child.written.is_none() && child.stopped.is_none()).count();
        match program.lost() {
            Some(reason) => message(&format!("{}: {reason}{more}", file(program))),
            None => message(&format!("{}: {}{more}", file(program), facts(program))),
        }
        if *withdrawn > 0 {
            let children = counted(*withdrawn, "child process", "child processes");
            message(&format!("{children} with fewer objects of their own left no trace (--children-from)"));
        }
        for child in children {
            if let Some(reason) = child.lost() {
                message(&format!("{}: {reason}", file(child)));
            }
        }
        match killed {
            0 => {}
            1 => message(&format!("1 child process has no last checkpoint: {EVERY}")),
            n => message(&format!("{n} child processes have no last checkpoint: {EVERY}")),
        }
    }
}

/// The trace's path, from here if it is below.
pub(crate) fn file(process: &Process) -> String {
    let here = std::env::current_dir().ok();
    let below = here.and_then(|here| process.trace.strip_prefix(here).map(PathBuf::from).ok());
    below.unwrap_or_else(|| process.trace.clone()).display().to_string()
}

pub(crate) fn facts(process: &Process) -> String {
    match (&process.written, &process.stopped) {
        (Some(written), _) => format!(
            "{}, {}, {}",
            counted(written.objects, "object", "objects"),
            counted(written.checkpoints, "checkpoint", "checkpoints"),
            bytes(written.bytes)
        ),
        (None, Some(_)) => "holds what was recorded until then".into(),
        (None, None) => "the program ended without its last checkpoint; what was written before is there".into(),
    }
}

pub(crate) fn message(text: &str) {
    // With a closed standard error there is nobody to tell.
    let _ = writeln!(std::io::stderr(), "refloop: {text}");
}
