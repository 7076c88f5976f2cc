//! Lines behind a header that the first byte chooses, through all analyses, findings and pages.
#![no_main]

use libfuzzer_sys::fuzz_target;

mod header;
mod house;

fuzz_target!(|bytes: &[u8]| {
    let Some((&choice, lines)) = bytes.split_first() else { return };
    let trace = [header::line(choice).as_bytes(), lines].concat();
    house::interchange(&trace);
    let Some(run) = house::replayed(trace) else { return };
    let report = house::report([run]);
    house::write(&report, 40 + usize::from(choice));
});
