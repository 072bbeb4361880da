//! Votes by stake, and who is seated. [COM-8]
//!
//! Invariant: a stakeholder has one ballot, its latest, and every name on it weighs the whole stake.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use mdsm_core::types::InstitutionId;
use thiserror::Error;

use super::schedule::Turns;

/// Somebody with a stake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stakeholder(u32);

/// Stakes, ballots and who is willing. Plain data.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Election {
    stakes: BTreeMap<Stakeholder, u64>,
    ballots: BTreeMap<Stakeholder, BTreeSet<InstitutionId>>,
    willing: BTreeSet<InstitutionId>,
}

/// Why a ballot does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum VoteError {
    /// The voter holds nothing.
    #[error("stakeholder {} has no stake", .stakeholder.get())]
    NoStake {
        /// Who voted.
        stakeholder: Stakeholder,
    },
}

/// Why nobody is seated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ElectionError {
    /// There are no seats to fill.
    #[error("an election without seats")]
    NoSeats,
    /// Fewer candidates than seats.
    #[error("{willing} candidates are willing to fill {seats} seats")]
    TooFew {
        /// Candidates that are willing.
        willing: usize,
        /// Seats to fill.
        seats: u16,
    },
}

impl Stakeholder {
    /// Wraps the number.
    #[must_use]
    pub const fn new(value: u32) -> Self {
        Self(value)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl Election {
    /// Gives a stakeholder this stake instead of the one it had; its ballot stays.
    pub fn stake(&mut self, stakeholder: Stakeholder, amount: u64) {
        self.stakes.insert(stakeholder, amount);
    }

    /// A candidate declares that it is willing to produce, or is no longer.
    pub fn declare(&mut self, candidate: InstitutionId, is_willing: bool) {
        if is_willing {
            self.willing.insert(candidate);
        } else {
            self.willing.remove(&candidate);
        }
    }

    /// Replaces the ballot of a stakeholder, at any time. An empty one withdraws it.
    pub fn vote(
        &mut self,
        stakeholder: Stakeholder,
        names: impl IntoIterator<Item = InstitutionId>,
    ) -> Result<(), VoteError> {
        if self.stakes.get(&stakeholder).is_none_or(|stake| *stake == 0) {
            return Err(VoteError::NoStake { stakeholder });
        }
        //= harness/spec/committees.md#com-8-classic-delegated-proof-of-stake
        //# COM-8.2 (paper): A stakeholder of the comparison protocol MUST be able to change its vote at any time.
        self.ballots.insert(stakeholder, names.into_iter().collect());
        Ok(())
    }

    /// Votes of every willing candidate: the stakes of those who name it.
    #[must_use]
    pub fn tally(&self) -> BTreeMap<InstitutionId, u128> {
        let mut votes: BTreeMap<InstitutionId, u128> =
            self.willing.iter().map(|candidate| (*candidate, 0)).collect();
        for (stakeholder, names) in &self.ballots {
            let stake = self.stakes.get(stakeholder).copied().unwrap_or(0);
            for name in names {
                if let Some(sum) = votes.get_mut(name) {
                    // 2^32 stakeholders with 64 bits each stay far below 128 bits.
                    *sum += u128::from(stake);
                }
            }
        }
        votes
    }

    /// Seats the willing candidates with the most votes, among equals the one with the lowest id,
    /// in this order.
    pub fn elect(&self, seats: u16) -> Result<Turns, ElectionError> {
        let mut ranking: Vec<(InstitutionId, u128)> = self.tally().into_iter().collect();
        if ranking.len() < usize::from(seats) {
            return Err(ElectionError::TooFew { willing: ranking.len(), seats });
        }
        //= harness/spec/committees.md#com-8-classic-delegated-proof-of-stake
        //# COM-8.1 (paper): The comparison protocol MUST let stakeholders vote, seat the 101 willing candidates with the most votes, and let them produce in turn.
        ranking.sort_by_key(|(candidate, votes)| (Reverse(*votes), *candidate));
        ranking.truncate(usize::from(seats));
        let seated = ranking.into_iter().map(|(candidate, _)| candidate).collect();
        Turns::new(seated).ok_or(ElectionError::NoSeats)
    }
}
