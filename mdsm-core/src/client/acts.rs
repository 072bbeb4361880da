//! Acts that had an effect, by the owner whom they concern: what a full client looks up to say, and to
//! prove, who may read what. [CLI-4] [PRE-7]
//!
//! ```text
//! thread   request -> grant -> bid .. choice -> delivery        and the end: until, or a revocation
//! ```
//! Each thread stands by itself, so a question about one height needs the acts of those threads that
//! matter there, and no others. Acts without effect are in none.

use std::collections::{BTreeMap, BTreeSet};

use super::question::Place;
use crate::access::{Access, Act, Reading, Registry};
use crate::ledger::Item;
use crate::params::ACCESS;
use crate::roster::Committees;
use crate::types::{Digest, Height, InstitutionId, OwnerId, RecordId};

/// Threads of all owners. Plain data: equal chains give equal values. It holds one entry a request for
/// ever, as a store holds every record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Acts {
    access: Access,
    threads: BTreeMap<RecordId, Thread>,
    /// Request that each grant answers.
    requests: BTreeMap<RecordId, RecordId>,
    by_owner: BTreeMap<OwnerId, BTreeSet<RecordId>>,
}

/// An act of a thread: its record, and where that is booked.
pub(super) type Step = (RecordId, Place);

/// A request and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thread {
    /// Who was asked.
    pub owner: OwnerId,
    /// Who asks.
    pub reader: OwnerId,
    /// Name of the reader in what is made for it.
    pub reader_key: Digest,
    /// Records asked for.
    pub records: BTreeSet<RecordId>,
    /// The request.
    pub request: Step,
    /// First height at which it is forgotten, unless it is answered.
    pub gone: Height,
    /// The answer.
    pub grant: Option<Granted>,
    /// Bids for the grant.
    pub bids: BTreeMap<InstitutionId, Step>,
    /// The choice among the bids.
    pub choice: Option<(InstitutionId, Step)>,
    /// The delivery.
    pub delivery: Option<Step>,
    /// Height of the revocation.
    pub revoked: Option<Height>,
}

/// A grant within its thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    /// The grant.
    pub step: Step,
    /// Last height at which it holds.
    pub until: Height,
    /// Records that it opens.
    pub files: BTreeSet<RecordId>,
}

/// What an act may ask about the chain.
struct Standing<'a, F> {
    earlier: &'a BTreeMap<RecordId, OwnerId>,
    booked_below: &'a F,
    committees: &'a Committees,
    height: Height,
}

