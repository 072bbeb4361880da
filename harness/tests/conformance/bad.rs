//! Adapters that break a rule of the protocol, each: what the harness calls it, and that it goes on.

use harness::conformance::follows::follows;
use harness::verdict::Outcome;

use crate::program::{Checked, bad, check, harness};

/// Enough cases to see that the run goes on, and one operation that all of them declare.
const ITEMS: &[&str] = &["--only", "paper.items.*"];

/// Checks a bad adapter and holds the first broken case against what is expected.
fn broke(name: &str, options: &[&str], words: &str) -> Checked {
    let checked = check(&[ITEMS, options].concat(), &bad(name));
    let Checked { code, text, .. } = &checked;
    assert_eq!(*code, 3, "{name}: {text}");
    let broken = checked.with(&Outcome::AdapterBroke);
    let first = broken.first().unwrap_or_else(|| panic!("{name}: {text}"));
    assert!(first.detail.contains(words), "{name}: {}", first.detail);
    // Whatever breaks is never taken for a rejection or a result.
    assert!(checked.with(&Outcome::Pass).is_empty(), "{name}: {text}");
    checked
}

#[test]
fn a_sound_adapter_passes_what_it_declares_and_the_rest_is_unsupported() {
    let checked = check(&[], &bad("sound"));
    assert_eq!(checked.code, 0, "{}", checked.text);
    let counts = checked.report.counts;
    assert!(counts.passed > 0 && counts.failed == 0 && counts.unsupported > 0, "{counts:?}");
    assert_eq!(counts.passed + counts.unsupported, counts.all);
    assert!(checked.text.contains("conforms to profile paper, 1 of "), "{}", checked.text);
}

#[test]
fn an_adapter_that_dies_is_started_again_and_never_rejects() {
    broke("died_at_start", &[], "died: it ended (exit status: 3)");
    broke("dies_on_call", &[], "died: it ended (exit status: 1) while a reply to call paper.items");
    broke("half_line", &[], "died: ");
    broke("leaves_child", &[], "died: it ended (exit status: 1)");
    broke("closes_stdout", &[], "its output is closed, yet it runs on");
}

#[test]
fn an_adapter_that_died_once_goes_on_with_the_next_case() {
    let scratch = tempfile::tempdir().unwrap();
    let counter = scratch.path().join("starts");
    let mut adapter = bad("dies_then_works");
    adapter.push(counter.to_str().unwrap().to_owned());
    let checked = check(&[], &adapter);
    assert_eq!(checked.code, 3, "{}", checked.text);
    assert_eq!(checked.with(&Outcome::AdapterBroke).len(), 1);
    assert!(!checked.with(&Outcome::Pass).is_empty(), "{}", checked.text);
}

#[test]
fn after_five_faults_in_a_row_the_rest_is_skipped_and_counted() {
    let checked = check(&[], &bad("dies_on_call"));
    assert_eq!(checked.code, 3, "{}", checked.text);
    assert_eq!(checked.with(&Outcome::AdapterBroke).len(), 5, "{}", checked.text);
    let skipped = Outcome::skipped("the adapter broke 5 times in a row");
    assert!(!checked.with(&skipped).is_empty(), "{}", checked.text);
}

#[test]
fn an_adapter_that_hangs_is_ended_and_told_from_one_that_died() {
    let soon = &["--timeout", "0.02"];
    broke("hangs_at_start", soon, "timed out: no line within 0.6 s of hello; nothing came when");
    broke("never_flushes", soon, "of hello; one came when its input was closed: flush the output");
    for name in ["hangs_on_call", "drips"] {
        broke(name, &["--timeout", "0.2"], "timed out: no line within");
    }
}

#[test]
fn what_is_no_reply_is_garbage() {
    broke("garbage", &[], "garbage: reply to ");
    broke("two_lines", &[], "garbage: noise on standard output before reset");
    broke("noise_at_start", &[], "garbage: ");
    broke("bom", &[], "byte order mark");
    broke("floods", &[], "a line of more than 8388608 bytes");
    broke("floods_lines", &[], ": ");
}

#[test]
fn a_reply_of_another_shape_is_named_with_the_field() {
    broke("other_id", &[], "wrong shape: reply to ");
    broke("wrong_type", &[], "`ok`: a list");
    broke("no_result", &[], "none where exactly one of `ok`, `reject` and `unsupported` belongs");
    broke("both_results", &[], "ok and reject where exactly one of");
    broke("unknown_class", &[], "`reject.class`");
}

#[test]
fn memory_is_bounded_on_both_sides() {
    for name in ["eats_memory", "child_eats_memory"] {
        broke(name, &["--memory", "64"], "MiB of memory, 64 MiB allowed");
    }
    // What a log says is read and thrown away but for its end.
    let checked = check(ITEMS, &bad("floods_stderr"));
    assert_eq!(checked.code, 0, "{}", checked.text);
}

#[test]
fn slow_and_odd_but_sound_adapters_pass() {
    for name in ["slow_start", "crlf"] {
        let checked = check(ITEMS, &bad(name));
        assert_eq!(checked.code, 0, "{name}: {}", checked.text);
    }
}

