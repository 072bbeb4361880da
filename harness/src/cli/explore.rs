//! `model` and `mutants`.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum};

use harness::glob;
use harness::machine;
use harness::model::{
    Config, Job, Limits, Messages, Preset, SearchError, Searched, Sofar, Summary, Trace, markdown,
};
use harness::mutants::{self, Mutant, Mutation, Technique};
use harness::output::{note, say};
use harness::shell;
use harness::stop::Stop;
use harness::verdict::Exit;
use mdsm_core::consensus::Protocol;

use super::behind;

/// States between two lines of progress.
const STATES_PER_LINE: u64 = 1 << 22;

#[derive(Args)]
pub(super) struct Model {
    /// A set of searches by name; the options below describe a single one otherwise.
    #[arg(long, value_enum)]
    preset: Option<Named>,
    /// Replay a trace on the code as it is.
    #[arg(long, value_name = "FILE", conflicts_with = "preset")]
    replay: Option<PathBuf>,
    /// The rules: protocol, or the name of a mutant.
    #[arg(long, value_name = "NAME", default_value = "protocol")]
    rules: String,
    /// Auditors.
    #[arg(long, value_name = "N", default_value_t = 4)]
    voters: u8,
    /// Auditors among them that are faulty in any way.
    #[arg(long, value_name = "B", default_value_t = 1)]
    byzantine: u8,
    /// Views of the first epoch.
    #[arg(long, value_name = "V", default_value_t = 2)]
    views: u8,
    /// Blocks on each parent.
    #[arg(long, value_name = "K", default_value_t = 2)]
    values: u8,
    /// Crashes in one run.
    #[arg(long, value_name = "C", default_value_t = 0)]
    crashes: u8,
    /// Crashes may take the log along; no life is promised then.
    #[arg(long)]
    logs_lost: bool,
    /// Epochs; 2 with a change of the committees between.
    #[arg(long, value_name = "E", default_value_t = 1)]
    epochs: u8,
    /// Views of the second epoch.
    #[arg(long, value_name = "V", default_value_t = 1)]
    second_views: u8,
    /// View from which on a block of the first of two epochs is its last.
    #[arg(long, value_name = "V", default_value_t = 1)]
    last_from: u8,
    /// Several nodes and certificates, or one node and single votes.
    #[arg(long, value_enum, default_value_t = Level::Certificate)]
    level: Level,
    /// From which states a new block has to become final.
    #[arg(long, value_enum, default_value_t = Liveness::All)]
    liveness: Liveness,
    /// End after so many states; undecided then.
    #[arg(long, value_name = "N")]
    states_max: Option<u64>,
    #[command(flatten)]
    output: Output,
}

#[derive(Args)]
pub(super) struct Mutants {
    /// Stop at the first technique that notices a mutant.
    #[arg(long)]
    first: bool,
    /// Only the mutants whose name matches; * stands for any run of characters.
    #[arg(long, value_name = "GLOB", default_value = "*")]
    only: String,
    /// In the place of the model checker: whole networks of eight, with small changes to single rounds,
    /// these seeds until the mistake shows.
    #[arg(long, value_name = "A..B", value_parser = super::simulate::range, conflicts_with = "first")]
    small_scope: Option<(u64, u64)>,
    /// Only wrong implementations behind the adapter protocol.
    #[arg(long, conflicts_with = "small_scope")]
    behind: bool,
    #[command(flatten)]
    output: Output,
}

