//! The products on AVX-512 with VNNI: 24 of 32 registers hold the sums of a tile.

#![expect(unsafe_code, reason = "intrinsics that load and store, and their call")]

use core::arch::x86_64::{
    __m512i, _mm512_add_epi32, _mm512_dpbusd_epi32, _mm512_dpwssd_epi32, _mm512_load_si512,
    _mm512_loadu_si512, _mm512_set1_epi32, _mm512_setzero_si512, _mm512_slli_epi32,
    _mm512_storeu_si512, _mm512_sub_epi32,
};

use super::Rows;
use super::packed::{Layout, PAIR_COLUMNS, PLANE_COLUMNS, PLANES, Packed, PairLine, PlaneLine};

/// Rows of a tile of pairs: 12 x 2 registers.
const PAIR_ROWS: usize = 12;
/// Rows of a tile of planes: 8 x 3 registers.
const PLANE_ROWS: usize = 8;

pub(super) fn pairs(left: &Rows<'_>, right: &Packed, sums: &mut [u32]) {
    // SAFETY: `Backend::add_product` has asked the CPU for these features.
    unsafe { all_pairs(left, right, sums) }
}

pub(super) fn planes(left: &Rows<'_>, right: &Packed, sums: &mut [u32]) {
    // SAFETY: `Backend::add_product` has asked the CPU for these features.
    unsafe { all_planes(left, right, sums) }
}

/// Calls a function of so many rows with the number of rows as a constant.
macro_rules! with_rows {
    ($rows:expr, $function:ident $arguments:tt; $($count:literal)*; $most:ident) => {
        match $rows {
            $( $count => $function::<$count> $arguments, )*
            _ => $function::<$most> $arguments,
        }
    };
}

#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn all_pairs(left: &Rows<'_>, right: &Packed, sums: &mut [u32]) {
    let Layout::Pairs(lines) = &right.layout else {
        unreachable!("the caller matched the modulus")
    };
    let stride = right.stride();
    for (panel, lines) in lines.chunks_exact(right.rows()).enumerate() {
        for first in (0..left.count()).step_by(PAIR_ROWS) {
            let sums = &mut sums[first * stride + panel * PAIR_COLUMNS..];
            with_rows!(left.count() - first, pair_tile(left.several(first), lines, sums, stride);
                1 2 3 4 5 6 7 8 9 10 11; PAIR_ROWS);
        }
    }
}

