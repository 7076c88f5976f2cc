//! Frames: the locals of suspended ones are references of their generator or frame object, those of running ones are roots.

use super::classes::Kind;
use super::describe::Walk;
use super::edges::Edges;
use super::labels::Form;
use super::memory::{byte, half, tuple_items, type_of, word};
use super::strings::push_text;
use crate::encode::kind;
use crate::sink::Sink;

/// `FRAME_OWNED_BY_CSTACK`: an entry into the interpreter, without code of its own.
const OWNED_BY_C_STACK: u8 = 3;
/// No stack is followed further.
const MAX_DEPTH: usize = 1 << 20;

impl<S: Sink> Walk<'_, S> {
    /// Names of the local variables in the order of the frame's slots.
    unsafe fn local_names(&self, code: usize) -> Vec<usize> {
        let layout = self.context.abi.layout;
        unsafe {
            if layout.minor >= 11 {
                return tuple_items(word(code + layout.code_locals)).to_vec();
            }
            // co_varnames, co_freevars, co_cellvars; in the frame: locals, cells, free variables.
            let [locals, free, cells] = [0, 8, 16].map(|next| tuple_items(word(code + layout.code_locals + next)));
            [locals, cells, free].concat()
        }
    }

    /// Names of the variables of outer functions that the code uses, in the order of the function's closure.
    pub(super) unsafe fn free_names(&self, code: usize) -> Vec<usize> {
        let layout = self.context.abi.layout;
        unsafe {
            if layout.minor < 11 {
                return tuple_items(word(code + layout.code_locals + 8)).to_vec();
            }
            let all = tuple_items(word(code + layout.code_locals));
            let free = half(code + layout.code_free_count).max(0).cast_unsigned() as usize;
            all[all.len().saturating_sub(free)..].to_vec()
        }
    }

    pub(super) unsafe fn name_frame(&mut self, object: usize, what: Kind, edges: &mut Edges) {
        unsafe {
            let Some((frame, code)) = self.context.abi.frame_of(object, what) else { return };
            let layout = self.context.abi.layout;
            for &(offset, name) in layout.inner_frame {
                let label = self.fixed(name);
                edges.name(word(frame + usize::from(offset)), label);
            }
            for (index, name) in self.local_names(code).into_iter().enumerate() {
                let value = word(frame + layout.frame_locals + 8 * index);
                if let Some(place) = edges.name(value, u32::MAX) {
                    let form = if type_of(value) == self.context.abi.cell { Form::Cell } else { Form::Local };
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
        let abi = &self.context.abi;
        let layout = abi.layout;
        unsafe {
            let code = match what {
                Kind::Code => object,
                Kind::Function => word(object + layout.function_code),
                Kind::Method => {
                    let function = word(object + 16);
                    if function == 0 || type_of(function) != abi.function {
                        return None;
                    }
                    word(function + layout.function_code)
                }
                Kind::Generator if layout.generator_code != 0 => word(object + layout.generator_code),
                Kind::Generator | Kind::Frame => return self.context.abi.frame_of(object, what).map(|(_, code)| code),
                _ => return None,
            };
            abi.is_code(code).then_some(code)
        }
    }

    /// The site where the code is defined.
    pub(super) unsafe fn code_site(&mut self, code: usize) -> u32 {
        if let Some(site) = self.scratch.sites.get(code) {
            return site;
        }
        let layout = self.context.abi.layout;
        let mut text = std::mem::take(&mut self.scratch.text);
        let site = unsafe {
            text.clear();
            push_text(layout, word(code + layout.code_path), 4096, &mut text);
            let path = self.sink.text(&text);
            text.clear();
            push_text(layout, function_name(layout, code), 1000, &mut text);
            let function = self.sink.text(&text);
            let line = half(code + layout.code_first_line).max(0).cast_unsigned();
            self.sink.site(path, line, function, 0)
        };
        self.scratch.text = text;
        self.scratch.sites.insert(code, site);
        site
    }

    /// Writes what the running frames of all threads hold, as roots; untracked objects only they hold are queued.
    pub(super) unsafe fn roots(&mut self) {
        unsafe {
            let layout = self.context.abi.layout;
            for thread in self.context.abi.threads() {
                let mut frame = word(thread + layout.thread_frame);
                if let Some(offset) = layout.c_frame_frame {
                    frame = if frame == 0 { 0 } else { word(frame + offset) };
                }
                for _ in 0..MAX_DEPTH {
                    if frame == 0 {
                        break;
                    }
                    let code = word(frame + layout.frame_code);
                    let shim = layout.minor >= 12 && byte(frame + layout.frame_owner) == OWNED_BY_C_STACK;
                    if !shim && self.context.abi.is_code(code) {
                        self.frame_roots(frame, code);
                    }
                    frame = word(frame + layout.frame_previous);
                }
            }
            let modules = self.context.abi.modules();
            if modules != 0 {
                self.root(modules, b"sys.modules");
            }
        }
    }

    unsafe fn frame_roots(&mut self, frame: usize, code: usize) {
        unsafe {
            let layout = self.context.abi.layout;
            for (index, name) in self.local_names(code).into_iter().enumerate() {
                let value = word(frame + layout.frame_locals + 8 * index);
                if value == 0 {
                    continue;
                }
                let mut text = b"local:".to_vec();
                push_text(layout, function_name(layout, code), 1000, &mut text);
                text.push(b'.');
                push_text(layout, name, 1000, &mut text);
                self.root(value, &text);
            }
        }
    }

    unsafe fn root(&mut self, object: usize, name: &[u8]) {
        unsafe {
            if self.sink.hidden(object) || self.context.abi.count(object).0 == 0 {
                return;
            }
            let number = self.number(object);
            self.queue(object);
            let name = self.sink.text(name);
            self.sink.emit(|encoder| encoder.fact(kind::ROOT, number, u64::from(name)));
        }
    }
}

/// `co_qualname`, or `co_name` where there is none.
unsafe fn function_name(layout: &super::layout::Layout, code: usize) -> usize {
    unsafe { word(code + if layout.code_qualname != 0 { layout.code_qualname } else { layout.code_name }) }
}
