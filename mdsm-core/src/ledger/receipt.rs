//! The receipt: a path from one record to a Bitcoin block, checked without asking anybody. [STO-11]
//! [ANC-2]
//!
//! This file goes up to the anchor root; `anchoring` goes on from there to Bitcoin's headers.
//! A receipt carries the booking, never the content. Cost of a check: two hashes a level, about 25
//! levels at a million records a window.

use thiserror::Error;

use super::anchor::anchor_root;
use super::envelope::Booking;
use super::level::{Level, level_root};
use crate::codec::{Wire, wire_struct};
use crate::merkle;
use crate::params::{BITCOIN_BRANCH_MAX, RECEIPT_PATH_MAX, RECEIPT_TRANSACTION_BYTES_MAX};
use crate::types::{Blob, ChainId, Digest, Epoch, List};

/// Proof that a record existed before a Bitcoin block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The network whose anchor it is.
    pub chain_id: ChainId,
    /// The epoch that was frozen.
    pub epoch: Epoch,
    /// The record, its content by digest only.
    //= harness/spec/anchoring.md#anc-2-receipt
    //# ANC-2.3 (ours): A receipt MUST NOT carry the content of its record.
    pub booking: Booking,
    /// Where the record stands on each level.
    pub position: Position,
    /// The inclusion paths of the four levels, one after another, from the record upwards.
    //= harness/spec/anchoring.md#anc-2-receipt
    //# ANC-2.15 (ours): A receipt from a window of 1,000,000 records, spread evenly over 100 turns,
    //# MUST hold at most 931 bytes before its Bitcoin part, not counting the metadata.
    pub path: List<Digest, 0, RECEIPT_PATH_MAX>,
    /// What the anchor root commits to besides the window, see [`super::context`].
    pub context: Digest,
    /// The way into Bitcoin; absent while the anchor is not in a block.
    pub bitcoin: Option<BitcoinProof>,
}

/// Index and number of leaves on each level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// Index of the record in its Item.
    pub item_index: u8,
    /// Records of the Item.
    pub item_size: u8,
    /// Index of the Item in its Item block.
    pub block_index: u16,
    /// Items of the Item block.
    pub block_size: u16,
    /// Index of the Item block in its data block.
    pub data_index: u8,
    /// Item blocks of the data block.
    pub data_size: u8,
    /// Index of the data block in its window.
    pub window_index: u32,
    /// Data blocks of the window.
    pub window_size: u32,
}

/// The way from an anchor root into a Bitcoin block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BitcoinProof {
    /// Height of the block.
    pub height: u32,
    /// The anchor transaction without witness data, as its id commits to it.
    //= harness/spec/anchoring.md#anc-2-receipt
    //# ANC-2.5 (ours): A verifier MUST refuse a transaction that is longer than 4,096 bytes or is
    //# not in the legacy serialisation without witness.
    pub transaction: Blob<0, RECEIPT_TRANSACTION_BYTES_MAX>,
    /// Index of the transaction in the block.
    pub transaction_index: u32,
    /// Siblings from the transaction up to the block's Merkle root, in Bitcoin's internal byte order.
    //= harness/spec/anchoring.md#anc-2-receipt
    //# ANC-2.8 (ours): A verifier MUST refuse a receipt unless the transaction, its index and its
    //# branch of at most 24 hashes yield the Merkle root in the header of the stated height.
    pub branch: List<Digest, 0, BITCOIN_BRANCH_MAX>,
}

/// A receipt whose path leads nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ReceiptError {
    /// An index that lies outside its level, or a level without leaves.
    #[error("receipt.position: index {index} of {size} on level {level:?}")]
    Position {
        /// The level.
        level: Level,
        /// Index claimed.
        index: u32,
        /// Leaves claimed.
        size: u32,
    },
    /// A level with more leaves than it can have.
    #[error("receipt.position: {size} leaves on level {level:?}, at most {size_max} are allowed")]
    Size {
        /// The level.
        level: Level,
        /// Leaves claimed.
        size: u32,
        /// Most that the level can have.
        size_max: usize,
    },
    /// More or fewer hashes than the positions ask for.
    #[error("receipt.path: {hashes} hashes where the positions ask for {hashes_expected}")]
    Path {
        /// Hashes found.
        hashes: usize,
        /// Hashes that the positions ask for.
        hashes_expected: usize,
    },
}

