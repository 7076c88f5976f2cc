//! Defines the one vocabulary of events. Every format is read into it, the recorder and the converter write it.
//!
//! Objects are named by [`Tag`]s, which are the producer's: an address or a serial number that may return after the
//! object is freed. [`Header::numbers`] says whether tags are sparse (addresses: a map is needed) or dense (small
//! numbers, used again after a free: an array is enough; then `Alloc::address` carries the producer's own tag).
//! Types, sites and texts are defined by an event before their first use.
//!
//! There is no `_ =>` on [`Event`] anywhere, so the compiler lists what a new event must reach.

use serde::Serialize;

/// The producer's name of an object: unique among the live objects, used again after a `free`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag(pub u64);

/// The producer's number of a type. [`TypeId::UNKNOWN`] where the producer could not tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TypeId(pub u32);

/// The producer's number of a site. [`SiteId::NONE`] where no stack is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SiteId(pub u32);

/// The producer's number of an interned text. Texts are numbered from 1 without gaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TextId(pub u32);

/// The name of the place that holds a reference.
///
/// Either an interned text (`.items`, `['key']`, `cell x`, `local self`, `key`, `element`, `.__dict__`), or an index of
/// a sequence (`[3]`, never interned), or nothing. One word: the top bit tells an index from a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slot(u32);

impl TypeId {
    pub const UNKNOWN: TypeId = TypeId(0);
}

impl SiteId {
    pub const NONE: SiteId = SiteId(0);
}

impl Slot {
    /// A reference whose place has no name.
    pub const UNNAMED: Slot = Slot(0);
    /// Indexes from here on are all written as this one.
    pub const MAX_INDEX: u32 = (1 << 31) - 1;
    const INDEX: u32 = 1 << 31;

    /// The slot named by an interned text, a number below 2³¹.
    pub fn text(text: TextId) -> Slot {
        debug_assert!(text.0 < Self::INDEX);
        Slot(text.0)
    }

    /// The slot `[index]` of a sequence.
    pub fn index(index: u64) -> Slot {
        Slot(Self::INDEX | u32::try_from(index).unwrap_or(Self::MAX_INDEX).min(Self::MAX_INDEX))
    }

    /// The index, when the slot is one.
    pub fn as_index(self) -> Option<u32> {
        (self.0 & Self::INDEX != 0).then_some(self.0 & Self::MAX_INDEX)
    }

    /// The text, when the slot is named by one.
    pub fn as_text(self) -> Option<TextId> {
        (self.0 != 0 && self.0 & Self::INDEX == 0).then_some(TextId(self.0))
    }

    /// The word itself, as the heap stores it and the binary form writes it.
    pub fn raw(self) -> u32 {
        self.0
    }

    pub fn from_raw(raw: u32) -> Slot {
        Slot(raw)
    }
}

/// What the first line of a trace says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Version of the trace vocabulary; this program reads version 1.
    pub version: u32,
    /// `cpython-3.13.0`, or whatever wrote the trace.
    pub runtime: String,
    /// Bytes of a pointer: 4 or 8.
    pub pointer: u8,
    pub references: References,
    pub frees: Frees,
    pub births: Births,
    pub numbers: Numbers,
    /// Every other `key=value`, in order: `pid`, `parent`, `argv`, `build`, `platform`, `stacks`, …
    pub extra: Vec<(String, String)>,
}

impl Header {
    /// The header of a trace that says what wrote it, and nothing else.
    pub fn new(runtime: impl Into<String>) -> Header {
        Header {
            version: 1,
            runtime: runtime.into(),
            pointer: 8,
            references: References::Events,
            frees: Frees::Recorded,
            births: Births::All,
            numbers: Numbers::Tags,
            extra: Vec::new(),
        }
    }

    /// What `extra` has under this key.
    pub fn word(&self, key: &str) -> Option<&str> {
        self.extra.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }
}

/// How exact the references are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum References {
    /// Every change is in the log: the model keeps the tally.
    Events,
    /// Complete at `checkpoint` lines only: each `walk … checkpoint` describes its objects anew.
    Checkpoints,
    /// The same without counts: what is garbage cannot be told, only what refers to what.
    Uncounted,
    /// There are none: what is garbage the log itself says, with [`Event::Unreachable`], if anything does.
    #[default]
    None,
}

impl References {
    /// Counts and references are both there, so what is garbage can be worked out.
    pub fn show_garbage(self) -> bool {
        matches!(self, References::Events | References::Checkpoints)
    }
}

