//! Writes a page to standard output, or to a file that appears whole or not at all.

use std::fs::{self, File};
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use refloop::report::{RenderOptions, View};
use tempfile::NamedTempFile;

use crate::args::{Color, Messages};
use crate::status::Failure;

/// Columns where there is no terminal.
const WIDTH: usize = 80;

/// Narrower than this no line is readable.
const NARROWEST: usize = 30;

/// Writes what `page` writes to `file`, or to standard output.
pub(crate) fn write(file: Option<&Path>, page: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
    match file.filter(|file| *file != Path::new("-")) {
        Some(file) => to_file(file, page).map_err(Failure::Input),
        None => {
            let mut out = BufWriter::new(io::stdout().lock());
            page(&mut out).and_then(|()| out.flush()).context("cannot write to standard output").map_err(Failure::Input)
        }
    }
}

/// The same of a page that is laid out for where it goes.
pub(crate) fn write_page(
    file: Option<&Path>,
    view: View,
    messages: &Messages,
    page: impl FnOnce(&RenderOptions, &mut dyn Write) -> io::Result<()>,
) -> Result<(), Failure> {
    let options = layout(file, view, messages);
    write(file, |out| page(&options, out))
}

/// How a page is laid out for where it goes.
pub(crate) fn layout<'a>(file: Option<&Path>, view: View, messages: &Messages) -> RenderOptions<'a> {
    let to_file = file.is_some();
    let color = color(messages, to_file);
    RenderOptions { view, width: width(to_file), color, verbose: messages.verbose, ..RenderOptions::default() }
}

/// Whether places can be links: on a terminal that knows them, or where `FORCE_HYPERLINK` says so.
pub(crate) fn has_links(page: &RenderOptions) -> bool {
    page.color && supports_hyperlinks::on(supports_hyperlinks::Stream::Stdout)
}

fn to_file(file: &Path, page: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> anyhow::Result<()> {
    let cannot = || format!("cannot write {}", file.display());
    let whole = AtomicFile::create(file).with_context(cannot)?;
    let mut out = BufWriter::new(whole.writer().with_context(cannot)?);
    page(&mut out).and_then(|()| out.flush()).with_context(cannot)?;
    whole.commit().with_context(cannot)
}

/// A file in the making: a temporary one beside it that takes its place when it is whole. What is no regular file, a pipe
/// or `/dev/null`, is written to directly.
pub(crate) struct AtomicFile {
    file: PathBuf,
    temporary: Option<NamedTempFile>,
}

impl AtomicFile {
    pub(crate) fn create(file: &Path) -> io::Result<AtomicFile> {
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
    pub(crate) fn writer(&self) -> io::Result<File> {
        match &self.temporary {
            Some(temporary) => temporary.as_file().try_clone(),
            None => fs::OpenOptions::new().write(true).open(&self.file),
        }
    }

    pub(crate) fn commit(self) -> io::Result<()> {
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

/// Columns of the page. `COLUMNS` counts where standard output is no terminal.
fn width(to_file: bool) -> usize {
    let terminal = terminal_size::terminal_size_of(io::stdout()).filter(|_| !to_file);
    let columns = terminal.map(|(width, _)| usize::from(width.0));
    let columns = columns.or_else(|| std::env::var("COLUMNS").ok()?.parse().ok());
    columns.unwrap_or(WIDTH).max(NARROWEST)
}

/// Whether a page on standard output is coloured.
fn color(messages: &Messages, to_file: bool) -> bool {
    match messages.color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => {
            let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
            match (set("NO_COLOR"), set("FORCE_COLOR")) {
                _ if to_file => false,
                (Some(_), _) => false,
                (None, Some(level)) => level != "0",
                (None, None) => io::stdout().is_terminal(),
            }
        }
    }
}

/// A line on stderr that is no error.
pub(crate) fn warn(messages: &Messages, text: &str) {
    if !messages.quiet {
        eprintln!("warning: {text}");
    }
}

/// A line on stderr that only `-v` asks for.
pub(crate) fn note(messages: &Messages, text: &str) {
    if messages.verbose {
        eprintln!("{text}");
    }
}
