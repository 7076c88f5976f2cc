//! Reads long traces, and files that end where they should not, in the binary form.

use super::encode::{BLOCK_MAGIC, BLOCK_OPEN};
use crate::trace::formats::WriteOptions;
use crate::trace::formats::tests::{packed, plain, read, written};
use crate::trace::{Ending, Event, Header, SiteId, Tag, TypeId, open_bytes};

/// Objects that come and go, some thousand bytes a block would not hold.
fn long_trace(n_objects: u64) -> Vec<Event> {
    let address = |n: u64| 0x7f00_0000 + n * n % 1_000_003 * 16;
    let mut events = Vec::new();
    for n in 0..n_objects {
        let (object, site) = (Tag(address(n)), SiteId((n % 700) as u32));
        events.push(Event::Alloc { object, address: object.0, class: TypeId((n % 90) as u32), bytes: n % 512, site });
        if n > 100 && n % 3 > 0 {
            events.push(Event::Free { object: Tag(address(n - 100)) });
        }
    }
    events.push(Event::End);
    events
}

fn blocks(bytes: &[u8]) -> Vec<usize> {
    (0..bytes.len()).filter(|&place| bytes[place..].starts_with(&BLOCK_MAGIC)).collect()
}

/// The text of a dense trace: its numbers depend on the deaths, its addresses do not.
fn text(bytes: &[u8]) -> Vec<u8> {
    let (header, events, _) = read(bytes);
    written("text", plain(), &header, &events)
}

#[test]
fn a_long_trace_is_the_same_after_many_blocks() {
    let (header, events) = (Header::new("x"), long_trace(60_000));
    let expected = written("text", plain(), &header, &events);
    for options in [plain(), packed()] {
        let bytes = written("binary", options, &header, &events);
        assert!(blocks(&bytes).len() > 2);
        assert!(text(&bytes) == expected);
    }
}

#[test]
fn packing_makes_a_trace_smaller() {
    let (header, events) = (Header::new("x"), long_trace(30_000));
    let size = |zstd| written("binary", WriteOptions { zstd }, &header, &events).len();
    assert!(size(Some(3)) < size(None));
}

#[test]
fn a_file_cut_anywhere_is_read_to_its_last_whole_block() {
    let (header, events) = (Header::new("x"), long_trace(50_000));
    let bytes = written("binary", plain(), &header, &events);
    let whole = read(&bytes).1;
    let blocks = blocks(&bytes);
    let places = [blocks[0] + 1, blocks[1] - 1, blocks[1], blocks[1] + 2, blocks[1] + 30, bytes.len() - 1];
    let mut read_before = 0;
    for place in places {
        let (_, events, ending) = read(&bytes[..place]);
        assert_eq!(events, whole[..events.len()]);
        assert!(events.len() >= read_before);
        read_before = events.len();
        match ending {
            Ending::Cut(position) => assert!(blocks.contains(&(position.byte as usize)), "{position}"),
            Ending::Open => assert_eq!(place, blocks[1]),
            Ending::Complete => panic!("a cut trace is not complete"),
        }
    }
    assert!(read_before > 10_000);
}

#[test]
fn an_open_block_is_read_to_its_last_whole_record_wherever_the_file_ends() {
    let (header, events) = (Header::new("x"), long_trace(40));
    let mut bytes = written("binary", plain(), &header, &events);
    let block = blocks(&bytes)[0];
    bytes[block + 4..block + 24].fill(0);
    bytes[block + 4] = BLOCK_OPEN;
    let whole = read(&bytes).1;
    assert_eq!(whole.len(), events.len());
    let mut n_read = 0;
    for place in block + 24..bytes.len() {
        let (_, events, ending) = read(&bytes[..place]);
        assert_eq!(events, whole[..events.len()]);
        assert!(events.len() == n_read || events.len() == n_read + 1);
        assert!(matches!(ending, Ending::Cut(_)) || events.len() > n_read || place == block + 24);
        n_read = events.len();
        // A process that was killed leaves zeros instead.
        let mut zeros = bytes[..place].to_vec();
        zeros.resize(place + 4096, 0);
        let mut reader = open_bytes(zeros).unwrap();
        while let Ok(Some(_)) = reader.next_event() {}
    }
}

#[test]
fn the_unused_rest_of_a_mapped_file_is_no_damage() {
    let events = long_trace(40);
    let mut bytes = written("binary", plain(), &Header::new("x"), &events);
    let whole = read(&bytes);
    bytes.resize(bytes.len() + 10_000, 0);
    assert_eq!(read(&bytes), whole);
}
