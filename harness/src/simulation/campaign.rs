//! Many seeds: in threads, in shards of a batch system, added up again.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use mdsm_core::consensus::{Protocol, Rules};
use serde::{Deserialize, Serialize};

use super::broken::Broken;
use super::cluster::Shape;
use super::plan::{Faults, Plan};
use super::run::{Counts, Outcome, Run};
use super::scopes::{self, Scope};
use super::strategies::Name;
use super::world::fold;
use crate::progress::Progress;
use crate::seed::Seed;
use crate::stop::Stop;

/// Every claim that a run is judged by: name, requirements, title.
pub const CLAIMS: [(&str, &[&str], &str); 13] = [
    ("agreement", &["CON-7"], "no two conflicting blocks can be shown final"),
    ("certificates", &["CON-7"], "one notarization a view, no finalization beside a nullification"),
    ("certificate", &["CON-7"], "certificates hold a quorum of distinct auditors"),
    ("logs", &["CON-7"], "final chains only grow, and agree"),
    (
        "blocks",
        &["CON-5", "CON-6"],
        "final blocks come from their leaders and skip nullified views only",
    ),
    ("honesty", &["CON-7"], "no honest auditor contradicts itself, nobody honest is accused"),
    ("stored first", &["CON-7"], "votes and what justifies them are stored before they are sent"),
    ("freezes", &["CON-8"], "no epoch begins before the last block under it is final"),
    ("anchors", &["ANC-1"], "one anchor root an epoch"),
    (
        "credit",
        &["COM-6"],
        "credit changes by items of the chain only, and nothing is charged twice",
    ),
    ("wire", &["STO-1"], "what is signed reads back, and with any byte changed is refused"),
    ("life", &["CON-7"], "after the network heals blocks become final within the bound"),
    ("memory", &["CON-7"], "floods do not make a node hold more than its bound"),
];

/// What to simulate.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// The network.
    pub shape: Shape,
    /// Which seeds, the end excluded.
    pub seeds: Range<u64>,
    /// Faults last so many milliseconds.
    pub heal_ms: u64,
    /// The run lasts so many at least.
    pub end_ms: u64,
    /// Which faults may be drawn.
    pub faults: Faults,
    /// This strategy for f auditors and one producer, instead of drawn ones.
    pub strategy: Option<Name>,
    /// A broken rule.
    pub rules: Option<Broken>,
    /// Real signatures.
    pub is_real: bool,
    /// Which part of how many.
    pub shard: (u64, u64),
    /// Threads.
    pub jobs: usize,
}

impl Options {
    /// The plan of one seed.
    #[must_use]
    pub fn plan(&self, seed: u64) -> Plan {
        if self.strategy == Some(Name::SmallScope) {
            return Scope::plan(Seed::new(seed), self.shape, self.faults);
        }
        let mut plan =
            Plan::draw(Seed::new(seed), self.shape, self.faults, self.heal_ms, self.end_ms);
        if let Some(name) = self.strategy {
            plan.faulty.clear();
            plan.twins.clear();
            let last = self.shape.institutions();
            plan.faulty.extend((0..self.shape.faulty_max()).map(|back| (last - back, name)));
            plan.faulty.insert(1, name);
            plan.keep_logs();
        }
        plan
    }
}

/// A seed that broke a claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The seed.
    pub seed: u64,
    /// The claim.
    pub claim: String,
    /// What happened.
    pub what: String,
}

/// What many seeds showed; adds up.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Campaign {
    /// Version of this shape.
    pub format: u32,
    /// Commit of the program.
    pub commit: String,
    /// The options, as on the command line, without the shard.
    pub options: String,
    /// Shards that are in it.
    pub shards: Vec<(u64, u64)>,
    /// Seeds that were to run.
    pub planned: u64,
    /// What happened.
    pub counts: Counts,
    /// How often each strategy acted, and in how many places.
    pub acted: BTreeMap<String, (u64, u64)>,
    /// How often each mutation of a scope happened, and in how many runs it was to happen.
    pub mutated: BTreeMap<String, (u64, u64)>,
    /// What went wrong, the first of each claim and seed.
    pub failures: Vec<Failure>,
    /// Seeds that ran twice, and of these those whose runs differed.
    pub repeated: (u64, u64),
    /// Follows from every delivery of every run, whatever the order in which seeds ran.
    pub digest: u64,
}

/// What a file says that a shard left behind: whether a program could have written it.
pub trait Sound {
    /// What is wrong, with the field.
    fn check(&self) -> Result<(), String>;
}

/// Version of both shapes.
pub(super) const FORMAT: u32 = 1;

pub(super) fn check_format(format: u32) -> Result<(), String> {
    if format == FORMAT { Ok(()) } else { Err(format!("format {format} where {FORMAT} is known")) }
}

/// Refuses shards of which one ran twice, or that are parts of different wholes.
pub(super) fn check_shards(ours: &[(u64, u64)], others: &[(u64, u64)]) -> Result<(), String> {
    if let Some((shard, of)) = others.iter().find(|shard| ours.contains(shard)) {
        return Err(format!("shard {shard}/{of} twice"));
    }
    let whole = ours.first().map(|(_, of)| *of);
    match others.iter().find(|(_, of)| whole.is_some_and(|whole| whole != *of)) {
        Some((shard, of)) => {
            Err(format!("shard {shard}/{of} beside shards of {}", whole.unwrap_or_default()))
        }
        None => Ok(()),
    }
}

impl Sound for Campaign {
    fn check(&self) -> Result<(), String> {
        check_format(self.format)?;
        // Far more than anybody runs, and far from where a sum of shards would overflow.
        let is_sound = (self.counts.runs..=1 << 32).contains(&self.planned);
        let why = || format!("planned {} seeds, {} ran", self.planned, self.counts.runs);
        if is_sound { Ok(()) } else { Err(why()) }
    }
}

