//! The root of a level. [STO-1] [STO-10] [STO-11]

use crate::crypto::sha256_parts;
use crate::merkle;
use crate::params::{
    DATA_BLOCK_ITEM_BLOCKS, ITEM_RECORDS_MAX, TURN_ITEMS_MAX, WINDOW_DATA_BLOCKS_MAX,
};
use crate::types::Digest;

/// The four levels of hashing between a record and an anchor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Bookings of records in an Item.
    Item = 1,
    /// Items in an Item block.
    ItemBlock = 2,
    /// Item blocks in a data block.
    DataBlock = 3,
    /// Data blocks in a window.
    Window = 4,
}

impl Level {
    /// Leaves that a tree of this level has, at most.
    #[must_use]
    pub const fn leaves_max(self) -> usize {
        match self {
            Self::Item => ITEM_RECORDS_MAX,
            Self::ItemBlock => TURN_ITEMS_MAX,
            Self::DataBlock => DATA_BLOCK_ITEM_BLOCKS,
            Self::Window => WINDOW_DATA_BLOCKS_MAX,
        }
    }
}

/// `H(0x02 | level | count | tree_root)`, with `count` the number of leaves as `u32`.
#[must_use]
pub fn level_root(level: Level, count: u32, tree_root: &Digest) -> Digest {
    let count = count.to_le_bytes();
    //= harness/spec/storage.md#sto-10-data-block-and-trees
    //# STO-10.5 (ours): The root of a level MUST be the SHA-256 digest of `0x02`, the number of the
    //# level, the number of its leaves and the root of its tree, as drawn under Hashing.
    sha256_parts(&[&[0x02, level as u8], &count, tree_root.as_bytes()])
}

/// The root of a level whose leaves are the roots of the level below.
///
/// # Panics
/// When there are more than `u32::MAX` leaves, which no bounded list of the ledger can hold.
#[must_use]
pub fn root_of(level: Level, leaves: &[Digest]) -> Digest {
    //= harness/spec/storage.md#sto-10-data-block-and-trees
    //# STO-10.2 (paper): The Merkle root of a data block MUST be computed layer by layer from the
    //# hashes of records, of Items and of Item blocks.
    //= harness/spec/storage.md#sto-10-data-block-and-trees
    //# STO-10.6 (ours): The leaves of an Item's tree MUST be the top-level encodings of its
    //# bookings, and the leaves of every higher tree the level roots of the level below.
    let count = u32::try_from(leaves.len()).expect("lists of the ledger are bounded");
    level_root(level, count, &merkle::root_of_digests(leaves))
}
