//! From a run that fails to the fewest faults that still make it fail: delta debugging over crashes,
//! cuts, clocks, strategies, and the fate of every single message.

use std::collections::{BTreeMap, BTreeSet};

use mdsm_core::consensus::{Protocol, Rules};

use super::run::{Outcome, Run};
use super::schedule::Schedule;
use super::strategies::Name;
use super::world::{Control, Fate, Fault};

/// Something that can be left out.
#[derive(Clone, Debug)]
enum Part {
    Control(u64, Control),
    Faulty(u32, Name),
    Twin(u32),
    Clock(usize, (i64, i32)),
    Message(Fault, Fate),
}

/// What came of shrinking.
#[derive(Clone, Debug)]
pub struct Shrunk {
    /// The shortest schedule found.
    pub schedule: Schedule,
    /// Faults before and after.
    pub faults: (usize, usize),
    /// Runs that it took.
    pub runs: u32,
}

/// Runs a schedule.
#[must_use]
pub fn replay(schedule: &Schedule) -> Outcome {
    match schedule.rules {
        Some(rules) => replay_under(schedule, rules).0,
        None => replay_under(schedule, Protocol).0,
    }
}

fn replay_under<R: Rules + 'static>(
    schedule: &Schedule,
    rules: R,
) -> (Outcome, Option<BTreeMap<u64, String>>) {
    let mut run = Run::new(schedule.plan.clone(), rules, schedule.is_real);
    if let Some(script) = &schedule.script {
        run.world.network.follow(script.clone());
    }
    let labels = !schedule.labels.is_empty();
    run.judge.labels = labels.then(BTreeMap::new);
    run.finish_labelled()
}

/// Records a run: the same run as a schedule that names every message which was not nominal.
#[must_use]
pub fn record(schedule: &Schedule) -> Schedule {
    fn recorded<R: Rules + 'static>(schedule: &Schedule, rules: R) -> Schedule {
        let mut run = Run::new(schedule.plan.clone(), rules, schedule.is_real);
        run.world.network.record();
        run.judge.labels = Some(BTreeMap::new());
        let (script, labels) = run.finish_recorded();
        let mut plan = schedule.plan.clone();
        plan.controls.retain(|(_, control)| !matches!(control, Control::Cut(..)));
        let script = Some(script.into_iter().collect());
        Schedule { plan, script, labels, ..schedule.clone() }
    }
    match schedule.rules {
        Some(rules) => recorded(schedule, rules),
        None => recorded(schedule, Protocol),
    }
}

/// Runs that shrinking takes at least: the failing one, the same recorded and replayed, and the shortest
/// one for its labels.
pub const RUNS_MIN: u32 = 4;

/// Shrinks a schedule that fails, with at most so many runs, or [`RUNS_MIN`]; nothing when it does not fail.
#[must_use]
pub fn shrink(schedule: &Schedule, runs_max: u32) -> Option<Shrunk> {
    let claims: BTreeSet<&str> = replay(schedule).breaches.iter().map(|b| b.claim).collect();
    if claims.is_empty() {
        return None;
    }
    // The first run, and the one for the labels.
    let runs = std::cell::Cell::new(2u32);
    let is_left = || runs.get() < runs_max;
    let fails = |schedule: &Schedule| {
        runs.set(runs.get() + 1);
        replay(schedule).breaches.iter().any(|breach| claims.contains(breach.claim))
    };
    let mut best = match &schedule.script {
        Some(_) => schedule.clone(),
        None => {
            runs.set(runs.get() + 1);
            Some(record(schedule)).filter(|recorded| fails(recorded))?
        }
    };
    // What breaks safety needs no healing, and mostly not all the time either.
    if !claims.contains("life") {
        let short = |heal_ms: u64| {
            let mut shorter = best.clone();
            (shorter.plan.heal_ms, shorter.plan.end_ms) = (heal_ms, heal_ms);
            shorter
        };
        let (mut low, mut high) = (0, best.plan.heal_ms);
        let mut found = None;
        while high - low > 50 && is_left() {
            let middle = low + (high - low) / 2;
            let shorter = short(middle);
            if fails(&shorter) {
                (high, found) = (middle, Some(shorter));
            } else {
                low = middle;
            }
        }
        best = found.unwrap_or(best);
        let end = best.plan.heal_ms;
        best.plan.controls.retain(|(at, _)| *at <= end);
    }
    let mut parts = split(&best);
    let before = parts.len();
    let mut chunk = parts.len().max(1);
    while chunk > 0 {
        let mut at = 0;
        while at < parts.len() && is_left() {
            let end = (at + chunk).min(parts.len());
            let rest: Vec<Part> = [&parts[..at], &parts[end..]].concat();
            let shorter = join(&best, &rest);
            if fails(&shorter) {
                parts = rest;
            } else {
                at = end;
            }
        }
        chunk /= 2;
    }
    let schedule = record_labels(join(&best, &parts));
    Some(Shrunk { schedule, faults: (before, parts.len()), runs: runs.get() })
}

fn split(schedule: &Schedule) -> Vec<Part> {
    let plan = &schedule.plan;
    let clocks = plan.clocks.iter().enumerate().filter(|(_, clock)| **clock != (0, 0));
    let messages = schedule.script.iter().flatten();
    let mut parts: Vec<Part> = Vec::new();
    parts.extend(plan.faulty.iter().map(|(id, name)| Part::Faulty(*id, *name)));
    parts.extend(plan.twins.iter().map(|id| Part::Twin(*id)));
    parts.extend(clocks.map(|(at, clock)| Part::Clock(at, *clock)));
    parts.extend(plan.controls.iter().map(|(at, control)| Part::Control(*at, control.clone())));
    parts.extend(messages.map(|(fault, fate)| Part::Message(*fault, *fate)));
    parts
}

fn join(base: &Schedule, parts: &[Part]) -> Schedule {
    let mut schedule = base.clone();
    let plan = &mut schedule.plan;
    plan.faulty.clear();
    plan.twins.clear();
    plan.controls.clear();
    plan.clocks.fill((0, 0));
    let mut script = BTreeMap::new();
    for part in parts {
        match part {
            Part::Control(at, control) => plan.controls.push((*at, control.clone())),
            Part::Faulty(id, name) => {
                plan.faulty.insert(*id, *name);
            }
            Part::Twin(id) => plan.twins.push(*id),
            Part::Clock(at, clock) => plan.clocks[*at] = *clock,
            Part::Message(fault, fate) => {
                script.insert(*fault, *fate);
            }
        }
    }
    schedule.script = Some(script);
    schedule
}

/// Says beside every message what it is.
fn record_labels(mut schedule: Schedule) -> Schedule {
    schedule.labels.insert(0, String::new());
    let labels = match schedule.rules {
        Some(rules) => replay_under(&schedule, rules).1,
        None => replay_under(&schedule, Protocol).1,
    };
    schedule.labels = labels.unwrap_or_default();
    schedule
}
