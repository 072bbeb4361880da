//! Who may read what, recomputed from acts.

use std::collections::{BTreeMap, BTreeSet};

use super::world::{World, owner};
use crate::access::{
    Access, Act, Bid, Choice, Delivery, Files, Grant, Records, Registry, Request, Revocation,
};
use crate::client::full::FullError;
use crate::client::{Answer, Check, Known, Question, Sharing, SharingAnswer, full};
use crate::ledger::Envelope;
use crate::roster::Committees;
use crate::types::{Digest, Height, InstitutionId, OwnerId, RecordId};

const OWNER: u32 = 100;
const READERS: [u32; 2] = [200, 201];

/// What the machine of the chain says at a height: readings, and open requests.
type Said = (Height, Vec<crate::access::Reading>, Vec<RecordId>);

/// The machine of the chain itself, fed with everything.
struct Whole {
    access: Access,
    owners: BTreeMap<RecordId, OwnerId>,
}

struct Ask<'a>(&'a BTreeMap<RecordId, OwnerId>, &'a Committees);

impl Registry for Ask<'_> {
    fn institution_of(&self, key: &OwnerId) -> Option<InstitutionId> {
        self.1.electorate().find(|seat| seat.key == *key).map(|seat| seat.institution)
    }

    fn owner_of(&self, record: &RecordId) -> Option<OwnerId> {
        self.0.get(record).copied()
    }
}

impl Whole {
    fn book(&mut self, height: Height, world: &World, envelopes: &[Envelope]) {
        self.access.advance(height);
        for envelope in envelopes {
            let (id, signer) = (envelope.record.id(), *envelope.record.owner());
            if let Some(Ok(act)) = Act::of_record(&envelope.record) {
                let ask = Ask(&self.owners, world.chain.roster().committees());
                let _ = self.access.apply(id, &signer, &act, &ask);
            }
            self.owners.insert(id, signer);
        }
    }
}

fn digest(of: u8) -> Digest {
    Digest::new([of; 32])
}

fn request(reader: u8, records: &[RecordId]) -> Act {
    let records = Records::new(records.iter().copied().collect()).unwrap();
    let (owner, reader_key) = (owner(OWNER), digest(reader));
    Act::Request(Request { owner, reader_key, offer: digest(reader + 1), records })
}

fn files(of: &[RecordId]) -> Files {
    Files::new(of.iter().map(|id| (*id, digest(3))).collect()).unwrap()
}

/// Everything that can happen in a sharing, with what has no effect between it; and after each block what
/// the machine of the chain says.
fn shared() -> (World, Vec<Said>) {
    let mut world = World::new();
    let mut whole = Whole { access: Access::default(), owners: BTreeMap::new() };
    let mut said = Vec::new();
    let mut book = |world: &mut World, envelopes: Vec<Envelope>| {
        let items: Vec<_> = envelopes.chunks(10).map(<[_]>::to_vec).collect();
        let before = Height::new(world.head().get() + 1);
        whole.book(before, world, &envelopes);
        assert_eq!(world.turn(&items), before);
        let readings = whole.access.readings_of(&owner(OWNER)).collect();
        said.push((before, readings, whole.access.requests_to(&owner(OWNER)).copied().collect()));
        envelopes.iter().map(|envelope| envelope.record.id()).collect::<Vec<_>>()
    };
    let records = [1, 2, 3].map(|n: u8| world.record(OWNER, &[n; 5]));
    let records = book(&mut world, records.to_vec());
    let foreign = world.record(300, b"foreign");
    let late = world.record(OWNER, b"late");
    // Without effect: what it asks for is booked behind it.
    let early = world.act(READERS[0], &request(40, &[late.record.id()]));
    let foreign = book(&mut world, vec![foreign, early, late]);
    let asks = [
        world.act(READERS[0], &request(1, &records[..2])),
        world.act(READERS[1], &request(10, &records[1..])),
        // Without effect: it asks for what is not the owner's.
        world.act(READERS[0], &request(20, &foreign[..1])),
        world.act(READERS[1], &request(30, &records[..1])),
    ];
    let asks = book(&mut world, asks.to_vec());
    let grant = |request: RecordId, until: u64, of: &[RecordId]| {
        Act::Grant(Grant {
            request,
            owner_key: digest(5),
            until: Height::new(until),
            files: files(of),
        })
    };
    let grants = [
        world.act(OWNER, &grant(asks[0], 1_000, &records[..1])),
        // By somebody else: without effect.
        world.act(READERS[1], &grant(asks[1], 1_000, &records[1..])),
        world.act(OWNER, &grant(asks[1], 11, &records[1..])),
    ];
    let grants = book(&mut world, grants.to_vec());
    let (first, second) = (grants[0], grants[2]);
    let bid = |grant: RecordId, of: u8| Act::Bid(Bid { grant, parcels: digest(of) });
    let bids = [
        world.act(6, &bid(first, 6)),
        world.act(7, &bid(first, 7)),
        // No member.
        world.act(9, &bid(first, 9)),
        world.act(6, &bid(second, 66)),
    ];
    book(&mut world, bids.to_vec());
    let choose = |grant, of| {
        let institution = InstitutionId::new(of);
        Act::Choice(Choice { grant, institution, rekey: digest(8), parcel: digest(9) })
    };
    let choices = [world.act(OWNER, &choose(first, 8)), world.act(OWNER, &choose(first, 7))];
    book(&mut world, choices.to_vec());
    let deliver = |grant, of: &[RecordId]| Act::Delivery(Delivery { grant, files: files(of) });
    let wrong = world.act(7, &deliver(first, &records[1..2]));
    let right = world.act(7, &deliver(first, &records[..1]));
    book(&mut world, vec![wrong, right]);
    book(&mut world, Vec::new());
    let late = world.act(OWNER, &Act::Revocation(Revocation { grant: first }));
    for _ in 0..4 {
        book(&mut world, Vec::new());
    }
    book(&mut world, vec![late]);
    for _ in 0..5 {
        book(&mut world, Vec::new());
    }
    (world, said)
}

