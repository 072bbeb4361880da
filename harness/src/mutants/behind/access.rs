//! Wrong judges of who may read what. [PRE-3] [PRE-4] [PRE-7] [PRE-8]
//!
//! As in `rules`, nothing is remembered but the acts that had effect; a mistake is a condition less or
//! another bound.

use std::collections::{BTreeMap, BTreeSet};

use borsh::BorshDeserialize as _;
use serde_json::{Value, json};

use super::{Wrong, result_of};
use crate::conformance::reference::Answer;
use crate::conformance::value::{Field, FieldError, bytes};
use crate::rules::acts::Act;

type Id = [u8; 32];

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Bug {
    None,
    RequestForeign,
    RequestsUnbounded,
    RequestForEver,
    GrantUnasked,
    GrantByAnother,
    GrantOtherFiles,
    GrantAgain,
    UntilPassed,
    UntilFar,
    UntilExcluded,
    BidWithoutSeat,
    BidTwice,
    BidLate,
    BidByParty,
    ChoiceWithoutBid,
    ChoiceSeatLost,
    ChoiceByReader,
    ChoiceAgain,
    DeliveryByAnother,
    DeliveryPartial,
    DeliveryTwice,
    DeliveryRevoked,
    RevocationIgnored,
    RevocationByReader,
    DisputeTwice,
    DisputeLate,
    DisputeEarly,
    DisputeByOwner,
    DisputeOtherDigest,
    DisputeDies,
    ConfirmationUnasked,
    ConfirmationLate,
    ReadersExpired,
    ReadersDeliveredOnly,
}

pub(super) const MUTANTS: &[(&str, Wrong)] = &[
    ("access-request-foreign", |op, args| Bug::RequestForeign.answer(op, args)),
    ("access-requests-unbounded", |op, args| Bug::RequestsUnbounded.answer(op, args)),
    ("access-request-for-ever", |op, args| Bug::RequestForEver.answer(op, args)),
    ("access-grant-unasked", |op, args| Bug::GrantUnasked.answer(op, args)),
    ("access-grant-by-another", |op, args| Bug::GrantByAnother.answer(op, args)),
    ("access-grant-other-files", |op, args| Bug::GrantOtherFiles.answer(op, args)),
    ("access-grant-again", |op, args| Bug::GrantAgain.answer(op, args)),
    ("access-until-passed", |op, args| Bug::UntilPassed.answer(op, args)),
    ("access-until-far", |op, args| Bug::UntilFar.answer(op, args)),
    ("access-until-excluded", |op, args| Bug::UntilExcluded.answer(op, args)),
    ("access-bid-without-seat", |op, args| Bug::BidWithoutSeat.answer(op, args)),
    ("access-bid-twice", |op, args| Bug::BidTwice.answer(op, args)),
    ("access-bid-late", |op, args| Bug::BidLate.answer(op, args)),
    ("access-bid-by-party", |op, args| Bug::BidByParty.answer(op, args)),
    ("access-choice-without-bid", |op, args| Bug::ChoiceWithoutBid.answer(op, args)),
    ("access-choice-seat-lost", |op, args| Bug::ChoiceSeatLost.answer(op, args)),
    ("access-choice-by-reader", |op, args| Bug::ChoiceByReader.answer(op, args)),
    ("access-choice-again", |op, args| Bug::ChoiceAgain.answer(op, args)),
    ("access-delivery-by-another", |op, args| Bug::DeliveryByAnother.answer(op, args)),
    ("access-delivery-partial", |op, args| Bug::DeliveryPartial.answer(op, args)),
    ("access-delivery-twice", |op, args| Bug::DeliveryTwice.answer(op, args)),
    ("access-delivery-revoked", |op, args| Bug::DeliveryRevoked.answer(op, args)),
    ("access-revocation-ignored", |op, args| Bug::RevocationIgnored.answer(op, args)),
    ("access-revocation-by-reader", |op, args| Bug::RevocationByReader.answer(op, args)),
    ("access-dispute-twice", |op, args| Bug::DisputeTwice.answer(op, args)),
    ("access-dispute-late", |op, args| Bug::DisputeLate.answer(op, args)),
    ("access-dispute-early", |op, args| Bug::DisputeEarly.answer(op, args)),
    ("access-dispute-by-owner", |op, args| Bug::DisputeByOwner.answer(op, args)),
    ("access-dispute-other-digest", |op, args| Bug::DisputeOtherDigest.answer(op, args)),
    ("access-dispute-dies-with-grant", |op, args| Bug::DisputeDies.answer(op, args)),
    ("access-confirmation-unasked", |op, args| Bug::ConfirmationUnasked.answer(op, args)),
    ("access-confirmation-late", |op, args| Bug::ConfirmationLate.answer(op, args)),
    ("access-readers-expired", |op, args| Bug::ReadersExpired.answer(op, args)),
    ("access-readers-delivered-only", |op, args| Bug::ReadersDeliveredOnly.answer(op, args)),
];

