//! What runs of a scenario showed, kept for all the claims that are judged by them.

use std::collections::BTreeMap;

use super::claims::Claim;
use super::mixed::{self, MixedClaim, Mixture};
use super::run;
use super::scenario::{END_MS, HEAL_MS, PATIENCE_MS, SHAPE, Scenario};
use crate::conformance::subject::{Interrupt, Subject};
use crate::seed::Seed;

/// What one seed showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran<C> {
    /// The seed.
    pub seed: Seed,
    /// What broke, by claim.
    pub breaches: BTreeMap<C, Vec<String>>,
    /// Digest of everything that nodes answered.
    pub digest: u64,
    /// Blocks, records and windows that became final, and steps taken.
    pub counts: [u64; 4],
}

/// A claim about a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// All nodes are the adapter's: profile `paper`.
    Alone(Scenario, Claim),
    /// One is: profile `mdsm-1`.
    Mixed(Mixture, MixedClaim),
}

impl Asked {
    /// What happens, in words.
    #[must_use]
    pub fn about(self) -> &'static str {
        match self {
            Self::Alone(scenario, _) => scenario.about(),
            Self::Mixed(mixture, _) => mixture.about(),
        }
    }

    /// What is due by when, in words, a line each.
    #[must_use]
    pub fn due(self) -> [String; 2] {
        let [heal, end, last] = [HEAL_MS, END_MS, END_MS + PATIENCE_MS].map(|at_ms| at_ms / 1_000);
        let what = match self {
            Self::Alone(scenario, claim) => claim.due(scenario),
            Self::Mixed(_, claim) => claim.due(),
        };
        let faults = if self.is_calm() {
            format!("Clients send records until {heal} s")
        } else {
            format!("Faults end at {heal} s, and so do the records of clients")
        };
        [
            format!(
                "{faults}; the run ends at {end} s, or when life has shown, {last} s at the latest. A turn lasts {} s, a window {} s.",
                SHAPE.turn_ms / 1_000,
                SHAPE.epoch_ms / 1_000
            ),
            format!("Due: {what}."),
        ]
    }

    /// Whether nothing fails.
    #[must_use]
    pub fn is_calm(self) -> bool {
        match self {
            Self::Alone(scenario, _) => scenario == Scenario::Calm,
            Self::Mixed(mixture, _) => mixture.is_calm(),
        }
    }
}

/// What became of a scenario.
#[derive(Clone, Debug)]
struct Scene<C> {
    ran: Vec<Ran<C>>,
    /// Seeds whose second run went otherwise.
    unequal: Vec<Seed>,
}

/// Scenarios that have run.
#[derive(Debug, Default)]
pub struct Networks {
    seeds: u64,
    alone: BTreeMap<Scenario, Result<Scene<Claim>, Interrupt>>,
    mixed: BTreeMap<Mixture, Result<Scene<MixedClaim>, Interrupt>>,
}

impl Networks {
    /// Nothing has run; each scenario will, with so many seeds.
    #[must_use]
    pub fn new(seeds: u64) -> Self {
        Self { seeds, ..Self::default() }
    }

    /// Whether the scenario of a claim has run.
    #[must_use]
    pub fn has(&self, asked: Asked) -> bool {
        match asked {
            Asked::Alone(scenario, _) => self.alone.contains_key(&scenario),
            Asked::Mixed(mixture, _) => self.mixed.contains_key(&mixture),
        }
    }

    /// Runs the scenario of a claim with every seed, each twice.
    ///
    /// # Errors
    /// Why it did not come to its end; the claims that are asked for later say the same.
    pub fn run(
        &mut self,
        subject: &mut Subject<'_>,
        asked: Asked,
        seed: Seed,
    ) -> Result<(), Interrupt> {
        let seeds = (0..self.seeds).map(|number| Seed::new(seed.get().wrapping_add(number)));
        match asked {
            Asked::Alone(scenario, _) => {
                let scene = scene(seeds, |seed| run::run(subject, scenario, seed));
                ended(self.alone.entry(scenario).insert_entry(scene).get())
            }
            Asked::Mixed(mixture, _) => {
                let scene = scene(seeds, |seed| mixed::run(subject, mixture, seed));
                ended(self.mixed.entry(mixture).insert_entry(scene).get())
            }
        }
    }

