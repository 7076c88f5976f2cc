//! Names variables of CPython itself by what they are for: handlers of signals, codecs, audit hooks, and what `atexit` will call.
//!
//! No symbol and no published offset leads to them. Each is known by what stands in it and beside it, as it does in 3.8 to 3.15. In
//! 3.8 and 3.9 the module `atexit` itself shows what it will call.

use super::describe::Walk;
use crate::address_map::AddressMap;
use crate::cpython::dict;
use crate::cpython::integer;
use crate::cpython::memory::{GC_HEAD, tuple_items, type_of, word};
use crate::cpython::object::{LIST_ITEMS, MODULE_DICT, WORD, list_items};
use crate::cpython::text::push_text;
use crate::exit;
use crate::memory::{Grow, joined};
use crate::scan::reader::Reader;
use crate::sink::Sink;

const ATEXIT: &[u8] = b"atexit.register";
const AUDIT_HOOKS: &[u8] = b"sys.addaudithook";
/// The list of search functions, the dict of codecs that were found, and that of error handlers: three pointers in a row.
const CODECS: [&[u8]; 3] = [b"codecs.register", b"codecs.lookup", b"codecs.register_error"];
/// Error handlers that are there from the beginning.
const ERRORS: [&[u8]; 2] = [b"strict", b"xmlcharrefreplace"];
/// The handlers of signals: a flag and the function, for each number up to 64. Number 0 has none.
const HANDLER: usize = 2 * WORD;
const SIGNALS: usize = 64;
/// So many of them are alike: the default.
const UNTOUCHED: usize = SIGNALS / 2;
/// More than this are no hooks.
const MOST: usize = 1 << 12;

/// What a variable points to, and where the variable is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pointer {
    pub object: usize,
    pub place: usize,
}

impl<S: Sink> Walk<'_, S> {
    /// The names of those of these objects that stand in a variable that is known, and of what is behind one of these `pointers`, as
    /// texts of the trace.
    pub(super) unsafe fn interpreter_variables(
        &mut self,
        reader: &mut Reader,
        objects: &[Pointer],
        pointers: &[Pointer],
    ) -> AddressMap<u32> {
        let mut names = AddressMap::default();
        let mut name = |object: usize, name: u32| {
            // A pointer may be null.
            if object != 0 {
                names.insert(object, name);
            }
        };
        // SAFETY: as the caller promises, the lock is held, and the objects are alive.
        unsafe {
            for &Pointer { object, place } in objects {
                if self.has_error_handlers(object) {
                    for (nth, text) in CODECS.iter().enumerate() {
                        let codecs = reader.read_word(place - WORD * (CODECS.len() - 1 - nth));
                        name(codecs, self.sink.text(text));
                    }
                } else if self.is_for_exit(object) {
                    name(object, self.sink.text(ATEXIT));
                } else if let Some(signal) = signal_of(reader, place) {
                    name(object, self.sink.text(&joined(&[b"signal.signal(", &self.signal_name(signal), b")"])));
                }
            }
            for &pointer in pointers {
                if let Some(hooks) = self.audit_hooks(reader, pointer.object) {
                    let text = self.sink.text(AUDIT_HOOKS);
                    hooks.into_iter().for_each(|hook| name(hook, text));
                }
            }
            let own = self.own_function();
            if let Some(functions) = pointers.iter().find_map(|&pointer| for_exit(reader, own, pointer)) {
                let text = self.sink.text(ATEXIT);
                functions.into_iter().for_each(|object| name(object, text));
            }
        }
        names
    }

    /// Is it the dict of the error handlers of codecs?
    unsafe fn has_error_handlers(&self, object: usize) -> bool {
        let interpreter = &self.context.interpreter;
        // SAFETY: as the caller promises, the object is alive.
        unsafe {
            let has = |name: &&[u8]| dict::find(interpreter.row, object, name) != 0;
            type_of(object) == interpreter.dict && ERRORS.iter().all(has)
        }
    }

    /// The recorder's function for `atexit`; 0 where it is not there.
    fn own_function(&self) -> usize {
        match exit::own_arguments() {
            0 => 0,
            // SAFETY: a tuple of one element, which is held.
            arguments => unsafe { tuple_items(self.context.interpreter.row, arguments).first().copied().unwrap_or(0) },
        }
    }

    /// Is it the list that `atexit` has from 3.14 on, of tuples that begin with a function?
    unsafe fn is_for_exit(&self, object: usize) -> bool {
        let interpreter = &self.context.interpreter;
        let own = self.own_function();
        // SAFETY: as the caller promises, the object and what it holds are alive.
        unsafe {
            let is_own = |item: &usize| {
                type_of(*item) == interpreter.tuple && tuple_items(interpreter.row, *item).first() == Some(&own)
            };
            own != 0 && type_of(object) == interpreter.list && list_items(object).iter().any(is_own)
        }
    }

    /// What is in a list that the collector does not track: only `sys.addaudithook` has one. Nothing if it is none.
    unsafe fn audit_hooks(&self, reader: &mut Reader, list: usize) -> Option<Vec<usize>> {
        let is_it = reader.read_word(list + WORD) == self.context.interpreter.list
            && reader.read_word(list - GC_HEAD) == 0
            && reader.read_word(list) as u32 == 1;
        let (items, number) = (reader.read_word(list + LIST_ITEMS), reader.read_word(list + 2 * WORD));
        (is_it && number <= MOST).then(|| words(reader, items, number))
    }

    /// `SIGUSR1`, or the number where no module has a name for it.
    unsafe fn signal_name(&self, signal: usize) -> Vec<u8> {
        let interpreter = &self.context.interpreter;
        // SAFETY: as the caller promises, the lock is held, and the module and its constants are alive.
        unsafe {
            let module = dict::find(interpreter.row, interpreter.modules(), b"_signal");
            let is_module = module != 0 && type_of(module) == interpreter.module;
            let namespace = if is_module { word(module + MODULE_DICT) } else { 0 };
            for (key, value) in dict::entries(interpreter.row, namespace) {
                let is_it =
                    type_of(value) == interpreter.long && integer::small(interpreter.row, value) == Some(signal);
                let mut name = Vec::new();
                if is_it && push_text(interpreter.row, key, MOST, &mut name) && is_signal(&name) {
                    return name;
                }
            }
        }
        let digits = [signal / 10, signal % 10].map(|digit| b'0' + digit as u8);
        joined(&[&digits])
    }
}

