//! Each check is broken once, by an answer that is sound but for one thing.

use super::answers::history;
use super::world::{World, key, owner};
use crate::client::{
    Answer, BlockProof, Check, HexBytes, Hexed, Known, Light, Question, RecordsAnswer, Refused,
    RosterAnswer, Speaker, StatusAnswer, full,
};
use crate::ledger::{Certificate, Subject, Vote};
use crate::roster::Seat;
use crate::types::{
    ChainId, Digest, Epoch, Height, InstitutionId, OwnerId, Signature, Timestamp, View,
};

const OTHER: Digest = Digest::new([7; 32]);

/// What a light client says to an answer that was changed.
fn refusal(world: &World, question: &Question, change: impl FnOnce(&mut Answer)) -> Refused {
    let mut answer = world.answer(question, 100);
    let by = owner(100);
    assert!(world.light().check(question, Some(&by), &answer).is_ok());
    change(&mut answer);
    world.light().check(question, Some(&by), &answer).unwrap_err()
}

fn records(world: &World, change: impl FnOnce(&mut RecordsAnswer)) -> Check {
    let question = Question::Records { owner: owner(100), at: world.head(), after: None };
    let change = |answer: &mut Answer| {
        let Answer::Records(answer) = answer else { panic!() };
        change(answer);
    };
    refusal(world, &question, change).check
}

/// The same, in the proof of a block whose header the light client has not seen.
fn block(world: &World, change: impl FnOnce(&mut BlockProof)) -> Check {
    records(world, |answer| change(&mut answer.blocks[0]))
}

#[test]
fn cli_2_4_every_check_of_a_block_refuses_by_its_name() {
    //= harness/spec/clients.md#cli-2-light-client
    //= type=test
    //# CLI-2.4 (ours): A light client MUST report an answer that fails its check as refused, with the
    //# check that failed, and never as an empty answer.
    //= harness/spec/clients.md#cli-2-light-client
    //= type=test
    //# CLI-2.2 (paper): A light client MUST check every answer itself.
    let world = history();
    let network = |proof: &mut BlockProof| proof.finality.header.0.chain_id = ChainId::new([7; 32]);
    assert_eq!(block(&world, network), Check::Network);
    let unknown = |proof: &mut BlockProof| proof.finality.header.0.epoch = Epoch::new(9);
    assert_eq!(block(&world, unknown), Check::Roster);
    // Any other change of the header is another block, which nobody has certified.
    let later = |proof: &mut BlockProof| proof.finality.header.0.timestamp = Timestamp::new(1);
    assert_eq!(block(&world, later), Check::Finality);
    let payload = |proof: &mut BlockProof| proof.finality.header.0.payload = OTHER;
    assert_eq!(block(&world, payload), Check::Finality);
    let vote = |change: fn(&mut Vote)| {
        block(&world, move |proof| change(&mut proof.finality.certificate.0.vote))
    };
    assert_eq!(vote(|vote| vote.view = View::new(77)), Check::Finality);
    assert_eq!(vote(|vote| vote.epoch = Epoch::new(1)), Check::Finality);
    let notarized = |vote: &mut Vote| {
        vote.subject = Subject::Notarize(*vote.subject.digest().unwrap());
    };
    assert_eq!(vote(notarized), Check::Finality);
    let signature = |proof: &mut BlockProof| {
        let certificate = &mut proof.finality.certificate.0;
        let mut signatures = certificate.signatures.clone().into_vec();
        signatures[0] = Signature::new([1; 64]);
        certificate.signatures = crate::types::List::new(signatures).unwrap();
    };
    assert_eq!(block(&world, signature), Check::Finality);
    // A quorum that signed is none of the auditors.
    let strangers = |proof: &mut BlockProof| {
        let vote = proof.finality.certificate.0.vote;
        let message = vote.message(&world.chain.id());
        let signed: Vec<_> = (0..4).map(|seat| (seat, key(60).sign(&message))).collect();
        proof.finality.certificate = Hexed(Certificate::assemble(vote, 4, &signed).unwrap());
    };
    assert_eq!(block(&world, strangers), Check::Finality);
    let summary = |proof: &mut BlockProof| proof.summary.0.events = OTHER;
    assert_eq!(block(&world, summary), Check::Payload);
    let root = |proof: &mut BlockProof| proof.summary.0.item_block.as_mut().unwrap().root = OTHER;
    assert_eq!(block(&world, root), Check::Payload);
}

