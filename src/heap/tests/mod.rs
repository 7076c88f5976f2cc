//! Plays a script in the text form, and writes what the heap showed, for tests.

mod properties;
mod scenarios;
mod unchanged;

use std::fmt::Write;

use crate::heap::{Heap, HeapGraph, ObjectIndex, Observer, Replayed, SnapshotKind, replay};
use crate::trace::{Ending, Event, Events, Header, Numbers, Position, TraceError, open_bytes};

/// Header of a script without one: references as events, frees recorded.
const HEADER: &str = "reftrace 1 runtime=cpython-3.13.0 pointer=8";

/// Plays a script; `options` are more words of the header. `numbers=dense` is one here, though not in the text form.
pub(super) fn play(options: &str, script: &str, observer: &mut dyn Observer) -> Replayed {
    let dense = options.contains("numbers=dense");
    let text = format!("{HEADER} {}\n{script}", options.replace("numbers=dense", ""));
    let mut events = open_bytes(text.into_bytes()).expect("the script has a header");
    if dense {
        let header = Header { numbers: Numbers::Dense, ..events.header().clone() };
        let listed = std::iter::from_fn(|| events.next_event().expect("the script can be read")).collect();
        return replay(&mut Listed::new(header, listed), observer, &mut |_| {});
    }
    let replayed = replay(&mut *events, observer, &mut |_| {});
    if let Some(error) = &replayed.error {
        panic!("the script cannot be read: {error}");
    }
    replayed
}

/// Plays a script and tells each snapshot, each death, what is left at the end, and the anomalies.
pub(super) fn tell(options: &str, script: &str) -> String {
    let mut teller = Teller::default();
    let replayed = play(options, script, &mut teller);
    let mut out = teller.out;
    let heap = &replayed.heap;
    let _ = writeln!(out, "{} live, {} bytes", heap.n_live(), heap.live_bytes());
    for (kind, count) in heap.anomalies().kinds() {
        let examples = heap.anomalies().examples(kind);
        let places: Vec<String> = examples
            .map(|example| match example.address {
                Some(address) => format!("event {} {address:x} {}", example.event, heap.types().name(example.class)),
                None => format!("event {}", example.event),
            })
            .collect();
        let _ = writeln!(out, "anomaly: {count} × {} ({})", kind.name(), places.join(", "));
    }
    out
}

/// Watches every object that a snapshot shows.
#[derive(Default)]
struct Teller {
    out: String,
}

impl Observer for Teller {
    fn on_snapshot(&mut self, heap: &mut Heap, graph: &HeapGraph, kind: SnapshotKind) {
        let _ = writeln!(self.out, "{kind:?}:");
        for node in graph.nodes().filter(|&node| !graph.state(node).vacant) {
            let index = graph.object(node);
            let object = heap.object(index);
            let _ = write!(self.out, "  {:x} {} ", object.address, heap.types().name(object.class));
            let _ = write!(self.out, "count {}", graph.count(node));
            if graph.state(node).pinned {
                self.out.push_str(" pinned");
            }
            if graph.state(node).tracked {
                self.out.push_str(" tracked");
            }
            let roots = heap.root_names(index);
            if !roots.is_empty() {
                let _ = write!(self.out, " [{}]", roots.join(" "));
            }
            for reference in graph.references(node) {
                let to = heap.object(graph.object(reference.to)).address;
                let _ = write!(self.out, " {}→{to:x}", heap.slot_name(reference.slot));
            }
            self.out.push('\n');
            heap.watch(index);
        }
    }

    fn freed(&mut self, heap: &Heap, index: ObjectIndex, by_collector: bool) {
        let object = heap.object(index);
        let by = if by_collector { " by the collector" } else { "" };
        let _ = writeln!(self.out, "freed: {:x} {}{by}", object.address, heap.types().name(object.class));
    }
}

/// Events from memory.
pub(super) struct Listed {
    header: Header,
    events: std::vec::IntoIter<Event>,
}

impl Listed {
    pub(super) fn new(header: Header, events: Vec<Event>) -> Listed {
        Listed { header, events: events.into_iter() }
    }
}

impl Events for Listed {
    fn header(&self) -> &Header {
        &self.header
    }

    fn next_event(&mut self) -> Result<Option<Event>, TraceError> {
        Ok(self.events.next())
    }

    fn position(&self) -> Position {
        Position::default()
    }

    fn ending(&self) -> Ending {
        Ending::Open
    }
}
