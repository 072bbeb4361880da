//! Producers, each with the machine and a wallet, before one Bitcoin chain.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use bitcoin::hashes::Hash;
use bitcoin::secp256k1::SecretKey;
use bitcoin::{Amount, OutPoint, ScriptBuf, Transaction};
use mdsm_core::anchoring::machine::{
    Bitcoin, BlockRef, Effect, FeeRate, Input, Means, Place, Refusal, Request, Sighting, Stage,
    StepError, Submitter,
};
use mdsm_core::anchoring::{Funding, anchor_transaction, funding_script, sighting};
use mdsm_core::bitcoin::{EmbeddedChain, SubmitError};
use mdsm_core::ledger::{AnchorOutput, AnchorReport};
use mdsm_core::types::{Digest, Epoch, InstitutionId, Timestamp};

use super::fault::{Fault, Faulty};
use super::watch::Watch;

pub(crate) const MINUTE: i64 = 60_000;
pub(crate) const HOUR: i64 = 60 * MINUTE;

/// The certified anchor of an epoch.
pub(crate) fn output(epoch: u32) -> AnchorOutput {
    let mut root = [0x5a; 32];
    root[..4].copy_from_slice(&epoch.to_le_bytes());
    AnchorOutput { epoch: Epoch::new(epoch), root: Digest::new(root) }
}

/// Something else for the same epoch.
pub(crate) fn forged(epoch: u32, number: u8) -> AnchorOutput {
    AnchorOutput { root: Digest::new([number; 32]), ..output(epoch) }
}

pub(crate) fn txid(transaction: &Transaction) -> Digest {
    Digest::new(transaction.compute_txid().to_byte_array())
}

/// A wallet: coins that pay to one key.
#[derive(Clone, Debug)]
pub(crate) struct Wallet {
    pub(crate) key: SecretKey,
    pub(crate) script: ScriptBuf,
}

impl Wallet {
    pub(crate) fn new(number: u8) -> Self {
        let key = SecretKey::from_slice(&[number; 32]).unwrap();
        Self { key, script: funding_script(&key) }
    }

    /// A transaction that pays this rate.
    pub(crate) fn pay(
        &self,
        output: &AnchorOutput,
        (outpoint, value): (OutPoint, Amount),
        rate: FeeRate,
    ) -> Transaction {
        let of = |fee| Funding { outpoint, value, fee: Amount::from_sat(fee), key: self.key };
        let draft = anchor_transaction(output, &of(10_000)).unwrap();
        let size = u32::try_from(draft.vsize()).unwrap();
        anchor_transaction(output, &of(rate.fee(size))).unwrap()
    }
}

/// A chain on which each of so many producers, and the stranger, have four coins. Mined once.
fn funded(producers: u8) -> EmbeddedChain {
    static FUNDED: Mutex<BTreeMap<u8, EmbeddedChain>> = Mutex::new(BTreeMap::new());
    let mut funded = FUNDED.lock().unwrap();
    let mine = || {
        let mut chain = EmbeddedChain::new();
        for number in (1..=producers).chain([201]).cycle().take(4 * (usize::from(producers) + 1)) {
            chain.mine(&Wallet::new(number).script, 1_700_000_000);
        }
        for _ in 0..100 {
            chain.mine(&Wallet::new(200).script, 1_700_000_000);
        }
        chain
    };
    funded.entry(producers).or_insert_with(mine).clone()
}

/// One producer with its wallet and its own pace.
#[derive(Debug)]
pub(crate) struct Producer {
    pub(crate) id: InstitutionId,
    pub(crate) machine: Faulty,
    pub(crate) wallet: Wallet,
    pub(crate) is_silent: bool,
    /// Blocks told, the lowest first.
    pub(crate) told: Vec<BlockRef>,
    pool: BTreeSet<Digest>,
    /// Transactions of its own, the latest last.
    pub(crate) made: Vec<(Sighting, FeeRate, OutPoint, Amount, Transaction)>,
    answers: BTreeMap<(Epoch, u32), Bitcoin>,
    reports_heard: usize,
    pub(crate) effects: Vec<Effect>,
    pub(crate) refused: Vec<StepError>,
}

