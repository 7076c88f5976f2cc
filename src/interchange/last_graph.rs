//! Writes the last graph of a replay that a format can show.

use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};

use super::{GraphFormat, is_wanted};
use crate::cycles::Garbage;
use crate::heap::{Heap, HeapGraph, Observer, SnapshotKind};

/// Watches a replay. Each graph is written over the one before: which is the last is known at the end.
pub struct LastGraph<'a> {
    format: &'a dyn GraphFormat,
    file: File,
    written: Option<io::Result<()>>,
}

impl LastGraph<'_> {
    /// Into a file of its own, which is emptied for each graph.
    pub fn new(format: &dyn GraphFormat, file: File) -> LastGraph<'_> {
        LastGraph { format, file, written: None }
    }

    /// The file from its beginning; none where the trace had no graph to show.
    pub fn finish(mut self) -> io::Result<Option<File>> {
        match self.written {
            None => Ok(None),
            Some(written) => {
                written?;
                self.file.seek(SeekFrom::Start(0))?;
                Ok(Some(self.file))
            }
        }
    }

    fn write(&mut self, heap: &Heap, graph: &HeapGraph) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(0))?;
        self.file.set_len(0)?;
        let mut out = BufWriter::new(&self.file);
        self.format.write(heap, graph, &mut out)?;
        out.flush()
    }
}

impl Observer for LastGraph<'_> {
    fn on_snapshot(&mut self, heap: &mut Heap, graph: &HeapGraph, kind: SnapshotKind) {
        // Of the garbage the last that there was is shown, not that there is none any more.
        let is_empty = || self.format.shows_garbage() && Garbage::of(graph).nodes.is_empty();
        if is_wanted(self.format, kind) && !(self.written.is_some() && is_empty()) {
            self.written = Some(self.write(heap, graph));
        }
    }
}