impl Position {
    /// Index and size of each level, from the record upwards.
    #[must_use]
    pub fn levels(&self) -> [(Level, u32, u32); 4] {
        [
            (Level::Item, self.item_index.into(), self.item_size.into()),
            (Level::ItemBlock, self.block_index.into(), self.block_size.into()),
            (Level::DataBlock, self.data_index.into(), self.data_size.into()),
            (Level::Window, self.window_index, self.window_size),
        ]
    }

    /// The levels with the length of the inclusion path on each.
    fn path_lengths(&self) -> Result<[(Level, u32, u32, usize); 4], ReceiptError> {
        let mut lengths = self.levels().map(|(level, index, size)| (level, index, size, 0));
        for (level, index, size, length) in &mut lengths {
            let (level, index, size) = (*level, *index, *size);
            let size_max = level.leaves_max();
            //= harness/spec/storage.md#sto-11-change-and-proof
            //# STO-11.3 (ours): A verifier MUST refuse an index that is not below the number of
            //# leaves, and a path whose number of hashes is not the one that both determine.
            if usize::try_from(size).is_ok_and(|size| size > size_max) {
                return Err(ReceiptError::Size { level, size, size_max });
            }
            *length = merkle::path_len(index.into(), size.into())
                .ok_or(ReceiptError::Position { level, index, size })?;
        }
        Ok(lengths)
    }
}

/// One level of a receipt's path, for those who write the steps down elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LevelPath<'a> {
    /// The level.
    pub level: Level,
    /// Index on the level.
    pub index: u32,
    /// Leaves of the level.
    pub size: u32,
    /// Siblings, from the leaf upwards.
    pub siblings: &'a [Digest],
}

impl Receipt {
    /// The path, cut into the four levels.
    pub fn level_paths(&self) -> Result<[LevelPath<'_>; 4], ReceiptError> {
        let lengths = self.position.path_lengths()?;
        let hashes_expected = lengths.iter().map(|(.., length)| length).sum();
        //= harness/spec/storage.md#sto-11-change-and-proof
        //# STO-11.3 (ours): A verifier MUST refuse an index that is not below the number of leaves,
        //# and a path whose number of hashes is not the one that both determine.
        if self.path.len() != hashes_expected {
            return Err(ReceiptError::Path { hashes: self.path.len(), hashes_expected });
        }
        let mut rest = &self.path[..];
        Ok(lengths.map(|(level, index, size, length)| {
            let (siblings, above) = rest.split_at(length);
            rest = above;
            LevelPath { level, index, size, siblings }
        }))
    }

    /// The root of the window, as the path gives it.
    pub fn window_root(&self) -> Result<Digest, ReceiptError> {
        let mut leaf_hash = self.booking.leaf_hash();
        let mut root = leaf_hash;
        for LevelPath { level, index, size, siblings } in self.level_paths()? {
            let tree_root = merkle::root_from_path(leaf_hash, index.into(), size.into(), siblings)
                .ok_or(ReceiptError::Position { level, index, size })?;
            //= harness/spec/storage.md#sto-11-change-and-proof
            //# STO-11.4 (ours): A verifier MUST refuse a proof that states another number of leaves
            //# than the level root commits to.
            //= harness/spec/storage.md#sto-11-change-and-proof
            //# STO-11.5 (ours): A verifier MUST refuse an inner node of a tree that is offered as a
            //# leaf.
            root = level_root(level, size, &tree_root);
            leaf_hash = merkle::leaf_hash(root.as_bytes());
        }
        Ok(root)
    }

    /// The anchor root, as path and context give it.
    pub fn anchor_root(&self) -> Result<Digest, ReceiptError> {
        Ok(anchor_root(&self.chain_id, self.epoch, &self.window_root()?, &self.context))
    }
}

wire_struct!(Receipt { chain_id, epoch, booking, position, path, context, bitcoin });
wire_struct!(Position {
    item_index,
    item_size,
    block_index,
    block_size,
    data_index,
    data_size,
    window_index,
    window_size,
});
wire_struct!(BitcoinProof { height, transaction, transaction_index, branch });

impl Wire for Receipt {
    const TAG: [u8; 4] = *b"MRCP";
    const NAME: &'static str = "Receipt";
}
