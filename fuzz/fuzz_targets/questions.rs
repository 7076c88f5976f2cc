//! Questions about traces: why something is alive, what a change would do, what differs between two.
//!
//! The first line asks: the name of a type and a reference of one, with a blank between. Where a line is `--`, the second trace
//! begins.
#![no_main]

use std::io;

use libfuzzer_sys::fuzz_target;
use refloop::heap;
use refloop::report::diff::Diff;
use refloop::report::{Form, RenderOptions, View, collector as modelled, whatif as outcome, why};
use refloop::retention::{Query, Target};
use refloop::trace::open_bytes;
use refloop::trace::strip::AttributeNames;
use refloop::whatif::{self, Change, collector};

mod header;
mod house;

const PAGE: RenderOptions =
    RenderOptions { view: View::Analyze, width: 80, color: false, verbose: true, full_stacks: false, links: None };

fuzz_target!(|bytes: &[u8]| {
    let Some((&choice, text)) = bytes.split_first() else { return };
    let Some((question, lines)) = text.split_at_checked(text.iter().position(|&byte| byte == b'\n').unwrap_or(0))
    else {
        return;
    };
    let header = header::line(choice);
    let second = lines.windows(4).position(|four| four == b"\n--\n").unwrap_or(lines.len());
    let traces =
        [&lines[..second], &lines[(second + 3).min(lines.len())..]].map(|lines| [header.as_bytes(), lines].concat());
    let Ok(question) = str::from_utf8(question) else { return };
    let (name, reference) = question.split_once(' ').unwrap_or((question, question));

    let object = u64::from_str_radix(name, 16);
    let targets = [Some(Target::Type(name.to_owned())), object.ok().map(Target::Object)];
    for target in targets.into_iter().flatten() {
        let Ok(mut events) = open_bytes(traces[0].clone()) else { return };
        let mut query = Query::about(target);
        heap::replay(events.as_mut(), &mut query, &mut |_| {});
        if let Some(answer) = query.finish() {
            for form in [Form::Table, Form::Json] {
                why::write(&answer, form, &PAGE, &mut io::sink()).expect("a sink takes everything");
            }
        }
    }

    let changes = [Change::parse(reference), Change::parse_local(reference)];
    let sets: Vec<Vec<Change>> = changes.into_iter().flatten().map(|change| vec![change]).collect();
    if let Ok(mut events) = open_bytes(traces[0].clone())
        && !sets.is_empty()
    {
        for told in whatif::replay(events.as_mut(), sets, &mut |_| {}).outcomes {
            outcome::write(&told, Form::Table, &PAGE, &mut io::sink()).expect("a sink takes everything");
        }
    }

    if let Ok(mut events) = open_bytes(traces[0].clone())
        && collector::obstacle(events.header()).is_none()
    {
        let settings =
            ["3,1,1", "off", "1 freeze-at x"].map(|text| collector::Setting::parse(text).expect("a setting"));
        let tables = [(name.to_owned(), collector::replay(events.as_mut(), settings, &mut |_| {}))];
        for form in modelled::Form::NAMES.into_iter().filter_map(modelled::Form::named) {
            modelled::write(&tables, Some(1000), form, &PAGE, &mut io::sink()).expect("a sink takes everything");
        }
    }

    if let Ok(mut events) = open_bytes(traces[0].clone()) {
        let _ = AttributeNames::of(events.as_mut());
    }
    let [old, new] = traces.map(house::replayed);
    let (Some(old), Some(new)) = (old, new) else { return };
    let [old, new] = [old, new].map(|run| house::report([run]));
    let diff = Diff::between(&old, &new);
    for form in [Form::Table, Form::Json] {
        diff.write(form, &PAGE, 20, &mut io::sink()).expect("a sink takes everything");
    }
    house::write(&new, 60);
});
