//! Writes the whole heap as the log of Firefox's cycle collector, with what refloop finds to be garbage.

use std::io::{self, Write};

use super::{GraphFormat, address, objects, type_name};
use crate::cycles::Garbage;
use crate::heap::{External, Heap, HeapGraph};

pub struct CcEdges;

impl GraphFormat for CcEdges {
    fn name(&self) -> &'static str {
        "cc-edges"
    }

    fn description(&self) -> &'static str {
        "the log of Firefox's cycle collector"
    }

    /// What lives whatever its count says stands there as one that the tracing collector has marked.
    fn write(&self, heap: &Heap, graph: &HeapGraph, out: &mut dyn Write) -> io::Result<()> {
        let external = External::of(graph);
        let mut references = Vec::new();
        writeln!(out, "# {}", heap.header().runtime.replace('\n', " "))?;
        for node in objects(graph) {
            let kept = graph.state(node).pinned || external.is_newborn(graph, node);
            let (tag, label) = (address(heap, graph, node), line(type_name(heap, graph, node)));
            match kept {
                true => writeln!(out, "{tag:#x} [gc.marked] {label}")?,
                false => writeln!(out, "{tag:#x} [rc={}] {label}", graph.count(node))?,
            }
            graph.references_into(node, &mut references);
            for reference in &references {
                let to = address(heap, graph, reference.to);
                writeln!(out, "> {to:#x} {}", line(&heap.slot_name(reference.slot)))?;
            }
        }
        writeln!(out, "==========")?;
        let garbage = if heap.header().references.show_garbage() { Garbage::of(graph).nodes } else { Vec::new() };
        for node in objects(graph).filter(|&node| !graph.state(node).pinned) {
            if external.references(graph, node) > 0 {
                writeln!(out, "{:#x} [known={}]", address(heap, graph, node), external.within(node))?;
            }
        }
        for node in garbage {
            writeln!(out, "{:#x} [garbage]", address(heap, graph, node))?;
        }
        Ok(())
    }
}

/// A text on one line.
fn line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}
