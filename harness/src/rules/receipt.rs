//! A receipt, from its booking up to Bitcoin, by hand. [ANC-2] [STO-11]

use super::ids::{anchor_root, owner_message, record_id};
use super::merkle::{climb, level_root, path_len, sha256};
use super::mirror::{BitcoinProof, Booking, Bytes32, ContentRef, Receipt};
use super::transaction::anchor_output;
use super::wire::Mirror;

/// The first check of the spec's table "Order of checks" that fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// 2, a size, an index or the length of the path.
    WrongShape,
    /// 3, the content given is another one.
    AnotherContent,
    /// 4, the owner's key or signature.
    BadSignature,
    /// 6, no Bitcoin part.
    NotAnchored,
    /// 7, not a transaction with one MDSM output.
    BadTransaction,
    /// 8, the output names another epoch.
    AnotherEpoch,
    /// 9, the output names another root.
    AnotherRoot,
}

/// Largest number of leaves of each level, from the Item to the window.
const SIZES_MAX: [usize; 4] = [10, 16_384, 10, 65_536];

/// Index, size and hashes of each level; `None` when they contradict each other.
fn levels(receipt: &Receipt) -> Option<[(usize, usize, &[Bytes32]); 4]> {
    let position = &receipt.position;
    let wide = |number: u32| usize::try_from(number).ok();
    let mut levels: [(usize, usize, &[Bytes32]); 4] = [
        (position.item_index.into(), position.item_size.into(), &[]),
        (position.block_index.into(), position.block_size.into(), &[]),
        (position.data_index.into(), position.data_size.into(), &[]),
        (wide(position.window_index)?, wide(position.window_size)?, &[]),
    ];
    let mut rest = &receipt.path[..];
    for ((index, size, hashes), size_max) in levels.iter_mut().zip(SIZES_MAX) {
        if *size > size_max {
            return None;
        }
        (*hashes, rest) = rest.split_at_checked(path_len(*index, *size)?)?;
    }
    rest.is_empty().then_some(levels)
}

/// The root of the window; `None` for a receipt of the wrong shape.
#[must_use]
pub fn window_root(receipt: &Receipt) -> Option<Bytes32> {
    let mut leaf = Mirror::from(receipt.booking.clone()).encode();
    for (level, (index, size, hashes)) in (1..).zip(levels(receipt)?) {
        leaf = level_root(level, size, &climb(&leaf, index, size, hashes)?).to_vec();
    }
    leaf.try_into().ok()
}

/// The anchor root; `None` for a receipt of the wrong shape.
#[must_use]
pub fn anchor_root_of(receipt: &Receipt) -> Option<Bytes32> {
    let window = window_root(receipt)?;
    Some(anchor_root(&receipt.chain_id, receipt.epoch, &window, &receipt.context))
}

/// What the owner must have signed.
#[must_use]
pub fn signed_message(receipt: &Receipt) -> Vec<u8> {
    let Booking { owner, metadata, content, .. } = &receipt.booking;
    owner_message(&receipt.chain_id, &record_id(owner, metadata, content))
}

/// Checks 2 to 9 in their order. The signature is judged elsewhere and given as an answer.
pub fn examine(receipt: &Receipt, signature_holds: bool) -> Result<Bytes32, Fault> {
    let root = anchor_root_of(receipt).ok_or(Fault::WrongShape)?;
    if !signature_holds {
        return Err(Fault::BadSignature);
    }
    let proof = receipt.bitcoin.as_ref().ok_or(Fault::NotAnchored)?;
    let (epoch, anchored) = anchor_output(&proof.transaction).map_err(|_| Fault::BadTransaction)?;
    if epoch != receipt.epoch {
        return Err(Fault::AnotherEpoch);
    }
    if anchored != root {
        return Err(Fault::AnotherRoot);
    }
    Ok(root)
}

/// The Merkle root of the Bitcoin block; `None` when the index does not fit the branch.
#[must_use]
pub fn bitcoin_root(proof: &BitcoinProof) -> Option<Bytes32> {
    let twice = |parts: &[&[u8]]| sha256(&[&sha256(parts)]);
    let mut node = twice(&[&proof.transaction]);
    let mut index = proof.tx_index;
    for sibling in &proof.branch {
        // A right node that is its own sibling stands behind the last transaction (CVE-2012-2459).
        if index % 2 == 1 && *sibling == node {
            return None;
        }
        node = if index.is_multiple_of(2) {
            twice(&[&node, sibling])
        } else {
            twice(&[sibling, &node])
        };
        index /= 2;
    }
    (index == 0).then_some(node)
}

/// The digest that a content given is compared with.
#[must_use]
pub fn content_digest(receipt: &Receipt) -> Bytes32 {
    match receipt.booking.content {
        ContentRef::Inline(digest) | ContentRef::Stored(digest) => digest,
    }
}
