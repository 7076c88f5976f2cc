//! Writes the gate's answer for people: one line when nothing fails, a few lines for each finding that does.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};

use super::wrap::{Style, columns, styled, with_numbers, wrap, wrap_path, wrap_words};
use crate::findings::gate::Standing;
use crate::findings::{Owner, Severity};
use crate::human::{bytes, counted};
use crate::report::{AnotherCutRow, FindingRow, Input, LoopRow, RenderOptions, Report, wording};

pub fn write(report: &Report, page: &RenderOptions, out: &mut dyn Write) -> io::Result<()> {
    let failing: Vec<&FindingRow> = report.findings.iter().filter(|finding| finding.fails()).collect();
    let loops: HashMap<&str, &LoopRow> = report.loops.rows.iter().map(|row| (row.fingerprint.as_str(), row)).collect();
    let gate = report.gate.clone().unwrap_or_default();
    if !failing.is_empty() {
        not_counted(report, &loops, page, out)?;
    }
    upstream(report, page, out)?;
    for gap in wording::gaps(&report.inputs) {
        writeln!(out, "note: {}", wrap_words(&gap, 6, page.width))?;
    }
    let without_stack =
        |finding: &&FindingRow| loops.get(finding.fingerprint.as_str()).is_some_and(|row| row.site.is_empty());
    if report.inputs.iter().any(Input::is_of_garbage) && failing.iter().any(without_stack) {
        writeln!(out, "note: {}", wrap_words(wording::STACKS, 6, page.width))?;
    }
    if report.growth.more > 0 {
        let more = counted(report.growth.more, "more container", "more containers");
        let note = format!("{more} kept growing and had no room here: those that gained most are told");
        writeln!(out, "note: {}", wrap_words(&note, 6, page.width))?;
    }
    let others = report.findings.iter().filter(|finding| finding.standing == Some(Standing::Warning));
    let notes = others.map(|finding| &finding.message).chain(&gate.exceeded);
    for note in notes.chain(&gate.unused_suppressions).chain(&gate.expired_suppressions) {
        writeln!(out, "note: {}", wrap_words(note, 6, page.width))?;
    }
    for gone in &gate.gone {
        writeln!(
            out,
            "note: {}",
            wrap_words(&format!("in the baseline, but no longer there (--prune drops it): {gone}"), 6, page.width)
        )?;
    }
    // What fails comes last: that is what is on the screen when it is over.
    for finding in &failing {
        failure(finding, loops.get(finding.fingerprint.as_str()).copied(), page, out)?;
    }
    let answer = verdict(report, &failing, gate.failed, page);
    match gate.failed || Input::cannot_pass(&report.inputs) {
        true => writeln!(out, "{}", wrap(&answer, " ", 4, page.width)),
        // A build that passes is one line, however long.
        false => writeln!(out, "{}", answer.join(" ")),
    }
}

/// What is found in packages and the standard library: how much of each owner, or each finding where that was asked for.
fn not_counted(
    report: &Report,
    loops: &HashMap<&str, &LoopRow>,
    page: &RenderOptions,
    out: &mut dyn Write,
) -> io::Result<()> {
    let is_foreign =
        |finding: &&FindingRow| finding.standing == Some(Standing::Foreign) && finding.severity != Severity::Note;
    let amount = |finding: &FindingRow, count| match loops.contains_key(finding.fingerprint.as_str()) {
        true => counted(count, "loop", "loops"),
        false => counted(count, "object", "objects"),
    };
    let mut owners: BTreeMap<(&Owner, bool), Vec<&FindingRow>> = BTreeMap::new();
    for finding in report.findings.iter().filter(is_foreign) {
        if page.verbose {
            let text = format!("{}: {}: {}", finding.owner, amount(finding, finding.count), finding.subject);
            writeln!(out, "not counted  {}", wrap_path(&text, 13, page.width))?;
        } else {
            owners.entry((&finding.owner, loops.contains_key(finding.fingerprint.as_str()))).or_default().push(finding);
        }
    }
    let of_owner = |((owner, _), findings): (&(&Owner, bool), &Vec<&FindingRow>)| {
        let all = findings.iter().fold(0, |sum: u64, finding| sum.saturating_add(finding.count));
        let kinds = counted(findings.len() as u64, "kind", "kinds");
        format!("{owner}: {} of {kinds}", amount(findings[0], all))
    };
    let owners: Vec<String> = owners.iter().map(of_owner).collect();
    if owners.is_empty() {
        return Ok(());
    }
    let text = format!("{} (--verbose lists them)", owners.join("; "));
    writeln!(out, "not counted  {}", wrap_words(&text, 13, page.width))
}

/// Kinds of loops of others that are told, if they grow with the work.
const UPSTREAM: usize = 3;

/// What packages and the standard library leave behind each time, with the words for a report there. What an import made once is
/// not worth one.
fn upstream(report: &Report, page: &RenderOptions, out: &mut dyn Write) -> io::Result<()> {
    let is_theirs = |row: &&LoopRow| row.standing == Some(Standing::Foreign) && wording::grows_with_the_work(row);
    let theirs: Vec<&LoopRow> = report.loops.rows.iter().filter(is_theirs).collect();
    let most = if page.verbose { theirs.len() } else { UPSTREAM };
    for row in theirs.iter().take(most) {
        writeln!(out, "upstream  {}", wrap_words(&wording::for_its_owner(row), 10, page.width))?;
    }
    match theirs.len().saturating_sub(most) as u64 {
        0 => Ok(()),
        more => writeln!(out, "upstream  {} (--verbose lists them)", counted(more, "more kind", "more kinds")),
    }
}

