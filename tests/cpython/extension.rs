//! Compiles extension modules of C code.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::each::at_hand;
use crate::support::pythons::Python;

/// Compiles an extension into a folder. It uses the stable interface, so the headers of any CPython serve.
pub(crate) fn build_extension(source: &Path, folder: &Path) -> Result<(), String> {
    let headers = at_hand().iter().find_map(headers).ok_or("no Python.h")?;
    compile(&headers, source, &folder.join("extension.so"))
}

/// The folder of a CPython's own headers, where it has them.
pub(crate) fn headers(python: &Python) -> Option<PathBuf> {
    let print = "import sysconfig; print(sysconfig.get_paths()['include'])";
    let output = Command::new(&python.path).args(["-c", print]).output().ok()?;
    let folder = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    folder.join("Python.h").exists().then_some(folder)
}

/// Compiles a shared object.
pub(crate) fn compile(headers: &Path, source: &Path, object: &Path) -> Result<(), String> {
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-O1", "-I"]).arg(headers).arg(source).arg("-o").arg(object);
    let output = compiler.output().map_err(|error| error.to_string())?;
    match output.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}
