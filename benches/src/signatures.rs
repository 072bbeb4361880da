//! Ed25519: signing, one check, and checks in batches. [STO-2] [STO-7]
//!
//! The messages have the 69 bytes that an owner signs, and every signer is another one, as at the
//! gate of a delegate.

use mdsm_core::crypto::sign::{SigningKey, verify, verify_batch};
use mdsm_core::types::{OwnerId, Signature};

use crate::fixture::owner;

/// Signatures of the batches that are measured: an Item, and what a busy delegate collects.
pub const BATCHES: [u64; 2] = [10, 64];

/// A message with its signature.
#[derive(Clone, Debug)]
pub struct Signed {
    owner: OwnerId,
    message: [u8; 69],
    signature: Signature,
}

/// Signatures of `count` owners.
#[must_use]
pub fn signed(count: u64) -> Vec<Signed> {
    signed_from(0, count)
}

/// Batches of `count` signatures, each by other owners.
#[must_use]
pub fn batches(batches: u64, count: u64) -> Vec<Vec<Signed>> {
    (0..batches).map(|batch| signed_from(batch * count, count)).collect()
}

fn signed_from(first: u64, count: u64) -> Vec<Signed> {
    let signed = |number: u64| {
        let key = owner(number);
        let message = message(number);
        Signed { owner: key.owner(), message, signature: key.sign(&message) }
    };
    (first..first + count).map(signed).collect()
}

/// The message of owner `number`.
#[must_use]
pub fn message(number: u64) -> [u8; 69] {
    let mut message = [0x5a; 69];
    message[..8].copy_from_slice(&number.to_le_bytes());
    message
}

/// The work: a signature.
#[must_use]
pub fn sign(key: &SigningKey, message: &[u8]) -> Signature {
    key.sign(message)
}

/// The work: each on its own.
#[must_use]
pub fn check_each(signed: &[Signed]) -> bool {
    signed.iter().all(|one| verify(&one.owner, &one.message, &one.signature).is_ok())
}

/// The work: all at once.
#[must_use]
pub fn check_batch(signed: &[Signed]) -> bool {
    let all = signed.iter().map(|one| (&one.owner, &one.message[..], &one.signature));
    // A real verifier draws the seed afresh; a count needs the same one every time.
    verify_batch(all, [9; 32]).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workloads_do_their_work() {
        for count in BATCHES {
            let mut signed = signed(count);
            assert!(check_each(&signed) && check_batch(&signed));
            signed[3].message[0] ^= 1;
            assert!(!check_each(&signed) && !check_batch(&signed));
        }
        assert!(batches(3, 2).iter().all(|signed| signed.len() == 2 && check_batch(signed)));
        let key = owner(1);
        assert_eq!(verify(&key.owner(), b"m", &sign(&key, b"m")), Ok(()));
    }
}
