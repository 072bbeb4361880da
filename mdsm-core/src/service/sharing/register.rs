//! Everything that the chain says about sharing, with what those who share have to know of it. Pure.
//! [PRE-3] [PRE-4] [PRE-5] [PRE-7] [PRE-8]
//!
//! [`Access`] says which acts have an effect; here is kept what these acts name. Plain data: equal chains give
//! equal values. One entry for each request, for ever.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::access::{Access, Act, Delivered, Finding, KeyRecord, Permit, Refusal, Registry};
use crate::ledger::Item;
use crate::roster::Committees;
use crate::types::{Digest, Height, InstitutionId, OwnerId, RecordId};

/// A request and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dealing {
    /// The request.
    pub request: RecordId,
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Granted {
    /// The grant.
    pub id: RecordId,
    /// Digest of the owner's lattice key.
    pub owner_key: Digest,
    /// Last height at which it holds.
    pub until: Height,
    /// Height of its revocation.
    pub revoked: Option<Height>,
    /// Digests of the approved capsules.
    pub files: BTreeMap<RecordId, Digest>,
    /// Who has bid.
    pub bids: BTreeMap<InstitutionId, Bidder>,
    /// Who was chosen.
    pub choice: Option<Chosen>,
    /// Digests of the signed deliveries.
    pub delivery: Option<BTreeMap<RecordId, Digest>>,
    /// The record whose delivery the reader disputes.
    pub disputed: Option<RecordId>,
    /// What the owner found: whether the delivery is wrong.
    pub is_wrong: Option<bool>,
}

/// A bidder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bidder {
    /// Its key.
    pub key: OwnerId,
    /// Digest of the key that parcels to it are sealed to.
    pub parcels: Digest,
}

/// A proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chosen {
    /// The record of the choice.
    pub record: RecordId,
    /// The institution.
    pub institution: InstitutionId,
    /// Its key.
    pub key: OwnerId,
    /// Digest of the re-encryption key.
    pub rekey: Digest,
    /// Digest of the parcel with it.
    pub parcel: Digest,
}

impl Granted {
    /// Whether it holds at a height.
    #[must_use]
    pub fn holds(&self, height: Height) -> bool {
        height <= self.until && self.revoked.is_none_or(|revoked| height < revoked)
    }
}

/// All dealings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Register {
    access: Access,
    dealings: BTreeMap<RecordId, Dealing>,
    /// Request that each grant answers.
    requests: BTreeMap<RecordId, RecordId>,
    /// Requests of each owner and of each reader.
    of_person: BTreeMap<OwnerId, BTreeSet<RecordId>>,
    /// Grants that wait for the delivery of a key's holder.
    duties: BTreeMap<OwnerId, BTreeSet<RecordId>>,
    /// Keys declared last.
    keys: BTreeMap<OwnerId, KeyRecord>,
}

/// What an act may ask about the chain.
struct Standing<'a, F> {
    earlier: &'a BTreeMap<RecordId, OwnerId>,
    booked_below: &'a F,
    committees: &'a Committees,
    height: Height,
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

