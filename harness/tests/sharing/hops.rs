//! As many hops as a set allows, each signed and each opened; and none after that.

use mdsm_core::codec::Wire as _;
use mdsm_core::reencryption::{
    Capsule, CapsuleError, Delivery, OpenError, ReencryptError, Set, Variant, WarmKey, open,
};

use super::scene::{GRANT, KEY_ID, Party, proxy, sealed_with};

/// Sends a capsule through as many proxies as its set allows.
fn chain(set: Set) {
    let p = set.parameters();
    let (name, hops_max) = (p.name, p.hops_max());
    let last = u8::try_from(hops_max).unwrap();
    let owner = Party::new(set, 1);
    let (original, content) = owner.capsule(1);
    let content = sealed_with(&content);
    let mut admitted = owner.admitted(&original);
    let mut holder = owner;
    let owner = Party::new(set, 1);
    for hop in 1..=last {
        let reader = Party::new(set, 1 + hop);
        let key = holder.grant(&reader, Variant::Public, hop);
        let warm = WarmKey::new(&key, Some(&reader.public)).unwrap();
        let received = warm.reencrypt(&proxy(), &admitted).unwrap();
        assert_eq!((received.hop(), received.holder), (hop, reader.name()), "{name}");
        // Every proxy is another, and signs; what the next one gets went over the wire.
        let carrier = Party::new(Set::Toy16, 100 + hop).signing;
        let delivery = Delivery::sign(GRANT, &admitted, received, &carrier);
        let delivery = Delivery::from_bytes(&delivery.to_bytes()).unwrap();
        let expected = [GRANT, reader.name()];
        let onward = delivery.check(&carrier.owner(), expected, &admitted).unwrap();
        let opened = open(&reader.secret, &owner.public, &original, &delivery.capsule).unwrap();
        assert_eq!(sealed_with(&opened), content, "{name}, hop {hop}");
        let earlier = open(&holder.secret, &owner.public, &original, &delivery.capsule);
        assert_eq!(earlier.unwrap_err(), OpenError::NotTheOriginal, "{name}, hop {hop}");
        admitted = onward;
        holder = reader;
    }
    let reader = Party::new(set, 99);
    let key = holder.grant(&reader, Variant::Public, 99);
    let warm = WarmKey::cold(&key, Some(&reader.public)).unwrap();
    let limit = ReencryptError::HopLimit { hop: last, hops_max };
    assert_eq!(warm.reencrypt(&proxy(), &admitted).unwrap_err(), limit, "{name}");
    assert_eq!(warm.reencrypt_all(&proxy(), &[admitted]).unwrap_err(), limit, "{name}");
}

#[test]
fn pre_1_5_the_short_chains() {
    for set in [Set::Toy16, Set::S704, Set::S704x3, Set::S976, Set::H1152] {
        chain(set);
    }
}

#[test]
fn pre_1_5_five_hops_of_s1344_and_of_single_bits() {
    chain(Set::S1344);
    chain(Set::Bits704);
}

#[test]
fn pre_1_5_ten_hops_of_w1152_and_not_one_more() {
    //= harness/spec/reencryption.md#pre-1-scheme
    //= type=test
    //# PRE-1.5 (ours): A capsule MUST be refused for re-encryption when it has made as many hops
    //# as its parameter set allows.
    assert_eq!(Set::W1152B3.parameters().hops_max(), 10);
    assert_eq!(Set::W1792B3.parameters().hops_max(), 10);
    assert_eq!(Set::S1344.parameters().hops_max(), 5);
    chain(Set::W1152B3);
}

#[test]
fn pre_1_5_no_capsule_claims_more_hops_than_its_set_has() {
    for set in Set::ALL {
        let p = set.parameters();
        let hops_max = p.hops_max();
        let made = |hop| Capsule::new(*set, hop, KEY_ID, [GRANT; 2], vec![0; p.capsule_words()]);
        let last = u8::try_from(hops_max).unwrap();
        assert!(made(last).is_ok());
        for hop in [last + 1, u8::MAX] {
            assert_eq!(made(hop), Err(CapsuleError::Hops { set: *set, hop, hops_max }));
        }
    }
}
