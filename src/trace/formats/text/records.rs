//! Parses the records of the text form: one function each, its grammar above it.
//!
//! The keyword comes first, and all after it is under `cut`: a bad `alloc` is reported as a bad `alloc`, and not as a line
//! that nothing matched. [`record`] picks the function by the first bytes, because trying one after another is slow. The
//! commonest records are split in two, their operands and their event: see [`super::Reader`]'s `read`.

use nom::Err;

use super::definitions::{flag, mark, reason, type_def, utf8};
use super::leaves::{Bad, Parsed, at_line_end, at_word_end, blanks, expected, line_end, number, number32, site, tag};
use super::quote::{self, needed_tail, tail};
use super::texts::Texts;
use crate::trace::{
    DictState, Event, Evidence, GcState, ObjectFlags, Scope, SiteDef, SiteId, Slot, Tag, TextId, TypeId,
};

/// The name of each state in the text form.
pub(super) const DICT_STATES: [(&str, DictState); 5] = [
    ("none", DictState::None),
    ("inline", DictState::Inline),
    ("split", DictState::Split),
    ("combined", DictState::Combined),
    ("detached", DictState::Detached),
];

/// One line that is not blank and no comment. `Err::Error` where no record begins like this, `Err::Failure` where one
/// does and is malformed. A text that the line uses first is added to `texts` only if the line is sound.
pub(super) fn record<'a>(line: &'a [u8], texts: &mut Texts) -> Parsed<'a, Event> {
    match line {
        [b'a', ..] => alloc(line),
        [b'c', b'o', b'u', ..] => count(line),
        [b'c', b'o', ..] => code(line),
        [b'c', ..] => checkpoint(line),
        [b'd', b'e', ..] => decref(line),
        [b'd', ..] => dict(line),
        [b'e', ..] => end(line),
        [b'f', ..] => free(line),
        [b'g', ..] => gc(line),
        [b'h', ..] => hidden(line, texts),
        [b'i', b'n', b't', ..] => interpreters(line),
        [b'i', ..] => incref(line),
        [b'm', ..] => mark_record(line),
        [b'n', ..] => name(line, texts),
        [b'o', ..] => owns(line),
        [b'p', ..] => places(line),
        [b'r', b'o', ..] => root(line, texts),
        [b'r', b'e', b't', ..] => retype(line),
        [b'r', b'e', b's', ..] => resize(line),
        [b'r', b'e', b'f', b't', ..] => expected(line, "a record"),
        [b'r', ..] => reference(line, texts),
        [b's', b't', ..] => stopped(line),
        [b's', b'e', ..] => searched(line),
        [b's', ..] => site_record(line, texts),
        [b't', b'y', ..] => type_record(line),
        [b't', b'o', ..] => totals(line),
        [b't', ..] => time(line),
        [b'u', _, b's', ..] => unseen(line),
        [b'u', _, b'c', ..] => unchanged(line),
        [b'u', _, _, b'e', b'a', ..] => unreachable(line),
        [b'u', _, _, b'e', ..] => unreference(line, texts),
        [b'u', ..] => unroot(line, texts),
        [b'w', ..] => walk(line),
        _ => expected(line, "a record"),
    }
}

/// `ref FROM TO [SLOT…]`
fn reference<'a>(line: &'a [u8], texts: &mut Texts) -> Parsed<'a, Event> {
    change("ref", line, texts).map(|(rest, (from, to, slot))| (rest, Event::Ref { from, to, slot }))
}

/// `unref FROM TO [SLOT…]`
fn unreference<'a>(line: &'a [u8], texts: &mut Texts) -> Parsed<'a, Event> {
    change("unref", line, texts).map(|(rest, (from, to, slot))| (rest, Event::Unref { from, to, slot }))
}

/// `hidden FROM TO EVIDENCE [SLOT…]`
fn hidden<'a>(line: &'a [u8], texts: &mut Texts) -> Parsed<'a, Event> {
    const EVIDENCE: &str = "'layout', 'release' or 'address'";
    operands("hidden", line, |input| {
        let (input, from) = tag(input)?;
        let (input, to) = tag(input)?;
        let (after, word) = quote::word(input, EVIDENCE)?;
        let Some(&(_, evidence)) = Evidence::ALL.iter().find(|(name, _)| name.as_bytes() == &*word) else {
            return expected(blanks(input), EVIDENCE);
        };
        let (rest, slot) = slot(after, texts)?;
        Ok((rest, Event::Hidden { from, to, slot, evidence }))
    })
}

