//! `simulate`, `replay`, `shrink` and `report merge`.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use harness::machine;
use harness::output::{print, say};
use harness::progress::Progress;
use harness::report::{Case, Chapter, Report};
use harness::shell;
use harness::simulation::broken::Broken;
use harness::simulation::campaign::{self, CLAIMS, Campaign, Sound};
use harness::simulation::cluster::Shape;
use harness::simulation::node::Scale;
use harness::simulation::node::campaign::NodeCampaign;
use harness::simulation::plan::Faults;
use harness::simulation::run::Counts;
use harness::simulation::schedule::{HOURS_MAX, Schedule};
use harness::simulation::shrink;
use harness::simulation::strategies::Name;
use harness::verdict::{Exit, Outcome};

use super::full;
use super::{Common, finish, jobs, program, run_of, stop};

/// What a shard leaves behind.
const FILE: &str = "campaign.json";

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Preset {
    /// 101 producers and 20 auditors, turns of 6 s.
    Paper,
    /// Four of each.
    Small,
    /// Five producers and seven auditors.
    N7,
    /// Four producers and twenty auditors.
    N20,
}

/// Which network, and which faults.
#[derive(Args, Clone)]
struct Network {
    /// The network; small by default.
    #[arg(long, value_enum)]
    preset: Option<Preset>,
    /// Faults last so many hours; a minute and a half by default.
    #[arg(long, value_name = "H", value_parser = clap::value_parser!(u64).range(..=HOURS_MAX))]
    hours: Option<u64>,
    /// links, cuts, crashes, disks, clocks, strategies, all or none, with commas between; all by default.
    #[arg(long, value_name = "LIST")]
    faults: Option<Faults>,
    /// This strategy for as many auditors as may be faulty, and one producer.
    #[arg(long, value_name = "NAME")]
    strategy: Option<Name>,
    /// A rule of the protocol to break, to see that it is noticed.
    #[arg(long, value_name = "NAME")]
    rules: Option<Broken>,
    /// ideal or real signatures; ideal by default.
    #[arg(long, value_enum)]
    signatures: Option<Kind>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    Ideal,
    Real,
}

#[derive(Args)]
pub(super) struct Simulate {
    /// Whole nodes with users, disks and Bitcoin, in the place of consensus alone; presets paper and
    /// small.
    #[arg(long)]
    full: bool,
    /// Which seeds, the second excluded.
    #[arg(long, value_name = "A..B", default_value = "0..1000", value_parser = range)]
    seeds: (u64, u64),
    /// Which part of how many: for Kubernetes indexed jobs, Slurm arrays, GNU parallel.
    #[arg(long, value_name = "I/N", default_value = "1/1", value_parser = part)]
    shard: (u64, u64),
    #[command(flatten)]
    network: Network,
    #[command(flatten)]
    common: Common,
}

#[derive(Args)]
pub(super) struct Replay {
    /// A schedule, or the seed of a run.
    what: String,
    #[command(flatten)]
    network: Network,
}

#[derive(Args)]
pub(super) struct Shrink {
    /// A schedule, or the seed of a run, that fails.
    what: String,
    /// Where the shortest schedule goes.
    #[arg(long, value_name = "FILE", default_value = "shrunk.txt")]
    to: PathBuf,
    /// Runs that it may take.
    #[arg(long, value_name = "N", default_value_t = 3_000,
          value_parser = clap::value_parser!(u32).range(i64::from(shrink::RUNS_MIN)..))]
    runs: u32,
    #[command(flatten)]
    network: Network,
}

/// Seeds of one campaign.
const SEEDS_MAX: u64 = 100_000_000;
/// The same with whole nodes, each with a case of its own in the report.
const FULL_SEEDS_MAX: u64 = 1_000_000;

pub(super) fn range(text: &str) -> Result<(u64, u64), String> {
    let (from, to) = text.split_once("..").ok_or("expected A..B")?;
    let number = |text: &str| text.parse::<u64>().map_err(|_| format!("`{text}` is no number"));
    let (from, to) = (number(from)?, number(to)?);
    match to.checked_sub(from) {
        None | Some(0) => Err("there is no seed in it".to_owned()),
        Some(seeds) if seeds > SEEDS_MAX => {
            Err(format!("{seeds} seeds where one campaign has at most {SEEDS_MAX} seeds"))
        }
        Some(_) => Ok((from, to)),
    }
}

fn part(text: &str) -> Result<(u64, u64), String> {
    let (part, of) = text.split_once('/').ok_or("expected I/N")?;
    let number = |text: &str| text.parse::<u64>().map_err(|_| format!("`{text}` is no number"));
    let (part, of) = (number(part)?, number(of)?);
    if (1..=of).contains(&part) { Ok((part, of)) } else { Err("expected 1/N to N/N".to_owned()) }
}

