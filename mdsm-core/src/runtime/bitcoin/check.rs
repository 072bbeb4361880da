//! What a Bitcoin node shows, held against itself: hashes, work, heights. Pure. [ANC-3]
//!
//! A node of Bitcoin is the institution's own, and can be broken or taken over all the same. What is checked:
//! an answer has the hash that was asked for, so parents are what headers name; a header has the work that
//! its bits state, and these are its parent's within what the difficulty rule allows; a block's
//! transactions lead to its header's Merkle root and its height is the one that its first transaction names
//! (BIP 34). Not checked: scripts, values, the exact difficulty; a verifier of receipts checks the latter.

use bitcoin::block::Header;
use bitcoin::constants::genesis_block;
use bitcoin::{Block, BlockHash, Network, Transaction, Txid};
use thiserror::Error;

use crate::anchoring::ChainParameters;

/// Up to this height the height in a block's first transaction is one opcode, which is not read.
const SMALL_HEIGHT_MAX: u32 = 16;
/// From this height on mainnet's blocks name their height (BIP 34).
const MAINNET_NAMED_FROM: u32 = 227_931;
/// Blocks between two changes of mainnet's difficulty.
const INTERVAL: u32 = 2_016;

/// Something that no sound node shows.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Lie {
    /// It follows another network.
    #[error("the node follows {found}, {expected} is configured")]
    Network {
        /// What it says.
        found: String,
        /// What is configured.
        expected: &'static str,
    },
    /// Another block, or header, than was asked for.
    #[error("asked for block {asked}, got {found}")]
    Hash {
        /// Hash asked for.
        asked: BlockHash,
        /// Hash of what came.
        found: BlockHash,
    },
    /// The first block of the chain is another one.
    #[error("the chain begins with {found}, not with the network's genesis block")]
    Genesis {
        /// The first block.
        found: BlockHash,
    },
    /// The hash is above the target.
    #[error("block {hash} at {height} has not the work that its bits state")]
    Work {
        /// Height.
        height: u32,
        /// Hash.
        hash: BlockHash,
    },
    /// An easier target than the difficulty rule can give.
    #[error("block {hash} at {height} has bits {found:08x}, its parent {parent:08x}")]
    Bits {
        /// Height.
        height: u32,
        /// Hash.
        hash: BlockHash,
        /// Bits of the block.
        found: u32,
        /// Bits of its parent.
        parent: u32,
    },
    /// Transactions that do not lead to the header's Merkle root.
    #[error("the transactions of block {hash} do not lead to its Merkle root")]
    MerkleRoot {
        /// Hash.
        hash: BlockHash,
    },
    /// The block names another height.
    #[error("block {hash} does not name the height {height}")]
    Height {
        /// Height shown.
        height: u32,
        /// Hash.
        hash: BlockHash,
    },
    /// Another transaction than was asked for.
    #[error("asked for transaction {asked}, got {found}")]
    Transaction {
        /// Id asked for.
        asked: Txid,
        /// Id of what came.
        found: Txid,
    },
}

pub(super) fn network_name(network: ChainParameters) -> &'static str {
    match network {
        ChainParameters::Mainnet => "main",
        ChainParameters::Regtest => "regtest",
    }
}

fn genesis(network: ChainParameters) -> Block {
    genesis_block(match network {
        ChainParameters::Mainnet => Network::Bitcoin,
        ChainParameters::Regtest => Network::Regtest,
    })
}

/// Checks a header by itself.
pub(super) fn header(
    header: &Header,
    asked: &BlockHash,
    height: u32,
    network: ChainParameters,
) -> Result<(), Lie> {
    let hash = header.block_hash();
    if hash != *asked {
        return Err(Lie::Hash { asked: *asked, found: hash });
    }
    if height == 0 && hash != genesis(network).block_hash() {
        return Err(Lie::Genesis { found: hash });
    }
    let most = genesis(network).header.target();
    let has_work = header.target() <= most && header.validate_pow(header.target()).is_ok();
    if has_work { Ok(()) } else { Err(Lie::Work { height, hash }) }
}

/// Checks the target of a header against its parent's.
pub(super) fn bits(
    header: &Header,
    height: u32,
    parent: &Header,
    network: ChainParameters,
) -> Result<(), Lie> {
    let may_change = network == ChainParameters::Mainnet && height.is_multiple_of(INTERVAL);
    let is_allowed = if may_change {
        header.target() <= parent.target().max_transition_threshold_unchecked()
    } else {
        header.bits == parent.bits
    };
    if is_allowed {
        return Ok(());
    }
    let (found, parent) = (header.bits.to_consensus(), parent.bits.to_consensus());
    Err(Lie::Bits { height, hash: header.block_hash(), found, parent })
}

/// Checks a block whose header was checked.
pub(super) fn block(
    block: &Block,
    asked: &BlockHash,
    height: u32,
    network: ChainParameters,
) -> Result<(), Lie> {
    let hash = block.block_hash();
    if hash != *asked {
        return Err(Lie::Hash { asked: *asked, found: hash });
    }
    if !block.check_merkle_root() {
        return Err(Lie::MerkleRoot { hash });
    }
    let names_height = match network {
        ChainParameters::Mainnet => height >= MAINNET_NAMED_FROM,
        ChainParameters::Regtest => height > SMALL_HEIGHT_MAX,
    };
    if names_height && block.bip34_block_height() != Ok(height.into()) {
        return Err(Lie::Height { height, hash });
    }
    Ok(())
}

/// Checks a transaction.
pub(super) fn transaction(transaction: &Transaction, asked: &Txid) -> Result<(), Lie> {
    let found = transaction.compute_txid();
    if found == *asked { Ok(()) } else { Err(Lie::Transaction { asked: *asked, found }) }
}
