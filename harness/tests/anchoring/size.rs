//! ANC-2.15: how long a receipt is.

use harness::build::{self, DELEGATE};
use mdsm_core::codec::{Encode as _, Wire as _};
use mdsm_core::crypto::sha256;
use mdsm_core::ledger::*;
use mdsm_core::types::*;

#[test]
fn anc_2_15_a_receipt_among_a_million_records_holds_931_bytes() {
    //= harness/spec/anchoring.md#anc-2-receipt
    //= type=test
    //# ANC-2.15 (ours): A receipt from a window of 1,000,000 records, spread evenly over 100 turns,
    //# MUST hold at most 931 bytes before its Bitcoin part, not counting the metadata.
    // 100 turns of 1,000 Items of 10 records. One Item is real, the others are their roots.
    let chain_id = build::genesis().chain_id();
    let item = build::item(&chain_id, 0..10);
    let item_block = |turn: usize| {
        let root = |place: usize| match (turn, place) {
            (57, 0) => item.root(),
            _ => sha256(&[turn.to_le_bytes(), place.to_le_bytes()].concat()),
        };
        let items: Vec<Digest> = (0..1_000).map(root).collect();
        let header = ItemBlockHeader {
            chain_id,
            height: Height::new(1),
            producer: DELEGATE,
            closed_at: build::after_start(0),
            root: root_of(Level::ItemBlock, &items),
        };
        ItemBlock { header, items: List::new(items).unwrap() }
    };
    let item_blocks: Vec<ItemBlock> = (0..100).map(item_block).collect();
    let epoch = Epoch::new(0);
    let data_blocks: Vec<DataBlock> = (0..)
        .zip(item_blocks.chunks(10))
        .map(|(index, ten)| {
            let roots = ten.iter().map(ItemBlock::root).collect();
            DataBlock { epoch, index, item_blocks: List::new(roots).unwrap() }
        })
        .collect();
    let roots: Vec<Digest> = data_blocks.iter().map(DataBlock::root).collect();
    let anchor = Anchor {
        chain_id,
        epoch,
        window: root_of(Level::Window, &roots),
        head: sha256(b"head"),
        state: sha256(b"state"),
        next_committees: sha256(b"committees"),
    };
    let issuer = Issuer::new(&anchor, &data_blocks, &item_blocks).unwrap();
    let mut longest = 0;
    for record in 0..10 {
        let receipt = issuer.issue(&item, record).unwrap();
        assert_eq!(receipt.anchor_root(), Ok(anchor.root()));
        let mut metadata = Vec::new();
        receipt.booking.metadata.encode(&mut metadata);
        // With the byte that says that no Bitcoin part follows.
        let bytes = receipt.to_bytes().len() - metadata.len();
        assert_eq!(bytes, 5 + 32 + 4 + 133 + 16 + 4 + 32 * receipt.path.len() + 32 + 1);
        longest = longest.max(bytes);
    }
    assert_eq!(longest, 931, "with 22 hashes");
}
