//! `check`: cases chosen, put to the adapter one after another, judged, and told as a report.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Instant;

use super::adapter::{Fault, Launch};
use super::case::{Case, Check, Layer};
use super::judge::{self, Judged};
use super::known::{KnownFailing, Ran};
use super::network::{self, Networks};
use super::protocol::{Hello, Reply};
use super::sentences::{self, Profile, REFERENCE};
use super::subject::{FAULTS_MAX, Interrupt, Running, Subject};
use super::transcript::{self, Detail};
use super::vectors::Vector;
use super::verdicts;
use crate::glob;
use crate::output::note;
use crate::progress::Progress;
use crate::report::{self, Chapter, Report, Run};
use crate::seed::Seed;
use crate::shell;
use crate::stop::Stop;
use crate::verdict::Outcome;

/// What to check, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// How the adapter is started.
    pub launch: Launch,
    /// The profile that decides; both without.
    pub profile: Option<Profile>,
    /// The layer whose cases count; all of them without.
    pub layer: Option<Layer>,
    /// Seeds with which each network runs.
    pub seeds: u64,
    /// Which cases count; all without.
    pub only: Vec<String>,
    /// Where unsupported is a failure.
    pub require: Vec<String>,
    /// Failures that are excused.
    pub known: KnownFailing,
    /// `YYYY-MM-DD`.
    pub today: String,
    /// What random draws follow from.
    pub seed: Seed,
    /// How much of transcripts is shown.
    pub detail: Detail,
    /// Where whole transcripts go; not written without.
    pub transcripts: Option<PathBuf>,
    /// Words before `-- CMD` that repeat the run, without `--only`.
    pub repeat: Vec<String>,
}

impl Options {
    /// Whether only some of the cases are asked.
    #[must_use]
    pub fn is_part(&self) -> bool {
        !self.only.is_empty() || self.layer.is_some() || self.profile.is_some()
    }
}

/// Characters of a transcript in a report.
const TRANSCRIPT_MAX: usize = 6_000;

/// Checks an implementation.
///
/// # Errors
/// When transcripts cannot be written.
pub fn run(
    options: &Options,
    cases: Vec<Case>,
    run: impl FnOnce(&Hello) -> Run,
    progress: &Progress,
) -> Result<Report, String> {
    let ops: BTreeSet<String> = cases.iter().flat_map(|case| case.ops.iter().cloned()).collect();
    let chosen = choose(options, cases);
    let planned = chosen.len();
    let (mut running, hello) = match Running::start(options.launch.clone()) {
        Ok(running) => {
            let hello = running.hello().clone();
            (Ok(running), hello)
        }
        Err((fault, log)) => (Err((fault, log)), nobody(&options.launch)),
    };
    let unknown = hello.unknown_ops(&ops);
    if !unknown.is_empty() {
        let names = unknown.join(", ");
        let names = names.escape_debug();
        note(format!("hello names unknown operations: {names}; misspelt? They are never asked"));
    }
    progress.start("cases", planned);
    let mut judged = Vec::new();
    let mut classes = Classes::default();
    let mut networks = Networks::new(options.seeds);
    for case in &chosen {
        let done = match &mut running {
            Ok(running) => judge(options, running, case, &mut classes, &mut networks),
            Err(_) => Done::skipped("the adapter did not start".to_owned()),
        };
        judged.push(into_report(options, case, done)?);
        progress.step();
    }
    let unequal = networks.unequal();
    if !unequal.is_empty() {
        note(format!("not deterministic in {}: the same steps went otherwise", unequal.join(", ")));
    }
    let mut extra = readings(options, &hello);
    extra.extend(ending(options, running));
    extra.extend(unfinished(options, &judged));
    excuse(options, &chosen, &mut judged, &mut extra);
    progress.finish();
    Ok(told(options, &hello, &chosen, judged, extra, &classes, run(&hello)))
}

fn choose(options: &Options, cases: Vec<Case>) -> Vec<Case> {
    let is_of = |case: &Case| options.profile.is_none_or(|profile| case.profile() <= profile);
    let is_asked = |case: &Case| options.only.is_empty() || glob::any(&options.only, &case.id);
    let is_in = |case: &Case| options.layer.is_none_or(|layer| case.layer() == layer);
    cases.into_iter().filter(|case| is_of(case) && is_in(case) && is_asked(case)).collect()
}

