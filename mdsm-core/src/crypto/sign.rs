//! Ed25519 by the rules of ZIP-215, under which a batch accepts exactly what single checks accept.
//! [STO-2] [STO-7]
//!
//! Other rules disagree with themselves: one widespread library accepts in a batch what it refuses
//! alone, which on a chain is a split. A key of small order signs anything and is refused when it
//! is enrolled, that is, when it first owns a record. Source: ZIP-215, "Explicitly Defining and
//! Modifying Ed25519 Validation Rules"; curve and batch equation from `ed25519-zebra`.

use curve25519_dalek::edwards::CompressedEdwardsY;
use ed25519_zebra as zebra;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use thiserror::Error;

use super::hash::{Hasher, sha256};
use crate::types::{OwnerId, Signature};

/// Why a key cannot be enrolled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum KeyError {
    /// The bytes are not a point of the curve.
    #[error("the key is not a point of the curve")]
    NotAPoint,
    /// The point has small order: a signature by it proves nothing.
    #[error("the key is of small order")]
    SmallOrder,
}

/// A signature that does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the signature does not hold")]
pub struct SignatureError;

/// A secret key. Wiped on drop, never printed.
pub struct SigningKey(zebra::SigningKey);

impl SigningKey {
    /// The key of a 32-byte seed (RFC 8032, section 5.1.5).
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(zebra::SigningKey::from_bytes(seed))
    }

    /// The public key.
    #[must_use]
    pub fn owner(&self) -> OwnerId {
        OwnerId::new(zebra::VerificationKeyBytes::from(&self.0).into())
    }

    /// Signs; the same key and message always give the same signature.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Signature {
        Signature::new(self.0.sign(message).into())
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey(of {})", self.owner())
    }
}

/// One signature to be checked.
#[derive(Clone, Copy, Debug)]
pub struct Signed<'a> {
    /// The key that should have signed.
    pub key: &'a OwnerId,
    /// What should have been signed.
    pub message: &'a [u8],
    /// The signature.
    pub signature: &'a Signature,
}

/// How signatures are checked: [`Ed25519`], or an ideal scheme where a simulation signs millions.
pub trait Scheme {
    /// Checks that a public key may own records.
    fn check_key(&self, key: &OwnerId) -> Result<(), KeyError> {
        check_key(key)
    }

    /// The same for a key under which a signature holds: it is a point, or nothing would.
    fn check_signer(&self, key: &OwnerId) -> Result<(), KeyError> {
        self.check_key(key)
    }

    /// Whether one signature holds.
    fn holds(&self, key: &OwnerId, message: &[u8], signature: &Signature) -> bool;

    /// Whether all of them hold.
    fn all_hold(&self, signed: &[Signed<'_>]) -> bool {
        signed.iter().all(|one| self.holds(one.key, one.message, one.signature))
    }
}

/// Ed25519 by ZIP-215.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ed25519;

/// From how many signatures on a batch is cheaper than single checks.
const BATCH_MIN: usize = 2;

impl Scheme for Ed25519 {
    fn check_signer(&self, key: &OwnerId) -> Result<(), KeyError> {
        check_signer(key)
    }

    fn holds(&self, key: &OwnerId, message: &[u8], signature: &Signature) -> bool {
        verify(key, message, signature).is_ok()
    }

