//! What befalls a network, scenario by scenario.

use std::collections::BTreeSet;

use crate::seed::{Draw as _, Seed};
use crate::simulation::cluster::Shape;
use crate::simulation::plan::{Faults, Plan};
use crate::simulation::world::{Control, Crash, Node};

/// The network: four producers, four auditors, and two institutions without a seat.
pub(super) const SHAPE: Shape = Shape::SMALL;
/// Institutions in all.
pub(super) const INSTITUTIONS: u32 = SHAPE.producers + SHAPE.auditors + 2;
/// When faults end, and when a run ends that shows life.
pub(super) const HEAL_MS: u64 = 45_000;
pub(super) const END_MS: u64 = 65_000;
/// How much longer life may take to show.
pub(super) const PATIENCE_MS: u64 = 60_000;

/// Crashes of single nodes in a run, and of all nodes.
const CRASHES: u32 = 30;
const POWER_CUTS: u32 = 3;

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
            Self::Crashes => {
                "nodes crash, alone and all at once, also while they write, and come back with their disks"
            }
            Self::Clocks => "clocks differ by up to 0.8 s and timers are wrong by up to 5 %",
            Self::Silent => "a producer and an auditor are absent",
            Self::TwinProducer => {
                "a producer runs twice with one identity, and its halves hear different others"
            }
            Self::TwinAuditor => {
                "an auditor runs twice with one identity, and its halves hear different others"
            }
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
            Self::Links | Self::TwinProducer | Self::TwinAuditor => Faults { links: true, ..none },
            Self::Cuts => Faults { cuts: true, ..none },
            Self::Crashes => Faults { crashes: true, ..none },
            Self::Clocks => Faults { clocks: true, ..none },
            Self::Everything => Faults { disks: false, strategies: false, ..Faults::ALL },
        }
    }

    /// What befalls the run of a seed.
    pub(super) fn plan(self, seed: Seed) -> Plan {
        let mut plan = Plan::certain(seed, SHAPE, self.faults(), HEAL_MS, END_MS);
        if self.crashes() {
            let places = u16::try_from(INSTITUTIONS).unwrap_or(u16::MAX);
            crash(&mut plan, places);
        }
        plan
    }
}

/// Crashes of single nodes at any time, and cuts of power that take all of them down at nearly the same
/// moment: what a majority had said and not written is gone then.
fn crash(plan: &mut Plan, places: Node) {
    let mut random = plan.seed.stream("network/crashes");
    let heal = u32::try_from(HEAL_MS).unwrap_or(u32::MAX);
    let mut fall = |node: Node, at_ms: u32, down_ms: u32, kind: Crash| {
        plan.controls.push((at_ms.into(), Control::Crash(node, kind)));
        plan.controls.push(((at_ms + down_ms).min(heal).into(), Control::Restart(node)));
    };
    let kinds = [Crash::Clean, Crash::AfterWrite, Crash::Torn];
    for _ in 0..CRASHES {
        let node = u16::try_from(random.below(places.into())).unwrap_or(0);
        let (at_ms, down_ms) = (random.below(heal), random.between(50, 4_000));
        fall(node, at_ms, down_ms, *random.pick(&kinds));
    }
    for _ in 0..POWER_CUTS {
        let at_ms = random.below(heal);
        let kind = *random.pick(&kinds);
        for node in 0..places {
            fall(node, at_ms + random.below(60), 1_000 + random.below(400), kind);
        }
    }
    plan.controls.sort_by_key(|(at_ms, _)| *at_ms);
}

/// Links by which the two halves of a twin hear different others, now these and now those.
pub(super) fn apart(seed: Seed, halves: (Node, Node), nodes: Node) -> Vec<(u64, Control)> {
    let mut random = seed.stream("network/twins");
    let mut cuts = Vec::new();
    let heal = u32::try_from(HEAL_MS).unwrap_or(u32::MAX);
    let span_ms = SHAPE.turn_ms * 2;
    for at_ms in (0..heal).step_by(span_ms as usize) {
        for other in (0..nodes).filter(|other| *other != halves.0 && *other != halves.1) {
            let half = if random.chance(1, 2) { halves.0 } else { halves.1 };
            for (from, to) in [(half, other), (other, half)] {
                cuts.push((at_ms.into(), Control::Cut(from, to, true)));
                let end_ms = u64::from(at_ms + span_ms - 1);
                cuts.push((end_ms, Control::Cut(from, to, false)));
            }
        }
    }
    cuts
}
