//! Key pairs: S secret, P = R - A S public. [PRE-1]

use ndarray::{Array2, ArrayView1, ArrayView2, Zip, s};
use zeroize::Zeroize;

use super::capsule::{put_words, take_words};
use super::expand::{Coins, Uniform};
use super::kernel::{Backend, Modulus, Packed};
use super::set::Set;
use super::setup::Setup;
use super::wiped::Wiped;
use crate::codec::{Decode, DecodeError, Encode, Reader, Wire, prefix};
use crate::crypto::{Identified as _, sha256_parts};
use crate::types::Digest;

/// Rows of a uniform matrix that are multiplied together.
const ROWS_AT_ONCE: usize = 48;

/// A secret key. Wiped on drop, never printed.
///
/// S has the dimension's rows and the set's columns, with entries drawn by the law of the set.
pub struct SecretKey {
    set: Set,
    pub(super) matrix: Packed,
    public: Digest,
}

/// A public key: P, of the dimension's rows and the set's columns.
#[derive(Clone, Debug)]
pub struct PublicKey {
    set: Set,
    pub(super) matrix: Packed,
    digest: Digest,
}

/// The key pair of a seed of 32 random bytes.
#[must_use]
pub fn generate(set: Set, seed: &[u8; 32]) -> (SecretKey, PublicKey) {
    //= harness/spec/reencryption.md#pre-1-scheme
    //# PRE-1.1 (paper): The scheme MUST provide key generation, encryption, decryption, generation
    //# of re-encryption keys and re-encryption under LWE.
    //= harness/spec/reencryption.md#pre-1-scheme
    //# PRE-1.2 (ours): Every algorithm of the scheme MUST yield the same bytes for the same seeds
    //# and parameter set.
    let parameters = set.parameters();
    let key = sha256_parts(&[&prefix(*b"MKGN"), &[set as u8], seed]);
    let coins = Coins::new(key.as_bytes());
    let shape = (parameters.dimension, parameters.columns);
    let draw = |stream| {
        let mut values = Wiped::new(vec![0; shape.0 * shape.1]);
        parameters.noise.draw(coins.stream(stream), &mut values);
        values
    };
    let secret = packed_secret(parameters.modulus, shape, &draw(0));
    let mut public = Array2::from_shape_fn(shape, |_| 0);
    for (word, value) in public.iter_mut().zip(draw(1).iter()) {
        *word = i32::from(*value).cast_unsigned();
    }
    subtract_product(&Setup::of(set).rows, &secret, &mut public);
    let public = PublicKey::new(set, Packed::new(parameters.modulus, public.view()));
    (SecretKey { set, matrix: secret, public: public.digest }, public)
}

fn packed_secret(modulus: Modulus, shape: (usize, usize), values: &[i16]) -> Packed {
    let mut packed = Packed::zeros(modulus, shape.0, shape.1);
    let mut words = Wiped::new(vec![0; shape.1]);
    for (row, values) in values.chunks_exact(shape.1).enumerate() {
        for (word, value) in words.iter_mut().zip(values) {
            *word = i32::from(*value).cast_unsigned() & modulus.mask();
        }
        packed.set_row(row, &words);
    }
    packed
}

/// Takes rows of a uniform matrix, times a secret one, off `words`, as many rows as `words` has.
/// Leaves the words reduced.
pub(super) fn subtract_product(uniform: &Uniform, secret: &Packed, words: &mut Array2<u32>) {
    let (rows, columns) = words.dim();
    let mut left = Array2::zeros((ROWS_AT_ONCE, secret.rows()));
    uniform.for_each_row(rows, |row, uniform| {
        let place = row % ROWS_AT_ONCE;
        left.row_mut(place).assign(&ArrayView1::from(uniform));
        if place + 1 == ROWS_AT_ONCE || row + 1 == rows {
            let products = product(left.slice(s![..=place, ..]), secret);
            let block = words.slice_mut(s![row - place..=row, ..]);
            Zip::from(block).and(products.slice(s![.., ..columns])).for_each(|word, product| {
                *word = word.wrapping_sub(*product) & secret.modulus().mask()
            });
        }
    });
}

/// Rows of whole words times a packed matrix: rows x [`Packed::stride`], reduced by nobody.
///
/// Modulo 2^24 the words go in as their three signed bytes, one after another.
pub(super) fn product(words: ArrayView2<'_, u32>, right: &Packed) -> Wiped<Array2<u32>> {
    let backend = Backend::detect();
    let shape = (words.nrows(), right.stride());
    let mut sums = Wiped::zeros(shape.0, shape.1);
    let depth = 0..right.rows();
    #[expect(clippy::cast_possible_truncation, reason = "the low bits are what is wanted")]
    match right.modulus() {
        Modulus::Q16 => {
            backend.add_product(&words.mapv(|word| word as i16), depth, right, &mut sums);
        }
        Modulus::Q24 => {
            let mut rest = words.mapv(u32::cast_signed);
            for shift in [0, 8, 16] {
                let bytes = rest.mapv(|rest| i16::from(rest as i8));
                rest.zip_mut_with(&bytes, |rest, byte| *rest = (*rest - i32::from(*byte)) >> 8);
                let mut plane = Wiped::zeros(shape.0, shape.1);
                backend.add_product(&bytes, depth.clone(), right, &mut plane);
                sums.zip_mut_with(&plane, |sum, plane| *sum = sum.wrapping_add(plane << shift));
            }
        }
    }
    sums
}

impl SecretKey {
    /// The parameter set.
    #[must_use]
    pub fn set(&self) -> Set {
        self.set
    }

    /// Digest of the public key that belongs to it.
    #[must_use]
    pub fn public(&self) -> Digest {
        self.public
    }
}

impl Drop for SecretKey {
    fn drop(&mut self) {
        self.matrix.zeroize();
    }
}

impl std::fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SecretKey(of {})", self.public)
    }
}

impl PublicKey {
    fn new(set: Set, matrix: Packed) -> Self {
        let mut key = Self { set, matrix, digest: Digest::new([0; 32]) };
        key.digest = key.id();
        key
    }

    /// The parameter set.
    #[must_use]
    pub fn set(&self) -> Set {
        self.set
    }

    /// SHA-256 of the encoding: the name of the key.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.digest == other.digest
    }
}

impl Eq for PublicKey {}

impl Encode for PublicKey {
    fn encode(&self, out: &mut Vec<u8>) {
        self.set.encode(out);
        put_matrix(&self.matrix, out);
    }
}

impl Decode for PublicKey {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let set: Set = reader.field("set")?;
        let matrix = take_matrix(set, set.parameters().dimension, reader)
            .map_err(|error| error.inside("matrix"))?;
        Ok(Self::new(set, matrix))
    }
}

impl Wire for PublicKey {
    const TAG: [u8; 4] = *b"MPUB";
    const NAME: &'static str = "PublicKey";
}

/// Appends the words of a matrix, row by row.
pub(super) fn put_matrix(matrix: &Packed, out: &mut Vec<u8>) {
    let mut words = Wiped::new(matrix.unpacked());
    put_words(matrix.modulus(), words.entries_mut(), out);
}

/// Reads a matrix of so many rows and the set's columns.
pub(super) fn take_matrix(
    set: Set,
    rows: usize,
    reader: &mut Reader<'_>,
) -> Result<Packed, DecodeError> {
    let parameters = set.parameters();
    let words = Wiped::new(take_words(parameters.modulus, rows * parameters.columns, reader)?);
    let words = ArrayView2::from_shape((rows, parameters.columns), &words)
        .expect("as many words as were asked for");
    Ok(Packed::new(parameters.modulus, words))
}
