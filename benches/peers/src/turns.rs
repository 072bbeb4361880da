//! Everybody's fastest turn: on a shared machine the minimum is the only number that two runs agree on.

use std::hint::black_box;
use std::time::Instant;

/// One implementation's work, to be timed.
pub type Turn<'a> = Box<dyn FnMut() + 'a>;

/// Nanoseconds of everybody's fastest turn; they take turns, so that a busy spell meets all.
pub fn fastest(turns: &mut [Turn], samples: usize) -> Vec<f64> {
    let mut works: Vec<Work> = turns.iter_mut().map(Work::once).collect();
    for _ in 0..samples {
        works.iter_mut().for_each(Work::take_turn);
    }
    works.iter().map(Work::fastest_ns).collect()
}

/// Someone who takes a turn whenever the round reaches him.
pub trait Party {
    /// Does the work once more, and keeps the time if it is the best so far.
    fn take_turn(&mut self);
}

/// A piece of work and its fastest time.
pub struct Work<'a> {
    turn: Option<Turn<'a>>,
    repeats: u32,
    warm: bool,
    fastest_ns: f64,
}

impl<'a> Work<'a> {
    /// Work that is done once a turn.
    pub fn once<T>(mut turn: impl FnMut() -> T + 'a) -> Self {
        let turn = move || {
            black_box(turn());
        };
        Self { turn: Some(Box::new(turn)), repeats: 1, warm: false, fastest_ns: f64::INFINITY }
    }

    /// Work whose caches are warm: a call that is not timed, then calls for some `TURN_NS`.
    pub fn repeated<T>(turn: impl FnMut() -> T + 'a) -> Self {
        let mut work = Self::once(turn);
        work.take_turn();
        work.repeats = (TURN_NS / work.fastest_ns).clamp(1.0, 1000.0) as u32;
        work.warm = true;
        work.fastest_ns = f64::INFINITY;
        work
    }

    /// Work that is done elsewhere: `tell` brings its times.
    #[must_use]
    pub fn elsewhere() -> Self {
        Self { turn: None, repeats: 1, warm: false, fastest_ns: f64::INFINITY }
    }

    /// Takes notice of a time measured elsewhere, in nanoseconds.
    pub fn tell(&mut self, ns: f64) {
        self.fastest_ns = self.fastest_ns.min(ns);
    }

    /// Nanoseconds of the fastest call; infinite before the first.
    #[must_use]
    pub fn fastest_ns(&self) -> f64 {
        self.fastest_ns
    }
}

impl Party for Work<'_> {
    fn take_turn(&mut self) {
        let Some(turn) = &mut self.turn else { return };
        if self.warm {
            turn();
        }
        let start = Instant::now();
        for _ in 0..self.repeats {
            turn();
        }
        let ns = start.elapsed().as_nanos() as f64 / f64::from(self.repeats);
        self.tell(ns);
    }
}

/// So short that many turns escape the neighbours, so long that the clock does not count.
const TURN_NS: f64 = 200_000.0;
