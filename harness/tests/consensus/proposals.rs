//! Blocks that an auditor does not notarize.

use std::collections::BTreeSet;

use harness::build::{self, Network, institution_key};
use mdsm_core::codec::Wire as _;
use mdsm_core::consensus::{Audience, TimerKind};
use mdsm_core::ledger::{Block, BlockHeader, Item, Payload, Subject};
use mdsm_core::node::{Effect, Input, Message, Timer};
use mdsm_core::params::TURN_ITEM_BYTES_MAX;
use mdsm_core::types::{Digest, Height, Timestamp, View};

use crate::scene::{Scene, cast, id, vote, wants_items};

/// A block of the first turn with three Items.
fn sound(network: &mut Network) -> (Block, Vec<Item>) {
    let items = network.new_items(25);
    (network.block_of(6_000, &items), items)
}

fn sealed(header: BlockHeader, payload: Payload) -> Block {
    Block { header: BlockHeader { payload: payload.commitment(), ..header }, payload }
}

#[test]
fn con_4_1_a_sound_block_is_notarized_once_all_its_items_are_there() {
    //= harness/spec/consensus.md#con-4-audit
    //= type=test
    //# CON-4.3 (ours): An auditor MUST NOT vote for a block before it holds and has checked every Item
    //# of that block.
    let mut scene = Scene::new();
    let (block, items) = sound(&mut scene.network);
    let effects = scene.propose(&block, &items[..2]);
    assert_eq!(cast(&effects), []);
    // The third Item may be on its way; what came is not asked for, and nothing twice.
    assert!(wants_items(&effects).is_empty());
    let armed = |effect: &&Effect| matches!(effect, Effect::Arm { timer: Timer::Items, .. });
    assert_eq!(effects.iter().filter(armed).count(), 1);
    let late = scene.feed(Input::Timeout(Timer::Items));
    let missing: BTreeSet<Digest> = wants_items(&late).into_iter().collect();
    assert_eq!(missing, [items[2].root()].into(), "it asks for what is missing");
    assert!(wants_items(&scene.feed(Input::Timeout(Timer::Items))).is_empty());
    let effects = scene.hear(id(6), Message::Item(std::sync::Arc::new(items[2].clone())));
    assert_eq!(cast(&effects), [Subject::Notarize(block.hash())], "from whomever it gets it");
}

#[test]
fn con_7_29_items_are_asked_of_another_auditor_every_time() {
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //= type=test
    //# CON-7.29 (ours): A node that asks again for Items within one view MUST ask another auditor each
    //# time, until it has asked them all.
    let asked = |effects: &[Effect]| -> Vec<u32> {
        let asks = effects.iter().filter_map(|effect| match effect {
            Effect::Send { to: Audience::One(one), message: Message::WantItems(_) } => Some(*one),
            _ => None,
        });
        asks.map(|one| one.get()).collect()
    };
    // An auditor has three others to ask, a producer four.
    for (me, auditors) in [(5, vec![6, 7, 8]), (2, vec![5, 6, 7, 8])] {
        let mut scene = Scene::of(id(me));
        let (block, items) = sound(&mut scene.network);
        scene.propose(&block, &items[..2]);
        scene.certify(vote(1, Subject::Notarize(block.hash())), [1, 2, 3]);
        scene.certify(vote(1, Subject::Finalize(block.hash())), [1, 2, 3]);
        let mut effects = scene.feed(Input::Timeout(Timer::Items));
        let view = scene.node.consensus().view().get();
        let mut others = Vec::new();
        for _ in 0..2 * auditors.len() {
            effects.extend(scene.time_out(view, TimerKind::Retry));
            let [producer, other] = asked(&effects)[..] else { panic!("{effects:?}") };
            assert_eq!(producer, 1);
            others.push(other);
            effects.clear();
        }
        for part in others.chunks(auditors.len()) {
            let part: BTreeSet<u32> = part.iter().copied().collect();
            assert_eq!(part.into_iter().collect::<Vec<_>>(), auditors, "{others:?}");
        }
    }
}

