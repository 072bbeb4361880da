//! Who may read what, recomputed from acts.

use std::collections::{BTreeMap, BTreeSet};

use super::world::{World, owner};
use crate::access::{
    Access, Act, Bid, Choice, Delivery, Files, Grant, KeyRecord, Reading, Records, Registry,
    Request, Revocation,
};
use crate::client::full::FullError;
use crate::client::{
    Answer, Check, Dealing, Heard, KeysAnswer, Known, Question, Role, Sharing, SharingAnswer,
    agree, full,
};
use crate::ledger::Envelope;
use crate::roster::Committees;
use crate::types::{Digest, Height, InstitutionId, OwnerId, RecordId, Timestamp};

const OWNER: u32 = 100;
const READERS: [u32; 2] = [200, 201];

/// What the machine of the chain says at a height: readings, open requests, and bids that wait.
type Said = (Height, Vec<Reading>, Vec<RecordId>, BTreeSet<(RecordId, InstitutionId, Digest)>);

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
        let access = &whole.access;
        let readings = access.readings_of(&owner(OWNER)).collect();
        let asking = access.requests_to(&owner(OWNER)).copied().collect();
        let of_grant = |grant| access.bids(grant).map(move |(by, key)| (*grant, by, key));
        said.push((before, readings, asking, access.bidding().flat_map(of_grant).collect()));
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
    Question::Sharing { person: owner(of), role: Role::Owner, at, after: None }
}

fn own(reader: u32, at: Height) -> Question {
    Question::Sharing { person: owner(reader), role: Role::Reader, at, after: None }
}

fn sharing(known: Known) -> Sharing {
    let Known::Sharing(known) = known else { panic!("{known:?}") };
    known
}

/// Bids that wait for a choice, as the owner sees them.
fn bids(known: &Sharing) -> BTreeSet<(RecordId, InstitutionId, Digest)> {
    let grants = known.dealings.iter().filter_map(|dealing| dealing.grant.as_ref());
    let waiting = grants.filter(|grant| grant.choice.is_none());
    let bids = waiting.flat_map(|grant| grant.bids.iter().map(|(by, it)| (grant.act.id, *by, it)));
    bids.map(|(grant, by, bidder)| (grant, by, bidder.parcels)).collect()
}

