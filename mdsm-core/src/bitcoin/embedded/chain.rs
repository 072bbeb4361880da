//! Blocks, coins and reorganisations. [ANC-1] [ANC-3]

use std::collections::BTreeMap;

use bitcoin::consensus::serialize;
use bitcoin::constants::{COINBASE_MATURITY, genesis_block};
use bitcoin::secp256k1::{Secp256k1, VerifyOnly};
use bitcoin::{Amount, Block, Network, OutPoint, ScriptBuf, Transaction, TxOut, Txid, Witness};

use super::block::{self, Reward};
use super::mempool::SubmitError;
use crate::ledger::BitcoinProof;
use crate::types::{Blob, List};

/// The chain and the transactions that wait for a block.
#[derive(Clone, Debug)]
pub struct EmbeddedChain {
    blocks: Vec<Block>,
    /// What each block spent, to take it back; of the genesis block nothing.
    undo: Vec<Vec<(OutPoint, Coin)>>,
    coins: BTreeMap<OutPoint, Coin>,
    pub(super) waiting: Vec<Transaction>,
    /// How often blocks were removed.
    branch: u32,
    pub(super) secp: Secp256k1<VerifyOnly>,
}

/// An unspent output.
#[derive(Clone, Debug)]
pub(super) struct Coin {
    pub(super) output: TxOut,
    /// Height of the coinbase that made it.
    pub(super) mined_at: Option<u32>,
}

impl Default for EmbeddedChain {
    fn default() -> Self {
        Self::new()
    }
}

impl EmbeddedChain {
    /// The chain with its genesis block.
    #[must_use]
    pub fn new() -> Self {
        Self {
            blocks: vec![genesis_block(Network::Regtest)],
            undo: vec![Vec::new()],
            coins: BTreeMap::new(),
            waiting: Vec::new(),
            branch: 0,
            secp: Secp256k1::verification_only(),
        }
    }

    /// Height of the last block.
    #[must_use]
    pub fn height(&self) -> u32 {
        u32::try_from(self.blocks.len() - 1).expect("fewer than 2^32 blocks are mined in memory")
    }

    /// All headers, 80 bytes each, from the genesis block on.
    #[must_use]
    pub fn headers(&self) -> Vec<u8> {
        self.blocks.iter().flat_map(|block| serialize(&block.header)).collect()
    }

    /// The block at a height.
    #[must_use]
    pub fn block(&self, height: u32) -> Option<&Block> {
        self.blocks.get(usize::try_from(height).ok()?)
    }

    /// The transactions that wait for a block, in the order in which they came.
    #[must_use]
    pub fn waiting(&self) -> &[Transaction] {
        &self.waiting
    }

    /// A coin that pays to `script`, mature, in a block and unspent; the oldest one.
    #[must_use]
    pub fn coin(&self, script: &ScriptBuf) -> Option<(OutPoint, Amount)> {
        let spent: Vec<OutPoint> = self
            .waiting
            .iter()
            .flat_map(|transaction| transaction.input.iter().map(|input| input.previous_output))
            .collect();
        self.coins
            .iter()
            .filter(|(outpoint, coin)| {
                coin.output.script_pubkey == *script
                    && self.is_mature(coin)
                    && !spent.contains(outpoint)
            })
            .min_by_key(|(outpoint, coin)| (coin.mined_at, **outpoint))
            .map(|(outpoint, coin)| (*outpoint, coin.output.value))
    }

    /// What a coin in a block holds; `None` when it is spent by a block or is in none.
    #[must_use]
    pub fn value(&self, outpoint: &OutPoint) -> Option<Amount> {
        self.coins.get(outpoint).map(|coin| coin.output.value)
    }

    /// Mines the waiting transactions into a block at `time_s`, or a second after its parent where
    /// that is later; the reward goes to `reward_script`. Gives the block's height.
    pub fn mine(&mut self, reward_script: &ScriptBuf, time_s: u32) -> u32 {
        self.mine_if(reward_script, time_s, |_, _| true)
    }

    /// Mines those waiting transactions that the miner takes, shown each with its fee.
    pub fn mine_if(
        &mut self,
        reward_script: &ScriptBuf,
        time_s: u32,
        takes: impl Fn(&Transaction, Amount) -> bool,
    ) -> u32 {
        let waiting = std::mem::take(&mut self.waiting);
        let (taken, left) = waiting.into_iter().partition(|waits| takes(waits, self.fee(waits)));
        self.waiting = left;
        self.add(reward_script, time_s, taken)
    }

