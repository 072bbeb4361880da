//! A capsule on its way through the core, from fixed seeds.

use harness::rules::lattice::shape::{SHAPES, Shape};
use mdsm_core::codec::Wire as _;
use mdsm_core::crypto::seal::{ContentKey, SealCoins, seal};
use mdsm_core::crypto::sign::SigningKey;
use mdsm_core::reencryption::{
    Capsule, Delivery, Message, Offer, ProxySecret, PublicKey, ReKey, SecretKey, Set, SpentOffers,
    Variant, WarmKey, approve, encapsulate, generate,
};
use mdsm_core::types::{Digest, KeyId};

pub(crate) const KEY_ID: [u8; 32] = [0x44; 32];
pub(crate) const GRANT: [u8; 32] = [0x55; 32];
pub(crate) const PROXY: [u8; 32] = [0x66; 32];

/// Everything that happens on the way of a capsule, in the order in which it happens.
pub(crate) struct Chain {
    pub(crate) keys: Vec<(SecretKey, PublicKey)>,
    /// The original, then what each hop makes.
    pub(crate) capsules: Vec<Capsule>,
    /// Encodings; acceptance consumes an offer.
    pub(crate) offers: Vec<Vec<u8>>,
    pub(crate) rekeys: Vec<ReKey>,
    pub(crate) content: ContentKey,
}

/// The line of the rules' table that belongs to a set.
pub(crate) fn shape(set: Set) -> &'static Shape {
    SHAPES.iter().find(|shape| shape.number == set as u8).unwrap()
}

/// 32 bytes that follow from a seed and a number.
pub(crate) fn bytes(seed: u8, number: usize) -> [u8; 32] {
    let mut bytes = [seed; 32];
    bytes[..8].copy_from_slice(&(number as u64).to_le_bytes());
    bytes
}

pub(crate) fn key_seed(seed: u8, number: usize) -> [u8; 32] {
    bytes(seed, number)
}

pub(crate) fn message(seed: u8) -> [u8; 32] {
    let mut next = seed;
    [(); 32].map(|()| {
        next = next.wrapping_mul(91).wrapping_add(7);
        next
    })
}

pub(crate) fn offer_coins(seed: u8, number: usize) -> [u8; 32] {
    bytes(seed ^ 0x80, number)
}

impl Chain {
    /// One hop for each variant.
    pub(crate) fn new(set: Set, seed: u8, variants: &[Variant]) -> Self {
        let keys: Vec<_> =
            (0..=variants.len()).map(|number| generate(set, &key_seed(seed, number))).collect();
        let (original, content) =
            encapsulate(&keys[0].1, KeyId::new(KEY_ID), &Message::new(message(seed)));
        let signing = SigningKey::from_seed(&[3; 32]);
        let (approval, _) = approve((&keys[0].0, &keys[0].1), &original, &signing).unwrap();
        let admission = approval.check(&signing.owner(), keys[0].1.digest()).unwrap();
        let mut before = admission.admit(original.clone()).unwrap();
        let proxy = ProxySecret::new(PROXY);
        let mut chain =
            Self { keys, capsules: vec![original], offers: vec![], rekeys: vec![], content };
        for (hop, variant) in variants.iter().enumerate() {
            let [owner, reader] = [&chain.keys[hop], &chain.keys[hop + 1]];
            let coins = offer_coins(seed, hop);
            let offer = Offer::new(&reader.0, owner.1.digest(), *variant, &coins);
            chain.offers.push(offer.to_bytes());
            let mut spent = SpentOffers::default();
            let rekey = offer.accept(&owner.0, Digest::new(GRANT), &mut spent).unwrap();
            let warm = WarmKey::cold(&rekey, Some(&reader.1)).unwrap();
            let capsule = warm.reencrypt(&proxy, &before).unwrap();
            let delivery = Delivery::sign(Digest::new(GRANT), &before, capsule.clone(), &signing);
            let expected = [Digest::new(GRANT), rekey.reader()];
            before = delivery.check(&signing.owner(), expected, &before).unwrap();
            chain.capsules.push(capsule);
            chain.rekeys.push(rekey);
        }
        chain
    }
}

/// What a key of a file does, since nobody may look at it.
pub(crate) fn sealed(key: &ContentKey) -> Vec<u8> {
    seal(b"one", key, SealCoins { nonce_prefix: [0; 19], salt: [0; 16] }).unwrap()
}

/// The same, of the bytes of a key.
pub(crate) fn sealed_by(key: [u8; 32]) -> Vec<u8> {
    sealed(&ContentKey::new(key))
}
