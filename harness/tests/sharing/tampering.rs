//! A proxy that does not do what it was asked is found out by whoever opens, and its signature names it.

use mdsm_core::crypto::sign::SigningKey;
use mdsm_core::reencryption::{
    AdmitError, Capsule, Delivery, OpenError, ReencryptError, Set, Variant, WarmKey, bare, open,
};
use mdsm_core::types::{Digest, KeyId, Signature};

use super::scene::{
    GRANT, Party, coins, message, one_hop, proxy, sealed_with, secret_entries, with_words,
};

fn parties() -> [Party; 3] {
    [1, 2, 3].map(|number| Party::new(Set::Toy16, number))
}

#[test]
fn pre_8_1_a_wrong_re_encryption_is_found_out() {
    //= harness/spec/reencryption.md#pre-8-wrong-re-encryption
    //= type=test
    //# PRE-8.1 (paper): A proxy that re-encrypts wrongly MUST be found out.
    let [owner, reader, other] = parties();
    let (capsule, content) = owner.capsule(1);
    let honest = one_hop(&owner, &reader, &capsule);
    let opened = |received: &Capsule| open(&reader.secret, &owner.public, &capsule, received);
    assert_eq!(sealed_with(&opened(&honest).unwrap()), sealed_with(&content));
    // Half of the modulus added to any word that holds the message,
    for place in 16..80 {
        let mut words = honest.words().to_vec();
        words[place] ^= 0x8000;
        assert_eq!(opened(&with_words(&honest, words)).unwrap_err(), OpenError::NotTheOriginal);
    }
    // or to any word of c1, for each row of the reader's key has an odd entry;
    for place in 0..16 {
        let mut words = honest.words().to_vec();
        words[place] ^= 0x8000;
        assert_eq!(opened(&with_words(&honest, words)).unwrap_err(), OpenError::NotTheOriginal);
    }
    // all words zero, all at their highest; another capsule in its place, under its name;
    for word in [0, 0xffff] {
        let extreme = with_words(&honest, vec![word; 80]);
        assert_eq!(opened(&extreme).unwrap_err(), OpenError::NotTheOriginal);
    }
    let swapped = one_hop(&owner, &reader, &owner.capsule(2).0);
    assert_eq!(opened(&swapped).unwrap_err(), OpenError::NotTheOriginal);
    // with its own name; the original itself; another key's work, the guards turned off.
    let mut named = swapped;
    named.key_id = KeyId::new([1; 32]);
    assert_eq!(opened(&named).unwrap_err(), OpenError::Unrelated);
    assert_eq!(opened(&capsule).unwrap_err(), OpenError::NotTheOriginal);
    let wrong = owner.grant(&other, Variant::Public, 4);
    let wrong = WarmKey::new(&wrong, Some(&other.public)).unwrap();
    let garbage = bare::reencrypt(&wrong, &capsule, &coins(1));
    assert_eq!(opened(&garbage).unwrap_err(), OpenError::NotTheOriginal);
    let wrong = other.grant(&reader, Variant::Public, 4);
    let wrong = WarmKey::new(&wrong, Some(&reader.public)).unwrap();
    let garbage = bare::reencrypt(&wrong, &capsule, &coins(1));
    assert_eq!(opened(&garbage).unwrap_err(), OpenError::NotTheOriginal);
    // What is found out is a wrong message. Less noise than decryption bears is not, and does no harm:
    let mut words = honest.words().to_vec();
    words[20] = (words[20] + 9) & 0xffff;
    assert_eq!(sealed_with(&opened(&with_words(&honest, words)).unwrap()), sealed_with(&content));
}

#[test]
fn pre_6_2_the_reader_holds_what_it_decrypts_to_the_original() {
    //= harness/spec/reencryption.md#pre-6-reading
    //= type=test
    //# PRE-6.2 (ours): The reader MUST recompute the owner's original capsule from what it decrypted
    //# and refuse to open the file when the two differ.
    let [owner, reader, other] = parties();
    let (capsule, _) = owner.capsule(1);
    let received = one_hop(&owner, &reader, &capsule);
    let opened = |original: &Capsule, owner: &Party| {
        open(&reader.secret, &owner.public, original, &received).unwrap_err()
    };
    // An original that differs in one bit, of which the chain would have another digest.
    for place in 0..80 {
        let mut words = capsule.words().to_vec();
        words[place] ^= 1;
        let original = with_words(&capsule, words);
        assert_eq!(opened(&original, &owner), OpenError::NotTheOriginal);
    }
    // Another file of this owner, another owner, an original that is none.
    assert_eq!(opened(&owner.capsule(2).0, &owner), OpenError::NotTheOriginal);
    assert_eq!(opened(&capsule, &other), OpenError::Unrelated);
    assert_eq!(opened(&received, &owner), OpenError::Unrelated);
    let mut renamed = capsule.clone();
    renamed.key_id = KeyId::new([1; 32]);
    assert_eq!(opened(&renamed, &owner), OpenError::Unrelated);
    let mut rehomed = capsule;
    rehomed.holder = other.name();
    assert_eq!(opened(&rehomed, &owner), OpenError::Unrelated);
}