    /// Mines a competing miner's transactions, which need not wait here; what waits with the same
    /// coins waits no longer. They are checked, but for their fee, and each without the others.
    pub fn mine_these(
        &mut self,
        reward_script: &ScriptBuf,
        time_s: u32,
        transactions: Vec<Transaction>,
    ) -> Result<u32, SubmitError> {
        for (index, transaction) in transactions.iter().enumerate() {
            self.check(transaction)?;
            let twice = transactions[..index].iter().find_map(|other| shared(transaction, other));
            if let Some((input, outpoint)) = twice {
                return Err(SubmitError::Unknown { input, outpoint });
            }
        }
        Ok(self.add(reward_script, time_s, transactions))
    }

    /// Removes the block at this height and all above it, as a node does when it learns of a branch
    /// with more work. Their transactions wait again, unless their coins are gone; what is mined from
    /// then on belongs to another branch. Does nothing above the tip and at the genesis block.
    pub fn invalidate(&mut self, height: u32) {
        let keep = usize::try_from(height).unwrap_or(usize::MAX);
        if keep == 0 || keep >= self.blocks.len() {
            return;
        }
        self.branch += 1;
        let mut back: Vec<Transaction> = Vec::new();
        while self.blocks.len() > keep {
            let (Some(block), Some(undo)) = (self.blocks.pop(), self.undo.pop()) else { break };
            for transaction in &block.txdata {
                let txid = transaction.compute_txid();
                for (vout, _) in (0..).zip(&transaction.output) {
                    self.coins.remove(&OutPoint { txid, vout });
                }
            }
            self.coins.extend(undo);
            back.splice(0..0, block.txdata.into_iter().skip(1));
        }
        back.append(&mut self.waiting);
        for transaction in back {
            let is_free = self.waiting.iter().all(|other| shared(&transaction, other).is_none());
            if is_free && self.check(&transaction).is_ok() {
                self.waiting.push(transaction);
            }
        }
    }

    /// The way from a transaction into the block that holds it.
    #[must_use]
    pub fn proof(&self, id: &Txid) -> Option<BitcoinProof> {
        let (height, block, index) =
            self.blocks.iter().enumerate().find_map(|(height, block)| {
                let index = block.txdata.iter().position(|tx| tx.compute_txid() == *id)?;
                Some((height, block, index))
            })?;
        let mut stripped = block.txdata[index].clone();
        for input in &mut stripped.input {
            input.witness = Witness::new();
        }
        Some(BitcoinProof {
            height: u32::try_from(height).ok()?,
            transaction: Blob::new(serialize(&stripped)).ok()?,
            transaction_index: u32::try_from(index).ok()?,
            branch: List::new(block::branch(block, index)).ok()?,
        })
    }

    pub(super) fn unspent(&self, outpoint: &OutPoint) -> Option<&Coin> {
        self.coins.get(outpoint)
    }

    pub(super) fn is_mature(&self, coin: &Coin) -> bool {
        coin.mined_at.is_none_or(|mined_at| self.height() + 1 >= mined_at + COINBASE_MATURITY)
    }

    /// What a checked transaction leaves to the miner.
    pub(super) fn fee(&self, transaction: &Transaction) -> Amount {
        let held: Amount = transaction
            .input
            .iter()
            .filter_map(|input| self.coins.get(&input.previous_output))
            .map(|coin| coin.output.value)
            .sum();
        let paid: Amount = transaction.output.iter().map(|output| output.value).sum();
        held - paid
    }

    /// Mines checked transactions.
    fn add(&mut self, script: &ScriptBuf, time_s: u32, transactions: Vec<Transaction>) -> u32 {
        let height = self.height() + 1;
        let fees = transactions.iter().map(|transaction| self.fee(transaction)).sum::<Amount>();
        let reward = Reward { height, script, fees, branch: self.branch };
        let parent = &self.blocks[self.blocks.len() - 1].header;
        let block = block::mine(parent, time_s, &reward, transactions);
        self.connect(&block, height);
        self.blocks.push(block);
        height
    }

    fn connect(&mut self, block: &Block, height: u32) {
        let mut undo = Vec::new();
        for (index, transaction) in block.txdata.iter().enumerate() {
            for input in &transaction.input {
                if let Some(coin) = self.coins.remove(&input.previous_output) {
                    undo.push((input.previous_output, coin));
                }
            }
            let txid = transaction.compute_txid();
            for (vout, output) in (0..).zip(&transaction.output) {
                if !output.script_pubkey.is_op_return() {
                    let mined_at = (index == 0).then_some(height);
                    let coin = Coin { output: output.clone(), mined_at };
                    self.coins.insert(OutPoint { txid, vout }, coin);
                }
            }
            self.waiting.retain(|waits| shared(waits, transaction).is_none());
        }
        self.undo.push(undo);
    }
}

/// A coin that both spend, and which input of the first does.
pub(super) fn shared(one: &Transaction, other: &Transaction) -> Option<(usize, OutPoint)> {
    let mut spent = one.input.iter().map(|input| input.previous_output).enumerate();
    spent.find(|(_, coin)| other.input.iter().any(|input| input.previous_output == *coin))
}
