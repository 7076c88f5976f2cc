//! Holds a trace's definitions: types with their counts, sites with their stacks, texts.

use std::collections::HashSet;
use std::hash::BuildHasher;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::id_map::IdMap;
use super::names;
use crate::trace::{SiteDef, SiteId, TextId, TypeDef, TypeFlags, TypeId};

/// Types by number, each with how many of its instances there are.
#[derive(Debug, Clone)]
pub struct TypeTable {
    types: IdMap<TypeEntry>,
    /// Numbers of the definitions, by name.
    by_name: HashTable<u32>,
    state: RandomState,
    /// Definitions that a class statement made, as far as the producer tells.
    n_in_python: usize,
}

/// How many instances of one type there are, and their bytes with the blocks that they own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TypeCounts {
    pub live: u64,
    /// Most that were ever alive at once.
    pub peak: u64,
    /// All that were ever born, or became of this type.
    pub ever: u64,
    pub live_bytes: u64,
    /// Most bytes at once; not always when `peak` was.
    pub peak_bytes: u64,
}

#[derive(Debug, Clone, Default)]
struct TypeEntry {
    /// Apart, so that the counts of all types stand close together.
    def: Option<Box<TypeDef>>,
    counts: TypeCounts,
}

impl Default for TypeTable {
    /// With the unknown type, and no other.
    fn default() -> Self {
        let mut types = IdMap::default();
        types.entry(TypeId::UNKNOWN.0, TypeEntry::default);
        TypeTable { types, by_name: HashTable::new(), state: RandomState::default(), n_in_python: 0 }
    }
}

/// The types of these definitions, none of which has instances yet.
impl FromIterator<TypeDef> for TypeTable {
    fn from_iter<I: IntoIterator<Item = TypeDef>>(defs: I) -> TypeTable {
        let mut types = TypeTable::default();
        for def in defs {
            types.define(Box::new(def));
        }
        types
    }
}

impl TypeTable {
    pub const UNKNOWN_NAME: &'static str = "(unknown)";

    pub fn get(&self, id: TypeId) -> Option<&TypeDef> {
        self.types.get(id.0)?.def.as_deref()
    }

    /// The type's full name; `(unknown)` if it has none.
    pub fn name(&self, id: TypeId) -> &str {
        self.get(id).map_or(Self::UNKNOWN_NAME, |def| &def.name)
    }

    pub fn counts(&self, id: TypeId) -> TypeCounts {
        self.types.get(id.0).map(|entry| entry.counts).unwrap_or_default()
    }

    /// The defined types, by number.
    pub fn iter(&self) -> impl Iterator<Item = &TypeDef> {
        self.types.sorted().into_iter().filter_map(|(_, entry)| entry.def.as_deref())
    }

    /// The types that have this full name, by number.
    pub fn named(&self, name: &str) -> Vec<&TypeDef> {
        let types = self.by_name.iter_hash(self.state.hash_one(name)).filter_map(|&id| self.get(TypeId(id)));
        let mut named: Vec<&TypeDef> = types.filter(|def| def.name == name).collect();
        named.sort_unstable_by_key(|def| def.id);
        named
    }

    /// A class and its ancestors, nearest first, as far as they are known: at most 1,000, whatever the trace says. Costs
    /// a visit to each base of each of them.
    pub fn lineage(&self, class: TypeId) -> impl Iterator<Item = &TypeDef> {
        let mut met: HashSet<TypeId, RandomState> = HashSet::default();
        self.ancestry(class, |base| met.insert(base)).into_iter().filter_map(|class| self.get(class))
    }

    /// Each defined type, by number, with its [lineage](TypeTable::lineage), for less than asking for one after the other
    /// costs.
    pub fn lineages(&self) -> impl Iterator<Item = (&TypeDef, Vec<TypeId>)> {
        // By type, the last one in whose lineage it was met.
        let mut met_by: IdMap<Option<u32>> = IdMap::default();
        self.iter().map(move |def| {
            let is_news = |base: TypeId| met_by.entry(base.0, || None).replace(def.id) != Some(def.id);
            let mut lineage = self.ancestry(TypeId(def.id), is_news);
            lineage.retain(|&class| self.get(class).is_some());
            (def, lineage)
        })
    }

