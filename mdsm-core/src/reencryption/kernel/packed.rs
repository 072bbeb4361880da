//! A matrix of words in the order in which the kernels read it.

use ndarray::{Array2, ArrayView2};
use zeroize::Zeroize;

/// The modulus of a set, a power of two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Modulus {
    /// 2^16.
    Q16,
    /// 2^24.
    Q24,
}

impl Modulus {
    /// Bits of a word.
    #[must_use]
    pub const fn log2(self) -> u32 {
        match self {
            Self::Q16 => 16,
            Self::Q24 => 24,
        }
    }

    /// The highest word.
    #[must_use]
    pub const fn mask(self) -> u32 {
        (1 << self.log2()) - 1
    }

    /// Bytes of a word as it travels.
    #[must_use]
    pub const fn word_bytes(self) -> usize {
        match self {
            Self::Q16 => 2,
            Self::Q24 => 3,
        }
    }
}

/// One register of the widest kernel, aligned so that no load crosses a cache line.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Line<T, const N: usize>(pub(super) [T; N]);

/// Columns of a panel: what a tile of the kernels covers.
pub(super) const PAIR_COLUMNS: usize = 32;
pub(super) const PLANE_COLUMNS: usize = 16;
/// Signed bytes of a word modulo 2^24.
pub(super) const PLANES: usize = 3;

pub(super) type PairLine = Line<i16, 32>;
pub(super) type PlaneLine = Line<i8, 64>;

/// The words, panel by panel.
///
/// Pairs: for each two rows two lines, of 16 columns each; a lane holds both rows of one column.
/// Planes: for each four rows three lines, one for each signed byte of the words; a lane holds the
/// four rows of one column. A word is the sum of its signed bytes, weighted 1, 2^8 and 2^16.
#[derive(Clone)]
pub(super) enum Layout {
    Pairs(Vec<PairLine>),
    Planes {
        lines: Vec<PlaneLine>,
        /// Sums of the words of each column, for kernels that need the rows unsigned.
        column_sums: Vec<u32>,
    },
}

/// A matrix, packed.
#[derive(Clone)]
pub(crate) struct Packed {
    rows: usize,
    columns: usize,
    pub(super) layout: Layout,
}

impl Packed {
    /// Packs a matrix whose rows come in fours.
    pub(crate) fn new(modulus: Modulus, matrix: ArrayView2<'_, u32>) -> Self {
        let mut packed = Self::zeros(modulus, matrix.nrows(), matrix.ncols());
        for (row, words) in matrix.outer_iter().enumerate() {
            packed.set_row(row, words.to_slice().expect("a row is one run"));
        }
        packed
    }

    /// All zeros, to be filled by one [`Packed::set_row`] for each row.
    ///
    /// # Panics
    /// When the rows do not come in fours.
    pub(crate) fn zeros(modulus: Modulus, rows: usize, columns: usize) -> Self {
        assert!(rows.is_multiple_of(4), "{rows} rows do not come in fours");
        let layout = match modulus {
            Modulus::Q16 => {
                let lines = columns.div_ceil(PAIR_COLUMNS) * (rows / 2) * 2;
                Layout::Pairs(vec![Line([0; 32]); lines])
            }
            Modulus::Q24 => {
                let lines = columns.div_ceil(PLANE_COLUMNS) * (rows / 4) * PLANES;
                let stride = columns.next_multiple_of(PLANE_COLUMNS);
                Layout::Planes { lines: vec![Line([0; 64]); lines], column_sums: vec![0; stride] }
            }
        };
        Self { rows, columns, layout }
    }

