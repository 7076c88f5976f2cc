//! Plays a script in the text form, and writes the profile and the advice as lines, for tests.

mod scenarios;

use std::fmt::Write as _;

use crate::overhead::{Profile, Profiler, SlotsOptions};
use crate::trace::formats;

/// Plays a script on CPython `version`. The header is added, `@each N` … `@end` repeats the lines between with `%` as
/// the number, in hexadecimal.
pub(super) fn profile(version: &str, script: &str) -> Profile {
    let mut text = format!("reftrace 1 runtime={version} references=checkpoints frees=recorded\n");
    let mut lines = script.lines().map(str::trim);
    while let Some(line) = lines.next() {
        let Some(times) = line.strip_prefix("@each ") else {
            let _ = writeln!(text, "{line}");
            continue;
        };
        let times: u64 = times.parse().expect("a number");
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "@end").collect();
        for i in 0..times {
            for line in &block {
                let _ = writeln!(text, "{}", line.replace('%', &format!("{i:04x}")));
            }
        }
    }
    let mut events = formats::open_bytes(text.into_bytes()).expect("a script");
    let mut profiler = Profiler::new();
    let replayed = crate::heap::replay(&mut *events, &mut profiler, &mut |_| {});
    assert!(replayed.error.is_none(), "{:?}", replayed.error);
    profiler.finish(&replayed.heap)
}

/// The table of types.
pub(super) fn table(profile: &Profile) -> String {
    let mut text = String::new();
    for row in profile.types.iter().filter(|row| row.bytes > 0) {
        let split = &row.split;
        let _ = writeln!(
            text,
            "{} ×{}: {} = object {} + gc {} + pre {} + weakref {} + dict {} + attributes {} + items {}; padding {}",
            row.name,
            row.live,
            row.bytes,
            split.object,
            split.gc_header,
            split.pre_header,
            split.weakref_field,
            split.dict_object,
            split.attributes,
            split.items,
            split.padding
        );
    }
    let coverage = &profile.coverage;
    let _ = write!(text, "{} of {} bytes", coverage.listed_bytes, coverage.heap_bytes);
    text
}

/// Verdict, blockers and suggestion of each class.
pub(super) fn advice(profile: &Profile, python: Option<&str>) -> String {
    let advice = profile.advise(&SlotsOptions { python: python.map(str::to_owned), min_saving: 0 });
    if let Some(reason) = advice.impossible {
        return reason;
    }
    let mut text = String::new();
    for slots in &advice.slots {
        let _ = writeln!(
            text,
            "{} ×{}: {:.0} → {:.0}, saves {}, {}",
            slots.name,
            slots.instances,
            slots.now.used,
            slots.slotted.used,
            slots.saved_bytes,
            slots.verdict.name()
        );
        for blocker in &slots.blockers {
            let _ = writeln!(text, "  {}: {}", blocker.name, blocker.sentence);
        }
        if let Some(suggestion) = &slots.suggestion {
            let _ = writeln!(text, "{suggestion}");
        }
    }
    text.trim_end().to_owned()
}
