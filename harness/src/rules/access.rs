//! Who may read what, told anew for every question from the list of all that had effect so far.
//! [PRE-3] [PRE-4] [PRE-5] [PRE-7] [PRE-8]
//!
//! Spec: reencryption, "Access records". Nothing is remembered but the acts: no index, no stage, no deadline.

use std::collections::{BTreeMap, BTreeSet};

use super::acts::Act;
use super::mirror::Bytes32;

/// Bounds in the order of the spec: requests, grants, bids; then blocks of a request, a grant, a dispute
/// and a confirmation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of the bounds above")]
pub struct Limits {
    pub requests: usize,
    pub grants: usize,
    pub bids: usize,
    pub request_blocks: u64,
    pub grant_blocks: u64,
    pub dispute_blocks: u64,
    pub confirm_blocks: u64,
}

/// Something that happens on the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The next block has this height.
    Reach(u64),
    /// From now on these keys hold seats, each of an institution.
    Seats(BTreeMap<Bytes32, u32>),
    /// A record is booked whose content is an act.
    Book {
        /// Its id.
        record: Bytes32,
        /// Its owner.
        signer: Bytes32,
        /// Its content.
        act: Act,
    },
}

/// An act that had effect.
#[derive(Clone, Debug)]
struct Done {
    height: u64,
    record: Bytes32,
    signer: Bytes32,
    /// Of the signer of a bid.
    institution: Option<u32>,
    act: Act,
}

/// The chain so far.
#[derive(Clone, Debug)]
pub struct Past {
    limits: Limits,
    owners: BTreeMap<Bytes32, Bytes32>,
    seats: BTreeMap<Bytes32, u32>,
    height: u64,
    done: Vec<Done>,
}

/// A grant as it is told from the past.
struct Told<'a> {
    id: Bytes32,
    owner: Bytes32,
    reader: Bytes32,
    reader_key: Bytes32,
    until: u64,
    files: &'a BTreeMap<Bytes32, Bytes32>,
    revoked: Option<u64>,
    bids: Vec<&'a Done>,
    /// Institution and key.
    proxy: Option<(u32, Bytes32)>,
    delivered: Option<(u64, &'a BTreeMap<Bytes32, Bytes32>)>,
    disputed: Option<u64>,
    finding: Option<u8>,
}

impl Past {
    /// Nothing has happened; who owns which records is known.
    #[must_use]
    pub fn new(limits: Limits, owners: BTreeMap<Bytes32, Bytes32>) -> Self {
        Self { limits, owners, seats: BTreeMap::new(), height: 0, done: Vec::new() }
    }

    /// A record is booked, whatever it holds: from now on its owner may be asked for it.
    pub fn own(&mut self, record: Bytes32, owner: Bytes32) {
        self.owners.insert(record, owner);
    }

    /// Takes a step; for an act, says whether it has effect.
    pub fn take(&mut self, step: &Step) -> bool {
        match step {
            Step::Reach(height) => self.height = self.height.max(*height),
            Step::Seats(seats) => self.seats = seats.clone(),
            Step::Book { record, signer, act } => {
                if !self.has_effect(record, signer, act) {
                    return false;
                }
                let institution = self.seats.get(signer).copied();
                let (height, record, signer, act) = (self.height, *record, *signer, act.clone());
                self.done.push(Done { height, record, signer, institution, act });
            }
        }
        true
    }

    /// What is over when a later height is reached: requests, grants and disputes, by the number of
    /// their line here.
    #[must_use]
    pub fn lapsing(&self, height: u64) -> BTreeSet<(u8, Bytes32)> {
        let over = |first: u64| self.height < first && first <= height;
        let requests = self
            .open_requests()
            .filter(|request| over(request.height + self.limits.request_blocks));
        let grants = self.grants().filter(|grant| grant.revoked.is_none() && over(grant.until + 1));
        let disputes = self.grants().filter(|grant| {
            let dispute = grant.disputed.filter(|_| grant.finding.is_none());
            dispute.is_some_and(|since| over(since + self.limits.confirm_blocks + 1))
        });
        let requests = requests.map(|request| (0, request.record));
        let grants = grants.map(|grant| (1, grant.id));
        requests.chain(grants).chain(disputes.map(|grant| (2, grant.id))).collect()
    }