    /// Puts a row in its place.
    #[expect(clippy::cast_possible_truncation, reason = "the low bytes are what is wanted")]
    pub(crate) fn set_row(&mut self, row: usize, words: &[u32]) {
        assert_eq!(words.len(), self.columns, "words of a row");
        let rows = self.rows;
        match &mut self.layout {
            Layout::Pairs(lines) => {
                let panels = lines.chunks_exact_mut(rows).zip(words.chunks(PAIR_COLUMNS));
                for (panel, words) in panels {
                    let halves = panel[row / 2 * 2..].iter_mut().zip(words.chunks(16));
                    for (line, words) in halves {
                        for (lane, word) in line.0.as_chunks_mut::<2>().0.iter_mut().zip(words) {
                            lane[row % 2] = *word as i16;
                        }
                    }
                }
            }
            Layout::Planes { lines, column_sums } => {
                for (sum, word) in column_sums.iter_mut().zip(words) {
                    *sum = sum.wrapping_add(*word);
                }
                let panels = lines.chunks_exact_mut(rows / 4 * PLANES);
                for (panel, words) in panels.zip(words.chunks(PLANE_COLUMNS)) {
                    let quad = &mut panel[row / 4 * PLANES..][..PLANES];
                    for (lane, word) in words.iter().enumerate() {
                        for (line, byte) in quad.iter_mut().zip(signed_bytes(*word)) {
                            line.0[lane * 4 + row % 4] = byte;
                        }
                    }
                }
            }
        }
    }

    /// Reads a row back.
    pub(crate) fn row(&self, row: usize, words: &mut [u32]) {
        assert_eq!(words.len(), self.columns, "words of a row");
        match &self.layout {
            Layout::Pairs(lines) => {
                let panels = lines.chunks_exact(self.rows).zip(words.chunks_mut(PAIR_COLUMNS));
                for (panel, words) in panels {
                    let halves = panel[row / 2 * 2..].iter().zip(words.chunks_mut(16));
                    for (line, words) in halves {
                        for (lane, word) in line.0.as_chunks::<2>().0.iter().zip(words) {
                            *word = lane[row % 2].cast_unsigned().into();
                        }
                    }
                }
            }
            Layout::Planes { lines, .. } => {
                let panels = lines.chunks_exact(self.rows / 4 * PLANES);
                for (panel, words) in panels.zip(words.chunks_mut(PLANE_COLUMNS)) {
                    let quad = &panel[row / 4 * PLANES..][..PLANES];
                    for (lane, word) in words.iter_mut().enumerate() {
                        let bytes = [0, 1, 2].map(|byte: usize| quad[byte].0[lane * 4 + row % 4]);
                        let [low, middle, high] = bytes.map(i32::from);
                        let sum = low + (middle << 8) + (high << 16);
                        *word = sum.cast_unsigned() & Modulus::Q24.mask();
                    }
                }
            }
        }
    }

    /// Rows: the depth of a product.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// Columns of a product: those of the matrix, filled up to whole panels.
    pub(crate) fn stride(&self) -> usize {
        let panel = match self.layout {
            Layout::Pairs(_) => PAIR_COLUMNS,
            Layout::Planes { .. } => PLANE_COLUMNS,
        };
        self.columns.next_multiple_of(panel)
    }

    pub(crate) fn modulus(&self) -> Modulus {
        match self.layout {
            Layout::Pairs(_) => Modulus::Q16,
            Layout::Planes { .. } => Modulus::Q24,
        }
    }

    /// The matrix as it was before.
    pub(crate) fn unpacked(&self) -> Array2<u32> {
        let mut matrix = Array2::zeros((self.rows, self.columns));
        for (row, mut words) in matrix.outer_iter_mut().enumerate() {
            self.row(row, words.as_slice_mut().expect("a row is one run"));
        }
        matrix
    }
}

/// A word as the sum of three signed bytes, lowest first.
#[expect(clippy::cast_possible_truncation, reason = "the low byte is what is wanted")]
fn signed_bytes(word: u32) -> [i8; PLANES] {
    let mut rest = word.cast_signed();
    [(); PLANES].map(|()| {
        let low = rest as i8;
        rest = (rest - i32::from(low)) >> 8;
        low
    })
}

impl Zeroize for Packed {
    fn zeroize(&mut self) {
        match &mut self.layout {
            Layout::Pairs(lines) => lines.iter_mut().for_each(|line| line.0.zeroize()),
            Layout::Planes { lines, column_sums } => {
                lines.iter_mut().for_each(|line| line.0.zeroize());
                column_sums.zeroize();
            }
        }
    }
}

impl std::fmt::Debug for Packed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Packed({} x {} {:?})", self.rows, self.columns, self.modulus())
    }
}
