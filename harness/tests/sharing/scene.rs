//! Who takes part: an owner, readers, proxies, all from fixed seeds, and what they hand each other.

use mdsm_core::crypto::seal::{ContentKey, SealCoins, seal};
use mdsm_core::crypto::sign::SigningKey;
use mdsm_core::reencryption::{
    Admission, Admitted, Approval, Capsule, Message, Offer, ProxySecret, PublicKey, ReKey,
    SecretKey, Set, SpentOffers, Variant, WarmKey, approve, encapsulate, generate,
};
use mdsm_core::types::{Digest, KeyId};

pub(crate) const KEY_ID: KeyId = KeyId::new([0x44; 32]);
pub(crate) const GRANT: Digest = Digest::new([0x55; 32]);

/// Somebody with a lattice key and a key that signs.
pub(crate) struct Party {
    pub(crate) secret: SecretKey,
    pub(crate) public: PublicKey,
    pub(crate) signing: SigningKey,
}

impl Party {
    pub(crate) fn new(set: Set, number: u8) -> Self {
        let (secret, public) = generate(set, &[number; 32]);
        Self { secret, public, signing: SigningKey::from_seed(&[number; 32]) }
    }

    pub(crate) fn name(&self) -> Digest {
        self.public.digest()
    }

    /// A capsule of this owner, and the key of its file.
    pub(crate) fn capsule(&self, number: u8) -> (Capsule, ContentKey) {
        encapsulate(&self.public, KEY_ID, &message(number))
    }

    pub(crate) fn approve(&self, capsule: &Capsule) -> Approval {
        approve((&self.secret, &self.public), capsule, &self.signing).unwrap().0
    }

    pub(crate) fn admission(&self, capsule: &Capsule) -> Admission {
        self.approve(capsule).check(&self.signing.owner(), self.name()).unwrap()
    }

    pub(crate) fn admitted(&self, capsule: &Capsule) -> Admitted {
        self.admission(capsule).admit(capsule.clone()).unwrap()
    }

    /// A key from this owner to a reader.
    pub(crate) fn grant(&self, reader: &Self, variant: Variant, coins: u8) -> ReKey {
        let offer = Offer::new(&reader.secret, self.name(), variant, &[coins; 32]);
        offer.accept(&self.secret, GRANT, &mut SpentOffers::default()).unwrap()
    }
}

pub(crate) fn message(number: u8) -> Message {
    Message::new(std::array::from_fn(|at| {
        number.wrapping_mul(91).wrapping_add(u8::try_from(at).unwrap().wrapping_mul(37))
    }))
}

pub(crate) fn proxy() -> ProxySecret {
    ProxySecret::new([0x66; 32])
}

/// Fresh coins, as many as wanted.
pub(crate) fn coins(number: u32) -> [u8; 32] {
    let mut coins = [0x77; 32];
    coins[..4].copy_from_slice(&number.to_le_bytes());
    coins
}

/// The honest way of a capsule over one hop.
pub(crate) fn one_hop(owner: &Party, reader: &Party, capsule: &Capsule) -> Capsule {
    let key = owner.grant(reader, Variant::Public, 4);
    let warm = WarmKey::new(&key, Some(&reader.public)).unwrap();
    warm.reencrypt(&proxy(), &owner.admitted(capsule)).unwrap()
}

/// What a content key does, which is all that can be seen of it.
pub(crate) fn sealed_with(key: &ContentKey) -> Vec<u8> {
    let coins = SealCoins { nonce_prefix: [8; 19], salt: [9; 16] };
    seal(b"the findings", key, coins).unwrap()
}

/// The same capsule with other words.
pub(crate) fn with_words(capsule: &Capsule, words: Vec<u32>) -> Capsule {
    let names = [capsule.owner, capsule.holder];
    Capsule::new(capsule.set(), capsule.hop(), capsule.key_id, names, words).unwrap()
}

/// A word as the number nearest to 0 that it stands for.
pub(crate) fn centred(set: Set, word: u32) -> i32 {
    let unused = 32 - set.parameters().modulus.log2();
    (word << unused).cast_signed() >> unused
}

/// Entry of a secret key as the small number that it is.
pub(crate) fn secret_entries(secret: &SecretKey) -> Vec<Vec<i32>> {
    let words = mdsm_core::reencryption::bare::secret_words(secret);
    words
        .outer_iter()
        .map(|row| row.iter().map(|word| centred(secret.set(), *word)).collect())
        .collect()
}

/// value / step, to the nearest.
pub(crate) fn nearest(value: i32, step: i32) -> i32 {
    (value + step / 2).div_euclid(step)
}
