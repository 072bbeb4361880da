//! Checking a receipt with nothing but Bitcoin's headers. [ANC-2]
//!
//! In the order of the spec (anchoring, "Order of checks"): what the receipt says of itself, then
//! what it says of Bitcoin. `examine` needs no headers and gives a [`Claim`]; the header chain
//! confirms the claim. A confirmed receipt shows that a record existed before a block; that this
//! network booked it takes the anchor certificate and the roster as well.

use bitcoin::consensus::deserialize;
use bitcoin::hashes::{Hash, sha256d};
use bitcoin::opcodes::all::OP_RETURN;
use bitcoin::script::Instruction;
use bitcoin::{BlockHash, Script, Transaction};
use thiserror::Error;

use super::headers::HeaderChain;
use crate::crypto::sha256;
use crate::ledger::{
    AnchorOutput, AnchorOutputError, BitcoinProof, EnvelopeError, Receipt, ReceiptError,
};
use crate::types::{Digest, Epoch, RecordId};

/// What a sound receipt claims of Bitcoin.
#[derive(Clone, Copy, Debug)]
pub struct Claim<'a> {
    /// The record.
    pub record_id: RecordId,
    /// The anchor root.
    pub anchor_root: Digest,
    /// Double hash of the transaction, in internal byte order.
    pub transaction_id: Digest,
    proof: &'a BitcoinProof,
}

/// What a confirmed receipt shows: the record existed before this block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
//= harness/spec/anchoring.md#anc-2-receipt
//# ANC-2.13 (ours): A verifier MUST report a verified receipt as existing before the stated Bitcoin
//# block and not as booked by this network, unless it has also verified an anchor certificate and
//# the roster that leads to its signers.
pub struct Existed {
    /// The record.
    pub record_id: RecordId,
    /// Height of the block.
    pub height: u32,
    /// Hash of the block.
    pub block_hash: BlockHash,
    /// The miner's time, in seconds since 1970; right within about two hours.
    pub time_s: u32,
    /// Blocks from this one to the end of the headers, both included.
    pub confirmations: u32,
}

/// A fault in the receipt itself.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ProofError {
    /// Positions and path contradict each other.
    #[error(transparent)]
    Shape(#[from] ReceiptError),
    /// The content given is not the record's.
    #[error(
        "receipt.booking.content: the record's content has digest {expected}, this has {found}"
    )]
    Content {
        /// Digest of the content given.
        found: Digest,
        /// Digest in the receipt.
        expected: Digest,
    },
    /// The owner's key or signature does not hold.
    #[error("receipt.booking: {0}")]
    Owner(#[from] EnvelopeError),
    /// Frozen, but not yet in Bitcoin.
    #[error("receipt.bitcoin: absent, the anchor is not in a block yet")]
    NotAnchored,
    /// Could pass for an inner node of Bitcoin's tree.
    #[error("receipt.bitcoin.transaction: 64 bytes could be two hashes")]
    InnerNode,
    /// Not a transaction in the form that its id commits to.
    #[error("receipt.bitcoin.transaction: not a transaction in legacy serialisation")]
    Transaction,
    /// None, or more than one output of MDSM.
    #[error("receipt.bitcoin.transaction: {outputs} MDSM outputs where 1 is expected")]
    Outputs {
        /// Outputs found.
        outputs: usize,
    },
    /// The output is of another version or length.
    #[error("receipt.bitcoin.transaction: the MDSM output {0}")]
    Output(#[from] AnchorOutputError),
    /// The output anchors another epoch.
    #[error("receipt.epoch: {found}, the transaction anchors epoch {expected}")]
    Epoch {
        /// Epoch of the receipt.
        found: Epoch,
        /// Epoch of the output.
        expected: Epoch,
    },
    /// The output anchors another root.
    #[error("receipt leads to anchor root {found}, the transaction anchors {expected}")]
    Root {
        /// Root computed from the receipt.
        found: Digest,
        /// Root in the output.
        expected: Digest,
    },
}

/// A sound receipt that these headers do not confirm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ConfirmError {
    /// The headers end before the block.
    #[error("receipt.bitcoin.height: {height}, the headers end at {tip}")]
    Height {
        /// Height stated.
        height: u32,
        /// Height of the last header.
        tip: usize,
    },
    /// The index does not exist in a tree of the branch's depth.
    #[error("receipt.bitcoin.transaction_index: {index} in a tree of {levels} levels")]
    Index {
        /// Index stated.
        index: u32,
        /// Hashes of the branch.
        levels: usize,
    },
    /// The branch leads elsewhere.
    #[error("receipt.bitcoin.branch: leads to {found}, block {height} has Merkle root {expected}")]
    Branch {
        /// Height of the block.
        height: u32,
        /// Root computed.
        found: Digest,
        /// Root in the header.
        expected: Digest,
    },
    /// Not buried deeply enough.
    #[error("block {height} has {confirmations} confirmations, {asked} are asked for")]
    Depth {
        /// Height of the block.
        height: u32,
        /// Confirmations it has.
        confirmations: u32,
        /// Confirmations asked for.
        asked: u32,
    },
}

