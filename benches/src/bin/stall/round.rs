//! One round: fill a turn, let threads append, close it, keep what the appends took meanwhile.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use benches::fixture::{BOOKED_BY, CHAIN, CREATED, Detail, envelope};
use benches::freezing::{TURN_RECORDS, Turn};
use mdsm_core::freezing::{Accepted, close_turn};
use mdsm_core::ledger::Envelope;
use mdsm_core::types::Height;

/// Appends of each thread before the closer starts, and how many more a round without one takes.
const WARM_APPENDS: usize = 100;
const FREE_APPENDS: usize = 2_000;
/// An append that takes longer than this stood still, whatever for.
const STALL: Duration = Duration::from_micros(10);

/// What the rounds of one row gave.
#[derive(Default)]
pub(crate) struct Samples {
    /// Nanoseconds of each append that overlapped a closing.
    pub(crate) append_ns: Vec<u64>,
    /// From the call of close to the records at hand, one a round.
    pub(crate) closing: Vec<Duration>,
    /// From the call of close to the root over the Items, one a round.
    pub(crate) closed_and_hashed: Vec<Duration>,
    /// Time that closings took, counted once for each thread that appended meanwhile.
    pub(crate) observed: Duration,
    /// The part of it that went into appends that stood still.
    pub(crate) stalled: Duration,
    /// Appends that found no room.
    pub(crate) refused: usize,
}

/// When something was done, from the start of the round.
#[derive(Clone, Copy)]
struct Span {
    begin: Duration,
    end: Duration,
}

/// A place to append to, and how a record gets out of what it holds.
pub(crate) struct Place<'a, Q, T> {
    pub(crate) turn: &'a Q,
    pub(crate) unpack: fn(T) -> Accepted,
}

impl<Q, T> Clone for Place<'_, Q, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<Q, T> Copy for Place<'_, Q, T> {}

/// The record that every append carries a copy of: small, so that 100,000 fit a turn's 32 MiB.
pub(crate) fn record() -> Envelope {
    envelope(&CHAIN, 1, Detail::Least, 16)
}

impl<T: From<Accepted> + Send, Q: Turn<T>> Place<'_, Q, T> {
    /// A round in which the turn that is appended to is closed.
    pub(crate) fn closed(self, samples: &mut Samples, threads: usize, template: &Envelope) {
        self.fill(template);
        self.round(samples, threads, template, |origin, _| self.close_and_hash(origin));
    }

    /// A round in which no turn is closed.
    pub(crate) fn left_open(self, samples: &mut Samples, threads: usize, template: &Envelope) {
        self.fill(template);
        self.round(samples, threads, template, |origin, arrived| {
            let begin = origin.elapsed();
            wait_for(threads, arrived);
            (Span { begin, end: origin.elapsed() }, Duration::ZERO)
        });
    }

    /// A round in which a turn is closed that nobody appends to.
    pub(crate) fn beside(
        self,
        other: Self,
        samples: &mut Samples,
        threads: usize,
        template: &Envelope,
    ) {
        other.fill(template);
        self.round(samples, threads, template, |origin, _| other.close_and_hash(origin));
    }

    fn round(
        self,
        samples: &mut Samples,
        threads: usize,
        template: &Envelope,
        closing: impl FnOnce(Instant, &Receiver<()>) -> (Span, Duration),
    ) {
        let origin = Instant::now();
        let stop = AtomicBool::new(false);
        let (arrive, arrived) = channel();
        let (appended, (closing, to_records)) = thread::scope(|scope| {
            let appenders: Vec<_> = (0..threads)
                .map(|_| {
                    let (arrive, stop) = (arrive.clone(), &stop);
                    let turn = self.turn;
                    scope.spawn(move || append(turn, template, origin, &arrive, stop))
                })
                .collect();
            wait_for(threads, &arrived);
            let closed = closing(origin, &arrived);
            stop.store(true, Ordering::Relaxed);
            let appended = appenders.into_iter().map(|one| one.join());
            let appended: Vec<_> =
                appended.map(|spans| spans.expect("appending does not panic")).collect();
            (appended, closed)
        });
        for (spans, refused) in appended {
            samples.add(&spans, closing);
            samples.refused += refused;
        }
        samples.closing.push(to_records);
        samples.closed_and_hashed.push(closing.end - closing.begin);
        self.turn.close_with(drop);
    }

    fn close_and_hash(self, origin: Instant) -> (Span, Duration) {
        let begin = origin.elapsed();
        let (closed, at_records) = self.turn.close_with(|records| {
            let at_records = origin.elapsed();
            let closed = close_turn(records.into_iter().map(self.unpack));
            let block = closed.item_block(CHAIN, Height::new(1), BOOKED_BY, CREATED);
            ((closed, block), at_records)
        });
        let end = origin.elapsed();
        // Freeing 100,000 records is not part of closing a turn.
        drop(closed);
        (Span { begin, end }, at_records - begin)
    }

    fn fill(self, template: &Envelope) {
        let template = template.clone().verify(&CHAIN).expect("signed by its owner");
        for _ in 0..TURN_RECORDS {
            let appended = self.turn.append(Accepted::new(template.clone()).into());
            assert!(appended.is_ok(), "a turn has room for 100,000 records");
        }
    }
}

impl Samples {
    fn add(&mut self, spans: &[Span], closing: Span) {
        for span in spans {
            let (begin, end) = (span.begin.max(closing.begin), span.end.min(closing.end));
            if begin > end {
                continue;
            }
            let took = span.end - span.begin;
            self.append_ns.push(took.as_nanos().try_into().expect("shorter than a century"));
            if took > STALL {
                self.stalled += end - begin;
            }
        }
        self.observed += closing.end - closing.begin;
    }
}

/// Accepts records as a delegate does and appends them, until it is told to stop.
fn append<T: From<Accepted>>(
    turn: &impl Turn<T>,
    template: &Envelope,
    origin: Instant,
    arrive: &Sender<()>,
    stop: &AtomicBool,
) -> (Vec<Span>, usize) {
    let mut spans = Vec::with_capacity(4 * FREE_APPENDS);
    let mut refused = 0;
    while !stop.load(Ordering::Relaxed) {
        let verified = template.clone().verify(&CHAIN).expect("signed by its owner");
        let record = T::from(Accepted::new(verified));
        let begin = origin.elapsed();
        let result = turn.append(record);
        let end = origin.elapsed();
        refused += usize::from(result.is_err());
        spans.push(Span { begin, end });
        if spans.len() == WARM_APPENDS || spans.len() == WARM_APPENDS + FREE_APPENDS {
            arrive.send(()).expect("the receiver outlives this thread");
        }
    }
    (spans, refused)
}

fn wait_for(threads: usize, arrived: &Receiver<()>) {
    for _ in 0..threads {
        arrived.recv().expect("appenders run until they are stopped");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stall_weighs_by_the_part_of_it_that_lies_in_the_closing() {
        let ms = Duration::from_millis;
        let span = |begin, end| Span { begin: ms(begin), end: ms(end) };
        let mut samples = Samples::default();
        samples.add(&[span(0, 1), span(1, 3), span(3, 3), span(9, 10)], span(2, 6));
        assert_eq!(samples.append_ns, [2_000_000, 0]);
        assert_eq!((samples.stalled, samples.observed), (ms(1), ms(4)));
    }
}
