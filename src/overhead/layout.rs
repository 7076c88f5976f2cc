//! Computes the blocks of one instance, in bytes, from the build of its class and the state of its dict.
//!
//! *Requested* bytes are those asked from the allocator (what `tracemalloc` sees); *block* bytes are those really used:
//! pymalloc's size classes, or malloc's chunks above 512 bytes. Sum blocks after rounding each, never before.

use super::cpython::{DictField, InlineValues, KeyTable, Layout, SharedKeys, ValuesArray, WeakrefField};

/// Bytes of `object`: a refcount and a type.
pub const OBJECT_BODY: u64 = 16;
const POINTER: u64 = 8;

/// What of a class sizes its instances, whatever the CPython.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Build {
    /// `tp_basicsize` of the built-in base, 16 for `object`: a body without slots, and without what classes add.
    pub body: u64,
    /// `tp_itemsize`; 0 where instances have a fixed size.
    pub item_size: u64,
    /// Slots of all the classes in the MRO.
    pub slots: u64,
    /// A class statement adds a dict, or a list of weak references.
    pub dict: bool,
    pub weakref: bool,
    /// The built-in base has a dict of its own, which slots never remove (exceptions).
    pub own_dict: bool,
}

/// The parts of an object's own block, requested bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Parts {
    pub gc_header: u64,
    /// In front of the collector's header.
    pub pre_header: u64,
    /// Built-in body and slots.
    pub body: u64,
    pub dict_field: u64,
    pub weakref_field: u64,
    /// Attribute values behind the body.
    pub values: u64,
}

/// Where an instance has its attributes. Capacities are numbers of attributes, table sizes numbers of places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstanceDict {
    /// No dict, and no array of values outside the object.
    None,
    /// An array of values, no dict object.
    Values { capacity: u64 },
    /// A dict object over an array of values.
    Split { capacity: u64 },
    /// A dict object with its own key table.
    Combined { places: u64, text_keys: bool },
    /// A dict object that took a copy of the values with it.
    Detached { capacity: u64 },
}

/// The names in the key table that the instances of a class share, once some 30 of them exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct SharedNames {
    /// At least those that an instance sets.
    pub count: u64,
    /// The compiler knew all of them, see [`Layout::shared_limit`].
    pub seeded: bool,
    /// Where the compiler knew more names than the table has room for: how many attributes an instance sets before the
    /// first that is not in the table. That one gives the instance a dict and a key table of its own.
    pub first_outside: Option<u64>,
}

/// The blocks of one instance, requested bytes; 0 where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, PartialOrd, Ord, Hash)]
pub struct Blocks {
    pub object: u64,
    pub values: u64,
    pub dict: u64,
    pub keys: u64,
}

/// `x` rounded up to a multiple of 8.
pub fn round8(x: u64) -> u64 {
    x.saturating_add(7) & !7
}

/// Bytes really used for a block of `x` requested bytes: a size class of pymalloc up to 512, a chunk of malloc above.
pub fn block(x: u64) -> u64 {
    let round16 = |x: u64| x.saturating_add(15) & !15;
    match x {
        0 => 0,
        1..=512 => round16(x),
        _ => round16(x.saturating_add(8)),
    }
}

/// Entries that a key table of `places` has room for.
pub fn usable(places: u64) -> u64 {
    places.saturating_mul(2) / 3
}

/// The smallest table with room for `entries`, as it is after growing one by one: 8, 16, 32, …
pub fn places_for(entries: u64) -> u64 {
    let mut places = 8;
    while usable(places) < entries && places < 1 << 40 {
        places *= 2;
    }
    places
}

impl Parts {
    pub fn requested(&self) -> u64 {
        self.gc_header + self.pre_header + self.body + self.dict_field + self.weakref_field + self.values
    }
}

impl Blocks {
    pub fn requested(&self) -> u64 {
        self.object + self.values + self.dict + self.keys
    }

    /// Bytes really used.
    pub fn used(&self) -> u64 {
        block(self.object) + block(self.values) + block(self.dict) + block(self.keys)
    }
}

impl ValuesArray {
    /// Bytes of an array of `capacity` values.
    pub fn bytes(self, capacity: u64) -> u64 {
        let order = self.order_head.map_or(0, |head| round8(capacity.saturating_add(head)));
        self.head.saturating_add(capacity.saturating_mul(POINTER)).saturating_add(order)
    }
}

impl KeyTable {
    /// Bytes of a table of `places`, a power of two.
    pub fn bytes(self, places: u64, text_keys: bool) -> u64 {
        let index = match places {
            0..=128 => 1,
            129..=32_768 => 2,
            _ => 4,
        };
        let entry = if text_keys { self.text_entry } else { self.entry };
        (places.saturating_mul(index)).saturating_add(entry.saturating_mul(usable(places))).saturating_add(self.head)
    }

