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
    #[error("{found} is not the genesis block of the network asked for, {expected}")]
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
    //= harness/spec/anchoring.md#anc-2-receipt
    //# ANC-2.9 (ours): A verifier MUST refuse a chain of headers that does not begin with the
    //# genesis block of the Bitcoin network asked for or in which a header does not name the hash
    //# of the header before it.
    let Some(parent) = before.last() else {
        let expected = genesis_block(params.network).block_hash();
        return if hash == expected {
            Ok(())
        } else {
            Err(HeaderFault::Genesis { found: hash, expected })
        };
    };
    let expected = parent.block_hash();
    //= harness/spec/anchoring.md#anc-2-receipt
    //# ANC-2.9 (ours): A verifier MUST refuse a chain of headers that does not begin with the
    //# genesis block of the Bitcoin network asked for or in which a header does not name the hash
    //# of the header before it.
    if header.prev_blockhash != expected {
        return Err(HeaderFault::Link { found: header.prev_blockhash, expected });
    }
    let expected = expected_bits(before, parent, params);
    //= harness/spec/anchoring.md#anc-2-receipt
    //# ANC-2.10 (ours): A verifier MUST refuse a header whose bits are not the ones that the
    //# difficulty rule of the Bitcoin network asked for expects at its height.
    if header.bits != expected {
        let (found, expected) = (header.bits.to_consensus(), expected.to_consensus());
        return Err(HeaderFault::Bits { found, expected });
    }
    //= harness/spec/anchoring.md#anc-2-receipt
    //# ANC-2.11 (ours): A verifier MUST refuse a header whose hash is above the target that its
    //# bits state.
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

#[cfg(test)]
mod tests {
    use bitcoin::TxMerkleNode;
    use bitcoin::block::Version;

    use super::*;

    /// An interval of 2,016 headers that took from the first time to the last, at these bits.
    fn interval(first_s: u32, last_s: u32, bits: u32) -> Vec<Header> {
        let header = |time| Header {
            version: Version::ONE,
            prev_blockhash: BlockHash::all_zeros(),
            merkle_root: TxMerkleNode::all_zeros(),
            time,
            bits: CompactTarget::from_consensus(bits),
            nonce: 0,
        };
        // Only the first and the last count.
        let mut headers = vec![header(last_s); 2_016];
        headers[0].time = first_s;
        headers
    }

    fn after(headers: &[Header], network: Network) -> u32 {
        let parent = headers.last().expect("an interval has headers");
        expected_bits(headers, parent, &Params::new(network)).to_consensus()
    }

    #[test]
    fn anc_2_10_difficulty_follows_the_time_that_2016_blocks_took() {
        //= harness/spec/anchoring.md#anc-2-receipt
        //= type=test
        //# ANC-2.10 (ours): A verifier MUST refuse a header whose bits are not the ones that the
        //# difficulty rule of the Bitcoin network asked for expects at its height.
        // Bitcoin's block 32,256, the first whose bits differ from those of block 0. By hand: the
        // target 0xffff * 2^208 times 1,022,578 s over 1,209,600 s begins 0x00d86a.
        let first_change = interval(1_261_130_161, 1_262_152_739, 0x1d00_ffff);
        assert_eq!(0xffff_u64 * 256 * 1_022_578 / 1_209_600 / 256, 0xd86a);
        assert_eq!(after(&first_change, Network::Bitcoin), 0x1d00_d86a);
        // Block 2,016: slower than two weeks, but no target is above the largest.
        assert_eq!(
            after(&interval(1_231_006_505, 1_233_061_996, 0x1d00_ffff), Network::Bitcoin),
            0x1d00_ffff
        );
        // Block 68,544: in less than a quarter of the time; a quarter of the target and no less.
        let quarter = after(&interval(1_279_008_237, 1_279_297_671, 0x1c05_a3f4), Network::Bitcoin);
        assert_eq!((quarter, 0x0005_a3f4 / 4), (0x1c01_68fd, 0x0001_68fd));
        // In more than four times the time: four times the target and no more.
        let fourfold =
            after(&interval(1_263_163_443, 1_269_211_443, 0x1c38_7f6f), Network::Bitcoin);
        assert_eq!((fourfold, 0x0038_7f6f * 4 / 256), (0x1d00_e1fd, 0x0000_e1fd));
        // Times that run backwards count as no time at all.
        let backwards =
            after(&interval(1_279_297_671, 1_279_008_237, 0x1c05_a3f4), Network::Bitcoin);
        assert_eq!(backwards, 0x1c01_68fd);
    }

    #[test]
    fn anc_2_10_between_intervals_and_on_regtest_difficulty_stays() {
        //= harness/spec/anchoring.md#anc-2-receipt
        //= type=test
        //# ANC-2.10 (ours): A verifier MUST refuse a header whose bits are not the ones that the
        //# difficulty rule of the Bitcoin network asked for expects at its height.
        let headers = interval(1_279_008_237, 1_279_297_671, 0x1c05_a3f4);
        for count in [1, 2, 100, 2_014, 2_015] {
            assert_eq!(after(&headers[..count], Network::Bitcoin), 0x1c05_a3f4, "{count}");
        }
        assert_eq!(after(&headers, Network::Regtest), 0x1c05_a3f4);
        // The interval is the last one, whatever came before it.
        let longer = [interval(1, 2, 0x1d00_ffff), headers].concat();
        assert_eq!(after(&longer, Network::Bitcoin), 0x1c01_68fd);
        assert_eq!(after(&longer[..4_031], Network::Bitcoin), 0x1c05_a3f4);
    }
}