fn is_signal(name: &[u8]) -> bool {
    name.starts_with(b"SIG") && !name.starts_with(b"SIG_")
}

/// Which signal's handler stands there, if it is one.
fn signal_of(reader: &mut Reader, place: usize) -> Option<usize> {
    let mut signal = 1;
    while reader.read_word(place - HANDLER * signal) != 0 {
        signal += 1;
        if signal > SIGNALS {
            return None;
        }
    }
    let first = place - HANDLER * (signal - 1);
    let mut functions = Vec::new();
    for nth in 0..SIGNALS {
        let is_flag = reader.read_word(first + HANDLER * nth - WORD) as u32 <= 1;
        if !is_flag || !functions.add(reader.read_word(first + HANDLER * nth)) {
            return None;
        }
    }
    functions.sort_unstable();
    let is_array = functions.chunk_by(|one, next| one == next).any(|alike| alike.len() >= UNTOUCHED);
    is_array.then_some(signal)
}

/// What `atexit` will call, up to 3.13: functions, their arguments and their keywords. The variable has the address of an array of
/// pointers, and how many they are; the recorder's own function is one of them.
fn for_exit(reader: &mut Reader, own: usize, Pointer { object: array, place }: Pointer) -> Option<Vec<usize>> {
    let numbers = reader.read_word(place + WORD);
    let (number, room) = (numbers as u32 as usize, numbers >> 32);
    if own == 0 || number == 0 || number > room || room > MOST {
        return None;
    }
    let entries = words(reader, array, number);
    entries.iter().any(|&entry| entry != 0 && reader.read_word(entry) == own).then(|| {
        let mut functions = Vec::new();
        for entry in entries {
            functions.add_all(&words(reader, entry, 3));
        }
        functions
    })
}

/// So many words of memory; fewer where it ends.
fn words(reader: &mut Reader, start: usize, number: usize) -> Vec<usize> {
    let mut words = Vec::new();
    for word in reader.read(start, WORD * number).chunks_exact(WORD) {
        words.add(word.first_chunk().map_or(0, |&bytes| usize::from_ne_bytes(bytes)));
    }
    words
}