    /// One batch, whose coefficients are a hash of all that it checks, so that nobody can choose a
    /// signature with the coefficients in hand and no randomness is needed.
    fn all_hold(&self, signed: &[Signed<'_>]) -> bool {
        if signed.len() < BATCH_MIN {
            return signed.iter().all(|one| self.holds(one.key, one.message, one.signature));
        }
        let mut hasher = Hasher::new();
        for one in signed {
            hasher.update(one.key.as_bytes());
            hasher.update(one.signature.as_bytes());
            hasher.update(sha256(one.message).as_bytes());
        }
        let batch = signed.iter().map(|one| (one.key, one.message, one.signature));
        verify_batch(batch, *hasher.finish().as_bytes()).is_ok()
    }
}

/// Checks that a public key may own records. Cost: a square root, as much as a fifth of a signature check.
pub fn check_key(owner: &OwnerId) -> Result<(), KeyError> {
    check_signer(owner)?;
    CompressedEdwardsY(*owner.as_bytes()).decompress().map(|_| ()).ok_or(KeyError::NotAPoint)
}

/// The same for a key under which a signature was found to hold, and which therefore is a point. Cost: a few
/// comparisons.
pub fn check_signer(owner: &OwnerId) -> Result<(), KeyError> {
    //= harness/spec/storage.md#sto-2-record-signature-acceptance
    //# STO-2.5 (ours): A record whose owner key is not a point of the curve or is of small order
    //# MUST be refused.
    let mut y = *owner.as_bytes();
    y[31] &= !SIGN_OF_X;
    if SMALL_ORDER_Y.contains(&y) { Err(KeyError::SmallOrder) } else { Ok(()) }
}

/// The bit of the last byte that is no part of y.
const SIGN_OF_X: u8 = 0x80;

/// Every y of a point of small order in every encoding that ZIP-215 reads: 1 and -1 of orders 1 and 2, 0 of
/// order 4, two of order 8, and p and p + 1, which are 0 and 1 once more.
#[rustfmt::skip]
const SMALL_ORDER_Y: [[u8; 32]; 7] = [
    [0; 32],
    little(1),
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
        0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
        0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ],
    near_p(0xec), near_p(0xed), near_p(0xee),
];

/// A small number.
const fn little(low: u8) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[0] = low;
    bytes
}

/// A number that differs from p = 2^255 - 19 in its last byte, at most.
const fn near_p(low: u8) -> [u8; 32] {
    let mut bytes = [0xff; 32];
    (bytes[0], bytes[31]) = (low, 0x7f);
    bytes
}

/// Checks one signature.
pub fn verify(
    owner: &OwnerId,
    message: &[u8],
    signature: &Signature,
) -> Result<(), SignatureError> {
    //= harness/spec/storage.md#sto-2-record-signature-acceptance
    //# STO-2.4 (ours): A signature MUST be judged by the rules of ZIP-215, with the same verdict
    //# whether it is checked alone or in a batch.
    zebra::VerificationKey::try_from(*owner.as_bytes())
        .and_then(|key| key.verify(&zebra::Signature::from(*signature.as_bytes()), message))
        .map_err(|_| SignatureError)
}