    /// Places of the table that CPython makes when it wants at least `wanted`.
    pub fn places(self, wanted: u64) -> u64 {
        let wanted = wanted.clamp(1, 1 << 40);
        if self.rounds_too_far {
            let bits = u64::BITS - (((wanted | 8) - 1) | 7).leading_zeros();
            1 << bits
        } else {
            wanted.max(8).next_power_of_two()
        }
    }
}

impl Layout {
    /// The parts of the object's own block, without its items and its inline values.
    pub fn parts(&self, build: &Build) -> Parts {
        let mut parts =
            Parts { gc_header: self.gc_header, body: build.body + POINTER * build.slots, ..Parts::default() };
        match self.dict_field {
            _ if !build.dict => {}
            DictField::Body => parts.dict_field = POINTER,
            DictField::PreHeader { var_size_in_body: true, .. } if build.item_size != 0 => parts.dict_field = POINTER,
            DictField::PreHeader { bytes, .. } => parts.pre_header = bytes,
        }
        match (self.weakref_field, self.dict_field) {
            _ if !build.weakref => {}
            (WeakrefField::PreHeader, DictField::PreHeader { bytes, .. }) => parts.pre_header = bytes,
            _ => parts.weakref_field = POINTER,
        }
        parts
    }

    /// Whether instances have their values array inside their own block.
    pub fn has_inline_values(&self, build: &Build) -> bool {
        build.dict
            && build.item_size == 0
            && match self.inline_values {
                InlineValues::Nobody => false,
                InlineValues::Plain => build.body + POINTER * build.slots == OBJECT_BODY,
                InlineValues::FixedSize => true,
            }
    }

    /// Whether instances begin their lives with an array of values: made by `object.__new__`, or inside the object.
    pub fn begins_with_values(&self, build: &Build) -> bool {
        build.dict
            && matches!(self.shared_keys, SharedKeys::Fixed { .. })
            && match self.inline_values {
                InlineValues::Nobody => build.body == OBJECT_BODY && build.item_size == 0,
                _ => self.has_inline_values(build),
            }
    }

    /// Bytes of the object's own block. `items` are those of a variable-size instance: for a subclass of a built-in
    /// type CPython allocates one more. `inline_capacity` is that of the values inside the block, where they are there.
    pub fn object_bytes(&self, build: &Build, items: u64, inline_capacity: u64) -> u64 {
        let mut parts = self.parts(build);
        if build.item_size != 0 {
            parts.body = round8(parts.body.saturating_add(build.item_size.saturating_mul(items.saturating_add(1))));
        }
        if self.has_inline_values(build) {
            parts.values = self.values.bytes(inline_capacity);
        }
        parts.requested()
    }

    /// The blocks of one instance of fixed size.
    pub fn instance(&self, build: &Build, inline_capacity: u64, dict: InstanceDict) -> Blocks {
        let mut blocks = Blocks { object: self.object_bytes(build, 0, inline_capacity), ..Blocks::default() };
        let inline = self.has_inline_values(build);
        match dict {
            InstanceDict::None => {}
            InstanceDict::Values { capacity } => {
                blocks.values = if inline { 0 } else { self.values.bytes(capacity) };
            }
            InstanceDict::Split { capacity } => {
                blocks.dict = self.dict_object;
                blocks.values = if inline { 0 } else { self.values.bytes(capacity) };
            }
            InstanceDict::Combined { places, text_keys } => {
                blocks.dict = self.dict_object;
                blocks.keys = self.table.bytes(places, text_keys);
            }
            InstanceDict::Detached { capacity } => {
                blocks.dict = self.dict_object;
                blocks.values = self.values.bytes(capacity);
            }
        }
        blocks
    }

    /// Attributes that the shared key table has room for, once some 30 instances exist: one more than are in it.
    pub fn shared_capacity(&self, shared_names: u64, seeded: bool) -> u64 {
        match self.shared_keys {
            SharedKeys::Ordered => usable(places_for(shared_names)),
            SharedKeys::Fixed { .. } => (shared_names + 1).min(self.shared_limit(seeded).unwrap_or(u64::MAX)),
        }
    }

    /// Most attributes that instances can have before each gets a key table of its own; `None` where there is no limit.
    /// `seeded`: the names were known to the compiler (`self.x = …` in a method of the class).
    pub fn shared_limit(&self, seeded: bool) -> Option<u64> {
        match self.shared_keys {
            SharedKeys::Ordered => None,
            SharedKeys::Fixed { places, seeded: can_seed } => {
                Some(u64::from(places) - u64::from(!(seeded && can_seed)))
            }
        }
    }