/// Everything.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) chain: EmbeddedChain,
    pub(crate) producers: Vec<Producer>,
    pub(crate) now: i64,
    pub(crate) miner: Wallet,
    pub(crate) stranger: Wallet,
    /// What the chain of MDSM reports.
    pub(crate) reports: Vec<AnchorReport>,
    pub(crate) certified: Vec<AnchorOutput>,
    pub(crate) watch: Watch,
}

impl World {
    pub(crate) fn new(producers: u8) -> Self {
        Self::with(producers, Fault::None)
    }

    pub(crate) fn with(producers: u8, fault: Fault) -> Self {
        let (chain, miner, stranger) = (funded(producers), Wallet::new(200), Wallet::new(201));
        let wallets = (1..=producers).map(Wallet::new);
        let producers = (1..).zip(wallets).map(|(number, wallet)| Producer {
            id: InstitutionId::new(number),
            machine: Faulty::new(Submitter::new(InstitutionId::new(number)), fault),
            wallet,
            is_silent: false,
            told: Vec::new(),
            pool: BTreeSet::new(),
            made: Vec::new(),
            answers: BTreeMap::new(),
            reports_heard: 0,
            effects: Vec::new(),
            refused: Vec::new(),
        });
        let mut world = Self {
            chain,
            producers: producers.collect(),
            now: 0,
            miner,
            stranger,
            reports: Vec::new(),
            certified: Vec::new(),
            watch: Watch::default(),
        };
        world.wait(0);
        world
    }

    /// Every producer learns of the certificate; the first producer is the first on duty.
    pub(crate) fn certify(&mut self, epoch: u32) {
        self.certify_as(output(epoch));
    }

    pub(crate) fn certify_as(&mut self, output: AnchorOutput) {
        if self.certified.iter().all(|known| known.epoch != output.epoch) {
            self.certified.push(output);
        }
        for index in 0..self.producers.len() {
            self.tell_certified(index, output);
        }
    }

    fn tell_certified(&mut self, index: usize, output: AnchorOutput) {
        let duty = self.producers.iter().map(|producer| producer.id).collect();
        self.watch.certified(index, &output);
        self.tell(index, Input::Certified { output, duty });
    }

    /// Time passes; every producer that is not silent learns what is new, then acts.
    pub(crate) fn wait(&mut self, ms: i64) {
        self.now += ms;
        for index in 0..self.producers.len() {
            if !self.producers[index].is_silent {
                self.catch_up(index);
                self.tell(index, Input::Time);
            }
        }
    }

    /// A block of everything that waits, ten minutes later.
    pub(crate) fn mine(&mut self) -> u32 {
        let height = self.chain.mine(&self.miner.script, 1_700_000_000);
        self.wait(10 * MINUTE);
        height
    }

    /// Another branch removes `depth` blocks and is one longer; `holds` says what it has.
    pub(crate) fn reorganise(&mut self, depth: u32, holds: impl Fn(&Transaction) -> bool) {
        self.chain.invalidate(self.chain.height() + 1 - depth);
        for _ in 0..=depth {
            let takes = |transaction: &Transaction, _| holds(transaction);
            self.chain.mine_if(&self.miner.script, 1_700_000_000, takes);
        }
        self.wait(0);
    }

    /// A transaction by somebody who is no producer.
    pub(crate) fn strange(&mut self, output: &AnchorOutput) -> Option<Digest> {
        let coin = self.chain.coin(&self.stranger.script)?;
        let transaction = self.stranger.pay(output, coin, FeeRate::new(2_000));
        let id = txid(&transaction);
        self.chain.submit(transaction).unwrap();
        Some(id)
    }