/// Runs the seeds of a shard.
#[must_use]
pub fn campaign(options: &Options, progress: &Progress, stop: &Stop) -> Campaign {
    let seeds = options.of_shard();
    progress.start("simulate", seeds.len());
    let next = AtomicU64::new(0);
    let total = Mutex::new(Campaign {
        format: FORMAT,
        shards: vec![options.shard],
        planned: seeds.len() as u64,
        ..Campaign::default()
    });
    std::thread::scope(|scope| {
        for _ in 0..options.jobs.clamp(1, seeds.len().max(1)) {
            scope.spawn(|| {
                loop {
                    let at =
                        usize::try_from(next.fetch_add(1, Ordering::Relaxed)).unwrap_or(usize::MAX);
                    let Some(&seed) = seeds.get(at).filter(|_| stop.reason().is_none()) else {
                        break;
                    };
                    let plan = options.plan(seed);
                    let outcome = run(options, &plan);
                    // Equal seeds must give equal runs; now and then that is put to the test.
                    let again =
                        (at % 64 == 0 && plan.heal_ms < 600_000).then(|| run(options, &plan));
                    if let Ok(mut total) = total.lock() {
                        if options.strategy == Some(Name::SmallScope) {
                            total.plan(&Scope::of(plan.seed, &plan.shape), &outcome);
                        }
                        total.take(seed, &outcome, again.as_ref());
                    }
                    progress.step();
                }
            });
        }
    });
    progress.finish();
    let mut campaign = total.into_inner().unwrap_or_default();
    campaign.failures.sort_by(|a, b| (a.seed, &a.claim).cmp(&(b.seed, &b.claim)));
    campaign
}

impl Options {
    /// The seeds of the shard, in order.
    #[must_use]
    pub fn of_shard(&self) -> Vec<u64> {
        let (shard, shards) = self.shard;
        let Range { start, end } = self.seeds;
        let (place, at) = (shard - 1, start % shards);
        let before = if place >= at { place - at } else { shards - (at - place) };
        let step = usize::try_from(shards).unwrap_or(usize::MAX);
        start
            .checked_add(before)
            .map_or_else(Vec::new, |first| (first..end).step_by(step).collect())
    }
}

fn run(options: &Options, plan: &Plan) -> Outcome {
    fn under<R: Rules + 'static>(options: &Options, plan: &Plan, rules: R) -> Outcome {
        let mut run = Run::new(plan.clone(), rules, options.is_real);
        run.judge.forgets = plan.heal_ms > 600_000;
        run.finish()
    }
    match options.rules {
        Some(rules) => under(options, plan, rules),
        None => under(options, plan, Protocol),
    }
}

impl Campaign {
    /// Notes which mutations were to happen, and how often they did.
    fn plan(&mut self, scope: &Scope, outcome: &Outcome) {
        let targets = scope.mutations.iter().map(|mutation| mutation.target);
        for target in targets.collect::<std::collections::BTreeSet<_>>() {
            let entry = self.mutated.entry(scopes::name(target)).or_default();
            entry.0 += outcome.mutated.get(&target).copied().unwrap_or(0);
            entry.1 += 1;
        }
    }

    fn take(&mut self, seed: u64, outcome: &Outcome, again: Option<&Outcome>) {
        self.counts.add(&outcome.counts);
        let digest = fold(seed, &outcome.digest.to_le_bytes());
        self.digest = self.digest.wrapping_add(digest);
        for (name, times) in &outcome.acted {
            let entry = self.acted.entry(name.to_string()).or_default();
            (entry.0, entry.1) = (entry.0 + times, entry.1 + 1);
        }
        for breach in &outcome.breaches {
            let is_known = self.failures.iter().any(|f| f.seed == seed && f.claim == breach.claim);
            if !is_known && self.failures.len() < 10_000 {
                let (claim, what) = (breach.claim.to_owned(), breach.what.clone());
                self.failures.push(Failure { seed, claim, what });
            }
        }
        if let Some(again) = again {
            self.repeated.0 += 1;
            self.repeated.1 += u64::from(again.digest != outcome.digest);
        }
    }

    /// Adds a shard; refuses what does not belong together.
    pub fn merge(&mut self, other: Self) -> Result<(), String> {
        if (&self.commit, &self.options, self.format)
            != (&other.commit, &other.options, other.format)
        {
            return Err(format!(
                "shards of different runs: `{}` at {} and `{}` at {}",
                self.options, self.commit, other.options, other.commit
            ));
        }
        check_shards(&self.shards, &other.shards)?;
        self.shards.extend(other.shards);
        self.shards.sort_unstable();
        self.planned += other.planned;
        self.counts.add(&other.counts);
        self.digest = self.digest.wrapping_add(other.digest);
        for (name, (times, places)) in other.acted {
            let entry = self.acted.entry(name).or_default();
            (entry.0, entry.1) = (entry.0 + times, entry.1 + places);
        }
        for (name, (times, places)) in other.mutated {
            let entry = self.mutated.entry(name).or_default();
            (entry.0, entry.1) = (entry.0 + times, entry.1 + places);
        }
        self.failures.extend(other.failures);
        self.failures.sort_by(|a, b| (a.seed, &a.claim).cmp(&(b.seed, &b.claim)));
        self.repeated = (self.repeated.0 + other.repeated.0, self.repeated.1 + other.repeated.1);
        Ok(())
    }

    /// Seeds that broke a claim.
    pub fn broken<'a>(&'a self, claim: &'a str) -> impl Iterator<Item = &'a Failure> {
        self.failures.iter().filter(move |failure| failure.claim == claim)
    }
}
