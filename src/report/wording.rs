//! Says what several formats write in the same words: how much of a loop there is, what a cut leaves, what is not known.

use super::{ClosedRow, CutRow, Extent, FindingRow, FrameRow, Input, LoopRow, Report, SuspectedLostRow};
use crate::findings::gate::Standing;
use crate::findings::{Severity, lost_reference};
use crate::heap::printable;
use crate::human::{bytes, count, counted, counted_between, ratio, size};
use crate::trace::References;
use crate::whatif::{Early, Outcome, Verdict};

/// What becomes of the loops after the cuts: what a replay proves where it frees them, else what is left.
pub(super) fn after_cut(cut: &CutRow) -> Option<String> {
    let proved = cut.replay.as_ref().filter(|replay| replay.verdict != Verdict::NotEnough);
    Some(match (&cut.left, cut.is_enough) {
        (Some(left), _) => not_enough(cut.stay.unwrap_or_default(), cut.of.unwrap_or_default(), left),
        (None, _) if cut.alternatives.is_empty() && proved.is_some() => proved?.text.clone(),
        (None, Some(_)) if cut.alternatives.is_empty() => "then no loop is left among these objects".to_string(),
        (None, Some(_)) => "then, with any of them, no loop is left among these objects".to_string(),
        (None, None) => "whether a loop is left then is not known".to_string(),
    })
}

/// The same where it says more than that the cut is enough.
pub(super) fn telling_after_cut(cut: &CutRow) -> Option<String> {
    let is_telling =
        cut.is_enough.is_none() || cut.left.is_some() || cut.replay.is_some() && cut.alternatives.is_empty();
    after_cut(cut).filter(|_| is_telling)
}

