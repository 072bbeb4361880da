//! The command line: options that every command takes, and what each command does.

mod behind;
mod check;
mod explore;
mod full;
mod reports;
mod simulate;
mod throughput;
mod vectors;

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use harness::living::{self, ProxyKind};
use harness::machine;
use harness::output::{note, print, say, unheard};
use harness::party::{self, Role};
use harness::performance::{self, CompareOptions, RecordOptions};
use harness::progress::Progress;
use harness::report::{self, Case, Chapter, Report, Run};
use harness::seed::Seed;
use harness::shell;
use harness::stop::Stop;
use harness::verdict::{Exit, Outcome, UndecidedPolicy};
use harness::verify::{self, Example};

/// Benchmark and formal test harness of MDSM, the Medical Data Sharing Model.
///
/// Exit codes: 0 conforms, 1 does not, 2 undecided, 3 the adapter broke, 4 our own fault, 5 nothing
/// was tested.
#[derive(Parser)]
#[command(name = "mdsm-harness", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the reference on generated or real files and put every claim to the test.
    Verify(Verify),
    /// Put somebody's implementation to the test, behind the adapter protocol of harness/PROTOCOL.md.
    Check(check::Check),
    /// Examine an adapter: format, noise, flush, speed, determinism.
    Doctor(check::Doctor),
    /// Say what a case asks, what it expects and which sentence it tests.
    Explain(check::Explain),
    /// Write a small adapter with a planted bug, to see a verdict that is red.
    DemoAdapter(check::DemoAdapter),
    /// Be an adapter: the reference, or a wrong implementation, on standard input and output.
    Adapter(check::Adapter),
    /// Replay the corpora of the fuzz targets through their oracles, on stable.
    Corpus(Corpus),
    /// Count instructions: against the baseline in git, or against a base revision built here.
    #[command(subcommand)]
    Perf(Perf),
    /// Run whole networks with faults, seed by seed, and judge what honest nodes do.
    Simulate(simulate::Simulate),
    /// Run one seed or one schedule again.
    Replay(simulate::Replay),
    /// Find the fewest faults that still make a run fail.
    Shrink(simulate::Shrink),
    /// Work on reports that were written before.
    #[command(subcommand)]
    Report(reports::Reports),
    /// Search every run of a small network, on the shipped consensus code.
    Model(explore::Model),
    /// Put wrong protocols before the model checker, and wrong implementations before the cases of the
    /// conformance kit: each must be noticed.
    Mutants(explore::Mutants),
    /// The stored cases of the conformance kit, for use without it too.
    #[command(subcommand)]
    Vectors(vectors::Vectors),
    /// One of those who share a file: `verify` starts it and speaks to it on its standard input.
    #[command(hide = true)]
    Party {
        /// owner, proxy or reader.
        role: Role,
    },
    /// Put a network of eight real processes under load, and say what it books, how fast, and what limits it.
    Throughput(throughput::Throughput),
    /// One institution of a network of processes: `verify` starts it, and it ends with its standard input.
    #[command(hide = true)]
    Institution {
        /// Its settings.
        settings: PathBuf,
        /// Its proxy re-encrypts wrongly.
        #[arg(long)]
        wrong_proxy: bool,
    },
}

/// Options of every command.
#[derive(Args, Clone)]
struct Common {
    /// Where index.html, report.json, junit.xml and summary.md go.
    #[arg(long, value_name = "DIR", default_value = "reports/latest")]
    out: PathBuf,
    /// What is printed at the end.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// No progress on standard error.
    #[arg(long)]
    quiet: bool,
    /// Threads; all of the machine's by default.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// Stop after so many seconds and write what there is.
    #[arg(long, value_name = "SECONDS")]
    deadline: Option<u64>,
    /// Every random draw follows from it. With --jobs 1 so does everything else; with more threads,
    /// which turn a record falls into is a matter of timing, and no verdict depends on it.
    #[arg(long, default_value = "1")]
    seed: Seed,
    /// What undecided cases mean to a pipeline: fail (exit 2) or warn (exit 0).
    #[arg(long, value_name = "fail|warn", default_value = "fail")]
    undecided: UndecidedPolicy,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Text,
    Json,
}

#[derive(Args)]
struct Verify {
    /// Book the files below this directory, and 120 generated ones beside them. Links are followed, out of
    /// the directory too; names of files enter the report.
    #[arg(long, value_name = "DIR")]
    input: Option<PathBuf>,
    /// Generated files, FHIR R4, HL7 v2, DICOM and text: 1,200 by default, 120 beside --input.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    files: Option<u32>,
    /// Only the cases whose id matches; * stands for any run of characters.
    #[arg(long, value_name = "GLOB")]
    only: Option<String>,
    #[command(flatten)]
    common: Common,
}

#[derive(Args)]
struct Corpus {
    /// The folder with one folder a target.
    #[arg(long, value_name = "DIR", default_value = "fuzz/corpus")]
    dir: PathBuf,
    #[command(flatten)]
    common: Common,
}

