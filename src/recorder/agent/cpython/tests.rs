//! Reads a made heap by the row of each version, those too that this machine does not have.

#![allow(clippy::undocumented_unsafe_blocks)] // All memory that is read was made here.

use super::dict::{self, Table};
use super::frame::{self, Holder};
use super::gc_lists::{GcLists, each_object};
use super::interpreter::Interpreter;
use super::memory::{GC_HEAD, flag, set_word, ty};
use super::text;
use super::versions::{CPython, CodeForm, Count, Integer, KeyTable, Lists, VERSIONS, Values, of};
use super::{class, integer, object};

/// A block of zeros, kept to the end of the tests.
fn block(bytes: usize) -> usize {
    Box::leak(vec![0_usize; bytes.div_ceil(8)].into_boxed_slice()).as_ptr().addr()
}

fn put(address: usize, word: usize) {
    unsafe { set_word(address, word) }
}

fn put_half(address: usize, half: i32) {
    unsafe { (address as *mut i32).write(half) }
}

fn put_bytes(address: usize, bytes: &[u8]) {
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), address as *mut u8, bytes.len()) }
}

fn type_with(flags: usize) -> usize {
    let class = block(1024);
    put(class + ty::FLAGS, flags);
    class
}

/// An object of a class, with one reference.
fn new(class: usize, bytes: usize) -> usize {
    let object = block(GC_HEAD + bytes) + GC_HEAD;
    put(object, 1);
    put(object + 8, class);
    object
}

/// A compact `str`.
fn new_text(row: &CPython, characters: &str) -> usize {
    let widest = characters.chars().map(u32::from).max().unwrap_or(0);
    let width: usize = match widest {
        0..=0xff => 1,
        0x100..=0xffff => 2,
        _ => 4,
    };
    let ascii = widest < 0x80;
    let start = if ascii { row.text_ascii } else { row.text_compact };
    let object = new(type_with(flag::UNICODE_SUBCLASS), start + 4 * (characters.len() + 1));
    put(object + 16, characters.chars().count());
    put_half(object + 32, (width << 2 | 1 << 5 | usize::from(ascii) << 6) as i32);
    for (index, character) in characters.chars().enumerate() {
        put_bytes(object + start + width * index, &u32::from(character).to_le_bytes()[..width]);
    }
    object
}

fn new_tuple(row: &CPython, items: &[usize]) -> usize {
    let tuple = new(type_with(0), row.tuple_items + 8 * items.len());
    put(tuple + 16, items.len());
    for (index, &item) in items.iter().enumerate() {
        put(tuple + row.tuple_items + 8 * index, item);
    }
    tuple
}

/// A key table with room for eight places, and these entries in it.
fn new_keys(row: &CPython, entries: &[(usize, usize)]) -> usize {
    let keys = block(256);
    let first = match row.key_table {
        KeyTable::Sized => {
            put(keys + 8, 8);
            put(keys + 24, 5 - entries.len());
            put(keys + 32, entries.len());
            keys + 40 + 8
        }
        KeyTable::Logarithmic => {
            put_bytes(keys + 8, &[3, 3, 0]);
            put(keys + 16, 5 - entries.len());
            put(keys + 24, entries.len());
            keys + 32 + 8
        }
    };
    for (index, &(key, value)) in entries.iter().enumerate() {
        put(first + 24 * index + 8, key);
        put(first + 24 * index + 16, value);
    }
    keys
}

#[test]
fn a_text_of_each_width_is_read() {
    for row in VERSIONS {
        for characters in ["", "name", "café", "5 €", "𝄞 clef"] {
            let object = new_text(row, characters);
            unsafe {
                assert_eq!(text::text(row, object), characters, "3.{}", row.minor);
                assert_eq!(text::text_within(row, object, 3), characters.chars().take(3).collect::<String>());
                assert_eq!(text::text_is(row, object, b"name"), characters == "name");
            }
        }
        assert_eq!(unsafe { text::text(row, new(type_with(0), 64)) }, "", "no text");
    }
}

