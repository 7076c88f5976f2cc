//! Tests what holds for every format: its fixtures are claimed by it, what it writes is read back, it has a page, and no
//! input makes it panic or hang.

use std::cell::RefCell;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use proptest::prelude::*;

use super::*;
use crate::trace::{
    Births, ConvertError, DictState, Ending, Event, Evidence, Frees, GcState, Mark, Numbers, ObjectFlags, References,
    Scope, SiteDef, SiteId, Slot, Tag, TextDef, TextId, TypeDef, TypeFlags, TypeId, TypeRef, convert,
};

/// A sink's bytes, to be looked at after it has been finished.
#[derive(Clone, Default)]
pub(super) struct Bytes(Rc<RefCell<Vec<u8>>>);

impl Write for Bytes {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// All that a reader says, and how the trace ended.
pub(super) fn read(bytes: &[u8]) -> (Header, Vec<Event>, Ending) {
    let mut reader = open_bytes(bytes.to_vec()).unwrap();
    let mut events = Vec::new();
    while let Some(event) = reader.next_event().unwrap() {
        events.push(event);
    }
    (reader.header().clone(), events, reader.ending())
}

pub(super) fn written(format: &str, options: WriteOptions, header: &Header, events: &[Event]) -> Vec<u8> {
    let bytes = Bytes::default();
    let mut sink = named(format).unwrap().writer().unwrap()(header, Box::new(bytes.clone()), options).unwrap();
    for event in events {
        sink.write(event).unwrap();
    }
    sink.finish().unwrap();
    bytes.0.take()
}

pub(super) fn converted(format: &str, options: WriteOptions, from: &[u8]) -> Result<Vec<u8>, ConvertError> {
    let mut reader = open_bytes(from.to_vec())?;
    let bytes = Bytes::default();
    let header = reader.header().clone();
    let sink = named(format).unwrap().writer().unwrap()(&header, Box::new(bytes.clone()), options)?;
    convert(&mut *reader, sink)?;
    Ok(bytes.0.take())
}

pub(super) fn plain() -> WriteOptions {
    WriteOptions::default()
}

pub(super) fn packed() -> WriteOptions {
    WriteOptions { zstd: Some(1) }
}

pub(super) fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn a_fixture_is_claimed_by_its_format() {
    for format in FORMATS {
        let fixtures = files(&format!("fixtures/{}", format.name()));
        assert!(!fixtures.is_empty(), "{} has no fixture", format.name());
        for path in fixtures {
            let bytes = std::fs::read(&path).unwrap();
            let claims = detect(&bytes).map(|first| first.name());
            assert_eq!(claims, Some(format.name()), "{}", path.display());
        }
    }
}

#[test]
fn what_is_written_is_read_back() {
    for fixture in FORMATS.iter().flat_map(|format| files(&format!("fixtures/{}", format.name()))) {
        let bytes = std::fs::read(&fixture).unwrap();
        let text = converted("text", plain(), &bytes).unwrap();
        for format in FORMATS.iter().filter(|format| format.writer().is_some()) {
            for options in [plain(), packed()] {
                let other = converted(format.name(), options, &bytes).unwrap();
                let back = converted("text", plain(), &other).unwrap();
                assert_eq!(String::from_utf8(back), String::from_utf8(text.clone()), "{}", fixture.display());
            }
        }
    }
}

/// The snapshot of each shows what becomes of the file.
#[test]
fn a_file_of_another_program_becomes_events() {
    for format in FORMATS.iter().filter(|format| format.writer().is_none()) {
        for fixture in files(&format!("fixtures/{}", format.name())) {
            let text = converted("text", plain(), &std::fs::read(&fixture).unwrap()).unwrap();
            let name = format!("{}_{}", format.name(), fixture.file_name().unwrap().display());
            insta::assert_snapshot!(name, String::from_utf8(text).unwrap());
        }
    }
}

#[test]
fn every_format_has_a_page() {
    for format in FORMATS {
        let page = format!("docs/formats/{}.md", format.name());
        assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join(&page).exists(), "{page} is missing");
    }
}

