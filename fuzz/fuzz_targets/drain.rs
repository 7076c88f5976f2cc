//! Reads a trace to its end, and insists that there is one.

use refloop::trace::open_bytes;

/// Each answer takes a byte at least, and a line has two texts beside its event at most.
pub fn drain(bytes: Vec<u8>) {
    let is_packed = bytes.starts_with(&[0x1f, 0x8b]) || bytes.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]);
    // A packed input may say far more than it has bytes; libFuzzer's own time limit is the guard there.
    let limit = if is_packed { usize::MAX } else { 3 * bytes.len() + 3 };
    let Ok(mut reader) = open_bytes(bytes) else { return };
    for _ in 0..limit {
        if let Ok(None) = reader.next_event() {
            return;
        }
    }
    panic!("more answers than bytes");
}