#[derive(Args)]
struct Output {
    /// Where model.json, model.md, and trace.json and trace.txt of a broken claim go.
    #[arg(long, value_name = "DIR", default_value = "reports/latest")]
    out: PathBuf,
    /// What is printed at the end.
    #[arg(long, value_enum, default_value_t = super::Format::Text)]
    format: super::Format,
    /// No progress on standard error.
    #[arg(long)]
    quiet: bool,
    /// Stop after so many seconds and write what there is.
    #[arg(long, value_name = "SECONDS")]
    deadline: Option<u64>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Named {
    /// What every change has to pass.
    Ci,
    /// A night.
    Long,
}

#[derive(Clone, Copy, ValueEnum)]
enum Level {
    Certificate,
    Message,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Liveness {
    All,
    None,
}

impl Model {
    fn jobs(&self) -> Vec<Job> {
        match (self.preset, self.level) {
            (Some(Named::Ci), _) => Preset::Ci.jobs(),
            (Some(Named::Long), _) => Preset::Long.jobs(),
            (None, Level::Message) => {
                let message = |set| Messages { voters: self.voters, set, intake: true };
                (0..3).map(message).map(Job::Messages).collect()
            }
            (None, Level::Certificate) => vec![Job::Certificates(Config {
                voters: self.voters,
                byzantine: self.byzantine,
                views: self.views,
                values: self.values,
                crashes: self.crashes,
                amnesia: self.logs_lost,
                epochs: self.epochs,
                second_views: self.second_views,
                last_from: self.last_from,
                liveness: self.liveness == Liveness::All && !self.logs_lost,
                ..Config::default()
            })],
        }
    }