impl Network {
    fn preset(&self) -> Preset {
        self.preset.unwrap_or(Preset::Small)
    }

    fn faults(&self) -> Faults {
        self.faults.unwrap_or(Faults::ALL)
    }

    fn signatures(&self) -> Kind {
        self.signatures.unwrap_or(Kind::Ideal)
    }

    /// Options that were typed.
    fn typed(&self) -> Vec<&'static str> {
        let Self { preset, hours, faults, strategy, rules, signatures } = self;
        let all = [
            (preset.is_some(), "--preset"),
            (hours.is_some(), "--hours"),
            (faults.is_some(), "--faults"),
            (strategy.is_some(), "--strategy"),
            (rules.is_some(), "--rules"),
            (signatures.is_some(), "--signatures"),
        ];
        all.into_iter().filter(|(is_typed, _)| *is_typed).map(|(_, name)| name).collect()
    }

    fn options(&self, seeds: (u64, u64), shard: (u64, u64), jobs: usize) -> campaign::Options {
        let preset = self.preset();
        let shape = match preset {
            Preset::Paper => Shape::PAPER,
            Preset::Small => Shape::SMALL,
            Preset::N7 => Shape::N7,
            Preset::N20 => Shape::N20,
        };
        let (heal_ms, end_ms) = match (self.hours, preset) {
            (Some(hours), _) => (hours * 3_600_000, hours * 3_600_000 + 60_000),
            (None, Preset::Paper) => (3_600_000, 3_660_000),
            (None, _) => (90_000, 120_000),
        };
        campaign::Options {
            shape,
            seeds: seeds.0..seeds.1,
            heal_ms,
            end_ms,
            faults: self.faults(),
            strategy: self.strategy,
            rules: self.rules,
            is_real: self.signatures() == Kind::Real,
            shard,
            jobs,
        }
    }

    /// The options as they are typed.
    fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        let mut option = |name: &str, value: String| words.extend([name.to_owned(), value]);
        option("--preset", format!("{:?}", self.preset()).to_lowercase());
        if let Some(hours) = self.hours {
            option("--hours", hours.to_string());
        }
        option("--faults", self.faults().to_string());
        if let Some(strategy) = self.strategy {
            option("--strategy", strategy.to_string());
        }
        if let Some(rules) = self.rules {
            option("--rules", rules.to_string());
        }
        option("--signatures", format!("{:?}", self.signatures()).to_lowercase());
        words
    }

    /// A schedule from a file, or the one of a seed.
    fn schedule(&self, what: &str) -> Result<Schedule, String> {
        if let Ok(seed) = what.parse::<harness::seed::Seed>() {
            let options = self.options((seed.get(), seed.get().saturating_add(1)), (1, 1), 1);
            let mut schedule = Schedule::new(options.plan(seed.get()), self.rules);
            schedule.is_real = options.is_real;
            return Ok(schedule);
        }
        if range(what).is_ok() && !Path::new(what).exists() {
            return Err(format!("{what}: one run at a time; `simulate --seeds {what}` runs all"));
        }
        let text = std::fs::read_to_string(what).map_err(|error| format!("{what}: {error}"))?;
        let typed = self.typed();
        if !typed.is_empty() {
            // Fates of messages hang on all of these, so a schedule with others is another run.
            return Err(format!("{what}: a schedule says itself what {} say", typed.join(", ")));
        }
        Schedule::parse(&text).map_err(|why| format!("{what}: {why}"))
    }
}

pub(super) fn simulate(command: &Simulate) -> Result<Exit, String> {
    let (common, network) = (&command.common, &command.network);
    if command.full {
        let scale = match network.preset() {
            Preset::Paper => Scale::PAPER,
            Preset::Small => Scale::SMALL,
            Preset::N7 | Preset::N20 => {
                return Err("--full knows the presets paper and small".to_owned());
            }
        };
        let options = network.options(command.seeds, command.shard, jobs(common));
        if command.seeds.1 - command.seeds.0 > FULL_SEEDS_MAX {
            return Err(format!(
                "--seeds {}..{}: --full runs at most {FULL_SEEDS_MAX} seeds",
                command.seeds.0, command.seeds.1
            ));
        }
        return full::simulate(&options, scale, &network.words(), common);
    }
    let started_ms = machine::now_ms();
    let stop = stop(common)?;
    let options = network.options(command.seeds, command.shard, jobs(common));
    let mut campaign = campaign::campaign(&options, &Progress::new(common.quiet), &stop);
    let (from, to) = command.seeds;
    let words = [network.words(), vec!["--seeds".to_owned(), format!("{from}..{to}")]].concat();
    campaign.commit = machine::COMMIT.to_owned();
    campaign.options = shell::join(&words);
    save(&common.out, FILE, &campaign)?;
    conclude(common, started_ms, &campaign)
}

