//! Puts together what the recorded processes said of themselves in the status file.

use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A process that began a trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    pub id: u32,
    pub trace: PathBuf,
    /// Device and inode of the file that it began.
    file: (u64, u64),
    /// What it wrote, if it ended in order.
    pub written: Option<Written>,
    /// How long the agent kept the interpreter's lock, where it was asked from outside.
    pub paused: Option<Duration>,
    /// A function of the recorder stays in the process: another one, which calls it, lies over it.
    pub is_left: bool,
    /// Why it stopped early.
    pub stopped: Option<String>,
}

impl Process {
    /// Why what it wrote is not under the trace's name, in one clause; nothing where it is.
    pub fn lost(&self) -> Option<&'static str> {
        let Ok(there) = self.trace.metadata() else { return Some("is not there any more: it was taken away") };
        let whole = |written: Written| there.len() == written.bytes;
        if !is_file(&there, self.file) {
            Some("is not what was recorded: another file has taken its name")
        } else if !self.written.is_none_or(whole) {
            Some("is not what was recorded: another program has written into it")
        } else {
            None
        }
    }
}

#[cfg(unix)]
fn is_file(metadata: &Metadata, (device, inode): (u64, u64)) -> bool {
    use std::os::unix::fs::MetadataExt;
    (metadata.dev(), metadata.ino()) == (device, inode)
}

#[cfg(not(unix))]
fn is_file(_: &Metadata, _: (u64, u64)) -> bool {
    true
}

/// What a process wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    pub objects: u64,
    pub bytes: u64,
    pub checkpoints: u64,
}

/// All that was recorded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// In the order in which they began; the first is the program.
    pub processes: Vec<Process>,
    /// Child processes that had too few objects of their own to leave a trace.
    pub withdrawn: u64,
    /// Why processes were not recorded, each reason once.
    pub refused: Vec<String>,
}

impl Outcome {
    /// Reads the status file; one that is missing says nothing.
    pub fn read(status: &Path) -> Outcome {
        let text = std::fs::read(status).unwrap_or_default();
        Outcome::parse(&String::from_utf8_lossy(&text))
    }

    /// Asks the traces of those that said nothing of their end: who gives up privileges may not write into the status file.
    pub fn ask_traces(&mut self) {
        for process in
            self.processes.iter_mut().filter(|process| process.written.is_none() && process.stopped.is_none())
        {
            if process.lost().is_none()
                && let Ok(trace) = crate::trace::open(&process.trace)
            {
                process.stopped = trace.header().word("stopped").map(str::to_owned);
            }
        }
    }

    fn parse(text: &str) -> Outcome {
        let mut outcome = Outcome::default();
        for line in text.lines() {
            let mut words = line.splitn(3, '\t');
            let (Some(word), Some(id), Some(rest)) = (words.next(), words.next(), words.next()) else { continue };
            let Ok(id) = id.parse() else { continue };
            let place = outcome.processes.iter().rposition(|process| process.id == id);
            if let ("withdrawn", Some(place)) = (word, place) {
                outcome.processes.remove(place);
                outcome.withdrawn += 1;
                continue;
            }
            let process = place.map(|place| &mut outcome.processes[place]);
            match (word, process) {
                ("begin", _) => outcome.processes.extend(begun(id, rest)),
                ("end", Some(process)) => process.written = written(rest),
                ("paused", Some(process)) => process.paused = rest.parse().ok().map(Duration::from_nanos),
                ("left", Some(process)) => process.is_left = true,
                ("stopped", Some(process)) => process.stopped = Some(rest.to_owned()),
                ("refused" | "stopped", _) if !outcome.refused.iter().any(|reason| reason == rest) => {
                    outcome.refused.push(rest.to_owned());
                }
                _ => {}
            }
        }
        outcome
    }
}

/// Device, inode and path of the trace that a process began.
fn begun(id: u32, rest: &str) -> Option<Process> {
    let mut words = rest.splitn(3, '\t');
    let file = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    Some(Process { id, trace: words.next()?.into(), file, written: None, paused: None, is_left: false, stopped: None })
}

fn written(rest: &str) -> Option<Written> {
    let mut numbers = rest.split('\t').map_while(|word| word.parse().ok());
    let (objects, checkpoints, bytes) = (numbers.next()?, numbers.next()?, numbers.next()?);
    Some(Written { objects, bytes, checkpoints })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_process_keeps_what_it_said_last() {
        let outcome = Outcome::parse(
            "begin\t7\t1\t20\t/t/app.reftrace\nbegin\t8\t1\t21\t/t/app.8.reftrace\nend\t7\t120\t2\t4096\n\
             begin\t11\t1\t22\t/t/app.11.reftrace\nwithdrawn\t11\t\n\
             stopped\t8\tno space left on device\nrefused\t9\tPython 2.7 is too old\nrefused\t10\tPython 2.7 is too old\n\nbroken",
        );
        assert_eq!(
            outcome.processes,
            [
                Process {
                    id: 7,
                    trace: "/t/app.reftrace".into(),
                    file: (1, 20),
                    written: Some(Written { objects: 120, bytes: 4096, checkpoints: 2 }),
                    paused: None,
                    is_left: false,
                    stopped: None,
                },
                Process {
                    id: 8,
                    trace: "/t/app.8.reftrace".into(),
                    file: (1, 21),
                    written: None,
                    paused: None,
                    is_left: false,
                    stopped: Some("no space left on device".into()),
                },
            ]
        );
        assert_eq!((outcome.withdrawn, outcome.refused), (1, vec!["Python 2.7 is too old".to_string()]));
    }
}
