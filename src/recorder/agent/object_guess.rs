//! Finds out which blocks are objects: a block is one if the word that would be its type is the address of a type object.
//!
//! No allocation says what it is for, so the table of type objects is all there is to go by. It is read for each birth and each
//! death of the full log, mostly through the types that were met last.

use crate::address_map::AddressMap;
use crate::cpython::memory::{GC_HEAD, OBJECT_HEAD, flag, pre_header, type_flags, type_of, word};
use crate::cpython::versions::CPython;
use crate::live_table::{IS_TYPE, LiveTable};

/// Bytes that may be in front of an object in its block, the most frequent first.
const FRONTS: [usize; 3] = [16, 0, 32];
/// Bits for the bytes in front of an instance, 0, 16 or 32, and one.
const NUMBER_SHIFT: u32 = 6;
/// Types that are found without the map.
const RECENT: usize = 64;
/// A heap type has no smaller block.
const SMALLEST_TYPE: u64 = 800;

/// The type objects that were met, and what the words of a block say beside them.
pub(crate) struct TypeTable {
    row: &'static CPython,
    /// `PyType_Type`.
    type_type: usize,
    /// Types whose deallocator was taken over: the copy that their dying instances have, and the type.
    pub shadows: Vec<(usize, usize)>,
    /// By type object: one more than the bytes in front of its instances, and from [`NUMBER_SHIFT`] on its number.
    types: AddressMap<u32>,
    /// Forgotten when `types` changes.
    recent: [Guess; RECENT],
}

/// What was found out about a word that may be the type of an object.
#[derive(Debug, Clone, Copy, Default)]
struct Guess {
    word: usize,
    /// The type object, which a copy may stand for.
    type_object: usize,
    /// As in [`TypeTable::types`].
    entry: u32,
}

impl TypeTable {
    pub(crate) fn new(row: &'static CPython, type_type: usize) -> TypeTable {
        TypeTable {
            row,
            type_type,
            shadows: Vec::new(),
            types: AddressMap::sparse(),
            recent: [Guess::default(); RECENT],
        }
    }

    /// The number of a type in the trace, 0 if it has none.
    pub(crate) fn number(&self, type_object: usize) -> u32 {
        self.types.value(type_object) >> NUMBER_SHIFT
    }

    /// Takes in a type object with its number in the trace.
    pub(crate) fn set_number(&mut self, table: &mut LiveTable, type_object: usize, number: u32) {
        self.learn(table, type_object);
        let front = self.types.value(type_object) & ((1 << NUMBER_SHIFT) - 1);
        self.change(type_object, number << NUMBER_SHIFT | front);
    }

    /// Nothing is written yet in the file that begins.
    pub(crate) fn forget_numbers(&mut self) {
        self.types.update(|entry| entry & ((1 << NUMBER_SHIFT) - 1));
        self.recent = [Guess::default(); RECENT];
    }

    /// Forgets all but the copies, which dying instances have for ever.
    pub(crate) fn forget_all(&mut self) {
        self.types = AddressMap::sparse();
        self.recent = [Guess::default(); RECENT];
    }

    /// The type object is gone.
    pub(crate) fn forget(&mut self, type_object: usize) {
        self.change(type_object, 0);
    }

    /// Takes in a type object: from now on, what has it as its type is an object.
    pub(crate) fn learn(&mut self, table: &mut LiveTable, type_object: usize) {
        // SAFETY: the callers have a type object.
        let flags = unsafe { type_flags(type_object) };
        if flags & flag::HEAP_TYPE != 0 {
            table.mark(type_object - GC_HEAD, IS_TYPE);
        }
        let front = pre_header(self.row, flags) + if flags & flag::HAVE_GC != 0 { GC_HEAD } else { 0 };
        let number = self.types.value(type_object) >> NUMBER_SHIFT;
        self.change(type_object, number << NUMBER_SHIFT | (front as u32 + 1));
    }

    /// Of a type that is gone, 0.
    fn change(&mut self, type_object: usize, value: u32) {
        match value {
            0 => self.types.remove(type_object),
            _ => self.types.insert(type_object, value),
        }
        self.recent = [Guess::default(); RECENT];
    }

    /// The object that the block holds, its type, and the number of that. The count of one that is `dying` is zero.
    ///
    /// # Safety
    /// The block is live and has so many bytes.
    #[inline]
    pub(crate) unsafe fn object_in(
        &mut self,
        table: &mut LiveTable,
        block: usize,
        bytes: u64,
        dying: bool,
    ) -> Option<(usize, usize, u32)> {
        for front in FRONTS {
            if bytes < front as u64 + OBJECT_HEAD {
                continue;
            }
            // SAFETY: the words are in the block.
            let (count, word) = unsafe { (word(block + front) & self.row.count.bits(), type_of(block + front)) };
            if word % 8 != 0 || word < 4096 || word >> 48 != 0 || count > u32::MAX as usize || (count == 0 && !dying) {
                continue;
            }
            let mut guess = self.recent[place_of(word)];
            if guess.word != word {
                guess = self.guess(table, word, dying);
            }
            if guess.entry & ((1 << NUMBER_SHIFT) - 1) == front as u32 + 1 {
                return Some((block + front, guess.type_object, guess.entry >> NUMBER_SHIFT));
            }
        }
        None
    }

    /// What a word is that may be a type; of a dying object, a copy of one.
    #[inline(never)]
    fn guess(&mut self, table: &mut LiveTable, word: usize, dying: bool) -> Guess {
        let shadowed = self.shadows.iter().find(|&&(shadow, _)| dying && shadow == word);
        let type_object = shadowed.map_or(word, |&(_, real)| real);
        if self.types.value(type_object) == 0 && self.is_type(table, type_object) {
            self.learn(table, type_object);
        }
        let guess = Guess { word, type_object, entry: self.types.value(type_object) };
        if guess.entry != 0 {
            self.recent[place_of(word)] = guess;
        }
        guess
    }

    /// Whether a live block of its own holds this type object, and the type is ready.
    fn is_type(&self, table: &mut LiveTable, type_object: usize) -> bool {
        let index = table.find(type_object.wrapping_sub(GC_HEAD));
        if index == 0 || table.get(index).bytes() < SMALLEST_TYPE {
            return false;
        }
        // SAFETY: the words are in the block; the class of a class is in the table or `type`.
        unsafe {
            let class = type_of(type_object);
            let is_type =
                class == self.type_type || self.types.value(class) != 0 && type_flags(class) & flag::TYPE_SUBCLASS != 0;
            is_type && type_flags(type_object) & flag::READY != 0
        }
    }
}

#[inline]
fn place_of(word: usize) -> usize {
    (word >> 4 ^ word >> 10) % RECENT
}