/// Writes what a shard leaves behind.
pub(super) fn save(out: &Path, name: &str, campaign: &impl serde::Serialize) -> Result<(), String> {
    let fault = |error: std::io::Error| format!("--out {}: {error}", out.display());
    std::fs::create_dir_all(out).map_err(fault)?;
    let json = serde_json::to_string_pretty(campaign).map_err(|error| error.to_string())?;
    std::fs::write(out.join(name), json + "\n").map_err(fault)
}

/// What happened in one run, or in many.
fn told(counts: &Counts) -> Vec<(&'static str, String)> {
    let simulated = match counts.simulated_ms {
        ms @ ..3_600_000 => format!("{} s", ms / 1_000),
        ms => format!("{:.1} h", ms as f64 / 3_600_000.0),
    };
    vec![
        ("simulated", simulated),
        ("messages", counts.delivered.to_string()),
        ("final", format!("{} blocks, {} views nullified", counts.finals, counts.nullified)),
        ("epochs", format!("{}, {} anchors certified", counts.epochs, counts.anchors)),
        ("offences", format!("{} shown, {} forged votes", counts.offences, counts.forged)),
        ("altered", format!("{} signed messages, byte by byte", counts.altered)),
        ("logs lost", counts.lost_logs.to_string()),
        ("longest", format!("{} ms without a final block", counts.gap_ms)),
        ("load", format!("{} slots and votes at most", counts.load)),
    ]
}

/// The report of a campaign: a case for each claim.
fn conclude(common: &Common, started_ms: i64, campaign: &Campaign) -> Result<Exit, String> {
    let of_seed = |command: &str, seed: u64| {
        let options = campaign.options.split(" --seeds ").next().unwrap_or_default();
        format!("{} {command} {seed} {options}", shell::join(&[program()]))
    };
    let again = format!("{} simulate {}", shell::join(&[program()]), campaign.options);
    let missing = campaign.planned - campaign.counts.runs;
    let ran = |fails: bool| match campaign.counts.runs {
        0 => Outcome::skipped("no seed ran"),
        _ if fails => Outcome::Fail,
        // What did not run may have failed.
        _ if missing > 0 => Outcome::Undecided,
        _ => Outcome::Pass,
    };
    let mut chapter = Chapter::new("simulation", "Simulation: whole networks, seed by seed");
    for (claim, requirements, title) in CLAIMS {
        let broken: Vec<_> = campaign.broken(claim).collect();
        let detail: Vec<String> = broken
            .iter()
            .take(5)
            .map(|f| format!("seed {} at {}: {}", f.seed, campaign.commit, f.what))
            .collect();
        chapter.cases.push(Case {
            id: format!("simulation.{}", claim.replace(' ', "-")),
            title: title.to_owned(),
            requirements: requirements.iter().map(|&id| id.to_owned()).collect(),
            outcome: ran(!broken.is_empty()),
            detail: detail.join("; "),
            duration_us: 0,
            rerun: broken.first().map_or_else(|| again.clone(), |f| of_seed("replay", f.seed)),
        });
    }
    chapter.cases.push(Case {
        id: "simulation.determinism".to_owned(),
        title: "equal seeds give equal runs".to_owned(),
        requirements: Vec::new(),
        outcome: ran(campaign.repeated.1 > 0),
        detail: format!(
            "{} seeds ran twice, {} differed",
            campaign.repeated.0, campaign.repeated.1
        ),
        duration_us: 0,
        rerun: again.clone(),
    });
    let idle: Vec<&str> = campaign
        .acted
        .iter()
        .chain(&campaign.mutated)
        .filter(|(_, (times, places))| *times == 0 && *places >= 50)
        .map(|(name, _)| name.as_str())
        .collect();
    chapter.cases.push(Case {
        id: "simulation.strategies".to_owned(),
        title: "every strategy and mutation that had fifty chances acted".to_owned(),
        requirements: Vec::new(),
        outcome: ran(!idle.is_empty()),
        detail: idle.join(", "),
        duration_us: 0,
        rerun: again.clone(),
    });
    let acted: Vec<String> = campaign.acted.iter().map(|(n, (t, _))| format!("{n} {t}")).collect();
    chapter.fact("seeds", format!("{} of {}", campaign.counts.runs, campaign.planned));
    told(&campaign.counts).into_iter().for_each(|(name, value)| chapter.fact(name, value));
    chapter.fact("digest", format!("{:016x}", campaign.digest));
    chapter.fact("strategies", acted.join(", "));
    if !campaign.mutated.is_empty() {
        let of =
            |(name, (times, runs)): (&String, &(u64, u64))| format!("{name} {times} in {runs}");
        chapter.fact("mutations", campaign.mutated.iter().map(of).collect::<Vec<_>>().join(", "));
    }
    let mut hint = String::new();
    for failure in campaign.failures.iter().take(10) {
        let Campaign { commit, .. } = campaign;
        hint.push_str(&format!(
            "seed {} at {commit} breaks {}: {}\n  {}\n",
            failure.seed,
            failure.claim,
            failure.what,
            of_seed("replay", failure.seed)
        ));
    }
    let planned = u64::try_from(chapter.cases.len()).unwrap_or(u64::MAX);
    let report = Report::new(run_of(common, started_ms, again), planned, vec![chapter]);
    finish(common, &report, &hint)
}

