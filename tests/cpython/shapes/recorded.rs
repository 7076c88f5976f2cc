//! The shapes once more, recorded: what the recorder writes about their classes and instances is what the harness reads
//! from the same objects in the same process, and leads to the same advice.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use refloop::heap::replay;
use refloop::overhead::{Profile, Profiler, SlotsAdvice, SlotsOptions};
use refloop::trace::{TypeDef, TypeFlags, TypeRef, formats};

use super::TOLERANCE;
use super::programs::Shape;
use super::recording::Measured;
use crate::support::pythons::Python;

pub(super) fn compare(python: &Python, shapes: &[Shape], problems: &mut String) {
    let version = python.version();
    let directory = tempfile::tempdir().expect("a directory for the programs");
    let trace = directory.path().join("shapes.reftrace");
    let mut command = Command::new(env!("CARGO_BIN_EXE_refloop"));
    command.args(["record", "-q", "-o"]).arg(&trace).arg("--").arg(&python.path);
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cpython/shapes/harness.py")).arg("keep");
    let mut n_shapes = 0;
    for shape in shapes.iter().filter(|shape| u32::from(shape.since) <= python.minor) {
        let file = directory.path().join(format!("{}.py", shape.name));
        std::fs::write(&file, &shape.source).expect("a program");
        command.arg(file);
        n_shapes += 1;
    }
    let output = command.env("PYTHONDONTWRITEBYTECODE", "1").output().expect("refloop runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let described: Vec<Measured> = String::from_utf8_lossy(&output.stdout).lines().map(Measured::parse).collect();
    assert_eq!(described.len(), n_shapes);

    let mut events = formats::open(&trace).expect("a trace");
    let mut profiler = Profiler::new();
    let replayed = replay(&mut *events, &mut profiler, &mut |_| {});
    assert!(replayed.error.is_none(), "{:?}", replayed.error);
    let recorded = profiler.finish(&replayed.heap);
    let types: BTreeMap<&str, &TypeDef> = replayed.heap.types().iter().map(|def| (def.name.as_str(), def)).collect();
    let advice = of_class(&recorded);
    let mut rows = 0;
    for shape in &described {
        if let Err(error) = &shape.bytes {
            let _ = writeln!(problems, "{version} {}: {error}", shape.shape);
            continue;
        }
        for expected in shape.types().iter().filter(|def| def.name.starts_with(&format!("{}.", shape.shape))) {
            // A class that an answer to `slots=True` or a metaclass replaced has a twin of the same name.
            let found = types.get(expected.name.as_str()).map(|def| told(def, &replayed_name(&types)));
            let names: BTreeMap<u32, &str> = shape.types().iter().map(|def| (def.id, def.name.as_str())).collect();
            let expected_told = told(expected, &|id| names.get(&id).copied().unwrap_or_default().to_owned());
            if found.as_ref() != Some(&expected_told) {
                let found = found.unwrap_or_default();
                let _ =
                    writeln!(problems, "{version} {}:\n  memory   {expected_told}\n  recorded {found}", expected.name);
            }
        }
        for (name, expected) in of_class(&shape.predict_each(&version).profile) {
            rows += 1;
            let found = advice.get(&name);
            let near = |found: &SlotsAdvice| {
                (found.now.requested - expected.now.requested).abs() <= TOLERANCE
                    && (found.now.used - expected.now.used).abs() <= TOLERANCE
            };
            if !found.is_some_and(|found| near(found) && answer(found) == answer(&expected)) {
                let _ = writeln!(problems, "{version} {name}:\n  memory   {expected:?}\n  recorded {found:?}");
            }
        }
    }
    assert!(rows > 80, "{rows} answers");
}

fn of_class(profile: &Profile) -> BTreeMap<String, SlotsAdvice> {
    let advice = profile.advise(&SlotsOptions::default());
    assert_eq!(advice.impossible, None);
    advice.slots.into_iter().map(|slots| (slots.name.clone(), slots)).collect()
}

fn replayed_name<'a>(types: &'a BTreeMap<&str, &TypeDef>) -> impl Fn(u32) -> String + 'a {
    let names: BTreeMap<u32, String> = types.values().map(|def| (def.id, def.name.clone())).collect();
    move |id| names.get(&id).cloned().unwrap_or_default()
}

/// All that the advice reads of a definition, as a line.
fn told(def: &TypeDef, name_of: &dyn Fn(u32) -> String) -> String {
    let flags = [
        TypeFlags::GC,
        TypeFlags::HEAP,
        TypeFlags::DICT,
        TypeFlags::WEAKREF,
        TypeFlags::MANAGED_DICT,
        TypeFlags::MANAGED_WEAKREF,
        TypeFlags::INLINE_VALUES,
        TypeFlags::EXCEPTION,
    ];
    let flags = flags.map(|flag| u8::from(def.flags.has(flag)));
    let bases: Vec<String> = def
        .bases
        .iter()
        .map(|base| match base {
            TypeRef::Id(id) => name_of(id.0),
            TypeRef::Name(text) => format!("{text:?}"),
        })
        .collect();
    let mut extra = def.extra.clone();
    extra.retain(|(key, _)| key != "line" && key != "weakly_referenced");
    extra.sort();
    format!(
        "{} {} {flags:?} {bases:?} {:?} slots={:?} keys={:?} {:?} {} {extra:?}",
        def.size, def.item_size, def.metaclass, def.slots, def.shared_keys, def.defines, def.file
    )
}

/// The answer on one class, without its number, its line and what the early instances, whose room only the allocator
/// knows, change. Which instance came first, and so the order of the names, a recording may see differently.
fn answer(slots: &SlotsAdvice) -> String {
    let blockers: Vec<String> =
        slots.blockers.iter().map(|blocker| format!("{}: {}", blocker.name, blocker.sentence)).collect();
    let mut suggested: Vec<&str> =
        slots.suggestion.iter().flat_map(|lines| lines.split([' ', ',', '(', ')', '\n'])).collect();
    suggested.sort_unstable();
    format!(
        "{} of {} → {:?}, {} {} {blockers:?} {} {:?}",
        slots.instances,
        slots.peak,
        slots.slotted,
        slots.class_cost,
        slots.verdict.name(),
        suggested.join(" "),
        slots.notes
    )
}
