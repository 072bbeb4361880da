//! What happens when: a ring with a place for each of the next milliseconds, and a map for what lies
//! behind. Events of one millisecond come in the order in which they were put.
//!
//! Cost: an append to put, a pop to take; a search over 64-bit words for the next busy millisecond.

use std::collections::BTreeMap;

/// Milliseconds that the ring covers: more than a turn and its delays, so that few events go to the map.
const RING: usize = 8_192;

/// Events by time.
#[derive(Debug)]
pub(super) struct Queue<E> {
    now_ms: u64,
    /// Events of now that are left, last first.
    current: Vec<E>,
    ring: Vec<Vec<E>>,
    busy: [u64; RING / 64],
    far: BTreeMap<u64, Vec<E>>,
    /// Emptied places: few buffers, used again while they are in the cache.
    spare: Vec<Vec<E>>,
}

fn place(at_ms: u64) -> usize {
    usize::try_from(at_ms % RING as u64).unwrap_or(0)
}

impl<E> Queue<E> {
    pub(super) fn new() -> Self {
        let ring = (0..RING).map(|_| Vec::new()).collect();
        let (current, far, spare) = (Vec::new(), BTreeMap::new(), Vec::new());
        Self { now_ms: 0, current, ring, busy: [0; RING / 64], far, spare }
    }

    /// Puts an event; what lies in the past happens now.
    #[inline]
    pub(super) fn put(&mut self, at_ms: u64, event: E) {
        let at_ms = at_ms.max(self.now_ms);
        if at_ms - self.now_ms < RING as u64 {
            let place = place(at_ms);
            let events = &mut self.ring[place];
            if events.capacity() == 0
                && let Some(spare) = self.spare.pop()
            {
                *events = spare;
            }
            events.push(event);
            self.busy[place / 64] |= 1 << (place % 64);
        } else {
            self.far.entry(at_ms).or_default().push(event);
        }
    }

    /// The next event, unless it lies behind `until_ms`.
    #[inline]
    pub(super) fn take(&mut self, until_ms: u64) -> Option<(u64, E)> {
        loop {
            if let Some(event) = self.current.pop() {
                return Some((self.now_ms, event));
            }
            let near = self.next_busy();
            let far = self.far.first_key_value().map(|(at, _)| *at);
            let next = match (near, far) {
                (Some(near), Some(far)) => near.min(far),
                (Some(at), None) | (None, Some(at)) => at,
                (None, None) => return None,
            };
            if next > until_ms {
                return None;
            }
            self.now_ms = next;
            if near == Some(next) {
                let place = place(next);
                let events = std::mem::take(&mut self.ring[place]);
                self.spare.push(std::mem::replace(&mut self.current, events));
                self.busy[place / 64] &= !(1 << (place % 64));
                self.current.reverse();
            }
            // What waited longest comes first.
            if far == Some(next) {
                let waited = self.far.remove(&next).unwrap_or_default();
                self.current.extend(waited.into_iter().rev());
            }
        }
    }

    fn next_busy(&self) -> Option<u64> {
        let start = place(self.now_ms);
        let words = self.busy.len();
        for step in 0..=words {
            let at = (start / 64 + step) % words;
            let mut word = self.busy[at];
            if step == 0 {
                word &= u64::MAX << (start % 64);
            } else if step == words {
                word &= !(u64::MAX << (start % 64));
            }
            if word != 0 {
                let found = at * 64 + word.trailing_zeros() as usize;
                let ahead = (found + RING - start) % RING;
                return Some(self.now_ms + ahead as u64);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_by_time_and_within_a_millisecond_in_order() {
        let mut queue = Queue::new();
        let mut expected: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
        let mut state = 1u64;
        let mut taken = Vec::new();
        let mut now = 0;
        for number in 0..20_000u64 {
            state = super::super::mix(state, number);
            let at = now + [state % 3, state % 700, state % 30_000][(state >> 60) as usize % 3];
            queue.put(at, number);
            expected.entry(at).or_default().push(number);
            if state & 1 == 0 {
                let (at, event) = queue.take(u64::MAX).unwrap();
                assert!(at >= now);
                now = at;
                taken.push((at, event));
            }
        }
        while let Some(event) = queue.take(u64::MAX) {
            taken.push(event);
        }
        let mut by_time: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
        for (at, event) in &taken {
            by_time.entry(*at).or_default().push(*event);
        }
        assert!(taken.is_sorted_by_key(|(at, _)| *at));
        assert_eq!(taken.len(), 20_000);
        let sorted = |mut map: BTreeMap<u64, Vec<u64>>| {
            map.values_mut().for_each(|events| events.sort_unstable());
            map
        };
        assert_eq!(sorted(by_time.clone()), sorted(expected.clone()));
        let in_order = expected.iter().filter(|(at, events)| by_time[*at] == **events).count();
        assert!(in_order * 10 >= expected.len() * 9, "{in_order} of {}", expected.len());
    }

    #[test]
    fn nothing_comes_before_its_time() {
        let mut queue = Queue::new();
        queue.put(10, 'a');
        queue.put(100_000, 'b');
        assert_eq!(queue.take(9), None);
        assert_eq!(queue.take(10), Some((10, 'a')));
        assert_eq!(queue.take(99_999), None);
        assert_eq!(queue.take(100_000), Some((100_000, 'b')));
        assert_eq!(queue.take(u64::MAX), None);
    }
}