/// `REFLOOP_WRITE_FIXTURES=1` writes them anew.
#[test]
fn the_binary_fixtures_are_the_text_ones() {
    for path in files("fixtures/text") {
        let binary = converted("binary", plain(), &std::fs::read(&path).unwrap()).unwrap();
        let name = path.file_stem().unwrap();
        let fixture = path.parent().unwrap().with_file_name("binary").join(name).with_extension("rfl");
        if std::env::var_os("REFLOOP_WRITE_FIXTURES").is_some() {
            std::fs::write(&fixture, &binary).unwrap();
        }
        assert!(std::fs::read(&fixture).is_ok_and(|stored| stored == binary), "{} is stale", fixture.display());
    }
}

#[test]
fn the_text_fixture_of_every_record_is_written_as_it_stands() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/text/checkpoints.reftrace");
    let stored = std::fs::read_to_string(path).unwrap();
    let without_comments: Vec<_> = stored.lines().filter(|line| !line.starts_with('#')).collect();
    let text = String::from_utf8(converted("text", plain(), stored.as_bytes()).unwrap()).unwrap();
    assert_eq!(text.lines().collect::<Vec<_>>(), without_comments);
}

/// The README's table is the snapshot: file, what it is, what is said of it.
#[test]
fn every_broken_fixture_is_told_as_its_readme_says() {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/broken/README.md"));
    let readme = readme.unwrap();
    let rows = readme.lines().filter_map(|line| line.strip_prefix("| `")?.strip_suffix(" |")?.split_once("` | "));
    let expected: Vec<_> = rows.map(|(name, row)| format!("{name}: {}", row.rsplit(" | ").next().unwrap())).collect();
    let fixtures = files("fixtures/broken").into_iter().filter(|path| !path.ends_with("README.md"));
    let said: Vec<_> =
        fixtures.map(|path| format!("{}: {}", path.file_name().unwrap().display(), what_is_said_of(&path))).collect();
    assert_eq!(said.join("\n"), expected.join("\n"));
}

/// The errors of a trace and how it ended, in one line; paths left out.
fn what_is_said_of(path: &Path) -> String {
    let short = |error: TraceError| format!("{}; ", error.in_file(""));
    let mut reader = match open(path) {
        Ok(reader) => reader,
        Err(error) => return short(error).trim_end_matches("; ").to_owned(),
    };
    let (mut said, mut n_events) = (String::new(), 0);
    loop {
        match reader.next_event() {
            Ok(Some(_)) => n_events += 1,
            Ok(None) => break,
            Err(error) => said.push_str(&short(error)),
        }
    }
    match reader.ending() {
        Ending::Complete => said + &format!("{n_events} events, complete"),
        Ending::Open => said + &format!("{n_events} events, open"),
        Ending::Cut(position) => said + &format!("{n_events} events, cut at {position}"),
    }
}

/// Everything that a reader says, one by one or in batches: events, errors, the end.
fn all_said(reader: &mut dyn Events, limit: Option<usize>) -> Vec<String> {
    let (mut said, mut batch) = (Vec::new(), Vec::new());
    loop {
        let more = match limit {
            Some(limit) => reader.play(&mut batch, limit),
            None => reader.next_event().map(|event| event.map(|event| batch.push(event)).is_some()),
        };
        said.extend(batch.drain(..).map(|event| format!("{event:?}")));
        let is_over = matches!(more, Ok(false));
        said.extend(more.err().map(|error| error.to_string()));
        if is_over {
            said.push(format!("{:?}", reader.ending()));
            return said;
        }
    }
}

