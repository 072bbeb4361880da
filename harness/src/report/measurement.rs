//! Numbers that a run measured, and what they are held against.

use serde::{Deserialize, Serialize};

/// A number that was measured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measurement {
    /// What was measured.
    pub name: String,
    /// The number, finite; `None` when there is none to give, and then the note says why.
    pub value: Option<f64>,
    /// Unit, such as `records/s`.
    pub unit: String,
    /// What it is held against.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
    /// How it was measured, or what it means; may be empty.
    pub note: String,
}

/// What a measurement is held against, in its own unit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Which side of the value is the good one.
    pub sense: Sense,
    /// The bound, finite.
    pub value: f64,
}

/// Which side of a target is the good one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sense {
    /// More is better.
    AtLeast,
    /// Less is better; a limit.
    AtMost,
}

impl Measurement {
    /// A number without target and note; one that is not finite counts as not measured.
    #[must_use]
    pub fn new(name: impl Into<String>, value: f64, unit: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            value: value.is_finite().then_some(value),
            unit: unit.into(),
            target: None,
            note: String::new(),
        }
    }

    /// Held against a target that more is better than.
    ///
    /// # Panics
    /// When the target is not finite: targets are ours.
    #[must_use]
    pub fn at_least(self, value: f64) -> Self {
        self.held_against(Sense::AtLeast, value)
    }

    /// Held against a limit that less is better than.
    ///
    /// # Panics
    /// When the limit is not finite: limits are ours.
    #[must_use]
    pub fn at_most(self, value: f64) -> Self {
        self.held_against(Sense::AtMost, value)
    }

    /// Says how it was measured, or what it means.
    #[must_use]
    pub fn note(self, note: impl Into<String>) -> Self {
        Self { note: note.into(), ..self }
    }

    /// Whether the target is met; `None` without value or target.
    #[must_use]
    pub fn meets(&self) -> Option<bool> {
        let (value, target) = (self.value?, self.target?);
        Some(match target.sense {
            Sense::AtLeast => value >= target.value,
            Sense::AtMost => value <= target.value,
        })
    }

    fn held_against(self, sense: Sense, value: f64) -> Self {
        assert!(value.is_finite(), "a target is a number");
        Self { target: Some(Target { sense, value }), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_met_on_its_good_side_and_by_equality() {
        let measured = |value| Measurement::new("m", value, "s");
        assert_eq!(measured(5.0).at_least(5.0).meets(), Some(true));
        assert_eq!(measured(4.9).at_least(5.0).meets(), Some(false));
        assert_eq!(measured(5.0).at_most(5.0).meets(), Some(true));
        assert_eq!(measured(5.1).at_most(5.0).meets(), Some(false));
        assert_eq!(measured(5.0).meets(), None);
        assert_eq!(measured(f64::NAN).at_most(5.0).meets(), None);
        assert_eq!(measured(f64::INFINITY).value, None);
    }
}
