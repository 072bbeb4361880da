//! Starting the program, and what it leaves.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use harness::report::{self, Report};
use harness::verdict::Outcome;

/// A file below `harness/`.
pub(crate) fn below(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// One of the deliberately bad adapters, as a command.
pub(crate) fn bad(name: &str) -> Vec<String> {
    let path = below(&format!("tests/conformance/adapters/{name}.sh"));
    vec!["sh".to_owned(), path.to_str().unwrap().to_owned()]
}

/// The reference behind the protocol.
pub(crate) fn reference() -> Vec<String> {
    vec![env!("CARGO_BIN_EXE_mdsm-harness").to_owned(), "adapter".to_owned()]
}

/// Runs the program.
pub(crate) fn harness(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mdsm-harness")).args(arguments).output().unwrap()
}

/// What `check` made of an adapter.
#[derive(Debug)]
pub(crate) struct Checked {
    pub(crate) code: i32,
    pub(crate) text: String,
    pub(crate) report: Report,
}

impl Checked {
    /// The cases with an outcome.
    pub(crate) fn with(&self, outcome: &Outcome) -> Vec<&report::Case> {
        let cases = self.report.chapters.iter().flat_map(|chapter| &chapter.cases);
        cases.filter(|case| case.outcome == *outcome).collect()
    }

    /// A case by its id.
    pub(crate) fn case(&self, id: &str) -> &report::Case {
        let mut cases = self.report.chapters.iter().flat_map(|chapter| &chapter.cases);
        cases.find(|case| case.id == id).unwrap_or_else(|| panic!("{id}: {}", self.text))
    }
}

/// Checks an adapter.
pub(crate) fn check(options: &[&str], adapter: &[String]) -> Checked {
    let scratch = tempfile::tempdir().unwrap();
    let out = scratch.path().to_str().unwrap();
    let mut arguments = vec!["check", "--quiet", "--out", out];
    arguments.extend(options);
    arguments.push("--");
    arguments.extend(adapter.iter().map(String::as_str));
    let output = harness(&arguments);
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    let json = std::fs::read(scratch.path().join("report.json"));
    let json = json.unwrap_or_else(|error| panic!("{error}: {text}"));
    report::validate(&serde_json::from_slice(&json).unwrap()).unwrap();
    let report = report::parse(&json).unwrap();
    report.counts.check().unwrap();
    Checked { code: output.status.code().unwrap(), text, report }
}
