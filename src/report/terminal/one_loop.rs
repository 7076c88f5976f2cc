//! Writes one loop for people: how much of it, its path, where it came from, and what to cut.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use super::wrap::{Style, columns, styled, with_numbers, wrap, wrap_path, wrap_words};
use crate::findings::Owner;
use crate::heap::printable;
use crate::human::{bytes, count, counted, duration};
use crate::report::{AnotherCutRow, FrameRow, LoopRow, Number, RenderOptions, SeenAt, wording};

/// Column in which the facts of a loop begin.
const FACTS: usize = 17;

/// Types that are shown of what belongs to a loop, and subclasses of one.
const TYPES: usize = 5;

/// Frames of a stack that are shown at 80 columns; one more for each 20 columns beyond.
const FRAMES: usize = 4;

/// Columns of the lines that other programs show, and how many lines there are of a loop at most if names are not very long.
const TEXT_WIDTH: usize = 100;
const TEXT_LINES: usize = 8;

/// How much is told of a loop; each tells less than the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Detail {
    /// Every frame that there is room for.
    Full,
    /// A stack in two lines.
    Short,
    /// Of how much there is of it, as much as fits in a line.
    OneLineOfAmount,
    /// A stack in one line.
    OneLineOfStack,
    /// Of what is to be cut as well, the references alone.
    References,
    /// No advice but where it is a question.
    NoAdvice,
    /// The path without the steps in its middle.
    Ends,
    /// No shape but where it asks a question.
    NoPattern,
}

/// The loop with every fact.
pub fn write(row: &LoopRow, page: &RenderOptions, out: &mut dyn Write) -> io::Result<()> {
    head(row, page, Detail::Full, out)?;
    history(row, page, out)?;
    remedy(row, page, Detail::Full, out)?;
    owner(row, page, out)
}

/// The loop in short, as lines for a page of another program: as much as there is room for.
pub fn text(row: &LoopRow) -> Vec<String> {
    use Detail::*;
    let details = [Short, OneLineOfAmount, OneLineOfStack, References, NoAdvice, Ends];
    let mut texts = details.into_iter().map(|detail| text_of(row, detail));
    texts.find(|text| text.len() <= TEXT_LINES).unwrap_or_else(|| text_of(row, NoPattern))
}

fn text_of(row: &LoopRow, detail: Detail) -> Vec<String> {
    let page = RenderOptions { width: TEXT_WIDTH, ..RenderOptions::default() };
    let mut text = Vec::new();
    // Writing to memory does not fail.
    let _ = head(row, &page, detail, &mut text).and_then(|()| remedy(row, &page, detail, &mut text));
    if row.owner == Owner::Unknown {
        let _ = owner(row, &page, &mut text);
    }
    String::from_utf8_lossy(&text).lines().map(str::to_string).collect()
}

/// How much there is of it, its path, and where it was made.
fn head(row: &LoopRow, page: &RenderOptions, detail: Detail, out: &mut dyn Write) -> io::Result<()> {
    let mut amount: Vec<String> = wording::amount(row).iter().map(|fact| with_numbers(fact, page.color)).collect();
    if detail >= Detail::OneLineOfAmount {
        while amount.len() > 1 && wrap(&amount, " · ", 5, page.width).contains('\n') {
            amount.pop();
        }
    }
    writeln!(out, "{} {}", styled("LOOP", Style::Bold, page.color), wrap(&amount, " · ", 5, page.width))?;
    let path = match detail {
        Detail::NoPattern => ends(&row.path, 1),
        detail if detail >= Detail::Ends => ends(&row.path, STEPS),
        _ => row.path.clone(),
    };
    writeln!(out, "    {}", styled(&wrap_path(&path, 4, page.width), Style::Bold, page.color))?;
    if !row.site.is_empty() {
        let stack = match detail {
            Detail::Full => stack(&row.site, row.other_sites, page),
            Detail::Short | Detail::OneLineOfAmount => short_stack(row, 2, page),
            _ => short_stack(row, 1, page),
        };
        fact("made at", &stack, out)?;
    }
    if let Some(before) = wording::made_before(row) {
        fact("made", &before, out)?;
    }
    if !row.site.is_empty() || row.definitions.is_empty() {
        return Ok(());
    }
    fact("defined at", &places(&row.definitions, page), out)
}

