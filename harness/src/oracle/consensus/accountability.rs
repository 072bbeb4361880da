//! I13: when agreement breaks, what honest nodes hold names those who broke it.

use std::collections::BTreeSet;

use mdsm_core::ledger::Subject;
use mdsm_core::types::InstitutionId;

use super::{History, quorum};
use crate::oracle::Verdict;

/// Auditors that signed two certificates which exclude each other, and those whom nodes convicted; only
/// from what honest nodes hold.
#[must_use]
pub fn authors(history: &History) -> BTreeSet<InstitutionId> {
    let mut found = BTreeSet::new();
    for epoch in history.epochs.values() {
        for seen in epoch.views.values() {
            for (one, first) in &seen.held {
                for (other, second) in seen.held.range(one..).skip(1) {
                    if !excludes(one, other) {
                        continue;
                    }
                    let second: BTreeSet<usize> = second.signers.seats().collect();
                    let both = first.signers.seats().filter(|seat| second.contains(seat));
                    found.extend(both.filter_map(|seat| epoch.auditors.get(seat)));
                }
            }
        }
        let accused = epoch.evidence.keys().map(|claim| claim.institution);
        found.extend(accused.filter(|who| epoch.auditors.contains(who)));
    }
    found
}

/// A broken agreement comes with evidence against at least `2 q - n` auditors, all of them faulty.
pub fn accountability(history: &History) -> Verdict {
    let seats = history.epochs.values().map(|epoch| epoch.auditors.len()).max().unwrap_or(0);
    let needed = (2 * quorum(seats)).saturating_sub(seats);
    let authors = authors(history);
    if let Some(honest) = authors.iter().find(|author| !history.faulty.contains(author)) {
        return Err(format!("{honest} is named and follows the protocol"));
    }
    if authors.len() < needed {
        return Err(format!("{} of {needed} authors of the break are named", authors.len()));
    }
    Ok(())
}

fn excludes(one: &Subject, other: &Subject) -> bool {
    match (one, other) {
        (Subject::Notarize(a), Subject::Notarize(b))
        | (Subject::Finalize(a), Subject::Finalize(b)) => a != b,
        (Subject::Nullify, Subject::Finalize(_)) | (Subject::Finalize(_), Subject::Nullify) => true,
        _ => false,
    }
}
