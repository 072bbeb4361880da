//! Which seat the node under test has, and what befalls it.

use std::collections::BTreeMap;

use crate::seed::Seed;
use crate::simulation::cluster::Shape;
use crate::simulation::plan::{Faults, Plan};

/// The network.
pub(super) const SHAPE: Shape = Shape::SMALL;
/// When faults end, and when a run ends that shows life.
pub(super) const HEAL_MS: u64 = 45_000;
pub(super) const END_MS: u64 = 65_000;

/// A scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mixture {
    /// A producer while nothing fails.
    Producer,
    /// An auditor while nothing fails.
    Auditor,
    /// A producer under faults, that crashes too.
    ProducerUnderFaults,
    /// An auditor under faults, that crashes too.
    AuditorUnderFaults,
    /// An auditor beside another one that deviates.
    AuditorAmongLiars,
}

impl Mixture {
    /// Each.
    pub const ALL: [Self; 5] = [
        Self::Producer,
        Self::Auditor,
        Self::ProducerUnderFaults,
        Self::AuditorUnderFaults,
        Self::AuditorAmongLiars,
    ];

    /// Its name in ids.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Producer => "producer",
            Self::Auditor => "auditor",
            Self::ProducerUnderFaults => "producer-under-faults",
            Self::AuditorUnderFaults => "auditor-under-faults",
            Self::AuditorAmongLiars => "auditor-among-liars",
        }
    }

    /// In words.
    #[must_use]
    pub fn about(self) -> &'static str {
        match self {
            Self::Producer => "it is a producer and nothing fails",
            Self::Auditor => "it is an auditor and nothing fails",
            Self::ProducerUnderFaults => "it is a producer, and links, clocks and nodes fail",
            Self::AuditorUnderFaults => "it is an auditor, and links, clocks and nodes fail",
            Self::AuditorAmongLiars => "it is an auditor, and producers and an auditor deviate",
        }
    }

    /// Whether nothing fails.
    #[must_use]
    pub fn is_calm(self) -> bool {
        matches!(self, Self::Producer | Self::Auditor)
    }

    /// The institution of the node under test.
    pub(super) fn institution(self) -> u32 {
        match self {
            Self::Producer | Self::ProducerUnderFaults => 2,
            _ => SHAPE.producers + 2,
        }
    }

    /// What befalls the run of a seed.
    pub(super) fn plan(self, seed: Seed) -> Plan {
        let faults = match self {
            Self::Producer | Self::Auditor => Faults::NONE,
            Self::ProducerUnderFaults | Self::AuditorUnderFaults => {
                Faults { disks: false, strategies: false, ..Faults::ALL }
            }
            Self::AuditorAmongLiars => Faults { strategies: true, ..Faults::NONE },
        };
        let mut plan = Plan::certain(seed, SHAPE, faults, HEAL_MS, END_MS);
        // The node under test takes the place of whoever would deviate in its seat.
        let me = self.institution();
        let faulty: BTreeMap<_, _> =
            std::mem::take(&mut plan.faulty).into_iter().filter(|(id, _)| *id != me).collect();
        plan.faulty = faulty;
        plan.twins.clear();
        plan
    }
}
