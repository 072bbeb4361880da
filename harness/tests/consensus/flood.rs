//! What others send fills no memory. [CON-7]

use std::sync::Arc;

use harness::build::{self, Network, institution_key};
use mdsm_core::consensus::VIEWS_AHEAD;
use mdsm_core::ledger::{BlockHeader, Item, Proposal, SignedHeader, Subject, Vote};
use mdsm_core::node::{Message, limits};
use mdsm_core::types::{Digest, Epoch, View};

use crate::scene::{Scene, id, vote};

fn digest(number: u64) -> Digest {
    mdsm_core::crypto::sha256(&number.to_le_bytes())
}

#[test]
fn votes_for_far_views_and_countless_blocks_stay_within_bounds() {
    let mut scene = Scene::new();
    for number in 0..600_u64 {
        for voter in [6, 7, 8] {
            let subject = match number % 3 {
                0 => Subject::Notarize(digest(number)),
                1 => Subject::Finalize(digest(number)),
                _ => Subject::Nullify,
            };
            scene.vote(voter, vote(1 + number % 300, subject));
        }
    }
    let [views, waiting, ..] = scene.node.sizes();
    let views_max = usize::try_from(VIEWS_AHEAD).unwrap() + 2;
    assert!(views <= views_max, "{views} views where {views_max} are listened to");
    // Three voters, three kinds, one vote each that waits.
    assert!(waiting <= 9 * views_max, "{waiting} votes wait");
}

#[test]
fn proposals_of_far_views_and_blocks_nobody_asked_for_stay_within_bounds() {
    let mut scene = Scene::new();
    let template = Network::new().block_of(6_000, &[]);
    for number in 0..400_u64 {
        let leader = scene.node.consensus().committees().leader(View::new(number + 1)).institution;
        for byte in 0..4 {
            let header = BlockHeader {
                view: View::new(number + 1),
                parent: Digest::new([byte; 32]),
                producer: leader,
                ..template.header
            };
            let signed = SignedHeader::sign(header, &institution_key(leader));
            let proposal = Proposal { signed, payload: template.payload.clone() };
            scene.hear(leader, Message::Proposal(Arc::new(proposal)));
        }
    }
    let [views, _, proposals, _, branches, wanted, _] = scene.node.sizes();
    let views_max = usize::try_from(VIEWS_AHEAD).unwrap() + 2;
    assert!(views <= views_max && branches == 0, "{views} views, {branches} branches");
    assert!(proposals <= limits::BODIES_MAX && wanted <= limits::BODIES_MAX);
    // One leader sent four blocks a view; two of a view prove that it is faulty, and count.
    assert!(proposals <= 4 * views_max, "{proposals} proposals");
}

#[test]
fn items_that_no_proposal_names_are_not_kept() {
    let mut scene = Scene::new();
    let mut network = Network::new();
    for _ in 0..40 {
        let items: Vec<Item> = network.new_items(10);
        scene.hear(id(1), Message::Item(Arc::new(items[0].clone())));
    }
    let [_, _, _, items, ..] = scene.node.sizes();
    assert_eq!(items, 0);
}

#[test]
fn messages_of_far_epochs_make_no_state() {
    let mut scene = Scene::new();
    let before = scene.node.sizes();
    for epoch in 1..200 {
        let vote = Vote { epoch: Epoch::new(epoch), ..vote(1, Subject::Nullify) };
        scene.vote(6, vote);
        scene.vote(7, Vote { view: View::new(0), subject: Subject::Anchor(digest(1)), ..vote });
    }
    assert_eq!(scene.node.sizes(), before);
    assert_eq!(build::founders().len(), 10);
}
