//! What a receipt needs of Bitcoin: the way from an anchor into its block, and the chain of headers.
//! [ANC-2]

use bitcoin::consensus::serialize;
use bitcoin::hashes::{Hash as _, HashEngine as _, sha256d};
use bitcoin::{Block, Witness};
use thiserror::Error;

use super::check::{self, Lie};
use super::told::block_hash;
use crate::anchoring::machine::Place;
use crate::anchoring::{ChainParameters, HeaderChain, HeaderError};
use crate::bitcoin::{Rpc, RpcError};
use crate::ledger::BitcoinProof;
use crate::types::{Blob, Digest, List};

/// Why there is no proof.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ProveError {
    /// No anchor of that epoch is final here.
    #[error("no final anchor is known")]
    Unknown,
    /// No answer of use.
    #[error(transparent)]
    Rpc(#[from] RpcError),
    /// An answer that does not hold.
    #[error("the Bitcoin node lies: {0}")]
    Lie(#[from] Lie),
    /// The block is not on the chain any more.
    #[error("the block with the anchor, at {height}, is not on the chain any more")]
    Removed {
        /// Height of the block.
        height: u32,
    },
    /// The block does not hold it.
    #[error(
        "the block at {height} does not hold the anchor, or not in a form that a receipt carries"
    )]
    NotThere {
        /// Height of the block.
        height: u32,
    },
    /// Headers that are no chain.
    #[error(transparent)]
    Headers(#[from] HeaderError),
}

/// The way from the transaction of an anchor into its block.
pub async fn prove(
    rpc: &Rpc,
    place: &Place,
    network: ChainParameters,
) -> Result<BitcoinProof, ProveError> {
    let (height, hash) = (place.height, block_hash(&place.block));
    if rpc.block_hash(height).await? != hash {
        return Err(ProveError::Removed { height });
    }
    let block = rpc.block(&hash).await?;
    check::block(&block, &hash, height, network)?;
    of_block(&block, height, &place.txid).ok_or(ProveError::NotThere { height })
}

//= harness/spec/anchoring.md#anc-2-receipt
//# ANC-2.5 (ours): A verifier MUST refuse a transaction that is longer than 4,096 bytes or is
//# not in the legacy serialisation without witness.
fn of_block(block: &Block, height: u32, id: &Digest) -> Option<BitcoinProof> {
    let mut layer: Vec<Digest> = block
        .txdata
        .iter()
        .map(|other| Digest::new(other.compute_txid().to_byte_array()))
        .collect();
    let mut index = layer.iter().position(|other| other == id)?;
    let transaction_index = u32::try_from(index).ok()?;
    let mut stripped = block.txdata.get(index)?.clone();
    for input in &mut stripped.input {
        input.witness = Witness::new();
    }
    let mut branch = Vec::new();
    while layer.len() > 1 {
        // Bitcoin pairs an odd last node with itself.
        branch.push(*layer.get(index ^ 1).or(layer.get(index))?);
        layer =
            layer.chunks(2).map(|pair| parent(&pair[0], pair.last().unwrap_or(&pair[0]))).collect();
        index /= 2;
    }
    Some(BitcoinProof {
        height,
        transaction: Blob::new(serialize(&stripped)).ok()?,
        transaction_index,
        branch: List::new(branch).ok()?,
    })
}

fn parent(left: &Digest, right: &Digest) -> Digest {
    let mut engine = sha256d::Hash::engine();
    engine.input(left.as_bytes());
    engine.input(right.as_bytes());
    Digest::new(sha256d::Hash::from_engine(engine).to_byte_array())
}

/// The chain of headers up to the node's tip, as `mdsm receipt verify --headers` reads it, checked;
/// `known` are those of an earlier call, of which the ones still on the chain are not asked for again.
pub async fn headers(
    rpc: &Rpc,
    known: Vec<u8>,
    network: ChainParameters,
) -> Result<Vec<u8>, ProveError> {
    const HEADER_BYTES: usize = 80;
    let tip = rpc.block_count().await?;
    let mut bytes = known;
    bytes.truncate(bytes.len() / HEADER_BYTES * HEADER_BYTES);
    let count = |bytes: &[u8]| u32::try_from(bytes.len() / HEADER_BYTES).unwrap_or(u32::MAX);
    while let Some(last) = bytes.rchunks(HEADER_BYTES).next() {
        let height = count(&bytes) - 1;
        let hash = sha256d::Hash::hash(last).to_byte_array();
        if height <= tip && rpc.block_hash(height).await?.to_byte_array() == hash {
            break;
        }
        bytes.truncate(bytes.len() - HEADER_BYTES);
    }
    for height in count(&bytes)..=tip {
        let hash = rpc.block_hash(height).await?;
        let header = rpc.header(&hash).await?;
        check::header(&header, &hash, height, network)?;
        bytes.extend(serialize(&header));
    }
    HeaderChain::from_bytes(&bytes, network)?;
    Ok(bytes)
}