/// Whose it is, and why it counts where that is not known.
fn owner(row: &LoopRow, page: &RenderOptions, out: &mut dyn Write) -> io::Result<()> {
    match row.owner {
        Owner::Unknown => fact("owner", &wrap_words(wording::UNKNOWN_OWNER, FACTS, page.width), out),
        _ => fact("owner", &row.owner.to_string(), out),
    }
}

/// `app.py:3 class Node, app.py:9 make`, and how many more there are.
fn places(definitions: &[FrameRow], page: &RenderOptions) -> String {
    let places = definitions.iter().map(|place| place.linked_place(page));
    wrap(&wording::first(places, FRAMES, "more place", "more places"), ", ", FACTS, page.width)
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
    if let Some(alive) = wording::alive(row) {
        fact("alive", &alive)?;
    }
    if let Some(lingered) = wording::lingered(row.byte_seconds_at_least, row.byte_seconds_at_most) {
        fact("lay about", &lingered)?;
    }
    fact("members", &types(&row.types.members, &row.types.member_bytes, page))?;
    for (class, subclasses) in &row.subclasses {
        fact("", &of_subclasses(class, subclasses, page.width))?;
    }
    if row.held_objects > 0 {
        fact("holds", &types(&row.types.held, &row.types.held_bytes, page))?;
    }
    if !row.marks.is_empty() {
        let marks = row.marks.iter().map(|(mark, n)| format!("{} ({})", printable(mark), count(*n)));
        fact("in", &wrap(&marks.collect::<Vec<_>>(), ", ", FACTS, page.width))?;
    }
    Ok(())
}

/// What to change in the program.
fn remedy(row: &LoopRow, page: &RenderOptions, detail: Detail, out: &mut dyn Write) -> io::Result<()> {
    let mut fact = |name, text: &str| fact(name, text, out);
    if let Some(cut) = &row.cut {
        let with = |reference: &str, replacement: &str| {
            let pieces = [styled(reference, Style::Yellow, page.color), styled(replacement, Style::Green, page.color)];
            wrap(&pieces, "    ", FACTS, page.width)
        };
        fact("cut", &with(&cut.reference, &cut.replacement))?;
        for cut in &cut.alternatives {
            fact("or", &with(&cut.reference, &cut.replacement))?;
        }
        let mut why: Vec<String> = Vec::new();
        match &cut.evidence {
            // It speaks of the first reference.
            Some(evidence) if !cut.more.is_empty() => fact("", &wrap_words(evidence, FACTS, page.width))?,
            evidence => why.extend(evidence.clone()),
        }
        match detail < Detail::References || cut.more.is_empty() {
            true => {
                for (place, (references, replacement)) in alike(&cut.more).into_iter().enumerate() {
                    fact(if place == 0 { "and" } else { "" }, &with(&references.join(", "), replacement))?;
                }
            }
            false => {
                let references: Vec<String> = cut.more.iter().map(|cut| cut.reference.clone()).collect();
                fact("and", &wrap(&references, ", ", FACTS, page.width))?;
            }
        }
        match wording::left(cut) {
            Some(left) => {
                if !why.is_empty() {
                    fact("", &wrap_words(&why.join("; "), FACTS, page.width))?;
                }
                fact("not enough", &wrap_words(&left, FACTS, page.width))?;
            }
            None => {
                let is_full = detail == Detail::Full;
                why.extend(if is_full { wording::after_cut(cut) } else { wording::telling_after_cut(cut) });
                if !why.is_empty() {
                    fact("", &wrap_words(&why.join("; "), FACTS, page.width))?;
                }
            }
        }
    }
    for early in &row.refuted {
        let pieces = [early.reference.clone(), wording::too_early(&early.type_name)];
        fact("not", &wrap(&pieces, "    ", FACTS, page.width))?;
    }
    let is_question = row.cut.as_ref().is_none_or(|cut| cut.is_question);
    let advice = row.advice.as_deref().filter(|_| detail < Detail::NoAdvice || is_question);
    // A question tells what the objects are to each other.
    let is_named = detail < Detail::NoAdvice || advice.is_none() && (detail < Detail::NoPattern || row.cut.is_none());
    let name = row.pattern.as_deref().filter(|_| is_named);
    let pattern: Vec<&str> = name.into_iter().chain(advice).collect();
    match pattern.as_slice() {
        [] => Ok(()),
        pattern => fact("pattern", &wrap_words(&pattern.join("; "), FACTS, page.width)),
    }
}

