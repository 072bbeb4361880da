//! A run is its seed, a schedule is a run, and shrinking keeps what fails.

use harness::seed::Seed;
use harness::simulation::broken::Broken;
use harness::simulation::cluster::Shape;
use harness::simulation::plan::{Faults, Plan};
use harness::simulation::run::run;
use harness::simulation::schedule::Schedule;
use harness::simulation::shrink::{record, replay, shrink};
use mdsm_core::consensus::Protocol;

fn plan(seed: u64) -> Plan {
    Plan::draw(Seed::new(seed), Shape::SMALL, Faults::ALL, 30_000, 30_001)
}

#[test]
fn equal_seeds_give_equal_runs_and_others_do_not() {
    let mut digests = std::collections::BTreeSet::new();
    for seed in 0..20 {
        let (one, other) = (run(&plan(seed), Protocol), run(&plan(seed), Protocol));
        assert_eq!(one, other, "seed {seed}");
        digests.insert(one.digest);
    }
    assert_eq!(digests.len(), 20);
}

#[test]
fn a_recorded_run_is_the_run() {
    for seed in 0..10 {
        let schedule = Schedule::new(plan(seed), None);
        let recorded = record(&schedule);
        let (one, other) = (replay(&schedule), replay(&recorded));
        assert_eq!(one.counts.finals, other.counts.finals, "seed {seed}");
        assert_eq!(one.counts.delivered, other.counts.delivered, "seed {seed}");
    }
}

#[test]
fn a_schedule_reads_what_it_writes() {
    for seed in 0..10 {
        let mut schedule = record(&Schedule::new(plan(seed), Some(Broken::NoRetries)));
        let read = Schedule::parse(&schedule.to_text()).unwrap();
        schedule.labels.clear();
        assert_eq!(read, schedule, "seed {seed}");
    }
    for (text, why) in [
        ("", "line 1"),
        ("mdsm schedule 2", "line 1"),
        ("mdsm schedule 1\nfaulty 3 Nobody", "is no strategy"),
        ("mdsm schedule 1\nlose 1 2 zz 0", "hex"),
        ("mdsm schedule 1\nlose 1 2 00 0", "before"),
        ("mdsm schedule 1\nnetwork producers 0 auditors 4 turn 1 delay 1 epoch 1", "1 to 1,000"),
        (
            "mdsm schedule 1\nnetwork producers 4294967295 auditors 4 turn 1 delay 1 epoch 1",
            "1 to 1,000",
        ),
        ("mdsm schedule 1\nnetwork producers 4 auditors 4 turn 1 delay 1 epoch 0", "epoch 0"),
    ] {
        let error = Schedule::parse(text).unwrap_err();
        assert!(error.contains(why), "{text}: {error}");
    }
}

#[test]
fn a_failing_run_shrinks_to_a_few_lines_that_still_fail() {
    let plan = plan(3);
    let (seed, schedule) = (0..200)
        .map(|seed| (seed, Plan::draw(Seed::new(seed), Shape::SMALL, Faults::ALL, 30_000, 30_001)))
        .map(|(seed, plan)| (seed, Schedule::new(plan, Some(Broken::HeedsNoCheck))))
        .find(|(_, schedule)| replay(schedule).breaches.iter().any(|b| b.claim == "blocks"))
        .expect("some seed notices");
    let shrunk = shrink(&schedule, 400).expect("it fails");
    let (before, after) = shrunk.faults;
    assert!(after * 10 < before, "seed {seed}: {before} faults, {after} left");
    let read = Schedule::parse(&shrunk.schedule.to_text()).unwrap();
    assert!(!replay(&read).breaches.is_empty(), "{}", shrunk.schedule.to_text());
    assert!(shrink(&Schedule::new(plan, None), 10).is_none(), "nothing fails, nothing shrinks");
}
