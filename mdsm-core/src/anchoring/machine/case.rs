//! One epoch's way into Bitcoin. [ANC-1] [ANC-3]
//!
//! ```text
//!              duty, Time                    block                  6 confirmations
//!   Waiting ----------------> Submitted ---------------> Confirmed -----------------> Final
//!      ^                        |  ^  | unconfirmed         |                           |
//!      | coin gone     replaced |__|__| too long            | block removed             | block removed:
//!      |                           |                        v                           | alarm
//!      +---------------------------+-- again, Time ---- Reorganised <-------------------+
//! ```
//! Two facts make a stage: anchors that stand in blocks, whoever submitted them, and what is out of
//! our own. Money is spent at `time` only, and only while no anchor stands in a block.

use std::collections::BTreeSet;

use super::duty::Duty;
use super::fee::FeeRate;
use super::message::{
    Alarm, BlockRef, Effect, Means, Place, Refusal, Request, Sighting, StepError,
};
use crate::ledger::{AnchorOutput, AnchorReport};
use crate::params::{
    ANCHOR_BUMP_MS, ANCHOR_CONFIRMATIONS, ANCHOR_COPIES_MAX, ANCHOR_FOREIGN_MAX, ANCHOR_RETRY_MS,
};
use crate::types::{Digest, InstitutionId, Timestamp};

/// How far an epoch's anchor has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// In no block, and nothing of ours is out.
    Waiting,
    /// In no block, a transaction of ours is out.
    Submitted(Digest),
    /// In a block.
    Confirmed {
        /// Blocks from that one to the tip, both included.
        confirmations: u32,
    },
    /// Final, here.
    Final(Place),
    /// A transaction of ours was in a block or out, and is to be submitted again.
    Reorganised(Digest),
}

/// What is out of our own. Each but the first and the last is in the way of a second coin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Own {
    /// Nothing that could be mined.
    None { due: Timestamp },
    /// The driver has not answered yet.
    Asked { request: Request, due: Timestamp },
    /// Waits for a block.
    Live { txid: Digest, due: Timestamp },
    /// Was removed from a block or dropped.
    Removed { txid: Digest, due: Timestamp },
    /// In a block.
    Mined { txid: Digest, block: Digest },
}

impl Own {
    /// Our transaction that can be mined or is.
    fn txid(&self) -> Option<Digest> {
        match *self {
            Self::None { .. } => None,
            Self::Asked { request, .. } => match request.means {
                Means::New => None,
                Means::Replace(txid) | Means::Again(txid) => Some(txid),
            },
            Self::Live { txid, .. } | Self::Removed { txid, .. } | Self::Mined { txid, .. } => {
                Some(txid)
            }
        }
    }
}

/// One epoch.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Case {
    output: AnchorOutput,
    duty: Duty,
    own: Own,
    /// Number of the last request.
    number: u32,
    /// What the next request has to exceed, or what it may pay when nothing is out.
    rate: FeeRate,
    anchors: BTreeSet<Place>,
    settled: Option<Place>,
    /// What the chain said last.
    reported: Option<AnchorReport>,
    /// What we asked the chain to say last.
    asked: Option<Place>,
    foreign: u32,
}

impl Case {
    pub(super) fn new(
        output: AnchorOutput,
        order: &[InstitutionId],
        me: InstitutionId,
        now: Timestamp,
    ) -> Result<Self, StepError> {
        let duty = Duty::new(order, me, now).ok_or(StepError::NoDuty { epoch: output.epoch })?;
        Ok(Self {
            output,
            duty,
            own: Own::None { due: now },
            number: 0,
            rate: FeeRate::MIN,
            anchors: BTreeSet::new(),
            settled: None,
            reported: None,
            asked: None,
            foreign: 0,
        })
    }

    pub(super) fn settled(&self) -> Option<&Place> {
        self.settled.as_ref()
    }

