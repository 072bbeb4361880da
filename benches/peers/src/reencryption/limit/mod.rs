//! What the machine can do: multiply-adds with nothing to wait for, and bytes read from each cache.
//!
//! Written apart from the product's kernel, so that the product is not measured by itself.

mod multiply;
mod read;

use std::collections::BTreeSet;
use std::hint::black_box;

use crate::turns::{Party, Work};

pub use read::SIZES;

/// Every limit, at work.
pub struct Limit {
    multiplies: Vec<(multiply::Way, Work<'static>)>,
    reads: Vec<(usize, Work<'static>)>,
}

impl Limit {
    /// Whatever this CPU offers, and reads of these many bytes besides `SIZES`.
    #[must_use]
    pub fn new(also: impl IntoIterator<Item = usize>) -> Self {
        let sizes: BTreeSet<usize> = SIZES.into_iter().chain(also).collect();
        let multiply = |way: multiply::Way| {
            let run = way.run;
            (way, Work::repeated(move || run(black_box(ROUNDS))))
        };
        let read = |bytes: usize| {
            let buffer = vec![1u64; bytes / 8];
            (bytes, Work::repeated(move || read::sum(black_box(&buffer))))
        };
        Self {
            multiplies: multiply::ways().into_iter().map(multiply).collect(),
            reads: sizes.into_iter().map(read).collect(),
        }
    }

    /// Instruction and 10^9 multiply-adds a second, each at its best number of lanes.
    #[must_use]
    pub fn multiply_adds(&self) -> Vec<(&'static str, f64)> {
        let mut best: Vec<(&'static str, f64)> = Vec::new();
        for (way, work) in &self.multiplies {
            let rate = f64::from(ROUNDS) * f64::from(way.multiply_adds) / work.fastest_ns();
            match best.iter_mut().find(|(name, _)| *name == way.name) {
                Some((_, best)) => *best = best.max(rate),
                None => best.push((way.name, rate)),
            }
        }
        best
    }

    /// 10^9 multiply-adds of 16 by 16 bits a second; none where the CPU has neither instruction.
    #[must_use]
    pub fn words(&self) -> Option<f64> {
        self.multiply_adds().first().map(|(_, rate)| *rate)
    }

    /// Bytes of the buffer and 10^9 bytes read a second.
    pub fn reads(&self) -> impl Iterator<Item = (usize, f64)> + '_ {
        let rate = |(bytes, work): &(usize, Work)| (*bytes, *bytes as f64 / work.fastest_ns());
        self.reads.iter().map(rate)
    }

    /// 10^9 bytes a second from a buffer of one of the sizes.
    #[must_use]
    pub fn read_of(&self, bytes: usize) -> Option<f64> {
        self.reads().find(|(size, _)| *size == bytes).map(|(_, rate)| rate)
    }
}

impl Party for Limit {
    fn take_turn(&mut self) {
        for (_, work) in &mut self.multiplies {
            work.take_turn();
        }
        for (_, work) in &mut self.reads {
            work.take_turn();
        }
    }
}

/// Steps of one run of multiply-adds.
const ROUNDS: u32 = 4_096;