const REQUESTS: usize = 256;
const GRANTS: usize = 4_096;
const BIDS: usize = 256;
const REQUEST_BLOCKS: u64 = 432_000;
const GRANT_BLOCKS: u64 = 5_256_000;
const DISPUTE_BLOCKS: u64 = 100_800;

impl Bug {
    pub(super) fn answer(self, op: &str, args: &Value) -> Option<Answer> {
        result_of("access", op, args)?;
        self.told(&Field::whole("args", args)).ok()
    }

    fn told(self, field: &Field<'_>) -> Result<Answer, FieldError> {
        let owners = field.get("owners")?.each(|owned| {
            Ok::<(Id, Id), FieldError>((
                owned.get("record")?.array()?,
                owned.get("owner")?.array()?,
            ))
        })?;
        let owners = owners.into_iter().collect();
        let (seats, done) = (BTreeMap::new(), Vec::new());
        let mut past = Past { bug: self, owners, seats, height: 0, done };
        let mut effects = Vec::new();
        for step in field.get("steps")?.list()? {
            if let Some(height) = step.find("reach")? {
                past.height = past.height.max(height.decimal()?);
            } else if let Some(seats) = step.find("seats")? {
                let seats = seats.each(|seat| {
                    let key: Id = seat.get("key")?.array()?;
                    Ok::<_, FieldError>((key, seat.get("institution")?.integer()?))
                })?;
                past.seats = seats.into_iter().collect();
            } else {
                let book = step.get("book")?;
                let (record, signer) = (book.get("record")?.array()?, book.get("signer")?.array()?);
                let act = book.get("act")?.bytes()?;
                let act = act.get(5..).and_then(|body| Act::try_from_slice(body).ok());
                let act = act.ok_or_else(|| book.wrong("no act"))?;
                effects.push(past.take(record, signer, act));
            }
        }
        let readers = past.readers();
        let readers = readers.iter().map(|(grant, record, reader_key)| {
            json!({
                "grant": bytes(grant),
                "record": bytes(record),
                "reader_key": bytes(reader_key),
            })
        });
        Ok(Answer::Ok(json!({"steps": effects, "readers": readers.collect::<Value>()})))
    }
}

/// An act that had effect.
struct Done {
    height: u64,
    record: Id,
    signer: Id,
    institution: Option<u32>,
    act: Act,
}

struct Past {
    bug: Bug,
    owners: BTreeMap<Id, Id>,
    seats: BTreeMap<Id, u32>,
    height: u64,
    done: Vec<Done>,
}

/// A grant as it is told from the past.
struct Told<'a> {
    id: Id,
    owner: Id,
    reader: Id,
    reader_key: Id,
    until: u64,
    files: &'a BTreeMap<Id, Id>,
    revoked: Option<u64>,
    bids: Vec<&'a Done>,
    proxy: Option<Id>,
    delivered: Option<(u64, &'a BTreeMap<Id, Id>)>,
    disputed: Option<u64>,
    is_answered: bool,
}

impl Past {
    fn take(&mut self, record: Id, signer: Id, act: Act) -> bool {
        let has_effect = self.has_effect(&record, &signer, &act);
        let is_kept =
            !(self.bug == Bug::RevocationIgnored && matches!(act, Act::Revocation { .. }));
        if has_effect && is_kept {
            let institution = self.seats.get(&signer).copied();
            self.done.push(Done { height: self.height, record, signer, institution, act });
        }
        has_effect
    }

