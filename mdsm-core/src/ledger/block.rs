//! A block of the chain: what one turn produced. [CON-5] [STO-9]

use super::agreement::Certificate;
use super::events::Events;
use super::item_block::{ItemBlock, ItemBlockHeader};
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
    /// View of the parent; 0 when the parent is the last block of the epoch before, or the genesis.
    pub parent_view: View,
    /// Time of the protocol; above the parent's.
    pub timestamp: Timestamp,
    /// The delegate whose turn it was.
    pub producer: InstitutionId,
    /// Commitment to the payload: id of its summary.
    pub payload: Digest,
}

/// What a turn produced; an idle turn produces no Item block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Payload {
    /// The turn's Items, by their roots.
    pub item_block: Option<ItemBlock>,
    /// The certificate that notarizes the parent; a block without it earns its producer nothing.
    pub parent_certificate: Option<Certificate>,
    /// What else the block brings.
    pub events: Events,
}

/// What a header commits to: enough to show one part of a payload without the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Header of the Item block, which commits to the Items.
    pub item_block: Option<ItemBlockHeader>,
    /// Id of the parent's certificate.
    pub parent_certificate: Option<Digest>,
    /// Id of the events.
    pub events: Digest,
}

impl Block {
    /// The block's name.
    #[must_use]
    pub fn hash(&self) -> Digest {
        self.header.id()
    }
}

impl Payload {
    /// What the header commits to in the payload's place.
    #[must_use]
    pub fn summary(&self) -> Summary {
        Summary {
            item_block: self.item_block.as_ref().map(|item_block| item_block.header),
            parent_certificate: self.parent_certificate.as_ref().map(Identified::id),
            events: self.events.id(),
        }
    }

    /// The digest in the header.
    #[must_use]
    pub fn commitment(&self) -> Digest {
        self.summary().id()
    }

    /// Whether a header that commits to `commitment` commits to this payload, Items and all. The header
    /// of an Item block stands for its Items, so both are compared: otherwise two payloads with
    /// different Items would pass for one block.
    #[must_use]
    pub fn is_committed_by(&self, commitment: &Digest) -> bool {
        let root_holds = |item_block: &ItemBlock| item_block.root() == item_block.header.root;
        self.item_block.as_ref().is_none_or(root_holds) && self.commitment() == *commitment
    }

    /// Whether it carries nothing at all, as a closing block must.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.item_block.is_none() && self.parent_certificate.is_none() && self.events.is_empty()
    }
}

wire_struct!(Block { header, payload });
wire_struct!(BlockHeader {
    chain_id,
    epoch,
    view,
    height,
    parent,
    parent_view,
    timestamp,
    producer,
    payload,
});
wire_struct!(Payload { item_block, parent_certificate, events });
wire_struct!(Summary { item_block, parent_certificate, events });

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

impl Wire for Summary {
    const TAG: [u8; 4] = *b"MSUM";
    const NAME: &'static str = "Summary";
}
