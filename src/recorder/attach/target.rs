//! Looks at a process from outside: whether it is a CPython that can be recorded, and whether it may be touched.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use crate::recorder::launch::words;

/// A running CPython.
#[derive(Debug)]
pub(super) struct Target {
    pub id: u32,
    /// Its number in its own view: it may be in a container.
    pub inner_id: u32,
    /// The file that it runs, by the name that it has in the process's own view.
    pub executable: PathBuf,
    /// Its minor version, as far as the names of its files tell it.
    pub minor: Option<u32>,
    /// Its command line.
    pub command: Vec<OsString>,
    /// The environment that it began with.
    environment: Vec<OsString>,
    /// Bytes of memory that are its own.
    pub resident: u64,
    /// Its user and group, where it is another user's.
    pub owner: Option<(u32, u32)>,
    maps: Vec<Mapping>,
}

/// A part of the address space.
#[derive(Debug)]
struct Mapping {
    start: u64,
    end: u64,
    is_shared: bool,
    path: Option<PathBuf>,
}

impl Target {
    /// # Errors
    /// One clause that says why the process cannot be recorded.
    pub(super) fn look(id: u32) -> Result<Target, String> {
        let proc = PathBuf::from(format!("/proc/{id}"));
        let Some(status) = Status::read(&proc.join("status")) else { return Err(format!("there is no process {id}")) };
        if status.has_ended {
            return Err(format!("process {id} has ended; who started it has not asked how"));
        }
        if status.is_stopped {
            return Err(format!("process {id} is stopped, by SIGSTOP or a terminal: kill -CONT {id} lets it go on"));
        }
        File::options().read(true).write(true).open(proc.join("mem")).map_err(|error| why_not(id, &status, &error))?;
        let executable = fs::read_link(proc.join("exe"))
            .map_err(|error| format!("process {id} runs no file that can be read: {}", words(&error)))?;
        let maps = mappings(&proc).map_err(|error| format!("process {id}: {}", words(&error)))?;
        let build = Build::of(&executable, &maps);
        match build {
            Some(build) => build.refuse()?,
            None if !exports_python(&proc.join("exe")) => {
                return Err(format!("process {id} is not CPython: it runs {}", executable.display()));
            }
            None => {}
        }
        let command = split(&fs::read(proc.join("cmdline")).unwrap_or_default());
        let environment = split(&fs::read(proc.join("environ")).unwrap_or_default());
        let minor = build.map(|build| build.minor);
        let owner = (status.user != own_user()).then_some((status.user, status.group));
        Ok(Target {
            id,
            inner_id: status.inner_id.unwrap_or(id),
            executable,
            minor,
            command,
            environment,
            resident: status.resident,
            owner,
            maps,
        })
    }

    /// An address at which so many bytes are free, far from what is there.
    pub(super) fn free_room(&self, length: u64) -> Option<u64> {
        const MARGIN: u64 = 16 << 20;
        const LOWEST: u64 = 1 << 32;
        let gaps = self.maps.windows(2).map(|pair| (pair[0].end.max(LOWEST), pair[1].start));
        let wide = { gaps }.find(|&(start, end)| end.saturating_sub(start) > 2 * MARGIN + length)?;
        Some((wide.0 + MARGIN).next_multiple_of(1 << 16))
    }

    /// A variable of its environment.
    pub(super) fn variable(&self, name: &str) -> Option<OsString> {
        value(&self.environment, name).map(|value| OsString::from_vec(value.to_vec()))
    }

    /// The command line or the environment that switches remote execution off, if one does.
    pub(super) fn switched_off(&self) -> Option<&'static str> {
        switched_off(&self.command, &self.environment)
    }

    /// The trace that a recorder in it keeps mapped.
    pub(super) fn recorded_into(&self) -> Option<PathBuf> {
        recorded_into(&self.proc(), &self.maps)
    }

    /// Whether it has this trace mapped by now.
    pub(super) fn writes(&self, trace: &Path) -> bool {
        let maps = mappings(&self.proc()).unwrap_or_default();
        maps.iter().any(|mapping| mapping.path.as_deref() == Some(trace))
    }

    fn proc(&self) -> PathBuf {
        format!("/proc/{}", self.id).into()
    }

    /// Lets it go on where a debugger has left it stopped: before that it was not.
    pub(super) fn let_go_on(&self) {
        if Status::read(&self.proc().join("status")).is_some_and(|status| status.is_stopped) {
            super::signal("CONT", self.id);
        }
    }

    /// Whether it still runs.
    pub(super) fn is_there(&self) -> bool {
        Status::read(&self.proc().join("status")).is_some_and(|status| !status.has_ended)
    }
}

