//! Collects what the checkpoints show of the instances of one type: what they cost, and the names of their attributes.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::census::{Bytes, Census};
use super::cpython::Layout;
use super::kinds::Totals;
use crate::heap::{Heap, Object};
use crate::trace::{ObjectFlags, Slot, TypeFlags, TypeId};

/// Attribute names kept for one type; a class with more uses its instances as dicts.
const MOST_NAMES: usize = 4096;

/// What the checkpoints showed of one type.
#[derive(Debug, Clone, Default)]
pub struct Observed {
    /// At the last checkpoint.
    pub now: Arc<Census>,
    /// At the checkpoint with the most instances: the same where that is the last.
    pub most: Arc<Census>,
    /// Attributes kept in the instance's dict or values, in the order of first sight, with the number of instances
    /// that had them at the checkpoint with the most instances.
    pub names: Vec<(String, u64)>,
    /// A checkpoint showed instances with different attributes.
    pub names_differ: bool,
    /// Somebody held a weak reference to an instance.
    pub weakly_referenced: bool,
    /// Instances that `pickle` made were seen: a function of `pickle.py`, or `copyreg._reconstructor`, stands
    /// on their stack. The unpickler of C leaves no trace on it.
    pub unpickled: bool,
    pub(super) look: u64,
    /// Place in `names` of each slot that was met; nothing for slots that are not kept in the dict or the values.
    places: HashMap<u32, Option<usize>, RandomState>,
    by_name: HashMap<String, usize, RandomState>,
    /// Slots of the classes, and fields that a built-in base has.
    excluded: Option<BTreeSet<String>>,
    /// The references of the last instance, and the places of its names, sorted.
    last_slots: Vec<Slot>,
    last_places: Vec<usize>,
    /// Instances in a row like it, not yet counted.
    last_count: u64,
    counts: Vec<u64>,
    /// What instances in a row had in common, and how many of them are not yet in `now`.
    run: Option<Bytes>,
    run_length: u64,
    /// Of the CPython that was recorded, where it is known.
    layout: Option<&'static Layout>,
}

impl Observed {
    pub(super) fn begin_look(&mut self, look: u64, layout: Option<&'static Layout>) {
        self.look = look;
        self.layout = layout;
        self.now = Arc::default();
        self.counts.clear();
        self.counts.resize(self.names.len(), 0);
        self.last_slots.clear();
        self.last_places.clear();
        self.last_count = 0;
    }

    pub(super) fn add_instance(&mut self, heap: &Heap, object: &Object, dict: Option<&Object>, slots: &[Slot]) {
        self.weakly_referenced |= object.flags.has(ObjectFlags::WEAKLY_REFERENCED);
        let is_first = self.now.instances == 0 && self.run_length == 0;
        if is_first || slots != self.last_slots {
            self.count_names();
            self.last_slots.clear();
            self.last_slots.extend_from_slice(slots);
            let places = self.places_of(heap, object.class, slots);
            self.names_differ |= !is_first && places != self.last_places;
            self.last_places = places;
        }
        self.last_count += 1;
        let bytes = Bytes {
            object: object.bytes,
            owned: object.owned_bytes,
            state: object.dict,
            capacity: object.dict_capacity,
            n_names: self.last_places.len() as u32,
            dict: dict.map_or(0, |dict| dict.bytes),
            table: dict.map_or(0, |dict| dict.owned_bytes),
            hidden: dict.is_some_and(|dict| dict.class == object.class),
        };
        if self.run != Some(bytes) {
            self.count_run();
            self.run = Some(bytes);
        }
        self.run_length += 1;
    }

    /// Objects that are no instances of a class statement's type, or whose parts are not looked at.
    pub(super) fn add_totals(&mut self, totals: &Totals) {
        Arc::make_mut(&mut self.now).add_totals(totals);
    }

    fn places_of(&mut self, heap: &Heap, class: TypeId, slots: &[Slot]) -> Vec<usize> {
        let mut places = Vec::with_capacity(slots.len());
        for slot in slots {
            let place = match self.places.get(&slot.raw()) {
                Some(place) => *place,
                None => {
                    let name = attribute_name(&heap.slot_name(*slot));
                    let excluded = self.excluded.get_or_insert_with(|| excluded_names(heap, class));
                    let place = match self.by_name.get(&name) {
                        Some(&place) => Some(place),
                        None if HIDDEN_NAMES.contains(&name.as_str()) || excluded.contains(&name) => None,
                        None if self.names.len() >= MOST_NAMES => None,
                        None => {
                            self.by_name.insert(name.clone(), self.names.len());
                            self.names.push((name, 0));
                            self.counts.push(0);
                            Some(self.names.len() - 1)
                        }
                    };
                    self.places.insert(slot.raw(), place);
                    place
                }
            };
            places.extend(place);
        }
        places.sort_unstable();
        places.dedup();
        places
    }

    /// Books the names of the last run of equal instances.
    fn count_names(&mut self) {
        for &place in &self.last_places {
            self.counts[place] += self.last_count;
        }
        self.last_count = 0;
    }

    /// Books the last run of instances that cost the same.
    fn count_run(&mut self) {
        if let Some(bytes) = self.run.take() {
            Arc::make_mut(&mut self.now).add_instances(&bytes, self.run_length, self.layout);
        }
        self.run_length = 0;
    }

    pub(super) fn finish_look(&mut self, look: u64) {
        if self.look != look {
            self.begin_look(look, self.layout);
        }
        self.count_names();
        self.count_run();
        if self.now.instances >= self.most.instances {
            self.most = Arc::clone(&self.now);
            for ((_, most), count) in self.names.iter_mut().zip(&self.counts) {
                *most = *count;
            }
        }
    }
}

/// Names of references that are neither in the dict nor in the values of an instance of whatever class.
const HIDDEN_NAMES: [&str; 3] = ["__traceback__", "__context__", "__cause__"];

/// Such names of a class.
fn excluded_names(heap: &Heap, class: TypeId) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for def in heap.types().lineage(class) {
        names.extend(def.slots.iter().flatten().cloned());
        if !def.flags.has(TypeFlags::HEAP) || heap.is_of_c(def) {
            names.extend(def.defines.iter().cloned());
        }
        if def.name == "BaseException" {
            names.extend(["args".to_owned()]);
        }
    }
    names
}

/// `x` for `.x` and for `['x']`.
fn attribute_name(slot: &str) -> String {
    if let Some(name) = slot.strip_prefix('.') {
        return name.to_owned();
    }
    let inner = slot.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(slot);
    let quote = inner.chars().next().filter(|c| matches!(c, '\'' | '"'));
    match quote {
        Some(quote) => inner.trim_matches(quote).to_owned(),
        None => inner.to_owned(),
    }
}