fn fact(name: &str, text: &str, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "    {name:<13}{text}")
}

/// `app.py:42 make_order ← … 24 frames of starlette, uvicorn ← app.py:80 main`.
pub fn stack(site: &[FrameRow], other_sites: u64, page: &RenderOptions) -> String {
    stack_of(site, other_sites, FRAMES + page.width.saturating_sub(80) / 20, page)
}

/// With so many frames as fit in a few lines; in one line, the rest are `… 30 more`.
fn short_stack(row: &LoopRow, lines: usize, page: &RenderOptions) -> String {
    if lines == 1 {
        let wide = RenderOptions { width: usize::MAX, ..*page };
        let texts = (2..=FRAMES + 1).rev().map(|most| stack_of(&row.site, row.other_sites, most, &wide));
        let texts = texts.map(|text| text.replace(" more frames", " more"));
        if let Some(text) = { texts }.find(|text| FACTS + columns(text) <= page.width) {
            return text;
        }
    }
    let of = |most| stack_of(&row.site, row.other_sites, most, page);
    let mut fitting = (2..=FRAMES + 1).rev().map(of).filter(|text| text.lines().count() <= lines);
    fitting.next().unwrap_or_else(|| of(1))
}

/// Steps that are shown of a long path at each end.
const STEPS: usize = 3;

/// `A.b → B.c → C.d → … 40 more steps → X.y → Y.z → A`
fn ends(path: &str, at_each: usize) -> String {
    let steps: Vec<&str> = path.split(" → ").collect();
    let more = steps.len().saturating_sub(2 * at_each);
    match more {
        0 | 1 => path.to_string(),
        _ => format!(
            "{} → … {more} more steps → {}",
            steps[..at_each].join(" → "),
            steps[steps.len() - at_each..].join(" → ")
        ),
    }
}

/// References that are replaced by the same, together, in the order of the first of them.
fn alike(cuts: &[AnotherCutRow]) -> Vec<(Vec<String>, &str)> {
    let mut alike: Vec<(Vec<String>, &str)> = Vec::new();
    for cut in cuts {
        match alike.iter_mut().find(|(_, replacement)| *replacement == cut.replacement) {
            Some((references, _)) => references.push(cut.reference.clone()),
            None => alike.push((vec![cut.reference.clone()], &cut.replacement)),
        }
    }
    alike
}

fn stack_of(site: &[FrameRow], other_sites: u64, most: usize, page: &RenderOptions) -> String {
    let mut pieces = Vec::new();
    let mut rest = site;
    while let Some((frame, others)) = rest.split_first() {
        // What runs the tests is the same for all of them.
        let is_over = pieces.len() >= most || (!pieces.is_empty() && frame.is_of_a_test_runner());
        if is_over && !page.full_stacks {
            pieces.push(format!("… {}", counted(rest.len() as u64, "more frame", "more frames")));
            break;
        }
        match folded(rest).filter(|_| !pieces.is_empty() && !page.full_stacks) {
            Some((frames, text)) => {
                pieces.push(text);
                rest = &rest[frames..];
            }
            None => {
                pieces.push(frame.linked_place(page));
                rest = others;
            }
        }
    }
    let mut text = wrap(&pieces, " ← ", FACTS, page.width);
    if other_sites > 0 {
        let others = format!("and at {}", counted(other_sites, "other place", "other places"));
        let last = text.rsplit('\n').next().map_or(0, |line| columns(line.trim_start()));
        match FACTS + last + 2 + columns(&others) <= page.width {
            true => text.push_str(&format!(", {others}")),
            false => text.push_str(&format!("\n{}{others}", " ".repeat(FACTS))),
        }
    }
    text
}

/// Frames that are folded where there are at least so many in a row.
const FOLDED: usize = 2;

/// The frames at the beginning that are not the application's, if there are several: how many, and `… 24 frames of
/// starlette, uvicorn`.
fn folded(site: &[FrameRow]) -> Option<(usize, String)> {
    let packages: Vec<&str> = site
        .iter()
        .take_while(|frame| !frame.is_of_a_test_runner())
        .map_while(|frame| frame.package.as_deref())
        .collect();
    if packages.len() < FOLDED {
        return None;
    }
    let mut names: Vec<&str> = Vec::new();
    for name in &packages {
        if !names.contains(name) {
            names.push(name);
        }
    }
    let more = names.len().saturating_sub(TYPES) as u64;
    names.truncate(TYPES);
    let more =
        if more > 0 { format!(" and {}", counted(more, "more package", "more packages")) } else { String::new() };
    Some((packages.len(), format!("… {} frames of {}{more}", packages.len(), names.join(", "))))
}

