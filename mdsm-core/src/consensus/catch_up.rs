//! Asking and answering for certificates. [CON-7]
//!
//! A node that is behind needs one finalization, or the notarization and nullifications above it;
//! blocks are fetched by hash, which is not a matter of consensus.

use std::sync::Arc;

use super::interface::{Audience, Effect};
use super::machine::Consensus;
use super::rules::Rules;
use crate::ledger::Certificate;
use crate::types::{Epoch, InstitutionId, View};

/// Views that one answer covers, at most.
const ANSWER_VIEWS_MAX: usize = 64;

impl<R: Rules> Consensus<R> {
    /// Answers with what certifies a view and those behind it, so that whoever missed several need not ask
    /// for one after another; what lies below the last final block is answered with its finalization.
    pub(super) fn on_asked(
        &mut self,
        from: InstitutionId,
        epoch: Epoch,
        view: View,
        effects: &mut Vec<Effect>,
    ) {
        if epoch != self.epoch() {
            return;
        }
        let known = self.slots.range(view.max(self.finalized.0)..).take(ANSWER_VIEWS_MAX);
        for certificate in known.flat_map(|(_, slot)| slot.certificates()) {
            let (certificate, to) = (certificate.clone(), Audience::One(from));
            effects.push(Effect::Publish { certificate, to });
        }
    }

    /// The finalization of the last final block of this epoch.
    #[must_use]
    pub fn last_finalization(&self) -> Option<&Arc<Certificate>> {
        self.slots.get(&self.finalized.0)?.finalization.as_ref()
    }

    /// Takes up a certificate that was stored before a restart.
    pub(super) fn recall(&mut self, certificate: Arc<Certificate>) {
        let view = certificate.vote.view;
        self.slot(view).keep(certificate);
    }
}