impl Register {
    /// Takes in a final block, in the order of heights. `committees` are those of its epoch; `booked` gives
    /// owner and height of a booked record, of this block or of others.
    pub fn book<'a>(
        &mut self,
        height: Height,
        items: impl IntoIterator<Item = &'a Item>,
        committees: &Committees,
        booked: impl Fn(&RecordId) -> Option<(OwnerId, Height)>,
    ) {
        self.access.advance(height);
        let mut earlier = BTreeMap::new();
        let envelopes = items.into_iter().flat_map(|item| item.records.iter());
        for envelope in envelopes {
            let record = &envelope.record;
            let (id, signer) = (record.id(), *record.owner());
            if let Some(Ok(keys)) = KeyRecord::of_record(record) {
                self.keys.insert(signer, keys);
            }
            if let Some(Ok(act)) = Act::of_record(record) {
                let standing =
                    Standing { earlier: &earlier, booked_below: &booked, committees, height };
                if self.access.apply(id, &signer, &act, &standing).is_ok() {
                    self.remember(id, signer, act, committees);
                }
            }
            earlier.insert(id, signer);
        }
    }

    /// Height of the last block taken in.
    #[must_use]
    pub fn height(&self) -> Height {
        self.access.height()
    }

    /// The machine of acts.
    #[must_use]
    pub fn access(&self) -> &Access {
        &self.access
    }

    /// Keys that somebody has declared last.
    #[must_use]
    pub fn keys_of(&self, owner: &OwnerId) -> Option<KeyRecord> {
        self.keys.get(owner).copied()
    }

    /// A dealing, by its request or its grant.
    #[must_use]
    pub fn dealing(&self, id: &RecordId) -> Option<&Dealing> {
        self.dealings.get(self.requests.get(id).unwrap_or(id))
    }

    /// Dealings of somebody, as owner or as reader.
    pub fn dealings_of(&self, person: &OwnerId) -> impl Iterator<Item = &Dealing> {
        let requests = self.of_person.get(person).into_iter().flatten();
        requests.filter_map(|request| self.dealings.get(request))
    }

    /// Grants that wait for bids.
    pub fn bidding(&self) -> impl Iterator<Item = &Dealing> {
        self.access.bidding().filter_map(|grant| self.dealing(grant))
    }

    /// Grants that hold and wait for the delivery of a key's holder.
    pub fn duties(&self, key: &OwnerId) -> impl Iterator<Item = &Dealing> {
        let grants = self.duties.get(key).into_iter().flatten();
        let dealings = grants.filter_map(|grant| self.dealing(grant));
        let height = self.height();
        dealings.filter(move |dealing| dealing.grant.as_ref().is_some_and(|it| it.holds(height)))
    }

    /// What is stored under a reader's key.
    //= harness/spec/database.md#ddb-3-finding
    //# DDB-3.2 (paper): Re-encrypted data MUST be found by the public key of its reader.
    pub fn deliveries_for(&self, reader_key: &Digest) -> impl Iterator<Item = Delivered> {
        self.access.deliveries_for(reader_key)
    }

    /// Whether the holder of a key may re-encrypt a record's capsule now.
    pub fn permit(
        &self,
        grant: &RecordId,
        record: &RecordId,
        key: &OwnerId,
    ) -> Result<Permit, Refusal> {
        self.access.permit(grant, record, key)
    }

    fn remember(&mut self, id: RecordId, signer: OwnerId, act: Act, committees: &Committees) {
        match act {
            Act::Request(act) => {
                let (owner, reader_key, offer) = (act.owner, act.reader_key, act.offer);
                let records = (*act.records).clone();
                let (request, reader, grant) = (id, signer, None);
                let dealing = Dealing { request, owner, reader, reader_key, offer, records, grant };
                self.dealings.insert(id, dealing);
                for person in [owner, signer] {
                    self.of_person.entry(person).or_default().insert(id);
                }
            }
            Act::Grant(act) => {
                let Some(dealing) = self.dealings.get_mut(&act.request) else { return };
                dealing.grant = Some(Granted {
                    id,
                    owner_key: act.owner_key,
                    until: act.until,
                    revoked: None,
                    files: (*act.files).clone(),
                    bids: BTreeMap::new(),
                    choice: None,
                    delivery: None,
                    disputed: None,
                    is_wrong: None,
                });
                self.requests.insert(id, act.request);
            }
            Act::Bid(act) => {
                let mut seats = committees.electorate();
                let Some(seat) = seats.find(|seat| seat.key == signer) else { return };
                let bidder = Bidder { key: signer, parcels: act.parcels };
                let Some(granted) = self.granted(&act.grant) else { return };
                granted.bids.insert(seat.institution, bidder);
            }
            Act::Choice(act) => {
                let Some(granted) = self.granted(&act.grant) else { return };
                let Some(bidder) = granted.bids.get(&act.institution) else { return };
                let (record, institution, key) = (id, act.institution, bidder.key);
                let (rekey, parcel) = (act.rekey, act.parcel);
                granted.choice = Some(Chosen { record, institution, key, rekey, parcel });
                self.duties.entry(key).or_default().insert(act.grant);
            }
            Act::Delivery(act) => {
                let Some(granted) = self.granted(&act.grant) else { return };
                granted.delivery = Some((*act.files).clone());
                self.relieve(&signer, &act.grant);
            }
            Act::Revocation(act) => {
                let height = self.height();
                let Some(granted) = self.granted(&act.grant) else { return };
                granted.revoked = Some(height);
                if let Some(proxy) = granted.choice {
                    self.relieve(&proxy.key, &act.grant);
                }
            }
            Act::Dispute(act) => {
                let Some(granted) = self.granted(&act.grant) else { return };
                granted.disputed = Some(act.record);
            }
            Act::Confirmation(act) => {
                let Some(granted) = self.granted(&act.grant) else { return };
                granted.is_wrong = Some(act.finding == Finding::Wrong);
            }
        }
    }

    fn relieve(&mut self, key: &OwnerId, grant: &RecordId) {
        let Some(grants) = self.duties.get_mut(key) else { return };
        grants.remove(grant);
        if grants.is_empty() {
            self.duties.remove(key);
        }
    }

    fn granted(&mut self, grant: &RecordId) -> Option<&mut Granted> {
        self.dealings.get_mut(self.requests.get(grant)?)?.grant.as_mut()
    }
}
