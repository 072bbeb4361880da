//! The matrix A of a set: one for everybody, expanded once. [PRE-1]

use std::sync::OnceLock;

use super::expand::Uniform;
use super::kernel::Packed;
use super::set::Set;

/// A, n x n uniform words that follow from the set's number alone.
pub(super) struct Setup {
    /// A as rows, for products from its left.
    pub(super) rows: Uniform,
    /// A packed, for products from its right.
    pub(super) packed: Packed,
}

impl Setup {
    /// The set's matrix; the first call takes about a millisecond.
    pub(super) fn of(set: Set) -> &'static Self {
        static CACHE: [OnceLock<Setup>; Set::ALL.len()] =
            [const { OnceLock::new() }; Set::ALL.len()];
        CACHE[set as usize].get_or_init(|| {
            let parameters = set.parameters();
            let rows = Uniform::new(*b"MLWA", set, &[]);
            let (dimension, modulus) = (parameters.dimension, parameters.modulus);
            let mut packed = Packed::zeros(modulus, dimension, dimension);
            rows.for_each_row(dimension, |row, words| packed.set_row(row, words));
            Self { rows, packed }
        })
    }
}
