//! Items of a block and the records in them. [STO-2] [STO-8] [STO-9] [STO-10]

use std::collections::{BTreeMap, BTreeSet};

use super::super::agreement::Proposal;
use super::super::bounds::hold;
use super::super::ids::{content_ref, item_block_root, item_root, owner_message, record_id};
use super::super::mirror::{Bytes32, Envelope, Item};
use super::super::wire::{Mirror, WireKind, decode};
use super::log::Signatures;

/// Records of a block by id, in order.
pub(super) type Records = Vec<(Bytes32, Envelope)>;

/// The records of a block, if its Items are those that it commits to and may be booked.
pub(super) fn check(
    proposal: &Proposal,
    bytes: &[Vec<u8>],
    booked: &BTreeMap<Bytes32, Bytes32>,
    key_of: &dyn Fn(u32) -> Option<Bytes32>,
    signatures: &dyn Signatures,
) -> Result<Records, String> {
    let items = bytes.iter().map(|bytes| item(bytes)).collect::<Result<Vec<Item>, _>>()?;
    let header = &proposal.signed.header;
    let Some(item_block) = &proposal.payload.item_block else {
        hold(items.is_empty(), "there are Items for a block without Item block")?;
        return Ok(Vec::new());
    };
    let inner = &item_block.header;
    hold(inner.chain_id == header.chain_id, "the Item block names another network")?;
    hold(inner.height == header.height, "the Item block names another height")?;
    hold(inner.producer == header.producer, "the Item block names another producer")?;
    hold(inner.closed_at <= header.timestamp, "the Item block was closed after the block")?;
    hold(inner.root == item_block_root(item_block), "the root of the Item block is another")?;
    hold(items.len() == item_block.items.len(), "another number of Items than the block names")?;
    let total: usize = bytes.iter().map(Vec::len).sum();
    hold(total <= 33_554_432, "the Items hold more bytes than a turn may")?;
    for (item, named) in items.iter().zip(&item_block.items) {
        hold(item_root(item) == *named, "an Item is another than the block names")?;
    }
    let mut ids = BTreeSet::new();
    let mut records = Vec::new();
    for envelope in items.into_iter().flat_map(|item| item.records) {
        let record = &envelope.record;
        let id = record_id(&record.owner, &record.metadata, &content_ref(&record.content));
        hold(signatures.is_sound(&record.owner), "the key of an owner is unsound")?;
        let message = owner_message(&header.chain_id, &id);
        let is_by = signatures.holds(&record.owner, &message, &envelope.owner_signature);
        hold(is_by, "the owner's signature under a record does not hold")?;
        hold(!booked.contains_key(&id), "a record is booked that was booked before")?;
        hold(ids.insert(id), "a record is booked twice in one block")?;
        let is_known = key_of(envelope.booked_by).is_some();
        hold(is_known, "a record names a delegate that is not registered")?;
        let latest = header.timestamp.saturating_add(120_000);
        hold(record.metadata.created <= latest, "a record was made after its block")?;
        records.push((id, envelope));
    }
    Ok(records)
}

fn item(bytes: &[u8]) -> Result<Item, String> {
    match decode(WireKind::Item, bytes) {
        Ok(Mirror::Item(item)) => Ok(item),
        Ok(_) => Err("an Item of another kind".to_owned()),
        Err(why) => Err(format!("an Item is no Item: {why}")),
    }
}
