//! Ids and roots of values, hashed as the drawings say. [STO-2] [STO-10] [STO-13]

use super::agreement::commitment;
use super::merkle::{level_over, level_root, root, sha256};
use super::mirror::{
    Anchor, Booking, Bytes32, Content, ContentRef, DataBlock, Envelope, Item, ItemBlock, Metadata,
    RosterCommitment, Window,
};
use super::wire::{Mirror, body};

/// SHA-256 of the whole encoding: chain id of a genesis, hash of a block header.
#[must_use]
pub fn id(value: &Mirror) -> Bytes32 {
    sha256(&[&value.encode()])
}

/// The id of a record.
#[must_use]
pub fn record_id(owner: &Bytes32, metadata: &Metadata, content: &ContentRef) -> Bytes32 {
    sha256(&[b"MRID\x01", owner, &body(metadata), &body(content)])
}

/// The 69 bytes that an owner signs.
#[must_use]
pub fn owner_message(chain_id: &Bytes32, record_id: &Bytes32) -> Vec<u8> {
    [b"MSGR\x01", &chain_id[..], &record_id[..]].concat()
}

/// The content without its bytes.
#[must_use]
pub fn content_ref(content: &Content) -> ContentRef {
    match content {
        Content::Inline(bytes) => ContentRef::Inline(sha256(&[bytes])),
        Content::Stored(digest) => ContentRef::Stored(*digest),
    }
}

/// What the Item commits to in the place of an envelope.
#[must_use]
pub fn booking(envelope: &Envelope) -> Booking {
    Booking {
        owner: envelope.record.owner,
        metadata: envelope.record.metadata.clone(),
        content: content_ref(&envelope.record.content),
        owner_signature: envelope.owner_signature,
        booked_by: envelope.booked_by,
    }
}

/// Level 1: over the top-level encodings of the bookings.
#[must_use]
pub fn item_root(item: &Item) -> Bytes32 {
    let leaves: Vec<Vec<u8>> =
        item.records.iter().map(|envelope| Mirror::from(booking(envelope)).encode()).collect();
    level_root(1, leaves.len(), &root(&leaves))
}

/// Level 2: over the roots of the Items.
#[must_use]
pub fn item_block_root(block: &ItemBlock) -> Bytes32 {
    level_over(2, &block.items)
}

/// Level 3: over the roots of the Item blocks.
#[must_use]
pub fn data_block_root(block: &DataBlock) -> Bytes32 {
    level_over(3, &block.item_blocks)
}

/// Level 4: over the roots of the data blocks.
#[must_use]
pub fn window_root(window: &Window) -> Bytes32 {
    level_over(4, &window.data_blocks)
}

/// What an anchor root commits to besides the window.
#[must_use]
pub fn context(head: &Bytes32, state: &Bytes32, next_committees: &Bytes32) -> Bytes32 {
    sha256(&[b"MCTX\x01", head, state, next_committees])
}

/// What goes into Bitcoin.
#[must_use]
pub fn anchor_root(chain_id: &Bytes32, epoch: u32, window: &Bytes32, context: &Bytes32) -> Bytes32 {
    sha256(&[b"MANR\x01", chain_id, &epoch.to_le_bytes(), window, context])
}

/// The anchor root of an anchor.
#[must_use]
pub fn anchored(anchor: &Anchor) -> Bytes32 {
    let context = context(&anchor.head, &anchor.state, &anchor.next_committees);
    anchor_root(&anchor.chain_id, anchor.epoch, &anchor.window, &context)
}

/// What a genesis or an anchor names of committees.
fn committees(roster: &RosterCommitment) -> Bytes32 {
    let RosterCommitment { epoch, offset, producers, auditors, institutions } = roster;
    let seats = [body(epoch), body(offset), body(producers), body(auditors)].concat();
    sha256(&[b"MROS\x01", &sha256(&[b"MSEA\x01", &seats]), institutions])
}

/// Every digest that the spec derives from one value, with its name, the id first.
#[must_use]
pub fn derived(value: &Mirror) -> Vec<(&'static str, Bytes32)> {
    let mut digests = vec![("id", id(value))];
    match value {
        Mirror::Record(record) => {
            let content = content_ref(&record.content);
            digests.push(("record id", record_id(&record.owner, &record.metadata, &content)));
        }
        Mirror::Envelope(envelope) => {
            digests.push(("id of the booking", id(&Mirror::from(booking(envelope)))));
        }
        Mirror::Booking(booking) => {
            let Booking { owner, metadata, content, .. } = booking;
            digests.push(("record id", record_id(owner, metadata, content)));
            digests.push(("leaf", root(&[value.encode()])));
        }
        Mirror::Item(item) => digests.push(("level root", item_root(item))),
        Mirror::ItemBlock(block) => digests.push(("level root", item_block_root(block))),
        Mirror::DataBlock(block) => digests.push(("level root", data_block_root(block))),
        Mirror::Window(window) => digests.push(("level root", window_root(window))),
        Mirror::Anchor(anchor) => digests.push(("anchor root", anchored(anchor))),
        Mirror::Block(block) => digests.push(("hash", id(&Mirror::from(block.header.clone())))),
        Mirror::Payload(payload) => digests.push(("commitment", commitment(payload))),
        Mirror::Proposal(proposal) => {
            digests.push(("hash", id(&Mirror::from(proposal.signed.header.clone()))));
        }
        Mirror::Genesis(_) => digests.push(("chain id", id(value))),
        Mirror::PublicKey(_) | Mirror::ReKey(_) | Mirror::ParcelPublicKey(_) => {
            digests.push(("name", id(value)));
        }
        Mirror::RosterCommitment(roster) => digests.push(("committees", committees(roster))),
        Mirror::Delivery(delivery) => {
            digests.push(("id of the capsule", id(&Mirror::from(delivery.capsule.clone()))));
        }
        _ => {}
    }
    digests
}
