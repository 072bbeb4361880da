//! Many seeds of whole nodes: in threads, in shards of a batch system, put together again.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use mdsm_core::consensus::{Protocol, Rules};
use serde::{Deserialize, Serialize};

use super::{NodePlan, Outcome, Scale, run};
use crate::progress::Progress;
use crate::simulation::campaign::{FORMAT, Options, Sound, check_format, check_shards};
use crate::stop::Stop;

/// What one seed showed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ran {
    /// Digest of everything that happened, in hexadecimal.
    pub digest: String,
    /// Claims that broke, and how.
    pub broken: Vec<(String, String)>,
    /// What happened how often.
    pub sometimes: BTreeMap<String, u64>,
    /// How often each deviation acted.
    pub acted: BTreeMap<String, u64>,
    /// Blocks of the chain.
    pub height: u64,
    /// Records on it.
    pub records: u64,
    /// Messages delivered.
    pub delivered: u64,
    /// Milliseconds simulated.
    pub simulated_ms: u64,
}

impl Ran {
    fn of(outcome: &Outcome) -> Self {
        let Outcome { digest, height, records, delivered, simulated_ms, .. } = outcome;
        let mut acted: BTreeMap<String, u64> = BTreeMap::new();
        for (deed, times) in &outcome.acted {
            *acted.entry(deed.to_string()).or_default() += times;
        }
        let broken = outcome.breaches.iter().map(|b| (b.claim.to_owned(), b.what.clone()));
        let sometimes = outcome.sometimes.iter().map(|(what, count)| ((*what).to_owned(), *count));
        Self {
            digest: format!("{digest:032x}"),
            broken: broken.collect(),
            sometimes: sometimes.collect(),
            acted,
            height: *height,
            records: *records,
            delivered: *delivered,
            simulated_ms: *simulated_ms,
        }
    }
}

/// What many seeds showed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeCampaign {
    /// Version of this shape.
    pub format: u32,
    /// Commit of the program.
    pub commit: String,
    /// The options, as on the command line, without seeds and shard.
    pub options: String,
    /// Seeds of the whole campaign, the second excluded.
    pub seeds: (u64, u64),
    /// Shards that are in it.
    pub shards: Vec<(u64, u64)>,
    /// Seeds of these shards; those that had no time have nothing to show.
    pub ran: BTreeMap<u64, Option<Ran>>,
}

/// The plan of one seed: that of consensus alone, with whole nodes around it.
#[must_use]
pub fn plan(options: &Options, scale: Scale, seed: u64) -> NodePlan {
    let mut plan = NodePlan::around(options.plan(seed), scale, options.faults);
    plan.is_real = options.is_real;
    plan
}

/// Runs the seeds of a shard.
#[must_use]
pub fn campaign(options: &Options, scale: Scale, progress: &Progress, stop: &Stop) -> NodeCampaign {
    let seeds = options.of_shard();
    progress.start("simulate --full", seeds.len());
    let next = AtomicU64::new(0);
    let done = Mutex::new(seeds.iter().map(|seed| (*seed, None)).collect::<BTreeMap<_, _>>());
    std::thread::scope(|scope| {
        for _ in 0..options.jobs.clamp(1, seeds.len().max(1)) {
            scope.spawn(|| {
                loop {
                    let at = usize::try_from(next.fetch_add(1, Ordering::Relaxed));
                    let seed = at.ok().and_then(|at| seeds.get(at));
                    let Some(&seed) = seed.filter(|_| stop.reason().is_none()) else { return };
                    let plan = plan(options, scale, seed);
                    let ran = match options.rules {
                        Some(rules) => under(&plan, rules),
                        None => under(&plan, Protocol),
                    };
                    if let Ok(mut done) = done.lock() {
                        done.insert(seed, Some(ran));
                    }
                    progress.step();
                }
            });
        }
    });
    progress.finish();
    NodeCampaign {
        format: FORMAT,
        seeds: (options.seeds.start, options.seeds.end),
        shards: vec![options.shard],
        ran: done.into_inner().unwrap_or_default(),
        ..NodeCampaign::default()
    }
}

fn under<R: Rules + 'static>(plan: &NodePlan, rules: R) -> Ran {
    Ran::of(&run(plan, rules))
}

impl Sound for NodeCampaign {
    fn check(&self) -> Result<(), String> {
        check_format(self.format)
    }
}

impl NodeCampaign {
    /// Puts a shard beside those that are here; refuses what does not belong together.
    pub fn merge(&mut self, other: Self) -> Result<(), String> {
        if (&self.commit, &self.options, self.seeds, self.format)
            != (&other.commit, &other.options, other.seeds, other.format)
        {
            return Err(format!(
                "shards of different runs: `{}` {:?} at {} and `{}` {:?} at {}",
                self.options, self.seeds, self.commit, other.options, other.seeds, other.commit
            ));
        }
        check_shards(&self.shards, &other.shards)?;
        if let Some(seed) = other.ran.keys().find(|seed| self.ran.contains_key(seed)) {
            return Err(format!("seed {seed} is in two shards"));
        }
        self.shards.extend(other.shards);
        self.shards.sort_unstable();
        self.ran.extend(other.ran);
        Ok(())
    }
}
