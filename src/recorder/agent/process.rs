//! Represents one recorded process: its file and header, its status for the launcher, what happens as it forks and ends.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::log::{Log, out_of_memory};
use crate::memory::{GrowText, is_refused};
use crate::options::{EventsMode, Options};
use crate::recorder::Recorder;
use crate::system;

/// Blanks at the end of the header, where the launcher writes how the program ended.
const ROOM: usize = 48;

/// More of them, where it is written why the recording stopped if there is no other place.
pub(crate) const STOPPED_ROOM: usize = 80;

/// What the process keeps to begin a file, and to begin one again after a fork.
pub(crate) struct Process {
    pub options: Options,
    /// `sys.version` up to the first blank, `3.13.0`.
    pub version: String,
    /// `sys.executable`.
    pub executable: String,
    /// The file that is written.
    path: PathBuf,
    /// When it began.
    start: u64,
    /// Whose file it is.
    id: u32,
}

impl Process {
    pub(crate) fn new(options: Options, version: String, executable: String) -> Process {
        Process { options, version, executable, path: PathBuf::new(), start: 0, id: 0 }
    }

    /// Begins the file of this process: the name that the launcher was given, or, where another process has it, the
    /// name with the process's number.
    /// The collector's lists are `in_order` but for a child that is forked in a collection.
    pub(crate) fn begin(&mut self, recorder: &mut Recorder, parent: u32, in_order: bool) -> io::Result<()> {
        self.id = system::process();
        self.start = system::now();
        let (file, path) = create(&self.options.output, self.id, parent != 0)?;
        let log = Log::open(&file, path.clone(), &self.header(recorder, parent))
            .inspect_err(|_| drop(std::fs::remove_file(&path)))?;
        self.path = path;
        let identity = log.identity();
        recorder.begin(log, parent != 0);
        if in_order {
            recorder.write_first_lists();
        }
        self.introduce(&self.options, identity);
        Ok(())
    }

    /// Says which file this process writes, by its device and inode.
    fn introduce(&self, to: &Options, (device, inode): (u64, u64)) {
        to.say("begin", &format!("{device}\t{inode}\t{}", self.path.display()));
    }

    /// From now on, who asked with these options hears what becomes of the file.
    pub(crate) fn tell(&mut self, recorder: &Recorder, asking: &Options) {
        self.introduce(asking, recorder.log.identity());
        self.options.status.extend_from_slice(&asking.status);
    }

    /// Nanoseconds since the file began.
    pub(crate) fn elapsed(&self) -> u64 {
        system::now().saturating_sub(self.start)
    }

    /// The file that is written.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The process whose file it is.
    pub(crate) fn id(&self) -> u32 {
        self.id
    }

    /// Another process has the name that was asked for, and this one has too little to be worth a file.
    pub(crate) fn is_slight(&self, recorder: &mut Recorder) -> bool {
        let least = self.options.children_from;
        least > 0 && self.path != self.options.output && recorder.own_objects() < least
    }

    /// Takes the file away.
    pub(crate) fn withdraw(&self, recorder: &mut Recorder) {
        recorder.log.abandon();
        // What cannot be taken away is a trace without its end.
        let _ = std::fs::remove_file(&self.path);
        self.options.say("withdrawn", "");
    }

    /// Ends the file in order.
    pub(crate) fn finish(&self, recorder: &mut Recorder) {
        let elapsed = self.elapsed();
        recorder.log.emit(|encoder| encoder.time(elapsed));
        recorder.log.emit(|encoder| encoder.end());
        let bytes = recorder.log.written();
        recorder.log.finish();
        match recorder.log.failure.take().or_else(|| is_refused().then(out_of_memory)) {
            Some(error) => self.stopped(&error),
            None => self.options.say("end", &format!("{}\t{}\t{bytes}", recorder.objects, recorder.checkpoints)),
        }
    }

    /// Says that the recording stopped, and why: to the launcher, and on the standard error that this has handed on.
    pub(crate) fn stopped(&self, error: &io::Error) {
        let reason = reason(error);
        if !self.options.attached {
            // Standard error may be closed; then nobody wants to know.
            let _ = writeln!(
                io::stderr(),
                "refloop: {}: {reason}: recording stopped, the program goes on",
                self.path.display()
            );
        }
        self.options.say("stopped", &format!("{}: {reason}", self.path.display()));
    }

    /// Says on standard error that checkpoints at intervals need a thread, which the system refused.
    pub(crate) fn without_clock(&self, error: &io::Error) {
        // As in `stopped`.
        let _ = writeln!(
            io::stderr(),
            "refloop: {}: no thread for checkpoints at intervals: {}; they come only while births are recorded",
            self.path.display(),
            reason(error)
        );
    }

    fn header(&self, recorder: &Recorder, parent: u32) -> String {
        let births = match self.options.events {
            EventsMode::None | EventsMode::Leaks => "garbage",
            EventsMode::Survivors => "survivors",
            EventsMode::Full => "all",
        };
        let stacks = if recorder.stacks.is_some() { "native" } else { "none" };
        let mut header = format!(
            "reftrace 1 runtime=cpython-{} pointer=8 references=checkpoints frees=recorded births={births} numbers=dense walks=changes \
             pid={} stacks={stacks} depth={} platform={}-{}",
            self.version,
            self.id,
            self.options.depth,
            std::env::consts::OS,
            std::env::consts::ARCH,
        );
        // A clock before 1970 is not set.
        if let Ok(since) = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) {
            header += &format!(" started={}", since.as_secs());
        }
        // Linux keeps it as what `gethostname` answers.
        if let Ok(host) = fs::read_to_string("/proc/sys/kernel/hostname") {
            header += &format!(" host={}", quoted(host.trim_end()));
        }
        if parent != 0 {
            header += &format!(" parent={parent}");
        }
        if self.options.attached {
            header += " attached=yes";
        }
        let words: Vec<String> = std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect();
        header +=
            &format!(" executable={} argv={}", quoted(&self.executable), quoted(&up_to_program(&words).join(" ")));
        header.extend(std::iter::repeat_n(' ', 1 + STOPPED_ROOM + ROOM));
        header
    }
}