/// The parts of a process's address space.
fn mappings(proc: &Path) -> io::Result<Vec<Mapping>> {
    let maps = fs::read(proc.join("maps"))?;
    Ok(String::from_utf8_lossy(&maps).lines().filter_map(Mapping::parse).collect())
}

impl Mapping {
    /// `address permissions offset device inode path`
    fn parse(line: &str) -> Option<Mapping> {
        let mut words = line.splitn(6, ' ');
        let (start, end) = words.next()?.split_once('-')?;
        let permissions = words.next()?;
        let path = words.nth(3).map(|path| path.trim_start()).filter(|path| path.starts_with('/'));
        Some(Mapping {
            start: u64::from_str_radix(start, 16).ok()?,
            end: u64::from_str_radix(end, 16).ok()?,
            is_shared: permissions.ends_with('s'),
            path: path.map(PathBuf::from),
        })
    }
}

/// What the names of files tell of a CPython: `libpython3.13t.so.1.0`, `python3.13`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Build {
    major: u32,
    minor: u32,
    is_free_threaded: bool,
    is_debug: bool,
    is_pypy: bool,
}

impl Build {
    fn of(executable: &Path, maps: &[Mapping]) -> Option<Build> {
        let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
        let mapped = maps.iter().filter_map(|mapping| mapping.path.as_deref());
        let libraries = mapped.clone().filter_map(name).filter(|name| name.starts_with("lib"));
        // What stands in `lib/python3.11/` is of that version; it may be a program that has Python in it.
        let folders = mapped.flat_map(Path::ancestors).filter_map(name);
        libraries.chain(name(executable)).chain(folders).find_map(|name| Build::named(&name))
    }

    fn named(name: &str) -> Option<Build> {
        let name = name.strip_prefix("lib").unwrap_or(name);
        let (rest, is_pypy) = match name.strip_prefix("pypy") {
            Some(rest) => (rest, true),
            None => (name.strip_prefix("python")?, false),
        };
        let (major, rest) = number(rest)?;
        let (minor, rest) = number(rest.strip_prefix('.')?)?;
        let flags = rest.split(['.', '-']).next().unwrap_or_default();
        let has = |flag| flags.len() <= 3 && flags.contains(flag);
        Some(Build { major, minor, is_free_threaded: has('t'), is_debug: has('d'), is_pypy })
    }

    fn refuse(self) -> Result<(), String> {
        let reason = match self {
            Build { is_pypy: true, .. } => "pypy is not CPython".into(),
            Build { major, minor, .. } if (major, minor) < (3, 8) => {
                format!("Python {major}.{minor} is too old: refloop records CPython from 3.8 on")
            }
            Build { is_free_threaded: true, .. } => "free-threaded builds of CPython cannot be recorded".into(),
            Build { is_debug: true, .. } => "debug builds of CPython cannot be recorded".into(),
            _ => return Ok(()),
        };
        Err(reason)
    }
}

fn number(text: &str) -> Option<(u32, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    Some((text[..end].parse().ok()?, &text[end..]))
}

/// What `/proc/PID/status` says.
#[derive(Debug)]
struct Status {
    has_ended: bool,
    is_stopped: bool,
    /// The number in the innermost of its namespaces; nothing where the kernel has none.
    inner_id: Option<u32>,
    /// The effective user and group.
    user: u32,
    group: u32,
    resident: u64,
}