#[test]
fn a_number_of_one_digit_is_read() {
    for row in VERSIONS {
        for (digits, negative, small) in [(0, false, Some(0)), (1, false, Some(7)), (1, true, None), (2, false, None)] {
            let number = new(type_with(0), 40);
            let size = match row.integer {
                Integer::Tag => digits << 3 | if negative { 2 } else { usize::from(digits == 0) },
                _ if negative => digits.wrapping_neg(),
                _ => digits,
            };
            put(number + 16, size);
            put_half(number + 24, 7);
            unsafe {
                assert_eq!(integer::small(row, number), small, "3.{}: {digits}", row.minor);
                let least = usize::from(row.integer != Integer::Size);
                assert_eq!(integer::room(row, number), digits.max(least), "3.{}", row.minor);
            }
        }
    }
}

#[test]
fn a_count_says_whether_it_counts() {
    for row in VERSIONS {
        let interpreter = Interpreter::made(row, 0, 0, 0, 0);
        let object = new(type_with(0), 16);
        assert_eq!(unsafe { interpreter.count(object) }, (1, false), "3.{}", row.minor);
        let immortal: usize = match row.count {
            Count::Word => continue,
            Count::WordWithDeepFrozen => 999_999_999,
            Count::Half => 0xffff_ffff,
            Count::HalfWithFlags => 0x0005_0000_c000_0000,
        };
        put(object, immortal);
        assert!(unsafe { interpreter.count(object) }.1, "3.{}", row.minor);
        assert_eq!(unsafe { interpreter.is_deep_frozen(object) }, row.count == Count::WordWithDeepFrozen);
    }
}

#[test]
fn entries_of_a_dict_are_read_from_its_table_or_its_values() {
    for row in VERSIONS {
        let keys = new_keys(row, &[(0x10, 0x20), (0x30, 0), (0x50, 0x60)]);
        unsafe {
            let table = Table::of(row, keys, 0);
            let entries: Vec<_> = (0..table.count).map(|index| table.entry(index)).collect();
            assert_eq!(entries, [(0x10, 0x20), (0x30, 0), (0x50, 0x60)], "3.{}", row.minor);
            assert_eq!(dict::room(row, keys), 5);
            let head = if row.key_table == KeyTable::Sized { 40 } else { 32 };
            assert_eq!(dict::table_bytes(row, keys), head + 8 + 24 * 5, "3.{}", row.minor);
            let values = block(64);
            let head = if row.values == Values::Inline { 8 } else { 0 };
            put(values + head, 0x70);
            assert_eq!(Table::of(row, keys, values).entry(0), (0x10, 0x70), "3.{}", row.minor);
        }
    }
}

#[test]
fn values_of_an_instance_are_found_where_its_version_has_them() {
    for row in VERSIONS {
        let keys = new_keys(row, &[(0x10, 0), (0x30, 0)]);
        let object = new(type_with(0), 16 + 8 + 8 * 5 + 8);
        let values = block(64) + 8;
        let inline = object + 16;
        let expected = match row.values {
            Values::None => None,
            Values::Separate => {
                put(object - 32, values);
                Some((values, 2))
            }
            Values::Tagged => {
                put(object - 24, values - 1);
                Some((values, 2))
            }
            Values::Inline => {
                put_bytes(inline, &[5, 2, 1, 1]);
                Some((inline + 8, 5))
            }
        };
        unsafe {
            let found = dict::own_values(row, object, Some(inline), keys);
            assert_eq!(found.map(|values| (values.first, values.count)), expected, "3.{}", row.minor);
            if row.values == Values::Inline {
                // The room shrank by one at each birth but those that found one entry left, or none.
                for (written, to_spare, expected) in [(5, 3, 6), (5, 1, 6), (3, 1, 3), (4, 1, 5), (2, 0, 2), (3, 0, 4)]
                {
                    put(keys + 16, to_spare);
                    put_bytes(inline, &[written]);
                    let bytes = dict::inline_values_bytes(row, inline, keys);
                    assert_eq!(bytes, 8 + 8 * expected + 8, "{written} {to_spare}");
                }
                for (to_spare, births, expected) in [(0, 4, (2, 2)), (3, 1, (5, 5)), (3, 2, (4, 5)), (3, 4, (3, 5))] {
                    put(keys + 16, to_spare);
                    let (fewest, most) = dict::inline_values_to_come(row, keys, births);
                    let bytes = |count: usize| 8 + 8 * count + 8;
                    assert_eq!((fewest, most), (bytes(expected.0), bytes(expected.1)), "{to_spare} {births}");
                }
                put_bytes(inline + 3, &[0]);
                assert!(dict::own_values(row, object, Some(inline), keys).is_none(), "no longer valid");
            }
            if row.values == Values::Tagged {
                assert_eq!(dict::managed_dict(row, object), 0, "these are values");
            }
        }
    }
}

