//! Finds where an object was made: the Python stack of the running thread, as a node of a tree of all stacks seen.
//!
//! The last stack of each thread is kept, with the node of each of its frames. Most births share all of it but the innermost
//! frame or two: the walk goes out to the first frame that is in the kept stack, and from there only compares, up to the
//! depth that is recorded. What is further out may have changed unseen; it is compared when the frames inside it have
//! returned. Nodes are as deep as the stack, sites are cut to the depth when they are written, so deep recursion does not
//! make each frame new at each depth.
//!
//! For whoever makes this faster: comparing takes most of the time where stacks are deep, so it is two loads from the
//! frame and two from the kept stack, whose addresses come from the kept stack and wait for nothing. Neither load can be
//! spared. A frame says nothing of the frames around it: they may have returned and been entered again, at the same
//! address, from another line or through a generator, and no birth in between tells of it. A kept address is read only
//! once the frame inside it has led there, since the memory of a frame that returned may be gone. `tests/cpython/stacks`
//! holds this against what `sys._getframe` says.

use crate::address_map::{AddressMap, hash};
use crate::cpython::frame::has_python_code;
use crate::cpython::memory::{half, referent, size_of, type_of, word};
use crate::cpython::text::text_within;
use crate::cpython::versions::{CPython, Last};
use crate::memory::{Grow, filled};
use crate::named_code::is_named;

/// A stack: its innermost frame, and the node of the rest.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Node {
    pub parent: u32,
    /// Index of the code, 0 in the root.
    pub code: u32,
    /// Offset of the instruction in bytes.
    instruction: i32,
    /// The line, 0 where unknown.
    pub line: u32,
    /// Number of the site in the trace, 0 when not written.
    pub site: u32,
    /// How many frames it has.
    pub depth: u32,
    /// It, or a frame around it, is the recorder's own.
    pub own: bool,
}

/// A code object, as long as it lives; its names for ever.
#[derive(Debug, Default)]
pub(crate) struct Code {
    pub path: String,
    pub function: String,
    /// Numbers of the two texts in the trace, 0 when not written.
    pub texts: (u32, u32),
    /// It is the recorder's own.
    own: bool,
    /// It is at one of the sites.
    named: bool,
}

/// One frame of the kept stack.
#[derive(Debug, Clone, Copy)]
struct Frame {
    address: usize,
    /// The last instruction, as the frame has it.
    last: usize,
    code: usize,
    node: u32,
}

/// From the node of the caller to that of a frame.
#[derive(Debug, Clone, Copy)]
struct Step {
    last: usize,
    code: usize,
    caller: u32,
    node: u32,
}

const NO_STEP: Step = Step { last: 0, code: 0, caller: u32::MAX, node: 0 };

/// What is around the outermost frame.
const OUTSIDE: Frame = Frame { address: 0, last: 0, code: 0, node: 0 };

/// The kept stack of one thread, outermost frame first, behind [`OUTSIDE`]. Frames that run no Python code are in it as
/// well, with the node of the frame around them.
struct Chain {
    thread: usize,
    frames: Vec<Frame>,
    used: u64,
}

impl Chain {
    fn of(thread: usize) -> Chain {
        // Never empty: so little the reserve has.
        Chain { thread, frames: [OUTSIDE].into(), used: 0 }
    }
}

/// Threads whose stacks are kept; one more takes the place of the one that waited longest.
const CHAINS: usize = 16;
/// How far the first common frame is looked for, step by step from both ends, before all of the kept stack is searched.
const REACH: usize = 8;
/// Steps that are found without the index of nodes.
const STEPS: usize = 512;
/// More distinct stacks than this are known by their innermost frame only.
const NODE_LIMIT: usize = 1 << 25;
/// A stack that is deeper is cut.
const FRAME_LIMIT: usize = 1 << 17;
/// No name is longer.
const NAME_LIMIT: usize = 4096;

