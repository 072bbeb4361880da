//! Bitcoin as the network sees it: blocks come at their pace, and now and then another branch wins.
//! [ANC-1] [ANC-3]
//!
//! Every node looks at the one chain through its own [`Lookout`]: what it was told, what it submitted.

use std::collections::{BTreeMap, BTreeSet};

use bitcoin::hashes::Hash as _;
use bitcoin::secp256k1::SecretKey;
use bitcoin::{Amount, OutPoint, ScriptBuf, Transaction};
use mdsm_core::anchoring::machine::{
    Bitcoin as Shown, BlockRef, Effect, FeeRate, Means, Refusal, Request, Sighting,
};
use mdsm_core::anchoring::{Funding, anchor_transaction, funding_script, sighting};
use mdsm_core::bitcoin::{EmbeddedChain, SubmitError};
use mdsm_core::ledger::AnchorOutput;
use mdsm_core::types::{Digest, Epoch};
use rand_chacha::ChaCha12Rng;

use super::setup::Scale;
use crate::seed::{Draw as _, Seed};

/// Blocks below the tip that a node looks at first.
const LOOK_BACK: u32 = 12;
/// Time of the first block, seconds; Bitcoin's time plays no part here.
const STARTED_S: u32 = 1_700_000_000;
/// A reward is spendable behind so many blocks.
const MATURITY: u32 = 100;

/// The chain, its miner, and what is to befall it.
#[derive(Debug)]
pub struct Bitcoin {
    chain: EmbeddedChain,
    miner: ScriptBuf,
    wallet: (SecretKey, ScriptBuf),
    next_ms: u64,
    block_ms: u32,
    reorganised: u32,
    random: ChaCha12Rng,
    /// Counts changes, so that nobody looks for nothing.
    version: u64,
    /// Reorganisations so far.
    pub reorganisations: u64,
    /// Epochs whose anchor was in a block that was removed.
    pub removed: BTreeSet<Epoch>,
}

fn wallet(number: u8) -> (SecretKey, ScriptBuf) {
    let key = SecretKey::from_slice(&[number; 32]).expect("a small number is a key");
    (key, funding_script(&key))
}

fn txid(transaction: &Transaction) -> Digest {
    Digest::new(transaction.compute_txid().to_byte_array())
}

impl Bitcoin {
    /// A chain on which the network has coins.
    #[must_use]
    pub fn new(scale: &Scale, seed: Seed) -> Self {
        let (wallet, miner) = (wallet(1), wallet(2).1);
        let mut chain = EmbeddedChain::new();
        for _ in 0..40 {
            chain.mine(&wallet.1, STARTED_S);
        }
        for _ in 0..MATURITY {
            chain.mine(&miner, STARTED_S);
        }
        Self {
            chain,
            miner,
            wallet,
            next_ms: u64::from(scale.block_ms),
            block_ms: scale.block_ms,
            reorganised: scale.reorganised,
            random: seed.stream("simulation/bitcoin"),
            version: 1,
            reorganisations: 0,
            removed: BTreeSet::new(),
        }
    }

    /// From now on no other branch wins.
    pub fn calm(&mut self) {
        self.reorganised = 0;
    }

    /// Blocks up to a time.
    fn advance(&mut self, now_ms: u64) {
        while self.next_ms <= now_ms {
            self.next_ms +=
                u64::from(self.random.between(self.block_ms / 2, self.block_ms * 3 / 2));
            self.version += 1;
            if self.random.below(100) < self.reorganised {
                self.reorganisations += 1;
                // Six confirmations make an anchor final, so most of them stay below.
                let depth = self.random.between(1, 6);
                let has_all = self.random.chance(1, 2);
                let tip = self.chain.height();
                let removed = (tip + 1 - depth..=tip).flat_map(|height| self.sightings(height));
                let removed: Vec<Epoch> = removed.map(|seen| seen.output.epoch).collect();
                self.removed.extend(removed);
                self.chain.invalidate(self.chain.height() + 1 - depth);
                for _ in 0..depth {
                    self.chain.mine_if(&self.miner, STARTED_S, |_, _| has_all);
                }
            }
            self.chain.mine(&self.miner, STARTED_S);
        }
    }

