//! Every interleaving, within a bound on preemptions, of the shipped `freezing/handoff.rs`.
//!
//! ```text
//! RUSTFLAGS="--cfg mdsm_loom" cargo test -p mdsm-core --no-default-features --release --test handoff_loom -- --nocapture
//! ```
//! With `--cfg mdsm_planted_race` added the same tests must fail: one `Release` becomes `Relaxed`.
//! Items have two slots here, so that full and partial Items both occur among few records.
#![cfg(mdsm_loom)]

use std::collections::BTreeSet;
use std::sync::Arc as StdArc;
use std::sync::atomic::{AtomicUsize, Ordering};

use loom::sync::Arc;
use loom::thread;
use mdsm_core::freezing::{Busy, ClosedTurn, Handoff, Place};

type Small = Handoff<Box<u32>, 2>;

/// Explores `scenario` and says how far.
fn explore(name: &str, preemptions: usize, scenario: impl Fn() + Sync + Send + 'static) {
    let explored = StdArc::new(AtomicUsize::new(0));
    let counter = explored.clone();
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(move || {
        counter.fetch_add(1, Ordering::Relaxed);
        scenario();
    });
    let explored = explored.load(Ordering::Relaxed);
    println!("loom: {name}: {explored} interleavings, at most {preemptions} preemptions");
    assert!(explored > 1, "{name}: a scenario without choices shows nothing");
}

/// Closes until nothing is left, and holds what came out to what went in.
fn settle(handoff: &Small, mut closed: Vec<ClosedTurn<Box<u32>>>, appended: &[(u32, Place)]) {
    for _ in 0..2 {
        closed.push(handoff.close().expect("the other closers are done"));
    }
    closed.sort_by_key(|turn| turn.number);
    let numbers: BTreeSet<u64> = closed.iter().map(|turn| turn.number).collect();
    assert_eq!(numbers.len(), closed.len(), "each turn is closed once");
    let mut seen = 0;
    for turn in &closed {
        for (ticket, record) in turn.records.iter().enumerate() {
            let place = Place { turn: turn.number, ticket };
            assert!(appended.contains(&(**record, place)), "record {record} at {place:?}");
            seen += 1;
        }
    }
    assert_eq!(seen, appended.len(), "every appended record is in exactly one turn");
}

fn append(handoff: &Small, record: u32) -> (u32, Place) {
    (record, handoff.append(Box::new(record)).expect("turns have room"))
}

#[test]
fn append_against_append() {
    //= harness/spec/storage.md#sto-3-size-of-an-item
    //= type=test
    //# STO-3.4 (ours): An accepted record MUST enter exactly one Item, before that Item closes, in
    //# the turn in which it was appended or in the next turn that has room for it.
    explore("append | append", 5, || {
        let handoff = Arc::new(Small::with_items(2));
        let other = handoff.clone();
        let thread = thread::spawn(move || vec![append(&other, 1), append(&other, 2)]);
        let mut appended = vec![append(&handoff, 3)];
        appended.extend(thread.join().unwrap());
        settle(&handoff, vec![], &appended);
    });
}

#[test]
fn append_against_close() {
    //= harness/spec/storage.md#sto-3-size-of-an-item
    //= type=test
    //# STO-3.4 (ours): An accepted record MUST enter exactly one Item, before that Item closes, in
    //# the turn in which it was appended or in the next turn that has room for it.
    explore("append, append | close", 5, || {
        let handoff = Arc::new(Small::with_items(2));
        let other = handoff.clone();
        let thread = thread::spawn(move || vec![append(&other, 1), append(&other, 2)]);
        let closed = vec![handoff.close().expect("the only closer")];
        let appended = thread.join().unwrap();
        settle(&handoff, closed, &appended);
    });
}

#[test]
fn two_appends_against_close() {
    //= harness/spec/storage.md#sto-3-size-of-an-item
    //= type=test
    //# STO-3.4 (ours): An accepted record MUST enter exactly one Item, before that Item closes, in
    //# the turn in which it was appended or in the next turn that has room for it.
    explore("append | append | close", 3, || {
        let handoff = Arc::new(Small::with_items(2));
        let threads: Vec<_> = [1, 2]
            .map(|record| {
                let handoff = handoff.clone();
                thread::spawn(move || append(&handoff, record))
            })
            .into();
        let closed = vec![handoff.close().expect("the only closer")];
        let appended: Vec<_> = threads.into_iter().map(|t| t.join().unwrap()).collect();
        settle(&handoff, closed, &appended);
    });
}

#[test]
fn a_slow_append_meets_a_turn_that_is_open_again() {
    explore("append | close, close", 5, || {
        let handoff = Arc::new(Small::with_items(1));
        let other = handoff.clone();
        let thread = thread::spawn(move || append(&other, 1));
        let closed = (0..2).map(|_| handoff.close().expect("the only closer")).collect();
        let appended = [thread.join().unwrap()];
        settle(&handoff, closed, &appended);
    });
}

#[test]
fn close_against_close() {
    explore("append; close | close", 5, || {
        let handoff = Arc::new(Small::with_items(1));
        let appended = [append(&handoff, 1)];
        let other = handoff.clone();
        let thread = thread::spawn(move || other.close());
        let mine = handoff.close();
        let theirs = thread.join().unwrap();
        assert!(mine.is_ok() || theirs.is_ok(), "one closer gets through");
        let closed = [mine, theirs].into_iter().filter(|turn| *turn != Err(Busy));
        settle(&handoff, closed.map(Result::unwrap).collect(), &appended);
    });
}

#[test]
fn a_full_turn_refuses_and_loses_nothing() {
    explore("full: append | append | close", 3, || {
        let handoff = Arc::new(Small::with_items(1));
        let mut appended = vec![append(&handoff, 0)];
        let threads: Vec<_> = [1, 2]
            .map(|record| {
                let handoff = handoff.clone();
                thread::spawn(move || handoff.append(Box::new(record)).map(|place| (record, place)))
            })
            .into();
        let closed = vec![handoff.close().expect("the only closer")];
        appended.extend(threads.into_iter().filter_map(|t| t.join().unwrap().ok()));
        settle(&handoff, closed, &appended);
    });
}
