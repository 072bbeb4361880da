//! Verdicts, their exit codes, and which is graver.

use std::fmt;
use std::process::ExitCode;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The verdict of a program, and its exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Exit {
    /// 0: something was tested and every rule held.
    Conforms,
    /// 1: a rule was broken.
    DoesNotConform,
    /// 2: some cases allow no judgement.
    Undecided,
    /// 3: the adapter broke.
    AdapterBroke,
    /// 4: our own fault; a wrong command line and a panic too.
    OwnFault,
    /// 5: nothing was tested.
    NothingTested,
}

impl Exit {
    /// Every verdict, in the order of the codes.
    pub const ALL: [Self; 6] = [
        Self::Conforms,
        Self::DoesNotConform,
        Self::Undecided,
        Self::AdapterBroke,
        Self::OwnFault,
        Self::NothingTested,
    ];

    /// The exit code.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Conforms => 0,
            Self::DoesNotConform => 1,
            Self::Undecided => 2,
            Self::AdapterBroke => 3,
            Self::OwnFault => 4,
            Self::NothingTested => 5,
        }
    }

    /// The graver of the two: 4 > 1 > 3 > 2 > 5 > 0.
    #[must_use]
    pub const fn gravest(self, other: Self) -> Self {
        if self.gravity() >= other.gravity() { self } else { other }
    }

    /// What a pipeline gets: with [`UndecidedPolicy::Warn`] an undecided run exits with 0.
    ///
    /// Apply it to each run before taking the gravest of several, so that an undecided run that only
    /// warns does not hide one that tested nothing.
    #[must_use]
    pub const fn under(self, policy: UndecidedPolicy) -> Self {
        match (self, policy) {
            (Self::Undecided, UndecidedPolicy::Warn) => Self::Conforms,
            _ => self,
        }
    }

    const fn gravity(self) -> u8 {
        match self {
            Self::OwnFault => 5,
            Self::DoesNotConform => 4,
            Self::AdapterBroke => 3,
            Self::Undecided => 2,
            Self::NothingTested => 1,
            Self::Conforms => 0,
        }
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Conforms => "conforms",
            Self::DoesNotConform => "does not conform",
            Self::Undecided => "undecided",
            Self::AdapterBroke => "the adapter broke",
            Self::OwnFault => "the harness failed",
            Self::NothingTested => "nothing was tested",
        })
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// What an undecided run means to a pipeline: `--undecided=fail|warn`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UndecidedPolicy {
    /// The exit code is 2.
    #[default]
    Fail,
    /// The report says undecided, the exit code is 0.
    Warn,
}

/// The text is neither `fail` nor `warn`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("expected `fail` or `warn`")]
pub struct UndecidedPolicyError;

impl FromStr for UndecidedPolicy {
    type Err = UndecidedPolicyError;

    fn from_str(text: &str) -> Result<Self, UndecidedPolicyError> {
        match text {
            "fail" => Ok(Self::Fail),
            "warn" => Ok(Self::Warn),
            _ => Err(UndecidedPolicyError),
        }
    }
}