fn question(of: u32, at: Height) -> Question {
    Question::Sharing { owner: owner(of), at, after: None }
}

#[test]
fn cli_2_7_who_may_read_is_recomputed_and_is_what_the_chain_says() {
    //= harness/spec/clients.md#cli-2-light-client
    //= type=test
    //# CLI-2.7 (ours): A light client MUST compute who may read a record from the acts that an answer
    //# proves.
    let (world, said) = shared();
    let mut readings_seen = BTreeSet::new();
    for (at, readings, asking) in said {
        let question = question(OWNER, at);
        let known = world.known(&question, OWNER);
        let expected = Sharing { owner: owner(OWNER), at, readings, asking, next: None };
        readings_seen.insert(expected.readings.len());
        assert_eq!(known, Known::Sharing(expected), "height {at}");
        assert_eq!(world.checked(&question, OWNER), Ok(known), "height {at}");
    }
    assert_eq!(readings_seen, [0, 1, 3].into(), "granted, then one expired, the other revoked");
}

#[test]
fn readers_see_what_is_opened_to_them_and_nothing_else() {
    let (world, _) = shared();
    let at = Height::new(7);
    let opened = |reader: u32| {
        let question = Question::Records { owner: owner(OWNER), at, after: None };
        let known = world.known(&question, reader);
        assert_eq!(world.checked(&question, reader), Ok(known.clone()));
        let Known::Records(known) = known else { panic!() };
        known.records.iter().map(|one| one.id).collect::<BTreeSet<_>>()
    };
    let all = opened(OWNER);
    let of_owner: Vec<RecordId> = all.iter().copied().collect();
    assert!(all.len() > 3);
    let (one, two) = (opened(READERS[0]), opened(READERS[1]));
    assert_eq!((one.len(), two.len()), (1, 2));
    assert!(one.is_disjoint(&two) && all.is_superset(&one) && all.is_superset(&two));
    for id in of_owner {
        for (reader, opened) in [(READERS[0], &one), (READERS[1], &two)] {
            let question = Question::Record { id, at };
            let answer = full::answer(&world, &question, Some(&owner(reader)));
            assert_eq!(answer.is_ok(), opened.contains(&id));
        }
    }
    let sharing = question(OWNER, at);
    for reader in READERS {
        let known = world.known(&sharing, reader);
        assert_eq!(world.checked(&sharing, reader), Ok(known.clone()));
        let Known::Sharing(known) = known else { panic!() };
        assert!(known.readings.iter().all(|reading| reading.reader == owner(reader)));
    }
    let denied = full::answer(&world, &sharing, Some(&owner(300)));
    assert_eq!(denied, Err(FullError::Denied));
    // Readings of all, to one of them: somebody else's business.
    let answer = world.answer(&sharing, OWNER);
    let refused = world.light().check(&sharing, Some(&owner(READERS[0])), &answer).unwrap_err();
    assert_eq!(refused.check, Check::Owner);
    // After the revocation nothing is open to the first reader.
    let later = Question::Records { owner: owner(OWNER), at: world.head(), after: None };
    assert_eq!(full::answer(&world, &later, Some(&owner(READERS[0]))), Err(FullError::Denied));
}

#[test]
fn acts_that_do_not_hold_together_are_refused() {
    let (world, _) = shared();
    let at = Height::new(7);
    let refused = |change: &dyn Fn(&mut SharingAnswer)| {
        let question = question(OWNER, at);
        let Answer::Sharing(mut answer) = world.answer(&question, OWNER) else { panic!() };
        change(&mut answer);
        let answer = Answer::Sharing(answer);
        world.light().check(&question, Some(&owner(OWNER)), &answer).unwrap_err().check
    };
    let is_act = |answer: &SharingAnswer, at: usize| answer.records[at].content.is_some();
    let sound = world.answer(&question(OWNER, at), OWNER);
    let Answer::Sharing(sound) = sound else { panic!() };
    let acts: Vec<usize> = (0..sound.records.len()).filter(|at| is_act(&sound, *at)).collect();
    // Requests of both and one more, both grants, bid, choice, delivery.
    assert_eq!((acts.len(), sound.records.len()), (8, 11));
    let without = |one: usize| refused(&|answer| drop(answer.records.remove(one)));
    assert_eq!(without(0), Check::Act, "a record that was asked for");
    assert_eq!(without(acts[0]), Check::Act, "the request under a grant");
    assert_eq!(without(acts[3]), Check::Act, "the grant under a bid");
    assert_eq!(without(acts[5]), Check::Act, "the bid under a choice");
    assert_eq!(without(acts[6]), Check::Act, "the choice under a delivery");
    assert_eq!(refused(&|answer| answer.records[acts[0]].content = None), Check::Act);
    assert_eq!(refused(&|answer| answer.next = "1.0.0".parse().ok()), Check::Order);
    assert_eq!(refused(&|answer| answer.at = Height::new(6)), Check::Question);
    // Left out altogether, which no proof shows: the answer is whole in itself, and another one.
    let question = question(OWNER, at);
    let mut short = sound;
    short.records.truncate(acts[7]);
    let checked = world.light().check(&question, Some(&owner(OWNER)), &Answer::Sharing(short));
    let Ok(Known::Sharing(checked)) = checked else { panic!() };
    assert!(checked.readings.iter().all(|reading| !reading.is_delivered));
    assert_ne!(Known::Sharing(checked), world.known(&question, OWNER));
}
