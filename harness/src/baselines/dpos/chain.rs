//! Blocks, the longest chain, and the last irreversible block of one node. [COM-8]
//!
//! Invariants: the chain of a node begins with the genesis and contains its last irreversible block;
//! slots rise along it; a node leaves a chain only for a strictly longer one.

use std::collections::{BTreeMap, BTreeSet};

use mdsm_core::crypto::sha256_parts;
use mdsm_core::types::{Digest, InstitutionId};
use thiserror::Error;

use super::schedule::Turns;

/// A block. Height 0 and slot 0 belong to the genesis, which nobody produces.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Block {
    /// Slot in which it was made.
    pub slot: u32,
    /// Blocks below it.
    pub height: u32,
    /// Who made it.
    pub producer: InstitutionId,
    /// Hash of the block that it builds on.
    pub parent: Digest,
}

/// Why a node does not take a block.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BlockError {
    /// The parent has not arrived.
    #[error("block of slot {slot} builds on a block that is not known")]
    UnknownParent {
        /// Slot of the block.
        slot: u32,
    },
    /// Another producer has this slot.
    #[error("slot {slot} belongs to {}, not to {}", .expected.get(), .producer.get())]
    NotItsTurn {
        /// Slot of the block.
        slot: u32,
        /// Who made it.
        producer: InstitutionId,
        /// Whose turn it was.
        expected: InstitutionId,
    },
    /// The producer signed a block that breaks the rules.
    #[error(
        "wrong block of slot {slot}: height {height} and slot do not follow {parent_height} and {parent_slot}"
    )]
    Wrong {
        /// Slot of the block.
        slot: u32,
        /// Its height.
        height: u32,
        /// Slot of its parent.
        parent_slot: u32,
        /// Height of its parent.
        parent_height: u32,
    },
}

/// What one node holds. Plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    turns: Turns,
    blocks: BTreeMap<Digest, Block>,
    head: Digest,
    irreversible: Digest,
}

impl Block {
    /// What every chain begins with.
    #[must_use]
    pub fn genesis() -> Self {
        let parent = Digest::new([0; Digest::BYTES]);
        Self { slot: 0, height: 0, producer: InstitutionId::new(0), parent }
    }

    /// SHA-256 over all fields.
    #[must_use]
    pub fn hash(&self) -> Digest {
        sha256_parts(&[
            b"dpos",
            &self.slot.to_le_bytes(),
            &self.height.to_le_bytes(),
            &self.producer.get().to_le_bytes(),
            self.parent.as_bytes(),
        ])
    }
}

impl Node {
    /// A node that holds the genesis alone.
    #[must_use]
    pub fn new(turns: Turns) -> Self {
        let genesis = Block::genesis();
        let hash = genesis.hash();
        let blocks = BTreeMap::from([(hash, genesis)]);
        Self { turns, blocks, head: hash, irreversible: hash }
    }

    /// Last block of the longest chain.
    #[must_use]
    pub fn head(&self) -> &Block {
        self.block(&self.head)
    }

    /// The last irreversible block; the genesis at first.
    #[must_use]
    pub fn irreversible(&self) -> &Block {
        self.block(&self.irreversible)
    }

    /// The longest chain, head first, genesis last.
    #[must_use]
    pub fn chain(&self) -> Vec<&Block> {
        self.ancestry(&self.head).map(|(_, block)| block).collect()
    }

    /// Whether a block has arrived.
    #[must_use]
    pub fn knows(&self, hash: &Digest) -> bool {
        self.blocks.contains_key(hash)
    }

    /// Whether a block is on the chain of this node.
    #[must_use]
    pub fn follows(&self, hash: &Digest) -> bool {
        self.ancestry(&self.head).any(|(known, _)| known == *hash)
    }

    /// Builds on the head. The block counts for the node itself at once.
    pub fn produce(&mut self, slot: u32) -> Result<Block, BlockError> {
        let head = self.head();
        let producer = self.turns.producer(slot);
        let block = Block { slot, height: head.height + 1, producer, parent: self.head };
        self.receive(&block)?;
        Ok(block)
    }

    /// Takes a block whose parent is known.
    ///
    /// A longer chain is followed, and of equal ones the one that came first, unless it leaves out
    /// what is already irreversible here.
    pub fn receive(&mut self, block: &Block) -> Result<(), BlockError> {
        let Some(parent) = self.blocks.get(&block.parent) else {
            return Err(BlockError::UnknownParent { slot: block.slot });
        };
        let Block { slot, height, producer, .. } = *block;
        let expected = self.turns.producer(slot);
        if producer != expected {
            return Err(BlockError::NotItsTurn { slot, producer, expected });
        }
        if slot <= parent.slot || height != parent.height + 1 {
            let (parent_slot, parent_height) = (parent.slot, parent.height);
            return Err(BlockError::Wrong { slot, height, parent_slot, parent_height });
        }
        let hash = block.hash();
        self.blocks.insert(hash, block.clone());
        let is_longer = block.height > self.head().height;
        if is_longer && self.ancestry(&hash).any(|(known, _)| known == self.irreversible) {
            self.head = hash;
            self.irreversible = self.last_irreversible();
        }
        Ok(())
    }

    /// The highest block of the chain on which more than two thirds of the producers have built.
    /// A block does not build on itself.
    fn last_irreversible(&self) -> Digest {
        let mut above = BTreeSet::new();
        for (hash, block) in self.ancestry(&self.head) {
            if hash == self.irreversible || above.len() >= self.turns.two_thirds() {
                return hash;
            }
            above.insert(block.producer);
        }
        self.irreversible
    }

    fn block(&self, hash: &Digest) -> &Block {
        self.blocks.get(hash).expect("head and irreversible block are held")
    }

    /// A block and everything below it.
    fn ancestry(&self, from: &Digest) -> impl Iterator<Item = (Digest, &Block)> {
        let mut next = self.blocks.get(from).map(|block| (*from, block));
        std::iter::from_fn(move || {
            let (hash, block) = next?;
            next = self.blocks.get(&block.parent).map(|parent| (block.parent, parent));
            Some((hash, block))
        })
    }
}
