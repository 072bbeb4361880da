//! Everything that the chain says about sharing: dealings and declared keys, by whom they concern. What a full
//! client looks up, what a light client computes from proven acts, what people and proxies go by; one and the
//! same. [CLI-4] [PRE-3] [PRE-4] [PRE-5] [PRE-7] [PRE-8]
//!
//! [`Access`] says which acts have an effect; here is kept what these acts name. Plain data: equal chains give
//! equal values. It holds one entry a request and a declaration for ever, as a store holds every record.

use std::collections::{BTreeMap, BTreeSet};

use super::dealing::{Bidder, Chosen, Confirmed, Dealing, Disputed, Granted, Handed, Step};
use super::question::Place;
use crate::access::{
    Access, AccessError, Act, Delivered, KeyRecord, Permit, Refusal, Registry, approvals_of,
};
use crate::ledger::{Item, Metadata};
use crate::roster::Committees;
use crate::types::{Digest, Height, InstitutionId, OwnerId, RecordId};

/// All dealings, and all keys.
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
    /// Everything that somebody has declared.
    keys: BTreeMap<OwnerId, BTreeMap<Place, Declared>>,
}

/// Keys, and the record that declares them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Declared {
    /// The record.
    pub act: Step,
    /// The keys.
    pub keys: KeyRecord,
}