#[test]
fn con_5_3_a_block_of_another_than_the_leader_is_not_looked_at() {
    //= harness/spec/consensus.md#con-5-turns
    //= type=test
    //# CON-5.3 (ours): The leader of a view MUST follow from epoch, view and committee alone.
    for view in 1..=9 {
        let scene = Scene::new();
        let leader = scene.node.consensus().committees().leader(View::new(view)).institution;
        assert_eq!(leader, id(1 + u32::try_from((view - 1) % 4).unwrap()));
    }
    let (block, items) = sound(&mut Network::new());
    for other in [2, 3, 5, 9] {
        let mut scene = Scene::new();
        let header = BlockHeader { producer: id(other), ..block.header };
        assert_eq!(cast(&scene.propose(&sealed(header, block.payload.clone()), &items)), []);
    }
    // The leader's header with another's signature.
    let mut scene = Scene::new();
    let signed = mdsm_core::ledger::SignedHeader::sign(block.header, &institution_key(id(2)));
    let proposal = mdsm_core::ledger::Proposal { signed, payload: block.payload.clone() };
    let effects = scene.hear(id(1), Message::Proposal(std::sync::Arc::new(proposal)));
    assert_eq!(cast(&effects), []);
    assert!(wants_items(&effects).is_empty());
    assert!(wants_items(&scene.feed(Input::Timeout(Timer::Items))).is_empty());
}

#[test]
fn con_6_2_an_invalid_block_of_the_leader_is_nullified_at_once() {
    //= harness/spec/consensus.md#con-6-replacement-within-a-turn
    //= type=test
    //# CON-6.2 (paper): A delegate that signs a wrong block MUST be replaced by the next delegate in
    //# turn.
    //= harness/spec/consensus.md#con-4-audit
    //= type=test
    //# CON-4.1 (paper): An auditor MUST check every record of a signed block.
    let mut network = Network::new();
    let (block, items) = sound(&mut network);
    let header = block.header;
    let with_items = |items: &[Item]| {
        let item_block = network.item_block(6_000, items);
        let payload = Payload { item_block: Some(item_block), ..Payload::default() };
        (sealed(header, payload), items.to_vec())
    };
    let back = build::after_start(0);
    let wrong: Vec<(&str, (Block, Vec<Item>))> = vec![
        ("a height too far", {
            let header = BlockHeader { height: Height::new(2), ..header };
            (sealed(header, Payload::default()), vec![])
        }),
        ("time that does not go on", {
            let header = BlockHeader { timestamp: back, ..header };
            (sealed(header, Payload::default()), vec![])
        }),
        ("time going back", {
            let header = BlockHeader { timestamp: Timestamp::new(back.get() - 1), ..header };
            (sealed(header, Payload::default()), vec![])
        }),
        ("a record repeated within an Item", {
            let first = items[0].records[0].clone();
            with_items(&[build::item_of(vec![first.clone(), first])])
        }),
        ("a record repeated in another Item", {
            let first = items[0].records[0].clone();
            with_items(&[items[0].clone(), build::item_of(vec![first])])
        }),
        ("an Item repeated", with_items(&[items[0].clone(), items[0].clone()])),
        ("a record that its owner did not sign", {
            let mut stranger = items[0].records[0].clone();
            stranger.owner_signature = items[0].records[1].owner_signature;
            with_items(&[build::item_of(vec![stranger])])
        }),
    ];
    for (what, (block, items)) in wrong {
        let mut scene = Scene::new();
        let effects = scene.propose(&block, &items);
        assert_eq!(cast(&effects), [Subject::Nullify], "{what}");
        assert_eq!(scene.node.consensus().view(), View::new(1), "{what}: no view is left alone");
    }
}

#[test]
fn con_6_3_a_block_on_a_parent_that_is_not_certified_waits() {
    //= harness/spec/consensus.md#con-6-replacement-within-a-turn
    //= type=test
    //# CON-6.3 (ours): A view MUST be skipped only with a certificate of n - f auditors that
    //# nullifies it.
    let (block, items) = sound(&mut Network::new());
    // Of view 2 on the genesis, without a nullification of view 1.
    let mut scene = Scene::new();
    let header = BlockHeader { view: View::new(2), producer: id(2), ..block.header };
    assert_eq!(cast(&scene.propose(&sealed(header, Payload::default()), &[])), []);
    // On a parent that nobody has seen.
    for parent_view in [0, 1] {
        let mut scene = Scene::new();
        let parent = Digest::new([3; 32]);
        let parent_view = View::new(parent_view);
        let header = BlockHeader { parent, parent_view, ..block.header };
        let effects = scene.propose(&sealed(header, block.payload.clone()), &items);
        assert_eq!(cast(&effects), [], "parent view {parent_view}");
    }
}

