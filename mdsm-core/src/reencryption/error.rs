//! Why an algorithm with guards refuses. One enum for each.

use thiserror::Error;

use super::offer::SpentOut;
use super::set::Set;
use crate::types::Digest;

/// An offer that is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RekeyError {
    /// Of another parameter set than the owner's key.
    #[error("the offer is of set {}, the key of {}", offer.parameters().name, key.parameters().name)]
    Set {
        /// Set of the offer.
        offer: Set,
        /// Set of the owner's key.
        key: Set,
    },
    /// Made for another owner: accepting it would tell the reader the difference of two keys.
    #[error("the offer is for the key {offered_to}, this is {key}")]
    AnotherOwner {
        /// Whose it is.
        offered_to: Digest,
        /// Who was to accept it.
        key: Digest,
    },
    /// Accepted before, perhaps with other words around it.
    #[error("the offer whose U is {offer} was accepted before, each makes one key")]
    Spent {
        /// Digest of its U.
        offer: Digest,
    },
    /// No room to remember it.
    #[error(transparent)]
    SpentOut(SpentOut),
}

/// A capsule that a proxy may not re-encrypt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AdmitError {
    /// The signature is not the signer's.
    #[error("the signature of {signer} does not hold")]
    Signature {
        /// The signer's key.
        signer: crate::types::OwnerId,
    },
    /// Signed for another capsule.
    #[error("capsule {capsule} is given, {approved} was approved")]
    AnotherCapsule {
        /// Digest of the capsule given.
        capsule: Digest,
        /// Digest of the capsule that was approved.
        approved: Digest,
    },
    /// Signed by somebody other than the owner of the capsule's key.
    #[error("the capsule is under the key {capsule}, the signer's is {signer}")]
    AnotherOwner {
        /// The capsule's first key; of a capsule that made no hop, also the one that it is under.
        capsule: Digest,
        /// The signer's lattice key.
        signer: Digest,
    },
    /// Made under another grant.
    #[error("the delivery is under grant {delivery}, {grant} is expected")]
    AnotherGrant {
        /// Grant of the delivery.
        delivery: Digest,
        /// Grant that is expected.
        grant: Digest,
    },
    /// A delivery of something else than the capsule that went in, or to somebody else.
    #[error("the delivery is of another set, file or owner, or to another reader than was granted")]
    Unrelated,
    /// A capsule that has made hops, without the deliveries that it came by.
    #[error("the capsule has made {hop} hops, its deliveries account for {known}")]
    Hops {
        /// What it says.
        hop: u8,
        /// What was shown.
        known: u8,
    },
}

/// A re-encryption that is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ReencryptError {
    /// Key and capsule are of different sets.
    #[error("the key is of set {}, the capsule of {}", key.parameters().name, capsule.parameters().name)]
    Set {
        /// Set of the key.
        key: Set,
        /// Set of the capsule.
        capsule: Set,
    },
    /// The key is for another pair.
    #[error("the key takes capsules of {key}, this one is of {capsule}")]
    AnotherPair {
        /// Whose capsules the key takes.
        key: Digest,
        /// Whose the capsule is.
        capsule: Digest,
    },
    /// The capsule has made all its hops.
    #[error("the capsule has made {hop} hops, its set allows {hops_max}")]
    HopLimit {
        /// Hops made.
        hop: u8,
        /// Hops allowed.
        hops_max: usize,
    },
    /// The reader's public key is of another set.
    #[error("the key is of set {}, the reader's of {}", key.parameters().name, reader.parameters().name)]
    ReaderSet {
        /// Set of the key.
        key: Set,
        /// Set of the reader's public key.
        reader: Set,
    },
    /// The reader's public key is needed, and another or none was given.
    #[error("the key makes capsules of {reader}, whose public key is needed")]
    ReaderKey {
        /// Digest of the public key that is needed.
        reader: Digest,
    },
}

/// A capsule that is not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum OpenError {
    /// Of different sets.
    #[error("the key is of set {}, the capsule of {}", key.parameters().name, capsule.parameters().name)]
    Set {
        /// Set of the secret key.
        key: Set,
        /// Set of the capsule.
        capsule: Set,
    },
    /// The original capsule is not one of this owner, or the two capsules are of different files.
    #[error("the received capsule, the original and the owner's key do not belong together")]
    Unrelated,
    /// What it says does not give the original capsule again.
    #[error("does not decrypt to the owner's capsule: another reader's, or changed on its way")]
    NotTheOriginal,
}
