//! Proofs of faults, made by whoever holds the whole block. [CON-6] [CON-7]
//!
//! [`Fault::check`] believes nothing that is shown here: a fault that the block does not have is none.

use super::fault::{Fault, ItemPlace, PlacedBooking, RecordPlace, contradicts};
use super::vote::{Subject, Vote};
use crate::ledger::{BlockHeader, Envelope, Item, Payload};
use crate::merkle::Tree;
use crate::types::{Digest, List};

impl Fault {
    /// A fault that header, payload and the parent's header show by themselves, without a signature
    /// check.
    #[must_use]
    pub fn at_sight(
        header: &BlockHeader,
        payload: &Payload,
        parent: Option<&BlockHeader>,
    ) -> Option<Self> {
        if header.view <= header.parent_view {
            return Some(Self::Header);
        }
        if let Some(parent) = parent.filter(|parent| contradicts(header, parent)) {
            return Some(Self::Parent(*parent));
        }
        let inner = payload.item_block.as_ref().map(|item_block| item_block.header);
        if inner.is_some_and(|inner| inner.contradicts(header)) {
            return Some(Self::ItemBlock(payload.summary()));
        }
        let (epoch, view) = (header.epoch, header.parent_view);
        let vote = Vote { epoch, view, subject: Subject::Notarize(header.parent) };
        Self::certificate(payload).filter(|_| {
            payload.parent_certificate.as_ref().is_some_and(|carried| carried.vote != vote)
        })
    }

    /// The certificate of the parent certifies nothing.
    #[must_use]
    pub fn certificate(payload: &Payload) -> Option<Self> {
        let certificate = payload.parent_certificate.clone()?;
        Some(Self::Certificate { summary: payload.summary(), certificate })
    }

    /// A record must not be booked. Cost: about two hashes for each Item and each record of its Item.
    #[must_use]
    pub fn booking(payload: &Payload, items: &[Item], item: usize, record: usize) -> Option<Self> {
        let booking = PlacedBooking::find(payload, items, item, record)?;
        Some(Self::Booking { summary: payload.summary(), booking })
    }

    /// A record of the block stands in it a second time. `None` when it does not: then it was booked
    /// before, and that no header shows.
    #[must_use]
    pub fn repeated(payload: &Payload, items: &[Item], item: usize, record: usize) -> Option<Self> {
        let again = items.get(item)?.records.get(record)?.record.id();
        let places = items.iter().enumerate().flat_map(|(item, inner)| {
            inner.records.iter().enumerate().map(move |(record, found)| ((item, record), found))
        });
        let mut earlier = places.take_while(|(place, _)| *place != (item, record));
        let (first, _) = earlier.find(|(_, envelope)| envelope.record.id() == again)?;
        let summary = payload.summary();
        let first = PlacedBooking::find(payload, items, first.0, first.1)?;
        let second = PlacedBooking::find(payload, items, item, record)?;
        Some(Self::Repeated { summary, first, second })
    }
}

impl PlacedBooking {
    /// The booking of a record and its way up.
    fn find(payload: &Payload, items: &[Item], item: usize, record: usize) -> Option<Self> {
        let records = &items.get(item)?.records;
        let leaves: Vec<Digest> =
            records.iter().map(|envelope| envelope.booking().leaf_hash()).collect();
        let path = Tree::from_hashes(leaves).prove(u64::try_from(record).ok()?)?;
        let size = u8::try_from(records.len()).ok()?;
        let index = u8::try_from(record).ok()?;
        let roots: &[Digest] = &payload.item_block.as_ref()?.items;
        let item_path = Tree::from_digests(roots).prove(u64::try_from(item).ok()?)?;
        Some(Self {
            booking: records.get(record).map(Envelope::booking)?,
            record: RecordPlace { index, size, path: List::new(path).ok()? },
            item: ItemPlace {
                index: u16::try_from(item).ok()?,
                size: u16::try_from(roots.len()).ok()?,
                path: List::new(item_path).ok()?,
            },
        })
    }
}
