//! Proposals of others: notarize or nullify. [CON-4] [CON-6] [CON-7]

use std::sync::Arc;

use super::interface::{Audience, Effect};
use super::journal::JournalEntry;
use super::machine::Consensus;
use super::rules::Rules;
use super::slot::{Held, PROPOSALS_MAX, Progress};
use crate::ledger::{BlockHeader, Evidence, SealedHeader, Subject, Vote};
use crate::types::{Digest, View};

impl<R: Rules> Consensus<R> {
    /// Keeps a proposal of the leader. Only auditors vote on it; to others a block is what a certificate
    /// names.
    pub(super) fn on_proposal(&mut self, sealed: Arc<SealedHeader>, effects: &mut Vec<Effect>) {
        let header = &sealed.header;
        let view = header.view;
        if !self.membership.is_auditor()
            || !self.rules.is_of(self.epoch(), header.epoch)
            || !self.hears(view)
        {
            return;
        }
        //= harness/spec/consensus.md#con-5-turns
        //# CON-5.3 (ours): The leader of a view MUST follow from epoch, view and committee alone.
        if !self.rules.leads(self.committees.leader(view).institution, header.producer) {
            return;
        }
        let hash = sealed.hash();
        let proposals = &mut self.slot(view).proposals;
        let is_held = proposals.iter().any(|held| held.sealed.hash() == hash);
        if proposals.len() >= PROPOSALS_MAX || is_held {
            return;
        }
        if let Some(first) = proposals.first() {
            let (first, second) = (**first.sealed, **sealed);
            effects.push(Effect::Convict(Box::new(Evidence::Proposals { first, second })));
        }
        proposals.push(Held { sealed, progress: Progress::Waiting });
        self.consider(effects);
        self.ask_for_parents(effects);
    }

    /// Has the proposals of the current view checked, once their parents are acceptable.
    pub(super) fn consider(&mut self, effects: &mut Vec<Effect>) {
        let view = self.view;
        let Some(slot) = self.slots.get(&view) else { return };
        let is_checking = slot.proposals.iter().any(|held| held.progress == Progress::Checking);
        if !self.votes() || is_checking || !self.rules.may_notarize(&slot.own, true) {
            return;
        }
        let waiting = slot.proposals.iter().position(|held| {
            held.progress == Progress::Waiting && self.is_extendable(&held.sealed.header)
        });
        if let Some(at) = waiting {
            let held = &mut self.slot(view).proposals[at];
            held.progress = Progress::Checking;
            let hash = held.sealed.hash();
            effects.push(Effect::Validate { view, hash });
        }
    }

    /// Whether the parent of a proposal is certified and every view between is nullified.
    //= harness/spec/consensus.md#con-6-replacement-within-a-turn
    //# CON-6.3 (ours): A view MUST be skipped only with a certificate of n - f auditors that nullifies
    //# it.
    fn is_extendable(&self, header: &BlockHeader) -> bool {
        let notarized = self.notarized(header.parent_view);
        let gap_nullified = header.parent_view < header.view
            && self.hole(header.parent_view, header.view).is_none();
        self.rules.may_extend(notarized, &header.parent, gap_nullified)
    }

    /// Whether a certificate of this view is one that a waiting proposal needs.
    pub(super) fn is_lacked(&self, view: View) -> bool {
        let Some(slot) = self.slots.get(&self.view) else { return false };
        slot.proposals.iter().any(|held| {
            held.progress == Progress::Waiting && held.sealed.header.parent_view <= view
        })
    }

    /// Asks the producers of proposals that wait for the certificates that these lack: at once, because
    /// a view that everybody nullifies in time is left before anything is sent again.
    pub(super) fn ask_for_parents(&self, effects: &mut Vec<Effect>) {
        if !self.votes() {
            return;
        }
        let Some(slot) = self.slots.get(&self.view) else { return };
        for held in slot.proposals.iter().filter(|held| held.progress == Progress::Waiting) {
            let header = &held.sealed.header;
            let missing = match self.notarized(header.parent_view) {
                Some(hash) if *hash == header.parent => self.hole(header.parent_view, header.view),
                _ => Some(header.parent_view),
            };
            if let Some(view) = missing {
                let to = Audience::One(header.producer);
                effects.push(Effect::Ask { to, epoch: self.epoch(), view });
            }
        }
    }

    /// The check of a block has ended.
    pub(super) fn on_validated(
        &mut self,
        view: View,
        hash: Digest,
        is_valid: bool,
        effects: &mut Vec<Effect>,
    ) {
        let (in_view, votes) = (view == self.view, self.votes());
        let Some(slot) = self.slots.get_mut(&view) else { return };
        let held = slot.proposals.iter_mut().find(|held| held.sealed.hash() == hash);
        let Some(held) = held.filter(|held| held.progress == Progress::Checking) else { return };
        held.progress = Progress::Done;
        //= harness/spec/consensus.md#con-6-replacement-within-a-turn
        //# CON-6.2 (paper): A delegate that signs a wrong block MUST be replaced by the next delegate
        //# in turn.
        if !is_valid && self.rules.heeds_check() {
            self.nullify(view, effects);
        } else if votes && self.rules.may_notarize(&slot.own, in_view) {
            slot.own.notarized = Some(hash);
            self.cast(view, Subject::Notarize(hash), effects);
            if self.rules.finalizes_early() {
                self.slot(view).own.finalized = Some(hash);
                self.cast(view, Subject::Finalize(hash), effects);
            }
        }
    }

    /// Votes to nullify a view, if the rules allow it.
    pub(super) fn nullify(&mut self, view: View, effects: &mut Vec<Effect>) {
        let in_view = view == self.view;
        if !self.votes() {
            return;
        }
        let after_notarizing = self.rules.nullifies_after_notarizing();
        let slot = self.slots.entry(view).or_default();
        let holds_back = slot.own.notarized.is_some() && !after_notarizing;
        if self.rules.may_nullify(&slot.own, in_view) && !holds_back {
            slot.own.nullified = true;
            self.cast(view, Subject::Nullify, effects);
        }
    }

    /// Stores a vote, then casts it.
    pub(super) fn cast(&self, view: View, subject: Subject, effects: &mut Vec<Effect>) {
        let vote = Vote { epoch: self.epoch(), view, subject };
        self.persist(JournalEntry::Voted(vote), effects);
        effects.push(Effect::Cast(vote));
    }
}
