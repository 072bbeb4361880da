//! What an institution signs, and what it stores before.

use mdsm_core::consensus::{JournalEntry, TimerKind};
use mdsm_core::ledger::{Block, Subject};
use mdsm_core::node::{Effect, Journal};
use mdsm_core::types::View;

use crate::scene::{Scene, cast, id, stored, vote};

const NULLIFY: Subject = Subject::Nullify;

fn notarize(block: &Block) -> Subject {
    Subject::Notarize(block.hash())
}

fn finalize(block: &Block) -> Subject {
    Subject::Finalize(block.hash())
}

/// Two sound blocks of the first turn.
fn two(scene: &Scene) -> (Block, Block) {
    (scene.network.block_of(6_000, &[]), scene.network.block_of(6_001, &[]))
}

#[test]
fn con_7_2_one_block_of_a_view_is_notarized_also_after_a_restart() {
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //= type=test
    //# CON-7.2 (ours): An honest auditor MUST NOT sign two notarize votes in one view, also not
    //# across a restart.
    let mut scene = Scene::new();
    let (first, second) = two(&scene);
    let effects = scene.propose(&first, &[]);
    assert_eq!(cast(&effects), [notarize(&first)]);
    assert_eq!(cast(&scene.propose(&second, &[])), []);
    let journal = stored(&effects);
    let (mut again, effects) = scene.again(Journal::Whole(&journal));
    assert_eq!(cast(&effects), [notarize(&first)], "the very vote is cast again");
    assert_eq!(cast(&again.propose(&second, &[])), []);
    // Nullified first: then nothing is notarized, before and after a crash.
    let mut scene = Scene::new();
    let effects = scene.time_out(1, TimerKind::View);
    assert_eq!(cast(&effects), [NULLIFY]);
    assert_eq!(cast(&scene.propose(&first, &[])), []);
    let (mut again, _) = scene.again(Journal::Whole(&stored(&effects)));
    assert_eq!(cast(&again.propose(&first, &[])), []);
}

#[test]
fn con_7_3_nobody_nullifies_and_finalizes_one_view_also_after_a_restart() {
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //= type=test
    //# CON-7.3 (ours): An honest auditor MUST NOT sign both a nullify vote and a finalize vote in
    //# one view, also not across a restart.
    let mut scene = Scene::new();
    let (block, _) = two(&scene);
    let mut all = scene.propose(&block, &[]);
    let effects = scene.certify(vote(1, notarize(&block)), [1, 2, 3]);
    assert_eq!(cast(&effects), [finalize(&block)]);
    all.extend(effects);
    assert_eq!(cast(&scene.time_out(1, TimerKind::View)), []);
    let (mut again, _) = scene.again(Journal::Whole(&stored(&all)));
    assert_eq!(cast(&again.time_out(1, TimerKind::View)), []);
    // The other way round: nullified, and then the notarization comes.
    let mut scene = Scene::new();
    let all = scene.time_out(1, TimerKind::View);
    assert_eq!(cast(&scene.certify(vote(1, notarize(&block)), [1, 2, 3])), []);
    let (mut again, _) = scene.again(Journal::Whole(&stored(&all)));
    assert_eq!(cast(&again.certify(vote(1, notarize(&block)), [1, 2, 3])), []);
}

#[test]
fn con_7_4_votes_and_what_justifies_them_are_stored_before_they_are_cast() {
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //= type=test
    //# CON-7.4 (ours): A node MUST have stored a vote and the certificates that justify it before
    //# it sends the vote.
    let mut scene = Scene::new();
    let (block, _) = two(&scene);
    let mut runs = vec![scene.propose(&block, &[])];
    runs.push(scene.certify(vote(1, notarize(&block)), [1, 2, 3]));
    runs.push(scene.time_out(2, TimerKind::View));
    let mut cast = 0;
    let mut journal: Vec<JournalEntry> = Vec::new();
    for effect in runs.into_iter().flatten() {
        match effect {
            Effect::Persist(entry) => journal.push(entry),
            Effect::Cast { vote, .. } => {
                cast += 1;
                assert!(journal.contains(&JournalEntry::Voted(vote)), "{vote:?}");
                let certifies = |entry: &JournalEntry, wanted: Subject| matches!(entry, JournalEntry::Certified(held) if held.vote.subject == wanted);
                if let Subject::Finalize(hash) = vote.subject {
                    let justified =
                        |entry: &JournalEntry| certifies(entry, Subject::Notarize(hash));
                    assert!(journal.iter().any(justified), "{vote:?}");
                }
            }
            _ => {}
        }
    }
    assert_eq!(cast, 3);
}