    fn block_ref(&self, height: u32) -> Option<BlockRef> {
        let header = self.chain.block(height)?.header;
        Some(BlockRef {
            height,
            hash: Digest::new(header.block_hash().to_byte_array()),
            parent: Digest::new(header.prev_blockhash.to_byte_array()),
        })
    }

    fn sightings(&self, height: u32) -> Vec<Sighting> {
        let block = self.chain.block(height);
        block.into_iter().flat_map(|block| block.txdata.iter().filter_map(sighting)).collect()
    }

    fn find(&self, wanted: impl Fn(&Sighting) -> bool) -> Vec<Shown> {
        let mut found = Vec::new();
        for height in MATURITY..=self.chain.height() {
            let Some(block) = self.block_ref(height) else { continue };
            let seen = self.sightings(height).into_iter().filter(&wanted);
            found.extend(seen.map(|sighting| Shown::Found { sighting, height, block: block.hash }));
        }
        found
    }

    /// Root and place of every anchor that stands on the chain.
    #[must_use]
    pub fn anchors(&self) -> Vec<(Sighting, u32)> {
        let heights = MATURITY..=self.chain.height();
        heights
            .flat_map(|height| self.sightings(height).into_iter().map(move |seen| (seen, height)))
            .collect()
    }
}

/// A transaction of this node.
#[derive(Clone, Debug)]
struct Made {
    sighting: Sighting,
    coin: (OutPoint, Amount),
    transaction: Transaction,
    rate: FeeRate,
}

/// What one node knows of Bitcoin and did there.
#[derive(Clone, Debug, Default)]
pub(super) struct Lookout {
    version: u64,
    told: Vec<BlockRef>,
    waiting: BTreeSet<Digest>,
    made: Vec<Made>,
    answers: BTreeMap<(Epoch, u32), Shown>,
}

impl Lookout {
    /// After a crash: what it made is in its wallet, and all else is looked at again.
    pub(super) fn restart(&mut self) {
        let made = std::mem::take(&mut self.made);
        *self = Self { made, ..Self::default() };
    }

    /// Of what was made for each epoch the transaction that may still count.
    pub(super) fn resumed(&self, bitcoin: &Bitcoin) -> Vec<(Sighting, FeeRate)> {
        let lives = |id: &Digest| {
            bitcoin.chain.waiting().iter().any(|waits| txid(waits) == *id)
                || !bitcoin.find(|seen| seen.txid == *id).is_empty()
        };
        let mut by_epoch: BTreeMap<Epoch, &Made> = BTreeMap::new();
        for made in &self.made {
            let kept = by_epoch.entry(made.sighting.output.epoch).or_insert(made);
            if lives(&made.sighting.txid) || !lives(&kept.sighting.txid) {
                *kept = made;
            }
        }
        by_epoch.into_values().map(|made| (made.sighting, made.rate)).collect()
    }

    /// What is new since the last look.
    pub(super) fn look(&mut self, now_ms: u64, bitcoin: &mut Bitcoin) -> Vec<Shown> {
        bitcoin.advance(now_ms);
        let mut shown = Vec::new();
        if self.version == bitcoin.version {
            return shown;
        }
        self.version = bitcoin.version;
        while let Some(last) = self.told.last().copied() {
            if bitcoin.block_ref(last.height) == Some(last) {
                break;
            }
            self.told.pop();
            shown.push(Shown::Disconnected(last));
        }
        let tip = bitcoin.chain.height();
        let from = self.told.last().map_or(tip - LOOK_BACK, |last| last.height + 1);
        for height in from..=tip {
            let Some(block) = bitcoin.block_ref(height) else { continue };
            self.told.push(block);
            shown.push(Shown::Connected { block, sightings: bitcoin.sightings(height) });
        }
        let waiting: BTreeSet<Digest> = bitcoin.chain.waiting().iter().map(txid).collect();
        let news = bitcoin.chain.waiting().iter().filter(|one| !self.waiting.contains(&txid(one)));
        shown.extend(news.filter_map(sighting).map(Shown::Unconfirmed));
        let gone = self.waiting.difference(&waiting).copied();
        shown.extend(
            gone.filter(|id| bitcoin.find(|seen| seen.txid == *id).is_empty()).map(Shown::Dropped),
        );
        self.waiting = waiting;
        shown
    }

