//! Why a step of a sharing is not taken.

use thiserror::Error;

use super::exchange::ExchangeError;
use super::spent::SpentError;
use crate::access::Refusal;
use crate::codec::DecodeError;
use crate::crypto::seal::SealError;
use crate::environment::EntropyError;
use crate::ledger::{ContentError, RecordError};
use crate::reencryption::{
    AdmitError, ApproveError, OpenError, ParcelError, ReencryptError, RekeyError,
};
use crate::types::{Digest, InstitutionId, RecordId};

/// A step that is not taken.
#[derive(Debug, Error)]
pub enum SharingError {
    /// The exchange.
    #[error(transparent)]
    Exchange(#[from] ExchangeError),
    /// No randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// Not on the chain, or not yet.
    #[error("{what} {id}: not on the chain")]
    NotBooked {
        /// What it should be.
        what: &'static str,
        /// Its record.
        id: RecordId,
    },
    /// Somebody has declared no keys.
    #[error("{owner} has declared no keys")]
    NoKeys {
        /// Who.
        owner: crate::types::OwnerId,
    },
    /// Somebody else's to do.
    #[error("{what} {id}: is not of this key")]
    NotMine {
        /// What it is.
        what: &'static str,
        /// Its record.
        id: RecordId,
    },
    /// Too early or too late.
    #[error("grant {grant}: {why}")]
    NotNow {
        /// The grant.
        grant: RecordId,
        /// What it lacks.
        why: &'static str,
    },
    /// A grant about other records.
    #[error("{record} is no record of the request or grant")]
    AnotherRecord {
        /// The record.
        record: RecordId,
    },
    /// An act that is booked and changes nothing.
    #[error(
        "{act} is booked, and has no effect: what it names is not there or not this key's, or it comes too early, too \
         late or a second time"
    )]
    NoEffect {
        /// Its record.
        act: RecordId,
    },
    /// An act that was accepted, and is not booked because the chain stands.
    #[error("{act} was accepted and is not booked yet: {error}")]
    Waits {
        /// Its record.
        act: RecordId,
        /// How it stands.
        error: ExchangeError,
    },
    /// An institution that has not bid.
    #[error("institution {institution} has not bid")]
    NoBid {
        /// Which.
        institution: InstitutionId,
    },
    /// A record without a capsule, or with the capsule of another file.
    #[error("record {record}: names no capsule of its file")]
    NoCapsule {
        /// The record.
        record: RecordId,
    },
    /// The record of a grant that says nothing of this capsule.
    #[error("grant {grant}: no approval of the capsule of {record}")]
    NoApproval {
        /// The grant.
        grant: RecordId,
        /// The record.
        record: RecordId,
    },
    /// The vault has it not, or not yet.
    #[error("{what} {digest}: not in the vault")]
    Missing {
        /// What it should be.
        what: &'static str,
        /// By which it is found.
        digest: Digest,
    },
    /// The vault gave other bytes.
    #[error("{what}: {expected} was asked for, {found} came")]
    Digest {
        /// What it should be.
        what: &'static str,
        /// Digest asked for.
        expected: Digest,
        /// Digest of what came.
        found: Digest,
    },
    /// Not what it should be.
    #[error("{what}: {error}")]
    Malformed {
        /// What it should be.
        what: &'static str,
        /// Why not.
        error: DecodeError,
    },
    /// A key that is for something else than the chain says.
    #[error("the re-encryption key is for another {what} than the chain says")]
    AnotherKey {
        /// Grant, owner, reader, or it is another key altogether.
        what: &'static str,
    },
    /// The chain does not let a proxy do it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A parcel.
    #[error(transparent)]
    Parcel(#[from] ParcelError),
    /// A capsule that its owner does not approve.
    #[error(transparent)]
    Approve(#[from] ApproveError),
    /// A capsule that was not approved.
    #[error(transparent)]
    Admit(#[from] AdmitError),
    /// An offer.
    #[error(transparent)]
    Rekey(#[from] RekeyError),
    /// A re-encryption.
    #[error(transparent)]
    Reencrypt(#[from] ReencryptError),
    /// The list of spent offers.
    #[error(transparent)]
    Spent(#[from] SpentError),
    /// A record that cannot be made.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// A file that cannot be sealed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// A file that is not the one booked.
    #[error(transparent)]
    File(#[from] ContentError),
    /// The owner's own capsule.
    #[error("own capsule: {0}")]
    Own(OpenError),
    /// What the proxy delivered is wrong.
    #[error("delivery of {record}: {fault}")]
    Delivery {
        /// The record.
        record: RecordId,
        /// What is wrong.
        fault: DeliveryFault,
    },
    /// A dispute over a delivery that opens.
    #[error("delivery of {record}: opens, there is nothing to dispute")]
    Sound {
        /// The record.
        record: RecordId,
    },
}

/// What the proxy answers for.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DeliveryFault {
    /// The booked digest is of something else.
    #[error("is no signed delivery: {0}")]
    Malformed(DecodeError),
    /// It is not signed by the proxy, or about something else.
    #[error(transparent)]
    Another(AdmitError),
    /// It does not decrypt to the owner's capsule.
    #[error(transparent)]
    Wrong(OpenError),
}

impl SharingError {
    /// Whether the same step may succeed later without anybody doing anything else.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::Exchange(ExchangeError::Away { .. } | ExchangeError::Stands { .. })
                | Self::Waits { .. }
                | Self::Missing { .. }
                | Self::Digest { .. }
        )
    }
}
