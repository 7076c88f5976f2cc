//! Where an object was made: the Python stack of the running thread, as a node of a tree of all stacks seen.
//!
//! The last stack is kept, with the node of each of its frames. Most births share all of it but the innermost frame
//! or two: the walk goes out to the first frame that is in the kept stack, and from there only compares, up to the depth that is recorded. What is
//! further out may have changed unseen; it is compared when the frames inside it have returned. Nodes are as deep as the stack, sites are cut to
//! the depth when they are written, so deep recursion does not make each frame new at each depth.

use crate::abi::{Abi, Last, OWNED_BY_C_STACK, word};
use crate::map::{AddressMap, hash};

/// A stack: its innermost frame, and the node of the rest.
#[derive(Debug, Clone, Copy)]
pub struct Node {
    pub parent: u32,
    /// Index of the code, 0 in the root.
    pub code: u32,
    /// Offset of the instruction in bytes.
    instruction: i32,
    /// The line, 0 where unknown.
    pub line: u32,
    /// The child that was asked for last: the first guess.
    recent: u32,
    /// Number of the site in the trace, 0 when not written.
    pub site: u32,
    /// How many frames it has.
    pub depth: u32,
    /// It, or a frame around it, is the recorder's own.
    pub own: bool,
}

/// A code object, as long as it lives; its names for ever.
#[derive(Debug, Default)]
pub struct Code {
    pub path: String,
    pub function: String,
    /// Numbers of the two texts in the trace, 0 when not written.
    pub texts: (u32, u32),
    /// It is the recorder's own.
    own: bool,
}

/// One frame of the kept stack.
#[derive(Debug, Clone, Copy)]
struct Frame {
    address: usize,
    code: usize,
    last: usize,
    node: u32,
    /// Number of the code, once it is known.
    number: u32,
}

/// The kept stack of one thread, outermost frame first.
#[derive(Default)]
struct Chain {
    thread: usize,
    frames: Vec<Frame>,
    used: u64,
}

/// Threads whose stacks are kept; one more takes the place of the one that waited longest.
const CHAINS: usize = 16;
/// How far the first common frame is looked for, from both ends, before the whole stack is read again.
const REACH: usize = 24;
/// More distinct stacks than this are known by their innermost frame only.
const NODE_LIMIT: usize = 1 << 25;
/// A stack that is deeper is cut.
const FRAME_LIMIT: usize = 1 << 17;
/// No name is longer.
const NAME_LIMIT: usize = 4096;

pub struct Stacks {
    abi: Abi,
    depth: usize,
    line_of: unsafe extern "C" fn(usize, i32) -> i32,
    code_type: usize,
    /// Files in this folder are the recorder's own.
    own_folder: String,
    nodes: Vec<Node>,
    /// Open addressing over `nodes`, 0 is free.
    index: Vec<u32>,
    codes: Vec<Code>,
    code_numbers: AddressMap,
    /// One more than the line, by code number and instruction.
    lines: AddressMap,
    recent_code: (usize, u32),
    chains: Vec<Chain>,
    current: usize,
    clock: u64,
    /// Frames to add, innermost first.
    added: Vec<Frame>,
}

impl Stacks {
    pub fn new(
        abi: Abi,
        depth: usize,
        line_of: unsafe extern "C" fn(usize, i32) -> i32,
        code_type: usize,
        own_folder: String,
    ) -> Stacks {
        let root = Node { parent: 0, code: 0, instruction: 0, line: 0, recent: 0, site: 0, depth: 0, own: false };
        Stacks {
            abi,
            depth,
            line_of,
            code_type,
            own_folder,
            nodes: vec![root],
            index: vec![0; 1 << 12],
            codes: vec![Code::default()],
            code_numbers: AddressMap::default(),
            lines: AddressMap::default(),
            recent_code: (0, 0),
            chains: vec![Chain::default()],
            current: 0,
            clock: 0,
            added: Vec::new(),
        }
    }

    pub fn node(&self, node: u32) -> &Node {
        &self.nodes[node as usize]
    }

    pub fn node_mut(&mut self, node: u32) -> &mut Node {
        &mut self.nodes[node as usize]
    }

    pub fn code_mut(&mut self, code: u32) -> &mut Code {
        &mut self.codes[code as usize]
    }

    /// A new file: no site and no text is written yet.
    pub fn forget_sites(&mut self) {
        for code in &mut self.codes {
            code.texts = (0, 0);
        }
        for node in &mut self.nodes {
            node.site = 0;
        }
    }

    /// The code object is freed, and its address may be another's next.
    pub fn forget_code(&mut self, code: usize) {
        self.code_numbers.remove(code);
        self.recent_code = (0, 0);
        for chain in &mut self.chains {
            chain.frames.clear();
        }
    }

