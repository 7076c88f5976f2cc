//! Writes why objects are alive: for people, and for programs.

use std::io::{self, Write};

use serde::Serialize;

use super::terminal::why as page;
use super::{Form, PathStep, RenderOptions};
use crate::human::counted;
use crate::retention::{Answer, Hold, Holder, RootKind, RootPath, Way};

/// Writes an answer.
pub fn write(answer: &Answer, form: Form, page: &RenderOptions, out: &mut dyn Write) -> io::Result<()> {
    match form {
        Form::Table => page::write(answer, page, out),
        Form::Json => {
            serde_json::to_writer_pretty(&mut *out, &Document::of(answer))?;
            writeln!(out)
        }
    }
}

#[derive(Serialize)]
struct Document<'a> {
    #[serde(rename = "type")]
    type_name: &'a str,
    event: u64,
    alive: u64,
    ways: Vec<WayRow>,
    more_ways: u64,
    more_objects: u64,
    unreached: u64,
}

#[derive(Serialize)]
struct WayRow {
    objects: u64,
    repeats: bool,
    bytes: u64,
    retained_bytes: u64,
    root: String,
    path: Vec<PathStep>,
    others: Vec<OtherRow>,
    more_others: u64,
}

/// Who else holds the objects of a way.
#[derive(Serialize)]
struct OtherRow {
    objects: u64,
    by: String,
}

impl Document<'_> {
    fn of(answer: &Answer) -> Document<'_> {
        Document {
            type_name: &answer.type_name,
            event: answer.event,
            alive: answer.alive,
            ways: answer.ways.iter().map(way_row).collect(),
            more_ways: answer.more_ways,
            more_objects: answer.more_objects,
            unreached: answer.unreached,
        }
    }
}

fn way_row(way: &Way) -> WayRow {
    let step = |step: &crate::retention::RootStep| PathStep {
        label: step.label.clone(),
        type_name: step.type_name.clone(),
        slot: step.slot.clone(),
    };
    WayRow {
        objects: way.objects,
        repeats: way.repeats,
        bytes: way.bytes,
        retained_bytes: way.retained_bytes,
        root: root(&way.path),
        path: way.path.steps.iter().map(step).collect(),
        others: way.others.iter().map(|other| OtherRow { objects: other.objects, by: held_by(other) }).collect(),
        more_others: way.more_others,
    }
}

/// `svc.INDEX[*]`, or what makes the objects roots themselves.
pub(super) fn held_by(holder: &Holder) -> String {
    match &holder.by {
        Hold::Path(path) => path.pattern(),
        Hold::Root(RootKind::External(_)) => "a variable, or C code".to_string(),
        Hold::Root(kind) => root_kind(kind),
    }
}

/// What makes the first object of a path a root.
pub(super) fn root(path: &RootPath) -> String {
    root_kind(&path.root)
}

fn root_kind(kind: &RootKind) -> String {
    match kind {
        RootKind::Named(names) => names.join(", "),
        RootKind::External(n) => {
            let references = counted(u64::from(*n), "reference", "references");
            format!("{references} from outside the recorded objects: a variable, or C code")
        }
        RootKind::Immortal => "immortal: the interpreter never frees it".to_string(),
        RootKind::Unknown => "nothing is known of its count".to_string(),
    }
}
