//! Whether a block may follow the head. [STO-2] [STO-9] [STO-10] [STO-12] [STO-13] [CON-4]
//!
//! Every refusal is a fault of the block's producer, so it names the rule and the place. Cost: one
//! signature check a record and about ten hashes; memory in proportion to the Items given.

use std::collections::BTreeSet;

use thiserror::Error;

use super::apply::Chain;
use super::events::{CheckedEvents, EventError};
use crate::codec::Wire;
use crate::crypto::sign::{Ed25519, Scheme};
use crate::ledger::{Block, BlockHeader, Envelope, EnvelopeError, Item, Service};
use crate::params::{CREATED_AHEAD_MS_MAX, TURN_ITEM_BYTES_MAX, WINDOW_DATA_BLOCKS_MAX};
use crate::types::{
    ChainId, Digest, Epoch, Height, InstitutionId, OwnerId, RecordId, Timestamp, View,
};

/// Answers what is booked on the chain that the check is about.
pub trait RecordIndex {
    /// Whether the record is booked.
    fn contains(&self, record: &RecordId) -> bool;

    /// Who owns a booked grant under which `institution` may have served; nobody without such a grant.
    fn client_of(&self, _grant: &RecordId, _institution: InstitutionId) -> Option<OwnerId> {
        None
    }

    /// Whether a receipt of service is by the owner of a booked grant to that institution.
    fn has_earned(&self, service: &Service) -> bool {
        self.client_of(&service.grant, service.institution) == Some(service.client)
    }
}

impl RecordIndex for BTreeSet<RecordId> {
    fn contains(&self, record: &RecordId) -> bool {
        BTreeSet::contains(self, record)
    }
}

/// A block that may follow the head, with the ids of its records. Only [`Chain::check`] makes one.
#[derive(Clone, Debug)]
pub struct Checked<'a> {
    block: &'a Block,
    hash: Digest,
    parent: Digest,
    record_ids: Vec<RecordId>,
    is_closing: bool,
    pub(super) events: CheckedEvents,
}

