//! Holds one row of data for each CPython that is recorded: every offset and every difference that the agent knows of.
//!
//! All numbers are bytes, read with `offsetof` from the headers of 3.8.18, 3.9.18, 3.10.13, 3.11.7, 3.12.1, 3.13.0, 3.13.18,
//! 3.14.10 and 3.15.2 (64-bit builds with the global lock). What stands nowhere here is the same in all of them. From 3.13
//! on `debug_offsets` compares a row with what the running CPython publishes of itself. An unknown version has no row,
//! and is not recorded.

use super::bytecode::{self, Opcodes};
use super::gc_state::StateRow;
use super::gc_stats::StatsRow;

/// What differs between the versions. An offset of 0 means that the version has no such field.
#[derive(Debug)]
pub(crate) struct CPython {
    /// Minor version: 8 for 3.8.
    pub minor: u8,
    /// The first micro version that the row is true of.
    pub since_micro: u8,

    // Objects.
    pub count: Count,
    pub values: Values,
    pub pre_header: PreHeader,
    pub key_table: KeyTable,
    pub integer: Integer,
    /// Where the characters of an ASCII `str` begin (`PyASCIIObject`), and of any other (`PyCompactUnicodeObject`).
    pub text_ascii: usize,
    pub text_compact: usize,
    pub streams: Streams,
    /// In a `PyTupleObject`: the items.
    pub tuple_items: usize,
    /// In a `PyModuleObject`: `md_name`.
    pub module_name: usize,
    /// Bytes of the block of its own that a `bytearray` has for its text, beyond those that `ob_alloc` says.
    pub byte_array_head: usize,
    /// Bytes of a `PyTypeObject`.
    pub type_bytes: usize,
    /// In a `PyHeapTypeObject`.
    pub type_qualname: usize,
    pub type_cached_keys: usize,

    // Code.
    pub code: CodeForm,
    pub code_path: usize,
    /// `co_qualname` (3.11+), or `co_name`.
    pub code_function: usize,
    pub code_names: usize,
    pub code_first_line: usize,
    /// The first instruction, or the `bytes` of all of them, as [`CPython::code`] says.
    pub code_instructions: usize,
    /// Number of the first traceable instruction (3.12+): behind the end in a code object that no stack shows.
    pub code_traceable: Option<usize>,
    /// `co_localsplusnames`; before 3.11 `co_varnames`, with `co_freevars` and `co_cellvars` behind it.
    pub code_locals: usize,
    /// `co_nfreevars` (3.11+).
    pub code_free_count: usize,
    pub opcodes: &'static Opcodes,

    // Frames: a `PyFrameObject` before 3.11, a `_PyInterpreterFrame` since.
    /// In a `PyThreadState`: the frame, or (3.11, 3.12) the C frame, and the frame in that.
    pub thread_frame: usize,
    pub c_frame: Option<usize>,
    pub frame_code: usize,
    pub frame_previous: usize,
    /// The last instruction, and what that is.
    pub frame_last: usize,
    pub last: Last,
    /// The byte that says who owns the frame (3.12+): from [`OWNER_WITHOUT_CODE`] on no Python code runs in it.
    pub frame_owner: Option<usize>,
    pub frame_locals: usize,
    /// Of the `_PyInterpreterFrame` in a `PyFrameObject` (3.11+: a pointer), and in a generator (inside it).
    pub object_frame: usize,
    pub generator_frame: usize,
    /// `gi_code`, before 3.12.
    pub generator_code: usize,
    /// How a frame object says that its function has returned (before 3.11, where its stack of values is part of it).
    pub returned: Option<Returned>,
    /// How the references of a suspended generator are found that have no count; `None` where all have one.
    pub borrowing: Option<Borrowing>,

    // Named fields that are no `tp_members`, in the order in which `tp_traverse` visits them.
    pub function: Fields,
    pub function_code: usize,
    pub function_closure: usize,
    pub function_name: usize,
    pub function_module: usize,
    pub frame: Fields,
    /// Of the frame inside a generator or a frame object (3.11+).
    pub inner_frame: Fields,
    pub exception: Fields,