/// Checks many signatures at once; about half the cost of single checks.
///
/// `seed` gives the random coefficients. Whoever can guess it can pass a batch of bad signatures, so
/// it must be fresh and secret.
pub fn verify_batch<'a>(
    signed: impl IntoIterator<Item = (&'a OwnerId, &'a [u8], &'a Signature)>,
    seed: [u8; 32],
) -> Result<(), SignatureError> {
    let mut batch = zebra::batch::Verifier::new();
    for (owner, message, signature) in signed {
        let key = zebra::VerificationKeyBytes::from(*owner.as_bytes());
        batch.queue((key, zebra::Signature::from(*signature.as_bytes()), message));
    }
    //= harness/spec/storage.md#sto-2-record-signature-acceptance
    //# STO-2.4 (ours): A signature MUST be judged by the rules of ZIP-215, with the same verdict
    //# whether it is checked alone or in a batch.
    batch.verify(ChaCha20Rng::from_seed(seed)).map_err(|_| SignatureError)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Encodings of the points of small order, non-canonical ones included, as ZIP-215 reads them.
    fn small_order() -> Vec<OwnerId> {
        let mut points: Vec<[u8; 32]> = Vec::new();
        for point in curve25519_dalek::constants::EIGHT_TORSION {
            points.push(point.compress().to_bytes());
        }
        let mut identity_above_p = [0xff; 32];
        identity_above_p[0] = 0xee;
        identity_above_p[31] = 0x7f;
        points.push(identity_above_p);
        points.into_iter().map(OwnerId::new).collect()
    }

    #[test]
    fn a_signature_holds_for_its_key_and_message_only() {
        let key = SigningKey::from_seed(&[7; 32]);
        let other = SigningKey::from_seed(&[8; 32]);
        let signature = key.sign(b"record");
        assert_eq!(verify(&key.owner(), b"record", &signature), Ok(()));
        assert_eq!(verify(&key.owner(), b"recorc", &signature), Err(SignatureError));
        assert_eq!(verify(&other.owner(), b"record", &signature), Err(SignatureError));
        for bit in 0..512 {
            let mut bytes = *signature.as_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(verify(&key.owner(), b"record", &Signature::new(bytes)).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn keys_of_small_order_sign_anything_and_are_refused() {
        let mut nothing = [0u8; 64];
        nothing[0] = 1; // R = identity, S = 0
        for owner in small_order() {
            assert_eq!(check_key(&owner), Err(KeyError::SmallOrder), "{owner}");
        }
        let identity = OwnerId::new({
            let mut bytes = [0; 32];
            bytes[0] = 1;
            bytes
        });
        assert_eq!(verify(&identity, b"anything", &Signature::new(nothing)), Ok(()));
        assert_eq!(check_key(&SigningKey::from_seed(&[1; 32]).owner()), Ok(()));
        let mut not_a_point = [0; 32];
        not_a_point[0] = 2;
        assert_eq!(check_key(&OwnerId::new(not_a_point)), Err(KeyError::NotAPoint));
    }

    #[test]
    fn points_of_small_order_are_told_by_their_bytes_as_by_their_arithmetic() {
        let is_small = |owner: &OwnerId| {
            let point = CompressedEdwardsY(*owner.as_bytes()).decompress();
            point.map(|point| point.is_small_order())
        };
        let mut found = 0;
        // Every point of small order, whatever its sign of x, and every y that has two encodings.
        let ys = small_order().into_iter().map(|owner| *owner.as_bytes());
        let twice = (0..=18).flat_map(|low| [little(low), near_p(0xed + low)]);
        for mut y in ys.chain(twice) {
            for sign in [0, SIGN_OF_X] {
                y[31] = (y[31] & !SIGN_OF_X) | sign;
                let owner = OwnerId::new(y);
                let is_found = check_signer(&owner) == Err(KeyError::SmallOrder);
                assert_eq!(is_small(&owner).unwrap_or(false), is_found, "{owner}");
                found += u32::from(is_found);
                let told = match is_small(&owner) {
                    None => Err(KeyError::NotAPoint),
                    Some(true) => Err(KeyError::SmallOrder),
                    Some(false) => Ok(()),
                };
                assert_eq!(check_key(&owner), told, "{owner}");
            }
        }
        // Nine encodings by `small_order`, four small y among the others, each with two signs.
        assert_eq!(found, 2 * (9 + 4));
        for seed in 0..=255 {
            let owner = SigningKey::from_seed(&[seed; 32]).owner();
            assert_eq!((is_small(&owner), check_signer(&owner)), (Some(false), Ok(())));
        }
    }

    #[test]
    fn batches_and_single_checks_agree_on_edge_points() {
        let mut identity = [0u8; 64];
        identity[0] = 1;
        let mut above_p = [0u8; 64];
        above_p[..32].copy_from_slice(small_order().last().expect("nine points").as_bytes());
        for owner in small_order() {
            for signature in [Signature::new(identity), Signature::new(above_p)] {
                let single = verify(&owner, b"mdsm", &signature);
                let batch = verify_batch([(&owner, &b"mdsm"[..], &signature)], [3; 32]);
                assert_eq!(single, batch, "{owner} {signature}");
                assert_eq!(single, Ok(()), "ZIP-215 multiplies by the cofactor");
            }
        }
    }

    #[test]
    fn one_bad_signature_fails_its_batch() {
        let keys: Vec<_> = (0..9).map(|n| SigningKey::from_seed(&[n; 32])).collect();
        let owners: Vec<_> = keys.iter().map(SigningKey::owner).collect();
        let mut signatures: Vec<_> = keys.iter().map(|key| key.sign(b"x")).collect();
        let check = |signatures: &[Signature]| {
            let signed = owners.iter().zip(signatures).map(|(o, s)| (o, &b"x"[..], s));
            verify_batch(signed, [5; 32])
        };
        assert_eq!(check(&signatures), Ok(()));
        signatures.swap(0, 1);
        assert_eq!(check(&signatures), Err(SignatureError));
    }
}