impl Status {
    fn read(path: &Path) -> Option<Status> {
        let text = fs::read_to_string(path).ok()?;
        let value = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        let kilobytes = |name| value(name)?.split_whitespace().next()?.parse::<u64>().ok();
        Some(Status {
            has_ended: value("State").is_some_and(|state| state.trim_start().starts_with(['Z', 'X'])),
            is_stopped: value("State").is_some_and(|state| state.trim_start().starts_with('T')),
            inner_id: value("NSpid").and_then(|ids| ids.split_whitespace().last()?.parse().ok()),
            // Real, effective, saved, of the file system.
            user: value("Uid")?.split_whitespace().nth(1)?.parse().ok()?,
            group: value("Gid")?.split_whitespace().nth(1)?.parse().ok()?,
            resident: kilobytes("RssAnon").or(kilobytes("VmRSS")).unwrap_or(0) << 10,
        })
    }
}

/// The user of this process.
fn own_user() -> u32 {
    Status::read(Path::new("/proc/self/status")).map_or(0, |status| status.user)
}

/// Why this process may not touch the other.
fn why_not(id: u32, status: &Status, error: &io::Error) -> String {
    if error.kind() == io::ErrorKind::NotFound {
        return format!("there is no process {id}");
    }
    let own = own_user();
    let scope = fs::read_to_string(SCOPE).unwrap_or_default();
    format!("process {id} may not be touched ({}): {}", words(error), forbidden_by(scope.trim(), own, status.user))
}

/// The setting of Yama, which is a module of Linux: who may look into a process.
const SCOPE: &str = "/proc/sys/kernel/yama/ptrace_scope";

/// What keeps this user from looking into a process of another or the same.
fn forbidden_by(scope: &str, own: u32, owner: u32) -> String {
    match (scope, own) {
        (_, own) if own != 0 && own != owner => {
            format!("it belongs to user {owner}, and this is user {own}: become that user, or root")
        }
        ("3", _) => format!("{SCOPE} is 3: no process may look into another until the machine starts anew"),
        ("2", own) if own != 0 => format!("{SCOPE} is 2: only root may look into a process"),
        ("1", own) if own != 0 => {
            format!(
                "{SCOPE} is 1: only root, or who started a process, may look into it; sysctl kernel.yama.ptrace_scope=0 allows it"
            )
        }
        (_, 0) => "the capability CAP_SYS_PTRACE is missing; docker run --cap-add=SYS_PTRACE gives it".into(),
        _ => "it may not be looked into, as after a change of its user or its capabilities".into(),
    }
}

/// The trace that a recorder in the process keeps mapped.
fn recorded_into(proc: &Path, maps: &[Mapping]) -> Option<PathBuf> {
    let has_agent = maps.iter().any(|mapping| mapping.path.as_ref().is_some_and(|path| path.ends_with("_refloop.so")));
    let shared =
        maps.iter().filter(|mapping| has_agent && mapping.is_shared).filter_map(|mapping| mapping.path.as_ref());
    { shared }.find(|path| crate::trace::open(&inside(proc, path)).is_ok()).cloned()
}

/// A path of the process, as it is seen from here.
fn inside(proc: &Path, path: &Path) -> PathBuf {
    let mut seen = proc.join("root").into_os_string();
    seen.push(path);
    seen.into()
}

/// Whether a file has the function that the agent is brought by.
fn exports_python(file: &Path) -> bool {
    const LARGEST: u64 = 512 << 20;
    let mut bytes = Vec::new();
    let read = File::open(file).and_then(|file| file.take(LARGEST).read_to_end(&mut bytes));
    read.is_ok() && memchr::memmem::find(&bytes, b"PyRun_SimpleString\0").is_some()
}

/// The value of a variable.
fn value<'a>(environment: &'a [OsString], name: &str) -> Option<&'a [u8]> {
    let of = |word: &'a OsString| word.as_encoded_bytes().strip_prefix(name.as_bytes())?.strip_prefix(b"=");
    environment.iter().find_map(of)
}

