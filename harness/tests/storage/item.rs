//! STO-3: how many records an Item holds, when it closes, and that none is lost on the way there.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use harness::build;
use mdsm_core::codec::{Encode as _, Wire as _};
use mdsm_core::freezing::{Accepted, ClosedTurn, Handoff, Place, close_turn};
use mdsm_core::ledger::{Envelope, Item};
use mdsm_core::types::{BoundError, List};

use super::drawn::{chain_id, u32_of};

fn envelopes(count: u32) -> Vec<Envelope> {
    (0..count).map(|number| build::envelope(&chain_id(), number)).collect()
}

fn accepted(envelopes: Vec<Envelope>) -> Vec<Accepted> {
    let sound = |envelope: Envelope| Accepted::new(envelope.verify(&chain_id()).unwrap());
    envelopes.into_iter().map(sound).collect()
}

#[test]
fn sto_3_an_item_holds_one_to_ten_records() {
    //= harness/spec/storage.md#sto-3-size-of-an-item
    //= type=test
    //# STO-3.1 (paper): An Item MUST hold at most 10 records.
    //= harness/spec/storage.md#sto-3-size-of-an-item
    //= type=test
    //# STO-3.2 (ours): An Item MUST hold at least 1 record.
    let envelopes = envelopes(11);
    for count in 0..=11 {
        let sound = (1..=10).contains(&count);
        let error = BoundError::Count { count, count_min: 1, count_max: 10 };
        let made = List::<_, 1, 10>::new(envelopes[..count].to_vec());
        assert_eq!(made.clone().err(), (!sound).then_some(error.clone()));

        let mut bytes = [&b"MITM\x01"[..], &u32_of(count)].concat();
        envelopes[..count].iter().for_each(|envelope| envelope.encode(&mut bytes));
        match Item::from_bytes(&bytes) {
            Ok(item) => assert_eq!(item.records, made.unwrap()),
            Err(refused) => {
                assert_eq!((refused.field().as_str(), refused.offset), ("Item.records", 5));
                assert_eq!(refused.kind, error.into());
            }
        }
    }
}

#[test]
fn sto_3_3_items_close_at_ten_records_or_at_the_end_of_the_turn() {
    //= harness/spec/storage.md#sto-3-size-of-an-item
    //= type=test
    //# STO-3.3 (ours): An Item MUST close when it holds 10 records or when its turn ends, whichever
    //# comes first.
    let all = envelopes(31);
    for count in 0..=all.len() {
        let turn = close_turn(accepted(all[..count].to_vec()));
        assert!(turn.carried.is_empty());
        let sizes: Vec<usize> = turn.items.iter().map(|sealed| sealed.item.records.len()).collect();
        let mut expected = vec![10; count / 10];
        expected.extend((count % 10 > 0).then_some(count % 10));
        assert_eq!(sizes, expected, "{count} records");
        let records: Vec<Envelope> =
            turn.items.iter().flat_map(|sealed| sealed.item.records.iter().cloned()).collect();
        assert_eq!(records, all[..count], "in the order in which they came");
        assert!(turn.items.iter().all(|sealed| sealed.root == sealed.item.root()));
    }
}

#[test]
fn sto_3_4_many_threads_append_and_every_record_is_in_one_item_of_its_turn() {
    //= harness/spec/storage.md#sto-3-size-of-an-item
    //= type=test
    //# STO-3.4 (ours): An accepted record MUST enter exactly one Item, before that Item closes, in
    //# the turn in which it was appended or in the next turn that has room for it.
    const THREADS: u32 = 4;
    const TURNS: u64 = 100;
    // Turns are short, so that some are full before they are closed, and most are not.
    let handoff: Handoff<u32> = Handoff::with_items(50);
    let (begun, done) = (AtomicU64::new(0), AtomicU64::new(0));
    let writing = AtomicU64::new(THREADS.into());
    let append = |record: u32| loop {
        let closed_before = done.load(Ordering::SeqCst);
        let Ok(place) = handoff.append(record) else {
            thread::yield_now();
            continue;
        };
        let closing_after = begun.load(Ordering::SeqCst);
        // The open turn has the number of the turns closed before it.
        assert!((closed_before..=closing_after).contains(&place.turn), "{place:?}");
        return (record, place);
    };
    let append_all = |first: u32| {
        let go_on = || done.load(Ordering::SeqCst) < TURNS;
        let records = (0..).map(|number| THREADS * number + first).take_while(|_| go_on());
        let places: Vec<_> = records.map(append).collect();
        writing.fetch_sub(1, Ordering::SeqCst);
        places
    };
    let close = || {
        begun.fetch_add(1, Ordering::SeqCst);
        let turn = handoff.close().expect("the only closer");
        done.fetch_add(1, Ordering::SeqCst);
        turn
    };
    let (places, mut turns): (BTreeMap<u32, Place>, Vec<ClosedTurn<u32>>) =
        thread::scope(|scope| {
            let writers: Vec<_> =
                (0..THREADS).map(|first| scope.spawn(move || append_all(first))).collect();
            let mut turns = Vec::new();
            while writing.load(Ordering::SeqCst) > 0 {
                turns.push(close());
                thread::yield_now();
            }
            let places = writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect();
            (places, turns)
        });
    turns.push(close());
    turns.push(close());
    let mut found = BTreeMap::new();
    for turn in &turns {
        for (ticket, record) in turn.records.iter().enumerate() {
            let place = Place { turn: turn.number, ticket };
            assert_eq!(found.insert(*record, place), None, "record {record} twice");
        }
    }
    assert_eq!(found, places, "each record is where its append said, and nowhere else");
    let partial = turns.iter().filter(|turn| turn.records.len() % 10 > 0).count();
    assert!(partial > 0 && places.len() > 100, "{partial} of {} turns end early", turns.len());
}

#[test]
fn sto_3_4_a_record_that_found_no_room_comes_first_in_the_next_turn() {
    //= harness/spec/storage.md#sto-3-size-of-an-item
    //= type=test
    //# STO-3.4 (ours): An accepted record MUST enter exactly one Item, before that Item closes, in
    //# the turn in which it was appended or in the next turn that has room for it.
    let large = build::inline(&build::key(1), &[1; 102_400]);
    let large = Envelope::sign(large, &chain_id(), &build::key(1), build::DELEGATE);
    let small = accepted(envelopes(7));
    let mut waiting = vec![accepted(vec![large]).remove(0); 340];
    waiting.extend(small.clone());
    let before: Vec<_> = waiting.iter().map(|record| *record.envelope().record_id()).collect();
    let first = close_turn(waiting);
    assert!(!first.items.is_empty() && !first.carried.is_empty(), "32 MiB are full before 340");
    let second = close_turn(first.carried.into_iter().chain(small));
    assert!(second.carried.is_empty());
    let items = first.items.iter().chain(&second.items);
    let after: Vec<_> = items
        .flat_map(|sealed| sealed.item.records.iter().map(|envelope| envelope.record.id()))
        .collect();
    assert_eq!(after[..before.len()], before, "none lost, none twice, none overtaken");
    assert_eq!(after.len(), before.len() + 7);
}
