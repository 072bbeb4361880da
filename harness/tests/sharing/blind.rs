//! What a proxy holds, and that nothing of it opens a capsule.
//!
//! A test can show that the ways one thinks of fail; that there is none is what LWE is assumed for.

use mdsm_core::codec::Wire as _;
use mdsm_core::crypto::sha256;
use mdsm_core::reencryption::{OpenError, SecretKey, Set, Variant, WarmKey, bare, generate, open};

use super::scene::{Party, coins, message, one_hop};

#[test]
fn pre_5_2_what_a_proxy_holds_opens_nothing() {
    //= harness/spec/reencryption.md#pre-5-re-encryption
    //= type=test
    //# PRE-5.2 (paper): The proxy MUST NOT be able to read what it re-encrypts.
    let (owner, reader) = (Party::new(Set::S704, 1), Party::new(Set::S704, 2));
    let (capsule, _) = owner.capsule(1);
    let received = one_hop(&owner, &reader, &capsule);
    let key = owner.grant(&reader, Variant::Public, 4);
    // Keys of every seed that lies in what it holds, and of its digests; its own secret.
    let held =
        [key.to_bytes(), capsule.to_bytes(), owner.public.to_bytes(), reader.public.to_bytes()];
    let mut seeds = vec![[0x66; 32], [0; 32]];
    for bytes in &held {
        seeds.push(*sha256(bytes).as_bytes());
        let heads = [7, 39, 71, 103].map(|at| bytes[at..at + 32].try_into().unwrap());
        seeds.extend::<[[u8; 32]; 4]>(heads);
    }
    let mut wrong = Vec::new();
    for seed in &seeds {
        let (guess, _): (SecretKey, _) = generate(Set::S704, seed);
        for capsule in [&capsule, &received] {
            let found = bare::decrypt(&guess, capsule);
            let pairs = found.as_bytes().iter().zip(*message(1).as_bytes());
            wrong.push(pairs.map(|(found, sent)| (found ^ sent).count_ones()).sum::<u32>());
        }
        let opened = open(&guess, &owner.public, &capsule, &received);
        assert_eq!(opened.unwrap_err(), OpenError::NotTheOriginal);
    }
    // Nor does the message stand in the words as they are, before or after: about half of the bits.
    for capsule in [&capsule, &received] {
        let bits = capsule.c2().iter().enumerate().map(|(column, word)| {
            let sent = u32::from(message(1).as_bytes()[column / 8] >> (column % 8) & 1);
            (word >> 15) ^ sent
        });
        wrong.push(bits.sum());
    }
    assert!(wrong.iter().all(|wrong| (84..172).contains(wrong)), "{wrong:?}");
    // The canary: with the right key none is wrong.
    assert_eq!(bare::decrypt(&reader.secret, &received).as_bytes(), message(1).as_bytes());
    // Its coins do not help either: with all noise of the hop known, c1 and c2 are as before.
    let warm = WarmKey::new(&key, Some(&reader.public)).unwrap();
    let known = bare::reencrypt(&warm, &capsule, &coins(0));
    let opened = open(&generate(Set::S704, &coins(0)).0, &owner.public, &capsule, &known);
    assert_eq!(opened.unwrap_err(), OpenError::NotTheOriginal);
}
