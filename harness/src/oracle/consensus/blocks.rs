//! I4 and I5: every final block comes from its leader, fits its parent, and skips nullified views only.

use mdsm_core::ledger::Subject;
use mdsm_core::types::View;

use super::{EpochHistory, History};
use crate::oracle::Verdict;

/// Final blocks are by their leaders and keep the parent rule.
pub fn blocks(history: &History, epoch: &EpochHistory) -> Verdict {
    for (hash, header) in &epoch.headers {
        if history.chain.get(&header.height.get()) != Some(hash) {
            continue;
        }
        let place = format!("epoch {} view {}", epoch.epoch, header.view);
        if header.producer != epoch.leader(header.view) {
            return Err(format!("{place}: {} is final and did not lead", header.producer));
        }
        let (parent_height, parent_view) = match epoch.headers.get(&header.parent) {
            Some(parent) => (parent.height.get(), parent.view),
            None if header.parent == epoch.genesis.0 => (epoch.genesis.1, View::new(0)),
            None => return Err(format!("{place}: its parent was never proposed")),
        };
        if header.parent_view != parent_view || header.height.get() != parent_height + 1 {
            return Err(format!("{place}: contradicts its parent"));
        }
        if epoch
            .headers
            .get(&header.parent)
            .is_some_and(|parent| parent.timestamp >= header.timestamp)
        {
            return Err(format!("{place}: is not later than its parent"));
        }
        let notarize = Subject::Notarize(header.parent);
        let finalize = Subject::Finalize(header.parent);
        let is_certified = parent_view == View::new(0)
            || epoch.is_certifiable(history, parent_view, &notarize)
            || epoch.is_certifiable(history, parent_view, &finalize);
        if !is_certified {
            return Err(format!("{place}: its parent is not notarized"));
        }
        for skipped in parent_view.get() + 1..header.view.get() {
            if !epoch.is_certifiable(history, View::new(skipped), &Subject::Nullify) {
                return Err(format!("{place}: skips view {skipped}, which is not nullified"));
            }
        }
    }
    Ok(())
}
