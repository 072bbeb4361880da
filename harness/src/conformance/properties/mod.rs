//! Cases of several calls whose results have to fit each other: what can be asked of any implementation
//! without knowing its formats.
//!
//! Each draws its inputs from the seed that `reset` was given, so a run is repeated by its seed.

mod committees;
mod draw;
mod epochs;
mod freezing;
mod records;
mod sharing;
mod trees;

use super::case::{Case, Check};
use super::subject::{Interrupt, Subject};

/// A property by its id, its claim, its sentences and its operations.
struct Property {
    id: &'static str,
    title: &'static str,
    requirements: &'static [&'static str],
    ops: &'static [&'static str],
    check: fn(&mut Subject<'_>) -> Result<String, Interrupt>,
}

/// All properties.
#[must_use]
pub fn all() -> Vec<Case> {
    let groups = [
        records::PROPERTIES,
        trees::PROPERTIES,
        freezing::PROPERTIES,
        committees::PROPERTIES,
        sharing::PROPERTIES,
        epochs::PROPERTIES,
    ];
    let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let case = |property: &Property| Case {
        id: property.id.to_owned(),
        title: property.title.to_owned(),
        requirements: owned(property.requirements),
        ops: owned(property.ops),
        check: Check::Property(property.check),
    };
    groups.iter().flat_map(|group| group.iter().map(case)).collect()
}

/// Breaks the claim unless a condition holds.
fn claim(holds: bool, what: impl FnOnce() -> String) -> Result<(), Interrupt> {
    if holds { Ok(()) } else { Err(Interrupt::Broken(what())) }
}
