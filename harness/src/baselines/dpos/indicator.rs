//! Whom to drop: delegates that missed many blocks or signed a wrong one. [COM-8]
//!
//! The indicator only suggests. Stakeholders see it and may change their votes.

use std::collections::{BTreeMap, BTreeSet};

use mdsm_core::types::InstitutionId;

use super::chain::{Block, BlockError, Node};
use super::schedule::Turns;

/// What one delegate did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
struct Record {
    turns: u32,
    missed: u32,
    wrong: u32,
}

/// When a delegate counts as bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Limits {
    /// Missed turns of a hundred that are still borne.
    pub missed_percent_max: u32,
    /// Turns below which nothing is said about missing.
    pub turns_min: u32,
}

/// Why a delegate is suggested for replacement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// It signed wrong blocks.
    Wrong {
        /// How many.
        blocks: u32,
    },
    /// It missed too many of its turns.
    Missed {
        /// Turns without a block on the chain.
        missed: u32,
        /// All its turns.
        turns: u32,
    },
}

/// A delegate that had better be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Suggestion {
    /// Which delegate.
    pub delegate: InstitutionId,
    /// Why.
    pub reason: Reason,
}

/// Records of all delegates, as one chain and the refused blocks show them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Indicator {
    records: BTreeMap<InstitutionId, Record>,
}

impl Indicator {
    /// Reads the turns up to the head of a node's chain.
    #[must_use]
    pub fn of(node: &Node, turns: &Turns) -> Self {
        let mut indicator = Self::default();
        let taken: BTreeSet<u32> = node.chain().iter().map(|block| block.slot).collect();
        for slot in 1..=node.head().slot {
            let record = indicator.records.entry(turns.producer(slot)).or_default();
            record.turns += 1;
            record.missed += u32::from(!taken.contains(&slot));
        }
        indicator
    }

    /// Takes note of a block that a node refused. Only a wrong block counts against its producer:
    /// anybody can make one up in the name of another slot or on an unknown parent.
    pub fn refused(&mut self, block: &Block, error: &BlockError) {
        if matches!(error, BlockError::Wrong { .. }) {
            self.records.entry(block.producer).or_default().wrong += 1;
        }
    }

    /// The delegates to replace, in the order of their ids.
    #[must_use]
    pub fn suggestions(&self, limits: Limits) -> Vec<Suggestion> {
        //= harness/spec/committees.md#com-8-classic-delegated-proof-of-stake
        //# COM-8.3 (paper): An indicator of the comparison protocol MUST suggest for replacement a delegate that missed many blocks or signed a wrong one.
        let suggested = self.records.iter().filter_map(|(delegate, record)| {
            let reason = record.reason(limits)?;
            Some(Suggestion { delegate: *delegate, reason })
        });
        suggested.collect()
    }
}

impl Record {
    fn reason(self, limits: Limits) -> Option<Reason> {
        let Self { turns, missed, wrong } = self;
        if wrong > 0 {
            return Some(Reason::Wrong { blocks: wrong });
        }
        let is_many =
            u64::from(missed) * 100 > u64::from(turns) * u64::from(limits.missed_percent_max);
        (turns >= limits.turns_min && is_many).then_some(Reason::Missed { missed, turns })
    }
}
