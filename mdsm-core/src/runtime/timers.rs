//! Timers that a node has armed, the next one first.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::{Duration, Instant};

use crate::node::Timer;

/// Armed timers. Those of views that were left ring too, and the node passes over them.
#[derive(Debug, Default)]
pub(super) struct Timers {
    /// When, and in which order they were armed.
    armed: BinaryHeap<Reverse<(Instant, u64, Timer)>>,
    count: u64,
}

impl Timers {
    pub(super) fn arm(&mut self, now: Instant, timer: Timer, after_ms: u32) {
        let at = now + Duration::from_millis(after_ms.into());
        self.armed.push(Reverse((at, self.count, timer)));
        self.count += 1;
    }

    /// When the next one rings.
    pub(super) fn next(&self) -> Option<Instant> {
        self.armed.peek().map(|Reverse((at, ..))| *at)
    }

    /// The next one that is due.
    pub(super) fn due(&mut self, now: Instant) -> Option<Timer> {
        if self.next()? > now {
            return None;
        }
        self.armed.pop().map(|Reverse((.., timer))| timer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_ring_in_the_order_of_their_time_and_then_of_their_arming() {
        let mut timers = Timers::default();
        let start = Instant::now();
        timers.arm(start, Timer::Items, 20);
        timers.arm(start, Timer::Ballots, 10);
        timers.arm(start, Timer::Anchors, 10);
        assert_eq!(timers.due(start), None);
        let later = start + Duration::from_millis(10);
        assert_eq!(timers.next(), Some(later));
        let rung: Vec<Timer> = std::iter::from_fn(|| timers.due(later)).collect();
        assert_eq!(rung, [Timer::Ballots, Timer::Anchors]);
        assert_eq!(timers.due(start + Duration::from_millis(20)), Some(Timer::Items));
        assert_eq!(timers.next(), None);
    }
}