pub(crate) struct Stacks {
    row: &'static CPython,
    depth: usize,
    line_of: unsafe extern "C" fn(usize, i32) -> i32,
    code_type: usize,
    /// Files in this folder are the recorder's own.
    own_folder: String,
    /// Names of the code whose births are noted whatever leaks.
    sites: Vec<String>,
    nodes: Vec<Node>,
    /// Open addressing over `nodes`, 0 is free.
    index: Vec<u32>,
    codes: Vec<Code>,
    code_numbers: AddressMap<u32>,
    /// One more than the line, by code number and instruction.
    lines: AddressMap<u32>,
    recent_code: (usize, u32),
    /// Steps from a stack into a frame that were taken lately, each in the place that its hash gives it.
    steps: Vec<Step>,
    /// The kept stack of the thread that ran last.
    chain: Chain,
    /// Those of other threads.
    resting: Vec<Chain>,
    clock: u64,
    /// Frames of a stack that is read from one end to the other, innermost first.
    walked: Vec<usize>,
}

impl Stacks {
    pub(crate) fn new(
        row: &'static CPython,
        depth: usize,
        line_of: unsafe extern "C" fn(usize, i32) -> i32,
        code_type: usize,
        own_folder: String,
        sites: Vec<String>,
    ) -> Stacks {
        let root = Node { parent: 0, code: 0, instruction: 0, line: 0, site: 0, depth: 0, own: false };
        Stacks {
            row,
            depth,
            line_of,
            code_type,
            own_folder,
            sites,
            nodes: filled(root, 1),
            index: filled(0, 1 << 12),
            codes: [Code::default()].into(),
            code_numbers: AddressMap::sparse(),
            lines: AddressMap::sparse(),
            recent_code: (0, 0),
            steps: filled(NO_STEP, STEPS),
            chain: Chain::of(0),
            resting: Vec::new(),
            clock: 0,
            walked: Vec::new(),
        }
    }

    /// Bytes that the stacks take, about.
    pub(crate) fn footprint(&self) -> usize {
        self.nodes.capacity() * std::mem::size_of::<Node>() + self.index.len() * std::mem::size_of::<u32>()
    }

    pub(crate) fn node(&self, node: u32) -> &Node {
        &self.nodes[node as usize]
    }

    pub(crate) fn node_mut(&mut self, node: u32) -> &mut Node {
        &mut self.nodes[node as usize]
    }

    pub(crate) fn code_mut(&mut self, code: u32) -> &mut Code {
        &mut self.codes[code as usize]
    }

    /// A new file: no site and no text is written yet.
    pub(crate) fn forget_sites(&mut self) {
        for code in &mut self.codes {
            code.texts = (0, 0);
        }
        for node in &mut self.nodes {
            node.site = 0;
        }
    }

    /// Whether a code object may be known that is freed unseen.
    pub(crate) fn knows_code(&self) -> bool {
        !self.code_numbers.is_empty()
    }

    /// The code object is freed, and its address may be another's next.
    pub(crate) fn forget_code(&mut self, code: usize) {
        self.code_numbers.remove(code);
        self.recent_code = (0, 0);
        self.steps.fill(NO_STEP);
        for chain in self.resting.iter_mut().chain([&mut self.chain]) {
            chain.frames.truncate(1);
        }
    }

    /// As [`Stacks::forget_code`], of all code objects.
    pub(crate) fn forget_codes(&mut self) {
        self.code_numbers = AddressMap::sparse();
        self.forget_code(0);
    }

    /// The stack of the thread, 0 when no Python code runs. `met` is told of each code object when it is first seen.
    ///
    /// # Safety
    /// `thread` must be the thread state that runs and holds the interpreter's lock.
    #[inline]
    pub(crate) unsafe fn capture(&mut self, thread: usize, met: impl FnMut(usize)) -> u32 {
        if self.chain.thread != thread {
            self.change_thread(thread);
        }
        // SAFETY: as the caller promises; the offsets are those of this version.
        unsafe {
            let innermost = self.innermost(thread);
            if innermost == 0 {
                return 0;
            }
            match self.row.last {
                Last::Pointer => self.capture_from::<true>(innermost, met),
                Last::Index(_) => self.capture_from::<false>(innermost, met),
            }
        }
    }

    /// The frame that runs, 0 for none.
    #[inline]
    unsafe fn innermost(&self, thread: usize) -> usize {
        // SAFETY: as in `capture`.
        unsafe {
            let frame = word(thread + self.row.thread_frame);
            self.row.c_frame.map_or(frame, |offset| word(frame + offset))
        }
    }

