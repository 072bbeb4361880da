//! What a report says of somebody's implementation: a verdict for each profile, sentence by sentence.

use serde::{Deserialize, Serialize};

use crate::verdict::Exit;

/// Verdicts on an implementation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Conformance {
    /// The command that starts it.
    pub adapter: Vec<String>,
    /// Its language, as it says; empty when it does not.
    pub language: String,
    /// Operations that it answers.
    pub ops: Vec<String>,
    /// A verdict for each profile that was judged.
    pub profiles: Vec<ProfileVerdict>,
    /// Every sentence of the spec.
    pub sentences: Vec<SentenceVerdict>,
    /// Points of the register on which it departs from the reference.
    pub readings: Vec<Reading>,
}

/// The verdict of a profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProfileVerdict {
    /// Its name.
    pub profile: String,
    /// The verdict on its cases.
    pub verdict: Exit,
    /// Sentences that it has.
    pub sentences: u64,
    /// Those that a case put to the test.
    pub exercised: u64,
    /// Of those: broken.
    pub violated: u64,
    /// Failures that the known-failing file excuses; what they are about stays violated.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub excused: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
const fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// What became of one sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SentenceVerdict {
    /// `STO-3.1`.
    pub id: String,
    /// `paper` or `ours`.
    pub source: String,
    /// What became of it.
    pub status: Status,
    /// What it says.
    pub text: String,
    /// Cases that put it to the test.
    pub cases: u64,
    /// The first of those that decided against it.
    pub against: Vec<String>,
}

/// What became of a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// A case shows that it is broken.
    Violated,
    /// It depends on a reading that is not declared.
    Ambiguous,
    /// No case came to a result.
    NotExercised,
    /// Every case that came to a result shows that it is met.
    Met,
}

/// A reading other than the reference's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reading {
    /// The point of the register.
    pub point: String,
    /// What is declared.
    pub declared: String,
    /// What the register says of readings working together.
    pub interoperation: String,
}

impl Status {
    /// All, the gravest first.
    pub const ALL: [Self; 4] = [Self::Violated, Self::Ambiguous, Self::NotExercised, Self::Met];

    /// Whether somebody has to look at it.
    #[must_use]
    pub const fn is_against(self) -> bool {
        matches!(self, Self::Violated | Self::Ambiguous)
    }

    /// The word for people.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Violated => "violated",
            Self::Ambiguous => "ambiguous",
            Self::NotExercised => "not exercised",
            Self::Met => "met",
        }
    }
}

impl ProfileVerdict {
    /// `conforms to profile paper, 41 of 63 sentences exercised`; what was excused is told behind it.
    #[must_use]
    pub fn sentence(&self) -> String {
        let Self { profile, verdict, sentences, exercised, violated, excused } = self;
        let verdict = match verdict {
            Exit::Conforms => format!("conforms to profile {profile}"),
            Exit::DoesNotConform => format!("does not conform to profile {profile}"),
            other => format!("profile {profile}: {other}"),
        };
        let behind = match (excused, violated) {
            (0, 0) => String::new(),
            (0, violated) => format!(", {violated} violated"),
            (excused, violated) => format!("; {}", but_for(*excused, *violated)),
        };
        format!("{verdict}, {exercised} of {sentences} sentences exercised{behind}")
    }
}

/// `19 failures excused, 3 sentences violated`: what is to be known of a verdict that excuses something.
pub(super) fn but_for(excused: u64, violated: u64) -> String {
    let told = |count: u64, one: &str| match count {
        1 => format!("1 {one}"),
        count => format!("{count} {one}s"),
    };
    let violated = match violated {
        0 => String::new(),
        violated => format!(", {} violated", told(violated, "sentence")),
    };
    format!("{} excused{violated}", told(excused, "failure"))
}

impl Conformance {
    /// Sentences that are broken, of the widest profile.
    #[must_use]
    pub fn violated(&self) -> u64 {
        self.profiles.iter().map(|profile| profile.violated).max().unwrap_or(0)
    }

    /// Sentences with a status, in order.
    pub fn with(&self, status: Status) -> impl Iterator<Item = &SentenceVerdict> {
        self.sentences.iter().filter(move |sentence| sentence.status == status)
    }
}