#[test]
fn a_block_below_the_certified_one_needs_every_header_between() {
    let world = history();
    let broken = |change: fn(&mut BlockProof)| {
        records(&world, |answer| {
            let is_below = |proof: &&mut BlockProof| proof.finality.above.len() == 2;
            change(answer.blocks.iter_mut().find(is_below).unwrap());
        })
    };
    assert_eq!(broken(|proof| proof.finality.above.truncate(1)), Check::Finality);
    assert_eq!(broken(|proof| proof.finality.above.rotate_left(1)), Check::Finality);
    assert_eq!(broken(|proof| proof.finality.above.clear()), Check::Finality);
    assert_eq!(broken(|proof| proof.finality.above[0].0.parent = OTHER), Check::Finality);
    assert_eq!(broken(|proof| proof.finality.above[0].0.height = Height::new(1)), Check::Finality);
    assert_eq!(broken(|proof| proof.finality.above[0].0.epoch = Epoch::new(9)), Check::Finality);
}

#[test]
fn cli_2_4_every_check_of_a_record_refuses_by_its_name() {
    let world = history();
    let (own, foreign) = (owner(100), owner(101));
    let at = world.head();
    let Answer::Records(of_other) =
        world.answer(&Question::Records { owner: foreign, at, after: None }, 101)
    else {
        panic!()
    };
    let last = |change: fn(&mut crate::client::RecordProof)| {
        records(&world, |answer| change(answer.records.last_mut().unwrap()))
    };
    assert_eq!(last(|proof| proof.block = 99), Check::Question);
    assert_eq!(last(|proof| proof.item = OTHER), Check::Item);
    assert_eq!(last(|proof| proof.booking.0.booked_by = InstitutionId::new(3)), Check::Item);
    assert_eq!(
        last(|proof| proof.booking.0.owner_signature = Signature::new([1; 64])),
        Check::Item
    );
    assert_eq!(last(|proof| proof.in_item.1 += 1), Check::Item);
    assert_eq!(last(|proof| proof.in_item = (200, 201)), Check::Item);
    assert_eq!(last(|proof| proof.item_path.push(OTHER)), Check::Item);
    assert_eq!(last(|proof| proof.in_block.1 += 1), Check::ItemBlock);
    assert_eq!(last(|proof| proof.in_block.0 += 1), Check::ItemBlock);
    assert_eq!(last(|proof| proof.block_path.push(OTHER)), Check::ItemBlock);
    assert_eq!(last(|proof| proof.id = crate::types::RecordId::new([7; 32])), Check::RecordId);
    assert_eq!(last(|proof| proof.content = Some(HexBytes(vec![7]))), Check::Content);
    // The block of another record, a record of somebody else, twice the same, out of order.
    assert_eq!(records(&world, |answer| answer.records[5].block = 0), Check::ItemBlock);
    let foreign = |answer: &mut RecordsAnswer| {
        answer.blocks.clone_from(&of_other.blocks);
        answer.records.clone_from(&of_other.records);
    };
    assert_eq!(records(&world, foreign), Check::Owner);
    let twice = |answer: &mut RecordsAnswer| answer.records.insert(1, answer.records[0].clone());
    assert_eq!(records(&world, twice), Check::Order);
    assert_eq!(records(&world, |answer| answer.records.swap(2, 3)), Check::Order);
    let next = |answer: &mut RecordsAnswer| answer.next = "1.0.0".parse().ok();
    assert_eq!(records(&world, next), Check::Order);
    // An answer to something else.
    let height = |answer: &mut RecordsAnswer| answer.at = Height::new(1);
    assert_eq!(records(&world, height), Check::Question);
    assert_eq!(records(&world, |answer| answer.owner = of_other.owner), Check::Question);
    let question = Question::Records { owner: own, at, after: None };
    let status = full::answer(&world, &Question::Status, None).unwrap();
    assert_eq!(refusal(&world, &question, |answer| *answer = status).check, Check::Question);
    let early = Question::Records { owner: own, at: Height::new(4), after: None };
    let all = world.answer(&question, 100);
    let too_much = |answer: &mut Answer| {
        let Answer::Records(all) = all else { panic!() };
        *answer = Answer::Records(RecordsAnswer { at: Height::new(4), ..all });
    };
    assert_eq!(refusal(&world, &early, too_much).check, Check::Question);
    let behind = Question::Records { owner: own, at, after: "9.0.0".parse().ok() };
    let all = world.answer(&question, 100);
    assert_eq!(refusal(&world, &behind, |answer| *answer = all).check, Check::Order);
}

