//! The known-failing file: what it excuses, and when it fails the run itself.

use harness::report::{self, Status};
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

/// What the adapter that accepts everything fails in half of.
const VERIFY: &[&str] = &["--only", "merkle.verify.*"];

#[test]
fn what_is_known_to_fail_is_excused_until_its_day() {
    let known = file(&entry("merkle.verify.*", "2999-01-01"));
    let path = known.path().to_str().unwrap();
    let checked = check(&[VERIFY, &["--known-failing", path]].concat(), &bad("says_yes"));
    assert!(!checked.with(&Outcome::KnownFailing).is_empty(), "{}", checked.text);
    assert!(checked.with(&Outcome::Fail).is_empty(), "{}", checked.text);
    assert_eq!(checked.code, 0, "{}", checked.text);
    // Excused is not met: the sentence stays violated.
    let conformance = checked.report.conformance.as_ref().unwrap();
    let mut sentences = conformance.sentences.iter();
    assert!(sentences.any(|one| one.id == "STO-11.3" && one.status == Status::Violated));

    // And whoever reads a headline only reads of it.
    let failed = checked.with(&Outcome::KnownFailing).len();
    let violated = conformance.with(Status::Violated).count();
    let told = format!("{failed} failures excused, {violated} sentences violated");
    let report = &checked.report;
    assert!(report.sentence().contains(&told), "{}", report.sentence());
    for view in [report::summary(report), report::html(report)] {
        assert!(view.contains(&format!(": conforms; {told}")), "{view}");
    }
    assert!(checked.text.contains(&format!(" exercised; {told}\n")), "{}", checked.text);

    let expired = file(&entry("merkle.verify.*", "2020-01-01"));
    let path = expired.path().to_str().unwrap();
    let checked = check(&[VERIFY, &["--known-failing", path]].concat(), &bad("says_yes"));
    assert_eq!(checked.code, 1, "{}", checked.text);
    assert!(checked.case("known-failing.1").detail.contains("expired on 2020-01-01"));
}

#[test]
fn a_stale_entry_fails_the_run() {
    let known = file(&entry("merkle.verify.*", "2999-01-01"));
    let path = known.path().to_str().unwrap();
    let checked = check(&[VERIFY, &["--known-failing", path]].concat(), &reference());
    assert_eq!(checked.code, 1, "{}", checked.text);
    assert!(checked.case("known-failing.1").detail.contains("excuses nothing"));
    // It is about a profile, and takes nothing from the other.
    assert!(checked.text.contains("does not conform to profile mdsm-1"), "{}", checked.text);
    assert!(!checked.text.contains("does not conform to profile paper"), "{}", checked.text);
}

#[test]
fn a_file_that_is_written_excuses_what_failed_once_somebody_says_why() {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("known.toml");
    let path = path.to_str().unwrap();
    let checked = check(&[VERIFY, &["--write-known-failing", path]].concat(), &bad("says_yes"));
    assert_eq!(checked.code, 1, "{}", checked.text);
    let failed = checked.with(&Outcome::Fail).len();
    let checked = check(&[VERIFY, &["--known-failing", path]].concat(), &bad("says_yes"));
    assert_eq!(checked.code, 1, "{}", checked.text);
    assert!(checked.case("known-failing.1").detail.contains("say why"), "{}", checked.text);
    assert_eq!(checked.with(&Outcome::Fail).len(), failed, "each entry: {}", checked.text);

    let written = std::fs::read_to_string(path).unwrap();
    std::fs::write(path, written.replace("not explained yet", "it accepts everything")).unwrap();
    let checked = check(&[VERIFY, &["--known-failing", path]].concat(), &bad("says_yes"));
    assert_eq!(checked.code, 0, "{}", checked.text);
    assert_eq!(checked.with(&Outcome::KnownFailing).len(), failed, "{}", checked.text);
    assert!(checked.with(&Outcome::Fail).is_empty(), "{}", checked.text);
}

#[test]
fn a_file_that_is_written_again_keeps_what_was_said_of_what_still_fails() {
    let ours = format!(
        "{}# repaired\n{}",
        entry("merkle.verify.*", "2999-01-01"),
        entry("x", "2999-01-01")
    );
    let known = file(&ours);
    let path = known.path().to_str().unwrap();
    let written = || std::fs::read_to_string(path).unwrap();
    // With part of the cases an entry about others stays; excused or not, what fails keeps its entry.
    let both = [VERIFY, &["--known-failing", path, "--write-known-failing", path]].concat();
    for options in [&[VERIFY, &["--write-known-failing", path]].concat(), &both] {
        let checked = check(options, &bad("says_yes"));
        assert!(checked.text.contains("2 entries kept, 0 new\n"), "{}", checked.text);
        assert_eq!(written(), ours);
    }
    let checked = check(&["--write-known-failing", path], &bad("says_yes"));
    let said = "; gone, as no such case fails: x\n";
    assert!(checked.text.contains("1 entries kept, ") && checked.text.contains(said));
    let found = written();
    assert!(found.starts_with(&entry("merkle.verify.*", "2999-01-01")), "{found}");
    assert!(!found.contains("repaired") && found.contains("case = \"ed25519.verify."), "{found}");
    assert!(!found.contains("\"merkle.verify.a") && !found.contains("known-failing."), "{found}");

    std::fs::write(path, "[[known]]\ncase = 3\n").unwrap();
    let output = crate::program::harness(&["check", "--write-known-failing", path, "--", "true"]);
    assert_eq!((output.status.code(), written().as_str()), (Some(4), "[[known]]\ncase = 3\n"));
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

#[test]
fn an_entry_about_cases_that_were_not_asked_is_not_stale() {
    let known = file(&entry("network.*", "2999-01-01"));
    let path = known.path().to_str().unwrap();
    let part = ["--layer", "L1", "--only", "merkle.root.*", "--known-failing", path];
    let checked = check(&part, &reference());
    assert_eq!(checked.code, 0, "{}", checked.text);
    let part = ["--layer", "L1", "--profile", "paper", "--known-failing", path];
    assert_eq!(check(&part, &reference()).code, 0);
    let known = file(&entry("paper.items.*", "2999-01-01"));
    let path = known.path().to_str().unwrap();
    let part = ["--layer", "L1", "--profile", "paper", "--known-failing", path];
    assert_eq!(check(&part, &reference()).code, 1, "these were asked, and none fails");
}
