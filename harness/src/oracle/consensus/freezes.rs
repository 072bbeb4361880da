//! I14: nothing of an epoch is voted for before the last block of the epoch before can be shown final.

use mdsm_core::ledger::Subject;
use mdsm_core::types::{Epoch, View};

use super::{EpochHistory, History};
use crate::oracle::Verdict;

/// No honest vote in an epoch before the block under it is final.
pub fn freezes(history: &History, epoch: &EpochHistory) -> Verdict {
    let Some(before) = epoch.epoch.get().checked_sub(1).map(Epoch::new) else { return Ok(()) };
    let Some(before) = history.epochs.get(&before) else { return Ok(()) };
    let is_honest = |voter| !history.faulty.contains(voter);
    let first =
        epoch.views.iter().filter(|(view, _)| **view > View::new(0)).flat_map(|(_, seen)| {
            seen.votes.iter().filter(|((voter, _), _)| is_honest(voter)).map(|(_, at)| *at)
        });
    let Some(first) = first.min() else { return Ok(()) };
    // Votes sent by then that finalize the block, or one behind it.
    let quorum = super::quorum(before.auditors.len());
    let is_final = before.views.iter().any(|(view, seen)| {
        epoch_subjects(before, history, *view).into_iter().any(|subject| {
            let Subject::Finalize(hash) = subject else { return false };
            let Some(last) = before.headers.get(&epoch.genesis.0) else { return false };
            let voters = before.auditors.iter().filter(|auditor| {
                history.faulty.contains(*auditor)
                    || seen.votes.get(&(**auditor, subject)).is_some_and(|at| *at <= first)
            });
            voters.count() >= quorum && before.ancestor(&hash, last.view) == Some(epoch.genesis.0)
        })
    });
    if is_final {
        Ok(())
    } else {
        Err(format!("epoch {}: voted in at {first} ms, before it could begin", epoch.epoch))
    }
}

fn epoch_subjects(
    epoch: &EpochHistory,
    history: &History,
    view: View,
) -> std::collections::BTreeSet<Subject> {
    epoch.views.get(&view).map(|seen| epoch.subjects(history, seen)).unwrap_or_default()
}