#[test]
fn an_adapter_that_does_not_end_well_breaks_a_case_of_its_own() {
    for (name, words) in [("late_exit", "did not end within"), ("exit_code", "exit status: 7")] {
        let checked = check(ITEMS, &bad(name));
        assert_eq!(checked.code, 3, "{name}: {}", checked.text);
        assert!(checked.case("adapter.bye").detail.contains(words), "{name}");
        assert!(!checked.with(&Outcome::Pass).is_empty(), "{name}");
    }
}

#[test]
fn an_adapter_that_declares_what_it_does_not_answer_has_tested_nothing() {
    let checked = check(&[], &bad("lies"));
    assert_eq!(checked.code, 5, "{}", checked.text);
    assert!(checked.text.contains("nothing was tested"), "{}", checked.text);
    // Unless it is required.
    let checked = check(&["--require", "paper.items.*"], &bad("lies"));
    assert_eq!(checked.code, 1, "{}", checked.text);
}

#[test]
fn a_network_that_takes_no_step_is_unsupported() {
    let checked = check(&["--layer", "L2"], &bad("no_steps"));
    assert_eq!(checked.code, 5, "{}", checked.text);
    let checked = check(&["--layer", "L2", "--require", "network.calm.*"], &bad("no_steps"));
    assert_eq!(checked.code, 1, "{}", checked.text);
}

/// Between two steps of a network: what ran is told, what did not is undecided, and nobody is to blame.
#[cfg(unix)]
#[test]
fn a_run_that_is_stopped_within_a_network_is_undecided() {
    for how in ["goes on", "dies"] {
        let adapter = [bad("stops_the_run"), vec![how.to_owned()]].concat();
        let checked = check(&["--only", "paper.items.*", "--only", "network.calm.*"], &adapter);
        assert_eq!(checked.code, 2, "{how}: {}", checked.text);
        assert!(!checked.with(&Outcome::Pass).is_empty(), "{how}: {}", checked.text);
        for blame in [Outcome::AdapterBroke, Outcome::Fail] {
            assert!(checked.with(&blame).is_empty(), "{how}: {}", checked.text);
        }
        let [undecided] = checked.with(&Outcome::Undecided)[..] else { panic!("{}", checked.text) };
        assert_eq!(undecided.id, "run.finished");
        assert!(undecided.detail.contains("stopped by a signal; 10 of "), "{}", undecided.detail);
        let skipped = Outcome::skipped("not finished: stopped by a signal");
        assert_eq!(checked.with(&skipped).len(), 1, "{how}: {}", checked.text);
        assert_eq!(follows(&checked.report), Ok(()), "{how}");
    }
}

#[test]
fn a_run_whose_time_is_up_is_undecided() {
    let checked = check(&["--deadline", "0"], &bad("sound"));
    assert_eq!(checked.code, 2, "{}", checked.text);
    assert!(checked.case("run.finished").detail.contains("the deadline of 0 s has passed"));
    assert!(checked.with(&Outcome::AdapterBroke).is_empty(), "{}", checked.text);
}

#[test]
fn an_adapter_that_passes_everything_without_computing_is_caught() {
    for name in ["says_yes", "echoes", "rejects_all", "random_answer"] {
        let checked = check(&[], &bad(name));
        assert_eq!(checked.code, 1, "{name}: {}", checked.text);
        assert!(!checked.with(&Outcome::Fail).is_empty(), "{name}");
    }
}

#[test]
fn nothing_matches_nothing_is_tested_and_what_is_not_there_does_not_start() {
    let checked = check(&["--only", "no.such.case"], &bad("sound"));
    assert_eq!(checked.code, 5, "{}", checked.text);
    let checked = check(ITEMS, &["/no/such/program".to_owned()]);
    assert_eq!(checked.code, 3, "{}", checked.text);
    assert!(checked.case("adapter.start").detail.contains("cannot be started"));
}

#[test]
fn the_doctor_names_what_is_wrong() {
    for (name, code, words) in [
        ("sound", 0, "speaks the protocol"),
        ("noise_at_start", 3, "only replies go to standard output"),
        ("dies_on_call", 3, "an exception that is no rejection may end it"),
        ("never_flushes", 3, "flush the output after each line"),
        ("lies", 0, "speaks the protocol"),
        ("no_steps", 2, "a step is answered with unsupported: step"),
        ("no_steps", 2, "what is unknown was not answered"),
        ("no_steps", 2, "no operation to ask twice"),
        ("says_yes", 1, "an operation that nobody has is answered"),
        ("random_answer", 1, "two processes reply differently"),
        ("exit_code", 3, "exit status: 7"),
        ("slow_start", 0, "slow: every restart costs this"),
        ("bom", 3, "byte order mark"),
        ("wrong_type", 3, "`ok`: a list"),
    ] {
        let adapter = bad(name);
        let factor = if name == "never_flushes" { "0.02" } else { "1" };
        let output = harness(&["doctor", "--timeout", factor, "--", &adapter[0], &adapter[1]]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(code), "{name}: {text}");
        assert!(text.contains(words), "{name}: {text}");
    }
}
