//! Writes files that appear whole or not at all.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// A file in the making: a temporary one beside it that takes its place when it is whole. What is no regular file, a pipe
/// or `/dev/null`, is written to directly.
pub struct AtomicFile {
    file: PathBuf,
    temporary: Option<NamedTempFile>,
}

impl AtomicFile {
    /// Begins a file, and its folder where that is not there.
    ///
    /// # Errors
    /// Where the folder, or a file in it, cannot be made.
    pub fn create(file: &Path) -> io::Result<AtomicFile> {
        let file = &target(file);
        if fs::metadata(file).is_ok_and(|metadata| !metadata.is_file()) {
            return Ok(AtomicFile { file: file.to_owned(), temporary: None });
        }
        let directory = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut builder = tempfile::Builder::new();
        if !directory.exists() {
            fs::create_dir_all(directory)?;
        }
        fs::metadata(directory)?;
        // Without the temporary name in the text: nobody asked for it, and it is another one each time.
        let temporary = with_usual_permissions(&mut builder).tempfile_in(directory);
        let temporary = temporary.map_err(|error| io::Error::from(error.kind()))?;
        Ok(AtomicFile { file: file.to_owned(), temporary: Some(temporary) })
    }

    /// Where its bytes go.
    ///
    /// # Errors
    /// Where it cannot be opened.
    pub fn writer(&self) -> io::Result<File> {
        match &self.temporary {
            Some(temporary) => temporary.as_file().try_clone(),
            None => fs::OpenOptions::new().write(true).open(&self.file),
        }
    }

    /// Gives the file its name, in the place of one that has it.
    ///
    /// # Errors
    /// Where the system refuses it.
    pub fn commit(self) -> io::Result<()> {
        match self.temporary {
            Some(temporary) => temporary.persist(&self.file).map(drop).map_err(|error| error.error),
            None => Ok(()),
        }
    }
}

/// Symbolic links that lead from one to the next at most, as the kernel has it.
const MOST_LINKS: usize = 40;

/// Where a symbolic link leads, also to what is not there yet: the file is written, and the link stays.
fn target(file: &Path) -> PathBuf {
    let next = |file: &PathBuf| {
        let to = fs::read_link(file).ok()?;
        Some(file.parent().map_or_else(|| to.clone(), |parent| parent.join(&to)))
    };
    std::iter::successors(Some(file.to_owned()), next).take(MOST_LINKS).last().unwrap_or_else(|| file.to_owned())
}

/// A temporary file is private; the page should be as readable as any new file.
#[cfg(unix)]
fn with_usual_permissions<'b, 'a>(builder: &'b mut tempfile::Builder<'a, 'a>) -> &'b mut tempfile::Builder<'a, 'a> {
    use std::os::unix::fs::PermissionsExt;
    builder.permissions(fs::Permissions::from_mode(0o666))
}

#[cfg(not(unix))]
fn with_usual_permissions<'b, 'a>(builder: &'b mut tempfile::Builder<'a, 'a>) -> &'b mut tempfile::Builder<'a, 'a> {
    builder
}
