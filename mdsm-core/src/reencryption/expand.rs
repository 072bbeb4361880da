//! Matrices and streams of random bytes from seeds.
//!
//! A uniform matrix is AES-128 on the numbers of its blocks, as in FrodoKEM: row | place in the row.
//! It is public. Secrets and noise come from AES-256 in counter mode, one stream for each use.
//! Neither needs more of the cipher than to look random; both cost a tenth of the products.

use aes::Aes128Enc;
use aes::cipher::{Array, BlockCipherEncrypt as _, KeyInit as _};

use super::kernel::{
    Modulus, StreamCipher, add_expanded_rows_16, add_scaled_rows_16, add_scaled_rows_24,
    number_blocks,
};
use super::set::Set;
use crate::codec::prefix;
use crate::crypto::sha256_parts;

pub(super) type Block = [u8; 16];

/// Rows that are expanded together: their words stay in the first-level cache.
const ROWS_AT_ONCE: usize = 8;

/// Blocks of a stream that are made together: what the widest cipher takes at once, for a few blocks
/// more or less cost it as much as all of these.
pub(super) const STREAM_BLOCKS: usize = 64;

/// A uniform matrix of words that exists only as its seed.
pub(super) struct Uniform {
    key: [u8; 16],
    cipher: Aes128Enc,
    modulus: Modulus,
    columns: usize,
}

impl Uniform {
    /// The matrix of `columns` columns that belongs to a tag, a set and a seed.
    pub(super) fn new(tag: [u8; 4], set: Set, seed: &[u8]) -> Self {
        let parameters = set.parameters();
        let key = sha256_parts(&[&prefix(tag), &[set as u8], seed]);
        let key: [u8; 16] = *key.as_bytes().first_chunk().expect("32 bytes hold 16");
        let (modulus, columns) = (parameters.modulus, parameters.dimension);
        Self { key, cipher: Aes128Enc::new(&key.into()), modulus, columns }
    }

    /// Bytes of a word as the cipher yields it.
    fn word_bytes(&self) -> usize {
        match self.modulus {
            Modulus::Q16 => 2,
            Modulus::Q24 => 4,
        }
    }

    /// Blocks of rows `first..first + rows`; dimensions are multiples of 16, so a row is whole blocks.
    fn blocks(&self, first: usize, rows: usize, blocks: &mut Vec<Block>) {
        let in_row = self.columns * self.word_bytes() / size_of::<Block>();
        blocks.resize(rows * in_row, [0; 16]);
        for (row, blocks) in (first..).zip(blocks.chunks_exact_mut(in_row)) {
            number_blocks(u32::try_from(row).expect("matrices are small"), 0, blocks);
        }
        self.cipher.encrypt_blocks(Array::cast_slice_from_core_mut(blocks));
    }

    /// Calls `take` with the number and the words of each row.
    pub(super) fn for_each_row(&self, rows: usize, mut take: impl FnMut(usize, &[u32])) {
        let mut blocks = Vec::new();
        let mut words = vec![0; self.columns];
        for first in (0..rows).step_by(ROWS_AT_ONCE) {
            let rows = ROWS_AT_ONCE.min(rows - first);
            self.blocks(first, rows, &mut blocks);
            for (row, blocks) in (first..).zip(blocks.chunks_exact(blocks.len() / rows)) {
                self.words(blocks.as_flattened(), &mut words);
                take(row, &words);
            }
        }
    }

    /// The words of a row in its bytes.
    fn words(&self, bytes: &[u8], words: &mut [u32]) {
        match self.modulus {
            Modulus::Q16 => {
                for (word, bytes) in words.iter_mut().zip(bytes.as_chunks().0) {
                    *word = u16::from_le_bytes(*bytes).into();
                }
            }
            Modulus::Q24 => {
                for (word, bytes) in words.iter_mut().zip(bytes.as_chunks().0) {
                    *word = u32::from_le_bytes(*bytes) & Modulus::Q24.mask();
                }
            }
        }
    }

