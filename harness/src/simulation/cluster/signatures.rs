//! Signatures of a simulation: real ones, or ideal ones that cost nothing.
//!
//! An ideal signature is a keyed tag in 64 bytes. Nobody in a simulation can make one without the
//! [`Signatures`] value, and strategies sign through it for their own institution only. Not secure
//! against anybody outside; the real scheme has its own tests.

use mdsm_core::crypto::sign::{Ed25519, Scheme, Signed, SigningKey};
use mdsm_core::types::{InstitutionId, OwnerId, Signature};

use crate::simulation::world::{fold, mix};

/// Keys of all institutions, and how signatures are checked.
#[derive(Debug)]
pub enum Signatures {
    /// Keyed tags.
    Ideal {
        /// Nobody but the scheme reads it.
        secret: u64,
    },
    /// Ed25519; keys by institution.
    Real(Vec<SigningKey>),
}

impl Signatures {
    /// Ideal signatures of a run.
    #[must_use]
    pub fn ideal(secret: u64) -> Self {
        Self::Ideal { secret }
    }

    /// Real signatures of institutions 0 to `highest`.
    #[must_use]
    pub fn real(highest: u32, secret: u64) -> Self {
        let key = |institution: u32| {
            let mut seed = [0x51; 32];
            seed[..8].copy_from_slice(&secret.to_le_bytes());
            seed[8..12].copy_from_slice(&institution.to_le_bytes());
            SigningKey::from_seed(&seed)
        };
        Self::Real((0..=highest).map(key).collect())
    }

    /// The public key of an institution.
    #[must_use]
    pub fn owner(&self, institution: InstitutionId) -> OwnerId {
        match self {
            Self::Ideal { .. } => {
                let mut bytes = [0x1d; 32];
                bytes[..4].copy_from_slice(&institution.get().to_le_bytes());
                OwnerId::new(bytes)
            }
            Self::Real(keys) => keys[institution.get() as usize].owner(),
        }
    }

    /// Signs.
    #[must_use]
    pub fn sign(&self, institution: InstitutionId, message: &[u8]) -> Signature {
        match self {
            Self::Ideal { secret } => {
                tag(*secret, &self.owner(institution), fold(*secret, message))
            }
            Self::Real(keys) => keys[institution.get() as usize].sign(message),
        }
    }
}

fn tag(secret: u64, key: &OwnerId, message: u64) -> Signature {
    let mut word = [0; 8];
    word.copy_from_slice(&key.as_bytes()[..8]);
    let first = mix(mix(secret, u64::from_le_bytes(word)), message);
    let mut bytes = [0; 64];
    bytes[..8].copy_from_slice(&first.to_le_bytes());
    bytes[8..16].copy_from_slice(&mix(first, secret).to_le_bytes());
    Signature::new(bytes)
}

impl Scheme for Signatures {
    fn holds(&self, key: &OwnerId, message: &[u8], signature: &Signature) -> bool {
        match self {
            Self::Ideal { secret } => tag(*secret, key, fold(*secret, message)) == *signature,
            Self::Real(_) => Ed25519.holds(key, message, signature),
        }
    }

    fn all_hold(&self, signed: &[Signed<'_>]) -> bool {
        let Self::Ideal { secret } = self else { return Ed25519.all_hold(signed) };
        // The signatures of a certificate share their message.
        let mut last: Option<(&[u8], u64)> = None;
        signed.iter().all(|one| {
            let folded = match last {
                Some((message, folded)) if message == one.message => folded,
                _ => fold(*secret, one.message),
            };
            last = Some((one.message, folded));
            tag(*secret, one.key, folded) == *one.signature
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_schemes_tell_keys_messages_and_signatures_apart() {
        for signatures in [Signatures::ideal(7), Signatures::real(4, 7)] {
            let (a, b) = (InstitutionId::new(1), InstitutionId::new(2));
            let signature = signatures.sign(a, b"vote");
            assert!(signatures.holds(&signatures.owner(a), b"vote", &signature));
            assert!(!signatures.holds(&signatures.owner(b), b"vote", &signature));
            assert!(!signatures.holds(&signatures.owner(a), b"vota", &signature));
            for byte in 0..64 {
                let mut bytes = *signature.as_bytes();
                bytes[byte] ^= 1;
                assert!(!signatures.holds(&signatures.owner(a), b"vote", &Signature::new(bytes)));
            }
        }
    }

    #[test]
    fn a_batch_holds_when_each_of_it_does() {
        let signatures = Signatures::ideal(9);
        let keys: Vec<_> = (1..6).map(|n| signatures.owner(InstitutionId::new(n))).collect();
        let mut made: Vec<_> =
            (1..6).map(|n| signatures.sign(InstitutionId::new(n), b"x")).collect();
        let check = |made: &[Signature]| {
            let batch: Vec<_> = keys
                .iter()
                .zip(made)
                .map(|(key, signature)| Signed { key, message: b"x", signature })
                .collect();
            signatures.all_hold(&batch)
        };
        assert!(check(&made));
        made.swap(1, 3);
        assert!(!check(&made));
    }
}
