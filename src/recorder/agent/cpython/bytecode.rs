//! Reads instructions: which attributes a code object stores.
//!
//! From 3.11 on instructions specialise themselves in place, and have words of cache behind them that are no instructions.
//! The rows have the specialised forms with the plain ones, from `pycore_opcode.h` (3.11, 3.12) and
//! `pycore_opcode_metadata.h` (3.13 to 3.15).

use super::memory::{byte, size_of, word};
use super::versions::{CPython, CodeForm};
use crate::memory::Grow;

/// What one version's opcodes mean, as far as it matters here.
#[derive(Debug)]
pub(crate) struct Opcodes {
    extended_arg: u8,
    store_attr: &'static [u8],
    load_fast: &'static [u8],
    /// The last four bits of the argument say which local variable comes last on the stack.
    load_fast_last: &'static [u8],
    /// Words of cache behind these.
    caches: &'static [(usize, &'static [u8])],
}

pub(crate) static V3_8: Opcodes =
    Opcodes { extended_arg: 144, store_attr: &[95], load_fast: &[124], load_fast_last: &[], caches: &[] };

pub(crate) static V3_11: Opcodes = Opcodes {
    extended_arg: 144,
    store_attr: &[95, 153, 154, 158, 159],
    load_fast: &[45, 46, 124],
    load_fast_last: &[],
    caches: &[
        (
            1,
            &[
                3, 4, 5, 6, 7, 8, 13, 14, 16, 60, 64, 65, 66, 67, 72, 73, 76, 77, 78, 79, 80, 81, 92, 113, 121, 122,
                127, 141, 143, 166, 168, 169, 170, 177, 178, 179, 180,
            ],
        ),
        (2, &[26, 27, 28, 29, 107]),
        (4, &[17, 18, 19, 20, 21, 22, 23, 24, 25, 39, 40, 41, 42, 43, 95, 106, 153, 154, 158, 159, 171]),
        (5, &[47, 48, 55, 116]),
        (10, &[56, 57, 58, 59, 62, 63, 160]),
    ],
};

pub(crate) static V3_12: Opcodes = Opcodes {
    extended_arg: 144,
    store_attr: &[95, 113, 148, 153],
    load_fast: &[86, 88, 124, 127, 143],
    load_fast_last: &[],
    caches: &[
        (
            1,
            &[
                6, 7, 8, 10, 13, 14, 16, 18, 19, 20, 21, 22, 25, 57, 58, 59, 60, 62, 63, 64, 65, 66, 67, 92, 93, 107,
                122, 123, 141, 159, 160, 161, 166, 167, 168,
            ],
        ),
        (3, &[23, 24, 28, 29, 34, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 56, 171]),
        (4, &[95, 111, 112, 113, 116, 148, 153]),
        (9, &[70, 72, 73, 76, 77, 78, 79, 80, 81, 82, 106]),
    ],
};

pub(crate) static V3_13: Opcodes = Opcodes {
    extended_arg: 71,
    store_attr: &[108, 209, 210, 211],
    load_fast: &[85, 86, 87],
    load_fast_last: &[88, 111],
    caches: &[
        (
            1,
            &[
                3, 5, 39, 45, 58, 59, 72, 77, 93, 97, 98, 99, 100, 104, 117, 150, 151, 152, 153, 154, 155, 156, 157,
                158, 159, 160, 161, 182, 183, 184, 185, 186, 187, 188, 189, 190, 205, 206, 208, 212, 213, 220, 221,
                222,
            ],
        ),
        (
            3,
            &[
                40, 53, 162, 163, 164, 165, 166, 167, 168, 169, 170, 171, 172, 173, 174, 175, 176, 177, 178, 179, 180,
                181, 214, 215, 216, 217, 218, 219,
            ],
        ),
        (4, &[91, 108, 203, 204, 209, 210, 211]),
        (9, &[82, 191, 192, 193, 194, 195, 196, 197, 198, 199, 200, 201, 202]),
    ],
};

