//! The scheme as a whole, by its guarded face. [PRE-1]

use mdsm_core::codec::Wire as _;
use mdsm_core::crypto::seal;
use mdsm_core::reencryption::{Message, Set, Variant, encapsulate, generate, open};
use mdsm_core::types::KeyId;

use crate::chain::{Chain, KEY_ID, message, sealed};

#[test]
fn pre_1_1_every_set_shares_a_key_with_a_reader() {
    //= harness/spec/reencryption.md#pre-1-scheme
    //= type=test
    //# PRE-1.1 (paper): The scheme MUST provide key generation, encryption, decryption, generation
    //# of re-encryption keys and re-encryption under LWE.
    for set in Set::ALL {
        for variant in Variant::ALL {
            let chain = Chain::new(*set, 3, &[*variant]);
            let (owner, original) = (&chain.keys[0].1, &chain.capsules[0]);
            for ((secret, _), capsule) in chain.keys.iter().zip(&chain.capsules) {
                let opened = open(secret, owner, original, capsule).unwrap();
                assert_eq!(sealed(&opened), sealed(&chain.content), "{set:?} {variant:?}");
            }
        }
    }
}

#[test]
fn pre_1_4_a_capsule_holds_the_key_of_one_file_and_nothing_of_the_file() {
    //= harness/spec/reencryption.md#pre-1-scheme
    //= type=test
    //# PRE-1.4 (ours): A file MUST be encrypted under a 256-bit key of its own, and only that key enters
    //# a capsule.
    let (secret, public) = generate(Set::S704, &[1; 32]);
    let other_name = [0x45; 32];
    let cases = [(KEY_ID, message(1)), (KEY_ID, message(2)), (other_name, message(1))];
    let made =
        cases.map(|(name, bytes)| encapsulate(&public, KeyId::new(name), &Message::new(bytes)));
    // Another file: another message or another name, and so another key and another capsule.
    for (number, (capsule, key)) in made.iter().enumerate() {
        for (other, other_key) in &made[number + 1..] {
            assert_ne!(sealed(key), sealed(other_key));
            assert_ne!(capsule.words(), other.words());
        }
    }
    // A file of any size goes under the key, and the capsule opens it: its bytes are never in there.
    let coins = || seal::SealCoins { nonce_prefix: [9; 19], salt: [9; 16] };
    let (capsule, key) = &made[0];
    for size in [1, 100_000] {
        let file = vec![7; size];
        let sealed = seal::seal(&file, key, coins()).unwrap();
        let opened = open(&secret, &public, capsule, capsule).unwrap();
        assert_eq!(seal::open(&sealed, &opened).unwrap(), file);
        assert_eq!(capsule.to_bytes().len(), 2_023);
        assert!(seal::open(&sealed, &made[1].1).is_err(), "another file's key");
    }
}
