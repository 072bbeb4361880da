//! The anchors of all epochs that are not settled yet. [ANC-1] [ANC-3]
//!
//! Cost of an input: of a block or of time, linear in the epochs held, at most 1,152; of anything else, a
//! look-up. What is dropped: an epoch too many is refused and offered again later, so that no anchor is
//! lost; of the final epochs the one that lies deepest in Bitcoin is forgotten first; of the copies of one
//! anchor the highest; foreign outputs are counted, not kept; outputs for epochs that are not held are
//! not looked at, because [`Effect::Watch`] asks for them once the epoch is certified.

use std::collections::BTreeMap;

use super::case::{Case, Stage};
use super::fee::FeeRate;
use super::message::{Bitcoin, BlockRef, Effect, Input, Sighting, StepError};
use crate::ledger::AnchorOutput;
use crate::params::{ANCHOR_FINAL_KEPT, ANCHOR_OPEN_MAX};
use crate::types::{Digest, Epoch, InstitutionId, Timestamp};

/// One institution's machine.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Submitter {
    me: InstitutionId,
    /// Height and hash of Bitcoin's last block.
    tip: Option<(u32, Digest)>,
    estimate: FeeRate,
    cases: BTreeMap<Epoch, Case>,
    /// Highest epoch that was final and is held no longer.
    forgotten: Option<Epoch>,
}

impl Submitter {
    /// A machine that has seen nothing.
    #[must_use]
    pub fn new(me: InstitutionId) -> Self {
        Self { me, tip: None, estimate: FeeRate::MIN, cases: BTreeMap::new(), forgotten: None }
    }

    /// How far the anchor of an epoch has come; `None` for an epoch that is not held.
    #[must_use]
    pub fn stage(&self, epoch: Epoch) -> Option<Stage> {
        Some(self.cases.get(&epoch)?.stage(self.height()))
    }

    /// Epochs whose anchor is not final.
    #[must_use]
    pub fn open(&self) -> usize {
        self.cases.values().filter(|case| case.settled().is_none()).count()
    }

    /// Epochs held in all.
    #[must_use]
    pub fn held(&self) -> usize {
        self.cases.len()
    }

    /// Takes one input. On an error nothing has changed and nothing is asked for.
    pub fn step(
        &mut self,
        now: Timestamp,
        input: Input,
        effects: &mut Vec<Effect>,
    ) -> Result<(), StepError> {
        match input {
            Input::Certified { output, duty } => self.certified(output, &duty, now, effects),
            Input::Resumed { sighting, rate } => {
                let Sighting { txid, output } = sighting;
                let epoch = output.epoch;
                let case = self.cases.get_mut(&epoch).ok_or(StepError::NotOpen { epoch })?;
                case.check_root(&output)?;
                case.resume(txid, rate, now, effects);
                Ok(())
            }
            Input::Bitcoin(shown) => self.shown(shown, now, effects),
            Input::Reported(report) => {
                if let Some(case) = self.cases.get_mut(&report.epoch) {
                    case.reported(report, effects);
                }
                Ok(())
            }
            Input::Time => {
                for case in self.cases.values_mut() {
                    case.time(now, self.estimate, effects);
                }
                Ok(())
            }
        }
    }

    //= harness/spec/anchoring.md#anc-1-commitment
    //# ANC-1.4 (ours): The producer on duty MUST submit the anchor of an epoch only after the anchor
    //# certificate of that epoch exists.
    fn certified(
        &mut self,
        output: AnchorOutput,
        duty: &[InstitutionId],
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) -> Result<(), StepError> {
        let epoch = output.epoch;
        if let Some(case) = self.cases.get(&epoch) {
            return case.check_root(&output);
        }
        if let Some(forgotten) = self.forgotten.filter(|forgotten| epoch <= *forgotten) {
            return Err(StepError::Past { epoch, forgotten });
        }
        let (open, open_max) = (self.open(), ANCHOR_OPEN_MAX);
        //= harness/spec/anchoring.md#anc-3-getting-it-confirmed
        //# ANC-3.14 (ours): A node MUST keep of anchors no more than the table Bounds allows,
        //# whatever Bitcoin shows.
        if open >= open_max {
            return Err(StepError::Full { epoch, open, open_max });
        }
        //= harness/spec/anchoring.md#anc-3-getting-it-confirmed
        //# ANC-3.6 (ours): Consensus on blocks MUST go on while an anchor is late.
        self.cases.insert(epoch, Case::new(output, duty, self.me, now)?);
        effects.push(Effect::Watch(output));
        Ok(())
    }