/// Auditors that finalize a block with a record whose owner did not sign it.
#[test]
fn the_owner_s_signature_is_checked_whatever_auditors_sign() {
    let world = history();
    let forged = |answer: &mut RecordsAnswer| {
        let (proof, block) = (&mut answer.records[0], &mut answer.blocks[0]);
        proof.booking.0.owner_signature = Signature::new([1; 64]);
        let leaf = proof.booking.0.leaf_hash();
        proof.item = crate::ledger::Item::root_of_leaves(&[leaf]);
        (proof.in_item, proof.item_path) = ((0, 1), Vec::new());
        (proof.in_block, proof.block_path) = ((0, 1), Vec::new());
        let summary = &mut block.summary.0;
        let item_block = summary.item_block.as_mut().unwrap();
        item_block.root = crate::ledger::root_of(crate::ledger::Level::ItemBlock, &[proof.item]);
        let header = &mut block.finality.header.0;
        header.payload = crate::crypto::Identified::id(summary);
        block.finality.above.clear();
        let subject = Subject::Finalize(crate::crypto::Identified::id(header));
        let vote = Vote { epoch: header.epoch, view: header.view, subject };
        let auditors: Vec<_> = (5..=8).map(InstitutionId::new).collect();
        block.finality.certificate = Hexed(world.certificate(vote, &auditors));
        answer.records.truncate(1);
        answer.blocks.truncate(1);
    };
    assert_eq!(records(&world, forged), Check::OwnerSignature);
}

#[test]
fn one_history_two_final_blocks_of_one_height_are_a_breach_not_an_answer() {
    let world = history();
    let Ok(Answer::Status(sound)) = full::answer(&world, &Question::Status, None) else { panic!() };
    let finalize = |answer: &mut StatusAnswer| {
        let proof = answer.proven.as_mut().unwrap();
        let header = &proof.header.0;
        let subject = Subject::Finalize(crate::crypto::Identified::id(header));
        let vote = Vote { epoch: header.epoch, view: header.view, subject };
        let auditors: Vec<_> = (5..=8).map(InstitutionId::new).collect();
        proof.certificate = Hexed(world.certificate(vote, &auditors));
    };
    let mut light = world.light();
    let mut fork = sound.clone();
    fork.proven.as_mut().unwrap().header.0.payload = OTHER;
    finalize(&mut fork);
    let refused = light.check(&Question::Status, None, &Answer::Status(fork)).unwrap_err();
    assert_eq!(refused.check, Check::OneHistory);
    assert!(refused.why.contains("signed two histories"), "{refused}");
    assert!(light.check(&Question::Status, None, &Answer::Status(sound.clone())).is_ok());
    // The first block of an epoch that leaves the anchored history.
    let mut branch = sound;
    let header = &mut branch.proven.as_mut().unwrap().header.0;
    (header.parent_view, header.parent, header.height) = (View::new(0), OTHER, Height::new(99));
    finalize(&mut branch);
    let refused = light.check(&Question::Status, None, &Answer::Status(branch)).unwrap_err();
    assert_eq!(refused.check, Check::OneHistory);
    assert!(refused.why.contains("does not extend the anchored head"), "{refused}");
}

