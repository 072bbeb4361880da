//! What all nodes of a cluster agree on beforehand.

use std::sync::Arc;

use mdsm_core::consensus::{Rules, Timing};
use mdsm_core::roster::{Committees, Seat};
use mdsm_core::types::{ChainId, Digest, Epoch, InstitutionId, Timestamp};

use super::signatures::Signatures;

/// Sizes and times of a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Shape {
    /// Producers, institutions 1 and up.
    pub producers: u32,
    /// Auditors, the institutions behind them.
    pub auditors: u32,
    /// Milliseconds of a turn.
    pub turn_ms: u32,
    /// Assumed delay.
    pub delay_ms: u32,
    /// Milliseconds of an epoch.
    pub epoch_ms: u32,
}

impl Shape {
    /// The paper's network: 101 producers, 20 auditors, turns of 6 s, epochs of 10 minutes.
    pub const PAPER: Self =
        Self { producers: 101, auditors: 20, turn_ms: 6_000, delay_ms: 200, epoch_ms: 600_000 };
    /// Four of each.
    pub const SMALL: Self =
        Self { producers: 4, auditors: 4, turn_ms: 1_000, delay_ms: 200, epoch_ms: 20_000 };
    /// Seven auditors, two of which may be faulty.
    pub const N7: Self =
        Self { producers: 5, auditors: 7, turn_ms: 1_000, delay_ms: 200, epoch_ms: 20_000 };
    /// Four producers, and auditors as the paper has them: for the cost of agreement alone.
    pub const N20: Self = Self { producers: 4, auditors: 20, ..Self::SMALL };

    /// Institutions of a producer and of an auditor.
    #[must_use]
    pub fn institutions(&self) -> u32 {
        self.producers + self.auditors
    }

    /// Whether an institution audits at first.
    #[must_use]
    pub fn audits(&self, institution: u32) -> bool {
        institution > self.producers
    }

    /// Auditors that may be faulty.
    #[must_use]
    pub fn faulty_max(&self) -> u32 {
        self.auditors.saturating_sub(1) / 3
    }
}

/// What all nodes know.
#[derive(Debug)]
pub struct Setup<R> {
    /// The rules that honest nodes follow.
    pub rules: R,
    /// Sizes and times.
    pub shape: Shape,
    /// Keys.
    pub signatures: Signatures,
    /// The network.
    pub chain: ChainId,
    /// Institutions that change seats at a freeze: the faulty ones stay where they are, so that no
    /// more of them audit than a run means to have.
    pub movable: Vec<InstitutionId>,
}

/// Time of the genesis; any multiple of all epochs' lengths.
pub const STARTED_MS: i64 = 1_800_000_000_000;
/// The genesis.
pub const GENESIS: Digest = Digest::new([0x6e; 32]);

impl<R: Rules> Setup<R> {
    /// A setup; `movable` may be empty.
    #[must_use]
    pub fn new(
        rules: R,
        shape: Shape,
        signatures: Signatures,
        movable: Vec<InstitutionId>,
    ) -> Self {
        Self { rules, shape, signatures, chain: ChainId::new([0x5d; 32]), movable }
    }

    /// Timers.
    #[must_use]
    pub fn timing(&self) -> Timing {
        Timing { turn_ms: self.shape.turn_ms, delay_ms: self.shape.delay_ms }
    }

    /// The committees of the first epoch.
    #[must_use]
    pub fn first(&self) -> Committees {
        let seat = |id: u32| {
            let institution = InstitutionId::new(id);
            Seat { institution, key: self.signatures.owner(institution) }
        };
        let producers = self.shape.producers;
        Committees {
            epoch: Epoch::new(0),
            producers: (1..=producers).map(seat).collect(),
            auditors: (producers + 1..=self.shape.institutions()).map(seat).collect(),
            offset: 0,
        }
    }

    /// The committees behind these, whose last block has this view: the order of turns goes on, and
    /// one movable producer and one movable auditor change seats.
    #[must_use]
    pub fn next(&self, old: &Committees, last_view: u64) -> Arc<Committees> {
        let mut next = old.clone();
        next.epoch = old.epoch.next().unwrap_or(old.epoch);
        let seats = u64::try_from(old.producers.len()).unwrap_or(1);
        next.offset = (old.offset + last_view) % seats;
        let is_movable = |seat: &Seat| self.movable.contains(&seat.institution);
        let places = |seats: &[Seat]| {
            let movable = seats.iter().enumerate().filter(|(_, seat)| is_movable(seat));
            movable.map(|(at, _)| at).collect::<Vec<_>>()
        };
        let (producers, auditors) = (places(&old.producers), places(&old.auditors));
        let turn = old.epoch.get() as usize;
        if !producers.is_empty() && !auditors.is_empty() {
            let (from, to) = (producers[turn % producers.len()], auditors[turn % auditors.len()]);
            next.producers[from] = old.auditors[to];
            next.auditors[to] = old.producers[from];
        }
        Arc::new(next)
    }

    /// The mark behind a time: the first block at or past it is the last of its epoch.
    #[must_use]
    pub fn mark_after(&self, time: Timestamp) -> Timestamp {
        time.next_multiple(self.shape.epoch_ms).unwrap_or(time)
    }
}