    /// A class and its ancestors, those without a definition too, each of which `is_news` is asked about.
    fn ancestry(&self, class: TypeId, mut is_news: impl FnMut(TypeId) -> bool) -> Vec<TypeId> {
        const MOST: usize = 1_000;
        let mut ancestry = vec![class];
        if self.get(class).is_none_or(|def| def.known_bases().next().is_none()) {
            return ancestry;
        }
        is_news(class);
        let mut next = 0;
        while next < ancestry.len() && ancestry.len() < MOST {
            let bases = self.get(ancestry[next]).into_iter().flat_map(TypeDef::known_bases);
            ancestry.extend(bases.filter(|&base| is_news(base)));
            next += 1;
        }
        ancestry
    }

    /// Whether C code made the type, as far as the trace tells: where its producer writes `static`, every class statement
    /// has it. The producer is known to, where `tells`, or where it has written it once.
    pub(super) fn is_of_c(&self, def: &TypeDef, tells: bool) -> bool {
        (tells || self.n_in_python > 0) && !is_in_python(def)
    }

    pub(super) fn contains(&self, id: TypeId) -> bool {
        self.types.contains(id.0)
    }

    pub(super) fn has_gc(&self, id: TypeId) -> bool {
        self.get(id).is_some_and(|def| def.flags.has(TypeFlags::GC))
    }

    /// A later definition of the same number replaces the earlier one. True if that changed the type's name, and it is no class
    /// of the program, which that may have renamed.
    pub(super) fn define(&mut self, mut def: Box<TypeDef>) -> bool {
        names::type_def(&mut def);
        let id = def.id;
        let entry = self.types.entry(id, TypeEntry::default);
        let is_of_program = is_in_python(&def);
        let has_its_name = entry.def.as_ref().is_some_and(|old| old.name == def.name);
        let old = entry.def.replace(def);
        let was_of_program = old.as_deref().is_some_and(is_in_python);
        self.n_in_python += usize::from(is_of_program);
        self.n_in_python -= usize::from(was_of_program);
        if has_its_name {
            return false;
        }
        let hash_of = |name: &str| self.state.hash_one(name);
        if let Some(old) = &old
            && let Ok(entry) = self.by_name.find_entry(hash_of(&old.name), |&other| other == id)
        {
            entry.remove();
        }
        let name = |id| self.types.get(id).and_then(|entry| entry.def.as_ref()).map_or("", |def| &def.name);
        self.by_name.insert_unique(hash_of(name(id)), id, |&id| hash_of(name(id)));
        old.is_some() && !(was_of_program && is_of_program)
    }

    /// An instance came to life. `new`: it is not one that came back.
    #[inline(always)]
    pub(super) fn add(&mut self, id: TypeId, bytes: u64, new: bool) {
        if let Some(counts) = self.counts_mut(id) {
            counts.live += 1;
            counts.peak = counts.peak.max(counts.live);
            counts.ever += u64::from(new);
            counts.live_bytes = counts.live_bytes.wrapping_add(bytes);
            counts.peak_bytes = counts.peak_bytes.max(counts.live_bytes);
        }
    }

    #[inline(always)]
    pub(super) fn remove(&mut self, id: TypeId, bytes: u64) {
        if let Some(counts) = self.counts_mut(id) {
            counts.live = counts.live.wrapping_sub(1);
            counts.live_bytes = counts.live_bytes.wrapping_sub(bytes);
        }
    }

    /// A live instance went from `old` to `new` bytes.
    pub(super) fn resize(&mut self, id: TypeId, old: u64, new: u64) {
        if let Some(counts) = self.counts_mut(id) {
            counts.live_bytes = counts.live_bytes.wrapping_sub(old).wrapping_add(new);
            counts.peak_bytes = counts.peak_bytes.max(counts.live_bytes);
        }
    }

    #[inline]
    fn counts_mut(&mut self, id: TypeId) -> Option<&mut TypeCounts> {
        let place = self.types.place(id.0)?;
        Some(&mut self.types.at_mut(place).counts)
    }
}

/// A `class` statement made it, by the word of a recorder that writes what it knows of those.
fn is_in_python(def: &TypeDef) -> bool {
    def.says("static")
}

/// Sites by number. A site and its parents are a stack.
#[derive(Debug, Clone, Default)]
pub struct SiteTable {
    sites: IdMap<SiteDef>,
}

impl SiteTable {
    /// No stack is followed further.
    pub const MAX_DEPTH: usize = 1024;

    pub fn get(&self, id: SiteId) -> Option<SiteDef> {
        self.sites.get(id.0).copied()
    }

