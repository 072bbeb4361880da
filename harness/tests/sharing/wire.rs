//! What the decoders of this chapter refuse: the kind of fault, the field, the byte.

use mdsm_core::codec::{DecodeErrorKind, Wire};
use mdsm_core::reencryption::{
    Approval, Capsule, Delivery, Offer, Parcel, ParcelKey, ParcelPublicKey, PublicKey, Purpose,
    ReKey, Set, SpentOffers, Variant,
};
use mdsm_core::types::BoundError;

use super::scene::{GRANT, Party, one_hop};

/// One sound encoding of every type, on Toy16.
struct Sound {
    public_key: Vec<u8>,
    capsule: Vec<u8>,
    offer: Vec<u8>,
    rekey: Vec<u8>,
    approval: Vec<u8>,
    delivery: Vec<u8>,
    spent: Vec<u8>,
    parcel: Vec<u8>,
    parcel_key: Vec<u8>,
}

fn sound() -> Sound {
    let (owner, reader) = (Party::new(Set::Toy16, 1), Party::new(Set::Toy16, 2));
    let (capsule, _) = owner.capsule(1);
    let received = one_hop(&owner, &reader, &capsule);
    let offer = |coins| Offer::new(&reader.secret, owner.name(), Variant::Public, &[coins; 32]);
    let mut spent = SpentOffers::default();
    for coins in 0..3 {
        offer(coins).accept(&owner.secret, GRANT, &mut spent).unwrap();
    }
    let receiver = ParcelKey::from_seed(&[8; 32]);
    let parcel =
        Parcel::seal(Purpose::Offer, &offer(1), &reader.signing, receiver.public(), [9; 32]);
    Sound {
        public_key: owner.public.to_bytes(),
        capsule: capsule.to_bytes(),
        offer: offer(1).to_bytes(),
        rekey: owner.grant(&reader, Variant::Public, 4).to_bytes(),
        approval: owner.approve(&capsule).to_bytes(),
        delivery: Delivery::sign(GRANT, &owner.admitted(&capsule), received, &reader.signing)
            .to_bytes(),
        spent: spent.to_bytes(),
        parcel: parcel.unwrap().to_bytes(),
        parcel_key: receiver.public().to_bytes(),
    }
}

type Refusal = (String, usize, DecodeErrorKind);

fn refusal<T: Wire>(bytes: &[u8]) -> Refusal {
    let Err(error) = T::from_bytes(bytes) else { panic!("a refusal of {}", T::NAME) };
    (error.field(), error.offset, error.kind)
}

/// Cut anywhere, with something behind, under another tag or version.
fn ends<T: Wire>(bytes: &[u8]) {
    let again = T::from_bytes(bytes).map(|value| value.to_bytes());
    assert_eq!(again.as_deref(), Ok(bytes), "{}", T::NAME);
    for cut in 0..bytes.len() {
        let (field, offset, kind) = refusal::<T>(&bytes[..cut]);
        assert!(field.starts_with(T::NAME), "{field} at {cut}");
        assert!(offset <= cut, "{field}: {offset} of {cut}");
        let DecodeErrorKind::Truncated { needed, left } = kind else {
            panic!("{field}, cut at {cut}: {kind}")
        };
        assert!(left < needed && offset + left <= cut, "{field}: {needed} and {left}");
        // Past tag and version every field has its name, but for a key that is one field.
        let one_field = ["ParcelPublicKey", "SpentOffers"].contains(&T::NAME);
        assert_eq!(field.contains('.'), cut >= 5 && !one_field, "{field}, cut at {cut}");
    }
    for more in [1, 7] {
        let trailing = DecodeErrorKind::Trailing { bytes: more };
        let longer = [bytes, &vec![0; more]].concat();
        assert_eq!(refusal::<T>(&longer), (T::NAME.to_owned(), bytes.len(), trailing));
    }
    let mut other = bytes.to_vec();
    other[0] = b'X';
    let (field, offset, kind) = refusal::<T>(&other);
    assert_eq!((field.as_str(), offset), (T::NAME, 0));
    assert!(matches!(kind, DecodeErrorKind::Tag { .. }));
    let mut other = bytes.to_vec();
    other[4] = 2;
    let version = DecodeErrorKind::Version { found: 2, known: 1 };
    assert_eq!(refusal::<T>(&other), (T::NAME.to_owned(), 4, version));
}

#[test]
fn every_value_is_refused_when_cut_or_continued() {
    let sound = sound();
    ends::<PublicKey>(&sound.public_key);
    ends::<Capsule>(&sound.capsule);
    ends::<Offer>(&sound.offer);
    ends::<ReKey>(&sound.rekey);
    ends::<Approval>(&sound.approval);
    ends::<Delivery>(&sound.delivery);
    ends::<SpentOffers>(&sound.spent);
    ends::<Parcel>(&sound.parcel);
    ends::<ParcelPublicKey>(&sound.parcel_key);
}

