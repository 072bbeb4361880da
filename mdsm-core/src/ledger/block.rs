//! A block of the chain: what one turn produced. [CON-5] [STO-9]

use super::item_block::ItemBlock;
use crate::codec::{Wire, wire_struct};
use crate::crypto::Identified;
use crate::types::{ChainId, Digest, Epoch, Height, InstitutionId, Timestamp, View};

/// Header and payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// What a light client keeps.
    pub header: BlockHeader,
    /// What the header commits to.
    pub payload: Payload,
}

/// The header; its digest is the block's name and the parent of the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockHeader {
    /// The network.
    pub chain_id: ChainId,
    /// The epoch whose committees decide about it.
    pub epoch: Epoch,
    /// The attempt within the epoch.
    pub view: View,
    /// Blocks before it on its chain, the genesis not counted.
    pub height: Height,
    /// Digest of the parent's header, or of the genesis.
    pub parent: Digest,
    /// Time of the protocol; above the parent's.
    pub timestamp: Timestamp,
    /// The delegate whose turn it was.
    pub producer: InstitutionId,
    /// Digest of the payload.
    pub payload: Digest,
}

/// What a turn produced; an idle turn produces nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Payload {
    /// The turn's Items, by their roots.
    pub item_block: Option<ItemBlock>,
}

impl Block {
    /// The block's name.
    #[must_use]
    pub fn hash(&self) -> Digest {
        self.header.id()
    }
}

wire_struct!(Block { header, payload });
wire_struct!(BlockHeader { chain_id, epoch, view, height, parent, timestamp, producer, payload });
wire_struct!(Payload { item_block });

impl Wire for Block {
    const TAG: [u8; 4] = *b"MBLK";
    const NAME: &'static str = "Block";
}

impl Wire for BlockHeader {
    const TAG: [u8; 4] = *b"MBHD";
    const NAME: &'static str = "BlockHeader";
}

impl Wire for Payload {
    const TAG: [u8; 4] = *b"MPAY";
    const NAME: &'static str = "Payload";
}
