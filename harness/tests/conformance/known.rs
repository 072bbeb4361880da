//! The known-failing file: what it excuses, and when it fails the run itself.

use harness::verdict::Outcome;

use crate::program::{bad, check, reference};

fn file(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    file
}

fn entry(case: &str, expires: &str) -> String {
    format!("[[known]]\ncase = \"{case}\"\nreason = \"under repair\"\nexpires = \"{expires}\"\n")
}

const ITEMS: &[&str] = &["--only", "paper.items.*"];

#[test]
fn what_is_known_to_fail_is_excused_until_its_day() {
    let known = file(&entry("paper.items.*", "2999-01-01"));
    let path = known.path().to_str().unwrap();
    let checked = check(&[ITEMS, &["--known-failing", path]].concat(), &bad("says_yes"));
    assert!(!checked.with(&Outcome::KnownFailing).is_empty(), "{}", checked.text);
    assert!(checked.with(&Outcome::Fail).is_empty(), "{}", checked.text);
    // Excused is not passed: where everything is excused nothing was tested.
    assert_eq!(checked.code, 5, "{}", checked.text);

    let expired = file(&entry("paper.items.*", "2020-01-01"));
    let path = expired.path().to_str().unwrap();
    let checked = check(&[ITEMS, &["--known-failing", path]].concat(), &bad("says_yes"));
    assert_eq!(checked.code, 1, "{}", checked.text);
    assert!(checked.case("known-failing.1").detail.contains("expired on 2020-01-01"));
}

#[test]
fn a_stale_entry_fails_the_run() {
    let known = file(&entry("paper.items.*", "2999-01-01"));
    let path = known.path().to_str().unwrap();
    let checked = check(&[ITEMS, &["--known-failing", path]].concat(), &reference());
    assert_eq!(checked.code, 1, "{}", checked.text);
    assert!(checked.case("known-failing.1").detail.contains("excuses nothing"));
}

#[test]
fn a_file_that_is_written_excuses_what_failed_and_nothing_else() {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("known.toml");
    let path = path.to_str().unwrap();
    let checked = check(&[ITEMS, &["--write-known-failing", path]].concat(), &bad("says_yes"));
    assert_eq!(checked.code, 1, "{}", checked.text);
    let failed = checked.with(&Outcome::Fail).len();
    let checked = check(&[ITEMS, &["--known-failing", path]].concat(), &bad("says_yes"));
    assert_eq!(checked.with(&Outcome::KnownFailing).len(), failed, "{}", checked.text);
    assert!(checked.with(&Outcome::Fail).is_empty(), "{}", checked.text);
}

#[test]
fn a_file_that_is_none_is_our_users_mistake_with_its_place() {
    let known = file("[[known]]\ncase = \"x\"\n");
    let path = known.path().to_str().unwrap();
    let output = crate::program::harness(&["check", "--known-failing", path, "--", "true"]);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(4), "{text}");
    assert!(text.contains("--known-failing") && text.contains("missing field `reason`"), "{text}");
}
