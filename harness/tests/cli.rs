//! The program as a pipeline sees it: exit codes, files, and what it says.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use harness::report;

fn harness(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_mdsm-harness"))
        .args(arguments)
        .output()
        .expect("the program starts")
}

fn verify(out: &Path, arguments: &[&str]) -> (i32, String, report::Report) {
    let out_text = out.to_str().expect("scratch paths are UTF-8");
    let fixed = ["verify", "--quiet", "--files", "24", "--jobs", "2", "--out", out_text];
    let output = harness(&[&fixed[..], arguments].concat());
    let report = report::parse(&fs::read(out.join("report.json")).expect("a report was written"));
    let text = String::from_utf8(output.stdout).expect("text");
    (output.status.code().expect("it ends by itself"), text, report.expect("a report"))
}

#[test]
fn verify_conforms_and_leaves_four_files_and_an_example() {
    let scratch = tempfile::tempdir().unwrap();
    // Two chapters of all; the whole of it, unoptimised, takes minutes.
    let (code, text, report) = verify(scratch.path(), &["--only", "s*"]);
    assert_eq!((code, report.exit), (0, 0), "{text}");
    for name in ["index.html", "report.json", "junit.xml", "summary.md", "example/receipt"] {
        assert!(fs::metadata(scratch.path().join(name)).unwrap().len() > 0, "{name}");
    }
    assert!(text.contains("conforms (exit code 0)"), "{text}");
    report.counts.check().expect("the counts close");
    let value = serde_json::from_slice(&fs::read(scratch.path().join("report.json")).unwrap());
    report::validate(&value.unwrap()).expect("the schema holds");
}

#[test]
fn the_rerun_line_works_from_anywhere() {
    let scratch = tempfile::tempdir().unwrap();
    let (code, _, report) = verify(scratch.path(), &["--seed", "7", "--only", "storage.wire"]);
    assert_eq!(code, 0);
    let case = &report.chapters.last().unwrap().cases[0];
    assert_eq!(case.id, "storage.wire");
    let rerun = Command::new("sh")
        .current_dir(scratch.path())
        .args(["-c", &format!("{} --quiet", case.rerun)])
        .output()
        .unwrap();
    assert_eq!(rerun.status.code(), Some(0), "{}", String::from_utf8_lossy(&rerun.stderr));
}

#[test]
fn what_cannot_be_tested_is_undecided_and_never_green() {
    let (scratch, input) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::write(input.path().join("empty"), "").unwrap();
    fs::write(input.path().join("exact"), vec![7; 102_400]).unwrap();
    fs::write(input.path().join("over"), vec![7; 102_401]).unwrap();
    let path = input.path().to_str().unwrap();
    let over_row = fs::File::create(input.path().join("enormous")).unwrap();
    over_row.set_len(268_435_457).unwrap();
    let only = ["--input", path, "--only", "files.e*"];
    let (code, text, _) = verify(scratch.path(), &only);
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("empty: a record needs at least 1 byte"), "{text}");
    assert!(text.contains("268435457 bytes, at most 268435456 are taken"), "{text}");
    let (code, _, report) = verify(scratch.path(), &[&only[..], &["--undecided=warn"]].concat());
    assert_eq!(code, 0);
    assert!(report.sentence().contains("undecided"), "{}", report.sentence());
    fs::remove_file(input.path().join("empty")).unwrap();
    fs::remove_file(input.path().join("enormous")).unwrap();
    // Not read whole but sealed as a stream.
    let large: Vec<u8> = (0..=250).cycle().take(4_194_305).collect();
    fs::write(input.path().join("large"), &large).unwrap();
    let (code, _, report) = verify(scratch.path(), &["--input", path, "--only", "files.*"]);
    assert_eq!(code, 0, "{}", report.sentence());
    let cases: Vec<_> = report.chapters.iter().flat_map(|chapter| &chapter.cases).collect();
    let detail = |id: &str| cases.iter().find(|case| case.id == id).map(|case| &case.detail);
    let holds = |id, words| detail(id).is_some_and(|detail: &String| detail.contains(words));
    assert!(holds("files.exact", "1 inline"), "102,400 bytes go into the Item");
    assert!(holds("files.over", "1 sealed"), "102,401 bytes go into a sealed file");
    assert!(holds("files.large", "4194305 bytes, 0 inline, 1 sealed"), "whatever its size");
}

#[test]
fn nothing_tested_and_wrong_calls_have_codes_of_their_own() {
    let scratch = tempfile::tempdir().unwrap();
    let (code, _, report) = verify(scratch.path(), &["--only", "no-such-case"]);
    assert_eq!((code, report.exit), (5, 5));
    let (code, text, report) = verify(scratch.path(), &["--deadline", "0"]);
    assert_eq!(code, 2, "a run that was cut short is undecided: {text}");
    assert!(report.counts.check().is_ok());
    let empty = tempfile::tempdir().unwrap();
    let (code, ..) = verify(scratch.path(), &["--input", empty.path().to_str().unwrap()]);
    assert_eq!(code, 5);
    let missing = empty.path().join("missing");
    let wrong_input = ["verify", "--input", missing.to_str().unwrap()];
    for wrong in [&["verify", "--no-such-option"][..], &["no-such-command"], &[], &wrong_input] {
        assert_eq!(harness(wrong).status.code(), Some(4), "{wrong:?}");
    }
    assert_eq!(harness(&["--help"]).status.code(), Some(0));
    let blocked = scratch.path().join("file");
    fs::write(&blocked, "").unwrap();
    let out = blocked.join("out");
    let one = ["verify", "--quiet", "--files", "1", "--only", "headers.mainnet", "--out"];
    let arguments = [&one[..], &[out.to_str().unwrap()]].concat();
    assert_eq!(harness(&arguments).status.code(), Some(4), "a report that cannot be written");
}

#[cfg(unix)]
#[test]
fn sigterm_ends_the_run_with_a_report() {
    let scratch = tempfile::tempdir().unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_mdsm-harness"))
        .args(["verify", "--files", "20000", "--out"])
        .arg(scratch.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // The first line of progress says that signals are caught.
    let mut progress = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    progress.read_line(&mut line).unwrap();
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    progress.lines().for_each(|line| drop(line.unwrap()));
    let status = child.wait().unwrap();
    let report = report::parse(&fs::read(scratch.path().join("report.json")).unwrap()).unwrap();
    assert_eq!(status.code(), Some(i32::from(report.exit)));
    report.counts.check().expect("the counts close: what did not run is skipped");
    let summary = fs::read_to_string(scratch.path().join("summary.md")).unwrap();
    assert!(summary.contains("stopped by a signal"), "{summary}");
}