/// `no reference loops, lost references or growing containers found`: of a gate that passes.
pub(super) fn nothing_found(none_of: &[&str]) -> String {
    let what = match none_of {
        [] => "reference loops".to_string(),
        [one] => (*one).to_string(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    };
    format!("no {what} found")
}

/// Why a reference is not offered: `not Client.api: app.Api would die while it can still be reached`.
pub(super) fn refuted(early: &Early) -> String {
    format!("not {}: {}", early.reference, too_early(&early.type_name))
}

/// What a replay shows of an object that only a changed reference holds.
pub(super) fn too_early(type_name: &str) -> String {
    format!("{type_name} would die while it can still be reached")
}

/// `not enough: 66 of 68 objects stay, in Node.kids[*] → Node.parent → Node`.
pub(super) fn not_enough(stay: u64, of: u64, left: &str) -> String {
    format!("not enough: {} of {} stay, in {left}", count(stay), counted(of, "object", "objects"))
}

/// The same in the fewest words, where a cut is not enough.
pub(super) fn left(cut: &CutRow) -> Option<String> {
    let left = cut.left.as_ref()?;
    Some(format!("{} of {} stay, in {left}", count(cut.stay.unwrap_or_default()), count(cut.of.unwrap_or_default())))
}

/// `3f9c…  1,240 × 2 objects, at least 128 KB at one time with what they hold`, `1.9 MB in all`, `freed later by the
/// collector: 1,180`. Where all of them were there at one time, that is said once.
pub(super) fn amount(row: &LoopRow) -> Vec<String> {
    let per_loop = row.objects as f64 / row.count.max(1) as f64;
    let objects = if per_loop == 1.0 { "object" } else { "objects" };
    let held = if row.held_objects > 0 && row.total_bytes.is_some() { " with what they hold" } else { "" };
    let loops = format!("{}  {} × {} {objects}", row.fingerprint, count(row.count), ratio(per_loop));
    let mut facts = match row.peak_at_least.bytes.filter(|_| row.peak_at_least.bytes != row.total_bytes) {
        None => vec![format!("{loops}, {}{held}", size(row.total_bytes))],
        Some(peak) => vec![
            format!("{loops}, {}{} at one time{held}", at_least(row.peak_is_exact), bytes(peak)),
            format!("{} in all", size(row.total_bytes)),
        ],
    };
    match row.collected {
        0 => {}
        all if all == row.count => facts.push("freed later by the collector".to_string()),
        some => facts.push(format!("freed later by the collector: {}", count(some))),
    }
    facts
}

/// What is proved of a change: `verified by replay: 1,240 of 1,240 die at once, none dies early`.
pub(super) fn verdict(outcome: &Outcome) -> String {
    let die = if outcome.loops == 1 { "dies" } else { "die" };
    let freed = format!("{} of {} {die} at once", count(outcome.freed_loops), count(outcome.loops));
    let snapshots = counted(outcome.snapshots, "snapshot", "snapshots");
    match outcome.verdict() {
        Verdict::Verified => format!("verified by replay: {freed}, none dies early"),
        Verdict::NothingLiving if outcome.living == 0 => {
            format!("{freed}; none was seen alive at {snapshots}")
        }
        Verdict::NotRefuted | Verdict::NothingLiving => {
            let first = outcome.unseen.iter().next();
            let unseen = first.map(|reference| format!("; {reference} was not seen alive")).unwrap_or_default();
            let living = count(outcome.living);
            format!("not refuted at {snapshots}: {freed}; of {living} seen alive none dies early{unseen}")
        }
        Verdict::DiesEarly => {
            let early = outcome.early.first();
            let what = too_early(early.map_or("an object", |early| &early.type_name));
            let reference = early.map_or("the reference", |early| &early.reference);
            format!("refuted: {what}: only {reference} holds it")
        }
        Verdict::NotEnough => format!("not enough: {freed}"),
        Verdict::NoLoop => format!("no loop has such a reference, at {snapshots}"),
        Verdict::NotKnown => "nothing is known: no snapshot shows who refers to whom".to_string(),
    }
}

/// Of a trace that was recorded without births: the allocator may have been asked for more than an object shows.
pub(super) const ONLY_GARBAGE: &str = "only garbage is in the trace, and its bytes are at least what is told";

/// Of a loop of a library's classes, where no stack tells whether the application made one of its objects.
pub(super) const UNKNOWN_OWNER: &str = "not known: no stack tells who made it, so it counts as the application's";

/// How the stacks are found that such a trace has not.
pub(super) const STACKS: &str =
    "no stack tells where the loops were made: refloop record --events survivors -- … finds it";

/// `before the recording began`, `400 of 412 before the recording began`; nothing of loops that were made since.
pub(super) fn made_before(row: &LoopRow) -> Option<String> {
    of_them(row.made_before?, row.count, "before the recording began")
}

fn of_them(some: u64, all: u64, what: &str) -> Option<String> {
    Some(if some >= all { what.to_string() } else { format!("{} of {} {what}", count(some), count(all)) })
}

/// `as the program began to end`, `2 of 12 as the program began to end`; nothing of loops that were garbage then.
pub(super) fn alive(row: &LoopRow) -> Option<String> {
    of_them(row.alive_at_exit?, row.count, "as the program began to end")
}

/// Loops of one kind from which on there are too many to have been made once.
const MANY: u64 = 10;

/// Whether there are more of the loops the more the program works, as far as the trace tells: there are many, and the first was
/// not made by an import.
pub(super) fn grows_with_the_work(row: &LoopRow) -> bool {
    let imports = |frame: &FrameRow| frame.path.starts_with("<frozen importlib");
    row.count >= MANY && !row.site.is_empty() && !row.site.iter().any(imports)
}

/// What somebody may tell those whose loops grow with the work of a program: `package shop: Api.client → Client.api → Api: 200
/// loops of 2 objects, 25.1 KB, more as the program works; for a report there: Api.client could be weakref.ref(client)`.
pub(super) fn for_its_owner(row: &LoopRow) -> String {
    let objects = ratio(row.objects as f64 / row.count.max(1) as f64);
    let (loops, bytes) = (counted(row.count, "loop", "loops"), size(row.total_bytes));
    let made = row.site.first().map(|frame| format!(", made at {}", frame.place())).unwrap_or_default();
    let could = match &row.cut {
        None => row.pattern.clone().unwrap_or_default(),
        Some(cut) if cut.is_question => {
            let others = cut.alternatives.iter().map(|other| format!(" or {}", other.reference));
            format!("{}{} could be cut", cut.reference, others.collect::<String>())
        }
        Some(cut) => {
            let more = cut.more.iter().map(|more| format!(", and {}: {}", more.reference, more.replacement));
            let left = telling_after_cut(cut).filter(|_| cut.left.is_some()).map(|after| format!("; {after}"));
            let (more, left) = (more.collect::<String>(), left.unwrap_or_default());
            format!("{} could be {}{more}{left}", cut.reference, cut.replacement)
        }
    };
    let report = if could.is_empty() { String::new() } else { format!("; for a report there: {could}") };
    format!(
        "{}: {}: {loops} of about {objects} objects, {bytes}{made}, more as the program works{report}",
        row.owner, row.path
    )
}

/// What comes before a number that was seen, where there may have been more unseen.
pub(super) fn at_least(is_exact: bool) -> &'static str {
    if is_exact { "" } else { "at least " }
}

/// Byte-seconds from which on it is told how long garbage lay about.
const LINGERED: u64 = 1_000;

/// `1.2 MB to 4.0 MB × s`, `up to 4.0 MB × s`; nothing where it is not worth a line, or not known.
pub(super) fn lingered(at_least: Option<f64>, at_most: Option<f64>) -> Option<String> {
    let (at_least, at_most) = (at_least? as u64, at_most? as u64);
    match (at_least, at_most) {
        (_, ..LINGERED) => None,
        (0, _) => Some(format!("up to {} × s", bytes(at_most))),
        _ if bytes(at_least) == bytes(at_most) => Some(format!("{} × s", bytes(at_most))),
        _ => Some(format!("{} to {} × s", bytes(at_least), bytes(at_most))),
    }
}

