//! Searches the memory of an object, and the memory that it points to, for the addresses of objects.
//!
//! Nothing runs and nothing can fault: memory is read through the kernel. A match is an address and no more: nothing tells
//! whether it is a reference that counts, or is still in use.

pub(crate) mod reader;
pub(crate) mod regions;

use crate::address_map::AddressMap;
use crate::memory::{Grow, is_refused};
use reader::{MOST, Reader};
use regions::{Block, Regions};

/// Pointers that are followed one after the other at most.
pub(crate) const DEEPEST: usize = 9;
/// Words that are looked at for all objects that are searched: for each object of the heap, and to begin with.
const WORDS_FOR_EACH: usize = 8;
const WORDS_AT_LEAST: usize = 16 << 20;
/// In a block of so many bytes an address may stand at any multiple of four.
const SMALL: usize = 1 << 10;
const STEP: usize = size_of::<usize>();
/// What may stand in front of an object in its block.
const HEADS: [usize; 3] = [0, 16, 32];
/// The head of an object is no reference of its own.
const HEAD: usize = 16;

/// How far one object is searched.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    words: usize,
    blocks: usize,
    /// Pointers that are followed one after the other.
    depth: usize,
}

/// To begin with, enough for most objects; then for those for which that was not enough.
pub(crate) const LITTLE: Limits = Limits { words: 10_000, blocks: 200, depth: 5 };
pub(crate) const FEW: Limits = Limits { words: 200_000, blocks: 2_000, depth: 5 };

/// Where an address was found: the offset in the object, then in what that points to, and so on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Path {
    pub depth: usize,
    offsets: [u32; DEEPEST + 1],
}

impl Path {
    /// The offset in the object itself.
    pub(crate) fn first(&self) -> usize {
        self.offsets[0] as usize
    }

    /// The way to the block that the address is in.
    pub(crate) fn block(mut self) -> Path {
        self.offsets[self.depth] = 0;
        self
    }

    /// `(+24 +8)`.
    pub(crate) fn push_text(&self, text: &mut Vec<u8>) {
        text.add(b'(');
        for (nth, offset) in self.offsets[..=self.depth].iter().enumerate() {
            text.add_all(if nth == 0 { b"+" } else { b" +" });
            text.add_all(offset.to_string().as_bytes());
        }
        text.add(b')');
    }
}

/// The address of a target that was found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Match {
    pub target: usize,
    pub path: Path,
}

/// What the recorder knows of a block of the object domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DomainBlock {
    /// It is none that it saw.
    Unseen,
    /// It has so many bytes, and the trace has the object in it.
    Written(usize),
    /// It has so many bytes.
    Unwritten(usize),
}

/// A block that is looked at.
#[derive(Debug, Clone, Copy)]
struct Looked {
    block: Block,
    path: Path,
}

/// A search that is going on.
#[derive(Debug)]
pub(crate) struct Scan {
    reader: Reader,
    regions: Regions,
    pool_bytes: usize,
    looked: Vec<Looked>,
    /// Blocks that were met, by start, each with the number of the object for which it was met last.
    met: AddressMap<u32>,
    object: u32,
    words: Vec<(usize, usize)>,
    /// Words that may be looked at yet.
    left: usize,
}

impl Scan {
    /// For a heap of so many objects. `None` where memory cannot be read without a fault.
    pub(crate) fn new(pool_bytes: usize, objects: usize) -> Option<Scan> {
        Some(Scan {
            reader: Reader::new()?,
            regions: Regions::now(),
            pool_bytes,
            looked: Vec::new(),
            met: AddressMap::default(),
            object: 0,
            words: Vec::new(),
            left: WORDS_AT_LEAST + WORDS_FOR_EACH * objects,
        })
    }

    /// For so many objects that lead to much: to each its part of what may be looked at yet.
    pub(crate) fn share(&self, objects: usize) -> Limits {
        let words = (self.left / objects.max(1)).clamp(FEW.words, 4 * FEW.words);
        Limits { words, blocks: usize::MAX, depth: DEEPEST }
    }

    /// Whether there is an end to what may be looked at, and it has come.
    pub(crate) fn is_over(&self) -> bool {
        self.left == 0 || is_refused()
    }

    /// Fills `matches` with the targets whose address is in the memory of `object`, the nearest first. False where a limit came
    /// before the end.
    pub(crate) fn search(
        &mut self,
        object: usize,
        bytes: usize,
        limits: Limits,
        is_target: impl Fn(usize) -> bool,
        known: impl Fn(usize) -> DomainBlock,
        matches: &mut Vec<Match>,
    ) -> bool {
        matches.clear();
        self.object += 1;
        self.looked.clear();
        let start = Path { depth: 0, offsets: [0; DEEPEST + 1] };
        self.looked.add(Looked { block: Block { start: object, bytes }, path: start });
        let (mut next, mut spent, mut is_whole) = (0, 0, true);
        while let Some(&Looked { block, mut path }) = self.looked.get(next) {
            spent += self.read(block);
            if spent > limits.words || self.is_over() {
                return false;
            }
            for index in 0..self.words.len() {
                let (offset, word) = self.words[index];
                if next == 0 && offset < HEAD {
                    continue;
                }
                path.offsets[path.depth] = offset as u32;
                if is_target(word) {
                    matches.add(Match { target: word, path });
                } else if path.depth >= limits.depth || self.looked.len() >= limits.blocks {
                    is_whole &= path.depth >= DEEPEST;
                } else if let Some(block) = self.follow(word, &known) {
                    let deeper = Path { depth: path.depth + 1, ..path };
                    self.looked.add(Looked { block, path: deeper });
                }
            }
            next += 1;
        }
        is_whole
    }

