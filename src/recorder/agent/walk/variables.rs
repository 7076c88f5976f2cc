//! Names, after a walk of the whole heap, the variables of C code in which the addresses of objects stand whose count nothing
//! explains: those of CPython itself, as its hooks, its codecs and the states of its threads, and those of extension modules.
//!
//! A name is no more than that: what holds the object is a reference from outside either way.

use super::describe::Walk;
use super::interpreter_variables::Pointer;
use super::survey::{Note, Numbers, Survey};
use crate::address_map::AddressMap;
use crate::encode::kind;
use crate::maps::{self, Mapping};
use crate::memory::{Gather, Grow, apart, joined};
use crate::scan::reader::{MOST, Reader};
use crate::scan::regions::{self, Regions};
use crate::sink::Sink;

/// The recorder's own file.
const OWN: &str = "_refloop.so";
const CPYTHON: &[u8] = b"CPython (C variable)";
const THREAD: &[u8] = b"CPython (thread state)";
const WORD: usize = size_of::<usize>();
const PAGE: usize = 4096;
/// Bytes of a file that are read to find its segments.
const HEAD: usize = 4096;
/// Addresses in variables, of a program with a few extensions.
const EXPECTED: usize = 1 << 14;
/// The state of a thread has more bytes than this, in every version.
const LEAST_STATE: usize = 256;

/// Memory that has variables, and whose they are.
#[derive(Debug)]
struct Variables {
    range: (usize, usize),
    name: Vec<u8>,
}

impl Variables {
    fn is_of_cpython(&self) -> bool {
        self.name == CPYTHON
    }
}

/// Where an address stands.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    /// Of which variables it is.
    variables: u32,
    address: usize,
}

impl<S: Sink> Walk<'_, S> {
    /// Writes a name for each of these objects, which have references that are not explained, whose address is found. Those of a class
    /// with more of them than there are addresses are somewhere else. What is behind a variable has a name where that is known.
    pub(super) unsafe fn name_variables(&mut self, survey: &Survey, targets: &[u32], of_class: &Numbers) {
        if targets.is_empty() {
            return;
        }
        let Some(mut reader) = Reader::new() else { return };
        let maps = maps::read();
        let mut regions = Regions::of(&maps);
        // SAFETY: as the caller promises, the lock is held.
        let variables = unsafe { self.variables(&maps, &mut regions, &mut reader) };
        let names = variables.iter().map(|variables| self.sink.text(&variables.name)).gather();
        let (found, pointers) = addresses(&mut reader, &mut regions, &variables);
        let may_be_there = |note: &Note| of_class.of(note.class()) as usize <= found.len();
        let notes = || targets.iter().map(|&number| (number, &survey.notes[number as usize]));
        let mut objects = Vec::new();
        objects.add_each(notes().filter(|(_, note)| may_be_there(note)).filter_map(|(_, note)| {
            let place = found.get(note.object)?;
            let is_cpython = variables.get(place.variables as usize)?.is_of_cpython();
            is_cpython.then_some(Pointer { object: note.object, place: place.address })
        }));
        // SAFETY: as the caller promises, the lock is held, and what was described is alive.
        let known = unsafe { self.interpreter_variables(&mut reader, &objects, &pointers) };
        for (number, note) in notes() {
            let of_place = || names.get(found.get(note.object)?.variables as usize).copied();
            let name = known.get(note.object).or_else(|| of_place().filter(|_| may_be_there(note)));
            if let Some(name) = name {
                self.sink.emit(|encoder| encoder.fact(kind::ROOT, number.into(), u64::from(name)));
            }
        }
    }

    /// The states of threads and of the interpreter, and those of files that are mapped.
    unsafe fn variables(&self, maps: &str, regions: &mut Regions, reader: &mut Reader) -> Vec<Variables> {
        let interpreter = &self.context.interpreter;
        let mut variables = Vec::new();
        // SAFETY: as the caller promises, the lock is held.
        let threads = unsafe { interpreter.threads() };
        let states = threads.into_iter().map(|thread| (thread, THREAD));
        for (start, name) in states.chain([(interpreter.state(), CPYTHON)]) {
            // The first may stand among the variables of a file, where their length is not known.
            let bytes = match regions.find(start) {
                Some(region) => regions::block(reader, interpreter.row.pool_bytes, region, start).bytes,
                None => LEAST_STATE,
            };
            variables.add(Variables { range: (start, start + bytes), name: joined(&[name]) });
        }
        variables.add_each(of_files(maps, interpreter.module, |start, bytes| joined(&[reader.read(start, bytes)])));
        variables
    }
}

