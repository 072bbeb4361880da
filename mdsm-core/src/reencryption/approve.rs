//! Which capsules a proxy may re-encrypt: those that their owner has recomputed, and what proxies
//! made of them. [PRE-3]
//!
//! A capsule whose c1 was chosen instead of computed, once re-encrypted, hands the reader a row of
//! the owner's secret. So the owner decrypts, seals again, compares, and signs.

use subtle::ConstantTimeEq as _;
use thiserror::Error;

use super::capsule::Capsule;
use super::encapsulate::{content_key, encapsulate, noisy_message};
use super::error::AdmitError;
use super::keys::{PublicKey, SecretKey};
use super::message::Message;
use crate::codec::{Wire, prefix, wire_struct};
use crate::crypto::Identified as _;
use crate::crypto::seal::ContentKey;
use crate::crypto::sign::{SigningKey, verify};
use crate::types::{Digest, OwnerId, Signature};

/// A capsule that its owner does not approve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ApproveError {
    /// It is under another key.
    #[error("the capsule is under the key {capsule}, not under {key}")]
    AnotherKey {
        /// The capsule's key.
        capsule: Digest,
        /// The key at hand.
        key: Digest,
    },
    /// It is not what anybody gets by sealing a message: changed, or made to be harmful.
    #[error("the capsule is not the one that its message gives")]
    Malformed,
}

/// An owner's word that a capsule is what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// Digest of the capsule.
    pub capsule: Digest,
    /// Digest of the lattice key that it is under.
    pub key: Digest,
    /// Who says so.
    pub owner: OwnerId,
    /// Signature over the digests.
    pub signature: Signature,
}

wire_struct!(Approval { capsule, key, owner, signature });

impl Wire for Approval {
    const TAG: [u8; 4] = *b"MAPV";
    const NAME: &'static str = "Approval";
}

/// Checks a capsule by making it again, gives the key of its file, and signs.
///
/// # Errors
/// When the capsule is another owner's, or not one.
pub fn approve(
    (secret, public): (&SecretKey, &PublicKey),
    capsule: &Capsule,
    signing_key: &SigningKey,
) -> Result<(Approval, ContentKey), ApproveError> {
    let key = public.digest();
    let names = [capsule.owner, capsule.holder, secret.public()];
    if capsule.set() != public.set() || capsule.hop() != 0 || names != [key; 3] {
        return Err(ApproveError::AnotherKey { capsule: capsule.holder, key });
    }
    //= harness/spec/reencryption.md#pre-3-request-and-grant
    //# PRE-3.3 (ours): An owner MUST check a capsule by recomputing it before the capsule may be
    //# re-encrypted.
    let words = noisy_message(secret, capsule);
    let message = Message::of_words(capsule.set().parameters(), &words);
    let content = remade(public, capsule, &message).ok_or(ApproveError::Malformed)?;
    let (capsule, owner) = (capsule.id(), signing_key.owner());
    let signature = signing_key.sign(&statement(&capsule, &key));
    Ok((Approval { capsule, key, owner, signature }, content))
}

/// The key of the file, if sealing the message gives this very capsule. Takes the same time whatever
/// the message is.
pub(super) fn remade(
    public: &PublicKey,
    original: &Capsule,
    message: &Message,
) -> Option<ContentKey> {
    let (again, _) = encapsulate(public, original.key_id, message);
    //= harness/spec/reencryption.md#pre-1-scheme
    //# PRE-1.9 (ours): Sampling of secrets and the comparison of a recomputed capsule MUST NOT branch on
    //# secret values nor use them as an index.
    let equal = again.words().iter().zip(original.words());
    let equal = equal.fold(subtle::Choice::from(1), |all, (a, b)| all & a.ct_eq(b));
    bool::from(equal).then(|| content_key(original.key_id, message))
}

fn statement(capsule: &Digest, key: &Digest) -> Vec<u8> {
    [&prefix(*b"MAPM")[..], capsule.as_bytes(), key.as_bytes()].concat()
}

/// Proof that a capsule of this digest may be re-encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admission {
    capsule: Digest,
    owner: Digest,
}

/// A capsule that may be re-encrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admitted {
    pub(super) capsule: Capsule,
    pub(super) digest: Digest,
}

impl Approval {
    /// Holds the approval to the keys of the owner: the one that signs, and the lattice key that it
    /// has declared as its own.
    ///
    /// # Errors
    /// When it is not this owner's, or the signature does not hold.
    pub fn check(&self, owner: &OwnerId, lattice_key: Digest) -> Result<Admission, AdmitError> {
        let (capsule, key) = (self.capsule, self.key);
        let signed = verify(owner, &statement(&capsule, &key), &self.signature);
        if signed.is_err() || self.owner != *owner {
            return Err(AdmitError::Signature { signer: *owner });
        }
        if key != lattice_key {
            return Err(AdmitError::AnotherOwner { capsule: key, signer: lattice_key });
        }
        Ok(Admission { capsule, owner: key })
    }
}

impl Admission {
    /// Admits the capsule that was meant.
    ///
    /// # Errors
    /// When it is another.
    pub fn admit(&self, capsule: Capsule) -> Result<Admitted, AdmitError> {
        let digest = capsule.id();
        if digest != self.capsule {
            return Err(AdmitError::AnotherCapsule { capsule: digest, approved: self.capsule });
        }
        let another = |name| AdmitError::AnotherOwner { capsule: name, signer: self.owner };
        if capsule.owner != self.owner {
            return Err(another(capsule.owner));
        }
        //= harness/spec/reencryption.md#pre-1-scheme
        //# PRE-1.8 (ours): A capsule that has made hops MUST be refused for re-encryption unless signed
        //# deliveries account for each of them.
        if capsule.hop() != 0 {
            return Err(AdmitError::Hops { hop: capsule.hop(), known: 0 });
        }
        // Without this, a stranger who calls itself the owner could approve any words under any key.
        if capsule.holder != self.owner {
            return Err(another(capsule.holder));
        }
        Ok(Admitted { capsule, digest })
    }
}

impl Admitted {
    /// The capsule.
    #[must_use]
    pub fn capsule(&self) -> &Capsule {
        &self.capsule
    }

    /// Its digest.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }
}