    /// Whether the scenario of a claim came to its end.
    #[must_use]
    pub fn has_ended(&self, asked: Asked) -> bool {
        match asked {
            Asked::Alone(scenario, _) => self.alone.get(&scenario).is_some_and(Result::is_ok),
            Asked::Mixed(mixture, _) => self.mixed.get(&mixture).is_some_and(Result::is_ok),
        }
    }

    /// Whether it went the same way each time.
    #[must_use]
    pub fn is_deterministic(&self, asked: Asked) -> bool {
        let none = |unequal: &[Seed]| unequal.is_empty();
        match asked {
            Asked::Alone(scenario, _) => {
                let scene = self.alone.get(&scenario).and_then(|scene| scene.as_ref().ok());
                scene.is_some_and(|scene| none(&scene.unequal))
            }
            Asked::Mixed(mixture, _) => {
                let scene = self.mixed.get(&mixture).and_then(|scene| scene.as_ref().ok());
                scene.is_some_and(|scene| none(&scene.unequal))
            }
        }
    }

    /// Scenarios that went another way the second time.
    #[must_use]
    pub fn unequal(&self) -> Vec<&'static str> {
        let alone = self.alone.iter().filter(|(_, scene)| is_unequal(scene));
        let mixed = self.mixed.iter().filter(|(_, scene)| is_unequal(scene));
        alone.map(|(one, _)| one.name()).chain(mixed.map(|(one, _)| one.name())).collect()
    }

    /// What a scenario that has run says of a claim.
    ///
    /// # Errors
    /// What broke, or why nothing can be said.
    pub fn judge(&self, asked: Asked) -> Result<String, Interrupt> {
        match asked {
            Asked::Alone(scenario, claim) => told(self.alone.get(&scenario), claim),
            Asked::Mixed(mixture, claim) => told(self.mixed.get(&mixture), claim),
        }
    }
}

fn scene<C: Ord>(
    seeds: impl Iterator<Item = Seed>,
    mut run: impl FnMut(Seed) -> Result<Ran<C>, Interrupt>,
) -> Result<Scene<C>, Interrupt> {
    let mut scene = Scene { ran: Vec::new(), unequal: Vec::new() };
    for seed in seeds {
        let first = run(seed)?;
        let second = run(seed)?;
        if first.digest != second.digest {
            scene.unequal.push(seed);
            if first.breaches != second.breaches {
                scene.ran.push(second);
            }
        }
        scene.ran.push(first);
    }
    Ok(scene)
}

fn is_unequal<C>(scene: &Result<Scene<C>, Interrupt>) -> bool {
    scene.as_ref().is_ok_and(|scene| !scene.unequal.is_empty())
}

fn ended<C>(scene: &Result<Scene<C>, Interrupt>) -> Result<(), Interrupt> {
    scene.as_ref().map(|_| ()).map_err(Clone::clone)
}

fn told<C: Ord>(
    scene: Option<&Result<Scene<C>, Interrupt>>,
    claim: C,
) -> Result<String, Interrupt> {
    let none = || Interrupt::Undecided("its scenario has not run".to_owned());
    let Scene { ran, unequal } = scene.ok_or_else(none)?.as_ref().map_err(Clone::clone)?;
    let label = if unequal.is_empty() {
        String::new()
    } else {
        let seeds: Vec<String> = unequal.iter().map(Seed::to_string).collect();
        format!(
            "; NOT DETERMINISTIC: seeds {} went otherwise the second time, on the same schedule",
            seeds.join(", ")
        )
    };
    let broken: Vec<String> = ran
        .iter()
        .filter_map(|ran| {
            let what = ran.breaches.get(&claim)?;
            Some(format!("seed {}: {}", ran.seed, what.join("; ")))
        })
        .collect();
    if !broken.is_empty() {
        return Err(Interrupt::Broken(format!("{}{label}", broken.join(" | "))));
    }
    let sum = |at: usize| ran.iter().map(|ran| ran.counts[at]).sum::<u64>();
    let [blocks, records, windows, steps] = [0, 1, 2, 3].map(sum);
    let runs = ran.len();
    Ok(format!(
        "{runs} runs: {blocks} blocks, {records} records, {windows} windows, {steps} steps{label}"
    ))
}