    /// A producer loses its memory, but neither its wallet nor its chain.
    pub(crate) fn restart(&mut self, index: usize) {
        let fault = self.producers[index].machine.fault;
        let producer = &mut self.producers[index];
        producer.machine = Faulty::new(Submitter::new(producer.id), fault);
        producer.told.clear();
        producer.answers.clear();
        producer.pool.clear();
        self.watch.restarted(index);
        self.catch_up(index);
        for output in self.certified.clone() {
            self.tell_certified(index, output);
            let made = &self.producers[index].made;
            let of_epoch = made.iter().filter(|made| made.0.output == output);
            let lives = |id: &Digest| self.find(id).is_some() || self.waits(id);
            let ours = of_epoch.max_by_key(|made| lives(&made.0.txid));
            if let Some((sighting, rate, ..)) = ours {
                let resumed = Input::Resumed { sighting: *sighting, rate: *rate };
                self.tell(index, resumed);
            }
        }
    }

    pub(crate) fn waits(&self, id: &Digest) -> bool {
        self.chain.waiting().iter().any(|waits| txid(waits) == *id)
    }

    /// Where a transaction stands.
    pub(crate) fn find(&self, id: &Digest) -> Option<(Sighting, Place)> {
        (0..=self.chain.height()).rev().find_map(|height| {
            let block = self.chain.block(height)?;
            let found = block.txdata.iter().find(|transaction| txid(transaction) == *id)?;
            let block = Digest::new(block.block_hash().to_byte_array());
            Some((sighting(found)?, Place { height, block, txid: *id }))
        })
    }

    pub(crate) fn stage(&self, index: usize, epoch: u32) -> Stage {
        self.producers[index].machine.inner.stage(Epoch::new(epoch)).unwrap()
    }

    /// Submissions that a producer asked for.
    pub(crate) fn submitted(&self, index: usize) -> Vec<Request> {
        let effects = &self.producers[index].effects;
        let requests = effects.iter().filter_map(|effect| match effect {
            Effect::Submit(request) => Some(*request),
            _ => None,
        });
        requests.collect()
    }

    fn block_ref(&self, height: u32) -> BlockRef {
        let header = self.chain.block(height).unwrap().header;
        BlockRef {
            height,
            hash: Digest::new(header.block_hash().to_byte_array()),
            parent: Digest::new(header.prev_blockhash.to_byte_array()),
        }
    }

    /// Tells a producer what Bitcoin and the chain show since it last looked.
    fn catch_up(&mut self, index: usize) {
        while let Some(last) = self.producers[index].told.last().copied() {
            let stands = last.height <= self.chain.height() && self.block_ref(last.height) == last;
            if stands {
                break;
            }
            self.producers[index].told.pop();
            self.tell(index, Input::Bitcoin(Bitcoin::Disconnected(last)));
        }
        // Who has seen nothing begins deep enough for any reorganisation of these tests.
        let told = self.producers[index].told.last();
        let from = told.map_or(self.chain.height() - 50, |last| last.height + 1);
        for height in from..=self.chain.height() {
            let block = self.block_ref(height);
            let sightings: Vec<Sighting> =
                self.chain.block(height).unwrap().txdata.iter().filter_map(sighting).collect();
            self.producers[index].told.push(block);
            self.tell(index, Input::Bitcoin(Bitcoin::Connected { block, sightings }));
        }
        let pool: BTreeMap<Digest, Option<Sighting>> =
            self.chain.waiting().iter().map(|waits| (txid(waits), sighting(waits))).collect();
        let before =
            std::mem::replace(&mut self.producers[index].pool, pool.keys().copied().collect());
        for (id, seen) in &pool {
            if let (false, Some(seen)) = (before.contains(id), seen) {
                self.tell(index, Input::Bitcoin(Bitcoin::Unconfirmed(*seen)));
            }
        }
        for id in before.iter().filter(|id| !pool.contains_key(id)) {
            if self.find(id).is_none() {
                self.tell(index, Input::Bitcoin(Bitcoin::Dropped(*id)));
            }
        }
        for report in self.reports.clone().split_off(self.producers[index].reports_heard) {
            self.producers[index].reports_heard += 1;
            self.tell(index, Input::Reported(report));
        }
    }

