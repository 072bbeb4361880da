//! `mdsm node` as an operator calls it: what its settings lack is said by name. [CLI-1]
#![cfg(all(feature = "network", not(mdsm_loom)))]
#![expect(clippy::unwrap_used, reason = "a test that cannot set its scene has failed")]

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use mdsm_core::params::SMALL;
use mdsm_core::service::{Local, Pace};
use mdsm_core::types::InstitutionId;

/// Runs a node whose standard input is at its end: it starts, and ends.
fn node(settings: &Path, more: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mdsm"));
    command.arg("node").arg(settings).arg("--while-stdin").args(more).stdin(Stdio::null());
    let output = command.output().unwrap();
    let bytes = [&output.stdout[..], &output.stderr[..]].concat();
    (output.status.code(), String::from_utf8(bytes).unwrap())
}

#[test]
fn what_the_settings_of_a_node_lack_is_said_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let local = Local::create(folder.path().join("network"), SMALL, Pace::PAPER, None).unwrap();
    let settings = local.settings(InstitutionId::new(1));
    let (code, text) = node(&settings, &["--bitcoin", "http://me:word@127.0.0.1:1"]);
    assert_eq!(code, Some(4), "{text}");
    assert!(text.contains("node-1.toml: has no section [bitcoin], which "), "{text}");
    assert!(!text.contains("word"), "{text}");

    let (code, text) = node(&settings, &[]);
    assert_eq!(code, Some(0), "{text}");
    assert!(!text.contains("nobody answers"), "{text}");
    let web = local.network().members[0].web.clone().unwrap();
    let lines = fs::read_to_string(&settings).unwrap();
    let lines: Vec<&str> = lines.lines().filter(|line| !line.starts_with("web = ")).collect();
    fs::write(&settings, lines.join("\n")).unwrap();
    let (code, text) = node(&settings, &[]);
    assert_eq!(code, Some(0), "{text}");
    assert!(
        text.contains(&format!("no `web` in the settings: nobody answers at {web}, ")),
        "{text}"
    );
}
