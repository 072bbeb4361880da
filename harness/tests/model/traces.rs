//! Counterexamples replay.

use harness::model::{Config, Job, Limits, Trace};
use harness::mutants::Mutation;
use mdsm_core::consensus::Protocol;

use super::small;

fn trace(config: Config, mutation: Mutation) -> Trace {
    let job = Job::Certificates(config);
    job.run(mutation, mutation.name(), Limits::default(), |_| None)
        .expect("it fits")
        .trace
        .expect("a claim breaks")
}

#[test]
fn a_counterexample_replays_from_its_json_and_ends_where_the_claim_breaks() {
    let with_crash = Config { crashes: 1, liveness: true, ..small() };
    for (config, mutation) in [
        (small(), Mutation::QuorumLess),
        (small(), Mutation::NoGapCheck),
        (with_crash.clone(), Mutation::NotarizationNotStored),
        (with_crash, Mutation::NullificationNotStored),
    ] {
        let found = trace(config, mutation);
        let json = serde_json::to_string_pretty(&found).unwrap();
        let read: Trace = serde_json::from_str(&json).unwrap();
        assert_eq!(read, found);
        let (broken, diagram) = read.replay(mutation).unwrap();
        assert_eq!(broken, Some(found.claim), "{mutation:?}\n{diagram}");
        let mut short = read.clone();
        short.steps.pop();
        assert_eq!(short.replay(mutation).unwrap().0, None, "{mutation:?}: a step too many");
        // Under the protocol a step cannot be taken, or nothing breaks.
        if let Ok((broken, diagram)) = read.replay(Protocol) {
            assert_eq!(broken, None, "{diagram}");
        }
    }
}

#[test]
fn a_diagram_has_a_column_for_each_node_and_a_row_for_each_step() {
    let found = trace(small(), Mutation::QuorumLess);
    let (_, diagram) = found.replay(Mutation::QuorumLess).unwrap();
    for node in 0..3 {
        assert!(diagram.contains(&format!("node {node}")), "{diagram}");
    }
    assert!(diagram.contains(&found.claim.to_string()), "{diagram}");
    for step in 1..=found.steps.len() {
        assert!(diagram.contains(&format!("\n{step:>4}  ")), "{diagram}");
    }
}

#[test]
fn a_trace_that_nobody_can_take_is_refused_by_its_step() {
    let mut found = trace(small(), Mutation::QuorumLess);
    found.steps.reverse();
    let refused = found.replay(Mutation::QuorumLess).unwrap_err();
    assert!(refused.to_string().starts_with("step 1"), "{refused}");
}
