//! Reads what the launcher asks for, in one environment variable: lines of `key=value`, inherited by child processes.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

use crate::system;

/// The variable.
pub(crate) const VARIABLE: &str = "REFLOOP_RECORD";

/// What to record, and where to.
#[derive(Debug, Clone)]
pub(crate) struct Options {
    pub output: PathBuf,
    /// A file for one line on each process, which the launcher reads at the end; a second one for who asks for the end.
    pub status: Vec<PathBuf>,
    pub events: EventsMode,
    /// Frames of a site; 0 for none.
    pub depth: usize,
    /// Code whose births have a stack from the first on, where only those have one of what has leaked.
    pub sites: Vec<String>,
    /// Whether lists, dicts and tuples go around the free lists.
    pub bypass: bool,
    /// Nanoseconds between two checkpoints, 0 for none.
    pub every: u64,
    /// Whether the keys of dicts are written that are not names of attributes.
    pub keys: bool,
    /// Objects of its own that a child process has at least, if it is to leave a trace.
    pub children_from: u64,
    /// Whether the children of a fork are recorded too.
    pub forks: bool,
    /// Whether the program ran before somebody began to record it.
    pub attached: bool,
}

/// Which births and deaths are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EventsMode {
    /// Those of objects that a collection, or a search for garbage, found unreachable. The hook is in place only while such
    /// objects live.
    None,
    /// The same, and the stacks of births of types that have leaked before. The hook is in place only while there are such.
    Leaks,
    /// Those of objects that a walk met.
    Survivors,
    /// All.
    Full,
}

impl EventsMode {
    fn named(name: &str) -> Option<EventsMode> {
        let modes = [EventsMode::None, EventsMode::Leaks, EventsMode::Survivors, EventsMode::Full];
        modes.into_iter().find(|mode| mode.name() == name)
    }

    /// As the launcher names it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            EventsMode::None => "none",
            EventsMode::Leaks => "leaks",
            EventsMode::Survivors => "survivors",
            EventsMode::Full => "full",
        }
    }

    /// Whether each birth is noted as it happens.
    pub(crate) fn keeps_births(self) -> bool {
        matches!(self, EventsMode::Survivors | EventsMode::Full)
    }
}

impl Options {
    /// The options of this process; `None` where there is no recording to do.
    pub(crate) fn from_environment() -> Option<Options> {
        Options::parse(&std::env::var(VARIABLE).ok()?)
    }

    /// A line for the launcher.
    pub(crate) fn say(&self, word: &str, rest: &str) {
        let line = format!("{word}\t{}\t{}\n", system::process(), rest.replace('\n', " "));
        for status in &self.status {
            if let Ok(mut file) = OpenOptions::new().append(true).create(true).open(status) {
                // The launcher says less then.
                let _ = file.write_all(line.as_bytes());
            }
        }
    }

    /// The options in a text as the variable has it; `None` also where it asks for events that this agent does not know.
    pub(crate) fn parse(text: &str) -> Option<Options> {
        let value = |wanted| value(text, wanted);
        let seconds: f64 = value("every").and_then(|seconds| seconds.parse().ok()).unwrap_or(0.0);
        Some(Options {
            output: PathBuf::from(value("output")?),
            status: value("status").map(PathBuf::from).into_iter().collect(),
            events: value("events").map_or(Some(EventsMode::Survivors), EventsMode::named)?,
            depth: value("depth").and_then(|depth| depth.parse().ok()).unwrap_or(32),
            sites: value("sites").unwrap_or_default().split_whitespace().map(str::to_owned).collect(),
            bypass: value("bypass") != Some("no"),
            every: (seconds * 1e9) as u64,
            keys: value("keys") == Some("yes"),
            children_from: value("children-from").and_then(|least| least.parse().ok()).unwrap_or(0),
            forks: value("forks") != Some("no"),
            attached: value("attached") == Some("yes"),
        })
    }
}

/// The value of the first line with this key.
pub(crate) fn value<'a>(text: &'a str, wanted: &str) -> Option<&'a str> {
    text.lines().filter_map(|line| line.split_once('=')).find(|&(key, _)| key == wanted).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::{EventsMode, Options};

    #[test]
    fn what_is_not_known_is_not_taken_for_something_else() {
        let mode = |text: &str| Options::parse(text).map(|options| options.events);
        assert_eq!(mode("output=/t"), Some(EventsMode::Survivors));
        assert_eq!(mode("output=/t\nevents=leaks"), Some(EventsMode::Leaks));
        assert_eq!(mode("output=/t\nevents=later"), None);
    }
}
