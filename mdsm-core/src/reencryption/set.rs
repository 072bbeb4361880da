//! The parameter sets, each with every number that can be derived from it, so that tests can derive
//! them again. [PRE-1]
//!
//! A set that has been used never changes: its number stands in every hash and on the wire. A new one
//! takes a new number here, a line in the spec (the table "Parameter sets", PRE-1.7) and in the rules
//! (`harness/src/rules/lattice/shape.rs`), the known answers of `verify`, and the canaries of
//! `.ci/core-svp`. Its numbers are printed by
//! `cargo test -p harness --test reencryption numbers -- --nocapture`, its vectors written by
//! `MDSM_WRITE_VECTORS=1 cargo test -p harness --test reencryption vectors`. The dimension is a
//! multiple of 16 (whole blocks of AES, rows in fours and eights), q is 2^16 or 2^24, digits have at most
//! 8 bits, noise at most 64 in size.
//!
//! Failure bounds, noise and security are recomputed by `harness` and `.ci/core-svp` from n, q, law
//! and digits alone; the spec (reencryption, "Parameter sets") says how.

use super::kernel::Modulus;
use super::noise::{FRODO_640, FRODO_976, FRODO_1344, Noise};
use crate::codec::{PREFIX_BYTES, wire_enum};
use crate::types::Digest;

wire_enum!(
    /// Names a parameter set, on the wire too.
    Set {
        /// n = 16, for vectors that a reader can follow. No security.
        Toy16 = 0,
        /// The default: n = 704, modulo 2^16, two hops.
        S704 = 1,
        /// S704 with smaller digits: three hops.
        S704x3 = 2,
        /// n = 976, modulo 2^16, two hops.
        S976 = 3,
        /// n = 1344, modulo 2^16, five hops.
        S1344 = 4,
        /// n = 1152, modulo 2^24: small keys, ten hops.
        W1152B3 = 5,
        /// n = 1792, modulo 2^24: ten hops.
        W1792B3 = 6,
        /// n = 1152, modulo 2^24, with flooding noise. Experimental: meant to withstand honest
        /// re-encryption attacks, by an argument that no cryptographer has reviewed.
        H1152 = 7,
        /// S704 with single bits for digits: the scheme as Aono, Boyen, Phong and Wang wrote it.
        Bits704 = 8,
    }
);

wire_enum!(
    /// What stands in the rows of a re-encryption key that refresh a capsule's noise.
    Variant {
        /// A and the reader's public key: who has seen public keys knows the reader.
        //= harness/spec/reencryption.md#pre-9-defect-key-privacy
        //# PRE-9.3 (ours): The reference MUST NOT claim key privacy for a re-encryption key that
        //# holds the reader's public key.
        Public = 0,
        /// Fresh rows from the reader: the key names nobody. A capsule makes no hop after it.
        KeyPrivate = 1,
    }
);

/// The digits into which a capsule is cut before it is re-encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DigitShape {
    /// Bits of a digit.
    pub bits: u32,
    /// Digits of a word.
    pub count: usize,
    /// Low bits of a word that are rounded away.
    pub dropped_bits: u32,
    /// Whether digits lie around 0, from -2^(bits-1) to 2^(bits-1) - 1, or start at 0.
    pub signed: bool,
}

/// What a set is made of, and what follows from that.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parameters {
    /// The set.
    pub set: Set,
    /// Its name in the spec.
    pub name: &'static str,
    /// n: entries of a column of a secret key.
    pub dimension: usize,
    /// q.
    pub modulus: Modulus,
    /// Columns of a key: as many as hold 256 bits.
    pub columns: usize,
    /// Bits of the message in a word.
    pub message_bits: u32,
    /// chi: law of secrets and noise.
    pub noise: Noise,
    /// A proxy adds to each word of c2 as many draws by chi as there are weights here, each times its
    /// weight. Their deviation is at least that of what an honest reader's key adds anyhow, so that a
    /// reader whose key is none learns no more.
    pub flood: &'static [i16],
    /// Digits of a word.
    pub digits: DigitShape,
    /// Standard deviation of the noise in a fresh capsule.
    pub fresh_noise: f64,
    /// Standard deviation of what a hop adds to it.
    pub hop_noise: f64,
    /// After 0, 1, 2.. hops: the binary logarithm of a bound on the probability that one of the
    /// columns decodes wrongly, rounded up; [`IMPOSSIBLE`] where no noise is large enough.
    pub failure_log2: &'static [i32],
    /// Core-SVP security, classical and quantum, in bits, rounded down.
    pub core_svp: (u32, u32),
}

