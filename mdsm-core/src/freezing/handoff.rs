//! The handoff between many threads that append records and one that closes the turn. [STO-12]
//!
//! Two turns exist, by parity: one open, one closed and drained. A record takes a ticket of the open
//! turn with one `fetch_add`; ticket `t` is slot `t % SLOTS` of Item `t / SLOTS`. The closer opens the
//! other turn, sets the frozen bit of this one, waits until the slots already reserved are written,
//! and takes them. Nothing is hashed here and no lock is held, so no append ever waits: it either
//! gets its ticket before the bit, or goes to the next turn.
//!
//! Invariants, shown by loom on this file (`tests/handoff_loom.rs`): every record for which `append`
//! returned is in exactly one closed turn, at its ticket; an Item never has more than its slots;
//! nothing enters a turn after it was closed; of two closers at once one is turned away.
//!
//! Why a slow thread is harmless: it may hold the number of a turn long closed. By parity it then
//! meets a turn that is frozen, and looks again, or one that is open, and gets a valid ticket there.
//!
//! Cost: two atomic read-modify-writes an append; closing costs one load and one move a record,
//! while others append to the next turn. Memory: two turns of 163,840 slots.
#![expect(unsafe_code, reason = "slots are written by whoever holds their ticket, without a lock")]

use thiserror::Error;

use crate::params::{ITEM_RECORDS_MAX, TURN_ITEMS_MAX};
use crate::sync::{self, AtomicBool, AtomicU64, AtomicUsize, Cell, Ordering};

/// Records of one turn, at most.
pub const TURN_RECORDS_MAX: usize = TURN_ITEMS_MAX * ITEM_RECORDS_MAX;

/// A turn that is open, and the one before it. `SLOTS` is the number of records of an Item.
#[derive(Debug)]
pub struct Handoff<T, const SLOTS: usize = ITEM_RECORDS_MAX> {
    /// Number of the open turn.
    open: AtomicU64,
    /// Held by the one closer.
    closing: AtomicBool,
    /// Turn `n` is `turns[n % 2]`.
    turns: [Slots<T, SLOTS>; 2],
}

/// Where a record went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Number of the turn.
    pub turn: u64,
    /// Number of the record in it.
    pub ticket: usize,
}

/// What a turn held, in the order of the tickets.
#[derive(Debug, PartialEq, Eq)]
pub struct ClosedTurn<T> {
    /// Number of the turn.
    pub number: u64,
    /// The records; Items are runs of `SLOTS` of them.
    pub records: Vec<T>,
}

/// Another thread is closing the turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("another thread is closing the turn")]
pub struct Busy;

/// Set once no ticket is given out any more.
const FROZEN: u64 = 1 << 63;
/// The turn's number stands above the tickets, so that one `fetch_add` yields both.
const NUMBER_SHIFT: u32 = 32;
const TICKETS: u64 = (1 << NUMBER_SHIFT) - 1;

/// Order in which a written slot is published to the closer.
///
/// The planted race is the mistake that loom must find: without `Release` the closer may see the
/// count before it sees the record.
const PUBLISH: Ordering =
    if cfg!(mdsm_planted_race) { Ordering::Relaxed } else { Ordering::Release };

/// The slots of one turn.
#[derive(Debug)]
struct Slots<T, const SLOTS: usize> {
    /// Frozen bit, number of the turn, tickets given out.
    state: AtomicU64,
    items: Box<[ItemSlots<T, SLOTS>]>,
}

#[derive(Debug)]
struct ItemSlots<T, const SLOTS: usize> {
    /// Slots whose record is in place.
    written: AtomicUsize,
    records: [Cell<Option<T>>; SLOTS],
}

// SAFETY: a slot is reached mutably by one thread at a time: by the holder of its ticket until it
// adds to `written`, then by the closer, who has seen that addition, until it publishes the turn's
// next state, and tickets come from that state. Records move between threads, so they must be Send.
unsafe impl<T: Send, const SLOTS: usize> Sync for ItemSlots<T, SLOTS> {}

impl<T, const SLOTS: usize> Default for Handoff<T, SLOTS> {
    fn default() -> Self {
        Self::with_items(TURN_ITEMS_MAX)
    }
}

impl<T, const SLOTS: usize> Handoff<T, SLOTS> {
    /// A handoff whose turns hold at most `items` Items; turn 0 is open.
    ///
    /// # Panics
    /// When a turn would have more than 2^31 slots, or none.
    #[must_use]
    pub fn with_items(items: usize) -> Self {
        let slots = items.checked_mul(SLOTS);
        assert!(slots.is_some_and(|slots| (1..=1 << 31).contains(&slots)), "slots of a turn");
        let turns = [Slots::new(items, 0), Slots::new(items, FROZEN)];
        Self { open: AtomicU64::new(0), closing: AtomicBool::new(false), turns }
    }

    /// Puts a record into the open turn, or gives it back when that turn is full.
    #[inline]
    pub fn append(&self, record: T) -> Result<Place, T> {
        let mut number = self.open.load(Ordering::Acquire);
        loop {
            let slots = self.slots(number);
            match slots.reserve() {
                //= harness/spec/storage.md#sto-3-size-of-an-item
                //# STO-3.4 (ours): An accepted record MUST enter exactly one Item, before that Item
                //# closes, in the turn in which it was appended or in the next turn that has room
                //# for it.
                Reservation::Ticket(place) => {
                    slots.write(place.ticket, record);
                    return Ok(place);
                }
                Reservation::Frozen => number = self.open.load(Ordering::Acquire),
                Reservation::Full => {
                    let now = self.open.load(Ordering::Acquire);
                    if now == number {
                        return Err(record);
                    }
                    number = now;
                }
            }
        }
    }

