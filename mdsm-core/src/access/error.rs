//! Why an act has no effect. The record that holds it stays booked. [PRE-3] [PRE-4] [PRE-7] [PRE-8]

use thiserror::Error;

use crate::types::{Digest, Height, InstitutionId, OwnerId, RecordId};

/// An act without effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AccessError {
    /// The record was applied before.
    #[error("{record} was applied before")]
    Repeated {
        /// The record.
        record: RecordId,
    },
    /// No such request, or one that was answered or is forgotten.
    #[error("{request} is no open request")]
    UnknownRequest {
        /// The record named.
        request: RecordId,
    },
    /// No such grant, or one that is long over.
    #[error("{grant} is no grant, or one that is long over")]
    UnknownGrant {
        /// The record named.
        grant: RecordId,
    },
    /// A request asks an owner for what it does not own.
    #[error("{record} is no booked record of the owner asked, {owner}")]
    NotOwned {
        /// The record asked for.
        record: RecordId,
        /// Who was asked.
        owner: OwnerId,
    },
    /// A grant gives what was not asked for.
    #[error("{record} was not asked for")]
    NotRequested {
        /// The record.
        record: RecordId,
    },
    /// Signed by somebody else than whose act it is.
    #[error("signed by {signer}, this is for {expected} to do")]
    AnotherSigner {
        /// Who signed.
        signer: OwnerId,
        /// Whose act it would be.
        expected: OwnerId,
    },
    /// A bid by a key that holds no seat.
    #[error("{signer} is the key of no producer and no auditor")]
    NoMember {
        /// Who signed.
        signer: OwnerId,
    },
    /// A bid by the owner or the reader themselves.
    #[error("{signer} is owner or reader of the grant and cannot be its proxy")]
    Party {
        /// Who signed.
        signer: OwnerId,
    },
    /// The grant would hold for no block, or too long.
    #[error("until {until}, between {after} and {until_max} is allowed")]
    Until {
        /// Last height named.
        until: Height,
        /// The present height.
        after: Height,
        /// Last height allowed.
        until_max: Height,
    },
    /// The reader has too many requests open.
    #[error("{requests_max} requests of this reader are open")]
    TooManyRequests {
        /// Requests that may be open.
        requests_max: u32,
    },
    /// The owner has too many grants.
    #[error("{grants_max} grants of this owner are not yet over")]
    TooManyGrants {
        /// Grants that an owner may have.
        grants_max: u32,
    },
    /// The grant has too many bids.
    #[error("{bids_max} institutions have bid")]
    TooManyBids {
        /// Bids that a grant may have.
        bids_max: u32,
    },
    /// The owner took the grant back.
    #[error("the grant was revoked at height {at}")]
    Revoked {
        /// Height of the revocation.
        at: Height,
    },
    /// The grant holds no longer.
    #[error("the grant held until height {until}")]
    Expired {
        /// Its last height.
        until: Height,
    },
    /// The institution has bid before.
    #[error("institution {institution} has bid before")]
    AlreadyBid {
        /// The institution.
        institution: InstitutionId,
    },
    /// The institution chosen has not bid.
    #[error("institution {institution} has not bid")]
    NoBid {
        /// The institution.
        institution: InstitutionId,
    },
    /// The institution chosen has lost its seat since it bid.
    #[error("institution {institution} has bid and lost its seat")]
    LostSeat {
        /// The institution.
        institution: InstitutionId,
    },
    /// There is a proxy.
    #[error("institution {institution} was chosen")]
    AlreadyChosen {
        /// The proxy.
        institution: InstitutionId,
    },
    /// There is no proxy yet.
    #[error("no proxy was chosen")]
    NotChosen,
    /// The proxy has delivered.
    #[error("the proxy has delivered")]
    AlreadyDelivered,
    /// The proxy has not delivered.
    #[error("the proxy has not delivered")]
    NotDelivered,
    /// A delivery of other records than were granted.
    #[error("a delivery of other records than the {granted} that were granted")]
    OtherFiles {
        /// Records granted.
        granted: u64,
    },
    /// A dispute over what was not delivered.
    #[error("{delivery} is not what was delivered for {record}")]
    AnotherDelivery {
        /// The record named.
        record: RecordId,
        /// The delivery named.
        delivery: Digest,
    },
    /// A delivery is disputed in time or not at all.
    #[error("the delivery could be disputed until height {until}")]
    TooLate {
        /// Last height for a dispute.
        until: Height,
    },
    /// A dispute is open, or was.
    #[error("the delivery was disputed before")]
    AlreadyDisputed,
    /// Nothing to confirm.
    #[error("no dispute is open")]
    NotDisputed,
}
