//! How long to wait, and sending again. [CON-6] [CON-7]
//!
//! With D the assumed delay of the network and T the length of a turn: propose after T, miss a proposal
//! after T + 2 D, leave a view after T + 3 D, send again after T + 4 D and every 2 D behind that: a view
//! that goes well takes little more than T, and nothing is sent twice in it. D grows by half for each
//! nullified view since the last block that was notarized, up to 64 times.

use super::interface::{Audience, Effect, Timer, TimerKind};
use super::machine::Consensus;
use super::rules::Rules;
use super::slot::Progress;
use crate::ledger::{Subject, Vote};
use crate::types::View;

/// Times of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Timing {
    /// Milliseconds of a turn: records are gathered that long.
    pub turn_ms: u32,
    /// Milliseconds that a message takes, as far as anybody assumes.
    pub delay_ms: u32,
}

/// The delay grows to this many times its base, at most.
const GROWTH_MAX: u64 = 64;

impl Timing {
    /// Milliseconds of D after so many nullified views in a row.
    #[must_use]
    pub fn delay_after(&self, nullified: u32) -> u32 {
        let base = u64::from(self.delay_ms);
        let mut delay = base;
        for _ in 0..nullified {
            if delay >= base * GROWTH_MAX {
                break;
            }
            delay += delay.div_ceil(2);
        }
        u32::try_from(delay.min(base * GROWTH_MAX)).unwrap_or(u32::MAX)
    }
}

impl<R: Rules> Consensus<R> {
    /// Views below the current one that are nullified, without a gap.
    fn stalls(&self) -> u32 {
        let below = self.slots.range(..self.view).rev();
        let nullified = below.take_while(|(_, slot)| {
            slot.is_nullified() && slot.notarization.is_none() && slot.finalization.is_none()
        });
        u32::try_from(nullified.count()).unwrap_or(u32::MAX)
    }

    /// Milliseconds that the node takes a message to need in its view.
    #[must_use]
    pub fn assumed_delay_ms(&self) -> u32 {
        self.timing.delay_after(self.stalls())
    }

    /// Arms the timers of the current view.
    pub(super) fn arm(&self, effects: &mut Vec<Effect>) {
        let (turn, delay) = (self.timing.turn_ms, self.assumed_delay_ms());
        let mut arm = |kind, after_ms| {
            let timer = Timer { epoch: self.epoch(), view: self.view, kind };
            effects.push(Effect::Arm { timer, after_ms });
        };
        if self.leads() {
            arm(TimerKind::Turn, turn);
        }
        if self.votes() {
            arm(TimerKind::Proposal, turn.saturating_add(delay.saturating_mul(2)));
            arm(TimerKind::View, turn.saturating_add(delay.saturating_mul(3)));
        }
        arm(TimerKind::Retry, turn.saturating_add(delay.saturating_mul(4)));
    }

    pub(super) fn on_timeout(&mut self, timer: Timer, effects: &mut Vec<Effect>) {
        if timer.epoch != self.epoch() {
            return;
        }
        let in_view = timer.view == self.view;
        match timer.kind {
            TimerKind::Turn if in_view => self.on_turn(effects),
            TimerKind::Proposal => {
                let Some(slot) = self.slots.get(&timer.view) else {
                    return self.nullify(timer.view, effects);
                };
                let is_busy = slot.own.notarized.is_some()
                    || slot.proposals.iter().any(|held| held.progress == Progress::Checking);
                if !is_busy {
                    self.nullify(timer.view, effects);
                }
            }
            TimerKind::View => self.nullify(timer.view, effects),
            TimerKind::Retry if in_view => {
                if self.rules.retries() {
                    self.retry(effects);
                }
                let delay = self.assumed_delay_ms();
                effects.push(Effect::Arm { timer, after_ms: delay.saturating_mul(2).max(1) });
            }
            TimerKind::Turn | TimerKind::Retry => {}
        }
    }

    /// Sends again whatever others may lack to leave this view.
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //# CON-7.7 (ours): After the network heals a block MUST become final within one view more than
    //# the longest run of faulty producers in the order of turns, while at most f auditors are
    //# faulty.
    fn retry(&mut self, effects: &mut Vec<Effect>) {
        self.cast_again(effects);
        //= harness/spec/consensus.md#con-7-safety-life-and-evidence
        //# CON-7.16 (ours): An auditor, and the leader of the view that it is in, MUST send again to all
        //# auditors, at the latest a turn and four assumed delays after it entered the view and then
        //# at least every two assumed delays, its own votes and proposal of that view, the highest
        //# notarization that it holds in the epoch, every nullification above that, and the
        //# finalization that ended the epoch before.
        if self.membership.auditor.is_some() || self.leads() {
            let leader = self.committees.leader(self.view).institution;
            self.publish_way(self.view, Audience::Auditors { and: leader }, effects);
        }
        self.lead_again(effects);
        self.ask_for_parents(effects);
        if !self.votes() {
            // Nobody sends votes to a node that does not audit, so it asks for certificates; every
            // auditor, because the one on duty may be faulty, or the node itself.
            let to = Audience::Auditors { and: self.committees.leader(self.view).institution };
            effects.push(Effect::Ask { to, epoch: self.epoch(), view: self.view });
        }
    }

    /// Casts the own votes for the current view again, and finalize votes for blocks that are not
    /// final yet.
    pub(super) fn cast_again(&self, effects: &mut Vec<Effect>) {
        if !self.votes() {
            return;
        }
        for (view, slot) in &self.slots {
            let subjects = [
                slot.own.notarized.map(Subject::Notarize).filter(|_| *view == self.view),
                slot.own.nullified.then_some(Subject::Nullify).filter(|_| *view == self.view),
                slot.own.finalized.map(Subject::Finalize).filter(|_| *view > self.finalized.0),
            ];
            for subject in subjects.into_iter().flatten() {
                effects.push(Effect::Cast(Vote { epoch: self.epoch(), view: *view, subject }));
            }
        }
    }

    /// Sends the certificates that lead on to the current view: those of every view below `above`, back
    /// to the highest notarized one.
    pub(super) fn publish_way(&self, above: View, to: Audience, effects: &mut Vec<Effect>) {
        for (_, slot) in self.slots.range(..above).rev() {
            for certificate in slot.certificates() {
                let certificate = certificate.clone();
                effects.push(Effect::Publish { certificate, to });
            }
            if slot.notarized().is_some() {
                break;
            }
        }
    }

    /// Brings the view in line with the certificates that were recalled.
    pub(super) fn settle(&mut self) {
        let certified = |(view, slot): (&View, &super::slot::Slot)| {
            slot.certificates().next().is_some().then_some(*view)
        };
        let last = self.slots.iter().filter_map(certified).next_back();
        let next = last.and_then(View::next).unwrap_or(View::new(1));
        self.view = self.view.max(next);
        let last_final = self.slots.iter().rev().find_map(|(view, slot)| {
            let digest = slot.finalization.as_ref()?.vote.subject.digest()?;
            Some((*view, *digest))
        });
        if let Some(last_final) = last_final.filter(|(view, _)| *view > self.finalized.0) {
            self.finalized = last_final;
            self.slots = self.slots.split_off(&last_final.0);
        }
    }
}