    pub(super) fn stage(&self, tip: u32) -> Stage {
        match (self.settled, self.anchors.first(), self.own) {
            (Some(place), _, _) => Stage::Final(place),
            (None, Some(place), _) => Stage::Confirmed { confirmations: depth(place, tip) },
            (None, None, Own::Removed { txid, .. }) => Stage::Reorganised(txid),
            (None, None, own) => own.txid().map_or(Stage::Waiting, Stage::Submitted),
        }
    }

    /// Refuses a second root. The epoch keeps the one that was certified first.
    //= harness/spec/anchoring.md#anc-3-getting-it-confirmed
    //# ANC-3.13 (ours): A second anchor root for an epoch MUST be refused with an error that names
    //# both roots.
    pub(super) fn check_root(&self, other: &AnchorOutput) -> Result<(), StepError> {
        let AnchorOutput { epoch, root: held } = self.output;
        if other.root == held {
            Ok(())
        } else {
            Err(StepError::TwoRoots { epoch, held, refused: other.root })
        }
    }

    /// Does what is due.
    pub(super) fn time(&mut self, now: Timestamp, estimate: FeeRate, effects: &mut Vec<Effect>) {
        if let Some(place) = self.anchors.first().copied() {
            self.report(place, effects);
            //= harness/spec/anchoring.md#anc-3-getting-it-confirmed
            //# ANC-3.9 (ours): A producer MUST NOT submit a transaction for an epoch while its own
            //# view of Bitcoin shows an anchor of that epoch in a block.
            return;
        }
        match self.own {
            Own::Asked { request, due } if now >= due => {
                self.own = Own::Asked { request, due: after(now, ANCHOR_RETRY_MS) };
                effects.push(Effect::Submit(request));
            }
            //= harness/spec/anchoring.md#anc-3-getting-it-confirmed
            //# ANC-3.2 (ours): An anchor whose block a reorganisation of Bitcoin removed MUST be
            //# submitted again with the same anchor root.
            Own::Removed { txid, due } if now >= due => {
                self.submit(Means::Again(txid), self.rate, now, effects);
            }
            //= harness/spec/anchoring.md#anc-3-getting-it-confirmed
            //# ANC-3.3 (ours): A submitter MUST raise the fee of an anchor transaction that stays
            //# unconfirmed past its waiting time by replacing it.
            Own::Live { txid, due } if now >= due => match self.rate.raised(estimate) {
                Some(rate) => self.submit(Means::Replace(txid), rate, now, effects),
                None => {
                    self.own = Own::Live { txid, due: after(now, ANCHOR_BUMP_MS) };
                    let (epoch, rate) = (self.output.epoch, self.rate);
                    effects.push(Effect::Alarm(Alarm::FeeLimit { epoch, rate }));
                }
            },
            //= harness/spec/anchoring.md#anc-1-commitment
            //# ANC-1.1 (paper): The producer on duty MUST commit the frozen roots of each epoch to
            //# Bitcoin in an ordinary transaction.
            Own::None { due } if now >= due && self.duty.is_mine(now) => {
                let rate = self.rate.max(FeeRate::first(estimate));
                self.submit(Means::New, rate, now, effects);
            }
            _ => {}
        }
    }

    //= harness/spec/anchoring.md#anc-3-getting-it-confirmed
    //# ANC-3.16 (ours): A node whose own view of Bitcoin shows an anchor in a block that the chain
    //# has not reported MUST ask for its report.
    fn report(&mut self, place: Place, effects: &mut Vec<Effect>) {
        let Place { height, txid, .. } = place;
        let report = AnchorReport { epoch: self.output.epoch, txid, height };
        if self.reported != Some(report) && self.asked != Some(place) {
            self.asked = Some(place);
            effects.push(Effect::Report(report));
        }
    }

