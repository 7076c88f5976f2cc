//! Computes the fingerprint of a bug from the path of its loops.

use crate::cycles::garbage::{Fingerprint, LoopPath};

impl Fingerprint {
    /// FNV-1a, 64 bits (offset basis 0xcbf29ce484222325, prime 0x100000001b3), of each step's type name, label and slot
    /// in UTF-8, a zero byte after each.
    ///
    /// The path is in canonical rotation already; nothing else of the loop, no address, no number enters.
    pub fn of(path: &LoopPath) -> Fingerprint {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for step in &path.steps {
            for text in [&step.type_name, &step.label, &step.slot] {
                for byte in text.bytes().chain([0]) {
                    hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
                }
            }
        }
        Fingerprint(hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cycles::PathStep;

    #[test]
    fn a_fingerprint_is_fnv_1a_of_types_labels_and_slots() {
        assert_eq!(Fingerprint::of(&LoopPath { steps: vec![] }).to_string(), "cbf29ce484222325");
        let step = |label: &str, slot: &str| PathStep {
            label: label.to_string(),
            type_name: format!("app.{label}"),
            slot: slot.to_string(),
        };
        let path = LoopPath { steps: vec![step("Order", ".items[*]"), step("Line", ".order")] };
        // FNV-1a of "app.Order\0Order\0.items[*]\0app.Line\0Line\0.order\0", computed elsewhere.
        assert_eq!(Fingerprint::of(&path).to_string(), "db4dfb845669059f");
        let other = LoopPath { steps: vec![step("Order", ".items"), step("[*]Line", ".order")] };
        assert_ne!(Fingerprint::of(&path), Fingerprint::of(&other));
    }
}
