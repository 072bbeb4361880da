//! Bitcoin Core's own validation engine, as a library, judges what MDSM hands to Bitcoin: every block of the chain
//! in the process, blocks that hold anchor transactions, and a reorganisation that takes them away. [ANC-1] [ANC-3]
//!
//! Ends with the number of checks that passed. The last checks are canaries: the same blocks with a changed
//! signature, with a changed commitment and with a reward that is too high have to be refused.

use bitcoin::block::Header;
use bitcoin::consensus::serialize;
use bitcoin::hashes::Hash as _;
use bitcoin::opcodes::all::OP_RETURN;
use bitcoin::script::Builder;
use bitcoin::secp256k1::SecretKey;
use bitcoin::{Amount, Block, Transaction, Witness};
use bitcoinkernel::prelude::BlockHashExt as _;
use bitcoinkernel::{ChainType, ChainstateManager, ContextBuilder, ProcessBlockResult};
use mdsm_core::anchoring::{Funding, anchor_transaction, funding_script};
use mdsm_core::bitcoin::EmbeddedChain;
use mdsm_core::ledger::AnchorOutput;
use mdsm_core::types::{Digest, Epoch};

type Fault = Box<dyn std::error::Error>;

/// Time of the first block, in seconds since 1970; Bitcoin refuses blocks of the future.
const STARTED_S: u32 = 1_700_000_000;
/// Anchors, one epoch each.
const ANCHORS: u32 = 8;
/// Blocks above a reward before it can be spent.
const MATURITY: u32 = 100;

/// A validation engine and how often it agreed.
struct Judge {
    engine: ChainstateManager,
    passed: usize,
}

impl Judge {
    /// A block that must become the tip.
    fn accepts(&mut self, what: &str, block: &Block) -> Result<(), Fault> {
        self.takes(what, block)?;
        let tip = self.engine.active_chain().tip();
        let found = tip.block_hash().to_bytes();
        if found != block.block_hash().to_byte_array() {
            return Err(format!("{what}: accepted, but it is not the tip").into());
        }
        Ok(())
    }

    /// A block that is valid, on whatever branch.
    fn takes(&mut self, what: &str, block: &Block) -> Result<(), Fault> {
        match self.judged(block)? {
            ProcessBlockResult::NewBlock => self.passed += 1,
            other => return Err(format!("{what}: {other:?}").into()),
        }
        Ok(())
    }

    /// A block that must not become the tip.
    fn refuses(&mut self, what: &str, block: &Block) -> Result<(), Fault> {
        let before = self.engine.active_chain().height();
        let verdict = self.judged(block)?;
        if self.engine.active_chain().height() != before {
            return Err(format!("{what}: became the tip ({verdict:?})").into());
        }
        self.passed += 1;
        Ok(())
    }

    fn judged(&self, block: &Block) -> Result<ProcessBlockResult, Fault> {
        let block = bitcoinkernel::Block::new(&serialize(block))?;
        Ok(self.engine.process_block(&block))
    }
}