    fn shown(
        &mut self,
        shown: Bitcoin,
        now: Timestamp,
        effects: &mut Vec<Effect>,
    ) -> Result<(), StepError> {
        match shown {
            Bitcoin::Connected { block, sightings } => {
                self.connect(&block)?;
                for sighting in sightings {
                    if let Some(case) = self.cases.get_mut(&sighting.output.epoch) {
                        case.confirmed(sighting, block.height, block.hash, effects);
                    }
                }
                self.settle(effects);
            }
            Bitcoin::Disconnected(block) => {
                self.disconnect(&block)?;
                for case in self.cases.values_mut() {
                    case.disconnected(&block, now, effects);
                }
                self.settle(effects);
            }
            Bitcoin::Found { sighting, height, block } => {
                self.tip
                    .filter(|(tip, _)| height <= *tip)
                    .ok_or(StepError::Unknown { height, block })?;
                if let Some(case) = self.cases.get_mut(&sighting.output.epoch) {
                    case.confirmed(sighting, height, block, effects);
                }
                self.settle(effects);
            }
            Bitcoin::Unconfirmed(sighting) => {
                if let Some(case) = self.cases.get_mut(&sighting.output.epoch) {
                    // One with our root may be stuck for ever, so nothing follows from it.
                    case.is_foreign(sighting, None, effects);
                }
            }
            Bitcoin::Dropped(txid) => {
                for case in self.cases.values_mut() {
                    case.dropped(&txid, now);
                }
            }
            Bitcoin::Estimate(rate) => self.estimate = rate,
            Bitcoin::Accepted { epoch, number, txid } => {
                if let Some(case) = self.cases.get_mut(&epoch) {
                    case.accepted(number, txid, now, effects);
                }
            }
            Bitcoin::Refused { epoch, number, refusal } => {
                if let Some(case) = self.cases.get_mut(&epoch) {
                    case.refused(number, refusal, now, self.estimate, effects);
                }
            }
        }
        Ok(())
    }

    fn height(&self) -> u32 {
        self.tip.map_or(0, |(height, _)| height)
    }

    /// The first block told is taken as it is; every other one stands on the tip.
    fn connect(&mut self, block: &BlockRef) -> Result<(), StepError> {
        if let Some((tip_height, tip)) = self.tip
            && (tip_height.checked_add(1) != Some(block.height) || tip != block.parent)
        {
            let (height, found) = (block.height, block.parent);
            return Err(StepError::Tip { height, found, tip_height, tip });
        }
        self.tip = Some((block.height, block.hash));
        Ok(())
    }

    /// However deep a reorganisation goes, only the tip has to be known.
    fn disconnect(&mut self, block: &BlockRef) -> Result<(), StepError> {
        let (height, found) = (block.height, block.hash);
        let (tip_height, tip) = self.tip.ok_or(StepError::Unknown { height, block: found })?;
        let below = height.checked_sub(1).filter(|_| (height, found) == (tip_height, tip));
        let below = below.ok_or(StepError::Tip { height, found, tip_height, tip })?;
        self.tip = Some((below, block.parent));
        Ok(())
    }

    fn settle(&mut self, effects: &mut Vec<Effect>) {
        let tip = self.height();
        for case in self.cases.values_mut() {
            case.settle(tip, effects);
        }
        let settled = |cases: &BTreeMap<Epoch, Case>| {
            cases.values().filter(|c| c.settled().is_some()).count()
        };
        let mut count = settled(&self.cases);
        while count > ANCHOR_FINAL_KEPT {
            let places =
                self.cases.iter().filter_map(|(epoch, case)| Some((case.settled()?, epoch)));
            let Some(epoch) = places.min().map(|(_, epoch)| *epoch) else { break };
            self.cases.remove(&epoch);
            self.forgotten = self.forgotten.max(Some(epoch));
            count -= 1;
        }
    }
}
