//! Words modulo q, in rows, and their bytes. [PRE-1]

use super::random::little_endian;
use super::shape::Shape;

/// Rows of words.
pub type Matrix = Vec<Vec<i64>>;

/// Cuts values into rows.
#[must_use]
pub fn rows(values: &[i64], columns: usize) -> Matrix {
    values.chunks(columns).map(<[i64]>::to_vec).collect()
}

/// A row times a matrix, not reduced: at most 2^13 terms of at most 2^24 x 2^24.
#[must_use]
pub fn times(row: &[i64], matrix: &[Vec<i64>]) -> Vec<i64> {
    assert_eq!(row.len(), matrix.len(), "depth of both sides");
    let mut sums = vec![0; matrix.first().map_or(0, Vec::len)];
    for (factor, line) in row.iter().zip(matrix) {
        for (sum, word) in sums.iter_mut().zip(line) {
            *sum += factor * word;
        }
    }
    sums
}

/// Each entry of the first row plus that of the second.
#[must_use]
pub fn plus(one: &[i64], other: &[i64]) -> Vec<i64> {
    assert_eq!(one.len(), other.len(), "rows of one length");
    one.iter().zip(other).map(|(one, other)| one + other).collect()
}

/// A row times a number.
#[must_use]
pub fn scaled(row: &[i64], factor: i64) -> Vec<i64> {
    row.iter().map(|word| word * factor).collect()
}

/// Each entry modulo q.
#[must_use]
pub fn reduced(shape: &Shape, row: &[i64]) -> Vec<i64> {
    row.iter().map(|word| word.rem_euclid(shape.q())).collect()
}

/// Words as they travel.
#[must_use]
pub fn packed(shape: &Shape, row: &[i64]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for word in row {
        bytes.extend_from_slice(&word.to_le_bytes()[..shape.word_bytes()]);
    }
    bytes
}

/// Words that travelled.
#[must_use]
pub fn unpacked(shape: &Shape, bytes: &[u8]) -> Vec<i64> {
    bytes.chunks(shape.word_bytes()).map(little_endian).collect()
}