pub(super) fn replay(command: &Replay) -> Result<Exit, String> {
    let schedule = command.network.schedule(&command.what)?;
    let outcome = shrink::replay(&schedule);
    let mut text = format!("digest {:032x}\n", outcome.digest);
    for (name, value) in told(&outcome.counts) {
        text.push_str(&format!("{name:<10} {value}\n"));
    }
    for breach in &outcome.breaches {
        text.push_str(&format!("{}: {}\n", breach.claim, breach.what));
    }
    if outcome.breaches.is_empty() {
        text.push_str("no claim breaks\n");
    }
    print(&text)?;
    Ok(if outcome.breaches.is_empty() { Exit::Conforms } else { Exit::DoesNotConform })
}

pub(super) fn shrink(command: &Shrink) -> Result<Exit, String> {
    let schedule = command.network.schedule(&command.what)?;
    let Some(shrunk) = shrink::shrink(&schedule, command.runs) else {
        say(format!("nothing to shrink: {} breaks no claim", command.what))?;
        return Ok(Exit::NothingTested);
    };
    let (before, after) = shrunk.faults;
    std::fs::write(&command.to, shrunk.schedule.to_text())
        .map_err(|error| format!("--to {}: {error}", command.to.display()))?;
    let (runs, to) = (shrunk.runs, command.to.display());
    say(format!("{before} faults before, {after} after {runs} runs: {to}"))?;
    let words = [program(), "replay".to_owned(), command.to.to_string_lossy().into_owned()];
    say(shell::join(&words))?;
    Ok(Exit::DoesNotConform)
}

/// Adds up what shards wrote with `--out`.
pub(super) fn merge(shards: &[PathBuf], common: &Common) -> Result<Exit, String> {
    let started_ms = machine::now_ms();
    if shards.iter().any(|shard| shard.join(full::FILE).exists()) {
        let total: NodeCampaign = merged(shards, full::FILE, NodeCampaign::merge)?;
        complete(&total.shards)?;
        save(&common.out, full::FILE, &total)?;
        return full::conclude(common, started_ms, &total);
    }
    let total: Campaign = merged(shards, FILE, Campaign::merge)?;
    complete(&total.shards)?;
    save(&common.out, FILE, &total)?;
    conclude(common, started_ms, &total)
}

/// Whether all shards are there: what is left out would count as run.
fn complete(shards: &[(u64, u64)]) -> Result<(), String> {
    let of = shards.first().map_or(1, |(_, of)| *of);
    let lacks = (1..=of).zip(shards.iter().map(Some).chain(std::iter::repeat(None)));
    let mut lacks = lacks.filter(|(part, shard)| shard.map(|(found, _)| *found) != Some(*part));
    let missing = lacks.next().map(|(part, _)| format!("shard {part}/{of} is missing"));
    missing.map_or(Ok(()), Err)
}

/// What shards left behind, put together.
fn merged<C: Sound + serde::de::DeserializeOwned>(
    shards: &[PathBuf],
    name: &str,
    merge: impl Fn(&mut C, C) -> Result<(), String>,
) -> Result<C, String> {
    let mut total: Option<C> = None;
    for shard in shards {
        let path = shard.join(name);
        let fault = |error: String| format!("{}: {error}", path.display());
        let text = std::fs::read_to_string(&path).map_err(|error| fault(error.to_string()))?;
        let campaign: C = serde_json::from_str(&text).map_err(|error| fault(error.to_string()))?;
        campaign.check().map_err(fault)?;
        match &mut total {
            Some(total) => merge(total, campaign).map_err(fault)?,
            None => total = Some(campaign),
        }
    }
    total.ok_or_else(|| "no shard was given".to_owned())
}
