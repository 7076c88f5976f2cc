//! Collects what a log says that a sane log would not.

use crate::cycles::CyclicGarbage;
use crate::heap::{AnomalyExample, AnomalyKind, Heap};

/// What the log said that a sane log would not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Anomaly {
    /// A name with hyphens: `use-after-free`.
    pub kind: &'static str,
    /// What that means, in one clause.
    pub meaning: String,
    pub count: u64,
    /// The first few, as text.
    pub examples: Vec<String>,
    /// The counts of the log contradict its references: the log or the program is broken.
    pub is_imbalance: bool,
}

/// The anomalies of one trace, by kind.
pub(super) fn anomalies(heap: &Heap, garbage: &CyclicGarbage) -> Vec<Anomaly> {
    let anomalies = heap.anomalies().kinds().map(|(kind, count)| Anomaly {
        kind: kind.name(),
        meaning: kind.to_string(),
        count,
        examples: heap.anomalies().examples(kind).map(|of| example(heap, of)).collect(),
        is_imbalance: is_imbalance(kind),
    });
    let below = (garbage.imbalances > 0).then(|| Anomaly {
        kind: "count-below-references",
        meaning: "a refcount is below the known references".to_string(),
        count: garbage.imbalances,
        examples: garbage.imbalanced.iter().map(|of| example(heap, of)).collect(),
        is_imbalance: true,
    });
    anomalies.chain(below).collect()
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