/// What an act may ask about the chain.
struct Standing<'a, F> {
    earlier: &'a BTreeMap<RecordId, OwnerId>,
    booked_below: &'a F,
    committees: &'a Committees,
    height: Height,
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
        self.reach(height);
        let mut earlier = BTreeMap::new();
        for (item, held) in (0..).zip(items) {
            for (index, envelope) in (0..).zip(held.records.iter()) {
                let record = &envelope.record;
                let (signer, metadata) = (*record.owner(), record.metadata());
                let step = Step { id: record.id(), place: Place { height, item, index } };
                if let Some(Ok(keys)) = KeyRecord::of_record(record) {
                    self.declare(step, signer, keys);
                }
                if let Some(Ok(act)) = Act::of_record(record) {
                    let standing =
                        Standing { earlier: &earlier, booked_below: &booked, committees, height };
                    // Without effect it changes nothing here either.
                    let _ = self.take(step, (&signer, metadata), act, &standing);
                }
                earlier.insert(step.id, signer);
            }
        }
    }

    /// Reaches the height of the next block.
    pub(super) fn reach(&mut self, height: Height) {
        self.access.advance(height);
    }

    /// Takes in the keys that a booked record declares.
    pub(super) fn declare(&mut self, act: Step, owner: OwnerId, keys: KeyRecord) {
        self.keys.entry(owner).or_default().insert(act.place, Declared { act, keys });
    }

    /// Takes in the act of a booked record of the height that was reached, with its signer and metadata.
    pub(super) fn take(
        &mut self,
        step: Step,
        (signer, metadata): (&OwnerId, &Metadata),
        act: Act,
        registry: &impl Registry,
    ) -> Result<(), AccessError> {
        self.access.apply(step.id, signer, &act, registry)?;
        match act {
            Act::Request(act) => {
                let (owner, reader_key, offer) = (act.owner, act.reader_key, act.offer);
                let (records, reader, grant) = ((*act.records).clone(), *signer, None);
                let dealing =
                    Dealing { request: step, owner, reader, reader_key, offer, records, grant };
                self.dealings.insert(step.id, dealing);
                for person in [owner, *signer] {
                    self.of_person.entry(person).or_default().insert(step.id);
                }
            }
            Act::Grant(act) => {
                if let Some(dealing) = self.dealings.get_mut(&act.request) {
                    dealing.grant = Some(Granted {
                        act: step,
                        owner_key: act.owner_key,
                        approvals: approvals_of(metadata),
                        until: act.until,
                        files: (*act.files).clone(),
                        bids: BTreeMap::new(),
                        choice: None,
                        delivery: None,
                        revocation: None,
                        dispute: None,
                        confirmation: None,
                    });
                    self.requests.insert(step.id, act.request);
                }
            }
            Act::Bid(act) => {
                let bidder = Bidder { act: step, key: *signer, parcels: act.parcels };
                let institution = registry.institution_of(signer);
                if let Some((institution, granted)) = institution.zip(self.granted(&act.grant)) {
                    granted.bids.insert(institution, bidder);
                }
            }
            Act::Choice(act) => {
                let Some(granted) = self.granted(&act.grant) else { return Ok(()) };
                let Some(bidder) = granted.bids.get(&act.institution) else { return Ok(()) };
                let (institution, key) = (act.institution, bidder.key);
                let (rekey, parcel) = (act.rekey, act.parcel);
                granted.choice = Some(Chosen { act: step, institution, key, rekey, parcel });
                self.duties.entry(key).or_default().insert(act.grant);
            }
            Act::Delivery(act) => {
                if let Some(granted) = self.granted(&act.grant) {
                    granted.delivery = Some(Handed { act: step, files: (*act.files).clone() });
                    self.relieve(&act.grant);
                }
            }
            Act::Revocation(act) => {
                if let Some(granted) = self.granted(&act.grant) {
                    granted.revocation = Some(step);
                    self.relieve(&act.grant);
                }
            }
            Act::Dispute(act) => {
                if let Some(granted) = self.granted(&act.grant) {
                    granted.dispute = Some(Disputed { act: step, record: act.record });
                }
            }
            Act::Confirmation(act) => {
                if let Some(granted) = self.granted(&act.grant) {
                    granted.confirmation = Some(Confirmed { act: step, finding: act.finding });
                }
            }
        }
        Ok(())
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

    /// The keys that somebody has declared last up to a height.
    //= harness/spec/reencryption.md#pre-3-request-and-grant
    //# PRE-3.11 (ours): A key record MUST be drawn as under Keys and capsules in the vault, inline in a
    //# record of its media type and resource type, and holds until its owner books another.
    #[must_use]
    pub fn keys_of(&self, owner: &OwnerId, at: Height) -> Option<&Declared> {
        let end = Place { height: at, item: u16::MAX, index: u8::MAX };
        self.keys.get(owner)?.range(..=end).next_back().map(|(_, declared)| declared)
    }

    /// A dealing, by its request or its grant, with everything that is known of it.
    #[must_use]
    pub fn dealing(&self, id: &RecordId) -> Option<&Dealing> {
        self.dealings.get(self.requests.get(id).unwrap_or(id))
    }

    /// Dealings of somebody, as owner or as reader, with everything that is known of them.
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

    /// Nothing is to be delivered under a grant any more.
    fn relieve(&mut self, grant: &RecordId) {
        let proxy = self.granted(grant).and_then(|granted| granted.choice);
        let Some(proxy) = proxy.map(|chosen| chosen.key) else { return };
        let Some(grants) = self.duties.get_mut(&proxy) else { return };
        grants.remove(grant);
        if grants.is_empty() {
            self.duties.remove(&proxy);
        }
    }

    fn granted(&mut self, grant: &RecordId) -> Option<&mut Granted> {
        self.dealings.get_mut(self.requests.get(grant)?)?.grant.as_mut()
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{
        Bid, Choice, Confirmation, Delivery, Dispute, Files, Finding, Grant, Records, Request,
        Revocation,
    };
    use crate::ledger::{MediaType, ResourceType};
    use crate::params::ACCESS;
    use crate::types::Timestamp;

    const OWNER: OwnerId = OwnerId::new([1; 32]);
    const READER: OwnerId = OwnerId::new([2; 32]);
    const PROXY: OwnerId = OwnerId::new([3; 32]);
    const FILE: RecordId = RecordId::new([9; 32]);
    const DIGEST: Digest = Digest::new([7; 32]);

    /// One record, one institution.
    struct Chain;

    impl Registry for Chain {
        fn institution_of(&self, key: &OwnerId) -> Option<InstitutionId> {
            (*key == PROXY).then_some(InstitutionId::new(5))
        }

        fn owner_of(&self, record: &RecordId) -> Option<OwnerId> {
            (*record == FILE).then_some(OWNER)
        }
    }

    /// A register into which acts go, each at a height of its own.
    #[derive(Clone, Default)]
    struct Told {
        register: Register,
        acts: u8,
    }

    impl Told {
        fn tell(&mut self, height: u64, by: OwnerId, act: Act) -> RecordId {
            self.acts += 1;
            let place = Place { height: Height::new(height), item: 0, index: self.acts };
            let step = Step { id: RecordId::new([100 + self.acts; 32]), place };
            let kind = ResourceType::new("Task").unwrap();
            let media = MediaType::new("text/plain").unwrap();
            let metadata = Metadata::new(kind, media, Timestamp::new(1_200_000), 1);
            self.register.reach(place.height);
            self.register.take(step, (&by, &metadata), act, &Chain).unwrap();
            step.id
        }

        fn request(&mut self, height: u64) -> RecordId {
            let records = Records::new([FILE].into()).unwrap();
            let (reader_key, offer) = (DIGEST, DIGEST);
            let request = Request { owner: OWNER, reader_key, offer, records };
            self.tell(height, READER, Act::Request(request))
        }

        fn grant(&mut self, height: u64, request: RecordId, until: u64) -> RecordId {
            let (owner_key, until) = (DIGEST, Height::new(until));
            self.tell(
                height,
                OWNER,
                Act::Grant(Grant { request, owner_key, until, files: files() }),
            )
        }

        /// What the machine says, and what the dealing says, at a height.
        fn at(&self, id: &RecordId, height: u64) -> (bool, usize, Option<Dealing>) {
            let (mut later, height) = (self.register.clone(), Height::new(height));
            later.reach(height);
            let access = later.access();
            let is_asked = access.requests_to(&OWNER).any(|request| request == id);
            let is_known = is_asked || access.grant_owner(id).is_some();
            let dealing = self.register.dealing(id).unwrap().at(height);
            (is_known, access.readings_of(&OWNER).count(), dealing)
        }
    }

    fn files() -> Files {
        Files::new([(FILE, DIGEST)].into()).unwrap()
    }

    #[test]
    fn a_dealing_is_said_as_long_as_somebody_may_have_to_answer_for_it() {
        let mut told = Told::default();
        let waiting = told.request(10);
        let request = told.request(11);
        let gone = 10 + ACCESS.request_blocks;
        for (height, expected) in [(9, false), (10, true), (gone - 1, true), (gone, false)] {
            let (is_known, _, dealing) = told.at(&waiting, height);
            // Before its height the machine is asked nothing.
            assert_eq!(
                (is_known || height == 9, dealing.is_some()),
                (expected || height == 9, expected)
            );
        }
        let grant = told.grant(20, request, 60);
        let kept = ACCESS.dispute_blocks + ACCESS.confirm_blocks;
        for (height, readings, expected) in [
            (20, 1, true),
            (60, 1, true),
            (61, 0, true),
            (60 + kept, 0, true),
            (61 + kept, 0, false),
        ] {
            let (is_known, read, dealing) = told.at(&grant, height);
            assert_eq!(
                (is_known, read, dealing.is_some()),
                (expected, readings, expected),
                "{height}"
            );
            let found = dealing.map_or(0, |it| it.readings(Height::new(height)).count());
            assert_eq!(found, readings, "{height}");
        }
        assert_eq!(told.at(&request, 19).2.unwrap().grant, None);
        let mut revoked = told.clone();
        revoked.tell(30, OWNER, Act::Revocation(Revocation { grant }));
        for (height, expected) in [(29, true), (30, true), (30 + kept, true), (31 + kept, false)] {
            let (is_known, read, dealing) = revoked.at(&grant, height);
            assert_eq!(
                (is_known || height == 29, dealing.is_some()),
                (expected, expected),
                "{height}"
            );
            assert_eq!(read, 0, "the machine is beyond the revocation");
            let found = dealing.map_or(0, |it| it.readings(Height::new(height)).count());
            assert_eq!(found, usize::from(height < 30));
        }
    }

    #[test]
    fn a_dealing_at_a_height_has_what_was_booked_by_then_and_the_bids_that_matter() {
        let mut told = Told::default();
        let request = told.request(1);
        let grant = told.grant(2, request, 100);
        let institution = InstitutionId::new(5);
        told.tell(3, PROXY, Act::Bid(Bid { grant, parcels: DIGEST }));
        let unchosen = told.clone();
        let choice = Choice { grant, institution, rekey: DIGEST, parcel: DIGEST };
        told.tell(4, OWNER, Act::Choice(choice));
        assert_eq!(told.register.duties(&PROXY).count(), 1);
        told.tell(5, PROXY, Act::Delivery(Delivery { grant, files: files() }));
        assert_eq!(told.register.duties(&PROXY).count(), 0);
        told.tell(6, READER, Act::Dispute(Dispute { grant, record: FILE, delivery: DIGEST }));
        let finding = Finding::Wrong;
        told.tell(7, OWNER, Act::Confirmation(Confirmation { grant, finding }));
        told.tell(8, OWNER, Act::Revocation(Revocation { grant }));
        for height in 1..=9 {
            let dealing = told.at(&grant, height).2.unwrap();
            let acts: Vec<u64> = dealing.acts().map(|act| act.place.height.get()).collect();
            assert_eq!(acts.len() as u64, height.min(8), "{height}: one act a height");
            assert!(acts.iter().all(|of| *of <= height), "{height}: {acts:?}");
            assert_eq!(dealing.deliveries().count(), usize::from(height >= 5));
        }
        let bids = |height| unchosen.at(&grant, height).2.unwrap().grant.unwrap().bids.len();
        assert_eq!(
            [2, 3, 100, 101].map(bids),
            [0, 1, 1, 0],
            "who can choose no more needs no bids"
        );
    }
}
