//! Uniform matrices, streams of random bytes, and draws of noise. [PRE-1]

use aes::cipher::{BlockCipherEncrypt as _, KeyInit as _};
use aes::{Aes128Enc, Aes256Enc};

use super::super::merkle::sha256;
use super::super::mirror::Bytes32;
use super::law::Chi;
use super::shape::Shape;

/// A uniform matrix of n columns, row by row.
#[derive(Clone, Debug)]
pub struct Uniform {
    cipher: Aes128Enc,
    n: usize,
    log2_q: u32,
}

/// A block of the cipher: two numbers and eight zeros.
fn block(first: usize, second: usize) -> [u8; 16] {
    let mut block = [0; 16];
    block[..4].copy_from_slice(&u32::try_from(first).expect("few rows").to_le_bytes());
    block[4..8].copy_from_slice(&u32::try_from(second).expect("few blocks").to_le_bytes());
    block
}

impl Uniform {
    /// Uniform(tag, set, seed).
    ///
    /// # Panics
    /// Never: a hash has 16 bytes.
    #[must_use]
    pub fn new(tag: &[u8; 5], shape: &Shape, seed: &[u8]) -> Self {
        let hash = sha256(&[tag, &[shape.number], seed]);
        let key: [u8; 16] = hash[..16].try_into().expect("16 bytes");
        Self { cipher: Aes128Enc::new(&key.into()), n: shape.n, log2_q: shape.log2_q }
    }

    /// A.
    #[must_use]
    pub fn a(shape: &Shape) -> Self {
        Self::new(b"MLWA\x01", shape, &[])
    }

    /// One row.
    #[must_use]
    pub fn row(&self, row: usize) -> Vec<i64> {
        let mut words = Vec::new();
        for place in 0.. {
            if words.len() >= self.n {
                break;
            }
            let mut bytes = block(row, place);
            self.cipher.encrypt_block((&mut bytes).into());
            if self.log2_q == 16 {
                words.extend(bytes.chunks(2).map(little_endian));
            } else {
                words.extend(bytes.chunks(4).map(|bytes| little_endian(&bytes[..3])));
            }
        }
        words.truncate(self.n);
        words
    }
}

/// A number, its lowest byte first.
#[must_use]
pub fn little_endian(bytes: &[u8]) -> i64 {
    bytes.iter().rev().fold(0, |number, byte| number * 256 + i64::from(*byte))
}

/// The first blocks of Stream(key, k).
#[must_use]
pub fn stream(key: &Bytes32, k: usize, blocks: usize) -> Vec<[u8; 16]> {
    let cipher = Aes256Enc::new(&(*key).into());
    let mut random: Vec<[u8; 16]> = (0..blocks).map(|counter| block(k, counter)).collect();
    random.iter_mut().for_each(|bytes| cipher.encrypt_block(bytes.into()));
    random
}

/// So many draws of chi from Stream(key, k).
#[must_use]
pub fn draw(shape: &Shape, key: &Bytes32, k: usize, count: usize) -> Vec<i64> {
    if shape.chi == Chi::Binomial {
        return stream(key, k, count).iter().map(binomial).collect();
    }
    // Cumulated frequencies of 0, of 0 and 1, and so on, in 15 bits; the table holds the last of each.
    let mut table = Vec::new();
    let mut so_far = 0;
    for (size, frequency) in shape.chi.frequencies().iter().enumerate() {
        so_far += if size == 0 { frequency / 2 } else { *frequency };
        table.push(so_far - 1);
    }
    table.pop();
    let random = stream(key, k, count.div_ceil(8)).concat();
    let draws = random.chunks(2).take(count).map(|pair| {
        let r = little_endian(pair);
        let size = table.iter().filter(|entry| **entry < r / 2).count();
        let size = i64::try_from(size).expect("a short table");
        if r % 2 == 1 { -size } else { size }
    });
    draws.collect()
}

fn binomial(block: &[u8; 16]) -> i64 {
    let ones = |bytes: &[u8]| bytes.iter().map(|byte| i64::from(byte.count_ones())).sum::<i64>();
    ones(&block[..8]) - ones(&block[8..])
}

/// So many values of the flood from Stream(key, k): of every 64 blocks as many whole values as there are.
#[must_use]
pub fn flood(shape: &Shape, key: &Bytes32, k: usize, count: usize) -> Vec<i64> {
    let in_64 = if shape.chi == Chi::Binomial { 64 } else { 512 };
    let whole = in_64 / shape.flood.len();
    let draws = draw(shape, key, k, count.div_ceil(whole) * in_64);
    let mut values = Vec::new();
    for draws in draws.chunks(in_64) {
        for parts in draws.chunks(shape.flood.len()).take(whole) {
            values.push(parts.iter().zip(shape.flood).map(|(value, weight)| value * weight).sum());
        }
    }
    values.truncate(count);
    values
}
