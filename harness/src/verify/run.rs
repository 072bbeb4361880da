//! Running `verify`: the network once, then the cases, then the report.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::Instant;

use super::cases::{self, Case, Means, Part};
use super::world::World;
use mdsm_core::ledger::Content;

use crate::glob;
use crate::input::{self, Input, Refusal};
use crate::machine::{COMMIT, machine, now_ms};
use crate::progress::Progress;
use crate::report::{self, Chapter, Measurement, Report, Run};
use crate::seed::Seed;
use crate::shell;
use crate::stop::Stop;
use crate::verdict::{Outcome, UndecidedPolicy};

/// What to verify, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// Every draw follows from it.
    pub seed: Seed,
    /// Real files instead of generated ones.
    pub input: Option<PathBuf>,
    /// Generated files, also beside real ones: a handful of files fills no data block.
    pub files: usize,
    /// Threads that book files.
    pub jobs: usize,
    /// Which cases count, by their id; `*` stands for any run of characters.
    pub only: Option<String>,
    /// What undecided cases mean to a pipeline.
    pub undecided: UndecidedPolicy,
    /// The program, as it can be called again.
    pub program: String,
}

/// What a run leaves to its caller.
#[derive(Debug)]
pub struct Verified {
    /// Verdict, cases and numbers.
    pub report: Report,
    /// A receipt to hand to a stranger, if the network ran.
    pub example: Option<Example>,
}

/// A receipt with all that a stranger needs to check it.
#[derive(Debug)]
pub struct Example {
    /// The receipt.
    pub receipt: Vec<u8>,
    /// Bitcoin's headers from the genesis block on.
    pub headers: Vec<u8>,
    /// The record's content, which the receipt does not carry.
    pub content: Vec<u8>,
}

/// Verifies.
///
/// # Errors
/// When the input directory cannot be read; that is the caller's fault, not the network's.
pub fn run(options: &Options, progress: &Progress, stop: &Stop) -> Result<Verified, String> {
    let started_ms = now_ms();
    let (inputs, refusals) = inputs(options)?;
    let mut parts = if inputs.is_empty() && refusals.is_empty() {
        Vec::new()
    } else {
        cases::all(&inputs, &refusals, &Means::new(&options.program, stop))
    };
    let cases = |parts: &[Part]| parts.iter().map(|part| part.cases.len()).sum::<usize>();
    let all = cases(&parts);
    if let Some(only) = &options.only {
        for part in &mut parts {
            part.cases.retain(|case| glob::matches(only, &case.id));
        }
        parts.retain(|part| !part.cases.is_empty());
    }
    let planned = cases(&parts);
    let world = if planned == 0 {
        Err(None)
    } else {
        World::run(options.seed, &inputs, refusals, options.jobs, progress, stop).map_err(Some)
    };
    let mut chapters = Vec::new();
    if let Ok(world) = &world {
        let mut chapter = network(world);
        if let (Some(only), left_out @ 1..) = (&options.only, all - planned) {
            chapter.fact("left out", format!("{left_out} of {all} cases, by --only {only}"));
        }
        chapters.push(chapter);
    }
    progress.start("cases", planned);
    for part in parts {
        let Part { id, title, cases } = part;
        let mut chapter = Chapter::new(id, title);
        for case in cases {
            chapter.cases.push(judge(options, &case, &world, stop));
            progress.step();
        }
        chapters.push(chapter);
    }
    let lost = world.as_ref().map_or(0, |world| inputs.len() - world.taken.len());
    let gaps = [
        stop.reason().map(|reason| ("run.complete", "the run went to its end", reason)),
        (lost > 0 && stop.reason().is_none()).then(|| {
            let what = format!("{lost} of {} files could not be taken", inputs.len());
            ("run.inputs", "every file that was found was taken", what)
        }),
    ];
    let gaps: Vec<_> = gaps.into_iter().flatten().map(|gap| gap_case(gap, options)).collect();
    let planned = planned + gaps.len();
    if !gaps.is_empty() {
        let mut chapter = Chapter::new("run", "The run itself");
        chapter.cases = gaps;
        chapters.push(chapter);
    }
    progress.finish();
    let run = Run {
        program: "mdsm-core (the reference)".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        commit: COMMIT.to_owned(),
        seed: options.seed,
        command: command(options, options.only.as_deref()),
        machine: machine(),
        started_ms,
        ended_ms: now_ms(),
        undecided: options.undecided,
    };
    let planned = u64::try_from(planned).unwrap_or(u64::MAX);
    let example = world.ok().and_then(|world| example(&world, &inputs));
    Ok(Verified { report: Report::new(run, planned, chapters), example })
}