/// A thread that runs code with the variables `a` and `b`, and is entered from C: the code, and the interpreter.
fn new_thread(row: &'static CPython, variables: [usize; 2]) -> (Interpreter, usize) {
    let code_type = type_with(0);
    let code = new(code_type, 512);
    let names = new_tuple(row, &[new_text(row, "a"), new_text(row, "b")]);
    put(code + row.code_locals, names);
    if row.code == CodeForm::Objects {
        put(code + row.code_locals + 8, new_tuple(row, &[]));
        put(code + row.code_locals + 16, new_tuple(row, &[]));
    }
    let (entry, running) = (new(type_with(0), 512), new(type_with(0), 512));
    put(running + row.frame_code, code);
    put(running + row.frame_previous, entry);
    if let Some(owner) = row.frame_owner {
        put_bytes(entry + owner, &[3]);
        put(entry + row.frame_code, code);
    }
    for (index, variable) in variables.into_iter().enumerate() {
        put(running + row.frame_locals + 8 * index, variable);
    }
    let thread = block(1024);
    let mut innermost = running;
    if let Some(offset) = row.c_frame {
        innermost = block(64);
        put(innermost + offset, running);
    }
    put(thread + row.thread_frame, innermost);
    (Interpreter::made(row, thread, code_type, 0, 0), code)
}

#[test]
fn variables_of_a_running_frame_are_read() {
    for row in VERSIONS {
        let (first, second) = (new(type_with(0), 16), new(type_with(0), 16));
        // From 3.14 on a reference may be tagged as one without a count.
        let tag = usize::from(row.borrowing.is_some());
        let (interpreter, code) = new_thread(row, [first | tag, second]);
        let mut found = Vec::new();
        unsafe {
            interpreter.running_frames(|frame, of| {
                assert_eq!(of, code);
                let names = frame::variable_names(row, code);
                found.extend(
                    names
                        .iter()
                        .enumerate()
                        .map(|(index, &name)| (text::text(row, name), frame::variable(row, frame, index))),
                );
            });
        }
        assert_eq!(found, [("a".to_owned(), first), ("b".to_owned(), second)], "3.{}", row.minor);
    }
}

#[test]
fn what_a_suspended_generator_borrows_is_found() {
    for row in VERSIONS {
        let Some(borrowing) = row.borrowing else { continue };
        let code_type = type_with(0);
        let code = new(code_type, 512);
        // Three places of the stack: no variables.
        put_half(code + row.code_first_line - 4, 3);
        let generator = new(type_with(0), 512);
        let frame = generator + row.generator_frame;
        let [counted, borrowed, immortal] = [1, 1, 0xc000_0000].map(|count| {
            let object = new(type_with(0), 16);
            put(object, count);
            object
        });
        let values = frame + row.frame_locals;
        put(frame + row.frame_code, code);
        for (index, word) in [counted, borrowed | 1, immortal | 1].into_iter().enumerate() {
            put(values + 8 * index, word);
        }
        put(frame + borrowing.stack_top, values + 24);
        let interpreter = Interpreter::made(row, 0, code_type, 0, 0);
        let found = |interpreter: &Interpreter| {
            let mut found = Vec::new();
            unsafe { interpreter.borrowed(generator, |object| found.push(object)) };
            found
        };
        assert_eq!(found(&interpreter), [borrowed], "3.{}", row.minor);
        assert_eq!(unsafe { interpreter.frame_of(generator, Holder::Generator) }, Some((frame, code)));
        put(frame + borrowing.stack_top, values + 32);
        assert!(found(&interpreter).is_empty(), "a stack beyond its room is no stack");
        put(frame + borrowing.stack_top, values + 24);
        put_bytes(generator + borrowing.state, &[borrowing.cleared]);
        assert!(found(&interpreter).is_empty(), "3.{}: cleared", row.minor);
    }
}

