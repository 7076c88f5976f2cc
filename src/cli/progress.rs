//! Shows how far the reading is: a bar on the stderr of a terminal, with rate and time left.

use std::io::IsTerminal;
use std::path::Path;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use refloop::trace::{Events, Position};

use crate::args::Messages;

/// One bar for one trace.
pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// A bar with time left where the length is known, a spinner with the rate for a pipe.
    pub(crate) fn new(path: &Path, events: &dyn Events, messages: &Messages) -> Progress {
        if messages.quiet || !std::io::stderr().is_terminal() {
            return Progress { bar: ProgressBar::hidden() };
        }
        let (bar, template) = match events.length() {
            Some(length) => (
                ProgressBar::new(length),
                "{prefix} {wide_bar} {bytes}/{total_bytes} {binary_bytes_per_sec}, {eta} left",
            ),
            None => (ProgressBar::new_spinner(), "{prefix} {spinner} {bytes} {binary_bytes_per_sec}"),
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        bar.set_prefix(path.display().to_string());
        bar.enable_steady_tick(Duration::from_millis(200));
        Progress { bar }
    }

    pub(crate) fn at(&self, position: Position) {
        self.bar.set_position(position.byte);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
