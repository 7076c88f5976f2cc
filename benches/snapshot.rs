//! How long a snapshot takes, and how much memory, beside petgraph's components and CPython's collector on the same graph
//! in the same run.
//!
//! ```text
//! SNAPSHOT_OBJECTS=10000000 SNAPSHOT_REFERENCES=5 cargo bench --bench snapshot
//! ```
//!
//! | variable | default | meaning |
//! |---|---|---|
//! | `SNAPSHOT_OBJECTS` | 200000 | objects |
//! | `SNAPSHOT_REFERENCES` | 5 | references of each |
//! | `SNAPSHOT_GARBAGE` | 1 | percent of the objects that are cyclic garbage, in loops of 2 to 9 |
//! | `SNAPSHOT_ROUNDS` | 3 | the median is told |
//! | `SNAPSHOT_PEERS` | 1 | 0: without petgraph, which needs 24 bytes a reference |
//! | `SNAPSHOT_TARJAN_STACK` | 0 | GiB of stack for petgraph's recursive `tarjan_scc`; 0: without it |
//! | `SNAPSHOT_PYTHON` | | a Python whose `gc.collect()` looks at the same graph, each object a list; 120 bytes an object |
//! | `SNAPSHOT_LOOPS` | 100000 | equal loops that the tracker counts at one snapshot |

use std::hint::black_box;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use petgraph::graph::DiGraph;
use refloop::cycles::{Components, Garbage, GarbageGraph, Holders, Tracker};
use refloop::heap::{Heap, HeapGraph, Node, NodeState, ObjectIndex, Observer, SnapshotKind, replay};
use refloop::trace::{
    Births, Ending, Event, Events, Frees, Header, Numbers, Position, References, SiteId, Slot, Tag, TextDef, TextId,
    TraceError, TypeDef, TypeId,
};

fn main() {
    let objects = setting("SNAPSHOT_OBJECTS", 200_000) as u32;
    let references = setting("SNAPSHOT_REFERENCES", 5) as u32;
    let garbage = setting("SNAPSHOT_GARBAGE", 1) as u32;
    println!("{objects} objects, {references} references each, {garbage} % garbage");
    println!("{:<46} {:>10} {:>10} {:>10}", "", "seconds", "CPU s", "extra MB");
    for (name, local) in [("heap-like", true), ("random", false)] {
        let graph = graph(objects, references, garbage, local);
        measure_snapshot(name, &graph);
        collector(name, &graph, objects, references);
        peers(name, &graph);
    }
    tracker(setting("SNAPSHOT_LOOPS", 100_000));
}

fn measure_snapshot(name: &str, graph: &HeapGraph) {
    let mut verdict = (0, 0);
    measure(&format!("{name}: reach"), || {
        black_box(Garbage::of(graph));
    });
    measure(&format!("{name}: verdict (reach, loops, held)"), || {
        let garbage = Garbage::of(graph);
        let inner = GarbageGraph::of(graph, &garbage);
        let components = Components::of(&inner);
        black_box(Holders::of(&inner, &components));
        verdict = (garbage.nodes.len(), components.loops().count());
    });
    println!("  {} objects of garbage, {} loops", verdict.0, verdict.1);
}

fn peers(name: &str, graph: &HeapGraph) {
    let whole = whole(graph);
    let mut ours = 0;
    measure(&format!("{name}: components of the whole graph"), || ours = Components::of(&whole).n_components());
    drop(whole);
    if setting("SNAPSHOT_PEERS", 1) == 0 {
        return;
    }
    let peer = petgraph_of(graph);
    let mut theirs = 0;
    measure(&format!("{name}: petgraph kosaraju_scc"), || theirs = petgraph::algo::kosaraju_scc(&peer).len());
    assert_eq!(ours, theirs, "both find the same number of components");
    let stack = setting("SNAPSHOT_TARJAN_STACK", 0) << 30;
    if stack > 0 {
        let run =
            || measure(&format!("{name}: petgraph tarjan_scc"), || theirs = petgraph::algo::tarjan_scc(&peer).len());
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().stack_size(stack as usize).spawn_scoped(scope, run);
            thread.expect("a thread with so much stack").join().expect("no panic");
        });
        assert_eq!(ours, theirs, "both find the same number of components");
    }
}

