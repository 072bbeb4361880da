//! The cases themselves: ids, sentences, words; and that what is shown can be repeated.

use std::collections::BTreeSet;
use std::process::Command;

use harness::conformance::case::Layer;
use harness::conformance::cases;
use harness::conformance::sentences::{Profile, sentence, sentences};
use harness::verdict::Outcome;

use crate::program::{bad, below, check, harness, reference};

#[test]
fn every_case_has_an_id_of_its_own_and_names_sentences_of_its_profile() {
    let mut ids = BTreeSet::new();
    for case in cases::all() {
        assert!(ids.insert(case.id.clone()), "{} twice", case.id);
        assert!(!case.requirements.is_empty(), "{} tests no sentence", case.id);
        for id in &case.requirements {
            let sentence = sentence(id).unwrap_or_else(|| panic!("{}: no sentence {id}", case.id));
            let is_of = sentence.profile <= case.profile();
            assert!(is_of, "{}: {id} is not of profile {}", case.id, case.profile().name());
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
        assert!(case.id.chars().all(plain), "{}", case.id);
    }
    let of = |profile| cases::all().iter().filter(|case| case.profile() == profile).count();
    assert!(of(Profile::Paper) > 0 && of(Profile::Mdsm1) > 0);
}

#[test]
fn every_case_is_explained() {
    let output = harness(&["explain", "*"]);
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stdout).unwrap();
    for case in cases::all() {
        assert!(text.contains(&format!("{}: ", case.id)), "{}", case.id);
    }
    let output = harness(&["explain", "paper.items.nothing"]);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(5), "{text}");
    assert!(text.contains("paper.items.at-most-ten"), "{text}");
}

#[test]
fn a_sentence_and_a_section_are_explained_however_they_are_written() {
    for (id, words) in [
        ("sto-10.3", "STO-10.3 (spec/storage.md): "),
        ("CON-1", "CON-1 is a section of spec/consensus.md with "),
        ("con-1", "\n  CON-1.1: "),
        ("amb-sto-4", "AMB-STO-4"),
    ] {
        let output = harness(&["explain", id]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(0), "{id}: {text}");
        assert!(text.contains(words), "{id}: {text}");
    }
}

#[test]
fn the_page_for_newcomers_counts_the_sentences_as_a_run_does() {
    let page = include_str!("../../README.md");
    let count = sentences().len();
    assert!(page.contains(&format!(" of {count} sentences exercised")), "{count}");
}

#[test]
fn a_run_in_which_nothing_was_tested_says_why() {
    for (only, words) in [
        ("merkl", "nothing was tested: no case is of what was asked for"),
        ("merkle.root.*", "nothing was tested: the adapter supports none of the cases"),
    ] {
        let checked = check(&["--only", only], &bad("says_yes"));
        assert_eq!(checked.code, 5, "{}", checked.text);
        assert!(checked.text.contains(words), "{}", checked.text);
    }
}

#[test]
fn what_an_adapter_said_last_is_shown_whole() {
    let last = format!("{}: no such file", "long/".repeat(40));
    // A full pipe, which takes longer to read than the program to end.
    let program =
        format!("head -c 60000 /dev/zero | tr '\\0' '\\n' >&2; echo first >&2; echo '{last}' >&2");
    let dies = ["sh", "-c", &program].map(str::to_owned);
    let checked = check(&["--only", "merkle.root.*"], &dies);
    assert_eq!(checked.code, 3, "{}", checked.text);
    let log = format!("  its log: first\n  its log: {last}\n");
    assert!(checked.text.contains(&log), "{}", checked.text);
    let summary = harness::report::summary(&checked.report);
    assert!(summary.contains(&format!("its log ends with: {last}")), "{summary}");
}

#[test]
fn an_operation_that_nobody_knows_is_told() {
    let common = below("tests/conformance/adapters/common.sh");
    let program = format!(
        ". '{}'; hello() {{ greet merkle.verify merkle.pth; }}; call() {{ ok '{{}}'; }}; serve",
        common.display()
    );
    let misspells = ["sh", "-c", &program].map(str::to_owned);
    let checked = check(&["--only", "merkle.root.*"], &misspells);
    let words = "hello names unknown operations: merkle.pth; misspelt?";
    assert!(checked.text.contains(words), "{}", checked.text);
    let checked = check(&["--only", "merkle.root.*"], &bad("says_yes"));
    assert!(!checked.text.contains("unknown operations"), "{}", checked.text);
}

