//! Damages files of other programs, and asks that no reader panics or hangs.

use super::FORMATS;
use super::tests::{files, survive};

/// Of each fixture that another program might have written so many are damaged.
const DAMAGED: u64 = 200;

#[test]
fn no_damage_to_a_file_of_another_program_makes_its_reader_panic_or_hang() {
    let read_only = FORMATS.iter().filter(|format| format.writer().is_none());
    for path in read_only.flat_map(|format| files(&format!("fixtures/{}", format.name()))) {
        let stored = std::fs::read(&path).unwrap();
        for seed in 0..DAMAGED {
            survive(damaged(&stored, seed));
        }
    }
}

/// Bytes changed, a line doubled, two lines changed with each other, or the file cut: one thing or several.
fn damaged(stored: &[u8], seed: u64) -> Vec<u8> {
    // A Weyl sequence through a multiplication: any numbers will do, as long as they are the same each time.
    let mut state = seed;
    let mut below = |limit: usize| {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        ((state ^ (state >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 33) as usize % limit.max(1)
    };
    let mut lines: Vec<&[u8]> = stored.split_inclusive(|&byte| byte == b'\n').collect();
    let (a, b) = (below(lines.len()), below(lines.len()));
    match below(4) {
        0 => lines.insert(b, lines[a]),
        1 => lines.swap(a, b),
        _ => {}
    }
    let mut bytes = lines.concat();
    for _ in 0..below(6) {
        let place = below(bytes.len());
        bytes[place] = [b'0', b'9', b'"', b'}', b',', b' ', b'\n', 0xff, below(256) as u8][below(9)];
    }
    if below(4) == 0 {
        bytes.truncate(below(bytes.len()));
    }
    bytes
}