/// Who tells of deaths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frees {
    /// Each death has a `free`.
    Recorded,
    /// An object dies when its tally returns to zero (only with [`References::Events`]).
    Implied,
}

/// Which births are in the log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Births {
    /// Each allocation, when it happens.
    #[default]
    All,
    /// Only objects that a checkpoint or a collection met alive; `alloc` stands where the object was first met.
    Survivors,
    /// Only objects that a collection or a search found to be garbage; `alloc` stands where that was. Of all others nothing
    /// is known, not even how many there were.
    Garbage,
}

impl Births {
    /// As a header has it.
    pub fn name(self) -> &'static str {
        match self {
            Births::All => "all",
            Births::Survivors => "survivors",
            Births::Garbage => "garbage",
        }
    }
}

/// What the tags are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbers {
    /// Addresses or serial numbers: anything up to 64 bits.
    Tags,
    /// Small numbers: a new object takes a number that was freed, or the next one never used. Needs [`Frees::Recorded`].
    Dense,
}

/// A class, or a built-in type.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TypeDef {
    pub id: u32,
    /// Module and qualified name, `app.Order`; without the module for `builtins`.
    pub name: String,
    /// `tp_basicsize`: bytes of an instance, without the collector's header.
    pub size: u64,
    /// `tp_itemsize`: bytes of each item of a variable-size instance.
    pub item_size: u64,
    pub flags: TypeFlags,
    /// The direct bases in order.
    pub bases: Vec<TypeRef>,
    /// Name of the metaclass, where it is not `type`.
    pub metaclass: Option<String>,
    /// What this class's own `__slots__` names (mangled as CPython stores them); `None` where it has none.
    pub slots: Option<Vec<String>>,
    /// `tp_dictoffset`; negative as CPython has it, `None` where not recorded.
    pub dict_offset: Option<i64>,
    /// `tp_weaklistoffset`.
    pub weakref_offset: Option<i64>,
    /// Capacity of the key table that instances share (`dk_nentries + dk_usable`).
    pub shared_keys: Option<u32>,
    /// Names in the class's own dict, without the dunder names that every class has.
    pub defines: Vec<String>,
    /// File of the module that defines the class (`__file__`), empty where unknown.
    pub file: String,
    /// Every other `key=value`, in order.
    pub extra: Vec<(String, String)>,
}

impl TypeDef {
    /// Whether `extra` has this key.
    pub fn says(&self, key: &str) -> bool {
        self.extra.iter().any(|(name, _)| name == key)
    }

    /// The words of a list in `extra`.
    pub fn words(&self, key: &str) -> impl Iterator<Item = &str> {
        let lists = self.extra.iter().filter(move |(name, _)| name == key);
        lists.flat_map(|(_, value)| value.split(',')).filter(|word| !word.is_empty())
    }

    /// The bases that are types of this trace.
    pub fn known_bases(&self) -> impl Iterator<Item = TypeId> {
        self.bases.iter().filter_map(|base| match base {
            TypeRef::Id(id) => Some(*id),
            TypeRef::Name(_) => None,
        })
    }
}

/// A base class: a type of this trace by number, or a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TypeRef {
    Id(TypeId),
    Name(String),
}

impl TypeRef {
    /// The name of a base that is no type of this trace.
    pub fn as_name(&self) -> Option<&str> {
        match self {
            TypeRef::Id(_) => None,
            TypeRef::Name(name) => Some(name),
        }
    }
}

/// What a type is, one bit each; [`TypeFlags::NAMES`] spells them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct TypeFlags(pub u32);

impl TypeFlags {
    /// The collector looks at its instances (`Py_TPFLAGS_HAVE_GC`).
    pub const GC: TypeFlags = TypeFlags(1);
    /// Made at run time by a class statement or a C heap type (`Py_TPFLAGS_HEAPTYPE`).
    pub const HEAP: TypeFlags = TypeFlags(1 << 1);
    /// Instances have a `__dict__`.
    pub const DICT: TypeFlags = TypeFlags(1 << 2);
    /// Instances can be weakly referenced.
    pub const WEAKREF: TypeFlags = TypeFlags(1 << 3);
    /// Its dict pointer stands in front of the object (3.11+).
    pub const MANAGED_DICT: TypeFlags = TypeFlags(1 << 4);
    /// Its weak reference list stands in front of the object (3.12+).
    pub const MANAGED_WEAKREF: TypeFlags = TypeFlags(1 << 5);
    /// Its attribute values stand behind the object (3.13+).
    pub const INLINE_VALUES: TypeFlags = TypeFlags(1 << 6);
    /// A subclass of `BaseException`.
    pub const EXCEPTION: TypeFlags = TypeFlags(1 << 7);
    /// Instances are classes themselves.
    pub const CLASS: TypeFlags = TypeFlags(1 << 8);
    /// It, or a base, defines `__del__`.
    pub const FINALIZER: TypeFlags = TypeFlags(1 << 9);

