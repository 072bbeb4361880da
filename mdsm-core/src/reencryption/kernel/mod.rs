//! Products of integer matrices modulo a power of two: all the arithmetic of the scheme. [PRE-1]
//!
//! Every algorithm multiplies rows of short integers (noise, digits, or the words themselves) by a
//! matrix that is used again and again, so the matrix is kept [`Packed`] in the order in which the
//! kernels read it. Sums wrap in 32 bits, which is exact modulo 2^16 and 2^24.
//!
//! | CPU | modulo 2^16: pairs of rows | modulo 2^24: three signed bytes of four rows |
//! |---|---|---|
//! | any | `portable` | `portable` |
//! | AVX2 | `avx2`, `vpmaddwd` | `portable`, compiled for AVX2 |
//! | AVX-512 VNNI | `avx512`, `vpdpwssd` | `avx512`, `vpdpbusd` |
//!
//! Cost: rows x depth x columns multiply-adds. A product of few rows reads the matrix once and is
//! bound by memory; one of 12 rows or more is bound by the multipliers.
//!
//! Time: no branch and no address in a kernel depends on an entry. `.ci/constant-time` holds to that what
//! valgrind's CPU runs, by complete traces: the AVX2 kernels modulo 2^16, the samplers with their
//! portable ends, AES-NI, and SHA-256 in plain code. All others, those for AVX-512 and VAES, the portable
//! product and products modulo 2^24, are held to it by reading only.
//!
//! Unsafe code stands in this folder only: intrinsics that load and store, and calls of functions
//! that are compiled for a CPU that was asked for.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod lanes;
mod packed;
mod portable;
#[cfg(target_arch = "x86_64")]
mod vaes;

use std::ops::Range;

use aes::Aes256Enc;
use aes::cipher::{Array, BlockCipherEncrypt as _, KeyInit as _};
use ndarray::Array2;

pub(crate) use lanes::{add_scaled_rows_16, add_scaled_rows_24, add_weighted, round_to_digits};
pub use packed::Modulus;
pub(crate) use packed::Packed;

/// What computes. All give the same bits; tests hold each against the portable one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Backend {
    /// Plain code, any CPU.
    Portable,
    /// x86-64 with AVX2.
    Avx2,
    /// x86-64 with AVX-512 F, BW, VNNI.
    Avx512,
}

impl Backend {
    //= harness/spec/reencryption.md#pre-1-scheme
    //# PRE-1.6 (ours): Every fast kernel MUST yield the same bits as the portable one.
    /// The best that this CPU offers; the standard library remembers what the CPU said.
    #[must_use]
    pub fn detect() -> Self {
        Self::available().last().unwrap_or(Self::Portable)
    }

    /// All that this CPU offers, the best last.
    pub fn available() -> impl Iterator<Item = Self> {
        [Self::Portable, Self::Avx2, Self::Avx512].into_iter().filter(|backend| backend.is_here())
    }

