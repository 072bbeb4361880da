//! What a client that keeps no chain keeps of the committees: the drawing as plain structs. [COM-9] [CLI-2]
//!
//! Spec: committees, section Digests.

use borsh::{BorshDeserialize, BorshSerialize};

use super::bounds::{Bounds, hold};
use super::mirror::Bytes32;

/// Seats of both committees together, at most.
const SEATS_MAX: usize = 1_024;

/// An institution and its key.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[expect(missing_docs, reason = "the fields are those of the spec, name by name")]
pub struct Seat {
    pub institution: u32,
    pub key: Bytes32,
}

/// The committees of an epoch, and the digest of the institutions that were rated.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[expect(missing_docs, reason = "the fields are those of the spec, name by name")]
pub struct RosterCommitment {
    pub epoch: u32,
    pub offset: u64,
    pub producers: Vec<Seat>,
    pub auditors: Vec<Seat>,
    pub institutions: Bytes32,
}

impl Bounds for RosterCommitment {
    fn check(&self) -> Result<(), String> {
        for (name, seats) in [("producers", &self.producers), ("auditors", &self.auditors)] {
            hold(!seats.is_empty(), &format!("{name}: none"))?;
        }
        let seats = self.producers.len() + self.auditors.len();
        hold(seats <= SEATS_MAX, "producers and auditors: more than 1,024 seats")
    }
}