/// `alloc TAG TYPE BYTES [@SITE]`
fn alloc(line: &[u8]) -> Parsed<'_, Event> {
    birth(line).map(|(rest, (object, class, bytes, site))| {
        (rest, Event::Alloc { object, address: object.0, class, bytes, site })
    })
}

/// `free TAG`
fn free(line: &[u8]) -> Parsed<'_, Event> {
    subject("free", line).map(|(rest, object)| (rest, Event::Free { object }))
}

/// `unreachable TAG`
fn unreachable(line: &[u8]) -> Parsed<'_, Event> {
    subject("unreachable", line).map(|(rest, object)| (rest, Event::Unreachable { object }))
}

/// `incref TAG`
fn incref(line: &[u8]) -> Parsed<'_, Event> {
    subject("incref", line).map(|(rest, object)| (rest, Event::Incref { object }))
}

/// `decref TAG`
fn decref(line: &[u8]) -> Parsed<'_, Event> {
    subject("decref", line).map(|(rest, object)| (rest, Event::Decref { object }))
}

/// The operands of `ref` and `unref`: referrer, referent, slot.
#[inline(always)]
pub(super) fn change<'a>(keyword: &'static str, line: &'a [u8], texts: &mut Texts) -> Parsed<'a, (Tag, Tag, Slot)> {
    operands(keyword, line, |input| {
        let (input, from) = tag(input)?;
        let (input, to) = tag(input)?;
        let (input, slot) = slot(input, texts)?;
        Ok((input, (from, to, slot)))
    })
}

/// The operands of `alloc`: object, type, bytes, site.
#[inline(always)]
pub(super) fn birth(line: &[u8]) -> Parsed<'_, (Tag, TypeId, u64, SiteId)> {
    operands("alloc", line, |input| {
        let (input, object) = tag(input)?;
        let (input, class) = number32(input, "a type's number")?;
        let (input, bytes) = number(input, "a number of bytes")?;
        let (input, made_at) = if at_line_end(input) { (input, 0) } else { site(input)? };
        Ok((input, (object, TypeId(class), bytes, SiteId(made_at))))
    })
}

/// The operand of `free`, `unreachable`, `incref` and `decref`.
#[inline(always)]
pub(super) fn subject<'a>(keyword: &'static str, line: &'a [u8]) -> Parsed<'a, Tag> {
    operands(keyword, line, tag)
}

/// `retype TAG TYPE`
fn retype(line: &[u8]) -> Parsed<'_, Event> {
    operands("retype", line, |input| {
        let (input, object) = tag(input)?;
        let (input, class) = number32(input, "a type's number")?;
        Ok((input, Event::Retype { object, class: TypeId(class) }))
    })
}

/// `resize TAG BYTES`
fn resize(line: &[u8]) -> Parsed<'_, Event> {
    operands("resize", line, |input| {
        let (input, object) = tag(input)?;
        let (input, bytes) = number(input, "a number of bytes")?;
        Ok((input, Event::Resize { object, bytes }))
    })
}

/// `owns TAG BYTES`
fn owns(line: &[u8]) -> Parsed<'_, Event> {
    operands("owns", line, |input| {
        let (input, object) = tag(input)?;
        let (input, bytes) = number(input, "a number of bytes")?;
        Ok((input, Event::Owns { object, bytes }))
    })
}

/// `dict TAG STATE [CAPACITY]`
fn dict(line: &[u8]) -> Parsed<'_, Event> {
    const STATES: &str = "'none', 'inline', 'split', 'combined' or 'detached'";
    operands("dict", line, |input| {
        let (input, object) = tag(input)?;
        let (after, word) = quote::word(input, STATES)?;
        let Some((_, state)) = DICT_STATES.iter().find(|(name, _)| name.as_bytes() == &*word) else {
            return expected(blanks(input), STATES);
        };
        let (after, capacity) = if at_line_end(after) { (after, 0) } else { number32(after, "a number of entries")? };
        Ok((after, Event::Dict { object, state: *state, capacity }))
    })
}

/// `name TAG TEXT…`
fn name<'a>(line: &'a [u8], texts: &mut Texts) -> Parsed<'a, Event> {
    operands("name", line, |input| {
        let (input, object) = tag(input)?;
        let (rest, text) = needed_tail(input, "a name")?;
        Ok((rest, Event::Name { object, name: intern(input, &text, texts)? }))
    })
}

