//! The acts and their encodings. [PRE-3] [PRE-4] [PRE-5] [PRE-7] [PRE-8]
//!
//! Re-encryption keys, offers and capsules are not in them, only digests: what is booked is read by
//! everybody, for ever.

use crate::codec::{Decode, DecodeError, Encode, Reader, Wire, wire_enum, wire_struct};
use crate::params::GRANT_FILES_MAX;
use crate::types::{Digest, Height, InstitutionId, Map, OwnerId, RecordId, Set};

/// Records that are asked for.
pub type Records = Set<RecordId, GRANT_FILES_MAX>;

/// A digest for each record of a grant.
pub type Files = Map<RecordId, Digest, GRANT_FILES_MAX>;

wire_enum!(
    /// Which act it is.
    ActKind {
        /// By a reader.
        Request = 0,
        /// By the owner asked.
        Grant = 1,
        /// By an institution.
        Bid = 2,
        /// By the owner.
        Choice = 3,
        /// By the proxy chosen.
        Delivery = 4,
        /// By the owner.
        Revocation = 5,
        /// By the reader.
        Dispute = 6,
        /// By the owner.
        Confirmation = 7,
    }
);

wire_enum!(
    /// What an owner finds in a dispute.
    Finding {
        /// The delivery does not decrypt to the original.
        Wrong = 1,
        /// The proxy did what it should.
        Sound = 2,
    }
);

/// A reader asks an owner for a part of its records.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Request {
    /// Who is asked.
    pub owner: OwnerId,
    /// Name of the reader in what is made for it: the digest of its lattice key, which it declares
    /// as its own by this record, or a pseudonym.
    pub reader_key: Digest,
    /// Digest of the parcel that brings the reader's offer to the owner.
    pub offer: Digest,
    /// What is asked for, at least one record.
    pub records: Records,
}

/// An owner lets the reader of a request read some of what it asked for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Grant {
    /// The request that it answers.
    pub request: RecordId,
    /// Digest of the owner's lattice key, which it declares as its own by this record.
    pub owner_key: Digest,
    /// Last height at which it holds.
    pub until: Height,
    /// The records, each with the digest of its approved capsule; at least one.
    pub files: Files,
}

/// An institution offers to re-encrypt under a grant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bid {
    /// The grant.
    pub grant: RecordId,
    /// Digest of the public key to which the re-encryption key is to be sealed.
    pub parcels: Digest,
}

/// The owner chooses one of the bidders.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Choice {
    /// The grant.
    pub grant: RecordId,
    /// The bidder.
    pub institution: InstitutionId,
    /// Digest of the re-encryption key.
    pub rekey: Digest,
    /// Digest of the parcel that brings it to the proxy.
    pub parcel: Digest,
}

/// The proxy has re-encrypted every file of a grant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Delivery {
    /// The grant.
    pub grant: RecordId,
    /// The records, each with the digest of the signed delivery of its capsule; at least one.
    pub files: Files,
}

/// The owner takes a grant back.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revocation {
    /// The grant.
    pub grant: RecordId,
}

/// The reader says that a delivery does not decrypt to the original capsule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Dispute {
    /// The grant.
    pub grant: RecordId,
    /// Which of its records.
    pub record: RecordId,
    /// Digest of the signed delivery.
    pub delivery: Digest,
}

/// The owner says what it found when the reader showed it the delivery.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Confirmation {
    /// The grant.
    pub grant: RecordId,
    /// What it found.
    pub finding: Finding,
}

/// One step of a sharing, as a record holds it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Act {
    /// A reader asks.
    Request(Request),
    /// The owner grants.
    Grant(Grant),
    /// An institution bids.
    Bid(Bid),
    /// The owner chooses.
    Choice(Choice),
    /// The proxy delivers.
    Delivery(Delivery),
    /// The owner revokes.
    Revocation(Revocation),
    /// The reader disputes.
    Dispute(Dispute),
    /// The owner answers a dispute.
    Confirmation(Confirmation),
}

impl Act {
    /// Which act it is.
    #[must_use]
    pub fn kind(&self) -> ActKind {
        match self {
            Self::Request(_) => ActKind::Request,
            Self::Grant(_) => ActKind::Grant,
            Self::Bid(_) => ActKind::Bid,
            Self::Choice(_) => ActKind::Choice,
            Self::Delivery(_) => ActKind::Delivery,
            Self::Revocation(_) => ActKind::Revocation,
            Self::Dispute(_) => ActKind::Dispute,
            Self::Confirmation(_) => ActKind::Confirmation,
        }
    }
}

fn some_records(records: &Records) -> Result<(), &'static str> {
    if records.is_empty() { Err("a request asks for at least 1 record") } else { Ok(()) }
}

fn some_files(files: &Files) -> Result<(), &'static str> {
    if files.is_empty() { Err("a grant and its delivery hold at least 1 file") } else { Ok(()) }
}

wire_struct!(Request { owner, reader_key, offer, records if some_records });
wire_struct!(Grant { request, owner_key, until, files if some_files });
wire_struct!(Bid { grant, parcels });
wire_struct!(Choice { grant, institution, rekey, parcel });
wire_struct!(Delivery { grant, files if some_files });
wire_struct!(Revocation { grant });
wire_struct!(Dispute { grant, record, delivery });
wire_struct!(Confirmation { grant, finding });

impl Encode for Act {
    fn encode(&self, out: &mut Vec<u8>) {
        self.kind().encode(out);
        match self {
            Self::Request(act) => act.encode(out),
            Self::Grant(act) => act.encode(out),
            Self::Bid(act) => act.encode(out),
            Self::Choice(act) => act.encode(out),
            Self::Delivery(act) => act.encode(out),
            Self::Revocation(act) => act.encode(out),
            Self::Dispute(act) => act.encode(out),
            Self::Confirmation(act) => act.encode(out),
        }
    }
}

impl Decode for Act {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(match reader.field("kind")? {
            ActKind::Request => Self::Request(Decode::decode(reader)?),
            ActKind::Grant => Self::Grant(Decode::decode(reader)?),
            ActKind::Bid => Self::Bid(Decode::decode(reader)?),
            ActKind::Choice => Self::Choice(Decode::decode(reader)?),
            ActKind::Delivery => Self::Delivery(Decode::decode(reader)?),
            ActKind::Revocation => Self::Revocation(Decode::decode(reader)?),
            ActKind::Dispute => Self::Dispute(Decode::decode(reader)?),
            ActKind::Confirmation => Self::Confirmation(Decode::decode(reader)?),
        })
    }
}

impl Wire for Act {
    const TAG: [u8; 4] = *b"MACT";
    const NAME: &'static str = "Act";
}
