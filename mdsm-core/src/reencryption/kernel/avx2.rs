//! The products on AVX2: 16 registers hold a tile of six rows and 16 columns.

#![expect(unsafe_code, reason = "intrinsics that load and store, and their call")]

use core::arch::x86_64::{
    __m256i, _mm256_add_epi32, _mm256_and_si256, _mm256_cmpgt_epi16, _mm256_load_si256,
    _mm256_loadu_si256, _mm256_madd_epi16, _mm256_set1_epi16, _mm256_set1_epi32,
    _mm256_setzero_si256, _mm256_srli_epi16, _mm256_storeu_si256, _mm256_sub_epi16,
    _mm256_xor_si256,
};

use super::Rows;
use super::packed::{Layout, PAIR_COLUMNS, Packed, PairLine};
use super::portable;

const TILE_ROWS: usize = 6;

pub(super) fn pairs(left: &Rows<'_>, right: &Packed, sums: &mut [u32]) {
    // SAFETY: `Backend::add_product` has asked the CPU for AVX2.
    unsafe { all_pairs(left, right, sums) }
}

pub(super) fn planes(left: &Rows<'_>, right: &Packed, sums: &mut [u32]) {
    #[target_feature(enable = "avx2")]
    fn compiled_for_avx2(left: &Rows<'_>, right: &Packed, sums: &mut [u32]) {
        portable::planes(left, right, sums);
    }
    // SAFETY: `Backend::add_product` has asked the CPU for AVX2.
    unsafe { compiled_for_avx2(left, right, sums) }
}

#[target_feature(enable = "avx2")]
fn all_pairs(left: &Rows<'_>, right: &Packed, sums: &mut [u32]) {
    let Layout::Pairs(lines) = &right.layout else {
        unreachable!("the caller matched the modulus")
    };
    let (depth, stride) = (right.rows(), right.stride());
    for (panel, lines) in lines.chunks_exact(depth).enumerate() {
        for half in 0..2 {
            let column = panel * PAIR_COLUMNS + half * 16;
            for first in (0..left.count()).step_by(TILE_ROWS) {
                let sums = &mut sums[first * stride + column..];
                match left.count() - first {
                    1 => tile::<1>(left.several(first), lines, half, sums, stride),
                    2 => tile::<2>(left.several(first), lines, half, sums, stride),
                    3 => tile::<3>(left.several(first), lines, half, sums, stride),
                    4 => tile::<4>(left.several(first), lines, half, sums, stride),
                    5 => tile::<5>(left.several(first), lines, half, sums, stride),
                    _ => tile::<TILE_ROWS>(left.several(first), lines, half, sums, stride),
                }
            }
        }
    }
}

/// Adds `ROWS` rows times half a panel to the sums, whose rows lie `stride` apart.
#[target_feature(enable = "avx2")]
#[inline]
fn tile<const ROWS: usize>(
    left: [&[i16]; ROWS],
    lines: &[PairLine],
    half: usize,
    sums: &mut [u32],
    stride: usize,
) {
    let pairs = lines.len() / 2;
    assert!(left.iter().all(|row| row.len() == 2 * pairs), "a row is as long as the panel is deep");
    let (left, lines) = (left.map(<[i16]>::as_ptr), lines.as_ptr());
    let mut tile = [[_mm256_setzero_si256(); 2]; ROWS];
    for pair in 0..pairs {
        // SAFETY: pair < pairs and half < 2, so the line is one of the 2 x pairs; a line is 64 bytes,
        // aligned to 64.
        let words = unsafe {
            let line = lines.add(2 * pair + half).cast::<__m256i>();
            [_mm256_load_si256(line), _mm256_load_si256(line.add(1))]
        };
        for (row, sums) in left.iter().zip(&mut tile) {
            // SAFETY: a row has 2 x pairs entries.
            let entries = unsafe { row.add(2 * pair).cast::<i32>().read_unaligned() };
            let entries = _mm256_set1_epi32(entries);
            for (sum, words) in sums.iter_mut().zip(words) {
                // The one sum that wraps, of two products 2^30, is still right modulo 2^16.
                *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(entries, words));
            }
        }
    }
    for (row, tile) in tile.iter().enumerate() {
        let sums = sums[row * stride..][..16].as_mut_ptr().cast::<__m256i>();
        for (at, sum) in tile.iter().enumerate() {
            // SAFETY: the slice above has 16 words, two registers.
            unsafe {
                let place = sums.add(at);
                _mm256_storeu_si256(place, _mm256_add_epi32(_mm256_loadu_si256(place), *sum));
            }
        }
    }
}

/// Noise by a table, 16 values at a time. The compiler left alone vectorizes the walk over the table.
pub(super) fn table_noise(random: &[[u8; 2]], table: &[u16], noise: &mut [i16]) {
    let (random, random_rest) = random.as_chunks::<16>();
    let (noise, noise_rest) = noise.as_chunks_mut::<16>();
    // SAFETY: `super::table_noise` has asked the CPU for AVX2.
    unsafe { whole_noise(random, table, noise) }
    portable::table_noise(random_rest, table, noise_rest);
}

#[target_feature(enable = "avx2")]
fn whole_noise(random: &[[[u8; 2]; 16]], table: &[u16], noise: &mut [[i16; 16]]) {
    let Some((_, entries)) = table.split_last() else { return };
    for (random, values) in random.iter().zip(noise) {
        // SAFETY: 16 pairs of bytes are one register.
        let bits = unsafe { _mm256_loadu_si256(random.as_ptr().cast()) };
        let half = _mm256_srli_epi16::<1>(bits);
        let mut size = _mm256_setzero_si256();
        for entry in entries {
            // Both sides have 15 bits, so a signed comparison will do; it yields -1 or 0.
            let entry = _mm256_set1_epi16(entry.cast_signed());
            size = _mm256_sub_epi16(size, _mm256_cmpgt_epi16(half, entry));
        }
        let sign = _mm256_and_si256(bits, _mm256_set1_epi16(1));
        let sign = _mm256_sub_epi16(_mm256_setzero_si256(), sign);
        let value = _mm256_sub_epi16(_mm256_xor_si256(size, sign), sign);
        // SAFETY: 16 values are one register.
        unsafe { _mm256_storeu_si256(values.as_mut_ptr().cast(), value) }
    }
}
