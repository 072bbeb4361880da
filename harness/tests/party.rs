//! Parties in processes of their own: an honest one, and stand-ins that die, talk nonsense, stay
//! silent, or answer something else. Each is named as what it is, and none outlives its run.
#![cfg(unix)]

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use harness::party::{AskError, Process, Refusal, Reply, Request, write};
use harness::report;
use harness::stop::Stop;
use mdsm_core::reencryption::Set;
use mdsm_core::types::Digest;

const PROGRAM: &str = env!("CARGO_BIN_EXE_mdsm-harness");
const LIMIT: Duration = Duration::from_secs(60);

fn stand_in(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    command
}

fn started(mut command: Command, limit: Duration) -> Process {
    Process::start("stand-in", &mut command, limit, &Stop::after(None)).expect("it starts")
}

fn party(role: &str) -> Command {
    let mut command = Command::new(PROGRAM);
    command.args(["party", role]);
    command
}

fn start() -> Request {
    Request::Start { seed: Digest::new([1; 32]), set: Set::Toy16 }
}

fn is_running(id: u32) -> bool {
    let status = Command::new("kill").args(["-0", &id.to_string()]).stderr(Stdio::null()).status();
    status.expect("kill is there").success()
}

/// Whether a process runs that need not be ours to wait for: one that nobody waited for is dead.
fn is_alive(id: u32) -> bool {
    let ps = Command::new("ps").args(["-o", "stat=", "-p", &id.to_string()]).output();
    let stat = String::from_utf8(ps.expect("ps is there").stdout).expect("letters");
    !stat.trim().is_empty() && !stat.trim().starts_with('Z')
}

/// Asks once and gives the error; by then the process is gone.
fn fault(script: &str, limit: Duration) -> AskError {
    let mut process = started(stand_in(script), limit);
    let id = process.id();
    let error = process.ask(start()).expect_err(script);
    assert!(!is_running(id), "{script}: outlives its fault");
    error
}

#[test]
fn a_party_answers_until_it_is_dropped() {
    let mut process = started(party("reader"), LIMIT);
    let first = process.ask(Request::Revoke { grant: Digest::new([0; 32]) }).unwrap();
    assert!(matches!(first, Reply::Refused { why: Refusal::Part, .. }), "before its seed");
    assert!(matches!(process.ask(start()).unwrap(), Reply::Keys { .. }));
    let again = process.ask(start()).unwrap();
    assert!(matches!(again, Reply::Refused { why: Refusal::Part, .. }), "secrets are made once");
    let other = process.ask(Request::Revoke { grant: Digest::new([0; 32]) }).unwrap();
    assert!(matches!(other, Reply::Refused { why: Refusal::Part, .. }), "an owner's part");
    let id = process.id();
    assert!(is_running(id));
    drop(process);
    assert!(!is_running(id));
}

#[test]
fn one_that_dies_is_said_to_have_died() {
    for (script, status) in [
        ("exit 3", "exit status: 3"),
        ("kill -9 $$", "signal: 9"),
        ("printf '\\007\\000\\000\\000half'; exit 5", "exit status: 5"),
    ] {
        let error = fault(script, LIMIT);
        assert!(matches!(error, AskError::Died { .. }), "{script}: {error}");
        assert!(error.to_string().contains(status), "{script}: {error}");
        assert!(error.to_string().contains("stand-in: ended"), "{script}: {error}");
    }
}

#[test]
fn one_that_talks_nonsense_is_said_to_do_so() {
    for script in [
        "printf 'this is no frame at all'; cat >/dev/null",
        "printf '\\003\\000\\000\\000abc'; cat >/dev/null",
        "cat",
    ] {
        let error = fault(script, LIMIT);
        assert!(matches!(error, AskError::Garbage { .. }), "{script}: {error}");
    }
}

#[test]
fn one_that_stays_silent_is_given_up_on_time() {
    let (limit, started) = (Duration::from_millis(300), Instant::now());
    // Neither reads nor writes; and closes its output, yet runs on.
    let silent = fault("exec sleep 600", limit);
    assert!(matches!(silent, AskError::Late { .. }), "{silent}");
    let closed = fault("exec sleep 600 >&-", limit);
    assert!(closed.to_string().contains("runs on"), "{closed}");
    assert!(started.elapsed() < Duration::from_secs(30));
}

#[test]
fn one_that_reads_nothing_holds_up_nobody() {
    let mut process = started(stand_in("exec sleep 600"), Duration::from_millis(300));
    let file = harness::party::File::new(vec![7; 4_000_000]).unwrap();
    let error = process.ask(Request::Seal { file }).unwrap_err();
    assert!(matches!(error, AskError::Late { .. }), "{error}");
    let error = process.ask(start()).unwrap_err();
    assert!(matches!(error, AskError::Died { .. }), "it stays ended: {error}");
}

#[test]
fn one_that_speaks_before_it_is_asked_is_told_from_one_that_answers() {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("frame");
    write(&mut std::fs::File::create(&path).unwrap(), &Reply::Done).unwrap();
    let twice = format!("cat '{0}' '{0}'; exec sleep 600", path.display());
    let mut process = started(stand_in(&twice), LIMIT);
    let _ = process.ask(start());
    // Until the second one has come.
    std::thread::park_timeout(Duration::from_millis(300));
    let error = process.ask(start()).unwrap_err();
    assert!(matches!(error, AskError::Unasked { .. }), "{error}");
}

