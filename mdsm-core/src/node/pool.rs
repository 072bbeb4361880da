//! Records that wait for a block. [CON-1] [CON-3] [CON-6] [STO-2]
//!
//! Own records were stored when they were accepted and stay until a final block carries them; foreign
//! ones are on their way to the leader and are dropped when they fill half of the room: nobody else's
//! records keep out those of the own clients. Each delegate has a share of that half, so that no single one
//! keeps out all others.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::limits::{POOL_BYTES_MAX, POOL_RECORDS_MAX, REQUESTS_MAX};
use crate::freezing::Accepted;
use crate::ledger::{Envelope, Verified};
use crate::params::POOL_SHARES;
use crate::types::{InstitutionId, OwnerId, RecordId};

/// Records in the order in which they came.
#[derive(Clone, Debug, Default)]
pub(super) struct Pool {
    by_arrival: BTreeMap<u64, Waiting>,
    arrival_of: BTreeMap<RecordId, u64>,
    arrivals: u64,
    bytes: usize,
    /// Records of others among them, and their bytes.
    foreign: Load,
    /// The same by the delegate that handed them in.
    by_sender: BTreeMap<InstitutionId, Load>,
    requests: Requests,
}

/// Records and their bytes.
#[derive(Clone, Copy, Debug, Default)]
struct Load {
    records: usize,
    bytes: usize,
}

impl Load {
    /// Whether one more record of so many bytes stays below a part of the room.
    fn fits(self, bytes: usize, part: usize) -> bool {
        self.records < POOL_RECORDS_MAX / part && self.bytes + bytes <= POOL_BYTES_MAX / part
    }

    fn add(&mut self, bytes: usize) {
        self.records += 1;
        self.bytes += bytes;
    }

    fn take(&mut self, bytes: usize) {
        self.records -= 1;
        self.bytes -= bytes;
    }
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

/// What became of a record that was to be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Added {
    /// It is there now.
    Yes,
    /// It was there already.
    Repeated,
    /// There is no room.
    Full,
}

#[derive(Clone, Debug)]
pub(super) struct Waiting {
    pub(super) accepted: Accepted,
    pub(super) is_own: bool,
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

    /// Puts a record in.
    //= harness/spec/consensus.md#con-2-booking-into-an-item
    //# CON-2.3 (ours): A record MUST be booked under the id of the delegate that accepted it,
    //# whichever producer leads.
    //= harness/spec/consensus.md#con-2-booking-into-an-item
    //# CON-2.4 (ours): A producer MUST NOT let the records of one other delegate fill more than one
    //# eighth of its room for the records of others.
    pub(super) fn add(&mut self, envelope: Verified<Envelope>, is_own: bool) -> Added {
        let Entry::Vacant(place) = self.arrival_of.entry(*envelope.record_id()) else {
            return Added::Repeated;
        };
        let accepted = Accepted::new(envelope);
        let bytes = accepted.bytes();
        let sender = accepted.envelope().get().booked_by;
        let of_sender = self.by_sender.get(&sender).copied().unwrap_or_default();
        let fits_foreign = self.foreign.fits(bytes, 2) && of_sender.fits(bytes, 2 * POOL_SHARES);
        let fits = self.by_arrival.len() < POOL_RECORDS_MAX
            && self.bytes + bytes <= POOL_BYTES_MAX
            && (is_own || fits_foreign);
        if !fits {
            return Added::Full;
        }
        self.by_arrival.insert(self.arrivals, Waiting { accepted, is_own });
        place.insert(self.arrivals);
        self.arrivals += 1;
        self.bytes += bytes;
        if !is_own {
            self.foreign.add(bytes);
            self.by_sender.entry(sender).or_default().add(bytes);
        }
        Added::Yes
    }

    /// Takes a record out, because a final block carries it.
    pub(super) fn remove(&mut self, record: &RecordId) {
        let waiting = self.arrival_of.remove(record);
        if let Some(waiting) = waiting.and_then(|arrival| self.by_arrival.remove(&arrival)) {
            let bytes = waiting.accepted.bytes();
            self.bytes -= bytes;
            if !waiting.is_own {
                self.foreign.take(bytes);
                let sender = waiting.accepted.envelope().get().booked_by;
                if let Some(load) = self.by_sender.get_mut(&sender) {
                    load.take(bytes);
                }
                self.by_sender.retain(|_, load| load.records > 0);
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
    use crate::crypto::sign::SigningKey;
    use crate::ledger::{Content, MediaType, Metadata, Record, ResourceType};
    use crate::params::INLINE_CONTENT_BYTES_MAX;
    use crate::types::{ChainId, Timestamp};

    /// A record of the largest size, booked by this delegate.
    fn record(delegate: u32, number: u32) -> Verified<Envelope> {
        let (owner, chain) = (SigningKey::from_seed(&[1; 32]), ChainId::new([2; 32]));
        let mut content = vec![0; INLINE_CONTENT_BYTES_MAX];
        content[..4].copy_from_slice(&number.to_le_bytes());
        content[4..8].copy_from_slice(&delegate.to_le_bytes());
        let kind = ResourceType::new("Binary").unwrap();
        let media = MediaType::new("text/plain").unwrap();
        let bytes = u64::try_from(content.len()).unwrap();
        let metadata = Metadata::new(kind, media, Timestamp::new(0), bytes);
        let content = Content::inline(content).unwrap();
        let record = Record::new(owner.owner(), metadata, content).unwrap();
        let delegate = InstitutionId::new(delegate);
        Envelope::sign(record, &chain, &owner, delegate).verify(&chain).unwrap()
    }

    #[test]
    fn con_2_4_one_delegate_fills_its_share_and_leaves_the_room_of_others() {
        //= harness/spec/consensus.md#con-2-booking-into-an-item
        //= type=test
        //# CON-2.4 (ours): A producer MUST NOT let the records of one other delegate fill more than one
        //# eighth of its room for the records of others.
        let mut pool = Pool::default();
        let filled = |pool: &mut Pool, delegate| {
            (0..)
                .take_while(|number| pool.add(record(delegate, *number), false) == Added::Yes)
                .count()
        };
        let share = filled(&mut pool, 2);
        assert!((60..=POOL_BYTES_MAX / 16 / INLINE_CONTENT_BYTES_MAX).contains(&share), "{share}");
        for delegate in 3..=9 {
            assert_eq!(filled(&mut pool, delegate), share, "{delegate} has a share of its own");
        }
        assert_eq!(
            pool.add(record(2, 100_000), true),
            Added::Yes,
            "own records have the other half"
        );
        assert_eq!(pool.add(record(2, 100_000), true), Added::Repeated);
        // What becomes final makes room, for this delegate and no other.
        let first = pool.iter().find(|waiting| !waiting.is_own);
        let first = *first.unwrap().accepted.envelope().record_id();
        pool.remove(&first);
        assert_eq!(pool.add(record(3, 100_000), false), Added::Full);
        assert_eq!(pool.add(record(2, 100_001), false), Added::Yes);
        assert_eq!(pool.add(record(2, 100_002), false), Added::Full);
        // A share is kept by the number of records too.
        let full = Load { records: POOL_RECORDS_MAX / 2 / POOL_SHARES, bytes: 0 };
        assert!(!full.fits(1, 2 * POOL_SHARES) && full.fits(1, 2));
    }

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
