//! The whole way of a capsule, in every set.

use super::*;
use crate::codec::Wire as _;
use crate::crypto::sign::SigningKey;
use crate::params::PARCEL_BYTES_MAX;
use crate::types::{Digest, KeyId};

const KEY_ID: KeyId = KeyId::new([0x44; 32]);
const GRANT: Digest = Digest::new([0x55; 32]);

fn message(number: u8) -> Message {
    let mut next = number;
    Message::new([(); 32].map(|()| {
        next = next.wrapping_mul(91).wrapping_add(7);
        next
    }))
}

fn content(key: &crate::crypto::seal::ContentKey) -> Vec<u8> {
    let coins = crate::crypto::seal::SealCoins { nonce_prefix: [0; 19], salt: [0; 16] };
    crate::crypto::seal::seal(b"one", key, coins).unwrap()
}

fn share(set: Set, variant: Variant) {
    let name = set.parameters().name;
    let (owner, reader) = (generate(set, &[1; 32]), generate(set, &[2; 32]));
    let signing = SigningKey::from_seed(&[3; 32]);
    let (original, key) = encapsulate(&owner.1, KEY_ID, &message(1));
    let (approval, same) = approve((&owner.0, &owner.1), &original, &signing).unwrap();
    assert_eq!(content(&key), content(&same));
    assert_eq!(content(&open(&owner.0, &owner.1, &original, &original).unwrap()), content(&key));

    let offer = Offer::new(&reader.0, owner.1.digest(), variant, &[4; 32]);
    let offer = Offer::from_bytes(&offer.to_bytes()).unwrap();
    let mut spent = SpentOffers::default();
    let rekey = offer.accept(&owner.0, GRANT, &mut spent).unwrap();
    let parameters = set.parameters();
    assert_eq!(owner.1.to_bytes().len(), parameters.public_key_bytes(), "{name}");
    assert_eq!(original.to_bytes().len(), parameters.capsule_bytes(), "{name}");
    assert_eq!(rekey.to_bytes().len(), parameters.rekey_bytes(variant), "{name}");
    assert!(parameters.rekey_bytes(variant) <= PARCEL_BYTES_MAX, "{name}");
    let rekey = ReKey::from_bytes(&rekey.to_bytes()).unwrap();

    let admission = approval.check(&signing.owner(), owner.1.digest()).unwrap();
    let admitted = admission.admit(original.clone()).unwrap();
    let proxy = ProxySecret::new([5; 32]);
    let warm = WarmKey::new(&rekey, Some(&reader.1)).unwrap();
    let cold = WarmKey::cold(&rekey, Some(&reader.1)).unwrap();
    let received = warm.reencrypt(&proxy, &admitted).unwrap();
    assert_eq!(cold.reencrypt(&proxy, &admitted).unwrap(), received, "{name}: cold is warm");
    let several = vec![admitted.clone(); 3];
    assert_eq!(warm.reencrypt_all(&proxy, &several).unwrap(), vec![received.clone(); 3], "{name}");
    let received = Capsule::from_bytes(&received.to_bytes()).unwrap();
    assert_eq!(received.hop(), 1);
    let opened = open(&reader.0, &owner.1, &original, &received).unwrap();
    assert_eq!(content(&opened), content(&key), "{name}");
    let other = generate(set, &[9; 32]);
    assert_eq!(
        open(&other.0, &owner.1, &original, &received).unwrap_err(),
        OpenError::NotTheOriginal,
        "{name}"
    );
}

#[test]
fn pre_1_1_every_set_shares_a_key() {
    for set in Set::ALL {
        for variant in Variant::ALL {
            share(*set, *variant);
        }
    }
}
