//! What is shipped: the reference conforms, templates are short, demonstrations show their bug.

use std::fs;
use std::io::Write as _;

use harness::verdict::Outcome;

use crate::program::{below, check, reference};

/// Lines of a template, at most.
const TEMPLATE_LINES_MAX: usize = 100;

/// Lines of a module of the independent implementation, fewer than.
const MODULE_LINES: usize = 800;

#[test]
fn the_reference_conforms_to_both_profiles() {
    let checked = check(&["--layer", "L1"], &reference());
    assert_eq!(checked.code, 0, "{}", checked.text);
    let counts = checked.report.counts;
    assert_eq!(counts.passed, counts.all, "{}", checked.text);
    assert!(checked.text.contains("conforms to profile mdsm-1"), "{}", checked.text);
}

#[test]
fn every_template_has_at_most_a_hundred_lines() {
    let mut found = 0;
    for language in fs::read_dir(below("adapters/templates")).unwrap() {
        let language = language.unwrap().path();
        if !language.is_dir() {
            continue;
        }
        for file in fs::read_dir(&language).unwrap() {
            let path = file.unwrap().path();
            let Ok(text) = fs::read_to_string(&path) else { continue };
            let lines = text.lines().count();
            assert!(lines <= TEMPLATE_LINES_MAX, "{}: {lines} lines", path.display());
            found += 1;
        }
    }
    assert_eq!(found, 5, "Python, Node, Go, Java and C");
}

#[test]
fn every_module_of_the_independent_implementation_has_fewer_than_800_lines() {
    let mut found = 0;
    for file in fs::read_dir(below("adapters/python")).unwrap() {
        let path = file.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "py") {
            let lines = fs::read_to_string(&path).unwrap().lines().count();
            assert!(lines < MODULE_LINES, "{}: {lines} lines", path.display());
            found += 1;
        }
    }
    assert!(found >= 5, "{found} modules");
}

/// An interpreter that is on this machine.
fn has(program: &str) -> bool {
    let found = std::process::Command::new(program).arg("--version").output();
    found.is_ok_and(|output| output.status.success())
}

fn runs(program: &str, file: &str) -> Option<Vec<String>> {
    if !has(program) {
        // Not by a macro, whose words the runner of the tests keeps to itself.
        let why = format!("SKIPPED {file}: {program} is not installed\n");
        std::io::stderr().write_all(why.as_bytes()).unwrap();
        return None;
    }
    Some(vec![program.to_owned(), below(file).to_str().unwrap().to_owned()])
}

#[test]
fn templates_pass_what_they_declare() {
    for (program, file) in [
        ("python3", "adapters/templates/python/adapter.py"),
        ("node", "adapters/templates/node/adapter.js"),
    ] {
        let Some(adapter) = runs(program, file) else { continue };
        let checked = check(&[], &adapter);
        assert_eq!(checked.code, 0, "{file}: {}", checked.text);
    }
}

#[test]
fn every_planted_bug_of_a_demonstration_is_found() {
    for (program, file, sentence) in [
        ("python3", "adapters/demo/python.py", "STO-10.3"),
        ("node", "adapters/demo/node.js", "STO-11.3"),
    ] {
        let Some(adapter) = runs(program, file) else { continue };
        let checked = check(&[], &adapter);
        assert_eq!(checked.code, 1, "{file}: {}", checked.text);
        let failed = checked.with(&Outcome::Fail);
        let names = failed.iter().any(|case| case.requirements.iter().any(|id| id == sentence));
        assert!(names, "{file}: no failure names {sentence}: {}", checked.text);
    }
}

#[test]
fn the_independent_implementation_conforms() {
    let Some(adapter) = runs("python3", "adapters/python/mdsm_l1.py") else { return };
    let checked = check(&[], &adapter);
    assert_eq!(checked.code, 0, "{}", checked.text);
}
