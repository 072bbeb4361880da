//! What is sent on, and what is sent again.

use std::collections::BTreeSet;

use harness::build::institution_key;
use mdsm_core::consensus::{Audience, TimerKind};
use mdsm_core::ledger::{Subject, Vote};
use mdsm_core::node::{Effect, Message, Timer};
use mdsm_core::types::{Digest, Epoch, InstitutionId, View};

use crate::scene::{ME, Scene, cast, id, vote};

const NULLIFY: Subject = Subject::Nullify;

/// Certificates that are sent, with their views and to whom.
fn sent(effects: &[Effect]) -> Vec<(u64, Subject, Audience)> {
    let sent = effects.iter().filter_map(|effect| match effect {
        Effect::Send { to, message: Message::Certificate(certificate) } => {
            let Vote { view, subject, .. } = certificate.vote;
            Some((view.get(), subject, *to))
        }
        _ => None,
    });
    sent.collect()
}

fn reaches_auditors(to: Audience) -> bool {
    matches!(to, Audience::Auditors { .. } | Audience::Everyone)
}

#[test]
fn con_7_15_a_certificate_is_passed_on_once_to_all_auditors() {
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //= type=test
    //# CON-7.15 (ours): An auditor, and the leader of the view that it is in, MUST send each
    //# certificate to all auditors of the epoch when it first holds it.
    let mut scene = Scene::new();
    let effects = scene.certify(vote(1, NULLIFY), [1, 2, 3]);
    let passed: Vec<_> =
        sent(&effects).into_iter().filter(|(_, _, to)| reaches_auditors(*to)).collect();
    assert_eq!(passed.len(), 1, "{passed:?}");
    assert_eq!((passed[0].0, passed[0].1), (1, NULLIFY));
    assert_eq!(sent(&scene.certify(vote(1, NULLIFY), [0, 1, 3])), [], "once");
    // Made of votes it is passed on likewise.
    scene.vote(6, vote(2, NULLIFY));
    scene.vote(7, vote(2, NULLIFY));
    let effects = scene.vote(8, vote(2, NULLIFY));
    assert!(sent(&effects).iter().any(|(view, _, to)| *view == 2 && reaches_auditors(*to)));
    // A producer whose turn comes next passes on what leads to it; another one does not.
    let mut leader = Scene::of(id(2));
    leader.certify(vote(1, NULLIFY), [1, 2, 3]);
    assert_eq!(leader.node.consensus().view(), View::new(2));
    let effects = leader.certify(vote(2, NULLIFY), [1, 2, 3]);
    assert!(sent(&effects).iter().any(|(view, _, to)| *view == 2 && reaches_auditors(*to)));
    let mut other = Scene::of(id(4));
    assert_eq!(sent(&other.certify(vote(1, NULLIFY), [1, 2, 3])), []);
}

#[test]
fn con_7_16_a_view_that_goes_nowhere_sends_votes_and_the_way_to_it_again() {
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //= type=test
    //# CON-7.16 (ours): An auditor, and the leader of the view that it is in, MUST send again to
    //# all auditors, at the latest a turn and four assumed delays after it entered the view and then
    //# at least every two assumed delays, its own votes and proposal of that view, the highest
    //# notarization that it holds in the epoch, every nullification above that, and the
    //# finalization that ended the epoch before.
    let mut scene = Scene::new();
    let block = scene.network.block_of(6_000, &[]);
    let notarize = Subject::Notarize(block.hash());
    scene.certify(vote(1, notarize), [1, 2, 3]);
    scene.certify(vote(2, NULLIFY), [1, 2, 3]);
    let entered = scene.certify(vote(3, NULLIFY), [1, 2, 3]);
    // A turn and four assumed delays: of 500 ms, grown by half for each of two nullified views.
    assert_eq!(retries(&entered), [6_000 + 4 * 1_125]);
    scene.time_out(4, TimerKind::View);
    for _ in 0..3 {
        let effects = scene.time_out(4, TimerKind::Retry);
        let again = cast(&effects);
        assert!(again.contains(&NULLIFY), "the own vote of the view: {again:?}");
        assert!(again.contains(&Subject::Finalize(block.hash())), "and what is not final yet");
        let way: Vec<(u64, Subject)> = sent(&effects)
            .into_iter()
            .filter(|(_, _, to)| reaches_auditors(*to))
            .map(|(view, subject, _)| (view, subject))
            .collect();
        assert_eq!(way, [(3, NULLIFY), (2, NULLIFY), (1, notarize)]);
        assert_eq!(retries(&effects), [2 * 1_125]);
    }
}

