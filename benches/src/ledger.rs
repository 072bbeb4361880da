//! From a booking to a receipt and back: leaf hash, Item root, issuing, checking. [STO-10] [STO-11]
//! [ANC-2]
//!
//! The receipt is one of a million records in a window: 100 turns of 1,000 Items of 10 records, in
//! 10 data blocks. Only what stands beside its path is built; the roots elsewhere are made up.

use mdsm_core::codec::{Encode, Wire};
use mdsm_core::ledger::{
    Anchor, BitcoinProof, Booking, DataBlock, Issuer, Item, ItemBlock, ItemBlockHeader, Level,
    Position, Receipt, root_of,
};
use mdsm_core::merkle::Tree;
use mdsm_core::types::{Blob, Digest, Epoch, Height, List};

use crate::fixture::{self, BOOKED_BY, CHAIN, CREATED, Detail, envelope, filled, item};

/// Items of a turn of the window.
pub const TURN_ITEMS: u64 = 1_000;
/// Item blocks of a data block.
const DATA_BLOCK_TURNS: u64 = 10;
/// Data blocks of the window.
const WINDOW_DATA_BLOCKS: u64 = 10;
/// Bytes that spec, anchoring, ANC-2.15 allows before the Bitcoin part, metadata not counted.
pub const RECEIPT_BYTES_MAX: usize = 931;
const EPOCH: Epoch = Epoch::new(3);

/// A typical booking.
#[must_use]
pub fn booking(detail: Detail) -> Booking {
    envelope(&CHAIN, 1, detail, 1_000).booking()
}

/// The work: the hash of an Item's leaf.
#[must_use]
pub fn leaf_hash(booking: &Booking) -> Digest {
    booking.leaf_hash()
}

/// The work: the root of an Item, from its ten envelopes with 1,000 bytes of content on.
#[must_use]
pub fn item_root(item: &Item) -> Digest {
    item.root()
}

/// A window that was frozen, and one of its Items.
#[derive(Clone, Debug)]
pub struct Issuing {
    issuer: Issuer,
    item: Item,
}

/// A window of `turns` turns, each in its own data block; what issuing costs does not depend on how
/// many there are, but for a few levels more.
///
/// # Panics
/// When there are no turns.
#[must_use]
pub fn issuing(turns: u64) -> Issuing {
    let item = item(&CHAIN, 1);
    let item_blocks: Vec<ItemBlock> = (0..turns)
        .map(|turn| {
            let mut roots: Vec<Digest> =
                (0..TURN_ITEMS).map(|at| filled(turn * TURN_ITEMS + at)).collect();
            if turn == turns / 3 {
                roots[333] = item.root();
            }
            let header = ItemBlockHeader {
                chain_id: CHAIN,
                height: Height::new(turn + 1),
                producer: BOOKED_BY,
                closed_at: CREATED,
                root: root_of(Level::ItemBlock, &roots),
            };
            ItemBlock { header, items: List::new(roots).expect("1,000 Items are a turn") }
        })
        .collect();
    let data_blocks: Vec<DataBlock> = (0..)
        .zip(&item_blocks)
        .map(|(index, block)| {
            let item_blocks = List::new(vec![block.header.root]).expect("one of ten");
            DataBlock { epoch: EPOCH, index, item_blocks }
        })
        .collect();
    let roots: Vec<Digest> = data_blocks.iter().map(DataBlock::root).collect();
    let anchor = anchor(root_of(Level::Window, &roots));
    let issuer = Issuer::new(&anchor, &data_blocks, &item_blocks).expect("blocks of this window");
    Issuing { issuer, item }
}

/// The work: the receipt of one record.
///
/// # Panics
/// Never: the Item is in the window.
#[must_use]
pub fn issue(issuing: &Issuing) -> Receipt {
    issuing.issuer.issue(&issuing.item, 3).expect("the Item is in the window")
}

/// What a verifier gets.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The receipt, without the way into Bitcoin.
    pub receipt: Receipt,
    /// The anchor root that it must lead to.
    pub root: Digest,
}