/// Why a block must not follow the head.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BlockError {
    /// Belongs to another network.
    #[error("header.chain_id: {found} is not this network, {expected}")]
    ChainId {
        /// Network named.
        found: ChainId,
        /// This network.
        expected: ChainId,
    },
    /// Follows another block.
    #[error("header.parent: {found} is not the head, {expected}")]
    Parent {
        /// Parent named.
        found: Digest,
        /// The head.
        expected: Digest,
    },
    /// Counts wrongly.
    #[error("header.height: {found} where {expected} follows")]
    Height {
        /// Height claimed.
        found: Height,
        /// Height that follows.
        expected: Height,
    },
    /// Names another view as its parent's.
    #[error("header.parent_view: {found} where the parent's is {expected}")]
    ParentView {
        /// View named.
        found: View,
        /// View of the parent, 0 before the first block of an epoch.
        expected: View,
    },
    /// Its view is not above its parent's.
    #[error("header.view: {found} is not above the parent's {parent}")]
    View {
        /// View claimed.
        found: View,
        /// View of the parent.
        parent: View,
    },
    /// Belongs to another epoch.
    #[error("header.epoch: {found} where {expected} is open")]
    Epoch {
        /// Epoch claimed.
        found: Epoch,
        /// Epoch that is open.
        expected: Epoch,
    },
    /// Not after its parent, or so far ahead that no window can follow.
    #[error("header.timestamp: {found} is not after the parent's {parent}, or beyond all windows")]
    Timestamp {
        /// Time claimed.
        found: Timestamp,
        /// Time of the parent.
        parent: Timestamp,
    },
    /// The header does not commit to the payload.
    #[error("header.payload: {found} is not the commitment to the payload, {expected}")]
    Payload {
        /// Digest in the header.
        found: Digest,
        /// Digest of the payload.
        expected: Digest,
    },
    /// A block after the last of its epoch carries something.
    #[error("payload: a closing block carries nothing")]
    Closing,
    /// The Item block's header contradicts the block.
    #[error("payload.item_block.header.{field}: contradicts the block that carries it")]
    ItemBlockHeader {
        /// The field.
        field: &'static str,
    },
    /// The Item block's header does not commit to its Items.
    #[error("payload.item_block.header.root: {found} is not the root over the Items, {expected}")]
    ItemBlockRoot {
        /// Root in the header.
        found: Digest,
        /// Root over the Items.
        expected: Digest,
    },
    /// Not all Items are at hand, or more than the Item block names.
    #[error("{found} Items at hand where the Item block names {expected}")]
    ItemCount {
        /// Items given.
        found: usize,
        /// Items named.
        expected: usize,
    },
    /// An Item is not the one that the Item block names.
    #[error("Item {index}: root {found} is not the one named, {expected}")]
    ItemRoot {
        /// Index of the Item.
        index: usize,
        /// Root of the Item given.
        found: Digest,
        /// Root named.
        expected: Digest,
    },
    /// The turn carries too many bytes of Items.
    #[error("{bytes} bytes of Items where a turn carries at most {bytes_max}")]
    TurnBytes {
        /// Bytes found.
        bytes: usize,
        /// Limit.
        bytes_max: usize,
    },
    /// A record must not be booked.
    #[error("Item {item}, record {record}: {error}")]
    Envelope {
        /// Index of the Item.
        item: usize,
        /// Index of the record in it.
        record: usize,
        /// Why.
        error: EnvelopeError,
    },
    /// A record is booked already, on the chain or earlier in this block.
    #[error("Item {item}, record {record}: {id} is booked already")]
    Repeated {
        /// Index of the Item.
        item: usize,
        /// Index of the record in it.
        record: usize,
        /// The record.
        id: RecordId,
    },
    /// A record is booked under the id of nobody.
    #[error("Item {item}, record {record}: booked by {found}, which is not registered")]
    Delegate {
        /// Index of the Item.
        item: usize,
        /// Index of the record in it.
        record: usize,
        /// Delegate named.
        found: InstitutionId,
    },
    /// A record claims to be made long after the block.
    #[error(
        "Item {item}, record {record}: created at {created}, more than {CREATED_AHEAD_MS_MAX} ms after the block's {timestamp}"
    )]
    CreatedAhead {
        /// Index of the Item.
        item: usize,
        /// Index of the record in it.
        record: usize,
        /// Time claimed.
        created: Timestamp,
        /// Time of the block.
        timestamp: Timestamp,
    },
    /// Signed by a producer whose turn it is not.
    #[error("header.producer: {found} where {leader} leads view {view}")]
    Producer {
        /// Producer named.
        found: InstitutionId,
        /// The leader of the view.
        leader: InstitutionId,
        /// The view.
        view: View,
    },
    /// An event of the payload must not be booked.
    #[error("payload.{0}")]
    Event(#[from] EventError),
    /// The epoch holds as many blocks as a window can.
    #[error("epoch {epoch} holds as many blocks as a window can")]
    EpochFull {
        /// The epoch.
        epoch: Epoch,
    },
}

