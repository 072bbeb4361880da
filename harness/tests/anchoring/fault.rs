//! The machine, and machines with one rule broken, for which the oracle has to raise its voice.

use std::collections::BTreeMap;

use mdsm_core::anchoring::machine::{
    Bitcoin, Effect, FeeRate, Input, Means, Place, Request, StepError, Submitter,
};
use mdsm_core::ledger::AnchorOutput;
use mdsm_core::types::{Epoch, Timestamp};

/// The rule that is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// Final at five confirmations.
    Hasty,
    /// Submits the second root of an epoch as well.
    TwoFaced,
    /// Pays a higher fee from another coin.
    Spender,
    /// Submits although an anchor stands in a block.
    Greedy,
    /// Takes a foreign root for its own.
    Credulous,
    /// Submits what is not certified yet.
    Early,
    /// Submits nothing.
    Lazy,
}

pub(crate) const FAULTS: [Fault; 7] = [
    Fault::Hasty,
    Fault::TwoFaced,
    Fault::Spender,
    Fault::Greedy,
    Fault::Credulous,
    Fault::Early,
    Fault::Lazy,
];

#[derive(Debug)]
pub(crate) struct Faulty {
    pub(crate) inner: Submitter,
    pub(crate) fault: Fault,
    certified: BTreeMap<Epoch, AnchorOutput>,
    seen: BTreeMap<Epoch, Place>,
    number: u32,
}

impl Faulty {
    pub(crate) fn new(inner: Submitter, fault: Fault) -> Self {
        let (certified, seen) = (BTreeMap::new(), BTreeMap::new());
        Self { inner, fault, certified, seen, number: 1 << 20 }
    }

    pub(crate) fn step(
        &mut self,
        now: Timestamp,
        mut input: Input,
        effects: &mut Vec<Effect>,
    ) -> Result<(), StepError> {
        self.distort(&mut input);
        let told = input.clone();
        let result = self.inner.step(now, input, effects);
        if self.fault != Fault::None {
            self.sin(&told, effects);
        }
        result
    }

    fn distort(&mut self, input: &mut Input) {
        if let Input::Certified { output, .. } = input {
            self.certified.entry(output.epoch).or_insert(*output);
        }
        let Input::Bitcoin(Bitcoin::Connected { block, sightings }) = input else { return };
        for sighting in sightings {
            let Some(certified) = self.certified.get(&sighting.output.epoch) else { continue };
            if self.fault == Fault::Credulous {
                sighting.output = *certified;
            }
            if sighting.output == *certified {
                let (height, block, txid) = (block.height, block.hash, sighting.txid);
                self.seen.entry(certified.epoch).or_insert(Place { height, block, txid });
            }
        }
    }

    fn sin(&mut self, told: &Input, effects: &mut Vec<Effect>) {
        let rate = FeeRate::new(5_000);
        self.number += 1;
        let new = |output| Request { output, number: self.number, rate, means: Means::New };
        match (self.fault, told) {
            (Fault::Hasty, Input::Bitcoin(Bitcoin::Connected { block, .. })) => {
                for (epoch, place) in &self.seen {
                    if block.height == place.height + 4 {
                        let output = self.certified[epoch];
                        effects.push(Effect::Final { output, place: *place });
                    }
                }
            }
            (Fault::Hasty, Input::Bitcoin(Bitcoin::Disconnected(block))) => {
                self.seen.retain(|_, place| place.block != block.hash);
            }
            (Fault::TwoFaced, Input::Certified { output, .. })
                if self.certified[&output.epoch] != *output =>
            {
                effects.push(Effect::Submit(new(*output)));
            }
            (Fault::Early, Input::Bitcoin(Bitcoin::Connected { .. })) => {
                let output = super::scene::output(77);
                effects.push(Effect::Submit(new(output)));
            }
            (Fault::Spender | Fault::Greedy | Fault::Lazy, _) => {
                if self.fault == Fault::Lazy {
                    effects.retain(|effect| !matches!(effect, Effect::Submit(_)));
                }
                let mut more = Vec::new();
                for effect in effects.iter_mut() {
                    match effect {
                        Effect::Submit(request) if self.fault == Fault::Spender => {
                            request.means = Means::New;
                        }
                        Effect::Report(report) if self.fault == Fault::Greedy => {
                            more.push(Effect::Submit(new(self.certified[&report.epoch])));
                        }
                        _ => {}
                    }
                }
                effects.append(&mut more);
            }
            _ => {}
        }
    }
}
