//! Committed seeds: a change of documentation cannot turn them red.

use harness::seed::Seed;
use harness::simulation::cluster::Shape;
use harness::simulation::plan::{Faults, Plan};
use harness::simulation::run::{Counts, run};
use mdsm_core::consensus::Protocol;

fn campaign(shape: Shape, seeds: std::ops::Range<u64>) -> Counts {
    let mut counts = Counts::default();
    for seed in seeds {
        let plan = Plan::draw(Seed::new(seed), shape, Faults::ALL, 60_000, 60_001);
        let outcome = run(&plan, Protocol);
        assert_eq!(outcome.breaches, [], "seed {seed}: {plan:?}");
        counts.add(&outcome.counts);
    }
    counts
}

#[test]
fn con_7_6_four_auditors_agree_and_go_on_under_every_kind_of_fault() {
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //= type=test
    //# CON-7.6 (ours): Two honest nodes MUST NOT finalize conflicting blocks while at most f auditors
    //# are faulty.
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //= type=test
    //# CON-7.7 (ours): After the network heals a block MUST become final within one view more than the
    //# longest run of faulty producers in the order of turns, while at most f auditors are faulty.
    let counts = campaign(Shape::SMALL, 0..100);
    // What must happen sometimes, or the faults are too tame to show anything.
    assert!(counts.finals > 2_000 && counts.nullified > 500, "{counts:?}");
    assert!(counts.epochs > 100 && counts.anchors > 100, "{counts:?}");
    assert!(counts.lost_logs > 0 && counts.forged > 0 && counts.offences > 0, "{counts:?}");
}

#[test]
fn seven_auditors_agree_and_go_on_under_every_kind_of_fault() {
    let counts = campaign(Shape::N7, 1_000..1_030);
    assert!(counts.finals > 300 && counts.nullified > 100, "{counts:?}");
}

#[test]
fn con_6_1_without_faults_every_turn_becomes_a_block() {
    let plan = Plan::draw(Seed::new(1), Shape::SMALL, Faults::NONE, 60_000, 0);
    let outcome = run(&plan, Protocol);
    assert_eq!((outcome.breaches.len(), outcome.counts.nullified), (0, 0));
    assert!(outcome.counts.finals >= 48, "{:?}", outcome.counts);
    assert_eq!((outcome.counts.epochs, outcome.counts.anchors), (2, 2));
}

#[test]
fn the_network_of_the_paper_runs_for_ten_minutes_with_absent_leaders_and_lost_messages() {
    let mut plan = Plan::draw(Seed::new(1), Shape::PAPER, Faults::NONE, 600_000, 0);
    plan.links.loss = 20;
    let absent = (0..10).map(|i| (1 + 10 * i, harness::simulation::strategies::Name::Mute));
    plan.faulty.extend(absent);
    let outcome = run(&plan, Protocol);
    assert_eq!(outcome.breaches, []);
    assert!(outcome.counts.finals > 80 && outcome.counts.gap_ms < 30_000, "{:?}", outcome.counts);
}
