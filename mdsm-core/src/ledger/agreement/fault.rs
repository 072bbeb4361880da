//! What is wrong in a signed block, with everything that shows it. [CON-6] [CON-7]
//!
//! ```text
//! header.payload = id of the summary | summary.item_block.root | Item root | booking
//! ```
//! Not everything that makes a block invalid can be shown by itself: what depends on the state of
//! the chain (a record that is booked already, evidence that is known already) and Items that were
//! never sent end in a nullified view and in no evidence.

use thiserror::Error;

use super::certificate::Certificate;
use super::evidence::Registry;
use super::vote::Subject;
use crate::codec::{Decode, DecodeError, DecodeErrorKind, Encode, Reader, wire_struct};
use crate::crypto::Identified;
use crate::crypto::sign::Scheme;
use crate::ledger::{
    BlockHeader, Booking, ContentRef, ItemBlockHeader, Level, Summary, level_root,
};
use crate::merkle::{leaf_hash, root_from_path};
use crate::params::{CREATED_AHEAD_MS_MAX, INLINE_CONTENT_BYTES_MAX, ITEM_RECORDS_MAX};
use crate::types::{Digest, List, View};

/// A broken rule.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "evidence holds it in a box")]
pub enum Fault {
    /// The header contradicts itself: its view is not above its parent's.
    Header,
    /// The header contradicts its parent's: height, time, epoch or view of the parent.
    Parent(BlockHeader),
    /// The certificate in the payload does not certify the parent.
    Certificate {
        /// What the header commits to.
        summary: Summary,
        /// The certificate.
        certificate: Certificate,
    },
    /// The header of the Item block contradicts the block's.
    ItemBlock(Summary),
    /// An Item holds no record, or more than ten.
    Item {
        /// What the header commits to.
        summary: Summary,
        /// Where the Item stands.
        place: ItemPlace,
        /// Records that its root counts.
        records: u32,
        /// Root of its tree.
        tree: Digest,
    },
    /// A record must not be booked: its owner's key or signature, its size, its time.
    Booking {
        /// What the header commits to.
        summary: Summary,
        /// The record and where it stands.
        booking: PlacedBooking,
    },
    /// One record stands at two places.
    Repeated {
        /// What the header commits to.
        summary: Summary,
        /// One place.
        first: PlacedBooking,
        /// The other.
        second: PlacedBooking,
    },
}

/// Where an Item stands in an Item block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ItemPlace {
    /// Index of the Item.
    pub index: u16,
    /// Items of the block.
    pub size: u16,
    /// Hashes from the Item upwards.
    pub path: List<Digest, 0, 14>,
}

/// Where a record stands in an Item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordPlace {
    /// Index of the record.
    pub index: u8,
    /// Records of the Item.
    pub size: u8,
    /// Hashes from the record upwards.
    pub path: List<Digest, 0, 8>,
}

/// A booking and its way up to the Item block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlacedBooking {
    /// The booking.
    pub booking: Booking,
    /// Its place in the Item.
    pub record: RecordPlace,
    /// The Item's place in the Item block.
    pub item: ItemPlace,
}

/// A fault that the block does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum FaultError {
    /// The rule is kept.
    #[error("the block keeps the rule")]
    Kept,
    /// What is shown is not what the header commits to.
    #[error("the block does not commit to what is shown")]
    Elsewhere,
    /// The committee of that epoch is not known any more, or not yet.
    #[error("the committee of the epoch is not known")]
    Committee,
}

impl Fault {
    /// Whether the block of this header has the fault.
    pub fn check(
        &self,
        header: &BlockHeader,
        registry: &impl Registry,
        scheme: &impl Scheme,
    ) -> Result<(), FaultError> {
        let broken = match self {
            Self::Header => header.view <= header.parent_view,
            Self::Parent(parent) => contradicts_parent(header, parent)?,
            Self::Certificate { summary, certificate } => {
                let named = summary_of(header, summary)?.parent_certificate;
                if named != Some(certificate.id()) {
                    return Err(FaultError::Elsewhere);
                }
                let vote = &certificate.vote;
                let certifies = vote.epoch == header.epoch
                    && vote.view == header.parent_view
                    && vote.subject == Subject::Notarize(header.parent);
                let keys = registry.auditors_of(header.epoch).ok_or(FaultError::Committee)?;
                !certifies || certificate.check(&registry.chain_id(), &keys, scheme).is_err()
            }
            Self::ItemBlock(summary) => item_block_of(header, summary)?.contradicts(header),
            Self::Item { summary, place, records, tree } => {
                let item = level_root(Level::Item, *records, tree);
                stands_in(&item_block_of(header, summary)?, place, item)?;
                *records == 0 || *records as usize > ITEM_RECORDS_MAX
            }
            Self::Booking { summary, booking } => {
                booking.stands_in(&item_block_of(header, summary)?)?;
                let (metadata, inline) = (
                    &booking.booking.metadata,
                    matches!(booking.booking.content, ContentRef::Inline(_)),
                );
                let latest = header.timestamp.get().saturating_add(CREATED_AHEAD_MS_MAX);
                metadata.created.get() > latest
                    || (inline && metadata.size > INLINE_CONTENT_BYTES_MAX as u64)
                    || booking.booking.verify_owner_by(&header.chain_id, scheme).is_err()
            }
            Self::Repeated { summary, first, second } => {
                let item_block = item_block_of(header, summary)?;
                first.stands_in(&item_block)?;
                second.stands_in(&item_block)?;
                let place = |at: &PlacedBooking| (at.item.index, at.record.index);
                place(first) != place(second)
                    && first.booking.record_id() == second.booking.record_id()
            }
        };
        if broken { Ok(()) } else { Err(FaultError::Kept) }
    }
}

