//! I7 and I12: an honest auditor never contradicts itself, and nobody honest is accused.

use std::collections::BTreeMap;

use mdsm_core::ledger::Subject;
use mdsm_core::types::InstitutionId;

use super::{EpochHistory, History};
use crate::oracle::Verdict;

/// No honest contradiction on the wire, no honest institution accused.
pub fn honesty(history: &History, epoch: &EpochHistory) -> Verdict {
    for (view, seen) in &epoch.views {
        // Notarize, nullify, finalize, anchor.
        let mut counts: BTreeMap<InstitutionId, [u32; 4]> = BTreeMap::new();
        for (voter, subject) in seen.votes.keys() {
            if history.faulty.contains(voter) {
                continue;
            }
            let kind = match subject {
                Subject::Notarize(_) => 0,
                Subject::Nullify => 1,
                Subject::Finalize(_) => 2,
                Subject::Anchor(_) => 3,
            };
            counts.entry(*voter).or_default()[kind] += 1;
        }
        for (voter, [notarize, nullify, finalize, anchor]) in counts {
            if notarize > 1 || finalize > 1 || anchor > 1 || (nullify > 0 && finalize > 0) {
                return Err(format!(
                    "epoch {} view {view}: {voter} contradicts itself",
                    epoch.epoch
                ));
            }
        }
    }
    for claim in epoch.evidence.keys() {
        if !history.faulty.contains(&claim.institution) {
            return Err(format!(
                "{} is accused and follows the protocol: {claim:?}",
                claim.institution
            ));
        }
    }
    Ok(())
}
