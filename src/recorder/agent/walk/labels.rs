//! Numbers the names of places as texts: built once per walk for each name object, so that the walk itself hashes addresses only.

use super::describe::Walk;
use crate::cpython::integer;
use crate::cpython::interpreter::Interpreter;
use crate::cpython::memory::{c_string, flag, ty, type_flags, type_of, word};
use crate::cpython::text::{is_interned, is_text, push_text};
use crate::memory::{Grow, joined};
use crate::sink::Sink;

/// A name is cut here, characters.
const NAME_LIMIT: usize = 200;
/// Bit 31 of a slot's word: an index.
const INDEX: u32 = 1 << 31;

/// How the name of a place is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// `.x`
    Attribute = 1,
    /// `['x']`
    Key = 2,
    /// `local x`
    Local = 3,
    /// `cell x`
    Cell = 4,
}

/// The slot `[index]`.
pub(super) fn index_label(index: usize) -> u32 {
    INDEX | u32::try_from(index).unwrap_or(INDEX - 1).min(INDEX - 1)
}

impl<S: Sink> Walk<'_, S> {
    pub(super) fn fixed(&mut self, text: &'static str) -> u32 {
        // Texts of the program itself: their address is as good a key as that of a Python object.
        let key = text.as_ptr() as usize;
        if let Some(label) = self.scratch.fixed.get(key) {
            return label;
        }
        let label = self.sink.text(text.as_bytes());
        self.scratch.fixed.insert(key, label);
        label
    }

    /// The label of the place that the `str` at `name` names; 0 if it is no `str`.
    pub(super) unsafe fn label(&mut self, name: usize, form: Form) -> u32 {
        let key = name | form as usize;
        if let Some(label) = self.scratch.labels.get(key) {
            return label;
        }
        // SAFETY: as the caller promises, the name or key is alive.
        let label = unsafe { self.new_label(name, form) };
        self.scratch.labels.insert(key, label);
        label
    }

    unsafe fn new_label(&mut self, name: usize, form: Form) -> u32 {
        // SAFETY: as the caller promises, the name or key is alive.
        unsafe {
            if !is_text(name) {
                return 0;
            }
            let mut text = std::mem::take(&mut self.scratch.text);
            text.clear();
            text.add_all(match form {
                Form::Attribute => b".",
                Form::Key => b"['",
                Form::Local => b"local ",
                Form::Cell => b"cell ",
            });
            if form == Form::Key {
                push_quoted(&self.context.interpreter, name, &mut text);
                text.add_all(b"']");
            } else {
                push_text(self.context.interpreter.row, name, NAME_LIMIT, &mut text);
            }
            let label = self.sink.text(&text);
            self.scratch.text = text;
            label
        }
    }

    /// The label of the value under `key` in a dict. A text that is data is not written unless it is to be shown.
    pub(super) unsafe fn key_label(&mut self, key: usize, shown: bool) -> u32 {
        // SAFETY: as the caller promises, the name or key is alive.
        unsafe {
            let class = type_of(key);
            let flags = type_flags(class);
            let interpreter = &self.context.interpreter;
            if flags & flag::UNICODE_SUBCLASS != 0 {
                if !shown {
                    return self.fixed("['…']");
                }
                if let Some(label) = self.scratch.labels.get(key | Form::Key as usize) {
                    return label;
                }
                if is_interned(key) {
                    return self.label(key, Form::Key);
                }
                // Data, not a name in the source: as many as the data has, so there is an end to them.
                let spent = self.context.data_keys.get();
                if spent >= super::DATA_KEYS {
                    return self.fixed("[str]");
                }
                self.context.data_keys.set(spent + 1);
                return self.label(key, Form::Key);
            }
            if class == interpreter.long
                && let Some(number) = integer::small(interpreter.row, key)
            {
                return index_label(number);
            }
            if class == interpreter.boolean {
                return self.fixed(if integer::small(interpreter.row, key) == Some(0) { "[False]" } else { "[True]" });
            }
            if key == interpreter.none {
                return self.fixed("[None]");
            }
            if let Some(label) = self.scratch.labels.get(class | Form::Key as usize) {
                return label;
            }
            let name = c_string(word(class + ty::NAME));
            let label = self.sink.text(&joined(&[b"[", name, b"]"]));
            self.scratch.labels.insert(class | Form::Key as usize, label);
            label
        }
    }
}

/// The text between the quotes of a Python literal.
unsafe fn push_quoted(interpreter: &Interpreter, name: usize, out: &mut Vec<u8>) {
    let start = out.len();
    // SAFETY: as the caller promises, the name or key is alive.
    let whole = unsafe { push_text(interpreter.row, name, NAME_LIMIT, out) };
    if out[start..].iter().any(|byte| matches!(byte, b'\'' | b'\\' | 0..=31)) {
        let plain = out.split_off(start);
        for byte in plain {
            match byte {
                b'\'' | b'\\' => out.add_all(&[b'\\', byte]),
                b'\n' => out.add_all(b"\\n"),
                b'\r' => out.add_all(b"\\r"),
                b'\t' => out.add_all(b"\\t"),
                0..=31 => out.add_all(format!("\\x{byte:02x}").as_bytes()),
                _ => out.add(byte),
            };
        }
    }
    if !whole {
        out.add_all("…".as_bytes());
    }
}