/// The types with the most bytes, or objects where there are no sizes, and how many more there are.
fn types(types: &BTreeMap<String, Number>, of_bytes: &BTreeMap<String, Number>, page: &RenderOptions) -> String {
    let mut shown: Vec<(&String, &Number)> = types.iter().collect();
    let weight = |name: &String| of_bytes.get(name).map_or(0.0, value);
    shown.sort_by(|(a, n), (b, m)| weight(b).total_cmp(&weight(a)).then(value(m).total_cmp(&value(n))));
    let pieces = { shown.iter() }
        .map(|(name, n)| match weight(name) {
            0.0 => format!("{} × {name}", how_many(n)),
            weight => format!("{} × {name} {}", how_many(n), bytes(weight.round() as u64)),
        })
        .map(|piece| with_numbers(&piece, page.color));
    wrap(&wording::first(pieces, TYPES, "more type", "more types"), ", ", FACTS, page.width)
}

/// `app.Node in 12 classes: app.Add, app.Mul, …`
fn of_subclasses(class: &str, subclasses: &BTreeSet<String>, width: usize) -> String {
    let mut pieces = wording::first(subclasses.iter().cloned(), TYPES, "more class", "more classes");
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
    fn a_text_has_eight_lines_however_much_there_is_to_tell() {
        let words = |n: usize| vec!["words"; n].join(" ");
        let mut row = crate::report::testing::report(None).loops.rows.remove(0);
        row.collected = row.count - 1;
        row.path = vec!["AddressesClient.client"; 40].join(" → ");
        row.site = vec![row.site[0].clone(); 9];
        row.refuted.clear();
        row.advice = Some(words(20));
        let cut = row.cut.as_mut().expect("a cut");
        cut.evidence = Some(words(20));
        (cut.left, cut.stay, cut.of, cut.is_enough) = (Some(words(14)), Some(30), Some(30), None);
        let told = text(&row);
        assert!(told.len() <= TEXT_LINES, "{told:#?}");
        assert!(told.iter().any(|line| line.contains("not enough")), "{told:#?}");
        assert!(told.iter().all(|line| columns(line) <= TEXT_WIDTH), "{told:#?}");
    }

    #[test]
    fn frames_of_packages_are_folded_between_those_of_the_application() {
        let frame = |path: &str, package: Option<&str>| FrameRow {
            path: path.to_string(),
            line: 7,
            function: "call".to_string(),
            package: package.map(str::to_string),
        };
        let mut site = vec![frame("app.py", None), frame("x/site-packages/lib.py", Some("lib")), frame("web.py", None)];
        site.extend(vec![frame("x/site-packages/starlette/routing.py", Some("starlette")); 20]);
        site.extend(vec![frame("x/site-packages/uvicorn/main.py", Some("uvicorn")); 4]);
        site.push(frame("main.py", None));
        let page = RenderOptions { width: 200, ..RenderOptions::default() };
        let told = "app.py:7 call ← site-packages/lib.py:7 call ← web.py:7 call ← … 24 frames of starlette, uvicorn ← main.py:7 call";
        assert_eq!(stack(&site, 0, &page), told);
        assert_eq!(stack(&site, 0, &RenderOptions { full_stacks: true, ..page }).matches("call").count(), site.len());
        let narrow = stack(&site, 0, &RenderOptions::default());
        assert!(narrow.ends_with("← … 1 more frame"), "{narrow}");
        let of_packages = stack(&site[3..27], 0, &page);
        assert_eq!(of_packages, "site-packages/starlette/routing.py:7 call ← … 23 frames of starlette, uvicorn");
    }

    #[test]
    fn what_is_in_few_of_the_loops_is_not_none() {
        let told = [Number::Whole(1200), Number::Part(0.67), Number::Part(0.1), Number::Part(0.0)];
        assert_eq!(told.iter().map(how_many).collect::<Vec<_>>(), ["1,200", "about 0.7", "about 0.1", "under 0.1"]);
    }
}