    /// Every request of an epoch comes from here, with the root that was certified.
    //= harness/spec/anchoring.md#anc-1-commitment
    //# ANC-1.3 (ours): The anchor root that is submitted for an epoch MUST be the one that follows
    //# from the finalized chain, whoever submits it.
    fn submit(&mut self, means: Means, rate: FeeRate, now: Timestamp, effects: &mut Vec<Effect>) {
        // A number comes again only after 2^32 attempts, one a minute.
        self.number = self.number.wrapping_add(1);
        let request = Request { output: self.output, number: self.number, rate, means };
        self.own = Own::Asked { request, due: after(now, ANCHOR_RETRY_MS) };
        effects.push(Effect::Submit(request));
    }

    /// The request that this number answers; an answer to another changes nothing.
    fn answered(&self, number: u32) -> Option<Request> {
        match self.own {
            Own::Asked { request, .. } if request.number == number => Some(request),
            _ => None,
        }
    }

    pub(super) fn accepted(
        &mut self,
        number: u32,
        txid: Digest,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        if let Some(request) = self.answered(number) {
            self.take(txid, request.rate, now, effects);
        }
    }

    /// Takes over a transaction of ours from before a restart.
    pub(super) fn resume(
        &mut self,
        txid: Digest,
        rate: FeeRate,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        if matches!(self.own, Own::None { .. }) {
            self.take(txid, rate, now, effects);
        }
    }

    fn take(&mut self, txid: Digest, rate: FeeRate, now: Timestamp, effects: &mut Vec<Effect>) {
        self.rate = rate;
        // Its block may have been told before the answer.
        let mined = self.anchors.iter().find(|place| place.txid == txid);
        self.own = match mined {
            Some(place) => Own::Mined { txid, block: place.block },
            None => Own::Live { txid, due: after(now, ANCHOR_BUMP_MS) },
        };
        if self.settled.is_some() && mined.is_none() {
            effects.push(Effect::Release { epoch: self.output.epoch, txid });
        }
    }

    //= harness/spec/anchoring.md#anc-3-getting-it-confirmed
    //# ANC-3.11 (ours): A further transaction of a submitter for an epoch MUST spend the coin of the
    //# one before it for as long as that one can be mined.
    pub(super) fn refused(
        &mut self,
        number: u32,
        refusal: Refusal,
        now: Timestamp,
        estimate: FeeRate,
        effects: &mut Vec<Effect>,
    ) {
        let Some(request) = self.answered(number) else { return };
        let due = after(now, ANCHOR_RETRY_MS);
        if refusal == Refusal::Empty {
            effects.push(Effect::Alarm(Alarm::Empty { epoch: self.output.epoch }));
        }
        if refusal == Refusal::Fee {
            // A new one pays the rate next time; one that is out is raised from it.
            self.rate = match request.means {
                Means::New => request.rate.raised(estimate).unwrap_or(request.rate),
                Means::Replace(_) | Means::Again(_) => request.rate,
            };
        }
        self.own = match (request.means, refusal) {
            (Means::New, _) | (_, Refusal::Coin) => Own::None { due },
            (Means::Replace(txid), _) | (Means::Again(txid), Refusal::Fee) => {
                Own::Live { txid, due }
            }
            (Means::Again(txid), _) => Own::Removed { txid, due },
        };
    }

    /// A transaction stands in a block.
    pub(super) fn confirmed(
        &mut self,
        sighting: Sighting,
        height: u32,
        block: Digest,
        effects: &mut Vec<Effect>,
    ) {
        if self.is_foreign(sighting, Some(height), effects) {
            return;
        }
        let txid = sighting.txid;
        //= harness/spec/anchoring.md#anc-3-getting-it-confirmed
        //# ANC-3.5 (ours): Several confirmed anchors of one epoch with one root MUST count as one
        //# anchor.
        self.anchors.insert(Place { height, block, txid });
        if self.anchors.len() > ANCHOR_COPIES_MAX {
            self.anchors.pop_last();
        }
        if self.own.txid() == Some(txid) {
            self.own = Own::Mined { txid, block };
        }
    }