/// Adds `ROWS` rows times a panel to the sums, whose rows lie `stride` apart.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn pair_tile<const ROWS: usize>(
    left: [&[i16]; ROWS],
    lines: &[PairLine],
    sums: &mut [u32],
    stride: usize,
) {
    let pairs = lines.len() / 2;
    assert!(left.iter().all(|row| row.len() == 2 * pairs), "a row is as long as the panel is deep");
    let (left, lines) = (left.map(<[i16]>::as_ptr), lines.as_ptr());
    let step = |pair: usize, tile: &mut [[__m512i; 2]; ROWS]| {
        // SAFETY: pair < pairs, so both lines are there; a line is 64 bytes, aligned to 64.
        let words = unsafe {
            let line = lines.add(2 * pair).cast::<__m512i>();
            [_mm512_load_si512(line), _mm512_load_si512(line.add(1))]
        };
        for (row, sums) in left.iter().zip(tile) {
            // SAFETY: a row has 2 x pairs entries.
            let entries = unsafe { row.add(2 * pair).cast::<i32>().read_unaligned() };
            let entries = _mm512_set1_epi32(entries);
            for (sum, words) in sums.iter_mut().zip(words) {
                *sum = _mm512_dpwssd_epi32(*sum, entries, words);
            }
        }
    };
    let mut tile = [[_mm512_setzero_si512(); 2]; ROWS];
    if ROWS > 2 {
        (0..pairs).for_each(|pair| step(pair, &mut tile));
    } else {
        // One sum has to wait four cycles for the next: so few rows keep sums of even and odd pairs.
        let mut odd = tile;
        for pair in (0..pairs).step_by(2) {
            step(pair, &mut tile);
            // Rows of the matrix come in fours, so pairs come in twos.
            step(pair + 1, &mut odd);
        }
        for (sum, odd) in tile.as_flattened_mut().iter_mut().zip(odd.as_flattened()) {
            *sum = _mm512_add_epi32(*sum, *odd);
        }
    }
    for (row, tile) in tile.iter().enumerate() {
        let sums = sums[row * stride..][..32].as_mut_ptr().cast::<__m512i>();
        for (at, sum) in tile.iter().enumerate() {
            // SAFETY: the slice above has 32 words, two registers.
            unsafe { add_to(sums.add(at), *sum) }
        }
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn all_planes(left: &Rows<'_>, right: &Packed, sums: &mut [u32]) {
    let Layout::Planes { lines, column_sums } = &right.layout else {
        unreachable!("the caller matched the modulus")
    };
    let (depth, stride) = (right.rows(), right.stride());
    // `vpdpbusd` wants its first factor unsigned: entries go in with 128 added.
    let mut rows = Vec::with_capacity(left.count() * depth);
    for row in 0..left.count() {
        #[expect(clippy::cast_possible_truncation, reason = "entries fit in 8 bits")]
        rows.extend(left.row(row).iter().map(|entry| *entry as i8 ^ i8::MIN));
    }
    for (panel, lines) in lines.chunks_exact(depth / 4 * PLANES).enumerate() {
        for first in (0..left.count()).step_by(PLANE_ROWS) {
            let column = panel * PLANE_COLUMNS;
            let sums = &mut sums[first * stride + column..];
            let (rows, excess) = (&rows[first * depth..], &column_sums[column..]);
            with_rows!(left.count() - first, plane_tile(rows, lines, excess, sums, stride);
                1 2 3 4 5 6 7; PLANE_ROWS);
        }
    }
}

/// Adds `ROWS` rows times a panel to the sums, whose rows lie `stride` apart. The rows, one after
/// another, have 128 added to every entry.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn plane_tile<const ROWS: usize>(
    left: &[i8],
    lines: &[PlaneLine],
    column_sums: &[u32],
    sums: &mut [u32],
    stride: usize,
) {
    let quads = lines.len() / PLANES;
    assert!(left.len() >= ROWS * 4 * quads, "a row is as long as the panel is deep");
    let (left, lines) = (left.as_ptr(), lines.as_ptr());
    let mut tile = [[_mm512_setzero_si512(); PLANES]; ROWS];
    for quad in 0..quads {
        // SAFETY: quad < quads, so the three lines are there; a line is 64 bytes, aligned to 64.
        let words = unsafe {
            let line = lines.add(PLANES * quad).cast::<__m512i>();
            [0, 1, 2].map(|plane| _mm512_load_si512(line.add(plane)))
        };
        for (row, sums) in tile.iter_mut().enumerate() {
            // SAFETY: the four entries lie in row `row` of ROWS rows of 4 x quads entries.
            let entries =
                unsafe { left.add((row * quads + quad) * 4).cast::<i32>().read_unaligned() };
            let entries = _mm512_set1_epi32(entries);
            for (sum, words) in sums.iter_mut().zip(words) {
                *sum = _mm512_dpbusd_epi32(*sum, entries, words);
            }
        }
    }
    let excess: &[u32; 16] = column_sums.first_chunk().expect("a sum for each column of a panel");
    // SAFETY: 16 words are one register.
    let excess = _mm512_slli_epi32::<7>(unsafe { _mm512_loadu_si512(excess.as_ptr().cast()) });
    for (row, [low, middle, high]) in tile.iter().enumerate() {
        let upper =
            _mm512_add_epi32(_mm512_slli_epi32::<8>(*middle), _mm512_slli_epi32::<16>(*high));
        let product = _mm512_sub_epi32(_mm512_add_epi32(*low, upper), excess);
        let sums = sums[row * stride..][..16].as_mut_ptr().cast::<__m512i>();
        // SAFETY: the slice above has 16 words, one register.
        unsafe { add_to(sums, product) }
    }
}

/// Adds a register to 16 words.
///
/// # Safety
/// `place` points to 16 words that may be read and written.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
#[inline]
unsafe fn add_to(place: *mut __m512i, sum: __m512i) {
    // SAFETY: the caller's.
    unsafe { _mm512_storeu_si512(place, _mm512_add_epi32(_mm512_loadu_si512(place), sum)) }
}
