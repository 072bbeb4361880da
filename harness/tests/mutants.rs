//! The wrong implementations behind the adapter protocol: each is noticed, and only for its mistake.
//! [STO-1] [CON-7]

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use harness::conformance::cases;
use harness::mutants::MUTATIONS;
use harness::mutants::behind::{Behind, Stage, all, controls, kill, listed, strays};

/// Mutants that no stage notices.
fn survivors(mutants: &[Behind]) -> BTreeSet<&'static str> {
    let (next, cases) = (AtomicUsize::new(0), cases::all());
    let work = || {
        let mut found = BTreeSet::new();
        while let Some(mutant) = mutants.get(next.fetch_add(1, Ordering::Relaxed)) {
            let is_killed = |stage: &Stage| kill(mutant, *stage, &cases).case.is_some();
            if !Stage::ALL.iter().any(is_killed) {
                found.insert(mutant.name);
            }
        }
        found
    };
    std::thread::scope(|scope| {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let running: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let found = running.into_iter().map(|thread| thread.join().expect("a mutant panicked"));
        found.flatten().collect()
    })
}

#[test]
fn every_mutant_is_killed() {
    let survivors = survivors(&all());
    assert!(survivors.is_empty(), "{} not noticed: {survivors:#?}", survivors.len());
}

#[test]
fn a_mutant_that_changes_nothing_is_named_as_a_survivor() {
    let unchanged = controls();
    let names: BTreeSet<&str> = unchanged.iter().map(|control| control.name).collect();
    assert_eq!(survivors(&unchanged), names);
}

#[test]
fn nothing_is_killed_that_is_right() {
    let controls = controls();
    let cases = cases::all();
    for control in &controls {
        for stage in Stage::ALL {
            let kill = kill(control, stage, &cases);
            assert_eq!(kill.case, None, "{} is as the reference", control.name);
            if control.name == "control-reference" {
                let of_stage = cases.iter().filter(|case| Stage::of(case) == Some(stage)).count();
                assert!(kill.asked == of_stage && of_stage > 0, "{} are put to it", stage.name());
            }
        }
    }
}

#[test]
fn the_list_and_the_code_name_the_same_mutants() {
    assert_eq!(strays(), Vec::<&str>::new());
    let names: Vec<&str> = all().iter().map(|mutant| mutant.name).collect();
    let in_rules = MUTATIONS.iter().map(|mutant| mutant.name);
    let unique: BTreeSet<&str> = names.iter().copied().chain(in_rules).collect();
    assert_eq!(unique.len(), names.len() + MUTATIONS.len(), "a name stands for one mutant");
    assert!(names.len() >= 75 && unique.len() > 110, "{} and {}", names.len(), unique.len());
}

#[test]
fn every_mutant_breaks_a_sentence_of_the_spec() {
    let chapters = ["storage", "committees", "consensus", "anchoring", "database", "reencryption"];
    let text: String = chapters
        .iter()
        .map(|chapter| format!("{}/spec/{chapter}.md", env!("CARGO_MANIFEST_DIR")))
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect();
    let sentences: BTreeSet<&str> =
        text.lines().filter_map(|line| Some(line.split_once(" (")?.0)).collect();
    for (name, requirement, rule) in listed() {
        assert!(sentences.contains(requirement), "{name}: there is no {requirement}");
        assert!(!rule.is_empty(), "{name} says what is wrong");
    }
}
