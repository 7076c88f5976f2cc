//! Computes CRC-32 (IEEE): eight bytes at a time through tables, or, where the processor multiplies without carries, 64 at a time.
//!
//! Every byte of a trace comes by here, which the tables made 3 % of a recording's time. The folding is that of Intel's
//! "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ", with its constants for this polynomial.

const TABLES: [[u32; 256]; 8] = tables();

const fn tables() -> [[u32; 256]; 8] {
    let mut tables = [[0; 256]; 8];
    let mut byte = 0;
    while byte < 256 {
        let mut crc = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 1 != 0 { 0xEDB8_8320 ^ (crc >> 1) } else { crc >> 1 };
            bit += 1;
        }
        tables[0][byte] = crc;
        byte += 1;
    }
    let mut slice = 1;
    while slice < 8 {
        let mut byte = 0;
        while byte < 256 {
            let before: u32 = tables[slice - 1][byte];
            tables[slice][byte] = tables[0][(before & 0xFF) as usize] ^ (before >> 8);
            byte += 1;
        }
        slice += 1;
    }
    tables
}

/// The checksum of these bytes.
pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    #[cfg(target_arch = "x86_64")]
    if bytes.len() >= folded::LEAST && std::arch::is_x86_feature_detected!("pclmulqdq") {
        // SAFETY: the processor has the instruction, and the bytes are enough.
        let (crc, rest) = unsafe { folded::crc(bytes) };
        return !by_table(crc, rest);
    }
    !by_table(u32::MAX, bytes)
}

fn by_table(mut crc: u32, bytes: &[u8]) -> u32 {
    let (eights, rest) = bytes.as_chunks::<8>();
    for eight in eights {
        let word = u64::from_le_bytes(*eight) ^ u64::from(crc);
        crc = 0;
        for (place, byte) in word.to_le_bytes().into_iter().enumerate() {
            crc ^= TABLES[7 - place][usize::from(byte)];
        }
    }
    for &byte in rest {
        crc = TABLES[0][usize::from(crc as u8 ^ byte)] ^ (crc >> 8);
    }
    crc
}

#[cfg(target_arch = "x86_64")]
mod folded {
    use std::arch::x86_64::{
        __m128i, _mm_and_si128, _mm_clmulepi64_si128, _mm_cvtsi32_si128, _mm_cvtsi128_si32, _mm_loadu_si128,
        _mm_set_epi64x, _mm_srli_si128, _mm_xor_si128,
    };

    /// Fewer bytes are not worth it.
    pub(super) const LEAST: usize = 128;

    /// Powers of x modulo the polynomial: over 512 bits, over 128 bits, from 96 to 64 bits.
    const OVER_512: [i64; 2] = [0x1_5444_2BD4, 0x1_C6E4_1596];
    const OVER_128: [i64; 2] = [0x1_7519_97D0, 0x0_CCAA_009E];
    const TO_64: i64 = 0x1_63CD_6124;
    /// The polynomial and its inverse, bits reversed.
    const POLYNOMIAL: [i64; 2] = [0x1_DB71_0641, 0x1_F701_1641];

    /// The state of the checksum after the first bytes, in sixteens, and the bytes that are left.
    ///
    /// # Safety
    /// The processor has `pclmulqdq`; there are at least [`LEAST`] bytes.
    #[target_feature(enable = "pclmulqdq")]
    pub(super) unsafe fn crc(bytes: &[u8]) -> (u32, &[u8]) {
        let (blocks, rest) = bytes.as_chunks::<16>();
        // SAFETY: a block has the bytes that are loaded.
        let load = |block: &[u8; 16]| unsafe { _mm_loadu_si128(block.as_ptr().cast::<__m128i>()) };
        let fold = |sum: __m128i, next: __m128i, [low, high]: [i64; 2]| {
            let powers = _mm_set_epi64x(high, low);
            let parts = [_mm_clmulepi64_si128(sum, powers, 0x00), _mm_clmulepi64_si128(sum, powers, 0x11)];
            _mm_xor_si128(_mm_xor_si128(next, parts[0]), parts[1])
        };
        let (fours, singles) = blocks.as_chunks::<4>();
        let mut lanes = fours[0].each_ref().map(load);
        lanes[0] = _mm_xor_si128(lanes[0], _mm_cvtsi32_si128(-1));
        for four in &fours[1..] {
            for (lane, block) in lanes.iter_mut().zip(four) {
                *lane = fold(*lane, load(block), OVER_512);
            }
        }
        let [mut sum, others @ ..] = lanes;
        for next in others.into_iter().chain(singles.iter().map(load)) {
            sum = fold(sum, next, OVER_128);
        }
        let low_half = _mm_set_epi64x(0, 0xFFFF_FFFF);
        let powers = _mm_set_epi64x(OVER_128[1], OVER_128[0]);
        sum = _mm_xor_si128(_mm_clmulepi64_si128(sum, powers, 0x10), _mm_srli_si128(sum, 8));
        let part = _mm_clmulepi64_si128(_mm_and_si128(sum, low_half), _mm_set_epi64x(0, TO_64), 0x00);
        sum = _mm_xor_si128(part, _mm_srli_si128(sum, 4));
        let barrett = _mm_set_epi64x(POLYNOMIAL[1], POLYNOMIAL[0]);
        let quotient = _mm_clmulepi64_si128(_mm_and_si128(sum, low_half), barrett, 0x10);
        let product = _mm_clmulepi64_si128(_mm_and_si128(quotient, low_half), barrett, 0x00);
        let crc = _mm_cvtsi128_si32(_mm_srli_si128(_mm_xor_si128(sum, product), 4));
        (crc.cast_unsigned(), rest)
    }
}

#[cfg(test)]
mod tests {
    use super::crc32;

    #[test]
    fn the_check_value_of_the_standard_comes_out() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(crc32(b""), 0);
    }

    #[test]
    fn every_length_agrees_with_the_crate_that_the_reader_uses() {
        let bytes: Vec<u8> = (0..700_u32).map(|place| (place.wrapping_mul(2_654_435_769) >> 11) as u8).collect();
        for length in 0..bytes.len() {
            assert_eq!(crc32(&bytes[..length]), crc32fast::hash(&bytes[..length]), "{length} bytes");
        }
    }
}
