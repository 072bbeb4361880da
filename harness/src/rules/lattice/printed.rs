//! The re-encryption key as the paper prints it, as a control that must fail. [PRE-2]
//!
//! Q = [[ X, -X S_B + E + S_A ], [ A, P_B ]] with X of n x n, and c1 enters as it is. Decryption then meets
//! c1 E, a sum of n products of a uniform word and a draw: as large as q, whatever q is.

use super::super::mirror::Bytes32;
use super::random::{Uniform, draw};
use super::scheme::{Capsule, Keys};
use super::shape::Shape;
use super::transform::HopNoise;
use super::words::{Matrix, plus, reduced, rows, scaled, times};

//= harness/spec/reencryption.md#pre-2-defect-the-printed-re-encryption-key
//# PRE-2.2 (ours): The harness MUST show that decryption after re-encryption with the key as printed
//# fails for about half of the bits.
/// The printed key from A to B, but for A and P_B.
#[derive(Debug)]
pub struct Key {
    shape: &'static Shape,
    x: Matrix,
    /// -X S_B + E + S_A.
    q: Matrix,
}

impl Key {
    /// X and E follow from the seed.
    #[must_use]
    pub fn new((owner, reader): (&Keys, &Keys), seed: &Bytes32) -> Self {
        let shape = owner.shape;
        let uniform = Uniform::new(b"MLWX\x01", shape, seed);
        let e = rows(&draw(shape, seed, 0, shape.n * shape.columns), shape.columns);
        let (mut x, mut q) = (Vec::new(), Vec::new());
        for (row, e) in e.iter().enumerate() {
            x.push(uniform.row(row));
            let product = scaled(&times(&x[row], &reader.s), -1);
            q.push(reduced(shape, &plus(&plus(&product, e), &owner.s[row])));
        }
        Self { shape, x, q }
    }

    /// \[c1, h1\] Q + (h2, h3 + c2), where `p` is P_B: c1 and c2 under S_B.
    #[must_use]
    pub fn re_encrypt(
        &self,
        p: &[Vec<i64>],
        coins: &Bytes32,
        capsule: &Capsule,
    ) -> (Vec<i64>, Vec<i64>) {
        let Self { shape, x, q } = self;
        let HopNoise { h1, h2, h3 } = HopNoise::new(shape, coins);
        let a = Uniform::a(shape);
        let a: Matrix = (0..shape.n).map(|row| a.row(row)).collect();
        let c1 = plus(&plus(&times(&capsule.c1, x), &times(&h1, &a)), &h2);
        let c2 = plus(&plus(&times(&capsule.c1, q), &times(&h1, p)), &h3);
        (reduced(shape, &c1), reduced(shape, &plus(&c2, &capsule.c2)))
    }
}
