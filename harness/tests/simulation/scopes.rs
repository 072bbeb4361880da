//! Small changes to single rounds: each happens, none does harm, and mistakes show.

use std::collections::BTreeMap;

use harness::mutants::{Mutation, small_scope};
use harness::seed::Seed;
use harness::simulation::cluster::Shape;
use harness::simulation::plan::Faults;
use harness::simulation::run::run;
use harness::simulation::scopes::{Scope, Target, singles, targets};
use mdsm_core::consensus::Protocol;

#[test]
fn con_7_6_every_mutation_of_a_round_happens_and_breaks_nothing() {
    let first_drawn = singles(&Shape::SMALL);
    // Thirteen has no factor in common with any digit of a seed, so every value of each comes up.
    let seeds = (0..first_drawn).step_by(13).chain(first_drawn..first_drawn + 200);
    let mut happened: BTreeMap<Target, u64> = BTreeMap::new();
    for seed in seeds {
        let plan = Scope::plan(Seed::new(seed), Shape::SMALL, Faults::NONE);
        let outcome = run(&plan, Protocol);
        assert_eq!(outcome.breaches, [], "seed {seed}: {:?}", Scope::of(plan.seed, &plan.shape));
        assert!(outcome.counts.finals >= 3, "seed {seed}: {:?}", outcome.counts);
        for (target, times) in outcome.mutated {
            *happened.entry(target).or_default() += times;
        }
    }
    let never: Vec<Target> =
        targets().into_iter().filter(|target| !happened.contains_key(target)).collect();
    assert!(never.is_empty(), "never: {never:?}");
}

#[test]
fn seven_auditors_bear_mutations_beside_every_other_fault() {
    for seed in 20_000..20_060 {
        let plan = Scope::plan(Seed::new(seed), Shape::N7, Faults::ALL);
        assert_eq!(run(&plan, Protocol).breaches, [], "seed {seed}");
    }
}

#[test]
fn mutations_bring_mistakes_to_light_by_the_claim_that_they_break() {
    for (mutation, seeds, claim) in [
        (Mutation::TakesShort, 0..60, "certificate"),
        (Mutation::TakesForged, 0..60, "honesty"),
        (Mutation::FinalizeAfterNullify, 0..60, "honesty"),
        (Mutation::NeverNullifies, 0..60, "life"),
        (Mutation::IgnoresCheck, 200..260, "blocks"),
    ] {
        let shown = small_scope(&mutation, seeds, || false);
        let shown = shown.unwrap_or_else(|| panic!("{mutation:?} does not show"));
        assert!(shown.claims.contains(&claim), "{mutation:?}: {shown:?}");
    }
    assert_eq!(small_scope(&Protocol, 0..60, || false), None);
}
