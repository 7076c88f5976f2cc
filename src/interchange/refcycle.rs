//! Writes the garbage as a graph that refcycle imports.

use std::io::{self, Write};

use serde::Serialize;

use super::{GraphFormat, address, type_name};
use crate::cycles::Garbage;
use crate::heap::label::{key, last_part};
use crate::heap::{Heap, HeapGraph, Node};
use crate::trace::{Slot, TypeFlags};

pub struct Refcycle;

#[derive(Serialize)]
struct Vertex {
    id: u64,
    annotation: String,
}

#[derive(Serialize)]
struct Edge {
    id: u64,
    annotation: Option<String>,
    head: u64,
    tail: u64,
}

impl GraphFormat for Refcycle {
    fn name(&self) -> &'static str {
        "refcycle"
    }

    fn description(&self) -> &'static str {
        "the garbage as a graph of refcycle, in JSON"
    }

    fn shows_garbage(&self) -> bool {
        true
    }

    fn write(&self, heap: &Heap, graph: &HeapGraph, out: &mut dyn Write) -> io::Result<()> {
        let garbage = Garbage::of(graph);
        write!(out, "{{\"vertices\": [")?;
        for (nth, &node) in garbage.nodes.iter().enumerate() {
            let vertex = Vertex { id: address(heap, graph, node), annotation: vertex(heap, graph, node) };
            write!(out, "{}", if nth == 0 { "" } else { ", " })?;
            serde_json::to_writer(&mut *out, &vertex)?;
        }
        write!(out, "], \"edges\": [")?;
        let (mut id, mut references) = (0, Vec::new());
        for &node in &garbage.nodes {
            graph.references_into(node, &mut references);
            for reference in references.iter().filter(|reference| garbage.place(reference.to).is_some()) {
                let (tail, head) = (address(heap, graph, node), address(heap, graph, reference.to));
                let edge = Edge { id, annotation: edge(heap, reference.slot), head, tail };
                write!(out, "{}", if id == 0 { "" } else { ", " })?;
                serde_json::to_writer(&mut *out, &edge)?;
                id += 1;
            }
        }
        writeln!(out, "]}}")
    }
}

/// As refcycle's `object_annotation` has it: between the kind and the name a backslash and an `n`.
fn vertex(heap: &Heap, graph: &HeapGraph, node: Node) -> String {
    let index = graph.object(node);
    let name = type_name(heap, graph, node);
    let class = heap.types().get(heap.class(index));
    let own = heap.name(index).unwrap_or_default();
    let code = heap.code(index).and_then(|site| heap.sites().get(site)).map(|site| heap.text(site.function));
    match name {
        _ if class.is_some_and(|class| class.flags.has(TypeFlags::CLASS)) => format!("type\\n{}", last_part(own)),
        "type" | "module" => format!("{name}\\n{own}"),
        "function" => format!("function\\n{}", last_part(code.unwrap_or(own))),
        "list" | "tuple" | "dict" => format!("{name}[{}]", graph.referents(node).len()),
        "" => "object\\n?".to_owned(),
        _ if name.contains('.') => format!("object\\n{name}"),
        _ => format!("object\\nbuiltins.{name}"),
    }
}

/// As refcycle's `annotated_references` has it.
fn edge(heap: &Heap, slot: Slot) -> Option<String> {
    if let Some(index) = slot.as_index() {
        return Some(format!("item[{index}]"));
    }
    let name = heap.slot_name(slot);
    Some(match (key(&name), name.strip_prefix("local "), name.strip_prefix('.')) {
        (Some(key), ..) => format!("value['{key}']"),
        (_, Some(local), _) => format!("local '{local}'"),
        (_, _, Some(attribute)) => attribute.to_owned(),
        _ if name.is_empty() => return None,
        _ => name.into_owned(),
    })
}
