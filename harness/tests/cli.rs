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
fn vectors_are_copied_over_no_other_file() {
    let scratch = tempfile::tempdir().unwrap();
    let copy = |more: &[&str]| {
        let directory = scratch.path().to_str().unwrap();
        let output = harness(&[&["vectors", "copy", directory], more].concat());
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let mine = scratch.path().join("schema.json");
    fs::write(&mine, "of somebody").unwrap();
    let (code, text) = copy(&[]);
    assert_eq!(code, Some(4), "{text}");
    assert!(text.contains("schema.json: is there already; --force "), "{text}");
    assert_eq!(fs::read(&mine).unwrap(), b"of somebody");
    assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 1, "nothing is written beside it");
    let (code, text) = copy(&["--force"]);
    assert_eq!(code, Some(0), "{text}");
    assert_ne!(fs::read(&mine).unwrap(), b"of somebody");
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

/// A scratch folder as an argument.
fn text(path: &Path) -> &str {
    path.to_str().expect("scratch paths are UTF-8")
}

/// The exit code, and what was printed on both outputs.
fn ran(arguments: &[&str]) -> (i32, String) {
    let output = harness(arguments);
    let printed = [output.stdout, output.stderr].concat();
    let code = output.status.code().expect("it ends by itself");
    (code, String::from_utf8(printed).expect("text"))
}

/// Wrong calls: each ends with code 4 and says why.
fn refused(calls: &[(&[&str], &str)]) {
    for (arguments, why) in calls {
        let (code, printed) = ran(arguments);
        assert_eq!(code, 4, "{arguments:?}: {printed}");
        assert!(printed.contains(why), "{arguments:?}: {printed}");
    }
}

#[test]
fn model_holds_or_leaves_a_trace_that_replays() {
    let scratch = tempfile::tempdir().unwrap();
    let out = text(scratch.path());
    let model = |arguments: &[&str]| {
        ran(&[&["model", "--quiet", "--values", "1", "--out", out][..], arguments].concat())
    };
    let (code, printed) = model(&["--views", "1", "--crashes", "1"]);
    assert_eq!(code, 0, "{printed}");
    assert!(printed.contains("holds") && printed.contains("conforms"), "{printed}");
    let json = fs::read(scratch.path().join("model.json")).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert!(json["searches"][0]["states"].as_u64().unwrap() > 100, "{json}");
    assert!(fs::read_to_string(scratch.path().join("model.md")).unwrap().contains("holds"));
    let (code, printed) = model(&["--liveness", "none", "--states-max", "4096"]);
    assert_eq!(code, 2, "a search that was cut short is undecided: {printed}");
    let (code, printed) = model(&["--views", "1", "--rules", "quorum-less"]);
    assert_eq!(code, 1, "{printed}");
    let trace = scratch.path().join("trace.json");
    let (code, printed) = ran(&["model", "--replay", text(&trace)]);
    assert_eq!(code, 1, "{printed}");
    assert_eq!(
        printed.trim(),
        fs::read_to_string(scratch.path().join("trace.txt")).unwrap().trim()
    );
}

#[test]
fn model_refuses_what_it_cannot_search_and_damaged_traces() {
    let scratch = tempfile::tempdir().unwrap();
    let out = text(scratch.path());
    refused(&[
        (&["model", "--preset", "medium"], "medium"),
        (&["model", "--rules", "nobody"], "no such mutant"),
        (&["model", "--voters", "9", "--out", out], "--voters 9"),
        (&["model", "--replay", "no-such-file"], "no-such-file"),
    ]);
    let broken = ["model", "--quiet", "--values", "1", "--rules", "quorum-less", "--out", out];
    assert_eq!(ran(&broken).0, 1);
    let whole = fs::read_to_string(scratch.path().join("trace.json")).unwrap();
    let damaged = scratch.path().join("damaged.json");
    let mut trace: serde_json::Value = serde_json::from_str(&whole).unwrap();
    trace["rules"] = "nobody".into();
    let unnamed = trace.to_string();
    for text_of_it in [&whole[..whole.len() / 2], "", "{}", &unnamed] {
        fs::write(&damaged, text_of_it).unwrap();
        refused(&[(&["model", "--replay", text(&damaged)], "damaged.json")]);
    }
}

#[test]
fn mutants_prints_a_row_for_each_and_names_survivors() {
    let scratch = tempfile::tempdir().unwrap();
    let out = text(scratch.path());
    let mutants =
        |arguments: &[&str]| ran(&[&["mutants", "--quiet", "--out", out][..], arguments].concat());
    let (code, printed) = mutants(&["--first", "--only", "quorum-*"]);
    assert_eq!(code, 0, "{printed}");
    let table = fs::read_to_string(scratch.path().join("mutants.md")).unwrap();
    assert_eq!(table.lines().filter(|line| line.starts_with("| quorum-")).count(), 4, "{table}");
    assert!(!table.contains("finalize-early"), "{table}");
    let (code, printed) = mutants(&["--behind", "--only", "merkle-level-*"]);
    assert_eq!(code, 0, "{printed}");
    let table = fs::read_to_string(scratch.path().join("behind.md")).unwrap();
    assert_eq!(table.lines().filter(|line| line.starts_with("| merkle-")).count(), 5, "{table}");
    for arguments in [&["--only", "no-such-mutant"][..], &["--behind", "--only", "quorum-*"]] {
        let (code, _) = mutants(arguments);
        assert_eq!(code, 5);
    }
    assert!(printed.ends_with("5 of 5 mutants noticed\n"), "{printed}");
    let (code, printed) = mutants(&["--first", "--deadline", "0"]);
    assert_eq!(code, 2, "{printed}");
    assert!(printed.contains("not asked, as the time was over"), "{printed}");
}

#[test]
fn a_wrong_implementation_is_an_adapter_that_does_not_conform() {
    let scratch = tempfile::tempdir().unwrap();
    let harness = env!("CARGO_BIN_EXE_mdsm-harness");
    let check = ["check", "--quiet", "--only", "merkle.*", "--out", text(scratch.path()), "--"];
    let (code, printed) = ran(&[&check[..], &[harness, "adapter"]].concat());
    assert_eq!(code, 0, "{printed}");
    let wrong = [harness, "adapter", "--mutant", "merkle-odd-repeated"];
    let (code, printed) = ran(&[&check[..], &wrong].concat());
    assert_eq!(code, 1, "{printed}");
    let summary = fs::read_to_string(scratch.path().join("summary.md")).unwrap();
    assert!(summary.contains("merkle-odd-repeated"), "{summary}");
    refused(&[(&["adapter", "--mutant", "no-such-mutant"], "--mutant no-such-mutant")]);
}

#[test]
fn throughput_counts_what_became_final_and_proves_it() {
    let small = ["--records", "48", "--clients", "6", "--turn-ms", "100", "--bytes", "100,3000"];
    let (code, text) = ran(&[&["throughput"][..], &small].concat());
    assert_eq!(code, 0, "{text}");
    let rows: Vec<Vec<&str>> = text
        .lines()
        .filter(|line| line.starts_with("| 1") || line.starts_with("| 3"))
        .map(|line| line.split('|').map(str::trim).collect())
        .collect();
    assert_eq!(rows.len(), 2, "{text}");
    for (row, bytes) in rows.iter().zip(["100", "3000"]) {
        // Sent, and proven by a light client at the end.
        assert_eq!((row[1], row[2], row[8]), (bytes, "48", "48"), "{text}");
        let number = |at: usize| row[at].parse::<f64>().unwrap();
        // Rates, blocks and records a block fit together, but for rounding.
        let (rate, blocks, each) = (number(4), number(6), number(7));
        assert!(blocks > 0.0 && (rate / blocks - each).abs() <= 1.0 + each / 10.0, "{text}");
    }
    refused(&[
        (&["throughput", "--records", "0"], "--records"),
        (&["throughput", "--bytes", "x"], "--bytes"),
    ]);
}

/// Runs `simulate` and reads what it leaves.
fn simulated(out: &Path, arguments: &[&str]) -> (i32, String, serde_json::Value) {
    let fixed = ["simulate", "--quiet", "--jobs", "2", "--out", text(out)];
    let (code, printed) = ran(&[&fixed[..], arguments].concat());
    let file = if arguments.contains(&"--full") { "full.json" } else { "campaign.json" };
    let campaign = fs::read(out.join(file)).unwrap_or_else(|error| panic!("{error}: {printed}"));
    (code, printed, serde_json::from_slice(&campaign).expect("JSON"))
}

#[test]
fn simulate_gives_equal_digests_for_equal_seeds_and_shards_add_up() {
    let scratch = tempfile::tempdir().unwrap();
    let at = |name: &str| scratch.path().join(name);
    for full in [&[][..], &["--full"]] {
        let run = |name: &str, seeds: &str, shard: &str| {
            let arguments = ["--seeds", seeds, "--shard", shard];
            let (code, printed, campaign) = simulated(&at(name), &[full, &arguments].concat());
            assert_eq!(code, 0, "{printed}");
            campaign
        };
        let whole = run("whole", "0..4", "1/1");
        assert_eq!(run("again", "0..4", "1/1"), whole);
        assert_ne!(run("others", "4..8", "1/1"), whole);
        let (one, other) = (run("one", "0..4", "1/2"), run("other", "0..4", "2/2"));
        assert_ne!(one, other);
        let merge = |shards: [&str; 2]| {
            let shards = shards.map(at);
            let shards = shards.each_ref().map(|shard| text(shard));
            let merged = at("merged");
            let output = ["--out", text(&merged), "--quiet"];
            ran(&[&["report", "merge"][..], &shards, &output].concat())
        };
        let (code, printed) = merge(["other", "one"]);
        assert_eq!(code, 0, "{printed}");
        let file = if full.is_empty() { "campaign.json" } else { "full.json" };
        let merged = fs::read(at("merged").join(file)).unwrap();
        let mut merged: serde_json::Value = serde_json::from_slice(&merged).unwrap();
        assert_eq!(merged["shards"], serde_json::json!([[1, 2], [2, 2]]));
        merged["shards"] = whole["shards"].clone();
        if full.is_empty() {
            // The seed that runs twice is the first of each shard.
            merged["repeated"] = whole["repeated"].clone();
        }
        assert_eq!(merged, whole);
        for (shards, why) in [
            (["one", "one"], "twice"),
            (["one", "others"], "different runs"),
            (["one", "nothing"], "nothing"),
        ] {
            let (code, printed) = merge(shards);
            assert_eq!(code, 4, "{printed}");
            assert!(printed.contains(why), "{printed}");
        }
        let alone =
            ["report", "merge", text(&at("one")), "--out", text(&at("merged"))].map(str::to_owned);
        let (code, printed) = ran(&alone.each_ref().map(String::as_str));
        assert_eq!(code, 4, "half of the seeds are no campaign: {printed}");
        assert!(printed.contains("shard 2/2 is missing"), "{printed}");
        let path = at("one").join(file);
        let bytes = fs::read(&path).unwrap();
        let good: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        let mut changes = vec![
            ("format", serde_json::json!(2), "format 2"),
            ("shards", serde_json::json!([[1, 3]]), "shards of 3"),
        ];
        if full.is_empty() {
            changes.push(("planned", serde_json::json!(u64::MAX), "planned"));
            changes.push(("planned", serde_json::json!(0), "planned"));
        }
        for (field, value, why) in changes {
            let mut bad = good.clone();
            bad[field] = value;
            fs::write(&path, bad.to_string()).unwrap();
            let (code, printed) = merge(["one", "other"]);
            assert_eq!(code, 4, "{field}: {printed}");
            assert!(printed.contains(why) && !printed.contains("overflow"), "{field}: {printed}");
        }
        fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
        let (code, printed) = merge(["one", "other"]);
        assert_eq!(code, 4, "{printed}");
        assert!(printed.contains(file), "{printed}");
    }
}

#[test]
fn simulate_notices_broken_rules_and_says_how_to_repeat_the_seed() {
    let scratch = tempfile::tempdir().unwrap();
    for full in [&[][..], &["--full"]] {
        let broken = ["--seeds", "0..2", "--rules", "VotesNotStored"];
        let (code, printed, _) = simulated(scratch.path(), &[full, &broken].concat());
        assert_eq!(code, 1, "{printed}");
        assert!(printed.contains("stored first"), "{printed}");
        let again = printed.lines().map(str::trim).find(|line| {
            let again = if full.is_empty() { " replay 0 " } else { " --full " };
            line.contains(again) && !line.starts_with("repeat")
        });
        let again = again.unwrap_or_else(|| panic!("{printed}"));
        let rerun = Command::new("sh").current_dir(&scratch).args(["-c", again]).output().unwrap();
        assert_eq!(rerun.status.code(), Some(1), "{again}");
    }
}

#[test]
fn simulate_full_heeds_strategies_and_everything_else_that_is_asked_for() {
    let scratch = tempfile::tempdir().unwrap();
    let calm = ["--full", "--seeds", "0..1", "--faults", "none"];
    let (_, _, honest) = simulated(scratch.path(), &calm);
    let with = [&calm[..], &["--strategy", "mute"]].concat();
    let (code, printed, campaign) = simulated(scratch.path(), &with);
    assert_eq!(code, 0, "{printed}");
    assert!(campaign["ran"]["0"]["acted"]["Mute"].as_u64().unwrap() > 0, "{campaign}");
    assert_ne!(campaign["ran"], honest["ran"]);
    let real = [&calm[..], &["--signatures", "real"]].concat();
    assert_ne!(simulated(scratch.path(), &real).2["ran"], honest["ran"]);
}

#[test]
fn simulate_refuses_what_it_does_not_know() {
    refused(&[
        (&["simulate", "--preset", "enormous"], "enormous"),
        (&["simulate", "--shard", "3/2"], "1/N to N/N"),
        (&["simulate", "--shard", "0/2"], "1/N to N/N"),
        (&["simulate", "--seeds", "0..18446744073709551615"], "at most 100000000 seeds"),
        (&["simulate", "--full", "--seeds", "0..1000001"], "--full runs at most 1000000 seeds"),
        (&["simulate", "--hours", "18446744073709551615"], "--hours"),
        (&["replay", "1", "--hours", "87601"], "87600"),
        (&["simulate", "--seeds", "5..5"], "no seed"),
        (&["simulate", "--strategy", "angel"], "is no strategy"),
        (&["simulate", "--rules", "none-such"], "is no broken rule"),
        (&["simulate", "--faults", "quakes"], "is no fault"),
        (&["simulate", "--full", "--preset", "n7"], "--full knows"),
        (&["report", "merge"], "DIR"),
    ]);
    let scratch = tempfile::tempdir().unwrap();
    let (code, printed, _) = simulated(scratch.path(), &["--deadline", "0"]);
    assert_eq!(code, 5, "{printed}");
}

/// The line of `replay` that says what the run was.
fn digest(arguments: &[&str]) -> String {
    let (code, printed) = ran(&[&["replay"][..], arguments].concat());
    assert_eq!(code, 0, "{printed}");
    printed.lines().find(|line| line.starts_with("digest ")).expect("a digest").to_owned()
}

#[test]
fn replay_repeats_a_seed_with_either_kind_of_signatures() {
    let (code, printed) = ran(&["replay", "3"]);
    assert_eq!(code, 0, "{printed}");
    assert!(printed.contains(" blocks, ") && !printed.contains('{'), "{printed}");
    assert!(printed.ends_with("\nno claim breaks\n"), "{printed}");
    let (one, real) = (digest(&["3"]), digest(&["3", "--signatures", "real"]));
    assert_eq!(digest(&["3", "--signatures", "ideal"]), one);
    assert_eq!(digest(&["3", "--signatures", "real"]), real);
    assert_ne!(digest(&["4"]), one);
    assert_ne!(real, one, "real signatures are other bytes");
}

#[test]
fn shrink_leaves_a_schedule_that_still_fails_under_the_signatures_it_was_found_with() {
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("shrunk.txt");
    for signatures in ["ideal", "real"] {
        let network = ["--rules", "VotesNotStored", "--signatures", signatures];
        let shrink = ["shrink", "1", "--runs", "40", "--to", text(&file)];
        let (code, printed) = ran(&[&shrink[..], &network].concat());
        assert_eq!(code, 1, "{printed}");
        let schedule = fs::read_to_string(&file).unwrap();
        assert_eq!(schedule.contains("signatures real"), signatures == "real", "{schedule}");
        let (code, printed) = ran(&["replay", text(&file)]);
        assert_eq!(code, 1, "{printed}");
        assert!(printed.contains("stored first"), "{printed}");
    }
    let whole = fs::read_to_string(&file).unwrap();
    let (code, printed) = ran(&["shrink", "1", "--to", text(&file)]);
    assert_eq!((code, fs::read_to_string(&file).unwrap()), (5, whole.clone()), "{printed}");
    refused(&[
        (&["replay", text(&file), "--preset", "n7", "--faults", "none"], "--preset, --faults"),
        (&["shrink", text(&file), "--rules", "NoRetries"], "--rules"),
        (&["replay", "no-such-schedule"], "no-such-schedule"),
        (&["replay", "7..9"], "`simulate --seeds 7..9` runs all"),
    ]);
    for (from, to, why) in [
        ("until ", "untill ", "no line of a schedule"),
        ("mdsm schedule 1", "mdsm schedule 9", "line 1"),
        ("signatures real", "signatures made-up", "no line of a schedule"),
        ("until ", "until 5 18446744073709551615 # ", "at most 315360060000"),
        ("until ", "until 5 4 # ", "ends before the faults do"),
    ] {
        fs::write(&file, whole.replacen(from, to, 1)).unwrap();
        refused(&[(&["replay", text(&file)], why), (&["shrink", text(&file)], "line ")]);
    }
}

#[test]
fn shrink_takes_no_more_runs_than_it_is_given() {
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("shrunk.txt");
    for runs in ["4", "5", "9"] {
        let shrink = ["shrink", "1", "--rules", "VotesNotStored", "--runs", runs];
        let (code, printed) = ran(&[&shrink[..], &["--to", text(&file)]].concat());
        assert_eq!(code, 1, "{printed}");
        assert!(printed.contains(&format!(" after {runs} runs: ")), "{printed}");
        assert_eq!(ran(&["replay", text(&file)]).0, 1, "it still fails");
    }
    refused(&[(&["shrink", "1", "--runs", "3"], "4")]);
}

#[test]
fn no_command_minds_that_nobody_reads_what_it_prints() {
    let scratch = tempfile::tempdir().unwrap();
    let out = text(scratch.path());
    let model = ["model", "--views", "1", "--values", "1", "--byzantine", "0", "--out", out];
    for (code, arguments) in [
        (0, &["--help"][..]),
        (0, &["replay", "1"]),
        (5, &["shrink", "1"]),
        (0, &["simulate", "--seeds", "0..1", "--out", out]),
        (0, &model),
        (5, &["mutants", "--only", "none", "--out", out]),
    ] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_mdsm-harness"))
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        let ended = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!(ended.status.code(), Some(code), "{arguments:?}: {said}");
        assert!(!said.contains("panicked"), "{arguments:?}: {said}");
    }
}

#[test]
fn a_mistyped_word_is_answered_with_the_one_that_was_meant() {
    refused(&[
        (&["chek"], "'check'"),
        (&["check", "--laver", "L1", "--", "true"], "'--layer'"),
        (&["simulate", "--preset", "papper"], "'paper'"),
    ]);
}