/// An interpreter with the collector's state at `start`, whose youngest generation has one object.
fn new_collector(row: &'static CPython, start: usize, between: usize) -> (Interpreter, usize) {
    let owner = block(32 << 10);
    let first = owner + start;
    let object = new(type_with(0), 16);
    let rings = match row.lists {
        Lists::PointerBetween => {
            put(first + between, first);
            [0, 24, 48, between + 8]
        }
        Lists::PointerBehind => {
            put(first + 160, first);
            [0, 24, 48, 72]
        }
    };
    for ring in rings.map(|ring| first + ring) {
        put(ring, ring);
        put(ring + 8, ring);
    }
    let node = object - GC_HEAD;
    for (head, other) in [(first, node), (node, first)] {
        put(head, other);
        put(head + 8, other);
    }
    (Interpreter::made(row, 0, 0, 0, owner), object)
}

#[test]
fn the_lists_of_the_collector_are_found_by_their_shape() {
    for row in VERSIONS {
        // Debian's 3.13 aligns them to four bytes.
        for (start, between) in [(7424, 72), (7420, 76)] {
            if start % 8 != 0 && row.lists == Lists::PointerBehind {
                continue;
            }
            let (interpreter, object) = new_collector(row, start, between);
            let lists = unsafe { GcLists::find(&interpreter) }.unwrap_or_else(|| panic!("3.{}", row.minor));
            let mut found = Vec::new();
            for head in lists.all() {
                unsafe { each_object(head, |object| found.push(object)) };
            }
            assert_eq!(found, [object], "3.{}", row.minor);
            assert_eq!(lists.young(0).count(), 1);
        }
        let nothing = Interpreter::made(row, 0, 0, 0, block(32 << 10));
        assert!(unsafe { GcLists::find(&nothing) }.is_none(), "3.{}: made up", row.minor);
    }
}

#[test]
fn members_that_hold_objects_are_listed() {
    let class = type_with(0);
    let members = block(200);
    for (index, (name, sort, offset)) in [(c"slot", 16, 24), (c"number", 1, 32), (c"old", 6, 40)].iter().enumerate() {
        put(members + 40 * index, name.as_ptr().addr());
        put_half(members + 40 * index + 8, *sort);
        put(members + 40 * index + 16, *offset);
    }
    put(class + ty::MEMBERS, members);
    unsafe {
        assert_eq!(class::object_members(class), [(24, &b"slot"[..]), (40, b"old")]);
        assert_eq!(class::declared_names(class).collect::<Vec<_>>(), [&b"slot"[..], b"number", b"old"]);
    }
}

#[test]
fn blocks_of_a_container_are_as_big_as_it_asked_for() {
    let list = new(type_with(0), 40);
    let set = new(type_with(0), 200);
    unsafe {
        assert_eq!((object::list_storage(list), object::list_items(list)), (0, &[][..]));
        put(list + 16, 1);
        put(list + 24, new_tuple(VERSIONS[0], &[]));
        put(list + 32, 4);
        assert_eq!((object::list_storage(list), object::list_items(list).len()), (32, 1));
        put(set + 40, set + 64);
        assert_eq!(object::set_storage(set), 0);
        put(set + 40, block(8));
        put(set + 32, 31);
        assert_eq!(object::set_storage(set), 512);
    }
}

#[test]
fn a_version_has_a_row_or_a_reason() {
    let refused = |version: &str| of(version).unwrap_err();
    for row in VERSIONS {
        let version = format!("3.{}.99", row.minor);
        assert_eq!(of(&version).unwrap().minor, row.minor);
    }
    assert!(refused("3.16.0").contains("not one of 3.8 to 3.15"));
    assert!(refused("3.7.9").contains("not one of"));
    for unfinished in ["3.15.0a1", "3.15.0b4", "3.15.0rc1", "3.14.0a7"] {
        assert!(refused(unfinished).contains("not a final release"), "{unfinished}");
    }
    assert!(refused("3.14.4").contains("from 3.14.5 on"));
}