/// An adapter that did not say who it is.
fn nobody(launch: &Launch) -> Hello {
    Hello {
        name: launch.command.first().cloned().unwrap_or_default(),
        version: "unknown".to_owned(),
        ..Hello::default()
    }
}

/// How a case ended.
struct Done {
    outcome: Outcome,
    seen: String,
    transcript: String,
    full: String,
    took_us: u64,
}

impl Done {
    fn broke(fault: &Fault, said: &[(String, String)], log: &[String], detail: Detail) -> Self {
        let outcome = match fault {
            Fault::Stopped(reason) => Outcome::skipped(format!("not finished: {reason}")),
            _ => Outcome::AdapterBroke,
        };
        Self {
            outcome,
            seen: fault.to_string(),
            transcript: transcript::text(said, log, detail),
            full: transcript::text(said, log, Detail::Full),
            took_us: 0,
        }
    }

    fn skipped(reason: String) -> Self {
        let nothing = String::new;
        Self {
            outcome: Outcome::skipped(reason),
            seen: nothing(),
            transcript: nothing(),
            full: nothing(),
            took_us: 0,
        }
    }
}

/// How many rejections named a kind of fault that fits.
#[derive(Debug, Default)]
struct Classes {
    fitting: u64,
    all: u64,
    first_other: Option<String>,
}

fn judge(
    options: &Options,
    running: &mut Running,
    case: &Case,
    classes: &mut Classes,
    networks: &mut Networks,
) -> Done {
    let stop: &Stop = &options.launch.stop;
    if let Some(reason) = stop.reason() {
        return Done::skipped(reason);
    }
    if running.is_given_up() {
        return Done::skipped(format!("the adapter broke {FAULTS_MAX} times in a row"));
    }
    let missing: Vec<&str> =
        case.ops.iter().map(String::as_str).filter(|op| !running.hello().offers(op)).collect();
    if !missing.is_empty() {
        let seen = format!("hello does not name {}", missing.join(", "));
        return Done { outcome: unsupported(options, case), seen, ..Done::skipped(String::new()) };
    }
    let started = Instant::now();
    let result = match &case.check {
        Check::Vector(asked) => {
            running.case(options.seed, &case.id, |subject| vector(subject, asked, classes))
        }
        Check::Property(steps) => running.case(options.seed, &case.id, steps),
        Check::Sequence(sequence) => {
            running.case(options.seed, &case.id, |subject| network::follow(subject, sequence))
        }
        Check::Network(asked) => {
            let ran = if networks.has(*asked) {
                Ok(())
            } else {
                running.case(options.seed, &case.id, |subject| {
                    networks.run(subject, *asked, options.seed)
                })
            };
            ran.and_then(|()| networks.judge(*asked))
        }
    };
    let took_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
    let (said, log) = running.take_transcript();
    let (outcome, seen) = match result {
        Ok(seen) => (Outcome::Pass, seen),
        Err(Interrupt::Fault(fault)) => {
            return Done { took_us, ..Done::broke(&fault, &said, &log, options.detail) };
        }
        Err(Interrupt::Unsupported(why)) => (unsupported(options, case), why),
        Err(Interrupt::Broken(what)) => (Outcome::Fail, what),
        Err(Interrupt::Undecided(what)) => (Outcome::Undecided, what),
    };
    let log = if outcome.needs_attention() { log } else { Vec::new() };
    let transcript = transcript::text(&said, &log, options.detail);
    Done { outcome, seen, transcript, full: transcript::text(&said, &log, Detail::Full), took_us }
}

fn unsupported(options: &Options, case: &Case) -> Outcome {
    if glob::any(&options.require, &case.id) { Outcome::Fail } else { Outcome::Unsupported }
}

fn vector(
    subject: &mut Subject<'_>,
    asked: &Vector,
    classes: &mut Classes,
) -> Result<String, Interrupt> {
    let reply = subject.ask(&asked.op, asked.args.clone())?;
    match judge::judge(asked, &reply, subject.hello()) {
        Judged::Held { class_fits } => {
            if let Some(fits) = class_fits {
                classes.all += 1;
                classes.fitting += u64::from(fits);
                if !fits && classes.first_other.is_none() {
                    classes.first_other = Some(asked.id.clone());
                }
            }
            Ok(match (class_fits, &reply) {
                (Some(false), Reply::Reject { class, .. }) => {
                    format!("rejected, as {class} where another class fits")
                }
                (Some(true), Reply::Reject { class, .. }) => format!("rejected as {class}"),
                _ => String::new(),
            })
        }
        Judged::Broken(what) => Err(Interrupt::Broken(what)),
        Judged::Undeclared(what) => Err(Interrupt::Undecided(what)),
    }
}