    /// The site and its parents, innermost first; empty for an unknown site. A parent is always older than its child,
    /// so there is no circle; after [`SiteTable::MAX_DEPTH`] places the rest is left out.
    pub fn stack(&self, id: SiteId) -> Vec<SiteId> {
        let outwards = std::iter::successors(self.get(id), |site| self.get(site.parent?));
        outwards.take(Self::MAX_DEPTH).map(|site| site.id).collect()
    }

    /// By number.
    pub fn iter(&self) -> impl Iterator<Item = SiteDef> {
        self.sites.sorted().into_iter().map(|(_, site)| *site)
    }

    pub(super) fn contains(&self, id: SiteId) -> bool {
        self.sites.contains(id.0)
    }

    /// The first definition of a number stands. False if this is another one, that says something else.
    pub(super) fn define(&mut self, site: SiteDef) -> bool {
        *self.sites.entry(site.id.0, || site) == site
    }
}

/// Texts by number.
#[derive(Debug, Clone, Default)]
pub(super) struct TextTable {
    texts: IdMap<Box<str>>,
}

impl TextTable {
    pub(super) fn get(&self, id: TextId) -> &str {
        self.texts.get(id.0).map_or("", |text| text)
    }

    /// The number of a text, if it has one. Costs a look at each.
    pub(super) fn find(&self, text: &str) -> Option<TextId> {
        self.texts.iter().find(|(_, known)| &***known == text).map(|(id, _)| TextId(id))
    }

    #[inline]
    pub(super) fn contains(&self, id: TextId) -> bool {
        self.texts.contains(id.0)
    }

    /// The first definition of a number stands. False if this is another one, that says something else.
    pub(super) fn define(&mut self, id: TextId, text: String) -> bool {
        let text = names::text(text);
        match self.texts.place(id.0) {
            Some(place) => **self.texts.at(place) == *text,
            None => {
                self.texts.entry(id.0, || text.into_boxed_str());
                true
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trace::TypeRef;

    #[test]
    fn a_class_of_the_program_may_be_renamed_and_no_other_type() {
        let is_another = |first: bool, second: bool| {
            let def = |name: &str, in_python: bool| {
                let extra = in_python.then(|| ("static".to_string(), String::new())).into_iter().collect();
                Box::new(TypeDef { id: 7, name: name.to_string(), extra, ..TypeDef::default() })
            };
            let mut types = TypeTable::default();
            assert!(!types.define(def("app.A", first)));
            types.define(def("app.B", second))
        };
        assert_eq!(
            [(true, true), (true, false), (false, true), (false, false)].map(|(a, b)| is_another(a, b)),
            [false, true, true, true]
        );
    }

    #[test]
    fn a_type_is_found_by_the_name_that_it_has_now() {
        let mut types = TypeTable::default();
        let mut define = |id, name: &str| {
            types.define(Box::new(TypeDef { id, name: name.to_string(), ..TypeDef::default() }));
            ["app.A", "app.B"].map(|name| types.named(name).iter().map(|def| def.id).collect::<Vec<u32>>())
        };
        assert_eq!(define(7, "app.A"), [vec![7], vec![]]);
        assert_eq!(define(3, "app.A"), [vec![3, 7], vec![]]);
        assert_eq!(define(3, "app.A"), [vec![3, 7], vec![]]);
        assert_eq!(define(7, "app.B"), [vec![3], vec![7]]);
    }

    #[test]
    fn a_lineage_has_each_class_once_and_is_bounded() {
        let chained = |n_types: u32| {
            let mut types = TypeTable::default();
            for id in 0..n_types {
                let bases =
                    (1..=50).filter_map(|back| id.checked_sub(back)).map(|id| TypeRef::Id(TypeId(id))).collect();
                types.define(Box::new(TypeDef { id, bases, ..TypeDef::default() }));
            }
            types
        };
        let lineage = |types: &TypeTable, id| types.lineage(TypeId(id)).map(|def| def.id).collect::<Vec<u32>>();
        let types = chained(3000);
        assert_eq!(lineage(&types, 99), (0..=99).rev().collect::<Vec<u32>>());
        assert_eq!(lineage(&types, 2999), (2000..=2999).rev().collect::<Vec<u32>>());
        let types = chained(120);
        for (def, of_all) in types.lineages() {
            assert_eq!(of_all.iter().map(|id| id.0).collect::<Vec<u32>>(), lineage(&types, def.id));
        }
    }
}
