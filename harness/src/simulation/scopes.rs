//! Small changes to single rounds, one after the other: systematic mutation of messages in the manner of
//! ByzzFuzz (Winter et al., OOPSLA 2023).
//!
//! A round is a view and a kind of message. A scope is a handful of mutations: in this round this sender
//! changes one thing, for these receivers; everybody else is shown the message as it was. The lowest seeds
//! are all scopes of one mutation in the first views, in order; every seed behind them draws two or three
//! mutations, and perhaps a cut that lasts for a round. The faulty are one auditor and the leaders whose
//! proposals are mutated: never more than a network bears.

use std::collections::BTreeMap;
use std::fmt;

use rand_chacha::ChaCha12Rng;

use super::cluster::Shape;
use super::plan::{Faults, Plan};
use super::strategies::Name;
use super::world::{Control, Node};
use crate::seed::{Draw as _, Seed};

/// Views in which messages are mutated.
const VIEWS: u64 = 3;
/// Turns after which faults end.
const TURNS: u64 = 8;
/// Groups of receivers: so many auditors, one by one, and everybody else.
const GROUPS: u32 = 4;
/// Subsets of the groups, but for the empty one.
const SUBSETS: u64 = (1 << GROUPS) - 1;

/// What is sent in a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A leader's block.
    Proposal,
    /// A notarize vote.
    Notarize,
    /// A nullify vote; the leader of its view is silent.
    Nullify,
    /// A finalize vote.
    Finalize,
    /// A certificate of a view.
    Certificate,
}

/// What is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// It is not sent.
    Omit,
    /// An earlier message is sent in its place: a vote, a certificate, or somebody's proposal.
    Old,
    /// Another block that is known: voted for, or as the parent.
    OtherBlock,
    /// Another kind of vote in the same view.
    OtherSubject,
    /// The view behind.
    ViewUp,
    /// The view before.
    ViewDown,
    /// The epoch behind.
    EpochUp,
    /// The parent's view, one less.
    ParentViewDown,
    /// The height, one more.
    HeightUp,
    /// The time, a millisecond later: another block of the same view.
    TimeUp,
    /// A payload that breaks the rules.
    Payload,
    /// One signer less, and its signature.
    FewerSigners,
}

/// A kind of message and what is changed in it.
pub type Target = (Kind, Change);

const VOTES: [Change; 7] = [
    Change::Omit,
    Change::Old,
    Change::OtherBlock,
    Change::OtherSubject,
    Change::ViewUp,
    Change::ViewDown,
    Change::EpochUp,
];
const PROPOSALS: [Change; 10] = [
    Change::Omit,
    Change::Old,
    Change::OtherBlock,
    Change::ViewUp,
    Change::ViewDown,
    Change::EpochUp,
    Change::ParentViewDown,
    Change::HeightUp,
    Change::TimeUp,
    Change::Payload,
];
const CERTIFICATES: [Change; 6] = [
    Change::Omit,
    Change::Old,
    Change::OtherSubject,
    Change::ViewUp,
    Change::ViewDown,
    Change::FewerSigners,
];

/// Every mutation there is.
#[must_use]
pub fn targets() -> Vec<Target> {
    let of = |kind, changes: &[Change]| changes.iter().map(move |change| (kind, *change)).collect();
    let all: [Vec<Target>; 5] = [
        of(Kind::Proposal, &PROPOSALS),
        of(Kind::Notarize, &VOTES),
        of(Kind::Nullify, &VOTES),
        of(Kind::Finalize, &VOTES),
        of(Kind::Certificate, &CERTIFICATES),
    ];
    all.concat()
}

/// One change in one round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mutation {
    /// Who sends.
    pub sender: u32,
    /// The view, in the first epoch.
    pub view: u64,
    /// What is changed in what.
    pub target: Target,
    /// Who is shown the change: a bit for each auditor but the faulty one, in order, and one for
    /// everybody else.
    pub receivers: u32,
}

impl Mutation {
    /// Whether an institution is shown the change.
    #[must_use]
    pub fn is_for(&self, shape: &Shape, faulty: u32, institution: u32) -> bool {
        let auditors = (shape.producers + 1..=shape.institutions()).filter(|one| *one != faulty);
        let others = GROUPS - 1;
        let group = (0..others).zip(auditors).find(|(_, one)| *one == institution);
        self.receivers >> group.map_or(others, |(at, _)| at) & 1 == 1
    }
}

/// What happens in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    /// The faulty auditor.
    pub auditor: u32,
    /// The mutations.
    pub mutations: Vec<Mutation>,
    /// A round in which these groups do not hear the others.
    cut: Option<(u64, u32)>,
}

/// Scopes of one mutation.
#[must_use]
pub fn singles(shape: &Shape) -> u64 {
    VIEWS * targets().len() as u64 * SUBSETS * u64::from(shape.auditors)
}

impl Scope {
    /// The scope of a seed.
    #[must_use]
    pub fn of(seed: Seed, shape: &Shape) -> Self {
        let number = seed.get();
        if number < singles(shape) {
            return Self::single(number, shape);
        }
        let mut random = seed.stream("simulation/scope");
        let auditor = shape.producers + 1 + random.below(shape.auditors);
        let mut scope = Self { auditor, mutations: Vec::new(), cut: None };
        let targets = targets();
        for _ in 0..random.between(2, 3) {
            let target = *random.pick(&targets);
            let view = u64::from(random.below(u32::try_from(VIEWS).unwrap_or(1))) + 1;
            let receivers = random.between(1, u32::try_from(SUBSETS).unwrap_or(1));
            scope.add(shape, view, target, receivers);
        }
        scope.cut = Self::draw_cut(&mut random);
        scope
    }