/// Times `gc.collect()` on a list for each object, once with the list of the roots before them in the collector's own
/// list and once behind them: a collector that meets the roots last takes all for garbage until then.
fn collector(name: &str, graph: &HeapGraph, objects: u32, references: u32) {
    let Ok(python) = std::env::var("SNAPSHOT_PYTHON") else { return };
    for order in ["first", "last"] {
        let mut child = Command::new(&python)
            .args(["-c", COLLECTOR, order])
            .args([objects, references].map(|number| number.to_string()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("SNAPSHOT_PYTHON is a Python");
        let mut pipe = child.stdin.take().expect("a pipe");
        for row in graph.nodes().map(|node| graph.referents(node)) {
            let bytes: Vec<u8> = row.iter().flat_map(|to| to.0.to_ne_bytes()).collect();
            pipe.write_all(&bytes).expect("Python reads all");
        }
        drop(pipe);
        let output = child.wait_with_output().expect("a process");
        let told = String::from_utf8_lossy(&output.stdout);
        print!("{:<46} {told}", format!("{name}: gc.collect(), roots {order}"));
    }
}

/// Tells the seconds and CPU seconds of a collection (the median of three that free nothing), and which Python it was.
const COLLECTOR: &str = r#"
import array, gc, platform, sys, time
order, objects, references = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
gc.disable()
roots = [None] * len(range(0, objects, 1000)) if order == "first" else None
heap = [[] for _ in range(objects)]
for node in heap:
    row = array.array("I", sys.stdin.buffer.read(4 * references))
    node.extend(map(heap.__getitem__, row))
live = heap[0 : objects * 99 // 100 : 1000]
if order == "first":
    roots[: len(live)] = live
else:
    roots = [] + live
del heap, live, node, row
def collect():
    start, cpu = time.perf_counter(), time.process_time()
    gc.collect()
    return time.process_time() - cpu, time.perf_counter() - start
collect()
cpu, seconds = sorted(collect() for _ in range(3))[1]
print("%10.3f %10.3f %10s" % (seconds, cpu, platform.python_version()))
"#;

/// The median of the rounds, and by how much the first one raised the peak of memory.
fn measure(name: &str, mut run: impl FnMut()) {
    let before = memory("VmRSS");
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    let mut times = Vec::new();
    let mut cpu_times = Vec::new();
    let mut extra = None;
    for _ in 0..setting("SNAPSHOT_ROUNDS", 3).max(1) {
        let (start, cpu_start) = (Instant::now(), cpu_time());
        run();
        times.push(start.elapsed());
        cpu_times.push(cpu_time().saturating_sub(cpu_start));
        extra = extra.or_else(|| Some((memory("VmHWM")? - before?) / 1024));
    }
    times.sort();
    cpu_times.sort();
    let (seconds, cpu) = (times[times.len() / 2].as_secs_f64(), cpu_times[times.len() / 2].as_secs_f64());
    let extra = extra.map_or("unknown".to_string(), |mb| mb.to_string());
    println!("{name:<46} {seconds:>10.3} {cpu:>10.3} {extra:>10}");
}

/// What this thread has run, which a busy machine does not stretch; zero where the system does not tell.
fn cpu_time() -> Duration {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let ns = told.split_whitespace().next().and_then(|ns| ns.parse().ok());
    Duration::from_nanos(ns.unwrap_or(0))
}

/// Kilobytes, where the system tells.
fn memory(field: &str) -> Option<i64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with(field))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

/// Marsaglia's xorshift: the same graph in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u32) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (((self.0 >> 32) * u64::from(end)) >> 32) as u32
    }
}

/// Live objects first, then garbage in rings. `local`: most references lead to neighbours in memory, some to a few
/// popular objects, few anywhere; else all lead anywhere.
fn graph(objects: u32, references: u32, garbage: u32, local: bool) -> HeapGraph {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let live = (u64::from(objects) * u64::from(100 - garbage.min(99)) / 100).max(1) as u32;
    let mut rows = vec![0u32];
    let mut targets = Vec::with_capacity(objects as usize * references as usize);
    let mut counts = vec![0u32; objects as usize];
    for node in 0..live {
        for nth in 0..references {
            let to = match random.below(100) {
                _ if !local => random.below(live),
                // A tree of owners, so that all is reached: each object is held by one a little older.
                _ if nth == 0 => (node + 1).min(live - 1),
                0..60 => (node + 1 + random.below(64)).min(live - 1),
                60..85 => node.saturating_sub(1 + random.below(64)),
                85..95 => random.below(live.min(1000)),
                _ => random.below(live),
            };
            targets.push(Node(to));
            counts[to as usize] += 1;
        }
        rows.push(targets.len() as u32);
    }
    let mut first = live;
    while first < objects {
        let size = (2 + random.below(8)).min(objects - first);
        for member in first..first + size {
            for nth in 0..references {
                let to = if nth == 0 { first + (member + 1 - first) % size } else { first + random.below(size) };
                targets.push(Node(to));
                counts[to as usize] += 1;
            }
            rows.push(targets.len() as u32);
        }
        first += size;
    }
    for node in (0..live).step_by(1000) {
        counts[node as usize] += 1;
    }
    let slots = vec![Slot::UNNAMED; targets.len()];
    let states = vec![NodeState { tracked: true, ..NodeState::default() }; objects as usize];
    HeapGraph::from_rows(rows, targets, slots, Vec::new(), counts, states)
}

