//! What an answer says once it is checked. A full client computes it from its own books, a light
//! client from proofs; both are the same value. [CLI-4]

use super::dealing::Dealing;
use super::question::{Place, Role};
use super::register::Declared;
use crate::access::Reading;
use crate::ledger::{Booking, Receipt};
use crate::types::{Epoch, Height, InstitutionId, OwnerId, RecordId, Timestamp};

/// The answer to a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// Records of an owner.
    Records(Records),
    /// One record, or that it is not booked.
    Record(Option<Box<Listed>>),
    /// Dealings.
    Sharing(Sharing),
    /// Keys that somebody has declared last, if any.
    Keys(Option<Declared>),
    /// A receipt, or what holds until there is one.
    Receipt(Option<Box<Receipted>>),
    /// Where the chain stands.
    Status(Status),
}

/// Records of one owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Records {
    /// Whose.
    pub owner: OwnerId,
    /// Up to which height.
    pub at: Height,
    /// In the order of booking.
    //= harness/spec/clients.md#cli-4-one-answer
    //# CLI-4.2 (ours): The records of an owner MUST be listed in the order of booking, by height, then
    //# Item, then place in the Item.
    pub records: Vec<Listed>,
    /// Behind which place there are more.
    pub next: Option<Place>,
}

/// A booked record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub id: RecordId,
    /// Where it is booked.
    pub place: Place,
    /// What is booked; the content by its digest.
    pub booking: Booking,
    /// The content, where one record was asked for that carries it.
    pub content: Option<Vec<u8>>,
    /// How far its epoch has come.
    pub standing: Standing,
}

/// What holds of a booked record. That it is final always holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// Final by the auditors of its epoch. The epoch is open, or its anchor is not certified yet: no
    /// receipt can be made.
    Final(Epoch),
    /// The anchor of its epoch is certified by both committees, and a receipt leads there.
    Anchored(Epoch),
}

/// Dealings of an owner or of a reader: who may read which records, and who has asked to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sharing {
    /// Whose.
    pub person: OwnerId,
    /// On which side.
    pub role: Role,
    /// At which height.
    pub at: Height,
    /// As they stand then, in the order of the requests.
    pub dealings: Vec<Dealing>,
    /// Behind which request there are more.
    pub next: Option<Place>,
}

/// A record and its receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipted {
    /// The record.
    pub record: Listed,
    /// Leads to the certified anchor; absent while the record's standing is final only. Whether its
    /// Bitcoin part holds, `anchoring` says against Bitcoin's headers.
    pub receipt: Option<Receipt>,
}

/// Where the chain stands, as one institution has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// Whose view it is.
    pub institution: InstitutionId,
    /// Highest block that can be proven.
    pub height: Height,
    /// Its epoch.
    pub epoch: Epoch,
    /// Its time.
    pub timestamp: Timestamp,
    /// Highest final block that the institution says it has. It is above `height` while the
    /// certificate of an anchor is being made.
    pub head: Height,
}

impl Sharing {
    /// Who may read which record.
    pub fn readings(&self) -> impl Iterator<Item = Reading> {
        self.dealings.iter().flat_map(|dealing| dealing.readings(self.at))
    }

    /// Requests that wait for an answer.
    pub fn asking(&self) -> impl Iterator<Item = &Dealing> {
        self.dealings.iter().filter(|dealing| dealing.grant.is_none())
    }
}

impl Standing {
    /// The standing of a record of `epoch`, when the anchors of all epochs below `certified` are
    /// certified.
    #[must_use]
    pub fn of(epoch: Epoch, certified: Epoch) -> Self {
        if epoch < certified { Self::Anchored(epoch) } else { Self::Final(epoch) }
    }

    /// The record's epoch.
    #[must_use]
    pub fn epoch(self) -> Epoch {
        let (Self::Final(epoch) | Self::Anchored(epoch)) = self;
        epoch
    }
}
