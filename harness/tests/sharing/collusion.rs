//! Who sees two of three, the reader's half, the owner's answer, the reader's key, has the owner's key.

use mdsm_core::codec::Wire as _;
use mdsm_core::reencryption::{Offer, RekeyError, Set, SpentOffers, Variant, bare};
use mdsm_core::types::Digest;

use super::scene::{GRANT, Party, centred, message, nearest, secret_entries};

/// The stated limit of the scheme (spec, "Collusion"): this test succeeds, and nothing refuses it.
/// Reader and proxy put X, Q and S_B together; Q + X S_B is Power(S_A) + E, and E is short.
#[test]
fn reader_and_proxy_together_compute_the_owners_key() {
    // A place whose weight is above twice the noise, and where the entries do not wrap.
    for (set, place, rows) in [(Set::Toy16, 1, 16), (Set::S704, 1, 12)] {
        let (owner, reader) = (Party::new(set, 1), Party::new(set, 2));
        let key = owner.grant(&reader, Variant::Public, 4);
        let (x, q) = (bare::offer_uniform(&key), bare::rekey_words(&key));
        let s_b = bare::secret_words(&reader.secret);
        let n = set.parameters().dimension;
        let weight = 1 << 8;
        let stolen: Vec<Vec<i32>> = (place * n..place * n + rows)
            .map(|row| {
                let mut sums = q.row(row).to_vec();
                for (x, entries) in x.row(row).iter().zip(s_b.outer_iter()) {
                    for (sum, entry) in sums.iter_mut().zip(entries) {
                        *sum = sum.wrapping_add(x.wrapping_mul(*entry));
                    }
                }
                sums.iter().map(|sum| nearest(centred(set, *sum), weight)).collect()
            })
            .collect();
        assert_eq!(stolen, secret_entries(&owner.secret)[..rows], "{set:?}");
        if rows == n {
            // With all of them whatever was sealed for the owner opens: half a step off, 4 bits each.
            let (capsule, _) = owner.capsule(3);
            let mut bytes = [0u8; 32];
            for (column, word) in capsule.c2().iter().enumerate() {
                let products = capsule.c1().iter().zip(&stolen);
                let sum = products.fold(*word, |sum, (word, entries)| {
                    sum.wrapping_add(word.wrapping_mul(entries[column].cast_unsigned()))
                });
                let bits = u8::try_from((sum.wrapping_add(1 << 11) >> 12) & 15).unwrap();
                bytes[column / 2] |= bits << (4 * (column % 2));
            }
            assert_eq!(bytes, *message(3).as_bytes());
        }
    }
}

/// Why offers and keys travel sealed: their difference is the owner's key, with no noise at all.
#[test]
fn an_offer_beside_its_answer_is_the_owners_key() {
    let (owner, reader) = (Party::new(Set::S704, 1), Party::new(Set::S704, 2));
    let offer = Offer::new(&reader.secret, owner.name(), Variant::Public, &[4; 32]);
    let u = bare::offer_words(&offer);
    let key = offer.accept(&owner.secret, GRANT, &mut SpentOffers::default()).unwrap();
    let q = bare::rekey_words(&key);
    let secret = secret_entries(&owner.secret);
    // The lowest place, where a digit weighs 2^4.
    for (row, entries) in secret.iter().enumerate() {
        for (column, entry) in entries.iter().enumerate() {
            let difference = q[[row, column]].wrapping_sub(u[[row, column]]);
            assert_eq!(centred(Set::S704, difference), 16 * entry);
        }
    }
}

