//! What others send fills no memory. [CON-7]

use std::sync::Arc;

use harness::build::{self, Network, institution_key};
use mdsm_core::codec::Wire as _;
use mdsm_core::consensus::VIEWS_AHEAD;
use mdsm_core::ledger::{
    Block, BlockHeader, Envelope, Item, Proposal, SignedHeader, Subject, Vote,
};
use mdsm_core::node::{Effect, Message, limits};
use mdsm_core::params::{ANSWER_BYTES_MAX, INLINE_CONTENT_BYTES_MAX};
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

/// An Item of ten of the largest records, in a block of the first turn.
fn large(network: &mut Network) -> (Block, Arc<Item>) {
    let chain = network.chain.id();
    let records = (0..10).map(|number| {
        let record = build::inline(&build::key(1), &vec![number; INLINE_CONTENT_BYTES_MAX]);
        Envelope::sign(record, &chain, &build::key(1), id(2))
    });
    let item = build::item_of(records.collect());
    (network.block_of(6_000, std::slice::from_ref(&item)), Arc::new(item))
}

#[test]
fn con_7_28_a_peer_is_answered_with_so_much_in_a_turn_and_others_all_the_same() {
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //= type=test
    //# CON-7.28 (ours): A node MUST NOT begin an answer to a peer to which it has sent 67,108,864 bytes
    //# of answers or more in the same turn by its own clock.
    let mut scene = Scene::new();
    let (block, item) = large(&mut scene.network);
    scene.propose(&block, std::slice::from_ref(&item));
    let (root, bytes) = (item.root(), item.to_bytes().len());
    let answers = |effects: &[Effect]| {
        let is_item = |effect: &&Effect| matches!(effect, Effect::Send { message: Message::Item(sent), .. } if *sent == item);
        effects.iter().filter(is_item).count()
    };
    let ask = |scene: &mut Scene, from, times: usize| {
        answers(&scene.hear(id(from), Message::WantItems(vec![root; times])))
    };
    // One that begins below the bound may go past it.
    let most = ANSWER_BYTES_MAX.div_ceil(bytes);
    assert_eq!(ask(&mut scene, 7, 20), 20);
    assert_eq!(ask(&mut scene, 7, 100), most - 20);
    assert_eq!(ask(&mut scene, 7, 1), 0);
    let refused = 120 - u64::try_from(most).unwrap() + 1;
    assert_eq!(scene.node.refused_answers(), refused);
    // Nor from the store, nor with anything else.
    let elsewhere = |scene: &mut Scene, from| {
        scene.hear(id(from), Message::WantItems(vec![digest(1)])).len()
            + scene.hear(id(from), Message::WantBlock(block.hash())).len()
    };
    assert_eq!((elsewhere(&mut scene, 7), elsewhere(&mut scene, 8)), (0, 2));
    assert!(!scene.node.may_answer(id(7), &Message::Item(item.clone())));
    // Another peer has its own share, and what the driver sends it counts.
    for _ in 0..most - 1 {
        assert!(scene.node.may_answer(id(8), &Message::Item(item.clone())));
    }
    assert_eq!(ask(&mut scene, 8, 5), 1);
    // The next turn.
    scene.ms += 6_000;
    assert_eq!((ask(&mut scene, 7, 3), ask(&mut scene, 8, 3)), (3, 3));
}
