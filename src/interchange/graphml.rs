//! Writes the whole heap as GraphML, which Gephi, yEd and networkx read.

use std::io::{self, Write};

use super::{GraphFormat, address, objects, type_name};
use crate::heap::{Heap, HeapGraph};

pub struct GraphMl;

const HEAD: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns">
  <key id="type" for="node" attr.name="type" attr.type="string"/>
  <key id="bytes" for="node" attr.name="bytes" attr.type="long"/>
  <key id="count" for="node" attr.name="count" attr.type="long"/>
  <key id="root" for="node" attr.name="root" attr.type="string"/>
  <key id="slot" for="edge" attr.name="slot" attr.type="string"/>
  <graph id="heap" edgedefault="directed">
"#;

impl GraphFormat for GraphMl {
    fn name(&self) -> &'static str {
        "graphml"
    }

    fn description(&self) -> &'static str {
        "the heap as GraphML"
    }

    /// What is not known of an object has no element.
    fn write(&self, heap: &Heap, graph: &HeapGraph, out: &mut dyn Write) -> io::Result<()> {
        let has_counts = heap.header().references.show_garbage();
        write!(out, "{HEAD}")?;
        for node in objects(graph) {
            let index = graph.object(node);
            write!(out, "    <node id=\"{:x}\">", address(heap, graph, node))?;
            let name = type_name(heap, graph, node);
            if !name.is_empty() {
                write!(out, "<data key=\"type\">{}</data>", text(name))?;
            }
            let (own, owned) = heap.bytes(index);
            if own > 0 {
                write!(out, "<data key=\"bytes\">{}</data>", own.saturating_add(owned))?;
            }
            if has_counts && !graph.state(node).pinned {
                write!(out, "<data key=\"count\">{}</data>", graph.count(node))?;
            }
            let roots = heap.root_names(index);
            if !roots.is_empty() {
                write!(out, "<data key=\"root\">{}</data>", text(&roots.join(", ")))?;
            }
            writeln!(out, "</node>")?;
        }
        let mut references = Vec::new();
        for node in objects(graph) {
            graph.references_into(node, &mut references);
            for reference in &references {
                let (from, to) = (address(heap, graph, node), address(heap, graph, reference.to));
                write!(out, "    <edge source=\"{from:x}\" target=\"{to:x}\">")?;
                let slot = heap.slot_name(reference.slot);
                if !slot.is_empty() {
                    write!(out, "<data key=\"slot\">{}</data>", text(&slot))?;
                }
                writeln!(out, "</edge>")?;
            }
        }
        writeln!(out, "  </graph>\n</graphml>")
    }
}

/// Text of an element, without the characters that XML has not.
fn text(text: &str) -> String {
    let is_of_xml =
        |c: &char| !matches!(c, '\u{0}'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}');
    let kept: String = text.chars().filter(is_of_xml).collect();
    kept.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
