//! Puts the vertices and edges of a graph together: a walk of garbage, or of live objects without counts.

use struson::reader::JsonReader;

use super::super::dump::Dump;
use super::super::json::{Json, JsonParser, Problem, number, text_or_null};
use super::super::reader::Pending;
use super::label::{self, Place};
use crate::trace::{Event, Scope, Slot, Tag};

/// Takes a graph, one vertex or edge a step. Memory is that of the vertices, and of the edges between those that are
/// yet to come.
pub(super) struct Parser {
    is_garbage: bool,
    dump: Dump,
    vertices: Vec<u64>,
    part: Part,
}

/// Where in the document the next step is.
#[derive(Clone, Copy)]
enum Part {
    Start,
    Top,
    Vertices,
    Edges,
}

impl Parser {
    pub(super) fn new(is_garbage: bool) -> Parser {
        Parser { is_garbage, dump: Dump::default(), vertices: Vec::new(), part: Part::Start }
    }

    fn scope(&self) -> Scope {
        if self.is_garbage { Scope::Garbage } else { Scope::Full }
    }

    /// The next list of the document; false at its end.
    fn top(&mut self, json: &mut Json, out: &mut Pending) -> Result<bool, Problem> {
        if !json.has_next()? {
            json.end_object()?;
            self.finish(out);
            return Ok(false);
        }
        self.part = match json.next_name()? {
            "vertices" => Part::Vertices,
            "edges" => Part::Edges,
            _ => Part::Top,
        };
        match self.part {
            Part::Vertices | Part::Edges => json.begin_array()?,
            Part::Top | Part::Start => json.skip_value()?,
        }
        Ok(true)
    }

    /// The file says of all that it is garbage; what the replay does not find to be in a loop is said.
    fn finish(&mut self, out: &mut Pending) {
        let scope = self.scope();
        self.dump.finish(scope, self.is_garbage, out);
        if self.is_garbage {
            out.extend(self.vertices.drain(..).map(|address| Event::Unreachable { object: Tag(address) }));
        }
    }

    fn vertex(&mut self, json: &mut Json, out: &mut Pending) -> Result<(), Problem> {
        let (mut address, mut annotation) = (None, String::new());
        json.begin_object()?;
        while json.has_next()? {
            match json.next_name()? {
                "id" => address = Some(number(json, ("vertex", "a whole number as id"))?),
                "annotation" => annotation = json.next_string()?,
                _ => json.skip_value()?,
            }
        }
        json.end_object()?;
        let address = address.ok_or(("vertex", "an id"))?;
        let (class, name) = label::vertex(&annotation);
        if self.is_garbage && class == "module" {
            return Err(("graph", "garbage, which has no module in it").into());
        }
        let class = self.dump.names.class(class.as_bytes(), out);
        if !self.dump.object(address, class, 0, out) {
            return Err(("vertex", "one vertex for each id").into());
        }
        if self.is_garbage {
            self.vertices.push(address);
        }
        if !name.is_empty() {
            let text = self.dump.names.text(name.as_bytes(), out);
            out.push_back(Event::Name { object: Tag(address), name: text });
            if annotation.starts_with("module\\n") {
                self.dump.root(address, format!("module:{name}").as_bytes(), out);
            }
        }
        Ok(())
    }

    fn edge(&mut self, json: &mut Json, out: &mut Pending) -> Result<(), Problem> {
        let (mut head, mut tail, mut annotation) = (None, None, None);
        json.begin_object()?;
        while json.has_next()? {
            match json.next_name()? {
                "head" => head = Some(number(json, ("edge", "a whole number as head"))?),
                "tail" => tail = Some(number(json, ("edge", "a whole number as tail"))?),
                "annotation" => annotation = text_or_null(json)?.as_deref().map(label::edge),
                _ => json.skip_value()?,
            }
        }
        json.end_object()?;
        let (Some(from), Some(to)) = (tail, head) else { return Err(("edge", "a head and a tail").into()) };
        let slot = match annotation {
            Some(Place::Index(index)) => Slot::index(index),
            Some(Place::Named(name)) => self.dump.names.slot(name.as_bytes(), out),
            None => Slot::UNNAMED,
        };
        self.dump.reference(from, to, slot, out);
        Ok(())
    }
}

impl JsonParser for Parser {
    fn step(&mut self, json: &mut Json, out: &mut Pending) -> Result<bool, Problem> {
        match self.part {
            Part::Start => {
                self.dump.begin(self.scope(), out);
                json.begin_object()?;
                self.part = Part::Top;
            }
            Part::Top => return self.top(json, out),
            Part::Vertices if json.has_next()? => self.vertex(json, out)?,
            Part::Edges if json.has_next()? => self.edge(json, out)?,
            Part::Vertices | Part::Edges => {
                json.end_array()?;
                self.part = Part::Top;
            }
        }
        Ok(true)
    }
}
