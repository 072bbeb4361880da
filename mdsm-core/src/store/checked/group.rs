//! Many threads, one commit: who comes first writes for all who wait.
//!
//! A thread that finds nobody writing becomes the leader, takes what has been submitted so far and
//! writes it as one commit; the others wait for it and find either that theirs was among it or that
//! one of them is the next leader. So one sync serves as many batches as arrive during the sync
//! before it, and a single thread pays for its own sync at once, without a timer.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use super::super::StoreError;
use super::super::batch::Batch;

/// Bytes of one group, at most, unless a single batch has more.
const GROUP_BYTES_MAX: usize = 32 * 1_024 * 1_024;

/// What a row counts beside its bytes, so that a group of tiny rows stays within the witness.
const ROW_WEIGHT: usize = 64;

/// A batch that was submitted; it is durable when [`super::Checked::wait`] says so.
#[derive(Debug)]
#[must_use = "a batch is written when somebody waits for it or for a later one"]
pub struct Ticket(u64);

/// The batches that wait for a leader.
#[derive(Debug, Default)]
pub(super) struct Group {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Batch>,
    /// Batches that were ever submitted, and of these, durable.
    submitted: u64,
    durable: u64,
    is_led: bool,
    failed: Option<StoreError>,
}

impl Group {
    /// Queues a batch.
    pub(super) fn submit(&self, batch: Batch) -> Ticket {
        let mut state = self.state();
        state.waiting.push_back(batch);
        state.submitted += 1;
        Ticket(state.submitted - 1)
    }

    /// Returns when the batch is durable, having led as many groups as it took.
    pub(super) fn wait(
        &self,
        ticket: &Ticket,
        write: impl Fn(Batch) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut state = self.state();
        loop {
            if state.durable > ticket.0 {
                return Ok(());
            }
            if let Some(error) = &state.failed {
                return Err(error.clone());
            }
            if state.is_led {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let (batch, batches) = take(&mut state.waiting);
            state.is_led = true;
            drop(state);
            let lead = Lead { group: self, outcome: None };
            let outcome = write(batch).map(|()| batches);
            lead.end(outcome);
            state = self.state();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No step under the lock can leave the state half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// As many batches as fit a group, at least one, made into one, and how many they were.
fn take(waiting: &mut VecDeque<Batch>) -> (Batch, u64) {
    let mut group = Batch::new();
    let mut batches = 0;
    let mut weight = 0_usize;
    while let Some(batch) = waiting.front() {
        weight = weight.saturating_add(batch.bytes() + ROW_WEIGHT * batch.len());
        if batches > 0 && weight > GROUP_BYTES_MAX {
            break;
        }
        group.append(waiting.pop_front().expect("front has just shown it"));
        batches += 1;
    }
    (group, batches)
}

/// The time in which one thread writes; ends also by a panic, so that nobody waits for ever.
struct Lead<'a> {
    group: &'a Group,
    outcome: Option<Result<u64, StoreError>>,
}

impl Lead<'_> {
    fn end(mut self, outcome: Result<u64, StoreError>) {
        self.outcome = Some(outcome);
    }
}

impl Drop for Lead<'_> {
    fn drop(&mut self) {
        let mut state = self.group.state();
        state.is_led = false;
        match self.outcome.take() {
            Some(Ok(batches)) => state.durable += batches,
            Some(Err(error)) => state.failed = Some(error),
            None => {
                state.failed = Some(StoreError::Poisoned { why: "a commit panicked".to_owned() });
            }
        }
        self.group.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;

    use super::super::super::Table;
    use super::*;

    fn batch(key: u8) -> Batch {
        let mut batch = Batch::new();
        batch.put(Table::Items, [key], []);
        batch
    }

    #[test]
    fn batches_that_arrive_during_a_commit_share_the_next_one() {
        let group = Group::default();
        let (entered, has_entered) = mpsc::channel();
        let (release, released) = mpsc::channel::<()>();
        let sizes = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            let first = group.submit(batch(0));
            let (group, sizes) = (&group, &sizes);
            scope.spawn(move || {
                let write = |batch: Batch| {
                    entered.send(()).unwrap();
                    released.recv().unwrap();
                    sizes.lock().unwrap().push(batch.len());
                    Ok(())
                };
                group.wait(&first, write).unwrap();
            });
            has_entered.recv().unwrap();
            let tickets: Vec<Ticket> = (1..=20).map(|key| group.submit(batch(key))).collect();
            release.send(()).unwrap();
            for ticket in tickets {
                scope.spawn(move || {
                    let write = |batch: Batch| {
                        sizes.lock().unwrap().push(batch.len());
                        Ok(())
                    };
                    group.wait(&ticket, write).unwrap();
                });
            }
        });
        assert_eq!(*sizes.lock().unwrap(), [1, 20]);
    }

    #[test]
    fn a_failure_and_a_panic_reach_everybody_who_waits() {
        let group = Group::default();
        let (one, two) = (group.submit(batch(1)), group.submit(batch(2)));
        let error = StoreError::Poisoned { why: "full".to_owned() };
        assert_eq!(group.wait(&two, |_| Err(error.clone())), Err(error.clone()));
        assert_eq!(group.wait(&one, |_| panic!("nobody writes again")), Err(error));

        let group = Group::default();
        let (one, two) = (group.submit(batch(1)), group.submit(batch(2)));
        let panicking = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            group.wait(&one, |_| panic!("x"))
        }));
        assert!(panicking.is_err());
        assert!(matches!(group.wait(&two, |_| Ok(())), Err(StoreError::Poisoned { .. })));
    }

    #[test]
    fn a_group_is_bounded_and_takes_one_batch_of_any_size() {
        let group = Group::default();
        let mut large = Batch::new();
        large.put(Table::Objects, [0], vec![0; GROUP_BYTES_MAX + 1]);
        let _first = group.submit(large);
        let last = group.submit(batch(1));
        let commits = AtomicUsize::new(0);
        let write = |batch: Batch| {
            assert_eq!(batch.len(), 1);
            commits.fetch_add(1, Ordering::Relaxed);
            Ok(())
        };
        group.wait(&last, write).unwrap();
        assert_eq!(commits.into_inner(), 2);
    }
}
