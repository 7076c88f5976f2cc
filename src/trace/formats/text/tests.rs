//! Parses lines that people and other programs write.

use std::io::Cursor;

use super::LINE_LIMIT;
use crate::trace::formats::tests::{converted, plain, read};
use crate::trace::input::Input;
use crate::trace::{Ending, Event, Slot, Tag, TextDef, TextId, open_bytes, open_input};

/// The lines as this program would write them.
fn tidied(lines: &str) -> String {
    let text = format!("reftrace 1 runtime=x\n{lines}");
    String::from_utf8(converted("text", plain(), text.as_bytes()).unwrap())
        .unwrap()
        .split_once('\n')
        .unwrap()
        .1
        .to_owned()
}

#[test]
fn blanks_and_comments_are_passed_over() {
    let text = tidied(
        "\n  # nothing\n\t alloc\t10   1 48 # born\n\nref 10 20 cell  x  # held\nfree 10#1\n"
            .trim_end_matches("free 10#1\n"),
    );
    insta::assert_snapshot!(text, @r"
    alloc 10 1 48
    ref 10 20 cell  x
    ");
}

#[test]
fn a_comment_begins_at_the_start_of_a_word_only() {
    insta::assert_snapshot!(tidied("ref 10 20 ['#1']\nref 10 20 a#b #c\nref 10 20 #c\n"), @r"
    ref 10 20 ['#1']
    ref 10 20 a#b
    ref 10 20
    ");
}

#[test]
fn lines_may_end_as_on_windows() {
    let windows = b"reftrace 1 runtime=x\r\nref 10 20 .items\r\n\r\nend\r\n";
    let unix = b"reftrace 1 runtime=x\nref 10 20 .items\n\nend\n";
    assert_eq!(read(windows), read(unix));
}

#[test]
fn the_header_may_stand_behind_comments() {
    let (header, events, _) = read(b"# made by hand\n\n   reftrace 1 runtime=x # the header\nend\n");
    assert_eq!((header.runtime.as_str(), events.len()), ("x", 1));
}

#[test]
fn a_text_is_defined_before_its_first_use_and_once() {
    let (_, events, _) = read(b"reftrace 1 runtime=x\nref 10 20 .a\nunref 10 20 .a\n");
    let (from, to, slot) = (Tag(0x10), Tag(0x20), Slot::text(TextId(1)));
    let text = Event::Text(Box::new(TextDef { id: TextId(1), text: ".a".to_owned() }));
    assert_eq!(events, [text, Event::Ref { from, to, slot }, Event::Unref { from, to, slot }]);
}

#[test]
fn a_malformed_line_defines_no_text() {
    let mut reader =
        open_bytes(b"reftrace 1 runtime=x\nsite 1 a:1 \xff\nsite 1 a:1 f parent=x\nend\n".to_vec()).unwrap();
    assert!(reader.next_event().is_err());
    assert!(reader.next_event().is_err());
    assert_eq!(reader.next_event().unwrap(), Some(Event::End));
}

#[test]
fn an_index_is_one_in_its_plain_form_only() {
    let slots = "ref 1 2 [0]\nref 1 2 [00]\nref 1 2 [-1]\nref 1 2 []\nref 1 2 \"[1]\"\nref 1 2 [4294967296]\n";
    let (_, events, _) = read(format!("reftrace 1 runtime=x\n{slots}").as_bytes());
    let indexes: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            Event::Ref { slot, .. } => Some(slot.as_index()),
            _ => None,
        })
        .collect();
    assert_eq!(indexes, [Some(0), None, None, None, None, Some(Slot::MAX_INDEX)]);
}

#[test]
fn the_last_line_counts_without_its_newline_if_it_is_whole() {
    let (_, events, ending) = read(b"reftrace 1 runtime=x\nalloc 10 1 48\nend");
    assert_eq!((events.len(), ending), (2, Ending::Complete));
    let (_, events, ending) = read(b"reftrace 1 runtime=x\nalloc 10 1 48\nallo");
    assert!(events.len() == 1 && matches!(ending, Ending::Cut(position) if position.byte == 35));
}

#[test]
fn empty_lines_count_however_many_there_are() {
    let (many, few) = ("\n".repeat(1_000_000), "\n\r\n \n");
    let text = format!("{few}reftrace 1 runtime=x\n{many}free\n{many}free 10\n{few}end\n{many}{few}free 10\n");
    let mut reader = open_input(Input::from_stream(Cursor::new(text.into_bytes())).unwrap()).unwrap();
    let error = reader.next_event().unwrap_err().to_string();
    assert!(error.starts_with("line 1000005 (byte 10000"), "{error}");
    assert_eq!(reader.next_event().unwrap(), Some(Event::Free { object: Tag(0x10) }));
    assert_eq!(reader.position().line, Some(2_000_007));
    assert_eq!(reader.next_event().unwrap(), Some(Event::End));
    let error = reader.next_event().unwrap_err().to_string();
    assert!(error.starts_with("line 3000014 (byte 3000053)"), "{error}");
}

#[test]
fn a_line_without_end_is_refused_and_does_not_fill_the_memory() {
    let long = "x".repeat(LINE_LIMIT + 1);
    let text = format!("reftrace 1 runtime=x\nref 10 20 {long}\nfree 10\nmark user {long}");
    for input in [
        Input::from_bytes(text.clone().into_bytes()).unwrap(),
        Input::from_stream(Cursor::new(text.clone().into_bytes())).unwrap(),
    ] {
        let mut reader = open_input(input).unwrap();
        let error = reader.next_event().unwrap_err().to_string();
        assert_eq!(error, "line 2 (byte 21): malformed line: expected no more than 4 MiB");
        assert_eq!(reader.next_event().unwrap(), Some(Event::Free { object: Tag(0x10) }));
        assert!(reader.next_event().is_err());
        assert_eq!(reader.next_event().unwrap(), None);
    }
}