    /// Does what the machine asks for, and gives its answers.
    pub(super) fn carry_out(&mut self, effect: &Effect, bitcoin: &mut Bitcoin) -> Vec<Shown> {
        match effect {
            Effect::Submit(request) => vec![self.answer(request, bitcoin)],
            Effect::Look(report) => self.known(bitcoin.find(|seen| seen.txid == report.txid)),
            Effect::Watch(output) => {
                self.known(bitcoin.find(|seen| seen.output.epoch == output.epoch))
            }
            _ => Vec::new(),
        }
    }

    /// What stands in blocks that were told.
    fn known(&self, found: Vec<Shown>) -> Vec<Shown> {
        let tip = self.told.last().map_or(0, |block| block.height);
        let is_told =
            |shown: &Shown| matches!(shown, Shown::Found { height, .. } if *height <= tip);
        found.into_iter().filter(is_told).collect()
    }

    fn answer(&mut self, request: &Request, bitcoin: &mut Bitcoin) -> Shown {
        let (epoch, number) = (request.output.epoch, request.number);
        if let Some(answer) = self.answers.get(&(epoch, number)) {
            return answer.clone();
        }
        let answer = match self.submit(request, bitcoin) {
            Ok(txid) => Shown::Accepted { epoch, number, txid },
            Err(refusal) => Shown::Refused { epoch, number, refusal },
        };
        self.answers.insert((epoch, number), answer.clone());
        answer
    }

    fn submit(&mut self, request: &Request, bitcoin: &mut Bitcoin) -> Result<Digest, Refusal> {
        let made = |id: Digest| {
            let known = self.made.iter().find(|made| made.sighting.txid == id);
            known.cloned().ok_or(Refusal::Other)
        };
        let (key, script) = &bitcoin.wallet;
        let (coin, transaction) = match request.means {
            Means::Again(id) => {
                let Made { coin, transaction, .. } = made(id)?;
                (coin, transaction)
            }
            Means::Replace(id) => {
                let coin = made(id)?.coin;
                (coin, pay(*key, &request.output, coin, request.rate)?)
            }
            Means::New => {
                let coin = bitcoin.chain.coin(script).ok_or(Refusal::Empty)?;
                (coin, pay(*key, &request.output, coin, request.rate)?)
            }
        };
        let sighting = Sighting { txid: txid(&transaction), output: request.output };
        match bitcoin.chain.submit(transaction.clone()) {
            Ok(_) | Err(SubmitError::Waiting) => {
                bitcoin.version += 1;
                self.made.push(Made { sighting, coin, transaction, rate: request.rate });
                Ok(sighting.txid)
            }
            Err(SubmitError::Fee { .. }) => Err(Refusal::Fee),
            Err(SubmitError::Unknown { .. } | SubmitError::Immature { .. }) => Err(Refusal::Coin),
            Err(_) => Err(Refusal::Other),
        }
    }
}

/// A transaction that pays this rate.
fn pay(
    key: SecretKey,
    output: &AnchorOutput,
    (outpoint, value): (OutPoint, Amount),
    rate: FeeRate,
) -> Result<Transaction, Refusal> {
    let with = |fee| {
        let funding = Funding { outpoint, value, fee: Amount::from_sat(fee), key };
        anchor_transaction(output, &funding).map_err(|_| Refusal::Coin)
    };
    let size = u32::try_from(with(10_000)?.vsize()).unwrap_or(u32::MAX);
    with(rate.fee(size))
}
