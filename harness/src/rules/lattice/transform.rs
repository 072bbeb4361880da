//! Digits, Power, Offer, Accept, ReEnc, and the encodings of Offer and ReKey. [PRE-2]

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::super::merkle::sha256;
use super::super::mirror::Bytes32;
use super::random::{Uniform, draw, flood};
use super::scheme::{Capsule, Keys};
use super::shape::Shape;
use super::words::{Matrix, packed, plus, reduced, rows, scaled, times};

/// Digits(c1).
#[must_use]
pub fn digits(shape: &Shape, c1: &[i64]) -> Vec<i64> {
    let (lowest, highest) = shape.digit_range();
    let base = 1 << shape.w;
    let half = (1 << shape.d) / 2;
    let mut rest: Vec<i64> = c1.iter().map(|word| (word + half) >> shape.d).collect();
    let mut digits = Vec::new();
    for _ in 0..shape.l {
        for rest in &mut rest {
            let mut digit = rest.rem_euclid(base);
            if digit > highest {
                digit -= base;
            }
            assert!(digit >= lowest, "a digit of {} bits", shape.w);
            digits.push(digit);
            *rest = (*rest - digit) / base;
        }
    }
    digits
}

/// The row of Power(S) that digit j of word i meets.
fn power(shape: &Shape, s: &[Vec<i64>], row: usize) -> Vec<i64> {
    let (j, i) = (row / shape.n, row % shape.n);
    scaled(&s[i], 1 << (shape.d as usize + shape.w as usize * j))
}

/// Variant Public.
pub const PUBLIC: u8 = 0;
/// Variant KeyPrivate.
pub const KEY_PRIVATE: u8 = 1;

/// An offer whose rows of U are not yet computed.
#[derive(Debug)]
pub struct Offering<'a> {
    keys: &'a Keys,
    /// Variant.
    pub variant: u8,
    /// Whom it is for.
    pub owner: Bytes32,
    /// The reader's name.
    pub reader: Bytes32,
    /// Seed of X.
    pub seed: Bytes32,
    x: Uniform,
    e: Matrix,
}

/// U or Q, and what stands before it in an Offer or a ReKey.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rows {
    /// Variant.
    pub variant: u8,
    /// Whose capsules the key takes.
    pub owner: Bytes32,
    /// The reader's name.
    pub reader: Bytes32,
    /// Seed of X.
    pub seed: Bytes32,
    /// U, or Q but for X.
    pub rows: Matrix,
}

/// Offer(S_B, owner, variant, coins).
#[must_use]
pub fn offer<'a>(
    keys: &'a Keys,
    public: &Bytes32,
    owner: &Bytes32,
    variant: u8,
    coins: &Bytes32,
) -> Offering<'a> {
    let shape = keys.shape;
    let key = sha256(&[b"MOFN\x01", &[shape.number], &[variant], owner, public, coins]);
    let seed = sha256(&[b"MOFX\x01", &key]);
    let reader = if variant == PUBLIC { *public } else { sha256(&[b"MPSE\x01", &seed]) };
    let lines = (shape.l + usize::from(variant == KEY_PRIVATE)) * shape.n;
    let e = rows(&draw(shape, &key, 0, lines * shape.columns), shape.columns);
    let x = Uniform::new(b"MLWX\x01", shape, &seed);
    Offering { keys, variant, owner: *owner, reader, seed, x, e }
}

impl Offering<'_> {
    /// Rows of U.
    #[must_use]
    pub fn len(&self) -> usize {
        self.e.len()
    }

    /// Never.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.e.is_empty()
    }

    /// A row of U = -X S_B + E.
    #[must_use]
    pub fn row(&self, row: usize) -> Vec<i64> {
        let product = times(&self.x.row(row), &self.keys.s);
        reduced(self.keys.shape, &plus(&scaled(&product, -1), &self.e[row]))
    }

    /// The offer, given all rows of U.
    #[must_use]
    pub fn with(&self, rows: Matrix) -> Rows {
        let Self { variant, owner, reader, seed, .. } = *self;
        Rows { variant, owner, reader, seed, rows }
    }
}