    // The interpreter.
    /// Bytes of a pool of the object allocator (`POOL_SIZE` in `Objects/obmalloc.c`).
    pub pool_bytes: usize,
    /// The collector's state is in the runtime (3.8), not in the interpreter.
    pub collector_in_runtime: bool,
    pub lists: Lists,
    pub gc_state: StateRow,
    /// Every dict is tracked from its birth on, that of the interned strings too (3.14+).
    pub tracks_all_dicts: bool,
    /// An interpreter may have a lock of its own (3.12+).
    pub own_locks: bool,
    /// `os.fork` warns of a process with more than one thread, whoever started it (3.12+).
    pub counts_threads: bool,
    /// How the free lists can be switched off; `None` where they are bypassed.
    pub free_lists: Option<FreeLists>,
    /// Where the collector counts the objects that it looks at (3.15).
    pub gc_stats: Option<StatsRow>,
}

/// Offset and name of fields.
pub(crate) type Fields = &'static [(u16, &'static str)];

/// How an object's count is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Count {
    /// A word.
    Word,
    /// A word; objects of frozen modules, which are in the executable, begin with 999,999,999 (3.11).
    WordWithDeepFrozen,
    /// Half a word, negative where the object is immortal; the other half is zero (3.12, 3.13).
    Half,
    /// The same, with flags in the other half (3.14+).
    HalfWithFlags,
}

impl Count {
    /// The bits of the first word in which only a count may be.
    pub(crate) const fn bits(self) -> usize {
        match self {
            Count::Word | Count::WordWithDeepFrozen | Count::Half => usize::MAX,
            Count::HalfWithFlags => 0xffff_ffff_ffff,
        }
    }
}

/// Where the values of an instance's attributes are while it has no dict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Values {
    /// Always in a dict.
    None,
    /// In an array of their own, whose address stands in front of the instance (3.11).
    Separate,
    /// In the same place as the dict, with the lowest bit set (3.12).
    Tagged,
    /// Behind the instance (3.13+).
    Inline,
}

impl Values {
    /// The array is a block of its own.
    pub(crate) fn are_separate(self) -> bool {
        matches!(self, Values::Separate | Values::Tagged)
    }
}

/// What managed classes have in front of the collector's head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PreHeader {
    None,
    /// The dict, or the values (3.11).
    Dict,
    /// The dict and the weak references, if either is managed (3.12+).
    DictAndWeakReferences,
}

/// How the table of a dict says its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyTable {
    /// As a word.
    Sized,
    /// As logarithms of base 2, with the kind of its keys (3.11+).
    Logarithmic,
}

/// How an `int` says how many digits it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Integer {
    /// `ob_size`, negative for a negative number.
    Size,
    /// The same; there is room for one digit at least (3.11).
    SizeFromOne,
    /// From the fourth bit on of a tag (3.12+).
    Tag,
}

/// What `io.BytesIO` and `io.StringIO` have in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Streams {
    /// Bytes that `tp_traverse` does not show, and of a text lists of pieces at these places of a `stringio` (`_PyAccu`).
    Hidden { pieces: &'static [usize] },
    /// Bytes that it shows, and of a text one block (`_PyUnicodeWriter`, 3.12+).
    Shown,
}

/// What code objects and frames are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CodeForm {
    /// Instructions are a `bytes` object; each frame is an object.
    Objects,
    /// Instructions are inside the code object; a frame is a structure of the interpreter (3.11+).
    Inline,
}

/// The form of a frame's last instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Last {
    /// An `int`, times this many bytes.
    Index(i32),
    /// A pointer into the code object.
    Pointer,
}

/// What a frame object has when its function has returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Returned {
    /// No end of its values (`f_stacktop`), and a byte that is zero (`f_executing`): 3.8, 3.9.
    WithoutStack { top: usize, executing: usize },
    /// `FRAME_RETURNED`, `FRAME_RAISED` or `FRAME_CLEARED` as its state (`f_state`): 3.10.
    State { state: usize, states: [u8; 3] },
}

