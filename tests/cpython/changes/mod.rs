//! Records a program with looks at its heap between its changes, and without: the last look must say the same of its objects.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use refloop::trace::{DictState, Event, ObjectFlags, Scope, Slot, Tag, TextId, TypeId, formats};

use crate::each::record;
use crate::support::pythons::Python;
use crate::support::root;

on_each_python! { a_look_that_writes_what_has_changed_says_what_one_of_everything_says }

/// What a walk says of an object.
#[derive(Debug, Clone, Default)]
struct Described {
    count: u64,
    flags: ObjectFlags,
    owned: u64,
    dict: Option<(DictState, u32)>,
    references: Vec<(Tag, Slot)>,
}

/// The heap as a walk left it.
#[derive(Debug, Default)]
struct Look {
    objects: BTreeMap<Tag, Described>,
    /// In which order they were described.
    order: Vec<Tag>,
    /// How many of them it called unchanged.
    unchanged: usize,
}

fn a_look_that_writes_what_has_changed_says_what_one_of_everything_says(python: &Python) {
    let folder = tempfile::tempdir().unwrap();
    let program = root().join("tests/cpython/changes/program.py");
    let [with, without] = ["looks", "none"].map(|looks| {
        let trace = folder.path().join(format!("{looks}.reftrace"));
        record(&python.path, &["--keys"], &trace, &program, &[looks]);
        last_look(&trace)
    });
    assert_eq!(without.1, 0, "{python}: it has one look");
    assert!(with.1 > 1000, "{python}: {} objects are unchanged", with.1);
    assert_eq!(with.0, without.0, "{python}");
    // That of the object that came back from death: garbage when it was full, and empty at the end.
    assert!(without.0.contains("list 1 ObjectFlags(0) 0 None []\n"), "{python}");
}

/// What the last look says of the objects of the program's classes and of all that they refer to, as one sorted text, and how
/// many objects it called unchanged.
fn last_look(trace: &Path) -> (String, usize) {
    let mut events = formats::open(trace).unwrap();
    let (mut texts, mut types) = (BTreeMap::<TextId, String>::new(), BTreeMap::<TypeId, String>::new());
    let mut classes: BTreeMap<Tag, TypeId> = BTreeMap::new();
    let mut owned: BTreeMap<Tag, u64> = BTreeMap::new();
    let (mut last, mut look, mut is_full) = (Look::default(), Look::default(), false);
    while let Some(event) = events.next_event().unwrap() {
        match event {
            Event::Text(text) => drop(texts.insert(text.id, text.text)),
            Event::Type(class) => drop(types.insert(TypeId(class.id), class.name)),
            Event::Alloc { object, class, .. } | Event::Retype { object, class } => drop(classes.insert(object, class)),
            Event::Free { object } => drop((last.objects.remove(&object), owned.remove(&object))),
            Event::Walk(scope) => is_full = scope == Scope::Full,
            Event::Count { object, count, flags } if is_full => {
                // What it owns is as before where the walk does not say.
                let owned = owned.get(&object).copied().unwrap_or(0);
                look.order.push(object);
                look.objects.insert(object, Described { count, flags, owned, ..Described::default() });
            }
            Event::Owns { object, bytes } => {
                owned.insert(object, bytes);
                if is_full {
                    look.objects.get_mut(&object).unwrap().owned = bytes;
                }
            }
            Event::Dict { object, state, capacity } if is_full => {
                look.objects.get_mut(&object).unwrap().dict = Some((state, capacity));
            }
            Event::Ref { from, to, slot } if is_full => {
                look.objects.get_mut(&from).unwrap().references.push((to, slot))
            }
            Event::Unchanged { object, more } => {
                let first = last.order.iter().position(|&tag| tag == object).unwrap();
                for &object in &last.order[first..=first + more as usize] {
                    look.unchanged += 1;
                    look.order.push(object);
                    look.objects.insert(object, last.objects[&object].clone());
                }
            }
            Event::Checkpoint(_) if is_full => (last, is_full) = (std::mem::take(&mut look), false),
            _ => {}
        }
    }
    let class = |tag: Tag| types[&classes[&tag]].as_str();
    let slot = |slot: Slot| slot.as_text().map_or_else(|| format!("{slot:?}"), |text| texts[&text].clone());
    let mut waiting: Vec<Tag> =
        last.objects.keys().copied().filter(|&tag| class(tag).starts_with("__main__.")).collect();
    let mut shown: BTreeSet<Tag> = BTreeSet::new();
    while let Some(tag) = waiting.pop() {
        let is_shared = matches!(class(tag), "str" | "int" | "type" | "NoneType" | "code");
        if let Some(object) = last.objects.get(&tag).filter(|_| !is_shared && shown.insert(tag)) {
            let is_followed = |at: Slot| class(tag) != "function" || slot(at) == ".__closure__";
            let references = object.references.iter().filter(|reference| is_followed(reference.1));
            waiting.extend(references.map(|reference| reference.0));
        }
    }
    let mut lines = Vec::new();
    for tag in shown {
        let Described { count, flags, owned, dict, references } = &last.objects[&tag];
        let references: Vec<String> =
            references.iter().map(|&(to, at)| format!("{} {}", slot(at), class(to))).collect();
        lines.push(format!("{} {count} {flags:?} {owned} {dict:?} {references:?}\n", class(tag)));
    }
    lines.sort();
    (lines.concat(), last.unchanged)
}