#[test]
fn status_of_another_network_or_nobody_is_refused() {
    let world = history();
    let refused = |change: fn(&mut StatusAnswer)| {
        let change = |answer: &mut Answer| {
            let Answer::Status(answer) = answer else { panic!() };
            change(answer);
        };
        refusal(&world, &Question::Status, change).check
    };
    assert_eq!(refused(|answer| answer.chain_id = ChainId::new([7; 32])), Check::Network);
    let above = |answer: &mut StatusAnswer| {
        answer.proven.as_mut().unwrap().header.0.height = Height::new(99);
    };
    assert_eq!(refused(above), Check::Finality);
}

#[test]
fn the_roster_chain_takes_no_step_that_is_not_certified() {
    let world = history();
    let question = Question::Roster { from: Epoch::new(0) };
    let Ok(Answer::Roster(sound)) = full::answer(&world, &question, None) else { panic!() };
    assert_eq!(sound.steps.len(), 3);
    let learn = |change: &dyn Fn(&mut RosterAnswer)| {
        let mut answer = sound.clone();
        change(&mut answer);
        let mut light = Light::new(world.chain.genesis().clone()).unwrap();
        let learnt = light.learn_roster(&answer);
        (learnt.map_err(|refused| refused.check), light.open_epoch().get())
    };
    assert_eq!(learn(&|_| {}), (Ok(()), 3));
    let seat = Seat { institution: InstitutionId::new(9), key: OwnerId::new([9; 32]) };
    let first = |answer: &mut RosterAnswer| {
        answer.first.as_mut().unwrap().0.committees.auditors[0] = seat;
    };
    assert_eq!(learn(&first), (Err(Check::Roster), 0));
    let institutions =
        |answer: &mut RosterAnswer| answer.first.as_mut().unwrap().0.institutions = OTHER;
    assert_eq!(learn(&institutions), (Err(Check::Roster), 0));
    assert_eq!(learn(&|answer| answer.first = None), (Err(Check::Roster), 0));
    let next = |answer: &mut RosterAnswer| answer.steps[1].next.0.committees.producers[0] = seat;
    assert_eq!(learn(&next), (Err(Check::Roster), 1), "what was shown before stays known");
    let institutions = |answer: &mut RosterAnswer| answer.steps[1].next.0.institutions = OTHER;
    assert_eq!(learn(&institutions), (Err(Check::Roster), 1));
    let anchor = |answer: &mut RosterAnswer| answer.steps[2].anchor.0.state = OTHER;
    assert_eq!(learn(&anchor), (Err(Check::Roster), 2));
    let network = |answer: &mut RosterAnswer| {
        answer.steps[2].anchor.0.chain_id = ChainId::new([7; 32]);
    };
    assert_eq!(learn(&network), (Err(Check::Network), 2));
    let missing = |answer: &mut RosterAnswer| drop(answer.steps.remove(1));
    assert_eq!(learn(&missing), (Err(Check::Roster), 1));
    let finalized = |answer: &mut RosterAnswer| {
        let vote = &mut answer.steps[0].certificate.0.vote;
        vote.subject = Subject::Finalize(*vote.subject.digest().unwrap());
    };
    assert_eq!(learn(&finalized), (Err(Check::Roster), 0));
    let few = |answer: &mut RosterAnswer| {
        let step = &mut answer.steps[0];
        let vote = step.certificate.0.vote;
        let message = vote.message(&world.chain.id());
        let sign = |(at, seat): (usize, u32)| (at, key(seat).sign(&message));
        let signed: Vec<_> = (0..5).zip(1..).map(sign).collect();
        step.certificate = Hexed(Certificate::assemble(vote, 8, &signed).unwrap());
    };
    assert_eq!(learn(&few), (Err(Check::Roster), 0), "5 of 8, where 6 are needed");
    // Two certified anchors of one epoch.
    let mut light = world.light();
    let mut other = sound.steps[1].clone();
    other.anchor.0.state = OTHER;
    let twice = RosterAnswer { first: None, steps: vec![other] };
    assert_eq!(light.learn_roster(&twice).unwrap_err().check, Check::OneHistory);
    assert!(light.learn_roster(&sound).is_ok(), "what is known may be said again");
}

