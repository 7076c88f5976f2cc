//! A question about an object becomes its answer: the shortest path from a root, at the last moment that shows it.

use std::io::{self, Write};

use serde::Serialize;

use super::terminal::wrap::{Style, styled, wrap};
use super::{Form, Page, PathStep};
use crate::heap::{Heap, HeapGraph, Node, Observer, SnapshotKind};
use crate::human::{count, counted};
use crate::retention::{RootKind, RootPath, path_from_root};

/// Which objects are asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Objects of this type, by its full name.
    Type(String),
    /// The object with this tag.
    Object(u64),
}

/// Watches a replay and keeps the answer of the last whole graph in which the target was alive.
#[derive(Debug)]
pub struct Asking {
    target: Target,
    answer: Option<Answer>,
}

/// Why an object is alive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// `app.Order`, of the object that the path leads to, or that was asked about.
    #[serde(rename = "type")]
    pub type_name: String,
    /// Event of the graph that shows it.
    pub event: u64,
    /// Objects that were asked about and are alive there.
    pub alive: u64,
    /// Why the first object of the path is a root.
    pub root: Option<String>,
    /// The root first, the object last. `None`: no root reaches it, only a loop keeps it alive.
    pub path: Option<Vec<PathStep>>,
}

impl Asking {
    pub fn about(target: Target) -> Asking {
        Asking { target, answer: None }
    }

    /// `None` where the target was alive at no snapshot.
    pub fn finish(self) -> Option<Answer> {
        self.answer
    }
}

impl Observer for Asking {
    fn on_snapshot(&mut self, heap: &mut Heap, graph: &HeapGraph, kind: SnapshotKind) {
        if kind == SnapshotKind::Garbage {
            return;
        }
        let is_asked = |node: &Node| {
            !graph.state(*node).vacant && {
                let object = heap.object(graph.object(*node));
                match &self.target {
                    Target::Type(name) => heap.types().name(object.class) == name,
                    Target::Object(address) => object.address == *address,
                }
            }
        };
        let targets: Vec<Node> = graph.nodes().filter(is_asked).collect();
        let Some(first) = targets.first() else { return };
        let path = path_from_root(heap, graph, &targets);
        self.answer = Some(Answer {
            type_name: heap.types().name(heap.object(graph.object(*first)).class).to_string(),
            event: heap.now().event,
            alive: targets.len() as u64,
            root: path.as_ref().map(root_text),
            path: path.map(|path| {
                path.steps
                    .into_iter()
                    .map(|step| PathStep { label: step.label, type_name: step.type_name, slot: step.slot })
                    .collect()
            }),
        });
    }
}

fn root_text(path: &RootPath) -> String {
    match &path.root {
        RootKind::Named(names) => names.join(", "),
        RootKind::External(n) => {
            let references = counted(u64::from(*n), "reference", "references");
            format!("{references} from outside the recorded objects: a variable, or C code")
        }
        RootKind::Immortal => "immortal: the interpreter never frees it".to_string(),
        RootKind::Unknown => "nothing is known of its count".to_string(),
    }
}

impl Answer {
    pub fn write(&self, form: Form, page: &Page, out: &mut dyn Write) -> io::Result<()> {
        match form {
            Form::Table => self.write_table(page, out),
            Form::Json => {
                serde_json::to_writer_pretty(&mut *out, self)?;
                writeln!(out)
            }
        }
    }

    fn write_table(&self, page: &Page, out: &mut dyn Write) -> io::Result<()> {
        let mut head = vec![styled(&self.type_name, Style::Bold, page.color)];
        head.push(format!("{} alive at event {}", count(self.alive), count(self.event)));
        if self.alive > 1 && self.path.is_some() {
            head.push("the one nearest to a root:".to_string());
        }
        writeln!(out, "{}", wrap(&head, " · ", 4, page.width))?;
        let (Some(root), Some(path)) = (&self.root, &self.path) else {
            return writeln!(out, "    no root reaches it: only a loop keeps it alive");
        };
        writeln!(out, "    root    {root}")?;
        for (i, step) in path.iter().enumerate() {
            let lead = if i == 0 { "        " } else { "      → " };
            writeln!(out, "{lead}{}{}", step.label, step.slot)?;
        }
        Ok(())
    }
}
