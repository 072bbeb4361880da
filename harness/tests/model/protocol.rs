//! The protocol as it is.

use harness::model::{Config, Job, Limits, Messages, hear};
use mdsm_core::consensus::Protocol;

use super::{claim, search, small};

/// Holds, and came across everything that it is about.
fn holds(config: Config) -> u64 {
    let searched = Job::Certificates(config)
        .run(Protocol, "protocol", Limits::default(), |_| None)
        .expect("it fits");
    let summary = searched.summary;
    assert_eq!(summary.broken, None, "{}", summary.title);
    assert_eq!(summary.never_seen, [""; 0], "{}", summary.title);
    summary.states
}

#[test]
fn con_7_6_no_run_of_three_honest_auditors_finalizes_conflicting_blocks() {
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //= type=test
    //# CON-7.6 (ours): Two honest nodes MUST NOT finalize conflicting blocks while at most f auditors are
    //# faulty.
    //= harness/spec/consensus.md#con-6-replacement-within-a-turn
    //= type=test
    //# CON-6.3 (ours): A view MUST be skipped only with a certificate of n - f auditors that nullifies
    //# it.
    assert!(holds(small()) > 100_000);
}

#[test]
fn con_7_2_con_7_3_con_7_4_no_vote_contradicts_another_across_a_restart_and_each_is_stored_before()
{
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //= type=test
    //# CON-7.2 (ours): An honest auditor MUST NOT sign two notarize votes in one view, also not across
    //# a restart.
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //= type=test
    //# CON-7.3 (ours): An honest auditor MUST NOT sign both a nullify vote and a finalize vote in one
    //# view, also not across a restart.
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //= type=test
    //# CON-7.4 (ours): A node MUST have stored a vote and the certificates that justify it before it
    //# sends the vote.
    holds(Config { crashes: 1, ..small() });
}

#[test]
fn con_7_7_a_block_becomes_final_from_every_state_of_one_view_with_a_crash() {
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //= type=test
    //# CON-7.7 (ours): After the network heals a block MUST become final within one view more than the
    //# longest run of faulty producers in the order of turns, while at most f auditors are faulty.
    holds(Config { views: 1, values: 2, crashes: 1, liveness: true, ..small() });
    holds(Config { voters: 7, byzantine: 2, views: 1, crashes: 1, liveness: true, ..small() });
}

#[test]
fn con_8_5_no_payload_of_an_epoch_is_notarized_before_the_epoch_before_it_ended() {
    //= harness/spec/consensus.md#con-8-clock
    //= type=test
    //# CON-8.5 (ours): A payload of an epoch MUST NOT be notarized before the last block of the epoch before it is final.
    holds(Config { views: 1, epochs: 2, ..small() });
}

#[test]
fn con_7_5_a_node_that_lost_its_log_does_not_vote_in_that_epoch() {
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //= type=test
    //# CON-7.5 (ours): A node whose log is damaged or missing MUST NOT vote before the next epoch.
    holds(Config { views: 1, crashes: 1, amnesia: true, ..small() });
}

#[test]
fn two_faulty_auditors_of_four_break_it() {
    let found = search(&Config { byzantine: 2, ..small() }, Protocol);
    assert!(claim(&found).is_some());
    assert!(found.sofar.states < 1_000, "{}", found.sofar.states);
}

#[test]
fn certificates_rest_on_distinct_voters_and_accusations_on_deeds_in_every_order_of_votes() {
    // Three voters through the intake, which checks; four at once. The whole is in the preset `ci`.
    for (voters, intake) in [(3, true), (4, false)] {
        let heard = hear(Messages { voters, set: 0, intake }, Protocol);
        assert_eq!(heard.broken, None);
        assert!(heard.states > 500 && heard.accusations > 0 && heard.certificates > 0, "{heard:?}");
        assert_eq!(heard.refused > 0, intake);
    }
}