/// The first `most` of some texts, and how many more there are: `app.Add`, `app.Mul`, `3 more classes`.
pub(super) fn first(texts: impl ExactSizeIterator<Item = String>, most: usize, one: &str, many: &str) -> Vec<String> {
    let more = texts.len().saturating_sub(most) as u64;
    let mut first: Vec<String> = texts.take(most).collect();
    if more > 0 {
        first.push(counted(more, one, many));
    }
    first
}

/// Types that are named where their memory could not be read.
const CLOSED: usize = 5;

/// `the memory that 15 objects own outside of their block: pyarrow.lib.Buffer 12, app.Image 3`; nothing where there is none.
pub(super) fn closed(rows: &[ClosedRow]) -> Option<String> {
    let objects = rows.iter().fold(0, |sum: u64, row| sum.saturating_add(row.objects));
    let types = rows.iter().map(|row| format!("{} {}", row.type_name, count(row.objects)));
    let types = first(types, CLOSED, "more type", "more types");
    let what = match objects {
        0 => return None,
        1 => "the memory that 1 object owns outside of its block".to_string(),
        n => format!("the memory that {} objects own outside of their block", count(n)),
    };
    Some(format!("{what}: {}", types.join(", ")))
}

/// Traces that are named where something is not known of them.
const NAMED: usize = 5;

/// What is not known of the garbage of these traces, one sentence each; of many that lack the same, one for the rest.
pub(super) fn gaps(inputs: &[Input]) -> Vec<String> {
    let mut gaps = Vec::new();
    for known in [Extent::Nothing, Extent::Collections, Extent::Part] {
        let mut lacking = inputs.iter().filter(|input| input.known == known);
        gaps.extend(
            lacking
                .by_ref()
                .take(NAMED)
                .filter_map(|input| Some(format!("{} {}", printable(&input.path), gap(input)?))),
        );
        let more = lacking.count() as u64;
        if more > 0 {
            gaps.push(format!("the same of {}", counted(more, "more trace", "more traces")));
        }
    }
    gaps.extend(inputs.iter().filter_map(stopped));
    gaps.extend(inputs.iter().filter_map(missed));
    gaps.extend(inputs.iter().filter_map(births_unseen));
    gaps.extend(inputs.iter().filter_map(other_interpreters));
    gaps.extend(inputs.iter().filter_map(not_searched));
    gaps.extend(own_only(inputs));
    gaps.extend(inputs.iter().filter_map(ended));
    gaps
}

/// `50 of 50 objects`, `1 reference too many each`, and what is not known.
pub(super) fn suspected_lost(row: &SuspectedLostRow) -> Vec<String> {
    let (least, most) = (row.references_least.into(), row.references_most.into());
    let references = counted_between(least, most, "reference", "references");
    let mut facts = vec![
        format!("{} of {}", count(row.objects), counted(row.alive, "object", "objects")),
        format!("{references} too many each"),
    ];
    facts.extend(lost_reference::unclear(row.unclear));
    if !row.searched {
        facts.push("not known to be lost: not all memory was searched".to_string());
    }
    facts
}

/// Why it is not known what was lost, where growth is known.
pub(super) fn lost_not_known(report: &Report) -> Option<&'static str> {
    let is_asked = report.growth.known && report.suspected_lost.is_none();
    is_asked.then_some("memory was not searched for their addresses, as refloop record does")
}

/// `a.reftrace: 2 more interpreters were not looked at, so nothing is known of their loops`.
fn other_interpreters(input: &Input) -> Option<String> {
    let (number, was) = match input.blind_spots.other_interpreters {
        0 => return None,
        1 => ("1 more interpreter".to_string(), "was"),
        n => (format!("{} more interpreters", count(n)), "were"),
    };
    Some(format!("{}: {number} {was} not looked at, so nothing is known of the loops there", printable(&input.path)))
}

/// `a.reftrace: the memory of 3 of 4,000 objects was not searched to the end, so hidden references may be missing`.
fn not_searched(input: &Input) -> Option<String> {
    let searched = input.blind_spots.searched.filter(|searched| searched.unfinished > 0)?;
    let objects = counted(searched.objects, "object", "objects");
    let (path, unfinished) = (printable(&input.path), count(searched.unfinished));
    Some(format!(
        "{path}: the memory of {unfinished} of {objects} was not searched to the end, so hidden references may be missing"
    ))
}