    /// Name of each bit in the text form, from the lowest bit on.
    pub const NAMES: [&'static str; 10] = [
        "gc",
        "heap",
        "dict",
        "weakref",
        "managed-dict",
        "managed-weakref",
        "inline-values",
        "exception",
        "class",
        "finalizer",
    ];

    pub fn has(self, other: TypeFlags) -> bool {
        self.0 & other.0 == other.0
    }

    pub fn with(self, other: TypeFlags) -> TypeFlags {
        TypeFlags(self.0 | other.0)
    }
}

/// A place in the program; together with its parents a stack, the innermost first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SiteDef {
    pub id: SiteId,
    /// `co_filename`, as CPython has it.
    pub path: TextId,
    /// 0 where unknown.
    pub line: u32,
    /// The function's name; its qualified name where CPython knows it.
    pub function: TextId,
    pub parent: Option<SiteId>,
}

/// An interned text, used by [`Slot`]s, [`SiteDef`]s and [`Event::Name`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextDef {
    pub id: TextId,
    pub text: String,
}

/// Where the attributes of an instance are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DictState {
    /// Nothing set, or no dict at all.
    None,
    /// In a values array, no dict object (3.11+).
    Inline,
    /// A dict object that shares its keys with the class.
    Split,
    /// A dict object with a key table of its own.
    Combined,
    /// A dict that outlived its object, or was put in its place.
    Detached,
}

/// How it is known that a place of an object, which `tp_traverse` does not show, holds a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Evidence {
    /// The layout of its type says so.
    Layout,
    /// Objects of its type were seen to let go of what this place referred to, as they died.
    Release,
    /// The place holds the address of the object. Nothing tells whether it owns it.
    Address,
}

impl Evidence {
    /// Each as the text form has it; in the binary form its place in this list.
    pub const ALL: [(&'static str, Evidence); 3] =
        [("layout", Evidence::Layout), ("release", Evidence::Release), ("address", Evidence::Address)];
}

/// What was observed of an object together with its count, one bit each; [`ObjectFlags::NAMES`] spells them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct ObjectFlags(pub u8);

impl ObjectFlags {
    /// Of a type that the collector looks at, but not in its lists: it does not count the object.
    pub const UNTRACKED: ObjectFlags = ObjectFlags(1);
    /// Its finalizer has run.
    pub const FINALIZED: ObjectFlags = ObjectFlags(1 << 1);
    /// Somebody holds a weak reference to it.
    pub const WEAKLY_REFERENCED: ObjectFlags = ObjectFlags(1 << 2);
    /// Its count says nothing (3.12+): a root.
    pub const IMMORTAL: ObjectFlags = ObjectFlags(1 << 3);

    /// Name of each bit in the text form, from the lowest bit on.
    pub const NAMES: [&'static str; 4] = ["untracked", "finalized", "weakref", "immortal"];

    pub fn has(self, other: ObjectFlags) -> bool {
        self.0 & other.0 == other.0
    }

    pub fn with(self, other: ObjectFlags) -> ObjectFlags {
        ObjectFlags(self.0 | other.0)
    }
}

/// A phase of the program begins: a test, a request, an iteration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// `test`, `request`, `iteration`, `user`, `exit`.
    pub kind: String,
    pub label: String,
}

impl Mark {
    /// The program ends here, or its event loop does: what is alive is let go of by that.
    pub fn begins_exit(&self) -> bool {
        self.kind == "exit"
    }
}

/// How much of the heap a walk describes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The whole heap.
    Full,
    /// The objects that the recorder found unreachable as a collection began, all of them and nothing else.
    Garbage,
    /// Of a process that a fork made: what was born in it, and all that is unreachable. What else there is was its parent's.
    Own,
}

/// What CPython's collector counts, as it stands at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GcState {
    /// Collections begin by themselves (`gc.isenabled`).
    pub enabled: bool,
    /// As `gc.get_threshold` and `gc.get_count` have them.
    pub thresholds: [u32; 3],
    pub counts: [u32; 3],
    /// Objects that came to the oldest generation since its last collection, and those that this one left there.
    pub long_lived_pending: u64,
    pub long_lived_total: u64,
}

