//! Counts of a run, which must close: run + unsupported + known-failing + skipped = all.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::{Exit, Outcome};

/// How many cases ended how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// Cases that were chosen before the run began; counted apart from the outcomes.
    pub all: u64,
    /// Cases that ran to a result that counts, of whatever kind.
    pub run: u64,
    /// Of those that ran: the rule held.
    pub passed: u64,
    /// Of those that ran: the rule was broken.
    pub failed: u64,
    /// Of those that ran: no judgement.
    pub undecided: u64,
    /// Of those that ran: the adapter broke.
    pub adapter_broke: u64,
    /// Of those that ran: the harness itself failed.
    pub own_fault: u64,
    /// Not offered by the implementation.
    pub unsupported: u64,
    /// Declared to fail.
    pub known_failing: u64,
    /// Not run.
    pub skipped: u64,
}

/// The counts of a report do not add up: a case was lost or counted twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "counts do not close: {run} run + {unsupported} unsupported + {known_failing} known-failing + \
     {skipped} skipped, of {all} planned; the outcomes of those that ran add up to {results}",
    run = counts.run, unsupported = counts.unsupported, known_failing = counts.known_failing,
    skipped = counts.skipped, all = counts.all
)]
pub struct CountsError {
    /// The counts as they are.
    pub counts: Counts,
    /// Sum of the five outcomes of cases that ran.
    pub results: u64,
}

impl Counts {
    /// No result yet, of so many planned cases.
    #[must_use]
    pub fn planned(all: u64) -> Self {
        Self { all, ..Self::default() }
    }

    /// Counts one case.
    pub fn add(&mut self, outcome: &Outcome) {
        let (runs, slot) = match outcome {
            Outcome::Pass => (true, &mut self.passed),
            Outcome::Fail => (true, &mut self.failed),
            Outcome::Undecided => (true, &mut self.undecided),
            Outcome::AdapterBroke => (true, &mut self.adapter_broke),
            Outcome::OwnFault => (true, &mut self.own_fault),
            Outcome::Unsupported => (false, &mut self.unsupported),
            Outcome::KnownFailing => (false, &mut self.known_failing),
            Outcome::Skipped { .. } => (false, &mut self.skipped),
        };
        *slot += 1;
        self.run += u64::from(runs);
    }

    /// Holds when run + unsupported + known-failing + skipped = all, and the results make up `run`.
    ///
    /// # Errors
    /// The counts that do not add up. Sums saturate, so that counts read from a file cannot wrap
    /// around into a sum that fits.
    pub fn check(&self) -> Result<(), CountsError> {
        let sum = |parts: &[u64]| parts.iter().fold(0u64, |sum, part| sum.saturating_add(*part));
        let results =
            sum(&[self.passed, self.failed, self.undecided, self.adapter_broke, self.own_fault]);
        let all = sum(&[self.run, self.unsupported, self.known_failing, self.skipped]);
        if results == self.run && all == self.all {
            Ok(())
        } else {
            Err(CountsError { counts: *self, results })
        }
    }

    /// The verdict on these counts; counts that do not close are our own fault.
    #[must_use]
    pub fn verdict(&self) -> Exit {
        if self.check().is_err() {
            return Exit::OwnFault;
        }
        let found = [
            (self.own_fault, Exit::OwnFault),
            (self.failed, Exit::DoesNotConform),
            (self.adapter_broke, Exit::AdapterBroke),
            (self.undecided, Exit::Undecided),
            (u64::from(self.run == 0), Exit::NothingTested),
        ];
        found
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .fold(Exit::Conforms, |worst, (_, exit)| worst.gravest(exit))
    }
}
