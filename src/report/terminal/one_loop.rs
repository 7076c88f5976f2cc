//! Writes one loop for people: how much of it, its path, where it came from, and what to cut.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use super::wrap::{Style, styled, wrap, wrap_words};
use crate::heap::printable;
use crate::human::{count, counted, duration};
use crate::report::{FrameRow, LoopRow, Number, RenderOptions, SeenAt, wording};

/// Column in which the facts of a loop begin.
const FACTS: usize = 17;

/// Types that are shown of what belongs to a loop, and subclasses of one.
const TYPES: usize = 5;

/// Frames of a stack that are shown at 80 columns; one more for each 20 columns beyond.
const FRAMES: usize = 4;

/// Columns of the lines that other programs show.
const TEXT_WIDTH: usize = 100;

/// The loop with every fact.
pub fn write(row: &LoopRow, page: &RenderOptions, out: &mut dyn Write) -> io::Result<()> {
    head(row, page, out)?;
    history(row, page, out)?;
    remedy(row, page, out)?;
    fact("owner", &row.owner.to_string(), out)
}

/// The loop in short, as lines for a page of another program.
pub fn text(row: &LoopRow) -> Vec<String> {
    let page = RenderOptions { width: TEXT_WIDTH, ..RenderOptions::default() };
    let mut text = Vec::new();
    // Writing to memory does not fail.
    let _ = head(row, &page, &mut text).and_then(|()| remedy(row, &page, &mut text));
    String::from_utf8_lossy(&text).lines().map(str::to_string).collect()
}

/// How much there is of it, its path, and where it was made.
fn head(row: &LoopRow, page: &RenderOptions, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{} {}", styled("LOOP", Style::Bold, page.color), wrap(&wording::amount(row), " · ", 5, page.width))?;
    writeln!(out, "    {}", styled(&path(&row.path, 4, page.width), Style::Bold, page.color))?;
    if !row.site.is_empty() {
        return fact("made at", &stack(&row.site, row.other_sites, page.width), out);
    }
    if row.definitions.is_empty() {
        return Ok(());
    }
    fact("defined at", &places(&row.definitions, page.width), out)
}

/// `app.py:3 class Node, app.py:9 make`, and how many more there are.
fn places(definitions: &[FrameRow], width: usize) -> String {
    let mut pieces: Vec<String> = definitions.iter().take(FRAMES).map(FrameRow::short_place).collect();
    if definitions.len() > FRAMES {
        pieces.push(counted((definitions.len() - FRAMES) as u64, "more place", "more places"));
    }
    wrap(&pieces, ", ", FACTS, width)
}

/// When it was seen, and what belongs to it.
fn history(row: &LoopRow, page: &RenderOptions, out: &mut dyn Write) -> io::Result<()> {
    let mut fact = |name, text: &str| fact(name, text, out);
    if let Some([after, by]) = &row.orphaned {
        fact("orphaned", &interval(after, by))?;
    }
    if row.count > 1 {
        let (first, last) = (moment(&row.first_seen), moment(&row.last_seen));
        fact("seen", &if first == last { format!("at {first}") } else { format!("first at {first}, last at {last}") })?;
    } else {
        fact("seen", &format!("at {}", moment(&row.first_seen)))?;
    }
    if let Some(lingered) = wording::lingered(row.byte_seconds_at_least, row.byte_seconds_at_most) {
        fact("lay about", &lingered)?;
    }
    fact("members", &types(&row.types.members, page.width))?;
    for (class, subclasses) in &row.subclasses {
        fact("", &of_subclasses(class, subclasses, page.width))?;
    }
    if row.held_objects > 0 {
        fact("holds", &types(&row.types.held, page.width))?;
    }
    if !row.marks.is_empty() {
        let marks = row.marks.iter().map(|(mark, n)| format!("{} ({})", printable(mark), count(*n)));
        fact("in", &wrap(&marks.collect::<Vec<_>>(), ", ", FACTS, page.width))?;
    }
    Ok(())
}

/// What to change in the program.
fn remedy(row: &LoopRow, page: &RenderOptions, out: &mut dyn Write) -> io::Result<()> {
    let mut fact = |name, text: &str| fact(name, text, out);
    if let Some(cut) = &row.cut {
        let with = |reference: &str, replacement: &str| {
            let pieces = [reference.to_string(), styled(replacement, Style::Green, page.color)];
            wrap(&pieces, "    ", FACTS, page.width)
        };
        fact("cut", &with(&cut.reference, &cut.replacement))?;
        for cut in &cut.alternatives {
            fact("or", &with(&cut.reference, &cut.replacement))?;
        }
        if let Some(evidence) = &cut.evidence {
            fact("", &wrap_words(evidence, FACTS, page.width))?;
        }
        for cut in &cut.more {
            fact("and", &with(&cut.reference, &cut.replacement))?;
        }
        if let Some(after) = wording::after_cut(cut) {
            fact("", &wrap_words(&after, FACTS, page.width))?;
        }
    }
    for early in &row.refuted {
        let pieces = [early.reference.clone(), wording::too_early(&early.type_name)];
        fact("not", &wrap(&pieces, "    ", FACTS, page.width))?;
    }
    if let Some(pattern) = &row.pattern {
        fact("pattern", &wrap_words(pattern, FACTS, page.width))?;
    }
    if let Some(advice) = &row.advice {
        fact("", &wrap_words(advice, FACTS, page.width))?;
    }
    Ok(())
}

