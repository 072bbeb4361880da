//! A node of the adapter, whatever world it stands in.

use std::collections::BTreeMap;

use rand_chacha::rand_core::Rng as _;

use super::port::Shared;
use super::result::Did;
use crate::conformance::protocol::Step;
use crate::seed::Seed;

/// Bytes on the disk of a node behind the last replacement, at most.
const DISK_BYTES_MAX: usize = 4 << 20;
/// Bytes that an entry counts for besides its own.
const ENTRY_BYTES: usize = 64;

/// A node behind the port.
pub(super) struct Foreign<'a, 's> {
    pub(super) port: Shared<'a, 's>,
    pub(super) node: u16,
    pub(super) institution: u32,
    /// The world's time 0 by its clock.
    started_ms: i64,
    seed: Seed,
    steps: u64,
    /// Names of timers that run.
    timers: BTreeMap<u64, String>,
    armed: u64,
    kept_bytes: usize,
}

impl<'a, 's> Foreign<'a, 's> {
    pub(super) fn new(
        port: &Shared<'a, 's>,
        node: u16,
        institution: u32,
        started_ms: i64,
        seed: Seed,
    ) -> Self {
        let (port, timers) = (port.clone(), BTreeMap::new());
        let (steps, armed, kept_bytes) = (0, 0, 0);
        Self { port, node, institution, started_ms, seed, steps, timers, armed, kept_bytes }
    }

    /// Takes a step at a time of the world.
    pub(super) fn step(&mut self, now_ms: u64, what: Step) -> Did {
        self.steps += 1;
        let mut random = [0; 32];
        let stream = format!("network/{}/{}", self.node, self.steps);
        self.seed.stream(&stream).fill_bytes(&mut random);
        let now = self.started_ms.saturating_add_unsigned(now_ms);
        let did = self.port.borrow_mut().step(Step { node: self.node, now, random, ..what });
        let bytes: usize = did.append.iter().map(|entry| entry.len() + ENTRY_BYTES).sum();
        self.kept_bytes = if did.replace { bytes } else { self.kept_bytes + bytes };
        if self.kept_bytes > DISK_BYTES_MAX {
            self.fail(format!("keeps {} bytes, {DISK_BYTES_MAX} at most", self.kept_bytes));
        }
        did
    }

    /// A number for a timer that it sets.
    pub(super) fn arm(&mut self, name: String) -> u64 {
        self.armed += 1;
        self.timers.insert(self.armed, name);
        self.armed
    }

    /// A timer rings: its name, once.
    pub(super) fn ring(&mut self, number: u64) -> Option<String> {
        self.timers.remove(&number)
    }

    /// Everything but its disk is gone.
    pub(super) fn fall(&mut self) {
        self.timers.clear();
        self.port.borrow_mut().crash(self.node);
    }

    /// It does what the page forbids.
    pub(super) fn fail(&self, what: String) {
        self.port.borrow_mut().fail(format!("node {} {what}", self.node));
    }
}
