//! The drawings of the spec as plain structs, in the order of their fields; borsh does the rest.
//!
//! A struct holds whatever the primitives can: bounds are checked in `bounds`, after decoding.
//! Enumerations without a body are their tag. Spec: storage, "Formats", and anchoring, "Receipt".

use std::collections::{BTreeMap, BTreeSet};

use borsh::{BorshDeserialize, BorshSerialize};

pub use super::acts::Act;
pub use super::agreement::{
    Certificate, Decision, Events, Evidence, JournalEntry, Proposal, Registration, Service,
    SignedVote, Summary,
};
pub use super::clients::RosterCommitment;
pub use super::messages::Message;
pub use super::sharing::{
    Approval, Approvals, Capsule, Delivery, KeyRecord, Offer, Parcel, ParcelPublicKey, PublicKey,
    ReKey, SpentOffers,
};

/// 32 bytes: a digest, an id or a public key.
pub type Bytes32 = [u8; 32];

macro_rules! mirror {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $type:ty),* $(,)? })*) => { $(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
        #[expect(missing_docs, reason = "the fields are those of the spec, name by name")]
        pub struct $name { $(pub $field: $type),* }
    )* };
}

mirror! {
    /// What the members of a network agreed on.
    Genesis {
        name: String,
        started_at: i64,
        turn_ms: u32,
        minute_ms: u32,
        window_ms: u32,
        producers: u16,
        auditors: u16,
        committees: Bytes32,
        registrar: Bytes32,
    }
    /// A system and a code in it.
    Code { system: u8, code: String }
    /// What a record does to an earlier one.
    Relation { relation: u8, record: Bytes32 }
    /// Scheme and key of a sealed file.
    Encryption { scheme: u8, key_id: Bytes32 }
    /// What a record says about its content.
    Metadata {
        resource_type: String,
        content_type: String,
        created: i64,
        tz_offset_min: Option<i16>,
        size: u64,
        kind: Option<Code>,
        category: Option<Code>,
        status: u8,
        relates_to: Option<Relation>,
        format: Option<String>,
        language: Option<String>,
        custodian: Option<Bytes32>,
        author: Option<Bytes32>,
        activity: u8,
        security: BTreeSet<u8>,
        consent: Option<Bytes32>,
        encryption: Option<Encryption>,
        ext: BTreeMap<String, Vec<u8>>,
    }
    /// Owner, metadata, content.
    Record { owner: Bytes32, metadata: Metadata, content: Content }
    /// A record as it is booked.
    Envelope { record: Record, owner_signature: [u8; 64], booked_by: u32 }
    /// The leaf of an Item.
    Booking {
        owner: Bytes32,
        metadata: Metadata,
        content: ContentRef,
        owner_signature: [u8; 64],
        booked_by: u32,
    }
    /// Up to ten envelopes.
    Item { records: Vec<Envelope> }
    /// Where an Item block belongs.
    ItemBlockHeader {
        chain_id: Bytes32,
        height: u64,
        producer: u32,
        closed_at: i64,
        root: Bytes32,
    }
    /// The Items of a turn, by their roots.
    ItemBlock { header: ItemBlockHeader, items: Vec<Bytes32> }
    /// What a turn produced.
    Payload {
        item_block: Option<ItemBlock>,
        parent_certificate: Option<Certificate>,
        events: Events,
    }
    /// What a block commits to.
    BlockHeader {
        chain_id: Bytes32,
        epoch: u32,
        view: u64,
        height: u64,
        parent: Bytes32,
        parent_view: u64,
        timestamp: i64,
        producer: u32,
        payload: Bytes32,
    }
    /// Header and payload.
    Block { header: BlockHeader, payload: Payload }
    /// Item blocks, by their roots.
    DataBlock { epoch: u32, index: u32, item_blocks: Vec<Bytes32> }
    /// The data blocks of an epoch, by their roots.
    Window { epoch: u32, data_blocks: Vec<Bytes32> }
    /// Everything that a freeze commits to.
    Anchor {
        chain_id: Bytes32,
        epoch: u32,
        window: Bytes32,
        head: Bytes32,
        state: Bytes32,
        next_committees: Bytes32,
    }
    /// Index and number of leaves on each level.
    Position {
        item_index: u8,
        item_size: u8,
        block_index: u16,
        block_size: u16,
        data_index: u8,
        data_size: u8,
        window_index: u32,
        window_size: u32,
    }
    /// The way into a Bitcoin block.
    BitcoinProof { height: u32, transaction: Vec<u8>, tx_index: u32, branch: Vec<Bytes32> }
    /// The way from a record to a Bitcoin block.
    Receipt {
        chain_id: Bytes32,
        epoch: u32,
        booking: Booking,
        position: Position,
        path: Vec<Bytes32>,
        context: Bytes32,
        bitcoin: Option<BitcoinProof>,
    }
}

/// The third part of a record: tag 0 or 1.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum Content {
    /// The bytes themselves.
    Inline(Vec<u8>),
    /// Digest of the sealed file.
    Stored(Bytes32),
}

/// The third part of a record without its bytes: tag 0 or 1.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub enum ContentRef {
    /// SHA-256 of the bytes.
    Inline(Bytes32),
    /// Digest of the sealed file.
    Stored(Bytes32),
}
