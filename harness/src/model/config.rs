//! What is searched: how many of whom, how far, and against which adversary.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::states::TAG_MAX;

/// A configuration of the model. In traces and summaries it is what a reader needs to repeat a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Auditors of an epoch.
    pub voters: u8,
    /// Auditors that are faulty in any way: they have cast every vote.
    pub byzantine: u8,
    /// Views of the first epoch in which anything happens.
    pub views: u8,
    /// Blocks that a leader can make on one parent.
    pub values: u8,
    /// Crashes in one run, each between steps or inside one.
    pub crashes: u8,
    /// Crashes that take the log with them, among the crashes of a run.
    pub amnesia: bool,
    /// Epochs: with 2 the committees change behind the last block of the first.
    pub epochs: u8,
    /// Views of the second epoch in which anything happens.
    pub second_views: u8,
    /// The view from which on a block of the first epoch is its last.
    pub last_from: u8,
    /// Whether a new block has to become final from every state that is reached.
    pub liveness: bool,
    /// Reductions; all are on but in the tests that hold them against a run without.
    pub reduction: Reduction,
}

/// What is left out because it cannot matter; argued in the documentation of the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reduction {
    /// Honest auditors are interchangeable.
    pub symmetry: bool,
    /// A proposal arrives when it would be checked at once, and is not told from one that was lost
    /// after it was voted upon.
    pub proposals: bool,
    /// A state that was reached with fewer crashes is not searched again.
    pub crashes: bool,
    /// A node without a vote in its epoch only learns how the epoch ends. Searches for life, and those
    /// in which logs are lost, do without it.
    pub observers: bool,
}

impl Default for Reduction {
    fn default() -> Self {
        Self { symmetry: true, proposals: true, crashes: true, observers: true }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            voters: 4,
            byzantine: 1,
            views: 2,
            values: 2,
            crashes: 0,
            amnesia: false,
            epochs: 1,
            second_views: 1,
            last_from: 1,
            liveness: true,
            reduction: Reduction::default(),
        }
    }
}

/// A configuration that cannot be searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ConfigError {
    /// Too few or too many honest auditors.
    #[error("{honest} honest auditors: 1 to 5 can be searched")]
    Honest {
        /// How many.
        honest: u8,
    },
    /// A number is out of its range.
    #[error("--{name} {found}: {min} to {max} can be searched")]
    Range {
        /// The option.
        name: &'static str,
        /// What it is.
        found: u8,
        /// The least.
        min: u8,
        /// The most.
        max: u8,
    },
}

impl Config {
    /// Checks that the configuration can be searched.
    ///
    /// # Errors
    /// Names the first number that is out of range.
    pub fn check(&self) -> Result<(), ConfigError> {
        for (name, found, min, max) in [
            ("voters", self.voters, 1, 7),
            ("byzantine", self.byzantine, 0, self.voters),
            ("views", self.views, 1, 4),
            ("second-views", self.second_views, 1, 4),
            ("values", self.values, 1, 3),
            ("crashes", self.crashes, 0, TAG_MAX),
            ("epochs", self.epochs, 1, 2),
            ("last-from", self.last_from, 1, self.views),
        ] {
            if !(min..=max).contains(&found) {
                return Err(ConfigError::Range { name, found, min, max });
            }
        }
        let honest = self.actors();
        if !(1..=5).contains(&honest) {
            return Err(ConfigError::Honest { honest });
        }
        Ok(())
    }

    /// Whether nodes without a vote only learn how their epoch ends.
    #[must_use]
    pub(super) fn skips_observers(&self) -> bool {
        self.reduction.observers && self.epochs > 1 && !self.liveness && !self.amnesia
    }

    /// Nodes that are searched: the honest auditors of either epoch.
    #[must_use]
    pub fn actors(&self) -> u8 {
        let honest = self.voters.saturating_sub(self.byzantine);
        if self.epochs == 2 { honest.saturating_add(1) } else { honest }
    }

    /// The last view of an epoch in which the adversary acts.
    #[must_use]
    pub fn views_of(&self, epoch: u8) -> u8 {
        if epoch == 0 { self.views } else { self.second_views }
    }

    /// In a few words.
    #[must_use]
    pub fn title(&self) -> String {
        let Self { voters, byzantine, views, values, crashes, .. } = self;
        let mut title =
            format!("n={voters} b={byzantine} views={views} values={values} crashes={crashes}");
        if self.amnesia {
            title.push_str(" logs-lost");
        }
        if self.epochs == 2 {
            title.push_str(&format!(
                " epochs=2 second-views={} last-from={}",
                self.second_views, self.last_from
            ));
        }
        title
    }
}