/// A generator's stack of values from 3.14 on: what `LOAD_FAST_BORROW` pushes has no count.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Borrowing {
    /// Generator → `gi_frame_state`.
    pub state: usize,
    /// `FRAME_CLEARED`.
    pub cleared: u8,
    /// Frame → the end of its values.
    pub stack_top: usize,
}

/// How the collector's state is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lists {
    /// Three generations, a pointer to the first, the permanent generation (3.8 to 3.13).
    PointerBetween,
    /// Three generations, the permanent generation, and the pointer further behind (3.14.5+).
    PointerBehind,
}

/// The free lists as pairs of pointer and size, one for each type: a list whose size is negative takes nothing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FreeLists {
    /// Bytes between the end of the collector's state and the first pair.
    pub behind_collector: usize,
    pub pairs: usize,
    /// So many of the first are left on: those of numbers, which hold nothing and are in no loop.
    pub of_numbers: usize,
}

/// `FRAME_OWNED_BY_CSTACK` (3.12, 3.13), `FRAME_OWNED_BY_INTERPRETER` and the C stack's behind it (3.14+).
pub(crate) const OWNER_WITHOUT_CODE: u8 = 3;

/// The row of the version that calls itself so: `3.14.10`.
///
/// # Errors
/// A sentence: it is no final release, or there is no row for it.
pub(crate) fn of(version: &str) -> Result<&'static CPython, String> {
    let mut numbers = version.splitn(3, '.').skip(1);
    let (minor, micro) = (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default());
    let Ok(micro) = micro.parse::<u32>() else {
        return Err(format!("CPython {version} is not a final release: its objects may be laid out in another way"));
    };
    let found = minor.parse().ok().and_then(row);
    let row = found.ok_or_else(|| format!("CPython {version} is not one of {}", names()))?;
    if micro < row.since_micro.into() {
        let (minor, since) = (row.minor, row.since_micro);
        return Err(format!(
            "CPython {version} has a collector that refloop does not know: it records 3.{minor} from 3.{minor}.{since} on"
        ));
    }
    Ok(row)
}

/// The row of a minor version, if there is one.
pub(crate) fn row(minor: u8) -> Option<&'static CPython> {
    VERSIONS.iter().copied().find(|row| row.minor == minor)
}

/// The versions that are recorded: `3.8 to 3.15`.
pub(crate) fn names() -> String {
    let [first, .., last] = VERSIONS;
    format!("3.{} to 3.{}", first.minor, last.minor)
}

/// All of them, the oldest first.
pub(crate) static VERSIONS: [&CPython; 8] = [&V3_8, &V3_9, &V3_10, &V3_11, &V3_12, &V3_13, &V3_14, &V3_15];

const OLD_EXCEPTION: Fields = &[(24, ".args"), (32, ".__traceback__"), (48, ".__cause__"), (40, ".__context__")];
const NEW_EXCEPTION: Fields =
    &[(24, ".args"), (32, ".__notes__"), (40, ".__traceback__"), (56, ".__cause__"), (48, ".__context__")];

const OLD_FUNCTION: Fields = &[
    (16, ".__code__"),
    (24, ".__globals__"),
    (88, ".__module__"),
    (32, ".__defaults__"),
    (40, ".__kwdefaults__"),
    (56, ".__doc__"),
    (64, ".__name__"),
    (72, ".__dict__"),
    (48, ".__closure__"),
    (96, ".__annotations__"),
    (104, ".__qualname__"),
];
const NEW_FUNCTION: Fields = &[
    (48, ".__code__"),
    (16, ".__globals__"),
    (104, ".__module__"),
    (56, ".__defaults__"),
    (64, ".__kwdefaults__"),
    (80, ".__doc__"),
    (32, ".__name__"),
    (88, ".__dict__"),
    (72, ".__closure__"),
    (112, ".__annotations__"),
    (24, ".__builtins__"),
    (40, ".__qualname__"),
];
/// As 3.10's, with the type parameters of 3.12.
const GENERIC_FUNCTION: Fields = &[
    (48, ".__code__"),
    (16, ".__globals__"),
    (104, ".__module__"),
    (56, ".__defaults__"),
    (64, ".__kwdefaults__"),
    (80, ".__doc__"),
    (32, ".__name__"),
    (88, ".__dict__"),
    (72, ".__closure__"),
    (112, ".__annotations__"),
    (24, ".__builtins__"),
    (40, ".__qualname__"),
    (120, ".__type_params__"),
];

