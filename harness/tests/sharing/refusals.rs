//! Bad input at the doors of the algorithms: refused with a reason, or computed without a panic.

use mdsm_core::codec::Wire as _;
use mdsm_core::reencryption::{
    Capsule, CapsuleError, OpenError, ReKey, ReencryptError, Set, Variant, WarmKey, bare, open,
};

use super::scene::{GRANT, KEY_ID, Party, coins, one_hop, proxy, with_words};

#[test]
fn words_that_are_no_capsule_are_refused() {
    for set in Set::ALL {
        let p = set.parameters();
        let (words_expected, highest) = (p.capsule_words(), p.modulus.mask());
        let made = |words: Vec<u32>| Capsule::new(*set, 0, KEY_ID, [GRANT; 2], words);
        for words in [0, 1, words_expected - 1, words_expected + 1, 2 * words_expected] {
            let error = CapsuleError::Length { set: *set, words, words_expected };
            assert_eq!(made(vec![0; words]), Err(error));
        }
        assert!(made(vec![highest; words_expected]).is_ok());
        for place in [0, p.dimension, words_expected - 1] {
            for word in [highest + 1, u32::MAX] {
                let mut words = vec![0; words_expected];
                words[place] = word;
                assert_eq!(made(words), Err(CapsuleError::Word { place, word, highest }));
            }
        }
    }
}

#[test]
fn sets_do_not_mix() {
    let (owner, reader) = (Party::new(Set::Toy16, 1), Party::new(Set::Toy16, 2));
    let (capsule, _) = owner.capsule(1);
    let large = Party::new(Set::S704, 1);
    let (other, _) = large.capsule(1);
    let (toy, s704) = (Set::Toy16, Set::S704);
    let key = owner.grant(&reader, Variant::Public, 4);
    let warm = WarmKey::new(&key, Some(&reader.public)).unwrap();
    let refused = warm.reencrypt(&proxy(), &large.admitted(&other)).unwrap_err();
    assert_eq!(refused, ReencryptError::Set { key: toy, capsule: s704 });
    let opened = |original: &Capsule, received: &Capsule| {
        open(&owner.secret, &owner.public, original, received).unwrap_err()
    };
    assert_eq!(opened(&capsule, &other), OpenError::Set { key: toy, capsule: s704 });
    assert_eq!(opened(&other, &capsule), OpenError::Unrelated);
    let of_large = open(&owner.secret, &large.public, &capsule, &capsule).unwrap_err();
    assert_eq!(of_large, OpenError::Unrelated);
}

#[test]
fn a_re_encryption_key_needs_the_readers_public_key() {
    let [owner, reader, other] = [1, 2, 3].map(|number| Party::new(Set::Toy16, number));
    let large = Party::new(Set::S704, 2);
    let key = owner.grant(&reader, Variant::Public, 4);
    let needed = ReencryptError::ReaderKey { reader: reader.name() };
    // A key whose name is right and whose set is not: the sets are compared before the products are.
    let mixed = ReencryptError::ReaderSet { key: Set::Toy16, reader: Set::S704 };
    let mut bytes = owner.grant(&reader, Variant::Public, 4).to_bytes();
    bytes[5 + 2 + 64..][..32].copy_from_slice(large.name().as_bytes());
    let of_large = ReKey::from_bytes(&bytes).unwrap();
    assert_eq!(of_large.reader(), large.name());
    assert_eq!(WarmKey::cold(&of_large, Some(&large.public)).unwrap_err(), mixed);
    for wrong in [None, Some(&owner.public), Some(&other.public)] {
        assert_eq!(WarmKey::new(&key, wrong).unwrap_err(), needed);
        assert_eq!(WarmKey::cold(&key, wrong).unwrap_err(), needed);
    }
    assert!(WarmKey::new(&key, Some(&reader.public)).is_ok());
    // A private key asks for none, and is not disturbed by one.
    let private = owner.grant(&reader, Variant::KeyPrivate, 4);
    let (capsule, _) = owner.capsule(1);
    let admitted = owner.admitted(&capsule);
    let made = [None, Some(&reader.public), Some(&other.public)].map(|given| {
        WarmKey::new(&private, given).unwrap().reencrypt(&proxy(), &admitted).unwrap()
    });
    assert_eq!(made[0], made[1]);
    assert_eq!(made[0], made[2]);
    assert!(open(&reader.secret, &owner.public, &capsule, &made[0]).is_ok());
}

#[test]
fn a_key_for_another_pair_and_a_refused_batch() {
    let [owner, reader, other] = [1, 2, 3].map(|number| Party::new(Set::Toy16, number));
    let key = owner.grant(&reader, Variant::Public, 4);
    let warm = WarmKey::new(&key, Some(&reader.public)).unwrap();
    let own = owner.admitted(&owner.capsule(1).0);
    let (strange, _) = other.capsule(1);
    let another = ReencryptError::AnotherPair { key: owner.name(), capsule: other.name() };
    let strange = other.admitted(&strange);
    assert_eq!(warm.reencrypt(&proxy(), &strange).unwrap_err(), another);
    // In a batch, wherever it stands, none is re-encrypted.
    for at in [0, 1, 60] {
        let mut batch = vec![own.clone(); 61];
        batch[at] = strange.clone();
        assert_eq!(warm.reencrypt_all(&proxy(), &batch).unwrap_err(), another);
    }
    assert_eq!(warm.reencrypt_all(&proxy(), &[]), Ok(Vec::new()));
    // The wrong secret key, of the right set, for original and received.
    let (capsule, _) = owner.capsule(1);
    let received = one_hop(&owner, &reader, &capsule);
    for (key, received) in
        [(&other, &received), (&owner, &received), (&reader, &capsule), (&other, &capsule)]
    {
        let refused = open(&key.secret, &owner.public, &capsule, received).unwrap_err();
        assert_eq!(refused, OpenError::NotTheOriginal);
    }
}

#[test]
fn extreme_capsules_are_computed_and_refused() {
    for set in [Set::Toy16, Set::S704, Set::W1152B3, Set::Bits704] {
        let (owner, reader) = (Party::new(set, 1), Party::new(set, 2));
        let (sound, _) = owner.capsule(1);
        let highest = set.parameters().modulus.mask();
        let key = owner.grant(&reader, Variant::Public, 4);
        let warm = WarmKey::new(&key, Some(&reader.public)).unwrap();
        let cold = WarmKey::cold(&key, Some(&reader.public)).unwrap();
        let count = sound.words().len();
        let alternating = (0..2).cycle().map(|bit| bit * highest).take(count).collect();
        for words in [
            vec![0; count],
            vec![highest; count],
            vec![highest / 2; count],
            vec![highest / 2 + 1; count],
            alternating,
        ] {
            let extreme = with_words(&sound, words);
            let keys = (&owner.secret, &owner.public);
            let approved = mdsm_core::reencryption::approve(keys, &extreme, &owner.signing);
            assert!(approved.is_err(), "{set:?}");
            let refused = open(&owner.secret, &owner.public, &sound, &extreme).unwrap_err();
            assert_eq!(refused, OpenError::NotTheOriginal, "{set:?}");
            let answer = bare::reencrypt(&warm, &extreme, &coins(1));
            assert!(answer.words().iter().all(|word| *word <= highest));
            assert_eq!(bare::reencrypt(&cold, &extreme, &coins(1)), answer, "{set:?}");
        }
    }
}