/// Checks everything that a receipt says of itself; `content` is the record's content or sealed
/// file, where it is at hand. Cost: one signature check and about 30 hashes.
pub fn examine<'a>(receipt: &'a Receipt, content: Option<&[u8]>) -> Result<Claim<'a>, ProofError> {
    examine_digest(receipt, content.map(sha256))
}

/// The same with the SHA-256 digest of the content, which may be longer than memory.
pub fn examine_digest(receipt: &Receipt, content: Option<Digest>) -> Result<Claim<'_>, ProofError> {
    //= harness/spec/anchoring.md#anc-2-receipt
    //# ANC-2.2 (ours): A verifier MUST make the checks of the table Order of checks in the order of
    //# that table and report the first one that fails.
    receipt.level_paths()?;
    if let Some(found) = content {
        let expected = *receipt.booking.content.digest();
        if found != expected {
            return Err(ProofError::Content { found, expected });
        }
    }
    receipt.booking.verify_owner(&receipt.chain_id)?;
    let found = receipt.anchor_root()?;
    let proof = receipt.bitcoin.as_ref().ok_or(ProofError::NotAnchored)?;
    let output = anchor_output(&proof.transaction)?;
    //= harness/spec/anchoring.md#anc-2-receipt
    //# ANC-2.7 (ours): A verifier MUST refuse a receipt whose epoch or whose computed anchor root
    //# is not the one in the MDSM output.
    if output.epoch != receipt.epoch {
        return Err(ProofError::Epoch { found: receipt.epoch, expected: output.epoch });
    }
    if output.root != found {
        return Err(ProofError::Root { found, expected: output.root });
    }
    Ok(Claim {
        record_id: receipt.booking.record_id(),
        anchor_root: found,
        transaction_id: double_sha256(&[&proof.transaction]),
        proof,
    })
}

