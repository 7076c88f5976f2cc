//! Writes what keeps most memory alive: a tree, the group that retains most first.

use std::io::{self, Write};

use super::grid::{Align, Grid};
use super::wrap::{Style, styled, wrap};
use crate::human::{bytes, count, counted};
use crate::report::RenderOptions;
use crate::retention::{Retained, RetainedGroup};

/// Groups that are shown, those that retain most.
const SHOWN: usize = 20;

/// Objects that none of what is above them alone keeps alive.
const SHARED: &str = "(shared)";

pub(crate) fn write(retained: &Retained, page: &RenderOptions, out: &mut dyn Write) -> io::Result<()> {
    let head = [
        styled(&format!("{} kept alive", bytes(retained.bytes)), Style::Bold, page.color),
        counted(retained.objects, "object", "objects"),
        format!("at event {}", count(retained.event)),
    ];
    writeln!(out, "{}", wrap(&head, " · ", 4, page.width))?;
    let mut grid = Grid::new(page.width);
    grid.column("Retained", Align::Right).column("Share", Align::Right).column("Objects", Align::Right);
    grid.column("By", Align::Left).column("Type", Align::Name);
    let shown = &retained.groups[..retained.groups.len().min(SHOWN)];
    for (at, depth) in tree(shown) {
        let RetainedGroup { name, type_name, objects, bytes: of_bytes, .. } = &shown[at];
        let name = if name.is_empty() { SHARED } else { name };
        grid.row([
            bytes(*of_bytes),
            format!("{:.1} %", 100.0 * *of_bytes as f64 / retained.bytes.max(1) as f64),
            count(*objects),
            // A space of its own kind, which no table takes away at the beginning.
            format!("{}{name}", "\u{a0}\u{a0}".repeat(depth)),
            type_name.clone(),
        ]);
    }
    grid.write(out)?;
    let more = (retained.groups.len() - shown.len()) as u64 + retained.left_out;
    match more {
        0 => Ok(()),
        more => writeln!(out, "… and {} (--format json shows more)", counted(more, "smaller group", "smaller groups")),
    }
}

/// The groups in the order of a tree, each with its depth; those that retain most first.
fn tree(groups: &[RetainedGroup]) -> Vec<(usize, usize)> {
    let below = |above: Option<usize>| (0..groups.len()).rev().filter(move |&at| groups[at].above == above);
    let mut open: Vec<(usize, usize)> = below(None).map(|at| (at, 0)).collect();
    let mut ordered = Vec::new();
    while let Some((at, depth)) = open.pop() {
        ordered.push((at, depth));
        open.extend(below(Some(at)).map(|other| (other, depth + 1)));
    }
    ordered
}