#[test]
fn cli_2_7_who_may_read_is_recomputed_and_is_what_the_chain_says() {
    //= harness/spec/clients.md#cli-2-light-client
    //= type=test
    //# CLI-2.7 (ours): A light client MUST compute who may read a record from the acts that an answer
    //# proves.
    let (world, said) = shared();
    let (mut readings_seen, mut bids_seen) = (BTreeSet::new(), BTreeSet::new());
    for (at, readings, asking, waiting) in said {
        let question = question(OWNER, at);
        let known = sharing(world.known(&question, OWNER));
        readings_seen.insert(readings.len());
        bids_seen.insert(waiting.len());
        let mut found: Vec<Reading> = known.readings().collect();
        found.sort_unstable_by_key(|reading| (reading.grant, reading.record));
        assert_eq!(found, readings, "height {at}");
        let mut found: Vec<RecordId> = known.asking().map(|dealing| dealing.request.id).collect();
        found.sort_unstable();
        assert_eq!(found, asking, "height {at}");
        assert_eq!(bids(&known), waiting, "height {at}");
        assert_eq!(world.checked(&question, OWNER), Ok(Known::Sharing(known)), "height {at}");
    }
    assert_eq!(readings_seen, [0, 1, 3].into(), "granted, then one expired, the other revoked");
    assert_eq!(bids_seen, [0, 1, 3].into(), "bids of both grants, then of the one without a proxy");
    // What is over is said to be over, so that it can be told from what never was.
    let last = sharing(world.known(&question(OWNER, world.head()), OWNER));
    let ended =
        |it: &Dealing| it.grant.as_ref().map(|it| (it.revoked().is_some(), it.delivery.is_some()));
    let ended: Vec<_> = last.dealings.iter().map(ended).collect();
    assert_eq!(ended, [Some((true, true)), Some((false, false)), None]);
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
    let all = question(OWNER, at);
    for reader in READERS {
        let of_owner = sharing(world.known(&all, reader));
        assert_eq!(world.checked(&all, reader), Ok(Known::Sharing(of_owner.clone())));
        assert!(of_owner.readings().all(|reading| reading.reader == owner(reader)));
        // The same, asked as the reader.
        let known = sharing(world.known(&own(reader, at), reader));
        assert_eq!(known.dealings, of_owner.dealings);
        assert_eq!(world.checked(&own(reader, at), reader), Ok(Known::Sharing(known)));
    }
    let denied = full::answer(&world, &all, Some(&owner(300)));
    assert_eq!(denied, Err(FullError::Denied));
    // Readings of all, to one of them: somebody else's business.
    let answer = world.answer(&all, OWNER);
    let refused = world.light().check(&all, Some(&owner(READERS[0])), &answer).unwrap_err();
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
    // Requests of both and one more, both grants, the proxy's bid and one that waits, choice, delivery.
    assert_eq!((acts.len(), sound.records.len()), (9, 12));
    let without = |one: usize| refused(&|answer| drop(answer.records.remove(one)));
    assert_eq!(without(0), Check::Act, "a record that was asked for");
    assert_eq!(without(acts[0]), Check::Act, "the request under a grant");
    assert_eq!(without(acts[3]), Check::Act, "the grant under a bid");
    assert_eq!(without(acts[5]), Check::Act, "the bid under a choice");
    assert_eq!(without(acts[7]), Check::Act, "the choice under a delivery");
    assert_eq!(refused(&|answer| answer.records[acts[0]].content = None), Check::Act);
    assert_eq!(refused(&|answer| answer.role = Role::Reader), Check::Question);
    assert_eq!(refused(&|answer| answer.person = owner(READERS[0])), Check::Question);
    assert_eq!(refused(&|answer| answer.next = "1.0.0".parse().ok()), Check::Order);
    assert_eq!(refused(&|answer| answer.at = Height::new(6)), Check::Question);
    // Left out altogether, which no proof shows: the answer is whole in itself, and another one, which no
    // honest auditor gives.
    let question = question(OWNER, at);
    let known = world.known(&question, OWNER);
    for (left_out, what) in [(acts[8], "the delivery"), (acts[6], "a bid that waits")] {
        let mut short = sound.clone();
        let id = short.records.remove(left_out).id;
        let checked = world.light().check(&question, Some(&owner(OWNER)), &Answer::Sharing(short));
        let heard = [(5, known.clone()), (6, checked.unwrap())];
        let heard = heard.map(|(from, known)| Heard { from: InstitutionId::new(from), known });
        let differ = agree(&heard, 2).unwrap_err();
        assert_eq!(differ.why, format!("act {id}: institution 5 has it, 6 has not"), "{what}");
    }
}

