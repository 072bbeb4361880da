//! What a light client computes from the acts and keys that an answer proves. [CLI-2] [PRE-7]
//!
//! The acts go through the very register that a full client keeps. What is shown with its content is an act of
//! these dealings, what is shown without is a record that somebody asks for, whatever it holds. A reader is not shown records that no grant
//! opens to it; that they are the owner's is then the word of f + 1 auditors, as it is that nothing was left out.

use std::collections::BTreeMap;

use super::answer::{KeysAnswer, SharingAnswer};
use super::dealing::{Dealing, Step};
use super::known::{Listed, Sharing};
use super::light::{Light, answers_it};
use super::proof;
use super::question::{Place, Role};
use super::refused::{Check, Refused};
use super::register::{Declared, Register};
use crate::access::{Act, ActError, KeyRecord, Registry};
use crate::ledger::{Content, Record};
use crate::roster::Committees;
use crate::types::{Height, InstitutionId, OwnerId, RecordId};

/// What an act may ask about the chain, as far as an answer shows it.
struct Shown<'a> {
    owners: &'a BTreeMap<RecordId, OwnerId>,
    /// Whose a record is that is not shown.
    unshown: Option<OwnerId>,
    committees: &'a Committees,
}

impl Light {
    /// Dealings, by the rules of `access` from the acts shown.
    //= harness/spec/clients.md#cli-2-light-client
    //# CLI-2.7 (ours): A light client MUST compute who may read a record from the acts that an answer
    //# proves.
    pub(super) fn sharing(
        &mut self,
        (person, role): (&OwnerId, Role),
        (at, after): (Height, Option<Place>),
        by: Option<&OwnerId>,
        answer: &SharingAnswer,
    ) -> Result<Sharing, Refused> {
        answers_it((person, at), (&answer.person, answer.at))?;
        let why = || "the other side of the dealings is answered".to_owned();
        Check::Question.holds(role == answer.role, why)?;
        let is_owner = role == Role::Owner && by.is_none_or(|by| by == person);
        let booked = self.booked(at, &answer.blocks, &answer.records)?;
        let mut register = Register::default();
        let mut owners = BTreeMap::new();
        let mut last_request = None;
        for one in &booked {
            let signer = &one.booking.owner;
            register.reach(one.place.height);
            if one.content.is_some() {
                let act = declared(one, Act::of_record)?;
                let mut unshown = None;
                if let Act::Request(request) = &act {
                    let asked = if role == Role::Owner { &request.owner } else { signer };
                    Check::Owner.holds(asked == person, || {
                        format!("record {}: a request of or to {asked}, not {person}", one.id)
                    })?;
                    let why = || format!("record {}: its request is not behind the page", one.id);
                    Check::Order.holds(after.is_none_or(|after| one.place > after), why)?;
                    last_request = Some(one.place);
                    unshown = (!is_owner).then_some(request.owner);
                }
                let epoch = one.standing.epoch();
                let committees = self.rosters.of(epoch).ok_or_else(|| {
                    Check::Roster.refuses(format!("the committees of epoch {epoch} are not known"))
                })?;
                let shown = Shown { owners: &owners, unshown, committees };
                let step = Step { id: one.id, place: one.place };
                let signed = (signer, &one.booking.metadata);
                register.take(step, signed, act, &shown).map_err(|error| {
                    Check::Act.refuses(format!("record {}: has no effect: {error}", one.id))
                })?;
            }
            owners.insert(one.id, *signer);
        }
        let next = answer.next;
        Check::Order.holds(next.is_none() || next == last_request, || {
            "next: it is not the place of the last request".to_owned()
        })?;
        let standing = register.dealings_of(person).filter_map(|dealing| dealing.at(at));
        let mut dealings: Vec<Dealing> = standing.collect();
        dealings.sort_unstable_by_key(|dealing| dealing.request.place);
        let concerns = |it: &Dealing| by.is_none_or(|by| [it.reader, *person].contains(by));
        let why = || "dealings of others than the caller".to_owned();
        Check::Owner.holds(dealings.iter().all(concerns), why)?;
        Ok(Sharing { person: *person, role, at, dealings, next })
    }

    /// Keys that the record shown declares.
    pub(super) fn keys(
        &mut self,
        (owner, at): (&OwnerId, Height),
        answer: &KeysAnswer,
    ) -> Result<Option<Declared>, Refused> {
        answers_it((owner, at), (&answer.owner, answer.at))?;
        let booked = self.booked(at, &answer.blocks, &answer.records)?;
        Check::Question.holds(booked.len() <= 1, || "more than one record of keys".to_owned())?;
        let Some(one) = booked.first() else { return Ok(None) };
        proof::is_of(one, owner)?;
        let keys = declared(one, KeyRecord::of_record)?;
        Ok(Some(Declared { act: Step { id: one.id, place: one.place }, keys }))
    }
}

/// What the content of a record says, which has to be shown.
fn declared<T>(
    listed: &Listed,
    read: impl Fn(&Record) -> Option<Result<T, ActError>>,
) -> Result<T, Refused> {
    let booking = &listed.booking;
    let refuses = |why: String| Check::Act.refuses(format!("record {}: {why}", listed.id));
    let content =
        listed.content.clone().ok_or_else(|| refuses("its content is not shown".into()))?;
    let content = Content::inline(content).map_err(|error| refuses(error.to_string()))?;
    let record = Record::new(booking.owner, booking.metadata.clone(), content)
        .map_err(|error| refuses(error.to_string()))?;
    let read = read(&record).ok_or_else(|| refuses("it says that it is something else".into()))?;
    read.map_err(|error| refuses(error.to_string()))
}

impl Registry for Shown<'_> {
    fn institution_of(&self, key: &OwnerId) -> Option<InstitutionId> {
        let mut seats = self.committees.electorate();
        seats.find(|seat| seat.key == *key).map(|seat| seat.institution)
    }

    fn owner_of(&self, record: &RecordId) -> Option<OwnerId> {
        self.owners.get(record).copied().or(self.unshown)
    }
}
