//! Keeps what blocks of memory have in them, because many objects lead to the same ones.

use super::reader::{MOST, Reader};
use super::regions::{self, Block, Regions};
use crate::address_map::AddressMap;
use crate::memory::{Grow, apart};

/// In a block of so many bytes an address may stand at any multiple of four.
const SMALL: usize = 1 << 10;
const STEP: usize = size_of::<usize>();
/// What may stand in front of an object in its block.
const HEADS: [usize; 3] = [0, 16, 32];
/// Blocks and words that are kept until the next object is searched.
const KEPT: usize = 1 << 19;

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

/// What can be asked about an address.
pub(crate) trait Addresses {
    /// The number of the target that is there.
    fn target(&self, address: usize) -> Option<u32>;

    /// What is known of the block that begins there.
    fn block(&self, start: usize) -> DomainBlock;
}

/// Where a word leads.
#[derive(Debug, Clone, Copy)]
pub(super) enum Leads {
    /// To the target of this number.
    Target(u32),
    /// To the block in this place.
    Block(u32),
}

/// A word that leads somewhere, and its offset in the block.
#[derive(Debug, Clone, Copy)]
pub(super) struct Word {
    pub offset: u32,
    pub leads: Leads,
}

/// How far a block was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Extent {
    Nothing,
    Targets,
    All,
}

/// What a block has in it, as far as it was read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Contents {
    block: Block,
    extent: Extent,
    /// Where its words are among those of all.
    pub first: u32,
    pub end: u32,
    /// How many words there are that were looked at.
    pub looked_at: u32,
    /// Some of them may be addresses, and are not those of targets.
    pub may_lead_on: bool,
    /// The object for which it was met last.
    met: u32,
}

const NOT_READ: Contents = Contents {
    block: Block { start: 0, bytes: 0 },
    extent: Extent::Nothing,
    first: 0,
    end: 0,
    looked_at: 0,
    may_lead_on: false,
    met: 0,
};

/// All blocks that were met.
#[derive(Debug)]
pub(super) struct Blocks {
    reader: Reader,
    regions: Regions,
    pool_bytes: usize,
    contents: Vec<Contents>,
    words: Vec<Word>,
    /// Their places, by start.
    places: AddressMap<u32>,
    /// Of the block that is read: offsets, and words that may be addresses.
    read: Vec<(u32, usize)>,
    /// Words that were looked at: those of memory that was read, and those that were kept.
    pub looked_at: usize,
}

impl Blocks {
    /// `None` where memory cannot be read without a fault.
    pub(super) fn new(pool_bytes: usize) -> Option<Blocks> {
        Some(Blocks {
            reader: Reader::new()?,
            regions: Regions::now(),
            pool_bytes,
            contents: apart(),
            words: apart(),
            places: AddressMap::sparse_apart(0),
            read: apart(),
            looked_at: 0,
        })
    }

    /// Forgets them, before another object is searched, where they are many.
    pub(super) fn forget_if_many(&mut self) {
        if self.contents.len().max(self.words.len()) > KEPT {
            (self.contents, self.words, self.places) = (apart(), apart(), AddressMap::sparse_apart(0));
        }
    }

    /// The place of a block. `None` where there is no memory for it.
    pub(super) fn place(&mut self, block: Block) -> Option<u32> {
        let (&mut place, is_new) = self.places.entry(block.start, self.contents.len() as u32);
        if is_new {
            self.contents.add(Contents { block, ..NOT_READ });
        }
        ((place as usize) < self.contents.len()).then_some(place)
    }

    /// Whether it is the first time that the block is met for an object.
    pub(super) fn meet(&mut self, place: u32, object: u32) -> bool {
        std::mem::replace(&mut self.contents[place as usize].met, object) != object
    }

    pub(super) fn word(&self, nth: u32) -> Word {
        self.words[nth as usize]
    }

    /// What a block has in it: words that lead to targets and, where those are to be followed, to blocks.
    pub(super) fn read(&mut self, place: u32, follow: bool, addresses: &impl Addresses) -> Contents {
        let mut contents = self.contents[place as usize];
        let wanted = if follow { Extent::All } else { Extent::Targets };
        if contents.extent >= wanted {
            self.looked_at += (contents.end - contents.first) as usize;
            return contents;
        }
        contents.looked_at = self.read_words(contents.block);
        self.looked_at += contents.looked_at as usize;
        contents.first = self.words.len() as u32;
        for nth in 0..self.read.len() {
            let (offset, address) = self.read[nth];
            let leads = match addresses.target(address) {
                Some(target) => Some(Leads::Target(target)),
                None => {
                    contents.may_lead_on = true;
                    let block = if follow { self.block(address, addresses) } else { None };
                    block.and_then(|block| self.place(block)).map(Leads::Block)
                }
            };
            if let Some(leads) = leads {
                self.words.add(Word { offset, leads });
            }
        }
        (contents.end, contents.extent) = (self.words.len() as u32, wanted);
        self.contents[place as usize] = contents;
        contents
    }

    /// Reads the words of a block that may be addresses. Answers how many words there are.
    fn read_words(&mut self, block: Block) -> u32 {
        self.read.clear();
        let data = self.reader.read(block.start, block.bytes.min(MOST));
        let step = if data.len() <= SMALL { STEP / 2 } else { STEP };
        for start in (0..data.len()).step_by(step) {
            let Some(&bytes) = data[start..].first_chunk() else { break };
            let word = usize::from_ne_bytes(bytes);
            if word.is_multiple_of(STEP) && self.regions.may_have(word) {
                self.read.add((start as u32, word));
            }
        }
        (data.len() / step) as u32
    }

    /// The block that an address points into, if it is to be looked at: it is no object of the trace.
    fn block(&mut self, address: usize, addresses: &impl Addresses) -> Option<Block> {
        let region = self.regions.find(address)?;
        let mut block = None;
        for start in HEADS.map(|head| address - head) {
            match addresses.block(start) {
                DomainBlock::Written(bytes) if start + bytes > address => return None,
                DomainBlock::Unwritten(bytes) if start + bytes > address => block = Some(Block { start, bytes }),
                _ => {}
            }
        }
        let block = match block {
            Some(block) => block,
            None => regions::block(&mut self.reader, self.pool_bytes, region, address),
        };
        (!matches!(addresses.block(block.start), DomainBlock::Written(_))).then_some(block)
    }
}
