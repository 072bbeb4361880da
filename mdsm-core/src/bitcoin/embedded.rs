//! A Bitcoin regtest chain in the process: real transactions, signatures, proof of work and headers,
//! without a network. [ANC-1]
//!
//! It checks what a node would check of the transactions it takes (inputs exist, are mature and
//! unspent, values add up, signatures hold), so that an anchor it accepts is one that a node would.
//! Only pay-to-witness-public-key-hash coins are spent here. Simulated: no peers, no competing
//! miner, no reorganisation; time is an argument.

use std::collections::BTreeMap;

use bitcoin::absolute::LockTime;
use bitcoin::block::{Header, Version as BlockVersion};
use bitcoin::consensus::serialize;
use bitcoin::constants::{COINBASE_MATURITY, genesis_block};
use bitcoin::hashes::{Hash, sha256d};
use bitcoin::opcodes::all::OP_RETURN;
use bitcoin::script::Builder;
use bitcoin::secp256k1::{Message, Secp256k1, VerifyOnly};
use bitcoin::sighash::{EcdsaSighashType, SighashCache};
use bitcoin::transaction::Version;
use bitcoin::{
    Amount, Block, Network, OutPoint, PublicKey, ScriptBuf, Sequence, Transaction, TxIn,
    TxMerkleNode, TxOut, Txid, Witness, WitnessCommitment, ecdsa,
};
use thiserror::Error;

use crate::ledger::BitcoinProof;
use crate::types::{Blob, Digest, List};

/// What a miner of the first regtest blocks gets.
const SUBSIDY: Amount = Amount::from_int_btc(50);
/// Blocks after which regtest halves the subsidy.
const HALVING: u32 = 150;

/// The chain and the transactions that wait for a block.
#[derive(Debug)]
pub struct EmbeddedChain {
    blocks: Vec<Block>,
    coins: BTreeMap<OutPoint, Coin>,
    waiting: Vec<Transaction>,
    secp: Secp256k1<VerifyOnly>,
}

/// An unspent output.
#[derive(Clone, Debug)]
struct Coin {
    output: TxOut,
    /// Height of the coinbase that made it.
    mined_at: Option<u32>,
}

/// A transaction that a node would not take.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SubmitError {
    /// Without inputs, or without outputs.
    #[error("the transaction has {inputs} inputs and {outputs} outputs")]
    Empty {
        /// Inputs.
        inputs: usize,
        /// Outputs.
        outputs: usize,
    },
    /// Spends what does not exist or is spent, also by a transaction that waits.
    #[error("input {input}: {outpoint} does not exist or is spent")]
    Unknown {
        /// Index of the input.
        input: usize,
        /// The coin.
        outpoint: OutPoint,
    },
    /// Spends a coinbase too early.
    #[error("input {input}: the coinbase of block {mined_at} is not mature at {height}")]
    Immature {
        /// Index of the input.
        input: usize,
        /// Height of the coinbase.
        mined_at: u32,
        /// Height at which it would be spent.
        height: u32,
    },
    /// The signature does not hold.
    #[error("input {input}: {why}")]
    Signature {
        /// Index of the input.
        input: usize,
        /// What does not hold.
        why: &'static str,
    },
    /// Pays out more than it takes in.
    #[error("outputs of {paid} where the inputs hold {held}")]
    Value {
        /// Sum of the outputs.
        paid: Amount,
        /// Sum of the inputs.
        held: Amount,
    },
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
            coins: BTreeMap::new(),
            waiting: Vec::new(),
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

    /// A coin that pays to `script`, mature and unspent; the oldest one.
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

    /// Takes a transaction for the next block.
    pub fn submit(&mut self, transaction: Transaction) -> Result<Txid, SubmitError> {
        self.check(&transaction)?;
        let id = transaction.compute_txid();
        self.waiting.push(transaction);
        Ok(id)
    }

    /// Mines the waiting transactions into a block at `time_s`, or a second after its parent where
    /// that is later; the reward goes to `reward_script`. Gives the block's height.
    pub fn mine(&mut self, reward_script: &ScriptBuf, time_s: u32) -> u32 {
        let height = self.height() + 1;
        let waiting = std::mem::take(&mut self.waiting);
        let fees = waiting.iter().map(|transaction| self.fee(transaction)).sum::<Amount>();
        let mut transactions = vec![coinbase(height, reward_script, subsidy(height) + fees)];
        transactions.extend(waiting);
        let parent = &self.blocks[self.blocks.len() - 1].header;
        let mut block = Block {
            header: Header {
                version: BlockVersion::from_consensus(0x2000_0000),
                prev_blockhash: parent.block_hash(),
                merkle_root: TxMerkleNode::all_zeros(),
                time: time_s.max(parent.time.saturating_add(1)),
                bits: parent.bits,
                nonce: 0,
            },
            txdata: transactions,
        };
        commit_to_witnesses(&mut block);
        block.header.merkle_root =
            block.compute_merkle_root().expect("a block has its coinbase transaction");
        while block.header.validate_pow(block.header.target()).is_err() {
            block.header.nonce += 1; // one hash in two has enough work
        }
        self.connect(&block, height);
        self.blocks.push(block);
        height
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
            branch: List::new(branch(block, index)).ok()?,
        })
    }

    fn is_mature(&self, coin: &Coin) -> bool {
        coin.mined_at.is_none_or(|mined_at| self.height() + 1 >= mined_at + COINBASE_MATURITY)
    }

    fn check(&self, transaction: &Transaction) -> Result<(), SubmitError> {
        let (inputs, outputs) = (transaction.input.len(), transaction.output.len());
        if inputs == 0 || outputs == 0 {
            return Err(SubmitError::Empty { inputs, outputs });
        }
        let mut held = Amount::ZERO;
        for (input, txin) in transaction.input.iter().enumerate() {
            let outpoint = txin.previous_output;
            let is_spent = |other: &Transaction| {
                other.input.iter().any(|other| other.previous_output == outpoint)
            };
            let twice = transaction.input[..input].iter().any(|i| i.previous_output == outpoint);
            let coin = self
                .coins
                .get(&outpoint)
                .filter(|_| !twice && !self.waiting.iter().any(is_spent))
                .ok_or(SubmitError::Unknown { input, outpoint })?;
            if let (false, Some(mined_at)) = (self.is_mature(coin), coin.mined_at) {
                let height = self.height() + 1;
                return Err(SubmitError::Immature { input, mined_at, height });
            }
            self.check_signature(transaction, input, &coin.output)
                .map_err(|why| SubmitError::Signature { input, why })?;
            held = held.checked_add(coin.output.value).unwrap_or(Amount::MAX);
        }
        let paid = transaction
            .output
            .iter()
            .try_fold(Amount::ZERO, |sum, output| sum.checked_add(output.value))
            .unwrap_or(Amount::MAX);
        if paid > held { Err(SubmitError::Value { paid, held }) } else { Ok(()) }
    }

    fn check_signature(
        &self,
        transaction: &Transaction,
        input: usize,
        coin: &TxOut,
    ) -> Result<(), &'static str> {
        let witness = &transaction.input[input].witness;
        let (Some(signature), Some(key), 2) = (witness.nth(0), witness.nth(1), witness.len())
        else {
            return Err("a signature and a key are expected in the witness");
        };
        let signature = ecdsa::Signature::from_slice(signature)
            .ok()
            .filter(|signature| signature.sighash_type == EcdsaSighashType::All)
            .ok_or("the signature is not one over all inputs and outputs")?;
        let key = PublicKey::from_slice(key).map_err(|_| "the key is not a public key")?;
        let script = key.wpubkey_hash().map(|hash| ScriptBuf::new_p2wpkh(&hash));
        if script.as_ref() != Ok(&coin.script_pubkey) {
            return Err("the key is not the one that the coin pays to");
        }
        let sighash = SighashCache::new(transaction)
            .p2wpkh_signature_hash(input, &coin.script_pubkey, coin.value, EcdsaSighashType::All)
            .map_err(|_| "the coin does not pay to a public key hash")?;
        self.secp
            .verify_ecdsa(&Message::from(sighash), &signature.signature, &key.inner)
            .map_err(|_| "the signature does not hold")
    }

    /// What a checked transaction leaves to the miner.
    fn fee(&self, transaction: &Transaction) -> Amount {
        let held: Amount = transaction
            .input
            .iter()
            .filter_map(|input| self.coins.get(&input.previous_output))
            .map(|coin| coin.output.value)
            .sum();
        let paid: Amount = transaction.output.iter().map(|output| output.value).sum();
        held - paid
    }

    fn connect(&mut self, block: &Block, height: u32) {
        for (index, transaction) in block.txdata.iter().enumerate() {
            for input in &transaction.input {
                self.coins.remove(&input.previous_output);
            }
            let txid = transaction.compute_txid();
            for (vout, output) in (0..).zip(&transaction.output) {
                if !output.script_pubkey.is_op_return() {
                    let mined_at = (index == 0).then_some(height);
                    let coin = Coin { output: output.clone(), mined_at };
                    self.coins.insert(OutPoint { txid, vout }, coin);
                }
            }
        }
    }
}

