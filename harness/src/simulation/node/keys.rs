//! Keys of a whole network, and a scheme that costs nothing or the real one.
//!
//! Every key is a point of the curve, because chains refuse others. An ideal signature is a keyed tag;
//! one that is none is held against Ed25519, so that records which a test signed with its key hold too.

use std::collections::BTreeMap;
use std::rc::Rc;

use mdsm_core::crypto::sign::{Ed25519, KeyError, Scheme, Signed, SigningKey};
use mdsm_core::types::{InstitutionId, OwnerId, Signature};

use crate::simulation::world::{fold, mix};

/// Keys of institutions, users and the registrar.
#[derive(Clone, Debug)]
pub struct Keys(Rc<Inner>);

#[derive(Debug)]
struct Inner {
    secret: u64,
    is_real: bool,
    signing: BTreeMap<OwnerId, SigningKey>,
    institutions: Vec<OwnerId>,
    users: Vec<OwnerId>,
    registrar: OwnerId,
}

impl Keys {
    /// Keys of institutions 1 to `institutions` and of users 0 to `users - 1`.
    #[must_use]
    pub fn new(institutions: u32, users: u32, secret: u64, is_real: bool) -> Self {
        let mut signing = BTreeMap::new();
        let mut make = |kind: u8, number: u32| {
            let key = SigningKey::from_seed(&seed_of(secret, kind, number));
            let owner = key.owner();
            signing.insert(owner, key);
            owner
        };
        let of_institutions = (0..=institutions).map(|number| make(1, number)).collect();
        let of_users = (0..users).map(|number| make(2, number)).collect();
        let registrar = make(3, 0);
        let institutions = of_institutions;
        Self(Rc::new(Inner { secret, is_real, signing, institutions, users: of_users, registrar }))
    }

    /// The keys of others and one's own, as an institution has them. Signatures are real.
    #[must_use]
    pub fn of(others: &BTreeMap<InstitutionId, OwnerId>, own: SigningKey) -> Self {
        let nobody = own.owner();
        let last = others.keys().next_back().map_or(0, |id| id.get());
        let of = |id: u32| others.get(&InstitutionId::new(id)).copied().unwrap_or(nobody);
        let institutions = (0..=last).map(of).collect();
        let signing = BTreeMap::from([(nobody, own)]);
        let (users, registrar) = (vec![nobody], nobody);
        Self(Rc::new(Inner { secret: 0, is_real: true, signing, institutions, users, registrar }))
    }

    /// What the key of an institution is made from.
    #[must_use]
    pub fn secret(&self, id: InstitutionId) -> [u8; 32] {
        seed_of(self.0.secret, 1, id.get())
    }

    /// The key of an institution; of one that there is not, that of number 0, who has no seat.
    #[must_use]
    pub fn institution(&self, id: InstitutionId) -> OwnerId {
        let institutions = &self.0.institutions;
        institutions.get(id.get() as usize).copied().unwrap_or(institutions[0])
    }

    /// The key of a user, counted round and round.
    #[must_use]
    pub fn user(&self, number: u32) -> OwnerId {
        self.0.users[number as usize % self.0.users.len()]
    }

    /// The key of the body that rates.
    #[must_use]
    pub fn registrar(&self) -> OwnerId {
        self.0.registrar
    }

    /// Signs with the key that belongs to this one.
    #[must_use]
    pub fn sign(&self, owner: &OwnerId, message: &[u8]) -> Signature {
        match self.0.signing.get(owner) {
            Some(key) if self.0.is_real => key.sign(message),
            _ => self.tag(owner, message),
        }
    }

    fn tag(&self, owner: &OwnerId, message: &[u8]) -> Signature {
        self.tag_of(owner, fold(self.0.secret, message))
    }

    fn tag_of(&self, owner: &OwnerId, message: u64) -> Signature {
        let mut word = [0; 8];
        word.copy_from_slice(&owner.as_bytes()[..8]);
        let first = mix(mix(self.0.secret, u64::from_le_bytes(word)), message);
        let mut bytes = [0; 64];
        bytes[..8].copy_from_slice(&first.to_le_bytes());
        bytes[8..16].copy_from_slice(&mix(first, self.0.secret).to_le_bytes());
        Signature::new(bytes)
    }
}

fn seed_of(secret: u64, kind: u8, number: u32) -> [u8; 32] {
    let mut seed = [kind; 32];
    seed[..8].copy_from_slice(&secret.to_le_bytes());
    seed[8..12].copy_from_slice(&number.to_le_bytes());
    seed
}

impl Scheme for Keys {
    /// Keys of this network are points; only others need a look at the curve.
    fn check_key(&self, key: &OwnerId) -> Result<(), KeyError> {
        let is_known = !self.0.is_real && self.0.signing.contains_key(key);
        if is_known { Ok(()) } else { Ed25519.check_key(key) }
    }

    fn holds(&self, key: &OwnerId, message: &[u8], signature: &Signature) -> bool {
        (!self.0.is_real && self.tag(key, message) == *signature)
            || Ed25519.holds(key, message, signature)
    }

    fn all_hold(&self, signed: &[Signed<'_>]) -> bool {
        if self.0.is_real {
            return Ed25519.all_hold(signed);
        }
        // The signatures of a certificate share their message.
        let mut last: Option<(&[u8], u64)> = None;
        signed.iter().all(|one| {
            let folded = match last {
                Some((message, folded)) if message == one.message => folded,
                _ => fold(self.0.secret, one.message),
            };
            last = Some((one.message, folded));
            self.tag_of(one.key, folded) == *one.signature
                || Ed25519.holds(one.key, one.message, one.signature)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_schemes_tell_keys_messages_and_signatures_apart() {
        for is_real in [false, true] {
            let keys = Keys::new(3, 2, 9, is_real);
            let (one, other) = (keys.institution(InstitutionId::new(1)), keys.user(1));
            let signature = keys.sign(&one, b"vote");
            assert!(keys.holds(&one, b"vote", &signature));
            assert!(!keys.holds(&other, b"vote", &signature));
            assert!(!keys.holds(&one, b"vota", &signature));
            let mut bytes = *signature.as_bytes();
            bytes[5] ^= 1;
            let spoilt = Signature::new(bytes);
            assert!(!keys.holds(&one, b"vote", &spoilt));
            let signed = |signature| Signed { key: &one, message: b"vote", signature };
            assert!(keys.all_hold(&[signed(&signature), signed(&signature)]));
            assert!(!keys.all_hold(&[signed(&signature), signed(&spoilt)]));
        }
    }
}
