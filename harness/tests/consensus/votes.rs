//! Votes that count for nothing.

use std::sync::Arc;

use harness::build::{Roll, institution_key};
use mdsm_core::ledger::{Subject, Vote};
use mdsm_core::node::Message;
use mdsm_core::types::{Digest, Epoch, View};

use crate::scene::{ME, Scene, certified, id, vote};

const NULLIFY: Subject = Subject::Nullify;

fn block(byte: u8) -> Subject {
    Subject::Notarize(Digest::new([byte; 32]))
}

#[test]
fn con_7_1_three_of_four_votes_make_a_certificate_and_fewer_do_not() {
    let mut scene = Scene::new();
    assert_eq!(certified(&scene.vote(6, vote(1, NULLIFY))), []);
    assert_eq!(certified(&scene.vote(7, vote(1, NULLIFY))), []);
    let effects = scene.vote(8, vote(1, NULLIFY));
    assert_eq!(certified(&effects), [NULLIFY], "the control: these votes do count");
    assert_eq!(scene.node.consensus().view(), View::new(2));
}

#[test]
fn votes_of_outsiders_producers_and_the_unseated_count_for_nothing() {
    let mut scene = Scene::new();
    scene.vote(6, vote(1, NULLIFY));
    scene.vote(7, vote(1, NULLIFY));
    // A producer, a full client and somebody who is not registered.
    for outsider in [1, 9, 77] {
        assert_eq!(certified(&scene.vote(outsider, vote(1, NULLIFY))), []);
    }
    assert_eq!(scene.node.consensus().view(), View::new(1));
}

#[test]
fn votes_of_another_epoch_or_network_count_for_nothing() {
    let mut scene = Scene::new();
    scene.vote(6, vote(1, NULLIFY));
    scene.vote(7, vote(1, NULLIFY));
    let other = Vote { epoch: Epoch::new(1), ..vote(1, NULLIFY) };
    assert_eq!(certified(&scene.vote(8, other)), []);
    let abroad = mdsm_core::types::ChainId::new([9; 32]);
    let signed = vote(1, NULLIFY).sign(&abroad, id(8), &institution_key(id(8)));
    assert_eq!(certified(&scene.hear(id(8), Message::Vote(signed))), []);
    assert_eq!(scene.node.consensus().view(), View::new(1));
}

#[test]
fn a_vote_counts_once_and_only_from_its_voter() {
    let mut scene = Scene::new();
    for _ in 0..10 {
        assert_eq!(certified(&scene.vote(6, vote(1, NULLIFY))), []);
        assert_eq!(certified(&scene.vote(7, vote(1, NULLIFY))), []);
    }
    // Somebody sends a sound vote of another.
    let chain = scene.network.chain.id();
    let signed = vote(1, NULLIFY).sign(&chain, id(8), &institution_key(id(8)));
    assert_eq!(certified(&scene.hear(id(7), Message::Vote(signed))), []);
    assert_eq!(certified(&scene.hear(id(8), Message::Vote(signed))), [NULLIFY]);
}

#[test]
fn votes_for_different_blocks_do_not_add_up() {
    let mut scene = Scene::new();
    for (voter, byte) in [(6, 1), (7, 2), (8, 3)] {
        assert_eq!(certified(&scene.vote(voter, vote(1, block(byte)))), []);
    }
    let mut scene = Scene::new();
    for (voter, subject) in [(6, block(1)), (7, block(1)), (8, NULLIFY)] {
        assert_eq!(certified(&scene.vote(voter, vote(1, subject))), []);
    }
    assert_eq!(certified(&scene.vote(8, vote(1, block(1)))), [block(1)], "the control");
}

#[test]
fn con_7_1_certificates_short_of_a_quorum_or_of_another_committee_lead_nowhere() {
    let mut scene = Scene::new();
    let chain = scene.network.chain.id();
    let roll = Roll::new(chain, 4);
    let hear = |scene: &mut Scene, certificate| {
        scene.hear(id(6), Message::Certificate(Arc::new(certificate)));
        scene.node.consensus().view()
    };
    let sound = vote(1, NULLIFY);
    assert_eq!(hear(&mut scene, roll.certificate(sound, [0, 1])), View::new(1), "two of four");
    // The same institutions on other seats, five seats instead of four, another network.
    let shifted = Roll { producers: 5, ..roll };
    assert_eq!(hear(&mut scene, shifted.certificate(sound, [0, 1, 2])), View::new(1));
    let wide = Roll::new(chain, 9);
    assert_eq!(hear(&mut scene, wide.certificate(sound, [0, 1, 2])), View::new(1));
    let abroad = Roll::new(mdsm_core::types::ChainId::new([9; 32]), 4);
    assert_eq!(hear(&mut scene, abroad.certificate(sound, [0, 1, 2])), View::new(1));
    let later = Vote { epoch: Epoch::new(1), ..sound };
    assert_eq!(hear(&mut scene, roll.certificate(later, [0, 1, 2])), View::new(1));
    assert_eq!(hear(&mut scene, roll.certificate(sound, [0, 1, 3])), View::new(2), "the control");
    assert_eq!(scene.node.me(), ME);
}
