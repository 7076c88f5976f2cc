//! Writes a page to standard output, or to a file that appears whole or not at all.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::Path;

use anyhow::Context;
use refloop::files::AtomicFile;
use refloop::report::{RenderOptions, View};

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
