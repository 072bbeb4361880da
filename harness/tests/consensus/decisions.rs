//! Decisions that others send to whoever is behind.

use std::sync::Arc;

use harness::build::{Roll, institution_key};
use mdsm_core::ledger::{Block, Payload, Proposal, SignedHeader, Subject};
use mdsm_core::node::{Decision, Message};
use mdsm_core::types::List;

use crate::scene::{Scene, id, vote};

fn signed(block: &Block) -> SignedHeader {
    SignedHeader::sign(block.header, &institution_key(block.header.producer))
}

#[test]
fn a_block_shown_as_closing_does_not_hide_its_payload() {
    let mut scene = Scene::new();
    let first = scene.network.block_of(6_000, &[]);
    scene.network.add(&first, &[]).unwrap();
    let items = scene.network.new_items(3);
    let block = scene.network.block_of(12_000, &items);
    let finalize = vote(2, Subject::Finalize(block.hash()));
    let certificate = Roll::new(scene.network.chain.id(), 4).certificate(finalize, 0..3);
    // Whoever sees a finalization first may tell of it like this: all signatures hold.
    let proposal = Proposal { signed: signed(&first), payload: Payload::default() };
    let decision = Decision {
        blocks: List::new(vec![proposal]).unwrap(),
        closing: List::new(vec![signed(&block)]).unwrap(),
        certificate,
    };
    scene.hear(id(6), Message::Decision(Arc::new(decision)));
    scene.ms = 12_000;
    scene.propose(&first, &[]);
    scene.certify(vote(1, Subject::Notarize(first.hash())), [0, 1, 2]);
    scene.propose(&block, &items);
    scene.certify(finalize, [0, 1, 2]);
    assert_eq!(scene.node.chain().head(), block.hash());
    assert_eq!(scene.node.booked().len(), 3);
}
