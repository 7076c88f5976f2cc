//! Any bytes: a trace, a packed one, or nonsense.
#![no_main]

use libfuzzer_sys::fuzz_target;

mod drain;

fuzz_target!(|bytes: &[u8]| drain::drain(bytes.to_vec()));