    /// Closes the open turn and opens the next.
    ///
    /// # Panics
    /// After 2^31 turns, 408 years at six seconds each: going on would corrupt the state.
    #[expect(clippy::panic_in_result_fn, reason = "no caller can mend that numbers are spent")]
    pub fn close(&self) -> Result<ClosedTurn<T>, Busy> {
        self.closing
            .compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed)
            .map_err(|_| Busy)?;
        let number = self.open.load(Ordering::Relaxed);
        let next = number + 1;
        // 408 years of turns of six seconds; beyond, the number would reach the frozen bit.
        assert!(next < FROZEN >> NUMBER_SHIFT, "numbers of turns are spent");
        // The other turn was drained by the close before this one, which released `closing`.
        // A swap, not a store: it follows every late `fetch_add` on the old state, which the C11
        // order gives a store as well, but which loom can only tell of a read-modify-write.
        self.slots(next).state.swap(next << NUMBER_SHIFT, Ordering::AcqRel);
        // Before the freeze: whoever meets the frozen bit then finds the next turn.
        self.open.store(next, Ordering::Release);
        let records = self.slots(number).freeze_and_drain();
        self.closing.store(false, Ordering::Release);
        Ok(ClosedTurn { number, records })
    }

    fn slots(&self, number: u64) -> &Slots<T, SLOTS> {
        &self.turns[usize::from(number % 2 == 1)]
    }
}

enum Reservation {
    Ticket(Place),
    Frozen,
    Full,
}

impl<T, const SLOTS: usize> Slots<T, SLOTS> {
    fn new(items: usize, state: u64) -> Self {
        let items = (0..items).map(|_| ItemSlots {
            written: AtomicUsize::new(0),
            records: std::array::from_fn(|_| Cell::new(None)),
        });
        Self { state: AtomicU64::new(state), items: items.collect() }
    }

    fn capacity(&self) -> usize {
        self.items.len() * SLOTS
    }

    fn reserve(&self) -> Reservation {
        // Looking first keeps those who are turned away from counting up the tickets: the count
        // exceeds the capacity by at most the number of threads.
        match self.reservation(self.state.load(Ordering::Acquire)) {
            Reservation::Ticket(_) => self.reservation(self.state.fetch_add(1, Ordering::AcqRel)),
            refused => refused,
        }
    }

    fn reservation(&self, state: u64) -> Reservation {
        if state & FROZEN != 0 {
            return Reservation::Frozen;
        }
        match usize::try_from(state & TICKETS) {
            Ok(ticket) if ticket < self.capacity() => {
                Reservation::Ticket(Place { turn: state >> NUMBER_SHIFT, ticket })
            }
            _ => Reservation::Full,
        }
    }

    fn write(&self, ticket: usize, record: T) {
        let item = &self.items[ticket / SLOTS];
        // SAFETY: this thread holds the only ticket for this slot, and the closer waits for the
        // addition below before it looks.
        item.records[ticket % SLOTS].with_mut(|slot| unsafe { *slot = Some(record) });
        item.written.fetch_add(1, PUBLISH);
    }

    fn freeze_and_drain(&self) -> Vec<T> {
        let state = self.state.fetch_or(FROZEN, Ordering::AcqRel);
        let tickets = usize::try_from(state & TICKETS).unwrap_or(usize::MAX);
        let reserved = tickets.min(self.capacity());
        let mut records = Vec::with_capacity(reserved);
        for (index, item) in self.items[..reserved.div_ceil(SLOTS)].iter().enumerate() {
            let expected = SLOTS.min(reserved - index * SLOTS);
            while item.written.load(Ordering::Acquire) < expected {
                sync::wait();
            }
            for slot in &item.records[..expected] {
                // SAFETY: `expected` writes are done and seen, and a frozen turn gives no tickets.
                let record = slot.with_mut(|slot| unsafe { (*slot).take() });
                records.push(record.expect("a written slot holds a record"));
            }
            item.written.store(0, Ordering::Relaxed);
        }
        records
    }
}

#[cfg(all(test, not(mdsm_loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_turn_holds_what_was_appended_in_order_and_the_next_starts_empty() {
        let handoff: Handoff<u32, 2> = Handoff::with_items(2);
        for record in 0..3 {
            let ticket = usize::try_from(record).unwrap();
            assert_eq!(handoff.append(record), Ok(Place { turn: 0, ticket }));
        }
        assert_eq!(handoff.close(), Ok(ClosedTurn { number: 0, records: vec![0, 1, 2] }));
        assert_eq!(handoff.close(), Ok(ClosedTurn { number: 1, records: vec![] }));
        assert_eq!(handoff.append(9), Ok(Place { turn: 2, ticket: 0 }));
        assert_eq!(handoff.close(), Ok(ClosedTurn { number: 2, records: vec![9] }));
    }

    #[test]
    fn a_full_turn_gives_the_record_back_until_it_is_closed() {
        let handoff: Handoff<u32, 2> = Handoff::with_items(1);
        assert!(handoff.append(1).is_ok() && handoff.append(2).is_ok());
        for record in 3..100 {
            assert_eq!(handoff.append(record), Err(record));
        }
        assert_eq!(handoff.close().map(|turn| turn.records), Ok(vec![1, 2]));
        assert_eq!(handoff.append(3), Ok(Place { turn: 1, ticket: 0 }));
    }
}
