//! Data blocks, and the window that is frozen every ten minutes. [STO-10] [STO-12] [STO-13]

use super::level::{Level, root_of};
use crate::codec::{Wire, wire_struct};
use crate::params::{DATA_BLOCK_ITEM_BLOCKS, WINDOW_DATA_BLOCKS_MAX};
use crate::types::{Digest, Epoch, List};

/// Ten Item blocks, by their roots; fewer only at the end of an epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataBlock {
    /// The epoch in which it was cut.
    pub epoch: Epoch,
    /// Its place in the epoch's window, from 0.
    pub index: u32,
    /// Roots of the Item blocks, oldest first.
    //= harness/spec/storage.md#sto-1-hierarchy-and-encoding
    //# STO-1.1 (paper): Every level above the Item MUST hold nothing of the level below it but
    //# hashes.
    //= harness/spec/storage.md#sto-10-data-block-and-trees
    //# STO-10.1 (paper): A data block MUST be made of exactly 10 Item blocks, except the one that
    //# closes a window.
    pub item_blocks: List<Digest, 1, DATA_BLOCK_ITEM_BLOCKS>,
}

/// All data blocks of one epoch, by their roots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// The epoch.
    pub epoch: Epoch,
    /// Roots of the data blocks, oldest first.
    //= harness/spec/storage.md#sto-1-hierarchy-and-encoding
    //# STO-1.1 (paper): Every level above the Item MUST hold nothing of the level below it but
    //# hashes.
    pub data_blocks: List<Digest, 0, WINDOW_DATA_BLOCKS_MAX>,
}

impl DataBlock {
    /// The root over the Item blocks.
    #[must_use]
    pub fn root(&self) -> Digest {
        root_of(Level::DataBlock, &self.item_blocks)
    }
}

impl Window {
    /// The root over the data blocks; that of the empty tree for an idle window.
    #[must_use]
    pub fn root(&self) -> Digest {
        //= harness/spec/storage.md#sto-13-freeze
        //# STO-13.5 (ours): A window without data blocks MUST be anchored with the level root over
        //# no leaves.
        root_of(Level::Window, &self.data_blocks)
    }
}

wire_struct!(DataBlock { epoch, index, item_blocks });
wire_struct!(Window { epoch, data_blocks });

impl Wire for DataBlock {
    const TAG: [u8; 4] = *b"MDBL";
    const NAME: &'static str = "DataBlock";
}

impl Wire for Window {
    const TAG: [u8; 4] = *b"MWIN";
    const NAME: &'static str = "Window";
}
