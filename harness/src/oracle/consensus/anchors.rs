//! I16: one anchor an epoch; honest members of both committees vote for the same root.

use std::collections::BTreeSet;

use mdsm_core::ledger::Subject;
use mdsm_core::types::View;

use super::{EpochHistory, History};
use crate::oracle::Verdict;

/// One root an epoch.
pub fn anchors(history: &History, epoch: &EpochHistory) -> Verdict {
    let Some(seen) = epoch.views.get(&View::new(0)) else { return Ok(()) };
    let honest = seen.votes.keys().filter(|(voter, _)| !history.faulty.contains(voter));
    let voted = honest.filter_map(|(_, subject)| match subject {
        Subject::Anchor(root) => Some(*root),
        _ => None,
    });
    let held = seen.held.keys().filter_map(|subject| subject.digest().copied());
    let roots: BTreeSet<_> = voted.chain(held).collect();
    if roots.len() > 1 {
        return Err(format!("epoch {}: {} anchor roots", epoch.epoch, roots.len()));
    }
    Ok(())
}