#[derive(Subcommand)]
enum Perf {
    /// Count the instructions of every workload and write them down as the baseline.
    Record {
        #[command(flatten)]
        options: RecordOptions,
        /// No progress on standard error.
        #[arg(long)]
        quiet: bool,
    },
    /// Count the instructions of every workload and fail those that grew by 1% or more.
    Compare {
        #[command(flatten)]
        options: CompareOptions,
        #[command(flatten)]
        common: Common,
    },
}

/// Parses the command line and runs the command.
pub(crate) fn run() -> Exit {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are errors to clap, but not to us.
            let asked_for = !error.use_stderr();
            let printed = error.print().or_else(unheard).is_ok();
            return if asked_for && printed { Exit::Conforms } else { Exit::OwnFault };
        }
    };
    let result = match cli.command {
        Command::Verify(command) => verify(&command),
        Command::Check(command) => check::check(&command),
        Command::Doctor(command) => check::doctor(&command),
        Command::Explain(command) => check::explain(&command),
        Command::DemoAdapter(command) => check::demo_adapter(&command),
        Command::Adapter(command) => check::adapter(&command),
        Command::Corpus(command) => corpus(&command),
        Command::Perf(Perf::Record { options, quiet }) => record(&options, quiet),
        Command::Perf(Perf::Compare { options, common }) => compare(&options, &common),
        Command::Simulate(command) => simulate::simulate(&command),
        Command::Replay(command) => simulate::replay(&command),
        Command::Shrink(command) => simulate::shrink(&command),
        Command::Report(command) => reports::reports(&command),
        Command::Model(command) => explore::model(&command),
        Command::Mutants(command) => explore::mutants(&command),
        Command::Vectors(command) => vectors::vectors(&command),
        Command::Party { role } => party(role),
        Command::Throughput(command) => throughput::throughput(&command),
        Command::Institution { settings, wrong_proxy } => {
            let proxy = if wrong_proxy { ProxyKind::Wrong } else { ProxyKind::Honest };
            living::institution(&settings, proxy).map(|()| Exit::Conforms)
        }
    };
    match result {
        Ok(exit) => exit,
        Err(why) => {
            note(format!("error: {why}"));
            Exit::OwnFault
        }
    }
}

fn party(role: Role) -> Result<Exit, String> {
    let (mut input, mut output) = (std::io::stdin().lock(), std::io::stdout().lock());
    party::serve(role, &mut input, &mut output)
        .map_err(|error| format!("party {role}: {error}"))?;
    Ok(Exit::Conforms)
}

fn verify(command: &Verify) -> Result<Exit, String> {
    let common = &command.common;
    let stop = stop(common)?;
    let options = verify::Options {
        seed: common.seed,
        input: command.input.clone(),
        files: files(command),
        jobs: jobs(common),
        only: command.only.clone(),
        undecided: common.undecided,
        program: program(),
    };
    let verify::Verified { report, example } =
        verify::run(&options, &Progress::new(common.quiet), &stop)?;
    if report.exit == Exit::NothingTested.code() {
        let input =
            command.input.as_ref().map(|path| format!(" and files below {}", path.display()));
        let only = command.only.as_deref().unwrap_or("*");
        let input = input.unwrap_or_default();
        note(format!("nothing was tested: no case matches --only {only}{input}"));
    }
    clear_example(&common.out)?;
    let hint = match &example {
        Some(example) => example_files(common, example)?,
        None => String::new(),
    };
    finish(common, &report, &hint)
}

fn corpus(command: &Corpus) -> Result<Exit, String> {
    let common = &command.common;
    let started_ms = machine::now_ms();
    let dir = std::path::absolute(&command.dir).map_err(|error| error.to_string())?;
    let replayed = harness::corpus::replay(&dir)
        .map_err(|error| format!("--dir {}: {error}", dir.display()))?;
    let words =
        [program(), "corpus".to_owned(), "--dir".to_owned(), dir.to_string_lossy().into_owned()];
    let rerun = shell::join(&words);
    let mut chapter = Chapter::new("corpus", "Corpora: every file through its oracle");
    for replayed in replayed {
        let broken: Vec<String> = replayed
            .failures
            .iter()
            .map(|failure| format!("{}: {}", failure.file.display(), failure.broken))
            .collect();
        chapter.cases.push(Case {
            id: format!("corpus.{}", replayed.target.name()),
            title: format!("{} files of {}", replayed.files, replayed.target.name()),
            requirements: Vec::new(),
            outcome: match replayed.files {
                0 => Outcome::skipped(format!("no file in {}", dir.display())),
                _ if broken.is_empty() => Outcome::Pass,
                _ => Outcome::Fail,
            },
            detail: broken.join("; "),
            duration_us: 0,
            rerun: rerun.clone(),
        });
    }
    let planned = u64::try_from(chapter.cases.len()).unwrap_or(u64::MAX);
    let report = Report::new(run_of(common, started_ms, rerun), planned, vec![chapter]);
    finish(common, &report, "")
}

