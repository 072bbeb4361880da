//! Receipts that hold from the owner's signature up to Bitcoin's headers, built by the rules of the
//! spec alone; only the signature comes from the reference. [ANC-2]

use rand_chacha::rand_core::Rng;

use mdsm_core::crypto::sign::SigningKey;

use super::values::{Scale, metadata};
use crate::rules::headers::{genesis, mine};
use crate::rules::ids::{booking, data_block_root, item_root, owner_message, record_id};
use crate::rules::merkle::path;
use crate::rules::mirror::{
    BitcoinProof, Bytes32, Content, DataBlock, Envelope, Item, Position, Receipt, Record,
};
use crate::rules::receipt::{anchor_root_of, bitcoin_root};
use crate::rules::wire::Mirror;
use crate::rules::{ids, merkle};
use crate::seed::Draw;

/// A receipt and what is needed to verify it.
#[derive(Clone, Debug)]
pub struct Sound {
    /// The receipt.
    pub receipt: Receipt,
    /// The content that it proves.
    pub content: Vec<u8>,
    /// Headers from the genesis block of regtest; the receipt's block is the second to last.
    pub headers: Vec<u8>,
}

/// A sound receipt for inline content.
///
/// # Panics
/// Never: sizes are drawn within the bounds of the format.
pub fn sound(draw: &mut impl Rng) -> Sound {
    let chain_id = bytes(draw);
    let item = Item { records: some(draw, 10, |draw| envelope(draw, &chain_id)) };
    let at = place(draw, item.records.len());
    let Content::Inline(content) = &item.records[at].record.content else {
        unreachable!("envelopes are made with inline content")
    };
    let content = content.clone();
    let leaves: Vec<Vec<u8>> =
        item.records.iter().map(|envelope| Mirror::from(booking(envelope)).encode()).collect();
    let (items, block_at) = placed(draw, 40, item_root(&item));
    let (blocks, data_at) = placed(draw, 10, merkle::level_over(2, &items));
    let data_block = DataBlock { epoch: 0, index: 0, item_blocks: blocks.clone() };
    let (window, window_at) = placed(draw, 30, data_block_root(&data_block));
    let mut hashes = path(&leaves, at);
    hashes.extend(path(&items, block_at));
    hashes.extend(path(&blocks, data_at));
    hashes.extend(path(&window, window_at));
    let mut receipt = Receipt {
        chain_id,
        epoch: draw.next_u32(),
        booking: booking(&item.records[at]),
        position: Position {
            item_index: number(at),
            item_size: number(item.records.len()),
            block_index: number(block_at),
            block_size: number(items.len()),
            data_index: number(data_at),
            data_size: number(blocks.len()),
            window_index: number(window_at),
            window_size: number(window.len()),
        },
        path: hashes,
        context: bytes(draw),
        bitcoin: None,
    };
    let root = anchor_root_of(&receipt).expect("positions and path were made together");
    let proof = bitcoin(draw, receipt.epoch, &root);
    let first = genesis();
    let block = mine(&first, &bitcoin_root(&proof).expect("the index was drawn for the branch"));
    let headers = [first, block, mine(&block, &bytes(draw))].concat();
    receipt.bitcoin = Some(proof);
    Sound { receipt, content, headers }
}

fn envelope(draw: &mut impl Rng, chain_id: &Bytes32) -> Envelope {
    let mut content = vec![0; 1 + place(draw, 60)];
    draw.fill_bytes(&mut content);
    let key = SigningKey::from_seed(&bytes(draw));
    let metadata = metadata(number(content.len()), false, Scale::Small, draw);
    let record =
        Record { owner: *key.owner().as_bytes(), metadata, content: Content::Inline(content) };
    sign(record, chain_id, &key, draw.next_u32())
}

/// Signs a record for a chain, by the spec's drawing of the message.
#[must_use]
pub fn sign(record: Record, chain_id: &Bytes32, key: &SigningKey, booked_by: u32) -> Envelope {
    let id = record_id(&record.owner, &record.metadata, &ids::content_ref(&record.content));
    let signature = key.sign(&owner_message(chain_id, &id));
    Envelope { record, owner_signature: *signature.as_bytes(), booked_by }
}

/// A transaction with one input and the anchor between other outputs, and its place in a block.
fn bitcoin(draw: &mut impl Rng, epoch: u32, root: &Bytes32) -> BitcoinProof {
    let output = |script: &[u8]| {
        let length: u8 = number(script.len());
        [&[0; 8], &[length][..], script].concat()
    };
    let anchor = output(&[b"\x6a\x29MDSM\x01", &epoch.to_le_bytes()[..], root].concat());
    let change = output(&[&[0x00, 0x14], &bytes::<20>(draw)[..]].concat());
    let outputs = if draw.chance(1, 2) { [anchor, change] } else { [change, anchor] }.concat();
    let parts: [&[u8]; 8] =
        [&[2, 0, 0, 0], &[1], &bytes::<36>(draw), &[0], &[0xff; 4], &[2], &outputs, &[0; 4]];
    let branch: Vec<Bytes32> = (0..draw.below(13)).map(|_| bytes(draw)).collect();
    let places = 1 << branch.len();
    BitcoinProof { height: 1, transaction: parts.concat(), tx_index: draw.below(places), branch }
}

/// A list with a given digest among others, and its place.
fn placed(draw: &mut impl Rng, most: u32, digest: Bytes32) -> (Vec<Bytes32>, usize) {
    let mut digests = some(draw, most, bytes);
    let at = place(draw, digests.len());
    digests[at] = digest;
    (digests, at)
}

fn some<R: Rng, T>(draw: &mut R, most: u32, make: impl Fn(&mut R) -> T) -> Vec<T> {
    (0..draw.between(1, most)).map(|_| make(draw)).collect()
}

fn place(draw: &mut impl Rng, count: usize) -> usize {
    usize::try_from(draw.below(number(count))).expect("a small number")
}

fn number<T: TryFrom<usize>>(value: usize) -> T {
    T::try_from(value).unwrap_or_else(|_| unreachable!("{value} was drawn within bounds"))
}

fn bytes<const N: usize>(draw: &mut impl Rng) -> [u8; N] {
    let mut bytes = [0; N];
    draw.fill_bytes(&mut bytes);
    bytes
}
