//! Runs `why`: writes the paths from a root that keep objects alive, or what keeps most alive.

use std::collections::BTreeSet;
use std::path::Path;

use refloop::heap::label::last_part;
use refloop::heap::{self, Heap, Observer, Replayed};
use refloop::report::{View, top, why as report};
use refloop::retention::{Answer, Query, RetainedTracker, Target};

use crate::args;
use crate::progress::Progress;
use crate::status::{Failure, Outcome};
use crate::{inputs, output};

pub(crate) fn why(command: &args::Why) -> Result<Outcome, Failure> {
    if command.top {
        return top(command);
    }
    let (target, asked) = match (&command.type_name, command.object) {
        (Some(name), _) => (Target::Type(name.clone()), name.clone()),
        (None, Some(address)) => (Target::Object(address), format!("{address:x}")),
        (None, None) => return Err(Failure::usage("say which: --type, --object or --top")),
    };
    let (mut answer, mut replayed) = answered(command, target)?;
    let mut near = Vec::new();
    if answer.is_none() && replayed.error.is_none() {
        near = types_like(&replayed.heap, &asked);
        // A pipe cannot be read again.
        if let [only] = near.as_slice()
            && command.trace != Path::new("-")
        {
            output::warn(&command.messages, &format!("no {asked} is alive: this is about {only}"));
            (answer, replayed) = answered(command, Target::Type(only.clone()))?;
        }
    }
    match answer {
        Some(answer) => {
            let args::Answer { format, output } = &command.answer;
            output::write_page(output.as_deref(), View::Analyze, &command.messages, |page, out| {
                report::write(&answer, *format, page, out)
            })?;
        }
        None if replayed.error.is_none() => {
            let near = match near.is_empty() {
                true => String::new(),
                false => format!("; did you mean {}?", near.join(" or ")),
            };
            return Err(Failure::usage(format!(
                "{asked}: no such object is alive at a checkpoint, or at the end{near}"
            )));
        }
        None => {}
    }
    outcome(command, replayed)
}

/// Plays the trace for what is asked.
fn answered(command: &args::Why, target: Target) -> Result<(Option<Answer>, Replayed), Failure> {
    let mut query = Query::about(target);
    let replayed = played(command, &mut query)?;
    Ok((query.finish(), replayed))
}

/// Writes what keeps most alive at the last look at the whole heap.
fn top(command: &args::Why) -> Result<Outcome, Failure> {
    let mut tracker = RetainedTracker::default();
    let replayed = played(command, &mut tracker)?;
    match (tracker.finish(), &replayed.error) {
        (Some(retained), _) => {
            let args::Answer { format, output } = &command.answer;
            output::write_page(output.as_deref(), View::Analyze, &command.messages, |page, out| {
                top::write(&retained, *format, page, out)
            })?;
        }
        (None, Some(_)) => {}
        (None, None) => {
            let unknown = "who keeps how much alive is not known: the trace has no look at the whole heap, or no sizes";
            return Err(Failure::usage(unknown));
        }
    }
    outcome(command, replayed)
}

/// Plays the trace to whoever looks at it, with progress.
fn played(command: &args::Why, observer: &mut dyn Observer) -> Result<Replayed, Failure> {
    let mut events = inputs::open(&command.trace)?;
    let progress = Progress::new(&command.trace, events.as_ref(), &command.messages);
    Ok(heap::replay(events.as_mut(), observer, &mut |position| progress.at(position)))
}

/// What could be read was answered; the rest is the failure.
fn outcome(command: &args::Why, replayed: Replayed) -> Result<Outcome, Failure> {
    match replayed.error {
        Some(error) => Err(error.in_file(&command.trace).into()),
        None => Ok(Outcome::Nothing),
    }
}

/// Types that are told at most where the one that was asked about is not there.
const NEAR: usize = 3;

/// Types of the trace that have the same last name, in any case.
fn types_like(heap: &Heap, asked: &str) -> Vec<String> {
    let same = |name: &&str| *name != asked && last_part(name).eq_ignore_ascii_case(last_part(asked));
    let names: BTreeSet<&str> = heap.types().iter().map(|def| def.name.as_str()).filter(same).collect();
    names.into_iter().take(NEAR).map(str::to_string).collect()
}