/// The receipt of a record whose path has the most levels that a window of a million asks for.
///
/// # Panics
/// Never.
#[must_use]
pub fn claim(detail: Detail) -> Claim {
    let booking = booking(detail);
    let mut leaves: Vec<Digest> = (0..10).map(filled).collect();
    let mut path = Vec::new();
    leaves[3] = booking.leaf_hash();
    let in_item = Tree::from_hashes(leaves.clone());
    path.extend(in_item.prove(3).expect("leaf 3 of 10"));
    let mut root = Item::root_of_leaves(&leaves);
    for (level, size, index) in [
        (Level::ItemBlock, TURN_ITEMS, 333),
        (Level::DataBlock, DATA_BLOCK_TURNS, 3),
        (Level::Window, WINDOW_DATA_BLOCKS, 3),
    ] {
        let mut roots: Vec<Digest> = (0..size).map(filled).collect();
        roots[index] = root;
        let place = u64::try_from(index).expect("usize fits in u64");
        path.extend(Tree::from_digests(&roots).prove(place).expect("a leaf of the tree"));
        root = root_of(level, &roots);
    }
    let anchor = anchor(root);
    let receipt = Receipt {
        chain_id: CHAIN,
        epoch: EPOCH,
        booking,
        position: Position {
            item_index: 3,
            item_size: 10,
            block_index: 333,
            block_size: 1_000,
            data_index: 3,
            data_size: 10,
            window_index: 3,
            window_size: 10,
        },
        path: List::new(path).expect("22 hashes of 64"),
        context: mdsm_core::ledger::context(&anchor.head, &anchor.state, &anchor.next_committees),
        bitcoin: None,
    };
    Claim { receipt, root: anchor.root() }
}

/// The work: from the booking to the anchor root, without signature and without Bitcoin.
#[must_use]
pub fn verify_to_anchor(claim: &Claim) -> bool {
    claim.receipt.anchor_root() == Ok(claim.root)
}

/// The work: key and signature of the owner.
#[must_use]
pub fn verify_owner(receipt: &Receipt) -> bool {
    receipt.booking.verify_owner(&receipt.chain_id).is_ok()
}

/// Bytes of an encoded receipt from a window of a million records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReceiptBytes {
    /// Of the metadata.
    pub metadata: usize,
    /// Of everything up to the anchor root, metadata included.
    pub to_anchor: usize,
    /// With the way into a Bitcoin block of 4,096 transactions.
    pub to_bitcoin: usize,
}

/// How large such a receipt is.
///
/// # Panics
/// Never.
#[must_use]
pub fn receipt_bytes(detail: Detail) -> ReceiptBytes {
    let mut receipt = claim(detail).receipt;
    let mut metadata = Vec::new();
    receipt.booking.metadata.encode(&mut metadata);
    let to_anchor = receipt.to_bytes().len();
    // One input, OP_RETURN with 41 bytes, change to a witness key hash, without witness data.
    let transaction = Blob::new(vec![0; 4 + 1 + 41 + 1 + (8 + 1 + 43) + (8 + 1 + 22) + 4]);
    receipt.bitcoin = Some(BitcoinProof {
        height: 1_000_000,
        transaction: transaction.expect("below 4,096 bytes"),
        transaction_index: 1_365,
        branch: List::new((0..12).map(filled).collect()).expect("12 levels of 24"),
    });
    ReceiptBytes { metadata: metadata.len(), to_anchor, to_bitcoin: receipt.to_bytes().len() }
}

fn anchor(window: Digest) -> Anchor {
    Anchor {
        chain_id: CHAIN,
        epoch: EPOCH,
        window,
        head: filled(1),
        state: filled(2),
        next_committees: fixture::filled(3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workloads_do_their_work() {
        let claim = claim(Detail::Typical);
        assert!(verify_to_anchor(&claim) && verify_owner(&claim.receipt));
        let other = Claim { root: filled(9), ..claim.clone() };
        assert!(!verify_to_anchor(&other));
        let other = Receipt { chain_id: fixture_chain(), ..claim.receipt };
        assert!(!verify_owner(&other));
        let item = item(&CHAIN, 1);
        assert_eq!(item_root(&item), Item::root_of_leaves(&item.leaf_hashes()));
        assert_eq!(leaf_hash(&booking(Detail::Typical)), booking(Detail::Typical).leaf_hash());
    }

    fn fixture_chain() -> mdsm_core::types::ChainId {
        mdsm_core::types::ChainId::new([0x12; 32])
    }

    #[test]
    fn an_issued_receipt_leads_to_the_window() {
        let issuing = issuing(4);
        let receipt = issue(&issuing);
        assert_eq!(receipt.booking, issuing.item.records[3].booking());
        let levels = receipt.level_paths().unwrap();
        assert_eq!(levels.map(|level| level.size), [10, 1_000, 1, 4]);
        assert_eq!(levels.map(|level| level.index), [3, 333, 0, 1]);
    }

    #[test]
    fn anc_2_15_a_receipt_of_a_million_is_small() {
        for detail in [Detail::Least, Detail::Typical, Detail::Sealed] {
            let claim = claim(detail);
            assert_eq!(claim.receipt.path.len(), 22, "the most that such a window asks for");
            let bytes = receipt_bytes(detail);
            assert!(bytes.to_anchor - bytes.metadata <= RECEIPT_BYTES_MAX, "{bytes:?}");
        }
    }
}
