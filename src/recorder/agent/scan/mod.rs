//! Searches the memory of an object, and the memory that it points to, for the addresses of objects.
//!
//! Nothing runs and nothing can fault: memory is read through the kernel. A match is an address and no more: nothing tells
//! whether it is a reference that counts, or is still in use.

mod blocks;
pub(crate) mod everywhere;
pub(crate) mod reader;
pub(crate) mod regions;

use crate::memory::{Grow, is_refused};
pub(crate) use blocks::{Addresses, DomainBlock};
use blocks::{Blocks, Leads, Word};
use regions::Block;

/// Pointers that are followed one after the other at most.
pub(crate) const DEEPEST: usize = 9;
/// Words that are looked at for all objects that are searched: for each object of the heap, and to begin with.
const WORDS_FOR_EACH: usize = 8;
const WORDS_AT_LEAST: usize = 16 << 20;
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

/// Where the address of a target was found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Match {
    /// Its number.
    pub target: u32,
    pub path: Path,
}

/// A block that is looked at, by its place.
#[derive(Debug, Clone, Copy)]
struct Looked {
    block: u32,
    path: Path,
}

/// A search that is going on.
#[derive(Debug)]
pub(crate) struct Scan {
    blocks: Blocks,
    looked: Vec<Looked>,
    object: u32,
    /// Words that may be looked at.
    most: usize,
}

impl Scan {
    /// For a heap of so many objects. `None` where memory cannot be read without a fault.
    pub(crate) fn new(pool_bytes: usize, objects: usize) -> Option<Scan> {
        let most = WORDS_AT_LEAST + WORDS_FOR_EACH * objects;
        Some(Scan { blocks: Blocks::new(pool_bytes)?, looked: Vec::new(), object: 0, most })
    }

    /// For so many objects that lead to much: to each its part of what may be looked at yet.
    pub(crate) fn share(&self, objects: usize) -> Limits {
        let left = self.most.saturating_sub(self.blocks.looked_at);
        let words = (left / objects.max(1)).clamp(FEW.words, 4 * FEW.words);
        Limits { words, blocks: usize::MAX, depth: DEEPEST }
    }

    /// Whether there is an end to what may be looked at, and it has come.
    pub(crate) fn is_over(&self) -> bool {
        self.blocks.looked_at >= self.most || is_refused()
    }

    /// Fills `matches` with the targets whose address is in the memory of `object`, the nearest first. False where a limit came
    /// before the end.
    pub(crate) fn search(
        &mut self,
        object: usize,
        bytes: usize,
        limits: Limits,
        addresses: &impl Addresses,
        matches: &mut Vec<Match>,
    ) -> bool {
        matches.clear();
        self.blocks.forget_if_many();
        self.looked.clear();
        self.object += 1;
        let Some(block) = self.blocks.place(Block { start: object, bytes }) else { return false };
        self.looked.add(Looked { block, path: Path { depth: 0, offsets: [0; DEEPEST + 1] } });
        let (mut next, mut spent, mut is_whole) = (0, 0, true);
        while let Some(&Looked { block, mut path }) = self.looked.get(next) {
            let follow = path.depth < limits.depth && self.looked.len() < limits.blocks;
            let contents = self.blocks.read(block, follow, addresses);
            spent += contents.looked_at as usize;
            if spent > limits.words || self.is_over() {
                return false;
            }
            is_whole &= follow || !contents.may_lead_on || path.depth >= DEEPEST;
            for nth in contents.first..contents.end {
                let Word { offset, leads } = self.blocks.word(nth);
                if next == 0 && (offset as usize) < HEAD {
                    continue;
                }
                path.offsets[path.depth] = offset;
                match leads {
                    Leads::Target(target) => {
                        matches.add(Match { target, path });
                    }
                    Leads::Block(_) if !follow => {}
                    Leads::Block(_) if self.looked.len() >= limits.blocks => is_whole = false,
                    Leads::Block(block) => {
                        if self.blocks.meet(block, self.object) {
                            self.looked.add(Looked { block, path: Path { depth: path.depth + 1, ..path } });
                        }
                    }
                }
            }
            next += 1;
        }
        is_whole
    }
}

#[cfg(test)]
mod tests {
    use super::{Addresses, DEEPEST, DomainBlock, FEW, Limits, Scan};

    const ALL: Limits = Limits { words: usize::MAX, blocks: usize::MAX, depth: DEEPEST };

    /// Of blocks nothing is known.
    struct Targets<'a>(&'a [usize]);

    impl Addresses for Targets<'_> {
        fn target(&self, address: usize) -> Option<u32> {
            self.0.iter().position(|&target| target == address).map(|place| place as u32)
        }

        fn block(&self, _: usize) -> DomainBlock {
            DomainBlock::Unseen
        }
    }

    fn found(object: &[usize], targets: &[usize], limits: Limits) -> Vec<(usize, String)> {
        found_by(&mut Scan::new(1 << 14, 0).unwrap(), object, targets, limits)
    }

    fn found_by(scan: &mut Scan, object: &[usize], targets: &[usize], limits: Limits) -> Vec<(usize, String)> {
        let mut matches = Vec::new();
        scan.search(object.as_ptr().addr(), size_of_val(object), limits, &Targets(targets), &mut matches);
        let text = |path: super::Path| {
            let mut text = Vec::new();
            path.push_text(&mut text);
            String::from_utf8(text).unwrap()
        };
        matches.into_iter().map(|found| (targets[found.target as usize], text(found.path))).collect()
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

    #[test]
    fn what_was_read_for_one_object_is_found_for_the_next_and_further_on_where_that_looks_further() {
        let target = Box::new([0_usize; 8]);
        let address = target.as_ptr().addr();
        let far = vec![0, address, 0, 0, 0].into_boxed_slice();
        let near = vec![0, far.as_ptr().addr(), address, 0, 0].into_boxed_slice();
        let [one, other] = [3, 4].map(|place| {
            let mut object = vec![0; 5].into_boxed_slice();
            object[place] = near.as_ptr().addr();
            object
        });
        let mut scan = Scan::new(1 << 14, 0).unwrap();
        let short = Limits { depth: 1, ..ALL };
        assert_eq!(found_by(&mut scan, &one, &[address], short), [(address, "(+24 +16)".to_string())]);
        let read = scan.blocks.looked_at;
        assert_eq!(found_by(&mut scan, &other, &[address], short), [(address, "(+32 +16)".to_string())]);
        assert!(scan.blocks.looked_at < read + read.div_ceil(2) + 5, "{read}, {}", scan.blocks.looked_at);
        let both = [(address, "(+24 +16)".to_string()), (address, "(+24 +8 +8)".to_string())];
        assert_eq!(found_by(&mut scan, &one, &[address], ALL), both);
    }
}