/// What keeps CPython from running a script that another process brings.
fn switched_off(command: &[OsString], environment: &[OsString]) -> Option<&'static str> {
    let has_variable = value(environment, "PYTHON_DISABLE_REMOTE_DEBUG").is_some_and(|value| !value.is_empty());
    let words: Vec<String> = command.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let is_option = |word: &str| word.replace('-', "_") == "disable_remote_debug";
    let has_option = words.iter().any(|word| word.strip_prefix("-X").is_some_and(is_option))
        || words.windows(2).any(|pair| pair[0] == "-X" && is_option(&pair[1]));
    match (has_option, has_variable) {
        (true, _) => Some("-X disable_remote_debug"),
        (_, true) => Some("PYTHON_DISABLE_REMOTE_DEBUG"),
        _ => None,
    }
}

/// Words that each end with a zero byte.
fn split(bytes: &[u8]) -> Vec<OsString> {
    let words = bytes.split(|&byte| byte == 0).map(|word| OsString::from_vec(word.to_vec()));
    words.filter(|word| !word.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_files_tell_the_build() {
        let build = |name| Build::named(name).map(|build| (build.major, build.minor));
        assert_eq!(build("libpython3.13.so.1.0"), Some((3, 13)));
        assert_eq!(build("python3.8"), Some((3, 8)));
        assert_eq!((build("python3"), build("libpthread.so.0"), build("python3.x")), (None, None, None));
        assert!(Build::named("libpython3.14t.so.1.0").unwrap().is_free_threaded);
        assert!(Build::named("python3.12d").unwrap().is_debug);
        assert!(Build::named("libpypy3.11-c.so").unwrap().is_pypy);
        assert!(!Build::named("python3.12-config").unwrap().is_debug);
        assert!(Build::named("python3.7").unwrap().refuse().unwrap_err().contains("too old"));
    }

    #[test]
    fn what_forbids_to_look_is_the_nearest_setting_that_does() {
        let says = |scope, own, owner, expected: &str| {
            let said = forbidden_by(scope, own, owner);
            assert!(said.contains(expected), "{scope:?} {own} {owner}: {said}");
        };
        for scope in ["", "0", "1", "2"] {
            says(scope, 1000, 1001, "it belongs to user 1001, and this is user 1000: become that user, or root");
            says(scope, 0, 1000, "CAP_SYS_PTRACE is missing");
        }
        says("1", 1000, 1000, "ptrace_scope is 1: only root, or who started a process");
        says("2", 1000, 1000, "ptrace_scope is 2: only root may look");
        for own in [0, 1000] {
            says("3", own, 1000, "ptrace_scope is 3: no process may look into another until");
        }
        for scope in ["", "0"] {
            says(scope, 1000, 1000, "as after a change of its user");
        }
    }

    #[test]
    fn a_switch_that_is_off_is_named() {
        let words = |line: &str| -> Vec<OsString> { line.split(' ').map(OsString::from).collect() };
        assert_eq!(switched_off(&words("python -X disable-remote-debug app.py"), &[]), Some("-X disable_remote_debug"));
        assert_eq!(switched_off(&words("python -Xdisable_remote_debug"), &[]), Some("-X disable_remote_debug"));
        let variable = [OsString::from("PYTHON_DISABLE_REMOTE_DEBUG=1")];
        assert_eq!(switched_off(&words("python app.py"), &variable), Some("PYTHON_DISABLE_REMOTE_DEBUG"));
        assert_eq!(switched_off(&words("python app.py"), &[OsString::from("PYTHON_DISABLE_REMOTE_DEBUG=")]), None);
    }

    #[test]
    fn a_room_lies_between_two_mappings() {
        let line = |start: u64, end: u64| Mapping { start, end, is_shared: false, path: None };
        let maps = vec![line(0x40_0000, 0x50_0000), line(0x7f00_0000_0000, 0x7f00_0010_0000)];
        let target = Target {
            inner_id: 1,
            id: 1,
            executable: PathBuf::new(),
            minor: None,
            command: Vec::new(),
            environment: Vec::new(),
            resident: 0,
            owner: None,
            maps,
        };
        let room = target.free_room(8192).unwrap();
        assert!(room > 1 << 32 && room + 8192 < 0x7f00_0000_0000 && room.is_multiple_of(1 << 16));
    }
}
