//! Counts the instances of one type at one checkpoint, and what they cost, kind by kind.

use std::collections::BTreeMap;

use super::cpython::Layout;
use super::kinds::Totals;
use super::layout::block;
use crate::trace::DictState;

/// Kinds of instances kept apart for one type; instances of further kinds are counted with none.
const MOST_KINDS: usize = 4096;

/// The instances of one type at one checkpoint. All bytes are sums.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Census {
    pub instances: u64,
    /// Own blocks, collector's headers included.
    pub object_bytes: u64,
    /// Dict objects of instances.
    pub dict_bytes: u64,
    /// Values arrays and key tables.
    pub attribute_bytes: u64,
    /// Other separate blocks: items of a list, tables of dicts and sets.
    pub item_bytes: u64,
    /// What rounding to blocks adds to all of them.
    pub padding: u64,
    pub kinds: BTreeMap<Kind, u64>,
}

/// Instances that cost the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Kind {
    pub state: DictState,
    /// Attributes that the dict or the values have room for.
    pub capacity: u32,
    /// Attributes kept in the dict or the values.
    pub n_names: u32,
    /// Bytes of the instance's own block.
    pub object: u64,
    /// Bytes of its dict object; 0 where there is none.
    pub dict: u64,
    /// Bytes of its separate values array or key table.
    pub attributes: u64,
}

/// What an instance costs, as the trace has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bytes {
    pub object: u64,
    pub owned: u64,
    pub state: DictState,
    pub capacity: u32,
    pub n_names: u32,
    /// Dict object, and the table that it owns.
    pub dict: u64,
    pub table: u64,
    /// The dict object is not in the trace.
    pub hidden: bool,
}

impl Census {
    /// Objects that are no instances of a class statement's type, or whose parts are not looked at.
    pub(super) fn add_totals(&mut self, totals: &Totals) {
        self.instances += totals.instances;
        self.object_bytes += totals.object_bytes;
        self.item_bytes += totals.item_bytes;
        self.padding += totals.padding;
    }

    pub(super) fn add_instances(&mut self, bytes: &Bytes, count: u64, layout: Option<&Layout>) {
        let values = if bytes.hidden { 0 } else { values_of(bytes, layout) };
        let items = bytes.owned - values;
        let blocks = [bytes.object, bytes.dict, bytes.table, values, items];
        self.instances += count;
        self.object_bytes += count * bytes.object;
        self.dict_bytes += count * bytes.dict;
        self.attribute_bytes += count * (bytes.table + values);
        self.item_bytes += count * items;
        self.padding += count * blocks.into_iter().map(|bytes| block(bytes) - bytes).sum::<u64>();
        let kind = Kind {
            state: bytes.state,
            capacity: bytes.capacity,
            n_names: bytes.n_names,
            object: bytes.object,
            dict: bytes.dict,
            attributes: bytes.table + values,
        };
        if let Some(known) = self.kinds.get_mut(&kind) {
            *known += count;
        } else if self.kinds.len() < MOST_KINDS {
            self.kinds.insert(kind, count);
        }
    }

    /// Requested bytes of all of them.
    pub fn bytes(&self) -> u64 {
        self.object_bytes + self.dict_bytes + self.attribute_bytes + self.item_bytes
    }

    /// Instances whose kind is known.
    pub fn kept(&self) -> u64 {
        self.kinds.values().sum()
    }
}

impl Kind {
    /// Bytes really used by the blocks of one such instance, list items and the like left out.
    pub fn used(&self) -> u64 {
        block(self.object) + block(self.dict) + block(self.attributes)
    }

    pub fn requested(&self) -> u64 {
        self.object + self.dict + self.attributes
    }
}

/// The part of an instance's own separate blocks that is its values array; the rest are items, as all is where the layout
/// is not known. An array that a dict object took over is among the dict's blocks.
fn values_of(object: &Bytes, layout: Option<&Layout>) -> u64 {
    match (object.state, layout) {
        (DictState::Inline | DictState::Split | DictState::Detached, Some(layout)) if object.table == 0 => {
            let array = layout.values.bytes(u64::from(object.capacity));
            if array <= object.owned { array } else { 0 }
        }
        _ => 0,
    }
}
