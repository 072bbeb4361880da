//! KeyGen, Encaps, Decaps, and the encodings of PublicKey and Capsule. [PRE-1]

use super::super::merkle::sha256;
use super::super::mirror::Bytes32;
use super::random::{Uniform, draw};
use super::shape::Shape;
use super::words::{Matrix, packed, plus, reduced, rows, scaled, times};

/// What a seed gives: S and R.
#[derive(Clone, Debug)]
pub struct Keys {
    /// The set.
    pub shape: &'static Shape,
    /// S.
    pub s: Matrix,
    /// R.
    pub r: Matrix,
}

/// A capsule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capsule {
    /// Hops made.
    pub hop: u8,
    /// Name of the file's key.
    pub key_id: Bytes32,
    /// Digest of the public key that it was sealed under.
    pub owner: Bytes32,
    /// Digest of the public key that it is under.
    pub holder: Bytes32,
    /// c1.
    pub c1: Vec<i64>,
    /// c2.
    pub c2: Vec<i64>,
}

/// KeyGen(set, seed), but for P.
#[must_use]
pub fn key_gen(shape: &'static Shape, seed: &Bytes32) -> Keys {
    let key = sha256(&[b"MKGN\x01", &[shape.number], seed]);
    let matrix = |k| rows(&draw(shape, &key, k, shape.n * shape.columns), shape.columns);
    Keys { shape, s: matrix(0), r: matrix(1) }
}

impl Keys {
    /// A row of P = R - A S.
    #[must_use]
    pub fn public_row(&self, row: usize) -> Vec<i64> {
        let product = times(&Uniform::a(self.shape).row(row), &self.s);
        reduced(self.shape, &plus(&self.r[row], &scaled(&product, -1)))
    }

    /// P.
    #[must_use]
    pub fn public(&self) -> Matrix {
        (0..self.shape.n).map(|row| self.public_row(row)).collect()
    }
}

/// PublicKey.
#[must_use]
pub fn encode_public(shape: &Shape, p: &[Vec<i64>]) -> Vec<u8> {
    [b"MPUB\x01", &[shape.number][..], &packed(shape, &p.concat())].concat()
}

/// Encaps(P, `key_id`, m), and the file's key.
#[must_use]
pub fn encaps(shape: &Shape, p: &[Vec<i64>], key_id: &Bytes32, m: &Bytes32) -> (Capsule, Bytes32) {
    let digest = sha256(&[&encode_public(shape, p)]);
    let coins = sha256(&[b"MENC\x01", &[shape.number], &digest, key_id, m]);
    let e1 = draw(shape, &coins, 0, shape.n);
    let e2 = draw(shape, &coins, 1, shape.n);
    let e3 = draw(shape, &coins, 2, shape.columns);
    let a = Uniform::a(shape);
    let a: Matrix = (0..shape.n).map(|row| a.row(row)).collect();
    let c1 = plus(&times(&e1, &a), &e2);
    let c2 = plus(&plus(&times(&e1, p), &e3), &encoded(shape, m));
    let (c1, c2) = (reduced(shape, &c1), reduced(shape, &c2));
    let capsule = Capsule { hop: 0, key_id: *key_id, owner: digest, holder: digest, c1, c2 };
    (capsule, sha256(&[b"MKEM\x01", key_id, m]))
}

/// The message in the highest bits of the columns.
#[must_use]
pub fn encoded(shape: &Shape, m: &Bytes32) -> Vec<i64> {
    let step = shape.q() >> shape.b;
    let mut columns = vec![0; shape.columns];
    for bit in 0..256 {
        if m[bit / 8] & 1 << (bit % 8) != 0 {
            let b = shape.b as usize;
            columns[bit / b] += step << (bit % b);
        }
    }
    columns
}

/// The bits of Decaps(S, c), also those past the 256th.
#[must_use]
pub fn decrypted_bits(shape: &Shape, s: &[Vec<i64>], c1: &[i64], c2: &[i64]) -> Vec<bool> {
    let step = shape.q() >> shape.b;
    let noisy = plus(&times(c1, s), c2);
    let mut bits = Vec::new();
    for word in noisy {
        let value = (word + step / 2).rem_euclid(shape.q()) / step;
        bits.extend((0..shape.b).map(|bit| value >> bit & 1 == 1));
    }
    bits
}

/// Decaps(S, c).
#[must_use]
pub fn decaps(shape: &Shape, s: &[Vec<i64>], capsule: &Capsule) -> Bytes32 {
    let mut m = [0; 32];
    let bits = decrypted_bits(shape, s, &capsule.c1, &capsule.c2);
    for (place, bit) in bits.iter().enumerate().take(256) {
        m[place / 8] |= u8::from(*bit) << (place % 8);
    }
    m
}

impl Capsule {
    /// Capsule.
    #[must_use]
    pub fn encode(&self, shape: &Shape) -> Vec<u8> {
        let names = [self.key_id, self.owner, self.holder].concat();
        let words = packed(shape, &[&self.c1[..], &self.c2].concat());
        [b"MCAP\x01", &[shape.number, self.hop][..], &names, &words].concat()
    }
}
