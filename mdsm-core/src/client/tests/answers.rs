//! Full and light client say the same.

use super::world::{World, genesis, owner};
use crate::client::full::FullError;
use crate::client::{
    Answer, Check, Heard, Kept, KeptError, Known, Light, Place, Question, Role, Standing, agree,
    full,
};
use crate::types::{Epoch, Height, InstitutionId};

/// Two epochs and a part of the third, records of two owners in several Items of several blocks.
pub(super) fn history() -> World {
    let mut world = World::new();
    for turn in 0..26_u8 {
        let mut items = Vec::new();
        for item in 0..turn % 4 {
            let record = |n: u8| world.record(u32::from(100 + n % 2), &[turn, item, n]);
            items.push((0..=item).map(record).collect::<Vec<_>>());
        }
        if turn % 5 == 3 {
            // Three blocks under one certificate.
            let tail = vec![vec![world.record(100, &[turn, 77])]];
            world.turns(&[items, Vec::new(), tail]);
        } else {
            world.turn(&items);
        }
    }
    assert!(world.chain.epoch() >= Epoch::new(3));
    world
}

fn records(of: u32, at: Height, after: Option<Place>) -> Question {
    Question::Records { owner: owner(of), at, after }
}

/// A client that keeps no record: all it knows is genesis, rosters and headers, whatever it was told.
#[test]
fn cli_2_5_a_light_client_keeps_no_records() {
    //= harness/spec/clients.md#cli-2-light-client
    //= type=test
    //# CLI-2.5 (ours): A light client MUST keep headers and its own keys only.
    //= harness/spec/clients.md#cli-2-light-client
    //= type=test
    //# CLI-2.1 (paper): A light client MUST answer from other nodes without storing records itself.
    let world = history();
    let (mut light, at) = (world.light(), world.head());
    let question = records(100, at, None);
    let Known::Records(known) =
        light.check(&question, Some(&owner(100)), &world.answer(&question, 100)).unwrap()
    else {
        panic!()
    };
    assert!(!known.records.is_empty());
    let kept = format!("{light:?}");
    for one in &known.records {
        for forbidden in [one.id.to_string(), one.booking.content.digest().to_string()] {
            assert!(!kept.contains(&forbidden), "kept of record {}: {forbidden}", one.id);
        }
    }
    assert_eq!(light.tip().map(|(height, _)| height), Some(at));
}

#[test]
fn cli_4_1_full_and_light_client_give_one_answer_at_every_height() {
    //= harness/spec/clients.md#cli-4-one-answer
    //= type=test
    //# CLI-4.2 (ours): The records of an owner MUST be listed in the order of booking, by height, then
    //# Item, then place in the Item.
    //= harness/spec/clients.md#cli-1-full-client
    //= type=test
    //# CLI-1.4 (ours): The interface of a full client MUST answer over HTTP in JSON, with a proof for
    //# every record it names.
    let world = history();
    let mut counts = Vec::new();
    for height in 0..=world.head().get() {
        for of in [100, 101, 102] {
            let question = records(of, Height::new(height), None);
            let Known::Records(known) = world.known(&question, of) else { panic!() };
            assert!(known.records.is_sorted_by(|a, b| a.place < b.place));
            assert!(known.records.iter().all(|one| one.place.height.get() <= height));
            counts.push(known.records.len());
            assert_eq!(world.checked(&question, of), Ok(Known::Records(known)));
        }
    }
    let last = &counts[counts.len() - 3..];
    let all = usize::try_from(world.chain.totals().records).unwrap();
    assert_eq!(last.iter().sum::<usize>(), all);
    assert_eq!(last[2], 0, "nobody has no records, and that is an answer too");
}

#[test]
fn every_record_is_found_with_content_standing_and_receipt() {
    let world = history();
    let at = world.head();
    let Known::Records(all) = world.known(&records(100, at, None), 100) else { panic!() };
    let mut light = world.light();
    let mut standings = std::collections::BTreeSet::new();
    for one in &all.records {
        let by = Some(&owner(100));
        let question = Question::Record { id: one.id, at };
        let found = light.check(&question, by, &world.answer(&question, 100)).unwrap();
        assert_eq!(found, world.known(&question, 100));
        let Known::Record(Some(found)) = found else { panic!() };
        assert!(found.content.as_ref().is_some_and(|content| content.len() <= 3));
        let question = Question::Receipt { id: one.id, at };
        let found = light.check(&question, by, &world.answer(&question, 100)).unwrap();
        assert_eq!(found, world.known(&question, 100));
        let Known::Receipt(Some(found)) = found else { panic!() };
        assert_eq!(found.receipt.is_some(), matches!(one.standing, Standing::Anchored(_)));
        standings.insert(one.standing);
    }
    let expected = [
        Standing::Final(Epoch::new(3)),
        Standing::Anchored(Epoch::new(0)),
        Standing::Anchored(Epoch::new(1)),
        Standing::Anchored(Epoch::new(2)),
    ];
    assert_eq!(standings, expected.into());
    // Before its block a record is not booked.
    let late = all.records.last().unwrap();
    let question = Question::Record { id: late.id, at: Height::new(late.place.height.get() - 1) };
    assert_eq!(world.checked(&question, 100), Ok(Known::Record(None)));
}

