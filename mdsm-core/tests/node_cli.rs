//! `mdsm node` as an operator calls it: what its settings lack is said by name. [CLI-1]
#![cfg(all(feature = "network", not(mdsm_loom)))]
#![expect(clippy::unwrap_used, reason = "a test that cannot set its scene has failed")]

use std::fs;
use std::io::{BufRead as _, BufReader};
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
    assert!(text.contains("node-1.toml: bitcoin.network: is left out"), "{text}");
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

#[test]
fn a_flag_outweighs_its_variable_and_that_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let local = Local::create(folder.path().join("network"), SMALL, Pace::PAPER, None).unwrap();
    let settings = local.settings(InstitutionId::new(1));
    // A variable, flags, and what is told: an institution that is no member by its number, a value out of its bounds.
    let cases = [
        ("MDSM_INSTITUTION=91", "", "institution 91 is not"),
        ("MDSM_INSTITUTION=91", "--institution 92", "institution 92 is not"),
        ("", "--set institution=93", "institution 93 is not"),
        ("MDSM_SET=web=[::1]:0;institution=94", "", "institution 94 is not"),
        ("MDSM_SET=institution=94", "--set institution=95", "institution 95 is not"),
        ("MDSM_INSTITUTION=91", "--set institution=95", "institution 91 is not"),
        ("MDSM_HOME=nowhere", "", "nowhere"),
        ("", "--set delay_ms=0", "node-1.toml: delay_ms: 0 is not between"),
        ("", "--set delay=1", "node-1.toml: with delay set: unknown field `delay`"),
        ("", "--set nothing", "is not KEY=VALUE"),
    ];
    for (variable, flags, told) in cases {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mdsm"));
        command.arg("node").arg(&settings).arg("--while-stdin").args(flags.split_whitespace());
        command.envs(variable.split_once('=')).stdin(Stdio::null());
        let output = command.output().unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(4), "{variable} {flags}: {text}");
        assert!(text.contains(told), "{variable} {flags}: {text}");
    }
}

#[cfg(unix)]
#[test]
fn a_node_that_is_told_to_end_ends_as_it_should() {
    let folder = tempfile::tempdir().unwrap();
    let local = Local::create(folder.path().join("network"), SMALL, Pace::PAPER, None).unwrap();
    let settings = local.settings(InstitutionId::new(1));
    for signal in ["-TERM", "-INT"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mdsm"));
        let mut child = command.arg("node").arg(&settings).stderr(Stdio::piped()).spawn().unwrap();
        // It warns as soon as it starts, and must end well from then on.
        let mut said = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        said.read_line(&mut line).unwrap();
        assert!(line.contains("no [bitcoin] in the settings"), "{line}");
        let told = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
        assert!(told.success());
        assert_eq!(child.wait().unwrap().code(), Some(0), "{signal}");
    }
    // Nothing was left half done.
    let (code, text) = node(&settings, &[]);
    assert_eq!(code, Some(0), "{text}");
    assert!(!text.contains("torn") && !text.contains("anew"), "{text}");
}
