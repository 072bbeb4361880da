//! Answers as they travel: JSON around the bytes that prove them. [CLI-1]
//!
//! Several records of one block share its proof. A value that is hashed or signed travels as its own
//! encoding, so nothing is said twice.

use serde::{Deserialize, Serialize};

use super::hexed::{HexBytes, Hexed};
use super::question::{Place, Role};
use crate::ledger::{Anchor, BlockHeader, Booking, Certificate, Receipt, Summary};
use crate::roster::RosterCommitment;
use crate::types::{ChainId, Digest, Height, InstitutionId, OwnerId, RecordId};

/// The answer to a question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "lowercase")]
pub enum Answer {
    /// Records of an owner.
    Records(RecordsAnswer),
    /// One record.
    Record(RecordAnswer),
    /// Dealings.
    Sharing(SharingAnswer),
    /// Keys.
    Keys(KeysAnswer),
    /// A receipt.
    Receipt(ReceiptAnswer),
    /// Where the chain stands.
    Status(StatusAnswer),
    /// Who produces and audits.
    Roster(RosterAnswer),
}

/// Records of an owner in the order of booking.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordsAnswer {
    /// Whose.
    pub owner: OwnerId,
    /// Up to which height.
    pub at: Height,
    /// Blocks that book them.
    pub blocks: Vec<BlockProof>,
    /// The records.
    //= harness/spec/clients.md#cli-1-full-client
    //# CLI-1.4 (ours): The interface of a full client MUST answer over HTTP in JSON, with a proof for
    //# every record it names.
    pub records: Vec<RecordProof>,
    /// Behind which place there are more.
    pub next: Option<Place>,
}

/// One record, or that it is not booked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordAnswer {
    /// Which.
    pub id: RecordId,
    /// Up to which height.
    pub at: Height,
    /// Its block, if it is booked.
    pub blocks: Vec<BlockProof>,
    /// The record, if it is booked.
    pub records: Vec<RecordProof>,
}

/// The acts of dealings, and the records that they name, all in the order of booking. What is so long over that
/// nobody has to answer for it is not among them, nor are bids that were not chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SharingAnswer {
    /// Whose.
    pub person: OwnerId,
    /// On which side.
    pub role: Role,
    /// At which height.
    pub at: Height,
    /// Blocks that book acts and records.
    pub blocks: Vec<BlockProof>,
    /// Acts, with their content, and records.
    pub records: Vec<RecordProof>,
    /// Behind which request there are more.
    pub next: Option<Place>,
}

/// The keys that somebody has declared last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeysAnswer {
    /// Who.
    pub owner: OwnerId,
    /// Up to which height.
    pub at: Height,
    /// The block of the key record, if there is one.
    pub blocks: Vec<BlockProof>,
    /// The key record with its content, if there is one.
    pub records: Vec<RecordProof>,
}

/// The receipt of a record, and the record's own proof, which holds before there is a receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptAnswer {
    /// Which.
    pub id: RecordId,
    /// Up to which height.
    pub at: Height,
    /// Its block, if it is booked.
    pub blocks: Vec<BlockProof>,
    /// The record, if it is booked.
    pub records: Vec<RecordProof>,
    /// The receipt, once the anchor of its epoch is certified.
    pub receipt: Option<Box<Hexed<Receipt>>>,
}

/// Where the chain stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatusAnswer {
    /// The network.
    pub chain_id: ChainId,
    /// Who answers.
    pub institution: InstitutionId,
    /// Highest final block that the institution has.
    pub head: Height,
    /// Highest block that can be proven; absent before the first.
    pub proven: Option<Finality>,
}

/// Committees, each certified by the ones before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RosterAnswer {
    /// The first committees, when asked for from epoch 0 on.
    pub first: Option<Hexed<RosterCommitment>>,
    /// Epoch by epoch.
    pub steps: Vec<RosterStep>,
}

/// The end of an epoch, and who serves in the next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RosterStep {
    /// What the freeze of the epoch committed to.
    pub anchor: Hexed<Anchor>,
    /// Both committees of the epoch say so.
    pub certificate: Hexed<Certificate>,
    /// Committees of the next epoch, with the digest of all institutions.
    pub next: Hexed<RosterCommitment>,
}

/// Why a block is final.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finality {
    /// The block's header.
    pub header: Hexed<BlockHeader>,
    /// Headers above it, each the child of the one before, up to the one that is certified.
    pub above: Vec<Hexed<BlockHeader>>,
    /// Finalizes the last of these.
    pub certificate: Hexed<Certificate>,
}

/// A final block as far as records need it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BlockProof {
    /// Why it is final.
    pub finality: Finality,
    /// What its header commits to.
    pub summary: Hexed<Summary>,
}

/// A record in a block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordProof {
    /// Its name.
    pub id: RecordId,
    /// Index of its block among those of the answer.
    pub block: u32,
    /// What is booked.
    pub booking: Hexed<Booking>,
    /// The content that the record carries: of acts and keys, and where one record was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<HexBytes>,
    /// Root of its Item.
    pub item: Digest,
    /// Index in the Item, and records of the Item.
    pub in_item: (u8, u8),
    /// Hashes from the booking up to the root of the Item.
    pub item_path: Vec<Digest>,
    /// Index of the Item in the Item block, and Items of the Item block.
    pub in_block: (u16, u16),
    /// Hashes from the Item up to the root of the Item block.
    pub block_path: Vec<Digest>,
}
