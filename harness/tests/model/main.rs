//! The model checker on small configurations: the protocol holds, mistakes do not pass. [CON-7]

mod mistakes;
mod protocol;
mod public;
mod reductions;
mod traces;

use harness::model::{Claim, Config, Found, Limits, Search};
use mdsm_core::consensus::Rules;

/// Four auditors, one of them faulty, two views, one block on each parent.
fn small() -> Config {
    Config { values: 1, liveness: false, ..Config::default() }
}

/// Searches to the end.
fn search<R: Rules>(config: &Config, rules: R) -> Found {
    Search::new(config, rules, Limits::default()).expect("it fits").run(|_| None).expect("it fits")
}

fn claim(found: &Found) -> Option<Claim> {
    found.broken.as_ref().map(|(claim, _)| *claim)
}
