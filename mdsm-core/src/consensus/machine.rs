//! The state of a node in one epoch, and where an input goes. [CON-5] [CON-7]

use std::collections::BTreeMap;
use std::sync::Arc;

use super::interface::{Effect, Input};
use super::journal::{EpochStart, JournalEntry};
use super::rules::{Protocol, Rules};
use super::slot::Slot;
use super::timers::Timing;
use crate::roster::Committees;
use crate::types::{Digest, Epoch, InstitutionId, View};

/// Views above its own about which a node listens to single votes and proposals. Certificates count at
/// any distance: no more can be made of them than a quorum signs.
pub const VIEWS_AHEAD: u64 = 8;

/// One node in one epoch. Plain data: equal nodes are equal values.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Consensus<R = Protocol> {
    pub(super) rules: R,
    pub(super) timing: Timing,
    pub(super) committees: Arc<Committees>,
    pub(super) membership: Membership,
    pub(super) genesis: Digest,
    pub(super) view: View,
    /// View and hash of the last block known to be final; view 0 and the genesis before the first.
    pub(super) finalized: (View, Digest),
    /// Views from the last final one on.
    pub(super) slots: BTreeMap<View, Slot>,
}

/// What a node may do in an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Membership {
    pub(super) me: InstitutionId,
    pub(super) auditor: Option<usize>,
    pub(super) is_silent: bool,
}

impl Membership {
    /// The place of an institution in the committees.
    #[must_use]
    pub fn new(committees: &Committees, me: InstitutionId) -> Self {
        let auditor = committees.auditors.iter().position(|seat| seat.institution == me);
        Self { me, auditor, is_silent: false }
    }

    /// The same without a voice: listens and passes on, but neither votes nor proposes in this epoch,
    /// because it does not know what it signed before.
    #[must_use]
    pub fn silent(self) -> Self {
        Self { is_silent: true, ..self }
    }

    /// Whether it has a seat among the auditors.
    #[must_use]
    pub fn is_auditor(self) -> bool {
        self.auditor.is_some()
    }

    /// Whether it only listens in this epoch.
    #[must_use]
    pub fn is_silent(self) -> bool {
        self.is_silent
    }
}

impl<R: Rules> Consensus<R> {
    /// A node before it has seen anything of the epoch; `genesis` is the block that the first one of
    /// the epoch extends. Nothing happens before [`Self::start`] or [`Self::recover`].
    #[must_use]
    pub fn new(
        rules: R,
        timing: Timing,
        committees: Arc<Committees>,
        membership: Membership,
        genesis: Digest,
    ) -> Self {
        Self {
            rules,
            timing,
            committees,
            membership,
            genesis,
            view: View::new(0),
            finalized: (View::new(0), genesis),
            slots: BTreeMap::new(),
        }
    }

    /// Enters the first view of the epoch.
    pub fn start(&mut self, effects: &mut Vec<Effect>) {
        let start = EpochStart { epoch: self.epoch(), genesis: self.genesis };
        self.persist(JournalEntry::Epoch(start), effects);
        self.enter(View::new(1), effects);
    }

    /// Takes an input and appends what is to be done.
    pub fn step(&mut self, input: Input, effects: &mut Vec<Effect>) {
        match input {
            Input::Proposal(signed) => self.on_proposal(signed, effects),
            Input::Vote(signed) => self.on_vote(&signed, effects),
            Input::Certificate(certificate) => self.on_certificate(certificate, effects),
            Input::Validated { view, hash, is_valid } => {
                self.on_validated(view, hash, is_valid, effects);
            }
            Input::Built(header) => self.on_built(header, effects),
            Input::Timeout(timer) => self.on_timeout(timer, effects),
            Input::Asked { from, epoch, view } => self.on_asked(from, epoch, view, effects),
        }
    }

    /// The epoch.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.committees.epoch
    }

    /// The view that the node is in; 0 before it started.
    #[must_use]
    pub fn view(&self) -> View {
        self.view
    }

    /// The block that the first one of the epoch extends.
    #[must_use]
    pub fn genesis(&self) -> Digest {
        self.genesis
    }

    /// View and hash of the last block known to be final; view 0 and the genesis before the first.
    #[must_use]
    pub fn finalized(&self) -> (View, Digest) {
        self.finalized
    }

    /// The committees of the epoch.
    #[must_use]
    pub fn committees(&self) -> &Arc<Committees> {
        &self.committees
    }

    /// The node's place in them.
    #[must_use]
    pub fn membership(&self) -> Membership {
        self.membership
    }

    /// Views of which something is kept, ascending.
    pub fn slots(&self) -> impl Iterator<Item = (View, &Slot)> {
        self.slots.iter().map(|(view, slot)| (*view, slot))
    }

    /// Whether the node casts votes.
    #[must_use]
    pub fn votes(&self) -> bool {
        self.membership.auditor.is_some() && !self.membership.is_silent
    }

    /// The seat of an auditor.
    #[must_use]
    pub fn seat_of(&self, institution: InstitutionId) -> Option<usize> {
        self.committees.auditors.iter().position(|seat| seat.institution == institution)
    }

    /// Whether single votes and proposals of a view are listened to.
    #[must_use]
    pub fn hears(&self, view: View) -> bool {
        view > self.finalized.0 && view.get() <= self.view.get().saturating_add(VIEWS_AHEAD)
    }

    pub(super) fn slot(&mut self, view: View) -> &mut Slot {
        self.slots.entry(view).or_default()
    }

    /// The block that a view notarized, as far as is known; the last final one counts.
    pub(super) fn notarized(&self, view: View) -> Option<&Digest> {
        if view == self.finalized.0 {
            return Some(&self.finalized.1);
        }
        self.slots.get(&view)?.notarized()
    }

    /// The lowest view in a gap, both ends excluded, that is not known to be nullified.
    pub(super) fn hole(&self, below: View, above: View) -> Option<View> {
        if below >= above {
            return None;
        }
        let inside = (std::ops::Bound::Excluded(below), std::ops::Bound::Excluded(above));
        let mut expected = below.get() + 1;
        for (view, slot) in self.slots.range(inside) {
            if view.get() != expected || !slot.is_nullified() {
                return Some(View::new(expected));
            }
            expected += 1;
        }
        (expected < above.get()).then(|| View::new(expected))
    }
}
