//! The blocks that the node was told, and the anchors in them. Pure. [ANC-3]

use std::collections::{BTreeMap, VecDeque};

use bitcoin::block::Header;
use bitcoin::hashes::Hash as _;
use bitcoin::{BlockHash, Work};

use crate::anchoring::machine::{Bitcoin, BlockRef, Sighting};
use crate::types::Digest;

/// Blocks that are remembered; a deeper reorganisation is followed by asking for old headers.
const BLOCKS_KEPT: usize = 8_064;
/// Sightings that are remembered; the lowest go first. A flood of them costs whoever makes it fees.
const SIGHTINGS_KEPT: usize = 65_536;

/// A block of the branch that the node knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) block: BlockRef,
    pub(super) header: Header,
}

impl Known {
    pub(super) fn new(height: u32, header: Header) -> Self {
        let hash = digest(header.block_hash());
        Self { block: BlockRef { height, hash, parent: digest(header.prev_blockhash) }, header }
    }
}

pub(super) fn digest(hash: BlockHash) -> Digest {
    Digest::new(hash.to_byte_array())
}

pub(super) fn block_hash(digest: &Digest) -> BlockHash {
    BlockHash::from_byte_array(*digest.as_bytes())
}

/// A row of blocks, each the parent of the next, up to the tip.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    blocks: VecDeque<Known>,
    heights: BTreeMap<Digest, u32>,
    seen: BTreeMap<u32, Vec<Sighting>>,
    count: usize,
}

impl Told {
    pub(super) fn tip(&self) -> Option<&Known> {
        self.blocks.back()
    }

    pub(super) fn lowest(&self) -> Option<&Known> {
        self.blocks.front()
    }

    pub(super) fn at(&self, height: u32) -> Option<&Known> {
        let lowest = self.lowest()?.block.height;
        self.blocks.get(usize::try_from(height.checked_sub(lowest)?).ok()?)
    }

    /// Hash of the branch's block at a height; known also for the block below the lowest.
    pub(super) fn hash_at(&self, height: u32) -> Option<Digest> {
        let lowest = self.lowest()?.block;
        if height.checked_add(1) == Some(lowest.height) {
            return Some(lowest.parent);
        }
        Some(self.at(height)?.block.hash)
    }

    /// The height at which a block was told.
    pub(super) fn height_of(&self, hash: &Digest) -> Option<u32> {
        self.heights.get(hash).copied()
    }

    /// The work above a height.
    pub(super) fn work_above(&self, height: u32) -> Work {
        let above = self.blocks.iter().filter(|known| known.block.height > height);
        above.fold(Work::from_be_bytes([0; 32]), |sum, known| sum + known.header.work())
    }

    /// The parent of the lowest one.
    pub(super) fn push_below(&mut self, known: Known) {
        self.heights.insert(known.block.hash, known.block.height);
        self.blocks.push_front(known);
    }

    pub(super) fn push(&mut self, known: Known, sightings: Vec<Sighting>) {
        if !sightings.is_empty() {
            self.count += sightings.len();
            self.seen.insert(known.block.height, sightings);
        }
        self.heights.insert(known.block.hash, known.block.height);
        self.blocks.push_back(known);
        if self.blocks.len() > BLOCKS_KEPT
            && let Some(lowest) = self.blocks.pop_front()
        {
            self.heights.remove(&lowest.block.hash);
        }
        while self.count > SIGHTINGS_KEPT {
            let Some((_, lowest)) = self.seen.pop_first() else { break };
            self.count -= lowest.len();
        }
    }

    pub(super) fn pop(&mut self) -> Option<Known> {
        let last = self.blocks.pop_back()?;
        self.heights.remove(&last.block.hash);
        let gone = self.seen.remove(&last.block.height);
        self.count -= gone.map_or(0, |gone| gone.len());
        Some(last)
    }

    /// Sightings in blocks that were told.
    pub(super) fn find(&self, is_wanted: impl Fn(&Sighting) -> bool) -> Vec<Bitcoin> {
        let mut found = Vec::new();
        for (height, sightings) in &self.seen {
            let Some(block) = self.hash_at(*height) else { continue };
            let wanted = sightings.iter().filter(|sighting| is_wanted(sighting));
            found.extend(wanted.map(|sighting| Bitcoin::Found {
                sighting: *sighting,
                height: *height,
                block,
            }));
        }
        found
    }

    pub(super) fn holds(&self, txid: &Digest) -> bool {
        self.seen.values().flatten().any(|sighting| sighting.txid == *txid)
    }
}
