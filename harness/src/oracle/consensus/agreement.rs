//! I1: of two blocks that could be shown final, one is the other's ancestor. Judged on votes sent, not
//! only on certificates that reached somebody.

use mdsm_core::ledger::Subject;

use super::{EpochHistory, History};
use crate::oracle::Verdict;

/// No two conflicting blocks can be shown final.
pub fn agreement(history: &History, epoch: &EpochHistory) -> Verdict {
    let mut last: Option<(mdsm_core::types::View, mdsm_core::types::Digest)> = None;
    for (view, seen) in &epoch.views {
        for subject in epoch.subjects(history, seen) {
            let Subject::Finalize(hash) = subject else { continue };
            if !epoch.is_certifiable(history, *view, &subject) {
                continue;
            }
            if let Some((before, expected)) = last {
                let found = epoch.ancestor(&hash, before);
                if found.is_some_and(|found| found != expected) {
                    return Err(format!(
                        "epoch {}: {expected} can be shown final in view {before}, and in view {view} {hash}, \
                         which does not descend from it",
                        epoch.epoch
                    ));
                }
            }
            last = Some((*view, hash));
        }
    }
    Ok(())
}
