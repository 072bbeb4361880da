//! Twins (Bano et al. 2021): a faulty auditor is two honest copies with one key. All scenarios of some
//! rounds, each with its partition and its leader, up to symmetry.
//!
//! Four auditors, of which one has a twin; a leader is honest, or has a twin as well. A round splits the
//! five auditors into two groups; what is left of a leader's symmetry is which group it is in. Honest
//! auditors are interchangeable, and so are the groups and the two copies.

use std::collections::BTreeSet;

use mdsm_core::consensus::Rules;

use super::cluster::Shape;
use super::plan::{Faults, Plan};
use super::run::{Outcome, Run};
use super::world::{Control, Node};
use crate::seed::Seed;

/// Milliseconds of a round: a view with an absent leader takes as long.
const ROUND_MS: u64 = 160;
/// The network: two producers of each kind, so that any order of leaders can be had by choosing which
/// of four turns are led by a twin.
const SHAPE: Shape =
    Shape { producers: 4, auditors: 4, turn_ms: 0, delay_ms: 50, epoch_ms: 600_000 };

/// One round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Round {
    /// Honest auditors in the first group, of three.
    honest: u8,
    /// Whether the first and the second copy of the faulty auditor are in the first group.
    copies: (bool, bool),
    /// Whether the leader has a twin, one in each group; an honest one is in the first group or not.
    leader: Leader,
}

/// Who leads a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Leader {
    /// An honest one, in the first group.
    First,
    /// An honest one, in the second.
    Second,
    /// Twins, one in each group.
    Twins,
}

/// Rounds, one after the other, then a network that is whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scenario {
    rounds: Vec<Round>,
}

/// All different rounds.
#[must_use]
pub fn rounds() -> Vec<Round> {
    let mut found = BTreeSet::new();
    for honest in 0..=3 {
        for copies in [(true, true), (true, false), (false, true), (false, false)] {
            for leader in [Leader::First, Leader::Second, Leader::Twins] {
                let round = Round { honest, copies, leader };
                found.insert(round.canonical());
            }
        }
    }
    found.into_iter().collect()
}

/// All scenarios of so many rounds.
pub fn scenarios(count: u32) -> impl Iterator<Item = Scenario> {
    let rounds = rounds();
    let total = rounds.len().pow(count);
    (0..total).map(move |number| {
        let mut left = number;
        let mut drawn = Vec::new();
        for _ in 0..count {
            drawn.push(rounds[left % rounds.len()]);
            left /= rounds.len();
        }
        Scenario { rounds: drawn }
    })
}

impl Round {
    /// The same up to the names of groups and copies.
    fn canonical(self) -> Self {
        let swap_copies = |round: Self| Self { copies: (round.copies.1, round.copies.0), ..round };
        let swap_groups = |round: Self| Self {
            honest: 3 - round.honest,
            copies: (!round.copies.0, !round.copies.1),
            leader: match round.leader {
                Leader::First => Leader::Second,
                Leader::Second => Leader::First,
                Leader::Twins => Leader::Twins,
            },
        };
        let forms = [self, swap_copies(self), swap_groups(self), swap_copies(swap_groups(self))];
        forms.into_iter().min().unwrap_or(self)
    }
}

impl Scenario {
    /// The plan of the scenario.
    #[must_use]
    pub fn plan(&self) -> Plan {
        let end_ms = ROUND_MS * self.rounds.len() as u64;
        let mut plan = Plan::draw(Seed::new(1), SHAPE, Faults::NONE, end_ms, end_ms + 1);
        plan.links.jitter_ms = 0;
        let auditor = SHAPE.institutions();
        plan.twins.push(auditor);
        let led_by_twins =
            (1..).zip(&self.rounds).filter(|(_, round)| round.leader == Leader::Twins);
        plan.twins.extend(led_by_twins.map(|(producer, _)| producer).take(4));
        let nodes = SHAPE.institutions() + u32::try_from(plan.twins.len()).unwrap_or(0);
        for (number, round) in (0..).zip(&self.rounds) {
            let at_ms = ROUND_MS * number;
            let is_first = |node: u32| self.group(&plan.twins, round, node);
            for from in 0..nodes {
                for to in 0..nodes {
                    let is_cut = is_first(from) != is_first(to);
                    let node = |node: u32| Node::try_from(node).unwrap_or(Node::MAX);
                    plan.controls.push((at_ms, Control::Cut(node(from), node(to), is_cut)));
                }
            }
        }
        plan
    }

    /// Whether a node is in the first group of a round.
    fn group(&self, twins: &[u32], round: &Round, node: u32) -> bool {
        let institutions = SHAPE.institutions();
        let auditors_from = SHAPE.producers;
        if node >= institutions {
            // Copies come last: of the auditor first, then of leaders.
            let at = usize::try_from(node - institutions).unwrap_or(0);
            return twins[at] == institutions && round.copies.1;
        }
        if node == institutions - 1 {
            return round.copies.0;
        }
        if node >= auditors_from {
            return node - auditors_from < u32::from(round.honest);
        }
        round.leader != Leader::Second
    }

    /// Runs it.
    #[must_use]
    pub fn run<R: Rules + 'static>(&self, rules: R) -> Outcome {
        Run::new(self.plan(), rules, false).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_are_different_up_to_symmetry() {
        let rounds = rounds();
        // 4 splits, 3 placements of two equal copies, 3 leaders; halved by the names of the groups,
        // which fix none: an honest split of three is never even.
        assert_eq!(rounds.len(), 4 * 3 * 3 / 2);
        assert!(rounds.iter().all(|round| round.canonical() == *round));
        assert_eq!(scenarios(2).count(), 18 * 18);
    }
}
