//! The matrix product inside a re-encryption, as one would first write it or call it.
//!
//! Rows of digits times the key, mod 2^16, in the shape of S976 without rerandomisation. Random
//! words stand for digits and key; the time does not depend on them. Whoever needs other types gets
//! his matrices converted beforehand, and nobody pays for converting the result back.

use std::num::Wrapping;
use std::rc::Rc;

use ndarray::Array2;

use crate::turns::{Party, Work};

/// Rows of digits, one for each capsule of a small batch.
pub const ROWS: usize = 12;
/// Digits of a capsule: three for each of 976 words.
pub const DEPTH: usize = 3 * 976;
/// Words of a capsule: 976 and 256.
pub const WIDTH: usize = 976 + 256;

/// Both factors, row by row.
pub struct Factors {
    left: Vec<u16>,
    right: Vec<u16>,
}

impl Factors {
    /// Random words.
    #[must_use]
    pub fn random() -> Self {
        // Knuth's MMIX generator; the high bits are its good ones.
        let mut state = 1u64;
        let mut word = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005);
            state = state.wrapping_add(1_442_695_040_888_963_407);
            (state >> 48) as u16
        };
        Self {
            left: (0..ROWS * DEPTH).map(|_| word()).collect(),
            right: (0..DEPTH * WIDTH).map(|_| word()).collect(),
        }
    }
}

/// One way to multiply.
pub struct Way {
    /// As the table shows it.
    pub name: &'static str,
    /// Takes its factors as they lie, in the types it likes, and multiplies whenever it is called.
    prepare: fn(&Rc<Factors>) -> Box<dyn Fn() -> Product>,
}

/// A product in the type of its way; turned to words only for the comparison.
enum Product {
    Words(Vec<u16>),
    Wrapped(Array2<Wrapping<u16>>),
    Reals(Array2<f64>),
}

impl Product {
    fn words(self) -> Vec<u16> {
        match self {
            Self::Words(words) => words,
            Self::Wrapped(words) => words.iter().map(|word| word.0).collect(),
            // Below 2^53 every sum is exact, so its low bits are the product mod 2^16.
            Self::Reals(reals) => reals.iter().map(|real| *real as u64 as u16).collect(),
        }
    }
}

/// The plainest first.
pub const WAYS: [Way; 4] = [
    Way {
        name: "triple loop, row by column",
        prepare: |factors| {
            let factors = factors.clone();
            Box::new(move || Product::Words(triple_loop(&factors)))
        },
    },
    Way {
        name: "ndarray 0.17.2, Wrapping<u16>",
        prepare: |factors| {
            let left = array(ROWS, DEPTH, &factors.left, Wrapping);
            let right = array(DEPTH, WIDTH, &factors.right, Wrapping);
            Box::new(move || Product::Wrapped(left.dot(&right)))
        },
    },
    Way {
        name: "ndarray 0.17.2, f64 (matrixmultiply)",
        prepare: |factors| {
            let left = array(ROWS, DEPTH, &factors.left, f64::from);
            let right = array(DEPTH, WIDTH, &factors.right, f64::from);
            Box::new(move || Product::Reals(left.dot(&right)))
        },
    },
    Way {
        name: "loop over rows of the key, vectorised by the compiler",
        prepare: |factors| {
            let factors = factors.clone();
            Box::new(move || Product::Words(row_loop(&factors)))
        },
    },
];

fn array<T>(rows: usize, columns: usize, words: &[u16], convert: fn(u16) -> T) -> Array2<T> {
    let values = words.iter().map(|word| convert(*word)).collect();
    Array2::from_shape_vec((rows, columns), values).expect("the words fill the shape")
}

fn triple_loop(factors: &Factors) -> Vec<u16> {
    let mut product = vec![0u16; ROWS * WIDTH];
    for row in 0..ROWS {
        for column in 0..WIDTH {
            let mut sum = 0u16;
            for at in 0..DEPTH {
                let (left, right) =
                    (factors.left[row * DEPTH + at], factors.right[at * WIDTH + column]);
                sum = sum.wrapping_add(left.wrapping_mul(right));
            }
            product[row * WIDTH + column] = sum;
        }
    }
    product
}

fn row_loop(factors: &Factors) -> Vec<u16> {
    let mut product = vec![0u16; ROWS * WIDTH];
    for (sums, left) in product.chunks_exact_mut(WIDTH).zip(factors.left.chunks_exact(DEPTH)) {
        for (left, right) in left.iter().zip(factors.right.chunks_exact(WIDTH)) {
            for (sum, right) in sums.iter_mut().zip(right) {
                *sum = sum.wrapping_add(left.wrapping_mul(*right));
            }
        }
    }
    product
}

/// Every way, at work.
pub struct Products {
    /// Name and work; the work is a batch of `ROWS`.
    pub works: Vec<(&'static str, Work<'static>)>,
}

impl Products {
    /// Every way on the same factors.
    ///
    /// # Panics
    /// When two ways disagree.
    #[must_use]
    pub fn new() -> Self {
        let factors = Rc::new(Factors::random());
        let mut first = None;
        let work = |way: &Way| {
            let multiply = (way.prepare)(&factors);
            let words = multiply().words();
            let first = first.get_or_insert_with(|| words.clone());
            assert!(*first == words, "{} has another product", way.name);
            (way.name, Work::repeated(multiply))
        };
        Self { works: WAYS.iter().map(work).collect() }
    }
}

impl Default for Products {
    fn default() -> Self {
        Self::new()
    }
}

impl Party for Products {
    fn take_turn(&mut self) {
        for (_, work) in &mut self.works {
            work.take_turn();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_has_one_product() {
        assert_eq!(Products::new().works.len(), WAYS.len());
    }
}
