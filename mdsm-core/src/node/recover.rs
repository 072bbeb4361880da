//! Coming back after a crash: the chain from committed decisions, consensus from its log, the pool from
//! accepted records. [CON-7] [STO-2]

use std::sync::Arc;

use thiserror::Error;

use super::interface::{Commit, Effect};
use super::machine::{Node, consensus_of};
use crate::chain::{BlockError, RecordIndex};
use crate::consensus::{AnchorBallot, JournalEntry, RecoverError, Rules};
use crate::crypto::sign::Scheme;
use crate::ledger::{Block, Envelope, Item, Subject};
use crate::types::{Height, Timestamp};

/// What is known of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Journal<'a> {
    /// It was read to its end; a torn tail was never acted upon.
    Whole(&'a [JournalEntry]),
    /// It is damaged in the middle, or missing although the node has run before.
    Lost,
}

/// What was on the disk.
#[derive(Clone, Debug)]
pub struct Recovered<'a> {
    /// Every commit, in order, as far as the store has it.
    pub commits: &'a [Commit],
    /// The log of consensus.
    pub journal: Journal<'a>,
    /// Records that were accepted; those that are booked by now are passed over.
    pub accepted: Vec<Envelope>,
}

/// A store that contradicts itself.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RecoverNodeError {
    /// A committed block does not follow the one before it.
    #[error("store: block {height} does not follow: {error}")]
    Block {
        /// Its height.
        height: Height,
        /// Why.
        error: BlockError,
    },
    /// The log is of another chain.
    #[error(transparent)]
    Journal(#[from] RecoverError),
}

impl<S: Scheme + Clone, R: Rules> Node<S, R> {
    /// Takes up what was stored and goes on. Signatures of committed blocks are not checked again: a
    /// quorum did, and so did this node.
    pub fn recover(
        &mut self,
        now: Timestamp,
        stored: Recovered<'_>,
        effects: &mut Vec<Effect>,
    ) -> Result<(), RecoverNodeError> {
        self.now = now;
        let mut last_frozen = None;
        for commit in stored.commits {
            for (proposal, items) in commit.decision.blocks.iter().zip(&commit.items) {
                let block =
                    Block { header: proposal.signed.header, payload: proposal.payload.clone() };
                let plain: Vec<Item> = items.iter().map(|item| (**item).clone()).collect();
                let height = block.header.height;
                let mut chain = (*self.chain).clone();
                let committees = chain.roster().committees().clone();
                let checked = chain
                    .check_by(&block, &plain, &self.booked, &self.scheme)
                    .map_err(|error| RecoverNodeError::Block { height, error })?;
                let applied = chain.apply(checked);
                self.booked.extend(&applied.booked);
                if let Some(frozen) = applied.frozen {
                    last_frozen = Some((frozen, committees));
                    self.ended = Some(Arc::new(commit.decision.certificate.clone()));
                }
                self.chain = Arc::new(chain);
            }
        }
        for envelope in stored.accepted {
            let Ok(verified) = envelope.verify_by(&self.chain.id(), &self.scheme) else { continue };
            if !self.booked.contains(verified.record_id()) {
                self.pool.add(verified, true);
            }
        }
        let entries: &[JournalEntry] = match stored.journal {
            Journal::Whole(entries) => entries,
            Journal::Lost => &[],
        };
        let is_silent = stored.journal == Journal::Lost && !self.rules.votes_without_log();
        if let Some((frozen, committees)) = last_frozen {
            let mut ballot = AnchorBallot::new(&committees, self.config.me);
            let epoch = ballot.epoch();
            let votes = entries.iter().filter_map(|entry| match entry {
                JournalEntry::Voted(vote) if matches!(vote.subject, Subject::Anchor(_)) => {
                    Some(vote)
                }
                _ => None,
            });
            votes.for_each(|vote| ballot.recall(vote));
            let mut inner = Vec::new();
            if !is_silent {
                ballot.vote(frozen.anchor.root(), &mut inner);
            }
            self.ballots.insert(epoch, ballot);
            self.carry_out_ballot(inner, effects);
            self.arm_ballot(epoch, effects);
        }
        self.consensus = consensus_of(&self.config, &self.chain, self.rules.clone(), is_silent);
        let mut inner = Vec::new();
        self.consensus.recover(entries, &mut inner)?;
        self.carry_out(inner, effects);
        Ok(())
    }
}
