//! What each act needs, and what it changes. [PRE-3] [PRE-4] [PRE-5] [PRE-7] [PRE-8]
//!
//! Each function checks everything first and changes the machine last, so that a refused act leaves
//! no trace.

use std::collections::BTreeMap;

use super::act::{
    Act, Bid, Choice, Confirmation, Delivery, Dispute, Finding, Grant, Request, Revocation,
};
use super::error::AccessError;
use super::event::AccessEvent;
use super::state::{Access, Bidder, Deadline, Granted, Proxy, Registry, Requested, Stage, later};
use crate::types::{OwnerId, RecordId};

/// Where an act comes from: the record that holds it and the owner who signed that.
#[derive(Clone, Copy)]
struct Origin<'a> {
    record: RecordId,
    signer: &'a OwnerId,
}

impl Origin<'_> {
    fn is_from(self, expected: &OwnerId) -> Result<(), AccessError> {
        if self.signer == expected {
            return Ok(());
        }
        Err(AccessError::AnotherSigner { signer: *self.signer, expected: *expected })
    }
}

impl Access {
    /// Applies the act of a booked record of the block whose height was reached by
    /// [`Access::advance`]. `signer` is the record's owner, whose signature was checked when the
    /// record was booked.
    ///
    /// # Errors
    /// When the act is not the signer's to do, or not now. The machine is then as it was.
    pub fn apply(
        &mut self,
        record: RecordId,
        signer: &OwnerId,
        act: &Act,
        registry: &impl Registry,
    ) -> Result<AccessEvent, AccessError> {
        //= harness/spec/reencryption.md#pre-3-request-and-grant
        //# PRE-3.8 (ours): An act that comes out of order, or from another key than the one whose act
        //# it is, MUST have no effect.
        let origin = Origin { record, signer };
        match act {
            Act::Request(act) => self.request(origin, act, registry),
            Act::Grant(act) => self.grant(origin, act),
            Act::Bid(act) => self.bid(origin, act, registry),
            Act::Choice(act) => self.choose(origin, act, registry),
            Act::Delivery(act) => self.deliver(origin, act),
            Act::Revocation(act) => self.revoke(origin, act),
            Act::Dispute(act) => self.dispute(origin, act),
            Act::Confirmation(act) => self.confirm(origin, act),
        }
    }

    //= harness/spec/reencryption.md#pre-3-request-and-grant
    //# PRE-3.1 (paper): A reader MUST be able to ask an owner for a part of the owner's records.
    fn request(
        &mut self,
        Origin { record: request, signer }: Origin<'_>,
        act: &Request,
        registry: &impl Registry,
    ) -> Result<AccessEvent, AccessError> {
        self.check_new(request)?;
        let (reader, owner) = (*signer, act.owner);
        if let Some(record) = act.records.iter().find(|id| registry.owner_of(id) != Some(owner)) {
            return Err(AccessError::NotOwned { record: *record, owner });
        }
        //= harness/spec/reencryption.md#pre-3-request-and-grant
        //# PRE-3.9 (ours): A request or grant MUST be refused when its signer has as many open as
        //# section Access records allows.
        let requests_max = self.limits.requests_max;
        if self.by_asker.is_full(&reader, requests_max) {
            return Err(AccessError::TooManyRequests { requests_max });
        }
        let gone = later(self.height, self.limits.request_blocks);
        let (reader_key, records) = (act.reader_key, act.records.clone());
        self.requests.insert(request, Requested { reader, owner, reader_key, records, gone });
        self.by_asker.put(reader, request);
        self.by_asked.put(owner, request);
        self.deadlines.insert((gone, Deadline::Request(request)));
        Ok(AccessEvent::Requested { request, reader, owner })
    }

    fn grant(&mut self, origin: Origin<'_>, act: &Grant) -> Result<AccessEvent, AccessError> {
        let grant = origin.record;
        self.check_new(grant)?;
        let unknown = AccessError::UnknownRequest { request: act.request };
        let requested = self.requests.get(&act.request).ok_or(unknown)?;
        origin.is_from(&requested.owner)?;
        if let Some(record) = act.files.keys().find(|id| !requested.records.contains(*id)) {
            return Err(AccessError::NotRequested { record: *record });
        }
        let (after, until_max) = (self.height, later(self.height, self.limits.grant_blocks));
        if act.until <= after || act.until > until_max {
            return Err(AccessError::Until { until: act.until, after, until_max });
        }
        //= harness/spec/reencryption.md#pre-3-request-and-grant
        //# PRE-3.9 (ours): A request or grant MUST be refused when its signer has as many open as
        //# section Access records allows.
        let grants_max = self.limits.grants_max;
        if self.by_owner.is_full(origin.signer, grants_max) {
            return Err(AccessError::TooManyGrants { grants_max });
        }
        let Some(Requested { reader, owner, reader_key, .. }) = self.remove_request(&act.request)
        else {
            return Err(unknown);
        };
        let (owner_key, until, files) = (act.owner_key, act.until, act.files.clone());
        let (revoked, stage) = (None, Stage::Bidding(BTreeMap::new()));
        let granted =
            Granted { owner, reader, owner_key, reader_key, until, files, revoked, stage };
        self.grants.insert(grant, granted);
        self.by_owner.put(owner, grant);
        self.bidding.insert(grant);
        self.deadlines.insert((later(until, 1), Deadline::Grant(grant)));
        self.deadlines.insert((self.forgotten(until), Deadline::Forget(grant)));
        Ok(AccessEvent::Granted { grant, owner, reader })
    }

