//! Collects what a log says that a sane log would not.

use std::collections::BTreeSet;

use crate::cycles::tracker::stack;
use crate::cycles::{CyclicGarbage, StackFrame};
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
    /// The types of the objects among them, and the stack that made the first of which one is known, innermost first.
    pub types: BTreeSet<String>,
    pub stack: Vec<StackFrame>,
    /// The counts of the log contradict its references: the log or the program is broken.
    pub is_imbalance: bool,
}

/// The anomalies of one trace, by kind.
pub(super) fn anomalies(heap: &Heap, garbage: &CyclicGarbage) -> Vec<Anomaly> {
    let anomalies = heap.anomalies().kinds().map(|(kind, count)| {
        let examples: Vec<&AnomalyExample> = heap.anomalies().examples(kind).collect();
        Anomaly {
            kind: kind.name(),
            meaning: kind.to_string(),
            count,
            is_imbalance: is_imbalance(kind),
            ..of_examples(heap, &examples)
        }
    });
    let below = (garbage.imbalances > 0).then(|| Anomaly {
        kind: "count-below-references",
        meaning: "a refcount is below the known references".to_string(),
        count: garbage.imbalances,
        is_imbalance: true,
        ..of_examples(heap, &garbage.imbalanced.iter().collect::<Vec<_>>())
    });
    anomalies.chain(below).collect()
}

/// What the examples say.
fn of_examples(heap: &Heap, examples: &[&AnomalyExample]) -> Anomaly {
    let types = examples.iter().filter_map(|example| heap.types().get(example.class));
    Anomaly {
        examples: examples.iter().map(|of| example(heap, of)).collect(),
        types: types.map(|def| def.name.to_string()).collect(),
        stack: examples
            .iter()
            .map(|example| stack(heap, example.site))
            .find(|stack| !stack.is_empty())
            .unwrap_or_default(),
        ..Anomaly::default()
    }
}

/// `event 17, 0x7f3a10 app.Order, made at app.py:12`.
fn example(heap: &Heap, example: &AnomalyExample) -> String {
    let object = example.address.map(|address| format!(", {address:#x}")).unwrap_or_default();
    let class = heap.types().get(example.class).map(|def| format!(" {}", def.name)).unwrap_or_default();
    let made = stack(heap, example.site).first().map(|frame| format!(", made at {}:{}", frame.path, frame.line));
    format!("event {}{object}{class}{}", example.event, made.unwrap_or_default())
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