#[test]
fn pages_follow_each_other_without_gap() {
    let mut world = World::new();
    for turn in 0..3_u8 {
        let item =
            |item: u8| (0..10).map(|n| world.record(100, &[turn, item, n])).collect::<Vec<_>>();
        let items: Vec<_> = (0..20).map(item).collect();
        world.turn(&items);
    }
    let (mut light, at) = (world.light(), world.head());
    let (mut after, mut pages, mut seen) = (None, 0, Vec::new());
    loop {
        let question = records(100, at, after);
        let answer = world.answer(&question, 100);
        let Known::Records(page) = light.check(&question, Some(&owner(100)), &answer).unwrap()
        else {
            panic!()
        };
        assert_eq!(world.known(&question, 100), Known::Records(page.clone()));
        seen.extend(page.records.iter().map(|one| one.place));
        pages += 1;
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!((pages, seen.len()), (3, 600));
    assert!(seen.is_sorted_by(|a, b| a < b));
}

#[test]
fn cli_1_5_nobody_else_is_answered() {
    //= harness/spec/clients.md#cli-1-full-client
    //= type=test
    //# CLI-1.5 (ours): A full client MUST answer a question about the records of an owner only to a call
    //# signed, at most 60,000 milliseconds away from its clock, by the owner or by a reader to whom a
    //# grant that holds opens what is answered.
    let world = history();
    let at = world.head();
    let Known::Records(all) = world.known(&records(100, at, None), 100) else { panic!() };
    let id = all.records[0].id;
    let (of, after) = (owner(100), None);
    for question in [
        records(100, at, None),
        Question::Record { id, at },
        Question::Sharing { person: of, role: Role::Owner, at, after },
        Question::Sharing { person: of, role: Role::Reader, at, after },
        Question::Receipt { id, at },
    ] {
        for by in [None, Some(&owner(101)), Some(&owner(1))] {
            assert_eq!(full::answer(&world, &question, by), Err(FullError::Denied), "{question:?}");
            assert_eq!(full::known(&world, &question, by), Err(FullError::Denied));
        }
        assert!(full::answer(&world, &question, Some(&of)).is_ok());
        assert!(!question.is_public());
    }
    let ahead = records(100, Height::new(at.get() + 1), None);
    let expected = FullError::Ahead { at: Height::new(at.get() + 1), provable: at };
    assert_eq!(full::answer(&world, &ahead, Some(&of)), Err(expected));
}

#[test]
fn what_no_certificate_shows_yet_is_not_answered_and_the_rest_is() {
    let mut world = history();
    let of_epoch = |world: &World, epoch: u32| {
        let heights = 1..=world.head().get();
        let blocks = heights.map(|h| crate::client::Library::block(world, Height::new(h)).unwrap());
        let blocks = blocks.flatten().filter(|block| block.header.epoch.get() <= epoch);
        blocks.map(|block| block.header.height).max().unwrap()
    };
    for uncertified in 1..=3 {
        world.uncertified = uncertified;
        let last = of_epoch(&world, 3 - uncertified);
        assert!(last < world.head());
        assert_eq!(full::provable(&world), Ok(last), "{uncertified}");
        let light = world.light();
        assert_eq!(light.tip().map(|(height, _)| height), Some(last));
        assert_eq!(light.open_epoch(), Epoch::new(3 - uncertified));
        let question = records(100, last, None);
        let Known::Records(found) = world.checked(&question, 100).unwrap() else { panic!() };
        assert_eq!(Known::Records(found.clone()), world.known(&question, 100));
        let newest = found.records.last().unwrap();
        assert_eq!(newest.standing, Standing::Final(Epoch::new(3 - uncertified)));
    }
    // A network without a block has no records, and that is final.
    let empty = World::new();
    let question = records(100, Height::new(0), None);
    let Known::Records(found) = empty.checked(&question, 100).unwrap() else { panic!() };
    assert!(found.records.is_empty());
}

#[test]
fn cli_2_6_auditors_must_agree_and_be_enough() {
    //= harness/spec/clients.md#cli-2-light-client
    //= type=test
    //# CLI-2.6 (ours): A light client MUST refuse answers to one question unless f + 1 auditors of the
    //# newest committees it knows have given and signed them and they agree.
    let world = history();
    let question = records(100, world.head(), None);
    let known = world.known(&question, 100);
    let heard =
        |from: u32, known: &Known| Heard { from: InstitutionId::new(from), known: known.clone() };
    let needed = world.light().auditors_needed();
    assert_eq!(needed, 2);
    assert_eq!(agree(&[heard(5, &known), heard(6, &known)], needed), Ok(&known));
    let few = agree(&[heard(5, &known), heard(5, &known)], needed).unwrap_err();
    assert_eq!(
        few.to_string(),
        "refused at the check of agreement: 1 auditors have answered where 2 are needed"
    );
    assert!(agree(&[], 0).is_err(), "nobody agrees with nobody");
    // Whoever leaves a record out gives an answer that passes every other check.
    let answer = world.answer(&question, 100);
    let Answer::Records(mut short) = answer else { panic!() };
    let left_out = short.records.remove(3).id;
    let checked =
        world.light().check(&question, Some(&owner(100)), &Answer::Records(short)).unwrap();
    let differ = agree(&[heard(5, &known), heard(6, &checked)], needed).unwrap_err();
    assert_eq!(differ.check, Check::Agreement);
    assert_eq!(differ.why, format!("record {left_out}: institution 5 has it, 6 has not"));
    let differ =
        agree(&[heard(5, &checked), heard(6, &known), heard(7, &known)], needed).unwrap_err();
    assert_eq!(differ.why, format!("record {left_out}: institution 6 has it, 5 has not"));
}

#[test]
fn a_light_client_without_rosters_or_of_another_network_believes_nothing() {
    let world = history();
    let answer = full::answer(&world, &Question::Status, None).unwrap();
    let mut new = Light::new(world.chain.genesis().clone()).unwrap();
    let refused = new.check(&Question::Status, None, &answer).unwrap_err();
    assert_eq!(refused.check, Check::Roster);
    assert_eq!((new.tip(), new.committees()), (None, None));
    let mut stranger = Light::new(genesis("another").0).unwrap();
    assert_eq!(stranger.check(&Question::Status, None, &answer).unwrap_err().check, Check::Network);
    let records = records(100, Height::new(1), None);
    let refused = new.check(&records, Some(&owner(100)), &world.answer(&records, 100)).unwrap_err();
    assert_eq!(refused.check, Check::Question, "no height is known to be final");
}

#[test]
fn what_is_kept_between_two_runs_is_all_that_is_known() {
    let world = history();
    let light = world.light();
    let text = serde_json::to_string(&light.keep()).unwrap();
    let kept: Kept = serde_json::from_str(&text).unwrap();
    let genesis = world.chain.genesis().clone();
    let mut resumed = Light::resume(genesis.clone(), &kept).unwrap();
    assert_eq!(resumed, light);
    let question = records(100, world.head(), None);
    let answer = world.answer(&question, 100);
    let found = resumed.check(&question, Some(&owner(100)), &answer);
    assert_eq!(found, Ok(world.known(&question, 100)));
    // Nothing is taken for kept that no client has kept.
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let first = value["committees"][0].clone();
    let damage = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut value = value.clone();
        change(&mut value);
        Light::resume(genesis.clone(), &serde_json::from_value(value).unwrap()).unwrap_err()
    };
    let committees = |epoch: u32| KeptError::Committees { epoch: Epoch::new(epoch) };
    assert_eq!(damage(&|v| v["committees"] = serde_json::json!([])), committees(0));
    assert_eq!(damage(&|v| v["committees"][0]["epoch"] = 1.into()), committees(1));
    assert_eq!(damage(&|v| v["committees"][0]["auditors"] = serde_json::json!([])), committees(0));
    let again = damage(&|v| v["committees"].as_array_mut().unwrap().push(first.clone()));
    assert_eq!(again, committees(0));
    let other = genesis_of("another");
    assert!(matches!(Light::resume(other, &kept), Err(KeptError::Network { .. })));
}

fn genesis_of(name: &str) -> crate::ledger::Genesis {
    genesis(name).0
}
