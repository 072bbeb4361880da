//! Certified anchors on their way into Bitcoin. [ANC-1] [ANC-3]
//!
//! The machine is `anchoring::machine`; here is where its inputs come from: certificates of ballots,
//! reports on the chain, the node's own view of Bitcoin, time.

use super::interface::{Effect, Timer};
use super::limits::BALLOTS_MAX;
use super::machine::Node;
use crate::anchoring::machine::{self, Bitcoin, FeeRate, Sighting};
use crate::consensus::Rules;
use crate::crypto::sign::Scheme;
use crate::ledger::{AnchorOutput, AnchorReport};
use crate::roster::Committees;
use crate::types::{InstitutionId, View};

/// Producers of an epoch in the order in which they have the duty to anchor it: from the leader of its
/// last block on.
//= harness/spec/anchoring.md#anc-1-commitment
//# ANC-1.1 (paper): The producer on duty MUST commit the frozen roots of each epoch to Bitcoin in an
//# ordinary transaction.
pub(super) fn duty_of(committees: &Committees, last_view: View) -> Vec<InstitutionId> {
    let first = committees.leader(last_view).institution;
    let producers = &committees.producers;
    let at = producers.iter().position(|seat| seat.institution == first).unwrap_or(0);
    let (before, from) = producers.split_at(at);
    from.iter().chain(before).map(|seat| seat.institution).collect()
}

impl<S: Scheme + Clone, R: Rules> Node<S, R> {
    /// An anchor is certified: from now on it has to get into Bitcoin.
    pub(super) fn anchor(
        &mut self,
        output: AnchorOutput,
        duty: Vec<InstitutionId>,
        effects: &mut Vec<Effect>,
    ) {
        self.submit(machine::Input::Certified { output, duty }, effects);
        if let Some((sighting, rate)) = self.resumed.remove(&output.epoch) {
            self.submit(machine::Input::Resumed { sighting, rate }, effects);
        }
    }

    /// A transaction from before a restart. A node that lost its log has no certificate yet, so it waits.
    //= harness/spec/anchoring.md#anc-3-getting-it-confirmed
    //# ANC-3.11 (ours): A further transaction of a submitter for an epoch MUST spend the coin of the one
    //# before it for as long as that one can be mined.
    pub(super) fn on_resumed(
        &mut self,
        sighting: Sighting,
        rate: FeeRate,
        effects: &mut Vec<Effect>,
    ) {
        let epoch = sighting.output.epoch;
        if self.submitter.stage(epoch).is_some() {
            self.submit(machine::Input::Resumed { sighting, rate }, effects);
        } else {
            self.resumed.insert(epoch, (sighting, rate));
            while self.resumed.len() > BALLOTS_MAX {
                self.resumed.pop_first();
            }
        }
    }

    pub(super) fn on_bitcoin(&mut self, shown: Bitcoin, effects: &mut Vec<Effect>) {
        self.submit(machine::Input::Bitcoin(shown), effects);
    }

    /// A final block reports an anchor.
    pub(super) fn on_report(&mut self, report: AnchorReport, effects: &mut Vec<Effect>) {
        self.submit(machine::Input::Reported(report), effects);
    }

    pub(super) fn on_anchor_time(&mut self, effects: &mut Vec<Effect>) {
        self.submit(machine::Input::Time, effects);
        self.arm_anchors(effects);
    }

    pub(super) fn arm_anchors(&self, effects: &mut Vec<Effect>) {
        let after_ms = self.chain.genesis().turn_ms.max(1_000);
        effects.push(Effect::Arm { timer: Timer::Anchors, after_ms });
    }

    fn submit(&mut self, input: machine::Input, effects: &mut Vec<Effect>) {
        let mut inner = Vec::new();
        match self.submitter.step(self.now, input, &mut inner) {
            Ok(()) => {}
            Err(error) => effects.push(Effect::AnchorRefused(error)),
        }
        for effect in inner {
            match effect {
                machine::Effect::Report(report) => self.events.report(report),
                other => effects.push(Effect::Anchor(other)),
            }
        }
    }
}
