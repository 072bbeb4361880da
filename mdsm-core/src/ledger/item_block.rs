//! An Item block: the roots of one turn's Items and a header, nothing else. [STO-9]

use super::level::{Level, root_of};
use crate::codec::{Wire, wire_struct};
use crate::params::TURN_ITEMS_MAX;
use crate::types::{ChainId, Digest, Height, InstitutionId, List, Timestamp};

/// The Items of one turn, by their roots.
#[derive(Clone, Debug, PartialEq, Eq)]
//= harness/spec/storage.md#sto-9-item-block
//# STO-9.1 (paper): An Item block MUST hold a header and the hashes of its Items and nothing else.
pub struct ItemBlock {
    /// Where it belongs.
    pub header: ItemBlockHeader,
    /// Roots of the Items, in order.
    //= harness/spec/storage.md#sto-1-hierarchy-and-encoding
    //# STO-1.1 (paper): Every level above the Item MUST hold nothing of the level below it but
    //# hashes.
    //= harness/spec/storage.md#sto-10-data-block-and-trees
    //# STO-10.4 (ours): A turn MUST carry at most 16,384 Items whose encodings together hold at
    //# most 33,554,432 bytes.
    pub items: List<Digest, 1, TURN_ITEMS_MAX>,
}

/// Says to which chain and turn an Item block belongs, and commits to its Items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ItemBlockHeader {
    /// The network.
    pub chain_id: ChainId,
    /// Height of the block that carries it.
    pub height: Height,
    /// The delegate whose turn it was.
    pub producer: InstitutionId,
    /// When the turn was closed; the timestamp of the block that carries it.
    pub closed_at: Timestamp,
    /// Root over the Items.
    pub root: Digest,
}

impl ItemBlock {
    /// The root over the Items, computed, whatever the header says.
    #[must_use]
    pub fn root(&self) -> Digest {
        root_of(Level::ItemBlock, &self.items)
    }
}

wire_struct!(ItemBlock { header, items });
wire_struct!(ItemBlockHeader { chain_id, height, producer, closed_at, root });

impl Wire for ItemBlock {
    const TAG: [u8; 4] = *b"MIBL";
    const NAME: &'static str = "ItemBlock";
}
