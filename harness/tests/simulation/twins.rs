//! Two honest copies with one key, in every combination of partitions and leaders that is different.

use harness::simulation::broken::Broken;
use harness::simulation::twins::{Scenario, scenarios};
use mdsm_core::consensus::Protocol;

#[test]
fn con_7_6_no_scenario_of_two_rounds_breaks_anything() {
    let mut ran = 0;
    for scenario in scenarios(2) {
        let outcome = scenario.run(Protocol);
        assert_eq!(outcome.breaches, [], "{scenario:?}");
        ran += 1;
    }
    assert!(ran > 300, "{ran} scenarios");
}

#[test]
fn some_scenario_of_four_rounds_shows_a_finalize_vote_behind_a_nullify_vote() {
    let is_noticed = |scenario: &Scenario| {
        let outcome = scenario.run(Broken::FinalizesNullified);
        outcome.breaches.iter().any(|breach| breach.claim == "honesty")
    };
    let sampled = scenarios(4).step_by(997).take(200);
    assert!(sampled.into_iter().any(|scenario| is_noticed(&scenario)));
}
