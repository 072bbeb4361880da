//! Records that wait for a block. [CON-1] [CON-3] [CON-6] [STO-2]
//!
//! Own records were stored when they were accepted and stay until a final block carries them; foreign
//! ones are on their way to the leader and are dropped when they fill half of the room: nobody else's
//! records keep out those of the own clients.

use std::collections::BTreeMap;

use super::limits::{POOL_BYTES_MAX, POOL_RECORDS_MAX, REQUESTS_MAX};
use crate::codec::Encode;
use crate::freezing::Accepted;
use crate::ledger::{Envelope, Verified};
use crate::types::{OwnerId, RecordId};

/// Records in the order in which they came.
#[derive(Clone, Debug, Default)]
pub(super) struct Pool {
    by_arrival: BTreeMap<u64, Waiting>,
    arrival_of: BTreeMap<RecordId, u64>,
    arrivals: u64,
    bytes: usize,
    /// Records of others among them, and their bytes.
    foreign: (usize, usize),
    requests: Requests,
}

/// Owners who asked, the latest of them.
#[derive(Clone, Debug, Default)]
struct Requests {
    by_arrival: BTreeMap<u64, OwnerId>,
    arrival_of: BTreeMap<OwnerId, u64>,
    arrivals: u64,
}

impl Requests {
    /// Takes a request; the one that nobody repeated for longest makes room.
    fn take(&mut self, owner: OwnerId, requests_max: usize) {
        if let Some(before) = self.arrival_of.insert(owner, self.arrivals) {
            self.by_arrival.remove(&before);
        }
        self.by_arrival.insert(self.arrivals, owner);
        self.arrivals += 1;
        while self.by_arrival.len() > requests_max {
            let oldest = self.by_arrival.pop_first();
            oldest.and_then(|(_, owner)| self.arrival_of.remove(&owner));
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Waiting {
    pub(super) accepted: Accepted,
    pub(super) is_own: bool,
    bytes: usize,
}

impl Pool {
    /// Takes a client's request; of too many the oldest is forgotten.
    pub(super) fn request(&mut self, owner: OwnerId) {
        self.requests.take(owner, REQUESTS_MAX);
    }

    pub(super) fn has_request(&self, owner: &OwnerId) -> bool {
        self.requests.arrival_of.contains_key(owner)
    }

    pub(super) fn contains(&self, record: &RecordId) -> bool {
        self.arrival_of.contains_key(record)
    }

    /// Puts a record in; false when there is no room or it is there already.
    //= harness/spec/consensus.md#con-2-booking-into-an-item
    //# CON-2.3 (ours): A record MUST be booked under the id of the delegate that accepted it,
    //# whichever producer leads.
    pub(super) fn add(&mut self, envelope: Verified<Envelope>, is_own: bool) -> bool {
        let record = *envelope.record_id();
        let mut encoded = Vec::new();
        envelope.get().encode(&mut encoded);
        let bytes = encoded.len();
        let (foreign, foreign_bytes) = self.foreign;
        let fits_foreign =
            foreign < POOL_RECORDS_MAX / 2 && foreign_bytes + bytes <= POOL_BYTES_MAX / 2;
        let fits = self.by_arrival.len() < POOL_RECORDS_MAX
            && self.bytes + bytes <= POOL_BYTES_MAX
            && (is_own || fits_foreign);
        if !fits || self.contains(&record) {
            return false;
        }
        let accepted = Accepted::new(envelope);
        self.by_arrival.insert(self.arrivals, Waiting { accepted, is_own, bytes });
        self.arrival_of.insert(record, self.arrivals);
        self.arrivals += 1;
        self.bytes += bytes;
        if !is_own {
            self.foreign = (foreign + 1, foreign_bytes + bytes);
        }
        true
    }

    /// Takes a record out, because a final block carries it.
    pub(super) fn remove(&mut self, record: &RecordId) {
        let waiting = self.arrival_of.remove(record);
        if let Some(waiting) = waiting.and_then(|arrival| self.by_arrival.remove(&arrival)) {
            self.bytes -= waiting.bytes;
            if !waiting.is_own {
                self.foreign = (self.foreign.0 - 1, self.foreign.1 - waiting.bytes);
            }
        }
    }

    /// All records, oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Waiting> {
        self.by_arrival.values()
    }

    pub(super) fn len(&self) -> usize {
        self.by_arrival.len()
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_request_makes_room_and_a_repeated_one_is_young_again() {
        let owner = |byte| OwnerId::new([byte; 32]);
        let mut requests = Requests::default();
        for byte in [1, 2, 3, 1, 4] {
            requests.take(owner(byte), 3);
        }
        let left: Vec<OwnerId> = requests.arrival_of.keys().copied().collect();
        assert_eq!(left, [owner(1), owner(3), owner(4)]);
        assert_eq!(requests.by_arrival.len(), 3);
    }
}