    /// The stack of the thread, 0 when no Python code runs. `met` is told of each code object when it is first seen.
    ///
    /// # Safety
    /// `thread` must be the thread state that runs and holds the interpreter's lock.
    #[inline]
    pub unsafe fn capture(&mut self, thread: usize, met: impl FnMut(usize)) -> u32 {
        if self.chains[self.current].thread != thread {
            self.change_thread(thread);
        }
        // SAFETY: as the caller promises; the offsets are those of this version.
        unsafe {
            let abi = &self.abi;
            let mut innermost = word(thread, abi.thread_frame);
            if let Some(offset) = abi.c_frame {
                innermost = word(innermost, offset);
            }
            innermost = skip(abi, innermost);
            if innermost == 0 {
                return 0;
            }
            let frames = &mut self.chains[self.current].frames;
            self.added.clear();
            let mut frame = innermost;
            let mut place = loop {
                if let Some(place) = frames.iter().rev().take(REACH).position(|old| old.address == frame) {
                    break frames.len() - place;
                }
                if frame == 0 || self.added.len() >= REACH {
                    return self.rebuild(innermost, met);
                }
                self.added.push(read(abi, frame));
                frame = previous(abi, frame);
            };
            let known = place;
            let mut same = known;
            let stop = known.saturating_sub(self.depth.saturating_sub(self.added.len()).max(1));
            let by_pointer = abi.last == Last::Pointer;
            let (to_previous, to_last, to_code) = (abi.frame_previous, abi.frame_last, abi.frame_code);
            while place > stop {
                let old = &frames[place - 1];
                if old.address != frame {
                    return self.rebuild(innermost, met);
                }
                // Equal to `frame`, but the processor need not wait for the chain of loads that `frame` came by.
                let address = apart(old.address);
                let before = word(address, to_previous);
                // A pointer to an instruction tells the code as well: chains forget the code that is freed.
                let changed = if by_pointer {
                    old.last != word(address, to_last)
                } else {
                    old.last != last(abi, address) || old.code != word(address, to_code)
                };
                if changed {
                    same = place - 1;
                }
                place -= 1;
                frame = if place > 0 && before == frames[place - 1].address { before } else { skip(abi, before) };
            }
            if place == 0 && frame != 0 {
                return self.rebuild(innermost, met);
            }
            if same == known && self.added.is_empty() {
                frames.truncate(same);
                return frames[same - 1].node;
            }
            for old in frames[same..known].iter().rev() {
                let mut frame = read(abi, old.address);
                if frame.code == old.code {
                    frame.number = old.number;
                }
                self.added.push(frame);
            }
            frames.truncate(same);
            self.push_added(met)
        }
    }

    /// Reads the whole stack, and keeps what of it is as before.
    #[cold]
    unsafe fn rebuild(&mut self, innermost: usize, met: impl FnMut(usize)) -> u32 {
        // SAFETY: as in `capture`.
        unsafe {
            self.added.clear();
            let mut frame = innermost;
            while frame != 0 && self.added.len() < FRAME_LIMIT {
                self.added.push(read(&self.abi, frame));
                frame = previous(&self.abi, frame);
            }
        }
        let frames = &mut self.chains[self.current].frames;
        let same = frames
            .iter()
            .zip(self.added.iter().rev())
            .take_while(|(old, new)| (old.address, old.code, old.last) == (new.address, new.code, new.last))
            .count();
        frames.truncate(same);
        self.added.truncate(self.added.len() - same);
        if self.added.is_empty() {
            return self.chains[self.current].frames.last().map_or(0, |frame| frame.node);
        }
        self.push_added(met)
    }

    /// Adds the frames to the kept stack, the last of them first.
    fn push_added(&mut self, mut met: impl FnMut(usize)) -> u32 {
        let mut node = self.chains[self.current].frames.last().map_or(0, |frame| frame.node);
        while let Some(mut frame) = self.added.pop() {
            if frame.number == 0 {
                frame.number = self.code_number(frame.code, &mut met);
            }
            let code = frame.number;
            if code != 0 {
                let instruction = match self.abi.last {
                    Last::Index(_) => (frame.last as u32).cast_signed(),
                    Last::Pointer => frame.last.wrapping_sub(frame.code + self.abi.code_first) as i32,
                };
                node = self.child(node, code, instruction, frame.code);
            }
            frame.node = node;
            self.chains[self.current].frames.push(frame);
        }
        node
    }

    /// The node of this frame called from that stack.
    fn child(&mut self, parent: u32, code: u32, instruction: i32, object: usize) -> u32 {
        let parent = if self.nodes.len() >= NODE_LIMIT { 0 } else { parent };
        let recent = self.nodes[parent as usize].recent;
        if recent != 0 && self.nodes[recent as usize].is(parent, code, instruction) {
            return recent;
        }
        if self.nodes.len() * 2 > self.index.len() {
            self.grow();
        }
        let mask = self.index.len() - 1;
        let mut place = key(parent, code, instruction) & mask;
        let node = loop {
            let node = self.index[place];
            if node == 0 {
                break self.add_node(place, parent, code, instruction, object);
            }
            if self.nodes[node as usize].is(parent, code, instruction) {
                break node;
            }
            place = (place + 1) & mask;
        };
        self.nodes[parent as usize].recent = node;
        node
    }