fn record(options: &RecordOptions, quiet: bool) -> Result<Exit, String> {
    let workloads = performance::record(options, quiet).map_err(|error| error.to_string())?;
    say(format!("recorded the instructions of {workloads} workloads"))?;
    Ok(Exit::Conforms)
}

fn compare(options: &CompareOptions, common: &Common) -> Result<Exit, String> {
    let started_ms = machine::now_ms();
    let comparison =
        performance::compare(options, common.quiet).map_err(|error| error.to_string())?;
    let mut words = vec![program(), "perf".to_owned(), "compare".to_owned()];
    let baseline = options.baseline.as_ref().map(|path| path.to_string_lossy().into_owned());
    for (name, value) in [
        ("--base", &options.base),
        ("--baseline", &baseline),
        ("--bench-features", &options.bench_features),
    ] {
        words.extend(value.iter().flat_map(|value| [name.to_owned(), value.clone()]));
    }
    let report = comparison.into_report(run_of(common, started_ms, shell::join(&words)));
    finish(common, &report, "")
}

/// What a report says of a run of the reference.
fn run_of(common: &Common, started_ms: i64, command: String) -> Run {
    Run {
        program: "mdsm-core (the reference)".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        commit: machine::COMMIT.to_owned(),
        seed: common.seed,
        command,
        machine: machine::machine(),
        started_ms,
        ended_ms: machine::now_ms(),
        undecided: common.undecided,
    }
}

fn files(command: &Verify) -> usize {
    let default = if command.input.is_some() { 120 } else { 1_200 };
    usize::try_from(command.files.unwrap_or(default)).unwrap_or(usize::MAX)
}

/// Removes the example of an earlier run, with whatever was exported into it: beside a new receipt it
/// would be taken for part of it. A folder of that name that holds no receipt is somebody else's.
fn clear_example(out: &Path) -> Result<(), String> {
    let directory = out.join("example");
    if !directory.join("receipt").is_file() {
        return Ok(());
    }
    std::fs::remove_dir_all(&directory)
        .map_err(|error| format!("--out {}: {error}", directory.display()))
}

/// Leaves a receipt for the reader to check, and says how.
fn example_files(common: &Common, example: &Example) -> Result<String, String> {
    let directory = std::path::absolute(&common.out)
        .map_err(|error| format!("--out {}: {error}", common.out.display()))?
        .join("example");
    let fault = |error: std::io::Error| format!("--out {}: {error}", directory.display());
    std::fs::create_dir_all(&directory).map_err(fault)?;
    let files = [
        ("receipt", &example.receipt),
        ("headers", &example.headers),
        ("content", &example.content),
    ];
    let mut words: Vec<String> =
        "cargo run --release --bin mdsm -- receipt verify".split(' ').map(str::to_owned).collect();
    for (name, bytes) in files {
        let path = directory.join(name);
        std::fs::write(&path, bytes).map_err(fault)?;
        if name != "receipt" {
            words.push(format!("--{name}"));
        }
        words.push(path.to_string_lossy().into_owned());
    }
    words.extend(["--network", "regtest"].map(str::to_owned));
    Ok(format!("check a receipt yourself: {}\n", shell::join(&words)))
}

fn stop(common: &Common) -> Result<Stop, String> {
    Stop::after(common.deadline.map(Duration::from_secs))
        .listen()
        .map_err(|error| format!("signals cannot be caught: {error}"))
}

fn jobs(common: &Common) -> usize {
    let all = || std::thread::available_parallelism().map_or(1, usize::from);
    common.jobs.map_or_else(all, usize::from)
}

/// This program, as it can be called from anywhere.
fn program() -> String {
    let path = std::env::current_exe().unwrap_or_else(|_| PathBuf::from("mdsm-harness"));
    path.to_string_lossy().into_owned()
}

/// What was seen, in words and numbers.
fn facts(report: &Report) -> String {
    let mut text = String::new();
    for chapter in &report.chapters {
        for fact in &chapter.facts {
            text.push_str(&format!("{:<10} {}\n", fact.key, fact.value));
        }
        for measurement in &chapter.measurements {
            let Some(value) = measurement.value else { continue };
            let (name, unit, note) = (&measurement.name, &measurement.unit, &measurement.note);
            text.push_str(&format!("{name}: {value:.1} {unit} {note}\n"));
        }
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

/// Writes the report, prints the table and the way to the files, and gives the exit code.
fn finish(common: &Common, report: &Report, hint: &str) -> Result<Exit, String> {
    report::write(&common.out, report)
        .map_err(|error| format!("--out {}: {error}", common.out.display()))?;
    let text = match common.format {
        Format::Text => {
            let index =
                shell::join(&[common.out.join("index.html").to_string_lossy().into_owned()]);
            format!("{}{}\nreport: {index}\n{hint}", facts(report), report::table(report))
        }
        Format::Json => format!("{}\n", report::json(report)),
    };
    print(&text)?;
    Ok(Exit::ALL.into_iter().find(|exit| exit.code() == report.exit).unwrap_or(Exit::OwnFault))
}