pub(crate) static V3_14: Opcodes = Opcodes {
    extended_arg: 69,
    store_attr: &[110, 198, 199, 200],
    load_fast: &[84, 85, 86, 88],
    load_fast_last: &[87, 89, 113],
    caches: &[
        (
            1,
            &[
                38, 56, 57, 70, 75, 96, 100, 101, 102, 103, 106, 119, 166, 167, 168, 169, 170, 171, 172, 173, 174, 175,
                176, 194, 195, 197, 201, 202, 209, 210, 211,
            ],
        ),
        (
            3,
            &[
                39, 52, 55, 143, 144, 145, 146, 147, 148, 149, 150, 151, 152, 153, 154, 155, 156, 157, 158, 159, 160,
                161, 162, 163, 164, 165, 203, 204, 205, 206, 207, 208,
            ],
        ),
        (4, &[92, 110, 192, 193, 198, 199, 200]),
        (5, &[3, 44, 129, 130, 131, 132, 133, 134, 135, 136, 137, 138, 139, 140, 141, 142]),
        (9, &[80, 177, 178, 179, 180, 181, 182, 183, 184, 185, 186, 187, 188, 189]),
    ],
};

pub(crate) static V3_15: Opcodes = Opcodes {
    extended_arg: 67,
    store_attr: &[109, 205, 206, 207],
    load_fast: &[83, 84, 85, 87],
    load_fast_last: &[86, 88, 112],
    caches: &[
        (
            1,
            &[
                4, 36, 54, 55, 68, 70, 74, 95, 99, 100, 101, 102, 105, 118, 128, 151, 152, 169, 170, 171, 172, 173,
                174, 175, 176, 177, 178, 179, 180, 181, 182, 198, 199, 200, 201, 202, 203, 204, 208, 209, 216, 217,
                218,
            ],
        ),
        (
            3,
            &[
                37, 50, 53, 144, 145, 146, 147, 148, 149, 150, 153, 154, 155, 156, 157, 158, 159, 160, 161, 162, 163,
                164, 165, 166, 167, 168, 210, 211, 212, 213, 214, 215,
            ],
        ),
        (4, &[91, 109, 196, 197, 205, 206, 207]),
        (5, &[3, 42, 129, 130, 131, 132, 133, 134, 135, 136, 137, 138, 139, 140, 141, 142, 143]),
        (9, &[79, 183, 184, 185, 186, 187, 188, 189, 190, 191, 192, 193, 194, 195]),
    ],
};

/// An attribute that is stored.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Store {
    /// Its place in `co_names`.
    pub name: usize,
    /// On the first local variable: `self`.
    pub on_first: bool,
}

/// The attributes that the code stores, in order.
pub(crate) unsafe fn stores(row: &CPython, code: usize) -> Vec<Store> {
    // SAFETY: as the caller promises, this is a live code object; the row says where its instructions are.
    let (mut at, words) = unsafe {
        let place = code + row.code_instructions;
        match row.code {
            CodeForm::Inline => (place, size_of(code).max(0).cast_unsigned()),
            CodeForm::Objects => {
                let bytes = word(place);
                if bytes == 0 {
                    return Vec::new();
                }
                (bytes + 32, size_of(bytes).max(0).cast_unsigned() / 2)
            }
        }
    };
    let end = at + 2 * words;
    let opcodes = row.opcodes;
    let mut found = Vec::new();
    let (mut high, mut after_self) = (0, false);
    while at < end {
        // SAFETY: as the caller promises, this is a live code object; the row says where its instructions are.
        let (opcode, argument) = unsafe { (byte(at), high << 8 | usize::from(byte(at + 1))) };
        at += 2;
        if opcode == opcodes.extended_arg {
            high = argument;
            continue;
        }
        high = 0;
        if opcodes.store_attr.contains(&opcode) {
            found.add(Store { name: argument, on_first: after_self });
        }
        after_self = argument == 0 && opcodes.load_fast.contains(&opcode)
            || argument & 15 == 0 && opcodes.load_fast_last.contains(&opcode);
        let cache = opcodes.caches.iter().find(|(_, list)| list.contains(&opcode));
        at += 2 * cache.map_or(0, |&(words, _)| words);
    }
    found
}