#[test]
fn one_that_answers_and_does_not_read_is_found_out_in_time() {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("frame");
    write(&mut std::fs::File::create(&path).unwrap(), &Reply::Done).unwrap();
    // Answers twice, after it was asked, and reads nothing.
    let script =
        format!("for n in 1 2; do sleep 0.5; cat '{}'; done; exec sleep 600", path.display());
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut process = started(stand_in(&script), LIMIT);
        let mut big = || {
            let file = harness::party::File::new(vec![7; 4_000_000]).unwrap();
            process.ask(Request::Seal { file })
        };
        let answers = [big(), big(), big(), big()];
        tell.send((answers, is_running(process.id()))).unwrap();
    });
    let (answers, runs) = told.recv_timeout(LIMIT / 2).expect("every question ends");
    assert!(!runs);
    assert!(
        matches!(answers, [Ok(_), Ok(_), Err(AskError::Unread { .. }), Err(AskError::Died { .. })]),
        "{answers:?}"
    );
}

#[test]
fn nonsense_before_the_first_question_is_nonsense() {
    let script = "printf 'this is no frame at all'; exec sleep 600";
    let mut process = started(stand_in(script), LIMIT);
    // Until it has come.
    std::thread::park_timeout(Duration::from_millis(300));
    let error = process.ask(start()).unwrap_err();
    assert!(matches!(error, AskError::Garbage { .. }), "{error}");
}

#[test]
fn what_a_process_started_ends_with_it() {
    for exits in ["exec sleep 600", "exit 0"] {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("id");
        let script = format!("sleep 600 & echo $! > '{}'; {exits}", path.display());
        let mut process = started(stand_in(&script), Duration::from_secs(1));
        process.ask(start()).expect_err("nobody answers");
        let id: u32 = std::fs::read_to_string(&path).unwrap().trim().parse().unwrap();
        // Whoever inherits it may take a moment to wait for it.
        let (begun, mut runs) = (Instant::now(), true);
        while runs && begun.elapsed() < Duration::from_secs(10) {
            runs = is_alive(id);
        }
        assert!(!runs, "{exits}: its child outlives it");
    }
}

#[test]
fn a_stopped_run_asks_nobody_any_longer() {
    let stop = Stop::after(Some(Duration::ZERO));
    let mut process =
        Process::start("stand-in", &mut stand_in("exec sleep 600"), LIMIT, &stop).unwrap();
    let error = process.ask(start()).unwrap_err();
    assert!(matches!(error, AskError::Stopped { .. }), "{error}");
    let missing = Process::start("x", &mut Command::new("/no/such/program"), LIMIT, &stop);
    assert!(matches!(missing, Err(AskError::Start { .. })));
}

#[test]
fn a_party_says_what_is_wrong_with_its_input_and_ends() {
    let run = |input: &[u8]| -> Output {
        let mut child = party("owner")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        child.wait_with_output().unwrap()
    };
    assert_eq!(run(b"").status.code(), Some(0));
    for (input, words) in [
        (&b"\xff\xff\xff\xff"[..], "4294967295 bytes"),
        (b"\x02\0", "ended after 2 bytes"),
        (b"\x05\0\0\0MHUH\x01", "tag"),
    ] {
        let output = run(input);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(4), "{said}");
        assert!(said.contains(words), "{said}");
    }
}

fn sharing(out: &Path, arguments: &[&str]) -> (Option<i32>, report::Report) {
    let status = Command::new(PROGRAM)
        .args(["verify", "--quiet", "--files", "8", "--jobs", "1", "--out"])
        .arg(out)
        .args(arguments)
        .stdout(Stdio::null())
        .status()
        .expect("the program starts");
    let bytes = std::fs::read(out.join("report.json")).expect("a report was written");
    let report = report::parse(&bytes).expect("a report");
    (status.code(), report)
}

#[test]
fn pre_6_1_a_given_file_is_shared_among_three_processes_and_runs_repeat() {
    let (scratch, input) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    std::fs::write(input.path().join("given"), vec![7; 300_000]).unwrap();
    let path = input.path().to_str().unwrap();
    let only = ["--input", path, "--only", "sharing.three-processes.*", "--seed", "9"];
    let (code, report) = sharing(scratch.path(), &only);
    assert_eq!(code, Some(0), "{}", report.sentence());
    let details = |report: &report::Report| -> Vec<String> {
        let cases = report.chapters.iter().flat_map(|chapter| &chapter.cases);
        cases.map(|case| case.detail.clone()).collect()
    };
    let first = details(&report);
    assert!(first.iter().any(|detail| detail.starts_with("given, 300000 bytes")), "{first:?}");
    let (_, again) = sharing(scratch.path(), &only);
    assert_eq!(first, details(&again));
}

#[test]
fn an_earlier_example_leaves_nothing_beside_a_new_one() {
    let scratch = tempfile::tempdir().unwrap();
    let example = scratch.path().join("example");
    std::fs::create_dir(&example).unwrap();
    std::fs::write(example.join("mine"), "no example").unwrap();
    let only = ["--only", "headers.mainnet"];
    let run = || assert_eq!(sharing(scratch.path(), &only).0, Some(0));
    run();
    assert!(example.join("mine").exists(), "a folder without a receipt is not ours");
    std::fs::create_dir(example.join("exported")).unwrap();
    std::fs::write(example.join("exported/record"), "stale").unwrap();
    run();
    let mut left: Vec<_> =
        std::fs::read_dir(&example).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["content", "headers", "receipt"]);
}
