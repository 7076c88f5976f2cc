//! Walks frames: the locals of suspended ones are references of their generator or frame object, those of running ones are roots.

use super::classes::Kind;
use super::describe::Walk;
use super::edges::Edges;
use super::labels::Form;
use crate::cpython::frame::{self, Holder};
use crate::cpython::memory::{half, referent, type_of, word};
use crate::cpython::object::METHOD_FUNCTION;
use crate::cpython::text::push_text;
use crate::memory::Grow;
use crate::sink::Sink;

impl<S: Sink> Walk<'_, S> {
    pub(super) unsafe fn name_frame(&mut self, object: usize, holder: Holder, edges: &mut Edges) {
        // SAFETY: as the caller promises, the lock is held; what has a frame is alive, and so is what the frame holds.
        unsafe {
            let Some((frame, code)) = self.context.interpreter.frame_of(object, holder) else { return };
            let row = self.context.interpreter.row;
            for &(offset, name) in row.inner_frame {
                let label = self.fixed(name);
                edges.name(referent(word(frame + usize::from(offset))), label);
            }
            for (index, name) in frame::variable_names(row, code).into_iter().enumerate() {
                let value = frame::variable(row, frame, index);
                if let Some(place) = edges.name(value, u32::MAX) {
                    let form = if type_of(value) == self.context.interpreter.cell { Form::Cell } else { Form::Local };
                    edges.labels[place] = self.label(name, form);
                }
            }
            if !edges.targets.is_empty() {
                let label = self.fixed("stack");
                edges.name_rest(|_| label);
            }
        }
    }

    /// The code that an object runs.
    pub(super) unsafe fn code_of(&self, object: usize, what: Kind) -> Option<usize> {
        let interpreter = &self.context.interpreter;
        let row = interpreter.row;
        // SAFETY: as the caller promises, the lock is held; what has a frame is alive, and so is what the frame holds.
        unsafe {
            let code = match what {
                Kind::Code => object,
                Kind::Function => word(object + row.function_code),
                Kind::Method => {
                    let function = word(object + METHOD_FUNCTION);
                    if function == 0 || type_of(function) != interpreter.function {
                        return None;
                    }
                    word(function + row.function_code)
                }
                Kind::Generator if row.generator_code != 0 => word(object + row.generator_code),
                Kind::Generator => return interpreter.frame_of(object, Holder::Generator).map(|(_, code)| code),
                Kind::Frame => return interpreter.frame_of(object, Holder::FrameObject).map(|(_, code)| code),
                _ => return None,
            };
            interpreter.is_code(code).then_some(code)
        }
    }

    /// The site where the code is defined.
    pub(super) unsafe fn code_site(&mut self, code: usize) -> u32 {
        if let Some(site) = self.scratch.sites.get(code) {
            return site;
        }
        let row = self.context.interpreter.row;
        let mut text = std::mem::take(&mut self.scratch.text);
        // SAFETY: as the caller promises, the lock is held; what has a frame is alive, and so is what the frame holds.
        let site = unsafe {
            text.clear();
            push_text(row, word(code + row.code_path), 4096, &mut text);
            let path = self.sink.text(&text);
            text.clear();
            push_text(row, word(code + row.code_function), 1000, &mut text);
            let function = self.sink.text(&text);
            let line = half(code + row.code_first_line).max(0).cast_unsigned();
            self.sink.site(path, line, function, 0)
        };
        self.scratch.text = text;
        self.scratch.sites.insert(code, site);
        site
    }

    /// Writes what the variables of a running frame hold, as roots.
    pub(super) unsafe fn frame_roots(&mut self, frame: usize, code: usize) {
        // SAFETY: as the caller promises, the lock is held; what has a frame is alive, and so is what the frame holds.
        unsafe {
            let row = self.context.interpreter.row;
            for (index, name) in frame::variable_names(row, code).into_iter().enumerate() {
                let value = frame::variable(row, frame, index);
                if value == 0 {
                    continue;
                }
                let mut text = std::mem::take(&mut self.scratch.text);
                text.clear();
                text.add_all(b"local:");
                push_text(row, word(code + row.code_function), 1000, &mut text);
                text.add(b'.');
                push_text(row, name, 1000, &mut text);
                self.root(value, &text);
                self.scratch.text = text;
            }
        }
    }
}
