//! A file of any program, known by its contents, through all analyses, findings and pages.
#![no_main]

use libfuzzer_sys::fuzz_target;

mod house;

fuzz_target!(|bytes: &[u8]| {
    // What is packed may say far more than it has bytes.
    if bytes.starts_with(&[0x1f, 0x8b]) || bytes.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        return;
    }
    house::interchange(bytes);
    let Some(run) = house::replayed(bytes.to_vec()) else { return };
    house::write(&house::report([run]), 80);
});
