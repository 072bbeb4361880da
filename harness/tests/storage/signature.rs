//! STO-2.4: one verdict on a signature, alone and in a batch; and why another library is not used.

use curve25519_dalek::Scalar;
use curve25519_dalek::constants::{ED25519_BASEPOINT_TABLE, EIGHT_TORSION};
use curve25519_dalek::edwards::CompressedEdwardsY;
use ed25519_dalek as dalek;
use harness::build::key;
use mdsm_core::crypto::sign::{SignatureError, verify, verify_batch};
use mdsm_core::types::{OwnerId, Signature};
use sha2::{Digest as _, Sha512};

/// Every encoding of a point of small order: eight canonical, six not. ZIP-215 reads all of them.
pub(crate) fn small_order_encodings() -> [[u8; 32]; 14] {
    // y = 1 and y = -1 with a sign that x = 0 does not have, then y = p and y = p + 1.
    let ends = [(0x01, 0x80), (0xec, 0xff), (0xed, 0x7f), (0xed, 0xff), (0xee, 0x7f), (0xee, 0xff)];
    let other = ends.map(|(low, high)| {
        let mut bytes = [if low == 0x01 { 0 } else { 0xff }; 32];
        (bytes[0], bytes[31]) = (low, high);
        bytes
    });
    let canonical = EIGHT_TORSION.map(|point| point.compress().to_bytes());
    std::array::from_fn(|at| if at < 8 { canonical[at] } else { other[at - 8] })
}

fn signature(r: [u8; 32], s: [u8; 32]) -> Signature {
    Signature::new([r, s].concat().try_into().unwrap())
}

/// What the code says of one signature: alone, in a batch of one, beside sound ones.
#[expect(clippy::panic_in_result_fn, reason = "a contradiction fails the test")]
fn verdict(owner: &OwnerId, message: &[u8], signature: &Signature) -> Result<(), SignatureError> {
    let alone = verify(owner, message, signature);
    let (sound, other) = (key(5).sign(b"sound"), key(5).owner());
    for seed in [[1; 32], [2; 32], [3; 32]] {
        assert_eq!(verify_batch([(owner, message, signature)], seed), alone, "a batch of one");
        let three = [
            (&other, &b"sound"[..], &sound),
            (owner, message, signature),
            (&other, b"sound", &sound),
        ];
        assert_eq!(verify_batch(three, seed), alone, "between sound ones");
    }
    alone
}

#[test]
fn sto_2_4_all_points_of_small_order_get_one_verdict() {
    //= harness/spec/storage.md#sto-2-record-signature-acceptance
    //= type=test
    //# STO-2.4 (ours): A signature MUST be judged by the rules of ZIP-215, with the same verdict
    //# whether it is checked alone or in a batch.
    let encodings = small_order_encodings();
    for bytes in encodings {
        let point = CompressedEdwardsY(bytes).decompress().expect("ZIP-215 reads it");
        assert!(point.is_small_order());
    }
    let mut all = Vec::new();
    for key in encodings {
        for r in encodings {
            let (owner, signature) = (OwnerId::new(key), signature(r, [0; 32]));
            // The equation is multiplied by the cofactor, so every combination holds.
            assert_eq!(verdict(&owner, b"Zcash", &signature), Ok(()), "{owner} {signature}");
            all.push((owner, signature));
        }
    }
    assert_eq!(all.len(), 196);
    let signed = all.iter().map(|(owner, signature)| (owner, &b"Zcash"[..], signature));
    assert_eq!(verify_batch(signed, [4; 32]), Ok(()));
}

/// The group's order, little endian: the least S that is not reduced.
const ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

#[test]
fn sto_2_4_an_s_that_is_not_reduced_and_an_r_off_the_curve_are_refused() {
    //= harness/spec/storage.md#sto-2-record-signature-acceptance
    //= type=test
    //# STO-2.4 (ours): A signature MUST be judged by the rules of ZIP-215, with the same verdict
    //# whether it is checked alone or in a batch.
    let owner = key(1).owner();
    let sound = *key(1).sign(b"x").as_bytes();
    let (r, s) = sound.split_at(32);
    let (r, s): ([u8; 32], [u8; 32]) = (r.try_into().unwrap(), s.try_into().unwrap());
    assert_eq!(verdict(&owner, b"x", &signature(r, s)), Ok(()));
    let mut carry = 0;
    let above = std::array::from_fn(|at| {
        let sum = u16::from(s[at]) + u16::from(ORDER[at]) + carry;
        carry = sum >> 8;
        sum.to_le_bytes()[0]
    });
    assert_eq!(verdict(&owner, b"x", &signature(r, above)), Err(SignatureError), "S + order");
    let mut off_curve = [0; 32];
    off_curve[0] = 2;
    assert_eq!(verdict(&owner, b"x", &signature(off_curve, s)), Err(SignatureError));
}

/// A signature by an ordinary key whose R is the neutral point, written as y = p + 1.
///
/// The holder of the key makes it: with r = 0 the equation S = k a holds for whichever encoding of
/// R went into k.
fn ambiguous(seed: &[u8; 32], message: &[u8]) -> (OwnerId, Signature) {
    let hash: [u8; 64] = Sha512::digest(seed).into();
    let mut low: [u8; 32] = hash[..32].try_into().unwrap();
    low[0] &= 0xf8;
    low[31] = low[31] & 0x7f | 0x40;
    let secret = Scalar::from_bytes_mod_order(low);
    let owner = (&secret * ED25519_BASEPOINT_TABLE).compress().to_bytes();
    let r = small_order_encodings()[12];
    let k: [u8; 64] = Sha512::digest([&r[..], &owner, message].concat()).into();
    let s = Scalar::from_bytes_mod_order_wide(&k) * secret;
    (OwnerId::new(owner), signature(r, s.to_bytes()))
}

#[test]
fn sto_2_4_where_another_library_contradicts_itself_one_verdict_stands() {
    //= harness/spec/storage.md#sto-2-record-signature-acceptance
    //= type=test
    //# STO-2.4 (ours): A signature MUST be judged by the rules of ZIP-215, with the same verdict
    //# whether it is checked alone or in a batch.
    let (owner, signature) = ambiguous(&[1; 32], b"mdsm");
    assert_eq!(owner, key(1).owner(), "an ordinary key");
    assert_eq!(verdict(&owner, b"mdsm", &signature), Ok(()));

    // A node that checks alone refuses the block, a node that checks in a batch takes it.
    let their_key = dalek::VerifyingKey::from_bytes(owner.as_bytes()).unwrap();
    let theirs = dalek::Signature::from_bytes(signature.as_bytes());
    assert!(dalek::Verifier::verify(&their_key, b"mdsm", &theirs).is_err());
    assert!(dalek::verify_batch(&[b"mdsm"], &[theirs], &[their_key]).is_ok());
}