#[test]
fn cli_1_8_who_only_asks_is_shown_no_record_and_nobody_else_is_shown_that_it_asks() {
    //= harness/spec/clients.md#cli-1-full-client
    //= type=test
    //# CLI-1.8 (ours): A full client MUST answer what a reader has asked for and been granted to a call
    //# signed by that reader only.
    //= harness/spec/clients.md#cli-1-full-client
    //= type=test
    //# CLI-1.5 (ours): A full client MUST answer a question about the records of an owner only to a call
    //# signed, at most 60,000 milliseconds away from its clock, by the owner or by a reader to whom a
    //# grant that holds opens what is answered.
    let (world, _) = shared();
    let shown = |question: &Question, by: u32| {
        let Answer::Sharing(answer) = world.answer(question, by) else { panic!() };
        let records = answer.records.into_iter().filter(|one| one.content.is_none());
        records.map(|one| one.booking.0.owner).collect::<Vec<_>>()
    };
    // Both have asked at height 3 and are granted one record and two at height 4; the second asks for more.
    for (at, counts) in [(3, [0, 0]), (4, [1, 2]), (12, [1, 0]), (world.head().get(), [0, 0])] {
        for (reader, count) in READERS.into_iter().zip(counts) {
            let at = Height::new(at);
            assert_eq!(shown(&own(reader, at), reader), vec![owner(OWNER); count], "at {at}");
            assert_eq!(shown(&question(OWNER, at), reader), vec![owner(OWNER); count], "at {at}");
            assert!(world.checked(&own(reader, at), reader).is_ok());
        }
    }
    for by in [OWNER, READERS[1], 300] {
        let denied = full::answer(&world, &own(READERS[0], Height::new(7)), Some(&owner(by)));
        assert_eq!(denied, Err(FullError::Denied));
    }
    // Who has asked nobody is told so.
    let nothing = sharing(world.checked(&own(300, Height::new(7)), 300).unwrap());
    assert_eq!(nothing.dealings, []);
    // What somebody else asks for is not one's own.
    let asked = own(READERS[0], Height::new(7));
    let Answer::Sharing(mut answer) = world.answer(&own(READERS[1], Height::new(7)), READERS[1])
    else {
        panic!()
    };
    answer.person = owner(READERS[0]);
    let refused = world.light().check(&asked, Some(&owner(READERS[0])), &Answer::Sharing(answer));
    assert_eq!(refused.unwrap_err().check, Check::Owner);
}

/// Whoever asks for acts, with and without effect, spoils nobody's view.
#[test]
fn an_act_that_is_asked_for_like_any_record_is_no_act_of_the_answer() {
    let mut world = World::new();
    let record = world.record(OWNER, b"wanted");
    let id = record.record.id();
    world.turn(&[vec![record]]);
    let asks = world.act(READERS[0], &request(1, &[id]));
    let of_others = Act::Request(Request {
        owner: owner(300),
        reader_key: digest(1),
        offer: digest(2),
        records: Records::new([id].into()).unwrap(),
    });
    let no_effect = [of_others, Act::Revocation(Revocation { grant: id })];
    let no_effect = no_effect.map(|act| world.act(OWNER, &act));
    let grant = Act::Grant(Grant {
        request: asks.record.id(),
        owner_key: digest(5),
        until: Height::new(3),
        files: files(&[id]),
    });
    let grant = world.act(OWNER, &grant);
    let mut wanted: Vec<RecordId> = no_effect.iter().map(|it| it.record.id()).collect();
    wanted.push(grant.record.id());
    world.turn(&[vec![asks, grant], no_effect.to_vec()]);
    let asks = world.act(READERS[1], &request(7, &wanted));
    world.turn(&[vec![asks]]);
    world.turn(&[]);
    for at in [3, 4].map(Height::new) {
        for (asked, by, count) in [
            (question(OWNER, at), OWNER, 2),
            (question(OWNER, at), READERS[1], 1),
            (own(READERS[0], at), READERS[0], 1),
            (own(READERS[1], at), READERS[1], 1),
        ] {
            let known = sharing(world.known(&asked, by));
            assert_eq!(known.dealings.len(), count, "{asked:?}");
            assert_eq!(world.checked(&asked, by), Ok(Known::Sharing(known)), "{asked:?} by {by}");
        }
    }
}

