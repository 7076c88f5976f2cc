//! Reads the version of a package that the program has imported, of which layouts depend.

use crate::cpython::dict;
use crate::cpython::interpreter::Interpreter;
use crate::cpython::memory::{type_of, word};
use crate::cpython::object::MODULE_DICT;
use crate::cpython::text::text_within;

/// The first two numbers of `module.__version__`; `None` where there is no such module or no such version.
///
/// # Safety
/// The interpreter's lock is held.
pub(super) unsafe fn version(interpreter: &Interpreter, module: &[u8]) -> Option<(u32, u32)> {
    // SAFETY: as the caller promises; what `sys.modules` and a module's dict hold is alive.
    unsafe {
        let row = interpreter.row;
        let module = dict::find(row, interpreter.modules(), module);
        if module == 0 || type_of(module) != interpreter.module {
            return None;
        }
        let text = text_within(row, dict::find(row, word(module + MODULE_DICT), b"__version__"), 100);
        let mut numbers = text.split('.').map(str::parse);
        Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
    }
}