fn into_report(options: &Options, case: &Case, done: Done) -> Result<report::Case, String> {
    let Done { outcome, seen, transcript, full, took_us } = done;
    if let Some(folder) = &options.transcripts
        && !full.is_empty()
    {
        let text = if options.detail == Detail::Full { &full } else { &transcript };
        let path = folder.join(format!("{}.txt", case.id));
        std::fs::create_dir_all(folder)
            .and_then(|()| std::fs::write(&path, text))
            .map_err(|error| format!("{}: {error}", path.display()))?;
    }
    let detail = if outcome.needs_attention() {
        let shown: String = transcript.chars().take(TRANSCRIPT_MAX).collect();
        format!("{seen}\n\n{shown}")
    } else {
        seen
    };
    Ok(report::Case {
        id: case.id.clone(),
        title: case.title.clone(),
        requirements: case.requirements.clone(),
        outcome,
        detail,
        duration_us: took_us,
        rerun: repeat(options, Some(&case.id)),
    })
}

fn repeat(options: &Options, only: Option<&str>) -> String {
    let mut words = options.repeat.clone();
    let only = only.map_or_else(|| options.only.clone(), |only| vec![only.to_owned()]);
    words.extend(only.into_iter().flat_map(|only| ["--only".to_owned(), only]));
    words.push("--".to_owned());
    words.extend(options.launch.command.iter().cloned());
    shell::join(&words)
}

fn extra_case(
    options: &Options,
    id: String,
    title: &str,
    outcome: Outcome,
    detail: String,
) -> report::Case {
    report::Case {
        id,
        title: title.to_owned(),
        requirements: Vec::new(),
        outcome,
        detail,
        duration_us: 0,
        rerun: repeat(options, None),
    }
}

/// Profile `mdsm-1` knows one reading of each point. A reading that is in no register is a mistake anywhere.
fn readings(options: &Options, hello: &Hello) -> Vec<(Profile, report::Case)> {
    let others = hello.readings.iter().filter(|(_, reading)| *reading != REFERENCE);
    let case = |(point, reading): (&String, &String)| {
        let is_known = sentences::readings(point).contains(&reading.as_str());
        let (profile, detail) = if is_known {
            let words = sentences::interoperation(point).unwrap_or_default();
            (
                Profile::Mdsm1,
                format!("{point}={reading} is declared; profile mdsm-1 takes {REFERENCE}. {words}"),
            )
        } else {
            (
                Profile::Paper,
                format!("{point}={reading} is declared, which the register does not have"),
            )
        };
        let title = "the reading that is declared is the profile's";
        (profile, extra_case(options, format!("readings.{point}"), title, Outcome::Fail, detail))
    };
    let cases = others.map(case);
    cases.filter(|(profile, _)| options.profile.is_none_or(|asked| *profile <= asked)).collect()
}

/// How the adapter began or ended, told only where it went wrong.
fn ending(
    options: &Options,
    running: Result<Running, (Fault, Vec<String>)>,
) -> Option<(Profile, report::Case)> {
    let (id, title, done) = match running {
        Err((fault, log)) => {
            let title = "the adapter starts and says hello";
            ("adapter.start", title, Done::broke(&fault, &[], &log, options.detail))
        }
        Ok(running) => {
            // In a run that was stopped it may have been ended by whoever stopped the run.
            let fault = running.bye().err().filter(|_| options.launch.stop.reason().is_none())?;
            let title = "the adapter ends on bye, with exit code 0";
            ("adapter.bye", title, Done::broke(&fault, &[], &[], options.detail))
        }
    };
    let detail = format!("{}\n\n{}", done.seen, done.transcript);
    Some((Profile::Paper, extra_case(options, id.to_owned(), title, done.outcome, detail)))
}

/// A run that was stopped says nothing of the cases that it did not come to, and is no pass.
fn unfinished(options: &Options, judged: &[report::Case]) -> Option<(Profile, report::Case)> {
    let reason = options.launch.stop.reason()?;
    let left = judged.iter().filter(|case| is_skipped(case)).count();
    let all = judged.len();
    let detail = format!("not finished: {reason}; {left} of {all} cases were not judged");
    let title = "the run comes to its end";
    let case = || extra_case(options, "run.finished".to_owned(), title, Outcome::Undecided, detail);
    (left > 0).then(|| (Profile::Paper, case()))
}