    fn rules(&self) -> Result<Mutation, String> {
        Mutation::by_name(&self.rules)
            .ok_or_else(|| format!("--rules {}: no such mutant", self.rules))
    }
}

/// Runs a job under the shipped rules, or under those of a mutant.
fn search(
    job: &Job,
    rules: Mutation,
    limits: Limits,
    stop: impl FnMut(Sofar) -> Option<String>,
) -> Result<Searched, SearchError> {
    match rules {
        Mutation::None => job.run(Protocol, rules.name(), limits, stop),
        mutant => job.run(mutant, rules.name(), limits, stop),
    }
}

pub(super) fn model(command: &Model) -> Result<Exit, String> {
    if let Some(file) = &command.replay {
        return replay(file, command.rules()?);
    }
    let (rules, output) = (command.rules()?, &command.output);
    let stop = listen(output)?;
    let limits = Limits { states_max: command.states_max.unwrap_or(u64::MAX), ..Limits::default() };
    let mut summaries = Vec::new();
    let mut exit = Exit::NothingTested;
    for job in command.jobs() {
        let mut due = STATES_PER_LINE;
        let searched = search(&job, rules, limits, |sofar| {
            if sofar.states >= due && !output.quiet {
                due += STATES_PER_LINE;
                let Sofar { states, transitions, depth } = sofar;
                let title = job.title();
                note(format!("{title}: {states} states, {transitions} transitions, depth {depth}"));
            }
            stop.reason()
        });
        let searched = searched.map_err(|error| format!("{}: {error}", job.title()))?;
        let verdict = verdict(&searched.summary);
        // Nothing is the lightest verdict but one: the first search replaces it.
        exit = if summaries.is_empty() { verdict } else { exit.gravest(verdict) };
        if let Some(trace) = &searched.trace {
            write_trace(&output.out, trace, rules)?;
        }
        if !output.quiet {
            note(searched.summary.line());
        }
        summaries.push(searched.summary);
        if stop.reason().is_some() {
            break;
        }
    }
    let words: Vec<String> = std::env::args().skip(1).collect();
    let command = format!("mdsm-harness {}", shell::join(&words));
    let markdown = markdown(&summaries, &command, machine::COMMIT, &machine::machine().cpu);
    let json = serde_json::json!({
        "command": command, "commit": machine::COMMIT, "machine": machine::machine().cpu, "searches": summaries,
    });
    let json = serde_json::to_string_pretty(&json).map_err(|error| error.to_string())?;
    write(&output.out, "model.md", &markdown)?;
    write(&output.out, "model.json", &json)?;
    match output.format {
        super::Format::Json => say(json)?,
        super::Format::Text => {
            let lines: Vec<String> = summaries.iter().map(Summary::line).collect();
            say(format!("{}\n{exit}", lines.join("\n")))?;
        }
    }
    Ok(exit)
}

fn verdict(summary: &Summary) -> Exit {
    match (&summary.broken, &summary.stopped) {
        (Some(_), _) => Exit::DoesNotConform,
        (None, Some(_)) => Exit::Undecided,
        // A search that never saw what it is about shows nothing.
        (None, None) if !summary.never_seen.is_empty() => Exit::OwnFault,
        (None, None) => Exit::Conforms,
    }
}

fn replay(file: &Path, rules: Mutation) -> Result<Exit, String> {
    let name = || format!("--replay {}", file.display());
    let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", name()))?;
    let trace: Trace =
        serde_json::from_str(&text).map_err(|error| format!("{}: {error}", name()))?;
    let named = Mutation::by_name(&trace.rules)
        .ok_or_else(|| format!("{}: no rules {}", name(), trace.rules))?;
    // A trace names its rules; others may be held against it.
    let rules = if rules == Mutation::None { named } else { rules };
    let replayed = match rules {
        Mutation::None => trace.replay(Protocol),
        mutant => trace.replay(mutant),
    };
    let (broken, diagram) = replayed.map_err(|error| format!("{}: {error}", name()))?;
    say(diagram)?;
    match broken {
        Some(_) => Ok(Exit::DoesNotConform),
        None => {
            say("no claim breaks")?;
            Ok(Exit::Conforms)
        }
    }
}

pub(super) fn mutants(command: &Mutants) -> Result<Exit, String> {
    let output = &command.output;
    let stop = listen(output)?;
    if let Some(seeds) = command.small_scope {
        return small_scope(command, seeds, &stop);
    }
    let protocol = if command.behind { Vec::new() } else { chosen(command) };
    let behind = behind::chosen(&command.only);
    if protocol.is_empty() && behind.is_empty() {
        say(format!("no mutant matches --only {}", command.only))?;
        return Ok(Exit::NothingTested);
    }
    let planned = protocol.len() + behind.len();
    let (mut survivors, mut noticed) = (Vec::new(), 0);
    if !protocol.is_empty() {
        noticed += searched(command, protocol, &stop, &mut survivors)?;
    }
    if !behind.is_empty() {
        let matrix = behind::matrix(&behind, command.first, output.quiet, &stop);
        let words: Vec<String> = std::env::args().skip(1).collect();
        let (command, commit) = (shell::join(&words), machine::COMMIT);
        let text = format!(
            "# Wrong implementations behind the adapter protocol\n\nmdsm-harness {command}, commit {commit}\n\n{}",
            matrix.text
        );
        write(&output.out, "behind.md", &text)?;
        say(&matrix.text)?;
        survivors.extend(matrix.survivors);
        noticed += matrix.noticed;
    }
    let (exit, rest) = match planned - noticed - survivors.len() {
        _ if !survivors.is_empty() => {
            (Exit::DoesNotConform, format!("; not noticed: {}", survivors.join(", ")))
        }
        0 => (Exit::Conforms, String::new()),
        left => (Exit::Undecided, format!("; {left} not asked, as the time was over")),
    };
    say(format!("{noticed} of {planned} mutants noticed{rest}"))?;
    Ok(exit)
}

/// Puts wrong protocols before the model checker, as long as there is time; says how many were noticed.
fn searched(
    command: &Mutants,
    chosen: Vec<Mutant>,
    stop: &Stop,
    survivors: &mut Vec<&'static str>,
) -> Result<usize, String> {
    let output = &command.output;
    let mut text = String::from("| mutant | requirement | rule |");
    Technique::ALL.iter().for_each(|technique| text.push_str(&format!(" {} |", technique.name())));
    text.push_str("\n|---|---|---|---|---|---|---|---|\n");
    let mut noticed = 0;
    for mutant in chosen {
        if stop.reason().is_some() {
            break;
        }
        let row = mutants::row(mutant, command.first).map_err(|error| error.to_string())?;
        let mut line = format!("| {} | {} | {} |", mutant.name, mutant.requirement, mutant.rule);
        for technique in Technique::ALL {
            let cell = match row.kills.iter().find(|(known, _)| *known == technique) {
                Some((_, kill)) => match kill.claim {
                    Some(claim) => format!(" {claim:?} in {} |", kill.states),
                    None => format!(" - ({}) |", kill.states),
                },
                None => " |".to_owned(),
            };
            line.push_str(&cell);
        }
        if row.is_killed() {
            noticed += 1;
        } else {
            survivors.push(mutant.name);
        }
        if !output.quiet {
            note(&line);
        }
        text.push_str(&line);
        text.push('\n');
    }
    write(&output.out, "mutants.md", &text)?;
    say(text)?;
    Ok(noticed)
}

fn chosen(command: &Mutants) -> Vec<Mutant> {
    let mut chosen = mutants::MUTATIONS.to_vec();
    chosen.retain(|mutant| glob::matches(&command.only, mutant.name));
    chosen
}

/// What mutations of messages show of each mutant. No survivor fails here: what breaks in a crash only is
/// for others to find.
fn small_scope(command: &Mutants, (from, to): (u64, u64), stop: &Stop) -> Result<Exit, String> {
    let is_over = || stop.reason().is_some();
    let protocol = mutants::small_scope(&Protocol, from..to, is_over);
    let mut text = String::from("| mutant | requirement | rule | shown by |\n|---|---|---|---|\n");
    let chosen = chosen(command);
    if chosen.is_empty() {
        say(format!("no mutant matches --only {}", command.only))?;
        return Ok(Exit::NothingTested);
    }
    let mut shown = 0;
    for mutant in &chosen {
        let found = mutants::small_scope(&mutant.mutation, from..to, is_over);
        shown += usize::from(found.is_some());
        let cell = match &found {
            Some(found) => {
                format!("{} in seed {}, run {}", found.claims.join(", "), found.seed, found.runs)
            }
            None => format!("- ({})", to - from),
        };
        let line =
            format!("| {} | {} | {} | {cell} |\n", mutant.name, mutant.requirement, mutant.rule);
        if !command.output.quiet {
            note(line.trim_end());
        }
        text.push_str(&line);
        if is_over() {
            break;
        }
    }
    text.push_str(&format!("\n{shown} of {} shown.\n", chosen.len()));
    write(&command.output.out, "small-scope.md", &text)?;
    say(text)?;
    match protocol {
        Some(found) => {
            let (claims, seed) = (found.claims.join(", "), found.seed);
            say(format!("the protocol itself breaks {claims} in seed {seed}"))?;
            Ok(Exit::DoesNotConform)
        }
        None if is_over() => Ok(Exit::Undecided),
        None => Ok(Exit::Conforms),
    }
}

fn listen(output: &Output) -> Result<Stop, String> {
    Stop::after(output.deadline.map(Duration::from_secs))
        .listen()
        .map_err(|error| format!("signals cannot be caught: {error}"))
}

fn write_trace(out: &Path, trace: &Trace, rules: Mutation) -> Result<(), String> {
    let json = serde_json::to_string_pretty(trace).map_err(|error| error.to_string())?;
    let replayed = match rules {
        Mutation::None => trace.replay(Protocol),
        mutant => trace.replay(mutant),
    };
    let (_, diagram) = replayed.map_err(|error| format!("a trace does not replay: {error}"))?;
    write(out, "trace.json", &json)?;
    write(out, "trace.txt", &diagram)?;
    let file = out.join("trace.json").to_string_lossy().into_owned();
    let words = [super::program(), "model".to_owned(), "--replay".to_owned(), file];
    say(format!("{diagram}\nagain: {}", shell::join(&words)))
}

fn write(out: &Path, name: &str, text: &str) -> Result<(), String> {
    let path = out.join(name);
    fs::create_dir_all(out)
        .and_then(|()| fs::write(&path, text))
        .map_err(|error| format!("--out {}: {error}", path.display()))
}