    /// Adds `factors` times the first rows of the matrix to `sums`, without ever holding them all.
    pub(super) fn add_product(&self, factors: &[i16], sums: &mut [u32]) {
        if self.modulus == Modulus::Q16 && add_expanded_rows_16(&self.key, factors, sums) {
            return;
        }
        self.add_product_in_parts(factors, sums);
    }

    /// The same, expanding some rows at a time.
    fn add_product_in_parts(&self, factors: &[i16], sums: &mut [u32]) {
        let mut blocks = Vec::new();
        for (number, factors) in factors.chunks(ROWS_AT_ONCE).enumerate() {
            self.blocks(number * ROWS_AT_ONCE, factors.len(), &mut blocks);
            let bytes = blocks.as_flattened();
            match self.modulus {
                Modulus::Q16 => add_scaled_rows_16(factors, bytes.as_chunks().0, sums),
                Modulus::Q24 => add_scaled_rows_24(factors, bytes.as_chunks().0, sums),
            }
        }
    }
}

/// 32 secret bytes from which streams of random bytes come, one for each use.
pub(super) struct Coins(StreamCipher);

impl Coins {
    pub(super) fn new(key: &[u8; 32]) -> Self {
        Self(StreamCipher::new(key))
    }

    /// Stream `number`, from its start.
    pub(super) fn stream(&self, number: u32) -> Stream<'_> {
        Stream { cipher: &self.0, number, next: 0 }
    }
}

/// Random bytes of one use.
pub(super) struct Stream<'a> {
    cipher: &'a StreamCipher,
    number: u32,
    next: u32,
}

impl Stream<'_> {
    /// The next [`STREAM_BLOCKS`] blocks.
    pub(super) fn fill(&mut self, blocks: &mut [Block; STREAM_BLOCKS]) {
        self.cipher.fill(self.number, self.next, blocks);
        self.next = self.next.checked_add(1 << 6).expect("streams are far shorter than 64 GiB");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_are_never_written_down_are_the_same_rows() {
        for set in Set::ALL {
            let matrix = Uniform::new(*b"MLWX", *set, b"seed");
            let columns = set.parameters().dimension;
            let factors: Vec<i16> = (0..48).map(|row| row * 37 % 256 - 128).collect();
            let start: Vec<u32> = (0..).take(columns).collect();
            let [mut at_once, mut in_parts, mut by_rows] = [start.clone(), start.clone(), start];
            matrix.add_product(&factors, &mut at_once);
            matrix.add_product_in_parts(&factors, &mut in_parts);
            matrix.for_each_row(factors.len(), |row, words| {
                for (sum, word) in by_rows.iter_mut().zip(words) {
                    let factor = i32::from(factors[row]).cast_unsigned();
                    *sum = sum.wrapping_add(word.wrapping_mul(factor));
                }
            });
            let mask = set.parameters().modulus.mask();
            let reduced = |sums: Vec<u32>| sums.iter().map(|sum| sum & mask).collect::<Vec<_>>();
            let by_rows = reduced(by_rows);
            assert_eq!(reduced(at_once), by_rows, "{set:?}");
            assert_eq!(reduced(in_parts), by_rows, "{set:?}");
        }
    }

    /// FIPS 197, appendix B, by way of the crate: the words of a row are the cipher's blocks.
    #[test]
    fn the_words_of_a_row_are_blocks_of_aes_128() {
        let matrix = Uniform::new(*b"MLWA", Set::S704, &[]);
        let mut block = [0; 16];
        block[0] = 3;
        block[4] = 2;
        matrix.cipher.encrypt_block((&mut block).into());
        let mut found = Vec::new();
        matrix.for_each_row(4, |row, words| {
            if row == 3 {
                found = words[16..24]
                    .iter()
                    .flat_map(|word| word.to_le_bytes()[..2].to_vec())
                    .collect();
            }
        });
        assert_eq!(found, block);
    }
}
