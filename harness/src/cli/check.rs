//! `check`, `doctor`, `explain` and `adapter`: somebody's implementation behind the adapter protocol.

use std::fs;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use harness::conformance::adapter::{Launch, Limits};
use harness::conformance::case::{Case, Layer};
use harness::conformance::known::{self, KnownFailing, Ran, Rewritten};
use harness::conformance::run::{self, Options};
use harness::conformance::sentences::{Profile, Sentence, section, sentence};
use harness::conformance::transcript::Detail;
use harness::conformance::{cases, doctor, explain, reference, register, serve};
use harness::glob;
use harness::machine;
use harness::mutants::behind;
use harness::output::{note, print};
use harness::progress::Progress;
use harness::report::{self, Run};
use harness::seed::Seed;
use harness::shell;
use harness::stop::Stop;
use harness::verdict::{Exit, Outcome};

use super::{Common, finish, program, stop};

/// Seconds of a day.
const DAY_MS: i64 = 86_400_000;
/// Days after which a failure that was written down has to be looked at.
const KNOWN_DAYS: i64 = 30;

#[derive(Args)]
pub(super) struct Check {
    /// The profile that decides; without, both have their verdict and mdsm-1 decides.
    #[arg(long, value_enum)]
    profile: Option<Named>,
    /// Only this layer: L1 are functions, L2 a network in which nothing fails, L3 one under faults.
    #[arg(long, value_enum)]
    layer: Option<Asked>,
    /// Seeds with which each network runs.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    seeds: u64,
    /// Only the cases whose id matches; * stands for any run of characters. Several are added up.
    #[arg(long, value_name = "GLOB")]
    only: Vec<String>,
    /// Cases that have to be supported: `unsupported` fails there. Several are added up.
    #[arg(long, value_name = "GLOB")]
    require: Vec<String>,
    /// Failures that are excused, each with a reason and an end; a stale entry fails.
    #[arg(long, value_name = "FILE")]
    known_failing: Option<PathBuf>,
    /// Write such a file for what fails now. Of a file that exists, entries that still fail stay as they are.
    #[arg(long, value_name = "FILE")]
    write_known_failing: Option<PathBuf>,
    /// Write what went over the pipes, a file for each case.
    #[arg(long, value_name = "DIR")]
    transcripts: Option<PathBuf>,
    /// Show inputs and replies whole; otherwise long values, which may be a patient's, are shortened.
    #[arg(long)]
    full: bool,
    #[command(flatten)]
    bounds: Bounds,
    #[command(flatten)]
    common: Common,
    /// The adapter and its arguments.
    #[arg(last = true, required = true, value_name = "CMD")]
    command: Vec<String>,
}

#[derive(Args)]
struct Bounds {
    /// All time limits are multiplied by it.
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, value_parser = factor)]
    timeout: f64,
    /// Memory that the adapter may hold.
    #[arg(long, value_name = "MIB", default_value_t = 4_096, value_parser = clap::value_parser!(u64).range(16..=1_048_576))]
    memory: u64,
}

#[derive(Args)]
pub(super) struct Doctor {
    #[command(flatten)]
    bounds: Bounds,
    /// The adapter and its arguments.
    #[arg(last = true, required = true, value_name = "CMD")]
    command: Vec<String>,
}

#[derive(Args)]
pub(super) struct Explain {
    /// A case, where * stands for any run of characters, a sentence or a section of the spec, a point of the
    /// register of readings, such as AMB-STO-4, or `readings` for all of them.
    id: String,
    /// Show inputs whole.
    #[arg(long)]
    full: bool,
}

#[derive(Args)]
pub(super) struct Adapter {
    /// Be this wrong implementation; `mutants --behind` lists them.
    #[arg(long, value_name = "NAME")]
    mutant: Option<String>,
}