    #[cfg(target_arch = "x86_64")]
    fn is_here(self) -> bool {
        match self {
            Self::Portable => true,
            Self::Avx2 => is_x86_feature_detected!("avx2"),
            Self::Avx512 => {
                Self::Avx2.is_here()
                    && is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512bw")
                    && is_x86_feature_detected!("avx512vnni")
            }
        }
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn is_here(self) -> bool {
        self == Self::Portable
    }

    /// Adds columns `depth` of `left`, times `right`, to `sums`: shapes rows x depth, depth x columns,
    /// rows x [`Packed::stride`].
    ///
    /// Entries of `left` are taken as they are; where `right` is modulo 2^24 they must fit in 8 bits.
    /// Of a sum only the bits of the modulus mean something, and columns past those of `right` are 0.
    ///
    /// # Panics
    /// When the shapes do not fit, or this CPU does not offer the backend.
    pub(crate) fn add_product(
        self,
        left: &Array2<i16>,
        depth: Range<usize>,
        right: &Packed,
        sums: &mut Array2<u32>,
    ) {
        assert!(self.is_here(), "{self:?} is not offered by this CPU");
        assert_eq!(depth.len(), right.rows(), "depth of both sides");
        assert_eq!((left.nrows(), right.stride()), sums.dim(), "rows and columns of the result");
        let entries = left.as_slice().expect("rows stand one after another");
        let left = Rows { entries, stride: left.ncols(), depth };
        let sums = sums.as_slice_mut().expect("rows stand one after another");
        match (self, right.modulus()) {
            #[cfg(target_arch = "x86_64")]
            (Self::Avx512, Modulus::Q16) => avx512::pairs(&left, right, sums),
            #[cfg(target_arch = "x86_64")]
            (Self::Avx512, Modulus::Q24) => avx512::planes(&left, right, sums),
            #[cfg(target_arch = "x86_64")]
            (Self::Avx2, Modulus::Q16) => avx2::pairs(&left, right, sums),
            #[cfg(target_arch = "x86_64")]
            (Self::Avx2, Modulus::Q24) => avx2::planes(&left, right, sums),
            (_, Modulus::Q16) => portable::pairs(&left, right, sums),
            (_, Modulus::Q24) => portable::planes(&left, right, sums),
        }
    }
}

/// Turns 16 random bits each into noise by a table of cumulated frequencies: the lowest bit is the
/// sign, the other 15 are compared with every entry but the last. Frodo's sampler.
///
/// # Panics
/// When there are not two random bytes for each value.
pub(crate) fn table_noise(random: &[[u8; 2]], table: &[u16], noise: &mut [i16]) {
    assert_eq!(random.len(), noise.len(), "two random bytes for each value");
    #[cfg(target_arch = "x86_64")]
    if Backend::Avx2.is_here() {
        return avx2::table_noise(random, table, noise);
    }
    portable::table_noise(random, table, noise);
}

/// Adds the first rows of the uniform matrix modulo 2^16 of an AES-128 key, times their factors, to
/// the sums, if this CPU can do so without ever writing the matrix down. Says whether it did.
///
/// # Panics
/// When the rows do not come in eights.
pub(crate) fn add_expanded_rows_16(key: &[u8; 16], factors: &[i16], sums: &mut [u32]) -> bool {
    #[cfg(target_arch = "x86_64")]
    if vaes::is_here() {
        vaes::add_expanded_rows(key, factors, sums);
        return true;
    }
    let _ = (key, factors, sums);
    false
}

/// Random bytes from 32 secret ones: AES-256 on numbered blocks. Wiped on drop.
pub(crate) struct StreamCipher(Cipher);

enum Cipher {
    /// With VAES.
    #[cfg(target_arch = "x86_64")]
    Wide(vaes::StreamKeys),
    /// As the `aes` crate does it on this CPU.
    Plain(Aes256Enc),
}

impl StreamCipher {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        #[cfg(target_arch = "x86_64")]
        if let Some(keys) = vaes::StreamKeys::new(key) {
            return Self(Cipher::Wide(keys));
        }
        Self::plain(key)
    }

    fn plain(key: &[u8; 32]) -> Self {
        Self(Cipher::Plain(Aes256Enc::new(&(*key).into())))
    }

    /// Encrypts blocks that hold `first`, then `second`, one higher in each block, then zeros.
    pub(crate) fn fill(&self, first: u32, second: u32, blocks: &mut [[u8; 16]; 64]) {
        match &self.0 {
            #[cfg(target_arch = "x86_64")]
            Cipher::Wide(keys) => keys.fill(first, second, blocks),
            Cipher::Plain(cipher) => {
                number_blocks(first, second, blocks);
                cipher.encrypt_blocks(Array::cast_slice_from_core_mut(blocks));
            }
        }
    }
}

/// Numbers blocks for a cipher: `first`, then `second`, one higher in each block, then zeros.
pub(crate) fn number_blocks(first: u32, second: u32, blocks: &mut [[u8; 16]]) {
    for (block, second) in blocks.iter_mut().zip(u64::from(second)..) {
        *block = u128::from(u64::from(first) | second << 32).to_le_bytes();
    }
}

/// The left side of a product.
struct Rows<'a> {
    entries: &'a [i16],
    /// Entries from one row to the next.
    stride: usize,
    /// Which entries of each row take part.
    depth: Range<usize>,
}

impl<'a> Rows<'a> {
    fn count(&self) -> usize {
        self.entries.len() / self.stride
    }

