//! Writes what keeps most memory alive: for people, and for programs.

use std::io::{self, Write};

use serde::Serialize;

use super::rows::retained_row;
use super::{Form, RenderOptions, RetainedRow, terminal};
use crate::retention::Retained;

/// Writes the groups, each below the one that alone keeps it alive.
pub fn write(retained: &Retained, form: Form, page: &RenderOptions, out: &mut dyn Write) -> io::Result<()> {
    match form {
        Form::Table => terminal::top::write(retained, page, out),
        Form::Json => {
            serde_json::to_writer_pretty(&mut *out, &Document::of(retained))?;
            writeln!(out)
        }
    }
}

#[derive(Serialize)]
struct Document {
    event: u64,
    objects: u64,
    bytes: u64,
    groups: Vec<RetainedRow>,
    left_out: u64,
}

impl Document {
    fn of(retained: &Retained) -> Document {
        Document {
            event: retained.event,
            objects: retained.objects,
            bytes: retained.bytes,
            groups: retained.groups.iter().map(retained_row).collect(),
            left_out: retained.left_out,
        }
    }
}