/// As 3.12's, with the function that makes the annotations.
const ANNOTATED_FUNCTION: Fields = &[
    (48, ".__code__"),
    (16, ".__globals__"),
    (104, ".__module__"),
    (56, ".__defaults__"),
    (64, ".__kwdefaults__"),
    (80, ".__doc__"),
    (32, ".__name__"),
    (88, ".__dict__"),
    (72, ".__closure__"),
    (112, ".__annotations__"),
    (120, ".__annotate__"),
    (24, ".__builtins__"),
    (40, ".__qualname__"),
    (128, ".__type_params__"),
];

const FRAME_3_8: Fields =
    &[(24, ".f_back"), (32, ".f_code"), (40, ".f_builtins"), (48, ".f_globals"), (56, ".f_locals"), (80, ".f_trace")];
const FRAME_3_10: Fields =
    &[(24, ".f_back"), (32, ".f_code"), (40, ".f_builtins"), (48, ".f_globals"), (56, ".f_locals"), (72, ".f_trace")];
const FRAME_3_11: Fields = &[(16, ".f_back"), (32, ".f_trace")];

const INNER_3_11: Fields = &[(40, ".gi_frame"), (24, ".f_locals"), (0, ".f_func"), (32, ".f_code")];
const INNER_3_12: Fields = &[(48, ".gi_frame"), (40, ".f_locals"), (16, ".f_func"), (0, ".f_code")];

static V3_8: CPython = CPython {
    minor: 8,
    since_micro: 0,
    count: Count::Word,
    values: Values::None,
    pre_header: PreHeader::None,
    key_table: KeyTable::Sized,
    integer: Integer::Size,
    text_ascii: 48,
    text_compact: 72,
    streams: Streams::Hidden { pieces: &[56, 64] },
    tuple_items: 24,
    module_name: 48,
    byte_array_head: 0,
    type_bytes: 416,
    type_qualname: 864,
    type_cached_keys: 872,
    code: CodeForm::Objects,
    code_path: 104,
    code_function: 112,
    code_names: 64,
    code_first_line: 40,
    code_instructions: 48,
    code_traceable: None,
    code_locals: 72,
    code_free_count: 0,
    opcodes: &bytecode::V3_8,
    thread_frame: 24,
    c_frame: None,
    frame_code: 32,
    frame_previous: 24,
    frame_last: 104,
    last: Last::Index(1),
    frame_owner: None,
    frame_locals: 360,
    object_frame: 0,
    generator_frame: 0,
    generator_code: 32,
    returned: Some(Returned::WithoutStack { top: 72, executing: 116 }),
    borrowing: None,
    function: OLD_FUNCTION,
    function_code: 16,
    function_closure: 48,
    function_name: 64,
    function_module: 88,
    frame: FRAME_3_8,
    inner_frame: &[],
    exception: OLD_EXCEPTION,
    pool_bytes: 4 << 10,
    collector_in_runtime: true,
    lists: Lists::PointerBetween,
    gc_state: StateRow { enabled: 12, long_lived: 200 },
    tracks_all_dicts: false,
    own_locks: false,
    counts_threads: false,
    free_lists: None,
    gc_stats: None,
};

static V3_9: CPython =
    CPython { minor: 9, type_qualname: 856, type_cached_keys: 864, collector_in_runtime: false, ..V3_8 };

