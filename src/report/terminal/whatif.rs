//! Writes what a change would do: what would die by the count alone, how much sooner, what too early, and what is proved.

use std::io::{self, Write};

use super::wrap::{Style, styled, wrap_words};
use crate::human::{bytes, count, counted, duration};
use crate::report::{RenderOptions, SeenAt, wording};
use crate::whatif::{Outcome, Verdict};

/// Column in which the facts begin.
const FACTS: usize = 17;

pub(crate) fn write(outcome: &Outcome, page: &RenderOptions, out: &mut dyn Write) -> io::Result<()> {
    let verdict = outcome.verdict();
    let references = styled(&outcome.references.join(" and "), Style::Bold, page.color);
    writeln!(out, "{}", wrap_words(&format!("if {references} did not count"), 4, page.width))?;
    let mut fact = |name: &str, text: &str| writeln!(out, "    {name:<13}{}", wrap_words(text, FACTS, page.width));
    if outcome.loops > 0 {
        let freed = format!("{} of {}", count(outcome.freed_loops), count(outcome.loops));
        fact("loops", &format!("{freed} {} by the count alone", if outcome.loops == 1 { "dies" } else { "die" }))?;
    }
    if outcome.objects > 0 {
        let weight = if outcome.bytes > 0 { format!(", {}", bytes(outcome.bytes)) } else { String::new() };
        fact("frees", &format!("{}{weight}", counted(outcome.objects, "object", "objects")))?;
    }
    if let (Some(first), Some(last)) = (outcome.first, outcome.last) {
        fact("dead", &moments(&first, &last))?;
    }
    if let Some(byte_seconds) = outcome.byte_ns.map(|byte_ns| byte_ns / 1_000_000_000).filter(|&sum| sum > 0) {
        let sum = u64::try_from(byte_seconds).unwrap_or(u64::MAX);
        fact(
            "sooner",
            &format!("by {} × seconds at least, until the collector freed them or the trace ended", bytes(sum)),
        )?;
    }
    for early in &outcome.early {
        let seen = format!("alive at event {}", count(early.event));
        fact("dies early", &format!("{}, {seen}: only {} holds it", early.type_name, early.reference))?;
    }
    if outcome.early_objects > outcome.early.len() as u64 {
        fact("", &format!("in all {}, with what only they hold", counted(outcome.early_objects, "object", "objects")))?;
    }
    let style = if verdict == Verdict::Verified { Style::Green } else { Style::Bold };
    let answer = wrap_words(&wording::verdict(outcome), 4, page.width);
    writeln!(out, "{}", styled(&answer, style, page.color))
}

/// `by 4.2 ms`, or `the first by 4.2 ms, the last by 8.7 ms`; events where no times are known.
fn moments(first: &SeenAt, last: &SeenAt) -> String {
    let moment = |at: &SeenAt| at.ns.map_or_else(|| format!("event {}", count(at.event)), duration);
    let (first, last) = (moment(first), moment(last));
    if first == last { format!("by {first}") } else { format!("the first by {first}, the last by {last}") }
}
