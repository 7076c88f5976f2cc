//! Defines what a walk of the heap writes into: the live table and the log, behind one trait.

use std::ops::RangeInclusive;

use crate::descriptions::Descriptions;
use crate::encode::Encoder;
use crate::scan::DomainBlock;

/// The live table and the log, as a walk sees them.
pub(crate) trait Sink {
    /// Interned text (UTF-8, cut at `TEXT_LIMIT` by the callee); defined in the log on first use. Never 0.
    fn text(&mut self, text: &[u8]) -> u32;

    /// Interned site; `parent` 0 is none. Defined on first use.
    fn site(&mut self, path: u32, line: u32, function: u32, parent: u32) -> u32;

    /// The trace's number of a type object's definition, once `define_type` was given its text; 0 if not defined yet.
    /// Keyed by the type object's address; forgotten when the type object's block is freed.
    fn type_number(&mut self, type_object: usize) -> u32;

    /// Writes `type N <text>` with a new number N (the text is what follows the number in the text form) and
    /// remembers it.
    fn define_type(&mut self, type_object: usize, text: &str) -> u32;

    /// Writes `type N <text>` once more, for a class that has changed since.
    fn define_type_again(&mut self, number: u32, text: &str);

    /// The dense number of the object at `object` (`PyObject*`), whose memory block begins at `block` (<= object;
    /// equals object minus GC header and pre-header). Writes its `alloc` when the trace has not met it yet; `bytes` is
    /// used only when the block was not seen by the allocator hook. Writes `retype` if the class differs from the one
    /// written before.
    fn object(&mut self, object: usize, block: usize, class: u32, bytes: u64) -> u64;

    /// First time that this object is met in the walk that is going on?
    fn first_visit(&mut self, object: usize, block: usize) -> bool;

    /// How walks have described the objects.
    fn descriptions(&mut self) -> &mut Descriptions;

    /// The walk of garbage that is going on describes this object; `gc` where a head of the collector stands in front of it.
    fn member(&mut self, object: usize, block: usize, gc: bool);

    /// Whether [`Sink::leaked`] wants to be told.
    fn wants_leaks(&self) -> bool;

    /// An object of this type is garbage, and the next one, with so many bytes in its block, is worth a stack.
    fn leaked(&mut self, type_object: usize, bytes: RangeInclusive<usize>);

    fn begin_walk(&mut self);

    /// The memory was asked for by this process, and not by the one that forked it.
    fn is_own(&self, block: usize) -> bool;

    /// What is known of the block of the object domain that begins here.
    fn known(&self, block: usize) -> DomainBlock;

    /// Whether it is known which stack made the object in the block that begins here.
    fn has_stack(&self, block: usize) -> bool;

    /// An object of the recorder itself, which is not in the trace.
    fn hidden(&self, object: usize) -> bool;

    /// Writes one record made by the encoder.
    fn emit(&mut self, record: impl FnOnce(&mut Encoder) -> &[u8])
    where
        Self: Sized;
}