/// The words of a command up to the name of its program. What comes behind may be a secret: it is one `…`, as is the code
/// after `-c`.
fn up_to_program(words: &[String]) -> Vec<&str> {
    let shown = words_to_program(words).min(words.len());
    let kept = words[..shown].iter().map(String::as_str);
    kept.chain((shown < words.len()).then_some("…")).collect()
}

/// How many words that is: `python -X dev app.py`, `python -m app`, `python -c`.
fn words_to_program(words: &[String]) -> usize {
    let mut next = 1;
    while let Some(word) = words.get(next) {
        let Some(flags) = word.strip_prefix('-').filter(|flags| !flags.is_empty()) else { return next + 1 };
        if flags.starts_with('-') {
            return next;
        }
        let with_value = flags.char_indices().find(|(_, flag)| "cmWX".contains(*flag));
        let is_apart = with_value.is_some_and(|(place, _)| place + 1 == flags.len());
        match with_value {
            Some((_, 'c')) => return next + usize::from(is_apart),
            Some((_, 'm')) => return next + 1 + usize::from(is_apart),
            _ => next += 1 + usize::from(is_apart),
        }
    }
    next
}

/// An error of the system, in its words, without its number.
pub(crate) fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    text.to_lowercase()
}

/// Why there is no trace of this name. The process writes it, and who has asked for it may be another user.
pub(crate) fn refused(output: &Path, error: &io::Error) -> String {
    let whose = match error.kind() {
        io::ErrorKind::PermissionDenied => format!(": the process writes it, as user {}", system::user()),
        _ => String::new(),
    };
    format!("{}: {}{whose}", output.display(), reason(error))
}

/// Creates the file, for its owner alone: `app.reftrace`, or `app.PID.reftrace`, or the next that is free.
fn create(output: &Path, id: u32, child: bool) -> io::Result<(File, PathBuf)> {
    let mut attempt = u32::from(child);
    loop {
        let path = match attempt {
            0 => output.to_path_buf(),
            1 => numbered(output, &id.to_string()),
            _ => numbered(output, &format!("{id}-{attempt}")),
        };
        match OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && attempt < 1000 => attempt += 1,
            result => return result.map(|file| (file, path)),
        }
    }
}

/// `app.reftrace` and `7` to `app.7.reftrace`.
fn numbered(output: &Path, number: &str) -> PathBuf {
    let mut name = output.file_stem().unwrap_or_default().to_os_string();
    name.push(".");
    name.push(number);
    if let Some(extension) = output.extension() {
        name.push(".");
        name.push(extension);
    }
    output.with_file_name(name)
}

/// A word of the text form: in quotes where it must be.
pub(crate) fn quoted(word: &str) -> String {
    let plain = !word.is_empty()
        && !word.starts_with('#')
        && !word.contains(|c: char| c.is_whitespace() || c.is_control() || c == '"');
    if plain {
        let mut same = String::new();
        same.add_text(word);
        return same;
    }
    let mut quoted = String::new();
    quoted.add_char('"');
    for c in word.chars() {
        match c {
            '"' => quoted.add_text("\\\""),
            '\\' => quoted.add_text("\\\\"),
            '\n' => quoted.add_text("\\n"),
            '\t' => quoted.add_text("\\t"),
            '\r' => quoted.add_text("\\r"),
            c if c.is_control() => quoted.add_text(&format!("\\u{{{:x}}}", u32::from(c))),
            c => quoted.add_char(c),
        }
    }
    quoted.add_char('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::{numbered, quoted, up_to_program};
    use std::path::Path;

    #[test]
    fn a_child_puts_its_number_before_the_extension() {
        assert_eq!(numbered(Path::new("/a/app.reftrace"), "7"), Path::new("/a/app.7.reftrace"));
        assert_eq!(numbered(Path::new("app"), "7"), Path::new("app.7"));
    }

    #[test]
    fn nothing_behind_the_name_of_the_program_is_kept() {
        let kept = |line: &str| {
            let words: Vec<String> = line.split(' ').map(String::from).collect();
            up_to_program(&words).join(" ")
        };
        assert_eq!(kept("python app.py"), "python app.py");
        assert_eq!(
            kept("python3 -X dev -Werror -W once app.py --key s3cret"),
            "python3 -X dev -Werror -W once app.py …"
        );
        assert_eq!(kept("python -Im app.main s3cret"), "python -Im app.main …");
        assert_eq!(kept("python -mapp s3cret"), "python -mapp …");
        assert_eq!(kept("python -Bc key='s3cret'"), "python -Bc …");
        assert_eq!(kept("python -ckey='s3cret'"), "python …");
        assert_eq!(kept("python - s3cret"), "python - …");
        assert_eq!(kept("uwsgi --key s3cret"), "uwsgi …");
        assert_eq!(kept("python -m"), "python -m");
    }

    #[test]
    fn words_that_the_text_form_would_split_are_quoted() {
        assert_eq!(quoted("plain=word"), "plain=word");
        assert_eq!(quoted("a \"b\"\n"), "\"a \\\"b\\\"\\n\"");
        assert_eq!(quoted(""), "\"\"");
        assert_eq!(quoted("#x"), "\"#x\"");
    }
}
