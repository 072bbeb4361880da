//! What befalls a network, scenario by scenario.

use std::collections::BTreeSet;

use crate::seed::Seed;
use crate::simulation::cluster::Shape;
use crate::simulation::plan::{Faults, Plan};

/// The network: four producers, four auditors, and two institutions without a seat.
pub(super) const SHAPE: Shape = Shape::SMALL;
/// Institutions in all.
pub(super) const INSTITUTIONS: u32 = SHAPE.producers + SHAPE.auditors + 2;
/// When faults end, and when a run ends that shows life.
pub(super) const HEAL_MS: u64 = 45_000;
pub(super) const END_MS: u64 = 65_000;
/// How much longer life may take to show.
pub(super) const PATIENCE_MS: u64 = 60_000;

/// What befalls a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scenario {
    /// Nothing: layer L2.
    Calm,
    /// Messages are lost, late, repeated and out of order.
    Links,
    /// Links are cut, one way and both.
    Cuts,
    /// Nodes crash, also while they write.
    Crashes,
    /// Clocks are off.
    Clocks,
    /// A producer and an auditor are absent.
    Silent,
    /// A producer runs twice.
    TwinProducer,
    /// An auditor runs twice.
    TwinAuditor,
    /// Links, cuts, crashes and clocks at once.
    Everything,
}

impl Scenario {
    /// Each, in the order in which they run.
    pub const ALL: [Self; 9] = [
        Self::Calm,
        Self::Links,
        Self::Cuts,
        Self::Crashes,
        Self::Clocks,
        Self::Silent,
        Self::TwinProducer,
        Self::TwinAuditor,
        Self::Everything,
    ];

    /// Its name in ids.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Calm => "calm",
            Self::Links => "links",
            Self::Cuts => "cuts",
            Self::Crashes => "crashes",
            Self::Clocks => "clocks",
            Self::Silent => "silent",
            Self::TwinProducer => "twin-producer",
            Self::TwinAuditor => "twin-auditor",
            Self::Everything => "everything",
        }
    }

    /// What happens, in words.
    #[must_use]
    pub fn about(self) -> &'static str {
        match self {
            Self::Calm => "nothing fails",
            Self::Links => "messages are lost, late, repeated and out of order",
            Self::Cuts => "links are cut, one way and both ways",
            Self::Crashes => "nodes crash, also while they write, and come back with their disks",
            Self::Clocks => "clocks differ by up to 0.8 s and timers are wrong by up to 5 %",
            Self::Silent => "a producer and an auditor are absent",
            Self::TwinProducer => "a producer runs twice with one identity",
            Self::TwinAuditor => "an auditor runs twice with one identity",
            Self::Everything => "messages, links, crashes and clocks go wrong at once",
        }
    }

    /// Whether a node may forget that it said something which it had not yet let be seen.
    pub(super) fn crashes(self) -> bool {
        matches!(self, Self::Crashes | Self::Everything)
    }

    /// Whether every turn ends in its block.
    pub(super) fn is_punctual(self) -> bool {
        matches!(self, Self::Calm | Self::Silent)
    }

    /// Institutions that are not there.
    pub(super) fn absent(self) -> BTreeSet<u32> {
        match self {
            Self::Silent => [2, SHAPE.producers + 2].into(),
            _ => BTreeSet::new(),
        }
    }

    /// Institutions that run twice.
    pub(super) fn twins(self) -> Vec<u32> {
        match self {
            Self::TwinProducer => vec![2],
            Self::TwinAuditor => vec![SHAPE.producers + 1],
            _ => Vec::new(),
        }
    }

    fn faults(self) -> Faults {
        let none = Faults::NONE;
        match self {
            Self::Calm | Self::Silent => none,
            // Both halves of a twin must be heard at different places to do harm.
            Self::Links | Self::TwinProducer | Self::TwinAuditor => Faults { links: true, ..none },
            Self::Cuts => Faults { cuts: true, ..none },
            Self::Crashes => Faults { crashes: true, ..none },
            Self::Clocks => Faults { clocks: true, ..none },
            Self::Everything => Faults { disks: false, strategies: false, ..Faults::ALL },
        }
    }

    /// What befalls the run of a seed.
    pub(super) fn plan(self, seed: Seed) -> Plan {
        Plan::certain(seed, SHAPE, self.faults(), HEAL_MS, END_MS)
    }
}