fn fact(name: &str, text: &str, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "    {name:<13}{text}")
}

/// The path of a loop, broken at its arrows, from column `indent` on.
pub fn path(path: &str, indent: usize, width: usize) -> String {
    let pieces: Vec<String> = path.split(" → ").map(str::to_string).collect();
    wrap(&pieces, " → ", indent, width)
}

/// `app.py:42 make_order ← app.py:80 main`.
pub fn stack(site: &[FrameRow], other_sites: u64, width: usize) -> String {
    let most = FRAMES + width.saturating_sub(80) / 20;
    // What runs the tests is the same for all of them.
    let own = site.iter().skip(1).position(FrameRow::is_of_a_test_runner).map_or(site.len(), |at| at + 1);
    let shown = most.min(own);
    let mut pieces: Vec<String> = site.iter().take(shown).map(FrameRow::short_place).collect();
    if let Some(more) = site.len().checked_sub(shown).filter(|&more| more > 0) {
        pieces.push(format!("… {}", counted(more as u64, "more frame", "more frames")));
    }
    let mut text = wrap(&pieces, " ← ", FACTS, width);
    if other_sites > 0 {
        let others = format!("and at {}", counted(other_sites, "other place", "other places"));
        text.push_str(&format!("\n{}{others}", " ".repeat(FACTS)));
    }
    text
}

/// The types with the most objects, by name, and how many more there are.
fn types(types: &BTreeMap<String, Number>, width: usize) -> String {
    let mut shown: Vec<(&String, &Number)> = types.iter().collect();
    shown.sort_by(|(_, a), (_, b)| value(b).total_cmp(&value(a)));
    let more = shown.len().saturating_sub(TYPES);
    shown.truncate(TYPES);
    shown.sort_unstable_by_key(|&(name, _)| name);
    let mut pieces: Vec<String> = shown.iter().map(|(name, n)| format!("{} × {name}", how_many(n))).collect();
    if more > 0 {
        pieces.push(counted(more as u64, "more type", "more types"));
    }
    wrap(&pieces, ", ", FACTS, width)
}

/// `app.Node in 12 classes: app.Add, app.Mul, …`
fn of_subclasses(class: &str, subclasses: &BTreeSet<String>, width: usize) -> String {
    let mut pieces: Vec<String> = subclasses.iter().take(TYPES).cloned().collect();
    if let Some(more) = subclasses.len().checked_sub(TYPES).filter(|&more| more > 0) {
        pieces.push(counted(more as u64, "more class", "more classes"));
    }
    let classes = counted(subclasses.len() as u64, "class", "classes");
    pieces[0] = format!("{class} in {classes}: {}", pieces[0]);
    wrap(&pieces, ", ", FACTS, width)
}

fn value(number: &Number) -> f64 {
    match *number {
        Number::Whole(n) => n as f64,
        Number::Part(n) => n,
    }
}

/// Of loops that are not all alike, what one of them has in the mean.
fn how_many(number: &Number) -> String {
    match number {
        Number::Whole(n) => count(*n),
        Number::Part(n) if *n < 0.1 => "under 0.1".to_owned(),
        Number::Part(n) => format!("about {n:.1}"),
    }
}

/// When something was; the number of the event where no time is known.
pub fn moment(moment: &SeenAt) -> String {
    moment.ns.map_or_else(|| format!("event {}", count(moment.event)), duration)
}

fn interval(after: &SeenAt, by: &SeenAt) -> String {
    let (from, to) = (moment(after), moment(by));
    match (after.ns, by.ns) {
        _ if from == to => format!("at {to}"),
        _ if after.event == by.event => format!("at event {}, between {from} and {to}", count(by.event)),
        (None | Some(0), Some(_)) => format!("before {to}"),
        (Some(_), None) => format!("between event {} and {to}", count(after.event)),
        _ => format!("between {from} and {to}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_where_they_are_known_and_events_elsewhere() {
        let at = |event, ns| SeenAt { event, ns };
        assert_eq!(interval(&at(1, Some(1_000_000)), &at(9, Some(2_000_000))), "between 1.0 ms and 2.0 ms");
        assert_eq!(interval(&at(9, Some(1_000_000)), &at(9, Some(1_000_000))), "at 1.0 ms");
        assert_eq!(interval(&at(9, Some(1_000_000)), &at(9, Some(2_000_000))), "at event 9, between 1.0 ms and 2.0 ms");
        assert_eq!(interval(&at(1, None), &at(9, Some(2_000_000))), "before 2.0 ms");
        assert_eq!(interval(&at(1, None), &at(9_383, None)), "between event 1 and event 9,383");
    }

    #[test]
    fn what_is_in_few_of_the_loops_is_not_none() {
        let told = [Number::Whole(1200), Number::Part(0.67), Number::Part(0.1), Number::Part(0.0)];
        assert_eq!(told.iter().map(how_many).collect::<Vec<_>>(), ["1,200", "about 0.7", "about 0.1", "under 0.1"]);
    }
}
