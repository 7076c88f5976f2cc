//! The numbers that differ between CPython's minor versions: offsets in bytes, one row of data for each version.
//!
//! 64-bit builds with the global lock, checked with `offsetof` on 3.8.18, 3.9.18, 3.10.13, 3.11.7, 3.12.1 and 3.13.0. A version without a row gets neither
//! stacks nor inline names, rather than wrong ones.

/// Where frames, code objects and strings keep what a stack walk needs.
#[derive(Debug, Clone, Copy)]
pub struct Abi {
    /// Minor version: 8 for 3.8.
    pub minor: u8,
    /// Thread state → current frame, or (3.11, 3.12) → the C frame that has it.
    pub thread_frame: usize,
    /// C frame → current frame; `None` where the thread state has it itself.
    pub c_frame: Option<usize>,
    /// Frame → code object.
    pub frame_code: usize,
    /// Frame → the frame that called it.
    pub frame_previous: usize,
    /// Frame → last instruction.
    pub frame_last: usize,
    /// What the last instruction is.
    pub last: Last,
    /// Frame → the byte that says who owns it (3.12+); [`OWNED_BY_C_STACK`] marks a frame without Python code.
    pub frame_owner: Option<usize>,
    /// Code → `co_filename`.
    pub code_path: usize,
    /// Code → `co_qualname` (3.11+), or `co_name`.
    pub code_function: usize,
    /// Code → first instruction (3.11+).
    pub code_first: usize,
    /// Code → number of its first traceable instruction (3.12+): behind the end in a code object that no stack shows.
    pub code_traceable: Option<usize>,
    /// Bytes of `PyASCIIObject`: where the characters of an ASCII string begin.
    pub text_ascii: usize,
    /// Bytes of `PyCompactUnicodeObject`: where the characters of any other string begin.
    pub text_compact: usize,
}

/// The form of a frame's last instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Last {
    /// An `int`, times this many bytes.
    Index(i32),
    /// A pointer into the code object.
    Pointer,
}

/// `FRAME_OWNED_BY_CSTACK` (3.12+).
pub const OWNED_BY_C_STACK: u8 = 3;

/// Thread state → interpreter state, the same in 3.8 to 3.13.
pub const THREAD_INTERPRETER: usize = 16;

/// The versions that are known.
pub const VERSIONS: [Abi; 6] = [
    Abi { minor: 8, ..OLD },
    Abi { minor: 9, ..OLD },
    Abi { minor: 10, frame_last: 96, last: Last::Index(2), ..OLD },
    Abi {
        minor: 11,
        thread_frame: 56,
        c_frame: Some(8),
        frame_code: 32,
        frame_previous: 48,
        frame_last: 56,
        last: Last::Pointer,
        frame_owner: None,
        code_path: 112,
        code_function: 128,
        code_first: 184,
        code_traceable: None,
        text_ascii: 48,
        text_compact: 72,
    },
    Abi {
        minor: 12,
        thread_frame: 56,
        c_frame: Some(0),
        frame_code: 0,
        frame_previous: 8,
        frame_last: 56,
        last: Last::Pointer,
        frame_owner: Some(70),
        code_path: 112,
        code_function: 128,
        code_first: 192,
        code_traceable: Some(176),
        text_ascii: 40,
        text_compact: 56,
    },
    Abi {
        minor: 13,
        thread_frame: 72,
        c_frame: None,
        frame_code: 0,
        frame_previous: 8,
        frame_last: 56,
        last: Last::Pointer,
        frame_owner: Some(70),
        code_path: 112,
        code_function: 128,
        code_first: 200,
        code_traceable: Some(184),
        text_ascii: 40,
        text_compact: 56,
    },
];

/// 3.8 and 3.9, with what 3.10 shares.
const OLD: Abi = Abi {
    minor: 0,
    thread_frame: 24,
    c_frame: None,
    frame_code: 32,
    frame_previous: 24,
    frame_last: 104,
    last: Last::Index(1),
    frame_owner: None,
    code_path: 104,
    code_function: 112,
    code_first: 0,
    code_traceable: None,
    text_ascii: 48,
    text_compact: 72,
};

/// Fields of `PyTypeObject`, the same in 3.8 to 3.13.
pub mod type_field {
    pub const DEALLOC: usize = 48;
    pub const FLAGS: usize = 168;

    pub const HEAP: u64 = 1 << 9;
    pub const READY: u64 = 1 << 12;
    pub const GC: u64 = 1 << 14;
    /// 3.12+.
    pub const MANAGED_WEAKREF: u64 = 1 << 3;
    /// 3.11+.
    pub const MANAGED_DICT: u64 = 1 << 4;
    /// Instances are classes.
    pub const CLASS: u64 = 1 << 31;
}

/// Bytes between the start of the block and an instance of a type with these flags: the collector's header, and in front
/// of it the pointers to a managed dict and weak references.
pub fn pre_header(minor: u8, flags: u64) -> usize {
    let collector = if flags & type_field::GC != 0 { 16 } else { 0 };
    let managed = match minor {
        ..=10 => 0,
        11 => type_field::MANAGED_DICT,
        _ => type_field::MANAGED_DICT | type_field::MANAGED_WEAKREF,
    };
    collector + if flags & managed != 0 { 16 } else { 0 }
}

/// The row of a version, if there is one.
pub fn of(minor: u8) -> Option<Abi> {
    VERSIONS.into_iter().find(|abi| abi.minor == minor)
}

/// The word at `address + offset`.
///
/// # Safety
/// The address must be readable there, and aligned to eight bytes.
#[inline]
pub unsafe fn word(address: usize, offset: usize) -> usize {
    // SAFETY: as the caller promises.
    unsafe { *((address + offset) as *const usize) }
}
