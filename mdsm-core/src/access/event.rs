//! What an act, or the passing of blocks, brings about. [PRE-4] [PRE-5] [PRE-7] [PRE-8]

use crate::types::{Digest, InstitutionId, OwnerId, RecordId};

/// The effect of an act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccessEvent {
    /// A reader asked.
    Requested {
        /// The request.
        request: RecordId,
        /// Who asked.
        reader: OwnerId,
        /// Who is asked.
        owner: OwnerId,
    },
    /// A grant waits for bids.
    Granted {
        /// The grant.
        grant: RecordId,
        /// Who granted.
        owner: OwnerId,
        /// Who may read.
        reader: OwnerId,
    },
    /// An institution bid.
    Bid {
        /// The grant.
        grant: RecordId,
        /// The bidder.
        institution: InstitutionId,
    },
    /// A proxy was chosen.
    Chosen {
        /// The grant.
        grant: RecordId,
        /// The proxy.
        institution: InstitutionId,
    },
    /// The proxy delivered.
    Delivered {
        /// The grant.
        grant: RecordId,
        /// The proxy.
        institution: InstitutionId,
        /// The key that it is stored under.
        reader_key: Digest,
    },
    /// The owner took a grant back.
    Revoked {
        /// The grant.
        grant: RecordId,
        /// The proxy that holds a key for it and erases it now.
        institution: Option<InstitutionId>,
    },
    /// The reader disputes a delivery.
    Disputed {
        /// The grant.
        grant: RecordId,
        /// The proxy.
        institution: InstitutionId,
    },
    /// Reader and owner have shown that a delivery was wrong. At most once for each grant.
    WrongDelivery {
        /// The proxy, against which it counts.
        institution: InstitutionId,
        /// The grant.
        grant: RecordId,
        /// The file.
        record: RecordId,
        /// Digest of what the proxy signed.
        delivery: Digest,
    },
    /// The owner found the proxy without fault.
    Cleared {
        /// The proxy.
        institution: InstitutionId,
        /// The grant.
        grant: RecordId,
    },
}

/// What was over when a height was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lapse {
    /// A request that nobody answered is forgotten.
    Request(RecordId),
    /// A grant holds no longer.
    Grant(RecordId),
    /// The owner did not confirm a dispute in time; the proxy is without fault.
    Dispute(RecordId),
}