fn with(bytes: &[u8], at: usize, byte: u8) -> Vec<u8> {
    let mut changed = bytes.to_vec();
    changed[at] = byte;
    changed
}

#[test]
fn a_set_a_variant_and_a_purpose_that_stand_for_nothing_are_refused() {
    let sound = sound();
    for found in [9, 10, 255] {
        let named =
            |field: &str, offset| (field.to_owned(), offset, DecodeErrorKind::Variant { found });
        assert_eq!(
            refusal::<PublicKey>(&with(&sound.public_key, 5, found)),
            named("PublicKey.set", 5)
        );
        assert_eq!(refusal::<Capsule>(&with(&sound.capsule, 5, found)), named("Capsule.set", 5));
        assert_eq!(refusal::<Offer>(&with(&sound.offer, 5, found)), named("Offer.set", 5));
        assert_eq!(refusal::<ReKey>(&with(&sound.rekey, 5, found)), named("ReKey.set", 5));
        let delivery = with(&sound.delivery, 5 + 64, found);
        assert_eq!(refusal::<Delivery>(&delivery), named("Delivery.capsule.set", 69));
        assert_eq!(refusal::<Offer>(&with(&sound.offer, 6, found)), named("Offer.variant", 6));
        assert_eq!(refusal::<ReKey>(&with(&sound.rekey, 6, found)), named("ReKey.variant", 6));
        assert_eq!(refusal::<Parcel>(&with(&sound.parcel, 5, found)), named("Parcel.purpose", 5));
    }
    let nothing = DecodeErrorKind::Variant { found: 0 };
    let named = ("Parcel.purpose".to_owned(), 5, nothing);
    assert_eq!(refusal::<Parcel>(&with(&sound.parcel, 5, 0)), named);
}

#[test]
fn a_hop_above_the_limit_is_refused() {
    let sound = sound();
    let rule = DecodeErrorKind::Rule { rule: "more hops than the parameter set allows" };
    for hop in [3, 255] {
        let named = ("Capsule.hop".to_owned(), 6, rule.clone());
        assert_eq!(refusal::<Capsule>(&with(&sound.capsule, 6, hop)), named);
        let named = ("Delivery.capsule.hop".to_owned(), 70, rule.clone());
        assert_eq!(refusal::<Delivery>(&with(&sound.delivery, 70, hop)), named);
    }
    assert_eq!(Capsule::from_bytes(&with(&sound.capsule, 6, 2)).unwrap().hop(), 2);
}

#[test]
fn a_list_of_spent_offers_has_one_order_and_a_bound() {
    let spent = sound().spent;
    let (head, digests) = spent.split_at(9);
    let [first, second, third] = [0, 1, 2].map(|at| &digests[32 * at..32 * (at + 1)]);
    for (order, at) in [
        ([second, first, third], 1),
        ([first, third, second], 2),
        ([first, first, third], 1),
        ([first, second, second], 2),
    ] {
        let bytes = [head, &order.concat()].concat();
        let expected = (format!("SpentOffers[{at}]"), 9 + 32 * at, DecodeErrorKind::Order);
        assert_eq!(refusal::<SpentOffers>(&bytes), expected);
    }
    let count = usize::try_from(u32::MAX).unwrap();
    let bound = BoundError::Count { count, count_min: 0, count_max: 1 << 20 };
    let bytes = [&head[..5], &[0xff; 4], digests].concat();
    let expected = ("SpentOffers".to_owned(), 5, DecodeErrorKind::Bound(bound));
    assert_eq!(refusal::<SpentOffers>(&bytes), expected);
}

#[test]
fn the_parts_of_a_parcel_have_their_sizes() {
    let parcel = sound().parcel;
    let bound = |count, count_min, count_max| {
        DecodeErrorKind::Bound(BoundError::Count { count, count_min, count_max })
    };
    for count in [0u32, 1_119, 1_121] {
        let mut bytes = parcel.clone();
        bytes[70..74].copy_from_slice(&count.to_le_bytes());
        let kind = bound(usize::try_from(count).unwrap(), 1_120, 1_120);
        assert_eq!(refusal::<Parcel>(&bytes), ("Parcel.encapsulated".to_owned(), 70, kind));
    }
    for count in [0u32, 15, 8 * 1_024 * 1_024 + 17, u32::MAX] {
        let mut bytes = parcel.clone();
        bytes[1_194..1_198].copy_from_slice(&count.to_le_bytes());
        let kind = bound(usize::try_from(count).unwrap(), 16, 8 * 1_024 * 1_024 + 16);
        assert_eq!(refusal::<Parcel>(&bytes), ("Parcel.sealed".to_owned(), 1_194, kind));
    }
}