    /// Whether the root is another one; that is told, and never counted.
    //= harness/spec/anchoring.md#anc-3-getting-it-confirmed
    //# ANC-3.8 (ours): An MDSM output that gives an epoch of the chain another root MUST be reported
    //# as foreign.
    pub(super) fn is_foreign(
        &mut self,
        sighting: Sighting,
        height: Option<u32>,
        effects: &mut Vec<Effect>,
    ) -> bool {
        let AnchorOutput { epoch, root: expected } = self.output;
        let is_foreign = sighting.output.root != expected;
        if is_foreign {
            self.foreign = self.foreign.saturating_add(1);
            let count = self.foreign;
            if count <= ANCHOR_FOREIGN_MAX {
                effects.push(Effect::Foreign { sighting, height, expected });
            }
            if count == ANCHOR_FOREIGN_MAX {
                effects.push(Effect::Alarm(Alarm::ManyForeign { epoch, count }));
            }
        }
        is_foreign
    }

    /// The block on top was removed.
    pub(super) fn disconnected(
        &mut self,
        removed: &BlockRef,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) {
        let before = self.anchors.len();
        self.anchors.retain(|place| place.block != removed.hash);
        match self.own {
            Own::Mined { txid, block } if block == removed.hash => {
                self.own = Own::Removed { txid, due: now };
            }
            // While it stood behind that anchor nobody cared whether it still waits.
            Own::Live { txid, .. } if before > 0 && self.anchors.is_empty() => {
                self.own = Own::Removed { txid, due: now };
            }
            _ => {}
        }
        if before > 0 && self.anchors.is_empty() {
            self.duty.begin_anew(now);
        }
        if let Some(place) = self.settled.filter(|place| place.block == removed.hash) {
            self.settled = None;
            //= harness/spec/anchoring.md#anc-3-getting-it-confirmed
            //# ANC-3.15 (ours): A node MUST raise an alarm when a reorganisation of Bitcoin removes
            //# the block of a final anchor.
            effects.push(Effect::Alarm(Alarm::FinalRemoved { output: self.output, place }));
        }
    }

    /// A transaction waits no longer.
    pub(super) fn dropped(&mut self, dropped: &Digest, now: Timestamp) {
        if let Own::Live { txid, .. } = self.own
            && txid == *dropped
        {
            self.own = Own::Removed { txid, due: now };
        }
    }

    /// What the chain says. Nothing follows from it but a question to Bitcoin.
    //= harness/spec/anchoring.md#anc-3-getting-it-confirmed
    //# ANC-3.10 (ours): A report of an anchor on the chain MUST count only where the node's own view
    //# of Bitcoin shows that transaction in a block.
    pub(super) fn reported(&mut self, report: AnchorReport, effects: &mut Vec<Effect>) {
        let is_seen = self.anchors.iter().any(|place| place.txid == report.txid);
        self.reported = Some(report);
        if !is_seen && self.settled.is_none() {
            effects.push(Effect::Look(report));
        }
    }

    /// Counts confirmations. Once final, an anchor is final until its block is removed.
    //= harness/spec/anchoring.md#anc-3-getting-it-confirmed
    //# ANC-3.1 (ours): An anchor MUST count as final only when its block has 6 confirmations.
    pub(super) fn settle(&mut self, tip: u32, effects: &mut Vec<Effect>) {
        let Some(place) = self.anchors.first().copied() else { return };
        if self.settled.is_some() || depth(&place, tip) < ANCHOR_CONFIRMATIONS {
            return;
        }
        self.settled = Some(place);
        let output = self.output;
        effects.push(Effect::Final { output, place });
        if let (Own::Asked { .. } | Own::Live { .. } | Own::Removed { .. }, Some(txid)) =
            (self.own, self.own.txid())
        {
            effects.push(Effect::Release { epoch: output.epoch, txid });
        }
    }
}

fn depth(place: &Place, tip: u32) -> u32 {
    tip.checked_sub(place.height).map_or(0, |above| above.saturating_add(1))
}

fn after(now: Timestamp, wait_ms: i64) -> Timestamp {
    Timestamp::new(now.get().saturating_add(wait_ms))
}
