//! What one replay left behind becomes facts; facts of several traces become the facts of all of them.

use std::collections::BTreeMap;

use super::layout::Classes;
use crate::cycles::{self, CyclicGarbage};
use crate::heap::{Anomalies, AnomalyExample, AnomalyKind, Heap};

/// All that rules look at.
#[derive(Debug, Default)]
pub struct Facts {
    pub garbage: CyclicGarbage,
    pub anomalies: Vec<AnomalyFact>,
    pub classes: Classes,
    /// Whether a trace knows of stacks: then an object without one was made by the interpreter itself.
    pub has_stacks: bool,
}

/// What the log said that a sane log would not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AnomalyFact {
    /// A name with hyphens: `use-after-free`.
    pub kind: String,
    /// What that means, in one clause.
    pub meaning: String,
    pub count: u64,
    /// The first few, as text.
    pub examples: Vec<String>,
    /// The counts of the log contradict its references: the log or the program is broken.
    pub imbalance: bool,
}

impl Facts {
    pub fn of(garbage: CyclicGarbage, classes: Classes, heap: &Heap) -> Facts {
        let anomalies = heap.anomalies().kinds().map(|(kind, count)| AnomalyFact {
            kind: kind.name().to_string(),
            meaning: kind.to_string(),
            count,
            examples: heap.anomalies().examples(kind).map(|of| example(heap, of)).collect(),
            imbalance: is_imbalance(kind),
        });
        let mut anomalies: Vec<AnomalyFact> = anomalies.collect();
        if garbage.imbalances > 0 {
            anomalies.push(AnomalyFact {
                kind: "count-below-references".to_string(),
                meaning: "a refcount is below the known references".to_string(),
                count: garbage.imbalances,
                examples: garbage.imbalanced.iter().map(|of| example(heap, of)).collect(),
                imbalance: true,
            });
        }
        Facts { anomalies, has_stacks: heap.sites().iter().next().is_some(), garbage, classes }
    }

    /// Loops by fingerprint, anomalies by kind, classes by name.
    pub fn merge(parts: Vec<Facts>) -> Facts {
        let mut anomalies: BTreeMap<String, AnomalyFact> = BTreeMap::new();
        let (mut has_stacks, mut garbage) = (false, Vec::with_capacity(parts.len()));
        let mut classes = Classes::default();
        for part in parts {
            has_stacks |= part.has_stacks;
            garbage.push(part.garbage);
            classes.add(part.classes);
            for anomaly in part.anomalies {
                let sum = anomalies.entry(anomaly.kind.clone()).or_insert_with(|| AnomalyFact {
                    count: 0,
                    examples: Vec::new(),
                    ..anomaly.clone()
                });
                sum.count += anomaly.count;
                let room = Anomalies::EXAMPLES.saturating_sub(sum.examples.len());
                sum.examples.extend(anomaly.examples.into_iter().take(room));
            }
        }
        Facts { garbage: cycles::merge(garbage), anomalies: anomalies.into_values().collect(), classes, has_stacks }
    }
}

/// `event 17, 0x7f3a10 app.Order`.
fn example(heap: &Heap, example: &AnomalyExample) -> String {
    let object = example.address.map(|address| format!(", {address:#x}")).unwrap_or_default();
    let class = heap.types().get(example.class).map(|def| format!(" {}", def.name)).unwrap_or_default();
    format!("event {}{object}{class}", example.event)
}

/// Whether counts and references contradict each other, rather than the log merely being strange.
fn is_imbalance(kind: AnomalyKind) -> bool {
    matches!(
        kind,
        AnomalyKind::UseAfterFree
            | AnomalyKind::FreeWhileCounted
            | AnomalyKind::MissingReference
            | AnomalyKind::MissingRoot
            | AnomalyKind::BelowZero
            | AnomalyKind::CountMismatch
    )
}
