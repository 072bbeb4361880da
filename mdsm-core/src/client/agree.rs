//! What no proof shows: that nothing was left out. [CLI-2]
//!
//! Of f + 1 auditors one is not faulty and left nothing out, so an answer in which all of them agree is
//! whole. Where they differ, none is believed; each has signed what it said.

use std::collections::{BTreeMap, BTreeSet};

use super::dealing::Dealing;
use super::known::{Known, Listed};
use super::refused::{Check, Refused};
use super::register::Declared;
use crate::types::InstitutionId;

/// An answer that was checked, and the auditor that gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// Who signed it.
    pub from: InstitutionId,
    /// What it says.
    pub known: Known,
}

/// The answer in which as many auditors as are needed agree. All must have been asked the same.
///
/// # Errors
/// [`Refused`] at [`Check::Agreement`] when too few have answered, or when two differ, with what differs.
//= harness/spec/clients.md#cli-2-light-client
//# CLI-2.6 (ours): A light client MUST refuse answers to one question unless f + 1 auditors of the newest
//# committees it knows have given and signed them and they agree.
pub fn agree(heard: &[Heard], needed: usize) -> Result<&Known, Refused> {
    let speakers: BTreeSet<InstitutionId> = heard.iter().map(|one| one.from).collect();
    let Some(first) = heard.first().filter(|_| speakers.len() >= needed.max(1)) else {
        let why = format!("{} auditors have answered where {needed} are needed", speakers.len());
        return Err(Check::Agreement.refuses(why));
    };
    let expected = facts(&first.known);
    for other in &heard[1..] {
        let found = facts(&other.known);
        if let Some(why) = difference((first.from, &expected), (other.from, &found)) {
            return Err(Check::Agreement.refuses(why));
        }
    }
    Ok(&first.known)
}

/// What an answer says, fact by fact, by name. Views of the same height may differ in how far Bitcoin
/// is, and in what is still open: that is no difference.
fn facts(known: &Known) -> BTreeMap<String, String> {
    let record = |one: &Listed| (format!("record {}", one.id), format!("at {}", one.place));
    let mut facts = BTreeMap::new();
    match known {
        Known::Records(known) => {
            facts.extend(known.records.iter().map(record));
            facts.extend(known.next.map(|next| ("more records".to_owned(), next.to_string())));
        }
        Known::Record(known) => facts.extend(known.as_deref().map(record)),
        Known::Receipt(known) => {
            facts.extend(known.as_deref().map(|receipted| record(&receipted.record)));
        }
        Known::Sharing(known) => {
            // What they say follows from the acts and their places.
            let acts = known.dealings.iter().flat_map(Dealing::acts);
            facts.extend(acts.map(|act| (format!("act {}", act.id), format!("at {}", act.place))));
            facts.extend(known.next.map(|next| ("more requests".to_owned(), next.to_string())));
        }
        Known::Keys(known) => {
            let keys =
                |it: &Declared| (format!("keys {}", it.act.id), format!("at {}", it.act.place));
            facts.extend(known.as_ref().map(keys));
        }
        // Each has its own head.
        Known::Status(_) => {}
    }
    facts
}

fn difference(
    (one, expected): (InstitutionId, &BTreeMap<String, String>),
    (other, found): (InstitutionId, &BTreeMap<String, String>),
) -> Option<String> {
    let names: BTreeSet<&String> = expected.keys().chain(found.keys()).collect();
    names.into_iter().find_map(|name| match (expected.get(name), found.get(name)) {
        (Some(here), Some(there)) if here == there => None,
        (Some(here), Some(there)) => {
            Some(format!("{name}: {here} says institution {one}, {there} says {other}"))
        }
        (Some(_), None) => Some(format!("{name}: institution {one} has it, {other} has not")),
        _ => Some(format!("{name}: institution {other} has it, {one} has not")),
    })
}