fn subsidy(height: u32) -> Amount {
    Amount::from_sat(SUBSIDY.to_sat().checked_shr(height / HALVING).unwrap_or(0))
}

fn coinbase(height: u32, script: &ScriptBuf, value: Amount) -> Transaction {
    // BIP 34: the height comes first; one more push keeps the script at two bytes or more.
    let script_sig = Builder::new().push_int(height.into()).push_slice(b"mdsm").into_script();
    Transaction {
        version: Version::TWO,
        lock_time: LockTime::ZERO,
        input: vec![TxIn {
            previous_output: OutPoint::null(),
            script_sig,
            sequence: Sequence::MAX,
            witness: Witness::from_slice(&[[0u8; 32]]),
        }],
        output: vec![TxOut { value, script_pubkey: script.clone() }],
    }
}

/// BIP 141: the coinbase commits to the transactions with their witnesses.
fn commit_to_witnesses(block: &mut Block) {
    let root = block.witness_root().expect("a block has its coinbase transaction");
    let commitment: WitnessCommitment = Block::compute_witness_commitment(&root, &[0; 32]);
    let mut payload = [0; 36];
    payload[..4].copy_from_slice(&[0xaa, 0x21, 0xa9, 0xed]);
    payload[4..].copy_from_slice(&commitment.to_byte_array());
    let script = Builder::new().push_opcode(OP_RETURN).push_slice(payload).into_script();
    block.txdata[0].output.push(TxOut { value: Amount::ZERO, script_pubkey: script });
}

/// Siblings from transaction `index` up; Bitcoin pairs an odd last node with itself.
fn branch(block: &Block, index: usize) -> Vec<Digest> {
    let mut layer: Vec<[u8; 32]> =
        block.txdata.iter().map(|tx| tx.compute_txid().to_byte_array()).collect();
    let mut index = index;
    let mut siblings = Vec::new();
    while layer.len() > 1 {
        let sibling = layer.get(index ^ 1).unwrap_or(&layer[index]);
        siblings.push(Digest::new(*sibling));
        layer = layer
            .chunks(2)
            .map(|pair| {
                let joined = [pair[0], *pair.last().expect("chunks are not empty")].concat();
                sha256d::Hash::hash(&joined).to_byte_array()
            })
            .collect();
        index /= 2;
    }
    siblings
}
