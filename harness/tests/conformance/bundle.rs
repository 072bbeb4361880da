//! A bundle is judged again by whoever verifies it.

use std::collections::BTreeMap;
use std::fs;

use harness::conformance::vectors;
use harness::report::{self, Bundle, Report};
use harness::verdict::Exit;

use crate::program::{bad, check, harness};

/// What `report verify` says of a bundle.
fn verified(bundle: &str) -> (i32, String) {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("bundle.json");
    fs::write(&path, bundle).unwrap();
    let output = harness(&["report", "verify", path.to_str().unwrap()]);
    let text = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8(text).unwrap())
}

/// A bundle in which every digest and every view fits the report.
fn bundled(report: &Report) -> String {
    Bundle::new(report, vectors::STORED, BTreeMap::new()).text()
}

#[test]
fn a_profile_whose_verdict_does_not_follow_from_its_cases_is_refused() {
    let checked = check(&["--only", "merkle.verify.*"], &bad("says_yes"));
    let (code, text) = verified(&bundled(&checked.report));
    assert_eq!(code, 0, "{text}");

    let mut report = checked.report.clone();
    let stated = report.conformance.as_mut().unwrap();
    let all = stated.profiles.iter_mut().find(|one| one.profile == "mdsm-1").unwrap();
    assert_eq!(all.verdict, Exit::DoesNotConform);
    (all.verdict, all.violated) = (Exit::Conforms, 0);
    let (code, text) = verified(&bundled(&report));
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("the cases say: does not conform to profile mdsm-1"), "{text}");

    let mut report = checked.report;
    let stated = report.conformance.as_mut().unwrap();
    let sentence = stated.sentences.iter_mut().find(|one| one.id == "STO-11.3").unwrap();
    sentence.status = report::Status::Met;
    let (code, text) = verified(&bundled(&report));
    assert_eq!(code, 1, "{text}");
    assert!(text.contains("STO-11.3: the cases say violated, the report met"), "{text}");
}