    /// Whether code was named whose births are noted whatever leaks.
    pub(crate) fn has_sites(&self) -> bool {
        !self.sites.is_empty()
    }

    /// Whether the code that runs is among that. `met` as in [`Stacks::capture`].
    ///
    /// # Safety
    /// As of [`Stacks::capture`].
    pub(crate) unsafe fn is_at_site(&mut self, thread: usize, mut met: impl FnMut(usize)) -> bool {
        // SAFETY: as the caller promises; the offsets are those of this version.
        unsafe {
            let mut frame = self.innermost(thread);
            while frame != 0 && !has_python_code(self.row, frame) {
                frame = word(frame + self.row.frame_previous);
            }
            if frame == 0 {
                return false;
            }
            let number = self.code_number(referent(word(frame + self.row.frame_code)), &mut met);
            self.codes[number as usize].named
        }
    }

    /// `POINTER` says what the last instruction is.
    #[inline]
    unsafe fn capture_from<const POINTER: bool>(&mut self, innermost: usize, mut met: impl FnMut(usize)) -> u32 {
        // SAFETY: as in `capture`. The places are in the kept stack, `OUTSIDE` is never passed.
        unsafe {
            let (to_previous, to_last, to_code) = (self.row.frame_previous, self.row.frame_last, self.row.frame_code);
            let mut walked = [innermost; REACH];
            let Some((entered, known)) = common(&self.chain.frames, &mut walked, to_previous) else {
                return self.rebuild(innermost, met);
            };
            let kept = self.chain.frames.as_ptr();
            // At least so many frames with Python code are from here on.
            let outermost = (*self.nodes.as_ptr().add((*kept.add(known)).node as usize)).depth as usize;
            let stop = kept.add(outermost.saturating_sub(self.depth));
            let (mut old, mut changed) = (kept.add(known), kept.add(known + 1));
            let mut address = (*old).address;
            macro_rules! compare {
                () => {
                    let caller = (*old.sub(1)).address;
                    if word(address + to_previous) != caller {
                        return self.rebuild(innermost, met);
                    }
                    // A pointer to an instruction tells the code as well: chains forget the code that is freed.
                    let same = if POINTER {
                        word(address + to_last) == (*old).last
                    } else {
                        *((address + to_last) as *const u32) as usize == (*old).last
                            && word(address + to_code) == (*old).code
                    };
                    changed = if same { changed } else { old };
                    (old, address) = (old.sub(1), caller);
                };
            }
            while old.offset_from_unsigned(stop) >= 4 {
                compare!();
                compare!();
                compare!();
                compare!();
            }
            while old > stop {
                compare!();
            }
            let changed = changed.offset_from_unsigned(kept);
            let mut node = (*kept.add(changed - 1)).node;
            self.chain.frames.truncate(known + 1);
            for place in changed..=known {
                let mut frame = self.read(self.chain.frames[place].address);
                node = self.node_of(&frame, node, &mut met);
                frame.node = node;
                self.chain.frames[place] = frame;
            }
            for &address in walked[..entered].iter().rev() {
                let frame = self.read(address);
                node = self.node_of(&frame, node, &mut met);
                if !self.chain.frames.add(Frame { node, ..frame }) {
                    break;
                }
            }
            node
        }
    }

    /// Reads the whole stack, and keeps what of it is as before.
    #[cold]
    unsafe fn rebuild(&mut self, innermost: usize, mut met: impl FnMut(usize)) -> u32 {
        // SAFETY: as in `capture`.
        unsafe {
            let mut walked = std::mem::take(&mut self.walked);
            walked.clear();
            let mut frame = innermost;
            while frame != 0 && walked.len() < FRAME_LIMIT && walked.add(frame) {
                frame = word(frame + self.row.frame_previous);
            }
            let mut same = 1;
            let mut node = 0;
            for &address in walked.iter().rev() {
                let frame = self.read(address);
                node = match self.chain.frames.get(same) {
                    Some(old) if (old.address, old.last, old.code) == (address, frame.last, frame.code) => old.node,
                    _ => {
                        self.chain.frames.truncate(same);
                        let node = self.node_of(&frame, node, &mut met);
                        if !self.chain.frames.add(Frame { node, ..frame }) {
                            break;
                        }
                        node
                    }
                };
                same += 1;
            }
            self.chain.frames.truncate(same);
            self.walked = walked;
            node
        }
    }