    fn draw_cut(random: &mut ChaCha12Rng) -> Option<(u64, u32)> {
        let is_cut = random.chance(1, 2);
        let turn = u64::from(random.below(u32::try_from(VIEWS).unwrap_or(1)));
        let groups = random.between(1, (1 << GROUPS) - 2);
        is_cut.then_some((turn, groups))
    }

    /// The scopes of one mutation, in order.
    fn single(number: u64, shape: &Shape) -> Self {
        let mut left = number;
        let mut digit = |base: u64| {
            let digit = left % base;
            left /= base;
            u32::try_from(digit).unwrap_or(0)
        };
        let targets = targets();
        // The fastest digit first: neighbouring seeds differ in what is changed.
        let target = targets[digit(targets.len() as u64) as usize];
        let receivers = digit(SUBSETS) + 1;
        let view = u64::from(digit(VIEWS)) + 1;
        let auditor = shape.producers + 1 + digit(u64::from(shape.auditors));
        let mut scope = Self { auditor, mutations: Vec::new(), cut: None };
        scope.add(shape, view, target, receivers);
        scope
    }

    fn add(&mut self, shape: &Shape, view: u64, target: Target, receivers: u32) {
        let leader = u32::try_from((view - 1) % u64::from(shape.producers)).unwrap_or(0) + 1;
        let sender = if target.0 == Kind::Proposal { leader } else { self.auditor };
        self.mutations.push(Mutation { sender, view, target, receivers });
        if target.0 == Kind::Nullify {
            // Nobody nullifies a view in which all goes well.
            let (target, receivers) = ((Kind::Proposal, Change::Omit), (1 << GROUPS) - 1);
            self.mutations.push(Mutation { sender: leader, view, target, receivers });
        }
    }

    /// The plan of a seed; other faults may happen beside.
    #[must_use]
    pub fn plan(seed: Seed, shape: Shape, faults: Faults) -> Plan {
        let scope = Self::of(seed, &shape);
        let turn_ms = u64::from(shape.turn_ms.max(shape.delay_ms));
        let (heal_ms, faults) = (TURNS * turn_ms, Faults { strategies: false, ..faults });
        let mut plan = Plan::draw(seed, shape, faults, heal_ms, heal_ms + 1);
        let senders = scope.mutations.iter().map(|mutation| mutation.sender);
        plan.faulty = senders.map(|sender| (sender, Name::SmallScope)).collect::<BTreeMap<_, _>>();
        plan.keep_logs();
        if let Some((turn, groups)) = scope.cut {
            let all = Mutation {
                sender: 0,
                view: 0,
                target: (Kind::Proposal, Change::Omit),
                receivers: groups,
            };
            let is_in = |id: u32| all.is_for(&shape, scope.auditor, id);
            let ids = 1..=shape.institutions();
            for (from, to) in ids.clone().flat_map(|from| ids.clone().map(move |to| (from, to))) {
                if is_in(from) != is_in(to) {
                    let node = |id: u32| Node::try_from(id - 1).unwrap_or(Node::MAX);
                    for (at, is_cut) in [(turn, true), (turn + 1, false)] {
                        let control = Control::Cut(node(from), node(to), is_cut);
                        plan.controls.push((at * turn_ms, control));
                    }
                }
            }
            plan.controls.sort_by_key(|(at, _)| *at);
        }
        plan
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// A target in words.
#[must_use]
pub fn name((kind, change): Target) -> String {
    format!("{kind} {change:?}")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_lowest_seeds_are_all_scopes_of_one_mutation_and_no_two_are_the_same() {
        let shape = Shape::SMALL;
        let count = singles(&shape);
        assert_eq!(count, 3 * 37 * 15 * 4);
        let scopes: BTreeSet<String> =
            (0..count).map(|seed| format!("{:?}", Scope::of(Seed::new(seed), &shape))).collect();
        assert_eq!(scopes.len() as u64, count);
        let drawn = Scope::of(Seed::new(count), &shape);
        assert!(drawn.mutations.len() >= 2, "{drawn:?}");
    }

    #[test]
    fn at_most_one_auditor_is_faulty_and_receivers_are_told_apart() {
        for (shape, seeds) in [(Shape::SMALL, 0..8_000), (Shape::N7, 11_000..13_000)] {
            for seed in seeds {
                let plan = Scope::plan(Seed::new(seed), shape, Faults::NONE);
                assert!(plan.faulty.keys().filter(|id| shape.audits(**id)).count() <= 1);
                assert!(!plan.faulty.is_empty() && plan.faulty.len() <= 4, "{plan:?}");
            }
        }
        let mutation = Mutation {
            sender: 6,
            view: 1,
            target: (Kind::Notarize, Change::Omit),
            receivers: 0b0101,
        };
        let shown: Vec<u32> = (1..=8).filter(|id| mutation.is_for(&Shape::SMALL, 6, *id)).collect();
        assert_eq!(shown, [5, 8]);
    }
}
