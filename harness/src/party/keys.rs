//! The secrets of one party, made from its seed, and what anybody may try with them.

use mdsm_core::codec::Wire as _;
use mdsm_core::crypto::seal::{self, ContentKey};
use mdsm_core::crypto::sha256;
use mdsm_core::crypto::sign::SigningKey;
use mdsm_core::reencryption::{
    Capsule, OpenError, ParcelKey, PublicKey, SecretKey, Set, generate, open,
};
use mdsm_core::types::Digest;
use sha2::{Digest as _, Sha256};

use super::message::{Refusal, Reply, Request, Sealed};
use super::{Answer, Refused};

/// All keys of a party. They leave its process only as public keys.
pub(super) struct Keys {
    seed: [u8; 32],
    drawn: u64,
    /// Digest of the request that is answered.
    asked: Digest,
    pub(super) signing: SigningKey,
    pub(super) parcels: ParcelKey,
    pub(super) secret: SecretKey,
    pub(super) public: PublicKey,
}

impl Keys {
    pub(super) fn new(seed: [u8; 32], set: Set) -> Self {
        let (secret, public) = generate(set, &lasting(&seed, "lattice"));
        Self {
            seed,
            drawn: 0,
            asked: Digest::new([0; 32]),
            signing: SigningKey::from_seed(&lasting(&seed, "signing")),
            parcels: ParcelKey::from_seed(&lasting(&seed, "parcels")),
            secret,
            public,
        }
    }

    /// A secret of its own for a purpose.
    pub(super) fn lasting(&self, purpose: &str) -> [u8; 32] {
        lasting(&self.seed, purpose)
    }

    /// To be called with every request: the coins of its answer follow from what it asks for.
    pub(super) fn hear(&mut self, request: &Request) {
        match request {
            // A file is not copied for this.
            Request::Seal { file } => self.asked = sha256(file),
            Request::Offer { .. } | Request::Accept { .. } => {
                self.asked = sha256(&request.to_bytes());
            }
            // Nothing is drawn for the others.
            _ => {}
        }
    }

    /// Coins that are used once. They follow from the seed, the request, and how many were drawn
    /// before: a party that is started again from its seed draws the same ones for the same request
    /// in the same place, and for no other.
    pub(super) fn coins<const N: usize>(&mut self) -> [u8; N] {
        self.drawn += 1;
        let coins = derived(&self.seed, "coins", self.drawn, self.asked.as_bytes());
        std::array::from_fn(|at| coins[at])
    }

    /// The public keys.
    pub(super) fn public(&self) -> Reply {
        let (lattice, parcels) = (self.public.clone(), self.parcels.public().clone());
        Reply::Keys { signer: self.signing.owner(), lattice, parcels }
    }

    /// Answers what every party answers in the same way.
    pub(super) fn answer(&self, request: &Request) -> Answer {
        match request {
            Request::Try { owner_key, capsule, received, sealed } => {
                self.opened(owner_key, capsule, received, sealed)
            }
            other => Err(Refused::part(other)),
        }
    }

    /// Opens a capsule and the file, and tells what it read by its digest.
    pub(super) fn opened(
        &self,
        owner: &PublicKey,
        original: &Capsule,
        received: &Capsule,
        sealed: &Sealed,
    ) -> Answer {
        let key: Result<ContentKey, OpenError> = open(&self.secret, owner, original, received);
        let key = key.map_err(Refused::with(Refusal::Capsule))?;
        let plaintext = seal::open(sealed, &key).map_err(Refused::with(Refusal::File))?;
        let bytes = u64::try_from(plaintext.len()).expect("usize fits in u64");
        Ok(Reply::Opened { digest: sha256(&plaintext), bytes })
    }
}

fn lasting(seed: &[u8; 32], purpose: &str) -> [u8; 32] {
    derived(seed, purpose, 0, &[])
}

fn derived(seed: &[u8; 32], purpose: &str, number: u64, about: &[u8]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(b"harness/party/");
    hasher.update(purpose.as_bytes());
    hasher.update(number.to_le_bytes());
    hasher.update(seed);
    hasher.update(about);
    hasher.finalize().into()
}

/// What an owner signs when it takes a grant back. The machine of grants comes with another chapter;
/// here a signature is enough.
pub(super) fn revocation(grant: &Digest) -> Vec<u8> {
    [&b"HRVK\x01"[..], grant.as_bytes()].concat()
}