#[test]
fn pre_8_2_a_delivery_pins_its_proxy() {
    //= harness/spec/reencryption.md#pre-8-wrong-re-encryption
    //= type=test
    //# PRE-8.2 (ours): A delivery MUST carry the proxy's signature over the grant, the original
    //# capsule and the re-encrypted one.
    let [owner, reader, other] = parties();
    let carrier = SigningKey::from_seed(&[9; 32]);
    let (capsule, _) = owner.capsule(1);
    let before = owner.admitted(&capsule);
    let expected = [GRANT, reader.name()];
    let received = one_hop(&owner, &reader, &capsule);
    let sound = Delivery::sign(GRANT, &owner.admitted(&capsule), received, &carrier);
    let check = |delivery: &Delivery| delivery.check(&carrier.owner(), expected, &before);
    assert!(check(&sound).is_ok());
    let elsewhere = Digest::new([1; 32]);
    let with = |change: &dyn Fn(&mut Delivery)| {
        let mut delivery = sound.clone();
        change(&mut delivery);
        check(&delivery)
    };
    let broken = Err(AdmitError::Signature { signer: carrier.owner() });
    let changes: [&dyn Fn(&mut Delivery); 8] = [
        &|delivery| delivery.grant = elsewhere,
        &|delivery| delivery.before = elsewhere,
        &|delivery| delivery.proxy = other.signing.owner(),
        &|delivery| delivery.capsule.owner = elsewhere,
        &|delivery| delivery.capsule.holder = elsewhere,
        &|delivery| delivery.capsule.key_id = KeyId::new([1; 32]),
        &|delivery| {
            let mut words = delivery.capsule.words().to_vec();
            words[7] ^= 1;
            delivery.capsule = with_words(&delivery.capsule, words);
        },
        &|delivery| {
            let mut bytes = *delivery.signature.as_bytes();
            bytes[40] ^= 1;
            delivery.signature = Signature::new(bytes);
        },
    ];
    for (number, change) in changes.iter().enumerate() {
        assert_eq!(with(change), broken, "change {number}");
    }
    let another = sound.check(&carrier.owner(), [elsewhere, reader.name()], &before);
    assert_eq!(another, Err(AdmitError::AnotherGrant { delivery: GRANT, grant: elsewhere }));
    let signer = other.signing.owner();
    assert_eq!(sound.check(&signer, expected, &before), Err(AdmitError::Signature { signer }));
    // A proxy that signs a delivery of another capsule says so itself.
    let (second, _) = owner.capsule(2);
    let of_second =
        Delivery::sign(GRANT, &owner.admitted(&second), sound.capsule.clone(), &carrier);
    assert!(matches!(check(&of_second), Err(AdmitError::AnotherCapsule { .. })));
}

/// The stated limit "chosen ciphertexts": a proxy that learns whether the reader complains reads the
/// reader's key. Here entry (3, 5) of it, by moving column 5 until the message breaks, with and without
/// a multiple of u_3 in c1. Every question is a delivery that does not open, under the proxy's signature.
#[test]
fn a_proxy_that_watches_complaints_reads_the_readers_key() {
    let [owner, reader, _] = parties();
    let (capsule, _) = owner.capsule(1);
    let honest = one_hop(&owner, &reader, &capsule);
    let (row, column, step) = (3, 5, 300);
    let complains = |in_c1: i32, in_c2: i32| {
        let mut words = honest.words().to_vec();
        words[row] = words[row].wrapping_add(in_c1.cast_unsigned()) & 0xffff;
        words[16 + column] = words[16 + column].wrapping_add(in_c2.cast_unsigned()) & 0xffff;
        open(&reader.secret, &owner.public, &capsule, &with_words(&honest, words)).is_err()
    };
    // The least shift that breaks the message, by halves: 12 questions.
    let edge = |in_c1: i32| {
        let (mut sound, mut broken) = (0, 4_000);
        while broken - sound > 1 {
            let middle = (sound + broken) / 2;
            *(if complains(in_c1, middle) { &mut broken } else { &mut sound }) = middle;
        }
        broken
    };
    let read = (edge(0) - edge(step)) / step;
    assert_eq!(read, secret_entries(&reader.secret)[row][column]);
}

#[test]
fn pre_7_4_a_new_key_makes_the_keys_before_it_useless() {
    //= harness/spec/reencryption.md#pre-7-revocation
    //= type=test
    //# PRE-7.4 (ours): Rotating the owner's key MUST make every re-encryption key made before it
    //# useless for capsules made after it.
    for set in [Set::Toy16, Set::S704] {
        let [before, after, reader] = [1, 2, 3].map(|number| Party::new(set, number));
        let key = before.grant(&reader, Variant::Public, 4);
        let warm = WarmKey::new(&key, Some(&reader.public)).unwrap();
        let (capsule, _) = after.capsule(1);
        let refused = warm.reencrypt(&proxy(), &after.admitted(&capsule)).unwrap_err();
        let another = ReencryptError::AnotherPair { key: before.name(), capsule: after.name() };
        assert_eq!(refused, another);
        let batch = [before.admitted(&before.capsule(1).0), after.admitted(&capsule)];
        assert_eq!(warm.reencrypt_all(&proxy(), &batch).unwrap_err(), another);
        // Without the guard the reader finds noise: half of the bits are wrong, give or take.
        let garbage = bare::reencrypt(&warm, &capsule, &coins(1));
        let found = bare::decrypt(&reader.secret, &garbage);
        let pairs = found.as_bytes().iter().zip(*message(1).as_bytes());
        let wrong: u32 = pairs.map(|(found, sent)| (found ^ sent).count_ones()).sum();
        assert!((90..166).contains(&wrong), "{set:?}: {wrong} of 256 bits");
        let opened = open(&reader.secret, &after.public, &capsule, &garbage);
        assert_eq!(opened.unwrap_err(), OpenError::NotTheOriginal);
        // What was made before the rotation still goes, which is what revocation cannot take back.
        assert!(warm.reencrypt(&proxy(), &before.admitted(&before.capsule(1).0)).is_ok());
    }
}