/// `code TAG @SITE`
fn code(line: &[u8]) -> Parsed<'_, Event> {
    operands("code", line, |input| {
        let (input, object) = tag(input)?;
        let (input, defined_at) = site(input)?;
        Ok((input, Event::Code { object, site: SiteId(defined_at) }))
    })
}

/// `root TAG NAME…`
fn root<'a>(line: &'a [u8], texts: &mut Texts) -> Parsed<'a, Event> {
    operands("root", line, |input| {
        let (input, object) = tag(input)?;
        let (rest, text) = needed_tail(input, "a root's name")?;
        Ok((rest, Event::Root { object, name: intern(input, &text, texts)? }))
    })
}

/// `unroot TAG NAME…`
fn unroot<'a>(line: &'a [u8], texts: &mut Texts) -> Parsed<'a, Event> {
    operands("unroot", line, |input| {
        let (input, object) = tag(input)?;
        let (rest, text) = needed_tail(input, "a root's name")?;
        Ok((rest, Event::Unroot { object, name: intern(input, &text, texts)? }))
    })
}

/// `count TAG N [FLAG,…]`
fn count(line: &[u8]) -> Parsed<'_, Event> {
    const FLAGS: &str = "flags of an object: untracked, finalized, weakref, immortal";
    operands("count", line, |input| {
        let (input, object) = tag(input)?;
        let (mut input, count) = number(input, "a count")?;
        let mut flags = ObjectFlags::default();
        if !at_line_end(input) {
            let at = blanks(input);
            let (after, list) = quote::list(at)?;
            for (name, _) in list {
                match flag(&name, &ObjectFlags::NAMES) {
                    Some(bit) => flags = flags.with(ObjectFlags(bit as u8)),
                    None => return expected(at, FLAGS),
                }
            }
            input = after;
        }
        Ok((input, Event::Count { object, count, flags }))
    })
}

/// `type N NAME key=value…`
fn type_record(line: &[u8]) -> Parsed<'_, Event> {
    operands("type", line, |input| type_def(input).map(|(input, def)| (input, Event::Type(Box::new(def)))))
}

/// `site N PATH:LINE FUNCTION [parent=N]`
fn site_record<'a>(line: &'a [u8], texts: &mut Texts) -> Parsed<'a, Event> {
    const PLACE: &str = "PATH:LINE";
    operands("site", line, |input| {
        let (place, id) = number32(input, "a site's number")?;
        if id == 0 {
            return expected(blanks(input), "a site's number from 1 on");
        }
        let (function, path_and_line) = quote::word(place, PLACE)?;
        let colon = path_and_line.iter().rposition(|&byte| byte == b':').unwrap_or(0);
        let (path, number) = path_and_line.split_at(colon);
        let Some(number) = str::from_utf8(number).ok().and_then(|number| number.strip_prefix(':')?.parse().ok()) else {
            return expected(blanks(place), PLACE);
        };
        let (rest, called) = quote::word(function, "a function's name")?;
        let (rest, parent) = match blanks(rest).strip_prefix(b"parent=") {
            Some(parent) => number32(parent, "a site's number")?,
            None => (rest, 0),
        };
        line_end(rest)?;
        utf8(function, &called)?;
        let path = intern(place, path, texts)?;
        let def = SiteDef {
            id: SiteId(id),
            path,
            line: number,
            function: intern(function, &called, texts)?,
            parent: (parent != 0).then_some(SiteId(parent)),
        };
        Ok((rest, Event::Site(def)))
    })
}

