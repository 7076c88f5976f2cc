//! Writes the whole heap as a heap snapshot of V8, which the memory panel of a browser opens.

use std::collections::HashMap;
use std::io::{self, Write};

use super::{GraphFormat, objects, type_name};
use crate::cycles::Garbage;
use crate::heap::{External, Heap, HeapGraph, Node};
use crate::trace::Slot;

pub struct V8;

/// The meta of V8 12, with the kinds that are written here.
const META: &str = concat!(
    r#"{"node_fields":["type","name","id","self_size","edge_count","trace_node_id","detachedness"],"#,
    r#""node_types":[["hidden","array","string","object","code","closure","regexp","number","native","synthetic"],"#,
    r#""string","number","number","number","number","number"],"#,
    r#""edge_fields":["type","name_or_index","to_node"],"#,
    r#""edge_types":[["context","element","property","internal","hidden","shortcut","weak"],"string_or_number","node"],"#,
    r#""trace_function_info_fields":["function_id","name","script_name","script_id","line","column"],"#,
    r#""trace_node_fields":["id","function_info_index","count","size","children"],"#,
    r#""sample_fields":["timestamp_us","last_assigned_id"],"#,
    r#""location_fields":["object_index","script_id","line","column"]}"#
);
const N_FIELDS: u64 = 7;
const OBJECT: u8 = 3;
const SYNTHETIC: u8 = 9;
const ELEMENT: u8 = 1;
const PROPERTY: u8 = 2;
const INTERNAL: u8 = 3;

/// Nodes that stand before the objects: what holds all, the roots, and what no root reaches.
const BEFORE: u64 = 3;

impl GraphFormat for V8 {
    fn name(&self) -> &'static str {
        "v8"
    }

    fn description(&self) -> &'static str {
        "the heap as a heap snapshot of V8"
    }

    /// V8 has no garbage in its snapshots, and its readers want each node to be reached: here it hangs from a node of
    /// its own.
    fn write(&self, heap: &Heap, graph: &HeapGraph, out: &mut dyn Write) -> io::Result<()> {
        let (roots, unreached) = ends(graph);
        let mut places = vec![0u64; graph.n_nodes()];
        for (nth, node) in objects(graph).enumerate() {
            places[node.0 as usize] = BEFORE + nth as u64;
        }
        let n_nodes = BEFORE + objects(graph).count() as u64;
        let n_references: usize = objects(graph).map(|node| graph.referents(node).len()).sum();
        let n_edges = 2 + roots.len() + unreached.len() + n_references;
        let mut texts = Texts::default();
        write!(out, "{{\"snapshot\":{{\"meta\":{META},\"node_count\":{n_nodes},\"edge_count\":{n_edges},")?;
        write!(out, "\"trace_function_count\":0}},\n\"nodes\":[")?;
        let synthetic = [("", 2), ("(roots)", roots.len()), ("(no root reaches these)", unreached.len())];
        for (nth, (name, edges)) in synthetic.into_iter().enumerate() {
            let comma = if nth == 0 { "" } else { "," };
            writeln!(out, "{comma}{SYNTHETIC},{},{},0,{edges},0,0", texts.number(name), 2 * nth + 1)?;
        }
        for node in objects(graph) {
            let (name, id) = (texts.number(type_name(heap, graph, node)), 2 * places[node.0 as usize] + 1);
            let (bytes, edges) = (heap.all_bytes(graph.object(node)), graph.referents(node).len());
            writeln!(out, ",{OBJECT},{name},{id},{bytes},{edges},0,0")?;
        }
        write!(out, "],\n\"edges\":[{ELEMENT},1,{}\n,{ELEMENT},2,{}\n", N_FIELDS, 2 * N_FIELDS)?;
        for (nth, node) in roots.iter().enumerate().chain(unreached.iter().enumerate()) {
            writeln!(out, ",{ELEMENT},{nth},{}", N_FIELDS * places[node.0 as usize])?;
        }
        let mut references = Vec::new();
        for node in objects(graph) {
            graph.references_into(node, &mut references);
            for reference in &references {
                let (kind, name) = slot(heap, reference.slot, &mut texts);
                writeln!(out, ",{kind},{name},{}", N_FIELDS * places[reference.to.0 as usize])?;
            }
        }
        write!(out, "],\n\"trace_function_infos\":[],\n\"trace_tree\":[],\n\"samples\":[],\n\"locations\":[],\n")?;
        write!(out, "\"strings\":")?;
        serde_json::to_writer(&mut *out, &texts.texts)?;
        writeln!(out, "}}")
    }
}

/// The nodes that are roots, and those that no root reaches.
fn ends(graph: &HeapGraph) -> (Vec<Node>, Vec<Node>) {
    let external = External::of(graph);
    let is_root = |node: &Node| external.is_root(graph, *node) || external.is_newborn(graph, *node);
    let roots = objects(graph).filter(is_root).collect();
    (roots, Garbage::of(graph).nodes)
}

/// The kind of an edge, and its name or index. Of an attribute the panel shows the dot itself.
fn slot(heap: &Heap, slot: Slot, texts: &mut Texts) -> (u8, u64) {
    if let Some(index) = slot.as_index() {
        return (ELEMENT, u64::from(index));
    }
    let name = heap.slot_name(slot);
    match name.strip_prefix('.') {
        Some(attribute) => (PROPERTY, texts.number(attribute)),
        None => (INTERNAL, texts.number(&name)),
    }
}

/// The table of texts at the end of the file.
#[derive(Default)]
struct Texts {
    texts: Vec<String>,
    numbers: HashMap<String, u64, foldhash::fast::RandomState>,
}

impl Texts {
    fn number(&mut self, text: &str) -> u64 {
        if let Some(&number) = self.numbers.get(text) {
            return number;
        }
        let number = self.texts.len() as u64;
        self.texts.push(text.to_owned());
        self.numbers.insert(text.to_owned(), number);
        number
    }
}
