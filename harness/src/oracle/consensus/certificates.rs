//! I2 and I3: at most one block of a view can be shown notarized, and no view both final and nullified.

use mdsm_core::ledger::Subject;

use super::{EpochHistory, History};
use crate::oracle::Verdict;

/// One notarization a view, and no finalization beside a nullification.
pub fn certificates(history: &History, epoch: &EpochHistory) -> Verdict {
    for (view, seen) in &epoch.views {
        let shown: Vec<Subject> = epoch
            .subjects(history, seen)
            .into_iter()
            .filter(|subject| epoch.is_certifiable(history, *view, subject))
            .collect();
        let count = |is: fn(&Subject) -> bool| shown.iter().filter(|subject| is(subject)).count();
        let notarized = count(|subject| matches!(subject, Subject::Notarize(_)));
        let finalized = count(|subject| matches!(subject, Subject::Finalize(_)));
        if notarized > 1 || finalized > 1 {
            return Err(format!("epoch {} view {view}: two blocks: {shown:?}", epoch.epoch));
        }
        if finalized > 0 && shown.contains(&Subject::Nullify) {
            return Err(format!("epoch {} view {view}: final and nullified", epoch.epoch));
        }
    }
    Ok(())
}
