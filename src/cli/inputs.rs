//! Finds the traces that the command line names: directories are searched, `-` is standard input.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use refloop::trace::formats::detect_file;
use refloop::trace::{self, ErrorKind, Events};

use crate::status::Failure;

/// The traces to read, in the order given; those of a directory by name.
pub(crate) fn find(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut traces = Vec::new();
    for path in paths {
        if path != Path::new("-") && path.is_dir() {
            traces.extend(in_directory(path)?);
        } else {
            traces.push(path.clone());
        }
    }
    Ok(traces)
}

/// Opens a trace, its name in the error where it cannot be.
pub(crate) fn open(path: &Path) -> Result<Box<dyn Events>, Failure> {
    Ok(trace::open(path)?)
}

/// The files of a directory that are traces by their content. Directories in it are looked through too.
fn in_directory(directory: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut traces = Vec::new();
    let mut open = vec![directory.to_path_buf()];
    while let Some(directory) = open.pop() {
        let cannot = |error: std::io::Error| Failure::input(format!("{}: {error}", directory.display()));
        for entry in fs::read_dir(&directory).map_err(cannot)? {
            let entry = entry.map_err(cannot)?;
            let kind = entry.file_type().map_err(cannot)?;
            match kind {
                _ if kind.is_dir() => open.push(entry.path()),
                _ if is_trace(&entry.path()) => traces.push(entry.path()),
                _ => {}
            }
        }
    }
    if traces.is_empty() {
        return Err(Failure::input(format!("{}: no trace in this directory", directory.display())));
    }
    // A link to another trace of the directory is the same trace, and the file itself stands for both.
    traces.sort_by_key(|path| (path.is_symlink(), path.clone()));
    let mut seen = HashSet::new();
    traces.retain(|path| path.canonicalize().map_or(true, |real| seen.insert(real)));
    traces.sort();
    Ok(traces)
}

/// Whether a file is one that should be read: a trace, or one that is damaged and says so when it is read.
///
/// Logs of other programs, and pages that quote one, lie in any directory: they are read where they are named.
fn is_trace(path: &Path) -> bool {
    path.is_file()
        && match detect_file(path) {
            Ok(format) => format.is_some_and(|format| format.writer().is_some()),
            Err(error) => !matches!(error.kind(), ErrorKind::Empty),
        }
}
