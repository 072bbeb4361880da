//! `simulate --full`: whole nodes in the place of consensus alone.

use std::collections::BTreeMap;

use harness::machine;
use harness::progress::Progress;
use harness::report::{Case, Chapter, Report};
use harness::shell;
use harness::simulation::campaign::Options;
use harness::simulation::node::Scale;
use harness::simulation::node::campaign::{NodeCampaign, Ran, campaign};
use harness::verdict::{Exit, Outcome};

use super::simulate::save;
use super::{Common, finish, program, run_of, stop};

/// What a shard leaves behind.
pub(super) const FILE: &str = "full.json";

/// Runs every seed of the shard and reports a case for each.
pub(super) fn simulate(
    options: &Options,
    scale: Scale,
    words: &[String],
    common: &Common,
) -> Result<Exit, String> {
    let started_ms = machine::now_ms();
    let stop = stop(common)?;
    let mut campaign = campaign(options, scale, &Progress::new(common.quiet), &stop);
    campaign.commit = machine::COMMIT.to_owned();
    campaign.options = shell::join(words);
    save(&common.out, FILE, &campaign)?;
    conclude(common, started_ms, &campaign)
}

/// The report of a campaign: a case for each seed.
pub(super) fn conclude(
    common: &Common,
    started_ms: i64,
    campaign: &NodeCampaign,
) -> Result<Exit, String> {
    let again = |from: u64, to: u64| {
        let program = shell::join(&[program()]);
        format!("{program} simulate --full {} --seeds {from}..{to}", campaign.options)
    };
    let mut chapter = Chapter::new("simulation", "Simulation: whole nodes, seed by seed");
    let mut hint = String::new();
    for (&seed, ran) in &campaign.ran {
        let ran = ran.as_ref();
        let detail = ran.map(broken).unwrap_or_default();
        let rerun = again(seed, seed.saturating_add(1));
        if !detail.is_empty() {
            hint.push_str(&format!("seed {seed}: {detail}\n  {rerun}\n"));
        }
        chapter.cases.push(Case {
            id: format!("simulation.full.{seed}"),
            title: format!("every claim holds in the run of seed {seed}"),
            requirements: Vec::new(),
            outcome: match ran {
                None => Outcome::skipped("the time was up"),
                Some(ran) if ran.broken.is_empty() => Outcome::Pass,
                Some(_) => Outcome::Fail,
            },
            detail,
            duration_us: 0,
            rerun,
        });
    }
    facts(&mut chapter, campaign.ran.values().flatten());
    let planned = u64::try_from(chapter.cases.len()).unwrap_or(u64::MAX);
    let all = match campaign.shards.as_slice() {
        [(shard, of)] if *of > 1 => {
            format!("{} --shard {shard}/{of}", again(campaign.seeds.0, campaign.seeds.1))
        }
        _ => again(campaign.seeds.0, campaign.seeds.1),
    };
    let report = Report::new(run_of(common, started_ms, all), planned, vec![chapter]);
    finish(common, &report, &hint)
}

fn broken(ran: &Ran) -> String {
    let texts = ran.broken.iter().map(|(claim, what)| format!("{claim}: {what}"));
    texts.collect::<Vec<_>>().join("; ")
}

fn facts<'a>(chapter: &mut Chapter, done: impl Iterator<Item = &'a Ran>) {
    let mut sometimes: BTreeMap<&str, u64> = BTreeMap::new();
    let mut acted: BTreeMap<&str, u64> = BTreeMap::new();
    let (mut simulated_ms, mut delivered, mut blocks, mut records) = (0, 0, 0, 0);
    for ran in done {
        simulated_ms += ran.simulated_ms;
        delivered += ran.delivered;
        blocks += ran.height;
        records += ran.records;
        for (what, count) in &ran.sometimes {
            *sometimes.entry(what).or_default() += count;
        }
        for (deed, times) in &ran.acted {
            *acted.entry(deed).or_default() += times;
        }
    }
    chapter.fact("simulated", format!("{:.2} h", simulated_ms as f64 / 3_600_000.0));
    chapter.fact("messages", delivered.to_string());
    chapter.fact("final", format!("{blocks} blocks with {records} records"));
    for (what, count) in sometimes {
        chapter.fact(what, count.to_string());
    }
    let acted: Vec<String> = acted.iter().map(|(deed, times)| format!("{deed} {times}")).collect();
    chapter.fact("strategies", acted.join(", "));
}