/// The first record that carries a FHIR resource, or else the first that carries its content. Of
/// generated files only: an example lies about for everybody, and the caller's may be of a patient.
fn example(world: &World, inputs: &[Input]) -> Option<Example> {
    let inline = |fhir: bool| {
        let mut generated = world.taken.iter().filter(|file| is_generated(&inputs[file.input]));
        generated.find_map(|file| {
            let record = &world.envelope(&file.record_id)?.record;
            let is_fhir = record.metadata().content_type.as_str().contains("fhir");
            match record.content() {
                Content::Inline(content) if is_fhir || !fhir => Some((file, content)),
                _ => None,
            }
        })
    };
    let (file, content) = inline(true).or_else(|| inline(false))?;
    let receipt = world.receipt(&file.record_id)?.bytes.clone();
    Some(Example { receipt, headers: world.headers.clone(), content: content.to_vec() })
}

fn is_generated(input: &Input) -> bool {
    input.group().starts_with("/generated/")
}

fn inputs(options: &Options) -> Result<(Vec<Input>, Vec<Refusal>), String> {
    let generated = input::generated(options.seed, options.files);
    let Some(path) = &options.input else { return Ok((generated, Vec::new())) };
    let (mut inputs, refusals) =
        input::directory(path).map_err(|error| format!("--input {}: {error}", path.display()))?;
    // Nothing of the caller's is tested when there is nothing of the caller's.
    if inputs.is_empty() && refusals.is_empty() {
        return Ok((inputs, refusals));
    }
    inputs.extend(generated);
    Ok((inputs, refusals))
}

/// A run with gaps must not look like one that held, whatever `--only` asks for: what was left out
/// could have failed.
fn gap_case((id, title, what): (&str, &str, String), options: &Options) -> report::Case {
    report::Case {
        id: id.to_owned(),
        title: title.to_owned(),
        requirements: Vec::new(),
        outcome: Outcome::Undecided,
        detail: what,
        duration_us: 0,
        rerun: command(options, options.only.as_deref()),
    }
}

fn judge(
    options: &Options,
    case: &Case,
    world: &Result<World, Option<String>>,
    stop: &Stop,
) -> report::Case {
    let started = Instant::now();
    let (outcome, detail) = match (world, stop.reason()) {
        (_, Some(reason)) => (Outcome::skipped(reason), String::new()),
        // The network did not run to its end: every claim about it is refuted at once.
        (Err(fault), None) => (Outcome::Fail, fault.clone().unwrap_or_default()),
        (Ok(world), None) => match catch_unwind(AssertUnwindSafe(|| (case.check)(world))) {
            Ok(Ok(seen)) => (Outcome::Pass, seen),
            Ok(Err(fault)) => fault.outcome(),
            Err(panic) => (Outcome::OwnFault, format!("the check panicked: {}", words(&*panic))),
        },
    };
    report::Case {
        id: case.id.clone(),
        title: case.title.clone(),
        requirements: case.requirements.iter().map(|&id| id.to_owned()).collect(),
        outcome,
        detail,
        duration_us: u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX),
        rerun: command(options, Some(&case.id)),
    }
}

fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default()
}