    /// A frame as it is now; its node is still to be found.
    #[inline]
    unsafe fn read(&self, address: usize) -> Frame {
        // SAFETY: as in `capture`.
        unsafe {
            let last = match self.row.last {
                Last::Index(_) => *((address + self.row.frame_last) as *const u32) as usize,
                Last::Pointer => word(address + self.row.frame_last),
            };
            Frame { address, last, code: word(address + self.row.frame_code), node: 0 }
        }
    }

    /// The node of a frame that runs now, called from the stack of `caller`.
    #[inline]
    unsafe fn node_of(&mut self, frame: &Frame, caller: u32, met: &mut impl FnMut(usize)) -> u32 {
        let &Frame { last, code, .. } = frame;
        let place = hash(last ^ code ^ (caller as usize) << 4) % STEPS;
        let step = &self.steps[place];
        if (step.last, step.code, step.caller) == (last, code, caller) {
            return step.node;
        }
        // SAFETY: as in `capture`.
        let node = unsafe { self.called(frame, caller, met) };
        if node != caller {
            self.steps[place] = Step { last, code, caller, node };
        }
        node
    }

    /// The node of a frame, that of the caller where no Python code runs in it.
    unsafe fn called(&mut self, frame: &Frame, caller: u32, met: &mut impl FnMut(usize)) -> u32 {
        // SAFETY: as in `capture`.
        if !unsafe { has_python_code(self.row, frame.address) } {
            return caller;
        }
        let code = referent(frame.code);
        let instruction = match self.row.last {
            Last::Index(bytes) => (frame.last as u32).cast_signed().wrapping_mul(bytes),
            Last::Pointer => frame.last.wrapping_sub(code + self.row.code_instructions) as i32,
        };
        match self.code_number(code, met) {
            0 => caller,
            number => self.child(caller, number, instruction, code),
        }
    }

    /// The node of this frame called from that stack.
    fn child(&mut self, parent: u32, code: u32, instruction: i32, object: usize) -> u32 {
        let parent = if self.nodes.len() >= NODE_LIMIT { 0 } else { parent };
        if self.nodes.len() * 2 > self.index.len() && !self.grow() || !self.nodes.ask(1) {
            return parent;
        }
        let mask = self.index.len() - 1;
        let mut place = key(parent, code, instruction) & mask;
        loop {
            let node = self.index[place];
            if node == 0 {
                return self.add_node(place, parent, code, instruction, object);
            }
            if self.nodes[node as usize].is(parent, code, instruction) {
                return node;
            }
            place = (place + 1) & mask;
        }
    }

    fn add_node(&mut self, place: usize, parent: u32, code: u32, instruction: i32, object: usize) -> u32 {
        let node = self.nodes.len() as u32;
        let line = self.line(code, instruction, object);
        let outer = &self.nodes[parent as usize];
        let (own, depth) = (self.codes[code as usize].own || outer.own, outer.depth + 1);
        self.nodes.add(Node { parent, code, instruction, line, site: 0, depth, own });
        self.index[place] = node;
        node
    }

    fn line(&mut self, code: u32, instruction: i32, object: usize) -> u32 {
        let key = (code as usize) << 32 | instruction.cast_unsigned() as usize;
        let known = self.lines.value(key);
        if known != 0 {
            return known - 1;
        }
        // SAFETY: the frame holds its code object. The function reads the line table and allocates nothing (3.8 to 3.15).
        let line = u32::try_from(unsafe { (self.line_of)(object, instruction) }).unwrap_or(0);
        self.lines.insert(key, line + 1);
        line
    }

