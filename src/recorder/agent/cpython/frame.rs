//! Reads frames: the code, the variables and the values of running functions and of suspended generators.

use super::interpreter::Interpreter;
use super::memory::{byte, half, referent, tuple_items, word};
use super::versions::{CPython, CodeForm, OWNER_WITHOUT_CODE, Returned};
use crate::memory::Gather;

/// `f_funcobj` in a `_PyInterpreterFrame` of 3.14 and 3.15.
const FRAME_FUNCTION: usize = 16;
/// No stack is followed further.
const MAX_DEPTH: usize = 1 << 20;

/// What has a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holder {
    FrameObject,
    Generator,
}

impl Interpreter {
    /// The frame of a frame object or generator: where its fields and variables are, and its code.
    pub(crate) unsafe fn frame_of(&self, object: usize, holder: Holder) -> Option<(usize, usize)> {
        let row = self.row;
        // SAFETY: as the caller promises, the frame or what holds it is alive; the row says where the parts are.
        unsafe {
            let frame = match (row.code, holder) {
                (CodeForm::Objects, Holder::FrameObject) => object,
                (CodeForm::Objects, Holder::Generator) => return None, // the frame is an object of its own
                (CodeForm::Inline, Holder::FrameObject) => word(object + row.object_frame),
                (CodeForm::Inline, Holder::Generator) => object + row.generator_frame,
            };
            if frame == 0 {
                return None;
            }
            let code = referent(word(frame + row.frame_code));
            self.is_code(code).then_some((frame, code))
        }
    }

    /// Variables and places for values that a frame object or generator has room for inside itself.
    pub(crate) unsafe fn frame_slots(&self, object: usize, holder: Holder) -> usize {
        let slots = |code: usize| {
            // `co_stacksize` and `co_nlocalsplus` stand on both sides of `co_firstlineno`.
            let line = code + self.row.code_first_line;
            // SAFETY: as the caller promises, the frame or what holds it is alive; the row says where the parts are.
            unsafe { half(line - 4).max(0).cast_unsigned() + half(line + 4).max(0).cast_unsigned() }
        };
        // SAFETY: as the caller promises, the frame or what holds it is alive; the row says where the parts are.
        unsafe { self.frame_of(object, holder).map_or(0, |(_, code)| slots(code) as usize) }
    }

    /// Where the stack of values begins in a frame object whose function has returned: what stands there is no reference any more.
    pub(crate) unsafe fn values_of_returned(&self, frame: usize) -> Option<usize> {
        // SAFETY: as the caller promises, the frame is alive; the row says where the parts are.
        unsafe {
            let has_returned = match self.row.returned? {
                Returned::WithoutStack { top, executing } => word(frame + top) == 0 && byte(frame + executing) == 0,
                Returned::State { state, states } => states.contains(&byte(frame + state)),
            };
            let (_, code) = self.frame_of(frame, Holder::FrameObject).filter(|_| has_returned)?;
            Some(frame + self.row.frame_locals + 8 * variable_names(self.row, code).len())
        }
    }

    /// Calls `each` with every object that a suspended generator refers to without a count, once for each such reference.
    /// Its `tp_traverse` reports these as well; the collector alone does not count them.
    pub(crate) unsafe fn borrowed(&self, generator: usize, mut each: impl FnMut(usize)) {
        let Some(borrowing) = self.row.borrowing else { return };
        // SAFETY: as the caller promises, the frame or what holds it is alive; the row says where the parts are.
        unsafe {
            if byte(generator + borrowing.state) == borrowing.cleared {
                return;
            }
            let frame = generator + self.row.generator_frame;
            let values = frame + self.row.frame_locals;
            let top = word(frame + borrowing.stack_top);
            if !(values..=values + 8 * self.frame_slots(generator, Holder::Generator)).contains(&top) {
                return;
            }
            // Besides its values the code and the function may be borrowed.
            for place in (values..top).step_by(8).chain([frame + self.row.frame_code, frame + FRAME_FUNCTION]) {
                let reference = word(place);
                let object = referent(reference);
                if object != 0 && reference != object && !self.count(object).1 {
                    each(object);
                }
            }
        }
    }

    /// Calls `each` with every frame that runs Python code, and its code: of all threads, the innermost first.
    pub(crate) unsafe fn running_frames(&self, mut each: impl FnMut(usize, usize)) {
        let row = self.row;
        // SAFETY: as the caller promises, the frame or what holds it is alive; the row says where the parts are.
        unsafe {
            for thread in self.threads() {
                let mut frame = word(thread + row.thread_frame);
                if let Some(offset) = row.c_frame {
                    frame = if frame == 0 { 0 } else { word(frame + offset) };
                }
                for _ in 0..MAX_DEPTH {
                    if frame == 0 {
                        break;
                    }
                    let code = referent(word(frame + row.frame_code));
                    if has_python_code(row, frame) && self.is_code(code) {
                        each(frame, code);
                    }
                    frame = word(frame + row.frame_previous);
                }
            }
        }
    }
}

/// Does Python code run in the frame, and not only an entry into the interpreter?
#[inline]
pub(crate) unsafe fn has_python_code(row: &CPython, frame: usize) -> bool {
    // SAFETY: as the caller promises, the frame or what holds it is alive; the row says where the parts are.
    row.frame_owner.is_none_or(|owner| unsafe { byte(frame + owner) } < OWNER_WITHOUT_CODE)
}

/// The object in the place of a frame's variable or value.
pub(crate) unsafe fn variable(row: &CPython, frame: usize, index: usize) -> usize {
    // SAFETY: as the caller promises, the frame or what holds it is alive; the row says where the parts are.
    referent(unsafe { word(frame + row.frame_locals + 8 * index) })
}

/// Names of the variables in the order of a frame's places.
pub(crate) unsafe fn variable_names(row: &CPython, code: usize) -> Vec<usize> {
    // SAFETY: as the caller promises, the frame or what holds it is alive; the row says where the parts are.
    unsafe {
        match row.code {
            CodeForm::Inline => tuple_items(row, word(code + row.code_locals)).iter().copied().gather(),
            CodeForm::Objects => {
                // co_varnames, co_freevars, co_cellvars; in the frame: variables, cells, free variables.
                let tuples = [0, 8, 16].map(|next| tuple_items(row, word(code + row.code_locals + next)));
                let [variables, free, cells] = tuples;
                [variables, cells, free].into_iter().flatten().copied().gather()
            }
        }
    }
}

/// `co_consts`, which stands right before `co_names`.
pub(crate) unsafe fn constants(row: &CPython, code: usize) -> usize {
    // SAFETY: as the caller promises; the row says where the parts are.
    unsafe { word(code + row.code_names - 8) }
}

/// Names of the variables of outer functions that the code uses, in the order of the function's closure.
pub(crate) unsafe fn free_names(row: &CPython, code: usize) -> Vec<usize> {
    // SAFETY: as the caller promises, the frame or what holds it is alive; the row says where the parts are.
    unsafe {
        match row.code {
            CodeForm::Objects => tuple_items(row, word(code + row.code_locals + 8)).iter().copied().gather(),
            CodeForm::Inline => {
                let all = tuple_items(row, word(code + row.code_locals));
                let free = half(code + row.code_free_count).max(0).cast_unsigned() as usize;
                all[all.len().saturating_sub(free)..].iter().copied().gather()
            }
        }
    }
}
