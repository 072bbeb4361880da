//! A reader whose key is none: a public key of zeros and a U that it knows leave nothing of what an honest
//! key adds to a capsule, and without noise of the proxy's own some 1,440 re-encryptions would give S704's
//! key by least squares. And guards that no other test holds one by one.

use mdsm_core::codec::Wire as _;
use mdsm_core::crypto::Identified as _;
use mdsm_core::reencryption::{
    AdmitError, ApproveError, Capsule, Delivery, Offer, OpenError, PublicKey, Set, SpentOffers,
    Variant, WarmKey, approve, bare, open,
};

use super::scene::{GRANT, KEY_ID, Party, message, one_hop, proxy};

/// What hides the owner's key from a reader: the deviation of c2' - c2 - c1 S, from everything but what
/// the owner's own key and the capsule make of it.
fn deviation(set: Set) -> f64 {
    const CAPSULES: u8 = 12;
    let p = set.parameters();
    let owner = Party::new(set, 1);
    let zeros = vec![0; p.dimension * p.columns * p.modulus.word_bytes()];
    let public = [&b"MPUB\x01"[..], &[set as u8], &zeros].concat();
    let public = PublicKey::from_bytes(&public).unwrap();
    let honest = Offer::new(&owner.secret, owner.name(), Variant::Public, &[4; 32]).to_bytes();
    let mut offer = honest[..5 + 2 + 32].to_vec();
    offer.extend_from_slice(public.digest().as_bytes());
    offer.extend_from_slice(&honest[5 + 2 + 64..][..32]);
    offer.resize(honest.len(), 0);
    let offer = Offer::from_bytes(&offer).unwrap();
    let key = offer.accept(&owner.secret, GRANT, &mut SpentOffers::default()).unwrap();
    let warm = WarmKey::new(&key, Some(&public)).unwrap();
    let mut squares = 0.0;
    for number in 0..CAPSULES {
        let (capsule, _) = owner.capsule(number);
        let before = bare::noise(&owner.secret, &capsule, &message(number));
        let received = warm.reencrypt(&proxy(), &owner.admitted(&capsule)).unwrap();
        // U is 0, so the reader reads c2' as it is; these sets hold one bit in a word.
        let (words, m) = (received.c2(), message(number));
        let bits = p.modulus.log2();
        for (column, (word, before)) in words.iter().zip(before).enumerate() {
            let bit = u32::from(m.as_bytes()[column / 8] >> (column % 8) & 1);
            let clean = word.wrapping_sub(bit << (bits - 1)).wrapping_sub(before.cast_unsigned());
            let noise = (clean << (32 - bits)).cast_signed() >> (32 - bits);
            squares += f64::from(noise).powi(2);
        }
    }
    (squares / f64::from(CAPSULES) / p.columns as f64).sqrt()
}

#[test]
fn a_reader_whose_key_is_none_gets_noise_all_the_same() {
    for set in [Set::S704, Set::S976, Set::S1344] {
        let p = set.parameters();
        // Rounding times the owner's key, n R s^2 with R = (4^d + 2) / 12, and then what the proxy adds.
        let chi = (p.fresh_noise.powi(2) / (2.0 * p.dimension as f64)).sqrt();
        let rounding = (4f64.powi(p.digits.dropped_bits.cast_signed()) + 2.0) / 12.0;
        let rounded = p.dimension as f64 * rounding * chi;
        let weights: f64 = p.flood.iter().map(|weight| f64::from(*weight).powi(2)).sum();
        let added = chi * (1.0 + weights);
        assert!(added >= 0.81 * p.fresh_noise.powi(2), "{}: {added}", p.name);
        let (found, expected) = (deviation(set), (rounded + added).sqrt());
        println!(
            "{}: {found:.1} where {expected:.1} is due, {:.1} without",
            p.name,
            rounded.sqrt()
        );
        assert!((found / expected - 1.0).abs() < 0.08, "{}: {found} {expected}", p.name);
    }
}

#[test]
fn what_is_relabelled_is_refused() {
    let [owner, reader] = [1, 2].map(|number| Party::new(Set::Toy16, number));
    let (sound, _) = owner.capsule(1);
    // An approval in somebody else's name, though the true owner signed it.
    let mut renamed = owner.approve(&sound);
    renamed.owner = reader.signing.owner();
    let signer = owner.signing.owner();
    assert_eq!(renamed.check(&signer, owner.name()), Err(AdmitError::Signature { signer }));
    // The owner's own capsule under a hop that it did not make.
    let names = [owner.name(); 2];
    let hopped = Capsule::new(Set::Toy16, 1, KEY_ID, names, sound.words().to_vec()).unwrap();
    let refused = approve((&owner.secret, &owner.public), &hopped, &owner.signing).unwrap_err();
    assert!(matches!(refused, ApproveError::AnotherKey { .. }), "{refused}");
    // An original that says it made a hop, and a received one of another owner.
    let received = one_hop(&owner, &reader, &sound);
    let opened = |original: &Capsule, received: &Capsule| {
        open(&reader.secret, &owner.public, original, received).map(|_| ())
    };
    assert_eq!(opened(&sound, &received), Ok(()));
    assert_eq!(opened(&hopped, &received), Err(OpenError::Unrelated));
    let mut stolen = received.clone();
    stolen.owner = reader.name();
    assert_eq!(opened(&sound, &stolen), Err(OpenError::Unrelated));
    // A delivery that renames the owner, signed as it is.
    let before = owner.admitted(&sound);
    let delivery = Delivery::sign(GRANT, &before, stolen, &owner.signing);
    let checked = delivery.check(&signer, [GRANT, reader.name()], &before);
    assert_eq!(checked, Err(AdmitError::Unrelated));
    assert_ne!(sound.id(), hopped.id());
}
