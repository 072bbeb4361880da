//! The checks of one block and of one record in it, each by its own name. [CLI-2]

use super::answer::{BlockProof, Finality, RecordProof};
use super::known::{Listed, Standing};
use super::question::Place;
use super::refused::{Check, Refused};
use crate::crypto::sign::Ed25519;
use crate::crypto::{Identified, sha256};
use crate::ledger::{BlockHeader, ContentRef, Level, Subject, level_root};
use crate::merkle::{leaf_hash, root_from_path};
use crate::roster::Committees;
use crate::types::{ChainId, Digest, Epoch, OwnerId};

/// Checks that a header is final by a certificate of its epoch's auditors, for itself or for a
/// descendant in the epoch. Gives all headers that are final by it.
pub(super) fn final_headers(
    chain: &ChainId,
    committees: Option<&Committees>,
    proof: &Finality,
) -> Result<Vec<BlockHeader>, Refused> {
    let (header, certificate) = (proof.header.0, &proof.certificate.0);
    let at = header.height;
    Check::Network.holds(header.chain_id == *chain, || {
        format!("block {at}: of network {}", header.chain_id)
    })?;
    let committees = committees.ok_or_else(|| {
        let why = format!("block {at}: the committees of its epoch {} are not known", header.epoch);
        Check::Roster.refuses(why)
    })?;
    let mut headers = vec![header];
    let mut tip = header;
    for above in &proof.above {
        let above = above.0;
        let is_child = above.parent == tip.id()
            && above.epoch == tip.epoch
            && Some(above.height) == tip.height.next();
        Check::Finality.holds(is_child, || {
            format!("block {at}: the header of {} does not follow {}", above.height, tip.height)
        })?;
        headers.push(above);
        tip = above;
    }
    let vote = &certificate.vote;
    let is_for_it = vote.epoch == tip.epoch
        && vote.view == tip.view
        && vote.subject == Subject::Finalize(tip.id());
    Check::Finality.holds(is_for_it, || {
        format!("block {at}: the certificate does not finalize block {}", tip.height)
    })?;
    certificate
        .check(chain, &committees.auditor_keys(), &Ed25519)
        .map_err(|error| Check::Finality.refuses(format!("block {at}: {error}")))?;
    Ok(headers)
}

/// Checks that a header commits to what is shown of its payload, and gives the root of its Item block.
pub(super) fn item_block_root(proof: &BlockProof) -> Result<Digest, Refused> {
    let (header, summary) = (&proof.finality.header.0, &proof.summary.0);
    let (found, height) = (summary.id(), header.height);
    Check::Payload.holds(found == header.payload, || {
        format!("block {height}: {found} is not what the header commits to, {}", header.payload)
    })?;
    let item_block = summary.item_block.ok_or_else(|| {
        Check::ItemBlock.refuses(format!("block {height}: it carries no Item block"))
    })?;
    Ok(item_block.root)
}

/// Checks a record against its block, whose header is final, and the root of that one's Item block.
pub(super) fn record(
    chain: &ChainId,
    header: &BlockHeader,
    root: &Digest,
    proof: &RecordProof,
    certified: Epoch,
) -> Result<Listed, Refused> {
    let (id, booking) = (proof.id, &proof.booking.0);
    let (index, records) = proof.in_item;
    let climbed =
        climb(Level::Item, booking.leaf_hash(), index.into(), records.into(), &proof.item_path);
    Check::Item.holds(climbed == Some(proof.item), || {
        format!("record {id}: not record {index} of the {records} of Item {}", proof.item)
    })?;
    let (item, items) = proof.in_block;
    let leaf = leaf_hash(proof.item.as_bytes());
    let climbed = climb(Level::ItemBlock, leaf, item.into(), items.into(), &proof.block_path);
    Check::ItemBlock.holds(climbed == Some(*root), || {
        let height = header.height;
        format!("record {id}: its Item is not Item {item} of the {items} of block {height}")
    })?;
    let found = booking.record_id();
    Check::RecordId.holds(found == id, || format!("record {id}: what is booked is {found}"))?;
    booking
        .verify_owner(chain)
        .map_err(|error| Check::OwnerSignature.refuses(format!("record {id}: {error}")))?;
    if let Some(content) = &proof.content {
        let found = ContentRef::Inline(sha256(&content.0));
        let is_it =
            found == booking.content && u64::try_from(content.0.len()) == Ok(booking.metadata.size);
        Check::Content.holds(is_it, || {
            let bytes = content.0.len();
            format!("record {id}: {bytes} bytes that are not its content, {}", found.digest())
        })?;
    }
    Ok(Listed {
        id,
        place: Place { height: header.height, item, index },
        booking: booking.clone(),
        content: proof.content.as_ref().map(|content| content.0.clone()),
        standing: Standing::of(header.epoch, certified),
    })
}

/// That a record is an owner's.
pub(super) fn is_of(record: &Listed, owner: &OwnerId) -> Result<(), Refused> {
    Check::Owner.holds(record.booking.owner == *owner, || {
        format!("record {}: of {}, not of {owner}", record.id, record.booking.owner)
    })
}

/// The root of a level as the path gives it; nothing where the level cannot have such a leaf.
fn climb(level: Level, leaf: Digest, index: u32, size: u32, path: &[Digest]) -> Option<Digest> {
    if usize::try_from(size).ok()? > level.leaves_max() {
        return None;
    }
    let tree = root_from_path(leaf, index.into(), size.into(), path)?;
    Some(level_root(level, size, &tree))
}