#[test]
fn a_receipt_leads_to_the_certified_anchor_or_is_refused() {
    let world = history();
    let at = world.head();
    let all = Question::Records { owner: owner(100), at, after: None };
    let Known::Records(all) = world.known(&all, 100) else { panic!() };
    let (early, late) = (all.records[1].id, all.records.last().unwrap().id);
    let question = Question::Receipt { id: early, at };
    let refused = |change: &dyn Fn(&mut crate::ledger::Receipt)| {
        let change = |answer: &mut Answer| {
            let Answer::Receipt(answer) = answer else { panic!() };
            change(&mut answer.receipt.as_mut().unwrap().0);
        };
        refusal(&world, &question, change).check
    };
    assert_eq!(refused(&|receipt| receipt.context = OTHER), Check::Receipt);
    assert_eq!(refused(&|receipt| receipt.epoch = Epoch::new(1)), Check::Receipt);
    assert_eq!(refused(&|receipt| receipt.chain_id = ChainId::new([7; 32])), Check::Receipt);
    assert_eq!(refused(&|receipt| receipt.position.window_size += 1), Check::Receipt);
    let booked_by = |receipt: &mut crate::ledger::Receipt| {
        receipt.booking.booked_by = InstitutionId::new(3);
    };
    assert_eq!(refused(&booked_by), Check::Receipt);
    let withheld = |answer: &mut Answer| {
        let Answer::Receipt(answer) = answer else { panic!() };
        answer.receipt = None;
    };
    assert_eq!(refusal(&world, &question, withheld).check, Check::Receipt);
    let Answer::Receipt(of_early) = world.answer(&question, 100) else { panic!() };
    let unbooked = |answer: &mut Answer| {
        let Answer::Receipt(answer) = answer else { panic!() };
        answer.blocks.clear();
        answer.records.clear();
    };
    assert_eq!(refusal(&world, &question, unbooked).check, Check::Receipt);
    // A receipt where none can be shown yet is passed over, not believed.
    let question = Question::Receipt { id: late, at };
    let Answer::Receipt(mut answer) = world.answer(&question, 100) else { panic!() };
    assert_eq!(answer.receipt, None);
    answer.receipt = of_early.receipt;
    let checked = world.light().check(&question, Some(&owner(100)), &Answer::Receipt(answer));
    assert_eq!(checked, Ok(world.known(&question, 100)));
    // One record asked for, another shown.
    let question = Question::Record { id: late, at };
    let early = world.answer(&Question::Record { id: early, at }, 100);
    let another = |answer: &mut Answer| {
        let (Answer::Record(answer), Answer::Record(early)) = (answer, early) else { panic!() };
        (answer.blocks, answer.records) = (early.blocks, early.records);
    };
    assert_eq!(refusal(&world, &question, another).check, Check::Question);
}

#[test]
fn an_answer_counts_for_the_auditor_that_signed_it() {
    let world = history();
    let light = world.light();
    let (line, body) = (Question::Status.line(), b"{}".to_vec());
    let speaker = |of: u32, key_of: u32| {
        let message = Speaker::message(&world.chain.id(), &line, &body);
        Speaker { institution: InstitutionId::new(of), signature: key(key_of).sign(&message) }
    };
    assert_eq!(light.hear(&line, &body, &speaker(6, 6)), Ok(InstitutionId::new(6)));
    let refused = |speaker: Speaker| light.hear(&line, &body, &speaker).unwrap_err().check;
    assert_eq!(refused(speaker(6, 7)), Check::Speaker);
    assert_eq!(refused(speaker(1, 1)), Check::Speaker, "a producer");
    assert_eq!(refused(speaker(9, 9)), Check::Speaker, "no seat");
    assert!(light.hear(&line, b"{ }", &speaker(6, 6)).is_err());
    assert!(light.hear("/v1/roster?from=0", &body, &speaker(6, 6)).is_err());
}
