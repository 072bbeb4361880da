//! What one faulty institution must not be able to do to a node that follows the protocol.

use std::sync::Arc;

use super::super::*;
use super::network::{Network, START, config, founders, key, start};
use crate::consensus::Protocol;
use crate::crypto::sign::Ed25519;
use crate::ledger::{Proposal, SignedHeader};
use crate::types::{Height, InstitutionId, List, Signature, Timestamp};

/// An auditor before anything happened.
fn auditor() -> Node {
    let me = InstitutionId::new(5);
    let mut node = Node::new(config(me), &start(&founders()), Ed25519, Protocol).unwrap();
    assert!(node.consensus().seat_of(me).is_some());
    node.start(Timestamp::new(START), &mut Vec::new());
    node
}

fn step(node: &mut Node, from: u32, message: Message) -> Vec<Effect> {
    let mut effects = Vec::new();
    let input = Input::Message { from: InstitutionId::new(from), message };
    node.step(Timestamp::new(START + 2_000), input, &mut effects);
    effects
}

#[test]
fn con_2_2_a_block_without_its_producers_signature_is_not_committed() {
    //= harness/spec/consensus.md#con-2-booking-into-an-item
    //= type=test
    //# CON-2.2 (ours): The signature of the delegate MUST be the one over the hash of the block that
    //# carries the Item.
    let mut network = Network::new();
    network.run_until(20_000);
    let commits = network.disks[&InstitutionId::new(9)].commits.clone();
    assert!(commits.len() > 3);
    let forged = |commit: &Commit| {
        let mut decision = (*commit.decision).clone();
        let blocks = decision.blocks.iter().map(|block| {
            let signature = Signature::new([7; 64]);
            Proposal { signed: SignedHeader { signature, ..block.signed }, ..block.clone() }
        });
        decision.blocks = List::new(blocks.collect()).unwrap();
        Message::Decision(Arc::new(decision))
    };
    let mut node = auditor();
    let mut stored = Vec::new();
    let mut take = |effects: Vec<Effect>| {
        stored.extend(effects.into_iter().filter_map(|effect| match effect {
            Effect::Commit(commit) => Some(commit),
            _ => None,
        }));
    };
    for commit in &commits {
        take(step(&mut node, 10, forged(commit)));
        take(step(&mut node, 6, Message::Decision(commit.decision.clone())));
    }
    assert_eq!(stored.len(), commits.len(), "what others tell is taken all the same");
    for block in stored.iter().flat_map(|commit| commit.decision.blocks.iter()) {
        let producer = key(block.signed.header.producer.get()).owner();
        assert!(block.signed.holds(&producer, &Ed25519), "block is signed");
    }
}

#[test]
fn con_2_2_a_block_that_was_asked_for_bears_its_producers_signature() {
    let mut network = Network::new();
    network.run_until(20_000);
    let commits = network.disks[&InstitutionId::new(9)].commits.clone();
    let (mut node, last) = (auditor(), commits.last().unwrap());
    let certificate = Arc::new(last.decision.certificate.clone());
    step(&mut node, 6, Message::Certificate(certificate));
    let blocks = commits.iter().rev().flat_map(|commit| commit.decision.blocks.iter().rev());
    let mut stored = Vec::new();
    for block in blocks {
        let signature = Signature::new([7; 64]);
        let forged =
            Proposal { signed: SignedHeader { signature, ..block.signed }, ..block.clone() };
        stored.extend(step(&mut node, 10, Message::Proposal(Arc::new(forged))));
        stored.extend(step(&mut node, 6, Message::Proposal(Arc::new(block.clone()))));
    }
    let commits = stored.iter().filter_map(|effect| match effect {
        Effect::Commit(commit) => Some(commit),
        _ => None,
    });
    let blocks: Vec<_> = commits.flat_map(|commit| commit.decision.blocks.iter()).collect();
    assert_eq!(node.chain().height(), last.height_of_last(), "it caught up");
    for block in blocks {
        let producer = key(block.signed.header.producer.get()).owner();
        assert!(block.signed.holds(&producer, &Ed25519), "block is signed");
    }
}

trait LastHeight {
    fn height_of_last(&self) -> Height;
}

impl LastHeight for Commit {
    fn height_of_last(&self) -> Height {
        self.decision.blocks.last().unwrap().signed.header.height
    }
}