    /// Reads the words of a block that may be addresses: each with its offset. Answers how many words there are.
    fn read(&mut self, block: Block) -> usize {
        self.words.clear();
        let data = self.reader.read(block.start, block.bytes.min(MOST));
        let step = if data.len() <= SMALL { STEP / 2 } else { STEP };
        for (nth, start) in (0..data.len()).step_by(step).enumerate() {
            let Some(&bytes) = data[start..].first_chunk() else { break };
            let word = usize::from_ne_bytes(bytes);
            if word.is_multiple_of(STEP) && self.regions.may_have(word) {
                self.words.add((nth * step, word));
            }
        }
        let words = data.len() / step;
        self.left = self.left.saturating_sub(words);
        words
    }

    /// The block that a word points into, if it is to be looked at: no object of the trace, and not met yet.
    fn follow(&mut self, word: usize, known: &impl Fn(usize) -> DomainBlock) -> Option<Block> {
        let mut block = None;
        for start in HEADS.map(|head| word - head) {
            match known(start) {
                DomainBlock::Written(bytes) if start + bytes > word => return None,
                DomainBlock::Unwritten(bytes) if start + bytes > word => block = Some(Block { start, bytes }),
                _ => {}
            }
        }
        let block = match block {
            Some(block) => block,
            None => self.regions.block(&mut self.reader, self.pool_bytes, word)?,
        };
        if matches!(known(block.start), DomainBlock::Written(_)) {
            return None;
        }
        let (met, is_new) = self.met.entry(block.start, self.object);
        let is_news = is_new || *met != self.object;
        *met = self.object;
        is_news.then_some(block)
    }
}

#[cfg(test)]
mod tests {
    use super::{DEEPEST, DomainBlock, FEW, Limits, Scan};

    const ALL: Limits = Limits { words: usize::MAX, blocks: usize::MAX, depth: DEEPEST };

    fn found(object: &[usize], targets: &[usize], limits: Limits) -> Vec<(usize, String)> {
        let mut scan = Scan::new(1 << 14, 0).unwrap();
        let mut matches = Vec::new();
        let is_target = |word: usize| targets.contains(&word);
        let bytes = size_of_val(object);
        scan.search(object.as_ptr().addr(), bytes, limits, is_target, |_| DomainBlock::Unseen, &mut matches);
        let text = |path: super::Path| {
            let mut text = Vec::new();
            path.push_text(&mut text);
            String::from_utf8(text).unwrap()
        };
        matches.into_iter().map(|found| (found.target, text(found.path))).collect()
    }

    #[test]
    fn an_address_is_found_in_the_object_and_behind_pointers_and_with_its_way() {
        let target = Box::new([0_usize; 8]);
        let address = target.as_ptr().addr();
        let inner = vec![1, 2, 3, address].into_boxed_slice();
        let outer = vec![5, inner.as_ptr().addr(), 6].into_boxed_slice();
        let object = vec![1, 2, 3, outer.as_ptr().addr(), address].into_boxed_slice();
        let expected = [(address, "(+32)".to_string()), (address, "(+24 +8 +24)".to_string())];
        assert_eq!(found(&object, &[address], FEW), expected);
    }

    #[test]
    fn memory_that_points_to_itself_ends_and_pointers_are_followed_as_far_as_the_limit() {
        let target = Box::new([0_usize; 8]);
        let address = target.as_ptr().addr();
        let mut object = vec![0, 0, 0, 0].into_boxed_slice();
        object[2] = object.as_ptr().addr();
        assert_eq!(found(&object, &[address], ALL), []);
        // Blocks that fill their chunks: what is left at the end of one may be an old address.
        let mut blocks = vec![vec![0, address, 0, 0, 0].into_boxed_slice()];
        for _ in 0..DEEPEST {
            let next = blocks.last().unwrap().as_ptr().addr();
            blocks.push(vec![0, next, 0, 0, 0].into_boxed_slice());
        }
        let hold = |next: &[usize]| vec![0, 0, next.as_ptr().addr()].into_boxed_slice();
        for limits in [FEW, ALL] {
            let (far, near) = (hold(&blocks[limits.depth]), hold(&blocks[limits.depth - 1]));
            assert_eq!(found(&far, &[address], limits), []);
            assert_eq!(found(&near, &[address], limits).len(), 1, "{:?}", found(&near, &[address], limits));
        }
    }
}
