//! The handoff with real threads: what loom shows for a few, shown for many.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use mdsm_core::freezing::{ClosedTurn, Handoff, Place};

use super::super::world::World;
use super::{Case, Check, case, hold};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(
            "freezing.stress",
            "every record appended while turns close is in exactly one turn, at its ticket",
            &["STO-3", "STO-12"],
            |world| stress(world, 100_000, 16_384),
        ),
        case(
            "freezing.full",
            "a full turn gives records back and loses none",
            &["STO-3", "STO-10"],
            |world| stress(world, 20_000, 3),
        ),
    ]
}

/// Records after which the threads wait for a turn to close.
const RECORDS_PER_TURN: usize = 500;

/// Threads append `records` numbers while another closes turns of `items` Items of 10.
fn stress(world: &World, records: usize, items: usize) -> Check {
    let handoff: Handoff<usize> = Handoff::with_items(items);
    let (next, closed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let running = AtomicUsize::new(world.jobs.max(2));
    let mut turns: Vec<ClosedTurn<usize>> = Vec::new();
    let (appended, refused) = thread::scope(|scope| {
        let threads: Vec<_> = (0..world.jobs.max(2))
            .map(|_| {
                scope.spawn(|| {
                    let result = append(&handoff, &next, &closed, records);
                    running.fetch_sub(1, Ordering::Release);
                    result
                })
            })
            .collect();
        while running.load(Ordering::Acquire) > 0 {
            turns.extend(handoff.close());
            closed.store(turns.len(), Ordering::Release);
            thread::yield_now();
        }
        let mut appended: Vec<(usize, Place)> = Vec::new();
        let mut refused = 0;
        for thread in threads {
            let (places, full) = thread.join().expect("appending does not panic");
            appended.extend(places);
            refused += full;
        }
        (appended, refused)
    });
    turns.extend(handoff.close());
    let mut seen = BTreeSet::new();
    for turn in &turns {
        hold(turn.records.len() <= items * 10, || {
            format!("turn {}: {} records", turn.number, turn.records.len())
        })?;
        for (ticket, record) in turn.records.iter().enumerate() {
            seen.insert((*record, turn.number, ticket));
        }
    }
    let expected: BTreeSet<_> =
        appended.iter().map(|(record, place)| (*record, place.turn, place.ticket)).collect();
    hold(expected.len() == records, || format!("{} of {records} were appended", expected.len()))?;
    hold(seen == expected, || {
        format!("{} records in turns, {} appended", seen.len(), expected.len())
    })?;
    let turns_min = records / RECORDS_PER_TURN;
    hold(turns.len() >= turns_min, || format!("{} turns, at least {turns_min}", turns.len()))?;
    Ok(format!("{records} records in {} turns, {refused} times a full turn", turns.len()))
}

fn append(
    handoff: &Handoff<usize>,
    next: &AtomicUsize,
    closed: &AtomicUsize,
    records: usize,
) -> (Vec<(usize, Place)>, usize) {
    let (mut places, mut refused) = (Vec::new(), 0);
    loop {
        let record = next.fetch_add(1, Ordering::Relaxed);
        if record >= records {
            return (places, refused);
        }
        // No more than so many records a turn: turns really close between the appends.
        while record / RECORDS_PER_TURN > closed.load(Ordering::Acquire) {
            thread::yield_now();
        }
        loop {
            match handoff.append(record) {
                Ok(place) => break places.push((record, place)),
                Err(_) => {
                    refused += 1;
                    thread::yield_now();
                }
            }
        }
    }
}