/// `gc start GENERATION`, `gc looked OBJECTS`, `gc pause NS`, `gc stop COLLECTED UNCOLLECTABLE`,
/// `gc missed COLLECTIONS`, `gc state` and `gc lists`
fn gc(line: &[u8]) -> Parsed<'_, Event> {
    operands("gc", line, |input| {
        let start = blanks(input);
        let length = start.iter().position(|&byte| byte == b' ' || byte == b'\t').unwrap_or(start.len());
        let (word, input) = start.split_at(length);
        match word {
            b"start" => {
                let (rest, generation) = number(input, "a generation")?;
                match u8::try_from(generation) {
                    Ok(generation) => Ok((rest, Event::GcStart { generation })),
                    Err(_) => expected(blanks(input), "a generation"),
                }
            }
            b"looked" => number(input, "how many objects").map(|(input, objects)| (input, Event::GcLooked { objects })),
            b"pause" => number(input, "a number of nanoseconds").map(|(input, ns)| (input, Event::GcPause { ns })),
            b"stop" => {
                let (input, collected) = number(input, "how many were collected")?;
                let (input, uncollectable) = number(input, "how many are uncollectable")?;
                Ok((input, Event::GcStop { collected, uncollectable }))
            }
            b"missed" => {
                let (input, collections) = number(input, "how many collections were missed")?;
                Ok((input, Event::GcMissed { collections }))
            }
            b"state" => gc_state(input),
            b"lists" => {
                let (input, [youngest, middle, oldest, frozen]) = numbers(number, input, "objects of a generation")?;
                Ok((input, Event::GcLists { generations: [youngest, middle, oldest], frozen }))
            }
            _ => expected(start, "'start', 'looked', 'pause', 'stop', 'missed', 'state' or 'lists'"),
        }
    })
}

/// `on` or `off`, thresholds, counts, objects that are pending in the oldest generation, and those in it
fn gc_state(input: &[u8]) -> Parsed<'_, Event> {
    let word = blanks(input);
    let (input, enabled) = match (word.strip_prefix(b"on"), word.strip_prefix(b"off")) {
        (Some(rest), _) if at_word_end(rest) => (rest, true),
        (_, Some(rest)) if at_word_end(rest) => (rest, false),
        _ => return expected(word, "'on' or 'off'"),
    };
    let (input, thresholds) = numbers(number32, input, "a threshold")?;
    let (input, counts) = numbers(number32, input, "a count")?;
    let (input, [long_lived_pending, long_lived_total]) = numbers(number, input, "how many objects are old")?;
    let state = GcState { enabled, thresholds, counts, long_lived_pending, long_lived_total };
    Ok((input, Event::GcState(Box::new(state))))
}

fn numbers<'a, T: Copy + Default, const N: usize>(
    number: fn(&'a [u8], &'static str) -> Parsed<'a, T>,
    mut input: &'a [u8],
    what: &'static str,
) -> Parsed<'a, [T; N]> {
    let mut found = [T::default(); N];
    for place in &mut found {
        (input, *place) = number(input, what)?;
    }
    Ok((input, found))
}

/// `mark KIND LABEL…`
fn mark_record(line: &[u8]) -> Parsed<'_, Event> {
    operands("mark", line, |input| mark(input).map(|(input, mark)| (input, Event::Mark(Box::new(mark)))))
}

/// `totals TYPE BORN LEFT BYTES`
fn totals(line: &[u8]) -> Parsed<'_, Event> {
    operands("totals", line, |input| {
        let (input, class) = number32(input, "a type's number")?;
        let (input, [born, left, bytes]) = numbers(number, input, "objects born and left, and bytes")?;
        Ok((input, Event::Totals { class: TypeId(class), born, left, bytes }))
    })
}

/// `interpreters OTHERS`
fn interpreters(line: &[u8]) -> Parsed<'_, Event> {
    operands("interpreters", line, |input| {
        number(input, "how many others").map(|(input, others)| (input, Event::Interpreters { others }))
    })
}

/// `searched OBJECTS UNFINISHED`
fn searched(line: &[u8]) -> Parsed<'_, Event> {
    operands("searched", line, |input| {
        let (input, [objects, unfinished]) = numbers(number, input, "how many objects, and how many not to the end")?;
        Ok((input, Event::Searched { objects, unfinished }))
    })
}

/// `places TAG [N]`
fn places(line: &[u8]) -> Parsed<'_, Event> {
    operands("places", line, |input| {
        let (input, object) = tag(input)?;
        if at_line_end(input) {
            return Ok((input, Event::Places { object, places: None }));
        }
        let (input, places) = number32(input, "how many places")?;
        Ok((input, Event::Places { object, places: Some(places) }))
    })
}

/// `unchanged TAG [MORE]`
fn unchanged(line: &[u8]) -> Parsed<'_, Event> {
    operands("unchanged", line, |input| {
        let (input, object) = tag(input)?;
        let (input, more) = if at_line_end(input) { (input, 0) } else { number(input, "how many more objects")? };
        Ok((input, Event::Unchanged { object, more }))
    })
}

