//! Reads the version of a package that the program has imported, of which layouts depend.

use crate::cpython::dict::{self, Table};
use crate::cpython::interpreter::Interpreter;
use crate::cpython::memory::{type_of, word};
use crate::cpython::object::MODULE_DICT;
use crate::cpython::text::{text_is, text_within};

/// The first two numbers of `module.__version__`; `None` where there is no such module or no such version.
///
/// # Safety
/// The interpreter's lock is held.
pub(super) unsafe fn version(interpreter: &Interpreter, module: &[u8]) -> Option<(u32, u32)> {
    // SAFETY: as the caller promises; what `sys.modules` and a module's dict hold is alive.
    unsafe {
        let module = entry(interpreter, interpreter.modules(), module);
        if module == 0 || type_of(module) != interpreter.module {
            return None;
        }
        let text = text_within(interpreter.row, entry(interpreter, word(module + MODULE_DICT), b"__version__"), 100);
        let mut numbers = text.split('.').map(str::parse);
        Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
    }
}

/// What a dict has under a name of ASCII, or 0.
unsafe fn entry(interpreter: &Interpreter, dict: usize, name: &[u8]) -> usize {
    // SAFETY: as the caller promises, the dict is alive or 0.
    unsafe {
        if dict == 0 || word(dict + dict::KEYS) == 0 {
            return 0;
        }
        let table = Table::of(interpreter.row, word(dict + dict::KEYS), word(dict + dict::VALUES));
        let mut entries = (0..table.count).map(|index| table.entry(index));
        let found = entries.find(|&(key, value)| value != 0 && text_is(interpreter.row, key, name));
        found.map_or(0, |(_, value)| value)
    }
}