/// In how many milliseconds everything is to be sent again.
fn retries(effects: &[Effect]) -> Vec<u32> {
    let armed = effects.iter().filter_map(|effect| match effect {
        Effect::Arm { timer: Timer::Consensus(timer), after_ms }
            if timer.kind == TimerKind::Retry =>
        {
            Some(*after_ms)
        }
        _ => None,
    });
    armed.collect()
}

#[test]
fn con_7_17_an_own_vote_counts_like_those_of_others_also_after_a_restart() {
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //= type=test
    //# CON-7.17 (ours): An auditor MUST count its own votes like those of others, also after a
    //# restart.
    let own = |scene: &mut Scene, vote: Vote| {
        let signed = vote.sign(&scene.network.chain.id(), ME, &institution_key(ME));
        scene.hear(ME, Message::Vote(signed))
    };
    let mut scene = Scene::new();
    scene.vote(6, vote(1, NULLIFY));
    scene.vote(7, vote(1, NULLIFY));
    let effects = scene.time_out(1, TimerKind::View);
    let (mut again, effects) = {
        let journal = crate::scene::stored(&effects);
        scene.again(mdsm_core::node::Journal::Whole(&journal))
    };
    assert_eq!(cast(&effects), [NULLIFY], "it is cast again after the restart");
    again.vote(6, vote(1, NULLIFY));
    again.vote(7, vote(1, NULLIFY));
    assert_eq!(again.node.consensus().view(), View::new(1));
    own(&mut again, vote(1, NULLIFY));
    assert_eq!(again.node.consensus().view(), View::new(2));
}

#[test]
fn con_7_19_a_leader_behind_nullified_views_is_told_what_it_builds_on() {
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //= type=test
    //# CON-7.19 (ours): An auditor MUST send to the leader of the view it is in, on entering it and
    //# whenever something is added, the highest notarization it holds in the epoch, every
    //# nullification above that, and, where it holds no notarization in the epoch, the finalization
    //# that ended the epoch before.
    let mut scene = Scene::new();
    let block = scene.network.block_of(6_000, &[]);
    let notarize = Subject::Notarize(block.hash());
    scene.certify(vote(1, notarize), [1, 2, 3]);
    scene.certify(vote(2, NULLIFY), [1, 2, 3]);
    let effects = scene.certify(vote(3, NULLIFY), [1, 2, 3]);
    let leader = id(4);
    let mut told: Vec<(u64, Subject)> = sent(&effects)
        .into_iter()
        .filter(|(_, _, to)| match to {
            Audience::Auditors { and } => *and == leader,
            Audience::Everyone => true,
            Audience::One(one) => *one == leader,
        })
        .map(|(view, subject, _)| (view, subject))
        .collect();
    told.sort_unstable();
    assert_eq!(told, [(1, notarize), (2, NULLIFY), (3, NULLIFY)]);
}

#[test]
fn con_7_21_a_proposal_comes_behind_the_certificates_that_it_builds_on() {
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //= type=test
    //# CON-7.21 (ours): A leader MUST send to all auditors, before its proposal, the notarization
    //# of the parent and the nullification of every view between.
    let mut scene = Scene::of(id(3));
    scene.certify(vote(1, NULLIFY), [1, 2, 3]);
    scene.certify(vote(2, NULLIFY), [1, 2, 3]);
    let effects = scene.time_out(3, TimerKind::Turn);
    let proposed = effects.iter().position(|effect| matches!(effect, Effect::Propose { .. }));
    let (before, _) = effects.split_at(proposed.expect("it proposes"));
    let mut way: Vec<u64> = sent(before)
        .into_iter()
        .filter(|sent| reaches_auditors(sent.2))
        .map(|sent| sent.0)
        .collect();
    way.sort_unstable();
    assert_eq!(way, [1, 2]);
}

