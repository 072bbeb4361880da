//! What is sent on, and what is sent again.

use harness::build::institution_key;
use mdsm_core::consensus::{Audience, TimerKind};
use mdsm_core::ledger::{Subject, Vote};
use mdsm_core::node::{Effect, Message};
use mdsm_core::types::View;

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
    //# all auditors, at least every two assumed delays, its own votes and proposal of that view,
    //# the highest notarization that it holds in the epoch, every nullification above that, and the
    //# finalization that ended the epoch before.
    let mut scene = Scene::new();
    let block = scene.network.block_of(6_000, &[]);
    let notarize = Subject::Notarize(block.hash());
    scene.certify(vote(1, notarize), [1, 2, 3]);
    scene.certify(vote(2, NULLIFY), [1, 2, 3]);
    scene.certify(vote(3, NULLIFY), [1, 2, 3]);
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
        let next = effects.iter().filter_map(|effect| match effect {
            Effect::Arm { after_ms, .. } => Some(*after_ms),
            _ => None,
        });
        // Two assumed delays: of 500 ms, grown by half for each of two nullified views.
        assert_eq!(next.collect::<Vec<_>>(), [2 * 1_125]);
    }
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
    //# nullification above that, and the finalization that ended the epoch before.
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
