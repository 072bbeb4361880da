//! The acts of sharing as plain values, in the order of their fields. [PRE-3]
//!
//! Spec: reencryption, "Access records".

use std::collections::{BTreeMap, BTreeSet};

use borsh::{BorshDeserialize, BorshSerialize};

use super::bounds::{Bounds, hold};
use super::mirror::Bytes32;

/// An act; the place of a variant is its number.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[expect(missing_docs, reason = "the fields are those of the spec, name by name")]
pub enum Act {
    Request { owner: Bytes32, reader_key: Bytes32, offer: Bytes32, records: BTreeSet<Bytes32> },
    Grant { request: Bytes32, owner_key: Bytes32, until: u64, files: BTreeMap<Bytes32, Bytes32> },
    Bid { grant: Bytes32, parcels: Bytes32 },
    Choice { grant: Bytes32, institution: u32, rekey: Bytes32, parcel: Bytes32 },
    Delivery { grant: Bytes32, files: BTreeMap<Bytes32, Bytes32> },
    Revocation { grant: Bytes32 },
    Dispute { grant: Bytes32, record: Bytes32, delivery: Bytes32 },
    Confirmation { grant: Bytes32, finding: u8 },
}

impl Bounds for Act {
    fn check(&self) -> Result<(), String> {
        let count = |count: usize| hold((1..=64).contains(&count), "not 1 to 64 records");
        match self {
            Self::Request { records, .. } => count(records.len()),
            Self::Grant { files, .. } | Self::Delivery { files, .. } => count(files.len()),
            Self::Confirmation { finding, .. } => {
                hold((1..=2).contains(finding), "finding: unknown")
            }
            _ => Ok(()),
        }
    }
}
