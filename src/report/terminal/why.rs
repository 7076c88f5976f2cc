//! Writes why objects are alive: the paths that look alike together, most objects first.

use std::io::{self, Write};

use super::wrap::{Style, styled, wrap};
use crate::human::{bytes, count, counted};
use crate::report::{RenderOptions, why};
use crate::retention::{Answer, Way};

/// Objects of a path that are all shown.
const LONGEST: usize = 24;

pub(crate) fn write(answer: &Answer, page: &RenderOptions, out: &mut dyn Write) -> io::Result<()> {
    let mut head = vec![styled(&answer.type_name, Style::Bold, page.color)];
    head.push(format!("{} alive at event {}", count(answer.alive), count(answer.event)));
    writeln!(out, "{}", wrap(&head, " · ", 4, page.width))?;
    for way in &answer.ways {
        write_way(way, answer.alive, page, out)?;
    }
    if answer.more_ways > 0 {
        let ways = counted(answer.more_ways, "more way", "more ways");
        writeln!(out, "… and {} by {ways}", counted(answer.more_objects, "object", "objects"))?;
    }
    match (answer.unreached, answer.alive) {
        (0, _) => Ok(()),
        (unreached, _) if !answer.counted => writeln!(out, "{} that no root of the dump reaches", count(unreached)),
        (unreached, alive) if unreached == alive => {
            writeln!(out, "    no root reaches {}: only a loop keeps {0} alive", if alive == 1 { "it" } else { "them" })
        }
        (unreached, _) => writeln!(out, "{} that no root reaches: only loops keep them alive", count(unreached)),
    }
}

/// One way, with the shortest of its paths.
fn write_way(way: &Way, alive: u64, page: &RenderOptions, out: &mut dyn Write) -> io::Result<()> {
    let path = match way.objects {
        1 if way.path.steps.len() <= LONGEST => way.path.expression(),
        _ => way.pattern(),
    };
    let mut facts = vec![format!("{} by", count(way.objects)), styled(&path, Style::Bold, page.color)];
    if way.bytes > 0 {
        facts.push(format!("· {}, {} with what only they keep alive", bytes(way.bytes), bytes(way.retained_bytes)));
    }
    if alive > 1 {
        writeln!(out, "{}", wrap(&facts, " ", 4, page.width))?;
    }
    writeln!(out, "    root    {}", why::root(&way.path))?;
    let steps = &way.path.steps;
    let behind = if steps.len() <= LONGEST { 0..0 } else { LONGEST / 2..steps.len() - LONGEST / 2 };
    for (i, step) in steps.iter().enumerate().filter(|(i, _)| !behind.contains(i) || *i == behind.start) {
        let lead = if i == 0 { "        " } else { "      → " };
        match i == behind.start && !behind.is_empty() {
            true => writeln!(out, "{lead}… {}", counted(behind.len() as u64, "object", "objects"))?,
            false => writeln!(out, "{lead}{}{}", step.label, step.slot)?,
        }
    }
    if way.others.is_empty() {
        return Ok(());
    }
    let objects = |objects: u64| match way.objects {
        1 => "by ".to_string(),
        _ => format!("{} by ", count(objects)),
    };
    let others = way.others.iter().map(|other| format!("{}{}", objects(other.objects), why::held_by(other)));
    let more = (way.more_others > 0).then(|| counted(way.more_others, "more holder", "more holders"));
    let others: Vec<String> = others.chain(more).collect();
    writeln!(out, "    also    {}", wrap(&others, " · ", 12, page.width))
}
