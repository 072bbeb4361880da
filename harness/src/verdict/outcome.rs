//! What became of one case.

use serde::{Deserialize, Serialize};

/// What became of one case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Outcome {
    /// The rule was put to the test and held.
    Pass,
    /// The rule was put to the test and broken.
    Fail,
    /// The case ran and what came out allows no judgement.
    Undecided,
    /// The implementation says that it does not offer what the case needs.
    Unsupported,
    /// The case is declared to fail, and its result does not count.
    KnownFailing,
    /// The case did not run, because of us or of this machine.
    Skipped {
        /// Why.
        reason: String,
        /// The command that makes it run next time, where a missing tool is the reason.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        install: Option<String>,
    },
    /// The adapter died, timed out, or answered with something that is not the protocol.
    AdapterBroke,
    /// The harness itself failed.
    OwnFault,
}

impl Outcome {
    /// The outcomes that somebody has to look at, as they decide an exit code above 0; in the
    /// order in which the exit codes win.
    pub const GRAVEST_FIRST: [Self; 4] =
        [Self::OwnFault, Self::Fail, Self::AdapterBroke, Self::Undecided];

    /// A skip for a reason that no installation cures.
    #[must_use]
    pub fn skipped(reason: impl Into<String>) -> Self {
        Self::Skipped { reason: reason.into(), install: None }
    }

    /// A skip because a tool is absent, with the command that installs it.
    #[must_use]
    pub fn missing_tool(reason: impl Into<String>, install: impl Into<String>) -> Self {
        Self::Skipped { reason: reason.into(), install: Some(install.into()) }
    }

    /// The word for reports and tables; the same as in JSON.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Undecided => "undecided",
            Self::Unsupported => "unsupported",
            Self::KnownFailing => "known-failing",
            Self::Skipped { .. } => "skipped",
            Self::AdapterBroke => "adapter-broke",
            Self::OwnFault => "own-fault",
        }
    }

    /// True for [`Outcome::GRAVEST_FIRST`].
    #[must_use]
    pub fn needs_attention(&self) -> bool {
        Self::GRAVEST_FIRST.contains(self)
    }
}
