//! The re-encryption key as the paper prints it does not decrypt; with digits and powers it does. [PRE-2]

use harness::rules::lattice::printed;
use harness::rules::lattice::scheme::{decrypted_bits, encaps, key_gen};
use mdsm_core::reencryption::{Set, Variant, bare};

use crate::chain::{Chain, KEY_ID, bytes, key_seed, message, shape};

const CAPSULES: u8 = 5;

/// Bits that differ.
fn wrong(found: &[bool], message: &[u8; 32]) -> usize {
    let bit = |place: usize| message[place / 8] >> (place % 8) & 1 == 1;
    (0..256).filter(|place| found[*place] != bit(*place)).count()
}

#[test]
fn pre_2_2_the_printed_key_leaves_nothing_of_the_message() {
    //= harness/spec/reencryption.md#pre-2-defect-the-printed-re-encryption-key
    //= type=test
    //# PRE-2.2 (ours): The harness MUST show that decryption after re-encryption with the key as printed
    //# fails for about half of the bits.
    let shape = shape(Set::S704);
    let [owner, reader] = [0, 1].map(|number| key_gen(shape, &key_seed(1, number)));
    let [owner_public, reader_public] = [owner.public(), reader.public()];
    let key = printed::Key::new((&owner, &reader), &bytes(10, 0));
    let (mut fresh, mut printed) = (0, 0);
    for number in 0..CAPSULES {
        let m = message(number);
        let (capsule, _) = encaps(shape, &owner_public, &KEY_ID, &m);
        fresh += wrong(&decrypted_bits(shape, &owner.s, &capsule.c1, &capsule.c2), &m);
        let coins = bytes(20, usize::from(number));
        let (c1, c2) = key.re_encrypt(&reader_public, &coins, &capsule);
        printed += wrong(&decrypted_bits(shape, &reader.s, &c1, &c2), &m);
    }
    let bits = 256 * usize::from(CAPSULES);
    println!("printed key: {printed} of {bits} bits wrong, {fresh} before re-encryption");
    assert_eq!(fresh, 0);
    assert!((bits * 2 / 5..=bits * 3 / 5).contains(&printed), "{printed} of {bits}");
}

/// The same capsules through keys with powers, in digits and in single bits; equal.rs holds the rules to
/// the core.
fn all_hops_decrypt(set: Set) {
    let p = set.parameters();
    for seed in 0..CAPSULES {
        let chain = Chain::new(set, seed, &vec![Variant::Public; p.hops_max()]);
        for ((secret, _), capsule) in chain.keys.iter().zip(&chain.capsules) {
            let found = bare::decrypt(secret, capsule);
            assert_eq!(*found.as_bytes(), message(seed), "{} hop {}", p.name, capsule.hop());
        }
    }
}

#[test]
fn pre_2_1_digits_decrypt_after_every_hop() {
    //= harness/spec/reencryption.md#pre-2-defect-the-printed-re-encryption-key
    //= type=test
    //# PRE-2.1 (ours): Re-encryption MUST compute [ Digits(c1), h1 ] Q + (h2, h3 + c2) with
    //# Q = [[ X, -X S_B + E + Power(S_A) ], [ A, P_B ]].
    for set in [Set::Toy16, Set::S704] {
        all_hops_decrypt(set);
    }
}

#[test]
fn pre_2_3_single_bits_decrypt_after_every_hop() {
    //= harness/spec/reencryption.md#pre-2-defect-the-printed-re-encryption-key
    //= type=test
    //# PRE-2.3 (ours): The mode with single bits for digits MUST decrypt after re-encryption.
    all_hops_decrypt(Set::Bits704);
}
