//! Which mistakes small changes to single rounds bring to light, in whole networks.

use std::ops::Range;

use mdsm_core::consensus::Rules;

use crate::seed::Seed;
use crate::simulation::cluster::Shape;
use crate::simulation::plan::Faults;
use crate::simulation::run::run;
use crate::simulation::scopes::Scope;

/// The first scope that makes a mistake show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Its seed.
    pub seed: u64,
    /// Scopes that were run, this one included.
    pub runs: u64,
    /// The claims that broke.
    pub claims: Vec<&'static str>,
}

/// Runs scopes until one makes a mistake show.
pub fn small_scope<R: Rules + 'static>(
    rules: &R,
    seeds: Range<u64>,
    mut stop: impl FnMut() -> bool,
) -> Option<Shown> {
    for (runs, seed) in (1..).zip(seeds) {
        if stop() {
            return None;
        }
        let plan = Scope::plan(Seed::new(seed), Shape::SMALL, Faults::NONE);
        let outcome = run(&plan, rules.clone());
        if !outcome.breaches.is_empty() {
            let mut claims: Vec<_> = outcome.breaches.iter().map(|breach| breach.claim).collect();
            claims.dedup();
            return Some(Shown { seed, runs, claims });
        }
    }
    None
}
