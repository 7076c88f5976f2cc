//! Writes what was read, and the sums of all traces.

use std::io::{self, Write};

use super::one_loop;
use super::wrap::{Style, styled, with_numbers, wrap};
use crate::heap::printable;
use crate::human::{bytes, count, counted, size};
use crate::report::{Extent, Input, InputEnding, RenderOptions, Report, wording};
use crate::trace::References;

pub fn summary(report: &Report, page: &RenderOptions, out: &mut dyn Write) -> io::Result<()> {
    inputs(report, page, out)?;
    let summary = &report.summary;
    let mut line = |name: &str, facts: &[String]| {
        let lead = format!("{name:<18}");
        let facts: Vec<String> = facts.iter().map(|fact| with_numbers(fact, page.color)).collect();
        writeln!(out, "  {lead}{}", wrap(&facts, " · ", 20, page.width))
    };
    let alive = match summary.live_objects {
        None => vec!["not known".to_string()],
        Some(objects) => vec![
            counted(objects, "object", "objects"),
            size(summary.live_bytes),
            match summary.live_types {
                Some(types) => counted(types, "type", "types"),
                None => "types not known".to_string(),
            },
        ],
    };
    line("alive at the end", &alive)?;
    if let Some(closed) = wording::closed(&report.closed) {
        line("not counted", &[closed])?;
    }
    let growth = &report.growth;
    let grown = growth.containers.len() as u64 + growth.more;
    if growth.known && grown > 0 {
        line("growth", &first_grown(report, grown))?;
    }
    cyclic_garbage(report, &mut line)?;
    if let (Some(objects @ 1..), Some(of_bytes)) = (summary.lost_objects, summary.lost_bytes) {
        line("lost references", &[counted(objects, "object", "objects"), bytes(of_bytes)])?;
    }
    if let Some([first, others @ ..]) = report.suspected_lost.as_deref() {
        let mut facts = vec![format!("suspected: {}", first.type_name)];
        facts.extend(wording::suspected_lost(first));
        facts.extend((!others.is_empty()).then(|| format!("and {} more below", count(others.len() as u64))));
        line("lost references", &facts)?;
    }
    if let Some(why) = wording::lost_not_known(report) {
        line("lost references", &[format!("not known: {why}")])?;
    }
    match growth.known {
        _ if !report.inputs.iter().any(|input| input.references == References::Checkpoints) => {}
        true if grown > 0 => {}
        true => line("growth", &["no container kept growing from look to look at the heap".to_string()])?,
        false if report.inputs.iter().all(Input::is_of_garbage) => {
            line("growth", &["not known: it takes three checkpoints (record --events survivors --every)".to_string()])?
        }
        false => line("growth", &["not known: it takes three checkpoints (record --every)".to_string()])?,
    }
    if !report.unreachable.is_empty() {
        let objects = report.unreachable.iter().fold(0, |sum: u64, row| sum.saturating_add(row.objects));
        let types = counted(report.unreachable.len() as u64, "type", "types");
        let kept = counted(objects, "object", "objects");
        line("unreachable", &[format!("{kept} of {types}, says the log"), "loops not known".to_string()])?;
    }
    if summary.anomalies > 0 {
        line("anomalies", &[count(summary.anomalies)])?;
    }
    Ok(())
}

/// How many containers grew, and the one that grew most: a leak without loops is told in the first lines.
fn first_grown(report: &Report, grown: u64) -> Vec<String> {
    let mut facts = vec![counted(grown, "container", "containers")];
    if let Some(first) = report.growth.containers.first() {
        facts.push(format!("{} {}", first.path, first.facts().from_to()));
        let made = first.made_itself().map_or("made at".to_string(), |type_name| format!("{type_name} made at"));
        facts.extend(first.place.as_ref().map(|place| format!("{made} {}", place.short_place())));
    }
    facts
}