impl Chain {
    /// Checks that `block`, with all the Items that its Item block names, may follow the head.
    pub fn check<'a>(
        &self,
        block: &'a Block,
        items: &[Item],
        booked: &impl RecordIndex,
    ) -> Result<Checked<'a>, BlockError> {
        self.check_by(block, items, booked, &Ed25519)
    }

    /// The same under another scheme of signatures.
    pub fn check_by<'a>(
        &self,
        block: &'a Block,
        items: &[Item],
        booked: &impl RecordIndex,
        scheme: &impl Scheme,
    ) -> Result<Checked<'a>, BlockError> {
        let is_closing = self.check_header(block)?;
        let mut record_ids = Vec::new();
        let mut events = CheckedEvents::default();
        if is_closing {
            //= harness/spec/storage.md#sto-13-freeze
            //# STO-13.4 (ours): A block that descends from the last block of its own epoch MUST
            //# carry an empty payload and change no state.
            if !block.payload.is_empty() || !items.is_empty() {
                return Err(BlockError::Closing);
            }
        } else {
            self.check_items(block, items)?;
            events = self.check_events(block, booked, scheme)?;
            record_ids = self.check_records(block.header.timestamp, items, booked, scheme)?;
        }
        let parent = block.header.parent;
        Ok(Checked { block, hash: block.hash(), parent, record_ids, is_closing, events })
    }

    /// Whether a record may name this delegate in a block that follows.
    //= harness/spec/committees.md#com-3-registration
    //# COM-3.6 (ours): A record MUST be refused in a block behind whose parent the delegate it names
    //# is not registered.
    #[must_use]
    pub fn is_registered(&self, delegate: InstitutionId) -> bool {
        self.roster.institution(delegate).is_some()
    }

    /// Checks the header; says whether the block closes an epoch that has ended.
    fn check_header(&self, block: &Block) -> Result<bool, BlockError> {
        let header = &block.header;
        //= harness/spec/consensus.md#con-4-audit
        //# CON-4.5 (ours): A block MUST be refused unless its height is one above its parent's, its
        //# parent and chain are the ones it extends, and its payload has the digest in its header.
        if header.chain_id != self.id {
            return Err(BlockError::ChainId { found: header.chain_id, expected: self.id });
        }
        let is_closing = self.ended_epoch() == Some(header.epoch);
        if header.epoch != self.epoch && !is_closing {
            return Err(BlockError::Epoch { found: header.epoch, expected: self.epoch });
        }
        let (tip, parent_view) = self.tip(is_closing);
        if header.parent != tip.hash {
            return Err(BlockError::Parent { found: header.parent, expected: tip.hash });
        }
        if header.parent_view != parent_view {
            let (found, expected) = (header.parent_view, parent_view);
            return Err(BlockError::ParentView { found, expected });
        }
        if header.view <= parent_view {
            return Err(BlockError::View { found: header.view, parent: parent_view });
        }
        self.check_turn(header, is_closing)?;
        let height = tip.height.next();
        if Some(header.height) != height {
            let expected = height.unwrap_or(tip.height);
            return Err(BlockError::Height { found: header.height, expected });
        }
        let windows_follow = header.timestamp.next_multiple(self.genesis.window_ms).is_some();
        //= harness/spec/storage.md#sto-12-data-blocks-by-the-minute
        //# STO-12.7 (ours): The timestamp of a block MUST be above the timestamp of its parent.
        if header.timestamp <= tip.timestamp || !windows_follow {
            let (found, parent) = (header.timestamp, tip.timestamp);
            return Err(BlockError::Timestamp { found, parent });
        }
        let expected = block.payload.commitment();
        if header.payload != expected {
            return Err(BlockError::Payload { found: header.payload, expected });
        }
        if self.epoch.next().is_none()
            || self.data_blocks_if_frozen_next() >= WINDOW_DATA_BLOCKS_MAX
        {
            return Err(BlockError::EpochFull { epoch: self.epoch });
        }
        Ok(is_closing)
    }

    fn check_turn(&self, header: &BlockHeader, is_closing: bool) -> Result<(), BlockError> {
        let current = self.roster.committees();
        let previous = self.roster.previous_committees().filter(|_| is_closing);
        //= harness/spec/consensus.md#con-5-turns
        //# CON-5.1 (paper): Producers MUST take turns to produce blocks.
        let leader = previous.unwrap_or(current).leader(header.view).institution;
        let (found, view) = (header.producer, header.view);
        if found == leader { Ok(()) } else { Err(BlockError::Producer { found, leader, view }) }
    }

    fn check_items(&self, block: &Block, items: &[Item]) -> Result<(), BlockError> {
        let Some(item_block) = &block.payload.item_block else {
            return match items.len() {
                0 => Ok(()),
                found => Err(BlockError::ItemCount { found, expected: 0 }),
            };
        };
        let (header, outer) = (&item_block.header, &block.header);
        //= harness/spec/storage.md#sto-9-item-block
        //# STO-9.2 (ours): The header of an Item block MUST name the chain, the height and the
        //# producer of the block that carries it, and a closing time not later than its timestamp.
        let contradictions = [
            ("chain_id", header.chain_id != outer.chain_id),
            ("height", header.height != outer.height),
            ("producer", header.producer != outer.producer),
            ("closed_at", header.closed_at > outer.timestamp),
        ];
        if let Some((field, _)) = contradictions.into_iter().find(|(_, contradicts)| *contradicts) {
            return Err(BlockError::ItemBlockHeader { field });
        }
        let expected = item_block.root();
        //= harness/spec/storage.md#sto-9-item-block
        //# STO-9.3 (ours): An Item block MUST be refused unless the root in its header is the level
        //# root over the hashes it holds.
        if header.root != expected {
            return Err(BlockError::ItemBlockRoot { found: header.root, expected });
        }
        if items.len() != item_block.items.len() {
            let (found, expected) = (items.len(), item_block.items.len());
            return Err(BlockError::ItemCount { found, expected });
        }
        let bytes = items.iter().map(|item| item.to_bytes().len()).sum();
        //= harness/spec/storage.md#sto-10-data-block-and-trees
        //# STO-10.4 (ours): A turn MUST carry at most 16,384 Items whose encodings together hold at
        //# most 33,554,432 bytes.
        if bytes > TURN_ITEM_BYTES_MAX {
            return Err(BlockError::TurnBytes { bytes, bytes_max: TURN_ITEM_BYTES_MAX });
        }
        for (index, (item, expected)) in items.iter().zip(item_block.items.iter()).enumerate() {
            let (found, expected) = (item.root(), *expected);
            if found != expected {
                return Err(BlockError::ItemRoot { index, found, expected });
            }
        }
        Ok(())
    }

    fn check_records(
        &self,
        timestamp: Timestamp,
        items: &[Item],
        booked: &impl RecordIndex,
        scheme: &impl Scheme,
    ) -> Result<Vec<RecordId>, BlockError> {
        let latest = timestamp.get().saturating_add(CREATED_AHEAD_MS_MAX);
        let mut in_block = BTreeSet::new();
        let mut listed = Vec::new();
        for (item, record, envelope) in envelopes(items) {
            let id = envelope.record.id();
            //= harness/spec/storage.md#sto-2-record-signature-acceptance
            //# STO-2.6 (ours): A record id MUST occur at most once on the finalized chain.
            //= harness/spec/consensus.md#con-4-audit
            //# CON-4.6 (ours): A block that repeats a record id of its own chain MUST be refused.
            if booked.contains(&id) || !in_block.insert(id) {
                return Err(BlockError::Repeated { item, record, id });
            }
            if !self.is_registered(envelope.booked_by) {
                return Err(BlockError::Delegate { item, record, found: envelope.booked_by });
            }
            let created = envelope.record.metadata().created;
            //= harness/spec/storage.md#sto-8-metadata
            //# STO-8.7 (ours): A record whose time of creation lies more than 120,000 milliseconds
            //# after the timestamp of the block that carries it MUST be refused.
            if created.get() > latest {
                return Err(BlockError::CreatedAhead { item, record, created, timestamp });
            }
            listed.push((envelope, id));
        }
        // Last, because it costs most.
        Envelope::check_all(&listed, &self.id, scheme).map_err(|(at, error)| {
            let (item, record, _) = envelopes(items).nth(at).expect("as many as were listed");
            BlockError::Envelope { item, record, error }
        })?;
        Ok(listed.into_iter().map(|(_, id)| id).collect())
    }
}

fn envelopes(items: &[Item]) -> impl Iterator<Item = (usize, usize, &Envelope)> {
    items.iter().enumerate().flat_map(|(item, records)| {
        records.records.iter().enumerate().map(move |(record, envelope)| (item, record, envelope))
    })
}

impl Checked<'_> {
    pub(super) fn block(&self) -> &Block {
        self.block
    }

    pub(super) fn hash(&self) -> Digest {
        self.hash
    }

    pub(super) fn parent(&self) -> Digest {
        self.parent
    }

    pub(super) fn is_closing(&self) -> bool {
        self.is_closing
    }

    /// Ids of the block's records, in order.
    #[must_use]
    pub fn record_ids(&self) -> &[RecordId] {
        &self.record_ids
    }

    pub(super) fn into_record_ids(self) -> Vec<RecordId> {
        self.record_ids
    }

    /// The delegate that produced the block.
    #[must_use]
    pub fn producer(&self) -> InstitutionId {
        self.block.header.producer
    }
}