fn whole(graph: &HeapGraph) -> GarbageGraph {
    let mut rows = vec![0u32];
    let mut targets = Vec::with_capacity(graph.n_references());
    for node in graph.nodes() {
        targets.extend(graph.referents(node).iter().map(|to| to.0));
        rows.push(targets.len() as u32);
    }
    let slots = vec![Slot::UNNAMED; targets.len()];
    GarbageGraph::from_rows(rows, targets, slots)
}

fn petgraph_of(graph: &HeapGraph) -> DiGraph<(), ()> {
    let mut peer = DiGraph::with_capacity(graph.n_nodes(), graph.n_references());
    graph.nodes().for_each(|_| {
        peer.add_node(());
    });
    for node in graph.nodes() {
        for to in graph.referents(node) {
            peer.add_edge(node.0.into(), to.0.into(), ());
        }
    }
    peer
}

/// Replays so many loops of two objects and one snapshot, and tells how long the tracker took for it.
fn tracker(loops: u64) {
    let mut observer = Timed { tracker: Tracker::new(), took: Duration::ZERO };
    let replayed = replay(&mut Pairs { header: header(), loops, next: 0 }, &mut observer, &mut |_| {});
    let found = observer.tracker.finish(&replayed.heap);
    let seconds = observer.took.as_secs_f64();
    let rate = loops as f64 / seconds / 1e6;
    println!("tracker: {loops} loops of two objects, 2 snapshots: {seconds:.3} CPU s, {rate:.2} M loops/s");
    assert_eq!(found.groups.iter().map(|group| group.count).collect::<Vec<_>>(), [loops]);
}

struct Timed {
    tracker: Tracker,
    took: Duration,
}

impl Observer for Timed {
    fn on_snapshot(&mut self, heap: &mut Heap, graph: &HeapGraph, kind: SnapshotKind) {
        let start = cpu_time();
        self.tracker.on_snapshot(heap, graph, kind);
        self.took += cpu_time().saturating_sub(start);
    }

    fn freed(&mut self, heap: &Heap, object: ObjectIndex, by_collector: bool) {
        self.tracker.freed(heap, object, by_collector);
    }
}

fn header() -> Header {
    Header {
        version: 1,
        runtime: "bench".to_string(),
        pointer: 8,
        references: References::Events,
        frees: Frees::Recorded,
        births: Births::All,
        numbers: Numbers::Dense,
        extra: Vec::new(),
    }
}

/// Objects two by two that refer to each other, then a collection that begins.
struct Pairs {
    header: Header,
    loops: u64,
    next: u64,
}

/// Events before the first pair, and events of each.
const DEFINITIONS: u64 = 4;
const PAIR: u64 = 4;

impl Events for Pairs {
    fn header(&self) -> &Header {
        &self.header
    }

    fn next_event(&mut self) -> Result<Option<Event>, TraceError> {
        let nth = self.next;
        self.next += 1;
        let class =
            |id: u32, name: &str| Event::Type(Box::new(TypeDef { id, name: name.to_string(), ..TypeDef::default() }));
        let text = |id, text: &str| Event::Text(Box::new(TextDef { id: TextId(id), text: text.to_string() }));
        let Some(of_pair) = nth.checked_sub(DEFINITIONS) else {
            return Ok(Some(match nth {
                0 => class(1, "app.Order"),
                1 => class(2, "app.Line"),
                2 => text(1, ".line"),
                _ => text(2, ".order"),
            }));
        };
        let first = of_pair / PAIR * 2 + 1;
        if first > self.loops * 2 {
            return Ok((of_pair % PAIR == 0).then_some(Event::GcStart { generation: 2 }));
        }
        let alloc = |object: u64, class| Event::Alloc {
            object: Tag(object),
            address: object * 64,
            class: TypeId(class),
            bytes: 48,
            site: SiteId::NONE,
        };
        let refer = |from, to, slot| Event::Ref { from: Tag(from), to: Tag(to), slot: Slot::text(TextId(slot)) };
        Ok(Some(match of_pair % PAIR {
            0 => alloc(first, 1),
            1 => alloc(first + 1, 2),
            2 => refer(first, first + 1, 1),
            _ => refer(first + 1, first, 2),
        }))
    }

    fn position(&self) -> Position {
        Position::default()
    }

    fn ending(&self) -> Ending {
        Ending::Complete
    }
}
