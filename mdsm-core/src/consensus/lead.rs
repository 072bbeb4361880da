//! Proposing. [CON-2] [CON-5] [CON-6]

use std::sync::Arc;

use super::interface::{Audience, Effect};
use super::journal::JournalEntry;
use super::machine::Consensus;
use super::rules::Rules;
use crate::crypto::Identified as _;
use crate::ledger::BlockHeader;
use crate::types::{Digest, View};

impl<R: Rules> Consensus<R> {
    /// Whether the node leads its view and may propose in it.
    pub(super) fn leads(&self) -> bool {
        let leader = self.committees.leader(self.view).institution;
        leader == self.membership.me && !self.membership.is_silent
    }

    /// The turn is over: a block is due.
    pub(super) fn on_turn(&mut self, effects: &mut Vec<Effect>) {
        if self.leads() {
            let view = self.view;
            self.slot(view).is_due = true;
            self.lead(effects);
        }
    }

    /// Asks for a block if one is due and its parent is known; for the certificate that is missing
    /// otherwise. Guessing is no way: nobody could extend a parent that is not certified.
    //= harness/spec/consensus.md#con-6-replacement-within-a-turn
    //# CON-6.1 (paper): A delegate that misses its turn MUST be replaced by the next delegate in turn.
    pub(super) fn lead(&mut self, effects: &mut Vec<Effect>) {
        let view = self.view;
        let is_due = self.slots.get(&view).is_some_and(|slot| slot.is_due);
        if !is_due || self.slot(view).own.proposed.is_some() {
            return;
        }
        match self.parent() {
            Ok((parent_view, parent)) => {
                self.slot(view).is_due = false;
                effects.push(Effect::Build { view, parent_view, parent });
            }
            Err(highest) => {
                let known = self.slots.range(..highest).rev();
                let base = known.into_iter().find_map(|(view, slot)| {
                    let is_base = slot.notarized().is_some() || *view == self.finalized.0;
                    is_base.then_some(*view)
                });
                // Everything from the lowest one on comes in one answer.
                let base = base.unwrap_or(self.finalized.0);
                let missing = self.hole(base, view).unwrap_or(highest);
                let to = Audience::Auditors { and: self.membership.me };
                effects.push(Effect::Ask { to, epoch: self.epoch(), view: missing });
            }
        }
    }

    /// What a block of this view extends, or the view of which a certificate is missing.
    fn parent(&self) -> Result<(View, Digest), View> {
        if !self.rules.extends_notarized() {
            return Ok(self.finalized);
        }
        let mut above = self.view;
        while let Some(below) = above.get().checked_sub(1).map(View::new) {
            if let Some(hash) = self.notarized(below) {
                return Ok((below, *hash));
            }
            let is_nullified = self.slots.get(&below).is_some_and(|slot| slot.is_nullified());
            if !is_nullified {
                return Err(below);
            }
            above = below;
        }
        Ok(self.finalized)
    }

    /// The block was made.
    pub(super) fn on_built(&mut self, header: Arc<BlockHeader>, effects: &mut Vec<Effect>) {
        let is_for_now = header.epoch == self.epoch() && header.view == self.view && self.leads();
        let slot = self.slots.entry(self.view).or_default();
        //= harness/spec/consensus.md#con-7-safety-life-and-evidence
        //# CON-7.14 (ours): A producer MUST NOT sign two blocks of one view, also not across a
        //# restart.
        if !is_for_now || slot.own.proposed.is_some() {
            return;
        }
        slot.own.proposed = Some(header.id());
        slot.proposed = Some(header.clone());
        self.persist(JournalEntry::Proposed(header.clone()), effects);
        //= harness/spec/consensus.md#con-7-safety-life-and-evidence
        //# CON-7.21 (ours): A leader MUST send to all auditors, before its proposal, the notarization of
        //# the parent and the nullification of every view between.
        if self.rules.passes_on() {
            self.publish_way(self.view, Audience::Auditors { and: self.membership.me }, effects);
        }
        effects.push(Effect::Propose(header));
    }

    /// Sends the proposal again, or tries again to make one.
    pub(super) fn lead_again(&mut self, effects: &mut Vec<Effect>) {
        if !self.leads() {
            return;
        }
        let view = self.view;
        match &self.slot(view).proposed {
            Some(header) => effects.push(Effect::Propose(header.clone())),
            None => {
                self.slot(view).is_due = true;
                self.lead(effects);
            }
        }
    }
}
