//! What the machine remembers, and for how long. [PRE-3] [PRE-7]
//!
//! Ordered by what it is looked up by: a question about one owner, reader or grant walks nobody else's.

use std::collections::{BTreeMap, BTreeSet};

use super::act::Files;
use super::error::AccessError;
use super::event::Lapse;
use crate::params::AccessLimits;
use crate::types::{Digest, Height, InstitutionId, OwnerId, RecordId};

/// What the machine asks the rest of the chain, as it stands at the block that is applied.
pub trait Registry {
    /// The institution whose registered key this is, if it has a seat among the producers or the
    /// auditors of now.
    fn institution_of(&self, key: &OwnerId) -> Option<InstitutionId>;

    /// The owner of a booked record.
    fn owner_of(&self, record: &RecordId) -> Option<OwnerId>;
}

/// Requests, grants and what became of them, after the last finalized block. Plain data: equal
/// chains give equal values.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Access {
    pub(super) limits: AccessLimits,
    pub(super) height: Height,
    /// Requests that wait for an answer.
    pub(super) requests: BTreeMap<RecordId, Requested>,
    /// The same by who asks, so that nobody asks too much.
    pub(super) by_asker: Index<OwnerId>,
    /// The same by who is asked.
    pub(super) by_asked: Index<OwnerId>,
    /// Grants that hold, and those that are over while something may still be disputed.
    pub(super) grants: BTreeMap<RecordId, Granted>,
    /// The same by owner.
    pub(super) by_owner: Index<OwnerId>,
    /// Grants without a proxy.
    pub(super) bidding: BTreeSet<RecordId>,
    /// Grants with a delivery, by the key that it is stored under.
    pub(super) by_reader: Index<Digest>,
    /// When something is over.
    pub(super) deadlines: BTreeSet<(Height, Deadline)>,
    /// Deliveries shown to be wrong. Kept for ever: one number for each institution.
    pub(super) wrong: BTreeMap<InstitutionId, u64>,
}

/// A request that waits.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Requested {
    pub(super) reader: OwnerId,
    pub(super) owner: OwnerId,
    pub(super) reader_key: Digest,
    pub(super) records: super::act::Records,
    /// First height at which it is forgotten.
    pub(super) gone: Height,
}

/// A grant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Granted {
    pub(super) owner: OwnerId,
    pub(super) reader: OwnerId,
    pub(super) owner_key: Digest,
    pub(super) reader_key: Digest,
    pub(super) until: Height,
    pub(super) files: Files,
    pub(super) revoked: Option<Height>,
    pub(super) stage: Stage,
}

/// How far a grant has come. A revocation ends what may still come, whatever the stage.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Stage {
    /// Waits for bids and a choice.
    Bidding(BTreeMap<InstitutionId, Bidder>),
    /// The proxy is to deliver.
    Chosen(Proxy),
    /// The reader may open, or dispute up to the height `until`.
    Delivered { proxy: Proxy, files: Files, until: Height },
    /// The owner may confirm up to the height `until`.
    Disputed { proxy: Proxy, files: Files, record: RecordId, until: Height },
    /// A dispute is over.
    Settled { proxy: Proxy, files: Files, is_wrong: bool },
}

/// Who bid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Bidder {
    pub(super) key: OwnerId,
    pub(super) parcels: Digest,
}

/// Who was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Proxy {
    pub(super) institution: InstitutionId,
    pub(super) key: OwnerId,
    pub(super) rekey: Digest,
    pub(super) parcel: Digest,
}

/// What is over at a height. The order is that in which things end within one height.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Deadline {
    Request(RecordId),
    Grant(RecordId),
    Dispute(RecordId),
    Forget(RecordId),
}

/// Records by something else. No key is kept without a record.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Index<K: Ord>(BTreeMap<K, BTreeSet<RecordId>>);

impl<K: Ord> Default for Index<K> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<K: Ord> Index<K> {
    pub(super) fn put(&mut self, key: K, record: RecordId) {
        self.0.entry(key).or_default().insert(record);
    }

    pub(super) fn take(&mut self, key: &K, record: &RecordId) {
        let Some(records) = self.0.get_mut(key) else { return };
        records.remove(record);
        if records.is_empty() {
            self.0.remove(key);
        }
    }

    pub(super) fn of<'a>(&'a self, key: &K) -> impl Iterator<Item = &'a RecordId> + use<'a, K> {
        self.0.get(key).into_iter().flatten()
    }

    pub(super) fn is_full(&self, key: &K, records_max: u32) -> bool {
        let records = self.0.get(key).map_or(0, BTreeSet::len);
        u32::try_from(records).map_or(true, |records| records >= records_max)
    }

    fn entries(&self) -> usize {
        self.0.values().map(BTreeSet::len).sum()
    }
}

/// A height so many blocks later.
pub(super) fn later(height: Height, blocks: u64) -> Height {
    Height::new(height.get().saturating_add(blocks))
}

impl Stage {
    pub(super) fn proxy(&self) -> Option<&Proxy> {
        match self {
            Self::Bidding(_) => None,
            Self::Chosen(proxy)
            | Self::Delivered { proxy, .. }
            | Self::Disputed { proxy, .. }
            | Self::Settled { proxy, .. } => Some(proxy),
        }
    }

