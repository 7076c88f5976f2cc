//! Compares a row with what CPython publishes of its own layout: `_Py_DebugOffsets`, at the start of `_PyRuntime`, since 3.13.
//!
//! A field inserted in the middle moves all behind it, so each minor version has a column of places here. They are those of
//! `pycore_debug_offsets.h` (3.13: `pycore_runtime.h`) of 3.13.18, 3.14.10 and 3.15.2. Sizes that grow within a minor version
//! (of the runtime, the interpreter and the thread state) are not compared.

use super::memory::{c_string, half, set_half, ty, word};
use super::versions::CPython;

/// What stands at the start of the table.
const COOKIE: &[u8; 8] = b"xdebugpy";
/// `Py_GIL_DISABLED`: a free-threaded build.
const FREE_THREADED: usize = 16;
/// The first minor version that publishes anything.
const FIRST: u8 = 13;
const COLUMNS: usize = 3;

/// A field of the table: its place in each minor version from [`FIRST`] on, 0 where it is not published.
struct Field {
    name: &'static str,
    places: [usize; COLUMNS],
    /// What the row expects there; `None` where it has no say.
    expected: fn(&CPython) -> Option<usize>,
}

const fn field(name: &'static str, places: [usize; COLUMNS], expected: fn(&CPython) -> Option<usize>) -> Field {
    Field { name, places, expected }
}

/// The collector's state in the interpreter, and its size.
const COLLECTOR: Field = field("interpreter_state.gc", [80, 88, 88], |_| None);
const COLLECTOR_SIZE: Field = field("gc.size", [568, 648, 752], |_| None);
/// In a thread state: what remote execution has (3.14+); in that: whether a script waits to be run, and its path.
const REMOTE: Field = field("debugger_support.remote_debugger_support", [0, 720, 848], |_| None);
const REMOTE_PENDING: Field = field("debugger_support.debugger_pending_call", [0, 736, 864], |_| None);
const REMOTE_SCRIPT: Field = field("debugger_support.debugger_script_path", [0, 744, 872], |_| None);
/// In the collector's state.
const COLLECTING: Field = field("gc.collecting", [576, 656, 760], |_| None);

const FIELDS: &[Field] = &[
    field("thread_state.interp", [176, 200, 200], |_| Some(super::memory::THREAD_INTERPRETER)),
    field("thread_state.current_frame", [184, 208, 208], |row| Some(row.thread_frame)),
    field("interpreter_frame.previous", [232, 256, 320], |row| Some(row.frame_previous)),
    field("interpreter_frame.executable", [240, 264, 328], |row| Some(row.frame_code)),
    field("interpreter_frame.instr_ptr", [248, 272, 336], |row| Some(row.frame_last)),
    field("interpreter_frame.localsplus", [256, 280, 344], |row| Some(row.frame_locals)),
    field("interpreter_frame.owner", [264, 288, 352], |row| row.frame_owner),
    field("interpreter_frame.stackpointer", [0, 296, 360], |row| row.borrowing.map(|borrowing| borrowing.stack_top)),
    field("code_object.filename", [280, 320, 384], |row| Some(row.code_path)),
    field("code_object.qualname", [296, 336, 400], |row| Some(row.code_function)),
    field("code_object.firstlineno", [312, 352, 416], |row| Some(row.code_first_line)),
    field("code_object.localsplusnames", [328, 368, 432], |row| Some(row.code_locals)),
    field("code_object.co_code_adaptive", [344, 384, 448], |row| Some(row.code_instructions)),
    field("pyobject.ob_type", [360, 408, 472], |_| Some(8)),
    field("type_object.size", [368, 416, 480], |row| Some(row.type_bytes)),
    field("type_object.tp_name", [376, 424, 488], |_| Some(ty::NAME)),
    field("type_object.tp_flags", [392, 440, 504], |_| Some(ty::FLAGS)),
    field("type_object.tp_basicsize", [0, 0, 512], |_| Some(ty::BASIC_SIZE)),
    field("type_object.tp_dictoffset", [0, 0, 520], |_| Some(ty::DICT_OFFSET)),
    field("heap_type_object.ht_cached_keys", [0, 0, 536], |row| Some(row.type_cached_keys)),
    field("tuple_object.ob_item", [408, 456, 552], |row| Some(row.tuple_items)),
    field("list_object.ob_item", [432, 480, 576], |_| Some(24)),
    field("dict_object.size", [448, 528, 624], |_| Some(48)),
    field("dict_object.ma_keys", [456, 536, 632], |_| Some(super::dict::KEYS)),
    field("dict_object.ma_values", [464, 544, 640], |_| Some(super::dict::VALUES)),
    field("unicode_object.state", [544, 624, 720], |_| Some(32)),
    field("unicode_object.length", [552, 632, 728], |_| Some(16)),
    field("unicode_object.asciiobject_size", [560, 640, 736], |row| Some(row.text_ascii)),
    field("unicode_object.compactunicodeobject_size", [0, 0, 744], |row| Some(row.text_compact)),
    field("gen_object.gi_iframe", [0, 680, 808], |row| Some(row.generator_frame)),
    field("gen_object.gi_frame_state", [0, 688, 816], |row| row.borrowing.map(|borrowing| borrowing.state)),
];

/// The published table of the running CPython.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Published {
    table: usize,
    column: usize,
}

