//! A request and what came of it: what those who share have to know of the acts between them.
//! [PRE-3] [PRE-4] [PRE-5] [PRE-7] [PRE-8]
//!
//! ```text
//! request -> grant -> bid .. choice -> delivery -> dispute -> confirmation       revocation, at any time
//! ```
//! A dealing is said as it stands at a height. Bids are part of it while the owner can choose among them, and
//! then that of the proxy alone; what is long over is none any more.

use std::collections::{BTreeMap, BTreeSet};

use super::question::Place;
use crate::access::{Delivered, Finding, Reading};
use crate::params::ACCESS;
use crate::types::{Digest, Height, InstitutionId, OwnerId, RecordId};

/// An act that had an effect: its record, and where that is booked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Step {
    /// The record that holds the act.
    pub id: RecordId,
    /// Where it is booked.
    pub place: Place,
}

/// A request and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dealing {
    /// The request.
    pub request: Step,
    /// Who is asked.
    pub owner: OwnerId,
    /// Who asks.
    pub reader: OwnerId,
    /// Name of the reader in what is made for it.
    pub reader_key: Digest,
    /// Digest of the parcel with the reader's offer.
    pub offer: Digest,
    /// What is asked for.
    pub records: BTreeSet<RecordId>,
    /// The answer.
    pub grant: Option<Granted>,
}

/// A grant and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    /// The grant.
    pub act: Step,
    /// Digest of the owner's lattice key.
    pub owner_key: Digest,
    /// Digest of what the owner approved, as the record of the grant names it.
    pub approvals: Option<Digest>,
    /// Last height at which it holds.
    pub until: Height,
    /// Digests of the approved capsules.
    pub files: BTreeMap<RecordId, Digest>,
    /// Who has bid.
    pub bids: BTreeMap<InstitutionId, Bidder>,
    /// Who was chosen.
    pub choice: Option<Chosen>,
    /// What was delivered.
    pub delivery: Option<Handed>,
    /// Where it was taken back.
    pub revocation: Option<Step>,
    /// Which delivery the reader disputes.
    pub dispute: Option<Disputed>,
    /// What the owner found about it.
    pub confirmation: Option<Confirmed>,
}

/// A bidder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bidder {
    /// The bid.
    pub act: Step,
    /// Key of the institution.
    pub key: OwnerId,
    /// Digest of the key that parcels to it are sealed to.
    pub parcels: Digest,
}

/// A proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chosen {
    /// The choice.
    pub act: Step,
    /// The institution.
    pub institution: InstitutionId,
    /// Its key.
    pub key: OwnerId,
    /// Digest of the re-encryption key.
    pub rekey: Digest,
    /// Digest of the parcel with it.
    pub parcel: Digest,
}

/// A delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handed {
    /// The delivery.
    pub act: Step,
    /// Digests of the signed deliveries.
    pub files: BTreeMap<RecordId, Digest>,
}

/// A dispute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disputed {
    /// The dispute.
    pub act: Step,
    /// The record whose delivery it is about.
    pub record: RecordId,
}

/// The end of a dispute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Confirmed {
    /// The confirmation.
    pub act: Step,
    /// What the owner found.
    pub finding: Finding,
}

/// What is held against a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// Its reader disputes it, and the owner may still answer.
    Disputed,
    /// Reader and owner say that it is wrong.
    Wrong,
}

impl Step {
    fn is_in(&self, at: Height) -> bool {
        self.place.height <= at
    }
}

impl Dealing {
    /// The dealing as it stands at a height; nothing before the request, and when it is so long over that nobody
    /// has to answer for it.
    #[must_use]
    pub fn at(&self, at: Height) -> Option<Self> {
        if !self.request.is_in(at) {
            return None;
        }
        let answered = self.grant.as_ref().filter(|grant| grant.act.is_in(at));
        let Some(grant) = answered.map(|grant| grant.at(at)) else {
            let gone = self.request.place.height.get().saturating_add(ACCESS.request_blocks);
            return (at.get() < gone).then(|| Self { grant: None, ..self.clone() });
        };
        let is_kept = at < grant.forgotten();
        is_kept.then(|| Self { grant: Some(grant), ..self.clone() })
    }

