//! Coins of our key, found in the blocks: no wallet. Pure. [ANC-1] [ANC-3]
//!
//! Invariant: what is held are the outputs to our script in blocks up to `counted` that pay enough, each
//! with the block that made it and the block that spent it, so that blocks can be taken back. A coin that
//! was spent more than 2,016 blocks ago is forgotten; of more than 1,024 coins the smallest are.

use std::collections::BTreeMap;

use bitcoin::constants::COINBASE_MATURITY;
use bitcoin::{Amount, Block, OutPoint, ScriptBuf};

use crate::anchoring::machine::{FeeRate, Sighting};
use crate::anchoring::sighting;

/// Coins that are held, at most.
pub(super) const COINS_MAX: usize = 1_024;
/// A spent coin is remembered for so many blocks.
const SPENT_KEPT: u32 = 2_016;
/// Virtual bytes of an anchor transaction, rounded up, and its least change.
const ANCHOR_BYTES: u32 = 170;
const CHANGE_MIN: u64 = 294;

/// One coin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Coin {
    pub(super) value: Amount,
    pub(super) height: u32,
    pub(super) is_coinbase: bool,
    pub(super) spent_at: Option<u32>,
}

/// What of a block matters here.
#[derive(Clone, Debug, Default)]
pub(super) struct Gist {
    pub(super) sightings: Vec<Sighting>,
    paid: Vec<(OutPoint, Amount, bool)>,
    spent: Vec<OutPoint>,
}

impl Gist {
    pub(super) fn of(block: &Block, script: &ScriptBuf) -> Self {
        let mut gist = Self::default();
        for (index, transaction) in block.txdata.iter().enumerate() {
            gist.sightings.extend(sighting(transaction));
            gist.spent.extend(transaction.input.iter().map(|input| input.previous_output));
            let ours =
                (0..).zip(&transaction.output).filter(|(_, out)| out.script_pubkey == *script);
            // Hashing every transaction once more is for those that pay us.
            let mut ours = ours.peekable();
            if ours.peek().is_some() {
                let txid = transaction.compute_txid();
                let coin = |(vout, out): (u32, &bitcoin::TxOut)| {
                    (OutPoint { txid, vout }, out.value, index == 0)
                };
                gist.paid.extend(ours.map(coin));
            }
        }
        gist
    }
}

/// The coins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Coins {
    pub(super) coins: BTreeMap<OutPoint, Coin>,
    /// Height of the last block that was counted.
    pub(super) counted: Option<u32>,
}

impl Coins {
    /// Counts a block; one that is counted already changes nothing.
    pub(super) fn connect(&mut self, height: u32, gist: &Gist) {
        if self.counted.is_some_and(|counted| height <= counted) {
            return;
        }
        self.counted = Some(height);
        for (outpoint, value, is_coinbase) in &gist.paid {
            if value.to_sat() >= least() {
                let coin =
                    Coin { value: *value, height, is_coinbase: *is_coinbase, spent_at: None };
                self.coins.insert(*outpoint, coin);
            }
        }
        for outpoint in &gist.spent {
            if let Some(coin) = self.coins.get_mut(outpoint) {
                coin.spent_at = Some(height);
            }
        }
        let is_old = |coin: &Coin| coin.spent_at.is_some_and(|at| at + SPENT_KEPT < height);
        self.coins.retain(|_, coin| !is_old(coin));
        while self.coins.len() > COINS_MAX {
            let smallest = self.coins.iter().min_by_key(|(_, coin)| coin.value);
            let Some(smallest) = smallest.map(|(outpoint, _)| *outpoint) else { break };
            self.coins.remove(&smallest);
        }
    }

    /// Takes the last block back.
    pub(super) fn disconnect(&mut self, height: u32) {
        if self.counted.is_none_or(|counted| height > counted) {
            return;
        }
        self.counted = height.checked_sub(1);
        self.coins.retain(|_, coin| coin.height < height);
        for coin in self.coins.values_mut() {
            coin.spent_at = coin.spent_at.filter(|at| *at < height);
        }
    }

    /// A coin that no block has spent.
    pub(super) fn unspent(&self, outpoint: &OutPoint) -> Option<Amount> {
        let coin = self.coins.get(outpoint).filter(|coin| coin.spent_at.is_none())?;
        Some(coin.value)
    }

    /// All that can be spent in the next block: mature and unspent.
    pub(super) fn spendable(&self) -> impl Iterator<Item = (OutPoint, &Coin)> {
        let next = self.counted.map_or(0, |height| height.saturating_add(1));
        let is_mature = move |coin: &Coin| {
            !coin.is_coinbase || next >= coin.height.saturating_add(COINBASE_MATURITY)
        };
        let all = self.coins.iter().filter(|(_, coin)| coin.spent_at.is_none());
        all.filter(move |(_, coin)| is_mature(coin)).map(|(outpoint, coin)| (*outpoint, coin))
    }

    /// The coin for an anchor: the oldest of those that pay for every replacement, else the largest.
    pub(super) fn choose(
        &self,
        is_reserved: impl Fn(&OutPoint) -> bool,
    ) -> Option<(OutPoint, Amount)> {
        let ample = FeeRate::MAX.fee(ANCHOR_BYTES).saturating_add(CHANGE_MIN);
        let free = self.spendable().filter(|(outpoint, _)| !is_reserved(outpoint));
        let rank = |(outpoint, coin): &(OutPoint, &Coin)| {
            let sat = coin.value.to_sat();
            let lack = ample.saturating_sub(sat);
            (lack, coin.height, *outpoint)
        };
        free.min_by_key(rank).map(|(outpoint, coin)| (outpoint, coin.value))
    }
}

/// What a coin must hold to be worth remembering: the least fee and the least change.
fn least() -> u64 {
    FeeRate::MIN.fee(ANCHOR_BYTES).saturating_add(CHANGE_MIN)
}
