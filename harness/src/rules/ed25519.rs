//! Ed25519, signed by RFC 8032 and judged by ZIP-215, equation by equation. [STO-2] [STO-7]
//!
//! Point arithmetic and SHA-512 are others'; what is taken for a key, a point and a scalar is here.

use curve25519_dalek::Scalar;
use curve25519_dalek::constants::ED25519_BASEPOINT_POINT;
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::traits::IsIdentity as _;
use sha2::{Digest as _, Sha512};

use super::ledger::Signatures;
use super::mirror::Bytes32;

/// A signature, R then S.
pub type Signature = [u8; 64];

/// The order of the base point, little endian: the least S that is not reduced.
pub const ORDER: Bytes32 = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

fn hash(parts: &[&[u8]]) -> [u8; 64] {
    Sha512::digest(parts.concat()).into()
}

/// The secret scalar of a seed, and what nonces are drawn from.
#[must_use]
pub fn expand(seed: &Bytes32) -> (Scalar, Bytes32) {
    let hash = hash(&[seed]);
    let (mut low, mut high) = ([0; 32], [0; 32]);
    low.copy_from_slice(&hash[..32]);
    high.copy_from_slice(&hash[32..]);
    low[0] &= 0xf8;
    low[31] = low[31] & 0x7f | 0x40;
    (Scalar::from_bytes_mod_order(low), high)
}

/// The public key of a seed.
#[must_use]
pub fn public(seed: &Bytes32) -> Bytes32 {
    (ED25519_BASEPOINT_POINT * expand(seed).0).compress().to_bytes()
}

/// The scalar that binds R, key and message.
#[must_use]
pub fn challenge(r: &Bytes32, key: &Bytes32, message: &[u8]) -> Scalar {
    Scalar::from_bytes_mod_order_wide(&hash(&[r, key, message]))
}

/// The signature of a seed's key.
#[must_use]
pub fn sign(seed: &Bytes32, message: &[u8]) -> Signature {
    let (secret, prefix) = expand(seed);
    let nonce = Scalar::from_bytes_mod_order_wide(&hash(&[&prefix, message]));
    let r = (ED25519_BASEPOINT_POINT * nonce).compress().to_bytes();
    joined(r, (nonce + challenge(&r, &public(seed), message) * secret).to_bytes())
}

/// R and S side by side.
#[must_use]
pub fn joined(r: Bytes32, s: Bytes32) -> Signature {
    let mut signature = [0; 64];
    signature[..32].copy_from_slice(&r);
    signature[32..].copy_from_slice(&s);
    signature
}

/// The point of 32 bytes, however they spell it.
#[must_use]
pub fn point(bytes: &Bytes32) -> Option<EdwardsPoint> {
    CompressedEdwardsY(*bytes).decompress()
}

/// Whether a key is a point and not of small order.
#[must_use]
pub fn is_sound(key: &Bytes32) -> bool {
    point(key).is_some_and(|point| !point.mul_by_cofactor().is_identity())
}

/// Whether a signature holds: 8 (S B - k A - R) = 0, with S reduced and any spelling of A and R.
#[must_use]
pub fn holds(key: &Bytes32, message: &[u8], signature: &Signature) -> bool {
    let (mut r, mut s) = ([0; 32], [0; 32]);
    r.copy_from_slice(&signature[..32]);
    s.copy_from_slice(&signature[32..]);
    let (Some(a), Some(point_r)) = (point(key), point(&r)) else { return false };
    let Some(s) = Option::<Scalar>::from(Scalar::from_canonical_bytes(s)) else { return false };
    let left = ED25519_BASEPOINT_POINT * s - a * challenge(&r, key, message) - point_r;
    left.mul_by_cofactor().is_identity()
}

/// The curve, as the ledger's rules ask for it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Curve;

impl Signatures for Curve {
    fn holds(&self, key: &Bytes32, message: &[u8], signature: &Signature) -> bool {
        holds(key, message, signature)
    }

    fn is_sound(&self, key: &Bytes32) -> bool {
        is_sound(key)
    }
}

#[cfg(test)]
mod tests {
    use mdsm_core::crypto::sign::SigningKey;

    use super::*;

    #[test]
    fn rules_and_reference_sign_alike() {
        for number in 0..4 {
            let (seed, message) = ([number; 32], vec![number; usize::from(number) * 50]);
            let theirs = SigningKey::from_seed(&seed);
            assert_eq!(public(&seed), *theirs.owner().as_bytes());
            let signature = sign(&seed, &message);
            assert_eq!(signature, *theirs.sign(&message).as_bytes());
            assert!(holds(&public(&seed), &message, &signature) && is_sound(&public(&seed)));
            assert!(!holds(&public(&seed), b"another", &signature));
        }
    }
}