impl Parameters {
    //= harness/spec/reencryption.md#pre-1-scheme
    //# PRE-1.10 (ours): Every parameter set MUST keep the bound on the probability of a wrong column
    //# below 2^-128 for every hop that it allows.
    /// Hops that a capsule may make: as many as keep the failure bound below 2^-128, at most 10, and
    /// fewer in Toy16 and Bits704, which are there to be looked at.
    #[must_use]
    pub const fn hops_max(&self) -> usize {
        self.failure_log2.len() - 1
    }

    /// Words of a capsule.
    #[must_use]
    pub const fn capsule_words(&self) -> usize {
        self.dimension + self.columns
    }

    /// Bytes of an encoded capsule.
    #[must_use]
    pub const fn capsule_bytes(&self) -> usize {
        PREFIX_BYTES + 2 + 3 * Digest::BYTES + self.capsule_words() * self.modulus.word_bytes()
    }

    /// Bytes of an encoded public key.
    #[must_use]
    pub const fn public_key_bytes(&self) -> usize {
        PREFIX_BYTES + 1 + self.dimension * self.columns * self.modulus.word_bytes()
    }

    /// Bytes of an encoded re-encryption key.
    #[must_use]
    pub const fn rekey_bytes(&self, variant: Variant) -> usize {
        let words = self.rekey_rows(variant) * self.columns;
        PREFIX_BYTES + 2 + 4 * Digest::BYTES + words * self.modulus.word_bytes()
    }

    /// Rows of X and U: those of the digits and, where the key is private, as many as the dimension
    /// for refreshing.
    #[must_use]
    pub const fn rekey_rows(&self, variant: Variant) -> usize {
        //= harness/spec/reencryption.md#pre-9-defect-key-privacy
        //# PRE-9.2 (ours): A variant MUST be offered whose re-encryption key holds no public key, with
        //# fresh rows ( X', -X' S_B + E' ) in the place of ( A, P_B ).
        match variant {
            Variant::Public => self.digit_rows(),
            Variant::KeyPrivate => self.digit_rows() + self.dimension,
        }
    }

    /// Rows of a re-encryption key that carry the owner's secret.
    #[must_use]
    pub const fn digit_rows(&self) -> usize {
        self.dimension * self.digits.count
    }
}

/// The logarithm of 0.
pub const IMPOSSIBLE: i32 = i32::MIN;

const fn signed(bits: u32, count: usize, dropped_bits: u32) -> DigitShape {
    DigitShape { bits, count, dropped_bits, signed: true }
}

impl Set {
    /// The set's numbers.
    #[must_use]
    pub const fn parameters(self) -> &'static Parameters {
        match self {
            Self::Toy16 => &TOY16,
            Self::S704 => &S704,
            Self::S704x3 => &S704X3,
            Self::S976 => &S976,
            Self::S1344 => &S1344,
            Self::W1152B3 => &W1152B3,
            Self::W1792B3 => &W1792B3,
            Self::H1152 => &H1152,
            Self::Bits704 => &BITS704,
        }
    }
}

static TOY16: Parameters = Parameters {
    set: Set::Toy16,
    name: "Toy16",
    dimension: 16,
    modulus: Modulus::Q16,
    columns: 64,
    message_bits: 4,
    noise: FRODO_1344,
    flood: &[1, 1, 2, 2, 3, 3, 4, 5],
    digits: signed(4, 3, 4),
    fresh_noise: 11.6,
    hop_noise: 55.6,
    failure_log2: &[IMPOSSIBLE, -490, -327],
    core_svp: (0, 0),
};

