//! Building a block: reward, witness commitment, proof of work, and the way from a transaction up.

use bitcoin::absolute::LockTime;
use bitcoin::block::{Header, Version as BlockVersion};
use bitcoin::hashes::{Hash, sha256d};
use bitcoin::opcodes::all::OP_RETURN;
use bitcoin::script::Builder;
use bitcoin::transaction::Version;
use bitcoin::{
    Amount, Block, OutPoint, ScriptBuf, Sequence, Transaction, TxIn, TxMerkleNode, TxOut, Witness,
    WitnessCommitment,
};

use crate::types::Digest;

/// What a miner of the first regtest blocks gets.
const SUBSIDY: Amount = Amount::from_int_btc(50);
/// Blocks after which regtest halves the subsidy.
const HALVING: u32 = 150;

/// What goes into the reward transaction.
pub(super) struct Reward<'a> {
    pub(super) height: u32,
    pub(super) script: &'a ScriptBuf,
    pub(super) fees: Amount,
    /// Number of the branch, so that no two branches share a block by accident.
    pub(super) branch: u32,
}

/// Mines a block on `parent` at `time_s`, or a second after its parent where that is later.
pub(super) fn mine(
    parent: &Header,
    time_s: u32,
    reward: &Reward<'_>,
    others: Vec<Transaction>,
) -> Block {
    let mut transactions = vec![coinbase(reward)];
    transactions.extend(others);
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
    block
}

fn subsidy(height: u32) -> Amount {
    Amount::from_sat(SUBSIDY.to_sat().checked_shr(height / HALVING).unwrap_or(0))
}

fn coinbase(reward: &Reward<'_>) -> Transaction {
    // BIP 34: the height comes first; one more push keeps the script at two bytes or more.
    let mut script_sig = Builder::new().push_int(reward.height.into()).push_slice(b"mdsm");
    if reward.branch > 0 {
        script_sig = script_sig.push_int(reward.branch.into());
    }
    Transaction {
        version: Version::TWO,
        lock_time: LockTime::ZERO,
        input: vec![TxIn {
            previous_output: OutPoint::null(),
            script_sig: script_sig.into_script(),
            sequence: Sequence::MAX,
            witness: Witness::from_slice(&[[0u8; 32]]),
        }],
        output: vec![TxOut {
            value: subsidy(reward.height) + reward.fees,
            script_pubkey: reward.script.clone(),
        }],
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
pub(super) fn branch(block: &Block, index: usize) -> Vec<Digest> {
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
