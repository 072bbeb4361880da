//! `simulate --full`: whole nodes in the place of consensus alone.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use harness::machine;
use harness::report::{Case, Chapter, Report};
use harness::seed::Seed;
use harness::shell;
use harness::simulation::node::{NodePlan, Outcome as Ran, Scale, run};
use harness::simulation::plan::Faults;
use harness::verdict::{Exit, Outcome};
use mdsm_core::consensus::Protocol;

use super::{Common, finish, jobs, program, run_of, stop};

/// What is run.
pub(super) struct Full {
    /// The network.
    pub(super) scale: Scale,
    /// First seed, and the one behind the last.
    pub(super) seeds: (u64, u64),
    /// Faults end, and the run ends.
    pub(super) times_ms: (u64, u64),
    /// Which faults.
    pub(super) faults: Faults,
    /// Whether signatures are real.
    pub(super) is_real: bool,
    /// The options as they are typed.
    pub(super) words: Vec<String>,
}

/// Runs every seed and reports a case for each.
pub(super) fn simulate(full: &Full, common: &Common) -> Result<Exit, String> {
    let started_ms = machine::now_ms();
    let stop = stop(common)?;
    let (next, done) = (AtomicU64::new(full.seeds.0), Mutex::new(BTreeMap::new()));
    std::thread::scope(|scope| {
        for _ in 0..jobs(common) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= full.seeds.1 || stop.reason().is_some() {
                        return;
                    }
                    let (heal_ms, end_ms) = full.times_ms;
                    let mut plan =
                        NodePlan::draw(Seed::new(seed), full.scale, full.faults, heal_ms, end_ms);
                    plan.is_real = full.is_real;
                    let ran = run(&plan, Protocol);
                    done.lock()
                        .unwrap_or_else(std::sync::PoisonError::into_inner)
                        .insert(seed, ran);
                }
            });
        }
    });
    let done = done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    let again = |from: u64, to: u64| {
        let options = shell::join(&full.words);
        format!("{} simulate --full {options} --seeds {from}..{to}", shell::join(&[program()]))
    };
    let mut chapter = Chapter::new("simulation", "Simulation: whole nodes, seed by seed");
    let mut hint = String::new();
    for seed in full.seeds.0..full.seeds.1 {
        let ran = done.get(&seed);
        let detail = ran.map(broken).unwrap_or_default();
        if !detail.is_empty() {
            hint.push_str(&format!("seed {seed}: {detail}\n  {}\n", again(seed, seed + 1)));
        }
        chapter.cases.push(Case {
            id: format!("simulation.full.{seed}"),
            title: format!("every claim holds in the run of seed {seed}"),
            requirements: Vec::new(),
            outcome: match ran {
                None => Outcome::skipped("the time was up"),
                Some(ran) if ran.breaches.is_empty() => Outcome::Pass,
                Some(_) => Outcome::Fail,
            },
            detail,
            duration_us: 0,
            rerun: again(seed, seed + 1),
        });
    }
    facts(&mut chapter, done.values());
    let planned = u64::try_from(chapter.cases.len()).unwrap_or(u64::MAX);
    let all = again(full.seeds.0, full.seeds.1);
    let report = Report::new(run_of(common, started_ms, all), planned, vec![chapter]);
    finish(common, &report, &hint)
}

fn broken(ran: &Ran) -> String {
    let texts = ran.breaches.iter().map(|breach| format!("{}: {}", breach.claim, breach.what));
    texts.collect::<Vec<_>>().join("; ")
}

fn facts<'a>(chapter: &mut Chapter, done: impl Iterator<Item = &'a Ran>) {
    let mut sometimes: BTreeMap<&str, u64> = BTreeMap::new();
    let (mut simulated_ms, mut delivered, mut blocks, mut records) = (0, 0, 0, 0);
    for ran in done {
        simulated_ms += ran.simulated_ms;
        delivered += ran.delivered;
        blocks += ran.height;
        records += ran.records;
        for (what, count) in &ran.sometimes {
            *sometimes.entry(what).or_default() += count;
        }
    }
    chapter.fact("simulated", format!("{:.2} h", simulated_ms as f64 / 3_600_000.0));
    chapter.fact("messages", delivered.to_string());
    chapter.fact("final", format!("{blocks} blocks with {records} records"));
    for (what, count) in sometimes {
        chapter.fact(what, count.to_string());
    }
}