/// What is written of the files that are mapped. The one in which `of_cpython` is has those of CPython.
fn of_files(maps: &str, of_cpython: usize, mut read: impl FnMut(usize, usize) -> Vec<u8>) -> Vec<Variables> {
    let mut found = Vec::new();
    let mut last = None;
    let mappings = maps.lines().filter_map(maps::parse).gather();
    for mapping in &mappings {
        let file = mapping.name.filter(|name| name.starts_with('/'));
        // The head is in the first part of a file.
        let Some(file) = file.filter(|_| last != file && mapping.is_readable) else { continue };
        last = Some(file);
        if file.ends_with(OWN) {
            continue;
        }
        let head = read(mapping.range.0, HEAD);
        let segments =
            written(&head, mapping.range.0).into_iter().filter_map(|range| mapped(range, file, &mappings)).gather();
        let is_cpython = segments.iter().any(|&(start, end)| (start..end).contains(&of_cpython));
        let name = match is_cpython {
            true => joined(&[CPYTHON]),
            false => joined(&[file.rsplit('/').next().unwrap_or(file).as_bytes(), b" (C variable)"]),
        };
        found.add_each(segments.into_iter().map(|range| Variables { range, name: name.clone() }));
    }
    found
}

/// As much of a segment of a file as can be written: it begins in a part of the file, and what had zeros only lies behind that.
fn mapped((start, end): (usize, usize), file: &str, mappings: &[Mapping<'_>]) -> Option<(usize, usize)> {
    let is_written = |mapping: &&Mapping<'_>| mapping.is_readable && mapping.is_writable && !mapping.is_shared;
    let mut written = mappings.iter().filter(is_written).skip_while(|mapping| mapping.range.1 <= start);
    let first = written.next().filter(|first| first.range.0 <= start && first.name == Some(file))?;
    let there = written.try_fold(first.range.1, |end, next| match next.range {
        (start, next_end) if start == end => Ok(next_end),
        _ => Err(end),
    });
    let (Ok(there) | Err(there)) = there;
    (start < end).then_some((start, end.min(there)))
}

/// The segments of a file that are written, by its head: ELF of 64 bits, mapped from this address on. They begin behind what only the
/// loader writes.
fn written(head: &[u8], start: usize) -> Vec<(usize, usize)> {
    const LOADED: u32 = 1;
    const LOADERS: u32 = 0x6474_e552;
    const WRITABLE: u32 = 2;
    let number = |place: usize| Some(usize::from_le_bytes(*head.get(place..)?.first_chunk()?));
    let short = |place: usize| Some(usize::from(u16::from_le_bytes(*head.get(place..)?.first_chunk()?)));
    let segments = || {
        let (first, size, n) = (number(32)?, short(54)?, short(56)?);
        let of_place = |nth| {
            let place = first + nth * size;
            let kind = number(place)?;
            let (kind, flags) = (kind as u32, (kind >> 32) as u32);
            Some((kind, flags, number(place + 16)?, number(place + 40)?))
        };
        let segments = (0..n).map_while(of_place).gather();
        let of_kind = |wanted| segments.iter().filter(move |&&(kind, ..)| kind == wanted);
        let base = start.wrapping_sub(of_kind(LOADED).next()?.2 & !(PAGE - 1));
        let written = of_kind(LOADED).filter(|&&(_, flags, ..)| flags & WRITABLE != 0);
        let ranges = written.map(|&(_, _, place, bytes)| {
            let ends = of_kind(LOADERS).filter(|loaders| loaders.2 == place).map(|loaders| place + loaders.3);
            let first = ends.max().unwrap_or(place).min(place + bytes);
            (base.wrapping_add(first), base.wrapping_add(place + bytes))
        });
        Some(ranges.gather())
    };
    Some(head).filter(|head| head.starts_with(b"\x7fELF\x02\x01")).and_then(|_| segments()).unwrap_or_default()
}

/// The addresses that stand in variables and may be those of objects, each with the place in which it stands first; and all that
/// stand in CPython's own.
fn addresses(reader: &mut Reader, regions: &mut Regions, variables: &[Variables]) -> (AddressMap<Place>, Vec<Pointer>) {
    let mut found = AddressMap::sparse_apart(EXPECTED);
    let mut pointers: Vec<Pointer> = apart();
    let mut words: Vec<Pointer> = apart();
    for (nth, of_file) in variables.iter().enumerate() {
        let (start, end) = of_file.range;
        for start in (start..end).step_by(MOST) {
            let data = reader.read(start, MOST.min(end - start));
            let read = data.chunks_exact(WORD).filter_map(|word| word.try_into().ok()).map(usize::from_ne_bytes);
            let read = read.zip((start..).step_by(WORD)).map(|(object, place)| Pointer { object, place });
            words.clear();
            words.add_each(read.filter(|word| word.object.is_multiple_of(WORD) && regions.may_have(word.object)));
            for &word in words.iter().filter(|word| regions.find(word.object).is_some()) {
                found.entry(word.object, Place { variables: nth as u32, address: word.place });
                if of_file.is_of_cpython() {
                    pointers.add(word);
                }
            }
        }
    }
    (found, pointers)
}

#[cfg(test)]
mod tests {
    use super::{of_files, written};

    #[test]
    fn variables_are_in_the_segments_that_are_written() {
        let mut head = vec![0; 64 + 3 * 56];
        head[..6].copy_from_slice(b"\x7fELF\x02\x01");
        (head[32], head[54], head[56]) = (64, 56, 3);
        // Code from 0 on, data of 0x1800 bytes from 0x3400 on, and what only the loader writes of it.
        let segments: [[u64; 4]; 3] = [[1, 5, 0, 0x2000], [1, 6, 0x3400, 0x1800], [0x6474_e552, 4, 0x3400, 0xc00]];
        for (place, [kind, flags, address, bytes]) in segments.into_iter().enumerate() {
            let segment = &mut head[64 + place * 56..];
            segment[..8].copy_from_slice(&(kind | flags << 32).to_le_bytes());
            segment[16..24].copy_from_slice(&address.to_le_bytes());
            segment[40..48].copy_from_slice(&bytes.to_le_bytes());
        }
        assert_eq!(written(&head, 0x10000), [(0x14000, 0x14c00)]);
        for length in 0..head.len() {
            assert!(written(&head[..length], 0x10000).len() <= 1);
        }
        assert_eq!(written(b"#!/usr/bin/python3", 0x10000), []);

        let maps = "\
            10000-12000 r-xp 00000000 fe:00 7     /usr/lib/libpython3.so\n\
            13000-15000 rw-p 00003000 fe:00 7     /usr/lib/libpython3.so\n\
            15000-16000 rw-p 00000000 00:00 0 \n\
            17000-18000 rw-p 00000000 00:00 0          [heap]\n\
            20000-22000 r-xp 00000000 fe:00 8     /lib/_ssl.so\n\
            23000-25000 rw-p 00003000 fe:00 8     /lib/_ssl.so\n\
            30000-32000 r-xp 00000000 fe:00 9     /cache/_refloop.so\n";
        let found = of_files(maps, 0x14500, |_, _| head.clone());
        let found: Vec<_> = found.iter().map(|it| (it.range, it.name.as_slice())).collect();
        let (cpython, ssl) = (&b"CPython (C variable)"[..], &b"_ssl.so (C variable)"[..]);
        assert_eq!(found, [((0x14000, 0x14c00), cpython), ((0x24000, 0x24c00), ssl)]);
        // A file that is mapped to be read alone, and one of which less is mapped than its head says.
        let maps = "\
            20000-26000 r--s 00000000 fe:00 8     /home/_ssl.so\n\
            30000-32000 r-xp 00000000 fe:00 8     /lib/_ssl.so\n\
            33000-34800 rw-p 00003000 fe:00 8     /lib/_ssl.so\n";
        let found = of_files(maps, 0, |_, _| head.clone());
        let ranges: Vec<_> = found.iter().map(|it| it.range).collect();
        assert_eq!(ranges, [(0x34000, 0x34800)]);
    }
}