    fn has_effect(&self, record: &Id, signer: &Id, act: &Act) -> bool {
        let bug = self.bug;
        if self.done.iter().any(|done| done.record == *record) {
            return false;
        }
        match act {
            Act::Request { owner, records, .. } => {
                let open = self.open_requests().filter(|request| request.signer == *signer);
                let most = if bug == Bug::RequestsUnbounded { REQUESTS + 1 } else { REQUESTS };
                let is_owned = |id: &Id| match self.owners.get(id) {
                    Some(of) => of == owner || bug == Bug::RequestForeign,
                    None => false,
                };
                records.iter().all(is_owned) && open.count() < most
            }
            Act::Grant { request, until, files, .. } => {
                self.is_asked(signer, request, files)
                    && (*until > self.height || bug == Bug::UntilPassed)
                    && until.saturating_sub(self.height)
                        <= GRANT_BLOCKS + u64::from(bug == Bug::UntilFar)
                    && self.grants().filter(|grant| grant.owner == *signer).count() < GRANTS
            }
            Act::Bid { grant, .. } => self.grant(grant).is_some_and(|grant| {
                let institution = self.seats.get(signer);
                let is_again = grant.bids.iter().any(|bid| {
                    bid.signer == *signer
                        || institution.is_some() && bid.institution.as_ref() == institution
                });
                self.holds(&grant)
                    && (institution.is_some() || bug == Bug::BidWithoutSeat)
                    && (![grant.owner, grant.reader].contains(signer) || bug == Bug::BidByParty)
                    && (grant.proxy.is_none() || bug == Bug::BidLate)
                    && (!is_again || bug == Bug::BidTwice)
                    && grant.bids.len() < BIDS
            }),
            Act::Choice { grant, institution, .. } => self.grant(grant).is_some_and(|grant| {
                let bid = grant.bids.iter().find(|bid| bid.institution == Some(*institution));
                let is_seated = bid.is_some_and(|bid| {
                    bug == Bug::ChoiceSeatLost || self.seats.get(&bid.signer) == Some(institution)
                });
                let sits = self.seats.values().any(|seat| seat == institution);
                (grant.owner == *signer || bug == Bug::ChoiceByReader && grant.reader == *signer)
                    && self.holds(&grant)
                    && (grant.proxy.is_none() || bug == Bug::ChoiceAgain)
                    && (is_seated || bug == Bug::ChoiceWithoutBid && bid.is_none() && sits)
            }),
            Act::Delivery { grant, files } => self.grant(grant).is_some_and(|grant| {
                let is_by = |key: Id| key == *signer || bug == Bug::DeliveryByAnother;
                let is_revoked = bug == Bug::DeliveryRevoked && self.height <= grant.until;
                let is_whole = files.keys().eq(grant.files.keys());
                let is_part = files.keys().all(|file| grant.files.contains_key(file));
                grant.proxy.is_some_and(is_by)
                    && (self.holds(&grant) || is_revoked)
                    && (grant.delivered.is_none() || bug == Bug::DeliveryTwice)
                    && (is_whole || bug == Bug::DeliveryPartial && is_part)
            }),
            Act::Revocation { grant } => self.grant(grant).is_some_and(|grant| {
                let is_by = grant.owner == *signer || bug == Bug::RevocationByReader;
                is_by && self.holds(&grant)
            }),
            Act::Dispute { grant, record, delivery } => self.grant(grant).is_some_and(|grant| {
                let blocks = match bug {
                    Bug::DisputeLate => DISPUTE_BLOCKS + 1,
                    Bug::DisputeEarly => DISPUTE_BLOCKS - 1,
                    _ => DISPUTE_BLOCKS,
                };
                let in_time = |(height, files): (u64, &BTreeMap<Id, Id>)| {
                    let is_named = files.get(record) == Some(delivery)
                        || bug == Bug::DisputeOtherDigest && files.contains_key(record);
                    self.height - height <= blocks && is_named
                };
                (grant.reader == *signer || bug == Bug::DisputeByOwner)
                    && (grant.disputed.is_none() || bug == Bug::DisputeTwice)
                    && grant.delivered.is_some_and(in_time)
                    && (bug != Bug::DisputeDies || self.holds(&grant))
            }),
            Act::Confirmation { grant, .. } => self.grant(grant).is_some_and(|grant| {
                let blocks = DISPUTE_BLOCKS + u64::from(bug == Bug::ConfirmationLate);
                let in_time = |height| self.height - height <= blocks;
                let is_disputed = grant.disputed.is_some_and(in_time)
                    || bug == Bug::ConfirmationUnasked && grant.delivered.is_some();
                grant.owner == *signer && !grant.is_answered && is_disputed
            }),
        }
    }