    /// The blocks of an instance of a class that has settled: `names` attributes set by every instance in one order.
    pub fn settled(&self, build: &Build, names: u64, shared: &SharedNames, materialised: bool) -> Blocks {
        let inline_capacity = self.shared_capacity(shared.count.max(names), shared.seeded);
        let dict = self.settled_dict(build, names, inline_capacity, shared, materialised);
        self.instance(build, inline_capacity, dict)
    }

    fn settled_dict(
        &self,
        build: &Build,
        names: u64,
        capacity: u64,
        shared: &SharedNames,
        materialised: bool,
    ) -> InstanceDict {
        let has_dict = build.dict || build.own_dict;
        if !has_dict {
            return InstanceDict::None;
        }
        let SharedKeys::Fixed { places, .. } = self.shared_keys else {
            return match names {
                0 => InstanceDict::None,
                _ => InstanceDict::Split { capacity: usable(places_for(names)) },
            };
        };
        // The counter of the class's table moves only for instances that begin with values.
        let begins_with_values = self.begins_with_values(build);
        let limit = match self.shared_limit(shared.seeded) {
            Some(limit) if begins_with_values => limit,
            _ => u64::from(places),
        };
        let limit = shared.first_outside.map_or(limit, |before| before.min(u64::from(places)));
        // Only dicts in front of the object share their names, once there is a table made with the class.
        if build.own_dict || self.parts(build).dict_field != 0 {
            return match names {
                0 => InstanceDict::None,
                _ => InstanceDict::Combined { places: places_for(names), text_keys: true },
            };
        }
        if names > limit {
            let mut places = self.table.places(3 * limit);
            while usable(places) < names {
                places = self.table.places(3 * usable(places));
            }
            return InstanceDict::Combined { places, text_keys: true };
        }
        match (begins_with_values, names, materialised) {
            (true, _, false) => InstanceDict::Values { capacity },
            (true, _, true) => InstanceDict::Split { capacity },
            (false, 0, _) => InstanceDict::None,
            (false, _, _) => InstanceDict::Split { capacity: limit },
        }
    }
}

impl Build {
    /// The class with slots in all the classes of its MRO: `slots` of them, with a place for weak references if `weakref`.
    pub fn slotted(&self, slots: u64, weakref: bool) -> Build {
        Build { slots, dict: false, weakref, ..*self }
    }
}

#[cfg(test)]
mod tests {
    use super::super::cpython::Layout;
    use super::*;

    const PLAIN: Build =
        Build { body: OBJECT_BODY, item_size: 0, slots: 0, dict: true, weakref: true, own_dict: false };

    /// Plain and slotted block bytes of `names` attributes, all seeded where a version can.
    fn costs(version: &str, build: &Build, names: u64) -> (u64, u64) {
        let layout = Layout::named(version).unwrap();
        let shared = SharedNames { count: names, seeded: true, first_outside: None };
        let plain = layout.settled(build, names, &shared, false).used();
        let slotted = layout.instance(&build.slotted(names, false), 0, InstanceDict::None).used();
        (plain, slotted)
    }

    #[test]
    fn plain_and_slotted_instances_cost_what_was_measured() {
        let versions = ["3.8", "3.11", "3.12", "3.13", "3.14"];
        let measured: [(u64, [(u64, u64); 5]); 11] = [
            (0, [(48, 32), (80, 32), (64, 32), (80, 32), (80, 32)]),
            (1, [(160, 48), (96, 48), (80, 48), (80, 48), (80, 48)]),
            (3, [(160, 64), (112, 64), (96, 64), (96, 64), (96, 64)]),
            (5, [(160, 80), (128, 80), (112, 80), (112, 80), (112, 80)]),
            (6, [(192, 80), (144, 80), (128, 80), (128, 80), (128, 80)]),
            (10, [(192, 112), (176, 112), (160, 112), (160, 112), (160, 112)]),
            (16, [(288, 160), (224, 160), (208, 160), (224, 160), (224, 160)]),
            (29, [(448, 272), (336, 272), (320, 272), (320, 272), (336, 272)]),
            (30, [(448, 272), (1664, 272), (1648, 272), (1920, 272), (336, 272)]),
            (31, [(448, 288), (1664, 288), (1648, 288), (1920, 288), (1936, 288)]),
            (40, [(448, 352), (1664, 352), (1648, 352), (1920, 352), (1936, 352)]),
        ];
        for (names, expected) in measured {
            assert_eq!(versions.map(|version| costs(version, &PLAIN, names)), expected, "{names} attributes");
        }
    }

