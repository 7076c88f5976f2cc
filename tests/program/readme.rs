//! Every command of the README is run, and prints what the README shows.
//!
//! A block marked `console` is a session: a line that begins with `$ ` is a command, what follows is its output, to the
//! letter. `REFLOOP_UPDATE=1 cargo test --test program readme` writes the real output into the README instead of comparing.

use std::path::Path;
use std::process::Command;

use crate::support::pythons::find;
use crate::support::root;

#[test]
fn every_command_of_the_readme_prints_what_the_readme_shows() {
    let path = root().join("README.md");
    let readme = std::fs::read_to_string(&path).unwrap();
    let folder = sandbox();
    let mut written = String::new();
    let mut lines = readme.lines().peekable();
    let mut n_commands = 0;
    while let Some(line) = lines.next() {
        written += &format!("{line}\n");
        if line != "```console" {
            continue;
        }
        while let Some(command) = lines.next_if(|line| *line != "```") {
            let command_line =
                command.strip_prefix("$ ").unwrap_or_else(|| panic!("output without a command: {command}"));
            let mut shown = String::new();
            while let Some(line) = lines.next_if(|line| *line != "```" && !line.starts_with("$ ")) {
                shown += &format!("{line}\n");
            }
            n_commands += 1;
            written += &format!("{command}\n{}", output(command_line, folder.path()).unwrap_or(shown));
        }
    }
    assert!(n_commands >= 4, "the README shows only {n_commands} commands");
    if std::env::var_os("REFLOOP_UPDATE").is_some() {
        std::fs::write(&path, written).unwrap();
    } else {
        let difference = readme.lines().zip(written.lines()).find(|(shown, printed)| shown != printed);
        assert!(readme == written, "the README shows, and the program prints:\n{difference:#?}");
    }
}

/// What a command prints; nothing where it cannot be run here.
fn output(command_line: &str, folder: &Path) -> Option<String> {
    let words: Vec<&str> = command_line.split_whitespace().collect();
    let program = env!("CARGO_BIN_EXE_refloop");
    let mut command = match words.as_slice() {
        ["cargo", "run", "--release", "--", arguments @ ..] => with(program, arguments),
        ["refloop", "record", arguments @ ..] => {
            let python = find("v3_13")?.path;
            let arguments: Vec<&str> =
                arguments.iter().map(|word| if *word == "python" { python.to_str().unwrap() } else { word }).collect();
            let mut command = with(program, &["record"]);
            command.args(arguments);
            command
        }
        ["refloop", arguments @ ..] => with(program, arguments),
        ["cargo", "test"] => {
            let ci = std::fs::read_to_string(root().join(".ci/run")).unwrap();
            assert!(ci.contains("cargo test"), ".ci/run runs the test command of the README");
            return None;
        }
        ["cargo", "install", "--path", "."] => return None,
        _ => panic!("the README shows a command that this test does not know: {command_line}"),
    };
    let output = command.current_dir(folder).env("COLUMNS", "80").env("NO_COLOR", "1").output().unwrap();
    let mut text = String::from_utf8(output.stdout).unwrap();
    text += &String::from_utf8(output.stderr).unwrap();
    if let Some(code) = output.status.code().filter(|&code| code > 1) {
        panic!("`{command_line}` ends with {code}:\n{text}");
    }
    Some(text)
}

fn with(program: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

/// A folder where the README's relative paths hold, and which may be written to.
fn sandbox() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(root().join("fixtures"), folder.path().join("fixtures")).unwrap();
    for program in ["shop.py", "clean.py"] {
        std::fs::copy(root().join("fixtures/programs").join(program), folder.path().join(program)).unwrap();
    }
    folder
}
