//! Closing a turn while others append: the handoff beside what one would reach for first. [STO-12]
//!
//! `handoff` counts and times the plain costs; the program `stall` measures how long an append
//! stands still while a turn closes, which needs percentiles and threads at once.

use std::sync::{Barrier, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_queue::SegQueue;
use mdsm_core::freezing::{Handoff, TURN_RECORDS_MAX};
use mdsm_core::types::Digest;

use crate::fixture::filled;

/// Records that one turn closes with.
pub const TURN_RECORDS: usize = 100_000;

/// A place to which threads append records and from which one thread takes all of a turn.
pub trait Turn<T>: Sync {
    /// Puts a record into the open turn; gives it back when there is no room.
    ///
    /// # Errors
    /// The record.
    fn append(&self, record: T) -> Result<(), T>;

    /// Closes the turn and does `work` on what it held.
    fn close_with<R>(&self, work: impl FnOnce(Vec<T>) -> R) -> R;
}

impl<T: Send> Turn<T> for Handoff<T> {
    fn append(&self, record: T) -> Result<(), T> {
        Handoff::append(self, record).map(|_| ())
    }

    fn close_with<R>(&self, work: impl FnOnce(Vec<T>) -> R) -> R {
        work(self.close().expect("one thread closes").records)
    }
}

/// A vector behind a lock, swapped for a fresh one of full capacity, so that no append copies.
#[derive(Debug)]
pub struct Swapped<T>(Mutex<Vec<T>>);

/// A vector behind a lock that is held until the work on the turn is done.
#[derive(Debug)]
pub struct Held<T>(Mutex<Vec<T>>);

/// A queue without locks, from which the closer pops what it held when it looked.
#[derive(Debug)]
pub struct Popped<T>(SegQueue<T>);

impl<T> Default for Swapped<T> {
    fn default() -> Self {
        Self(Mutex::new(Vec::with_capacity(TURN_RECORDS_MAX)))
    }
}

impl<T> Default for Held<T> {
    fn default() -> Self {
        Self(Mutex::new(Vec::with_capacity(TURN_RECORDS_MAX)))
    }
}

impl<T> Default for Popped<T> {
    fn default() -> Self {
        Self(SegQueue::new())
    }
}

impl<T: Send> Turn<T> for Swapped<T> {
    fn append(&self, record: T) -> Result<(), T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(record);
        Ok(())
    }

    fn close_with<R>(&self, work: impl FnOnce(Vec<T>) -> R) -> R {
        let next = Vec::with_capacity(TURN_RECORDS_MAX);
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let records = std::mem::replace(&mut *open, next);
        drop(open);
        work(records)
    }
}

impl<T: Send> Turn<T> for Held<T> {
    fn append(&self, record: T) -> Result<(), T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(record);
        Ok(())
    }

    fn close_with<R>(&self, work: impl FnOnce(Vec<T>) -> R) -> R {
        let next = Vec::with_capacity(TURN_RECORDS_MAX);
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        work(std::mem::replace(&mut *open, next))
    }
}

impl<T: Send> Turn<T> for Popped<T> {
    fn append(&self, record: T) -> Result<(), T> {
        self.0.push(record);
        Ok(())
    }

    fn close_with<R>(&self, work: impl FnOnce(Vec<T>) -> R) -> R {
        let held = self.0.len();
        let mut records = Vec::with_capacity(held);
        records.extend(std::iter::from_fn(|| self.0.pop()).take(held));
        work(records)
    }
}

/// A handoff that holds `records` records at most, and that many records.
#[must_use]
pub fn handoff(records: usize) -> (Handoff<Digest>, Vec<Digest>) {
    let digests = (0..).take(records).map(filled).collect();
    (Handoff::with_items(records.div_ceil(10)), digests)
}

/// The same with the records appended.
///
/// # Panics
/// Never.
#[must_use]
pub fn full_handoff(records: usize) -> Handoff<Digest> {
    let (handoff, digests) = handoff(records);
    assert_eq!(append_all(&handoff, &digests), records, "there is room for all");
    handoff
}

/// The work: append all, from one thread. Gives how many found room.
pub fn append_all(turn: &impl Turn<Digest>, records: &[Digest]) -> usize {
    records.iter().filter(|record| turn.append(**record).is_ok()).count()
}

/// The work: close the turn.
pub fn close(turn: &impl Turn<Digest>) -> Vec<Digest> {
    turn.close_with(|records| records)
}

/// Appends `records` digests to an empty turn, split over `threads` threads that start together, and
/// empties it again. Gives the time from the first append to the last.
///
/// # Panics
/// When a thread panics, or the records do not fit.
pub fn append_together(turn: &impl Turn<Digest>, threads: usize, records: usize) -> Duration {
    let start = Barrier::new(threads);
    let append = || {
        start.wait();
        let begin = Instant::now();
        for record in (0..).take(records / threads) {
            assert!(turn.append(filled(record)).is_ok(), "there is room for all");
        }
        (begin, Instant::now())
    };
    let spans: Vec<(Instant, Instant)> = thread::scope(|scope| {
        let appenders: Vec<_> = (0..threads).map(|_| scope.spawn(append)).collect();
        appenders.into_iter().map(|one| one.join().expect("appending does not panic")).collect()
    });
    assert_eq!(close(turn).len(), records / threads * threads, "nothing is lost");
    let begin = spans.iter().map(|(begin, _)| *begin).min();
    let end = spans.iter().map(|(_, end)| *end).max();
    begin.zip(end).map_or(Duration::ZERO, |(begin, end)| end - begin)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keeps_all(turn: &impl Turn<Digest>) {
        let records: Vec<Digest> = (0..25).map(filled).collect();
        assert_eq!(append_all(turn, &records), 25);
        assert_eq!(close(turn), records);
        assert!(close(turn).is_empty());
        assert!(append_together(turn, 2, 20) > Duration::ZERO);
    }

    #[test]
    fn each_turn_gives_back_what_was_appended() {
        keeps_all(&Handoff::<Digest>::with_items(3));
        keeps_all(&Swapped::default());
        keeps_all(&Held::default());
        keeps_all(&Popped::default());
    }

    #[test]
    fn a_full_handoff_gives_all_back() {
        assert_eq!(close(&full_handoff(30)).len(), 30);
        let (handoff, digests) = handoff(30);
        assert_eq!(append_all(&handoff, &digests), 30);
        assert_eq!(append_all(&handoff, &digests), 0, "no room is left");
    }
}
