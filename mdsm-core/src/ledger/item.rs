//! An Item: up to ten booked records. [STO-1] [STO-3] [CON-2]

use super::envelope::Envelope;
use super::level::{Level, level_root};
use crate::codec::{Wire, wire_struct};
use crate::merkle;
use crate::params::ITEM_RECORDS_MAX;
use crate::types::{Digest, List};

/// Up to ten booked records, in the order in which they were accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The records in their envelopes.
    //= harness/spec/storage.md#sto-3-size-of-an-item
    //# STO-3.1 (paper): An Item MUST hold at most 10 records.
    //= harness/spec/storage.md#sto-3-size-of-an-item
    //# STO-3.2 (ours): An Item MUST hold at least 1 record.
    pub records: List<Envelope, 1, ITEM_RECORDS_MAX>,
}

impl Item {
    /// The leaf hashes of the records, in order.
    #[must_use]
    pub fn leaf_hashes(&self) -> Vec<Digest> {
        self.records.iter().map(Envelope::leaf_hash).collect()
    }

    /// The root of this Item. Cost: one hash of each content and about seven per record.
    #[must_use]
    pub fn root(&self) -> Digest {
        Self::root_of_leaves(&self.leaf_hashes())
    }

    /// The root of an Item whose leaf hashes are known.
    #[must_use]
    pub fn root_of_leaves(leaf_hashes: &[Digest]) -> Digest {
        let count = u32::try_from(leaf_hashes.len()).expect("an Item has at most 10 records");
        level_root(Level::Item, count, &merkle::root_of_hashes(leaf_hashes))
    }
}

wire_struct!(Item { records });

impl Wire for Item {
    const TAG: [u8; 4] = *b"MITM";
    const NAME: &'static str = "Item";
}