    /// One input, and whatever follows from it.
    pub(crate) fn tell(&mut self, index: usize, input: Input) {
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            let mut effects = Vec::new();
            let now = Timestamp::new(self.now);
            let producer = &mut self.producers[index];
            if let Err(error) = producer.machine.step(now, input, &mut effects) {
                producer.refused.push(error);
            }
            self.watch.judge(index, &effects, &self.producers[index], &self.chain);
            for effect in effects {
                self.producers[index].effects.push(effect);
                inputs.extend(self.carry_out(index, &effect).into_iter().map(Input::Bitcoin));
            }
            self.watch.count_live(index, &self.producers[index], &self.chain);
        }
    }

    /// The driver: carries out what is asked for, and says what came of it.
    fn carry_out(&mut self, index: usize, effect: &Effect) -> Vec<Bitcoin> {
        let found = |(sighting, place): (Sighting, Place)| {
            let Place { height, block, .. } = place;
            Bitcoin::Found { sighting, height, block }
        };
        match effect {
            Effect::Submit(request) => vec![self.answer(index, request)],
            Effect::Report(report) => {
                self.reports.push(*report);
                Vec::new()
            }
            Effect::Look(report) => self.find(&report.txid).map(found).into_iter().collect(),
            Effect::Watch(output) => {
                let told = self.producers[index].told.last().map_or(0, |block| block.height);
                let ids = (0..=told.min(self.chain.height())).flat_map(|height| {
                    self.chain.block(height).unwrap().txdata.iter().filter_map(sighting)
                });
                let ids: Vec<Digest> =
                    ids.filter(|seen| seen.output.epoch == output.epoch).map(|s| s.txid).collect();
                ids.iter().filter_map(|id| self.find(id)).map(found).collect()
            }
            _ => Vec::new(),
        }
    }

    fn answer(&mut self, index: usize, request: &Request) -> Bitcoin {
        let (epoch, number) = (request.output.epoch, request.number);
        if let Some(answer) = self.producers[index].answers.get(&(epoch, number)) {
            return answer.clone();
        }
        let answer = match self.submit(index, request) {
            Ok(txid) => Bitcoin::Accepted { epoch, number, txid },
            Err(refusal) => Bitcoin::Refused { epoch, number, refusal },
        };
        self.producers[index].answers.insert((epoch, number), answer.clone());
        answer
    }

    fn submit(&mut self, index: usize, request: &Request) -> Result<Digest, Refusal> {
        let producer = &self.producers[index];
        let made = |id: Digest| {
            let known = producer.made.iter().find(|made| made.0.txid == id);
            known.cloned().ok_or(Refusal::Other)
        };
        let (coin, transaction) = match request.means {
            Means::Again(id) => {
                let (.., outpoint, value, transaction) = made(id)?;
                ((outpoint, value), transaction)
            }
            Means::Replace(id) => {
                let (.., outpoint, value, _) = made(id)?;
                let coin = (outpoint, value);
                (coin, producer.wallet.pay(&request.output, coin, request.rate))
            }
            Means::New => {
                let coin = self.chain.coin(&producer.wallet.script).ok_or(Refusal::Empty)?;
                (coin, producer.wallet.pay(&request.output, coin, request.rate))
            }
        };
        let (outpoint, value) = coin;
        let seen = Sighting { txid: txid(&transaction), output: request.output };
        let made = (seen, request.rate, outpoint, value, transaction.clone());
        match self.chain.submit(transaction) {
            Ok(_) | Err(SubmitError::Waiting) => {
                self.producers[index].made.push(made);
                Ok(seen.txid)
            }
            Err(SubmitError::Fee { .. }) => Err(Refusal::Fee),
            Err(SubmitError::Unknown { .. } | SubmitError::Immature { .. }) => Err(Refusal::Coin),
            Err(_) => Err(Refusal::Other),
        }
    }
}
