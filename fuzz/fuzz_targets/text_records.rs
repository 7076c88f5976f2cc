//! Lines of the text form behind a header.
#![no_main]

use libfuzzer_sys::fuzz_target;

mod drain;

fuzz_target!(|lines: &[u8]| drain::drain([b"reftrace 1 runtime=fuzz\n", lines].concat()));