#[test]
fn con_4_4_a_block_from_the_future_is_not_notarized() {
    //= harness/spec/consensus.md#con-4-audit
    //= type=test
    //# CON-4.4 (ours): An auditor MUST NOT vote for a block whose timestamp is more than 2,000
    //# milliseconds ahead of its own clock.
    let block = Network::new().block_of(8_001, &[]);
    for (now, expected) in [(6_000, Subject::Nullify), (6_001, Subject::Notarize(block.hash()))] {
        let mut scene = Scene::new();
        scene.ms = now;
        assert_eq!(cast(&scene.propose(&block, &[])), [expected], "clock {now}");
    }
}

#[test]
fn sto_10_4_a_turn_of_too_many_bytes_is_nullified() {
    let network = Network::new();
    let owner = build::key(1);
    let large = |number: usize| {
        let mut content = vec![7; 102_400];
        content[..8].copy_from_slice(&number.to_le_bytes());
        let record = build::inline(&owner, &content);
        mdsm_core::ledger::Envelope::sign(record, &network.chain.id(), &owner, build::DELEGATE)
    };
    let per_item = 10 * 102_400;
    let count = TURN_ITEM_BYTES_MAX / per_item + 1;
    let items: Vec<Item> = (0..count)
        .map(|item| build::item_of((0..10).map(|record| large(10 * item + record)).collect()))
        .collect();
    let bytes: usize = items.iter().map(|item| item.to_bytes().len()).sum();
    assert!(bytes > TURN_ITEM_BYTES_MAX);
    let mut scene = Scene::new();
    let effects = scene.propose(&network.block_of(6_000, &items), &items);
    assert_eq!(cast(&effects), [Subject::Nullify]);
}

#[test]
fn items_that_do_not_belong_to_the_root_are_not_taken_for_the_block() {
    let mut scene = Scene::new();
    let (block, items) = sound(&mut scene.network);
    let mut other = block.clone();
    let mut item_block = other.payload.item_block.clone().unwrap();
    item_block.items = mdsm_core::types::List::new(vec![Digest::new([1; 32])]).unwrap();
    other.payload.item_block = Some(item_block);
    assert_eq!(other.payload.commitment(), block.payload.commitment(), "the header cannot tell");
    // Somebody sends the leader's own header with other Items: nothing happens, and the block as the
    // leader sent it still counts.
    assert_eq!(cast(&scene.propose(&other, &[])), []);
    let effects = scene.propose(&block, &items);
    assert_eq!(cast(&effects), [Subject::Notarize(block.hash())]);
}

#[test]
fn con_4_7_a_block_that_breaks_the_rules_is_not_applied_even_when_it_is_final() {
    //= harness/spec/consensus.md#con-4-audit
    //= type=test
    //# CON-4.7 (ours): A node MUST NOT apply a finalized block that fails its own check.
    let final_block = |scene: &mut Scene, block: &Block, items: &[Item]| {
        scene.propose(block, items);
        scene.certify(vote(1, Subject::Notarize(block.hash())), [1, 2, 3]);
        scene.certify(vote(1, Subject::Finalize(block.hash())), [1, 2, 3]);
        scene.node.chain().height().get()
    };
    let mut network = Network::new();
    let (block, items) = sound(&mut network);
    let mut forged = items[0].records[0].clone();
    forged.owner_signature = items[0].records[1].owner_signature;
    let bad_items = vec![build::item_of(vec![forged])];
    let bad = network.block_of(6_000, &bad_items);
    // An auditor, a producer, a full client: each checks for itself what a quorum made final.
    for me in [5, 3, 9] {
        let mut scene = Scene::of(id(me));
        assert_eq!(final_block(&mut scene, &bad, &bad_items), 0, "institution {me}");
        assert_eq!(scene.node.booked().len(), 0);
        let mut scene = Scene::of(id(me));
        assert_eq!(final_block(&mut scene, &block, &items), 1, "the control, institution {me}");
        assert_eq!(scene.node.booked().len(), 25);
    }
}