fn accepted_row(keys: &Keys, row: usize, u: &[i64]) -> Vec<i64> {
    let shape = keys.shape;
    if row >= shape.l * shape.n {
        return u.to_vec();
    }
    reduced(shape, &plus(u, &power(shape, &keys.s, row)))
}

/// Accept(S_A, offer).
#[must_use]
pub fn accept(keys: &Keys, offer: &Rows) -> Rows {
    let rows = offer.rows.iter().enumerate().map(|(row, u)| accepted_row(keys, row, u)).collect();
    Rows { rows, ..offer.clone() }
}

impl Rows {
    fn encode(&self, shape: &Shape, tag: &[u8; 5], grant: &[u8]) -> Vec<u8> {
        let names = [self.owner, self.reader, self.seed].concat();
        let words = packed(shape, &self.rows.concat());
        [tag, &[shape.number, self.variant][..], grant, &names, &words].concat()
    }

    /// As an Offer.
    #[must_use]
    pub fn encode_offer(&self, shape: &Shape) -> Vec<u8> {
        self.encode(shape, b"MOFF\x01", &[])
    }

    /// As a ReKey under a grant.
    #[must_use]
    pub fn encode_rekey(&self, shape: &Shape, grant: &Bytes32) -> Vec<u8> {
        self.encode(shape, b"MRKY\x01", grant)
    }
}

/// The noise of a hop.
pub(super) struct HopNoise {
    pub(super) h1: Vec<i64>,
    pub(super) h2: Vec<i64>,
    /// With the flood.
    pub(super) h3: Vec<i64>,
}

impl HopNoise {
    pub(super) fn new(shape: &Shape, coins: &Bytes32) -> Self {
        let (h1, h2) = (draw(shape, coins, 0, shape.n), draw(shape, coins, 1, shape.n));
        let h3 = draw(shape, coins, 2, shape.columns);
        let h3 = plus(&h3, &flood(shape, coins, 3, shape.columns));
        Self { h1, h2, h3 }
    }
}

/// ReEnc(c): \[Digits(c1), h1\] Q + (h2, h3 + c2). `p` is P_B; a key of variant KeyPrivate does not look at
/// it.
///
/// # Panics
/// Never: a MAC takes keys of any length.
#[must_use]
pub fn re_enc(
    shape: &Shape,
    (rekey, grant): (&Rows, &Bytes32),
    p: &[Vec<i64>],
    secret: &Bytes32,
    capsule: &Capsule,
) -> Capsule {
    let key_digest = sha256(&[&rekey.encode_rekey(shape, grant)]);
    let capsule_digest = sha256(&[&capsule.encode(shape)]);
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).expect("a key of any length");
    mac.update(b"MCOI\x01");
    mac.update(&key_digest);
    mac.update(&capsule_digest);
    mac.update(&[capsule.hop]);
    let HopNoise { h1, h2, h3 } = HopNoise::new(shape, &mac.finalize().into_bytes().into());

    let (a, x) = (Uniform::a(shape), Uniform::new(b"MLWX\x01", shape, &rekey.seed));
    let ln = shape.l * shape.n;
    // Q: X beside the key's rows, then A beside P_B, or more rows of X beside more rows of the key.
    let mut left = Vec::new();
    let mut right = Vec::new();
    for row in 0..ln + shape.n {
        if row < ln || rekey.variant == KEY_PRIVATE {
            left.push(x.row(row));
            right.push(rekey.rows[row].clone());
        } else {
            left.push(a.row(row - ln));
            right.push(p[row - ln].clone());
        }
    }
    let factors = [digits(shape, &capsule.c1), h1].concat();
    Capsule {
        hop: capsule.hop + 1,
        holder: rekey.reader,
        c1: reduced(shape, &plus(&times(&factors, &left), &h2)),
        c2: reduced(shape, &plus(&plus(&times(&factors, &right), &h3), &capsule.c2)),
        ..capsule.clone()
    }
}