    //= harness/spec/reencryption.md#pre-4-competition
    //# PRE-4.1 (paper): Producers and auditors MUST be able to bid for a re-encryption.
    fn bid(
        &mut self,
        Origin { signer, .. }: Origin<'_>,
        act: &Bid,
        registry: &impl Registry,
    ) -> Result<AccessEvent, AccessError> {
        let (height, bids_max) = (self.height, self.limits.bids_max);
        let granted = self.grant_mut(&act.grant)?;
        granted.check_holds(height)?;
        let Some(institution) = registry.institution_of(signer) else {
            return Err(AccessError::NoMember { signer: *signer });
        };
        //= harness/spec/reencryption.md#pre-4-competition
        //# PRE-4.4 (ours): A bid by the owner or by the reader of the grant MUST be refused.
        if [&granted.owner, &granted.reader].contains(&signer) {
            return Err(AccessError::Party { signer: *signer });
        }
        let bids = match &mut granted.stage {
            Stage::Bidding(bids) => bids,
            other => return Err(already_chosen(other)),
        };
        if bids.contains_key(&institution) {
            return Err(AccessError::AlreadyBid { institution });
        }
        if u32::try_from(bids.len()).is_ok_and(|count| count >= bids_max) {
            return Err(AccessError::TooManyBids { bids_max });
        }
        bids.insert(institution, Bidder { key: *signer, parcels: act.parcels });
        Ok(AccessEvent::Bid { grant: act.grant, institution })
    }

    //= harness/spec/reencryption.md#pre-4-competition
    //# PRE-4.2 (paper): The owner MUST choose one of the bidders and send the re-encryption key to
    //# that one.
    fn choose(
        &mut self,
        origin: Origin<'_>,
        act: &Choice,
        registry: &impl Registry,
    ) -> Result<AccessEvent, AccessError> {
        let height = self.height;
        let granted = self.grant_mut(&act.grant)?;
        origin.is_from(&granted.owner)?;
        granted.check_holds(height)?;
        let bids = match &granted.stage {
            Stage::Bidding(bids) => bids,
            other => return Err(already_chosen(other)),
        };
        let institution = act.institution;
        //= harness/spec/reencryption.md#pre-4-competition
        //# PRE-4.3 (ours): A choice MUST be refused when it names an institution that has not bid.
        let bidder = bids.get(&institution).ok_or(AccessError::NoBid { institution })?;
        // Whoever lost its seat for fraud since it bid should not get the key.
        if registry.institution_of(&bidder.key) != Some(institution) {
            return Err(AccessError::LostSeat { institution });
        }
        let (key, rekey, parcel) = (bidder.key, act.rekey, act.parcel);
        granted.stage = Stage::Chosen(Proxy { institution, key, rekey, parcel });
        self.bidding.remove(&act.grant);
        Ok(AccessEvent::Chosen { grant: act.grant, institution })
    }

    fn deliver(&mut self, origin: Origin<'_>, act: &Delivery) -> Result<AccessEvent, AccessError> {
        let (height, dispute_blocks) = (self.height, self.limits.dispute_blocks);
        let granted = self.grant_mut(&act.grant)?;
        let proxy = *granted.stage.proxy().ok_or(AccessError::NotChosen)?;
        origin.is_from(&proxy.key)?;
        granted.check_holds(height)?;
        let Stage::Chosen(_) = granted.stage else { return Err(AccessError::AlreadyDelivered) };
        if !act.files.keys().eq(granted.files.keys()) {
            let granted = u64::try_from(granted.files.len()).expect("at most 64");
            return Err(AccessError::OtherFiles { granted });
        }
        let (institution, reader_key) = (proxy.institution, granted.reader_key);
        let (files, until) = (act.files.clone(), later(height, dispute_blocks));
        granted.stage = Stage::Delivered { proxy, files, until };
        //= harness/spec/reencryption.md#pre-5-re-encryption
        //# PRE-5.1 (paper): The proxy MUST store the re-encrypted data under the reader's public key.
        self.by_reader.put(reader_key, act.grant);
        Ok(AccessEvent::Delivered { grant: act.grant, institution, reader_key })
    }