#[test]
fn cli_1_7_everybody_finds_the_keys_that_somebody_has_declared_last() {
    //= harness/spec/clients.md#cli-1-full-client
    //= type=test
    //# CLI-1.7 (ours): A full client MUST answer which keys somebody has declared last to every signed call.
    //= harness/spec/reencryption.md#pre-3-request-and-grant
    //= type=test
    //# PRE-3.11 (ours): A key record MUST be drawn as under Keys and capsules in the vault, inline in a
    //# record of its media type and resource type, and holds until its owner books another.
    let mut world = World::new();
    let keys = |of: u8| KeyRecord { lattice: digest(of), parcels: digest(of + 1) };
    let declaration = |world: &World, of: u32, keys: KeyRecord| {
        world.envelope(of, keys.to_record(owner(of), Timestamp::new(1_200_000)).unwrap())
    };
    let first = declaration(&world, OWNER, keys(1));
    let other = declaration(&world, READERS[0], keys(3));
    world.turn(&[vec![first.clone(), other]]);
    let plain = world.record(OWNER, b"no keys");
    world.turn(&[vec![plain.clone()]]);
    let (second, third) =
        (declaration(&world, OWNER, keys(5)), declaration(&world, OWNER, keys(7)));
    world.turn(&[vec![second], vec![third]]);
    let question = |of: u32, at: u64| Question::Keys { owner: owner(of), at: Height::new(at) };
    let found = |of: u32, at: u64, by: u32| {
        let known = world.known(&question(of, at), by);
        assert_eq!(world.checked(&question(of, at), by), Ok(known.clone()));
        let Known::Keys(declared) = known else { panic!() };
        declared.map(|declared| declared.keys)
    };
    for by in [OWNER, READERS[0], 300] {
        let of_owner = [0, 1, 2, 3].map(|at| found(OWNER, at, by));
        assert_eq!(of_owner, [None, Some(keys(1)), Some(keys(1)), Some(keys(7))]);
        assert_eq!(found(READERS[0], 3, by), Some(keys(3)));
        assert_eq!(found(300, 3, by), None);
    }
    assert_eq!(full::answer(&world, &question(OWNER, 3), None), Err(FullError::Denied));

    let refused = |change: &dyn Fn(&mut KeysAnswer)| {
        let Answer::Keys(mut answer) = world.answer(&question(OWNER, 2), 300) else { panic!() };
        change(&mut answer);
        let by = Some(&owner(300));
        world.light().check(&question(OWNER, 2), by, &Answer::Keys(answer)).unwrap_err().check
    };
    let of = |question: &Question, by: u32| match world.answer(question, by) {
        Answer::Keys(KeysAnswer { blocks, records, .. }) => (blocks, records),
        Answer::Record(answer) => (answer.blocks, answer.records),
        other => panic!("{other:?}"),
    };
    let exchanged = |answer: &mut KeysAnswer, question: &Question, by: u32| {
        (answer.blocks, answer.records) = of(question, by);
    };
    assert_eq!(refused(&|it| exchanged(it, &question(READERS[0], 2), 300)), Check::Owner);
    assert_eq!(refused(&|it| exchanged(it, &question(OWNER, 3), 300)), Check::Question, "later");
    let no_keys = Question::Record { id: plain.record.id(), at: Height::new(2) };
    assert_eq!(refused(&|it| exchanged(it, &no_keys, OWNER)), Check::Act);
    assert_eq!(refused(&|it| it.records[0].content = None), Check::Act);
    assert_eq!(refused(&|it| it.owner = owner(300)), Check::Question);
    let twice = |it: &mut KeysAnswer| it.records.push(it.records[0].clone());
    assert_eq!(refused(&twice), Check::Order);
    // Older keys in place of the last ones pass every check but the agreement.
    let Answer::Keys(mut old) = world.answer(&question(OWNER, 2), 300) else { panic!() };
    old.at = Height::new(3);
    let asked = question(OWNER, 3);
    let checked = world.light().check(&asked, Some(&owner(300)), &Answer::Keys(old)).unwrap();
    let heard = [(5, world.known(&asked, 300)), (6, checked)];
    let heard = heard.map(|(from, known)| Heard { from: InstitutionId::new(from), known });
    assert_eq!(agree(&heard, 2).unwrap_err().check, Check::Agreement);
}