    /// The present height.
    #[must_use]
    pub fn height(&self) -> u64 {
        self.height
    }

    fn has_effect(&self, record: &Bytes32, signer: &Bytes32, act: &Act) -> bool {
        if self.done.iter().any(|done| done.record == *record) {
            return false;
        }
        let limits = &self.limits;
        match act {
            Act::Request { owner, records, .. } => {
                let open = self.open_requests().filter(|request| request.signer == *signer);
                records.iter().all(|id| self.owners.get(id) == Some(owner))
                    && open.count() < limits.requests
            }
            Act::Grant { request, until, files, .. } => {
                let mut asked = self.open_requests().filter(|open| open.record == *request);
                let mine = self.grants().filter(|grant| grant.owner == *signer);
                asked.next().is_some_and(|open| match &open.act {
                    Act::Request { owner, records, .. } => {
                        owner == signer && files.keys().all(|id| records.contains(id))
                    }
                    _ => false,
                }) && *until > self.height
                    && *until - self.height <= limits.grant_blocks
                    && mine.count() < limits.grants
            }
            Act::Bid { grant, .. } => self.grant(grant).is_some_and(|grant| {
                let institution = self.seats.get(signer);
                self.holds(&grant)
                    && institution.is_some()
                    && ![grant.owner, grant.reader].contains(signer)
                    && grant.proxy.is_none()
                    && grant.bids.iter().all(|bid| bid.institution.as_ref() != institution)
                    && grant.bids.len() < limits.bids
            }),
            Act::Choice { grant, institution, .. } => self.grant(grant).is_some_and(|grant| {
                let bid = grant.bids.iter().find(|bid| bid.institution == Some(*institution));
                grant.owner == *signer
                    && self.holds(&grant)
                    && grant.proxy.is_none()
                    && bid.is_some_and(|bid| self.seats.get(&bid.signer) == Some(institution))
            }),
            Act::Delivery { grant, files } => self.grant(grant).is_some_and(|grant| {
                grant.proxy.is_some_and(|(_, key)| key == *signer)
                    && self.holds(&grant)
                    && grant.delivered.is_none()
                    && files.keys().collect::<Vec<_>>() == grant.files.keys().collect::<Vec<_>>()
            }),
            Act::Revocation { grant } => {
                let grant = self.grant(grant);
                grant.is_some_and(|grant| grant.owner == *signer && self.holds(&grant))
            }
            Act::Dispute { grant, record, delivery } => self.grant(grant).is_some_and(|grant| {
                let in_time = |(height, files): (u64, &BTreeMap<Bytes32, Bytes32>)| {
                    self.height - height <= limits.dispute_blocks
                        && files.get(record) == Some(delivery)
                };
                grant.reader == *signer
                    && grant.disputed.is_none()
                    && grant.delivered.is_some_and(in_time)
            }),
            Act::Confirmation { grant, .. } => self
                .grant(grant)
                .is_some_and(|grant| grant.owner == *signer && self.is_disputed(&grant)),
        }
    }

    fn open_requests(&self) -> impl Iterator<Item = &Done> {
        self.done.iter().filter(|done| {
            let answers = |other: &Done| match &other.act {
                Act::Grant { request, .. } => *request == done.record,
                _ => false,
            };
            matches!(done.act, Act::Request { .. })
                && self.height - done.height < self.limits.request_blocks
                && !self.done.iter().any(answers)
        })
    }