    fn is_asked(&self, signer: &Id, request: &Id, files: &BTreeMap<Id, Id>) -> bool {
        let request = self.open_requests().find(|open| open.record == *request);
        let Some(Done { act: Act::Request { owner, records, .. }, .. }) = request else {
            let is_own = |file: &Id| self.owners.get(file) == Some(signer);
            return self.bug == Bug::GrantUnasked && files.keys().all(is_own);
        };
        (owner == signer || self.bug == Bug::GrantByAnother)
            && (files.keys().all(|id| records.contains(id)) || self.bug == Bug::GrantOtherFiles)
    }

    fn open_requests(&self) -> impl Iterator<Item = &Done> {
        let blocks = REQUEST_BLOCKS + u64::from(self.bug == Bug::RequestForEver);
        self.done.iter().filter(move |done| {
            let answers = |other: &Done| match &other.act {
                Act::Grant { request, .. } => *request == done.record,
                _ => false,
            };
            matches!(done.act, Act::Request { .. })
                && self.height - done.height < blocks
                && (self.bug == Bug::GrantAgain || !self.done.iter().any(answers))
        })
    }

    fn grants(&self) -> impl Iterator<Item = Told<'_>> {
        self.done.iter().filter_map(|done| self.told(done)).filter(|grant| {
            let end = grant.revoked.unwrap_or(grant.until);
            let late = u64::from(self.bug == Bug::ConfirmationLate);
            self.height <= end.saturating_add(2 * DISPUTE_BLOCKS + late)
        })
    }

    fn grant(&self, id: &Id) -> Option<Told<'_>> {
        self.grants().find(|grant| grant.id == *id)
    }

    fn holds(&self, grant: &Told<'_>) -> bool {
        let is_in_time = match self.bug {
            Bug::UntilExcluded => self.height < grant.until,
            _ => self.height <= grant.until,
        };
        grant.revoked.is_none() && is_in_time
    }

    fn told<'a>(&'a self, done: &'a Done) -> Option<Told<'a>> {
        let Act::Grant { request, until, files, .. } = &done.act else { return None };
        let request = self.done.iter().find(|other| other.record == *request);
        let (reader, reader_key) = match request.map(|request| (request.signer, &request.act)) {
            Some((signer, Act::Request { reader_key, .. })) => (signer, *reader_key),
            // Granted to nobody in particular.
            _ => ([0; 32], [0; 32]),
        };
        let mut told = Told {
            id: done.record,
            owner: done.signer,
            reader,
            reader_key,
            until: *until,
            files,
            revoked: None,
            bids: Vec::new(),
            proxy: None,
            delivered: None,
            disputed: None,
            is_answered: false,
        };
        for other in &self.done {
            match &other.act {
                Act::Bid { grant, .. } if *grant == told.id => told.bids.push(other),
                Act::Choice { grant, institution, .. } if *grant == told.id => {
                    let mut bids = told.bids.iter();
                    let bid = bids.find(|bid| bid.institution == Some(*institution));
                    let seat = self.seats.iter().find(|(_, seat)| *seat == institution);
                    let key = bid.map(|bid| bid.signer).or(seat.map(|(key, _)| *key));
                    told.proxy = key.or(told.proxy);
                }
                Act::Delivery { grant, files } if *grant == told.id => {
                    told.delivered = Some((other.height, files));
                }
                Act::Revocation { grant } if *grant == told.id => told.revoked = Some(other.height),
                Act::Dispute { grant, .. } if *grant == told.id => {
                    told.disputed = Some(other.height);
                }
                Act::Confirmation { grant, .. } if *grant == told.id => told.is_answered = true,
                _ => {}
            }
        }
        Some(told)
    }

    fn readers(&self) -> BTreeSet<(Id, Id, Id)> {
        let listed = self.grants().filter(|grant| match self.bug {
            Bug::ReadersExpired => grant.revoked.is_none(),
            Bug::ReadersDeliveredOnly => self.holds(grant) && grant.delivered.is_some(),
            _ => self.holds(grant),
        });
        listed
            .flat_map(|grant| {
                grant.files.keys().map(move |file| (grant.id, *file, grant.reader_key))
            })
            .collect()
    }
}