    /// Requested bytes of a plain instance whose names the compiler knew or not, measured on 3.13.18, 3.14.10 and 3.15.2.
    #[test]
    fn names_beyond_the_shared_table_cost_what_was_measured() {
        let bytes = |version: &str, names, seeded, first_outside| {
            let shared = SharedNames { count: names, seeded, first_outside };
            Layout::named(version).unwrap().settled(&PLAIN, names, &shared, false).requested()
        };
        let counts = [28, 29, 30, 31, 42, 43, 85, 86];
        let unknown = [320, 320, 1904, 1904, 1904, 1904, 1904, 3648];
        assert_eq!(counts.map(|names| bytes("3.13.18", names, true, None)), unknown);
        for version in ["3.14.10", "3.15.2"] {
            assert_eq!(counts.map(|names| bytes(version, names, false, None)), unknown, "{version}, set by others");
            let last = counts.map(|names| bytes(version, names, true, (names > 30).then_some(30)));
            assert_eq!(last, [320, 328, 328, 1912, 1912, 1912, 1912, 3656], "{version}, the table's names set first");
            // `a0` to `a42`: of those in order, `a9` is the last, and it is set as the tenth.
            let tenth = counts.map(|names| bytes(version, names, true, (names > 30).then_some(9)));
            assert_eq!(tenth, [320, 328, 328, 1160, 1160, 1912, 1912, 3656], "{version}, another set as the tenth");
            let at_once = counts.map(|names| bytes(version, names, true, (names > 30).then_some(0)));
            assert_eq!(at_once, tenth, "{version}, another set first");
        }
    }

    /// Requested bytes of subclasses with 1, 6, 30 and 31 names set in `__init__`, the last of them outside the table.
    #[test]
    fn subclasses_of_built_in_types_have_their_values_inside_since_3_14() {
        let bytes = |version: &str, body: fn(&Layout) -> u64| {
            let layout = Layout::named(version).unwrap();
            let build = Build { body: body(layout), ..PLAIN };
            [1, 6, 30, 31].map(|names| {
                let shared = SharedNames { count: names, seeded: true, first_outside: (names > 30).then_some(9) };
                layout.settled(&build, names, &shared, false).requested()
            })
        };
        for version in ["3.14.10", "3.15.2"] {
            assert_eq!(bytes(version, |_| 40), [104, 144, 352, 1184], "{version} list");
            assert_eq!(bytes(version, |_| 48), [112, 152, 360, 1192], "{version} dict");
            assert_eq!(bytes(version, |_| 200), [264, 304, 512, 1344], "{version} set");
            assert_eq!(bytes(version, |_| 24), [88, 128, 336, 1168], "{version} float");
        }
        // No values inside: a dict with room for 30 of them.
        assert_eq!(bytes("3.13.18", |_| 40)[..3], [416, 416, 416], "list");
        assert_eq!(bytes("3.13.18", |_| 24)[..3], [400, 400, 400], "float");
    }

    /// `@dataclass(slots=True)`, without and with `weakref_slot=True`.
    #[test]
    fn slotted_dataclasses_cost_what_was_measured() {
        for version in ["3.13.18", "3.14.10", "3.15.2"] {
            let layout = Layout::named(version).unwrap();
            let bytes = |names, weakref| layout.object_bytes(&PLAIN.slotted(names, weakref), 0, 0);
            let counts = [0, 1, 3, 6, 29, 30, 31];
            assert_eq!(counts.map(|names| bytes(names, false)), [32, 40, 56, 80, 264, 272, 280], "{version}");
            assert_eq!(counts.map(|names| bytes(names, true)), [48, 56, 72, 96, 280, 288, 296], "{version}");
        }
    }

    #[test]
    fn built_in_bases_cost_what_was_measured() {
        let list = Build { body: 40, ..PLAIN };
        assert_eq!(costs("3.10", &list, 6), (224, 112));
        assert_eq!(costs("3.11", &list, 6), (416, 112));
        assert_eq!(costs("3.13", &list, 6), (432, 112));
        let exception = |body| Build { body, dict: false, own_dict: true, ..PLAIN };
        assert_eq!(costs("3.10", &exception(64), 6), (240, 128));
        assert_eq!(costs("3.11", &exception(72), 6), (368, 144));
        assert_eq!(costs("3.12", &exception(72), 6), (384, 144));
    }

    #[test]
    fn the_size_function_had_a_bug() {
        let places = |version: &str| {
            let table = Layout::named(version).unwrap().table;
            [1, 7, 8, 9, 15, 16, 17, 21, 32, 64, 90].map(|wanted| table.places(wanted))
        };
        assert_eq!(places("3.9"), [8, 8, 8, 16, 16, 16, 32, 32, 32, 64, 128]);
        assert_eq!(places("3.13.3"), [16, 16, 8, 16, 16, 32, 32, 32, 64, 128, 128]);
        assert_eq!(places("3.13.4"), places("3.9"));
    }
}
