//! From a client's request to the Items of a block: steps 1 to 6.

use std::sync::Arc;

use harness::build;
use mdsm_core::consensus::{Audience, TimerKind};
use mdsm_core::ledger::{Envelope, Record, Subject};
use mdsm_core::node::{Effect, Input, Journal, Message, Refusal, Submission};
use mdsm_core::types::{Digest, InstitutionId, RecordId};

use crate::scene::{Scene, id, vote};

fn submission(scene: &Scene, record: Record, delegate: InstitutionId) -> (RecordId, Submission) {
    let chain = scene.network.chain.id();
    let envelope = Envelope::sign(record, &chain, &build::key(1), delegate);
    let envelope = envelope.verify(&chain).expect("signed by its owner");
    (*envelope.record_id(), Submission { envelope, is_file_stored: false })
}

fn record(number: u8) -> Record {
    build::inline(&build::key(1), &[number; 20])
}

fn submit(scene: &mut Scene, number: u8) -> RecordId {
    let me = scene.node.me();
    scene.feed(Input::Request(build::key(1).owner()));
    let (id, submission) = submission(scene, record(number), me);
    let effects = scene.feed(Input::Submit(submission));
    assert!(effects.contains(&Effect::Acknowledge(id)), "{effects:?}");
    id
}

#[test]
fn con_1_2_a_request_is_accepted_and_the_acceptance_told_to_all() {
    //= harness/spec/consensus.md#con-1-request-and-acceptance
    //= type=test
    //# CON-1.1 (paper): A user MUST be able to ask for the booking of a record by presenting its
    //# public key.
    //= harness/spec/consensus.md#con-1-request-and-acceptance
    //= type=test
    //# CON-1.2 (paper): The delegate that accepts a request MUST broadcast the acceptance.
    let mut scene = Scene::of(id(2));
    let owner = build::key(1).owner();
    let effects = scene.feed(Input::Request(owner));
    let message = Message::Acceptance { owner };
    assert_eq!(effects, [Effect::Send { to: Audience::Everyone, message }]);
    // Without it a record is refused by name.
    let other = build::inline(&build::key(2), b"another owner");
    let chain = scene.network.chain.id();
    let envelope = Envelope::sign(other, &chain, &build::key(2), id(2)).verify(&chain).unwrap();
    let record = *envelope.record_id();
    let effects = scene.feed(Input::Submit(Submission { envelope, is_file_stored: false }));
    assert_eq!(effects, [Effect::Refuse(Refusal::NotRequested { record })]);
}

#[test]
fn sto_2_7_a_record_is_stored_before_it_is_acknowledged_and_then_sent_to_the_leader() {
    let mut scene = Scene::of(id(2));
    scene.feed(Input::Request(build::key(1).owner()));
    let (record, submission) = submission(&scene, record(1), id(2));
    let effects = scene.feed(Input::Submit(submission.clone()));
    let place = |wanted: &dyn Fn(&Effect) -> bool| effects.iter().position(wanted).unwrap();
    let stored = place(&|effect| matches!(effect, Effect::Accept(_)));
    assert!(stored < place(&|effect| *effect == Effect::Acknowledge(record)));
    let leader = Audience::One(id(1));
    let to_leader = |effect: &Effect| matches!(effect, Effect::Send { to, message: Message::Records(_) } if *to == leader);
    assert!(stored < place(&to_leader));
    let again = scene.feed(Input::Submit(submission));
    assert_eq!(again, [Effect::Refuse(Refusal::Repeated { record })]);
}

#[test]
fn con_3_3_a_record_by_digest_waits_for_its_file() {
    //= harness/spec/consensus.md#con-3-item-confirmation
    //= type=test
    //# CON-3.3 (ours): A delegate MUST NOT book a record by digest before the vault has
    //# acknowledged the file.
    let mut scene = Scene::of(id(2));
    scene.feed(Input::Request(build::key(1).owner()));
    let stored = build::stored(&build::key(1), Digest::new([4; 32]), 9);
    let (record, mut submission) = submission(&scene, stored, id(2));
    let effects = scene.feed(Input::Submit(submission.clone()));
    assert_eq!(effects, [Effect::Refuse(Refusal::NoFile { record })]);
    submission.is_file_stored = true;
    assert!(scene.feed(Input::Submit(submission)).contains(&Effect::Acknowledge(record)));
}