static V3_10: CPython = CPython {
    minor: 10,
    pool_bytes: 16 << 10,
    type_qualname: 864,
    type_cached_keys: 872,
    frame_last: 96,
    last: Last::Index(2),
    frame_locals: 352,
    generator_code: 24,
    returned: Some(Returned::State { state: 108, states: [1, 3, 4] }),
    function: NEW_FUNCTION,
    function_code: 48,
    function_closure: 72,
    function_name: 32,
    function_module: 104,
    frame: FRAME_3_10,
    ..V3_9
};

static V3_11: CPython = CPython {
    minor: 11,
    count: Count::WordWithDeepFrozen,
    values: Values::Separate,
    pre_header: PreHeader::Dict,
    key_table: KeyTable::Logarithmic,
    integer: Integer::SizeFromOne,
    code: CodeForm::Inline,
    code_path: 112,
    code_function: 128,
    code_names: 32,
    code_first_line: 72,
    code_instructions: 184,
    code_locals: 96,
    code_free_count: 92,
    opcodes: &bytecode::V3_11,
    thread_frame: 56,
    c_frame: Some(8),
    frame_previous: 48,
    frame_last: 56,
    last: Last::Pointer,
    frame_locals: 72,
    object_frame: 24,
    generator_frame: 80,
    generator_code: 16,
    returned: None,
    frame: FRAME_3_11,
    inner_frame: INNER_3_11,
    exception: NEW_EXCEPTION,
    ..V3_10
};

static V3_12: CPython = CPython {
    minor: 12,
    count: Count::Half,
    values: Values::Tagged,
    pre_header: PreHeader::DictAndWeakReferences,
    integer: Integer::Tag,
    text_ascii: 40,
    text_compact: 56,
    streams: Streams::Shown,
    type_qualname: 872,
    type_cached_keys: 880,
    code_first_line: 68,
    code_instructions: 192,
    code_traceable: Some(176),
    code_free_count: 88,
    opcodes: &bytecode::V3_12,
    c_frame: Some(0),
    frame_code: 0,
    frame_previous: 8,
    frame_owner: Some(70),
    generator_frame: 72,
    generator_code: 0,
    function: GENERIC_FUNCTION,
    inner_frame: INNER_3_12,
    own_locks: true,
    counts_threads: true,
    ..V3_11
};

static V3_13: CPython = CPython {
    minor: 13,
    values: Values::Inline,
    code_instructions: 200,
    code_traceable: Some(184),
    opcodes: &bytecode::V3_13,
    thread_frame: 72,
    c_frame: None,
    ..V3_12
};

/// 3.14.0 to 3.14.4 have a collector of their own, which works in steps.
static V3_14: CPython = CPython {
    minor: 14,
    since_micro: 5,
    count: Count::HalfWithFlags,
    tuple_items: 32,
    code_instructions: 208,
    code_traceable: Some(192),
    opcodes: &bytecode::V3_14,
    frame_owner: Some(74),
    frame_locals: 80,
    borrowing: Some(Borrowing { state: 67, cleared: 4, stack_top: 64 }),
    function: ANNOTATED_FUNCTION,
    lists: Lists::PointerBehind,
    gc_state: StateRow { enabled: 12, long_lived: 216 },
    tracks_all_dicts: true,
    free_lists: Some(FreeLists { behind_collector: 3448, pairs: 39, of_numbers: 2 }),
    ..V3_13
};

static V3_15: CPython = CPython {
    minor: 15,
    since_micro: 0,
    module_name: 40,
    byte_array_head: 33,
    type_bytes: 424,
    type_qualname: 880,
    type_cached_keys: 888,
    opcodes: &bytecode::V3_15,
    borrowing: Some(Borrowing { state: 67, cleared: 5, stack_top: 64 }),
    free_lists: Some(FreeLists { behind_collector: 3520, pairs: 41, of_numbers: 3 }),
    gc_state: StateRow { enabled: 8, long_lived: 144 },
    gc_stats: Some(StatsRow { behind_lists: 96 }),
    ..V3_14
};
