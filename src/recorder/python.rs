//! Inspects a command before it runs: how its trace is called, and why Python would not load the recorder.

use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::path::{Path, PathBuf};

/// `python app.py` → `app.reftrace`, `python -m pytest` → `pytest.reftrace`, `/usr/bin/tool` → `tool.reftrace`.
pub(super) fn trace_name(command: &[OsString]) -> PathBuf {
    let subject = match (command.first(), python_arguments(command)) {
        (Some(program), None) => program.clone(),
        (_, Some(Arguments { subject: Some(subject), .. })) => subject,
        _ => OsString::from("python"),
    };
    let stem = Path::new(&subject).file_stem().unwrap_or(OsStr::new("python"));
    let mut name = stem.to_os_string();
    name.push(".reftrace");
    PathBuf::from(name)
}

/// Why the recorder was not loaded, as far as the command shows it.
pub(super) fn why_not_loaded(command: &[OsString]) -> String {
    let Some(program) = command.first() else { return "there is no command".into() };
    let arguments = python_arguments(command).or_else(|| {
        let line = shebang(&find(program)?)?;
        python_arguments(&line)
    });
    match arguments {
        Some(Arguments { isolating: Some(flag), .. }) => {
            format!("Python was started with {flag}, which keeps it from loading the recorder")
        }
        Some(_) => "Python did not load the recorder".into(),
        None => format!("{} started no Python that could be recorded", Path::new(program).display()),
    }
}

/// What a Python command line says.
struct Arguments {
    /// The script, or the module after `-m`.
    subject: Option<OsString>,
    /// A flag that keeps `PYTHONPATH` or `site` away.
    isolating: Option<String>,
}

/// Reads a command line whose program is called `python…`; `None` for any other.
fn python_arguments(command: &[OsString]) -> Option<Arguments> {
    let (program, words) = command.split_first()?;
    let name = Path::new(program).file_name()?.to_string_lossy();
    if name == "env" {
        let rest = words.iter().position(|word| !word.to_string_lossy().contains('='))?;
        return python_arguments(&words[rest..]);
    }
    if !name.starts_with("python") && !name.starts_with("pypy") {
        return None;
    }
    let mut isolating = None;
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let text = word.to_string_lossy();
        let Some(flags) = text.strip_prefix('-').filter(|flags| !flags.is_empty() && !flags.starts_with('-')) else {
            if text.starts_with("--") {
                continue;
            }
            return Some(Arguments { subject: (text != "-").then(|| word.clone()), isolating });
        };
        for (place, flag) in flags.char_indices() {
            let rest = &flags[place + flag.len_utf8()..];
            let value = |words: &mut std::slice::Iter<OsString>| {
                if rest.is_empty() { words.next().cloned() } else { Some(OsString::from(rest)) }
            };
            match flag {
                'I' | 'E' | 'S' => isolating = Some(format!("-{flag}")),
                'm' => return Some(Arguments { subject: value(&mut words), isolating }),
                'c' => return Some(Arguments { subject: None, isolating }),
                'W' | 'X' => {
                    value(&mut words);
                    break;
                }
                _ => {}
            }
        }
    }
    Some(Arguments { subject: None, isolating })
}

/// The file that a command's name means.
fn find(program: &OsStr) -> Option<PathBuf> {
    let path = Path::new(program);
    if path.components().count() > 1 {
        return Some(path.to_path_buf());
    }
    std::env::split_paths(&std::env::var_os("PATH")?).map(|folder| folder.join(path)).find(|path| path.is_file())
}

/// The words after `#!` in a script's first line.
fn shebang(path: &Path) -> Option<Vec<OsString>> {
    let mut start = Vec::new();
    std::fs::File::open(path).ok()?.take(512).read_to_end(&mut start).ok()?;
    let start = String::from_utf8_lossy(&start).into_owned();
    let line = start.strip_prefix("#!")?.lines().next()?;
    Some(line.split_whitespace().map(OsString::from).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        line.split(' ').map(OsString::from).collect()
    }

    #[test]
    fn a_trace_is_called_as_the_program() {
        let names = [
            "python app.py",
            "python3.12 -X dev -m pytest -q",
            "/opt/venv/bin/tool --x",
            "python -c pass",
            "python",
            "python -Wd dir/x.py",
        ]
        .map(|line| trace_name(&words(line)).display().to_string());
        assert_eq!(
            names,
            ["app.reftrace", "pytest.reftrace", "tool.reftrace", "python.reftrace", "python.reftrace", "x.reftrace"]
        );
    }

    #[test]
    fn the_flag_that_keeps_the_recorder_out_is_named() {
        assert_eq!(
            why_not_loaded(&words("python3 -sE app.py")),
            "Python was started with -E, which keeps it from loading the recorder"
        );
        assert_eq!(why_not_loaded(&words("python3 app.py -I")), "Python did not load the recorder");
        assert_eq!(why_not_loaded(&words("/bin/true")), "/bin/true started no Python that could be recorded");
    }

    #[test]
    fn a_console_script_is_read_for_its_flags() {
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("tool");
        std::fs::write(&script, "#!/usr/bin/env -S X=1 python3 -I\nprint()\n").unwrap();
        assert_eq!(shebang(&script).unwrap(), words("/usr/bin/env -S X=1 python3 -I"));
        std::fs::write(&script, "#!/usr/bin/python3 -I\nprint()\n").unwrap();
        assert_eq!(
            why_not_loaded(&[script.into_os_string()]),
            "Python was started with -I, which keeps it from loading the recorder"
        );
    }
}
