//! What waits to be sent over one link, with a bound.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::assembly::OVERHEAD_BYTES;

/// The queue of one link.
#[derive(Debug)]
pub(super) struct Outbox {
    bytes_max: usize,
    all: Arc<Queued>,
    state: Mutex<State>,
    ready: Notify,
}

/// Bytes that wait for all links.
#[derive(Debug)]
pub(super) struct Queued {
    bytes: AtomicUsize,
    bytes_max: usize,
}

#[derive(Debug)]
struct State {
    queue: VecDeque<Arc<[u8]>>,
    /// Of what waits and of what is being written.
    bytes: usize,
    is_open: bool,
}

/// Why a message is not queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PushError {
    /// The link ends.
    Closed,
    /// There is no room behind so many bytes, of this link or of all.
    Full(usize),
}

impl Queued {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self { bytes: AtomicUsize::new(0), bytes_max }
    }

    /// Bytes that wait now.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    fn add(&self, bytes: usize) -> Result<(), PushError> {
        let fits = |queued: usize| queued.checked_add(bytes).filter(|sum| *sum <= self.bytes_max);
        let added = self.bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits);
        added.map(|_| ()).map_err(PushError::Full)
    }
}

impl Outbox {
    pub(super) fn new(bytes_max: usize, all: Arc<Queued>) -> Self {
        let state = State { queue: VecDeque::new(), bytes: 0, is_open: true };
        Self { bytes_max, all, state: Mutex::new(state), ready: Notify::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues a message, or says at once why not.
    pub(super) fn push(&self, message: Arc<[u8]>) -> Result<(), PushError> {
        let mut state = self.lock();
        if !state.is_open {
            return Err(PushError::Closed);
        }
        let cost = message.len() + OVERHEAD_BYTES;
        if cost > self.bytes_max.saturating_sub(state.bytes) {
            return Err(PushError::Full(state.bytes));
        }
        self.all.add(cost)?;
        state.bytes += cost;
        state.queue.push_back(message);
        drop(state);
        self.ready.notify_one();
        Ok(())
    }

    /// The next message, or `None` when the box is closed and empty. Its room stays taken until
    /// [`Outbox::written`].
    pub(super) async fn next(&self) -> Option<Arc<[u8]>> {
        loop {
            {
                let mut state = self.lock();
                if let Some(message) = state.queue.pop_front() {
                    return Some(message);
                }
                if !state.is_open {
                    return None;
                }
            }
            self.ready.notified().await;
        }
    }

    /// A message has left.
    pub(super) fn written(&self, message: &[u8]) {
        let cost = message.len() + OVERHEAD_BYTES;
        self.lock().bytes -= cost;
        self.all.bytes.fetch_sub(cost, Ordering::Relaxed);
    }

    /// Takes nothing more; what waits may still go.
    pub(super) fn close(&self) {
        self.lock().is_open = false;
        self.ready.notify_one();
    }

    /// Closes and empties; how many messages did not leave whole.
    pub(super) fn clear(&self) -> usize {
        let mut state = self.lock();
        state.is_open = false;
        let bytes = std::mem::take(&mut state.bytes);
        self.all.bytes.fetch_sub(bytes, Ordering::Relaxed);
        let waiting = std::mem::take(&mut state.queue);
        let costs: usize = waiting.iter().map(|message| message.len() + OVERHEAD_BYTES).sum();
        // The rest is the message that was being written.
        waiting.len() + usize::from(costs < bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(bytes: usize) -> Arc<[u8]> {
        vec![7; bytes].into()
    }

    #[tokio::test]
    async fn what_does_not_fit_is_told_and_room_comes_back_when_it_was_written() {
        let all = Arc::new(Queued::new(400));
        let boxes = [0, 1].map(|_| Outbox::new(300, Arc::clone(&all)));
        assert_eq!(boxes[0].push(message(86)), Ok(()));
        assert_eq!(boxes[0].push(message(86)), Ok(()));
        assert_eq!(boxes[0].push(message(0)), Err(PushError::Full(300)));
        assert_eq!(boxes[1].push(message(37)), Err(PushError::Full(300)), "of all");
        assert_eq!(boxes[1].push(message(36)), Ok(()));
        let first = boxes[0].next().await.unwrap();
        assert_eq!(boxes[0].push(message(0)), Err(PushError::Full(300)), "not written yet");
        boxes[0].written(&first);
        assert_eq!(all.bytes(), 250);
        boxes[0].close();
        assert_eq!(boxes[0].push(message(0)), Err(PushError::Closed));
        let second = boxes[0].next().await.unwrap();
        assert_eq!(boxes[0].next().await, None, "closed and empty");
        assert_eq!((boxes[0].clear(), second.len()), (1, 86), "taken and not written");
        assert_eq!(boxes[1].clear(), 1);
        assert_eq!(all.bytes(), 0);
    }
}
