//! What a node knows of one view. [CON-7]

use std::sync::Arc;

use super::rules::Own;
use super::tally::Tally;
use crate::ledger::{BlockHeader, Certificate, SealedHeader, Subject};
use crate::types::Digest;

/// Proposals that are kept of one view: two show that the leader is faulty, more show nothing new.
pub(super) const PROPOSALS_MAX: usize = 2;

/// One view.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Slot {
    /// What the node itself did.
    pub own: Own,
    /// Proposals of the leader, at most two.
    pub(super) proposals: Vec<Held>,
    /// Votes of the auditors.
    pub(super) tally: Tally,
    /// The notarization.
    pub notarization: Option<Arc<Certificate>>,
    /// The nullification.
    pub nullification: Option<Arc<Certificate>>,
    /// The finalization.
    pub finalization: Option<Arc<Certificate>>,
    /// The header of the own proposal, to be sent again.
    pub(super) proposed: Option<Arc<BlockHeader>>,
    /// The node leads this view and its turn is over: it proposes as soon as it can.
    pub(super) is_due: bool,
}

/// A proposal and how far it got.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Held {
    pub(super) sealed: Arc<SealedHeader>,
    pub(super) progress: Progress,
}

/// How far a proposal got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Progress {
    /// Its view is not the node's, or its parent is not acceptable yet.
    Waiting,
    /// The driver checks it.
    Checking,
    /// It was voted upon.
    Done,
}

impl Slot {
    /// The block that the view notarized or finalized.
    #[must_use]
    pub fn notarized(&self) -> Option<&Digest> {
        let certificate = self.notarization.as_ref().or(self.finalization.as_ref())?;
        certificate.vote.subject.digest()
    }

    /// Whether the view is nullified.
    #[must_use]
    pub fn is_nullified(&self) -> bool {
        self.nullification.is_some()
    }

    /// The certificate of this kind that is held.
    pub(super) fn certificate(&self, subject: &Subject) -> Option<&Arc<Certificate>> {
        match subject {
            Subject::Notarize(_) => self.notarization.as_ref(),
            Subject::Nullify => self.nullification.as_ref(),
            Subject::Finalize(_) => self.finalization.as_ref(),
            Subject::Anchor(_) => None,
        }
    }

    pub(super) fn keep(&mut self, certificate: Arc<Certificate>) {
        match certificate.vote.subject {
            Subject::Notarize(_) => self.notarization = Some(certificate),
            Subject::Nullify => self.nullification = Some(certificate),
            Subject::Finalize(_) => self.finalization = Some(certificate),
            Subject::Anchor(_) => {}
        }
    }

    /// Every certificate of the view that is held.
    pub(super) fn certificates(&self) -> impl Iterator<Item = &Arc<Certificate>> {
        [&self.finalization, &self.notarization, &self.nullification].into_iter().flatten()
    }
}