impl Acts {
    /// Takes in a final block, in the order of heights. `committees` are those of its epoch;
    /// `booked` gives owner and height of a booked record, of this block or of others.
    pub fn book<'a>(
        &mut self,
        height: Height,
        items: impl IntoIterator<Item = &'a Item>,
        committees: &Committees,
        booked: impl Fn(&RecordId) -> Option<(OwnerId, Height)>,
    ) {
        self.access.advance(height);
        let mut earlier = BTreeMap::new();
        for (item, held) in (0..).zip(items) {
            for (index, envelope) in (0..).zip(held.records.iter()) {
                let record = &envelope.record;
                let (id, signer) = (record.id(), *record.owner());
                if let Some(Ok(act)) = Act::of_record(record) {
                    let standing =
                        Standing { earlier: &earlier, booked_below: &booked, committees, height };
                    if self.access.apply(id, &signer, &act, &standing).is_ok() {
                        let place = Place { height, item, index };
                        self.remember((id, place), &signer, act, committees);
                    }
                }
                earlier.insert(id, signer);
            }
        }
    }

    /// Height of the last block taken in.
    #[must_use]
    pub fn height(&self) -> Height {
        self.access.height()
    }

    /// Threads of an owner, over or not, by the id of the request.
    pub fn of(&self, owner: &OwnerId) -> impl Iterator<Item = &Thread> {
        let requests = self.by_owner.get(owner).into_iter().flatten();
        requests.filter_map(|request| self.threads.get(request))
    }

    fn remember(&mut self, step: Step, signer: &OwnerId, act: Act, committees: &Committees) {
        match act {
            Act::Request(act) => {
                let gone = step.1.height.get().saturating_add(ACCESS.request_blocks);
                let thread = Thread {
                    owner: act.owner,
                    reader: *signer,
                    reader_key: act.reader_key,
                    records: act.records.iter().copied().collect(),
                    request: step,
                    gone: Height::new(gone),
                    grant: None,
                    bids: BTreeMap::new(),
                    choice: None,
                    delivery: None,
                    revoked: None,
                };
                self.by_owner.entry(act.owner).or_default().insert(step.0);
                self.threads.insert(step.0, thread);
            }
            Act::Grant(act) => {
                let Some(thread) = self.threads.get_mut(&act.request) else { return };
                let files = act.files.keys().copied().collect();
                thread.grant = Some(Granted { step, until: act.until, files });
                self.requests.insert(step.0, act.request);
            }
            Act::Bid(act) => {
                let mut seats = committees.electorate();
                let Some(seat) = seats.find(|seat| seat.key == *signer) else { return };
                let Some(thread) = self.thread_of(&act.grant) else { return };
                thread.bids.insert(seat.institution, step);
            }
            Act::Choice(act) => {
                let Some(thread) = self.thread_of(&act.grant) else { return };
                thread.choice = Some((act.institution, step));
            }
            Act::Delivery(act) => {
                let Some(thread) = self.thread_of(&act.grant) else { return };
                thread.delivery = Some(step);
            }
            Act::Revocation(act) => {
                let Some(thread) = self.thread_of(&act.grant) else { return };
                thread.revoked = Some(step.1.height);
            }
            // A dispute is about what was delivered; it changes nothing about who may read.
            Act::Dispute(_) | Act::Confirmation(_) => {}
        }
    }

    fn thread_of(&mut self, grant: &RecordId) -> Option<&mut Thread> {
        self.threads.get_mut(self.requests.get(grant)?)
    }
}

impl Thread {
    /// The acts that decide at a height what this thread allows or asks for; nothing when it is over, or
    /// not yet begun.
    #[must_use]
    pub fn acts_at(&self, at: Height) -> Option<Vec<RecordId>> {
        let is_booked = |step: &Step| step.1.height <= at;
        if !is_booked(&self.request) {
            return None;
        }
        let request = self.request.0;
        let Some(grant) = self.grant.as_ref().filter(|grant| is_booked(&grant.step)) else {
            return (at < self.gone).then(|| vec![request]);
        };
        if at > grant.until || self.revoked.is_some_and(|height| height <= at) {
            return None;
        }
        let mut acts = vec![request, grant.step.0];
        if let Some((institution, choice)) = self.choice.filter(|(_, step)| is_booked(step)) {
            acts.extend(self.bids.get(&institution).map(|bid| bid.0));
            acts.push(choice.0);
            acts.extend(self.delivery.filter(is_booked).map(|delivery| delivery.0));
        }
        Some(acts)
    }

    /// What the reader may read at a height.
    #[must_use]
    pub fn readings_at(&self, at: Height) -> Vec<Reading> {
        let holds = self.acts_at(at).is_some();
        let Some(grant) = self.grant.as_ref().filter(|grant| holds && grant.step.1.height <= at)
        else {
            return Vec::new();
        };
        let is_delivered = self.delivery.is_some_and(|step| step.1.height <= at);
        let (reader, reader_key, until) = (self.reader, self.reader_key, grant.until);
        let reading = |record: &RecordId| Reading {
            record: *record,
            reader,
            reader_key,
            grant: grant.step.0,
            until,
            is_delivered,
        };
        grant.files.iter().map(reading).collect()
    }
}

impl<F: Fn(&RecordId) -> Option<(OwnerId, Height)>> Registry for Standing<'_, F> {
    fn institution_of(&self, key: &OwnerId) -> Option<InstitutionId> {
        let mut seats = self.committees.electorate();
        seats.find(|seat| seat.key == *key).map(|seat| seat.institution)
    }

    fn owner_of(&self, record: &RecordId) -> Option<OwnerId> {
        let below = || (self.booked_below)(record).filter(|(_, height)| *height < self.height);
        self.earlier.get(record).copied().or_else(|| below().map(|(owner, _)| owner))
    }
}