impl Claim<'_> {
    /// Holds the claim to a chain of headers and a depth. Cost: one double hash a level.
    //= harness/spec/anchoring.md#anc-2-receipt
    //# ANC-2.1 (paper): A receipt together with a file of Bitcoin block headers MUST suffice to
    //# verify, without any network, that a record existed before the Bitcoin block that carries its
    //# anchor.
    pub fn confirm(&self, headers: &HeaderChain, depth: u32) -> Result<Existed, ConfirmError> {
        let BitcoinProof { height, transaction_index: index, branch, .. } = self.proof;
        let (height, index) = (*height, *index);
        let (expected, block_hash, time_s) =
            headers.block(height).ok_or(ConfirmError::Height { height, tip: headers.tip() })?;
        let levels = branch.len();
        // A branch has at most 24 hashes, so the shift is defined.
        //= harness/spec/anchoring.md#anc-2-receipt
        //# ANC-2.8 (ours): A verifier MUST refuse a receipt unless the transaction, its index and
        //# its branch of at most 24 hashes yield the Merkle root in the header of the stated
        //# height.
        if index >> levels != 0 {
            return Err(ConfirmError::Index { index, levels });
        }
        let mut found = self.transaction_id;
        for (level, sibling) in branch.iter().enumerate() {
            found = if index >> level & 1 == 0 {
                double_sha256(&[found.as_bytes(), sibling.as_bytes()])
            } else if *sibling == found {
                // Bitcoin repeats an odd last node; a right node that is its own sibling stands
                // behind the last transaction of the block (CVE-2012-2459).
                return Err(ConfirmError::Index { index, levels });
            } else {
                double_sha256(&[sibling.as_bytes(), found.as_bytes()])
            };
        }
        if found != expected {
            return Err(ConfirmError::Branch { height, found, expected });
        }
        let above = headers.tip() - usize::try_from(height).unwrap_or(headers.tip());
        let confirmations = u32::try_from(above).unwrap_or(u32::MAX).saturating_add(1);
        //= harness/spec/anchoring.md#anc-2-receipt
        //# ANC-2.12 (ours): A verifier MUST refuse a receipt whose block has fewer confirmations in
        //# the headers than asked for, where 6 are asked for by default and the block itself counts
        //# as the first.
        if confirmations < depth {
            return Err(ConfirmError::Depth { height, confirmations, asked: depth });
        }
        Ok(Existed { record_id: self.record_id, height, block_hash, time_s, confirmations })
    }
}

/// The one MDSM output of a transaction without witness data.
pub fn anchor_output(bytes: &[u8]) -> Result<AnchorOutput, ProofError> {
    //= harness/spec/anchoring.md#anc-2-receipt
    //# ANC-2.4 (ours): A verifier MUST refuse a transaction of exactly 64 bytes.
    if bytes.len() == 64 {
        return Err(ProofError::InnerNode);
    }
    let transaction: Transaction = deserialize(bytes).map_err(|_| ProofError::Transaction)?;
    // The crate also reads the form with witness data, of which the id commits to a part only.
    //= harness/spec/anchoring.md#anc-2-receipt
    //# ANC-2.5 (ours): A verifier MUST refuse a transaction that is longer than 4,096 bytes or is
    //# not in the legacy serialisation without witness.
    if transaction.base_size() != bytes.len() {
        return Err(ProofError::Transaction);
    }
    let payloads: Vec<&[u8]> = transaction
        .output
        .iter()
        .filter_map(|output| mdsm_payload(&output.script_pubkey))
        .collect();
    //= harness/spec/anchoring.md#anc-2-receipt
    //# ANC-2.6 (ours): A verifier MUST refuse a transaction that has no MDSM output or more than
    //# one.
    match payloads[..] {
        [payload] => Ok(AnchorOutput::from_bytes(payload)?),
        _ => Err(ProofError::Outputs { outputs: payloads.len() }),
    }
}

/// What follows OP_RETURN in one push that opens with `MDSM`. An output that is not as drawn counts
/// as well, but yields no more than these four bytes, which are no anchor.
fn mdsm_payload(script: &Script) -> Option<&[u8]> {
    let mut instructions = script.instructions();
    match (instructions.next()?.ok()?, instructions.next()?.ok()?) {
        (Instruction::Op(OP_RETURN), Instruction::PushBytes(push)) => {
            let payload = push.as_bytes();
            // One byte for each opcode: the push is the short one, and nothing follows it.
            let whole = script.len() == 2 + payload.len();
            payload.starts_with(b"MDSM").then_some(if whole { payload } else { &payload[..4] })
        }
        _ => None,
    }
}

fn double_sha256(parts: &[&[u8]]) -> Digest {
    let mut engine = sha256d::Hash::engine();
    for part in parts {
        bitcoin::hashes::HashEngine::input(&mut engine, part);
    }
    Digest::new(sha256d::Hash::from_engine(engine).to_byte_array())
}