/// `row`: the loops that the finding is about, if it is about loops.
fn failure(finding: &FindingRow, row: Option<&LoopRow>, page: &RenderOptions, out: &mut dyn Write) -> io::Result<()> {
    let head = styled(finding.rule, Style::Red, page.color);
    match &finding.place {
        Some(place) => {
            let place = wrap(&[place.linked_place(page)], "", columns(finding.rule) + 2, page.width);
            writeln!(out, "{head}  {place}")?;
        }
        None => writeln!(out, "{head}")?,
    }
    match row {
        Some(row) => {
            writeln!(out, "    {}", wrap_path(&row.path, 4, page.width))?;
            let amount: Vec<String> = wording::amount(row).iter().map(|fact| with_numbers(fact, page.color)).collect();
            writeln!(out, "    {}", wrap(&amount, " · ", 4, page.width))?;
            if row.owner == Owner::Unknown {
                writeln!(out, "    owner {}", wrap_words(wording::UNKNOWN_OWNER, 10, page.width))?;
            }
        }
        None => writeln!(out, "    {}", wrap_words(&finding.message, 4, page.width))?,
    }
    if let Some((row, pattern)) = row.and_then(|row| Some((row, row.pattern.as_ref()?))) {
        remedy(row, pattern, page, out)?;
    }
    writeln!(out)
}

/// What to change in the program, in short.
fn remedy(row: &LoopRow, pattern: &str, page: &RenderOptions, out: &mut dyn Write) -> io::Result<()> {
    let mut line = |pieces: &[String]| writeln!(out, "    {}", wrap(pieces, " ", 4, page.width));
    let in_words = |text: &str| text.split(' ').map(str::to_string).collect::<Vec<_>>();
    let with = |word: &str, cut: &AnotherCutRow| [format!("{word} {}:", cut.reference), cut.replacement.clone()];
    match &row.cut {
        None => line(&[pattern.to_string()])?,
        Some(cut) => {
            let reference = styled(&cut.reference, Style::Yellow, page.color);
            let replacement = styled(&cut.replacement, Style::Green, page.color);
            line(&[format!("cut {reference}: {replacement}"), format!("({pattern})")])?;
            cut.alternatives.iter().try_for_each(|cut| line(&with("or", cut)))?;
            let question = row.advice.as_ref().filter(|_| cut.is_question);
            if let Some(why) = cut.evidence.as_ref().or(question) {
                line(&in_words(why))?;
            }
            cut.more.iter().try_for_each(|cut| line(&with("and", cut)))?;
            if let Some(after) = wording::telling_after_cut(cut) {
                line(&in_words(&after))?;
            }
        }
    }
    row.refuted.iter().try_for_each(|early| line(&in_words(&wording::refuted(early))))
}

/// The last line, which is the only one when nothing is to be said: the answer, and what was not counted.
fn verdict(report: &Report, failing: &[&FindingRow], failed: bool, page: &RenderOptions) -> Vec<String> {
    let answer = match (failing.len() as u64, failed) {
        (0, false) if Input::some_is_incomplete(&report.inputs) => {
            styled("refloop: not all was checked", Style::Red, page.color)
        }
        (0, false) if Input::none_is_checked(&report.inputs) => {
            let some = report.inputs.iter().any(|input| input.snapshots > 0);
            let text = if some { "refloop: not checked to the end" } else { "refloop: nothing was checked" };
            styled(text, Style::Red, page.color)
        }
        (0, false) => {
            let none_of = report.gate.as_ref().map_or(&[][..], |gate| &gate.none_of);
            styled(&format!("refloop: {}", wording::nothing_found(none_of)), Style::Green, page.color)
        }
        (0, true) => styled("refloop: failed because of the notes above (strict)", Style::Red, page.color),
        (n, _) => {
            let at_peak = failing.iter().filter_map(|finding| finding.bytes_at_peak.or(finding.bytes));
            let total = at_peak.reduce(|sum, more| sum + more);
            let leaks = failing.iter().all(|finding| finding.severity == Severity::Error);
            let what = if leaks { ["leak found", "leaks found"] } else { ["finding", "findings"] };
            let at_peak = match failing.iter().any(|finding| finding.comes_and_goes()) {
                true if failing.len() == 1 => " at its peak",
                true => " at the peak of each",
                false => "",
            };
            let text = format!("refloop: {}, {}{at_peak}", counted(n, what[0], what[1]), size(total, failing));
            styled(&text, Style::Red, page.color)
        }
    };
    let not_counted = report.gate.iter().flat_map(|gate| &gate.not_counted).cloned().collect::<Vec<_>>().join(", ");
    match not_counted.is_empty() {
        true => vec![answer],
        false => vec![answer, format!("(not counted: {not_counted})")],
    }
}

/// What all of it weighs, as far as the logs tell.
fn size(total: Option<u64>, failing: &[&FindingRow]) -> String {
    match total {
        None => "size not known".to_owned(),
        Some(total) if failing.iter().any(|finding| finding.bytes.is_none()) => {
            format!("{} and what has no size in its log", bytes(total))
        }
        Some(total) => bytes(total),
    }
}
