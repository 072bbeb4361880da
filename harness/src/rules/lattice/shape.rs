//! The parameter table, as far as it is chosen; what follows from it is computed. [PRE-1]

use super::law::Chi;

/// A line of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Column "set".
    pub name: &'static str,
    /// Column "number".
    pub number: u8,
    /// Column "n".
    pub n: usize,
    /// Column "log2 q".
    pub log2_q: u32,
    /// Column "chi".
    pub chi: Chi,
    /// Column "w".
    pub w: u32,
    /// Column "l".
    pub l: usize,
    /// Column "d".
    pub d: u32,
    /// Column "B".
    pub b: u32,
    /// Column "columns".
    pub columns: usize,
    /// Whether digits are the single bits 0 and 1.
    pub single_bits: bool,
    /// Column "flood": what the draws of chi are weighed by that a hop adds to a word of c2.
    pub flood: &'static [i64],
}

const fn line(number: u8, name: &'static str, n: usize, log2_q: u32, chi: Chi) -> Shape {
    let (b, columns) = if log2_q == 16 { (1, 256) } else { (3, 86) };
    let (single_bits, flood) = (false, &[1, 2, 4, 8, 16, 32, 64, 61]);
    Shape { name, number, n, log2_q, chi, w: 0, l: 0, d: 0, b, columns, single_bits, flood }
}

const fn digits(w: u32, l: usize, d: u32, shape: Shape) -> Shape {
    Shape { w, l, d, ..shape }
}

/// All sets, in the order of the table.
pub const SHAPES: [Shape; 9] = [
    Shape {
        b: 4,
        columns: 64,
        flood: &[1, 1, 2, 2, 3, 3, 4, 5],
        ..digits(4, 3, 4, line(0, "Toy16", 16, 16, Chi::Frodo1344))
    },
    digits(4, 3, 4, line(1, "S704", 704, 16, Chi::Frodo640)),
    digits(3, 4, 4, line(2, "S704x3", 704, 16, Chi::Frodo640)),
    Shape {
        flood: &[1, 2, 4, 8, 16, 32, 64, 71],
        ..digits(4, 3, 4, line(3, "S976", 976, 16, Chi::Frodo976))
    },
    Shape {
        flood: &[1, 2, 4, 8, 16, 32, 64, 6],
        ..digits(4, 3, 4, line(4, "S1344", 1_344, 16, Chi::Frodo1344))
    },
    Shape {
        flood: &[1, 2, 4, 8, 16, 32, 64, 114],
        ..digits(8, 2, 8, line(5, "W1152-B3", 1_152, 24, Chi::Frodo640))
    },
    Shape {
        flood: &[1, 2, 4, 8, 16, 32, 64, 152],
        ..digits(8, 2, 8, line(6, "W1792-B3", 1_792, 24, Chi::Frodo640))
    },
    Shape {
        flood: &[1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 2_048, 4_096, 3_795],
        ..digits(8, 3, 0, line(7, "H1152", 1_152, 24, Chi::Binomial))
    },
    Shape { single_bits: true, ..digits(1, 16, 0, line(8, "Bits704", 704, 16, Chi::Frodo640)) },
];

impl Shape {
    /// q.
    #[must_use]
    pub fn q(&self) -> i64 {
        1 << self.log2_q
    }

    /// Bytes of a word.
    #[must_use]
    pub fn word_bytes(&self) -> usize {
        if self.log2_q == 16 { 2 } else { 3 }
    }

    /// Values that a digit may have, lowest and highest.
    #[must_use]
    pub fn digit_range(&self) -> (i64, i64) {
        if self.single_bits { (0, 1) } else { (-(1 << (self.w - 1)), (1 << (self.w - 1)) - 1) }
    }

    /// Bytes of a capsule, of a public key, and of a re-encryption key of variant Public.
    #[must_use]
    pub fn sizes(&self) -> [usize; 3] {
        let (word, row) = (self.word_bytes(), self.columns * self.word_bytes());
        let capsule = 5 + 1 + 1 + 3 * 32 + (self.n + self.columns) * word;
        let public = 5 + 1 + self.n * row;
        let rekey = 5 + 1 + 1 + 4 * 32 + self.l * self.n * row;
        [capsule, public, rekey]
    }
}
