//! Records of the binary form in a block whose checksum is right. The first byte chooses the numbers and the block's state.
#![no_main]

use libfuzzer_sys::fuzz_target;
use refloop::trace::formats::binary::encode::{BLOCK_MAGIC, MAGIC, VERSION};

mod drain;

fuzz_target!(|bytes: &[u8]| {
    let Some((&choice, payload)) = bytes.split_first() else { return };
    let numbers = if choice & 1 == 0 { "dense" } else { "tags" };
    let header = format!("reftrace 1 runtime=fuzz numbers={numbers}");
    let mut trace = MAGIC.to_vec();
    let word = |trace: &mut Vec<u8>, number: u32| trace.extend_from_slice(&number.to_le_bytes());
    word(&mut trace, VERSION);
    word(&mut trace, header.len() as u32);
    word(&mut trace, crc32fast::hash(header.as_bytes()));
    trace.extend_from_slice(header.as_bytes());
    trace.extend_from_slice(&BLOCK_MAGIC);
    trace.extend_from_slice(&[(choice >> 1) % 3, 0, 0, 0]);
    word(&mut trace, payload.len() as u32);
    word(&mut trace, payload.len() as u32);
    word(&mut trace, u32::from(choice >> 3));
    word(&mut trace, crc32fast::hash(payload));
    trace.extend_from_slice(payload);
    drain::drain(trace);
});
