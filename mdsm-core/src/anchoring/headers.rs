//! A chain of Bitcoin headers that a stranger can believe. [ANC-2]
//!
//! On a test network every second hash has enough work by chance, so work alone proves nothing. A
//! header chain is taken only with its link to the genesis block, the bits that the difficulty rule
//! expects at each height, and work for them; depth is asked for when a receipt is confirmed.
//! Not checked: timestamps against the median of eleven, which need no trust here, since a
//! receipt's claim is an order of blocks. Cost: one double hash a header.

use bitcoin::block::Header;
use bitcoin::consensus::{Params, deserialize};
use bitcoin::constants::genesis_block;
use bitcoin::hashes::Hash;
use bitcoin::{BlockHash, CompactTarget, Network};
use thiserror::Error;

use crate::types::Digest;

/// Bytes of a header.
const HEADER_BYTES: usize = 80;

/// Which Bitcoin network a chain of headers is held to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChainParameters {
    /// Bitcoin itself: difficulty changes every 2,016 blocks.
    Mainnet,
    /// The test network whose difficulty never changes.
    Regtest,
}

/// A chain of headers from the genesis block on, checked.
#[derive(Clone, Debug)]
pub struct HeaderChain {
    headers: Vec<Header>,
}

/// A header that breaks the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("header {height}, at byte {offset}: {fault}")]
pub struct HeaderError {
    /// Height of the header.
    pub height: usize,
    /// Where it starts in the file.
    pub offset: usize,
    /// What is wrong.
    pub fault: HeaderFault,
}

/// What can be wrong with a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum HeaderFault {
    /// The file ends within it.
    #[error("{bytes} bytes where a header has 80")]
    Truncated {
        /// Bytes left.
        bytes: usize,
    },
    /// The first header is not the network's genesis block.
    #[error("{found} is not the genesis block of this network, {expected}")]
    Genesis {
        /// Hash found.
        found: BlockHash,
        /// Hash of the genesis block.
        expected: BlockHash,
    },
    /// Does not name the header before it.
    #[error("follows {found}, but the header before it is {expected}")]
    Link {
        /// Hash named.
        found: BlockHash,
        /// Hash of the header before.
        expected: BlockHash,
    },
    /// States another difficulty than the rule asks for.
    #[error("bits {found:08x} where the difficulty rule asks for {expected:08x}")]
    Bits {
        /// Bits stated.
        found: u32,
        /// Bits expected.
        expected: u32,
    },
    /// The hash is above the target.
    #[error("its hash is above the target that its bits state")]
    Work,
}

impl ChainParameters {
    fn network(self) -> Network {
        match self {
            Self::Mainnet => Network::Bitcoin,
            Self::Regtest => Network::Regtest,
        }
    }
}

impl HeaderChain {
    /// Checks consecutive 80-byte headers from height 0.
    pub fn from_bytes(bytes: &[u8], network: ChainParameters) -> Result<Self, HeaderError> {
        let params = Params::new(network.network());
        let mut headers: Vec<Header> = Vec::new();
        if bytes.is_empty() {
            return Err(error_at(0, HeaderFault::Truncated { bytes: 0 }));
        }
        for (height, raw) in bytes.chunks(HEADER_BYTES).enumerate() {
            let header: Header = deserialize(raw)
                .map_err(|_| error_at(height, HeaderFault::Truncated { bytes: raw.len() }))?;
            check_next(&headers, &header, &params).map_err(|fault| error_at(height, fault))?;
            headers.push(header);
        }
        Ok(Self { headers })
    }

    /// Height of the last header.
    #[must_use]
    pub fn tip(&self) -> usize {
        self.headers.len() - 1
    }

    /// Merkle root, hash and time in seconds of the block at a height.
    pub(super) fn block(&self, height: u32) -> Option<(Digest, BlockHash, u32)> {
        let header = self.headers.get(usize::try_from(height).ok()?)?;
        let root = Digest::new(header.merkle_root.to_byte_array());
        Some((root, header.block_hash(), header.time))
    }
}

fn error_at(height: usize, fault: HeaderFault) -> HeaderError {
    HeaderError { height, offset: height * HEADER_BYTES, fault }
}

fn check_next(before: &[Header], header: &Header, params: &Params) -> Result<(), HeaderFault> {
    let hash = header.block_hash();
    let Some(parent) = before.last() else {
        let expected = genesis_block(params.network).block_hash();
        return if hash == expected {
            Ok(())
        } else {
            Err(HeaderFault::Genesis { found: hash, expected })
        };
    };
    let expected = parent.block_hash();
    if header.prev_blockhash != expected {
        return Err(HeaderFault::Link { found: header.prev_blockhash, expected });
    }
    let expected = expected_bits(before, parent, params);
    if header.bits != expected {
        let (found, expected) = (header.bits.to_consensus(), expected.to_consensus());
        return Err(HeaderFault::Bits { found, expected });
    }
    header.validate_pow(header.target()).map(|_| ()).map_err(|_| HeaderFault::Work)
}

/// The bits after `before`. Times may run backwards within an interval, hence the saturation.
fn expected_bits(before: &[Header], parent: &Header, params: &Params) -> CompactTarget {
    let interval = usize::try_from(params.difficulty_adjustment_interval()).unwrap_or(usize::MAX);
    if params.no_pow_retargeting || !before.len().is_multiple_of(interval) {
        return parent.bits;
    }
    let first = &before[before.len() - interval];
    let timespan = parent.time.saturating_sub(first.time);
    CompactTarget::from_next_work_required(parent.bits, timespan.into(), params)
}