    //= harness/spec/reencryption.md#pre-7-revocation
    //# PRE-7.1 (paper): The owner MUST be able to revoke a grant.
    fn revoke(&mut self, origin: Origin<'_>, act: &Revocation) -> Result<AccessEvent, AccessError> {
        let (height, grant) = (self.height, act.grant);
        let granted = self.grant_mut(&grant)?;
        origin.is_from(&granted.owner)?;
        granted.check_holds(height)?;
        granted.revoked = Some(height);
        let institution = granted.stage.proxy().map(|proxy| proxy.institution);
        let until = granted.until;
        self.bidding.remove(&grant);
        self.deadlines.remove(&(later(until, 1), Deadline::Grant(grant)));
        self.deadlines.remove(&(self.forgotten(until), Deadline::Forget(grant)));
        self.deadlines.insert((self.forgotten(height), Deadline::Forget(grant)));
        Ok(AccessEvent::Revoked { grant, institution })
    }

    /// A dispute outlives the grant: what was delivered before has to be answered for.
    fn dispute(&mut self, origin: Origin<'_>, act: &Dispute) -> Result<AccessEvent, AccessError> {
        let (height, confirm_blocks) = (self.height, self.limits.confirm_blocks);
        let granted = self.grant_mut(&act.grant)?;
        origin.is_from(&granted.reader)?;
        //= harness/spec/reencryption.md#pre-8-wrong-re-encryption
        //# PRE-8.4 (ours): A dispute over a delivery that was disputed before MUST have no effect.
        let (proxy, files, until) = match &granted.stage {
            Stage::Bidding(_) | Stage::Chosen(_) => return Err(AccessError::NotDelivered),
            Stage::Delivered { proxy, files, until } => (*proxy, files, *until),
            Stage::Disputed { .. } | Stage::Settled { .. } => {
                return Err(AccessError::AlreadyDisputed);
            }
        };
        if height > until {
            return Err(AccessError::TooLate { until });
        }
        let Dispute { record, delivery, .. } = *act;
        if files.get(&record) != Some(&delivery) {
            return Err(AccessError::AnotherDelivery { record, delivery });
        }
        let (files, until) = (files.clone(), later(height, confirm_blocks));
        granted.stage = Stage::Disputed { proxy, files, record, until };
        self.deadlines.insert((later(until, 1), Deadline::Dispute(act.grant)));
        Ok(AccessEvent::Disputed { grant: act.grant, institution: proxy.institution })
    }

    fn confirm(
        &mut self,
        origin: Origin<'_>,
        act: &Confirmation,
    ) -> Result<AccessEvent, AccessError> {
        let grant = act.grant;
        origin.is_from(&self.grant_mut(&grant)?.owner)?;
        let is_wrong = act.finding == Finding::Wrong;
        let settled = self.settle(&grant, is_wrong).ok_or(AccessError::NotDisputed)?;
        let (Proxy { institution, .. }, record, delivery) = settled;
        if !is_wrong {
            return Ok(AccessEvent::Cleared { institution, grant });
        }
        //= harness/spec/reencryption.md#pre-8-wrong-re-encryption
        //# PRE-8.3 (ours): A signed delivery that does not decrypt to the original capsule MUST count
        //# as evidence against its proxy once reader and owner have shown it.
        let wrong = self.wrong.entry(institution).or_default();
        *wrong = wrong.saturating_add(1);
        Ok(AccessEvent::WrongDelivery { institution, grant, record, delivery })
    }

    /// The chain books no record twice; a caller that applies one twice is told so.
    fn check_new(&self, record: RecordId) -> Result<(), AccessError> {
        if self.requests.contains_key(&record) || self.grants.contains_key(&record) {
            return Err(AccessError::Repeated { record });
        }
        Ok(())
    }

    fn grant_mut(&mut self, grant: &RecordId) -> Result<&mut Granted, AccessError> {
        self.grants.get_mut(grant).ok_or(AccessError::UnknownGrant { grant: *grant })
    }
}

fn already_chosen(stage: &Stage) -> AccessError {
    match stage.proxy() {
        Some(proxy) => AccessError::AlreadyChosen { institution: proxy.institution },
        None => AccessError::NotChosen,
    }
}