#[test]
fn a_failure_shows_its_transcript_and_the_line_that_repeats_it() {
    let checked = check(&["--only", "merkle.verify.*"], &bad("says_yes"));
    let failed = checked.with(&Outcome::Fail);
    let case = failed.first().unwrap();
    assert!(
        case.detail.contains("> {\"args\"") || case.detail.contains("> {\"id\""),
        "{}",
        case.detail
    );
    let scratch = tempfile::tempdir().unwrap();
    let again =
        Command::new("sh").current_dir(scratch.path()).args(["-c", &case.rerun]).output().unwrap();
    let text = String::from_utf8_lossy(&again.stdout).into_owned();
    assert_eq!(again.status.code(), Some(1), "{text}");
    assert!(text.contains(&case.id), "{text}");
}

#[test]
fn a_profile_judges_its_own_cases() {
    let checked = check(&["--profile", "paper", "--layer", "L1"], &reference());
    assert_eq!(checked.code, 0, "{}", checked.text);
    let conformance = checked.report.conformance.as_ref().unwrap();
    assert_eq!(conformance.profiles.len(), 1);
    assert!(conformance.sentences.iter().all(|sentence| sentence.source == "paper"));
    let papers: BTreeSet<String> = cases::all()
        .into_iter()
        .filter(|case| case.profile() == Profile::Paper && case.layer() == Layer::L1)
        .map(|case| case.id)
        .collect();
    let found = checked.report.chapters.iter().flat_map(|chapter| &chapter.cases);
    let found: BTreeSet<String> = found.map(|case| case.id.clone()).collect();
    assert_eq!(found, papers, "{}", checked.text);
}

#[test]
fn globs_add_up_and_stand_in_the_line_that_repeats_the_run() {
    let several = ["--only", "paper.items.*", "--only", "merkle.root.*", "--require", "merkle.*"];
    let checked = check(&several, &reference());
    assert_eq!(checked.code, 0, "{}", checked.text);
    let groups: BTreeSet<&str> =
        checked.report.chapters.iter().map(|chapter| chapter.id.as_str()).collect();
    assert_eq!(groups, BTreeSet::from(["merkle", "paper"]), "{}", checked.text);
    let again = &checked.report.run.command;
    for words in ["--only 'paper.items.*'", "--only 'merkle.root.*'", "--require 'merkle.*'"] {
        assert!(again.contains(words), "{again}");
    }
    // Either is enough.
    let either = ["--only", "merkle.root.*", "--require", "no.*", "--require", "merkle.*"];
    assert_eq!(harness_of(&either).0, 4, "a glob that nothing matches requires nothing");
    let either = ["--only", "merkle.root.*", "--require", "roster.*", "--require", "merkle.*"];
    let checked = check(&either, &bad("lies"));
    assert_eq!(checked.code, 1, "{}", checked.text);
}

#[test]
fn a_glob_that_matches_no_case_is_answered_with_one_that_does() {
    let checked = check(&["--only", "merkle"], &reference());
    assert_eq!(checked.code, 5, "{}", checked.text);
    assert!(checked.text.contains("did you mean 'merkle.*'?"), "{}", checked.text);
    let (code, text) = harness_of(&["--require", "merkle"]);
    assert_eq!(code, 4, "{text}");
    assert!(text.contains("--require merkle: no case is called that"), "{text}");
}

/// Checks the reference where no report is expected.
fn harness_of(options: &[&str]) -> (i32, String) {
    let adapter = reference();
    let words: Vec<&str> = adapter.iter().map(String::as_str).collect();
    let output = harness(&[&["check", "--quiet"], options, &["--"], &words].concat());
    (output.status.code().unwrap(), String::from_utf8_lossy(&output.stderr).into_owned())
}
