//! Consensus: explored in small, simulated in full size with faults, and broken on purpose. [CON-6]
//! [CON-7] [CON-8]
//!
//! Nothing here looks at the files of the run: agreement does not depend on what is agreed upon. Seeds
//! are fixed, so that a change elsewhere cannot turn these cases red.

use mdsm_core::consensus::Protocol;

use super::{Case, Check, Fault, Means, hold};
use crate::model::{Job, Limits, Preset};
use crate::mutants::Mutation;
use crate::progress::Progress;
use crate::simulation::campaign::{Campaign, Options, campaign};
use crate::simulation::cluster::Shape;
use crate::simulation::plan::Faults;
use crate::stop::Stop;

const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;
/// Faults last so long in a sweep of small networks; then the network heals.
const SWEEP_MS: u64 = 90_000;

pub(super) fn cases(means: &Means) -> Vec<Case> {
    let jobs = Preset::Ci.jobs().into_iter().zip(1..);
    let mut cases: Vec<Case> = jobs.map(|(job, at)| explored(at, job, &means.stop)).collect();
    cases.push(planted(&means.stop));
    cases.push(simulated(
        "consensus.day",
        "a day of 101 producers and 20 auditors at the paper's pace, with faults, keeps every rule",
        Sweep {
            shape: Shape::PAPER,
            seeds: 1..2,
            faults: Faults { strategies: false, cuts: false, ..Faults::ALL },
            heal_ms: 24 * HOUR_MS,
        },
        &means.stop,
    ));
    cases.push(simulated(
        "consensus.small",
        "four auditors, one of them faulty in any way, all faults, keep every rule on 240 seeds",
        Sweep { shape: Shape::SMALL, seeds: 0..240, faults: Faults::ALL, heal_ms: SWEEP_MS },
        &means.stop,
    ));
    cases.push(simulated(
        "consensus.seven",
        "seven auditors, two of them faulty in any way, all faults, keep every rule on 60 seeds",
        Sweep { shape: Shape::N7, seeds: 0..60, faults: Faults::ALL, heal_ms: SWEEP_MS },
        &means.stop,
    ));
    cases
}

/// Every state of a small configuration of the shipped code.
fn explored(number: usize, job: Job, stop: &Stop) -> Case {
    let title = format!("every state of the shipped code keeps the rules: {}", job.title());
    let stop = stop.clone();
    let check = move |_: &_| -> Check {
        let searched = job.run(Protocol, "protocol", Limits::default(), |_| stop.reason());
        let summary = searched.map_err(|error| error.to_string())?.summary;
        if let Some(why) = summary.stopped {
            return Err(Fault::Undecided(why));
        }
        hold(summary.broken.is_none(), || summary.line())?;
        hold(summary.never_seen.is_empty(), || format!("never seen: {:?}", summary.never_seen))?;
        Ok(format!("{} states, {} transitions", summary.states, summary.transitions))
    };
    Case {
        id: format!("consensus.model-{number}"),
        title,
        requirements: &["CON-7.1", "CON-7.2", "CON-7.3", "CON-7.4", "CON-7.6", "CON-7.7"],
        check: Box::new(check),
    }
}

/// The canary: certificates of a vote too few must be noticed.
fn planted(stop: &Stop) -> Case {
    let stop = stop.clone();
    let check = move |_: &_| -> Check {
        let mutant = Mutation::QuorumLess;
        for job in Preset::Ci.jobs() {
            let searched = job.run(mutant, mutant.name(), Limits::default(), |_| stop.reason());
            let summary = searched.map_err(|error| error.to_string())?.summary;
            if let Some(broken) = summary.broken {
                return Ok(format!("{broken}, after {} states", summary.states));
            }
        }
        Err(Fault::Broken("certificates of a vote too few break nothing".to_owned()))
    };
    Case {
        id: "consensus.planted".to_owned(),
        title: "the exploration notices a protocol whose certificates hold a vote too few"
            .to_owned(),
        requirements: &["CON-7.1", "CON-7.6"],
        check: Box::new(check),
    }
}

#[derive(Clone)]
struct Sweep {
    shape: Shape,
    seeds: std::ops::Range<u64>,
    faults: Faults,
    heal_ms: u64,
}

fn simulated(id: &str, title: &str, sweep: Sweep, stop: &Stop) -> Case {
    let stop = stop.clone();
    let check = move |_: &_| -> Check {
        let Campaign { planned, counts, failures, .. } = run(&sweep, &stop);
        if let Some(failure) = failures.first() {
            let (seed, claim, what) = (failure.seed, &failure.claim, &failure.what);
            return Err(Fault::Broken(format!("seed {seed} breaks {claim}: {what}")));
        }
        if counts.runs < planned {
            return Err(Fault::Undecided(format!("{} of {planned} seeds were run", counts.runs)));
        }
        hold(counts.finals > 0, || "nothing became final".to_owned())?;
        Ok(format!(
            "{} blocks final, {} views without one, {} epochs, {} messages",
            counts.finals, counts.nullified, counts.epochs, counts.delivered
        ))
    };
    Case {
        id: id.to_owned(),
        title: title.to_owned(),
        requirements: &["CON-5.4", "CON-6.1", "CON-7.6", "CON-7.7", "CON-7.9", "CON-8.5"],
        check: Box::new(check),
    }
}

fn run(sweep: &Sweep, stop: &Stop) -> Campaign {
    let Sweep { shape, seeds, faults, heal_ms } = sweep.clone();
    let options = Options {
        shape,
        seeds,
        heal_ms,
        end_ms: heal_ms + MINUTE_MS,
        faults,
        strategy: None,
        rules: None,
        is_real: false,
        shard: (1, 1),
        jobs: std::thread::available_parallelism().map_or(1, usize::from),
    };
    campaign(&options, &Progress::new(true), stop)
}