    /// Whether there was memory for it.
    fn grow(&mut self) -> bool {
        let larger = self.index.len() * 2;
        let index = filled(0, larger);
        if index.is_empty() {
            return false;
        }
        self.index = index;
        for (number, node) in self.nodes.iter().enumerate().skip(1) {
            let mut place = key(node.parent, node.code, node.instruction) & (larger - 1);
            while self.index[place] != 0 {
                place = (place + 1) & (larger - 1);
            }
            self.index[place] = number as u32;
        }
        true
    }

    /// The number of the code object; 0 when it is none.
    fn code_number(&mut self, object: usize, met: &mut impl FnMut(usize)) -> u32 {
        if self.recent_code.0 == object {
            return self.recent_code.1;
        }
        let mut number = self.code_numbers.value(object);
        if number == 0 {
            // SAFETY: a frame holds it, so it is an object; a code object has these fields.
            let code = unsafe {
                if object == 0 || type_of(object) != self.code_type || self.is_never_shown(object) {
                    return 0;
                }
                let read = |place| text_within(self.row, word(object + place), NAME_LIMIT);
                Code { path: read(self.row.code_path), function: read(self.row.code_function), ..Code::default() }
            };
            let own = !self.own_folder.is_empty() && code.path.starts_with(&self.own_folder);
            number = self.codes.len() as u32;
            let named = self.has_sites() && is_named(&self.sites, &code.path, &code.function);
            if !self.codes.add(Code { own, named, ..code }) {
                return 0;
            }
            self.code_numbers.insert(object, number);
            met(object);
        }
        self.recent_code = (object, number);
        number
    }

    /// CPython puts code of its own between a class and the `__init__` that it calls, which no traceback shows.
    unsafe fn is_never_shown(&self, code: usize) -> bool {
        // SAFETY: a code object has the field, and its number of instructions behind the two words of each object.
        self.row.code_traceable.is_some_and(|first| unsafe { half(code + first) as isize >= size_of(code) })
    }

    #[cold]
    fn change_thread(&mut self, thread: usize) {
        self.clock += 1;
        self.chain.used = self.clock;
        let next = match self.resting.iter().position(|chain| chain.thread == thread) {
            Some(found) => self.resting.swap_remove(found),
            None => {
                if self.resting.len() >= CHAINS {
                    let oldest = (0..CHAINS).min_by_key(|&chain| self.resting[chain].used).unwrap_or(0);
                    self.resting.swap_remove(oldest);
                }
                Chain::of(thread)
            }
        };
        self.resting.add(std::mem::replace(&mut self.chain, next));
    }
}

impl Node {
    fn is(&self, parent: u32, code: u32, instruction: i32) -> bool {
        self.parent == parent && self.code == code && self.instruction == instruction
    }
}

fn key(parent: u32, code: u32, instruction: i32) -> usize {
    hash((u64::from(parent) << 32 ^ u64::from(code) << 16 ^ u64::from(instruction.cast_unsigned())) as usize)
}

/// The innermost frame that runs and is kept as well, from which it is compared: how many frames are inside it, whose
/// addresses go to `walked`, and its place among those kept. `None` when there is none within reach.
#[inline]
unsafe fn common(kept: &[Frame], walked: &mut [usize; REACH], to_previous: usize) -> Option<(usize, usize)> {
    let top = kept.len() - 1;
    if kept[top].address == walked[0] {
        return Some((0, top));
    }
    let steps = REACH.min(top + 1);
    for step in 1..steps {
        // SAFETY: the frames that run, from the innermost outwards.
        let frame = unsafe { word(walked[step - 1] + to_previous) };
        if frame == 0 {
            return None;
        }
        walked[step] = frame;
        if let Some(back) = (0..=step).find(|&back| kept[top - back].address == frame) {
            return Some((step, top - back));
        }
        if let Some(inside) = (0..step).find(|&inside| walked[inside] == kept[top - step].address) {
            return Some((inside, top - step));
        }
    }
    search(kept, &walked[..steps])
}

/// Many frames have returned since the last birth.
#[cold]
fn search(kept: &[Frame], walked: &[usize]) -> Option<(usize, usize)> {
    let place = |&frame: &usize| kept.iter().rposition(|old| old.address == frame);
    walked.iter().enumerate().find_map(|(inside, frame)| Some((inside, place(frame)?)))
}
