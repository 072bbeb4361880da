//! What is booked, on the chain and on a branch above it: records by owner, and the acts among them.
//! [STO-2] [COM-6] [PRE-5] [PRE-7]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::access::{Access, AccessEvent, Act, Registry};
use crate::chain::RecordIndex;
use crate::ledger::{Item, Service};
use crate::roster::Committees;
use crate::types::{Height, InstitutionId, OwnerId, RecordId};

/// The index of the finalized chain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Booked {
    /// Owner of each record.
    records: BTreeMap<RecordId, OwnerId>,
    access: Access,
    /// As it was behind the last block of the epoch before the open one.
    frozen: Arc<Access>,
}

/// The index as a block sees it: the chain and the blocks between it and the block.
pub(super) struct Above<'a> {
    pub(super) booked: &'a Booked,
    /// Records of each block of the branch.
    pub(super) branch: Vec<Arc<BTreeSet<RecordId>>>,
}

/// What an act may ask about the chain.
struct Standing<'a> {
    records: &'a BTreeMap<RecordId, OwnerId>,
    committees: &'a Committees,
}

impl Booked {
    /// Takes in a final block, and gives what its acts brought about. An act that comes out of order
    /// stays a booked record and has no effect.
    pub(super) fn book<'a>(
        &mut self,
        height: Height,
        items: impl IntoIterator<Item = &'a Item>,
        committees: &Committees,
    ) -> Vec<AccessEvent> {
        self.access.advance(height);
        let mut events = Vec::new();
        let envelopes = items.into_iter().flat_map(|item| item.records.iter());
        for envelope in envelopes {
            let record = &envelope.record;
            let (id, owner) = (record.id(), *record.owner());
            if let Some(Ok(act)) = Act::of_record(record) {
                let standing = Standing { records: &self.records, committees };
                events.extend(self.access.apply(id, &owner, &act, &standing));
            }
            self.records.insert(id, owner);
        }
        events
    }

    /// The epoch has ended: receipts of service are judged by what is booked by now.
    pub(super) fn freeze(&mut self) {
        self.frozen = Arc::new(self.access.clone());
    }

    /// Requests, grants and what became of them.
    #[must_use]
    pub fn access(&self) -> &Access {
        &self.access
    }

    /// Whether acts on the finalized chain bear out a receipt of service: those that the open epoch is
    /// judged by, or those since, by which the next one will be.
    pub(super) fn bears_out(&self, service: &Service) -> bool {
        let client = self.access.client_of(&service.grant, service.institution);
        self.has_earned(service) || client == Some(service.client)
    }

    /// Owner of a booked record.
    #[must_use]
    pub fn owner_of(&self, record: &RecordId) -> Option<&OwnerId> {
        self.records.get(record)
    }

    /// Records on the chain.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }
}

impl RecordIndex for Booked {
    fn contains(&self, record: &RecordId) -> bool {
        self.records.contains_key(record)
    }

    /// By the acts of the epochs before, which every node of the open epoch has: by the latest ones a
    /// block would be valid here and not there.
    //= harness/spec/committees.md#com-6-earning-and-losing
    //# COM-6.14 (ours): A receipt of service MUST be judged by the acts that were booked before the open
    //# epoch.
    fn client_of(&self, grant: &RecordId, institution: InstitutionId) -> Option<OwnerId> {
        self.frozen.client_of(grant, institution)
    }
}

impl RecordIndex for Above<'_> {
    fn contains(&self, record: &RecordId) -> bool {
        self.booked.contains(record) || self.branch.iter().any(|block| block.contains(record))
    }

    fn client_of(&self, grant: &RecordId, institution: InstitutionId) -> Option<OwnerId> {
        self.booked.client_of(grant, institution)
    }
}

impl Registry for Standing<'_> {
    fn institution_of(&self, key: &OwnerId) -> Option<InstitutionId> {
        let mut seats = self.committees.electorate();
        seats.find(|seat| seat.key == *key).map(|seat| seat.institution)
    }

    fn owner_of(&self, record: &RecordId) -> Option<OwnerId> {
        self.records.get(record).copied()
    }
}
