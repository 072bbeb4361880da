//! The oracle: holds what machines ask for against what they were told and what Bitcoin has. It counts
//! blocks and compares scripts for itself.

use std::collections::{BTreeMap, BTreeSet};

use bitcoin::Transaction;
use bitcoin::hashes::Hash as _;
use mdsm_core::anchoring::machine::{Effect, Means, Place};
use mdsm_core::bitcoin::EmbeddedChain;
use mdsm_core::ledger::AnchorOutput;
use mdsm_core::types::{Digest, Epoch};

use super::scene::{Producer, txid};

/// What was told and what was found wrong.
#[derive(Clone, Debug, Default)]
pub(crate) struct Watch {
    /// What each producer was told first of an epoch.
    certified: BTreeMap<(usize, Epoch), AnchorOutput>,
    /// Roots submitted, by anybody.
    submitted: BTreeMap<Epoch, BTreeSet<Digest>>,
    pub(crate) finals: BTreeMap<(usize, Epoch), Place>,
    pub(crate) wrong: Vec<String>,
    /// How often something interesting happened.
    pub(crate) sometimes: BTreeMap<&'static str, u64>,
}

/// The 43 bytes, put together once more.
fn script(output: &AnchorOutput) -> Vec<u8> {
    let epoch = output.epoch.get().to_le_bytes();
    [&[0x6a, 0x29][..], b"MDSM", &[1], &epoch, output.root.as_bytes()].concat()
}

/// Whether a transaction is the anchor: one output of these bytes, no other of ours, and short enough.
fn is_anchor(transaction: &Transaction, output: &AnchorOutput) -> bool {
    let scripts = transaction.output.iter().map(|output| output.script_pubkey.as_bytes());
    let ours: Vec<&[u8]> =
        scripts.filter(|script| script.windows(4).any(|bytes| bytes == b"MDSM")).collect();
    ours == [&script(output)[..]] && transaction.base_size() <= 4_096
}

impl Watch {
    pub(crate) fn certified(&mut self, index: usize, output: &AnchorOutput) {
        self.certified.entry((index, output.epoch)).or_insert(*output);
    }

    /// A machine that lost its memory may be told anew; what it said before still counts.
    pub(crate) fn restarted(&mut self, index: usize) {
        self.certified.retain(|(of, _), _| *of != index);
    }

    pub(crate) fn judge(
        &mut self,
        index: usize,
        effects: &[Effect],
        producer: &Producer,
        chain: &EmbeddedChain,
    ) {
        for effect in effects {
            let name = match effect {
                Effect::Submit(request) => {
                    let AnchorOutput { epoch, root } = request.output;
                    let told = self.certified.get(&(index, epoch)).copied();
                    self.check(told.is_some(), index, "submitted before the certificate", effect);
                    let same = told.is_none_or(|told| told == request.output);
                    self.check(same, index, "submitted another root", effect);
                    let roots = self.submitted.entry(epoch).or_default();
                    roots.insert(root);
                    let count = roots.len();
                    self.check(count == 1, index, "two roots of one epoch", effect);
                    let stands = producer.told.iter().filter_map(|block| {
                        let stands = chain.block(block.height)?;
                        let hash = stands.block_hash().to_byte_array();
                        (hash == *block.hash.as_bytes()).then_some(stands)
                    });
                    let mut all = stands.flat_map(|block| &block.txdata);
                    let anchored = all.any(|transaction| is_anchor(transaction, &request.output));
                    self.check(!anchored, index, "submitted what stands in a block", effect);
                    match request.means {
                        Means::New => "new",
                        Means::Replace(_) => "replaced",
                        Means::Again(_) => "again",
                    }
                }
                Effect::Final { output, place } => {
                    let tip = producer.told.last().map_or(0, |block| block.height);
                    let deep = tip >= place.height && tip - place.height + 1 >= 6;
                    self.check(deep, index, "final below six confirmations", effect);
                    // While it catches up a machine is right about a chain that may be another by now.
                    let stands = chain.block(place.height).filter(|block| {
                        block.block_hash().to_byte_array() == *place.block.as_bytes()
                    });
                    if let Some(block) = stands {
                        let found = block.txdata.iter().find(|tx| txid(tx) == place.txid);
                        let is_right = found.is_some_and(|found| is_anchor(found, output));
                        self.check(is_right, index, "final without an anchor", effect);
                    }
                    self.finals.insert((index, output.epoch), *place);
                    "final"
                }
                Effect::Foreign { .. } => "foreign",
                Effect::Alarm(_) => "alarm",
                Effect::Look(_) => "look",
                Effect::Release { .. } => "release",
                Effect::Report(_) => "report",
                Effect::Watch(_) => "watch",
            };
            *self.sometimes.entry(name).or_default() += 1;
        }
    }

    /// Of one producer and epoch at most one transaction waits or stands in a block.
    pub(crate) fn count_live(&mut self, index: usize, producer: &Producer, chain: &EmbeddedChain) {
        let mut by_epoch: BTreeMap<Epoch, BTreeSet<Digest>> = BTreeMap::new();
        let waiting: BTreeSet<Digest> = chain.waiting().iter().map(txid).collect();
        for (sighting, ..) in &producer.made {
            if waiting.contains(&sighting.txid) {
                by_epoch.entry(sighting.output.epoch).or_default().insert(sighting.txid);
            }
        }
        for (epoch, live) in by_epoch {
            if live.len() > 1 {
                self.wrong.push(format!("producer {index}: {} live for epoch {epoch}", live.len()));
            }
        }
    }

    fn check(&mut self, holds: bool, index: usize, what: &str, effect: &Effect) {
        if !holds {
            self.wrong.push(format!("producer {index}: {what}: {effect:?}"));
        }
    }
}
