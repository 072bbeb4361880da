//! Every strategy acts, and does no harm while at most f auditors deviate.

use std::collections::BTreeMap;

use harness::seed::Seed;
use harness::simulation::campaign::Options;
use harness::simulation::cluster::Shape;
use harness::simulation::plan::Faults;
use harness::simulation::run::{Run, run};
use harness::simulation::strategies::Name;
use mdsm_core::consensus::Protocol;

fn options(shape: Shape, name: Name) -> Options {
    Options {
        shape,
        seeds: 0..1,
        heal_ms: 45_000,
        end_ms: 45_001,
        faults: Faults { strategies: false, ..Faults::ALL },
        strategy: Some(name),
        rules: None,
        is_real: false,
        shard: (1, 1),
        jobs: 1,
    }
}

#[test]
fn every_strategy_acts_and_safety_and_life_hold() {
    for name in Name::ALL {
        let mut acted = 0;
        for (shape, seeds) in [(Shape::SMALL, 0..6), (Shape::N7, 10..12)] {
            for seed in seeds {
                let plan = options(shape, name).plan(seed);
                let outcome = run(&plan, Protocol);
                assert_eq!(outcome.breaches, [], "{name}, seed {seed}: {plan:?}");
                acted += outcome.acted.iter().map(|(_, times)| times).sum::<u64>();
            }
        }
        assert!(acted > 0, "{name} did nothing");
    }
}

#[test]
fn there_are_at_least_twenty_and_names_read_back() {
    assert!(Name::ALL.len() >= 20);
    for name in Name::ALL {
        assert_eq!(name.to_string().to_lowercase().parse(), Ok(name));
    }
    assert_eq!("smallscope".parse(), Ok(Name::SmallScope));
    assert!("Angel".parse::<Name>().is_err());
}

#[test]
fn a_flood_of_far_views_fills_nothing() {
    let load = |name: Option<Name>| {
        let mut options = options(Shape::SMALL, Name::Mute);
        options.faults = Faults::NONE;
        let mut plan = options.plan(1);
        plan.faulty = BTreeMap::new();
        if let Some(name) = name {
            plan.faulty.extend([(8, name), (1, name)]);
        }
        let mut run = Run::new(plan, Protocol, false);
        run.go();
        (run.outcome().counts.load, run.outcome().breaches)
    };
    let (calm, _) = load(None);
    let (flooded, breaches) = load(Some(Name::FarViewFlooder));
    assert_eq!(breaches, []);
    // Three votes of the flooder for each of the views that a node listens to, and their slots.
    assert!(flooded > calm, "the flood arrives: {calm} and {flooded}");
    assert!(flooded <= calm + 4 * 10 + 10, "{calm} without, {flooded} with a flood");
}

#[test]
fn real_signatures_give_the_same_chain_as_ideal_ones() {
    let options = Options { heal_ms: 8_000, end_ms: 0, ..options(Shape::SMALL, Name::Forger) };
    let finals = |is_real| {
        let mut plan = options.plan(5);
        plan.seed = Seed::new(5);
        let mut run = Run::new(plan, Protocol, is_real);
        run.go();
        assert_eq!(run.outcome().breaches, []);
        run.judge.history.finals
    };
    let (ideal, real) = (finals(false), finals(true));
    assert!(ideal > 0 && real > 0, "{ideal} and {real} final");
}