    fn row(&self, row: usize) -> &'a [i16] {
        &self.entries[row * self.stride..][self.depth.clone()]
    }

    /// Rows from `first` on.
    fn several<const ROWS: usize>(&self, first: usize) -> [&'a [i16]; ROWS] {
        std::array::from_fn(|row| self.row(first + row))
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::ChaCha20Rng;
    use rand_chacha::rand_core::{Rng as _, SeedableRng as _};

    use super::*;

    /// The product by its definition, with sums that cannot wrap.
    fn by_definition(left: &Array2<i16>, right: &Array2<u32>, modulus: Modulus) -> Array2<u32> {
        let mask = i128::from(modulus.mask());
        Array2::from_shape_fn((left.nrows(), right.ncols()), |(row, column)| {
            let products = (0..right.nrows())
                .map(|k| i128::from(left[[row, k]]) * i128::from(right[[k, column]]));
            u32::try_from(products.sum::<i128>().rem_euclid(mask + 1)).unwrap()
        })
    }

    fn check(left: &Array2<i16>, right: &Array2<u32>, modulus: Modulus) {
        let packed = Packed::new(modulus, right.view());
        assert_eq!(packed.unpacked(), right, "packing and back");
        let expected = by_definition(left, right, modulus);
        for backend in Backend::available() {
            let start = Array2::from_elem((left.nrows(), packed.stride()), 0xfff1_2345);
            let mut sums = start.clone();
            backend.add_product(left, 0..left.ncols(), &packed, &mut sums);
            for ((at, sum), start) in sums.indexed_iter().zip(&start) {
                let expected = expected.get(at).copied().unwrap_or(0);
                let found = sum.wrapping_sub(*start) & modulus.mask();
                assert_eq!(found, expected, "{backend:?} {modulus:?} at {at:?}");
            }
        }
    }

    /// Rows around every tile height, columns around every panel width.
    fn shapes() -> impl Iterator<Item = (usize, usize, usize)> {
        let rows = [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 24, 25];
        rows.into_iter()
            .flat_map(|rows| [(rows, 4, 1), (rows, 8, 16), (rows, 20, 33), (rows, 12, 64)])
    }

    #[test]
    fn every_backend_multiplies_random_words() {
        let mut rng = ChaCha20Rng::from_seed([1; 32]);
        for (rows, depth, columns) in shapes() {
            for modulus in [Modulus::Q16, Modulus::Q24] {
                let right = Array2::from_shape_simple_fn((depth, columns), || {
                    rng.next_u32() & modulus.mask()
                });
                let left = Array2::from_shape_simple_fn((rows, depth), || {
                    let word = rng.next_u32();
                    let [low, high, ..] = word.to_le_bytes();
                    match modulus {
                        Modulus::Q16 => i16::from_le_bytes([low, high]),
                        Modulus::Q24 => i16::from(i8::from_le_bytes([low])),
                    }
                });
                check(&left, &right, modulus);
            }
        }
    }

    #[test]
    fn every_backend_multiplies_extremes() {
        for (rows, depth, columns) in shapes() {
            for (modulus, entries) in
                [(Modulus::Q16, [i16::MIN, i16::MAX, -1]), (Modulus::Q24, [-128, 127, -1])]
            {
                for entry in entries {
                    for word in [
                        modulus.mask(),
                        modulus.mask() / 2 + 1,
                        modulus.mask() / 2,
                        0x8080 & modulus.mask(),
                    ] {
                        check(
                            &Array2::from_elem((rows, depth), entry),
                            &Array2::from_elem((depth, columns), word),
                            modulus,
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn wide_streams_are_those_of_the_crate() {
        for (key, first, second) in
            [([0; 32], 0, 0), ([7; 32], 3, 64), ([0xff; 32], u32::MAX, 1 << 31)]
        {
            let [mut wide, mut plain] = [[[0xa5; 16]; 64]; 2];
            StreamCipher::new(&key).fill(first, second, &mut wide);
            StreamCipher::plain(&key).fill(first, second, &mut plain);
            assert_eq!(wide, plain, "{first} {second}");
        }
    }

    /// The deepest product of any set, at its extremes: nothing may saturate on the way.
    #[test]
    fn the_deepest_sum_wraps_and_does_not_saturate() {
        let depth = 4 * 1_792;
        for (modulus, entry) in [(Modulus::Q16, i16::MIN), (Modulus::Q24, -128)] {
            check(
                &Array2::from_elem((2, depth), entry),
                &Array2::from_elem((depth, 3), modulus.mask() / 2 + 1),
                modulus,
            );
        }
    }
}
