//! The cases themselves: ids, sentences, words; and that what is shown can be repeated.

use std::collections::BTreeSet;
use std::process::Command;

use harness::conformance::cases;
use harness::conformance::sentences::{Profile, sentence};
use harness::verdict::Outcome;

use crate::program::{bad, check, harness, reference};

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
fn a_failure_shows_its_transcript_and_the_line_that_repeats_it() {
    let checked = check(&["--only", "paper.items.*"], &bad("says_yes"));
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
    let checked = check(&["--profile", "paper"], &reference());
    assert_eq!(checked.code, 0, "{}", checked.text);
    let conformance = checked.report.conformance.as_ref().unwrap();
    assert_eq!(conformance.profiles.len(), 1);
    assert!(conformance.sentences.iter().all(|sentence| sentence.source == "paper"));
    let cases = checked.report.chapters.iter().flat_map(|chapter| &chapter.cases);
    assert!(cases.clone().all(|case| case.id.starts_with("paper.")), "{}", checked.text);
}