fn is_skipped(case: &report::Case) -> bool {
    matches!(case.outcome, Outcome::Skipped { .. })
}

/// Excuses known failures, and fails entries that excuse nothing, have expired, or say no reason of their own.
fn excuse(
    options: &Options,
    chosen: &[Case],
    judged: &mut [report::Case],
    extra: &mut Vec<(Profile, report::Case)>,
) {
    let mut used = BTreeSet::new();
    for case in judged.iter_mut().chain(extra.iter_mut().map(|(_, case)| case)) {
        if !matches!(case.outcome, Outcome::Fail | Outcome::AdapterBroke) {
            continue;
        }
        if let Some((entry, known)) = options.known.excuse(&case.id, &options.today) {
            used.insert(entry);
            case.outcome = Outcome::KnownFailing;
            case.detail = format!("{} (until {}); {}", known.reason, known.expires, case.detail);
        }
    }
    let cases: Vec<_> =
        judged.iter().map(|case| (case.id.as_str(), &case.outcome, case.detail.as_str())).collect();
    let ran = Ran { cases: &cases, is_part: options.is_part() };
    for (entry, known) in options.known.known.iter().enumerate() {
        let detail = if known.has_expired(&options.today) {
            format!("case = {:?} expired on {}: {}", known.case, known.expires, known.reason)
        } else if !known.is_explained() {
            format!("case = {:?} has the reason it was written with; say why it fails", known.case)
        } else if used.contains(&entry) || known.is_unasked(ran) {
            continue;
        } else {
            format!(
                "case = {:?} excuses nothing: no such case fails ({})",
                known.case, known.reason
            )
        };
        let id = format!("known-failing.{}", entry + 1);
        let title =
            "each entry of the known-failing file excuses a failure, says why, and has not expired";
        let mut named = chosen.iter().filter(|case| glob::matches(&known.case, &case.id));
        // An entry about cases of mdsm-1 alone takes nothing from the verdict under the profile paper.
        let is_mdsm_1_alone =
            named.clone().next().is_some() && named.all(|case| case.profile() == Profile::Mdsm1);
        let profile = if is_mdsm_1_alone { Profile::Mdsm1 } else { Profile::Paper };
        extra.push((profile, extra_case(options, id, title, Outcome::Fail, detail)));
    }
}

fn told(
    options: &Options,
    hello: &Hello,
    chosen: &[Case],
    judged: Vec<report::Case>,
    extra: Vec<(Profile, report::Case)>,
    classes: &Classes,
    run: Run,
) -> Report {
    let profiles: Vec<Profile> =
        options.profile.map_or(Profile::ALL.to_vec(), |profile| vec![profile]);
    let of: Vec<verdicts::Of<'_>> = chosen
        .iter()
        .map(Case::profile)
        .zip(&judged)
        .chain(extra.iter().map(|(profile, case)| (*profile, case)))
        .collect();
    let conformance = verdicts::conformance(&options.launch.command, hello, &of, &profiles);
    let planned = u64::try_from(chosen.len() + extra.len()).unwrap_or(u64::MAX);
    let mut chapters: Vec<Chapter> = Vec::new();
    for case in judged {
        let group = case.id.split('.').next().unwrap_or_default().to_owned();
        match chapters.iter_mut().find(|chapter| chapter.id == group) {
            Some(chapter) => chapter.cases.push(case),
            None => {
                let mut chapter = Chapter::new(group.clone(), group);
                chapter.cases.push(case);
                chapters.push(chapter);
            }
        }
    }
    if !extra.is_empty() {
        let mut chapter = Chapter::new("adapter", "The adapter and what it declares");
        chapter.cases = extra.into_iter().map(|(_, case)| case).collect();
        chapters.push(chapter);
    }
    if let (Some(chapter), 1..) = (chapters.first_mut(), classes.all) {
        let Classes { fitting, all, first_other } = classes;
        let first = first_other.as_ref().map(|id| format!("; the first that does not: {id}"));
        chapter.fact(
            "rejections",
            format!(
                "{fitting} of {all} name a class that fits (STO-1.7){}",
                first.unwrap_or_default()
            ),
        );
    }
    let mut report = Report::new(run, planned, chapters);
    report.conformance = Some(conformance);
    report
}