/// One thing that happened. `docs/formats/text.md` says what each means, and shows it as a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    Type(Box<TypeDef>),
    Site(SiteDef),
    /// Defines a text. The text form writes texts in place, so it has no line for this.
    Text(Box<TextDef>),

    /// An object was born, or first met. `bytes` is 0 where its size is not known. `address` is the producer's own tag; equal to `object` with [`Numbers::Tags`].
    Alloc {
        object: Tag,
        address: u64,
        class: TypeId,
        bytes: u64,
        site: SiteId,
    },
    /// The object's type became known, or changed (`o.__class__ = …`).
    Retype {
        object: Tag,
        class: TypeId,
    },
    /// The object's block was moved or resized, and now has `bytes`.
    Resize {
        object: Tag,
        bytes: u64,
    },
    /// Separate blocks that the object alone owns (items of a list, table of a dict): their bytes in total.
    Owns {
        object: Tag,
        bytes: u64,
    },
    /// State and capacity (entries) of the instance dict.
    Dict {
        object: Tag,
        state: DictState,
        capacity: u32,
    },
    /// What a module or a class is called.
    Name {
        object: Tag,
        name: TextId,
    },
    /// Which code a function, frame, generator, coroutine or code object runs: where that code is defined.
    Code {
        object: Tag,
        site: SiteId,
    },

    Ref {
        from: Tag,
        to: Tag,
        slot: Slot,
    },
    Unref {
        from: Tag,
        to: Tag,
        slot: Slot,
    },
    /// A reference that `tp_traverse` of the referrer does not show, described in a walk. The slot says where it was found.
    Hidden {
        from: Tag,
        to: Tag,
        slot: Slot,
        evidence: Evidence,
    },
    /// A named external reference: `global:app.cache`, `local:make_order.order`.
    Root {
        object: Tag,
        name: TextId,
    },
    Unroot {
        object: Tag,
        name: TextId,
    },
    /// An unnamed external reference came, or went.
    Incref {
        object: Tag,
    },
    Decref {
        object: Tag,
    },
    /// A refcount that was observed. In a walk it opens the description of the object.
    Count {
        object: Tag,
        count: u64,
        flags: ObjectFlags,
    },
    Free {
        object: Tag,
    },
    /// The collector of the program found that nothing outside the garbage refers to the object.
    Unreachable {
        object: Tag,
    },

    /// The log counts the objects of a type and does not name them: so many were born, and so many are left that nobody
    /// frees, with so many bytes.
    Totals {
        class: TypeId,
        born: u64,
        left: u64,
        bytes: u64,
    },

    GcStart {
        generation: u8,
    },
    /// The collection that is going on looks at so many objects.
    GcLooked {
        objects: u64,
    },
    /// The collection that ends next kept the program waiting for so long, without what the recorder did as it began.
    GcPause {
        ns: u64,
    },
    GcStop {
        collected: u64,
        uncollectable: u64,
    },
    /// What the collector counts: as the recording begins, and just before each `gc start`.
    GcState(Box<GcState>),
    /// So many objects are in the lists of the collector's generations, the youngest first, and in that of `gc.freeze`.
    GcLists {
        generations: [u64; 3],
        frozen: u64,
    },
    /// So many collections ran since the last of these records, or the beginning, that the recorder did not see.
    GcMissed {
        collections: u64,
    },
    /// So many interpreters besides the first have been in the process: their objects are in no walk.
    Interpreters {
        others: u64,
    },
    /// The memory of so many objects was searched for references that they do not show, of so many of them not to the end.
    Searched {
        objects: u64,
        unfinished: u64,
    },
    /// In a walk: all memory of the program was searched for the address of the object, and so many places have it, those of
    /// references that are shown among them. `None` where not all of it was searched.
    Places {
        object: Tag,
        places: Option<u32>,
    },
    /// In a walk of the whole heap: the object is as the last one described it, but for the references of [`Event::Hidden`], and so
    /// are so many more that the last one described behind it.
    Unchanged {
        object: Tag,
        more: u64,
    },
    /// Births and deaths since that time, in nanoseconds as in [`Event::Time`], were not seen, or not all of them.
    Unseen {
        since: u64,
    },
    Mark(Box<Mark>),
    /// Nanoseconds since the start of the recording, never less than before.
    Time {
        ns: u64,
    },
    /// A walk begins ([`References::Checkpoints`]): what follows, up to the checkpoint, describes the scope anew.
    Walk(Scope),
    /// The references and counts of the scope are complete here. A walk without its checkpoint counts for nothing.
    Checkpoint(Scope),
    /// The recording stopped before the program did, for this reason.
    Stopped(Box<str>),
    /// The recording ended in order.
    End,
}