    /// Records of all its acts.
    pub fn acts(&self) -> impl Iterator<Item = Step> {
        let of_grant = self.grant.iter().flat_map(Granted::acts);
        std::iter::once(self.request).chain(of_grant)
    }

    /// What the reader may read at a height.
    pub fn readings(&self, at: Height) -> impl Iterator<Item = Reading> {
        let (reader, reader_key) = (self.reader, self.reader_key);
        let holding = self.grant.iter().filter(move |grant| grant.holds(at));
        holding.flat_map(move |grant| {
            let (until, is_delivered, by) = (grant.until, grant.delivery.is_some(), grant.act.id);
            grant.files.keys().map(move |&record| Reading {
                record,
                reader,
                reader_key,
                grant: by,
                until,
                is_delivered,
            })
        })
    }

    /// What is stored under the reader's key.
    pub fn deliveries(&self) -> impl Iterator<Item = Delivered> {
        let of_grant =
            self.grant.iter().filter_map(|it| Some((it, it.choice?, it.delivery.as_ref()?)));
        of_grant.flat_map(|(grant, proxy, handed)| {
            let (grant, owner, proxy) = (grant.act.id, self.owner, proxy.key);
            handed.files.iter().map(move |(&record, &delivery)| Delivered {
                grant,
                record,
                delivery,
                owner,
                proxy,
            })
        })
    }
}

impl Granted {
    /// Whether it holds at a height.
    #[must_use]
    pub fn holds(&self, at: Height) -> bool {
        at <= self.until && self.revocation.is_none_or(|revoked| at < revoked.place.height)
    }

    /// What is held against the delivery at a height; a dispute that nobody confirmed in time leaves it without fault.
    #[must_use]
    pub fn blame(&self, at: Height) -> Option<Blame> {
        let dispute = self.dispute?;
        match self.confirmation.map(|confirmed| confirmed.finding) {
            Some(Finding::Wrong) => Some(Blame::Wrong),
            Some(Finding::Sound) => None,
            None => {
                let last = dispute.act.place.height.get().saturating_add(ACCESS.confirm_blocks);
                (at.get() <= last).then_some(Blame::Disputed)
            }
        }
    }

    /// Height of the revocation.
    #[must_use]
    pub fn revoked(&self) -> Option<Height> {
        self.revocation.map(|act| act.place.height)
    }

    /// First height at which nothing of it can be disputed or confirmed any more.
    fn forgotten(&self) -> Height {
        let blocks = ACCESS.dispute_blocks.saturating_add(ACCESS.confirm_blocks).saturating_add(1);
        Height::new(self.revoked().unwrap_or(self.until).get().saturating_add(blocks))
    }

    fn at(&self, at: Height) -> Self {
        let mut grant = self.clone();
        grant.revocation = grant.revocation.filter(|act| act.is_in(at));
        grant.choice = grant.choice.filter(|chosen| chosen.act.is_in(at));
        grant.delivery = grant.delivery.filter(|handed| handed.act.is_in(at));
        grant.dispute = grant.dispute.filter(|disputed| disputed.act.is_in(at));
        grant.confirmation = grant.confirmation.filter(|confirmed| confirmed.act.is_in(at));
        let (proxy, can_choose) = (grant.choice.map(|chosen| chosen.institution), grant.holds(at));
        grant.bids.retain(|institution, bidder| match proxy {
            Some(proxy) => proxy == *institution,
            None => can_choose && bidder.act.is_in(at),
        });
        grant
    }

    fn acts(&self) -> impl Iterator<Item = Step> {
        let of_bids = self.bids.values().map(|bidder| bidder.act);
        let later = [
            self.choice.map(|chosen| chosen.act),
            self.delivery.as_ref().map(|handed| handed.act),
            self.revocation,
            self.dispute.map(|disputed| disputed.act),
            self.confirmation.map(|confirmed| confirmed.act),
        ];
        std::iter::once(self.act).chain(of_bids).chain(later.into_iter().flatten())
    }
}