/// `unseen SINCE`
fn unseen(line: &[u8]) -> Parsed<'_, Event> {
    operands("unseen", line, |input| {
        number(input, "a number of nanoseconds").map(|(input, since)| (input, Event::Unseen { since }))
    })
}

/// `stopped REASON…`
fn stopped(line: &[u8]) -> Parsed<'_, Event> {
    operands("stopped", line, |input| reason(input).map(|(input, reason)| (input, Event::Stopped(reason))))
}

/// `time NS`
fn time(line: &[u8]) -> Parsed<'_, Event> {
    operands("time", line, |input| {
        number(input, "a number of nanoseconds").map(|(input, ns)| (input, Event::Time { ns }))
    })
}

/// `walk full`, `walk garbage` and `walk own`
fn walk(line: &[u8]) -> Parsed<'_, Event> {
    operands("walk", line, |input| scope(input).map(|(input, scope)| (input, Event::Walk(scope))))
}

/// `checkpoint full`, `checkpoint garbage` and `checkpoint own`
fn checkpoint(line: &[u8]) -> Parsed<'_, Event> {
    operands("checkpoint", line, |input| scope(input).map(|(input, scope)| (input, Event::Checkpoint(scope))))
}

/// `end`
fn end(line: &[u8]) -> Parsed<'_, Event> {
    operands("end", line, |input| Ok((input, Event::End)))
}

/// A record: its keyword, and then, whatever comes, what stands behind it, and the end of the line.
///
/// The second half is nom's `cut`, written out: as a combinator it is called and not inlined, which costs a fifth.
#[inline(always)]
fn operands<'a, T>(
    keyword: &'static str,
    line: &'a [u8],
    rest: impl FnOnce(&'a [u8]) -> Parsed<'a, T>,
) -> Parsed<'a, T> {
    let Some(after) = line.strip_prefix(keyword.as_bytes()).filter(|after| at_word_end(after)) else {
        return expected(line, "a record");
    };
    match rest(after) {
        Ok((input, value)) if at_line_end(input) => Ok((&[], value)),
        Ok((input, _)) => Err(cut(keyword, blanks(input), "the end of the line")),
        Err(Err::Error(bad) | Err::Failure(bad)) => Err(cut(keyword, bad.at, bad.expected)),
        Err(incomplete) => Err(incomplete),
    }
}

#[cold]
fn cut<'a>(record: &'static str, at: &'a [u8], expected: &'static str) -> Err<Bad<'a>> {
    Err::Failure(Bad { at, record, expected })
}

/// `[SLOT…]`: `[3]` is an index, and any other text a name.
#[inline(always)]
fn slot<'a>(input: &'a [u8], texts: &mut Texts) -> Parsed<'a, Slot> {
    let tail = blanks(input);
    if let Some(index) = quote::index(tail) {
        return Ok((&[], Slot::index(index)));
    }
    match texts.known_slot(tail) {
        Some(slot) => Ok((&[], slot)),
        None => new_slot(input, texts),
    }
}

/// A slot as it was not written before.
#[cold]
fn new_slot<'a>(input: &'a [u8], texts: &mut Texts) -> Parsed<'a, Slot> {
    let (rest, text) = tail(input)?;
    let slot = match text {
        None => Slot::UNNAMED,
        Some(text) => match quote::index(&text) {
            Some(index) if blanks(input).first() != Some(&b'"') => Slot::index(index),
            _ => Slot::text(intern(input, &text, texts)?),
        },
    };
    texts.remember_slot(blanks(input), slot);
    Ok((rest, slot))
}

fn scope(input: &[u8]) -> Parsed<'_, Scope> {
    let word = blanks(input);
    let scopes: [(&[u8], Scope); 3] = [(b"full", Scope::Full), (b"garbage", Scope::Garbage), (b"own", Scope::Own)];
    for (name, scope) in scopes {
        match word.strip_prefix(name) {
            Some(rest) if at_word_end(rest) => return Ok((rest, scope)),
            _ => {}
        }
    }
    expected(word, "'full', 'garbage' or 'own'")
}

#[inline(always)]
fn intern<'a>(at: &'a [u8], text: &[u8], texts: &mut Texts) -> Result<TextId, Err<Bad<'a>>> {
    match texts.known(text) {
        Some(id) => Ok(id),
        None => Ok(texts.add(utf8(at, text)?)),
    }
}