impl Published {
    /// The table that stands at `runtime`; `None` for versions that publish none.
    ///
    /// # Errors
    /// A sentence, where a version that publishes one has another, or is a free-threaded build.
    ///
    /// # Safety
    /// `runtime` is the address of `_PyRuntime`.
    pub(crate) unsafe fn read(row: &CPython, runtime: usize) -> Result<Option<Published>, String> {
        let Some(column) = row.minor.checked_sub(FIRST).map(usize::from).filter(|&column| column < COLUMNS) else {
            return Ok(None);
        };
        // SAFETY: the runtime is far larger than the table, of which only known places are read.
        unsafe {
            if runtime == 0 || word(runtime) != usize::from_le_bytes(*COOKIE) {
                return Err("this CPython does not publish its layout as its version does".into());
            }
            if word(runtime + FREE_THREADED) != 0 {
                return Err("free-threaded builds of CPython cannot be recorded".into());
            }
        }
        Ok(Some(Published { table: runtime, column }))
    }

    /// Compares all that is published with the row.
    ///
    /// # Errors
    /// A sentence that names the first field that differs.
    pub(crate) fn agrees(self, row: &CPython) -> Result<(), String> {
        for field in FIELDS {
            let (Some(published), Some(expected)) = (self.value(field), (field.expected)(row)) else { continue };
            if published != expected {
                let name = field.name;
                return Err(format!(
                    "this build of CPython differs from its version: {name} is {published}, not {expected}"
                ));
            }
        }
        Ok(())
    }

    /// Where the collector's state ends, in this interpreter.
    pub(crate) fn end_of_collector(self, interpreter: usize) -> Option<usize> {
        Some(interpreter + self.value(&COLLECTOR)? + self.value(&COLLECTOR_SIZE)?)
    }

    /// Whether a collection is going on in this interpreter; `None` where that is not published.
    ///
    /// # Safety
    /// Under the interpreter's lock.
    pub(crate) unsafe fn is_collecting(self, interpreter: usize) -> Option<bool> {
        let place = interpreter + self.value(&COLLECTOR)? + self.value(&COLLECTING)?;
        // SAFETY: the field is an `int` in the interpreter.
        Some(unsafe { half(place) } != 0)
    }

    /// Takes a script back that this thread was asked to run, and has not.
    ///
    /// # Safety
    /// Under the interpreter's lock; `thread` is a thread state.
    pub(crate) unsafe fn forget_script(self, thread: usize, script: &[u8]) {
        let places = [&REMOTE, &REMOTE_PENDING, &REMOTE_SCRIPT].map(|field| self.value(field));
        let [Some(remote), Some(pending), Some(path)] = places else { return };
        let (pending, path) = (thread + remote + pending, thread + remote + path);
        // SAFETY: as the caller promises; the text ends with a zero byte in its room of the thread state.
        unsafe {
            if half(pending) == 1 && c_string(path) == script {
                set_half(pending, 0);
            }
        }
    }

    fn value(self, field: &Field) -> Option<usize> {
        let place = field.places[self.column];
        // SAFETY: the place is within the table, as `read` has made sure of.
        (place != 0).then(|| unsafe { word(self.table + place) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpython::versions;

    /// A table as a CPython of this row would publish it.
    fn table(row: &CPython) -> Vec<usize> {
        let column = usize::from(row.minor - FIRST);
        let mut words = vec![0; 888 / 8];
        words[0] = usize::from_le_bytes(*COOKIE);
        for field in FIELDS {
            if let (place @ 1.., Some(value)) = (field.places[column], (field.expected)(row)) {
                words[place / 8] = value;
            }
        }
        words
    }

    fn verdict(row: &CPython, words: &[usize]) -> Result<(), String> {
        // SAFETY: the words are those of the made table.
        unsafe { Published::read(row, words.as_ptr().addr()) }
            .map(|published| published.map_or(Ok(()), |p| p.agrees(row)))?
    }

    #[test]
    fn a_table_that_says_what_the_row_says_agrees() {
        for minor in 13..=15 {
            let row = versions::row(minor).unwrap();
            assert_eq!(verdict(row, &table(row)), Ok(()), "3.{minor}");
        }
    }

    #[test]
    fn each_field_that_differs_is_named() {
        for minor in 13..=15 {
            let row = versions::row(minor).unwrap();
            for field in FIELDS {
                let place = field.places[usize::from(minor - FIRST)];
                if place == 0 || (field.expected)(row).is_none() {
                    continue;
                }
                let mut words = table(row);
                words[place / 8] += 8;
                let error = verdict(row, &words).unwrap_err();
                assert!(error.contains(field.name), "3.{minor}: {error}");
            }
        }
    }

    #[test]
    fn no_two_fields_have_one_place() {
        for column in 0..COLUMNS {
            let mut places: Vec<usize> = FIELDS.iter().map(|field| field.places[column]).filter(|&p| p != 0).collect();
            let all = places.len();
            places.sort_unstable();
            places.dedup();
            assert_eq!(places.len(), all);
        }
    }

    #[test]
    fn a_table_of_something_else_is_refused() {
        let row = versions::row(14).unwrap();
        let mut words = table(row);
        words[0] += 1;
        assert!(verdict(row, &words).unwrap_err().contains("does not publish"));
        // SAFETY: the words are those of the made table.
        assert!(unsafe { Published::read(row, 0) }.is_err());
    }

    #[test]
    fn a_free_threaded_build_is_refused_by_its_published_flag() {
        let row = versions::row(15).unwrap();
        let mut words = table(row);
        words[FREE_THREADED / 8] = 1;
        assert_eq!(verdict(row, &words).unwrap_err(), "free-threaded builds of CPython cannot be recorded");
    }

    #[test]
    fn versions_before_the_table_have_nothing_to_compare() {
        let row = versions::row(12).unwrap();
        // SAFETY: the words are those of the made table.
        assert!(unsafe { Published::read(row, 0) }.unwrap().is_none());
    }
}