    fn add_node(&mut self, place: usize, parent: u32, code: u32, instruction: i32, object: usize) -> u32 {
        let node = self.nodes.len() as u32;
        let line = self.line(code, instruction, object);
        let outer = &self.nodes[parent as usize];
        let (own, depth) = (self.codes[code as usize].own || outer.own, outer.depth + 1);
        self.nodes.push(Node { parent, code, instruction, line, recent: 0, site: 0, depth, own });
        self.index[place] = node;
        node
    }

    fn line(&mut self, code: u32, instruction: i32, object: usize) -> u32 {
        let key = (code as usize) << 32 | instruction.cast_unsigned() as usize;
        let known = self.lines.get(key);
        if known != 0 {
            return known - 1;
        }
        // SAFETY: the frame holds its code object. The function reads the line table and allocates nothing (3.8 to 3.13).
        let line = u32::try_from(unsafe { (self.line_of)(object, instruction) }).unwrap_or(0);
        self.lines.insert(key, line + 1);
        line
    }

    fn grow(&mut self) {
        let larger = self.index.len() * 2;
        self.index = vec![0; larger];
        for (number, node) in self.nodes.iter().enumerate().skip(1) {
            let mut place = key(node.parent, node.code, node.instruction) & (larger - 1);
            while self.index[place] != 0 {
                place = (place + 1) & (larger - 1);
            }
            self.index[place] = number as u32;
        }
    }

    /// The number of the code object; 0 when it is none.
    fn code_number(&mut self, object: usize, met: &mut impl FnMut(usize)) -> u32 {
        if self.recent_code.0 == object {
            return self.recent_code.1;
        }
        let mut number = self.code_numbers.get(object);
        if number == 0 {
            // SAFETY: a frame holds it, so it is an object; a code object has these fields.
            let code = unsafe {
                if object == 0 || word(object, 8) != self.code_type {
                    return 0;
                }
                let mut code = Code::default();
                crate::text::append(&self.abi, word(object, self.abi.code_path), NAME_LIMIT, &mut code.path);
                crate::text::append(&self.abi, word(object, self.abi.code_function), NAME_LIMIT, &mut code.function);
                code
            };
            let own = !self.own_folder.is_empty() && code.path.starts_with(&self.own_folder);
            number = self.codes.len() as u32;
            self.codes.push(Code { own, ..code });
            self.code_numbers.insert(object, number);
            met(object);
        }
        self.recent_code = (object, number);
        number
    }

    #[cold]
    fn change_thread(&mut self, thread: usize) {
        self.clock += 1;
        self.chains[self.current].used = self.clock;
        self.current = match self.chains.iter().position(|chain| chain.thread == thread) {
            Some(found) => found,
            None if self.chains.len() < CHAINS => {
                self.chains.push(Chain { thread, ..Chain::default() });
                self.chains.len() - 1
            }
            None => {
                let oldest = (0..CHAINS).min_by_key(|&chain| self.chains[chain].used).unwrap_or(0);
                self.chains[oldest] = Chain { thread, ..Chain::default() };
                oldest
            }
        };
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

/// The same number, of which the compiler does not know that it equals another.
#[inline]
fn apart(mut number: usize) -> usize {
    // SAFETY: no instruction at all.
    unsafe {
        std::arch::asm!("/* {0} */", inout(reg) number, options(pure, nomem, nostack, preserves_flags));
    }
    number
}

unsafe fn read(abi: &Abi, frame: usize) -> Frame {
    // SAFETY: `frame` is a frame of a running thread.
    unsafe { Frame { address: frame, code: word(frame, abi.frame_code), last: last(abi, frame), node: 0, number: 0 } }
}

#[inline]
unsafe fn last(abi: &Abi, frame: usize) -> usize {
    // SAFETY: as in `read`.
    unsafe {
        match abi.last {
            Last::Index(bytes) => (*((frame + abi.frame_last) as *const i32) * bytes) as usize,
            Last::Pointer => word(frame, abi.frame_last),
        }
    }
}

/// The frame that called this one.
#[inline]
unsafe fn previous(abi: &Abi, frame: usize) -> usize {
    // SAFETY: as in `read`.
    unsafe { skip(abi, word(frame, abi.frame_previous)) }
}

/// The first frame from here outwards that runs Python code.
#[inline]
unsafe fn skip(abi: &Abi, mut frame: usize) -> usize {
    if let Some(owner) = abi.frame_owner {
        // SAFETY: as in `read`.
        unsafe {
            while frame != 0 && *((frame + owner) as *const u8) == OWNED_BY_C_STACK {
                frame = word(frame, abi.frame_previous);
            }
        }
    }
    frame
}