#[test]
fn con_2_3_a_record_is_booked_under_the_delegate_that_accepted_it() {
    //= harness/spec/consensus.md#con-2-booking-into-an-item
    //= type=test
    //# CON-2.1 (paper): The delegate on duty MUST put each accepted record under its owner's key
    //# into an Item and sign.
    //= harness/spec/consensus.md#con-2-booking-into-an-item
    //= type=test
    //# CON-2.3 (ours): A record MUST be booked under the id of the delegate that accepted it,
    //# whichever producer leads.
    //= harness/spec/consensus.md#con-3-item-confirmation
    //= type=test
    //# CON-3.1 (paper): The delegate on duty MUST broadcast the confirmation of each Item.
    // Accepted by institution 2, led by institution 1.
    let mut delegate = Scene::of(id(2));
    let records = (1..=12).map(|number| submit(&mut delegate, number)).collect::<Vec<_>>();
    let mut leader = Scene::of(id(1));
    let forwarded = delegate.time_out(1, TimerKind::Retry);
    drop(forwarded);
    let effects = {
        let (_, one) = submission(&delegate, record(99), id(3));
        let effects = delegate.feed(Input::Submit(one));
        assert!(matches!(effects[..], [Effect::Refuse(Refusal::Delegate { .. })]));
        // A new view: everything that waits goes to its leader.
        delegate.certify(vote(4, Subject::Nullify), [1, 2, 3])
    };
    let sent = effects.into_iter().find_map(|effect| match effect {
        Effect::Send { to: Audience::One(to), message: message @ Message::Records(_) } => {
            assert_eq!(to, id(1), "the leader of view 5");
            Some(message)
        }
        _ => None,
    });
    leader.hear(id(2), sent.expect("it sends what it accepted"));
    let effects = leader.time_out(1, TimerKind::Turn);
    let mut items = Vec::new();
    let mut named = Vec::new();
    for effect in effects {
        match effect {
            Effect::Propose { payload, .. } => {
                named = payload.item_block.as_ref().unwrap().items.to_vec();
            }
            Effect::Send { message: Message::Item(item), .. } => items.push(item),
            _ => {}
        }
    }
    let roots: Vec<Digest> = items.iter().map(|item| item.root()).collect();
    assert_eq!(named, roots, "the signed block names each Item, and the Items are sent");
    let booked: Vec<_> = items.iter().flat_map(|item| item.records.iter()).collect();
    assert_eq!(booked.iter().map(|e| e.record.id()).collect::<Vec<_>>(), records);
    assert!(booked.iter().all(|envelope| envelope.booked_by == id(2)));
    assert_eq!(items.iter().map(|item| item.records.len()).collect::<Vec<_>>(), [10, 2]);
}

#[test]
fn com_3_6_a_leader_neither_takes_nor_books_records_under_the_id_of_nobody() {
    let nobody = id(9_999);
    let mut leader = Scene::of(id(1));
    let chain = leader.network.chain.id();
    let by = |number, delegate| Envelope::sign(record(number), &chain, &build::key(1), delegate);
    leader.hear(nobody, Message::Records(vec![Arc::new(by(1, nobody))]));
    assert_eq!(leader.node.waiting(), 0, "nobody hands it in");
    leader.hear(id(2), Message::Records(vec![Arc::new(by(1, id(2)))]));
    assert_eq!(leader.node.waiting(), 1);
    // A disk may hold one from a time when that was not looked at.
    let accepted = vec![by(2, nobody), by(3, id(1))];
    let (mut leader, _) = leader.again_with(Journal::Whole(&[]), accepted);
    assert_eq!(leader.node.waiting(), 2);
    let effects = leader.time_out(1, TimerKind::Turn);
    let items = effects.iter().filter_map(|effect| match effect {
        Effect::Send { message: Message::Item(item), .. } => Some(item.clone()),
        _ => None,
    });
    let named: Vec<_> = items
        .flat_map(|item| item.records.iter().map(|e| e.booked_by).collect::<Vec<_>>())
        .collect();
    assert_eq!(named, [id(1)], "the turn is not spoilt by it");
}

#[test]
fn con_6_4_records_of_a_nullified_block_go_into_a_later_one() {
    //= harness/spec/consensus.md#con-1-request-and-acceptance
    //= type=test
    //# CON-1.4 (ours): An accepted record that no finalized block carries MUST stay in the pool of
    //# its delegate.
    //= harness/spec/consensus.md#con-6-replacement-within-a-turn
    //= type=test
    //# CON-6.4 (ours): The records of a nullified block MUST be bookable by a later one.
    let mut leader = Scene::of(id(1));
    let records: Vec<RecordId> = (1..=3).map(|number| submit(&mut leader, number)).collect();
    let proposed = |effects: &[Effect]| {
        let items = effects.iter().filter_map(|effect| match effect {
            Effect::Send { message: Message::Item(item), .. } => Some(item.clone()),
            _ => None,
        });
        let records =
            items.flat_map(|item| item.records.iter().map(|e| e.record.id()).collect::<Vec<_>>());
        records.collect::<Vec<_>>()
    };
    assert_eq!(proposed(&leader.time_out(1, TimerKind::Turn)), records);
    for view in 1..=4 {
        leader.certify(vote(view, Subject::Nullify), [1, 2, 3]);
    }
    assert_eq!(leader.node.waiting(), 3, "they stay in the pool");
    leader.ms += 24_000;
    assert_eq!(proposed(&leader.time_out(5, TimerKind::Turn)), records);
}
