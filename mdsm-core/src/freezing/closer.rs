//! Making Items of what a turn held. Pure: the same records in the same order give the same Items.
//! [STO-3] [STO-4] [STO-9] [STO-12]

use std::collections::VecDeque;
use std::sync::Arc;

use crate::codec::PREFIX_BYTES;
use crate::ledger::{Envelope, Item, ItemBlock, ItemBlockHeader, Level, Verified, root_of};
use crate::params::{ITEM_RECORDS_MAX, TURN_ITEM_BYTES_MAX, TURN_ITEMS_MAX};
use crate::types::{ChainId, Digest, Height, InstitutionId, List, Timestamp};

/// A record that was accepted, with the hash of its leaf, so that closing a turn hashes no content.
///
/// One pointer, so that the slots of a handoff are small, draining them moves little, and a pool keeps what a
/// turn takes.
#[derive(Clone, Debug)]
pub struct Accepted(Arc<Parts>);

#[derive(Clone, Debug)]
struct Parts {
    envelope: Verified<Envelope>,
    leaf_hash: Digest,
    bytes: usize,
}

/// An Item that will not change any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedItem {
    /// The Item.
    pub item: Item,
    /// Its root.
    pub root: Digest,
}

/// What a turn yields.
#[derive(Clone, Debug, Default)]
pub struct Turn {
    /// The Items, at most 16,384 of them and at most 32 MiB encoded.
    pub items: Vec<SealedItem>,
    /// Records that did not fit; they come first in the next turn.
    pub carried: VecDeque<Accepted>,
}

/// Bytes of an encoded Item besides its envelopes: prefix and count.
const ITEM_FRAME_BYTES: usize = PREFIX_BYTES + 4;

impl Accepted {
    /// Hashes the booking; done by the thread that accepts, not by the one that closes.
    #[must_use]
    pub fn new(envelope: Verified<Envelope>) -> Self {
        let (leaf_hash, bytes) = envelope.leaf();
        Self(Arc::new(Parts { envelope, leaf_hash, bytes }))
    }

    /// Bytes of its encoding within an Item.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.0.bytes
    }

    /// The record in its envelope.
    #[must_use]
    pub fn envelope(&self) -> &Verified<Envelope> {
        &self.0.envelope
    }
}

/// Closes a turn: Items of ten records in the order given, a shorter one at the end, until the turn
/// is full; the rest is carried over. Nothing is lost and nothing is repeated.
#[must_use]
pub fn close_turn(accepted: impl IntoIterator<Item = Accepted>) -> Turn {
    let mut waiting: VecDeque<Accepted> = accepted.into_iter().collect();
    let mut items = Vec::new();
    let mut bytes_left = TURN_ITEM_BYTES_MAX;
    //= harness/spec/storage.md#sto-10-data-block-and-trees
    //# STO-10.4 (ours): A turn MUST carry at most 16,384 Items whose encodings together hold at
    //# most 33,554,432 bytes.
    while !waiting.is_empty() && items.len() < TURN_ITEMS_MAX {
        //= harness/spec/storage.md#sto-3-size-of-an-item
        //# STO-3.3 (ours): An Item MUST close when it holds 10 records or when its turn ends,
        //# whichever comes first.
        let count = waiting.len().min(ITEM_RECORDS_MAX);
        let bytes: usize = waiting.iter().take(count).map(|record| record.0.bytes).sum();
        let Some(left) = bytes_left.checked_sub(bytes + ITEM_FRAME_BYTES) else {
            break;
        };
        bytes_left = left;
        items.push(SealedItem::new(waiting.drain(..count)));
    }
    //= harness/spec/storage.md#sto-3-size-of-an-item
    //# STO-3.4 (ours): An accepted record MUST enter exactly one Item, before that Item closes, in
    //# the turn in which it was appended or in the next turn that has room for it.
    Turn { items, carried: waiting }
}

impl SealedItem {
    fn new(records: impl Iterator<Item = Accepted>) -> Self {
        let parts = records.map(|record| Arc::unwrap_or_clone(record.0));
        let (envelopes, leaves): (Vec<_>, Vec<_>) =
            parts.map(|parts| (parts.envelope.into_inner(), parts.leaf_hash)).unzip();
        let root = Item::root_of_leaves(&leaves);
        let records = List::new(envelopes).expect("close_turn takes 1 to 10 records at a time");
        Self { item: Item { records }, root }
    }
}

impl Turn {
    /// The Item block of the turn, or `None` for an idle one.
    #[must_use]
    pub fn item_block(
        &self,
        chain_id: ChainId,
        height: Height,
        producer: InstitutionId,
        closed_at: Timestamp,
    ) -> Option<ItemBlock> {
        let roots: Vec<Digest> = self.items.iter().map(|item| item.root).collect();
        let root = root_of(Level::ItemBlock, &roots);
        // An idle turn has no roots, which the list refuses.
        //= harness/spec/storage.md#sto-10-data-block-and-trees
        //# STO-10.7 (ours): A turn without closed Items MUST NOT carry an Item block.
        let items = List::new(roots).ok()?;
        let header = ItemBlockHeader { chain_id, height, producer, closed_at, root };
        Some(ItemBlock { header, items })
    }
}