#[test]
fn con_7_5_a_node_without_its_log_signs_nothing_in_the_first_epoch() {
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //= type=test
    //# CON-7.5 (ours): A node whose log is damaged or missing MUST NOT vote before the next epoch.
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //= type=test
    //# CON-7.12 (ours): A node that found its log damaged or missing MUST NOT sign anything for the
    //# first epoch or for one whose predecessor ended with a block stamped at most 4,000
    //# milliseconds after the reading of its clock when it found the log so.
    let scene = Scene::new();
    let (block, _) = two(&scene);
    let (mut again, effects) = scene.again(Journal::Lost);
    let [JournalEntry::Lost(found_at), ..] = stored(&effects)[..] else { panic!("{effects:?}") };
    assert_eq!(found_at, harness::build::after_start(scene.ms));
    assert_eq!(cast(&again.propose(&block, &[])), []);
    assert_eq!(cast(&again.time_out(1, TimerKind::View)), []);
    again.certify(vote(1, notarize(&block)), [1, 2, 3]);
    assert_eq!(again.node.consensus().view(), View::new(2), "it listens and goes on");
    assert_eq!(cast(&again.time_out(2, TimerKind::View)), []);
    // The control: with an empty log that was made together with the key it votes.
    let (mut fresh, _) = scene.again(Journal::Whole(&[]));
    assert_eq!(cast(&fresh.propose(&block, &[])), [notarize(&block)]);
    // A leader stays silent likewise.
    let leader = Scene::of(id(1));
    let (mut again, _) = leader.again(Journal::Lost);
    let effects = again.time_out(1, TimerKind::Turn);
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Propose { .. })));
}

#[test]
fn con_7_14_a_leader_signs_one_block_of_its_view_also_after_a_restart() {
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //= type=test
    //# CON-7.14 (ours): A producer MUST NOT sign two blocks of one view, also not across a restart.
    let mut scene = Scene::of(id(1));
    let effects = scene.time_out(1, TimerKind::Turn);
    let headers = |effects: &[Effect]| {
        let proposed = effects.iter().filter_map(|effect| match effect {
            Effect::Propose { header, .. } => Some(*header),
            _ => None,
        });
        proposed.collect::<Vec<_>>()
    };
    let [header] = headers(&effects)[..] else { panic!("{effects:?}") };
    scene.ms += 50;
    assert_eq!(headers(&scene.time_out(1, TimerKind::Turn)), []);
    assert_eq!(headers(&scene.time_out(1, TimerKind::Retry)), [header], "the same block again");
    // After a crash the body is gone: no other block of the view takes its place.
    let (mut again, effects) = scene.again(Journal::Whole(&stored(&effects)));
    assert_eq!(headers(&effects), []);
    again.ms += 100;
    assert_eq!(headers(&again.time_out(1, TimerKind::Turn)), []);
    assert_eq!(headers(&again.time_out(1, TimerKind::Retry)), []);
}

#[test]
fn con_8_6_a_leader_waits_until_its_clock_is_past_its_parent() {
    //= harness/spec/consensus.md#con-8-clock
    //= type=test
    //# CON-8.6 (ours): A producer MUST stamp its block with the reading of its own clock and wait
    //# until that is above the stamp of the parent.
    let mut scene = Scene::of(id(1));
    scene.ms = 0;
    let effects = scene.time_out(1, TimerKind::Turn);
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Propose { .. })));
    let waits = effects.iter().any(|effect| matches!(effect, Effect::Arm { after_ms: 1, .. }));
    assert!(waits, "{effects:?}");
    scene.ms = 1;
    let effects = scene.time_out(1, TimerKind::Turn);
    let stamped = effects.iter().find_map(|effect| match effect {
        Effect::Propose { header, .. } => Some(header.timestamp),
        _ => None,
    });
    assert_eq!(stamped, Some(harness::build::after_start(1)));
}
