//! Signatures that were checked before the node asks for them. [CON-7]
//!
//! A node checks what it is handed, one thing after another. The signatures of owners, ten thousands in a
//! turn, are checked by the threads that read the links; what holds is remembered here by the digest of key,
//! message and signature, so that the node's own check is a look-up. What is not remembered is checked as
//! always, so nothing depends on what was forgotten.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::crypto::sha256_parts;
use crate::crypto::sign::{Ed25519, KeyError, Scheme, Signed};
use crate::ledger::Envelope;
use crate::types::{ChainId, Digest, OwnerId, Signature};

/// Signatures remembered in each of two halves: a full turn of records. The older half is forgotten when the
/// younger one is full.
const HALF_MAX: usize = 163_840;

/// Ed25519, with a memory of what was found to hold.
#[derive(Clone, Debug, Default)]
pub struct Prechecked(Arc<Mutex<Memory>>);

#[derive(Debug, Default)]
struct Memory {
    young: HashSet<Digest>,
    old: HashSet<Digest>,
}

impl Memory {
    fn knows(&self, name: &Digest) -> bool {
        self.young.contains(name) || self.old.contains(name)
    }

    fn learn(&mut self, name: Digest) {
        if self.young.len() >= HALF_MAX {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(name);
    }
}

impl Prechecked {
    /// Checks signatures together and remembers them if all hold.
    pub fn check(&self, signed: &[Signed<'_>]) -> bool {
        let holds = Ed25519.all_hold(signed)
            && signed.iter().all(|one| Ed25519.check_signer(one.key).is_ok());
        if holds {
            let names: Vec<Digest> = signed.iter().map(name).collect();
            let mut memory = self.memory();
            names.into_iter().for_each(|name| memory.learn(name));
        }
        holds
    }

    /// Checks the owners' signatures of records and remembers those that hold, up to the first that does not; says
    /// whether all do. What that means is the node's to say, which asks again.
    pub fn learn(&self, envelopes: &[&Envelope], chain: &ChainId) -> bool {
        let named: Vec<_> = envelopes.iter().map(|one| (*one, one.record.id())).collect();
        Envelope::check_all(&named, chain, &Learning(self)).is_ok()
    }

    /// The same for each on its own: one that does not hold takes nothing from those behind it.
    pub(super) fn learn_each<'a>(
        &self,
        envelopes: impl Iterator<Item = &'a Envelope>,
        chain: &ChainId,
    ) {
        for envelope in envelopes {
            // What does not hold is not remembered, which is all that there is to say.
            let _ = envelope.check_by(chain, &Learning(self));
        }
    }

    /// Whether a signature was found to hold, and is remembered.
    pub(super) fn knows(&self, signed: &Signed<'_>) -> bool {
        let name = name(signed);
        self.memory().knows(&name)
    }

    fn unknown<'a>(&self, signed: &[Signed<'a>]) -> Vec<Signed<'a>> {
        let named: Vec<_> = signed.iter().map(|one| (one, name(one))).collect();
        let memory = self.memory();
        let unknown = named.into_iter().filter(|(_, name)| !memory.knows(name));
        unknown.map(|(one, _)| *one).collect()
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        // A set is whole whatever the thread that panicked was about to add.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Scheme for Prechecked {
    fn check_key(&self, key: &OwnerId) -> Result<(), KeyError> {
        Ed25519.check_key(key)
    }

    fn check_signer(&self, key: &OwnerId) -> Result<(), KeyError> {
        Ed25519.check_signer(key)
    }

    fn holds(&self, key: &OwnerId, message: &[u8], signature: &Signature) -> bool {
        self.knows(&Signed { key, message, signature }) || Ed25519.holds(key, message, signature)
    }

    fn all_hold(&self, signed: &[Signed<'_>]) -> bool {
        let unknown = self.unknown(signed);
        unknown.is_empty() || Ed25519.all_hold(&unknown)
    }
}

/// Remembers what it checks.
struct Learning<'a>(&'a Prechecked);

impl Scheme for Learning<'_> {
    fn holds(&self, key: &OwnerId, message: &[u8], signature: &Signature) -> bool {
        self.0.check(&[Signed { key, message, signature }])
    }

    /// A record comes more than once: from its delegate, then in an Item.
    fn all_hold(&self, signed: &[Signed<'_>]) -> bool {
        let unknown = self.0.unknown(signed);
        unknown.is_empty() || self.0.check(&unknown)
    }
}

/// Key and signature have a fixed length, so nothing can be moved from one part into another.
fn name(signed: &Signed<'_>) -> Digest {
    sha256_parts(&[signed.key.as_bytes(), signed.signature.as_bytes(), signed.message])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::sign::SigningKey;

    #[test]
    fn only_what_was_found_to_hold_is_known() {
        let scheme = Prechecked::default();
        let (key, other) = (SigningKey::from_seed(&[1; 32]), SigningKey::from_seed(&[2; 32]));
        let (owner, stranger) = (key.owner(), other.owner());
        let (signature, wrong) = (key.sign(b"record"), other.sign(b"record"));
        let signed = |signature| Signed { key: &owner, message: b"record", signature };
        assert!(!scheme.check(&[signed(&signature), signed(&wrong)]));
        assert!(!scheme.knows(&signed(&signature)), "one that fails takes all with it");
        assert!(scheme.check(&[signed(&signature)]));
        assert!(scheme.knows(&signed(&signature)));
        assert!(scheme.holds(&owner, b"record", &signature));
        assert!(!scheme.holds(&owner, b"recorD", &signature));
        assert!(!scheme.holds(&stranger, b"record", &signature));
        assert!(!scheme.all_hold(&[signed(&signature), signed(&wrong)]));
        assert!(scheme.all_hold(&[signed(&signature), signed(&signature)]));
    }

    #[test]
    fn memory_has_a_bound_and_forgets_the_oldest() {
        let mut memory = Memory::default();
        let name = |number: usize| crate::crypto::sha256(&number.to_le_bytes());
        for number in 0..=2 * HALF_MAX {
            memory.learn(name(number));
        }
        assert!(memory.young.len() + memory.old.len() <= 2 * HALF_MAX);
        assert!(memory.knows(&name(2 * HALF_MAX)) && memory.knows(&name(HALF_MAX)));
        assert!(!memory.knows(&name(0)));
    }
}
