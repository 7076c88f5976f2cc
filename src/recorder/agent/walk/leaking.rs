//! Says of which types the garbage is whose next births are worth a stack: the program's own, that no free list keeps.

use super::classes::Kind;
use super::describe::Walk;
use crate::cpython::memory::{c_string, ty, word};
use crate::cpython::text::text;
use crate::sink::Sink;

/// So many births after a leak are worth a stack, where each may have another size.
const BIRTHS: usize = 4;
/// Homes that are kept until the next walk.
const KEPT: usize = 1 << 12;
/// Whose a class or a code object is: the program's, or of a package, the standard library, or the interpreter.
const OWN: u32 = 1;
const FOREIGN: u32 = 2;

impl<S: Sink> Walk<'_, S> {
    /// Tells of these unreachable objects which types have leaked.
    pub(super) unsafe fn tell_leaks(&mut self, unreachable: &[usize]) {
        if self.scratch.n_homes > KEPT {
            self.scratch.homes.clear();
            self.scratch.n_homes = 0;
        }
        for &object in unreachable {
            // SAFETY: as the caller promises, the lock is held and the objects are alive.
            unsafe {
                let class = self.class_of(object);
                if self.is_worth_a_stack(object, class) {
                    let interpreter = &self.context.interpreter;
                    let class = &self.scratch.classes[class];
                    let (head, _) = class.head(interpreter, object);
                    let (fewest, most) = class.body_to_come(interpreter, object, BIRTHS);
                    self.sink.leaked(class.address, head + fewest..=head + most);
                }
            }
        }
    }

    unsafe fn is_worth_a_stack(&mut self, object: usize, class: usize) -> bool {
        let (kind, address) = (self.scratch.classes[class].kind, self.scratch.classes[class].address);
        // SAFETY: as the caller promises, the lock is held and the object is alive.
        unsafe {
            match kind {
                Kind::Type => self.is_own(object, false),
                Kind::Function | Kind::Generator => match self.code_of(object, kind) {
                    Some(code) => self.is_own(code, true),
                    None => false,
                },
                _ if self.scratch.classes[class].in_python => self.is_own(address, false),
                // One is made before memory is short, and kept.
                Kind::Exception => c_string(word(address + ty::NAME)) != b"MemoryError",
                _ => false,
            }
        }
    }

    /// Whether a class or a code object is at home in a file of the program itself.
    unsafe fn is_own(&mut self, object: usize, is_code: bool) -> bool {
        let known = self.scratch.homes.value(object);
        if known != 0 {
            return known == OWN;
        }
        // SAFETY: as the caller promises, the lock is held and the object is alive.
        let file = unsafe {
            match is_code {
                true => text(self.context.interpreter.row, word(object + self.context.interpreter.row.code_path)),
                false => self.class_file(object),
            }
        };
        let is_own = !is_foreign(&file);
        self.scratch.homes.insert(object, if is_own { OWN } else { FOREIGN });
        self.scratch.n_homes += 1;
        is_own
    }
}

/// Whether a file is the standard library's, or of an installed package, as far as its path tells.
fn is_foreign(path: &str) -> bool {
    const PLACES: [&str; 4] = ["/site-packages/", "/dist-packages/", "/lib/python3.", "/lib64/python3."];
    path.starts_with("<frozen") || path == "<built-in>" || PLACES.iter().any(|place| path.contains(place))
}

#[cfg(test)]
mod tests {
    use super::is_foreign;

    #[test]
    fn the_program_is_what_is_not_installed() {
        for path in ["/srv/app/models.py", "models.py", "<string>", "", "/home/lib/python/x.py"] {
            assert!(!is_foreign(path), "{path}");
        }
        for path in [
            "/usr/lib/python3/dist-packages/six.py",
            "/v/lib/python3.12/site-packages/six.py",
            "/usr/lib/python3.12/enum.py",
            "<frozen importlib._bootstrap>",
        ] {
            assert!(is_foreign(path), "{path}");
        }
    }
}