/// One U for two owners, as only a reader that breaks the rule can make it: it puts another name on it.
#[test]
fn two_keys_made_of_one_offer_differ_by_the_owners_keys() {
    let [one, two, reader] = [1, 2, 3].map(|number| Party::new(Set::Toy16, number));
    let offer = || Offer::new(&reader.secret, one.name(), Variant::Public, &[4; 32]);
    let mut relabelled = offer();
    relabelled.owner = two.name();
    let first = offer().accept(&one.secret, GRANT, &mut SpentOffers::default()).unwrap();
    let second = relabelled.accept(&two.secret, GRANT, &mut SpentOffers::default()).unwrap();
    let (first, second) = (bare::rekey_words(&first), bare::rekey_words(&second));
    let (one, two) = (secret_entries(&one.secret), secret_entries(&two.secret));
    for (row, (one, two)) in one.iter().zip(&two).enumerate() {
        for (column, (one, two)) in one.iter().zip(two).enumerate() {
            let difference = first[[row, column]].wrapping_sub(second[[row, column]]);
            assert_eq!(centred(Set::Toy16, difference), 16 * (one - two));
        }
    }
}

#[test]
fn pre_3_4_an_offer_makes_one_key() {
    //= harness/spec/reencryption.md#pre-3-request-and-grant
    //= type=test
    //# PRE-3.4 (ours): The value U = -X S_B + E that a reader sends to an owner MUST be used for
    //# one re-encryption key only.
    let [one, two, reader] = [1, 2, 3].map(|number| Party::new(Set::Toy16, number));
    for variant in Variant::ALL {
        let offer =
            |owner: Digest, coins| Offer::new(&reader.secret, owner, *variant, &[coins; 32]);
        let mut spent = SpentOffers::default();
        let id = mdsm_core::crypto::Identified::id(&offer(one.name(), 4));
        assert!(offer(one.name(), 4).accept(&one.secret, GRANT, &mut spent).is_ok());
        // Not again, not for another grant, not after a restart, not when it arrives anew.
        let mut kept = SpentOffers::from_bytes(&spent.to_bytes()).unwrap();
        assert_eq!(kept, spent);
        let anew = Offer::from_bytes(&offer(one.name(), 4).to_bytes()).unwrap();
        let again = [offer(one.name(), 4), anew]
            .map(|offer| offer.accept(&one.secret, Digest::new([1; 32]), &mut kept).unwrap_err());
        assert_eq!(again, [RekeyError::Spent { offer: id }; 2]);
        assert_eq!(kept, spent);
        assert!(offer(one.name(), 5).accept(&one.secret, GRANT, &mut kept).is_ok());
        // Equal coins give two owners different values, X and U.
        let [first, second] = [&one, &two].map(|owner| offer(owner.name(), 4));
        assert_ne!(bare::offer_words(&first), bare::offer_words(&second));
        let [first, second] = [(first, &one), (second, &two)].map(|(offer, owner)| {
            let key = offer.accept(&owner.secret, GRANT, &mut SpentOffers::default()).unwrap();
            bare::offer_uniform(&key)
        });
        assert_ne!(first, second);
    }
}

#[test]
fn pre_3_7_an_offer_is_for_one_owner() {
    //= harness/spec/reencryption.md#pre-3-request-and-grant
    //= type=test
    //# PRE-3.7 (ours): An owner MUST refuse an offer that was made for another key.
    let [one, two, reader] = [1, 2, 3].map(|number| Party::new(Set::Toy16, number));
    let offer = Offer::new(&reader.secret, one.name(), Variant::Public, &[4; 32]);
    let mut spent = SpentOffers::default();
    let refused = offer.accept(&two.secret, GRANT, &mut spent).unwrap_err();
    assert_eq!(refused, RekeyError::AnotherOwner { offered_to: one.name(), key: two.name() });
    let small = Offer::new(&reader.secret, one.name(), Variant::Public, &[4; 32]);
    let large = Party::new(Set::S704, 1);
    let refused = small.accept(&large.secret, GRANT, &mut spent).unwrap_err();
    assert_eq!(refused, RekeyError::Set { offer: Set::Toy16, key: Set::S704 });
    assert_eq!(spent, SpentOffers::default(), "what is refused is not spent");
}