fn contradicts_parent(header: &BlockHeader, parent: &BlockHeader) -> Result<bool, FaultError> {
    if parent.id() != header.parent {
        return Err(FaultError::Elsewhere);
    }
    Ok(contradicts(header, parent))
}

/// Whether a block with this header cannot follow the block with that one.
pub(super) fn contradicts(header: &BlockHeader, parent: &BlockHeader) -> bool {
    // The first block of an epoch follows the last of the epoch before it, and says so by view 0.
    let follows = if header.parent_view == View::new(0) {
        parent.epoch.next() == Some(header.epoch)
    } else {
        parent.epoch == header.epoch && parent.view == header.parent_view
    };
    !follows || parent.height.next() != Some(header.height) || parent.timestamp >= header.timestamp
}

impl ItemBlockHeader {
    /// Whether a block with this header cannot carry the Item block.
    pub(super) fn contradicts(&self, header: &BlockHeader) -> bool {
        self.chain_id != header.chain_id
            || self.height != header.height
            || self.producer != header.producer
            || self.closed_at > header.timestamp
    }
}

fn summary_of<'a>(header: &BlockHeader, summary: &'a Summary) -> Result<&'a Summary, FaultError> {
    if summary.id() == header.payload { Ok(summary) } else { Err(FaultError::Elsewhere) }
}

fn item_block_of(header: &BlockHeader, summary: &Summary) -> Result<ItemBlockHeader, FaultError> {
    summary_of(header, summary)?.item_block.ok_or(FaultError::Elsewhere)
}

fn stands_in(
    item_block: &ItemBlockHeader,
    place: &ItemPlace,
    item: Digest,
) -> Result<(), FaultError> {
    let (index, size) = (u64::from(place.index), u64::from(place.size));
    let tree = root_from_path(leaf_hash(item.as_bytes()), index, size, &place.path)
        .ok_or(FaultError::Elsewhere)?;
    let root = level_root(Level::ItemBlock, place.size.into(), &tree);
    if root == item_block.root { Ok(()) } else { Err(FaultError::Elsewhere) }
}

impl PlacedBooking {
    fn stands_in(&self, item_block: &ItemBlockHeader) -> Result<(), FaultError> {
        let RecordPlace { index, size, path } = &self.record;
        let tree =
            root_from_path(self.booking.leaf_hash(), u64::from(*index), u64::from(*size), path)
                .ok_or(FaultError::Elsewhere)?;
        stands_in(item_block, &self.item, level_root(Level::Item, (*size).into(), &tree))
    }
}

wire_struct!(ItemPlace { index, size, path });
wire_struct!(RecordPlace { index, size, path });
wire_struct!(PlacedBooking { booking, record, item });

impl Encode for Fault {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Header => out.push(1),
            Self::Parent(parent) => {
                out.push(2);
                parent.encode(out);
            }
            Self::Certificate { summary, certificate } => {
                out.push(3);
                summary.encode(out);
                certificate.encode(out);
            }
            Self::ItemBlock(summary) => {
                out.push(4);
                summary.encode(out);
            }
            Self::Item { summary, place, records, tree } => {
                out.push(5);
                summary.encode(out);
                place.encode(out);
                records.encode(out);
                tree.encode(out);
            }
            Self::Booking { summary, booking } => {
                out.push(6);
                summary.encode(out);
                booking.encode(out);
            }
            Self::Repeated { summary, first, second } => {
                out.push(7);
                summary.encode(out);
                first.encode(out);
                second.encode(out);
            }
        }
    }
}

impl Decode for Fault {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let offset = reader.offset();
        let [tag] = reader.array()?;
        match tag {
            1 => Ok(Self::Header),
            2 => Ok(Self::Parent(reader.field("parent")?)),
            3 => {
                let (summary, certificate) =
                    (reader.field("summary")?, reader.field("certificate")?);
                Ok(Self::Certificate { summary, certificate })
            }
            4 => Ok(Self::ItemBlock(reader.field("summary")?)),
            5 => {
                let (summary, place) = (reader.field("summary")?, reader.field("place")?);
                let (records, tree) = (reader.field("records")?, reader.field("tree")?);
                Ok(Self::Item { summary, place, records, tree })
            }
            6 => {
                let (summary, booking) = (reader.field("summary")?, reader.field("booking")?);
                Ok(Self::Booking { summary, booking })
            }
            7 => {
                let summary = reader.field("summary")?;
                let (first, second) = (reader.field("first")?, reader.field("second")?);
                Ok(Self::Repeated { summary, first, second })
            }
            found => Err(DecodeError::new(offset, DecodeErrorKind::Variant { found })),
        }
    }
}