fn main() -> Result<(), Fault> {
    let folder = tempfile::tempdir()?;
    let path = |name: &str| folder.path().join(name).display().to_string();
    let context = ContextBuilder::new().chain_type(ChainType::Regtest).build()?;
    let engine = ChainstateManager::new(&context, &path("chain"), &path("blocks"))?;
    let mut judge = Judge { engine, passed: 0 };

    let key = SecretKey::from_slice(&[7; 32])?;
    let (payer, nobody) = (funding_script(&key), funding_script(&SecretKey::from_slice(&[9; 32])?));
    let mut chain = EmbeddedChain::new();
    for height in 1..=ANCHORS + MATURITY {
        chain.mine(if height <= ANCHORS { &payer } else { &nobody }, STARTED_S + height);
        judge.accepts("a block without anchors", tip(&chain))?;
    }
    let first = chain.height() + 1;
    for epoch in 0..ANCHORS {
        submit(&mut chain, epoch, &key)?;
        chain.mine(&nobody, STARTED_S);
        let block = tip(&chain);
        assert_eq!(block.txdata.len(), 2, "the anchor is in its block");
        judge.accepts("a block with an anchor", block)?;
    }

    // Another branch, longer by one, takes all anchors away. The first waits again; those that spent its change
    // are made anew, and all stand in one block.
    chain.invalidate(first);
    let branch = ANCHORS + 1;
    for left in (0..branch).rev() {
        chain.mine_if(&nobody, STARTED_S + 9, |_, _| false);
        let what = "a block of another branch";
        if left == 0 {
            judge.accepts(what, tip(&chain))?
        } else {
            judge.takes(what, tip(&chain))?
        }
    }
    let parent = tip(&chain).header;
    for epoch in 1..ANCHORS {
        submit(&mut chain, epoch, &key)?;
    }
    chain.mine(&nobody, STARTED_S);
    let sound = tip(&chain).clone();
    assert_eq!(sound.txdata.len(), 1 + ANCHORS as usize, "all anchors in one block");

    judge.refuses(
        "a changed signature",
        &resealed(&sound, &parent, |block| {
            let witness = &block.txdata[1].input[0].witness;
            let mut parts: Vec<Vec<u8>> = witness.iter().map(<[u8]>::to_vec).collect();
            parts[0][20] ^= 1;
            block.txdata[1].input[0].witness = Witness::from_slice(&parts);
        }),
    )?;
    judge.refuses(
        "a changed commitment",
        &resealed(&sound, &parent, |block| {
            let other = AnchorOutput { epoch: Epoch::new(77), root: Digest::new([1; 32]) };
            let script = Builder::new().push_opcode(OP_RETURN).push_slice(other.to_bytes());
            block.txdata[1].output[0].script_pubkey = script.into_script();
        }),
    )?;
    judge.refuses(
        "a reward that is too high",
        &resealed(&sound, &parent, |block| {
            block.txdata[0].output[0].value += Amount::from_sat(1);
        }),
    )?;
    judge.refuses("less work", &{
        let mut block = sound.clone();
        while block.header.validate_pow(block.header.target()).is_ok() {
            block.header.nonce += 1;
        }
        block
    })?;
    // What was refused was refused for its change: without one the block made anew is accepted.
    judge.accepts("the block with all anchors", &resealed(&sound, &parent, |_| {}))?;
    println!("lane: {} passed", judge.passed);
    Ok(())
}

fn tip(chain: &EmbeddedChain) -> &Block {
    chain.block(chain.height()).expect("the tip")
}

/// Puts the anchor of an epoch among the transactions that wait.
fn submit(chain: &mut EmbeddedChain, epoch: u32, key: &SecretKey) -> Result<Transaction, Fault> {
    let (outpoint, value) = chain.coin(&funding_script(key)).ok_or("no coin is left")?;
    let root = Digest::new([u8::try_from(epoch)?; 32]);
    let output = AnchorOutput { epoch: Epoch::new(epoch), root };
    let funding = Funding { outpoint, value, fee: Amount::from_sat(1_000), key: *key };
    let transaction = anchor_transaction(&output, &funding)?;
    chain.submit(transaction.clone())?;
    Ok(transaction)
}

/// The block with a change, and everything above the change made anew: the commitment to the witnesses, the
/// Merkle root, the work. Whatever is refused then is refused for the change.
fn resealed(sound: &Block, parent: &Header, change: impl FnOnce(&mut Block)) -> Block {
    let mut block = sound.clone();
    change(&mut block);
    let root = block.witness_root().expect("a coinbase");
    let commitment = Block::compute_witness_commitment(&root, &[0; 32]);
    let last = block.txdata[0].output.last_mut().expect("the commitment");
    let mut script = last.script_pubkey.to_bytes();
    script[6..38].copy_from_slice(commitment.as_byte_array());
    last.script_pubkey = script.into();
    block.header.prev_blockhash = parent.block_hash();
    block.header.merkle_root = block.compute_merkle_root().expect("a coinbase");
    while block.header.validate_pow(block.header.target()).is_err() {
        block.header.nonce += 1;
    }
    block
}
