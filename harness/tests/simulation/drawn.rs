//! The same generators and oracles under proptest, which draws and shrinks plans by itself.

use harness::seed::Seed;
use harness::simulation::broken::Broken;
use harness::simulation::cluster::Shape;
use harness::simulation::plan::{Faults, Plan};
use harness::simulation::run::run;
use harness::simulation::strategies::Name;
use harness::simulation::world::{Control, Crash};
use mdsm_core::consensus::Protocol;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRng, TestRunner};

/// A run of 4 to 7 auditors in which proptest chooses links, crashes and who deviates.
fn plans() -> impl Strategy<Value = Plan> {
    let links = (1u32..100, 0u32..300, 0u32..300, 0u32..100);
    let crashes = prop::collection::vec((0u16..11, 0u64..20_000, 1u64..5_000, 0u8..3), 0..6);
    let faulty = prop::collection::vec((0u32..4, 0..Name::ALL.len()), 0..3);
    (any::<u64>(), 4u32..8, links, crashes, faulty).prop_map(
        |(seed, auditors, (base_ms, jitter_ms, loss, twice), crashes, faulty)| {
            let shape = Shape { auditors, ..Shape::SMALL };
            let mut plan = Plan::draw(Seed::new(seed), shape, Faults::NONE, 20_000, 20_001);
            plan.links.base_ms = base_ms;
            plan.links.jitter_ms = jitter_ms;
            (plan.links.loss, plan.links.twice) = (loss, twice);
            for (node, at, down, kind) in crashes {
                let kind = [Crash::Clean, Crash::AfterWrite, Crash::Torn][usize::from(kind)];
                let node = node % u16::try_from(shape.institutions()).expect("16 bits fit");
                plan.controls.push((at, Control::Crash(node, kind)));
                plan.controls.push((at + down, Control::Restart(node)));
            }
            for (at, name) in faulty {
                // The first is an auditor, the others produce.
                let id = if plan.faulty.is_empty() { shape.institutions() } else { 1 + at };
                plan.faulty.insert(id, Name::ALL[name]);
            }
            plan
        },
    )
}

fn runner(cases: u32) -> TestRunner {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let rng = TestRng::deterministic_rng(config.rng_algorithm);
    TestRunner::new_with_rng(config, rng)
}

#[test]
fn drawn_runs_are_safe_and_go_on() {
    runner(60)
        .run(&plans(), |plan| {
            let outcome = run(&plan, Protocol);
            prop_assert_eq!(outcome.breaches, vec![]);
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_broken_rule_is_found_and_shrunk() {
    let found = runner(60).run(&plans(), |plan| {
        let outcome = run(&plan, Broken::NullifiesFinalized);
        prop_assert!(outcome.breaches.is_empty());
        Ok(())
    });
    let Err(proptest::test_runner::TestError::Fail(_, plan)) = found else {
        panic!("nothing was noticed: {found:?}")
    };
    assert!(plan.controls.len() <= 4, "{plan:?}");
}
