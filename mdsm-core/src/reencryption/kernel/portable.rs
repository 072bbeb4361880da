//! The products in plain code: what every other kernel is held against.

use super::Rows;
use super::packed::{Layout, PAIR_COLUMNS, PLANE_COLUMNS, PLANES, Packed, PairLine, PlaneLine};

/// Modulo 2^16: two rows of the matrix at a time.
#[inline(always)]
pub(super) fn pairs(left: &Rows<'_>, right: &Packed, sums: &mut [u32]) {
    let Layout::Pairs(lines) = &right.layout else {
        unreachable!("the caller matched the modulus")
    };
    for (panel, lines) in lines.chunks_exact(right.rows()).enumerate() {
        for (row, sums) in sums.chunks_exact_mut(right.stride()).enumerate() {
            pair_panel(left.row(row), lines, &mut sums[panel * PAIR_COLUMNS..][..PAIR_COLUMNS]);
        }
    }
}

#[inline(always)]
fn pair_panel(row: &[i16], lines: &[PairLine], sums: &mut [u32]) {
    let mut halves = [[0i32; 16]; 2];
    for ([first, second], lines) in row.as_chunks().0.iter().zip(lines.as_chunks::<2>().0) {
        let (first, second) = (i32::from(*first), i32::from(*second));
        for (half, line) in halves.iter_mut().zip(lines) {
            for (sum, [upper, lower]) in half.iter_mut().zip(line.0.as_chunks().0) {
                let product = (first * i32::from(*upper)).wrapping_add(second * i32::from(*lower));
                *sum = sum.wrapping_add(product);
            }
        }
    }
    for (sum, added) in sums.iter_mut().zip(halves.as_flattened()) {
        *sum = sum.wrapping_add(added.cast_unsigned());
    }
}

/// Modulo 2^24: four rows of the matrix at a time, byte by byte.
#[inline(always)]
pub(super) fn planes(left: &Rows<'_>, right: &Packed, sums: &mut [u32]) {
    let Layout::Planes { lines, .. } = &right.layout else {
        unreachable!("the caller matched the modulus")
    };
    for (panel, lines) in lines.chunks_exact(right.rows() / 4 * PLANES).enumerate() {
        for (row, sums) in sums.chunks_exact_mut(right.stride()).enumerate() {
            plane_panel(left.row(row), lines, &mut sums[panel * PLANE_COLUMNS..][..PLANE_COLUMNS]);
        }
    }
}

#[inline(always)]
fn plane_panel(row: &[i16], lines: &[PlaneLine], sums: &mut [u32]) {
    let mut planes = [[0i32; PLANE_COLUMNS]; PLANES];
    for (entries, lines) in row.as_chunks::<4>().0.iter().zip(lines.as_chunks::<PLANES>().0) {
        let entries = entries.map(i32::from);
        for (plane, line) in planes.iter_mut().zip(lines) {
            for (sum, words) in plane.iter_mut().zip(line.0.as_chunks::<4>().0) {
                // At most 4 x 2^7 x 2^7; a sum stays far below 2^31 at any depth in use.
                for (entry, byte) in entries.iter().zip(words) {
                    *sum = sum.wrapping_add(entry * i32::from(*byte));
                }
            }
        }
    }
    for (column, sum) in sums.iter_mut().enumerate() {
        let of = |plane: usize| planes[plane][column].cast_unsigned();
        let product = of(0).wrapping_add(of(1) << 8).wrapping_add(of(2) << 16);
        *sum = sum.wrapping_add(product);
    }
}

/// Noise by a table, see `super::table_noise`. No branch and no index depends on what is drawn.
pub(super) fn table_noise(random: &[[u8; 2]], table: &[u16], noise: &mut [i16]) {
    let Some((_, entries)) = table.split_last() else { return };
    for (value, random) in noise.iter_mut().zip(random) {
        let bits = u16::from_le_bytes(*random);
        // Both sides have 15 bits: their difference has bit 15 exactly when it is below 0.
        let below = |entry: &u16| entry.wrapping_sub(bits >> 1) >> 15;
        let size: u16 = entries.iter().map(below).sum();
        let sign = (bits & 1).wrapping_neg();
        *value = (size ^ sign).wrapping_sub(sign).cast_signed();
    }
}
