//! Reads the head of a snapshot: which number of a node or an edge means what.

use struson::reader::JsonReader;

use super::super::json::{Json, Problem};

/// Where the fields of a node and of an edge stand among its numbers.
#[derive(Debug, Clone, Default)]
pub(super) struct Layout {
    pub node: NodeFields,
    pub edge: EdgeFields,
    pub node_types: Vec<String>,
    pub edge_types: Vec<String>,
}

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct NodeFields {
    pub n_fields: usize,
    pub kind: usize,
    pub name: usize,
    pub id: usize,
    pub bytes: usize,
    pub edges: usize,
}

#[derive(Debug, Clone, Copy, Default)]
pub(super) struct EdgeFields {
    pub n_fields: usize,
    pub kind: usize,
    pub name: usize,
    pub to: usize,
}

const META: Problem = Problem::Expected(("meta", "fields and types of nodes and edges"));

impl Layout {
    /// Reads the value of `snapshot`.
    pub(super) fn read(json: &mut Json) -> Result<Layout, Problem> {
        let mut layout = None;
        json.begin_object()?;
        while json.has_next()? {
            match json.next_name()? {
                "meta" => layout = Some(meta(json)?),
                _ => json.skip_value()?,
            }
        }
        json.end_object()?;
        layout.ok_or(META)
    }
}

fn meta(json: &mut Json) -> Result<Layout, Problem> {
    let (mut node_fields, mut edge_fields, mut layout) = (Vec::new(), Vec::new(), Layout::default());
    json.begin_object()?;
    while json.has_next()? {
        match json.next_name()? {
            "node_fields" => node_fields = names(json)?,
            "edge_fields" => edge_fields = names(json)?,
            "node_types" => layout.node_types = first_names(json)?,
            "edge_types" => layout.edge_types = first_names(json)?,
            _ => json.skip_value()?,
        }
    }
    json.end_object()?;
    let place = |fields: &[String], name: &str| fields.iter().position(|field| field == name).ok_or(META);
    layout.node = NodeFields {
        n_fields: node_fields.len(),
        kind: place(&node_fields, "type")?,
        name: place(&node_fields, "name")?,
        id: place(&node_fields, "id")?,
        bytes: place(&node_fields, "self_size")?,
        edges: place(&node_fields, "edge_count")?,
    };
    layout.edge = EdgeFields {
        n_fields: edge_fields.len(),
        kind: place(&edge_fields, "type")?,
        name: place(&edge_fields, "name_or_index")?,
        to: place(&edge_fields, "to_node")?,
    };
    Ok(layout)
}

fn names(json: &mut Json) -> Result<Vec<String>, Problem> {
    let mut names = Vec::new();
    json.begin_array()?;
    while json.has_next()? {
        names.push(json.next_string()?);
    }
    json.end_array()?;
    Ok(names)
}

/// Of the types of all fields those of the first, which is the one that says what the node or edge is.
fn first_names(json: &mut Json) -> Result<Vec<String>, Problem> {
    json.begin_array()?;
    let first = names(json)?;
    while json.has_next()? {
        json.skip_value()?;
    }
    json.end_array()?;
    Ok(first)
}