/// What was garbage at one time, at the end, and in all.
fn cyclic_garbage(report: &Report, line: &mut dyn FnMut(&str, &[String]) -> io::Result<()>) -> io::Result<()> {
    let cyclic = &report.summary.cyclic_garbage;
    if cyclic.loops == 0 {
        line(
            "cyclic garbage",
            &[if Input::none_is_checked(&report.inputs) || !report.unreachable.is_empty() {
                "none known"
            } else {
                "none"
            }
            .to_string()],
        )?;
    } else {
        let (peak, kinds) = (&cyclic.peak_at_least, counted(cyclic.kinds, "kind", "kinds"));
        let in_all = [
            format!("{} of {kinds}", counted(cyclic.loops, "loop", "loops")),
            counted(cyclic.objects, "object", "objects"),
            size(cyclic.bytes),
        ];
        // Where all of it was there at one time, there is one number.
        let is_all = (peak.loops, peak.objects) == (cyclic.loops, cyclic.objects);
        let whose: Vec<String> = cyclic.by_owner.iter().map(|(owner, n)| format!("{owner} {}", count(*n))).collect();
        if is_all {
            line("cyclic garbage", &in_all)?;
            line("", &whose)?;
        } else {
            let at_one_time = format!("{}{} at one time", wording::at_least(cyclic.peak_is_exact), size(peak.bytes));
            let amount = [counted(peak.loops, "loop", "loops"), counted(peak.objects, "object", "objects")];
            let when = format!("at {}", one_loop::moment(&peak.at));
            line("cyclic garbage", &[vec![at_one_time], amount.to_vec(), vec![when]].concat())?;
        }
        match cyclic.at_end {
            Some(end) if end.objects == 0 => line("at the end", &["none".to_string()])?,
            Some(end) if is_all && end.objects == cyclic.objects => line("at the end", &["all of it".to_string()])?,
            Some(end) => {
                let amount = [counted(end.loops, "loop", "loops"), counted(end.objects, "object", "objects")];
                line("at the end", &[vec![size(end.bytes)], amount.to_vec()].concat())?;
            }
            None => {}
        }
        if !is_all {
            line("in all", &in_all)?;
            line("", &whose)?;
        }
        if cyclic.collected_objects > 0 {
            line(
                "freed later",
                &[
                    counted(cyclic.collected_loops, "loop", "loops"),
                    format!("{} by the collector", counted(cyclic.collected_objects, "object", "objects")),
                ],
            )?;
        }
    }
    if let Some(lingered) = wording::lingered(cyclic.byte_seconds_at_least, cyclic.byte_seconds_at_most) {
        line("lay about", &[lingered])?;
    }
    if cyclic.unproved_paths > 0 {
        let big = counted(cyclic.unproved_paths, "loop", "loops");
        line("big loops", &[format!("{big} may have a shorter way around than the one told")])?;
    }
    Ok(())
}

/// A line for each trace: what wrote it, and how far it can be read.
fn inputs(report: &Report, page: &RenderOptions, out: &mut dyn Write) -> io::Result<()> {
    for input in &report.inputs {
        let mut facts = vec![styled(&printable(&input.path), Style::Bold, page.color), input.runtime.clone()];
        facts.push(counted(input.events, "event", "events"));
        match input.ending {
            InputEnding::Cut => facts.push(format!("cut short at byte {}", input.cut_at.unwrap_or_default())),
            InputEnding::Open if input.references != References::None => {
                facts.push("without its end record".to_string())
            }
            InputEnding::Error => facts.push("not readable to its end".to_string()),
            InputEnding::Open | InputEnding::Complete => {}
        }
        match input.known {
            _ if input.references == References::None => facts.push("no references: loops are not known".to_string()),
            _ if !input.references.show_garbage() => facts.push("no counts: loops are not known".to_string()),
            Extent::Nothing => facts.push("no checkpoint: nothing is known of its loops".to_string()),
            Extent::Collections => {
                facts.push("no full checkpoint: only loops that a collection found are known".to_string());
            }
            Extent::Part | Extent::End => {}
        }
        if input.is_of_garbage() {
            facts.push(wording::ONLY_GARBAGE.to_string());
        }
        writeln!(out, "{}", wrap(&facts, " · ", 0, page.width))?;
    }
    Ok(())
}
