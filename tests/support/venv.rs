//! Makes virtual environments with packages from PyPI, kept between runs below `target`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::pythons::{Python, say_once};

/// The interpreter of a virtual environment that holds these packages; it is made once.
pub(crate) fn venv(python: &Python, name: &str, packages: &[&str]) -> Result<PathBuf, String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", python.build));
    let (inside, list) = (folder.join("bin/python"), folder.join("packages.txt"));
    let wanted = format!("{}\n{}\n{}", python.version(), python.path.display(), packages.join("\n"));
    // Two tests may want the same one.
    let lock = fs::File::create(folder.with_extension("lock")).map_err(|error| error.to_string())?;
    lock.lock().map_err(|error| error.to_string())?;
    if inside.exists() && fs::read_to_string(&list).is_ok_and(|there| there == wanted) {
        return Ok(inside);
    }
    let _ = fs::remove_dir_all(&folder);
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    if done(Command::new(&python.path).args(["-m", "venv"]).arg(&folder)).is_ok() {
        done(Command::new(&inside).args(install).args(packages))?;
    } else {
        // In Debian, pip is a wheel below `usr/share`, and `venv` looks for it below `/` alone.
        done(Command::new(&python.path).args(["-m", "venv", "--clear", "--without-pip"]).arg(&folder))?;
        let pip = pip_beside(&python.path).ok_or("it has no pip")?;
        done(Command::new(&inside).arg(pip.join("pip")).args(&install[2..]).args(packages))?;
    }
    fs::write(&list, wanted).map_err(|error| error.to_string())?;
    Ok(inside)
}

/// The same where it can be made; else a line says that what needs it is skipped.
pub(crate) fn python_with(python: &Python, name: &str, packages: &[&str]) -> Option<PathBuf> {
    let inside = venv(python, name, packages);
    inside.map_err(|reason| say_once(format!("SKIPPED: no {} for {python}: {reason}", packages[0]))).ok()
}

/// The wheel of pip that Debian puts beside its interpreters; Python runs it as it is.
fn pip_beside(python: &Path) -> Option<PathBuf> {
    let wheels = python.parent()?.parent()?.join("share/python-wheels");
    let names = fs::read_dir(wheels).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    names.filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("pip-"))).max()
}

fn done(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|error| error.to_string())?;
    match output.status.success() {
        true => Ok(()),
        false => Err(said(&output).lines().last().unwrap_or("failed").to_string()),
    }
}

/// What a program wrote, on both streams.
pub(crate) fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stderr), String::from_utf8_lossy(&output.stdout))
        .trim_end()
        .to_string()
}