#[test]
fn a_batch_is_so_many_single_events() {
    let mut n_read = 0;
    let folders = FORMATS.iter().map(|format| format!("fixtures/{}", format.name()));
    for folder in folders.chain(["fixtures/broken".to_owned()]) {
        for path in files(&folder) {
            let Ok(mut reader) = open(&path) else { continue };
            let single = all_said(&mut *reader, None);
            for limit in [1, 2, 7, 4096] {
                let batches = all_said(&mut *open(&path).unwrap(), Some(limit));
                assert_eq!(batches, single, "{} in batches of {limit}", path.display());
            }
            n_read += 1;
        }
    }
    assert!(n_read > 10, "{n_read} fixtures could be read");
}

#[test]
fn an_input_that_no_format_claims_lists_the_known_ones() {
    let error = open_bytes(b"%PDF-1.7".to_vec()).map(|_| ()).unwrap_err();
    let known = FORMATS.iter().map(|format| format.name()).collect::<Vec<_>>().join(", ");
    assert_eq!(error.to_string(), format!("byte 0: not a trace: no known format begins like this (known: {known})"));
}

#[test]
fn a_trace_that_is_cut_is_converted_up_to_the_cut() {
    let whole = std::fs::read(&files("fixtures/text")[1]).unwrap();
    let cut = &whole[..whole.len() - 12];
    let mut reader = open_bytes(cut.to_vec()).unwrap();
    let bytes = Bytes::default();
    let header = reader.header().clone();
    let sink = named("text").unwrap().writer().unwrap()(&header, Box::new(bytes.clone()), plain()).unwrap();
    assert!(matches!(convert(&mut *reader, sink).unwrap(), Ending::Cut(_)));
    assert!(bytes.0.borrow().ends_with(b"gc stop 2 0\n"));
}

