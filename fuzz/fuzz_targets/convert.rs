//! What can be read to its end is written in both forms, and both are told in the same text.
#![no_main]

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use libfuzzer_sys::fuzz_target;
use refloop::trace::formats::{WriteOptions, named};
use refloop::trace::{convert, open_bytes};

#[derive(Clone, Default)]
struct Bytes(Arc<Mutex<Vec<u8>>>);

impl Write for Bytes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// `None` where the input cannot be read to its end.
fn converted(format: &str, from: &[u8]) -> Option<Vec<u8>> {
    let mut reader = open_bytes(from.to_vec()).ok()?;
    let bytes = Bytes::default();
    let header = reader.header().clone();
    let sink = named(format)?.writer()?(&header, Box::new(bytes.clone()), WriteOptions::default()).ok()?;
    convert(&mut *reader, sink).ok()?;
    let written = bytes.0.lock().unwrap().clone();
    Some(written)
}

fuzz_target!(|lines: &[u8]| {
    let Some(text) = converted("text", &[b"reftrace 1 runtime=fuzz\n", lines].concat()) else { return };
    // Texts of more than 64 KiB are cut in the binary form, and tags at the very top are the converter's own.
    if text.len() > 60_000 || text.windows(8).any(|tag| tag == b"ffffffff") {
        return;
    }
    let binary = converted("binary", &text).expect("what was read can be written");
    assert_eq!(converted("text", &binary).expect("and read back"), text);
});