static S704: Parameters = Parameters {
    set: Set::S704,
    name: "S704",
    dimension: 704,
    modulus: Modulus::Q16,
    columns: 256,
    message_bits: 1,
    noise: FRODO_640,
    flood: &[1, 2, 4, 8, 16, 32, 64, 61],
    digits: signed(4, 3, 4),
    fresh_noise: 297.3,
    hop_noise: 800.4,
    failure_log2: &[-1_406, -252, -131],
    core_svp: (144, 131),
};

static S704X3: Parameters = Parameters {
    set: Set::S704x3,
    name: "S704x3",
    digits: signed(3, 4, 4),
    hop_noise: 635.4,
    failure_log2: &[-1_406, -375, -205, -139],
    ..S704
};

static S976: Parameters = Parameters {
    set: Set::S976,
    name: "S976",
    dimension: 976,
    noise: FRODO_976,
    flood: &[1, 2, 4, 8, 16, 32, 64, 71],
    fresh_noise: 237.4,
    hop_noise: 750.8,
    failure_log2: &[-2_141, -299, -153],
    core_svp: (206, 187),
    ..S704
};

static S1344: Parameters = Parameters {
    set: Set::S1344,
    name: "S1344",
    dimension: 1_344,
    noise: FRODO_1344,
    flood: &[1, 2, 4, 8, 16, 32, 64, 6],
    fresh_noise: 105.9,
    hop_noise: 508.4,
    failure_log2: &[-7_526, -690, -354, -236, -175, -139],
    core_svp: (272, 247),
    ..S704
};

static W1152B3: Parameters = Parameters {
    set: Set::W1152B3,
    name: "W1152-B3",
    dimension: 1_152,
    modulus: Modulus::Q24,
    columns: 86,
    message_bits: 3,
    noise: FRODO_640,
    flood: &[1, 2, 4, 8, 16, 32, 64, 114],
    digits: signed(8, 2, 8),
    fresh_noise: 380.3,
    hop_noise: 12_239.8,
    failure_log2: &[
        IMPOSSIBLE, -4_233, -2_428, -1_685, -1_283, -1_034, -864, -742, -649, -577, -519,
    ],
    core_svp: (152, 138),
};

static W1792B3: Parameters = Parameters {
    set: Set::W1792B3,
    name: "W1792-B3",
    dimension: 1_792,
    flood: &[1, 2, 4, 8, 16, 32, 64, 152],
    fresh_noise: 474.3,
    hop_noise: 15_265.7,
    failure_log2: &[IMPOSSIBLE, -3_003, -1_628, -1_106, -834, -668, -557, -476, -416, -369, -332],
    core_svp: (265, 240),
    ..W1152B3
};

static H1152: Parameters = Parameters {
    set: Set::H1152,
    name: "H1152",
    noise: Noise::Binomial,
    flood: &[1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 2_048, 4_096, 3_795],
    digits: signed(8, 3, 0),
    fresh_noise: 1_536.0,
    hop_noise: 42_226.2,
    failure_log2: &[-43_066, -498, -222, -142],
    core_svp: (152, 138),
    ..W1152B3
};

//= harness/spec/reencryption.md#pre-2-defect-the-printed-re-encryption-key
//# PRE-2.3 (ours): The mode with single bits for digits MUST decrypt after re-encryption.
static BITS704: Parameters = Parameters {
    set: Set::Bits704,
    name: "Bits704",
    digits: DigitShape { bits: 1, count: 16, dropped_bits: 0, signed: false },
    hop_noise: 453.6,
    failure_log2: &[-1_406, -656, -386, -267],
    ..S704
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_of_a_set_fit_together() {
        for set in Set::ALL {
            let p = set.parameters();
            assert_eq!(p.set, *set);
            assert!(p.dimension.is_multiple_of(16), "{}: a multiple of 16", p.name);
            let digits = p.digits;
            let covered = digits.bits * u32::try_from(digits.count).unwrap() + digits.dropped_bits;
            assert_eq!(covered, p.modulus.log2(), "{}: digits cover a word", p.name);
            let bits = p.columns * p.message_bits as usize;
            assert!((256..256 + p.message_bits as usize).contains(&bits), "{}", p.name);
            assert!(p.failure_log2.iter().all(|log2| *log2 <= -128), "{}", p.name);
            assert!((1..=10).contains(&p.hops_max()), "{}", p.name);
        }
    }
}
