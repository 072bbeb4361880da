//! Records flow, epochs end, a node comes back.

use std::collections::BTreeSet;

use super::super::*;
use super::network::{Network, START, config, founders, key, start};
use crate::consensus::Protocol;
use crate::crypto::sign::Ed25519;
use crate::ledger::Registration;
use crate::types::{InstitutionId, Timestamp};

#[test]
fn records_are_booked_by_everybody_and_epochs_end_with_a_certified_anchor() {
    //= harness/spec/committees.md#com-6-earning-and-losing
    //= type=test
    //# COM-6.13 (ours): A producer SHOULD put into the certificate of the parent every signature
    //# that it holds.
    //= harness/spec/consensus.md#con-4-audit
    //= type=test
    //# CON-4.2 (paper): Nodes other than the auditors MUST update their state from audited blocks.
    let mut network = Network::new();
    let mut submitted = BTreeSet::new();
    for step in 0..150_u32 {
        network.run_until(i64::from(step) * 1_000);
        // By any delegate, an auditor too, whoever leads.
        submitted.insert(network.book(1 + step % 8, step));
    }
    network.run_until(200_000);
    assert_eq!(network.acknowledged, submitted);
    let first = network.nodes.values().next().unwrap();
    assert_eq!(first.booked().len(), submitted.len());
    assert_eq!(first.chain().epoch().get(), 3);
    for node in network.nodes.values() {
        assert_eq!(node.chain().state_digest(), first.chain().state_digest());
        assert_eq!(node.chain().head(), first.chain().head());
        assert_eq!(node.waiting(), 0, "node {}", node.me());
        assert!(node.sizes().iter().all(|size| *size < 20), "{:?}", node.sizes());
    }
    let roots: BTreeSet<_> = network.certified.iter().map(|(_, root)| *root).collect();
    assert_eq!(roots.len(), 3);
    assert_eq!(network.certified.len(), 3 * network.nodes.len(), "everybody holds each anchor");
    for disk in network.disks.values() {
        let blocks = disk.commits.iter().flat_map(|commit| commit.decision.blocks.iter());
        let mut heights = Vec::new();
        for block in blocks {
            let producer = block.signed.header.producer.get();
            assert!(block.signed.holds(&key(producer).owner(), &Ed25519), "block is signed");
            heights.push(block.signed.header.height.get());
        }
        assert!(heights.iter().zip(1..).all(|(found, height)| *found == height), "{heights:?}");
    }
    // In a network without faults every producer gets its turns and nobody misses one.
    let roster = first.chain().roster();
    for institution in &roster.institutions()[..4] {
        assert!(institution.performance.blocks_signed > 40, "{institution:?}");
        assert_eq!(institution.performance.blocks_missed, 0, "{institution:?}");
    }
    // Three of four votes make a certificate, and yet nobody who votes is missing in the blocks.
    let blocks = first.chain().height().get();
    for auditor in &roster.institutions()[4..8] {
        let audits = auditor.performance.audits_done;
        assert!(audits * 20 >= blocks * 19, "{auditor:?}: {audits} of {blocks}");
    }
}

#[test]
fn two_events_that_exclude_each_other_keep_nothing_else_off_the_chain() {
    let mut network = Network::new();
    network.run_until(3_000);
    let chain = network.nodes[&InstitutionId::new(1)].chain().id();
    // Each is sound alone; together they give one key to two institutions.
    let registration = |id: u32, of: u32| {
        let id = InstitutionId::new(id);
        Registration::sign(&chain, id, (50, 1), &key(of), &key(99))
    };
    for joining in [registration(20, 20), registration(21, 20), registration(22, 22)] {
        let event = super::super::Event::Registration(joining);
        network.feed(InstitutionId::new(9), Input::Event(event));
    }
    network.run_until(15_000);
    for node in network.nodes.values() {
        let roster = node.chain().roster();
        let joined = |id: u32| roster.institution(InstitutionId::new(id)).is_some();
        assert_eq!([joined(20), joined(21), joined(22)], [true, false, true], "{}", node.me());
    }
}

#[test]
fn a_node_that_was_down_for_two_epochs_catches_up_from_its_disk_and_the_others() {
    let mut network = Network::new();
    network.book(1, 0);
    network.run_until(20_000);
    for down in [InstitutionId::new(7), InstitutionId::new(2)] {
        network.nodes.remove(&down);
        for number in 1..40 {
            let now = network.now - START;
            network.run_until(now + 3_000);
            network.book(if down.get() == 2 { 1 } else { 3 }, down.get() * 100 + number);
        }
        let founders = founders();
        let mut node = Node::new(config(down), &start(&founders), Ed25519, Protocol).unwrap();
        let disk = &network.disks[&down];
        let stored = Recovered {
            commits: &disk.commits,
            certificate_of: |_| None,
            journal: Journal::Whole(&disk.journal),
            blocks: disk.blocks.clone(),
            accepted: disk.accepted.clone(),
        };
        let mut effects = Vec::new();
        node.recover(Timestamp::new(network.now), stored, &mut effects).unwrap();
        network.nodes.insert(down, node);
        network.carry_out(down, effects);
        let now = network.now - START;
        network.run_until(now + 40_000);
        let reference = &network.nodes[&InstitutionId::new(9)];
        let back = &network.nodes[&down];
        let place = |node: &Node| {
            let chain = node.chain();
            (chain.height(), chain.epoch(), node.consensus().view(), chain.head())
        };
        assert_eq!(place(back), place(reference), "node {down}");
        assert_eq!(back.chain().state_digest(), reference.chain().state_digest());
        assert_eq!(back.booked().len(), reference.booked().len());
    }
}