    /// What was delivered.
    pub(super) fn delivered(&self) -> Option<&Files> {
        match self {
            Self::Bidding(_) | Self::Chosen(_) => None,
            Self::Delivered { files, .. }
            | Self::Disputed { files, .. }
            | Self::Settled { files, .. } => Some(files),
        }
    }
}

impl Granted {
    /// Refuses what comes after the end of the grant.
    pub(super) fn check_holds(&self, height: Height) -> Result<(), AccessError> {
        match self.revoked {
            Some(at) => Err(AccessError::Revoked { at }),
            None if height > self.until => Err(AccessError::Expired { until: self.until }),
            None => Ok(()),
        }
    }
}

impl Default for Access {
    fn default() -> Self {
        Self::new(crate::params::ACCESS)
    }
}

impl Access {
    /// Before the first block.
    #[must_use]
    pub fn new(limits: AccessLimits) -> Self {
        Self {
            limits,
            height: Height::new(0),
            requests: BTreeMap::new(),
            by_asker: Index::default(),
            by_asked: Index::default(),
            grants: BTreeMap::new(),
            by_owner: Index::default(),
            bidding: BTreeSet::new(),
            by_reader: Index::default(),
            deadlines: BTreeSet::new(),
            wrong: BTreeMap::new(),
        }
    }

    /// The height that was reached.
    #[must_use]
    pub fn height(&self) -> Height {
        self.height
    }

    /// Everything that is kept, counted one by one: files, bids and entries of indexes too.
    #[must_use]
    pub fn entries(&self) -> usize {
        let requests = self.requests.values().map(|request| 1 + request.records.len());
        let grants = self.grants.values().map(|grant| {
            let bids = if let Stage::Bidding(bids) = &grant.stage { bids.len() } else { 0 };
            let delivered = grant.stage.delivered().map_or(0, |files| files.len());
            1 + grant.files.len() + delivered + bids
        });
        let indexes = self.by_asker.entries()
            + self.by_asked.entries()
            + self.by_owner.entries()
            + self.by_reader.entries()
            + self.bidding.len();
        requests.chain(grants).sum::<usize>() + indexes + self.deadlines.len() + self.wrong.len()
    }

    /// Reaches the height of the next finalized block, before its acts are applied; says what is over
    /// by then. A height that is not above the present one changes nothing.
    pub fn advance(&mut self, height: Height) -> Vec<Lapse> {
        self.height = self.height.max(height);
        let mut lapsed = Vec::new();
        while let Some(&(at, deadline)) = self.deadlines.first() {
            if at > self.height {
                break;
            }
            self.deadlines.pop_first();
            lapsed.extend(self.end(deadline));
        }
        lapsed
    }

    fn end(&mut self, deadline: Deadline) -> Option<Lapse> {
        match deadline {
            Deadline::Request(request) => {
                self.remove_request(&request);
                Some(Lapse::Request(request))
            }
            Deadline::Grant(grant) => {
                self.bidding.remove(&grant);
                Some(Lapse::Grant(grant))
            }
            //= harness/spec/reencryption.md#pre-8-wrong-re-encryption
            //# PRE-8.5 (ours): A dispute that the owner does not confirm in the time that section
            //# Access records gives MUST leave the proxy without fault.
            Deadline::Dispute(grant) => {
                self.settle(&grant, false);
                Some(Lapse::Dispute(grant))
            }
            Deadline::Forget(grant) => {
                let Granted { owner, reader_key, .. } = self.grants.remove(&grant)?;
                self.by_owner.take(&owner, &grant);
                self.by_reader.take(&reader_key, &grant);
                None
            }
        }
    }

    /// Forgets a request, answered or not.
    pub(super) fn remove_request(&mut self, request: &RecordId) -> Option<Requested> {
        let requested = self.requests.remove(request)?;
        self.by_asker.take(&requested.reader, request);
        self.by_asked.take(&requested.owner, request);
        self.deadlines.remove(&(requested.gone, Deadline::Request(*request)));
        Some(requested)
    }

    /// Closes a dispute; gives the proxy and what it delivered for the disputed record.
    pub(super) fn settle(
        &mut self,
        grant: &RecordId,
        is_wrong: bool,
    ) -> Option<(Proxy, RecordId, Digest)> {
        let stage = &mut self.grants.get_mut(grant)?.stage;
        let Stage::Disputed { proxy, files, record, until } = stage else { return None };
        let (proxy, files, record, until) = (*proxy, files.clone(), *record, *until);
        let delivery = *files.get(&record)?;
        *stage = Stage::Settled { proxy, files, is_wrong };
        self.deadlines.remove(&(later(until, 1), Deadline::Dispute(*grant)));
        Some((proxy, record, delivery))
    }

    /// First height at which nothing under a grant can be disputed or confirmed any more, when `end`
    /// is the last at which it held.
    pub(super) fn forgotten(&self, end: Height) -> Height {
        let AccessLimits { dispute_blocks, confirm_blocks, .. } = self.limits;
        later(later(later(end, dispute_blocks), confirm_blocks), 1)
    }
}