    /// Grants that are not forgotten.
    fn grants(&self) -> impl Iterator<Item = Told<'_>> {
        self.done.iter().filter_map(|done| self.told(done)).filter(|grant| {
            let end = grant.revoked.unwrap_or(grant.until);
            self.height <= end + self.limits.dispute_blocks + self.limits.confirm_blocks
        })
    }

    fn grant(&self, id: &Bytes32) -> Option<Told<'_>> {
        self.grants().find(|grant| grant.id == *id)
    }

    fn holds(&self, grant: &Told<'_>) -> bool {
        grant.revoked.is_none() && self.height <= grant.until
    }

    /// Whether a dispute waits for the owner.
    fn is_disputed(&self, grant: &Told<'_>) -> bool {
        let in_time = |height| self.height - height <= self.limits.confirm_blocks;
        grant.finding.is_none() && grant.disputed.is_some_and(in_time)
    }

    fn told<'a>(&'a self, done: &'a Done) -> Option<Told<'a>> {
        let Act::Grant { request, until, files, .. } = &done.act else { return None };
        let request = self.done.iter().find(|other| other.record == *request)?;
        let Act::Request { reader_key, .. } = request.act else { return None };
        let mut told = Told {
            id: done.record,
            owner: done.signer,
            reader: request.signer,
            reader_key,
            until: *until,
            files,
            revoked: None,
            bids: Vec::new(),
            proxy: None,
            delivered: None,
            disputed: None,
            finding: None,
        };
        for other in &self.done {
            match &other.act {
                Act::Bid { grant, .. } if *grant == told.id => told.bids.push(other),
                Act::Choice { grant, institution, .. } if *grant == told.id => {
                    let of = |bid: &&&Done| bid.institution == Some(*institution);
                    told.proxy = told.bids.iter().find(of).map(|bid| (*institution, bid.signer));
                }
                Act::Delivery { grant, files } if *grant == told.id => {
                    told.delivered = Some((other.height, files));
                }
                Act::Revocation { grant } if *grant == told.id => told.revoked = Some(other.height),
                Act::Dispute { grant, .. } if *grant == told.id => {
                    told.disputed = Some(other.height);
                }
                Act::Confirmation { grant, finding } if *grant == told.id => {
                    told.finding = Some(*finding);
                }
                _ => {}
            }
        }
        Some(told)
    }

    /// Grant, record, reader and whether it was delivered, of all that may be read of an owner.
    #[must_use]
    pub fn readings(&self, owner: &Bytes32) -> BTreeSet<(Bytes32, Bytes32, Bytes32, bool)> {
        let holding = self.grants().filter(|grant| grant.owner == *owner && self.holds(grant));
        holding
            .flat_map(|grant| {
                let is_delivered = grant.delivered.is_some();
                grant.files.keys().map(move |file| (grant.id, *file, grant.reader, is_delivered))
            })
            .collect()
    }

    /// Grant, record and name of the reader, of all that may be read of anybody.
    #[must_use]
    pub fn readers(&self) -> BTreeSet<(Bytes32, Bytes32, Bytes32)> {
        let holding = self.grants().filter(|grant| self.holds(grant));
        holding
            .flat_map(|grant| {
                grant.files.keys().map(move |file| (grant.id, *file, grant.reader_key))
            })
            .collect()
    }

    /// Grant, record and digest of all that is stored under a reader's key.
    #[must_use]
    pub fn deliveries(&self, reader_key: &Bytes32) -> BTreeSet<(Bytes32, Bytes32, Bytes32)> {
        let grants = self.grants().filter(|grant| grant.reader_key == *reader_key);
        let delivered = grants.filter_map(|grant| Some((grant.id, grant.delivered?.1)));
        delivered
            .flat_map(|(id, files)| files.iter().map(move |(file, digest)| (id, *file, *digest)))
            .collect()
    }

    /// Grants that wait for bids.
    #[must_use]
    pub fn bidding(&self) -> BTreeSet<Bytes32> {
        let waiting = self.grants().filter(|grant| grant.proxy.is_none() && self.holds(grant));
        waiting.map(|grant| grant.id).collect()
    }

    /// Requests that wait for an owner.
    #[must_use]
    pub fn requests(&self, owner: &Bytes32) -> BTreeSet<Bytes32> {
        let to = |done: &&Done| matches!(&done.act, Act::Request { owner: of, .. } if of == owner);
        self.open_requests().filter(to).map(|done| done.record).collect()
    }

    /// Whose grant it is, who is its proxy, and who has earned its service receipt.
    #[must_use]
    pub fn service(&self, grant: &Bytes32) -> Option<(Bytes32, Option<u32>, Option<u32>)> {
        let grant = self.grant(grant)?;
        let proxy = grant.proxy.map(|(institution, _)| institution);
        let earns =
            grant.delivered.is_some() && grant.finding != Some(1) && !self.is_disputed(&grant);
        Some((grant.owner, proxy, proxy.filter(|_| earns)))
    }

    /// Whether the holder of a key may re-encrypt a record under a grant now.
    #[must_use]
    pub fn permits(&self, grant: &Bytes32, record: &Bytes32, key: &Bytes32) -> bool {
        self.grant(grant).is_some_and(|grant| {
            self.holds(&grant)
                && grant.proxy.is_some_and(|(_, proxy)| proxy == *key)
                && grant.files.contains_key(record)
                && grant.finding != Some(1)
                && !self.is_disputed(&grant)
        })
    }

    /// Deliveries of an institution that were shown to be wrong, ever.
    #[must_use]
    pub fn wrong(&self, institution: u32) -> u64 {
        let told = self.done.iter().filter_map(|done| self.told(done));
        let wrong = told.filter(|grant| grant.finding == Some(1));
        let of = wrong.filter(|grant| grant.proxy.is_some_and(|(proxy, _)| proxy == institution));
        of.map(|_| 1).sum()
    }

    /// Grants that ever were, for those who write histories.
    #[must_use]
    pub fn known_grants(&self) -> Vec<Bytes32> {
        let is_grant = |done: &&Done| matches!(done.act, Act::Grant { .. });
        self.done.iter().filter(is_grant).map(|done| done.record).collect()
    }

    /// What would have effect next for a grant: signer and act, for those who write histories.
    #[must_use]
    pub fn next(&self, grant: &Bytes32, choice: u32) -> Option<(Bytes32, Act)> {
        let told = self.grant(grant)?;
        let (grant, name) = (told.id, [0x99; 32]);
        let bid = |seats: &BTreeMap<Bytes32, u32>| {
            let free = seats
                .iter()
                .filter(|(_, seat)| told.bids.iter().all(|bid| bid.institution != Some(**seat)));
            let free: Vec<_> = free.map(|(key, _)| *key).collect();
            let at = usize::try_from(choice).ok()? % free.len().max(1);
            Some((*free.get(at)?, Act::Bid { grant, parcels: name }))
        };
        match (told.proxy, told.delivered, told.disputed) {
            (None, ..) if told.bids.is_empty() || choice.is_multiple_of(2) => bid(&self.seats),
            (None, ..) => {
                let at = usize::try_from(choice).ok()? % told.bids.len();
                let institution = told.bids[at].institution?;
                let act = Act::Choice { grant, institution, rekey: name, parcel: name };
                Some((told.owner, act))
            }
            (Some((_, key)), None, _) => {
                let files = told.files.keys().map(|file| (*file, told.id)).collect();
                Some((key, Act::Delivery { grant, files }))
            }
            (_, Some((_, files)), None) => {
                let (record, delivery) = files.iter().next()?;
                let act = Act::Dispute { grant, record: *record, delivery: *delivery };
                Some((told.reader, act))
            }
            (.., Some(_)) => {
                let finding = if choice.is_multiple_of(2) { 1 } else { 2 };
                Some((told.owner, Act::Confirmation { grant, finding }))
            }
        }
    }

    /// Requests that wait, with who asked whom for what, for those who write histories.
    #[must_use]
    pub fn waiting(&self) -> Vec<(Bytes32, Bytes32, BTreeSet<Bytes32>)> {
        let waiting = self.open_requests().filter_map(|done| match &done.act {
            Act::Request { owner, records, .. } => Some((done.record, *owner, records.clone())),
            _ => None,
        });
        waiting.collect()
    }
}
