//! One row of offsets for each version: what a walk reads beyond the parts of CPython that never change.
//!
//! Read from the headers of 3.8.18, 3.9.18, 3.10.13, 3.11.7, 3.12.1 and 3.13.0 with `offsetof` (64-bit, GIL). An unknown
//! version has no row, and then there is no walk.

use super::opcodes::{self, Opcodes};

/// The offsets that differ between the versions. An offset of 0 means that the version has no such field.
#[derive(Debug)]
pub struct Layout {
    pub minor: u8,
    /// In a `PyHeapTypeObject`.
    pub type_qualname: usize,
    pub type_cached_keys: usize,
    /// In a `PyCodeObject`.
    pub code_first_line: usize,
    pub code_path: usize,
    pub code_name: usize,
    pub code_names: usize,
    /// The first instruction (3.11+), or before that the `bytes` of all of them.
    pub code_instructions: usize,
    pub opcodes: Opcodes,
    pub code_qualname: usize,
    /// `co_localsplusnames`; before 3.11 `co_varnames`, with `co_freevars` and `co_cellvars` behind it.
    pub code_locals: usize,
    /// `co_nfreevars` (3.11+).
    pub code_free_count: usize,
    /// In a `PyUnicodeObject`: where the text begins.
    pub ascii_data: usize,
    pub compact_data: usize,
    /// In a frame: a `PyFrameObject` before 3.11, a `_PyInterpreterFrame` since.
    pub frame_code: usize,
    pub frame_previous: usize,
    pub frame_owner: usize,
    pub frame_locals: usize,
    /// Of the `_PyInterpreterFrame` in a `PyFrameObject` (3.11+: a pointer), and in a generator (inside it).
    pub object_frame: usize,
    pub generator_frame: usize,
    /// `gi_code`, before 3.12.
    pub generator_code: usize,
    /// In a `PyThreadState`: the frame, or (3.11, 3.12) the C frame and the frame in that.
    pub thread_frame: usize,
    pub c_frame_frame: Option<usize>,
    /// Named fields that are no `tp_members`, in the order in which `tp_traverse` visits them.
    pub function: &'static [(u16, &'static str)],
    pub function_code: usize,
    pub function_closure: usize,
    pub function_name: usize,
    pub function_module: usize,
    pub frame: &'static [(u16, &'static str)],
    /// Fields of the frame inside a generator or a frame object (3.11+).
    pub inner_frame: &'static [(u16, &'static str)],
    pub exception: &'static [(u16, &'static str)],
}

const OLD_EXCEPTION: &[(u16, &str)] =
    &[(24, ".args"), (32, ".__traceback__"), (48, ".__cause__"), (40, ".__context__")];
const NEW_EXCEPTION: &[(u16, &str)] =
    &[(24, ".args"), (32, ".__notes__"), (40, ".__traceback__"), (56, ".__cause__"), (48, ".__context__")];

const OLD_FUNCTION: &[(u16, &str)] = &[
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
const NEW_FUNCTION: &[(u16, &str)] = &[
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
const GENERIC_FUNCTION: &[(u16, &str)] = &[
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

const FRAME_3_8: &[(u16, &str)] =
    &[(24, ".f_back"), (32, ".f_code"), (40, ".f_builtins"), (48, ".f_globals"), (56, ".f_locals"), (80, ".f_trace")];
const FRAME_3_10: &[(u16, &str)] =
    &[(24, ".f_back"), (32, ".f_code"), (40, ".f_builtins"), (48, ".f_globals"), (56, ".f_locals"), (72, ".f_trace")];
const FRAME_3_11: &[(u16, &str)] = &[(16, ".f_back"), (32, ".f_trace")];

const INNER_3_11: &[(u16, &str)] = &[(40, ".gi_frame"), (24, ".f_locals"), (0, ".f_func"), (32, ".f_code")];
const INNER_3_12: &[(u16, &str)] = &[(48, ".gi_frame"), (40, ".f_locals"), (16, ".f_func"), (0, ".f_code")];

const V3_8: Layout = Layout {
    minor: 8,
    type_qualname: 864,
    type_cached_keys: 872,
    code_first_line: 40,
    code_path: 104,
    code_name: 112,
    code_names: 64,
    code_instructions: 48,
    opcodes: opcodes::V3_8,
    code_qualname: 0,
    code_locals: 72,
    code_free_count: 0,
    ascii_data: 48,
    compact_data: 72,
    frame_code: 32,
    frame_previous: 24,
    frame_owner: 0,
    frame_locals: 360,
    object_frame: 0,
    generator_frame: 0,
    generator_code: 32,
    thread_frame: 24,
    c_frame_frame: None,
    function: OLD_FUNCTION,
    function_code: 16,
    function_closure: 48,
    function_name: 64,
    function_module: 88,
    frame: FRAME_3_8,
    inner_frame: &[],
    exception: OLD_EXCEPTION,
};
const V3_9: Layout = Layout { minor: 9, type_qualname: 856, type_cached_keys: 864, ..V3_8 };
const V3_10: Layout = Layout {
    minor: 10,
    type_qualname: 864,
    type_cached_keys: 872,
    frame_locals: 352,
    generator_code: 24,
    function: NEW_FUNCTION,
    function_code: 48,
    function_closure: 72,
    function_name: 32,
    function_module: 104,
    frame: FRAME_3_10,
    ..V3_8
};
const V3_11: Layout = Layout {
    minor: 11,
    code_first_line: 72,
    code_path: 112,
    code_name: 120,
    code_names: 32,
    code_instructions: 184,
    opcodes: opcodes::V3_11,
    code_qualname: 128,
    code_locals: 96,
    code_free_count: 92,
    frame_code: 32,
    frame_previous: 48,
    frame_owner: 69,
    frame_locals: 72,
    object_frame: 24,
    generator_frame: 80,
    generator_code: 16,
    thread_frame: 56,
    c_frame_frame: Some(8),
    frame: FRAME_3_11,
    inner_frame: INNER_3_11,
    exception: NEW_EXCEPTION,
    ..V3_10
};
const V3_12: Layout = Layout {
    minor: 12,
    type_qualname: 872,
    type_cached_keys: 880,
    code_first_line: 68,
    code_instructions: 192,
    opcodes: opcodes::V3_12,
    code_free_count: 88,
    ascii_data: 40,
    compact_data: 56,
    frame_code: 0,
    frame_previous: 8,
    frame_owner: 70,
    generator_frame: 72,
    generator_code: 0,
    c_frame_frame: Some(0),
    function: GENERIC_FUNCTION,
    inner_frame: INNER_3_12,
    ..V3_11
};
const V3_13: Layout = Layout {
    minor: 13,
    thread_frame: 72,
    c_frame_frame: None,
    code_instructions: 200,
    opcodes: opcodes::V3_13,
    ..V3_12
};

pub static LAYOUTS: [Layout; 6] = [V3_8, V3_9, V3_10, V3_11, V3_12, V3_13];