/// `a.reftrace: the program ended with 2 after 0.1 s`; nothing where it ended well, or nobody knows how.
fn ended(input: &Input) -> Option<String> {
    let end = input.program.filter(|end| !end.is_success())?;
    let how = match (end.exit, end.signal) {
        (Some(code), _) => format!("ended with {code}"),
        (None, signal) => format!("was killed by signal {}", signal.unwrap_or_default()),
    };
    let seconds = end.milliseconds as f64 / 1000.0;
    Some(format!("{}: the program {how} after {seconds:.1} s", printable(&input.path)))
}

/// `a.reftrace: the recording stopped: no space left on device`.
fn stopped(input: &Input) -> Option<String> {
    let reason = input.blind_spots.stopped.as_ref()?;
    Some(format!("{}: the recording stopped before the program: {reason}", printable(&input.path)))
}

/// `a.reftrace: 12 collections were not seen, …`.
fn missed(input: &Input) -> Option<String> {
    let missed = input.blind_spots.missed_collections;
    let (seen, they) = match missed {
        0 => return None,
        1 => ("was", "it"),
        _ => ("were", "they"),
    };
    Some(format!(
        "{}: {} {seen} not seen, as gc.callbacks had lost the recorder: what {they} freed is not known",
        printable(&input.path),
        counted(missed, "collection", "collections"),
    ))
}

/// `a.reftrace: births and deaths from 1.2 s to 3.4 s were not seen, …`.
fn births_unseen(input: &Input) -> Option<String> {
    let unseen = input.blind_spots.births_unseen?;
    let seconds = |ns: u64| ns as f64 / 1e9;
    let often = if unseen.times == 1 { String::new() } else { format!(", {} times", count(unseen.times)) };
    Some(format!(
        "{}: births and deaths from {:.3} s to {:.3} s were not all seen{often}, as the allocator had lost the recorder: \
         loops of that time, and what made the objects, are not all known",
        printable(&input.path),
        seconds(unseen.from_ns),
        seconds(unseen.to_ns),
    ))
}

/// `3 traces are of forked processes, …`.
fn own_only(inputs: &[Input]) -> Option<String> {
    let (traces, they) = match inputs.iter().filter(|input| input.blind_spots.own_only).count() as u64 {
        0 => return None,
        1 => ("1 trace is of a forked process and has".to_string(), "it"),
        n => (format!("{} traces are of forked processes and have", count(n)), "they"),
    };
    Some(format!("{traces} what {they} made; of what there was before the fork, garbage alone"))
}

/// `has no checkpoint, so nothing is known of its loops`.
fn gap(input: &Input) -> Option<&'static str> {
    match input.known {
        Extent::Nothing if input.references == References::None => {
            Some("has no references and no whole collection, so nothing is known of its garbage")
        }
        _ if input.references == References::Uncounted => {
            Some("has no counts, so which of its objects are garbage is not known")
        }
        Extent::Collections if input.references == References::None => {
            Some("has no collection of the oldest generation, so only what younger ones found is known")
        }
        Extent::Part if input.references == References::None => {
            Some("is a log: what became garbage after its last look is not known")
        }
        Extent::Nothing => Some("has no checkpoint, so nothing is known of its loops"),
        Extent::Collections => {
            Some("broke off without a full checkpoint, so only loops that a collection found are known")
        }
        Extent::Part if input.references == References::Events => {
            Some("broke off: what became garbage afterwards is not known")
        }
        Extent::Part => Some("broke off: what became garbage after its last checkpoint is not known"),
        Extent::End => None,
    }
}

/// Why findings do not fail the build, in the order in which a page says it.
const NOT_COUNTED: [&str; 7] = [
    "of packages and the standard library",
    "in the baseline",
    "suppressed",
    "freed by the collector",
    "that lived until the program ended",
    "within limits",
    "outside of what was asked for",
];

/// `2 in the baseline`: how many findings do not count, for each reason.
pub(super) fn not_counted(findings: &[FindingRow]) -> Vec<String> {
    let mut counts = [0; NOT_COUNTED.len()];
    for finding in findings.iter().filter(|finding| finding.severity != Severity::Note) {
        if let Some(reason) = finding.standing.as_ref().and_then(reason) {
            counts[reason] += 1;
        }
    }
    let reasons = counts.into_iter().zip(NOT_COUNTED).filter(|&(n, _)| n > 0);
    reasons.map(|(n, reason)| format!("{} {reason}", count(n))).collect()
}

/// The place in [`NOT_COUNTED`].
fn reason(standing: &Standing) -> Option<usize> {
    match standing {
        Standing::Foreign => Some(0),
        Standing::Known => Some(1),
        Standing::Suppressed(_) => Some(2),
        Standing::Collected => Some(3),
        Standing::AtExit => Some(4),
        Standing::Allowed => Some(5),
        Standing::NotAsked => Some(6),
        Standing::Fails | Standing::Warning | Standing::Note => None,
    }
}
