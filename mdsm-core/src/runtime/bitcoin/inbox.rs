//! What the machine asked for and is not done yet. Pure. [ANC-3]
//!
//! Bounded by the epochs that the machine holds: of each there is at most one entry of a kind, the last.

use std::collections::VecDeque;

use crate::anchoring::machine::{Alarm, Effect};
use crate::types::Epoch;

/// Effects that wait for Bitcoin, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    waiting: VecDeque<Effect>,
}

/// A later effect with the same key says all that an earlier one did.
fn key(effect: &Effect) -> Option<(u8, Epoch)> {
    match effect {
        Effect::Watch(output) => Some((0, output.epoch)),
        Effect::Look(report) => Some((1, report.epoch)),
        Effect::Submit(request) => Some((2, request.output.epoch)),
        Effect::Final { output, .. } => Some((3, output.epoch)),
        Effect::Alarm(Alarm::FinalRemoved { output, .. }) => Some((3, output.epoch)),
        Effect::Release { .. } | Effect::Report(_) | Effect::Foreign { .. } | Effect::Alarm(_) => {
            None
        }
    }
}

impl Inbox {
    /// Adds one; what is not for a watcher is passed over.
    pub(super) fn push(&mut self, effect: Effect) {
        let new = key(&effect);
        if new.is_some() {
            self.waiting.retain(|waits| key(waits) != new);
            self.waiting.push_back(effect);
        }
    }

    /// Adds what came later.
    pub(super) fn append(&mut self, later: Self) {
        for effect in later.waiting {
            self.push(effect);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    pub(super) fn first(&self) -> Option<Effect> {
        self.waiting.front().copied()
    }

    pub(super) fn done(&mut self) {
        self.waiting.pop_front();
    }
}