#[derive(Args)]
pub(super) struct DemoAdapter {
    /// In which language.
    #[arg(value_enum)]
    language: Demo,
    /// Where it goes; a file that exists is left alone.
    #[arg(long, value_name = "FILE")]
    to: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Demo {
    Python,
    Node,
}

#[derive(Clone, Copy, ValueEnum)]
enum Named {
    /// What the paper itself demands, whatever the formats.
    Paper,
    /// All sentences, formats included.
    #[value(name = "mdsm-1")]
    Mdsm1,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Asked {
    /// Pure functions.
    #[value(name = "L1")]
    L1,
    /// A network in which nothing fails.
    #[value(name = "L2")]
    L2,
    /// A network under faults.
    #[value(name = "L3")]
    L3,
}

impl From<Asked> for Layer {
    fn from(asked: Asked) -> Self {
        match asked {
            Asked::L1 => Self::L1,
            Asked::L2 => Self::L2,
            Asked::L3 => Self::L3,
        }
    }
}

fn factor(text: &str) -> Result<f64, String> {
    let value: f64 = text.parse().map_err(|_| "expected a number".to_owned())?;
    if (0.01..=1_000.0).contains(&value) {
        Ok(value)
    } else {
        Err("expected 0.01 to 1000".to_owned())
    }
}

impl Bounds {
    fn launch(&self, command: &[String], stop: Stop) -> Launch {
        let limits = Limits { time_factor: self.timeout, memory_mib_max: self.memory };
        Launch { command: command.to_vec(), limits, stop }
    }
}

pub(super) fn check(command: &Check) -> Result<Exit, String> {
    let Check { common, bounds, .. } = command;
    let cases = cases::all();
    named(command, &cases)?;
    let old = command.write_known_failing.as_ref().map(|file| Ok::<_, String>((file, old(file)?)));
    let old = old.transpose()?;
    let started_ms = machine::now_ms();
    let stop = stop(common)?;
    let options = Options {
        launch: bounds.launch(&command.command, stop),
        profile: command.profile.map(|named| match named {
            Named::Paper => Profile::Paper,
            Named::Mdsm1 => Profile::Mdsm1,
        }),
        layer: command.layer.map(Layer::from),
        seeds: command.seeds,
        only: command.only.clone(),
        require: command.require.clone(),
        known: known_failing(command.known_failing.as_ref())?,
        today: report::date(started_ms),
        seed: common.seed,
        detail: if command.full { Detail::Full } else { Detail::Redacted },
        transcripts: command.transcripts.clone(),
        repeat: repeat(command),
    };
    let run = |hello: &harness::conformance::protocol::Hello| Run {
        program: hello.name.clone(),
        version: hello.version.clone(),
        commit: machine::COMMIT.to_owned(),
        seed: common.seed,
        command: shell::join(
            &[&options.repeat[..], &only(command), &["--".to_owned()], &command.command].concat(),
        ),
        machine: machine::machine(),
        started_ms,
        ended_ms: machine::now_ms(),
        undecided: common.undecided,
    };
    let mut report = run::run(&options, cases, run, &Progress::new(common.quiet))?;
    report.run.ended_ms = machine::now_ms();
    if report.exit == Exit::NothingTested.code() {
        note(match report.counts.all {
            0 => "nothing was tested: no case is of what was asked for",
            _ => "nothing was tested: the adapter supports none of the cases that were asked for",
        });
    }
    if let Some((file, old)) = &old {
        write_known(file, old, &report, &options)?;
    }
    finish(common, &report, "")
}

/// The file that is written anew, as it is before the run; empty where it does not exist.
fn old(file: &Path) -> Result<String, String> {
    let fault = |error: String| format!("--write-known-failing {}: {error}", file.display());
    let text = match fs::read_to_string(file) {
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        read => read.map_err(|error| fault(error.to_string()))?,
    };
    // What cannot be written anew is refused before the run.
    known::rewrite(&text, Ran { cases: &[], is_part: true }, "", "").map_err(fault)?;
    Ok(text)
}

/// Writes what fails, and says what became of the entries that were there.
fn write_known(
    file: &Path,
    old: &str,
    report: &report::Report,
    options: &Options,
) -> Result<(), String> {
    let fault = |error: String| format!("--write-known-failing {}: {error}", file.display());
    let cases = report.chapters.iter().flat_map(|chapter| &chapter.cases);
    // Entries of the list are judged in cases of their own, which no entry can excuse.
    let cases: Vec<_> = cases
        .filter(|case| !case.id.starts_with("known-failing."))
        .map(|case| (case.id.as_str(), &case.outcome, case.detail.as_str()))
        .collect();
    let ran = Ran { cases: &cases, is_part: options.is_part() };
    let expires = report::date(report.run.started_ms + KNOWN_DAYS * DAY_MS);
    let Rewritten { text, kept, added, gone } =
        known::rewrite(old, ran, &options.today, &expires).map_err(fault)?;
    fs::write(file, text).map_err(|error| fault(error.to_string()))?;
    if !old.is_empty() {
        let gone = match &gone[..] {
            [] => String::new(),
            gone => format!("; gone, as no such case fails: {}", gone.join(", ")),
        };
        note(format!("{}: {kept} entries kept, {added} new{gone}", file.display()));
    }
    Ok(())
}

/// Says which globs match no case, and what was probably meant. One of `--require` is a mistake: what it
/// stands for would not be required.
fn named(command: &Check, cases: &[Case]) -> Result<(), String> {
    let ids = cases.iter().map(|case| case.id.as_str());
    let unmatched = |globs: &[String]| -> Vec<String> {
        let matching = |glob: &&String| !ids.clone().any(|id| glob::matches(glob, id));
        let hint = |glob: &String| match glob::meant(glob, ids.clone()) {
            Some(meant) => format!("{glob}: no case is called that; did you mean '{meant}'?"),
            None => format!("{glob}: no case is called that"),
        };
        globs.iter().filter(matching).map(hint).collect()
    };
    unmatched(&command.only).iter().for_each(|hint| note(format!("--only {hint}")));
    match unmatched(&command.require).first() {
        Some(hint) => Err(format!("--require {hint}")),
        None => Ok(()),
    }
}

fn only(command: &Check) -> Vec<String> {
    command.only.iter().flat_map(|only| ["--only".to_owned(), only.clone()]).collect()
}

/// The words that repeat a run, without `--only` and what follows `--`.
fn repeat(command: &Check) -> Vec<String> {
    let mut words = vec![program(), "check".to_owned()];
    let mut option = |name: &str, value: Option<String>| {
        words.extend(value.into_iter().flat_map(|value| [name.to_owned(), value]));
    };
    let path = |path: &Option<PathBuf>| {
        let path = path.as_ref()?;
        let whole = std::path::absolute(path).unwrap_or_else(|_| path.clone());
        Some(whole.to_string_lossy().into_owned())
    };
    let profile = command.profile.and_then(|named| named.to_possible_value());
    option("--profile", profile.map(|named| named.get_name().to_owned()));
    let layer = command.layer.and_then(|layer| layer.to_possible_value());
    option("--layer", layer.map(|layer| layer.get_name().to_owned()));
    option("--seeds", (command.seeds != 2).then(|| command.seeds.to_string()));
    command.require.iter().for_each(|glob| option("--require", Some(glob.clone())));
    option("--known-failing", path(&command.known_failing));
    let Bounds { timeout, memory } = command.bounds;
    option("--timeout", (timeout != 1.0).then(|| timeout.to_string()));
    option("--memory", (memory != 4_096).then(|| memory.to_string()));
    option(
        "--seed",
        (command.common.seed != Seed::new(1)).then(|| command.common.seed.to_string()),
    );
    words
}

fn known_failing(file: Option<&PathBuf>) -> Result<KnownFailing, String> {
    let Some(file) = file else { return Ok(KnownFailing::default()) };
    let name = format!("--known-failing {}", file.display());
    let text = fs::read_to_string(file).map_err(|error| format!("{name}: {error}"))?;
    KnownFailing::parse(&text).map_err(|error| format!("{name}: {error}"))
}

pub(super) fn doctor(command: &Doctor) -> Result<Exit, String> {
    let stop =
        Stop::after(None).listen().map_err(|error| format!("signals cannot be caught: {error}"))?;
    let findings = doctor::examine(&command.bounds.launch(&command.command, stop), &cases::all());
    let mut exit = Exit::Conforms;
    let mut text = String::new();
    for finding in &findings {
        let (word, weight) = match finding.outcome {
            Outcome::Pass => ("ok", Exit::Conforms),
            Outcome::Undecided => ("unknown", Exit::Undecided),
            Outcome::AdapterBroke => ("BROKE", Exit::AdapterBroke),
            _ => ("WRONG", Exit::DoesNotConform),
        };
        exit = exit.gravest(weight);
        text.push_str(&format!(
            "{word:<8} {:<22} {}\n",
            finding.what,
            finding.seen.replace('\n', "\n         ")
        ));
    }
    let words = match exit {
        Exit::Conforms => "the adapter speaks the protocol; `check` says what it is worth",
        Exit::Undecided => {
            "the adapter speaks the protocol where it answers; what is unknown was not answered, and counts as unsupported in `check`"
        }
        _ => "the adapter does not speak the protocol; mend what is marked first",
    };
    print(&format!("{text}{words}\n"))?;
    Ok(exit)
}

pub(super) fn explain(command: &Explain) -> Result<Exit, String> {
    let all = cases::all();
    // Ids of the spec are upper-case; those of cases are not.
    let id = command.id.to_ascii_uppercase();
    let of_section = section(&id);
    if !of_section.is_empty() {
        let line = |one: &&Sentence| format!("  {}: {}\n", one.id, one.text);
        let lines: String = of_section.iter().map(line).collect();
        let (chapter, count) = (of_section[0].chapter, of_section.len());
        print(&format!("{id} is a section of spec/{chapter}.md with {count} sentences\n{lines}"))?;
        return Ok(Exit::Conforms);
    }
    if let Some(sentence) = sentence(&id) {
        let testing = all.iter().filter(|case| case.requirements.contains(&sentence.id));
        let mut text =
            format!("{} (spec/{}.md): {}\n", sentence.id, sentence.chapter, sentence.text);
        testing.for_each(|case| text.push_str(&format!("  {}\n", case.id)));
        print(&text)?;
        return Ok(Exit::Conforms);
    }
    if let Some(text) =
        register::explain(&command.id, &all).or_else(|| register::explain(&id, &all))
    {
        print(&text)?;
        return Ok(Exit::Conforms);
    }
    let chosen: Vec<&Case> =
        all.iter().filter(|case| glob::matches(&command.id, &case.id)).collect();
    if chosen.is_empty() {
        // The longest beginning of the name that some case has, cut at its dots.
        let mut begin = command.id.as_str();
        let with = |begin: &str| -> Vec<&str> {
            let ids = all.iter().map(|case| case.id.as_str());
            ids.filter(|id| !begin.is_empty() && id.starts_with(begin)).take(8).collect()
        };
        let near = loop {
            let near = with(begin);
            match begin.rsplit_once('.') {
                Some((shorter, _)) if near.is_empty() => begin = shorter,
                _ => break near,
            }
        };
        let near = if near.is_empty() {
            String::new()
        } else {
            format!("; there are {}", near.join(", "))
        };
        note(format!("no case is called {}{near}", command.id));
        return Ok(Exit::NothingTested);
    }
    let texts: Vec<String> =
        chosen.iter().map(|case| explain::explain(case, command.full)).collect();
    print(&texts.join("\n"))?;
    Ok(Exit::Conforms)
}

pub(super) fn demo_adapter(command: &DemoAdapter) -> Result<Exit, String> {
    let (text, name, interpreter) = match command.language {
        Demo::Python => (include_str!("../../adapters/demo/python.py"), "adapter.py", "python3"),
        Demo::Node => (include_str!("../../adapters/demo/node.js"), "adapter.js", "node"),
    };
    let to = command.to.clone().unwrap_or_else(|| PathBuf::from(name));
    let fault = |error: std::io::Error| format!("--to {}: {error}", to.display());
    let mut file = fs::File::create_new(&to).map_err(fault)?;
    file.write_all(text.as_bytes()).map_err(fault)?;
    let words = [
        program(),
        "check".to_owned(),
        "--".to_owned(),
        interpreter.to_owned(),
        to.to_string_lossy().into_owned(),
    ];
    print(&format!(
        "{} has one planted bug; see what says so:\n{}\n",
        to.display(),
        shell::join(&words)
    ))?;
    Ok(Exit::Conforms)
}

pub(super) fn adapter(command: &Adapter) -> Result<Exit, String> {
    let (mut input, mut output) = (std::io::stdin().lock(), std::io::stdout().lock());
    let served = match &command.mutant {
        None => serve::serve(&mut input, &mut output, serve::REFERENCE, reference::answer),
        Some(name) => {
            let mutant = behind::all().into_iter().find(|mutant| mutant.name == *name);
            let mutant = mutant.ok_or_else(|| format!("--mutant {name}: no such mutant"))?;
            serve::serve(&mut input, &mut output, name, |op, args| mutant.answer(op, args))
        }
    };
    served.map_err(|error| error.to_string())?;
    Ok(Exit::Conforms)
}