/// An auditor that has just entered the second epoch, and the finalization that ended the first.
fn in_second_epoch() -> (Scene, Vec<Effect>, Subject) {
    let mut scene = Scene::new();
    scene.ms = 600_000;
    let last = scene.network.block_of(600_000, &[]);
    scene.propose(&last, &[]);
    scene.certify(vote(1, Subject::Notarize(last.hash())), [1, 2, 3]);
    let finalize = Subject::Finalize(last.hash());
    let effects = scene.certify(vote(1, finalize), [1, 2, 3]);
    assert_eq!(scene.node.consensus().epoch(), Epoch::new(1));
    scene.network.add(&last, &[]).unwrap();
    (scene, effects, finalize)
}

fn leader_of(scene: &Scene, view: u64) -> InstitutionId {
    scene.node.consensus().committees().leader(View::new(view)).institution
}

#[test]
fn con_7_19_the_first_leaders_of_an_epoch_are_told_how_the_last_one_ended() {
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //= type=test
    //# CON-7.19 (ours): An auditor MUST send to the leader of the view it is in, on entering it and
    //# whenever something is added, the highest notarization it holds in the epoch, every
    //# nullification above that, and, where it holds no notarization in the epoch, the finalization
    //# that ended the epoch before.
    let (mut scene, effects, finalize) = in_second_epoch();
    let told =
        |effects: &[Effect], leader| sent(effects).contains(&(1, finalize, Audience::One(leader)));
    assert!(told(&effects, leader_of(&scene, 1)));
    let of = |view, subject| Vote { epoch: Epoch::new(1), view: View::new(view), subject };
    let effects = scene.certify(of(1, NULLIFY), [1, 2, 3]);
    assert!(told(&effects, leader_of(&scene, 2)));
    // A notarization of this epoch says as much.
    let effects = scene.certify(of(2, Subject::Notarize(Digest::new([4; 32]))), [1, 2, 3]);
    assert_eq!(scene.node.consensus().view(), View::new(3));
    assert!(!told(&effects, leader_of(&scene, 3)));
}

#[test]
fn con_7_27_whoever_lacks_blocks_asks_so_many_that_one_is_not_faulty() {
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //= type=test
    //# CON-7.27 (ours): A node that lacks a block which a certificate or another block names MUST ask
    //# f + 1 auditors for it at once, and up to f + 1 of the auditors that speak to it of a later
    //# epoch for what it missed.
    let asked = |effects: &[Effect]| {
        let asked = effects.iter().filter_map(|effect| match effect {
            Effect::Send {
                to: Audience::One(one),
                message: Message::WantBlock(_) | Message::WantDecision { .. },
            } => Some(*one),
            _ => None,
        });
        asked.collect::<Vec<_>>()
    };
    let mut scene = Scene::new();
    let hash = Digest::new([4; 32]);
    scene.certify(vote(1, Subject::Notarize(hash)), [1, 2, 3]);
    let effects = scene.certify(vote(1, Subject::Finalize(hash)), [1, 2, 3]);
    let blocks = effects.iter().filter(|effect| {
        matches!(effect, Effect::Send { message: Message::WantBlock(wanted), .. } if *wanted == hash)
    });
    assert_eq!(blocks.count(), 2);
    let whom: BTreeSet<InstitutionId> = asked(&effects).into_iter().collect();
    assert!(whom.len() >= 2 && whom.iter().all(|one| (6..=8).contains(&one.get())), "{whom:?}");

    let ask = |epoch| Message::Ask { epoch: Epoch::new(epoch), view: View::new(1) };
    let mut scene = Scene::new();
    assert_eq!(asked(&scene.hear(id(6), ask(1))), [id(6)]);
    assert_eq!(asked(&scene.hear(id(6), ask(1))), [], "each once");
    assert_eq!(asked(&scene.hear(id(7), ask(1))), [id(7)]);
    assert_eq!(asked(&scene.hear(id(8), ask(1))), [], "one of two is not faulty");
    // Whoever has no seat may name any epoch, so it fills one place at most.
    let mut scene = Scene::new();
    let mut by_others = Vec::new();
    for other in [1, 2, 3, 4, 9] {
        by_others.extend(asked(&scene.hear(id(other), ask(9))));
    }
    assert_eq!(by_others.len(), 1);
    let [first] = by_others[..] else { panic!("one") };
    let next = id(if first == id(6) { 7 } else { 6 });
    assert_eq!(asked(&scene.hear(next, ask(1))), [next]);
}
