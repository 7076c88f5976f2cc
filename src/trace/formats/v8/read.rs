//! Makes a walk of the tables of a snapshot: without counts, with the root that V8 names.

use struson::reader::JsonReader;

use super::super::definitions::Definitions;
use super::super::json::{Json, JsonParser, Problem};
use super::super::reader::Pending;
use super::graph::{Edge, Graph, Node};
use super::layout::Layout;
use crate::trace::{Event, Scope, SiteId, Slot, Tag};

/// Takes a snapshot. The events come once the file is read.
#[derive(Default)]
pub(super) struct Parser {
    graph: Graph,
    names: Definitions,
    part: Part,
}

/// What the next step does.
#[derive(Clone, Copy, Default)]
enum Part {
    #[default]
    Start,
    Top,
    Nodes,
    Edges,
    Texts,
    /// Gives birth to the node at this place.
    Birth(usize),
    /// Tells the references of a node, and where its edges begin.
    References(usize, usize),
}

impl JsonParser for Parser {
    fn step(&mut self, json: &mut Json, out: &mut Pending) -> Result<bool, Problem> {
        match self.part {
            Part::Start => {
                json.begin_object()?;
                self.part = Part::Top;
            }
            Part::Top => self.top(json, out)?,
            Part::Nodes if json.has_next()? => self.graph.read_node(json)?,
            Part::Edges if json.has_next()? => self.graph.read_edge(json)?,
            Part::Texts if json.has_next()? => self.graph.texts.push(json.next_string()?.into_boxed_str()),
            Part::Nodes | Part::Edges | Part::Texts => {
                json.end_array()?;
                self.part = Part::Top;
            }
            Part::Birth(place) => {
                self.part = match self.graph.nodes.get(place).copied() {
                    Some(node) => {
                        self.birth(&node, out);
                        Part::Birth(place + 1)
                    }
                    None => {
                        self.root(out);
                        Part::References(0, 0)
                    }
                }
            }
            Part::References(place, first) => match self.graph.nodes.get(place).copied() {
                Some(node) => {
                    let end = first + node.edges as usize;
                    for nth in first..end {
                        self.reference(&node, self.graph.edges[nth], out);
                    }
                    self.part = Part::References(place + 1, end);
                }
                None => {
                    out.push_back(Event::Checkpoint(Scope::Full));
                    return Ok(false);
                }
            },
        }
        Ok(true)
    }
}

impl Parser {
    /// The next table of the document.
    fn top(&mut self, json: &mut Json, out: &mut Pending) -> Result<(), Problem> {
        if !json.has_next()? {
            json.end_object()?;
            self.graph.check()?;
            out.push_back(Event::Walk(Scope::Full));
            self.part = Part::Birth(0);
            return Ok(());
        }
        self.part = match json.next_name()? {
            "snapshot" => {
                self.graph.layout = Layout::read(json)?;
                return Ok(());
            }
            "nodes" => Part::Nodes,
            "edges" => Part::Edges,
            "strings" => Part::Texts,
            _ => {
                json.skip_value()?;
                return Ok(());
            }
        };
        Ok(json.begin_array()?)
    }

    /// Types are called as the browser's memory panel calls them.
    fn birth(&mut self, node: &Node, out: &mut Pending) {
        let class = match self.graph.node_kind(node) {
            "object" | "native" => self.graph.text(node.name).to_owned(),
            "hidden" => "(system)".to_owned(),
            "code" => "(compiled code)".to_owned(),
            "closure" => "Function".to_owned(),
            "regexp" => "RegExp".to_owned(),
            kind => format!("({kind})"),
        };
        let class = self.names.class(class.as_bytes(), out);
        let (object, address, bytes) = (Tag(node.id), node.id, node.bytes);
        out.push_back(Event::Alloc { object, address, class, bytes, site: SiteId::NONE });
        if self.graph.node_kind(node) == "closure" && !self.graph.text(node.name).is_empty() {
            let name = self.names.text(self.graph.text(node.name).as_bytes(), out);
            out.push_back(Event::Name { object, name });
        }
    }

    /// The first node holds all others.
    fn root(&mut self, out: &mut Pending) {
        if let Some(first) = self.graph.nodes.first() {
            let name = self.names.text(b"(root)", out);
            out.push_back(Event::Root { object: Tag(first.id), name });
        }
    }

    /// A weak reference keeps nothing alive, so it is none here.
    fn reference(&mut self, node: &Node, edge: Edge, out: &mut Pending) {
        let slot = match self.graph.edge_kind(&edge) {
            "weak" => return,
            "element" | "hidden" => Slot::index(u64::from(edge.name)),
            "property" => {
                let name = format!(".{}", self.graph.text(edge.name));
                self.names.slot(name.as_bytes(), out)
            }
            // Places of a table are numbered by name.
            _ => match self.graph.text(edge.name).parse() {
                Ok(index) => Slot::index(index),
                Err(_) => self.names.slot(self.graph.text(edge.name).as_bytes(), out),
            },
        };
        let to = Tag(self.graph.nodes[edge.to as usize].id);
        out.push_back(Event::Ref { from: Tag(node.id), to, slot });
    }
}