#[test]
fn a_dense_trace_is_told_in_addresses() {
    let header = Header { numbers: Numbers::Dense, ..Header::new("test") };
    let alloc = |number: u64, address: u64| Event::Alloc {
        object: Tag(number),
        address,
        class: TypeId(0),
        bytes: 8,
        site: SiteId(0),
    };
    let free = |number: u64| Event::Free { object: Tag(number) };
    let count = |number: u64| Event::Count { object: Tag(number), count: 1, flags: ObjectFlags::default() };
    let events = [alloc(1, 0x7f10), alloc(2, 0x7f20), free(1), alloc(1, 0x7f30), count(1), count(2), alloc(3, 0x7f20)];
    let mut events = events.to_vec();
    events.extend([count(2), count(3), count(9)]);
    let text = String::from_utf8(written("text", plain(), &header, &events)).unwrap();
    insta::assert_snapshot!(text, @"
    reftrace 1 runtime=test pointer=8 references=events frees=recorded
    alloc 7f10 0 8
    alloc 7f20 0 8
    free 7f10
    alloc 7f30 0 8
    count 7f30 1
    count 7f20 1
    alloc fffffffffffffffc 0 8
    count 7f20 1
    count fffffffffffffffc 1
    count fffffffffffffff6 1
    ");
    let dense = written("binary", plain(), &header, &events);
    assert_eq!(read(&dense).1, events);
}

/// Texts that a line has to quote, or must not confuse with something else.
fn odd_text() -> impl Strategy<Value = String> {
    const FIXED: &[&str] = &[
        "",
        " ",
        "#",
        "#x",
        "a #b",
        "a# b",
        "a  b",
        " a",
        "a ",
        "\"",
        "a\"b",
        "\\",
        "a\\nb",
        "\t",
        "a\tb",
        "\r",
        "a\r",
        "\n",
        "\u{0}",
        "\u{7f}",
        "\u{85}",
        "\u{a0}",
        "\u{2028}",
        "é",
        "[3]",
        "[03]",
        "[]",
        "[99999999999]",
        "['k']",
        "12",
        "-1",
        "a,b",
        ",",
        "a=b",
        "=",
        "parent=1",
        "x:1",
        ":",
        "@2",
        ".items",
        "cell x",
        "end",
        "\u{feff}",
        "🦀",
    ];
    prop_oneof![4 => prop::sample::select(FIXED).prop_map(str::to_owned), 1 => any::<String>()]
}

fn key() -> impl Strategy<Value = String> {
    const KNOWN: [&str; 17] = [
        "runtime",
        "pointer",
        "references",
        "frees",
        "births",
        "numbers",
        "size",
        "item",
        "flags",
        "bases",
        "metaclass",
        "slots",
        "dictoffset",
        "weakrefoffset",
        "keys",
        "defines",
        "file",
    ];
    odd_text().prop_filter("a known key has a field of its own", |key| !KNOWN.contains(&key.as_str()))
}

fn header() -> impl Strategy<Value = Header> {
    let exact = prop::sample::select(
        &[
            (References::Events, Frees::Recorded),
            (References::Events, Frees::Implied),
            (References::Checkpoints, Frees::Recorded),
            (References::Uncounted, Frees::Recorded),
            (References::None, Frees::Recorded),
        ][..],
    );
    let births = prop::sample::select(&[Births::All, Births::Survivors, Births::Garbage][..]);
    let pointer = prop::sample::select(&[4, 8][..]);
    let extra = prop::collection::vec((key(), odd_text()), 0..3);
    (odd_text(), pointer, exact, births, extra).prop_map(|(runtime, pointer, (references, frees), births, extra)| {
        Header { pointer, references, frees, births, extra, ..Header::new(runtime) }
    })
}

fn type_def() -> impl Strategy<Value = TypeDef> {
    let names = || prop::collection::vec(odd_text(), 0..4);
    let base = prop_oneof![any::<u32>().prop_map(|id| TypeRef::Id(TypeId(id))), odd_text().prop_map(TypeRef::Name)];
    let sizes = (any::<u32>(), any::<u64>(), any::<u64>(), 0..1u32 << 10);
    let offsets = (any::<Option<i64>>(), any::<Option<i64>>(), any::<Option<u32>>());
    let options = (prop::option::of(odd_text()), prop::option::of(names()));
    let rest = (names(), odd_text(), prop::collection::vec((key(), odd_text()), 0..3));
    (sizes, odd_text(), prop::collection::vec(base, 0..3), offsets, options, rest).prop_map(
        |((id, size, item_size, flags), name, bases, offsets, (metaclass, slots), (defines, file, extra))| TypeDef {
            id,
            name,
            size,
            item_size,
            flags: TypeFlags(flags),
            bases,
            metaclass,
            slots,
            dict_offset: offsets.0,
            weakref_offset: offsets.1,
            shared_keys: offsets.2,
            defines,
            file,
            extra,
        },
    )
}

/// One event before its texts have numbers: a kind, tags, numbers and texts to choose from.
#[derive(Debug, Clone)]
struct Seed {
    kind: u8,
    tags: (u64, u64),
    numbers: (u64, u32),
    texts: (String, String),
    class: TypeDef,
}

fn seed() -> impl Strategy<Value = Seed> {
    // Few tags, so that they return; what happens to them need not be sane.
    let tag = || prop_oneof![8 => 0..12u64, 1 => any::<u64>().prop_map(|tag| tag >> 1)];
    let number = (any::<u64>(), 0..64u32).prop_map(|(number, shift)| number >> shift);
    let texts = (odd_text(), odd_text());
    (0..42u8, (tag(), tag()), (number, any::<u32>()), texts, type_def())
        .prop_map(|(kind, tags, numbers, texts, class)| Seed { kind, tags, numbers, texts, class })
}

/// The events of the seeds. Texts are numbered by first use, as the reader of the text form does.
fn events(seeds: Vec<Seed>) -> Vec<Event> {
    let mut known: Vec<String> = Vec::new();
    let mut events = Vec::new();
    for Seed { kind, tags, numbers: (number, word), texts, class } in seeds {
        let mut fresh = Vec::new();
        let mut text = |text: &String| {
            let place = known.iter().position(|other| other == text).unwrap_or_else(|| {
                known.push(text.clone());
                let id = TextId(known.len() as u32);
                fresh.push(Event::Text(Box::new(TextDef { id, text: text.clone() })));
                known.len() - 1
            });
            TextId(place as u32 + 1)
        };
        let (object, to) = (Tag(tags.0), Tag(tags.1));
        let scope = [Scope::Full, Scope::Garbage, Scope::Own][word as usize % 3];
        let mut slot = || match word % 4 {
            0 => Slot::UNNAMED,
            1 => Slot::index(number),
            _ => Slot::text(text(&texts.0)),
        };
        let states = [DictState::None, DictState::Inline, DictState::Split, DictState::Combined, DictState::Detached];
        let event = match kind {
            0 => Event::Type(Box::new(class)),
            1 => Event::Site(SiteDef {
                id: SiteId(word.max(1)),
                path: text(&texts.0),
                line: number as u32,
                function: text(&texts.1),
                parent: (word % 3 > 0).then_some(SiteId(word / 3 + 1)),
            }),
            2 => Event::Retype { object, class: TypeId(word) },
            3 => Event::Resize { object, bytes: number },
            4 => Event::Owns { object, bytes: number },
            5 => Event::Dict { object, state: states[word as usize % 5], capacity: number as u32 },
            6 => Event::Name { object, name: text(&texts.0) },
            7 => Event::Code { object, site: SiteId(word) },
            8..12 => Event::Ref { from: object, to, slot: slot() },
            12 => Event::Unref { from: object, to, slot: slot() },
            13 => Event::Root { object, name: text(&texts.0) },
            14 => Event::Unroot { object, name: text(&texts.0) },
            15 => Event::Incref { object },
            16 => Event::Decref { object },
            17 => Event::Count { object, count: number, flags: ObjectFlags((word % 16) as u8) },
            18..21 => Event::Free { object },
            21 => Event::GcStart { generation: word as u8 },
            22 => Event::GcStop { collected: number, uncollectable: u64::from(word) },
            23 => Event::Mark(Box::new(Mark { kind: texts.0, label: texts.1 })),
            24 => Event::Time { ns: number },
            25 => Event::Walk(scope),
            26 => Event::Checkpoint(scope),
            27 => Event::Unreachable { object },
            28 => Event::GcMissed { collections: number },
            29 => Event::Interpreters { others: number },
            30 => Event::Unseen { since: number },
            31 => Event::Stopped(texts.0.into()),
            32 => Event::GcLooked { objects: number },
            33 => Event::GcPause { ns: number },
            34 => Event::Hidden { from: object, to, slot: slot(), evidence: Evidence::ALL[word as usize / 4 % 3].1 },
            35 => Event::GcState(Box::new(GcState {
                enabled: word % 2 == 0,
                thresholds: [word, word / 3, word / 7],
                counts: [word / 2, 0, 1],
                long_lived_pending: number,
                long_lived_total: number / 3,
            })),
            36 => Event::GcLists { generations: [number, number / 2, number / 5], frozen: u64::from(word) },
            37 => Event::Totals { class: TypeId(word), born: number, left: number / 2, bytes: number / 3 },
            38 => Event::Searched { objects: number, unfinished: u64::from(word) },
            39 => Event::Places { object, places: (number % 3 > 0).then_some(word) },
            40 => Event::Unchanged { object, more: number },
            _ => {
                let (class, site) = (TypeId(word), SiteId((number % 3) as u32));
                Event::Alloc { object, address: object.0, class, bytes: number, site }
            }
        };
        events.append(&mut fresh);
        events.push(event);
    }
    events.push(Event::End);
    events
}

fn trace() -> impl Strategy<Value = (Header, Vec<Event>)> {
    (header(), prop::collection::vec(seed(), 0..60).prop_map(events))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn text_is_read_back_to_the_same_events((header, events) in trace()) {
        for options in [plain(), packed()] {
            let text = written("text", options, &header, &events);
            prop_assert_eq!(read(&text), (header.clone(), events.clone(), Ending::Complete));
        }
    }

    #[test]
    fn text_to_binary_to_text_is_identical((header, events) in trace()) {
        let text = written("text", plain(), &header, &events);
        for options in [plain(), packed()] {
            let binary = converted("binary", options, &text).unwrap();
            let back = converted("text", plain(), &binary).unwrap();
            prop_assert_eq!(String::from_utf8(back).unwrap(), String::from_utf8(text.clone()).unwrap());
        }
    }

    #[test]
    fn tags_go_through_the_binary_form_unchanged((header, events) in trace()) {
        let header = Header { references: References::Events, frees: Frees::Implied, ..header };
        prop_assert_eq!(read(&written("binary", plain(), &header, &events)), (header, events, Ending::Complete));
    }

    #[test]
    fn no_bytes_make_a_reader_panic_or_hang(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        for start in [&b""[..], b"reftrace 1 runtime=x\n", &binary_start()] {
            survive([start, &bytes].concat());
        }
    }

    #[test]
    fn no_damage_makes_a_reader_panic_or_hang(
        (header, events) in trace(),
        is_text in any::<bool>(),
        hits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = written(if is_text { "text" } else { "binary" }, plain(), &header, &events);
        for (place, byte) in hits {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        bytes.truncate(cut.index(2 * bytes.len()));
        survive(bytes);
    }

    /// With checksums in order, so that the damage reaches the records.
    #[test]
    fn no_damaged_record_makes_the_binary_reader_panic_or_hang(
        (header, events) in trace(),
        hits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        is_open in any::<bool>(),
    ) {
        let mut bytes = written("binary", plain(), &header, &events);
        let block = bytes.windows(4).position(|four| four == binary::encode::BLOCK_MAGIC).unwrap();
        let payload = block + binary::encode::BLOCK_HEADER;
        for (place, byte) in hits {
            let place = payload + place.index(bytes.len() - payload);
            bytes[place] = byte;
        }
        let checksum = crc32fast::hash(&bytes[payload..]).to_le_bytes();
        bytes[payload - 4..payload].copy_from_slice(&checksum);
        bytes[block + 4] = if is_open { binary::encode::BLOCK_OPEN } else { binary::encode::BLOCK_RAW };
        survive(bytes);
    }

    #[test]
    fn a_cut_never_costs_a_whole_line((header, events) in trace(), cut in any::<prop::sample::Index>()) {
        let text = written("text", plain(), &header, &events);
        let head = text.iter().position(|&byte| byte == b'\n').unwrap() + 1;
        let cut = &text[..head + cut.index(text.len() - head + 1)];
        let (_, read, ending) = read(cut);
        let n_lines = cut.iter().filter(|&&byte| byte == b'\n').count() - 1;
        let n_read = read.iter().filter(|event| !matches!(event, Event::Text(_))).count();
        prop_assert!(n_read == n_lines || (n_read == n_lines + 1 && !cut.ends_with(b"\n")));
        if let Ending::Cut(position) = ending {
            prop_assert_eq!(position.line, Some(n_lines as u64 + 2));
        }
    }
}

fn binary_start() -> Vec<u8> {
    let mut bytes = written("binary", plain(), &Header::new("x"), &[]);
    bytes.extend_from_slice(&binary::encode::BLOCK_MAGIC);
    bytes.extend_from_slice(&[0; 20]);
    bytes
}

/// Reads what can be read. Each answer takes at least a byte, so there are no more of them than bytes, texts included.
pub(super) fn survive(bytes: Vec<u8>) {
    let limit = 3 * bytes.len() + 3;
    let Ok(mut reader) = open_bytes(bytes) else { return };
    for _ in 0..limit {
        if let Ok(None) = reader.next_event() {
            assert!(matches!(reader.next_event(), Ok(None)), "an event behind the end");
            return;
        }
    }
    panic!("more answers than bytes");
}
