//! Every broken rule is noticed: what finds nothing proves nothing.

use harness::seed::Seed;
use harness::simulation::broken::Broken;
use harness::simulation::cluster::Shape;
use harness::simulation::plan::{Faults, Plan};
use harness::simulation::run::run;

fn noticed(rules: Broken, seeds: impl IntoIterator<Item = u64>) -> Vec<&'static str> {
    for seed in seeds {
        let plan = Plan::draw(Seed::new(seed), Shape::SMALL, Faults::ALL, 90_000, 90_001);
        let outcome = run(&plan, rules);
        if !outcome.breaches.is_empty() {
            return outcome.breaches.iter().map(|breach| breach.claim).collect();
        }
    }
    Vec::new()
}

#[test]
fn every_broken_rule_is_noticed_by_the_claim_that_it_breaks() {
    for (rules, claims) in [
        (Broken::QuorumTooSmall, &["certificate", "life"][..]),
        (Broken::NoRetries, &["life"]),
        (Broken::NothingPassedOn, &["life"]),
        (Broken::VotesWithoutLog, &["honesty"]),
        (Broken::VotesNotStored, &["stored first"]),
        (Broken::CertificatesNotStored, &["stored first"]),
        (Broken::FinalizesEarly, &["stored first"]),
        (Broken::FinalizesNullified, &["honesty"]),
        (Broken::NullifiesFinalized, &["honesty"]),
        (Broken::NotarizesTwice, &["honesty"]),
        (Broken::SkipsFreely, &["blocks"]),
        (Broken::HeedsNoCheck, &["blocks", "logs"]),
        (Broken::ExtendsFinal, &["life"]),
    ] {
        // Two of them show in few seeds only; these are among them.
        let found = noticed(rules, [0, 1, 2, 3, 4, 30, 100, 146].into_iter().chain(5..150));
        assert!(found.iter().any(|claim| claims.contains(claim)), "{rules}: {found:?}");
    }
}