/// What the network did, in numbers. They inform; no case depends on a time.
fn network(world: &World) -> Chapter {
    let mut chapter = Chapter::new("network", "The network: what ran");
    let totals = world.producer.chain.totals();
    let bytes: u64 = world.taken.iter().map(|file| file.bytes).sum();
    chapter.fact("files", format!("{} of {} bytes", world.taken.len(), bytes));
    chapter.fact(
        "chain",
        format!(
            "{} records in {} Items, {} Item blocks, {} data blocks, {} windows",
            totals.records,
            totals.items,
            totals.item_blocks,
            totals.data_blocks,
            world.producer.windows.len()
        ),
    );
    chapter.fact(
        "bitcoin",
        format!("embedded regtest chain of {} blocks", world.producer.bitcoin.height()),
    );
    chapter.fact(
        "simulated",
        "time is the protocol's; consensus is left out: each block counts once its check passes",
    );
    for window in &world.producer.windows {
        let anchor = &window.frozen.anchor;
        chapter.fact(
            format!("epoch {}", anchor.epoch),
            format!("anchor root {} in Bitcoin block {}", anchor.root(), window.proof.height),
        );
    }
    let seconds = world.ingest_time.as_secs_f64();
    let records = world.taken.len() as f64;
    chapter.measurements.push(
        Measurement::new("durable ingest", records / seconds, "records/s").note(format!(
            "{} threads, mixed files of {} bytes on average, verified and synced; wall time of this machine",
            world.jobs,
            bytes.checked_div(world.taken.len() as u64).unwrap_or(0)
        )),
    );
    chapter.measurements.push(Measurement::new(
        "network, from first file to last receipt",
        world.total_time.as_secs_f64(),
        "s",
    ));
    chapter
}

/// A command line that repeats the run, wherever it is pasted.
fn command(options: &Options, only: Option<&str>) -> String {
    let mut words = vec![options.program.clone(), "verify".to_owned()];
    words.extend(["--seed".to_owned(), options.seed.to_string()]);
    if let Some(path) = &options.input {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
        words.extend(["--input".to_owned(), path.to_string_lossy().into_owned()]);
    }
    words.extend(["--files".to_owned(), options.files.to_string()]);
    words.extend(["--jobs".to_owned(), options.jobs.to_string()]);
    if let Some(only) = only {
        words.extend(["--only".to_owned(), only.to_owned()]);
    }
    if options.undecided == UndecidedPolicy::Warn {
        words.push("--undecided=warn".to_owned());
    }
    shell::join(&words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verified(input: Option<PathBuf>, only: &str) -> Verified {
        let options = Options {
            seed: Seed::new(1),
            input,
            files: 8,
            jobs: 1,
            only: Some(only.to_owned()),
            undecided: UndecidedPolicy::Fail,
            program: "no-program".to_owned(),
        };
        run(&options, &Progress::new(true), &Stop::after(None)).expect("the input is there")
    }

    #[test]
    fn a_callers_file_is_no_example() {
        let patient = br#"{"resourceType":"Patient","id":"given","name":[{"family":"Given"}]}"#;
        let input = tempfile::tempdir().unwrap();
        std::fs::write(input.path().join("patient.json"), patient).unwrap();
        let example = verified(Some(input.path().to_owned()), "headers.mainnet").example;
        let example = example.expect("files were generated");
        assert_ne!(example.content, patient);
        let holds = |bytes: &[u8]| bytes.windows(5).any(|run| run == b"Given");
        assert!(!holds(&example.receipt) && !holds(&example.content));
    }

    #[test]
    fn a_run_of_some_cases_says_how_many_it_left_out() {
        let left_out = |only| -> Option<String> {
            let chapters = verified(None, only).report.chapters;
            let facts = chapters.into_iter().flat_map(|chapter| chapter.facts);
            facts.into_iter().find(|fact| fact.key == "left out").map(|fact| fact.value)
        };
        let said = left_out("headers.mainnet").expect("most were left out");
        let (left, rest) = said.split_once(" of ").unwrap();
        let (all, by) = rest.split_once(' ').unwrap();
        assert_eq!(left.parse::<usize>().unwrap() + 1, all.parse::<usize>().unwrap());
        assert_eq!(by, "cases, by --only headers.mainnet");
    }
}
