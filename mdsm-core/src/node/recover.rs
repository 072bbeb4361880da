//! Coming back after a crash: the chain from committed decisions, consensus from its log, the pool from
//! accepted records. [CON-7] [STO-2]

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::sync::Arc;

use thiserror::Error;

use super::ballot_box::Ended;
use super::ballots::is_anchor;
use super::interface::{Commit, Effect};
use super::machine::{Node, consensus_of};
use crate::chain::{BlockError, RecordIndex};
use crate::consensus::{JournalEntry, RecoverError, Rules};
use crate::crypto::sign::Scheme;
use crate::ledger::{Block, Certificate, Envelope, Item, Proposal, Subject};
use crate::types::{Epoch, Height, Timestamp};

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
pub struct Recovered<'a, C, A> {
    /// Every commit, in order, as far as the store has it. Each is forgotten before the next is taken: a chain has years
    /// of them.
    pub commits: C,
    /// The stored certificate of an epoch's anchor, whose signatures were checked before. Those that the log holds
    /// need not be among them.
    pub certificate_of: A,
    /// The log of consensus.
    pub journal: Journal<'a>,
    /// Blocks that the node voted for, with their Items; those that are final by now are passed over.
    pub blocks: Vec<(Arc<Proposal>, Vec<Arc<Item>>)>,
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

/// The last epoch that a log has the node enter.
fn entered(entries: &[JournalEntry]) -> Option<Epoch> {
    let epochs = entries.iter().filter_map(|entry| match entry {
        JournalEntry::Epoch(start) => Some(start.epoch),
        _ => None,
    });
    epochs.max()
}

impl<S: Scheme + Clone, R: Rules> Node<S, R> {
    /// Takes up what was stored and goes on. Committed blocks are checked again: disks rot.
    pub fn recover<C, A>(
        &mut self,
        now: Timestamp,
        stored: Recovered<'_, C, A>,
        effects: &mut Vec<Effect>,
    ) -> Result<(), RecoverNodeError>
    where
        C: IntoIterator<Item: Borrow<Commit>>,
        A: FnMut(Epoch) -> Option<Arc<Certificate>>,
    {
        self.now = now;
        let entries: &[JournalEntry] = match stored.journal {
            Journal::Whole(entries) => entries,
            Journal::Lost => &[],
        };
        // Before the chain: a ballot that is certified goes away again as the chain goes on.
        let (mut logged, mut certificate_of) = (BTreeMap::new(), stored.certificate_of);
        for entry in entries {
            match entry {
                JournalEntry::Lost(found_at) => self.lost_at = Some(*found_at),
                JournalEntry::Voted(vote) if matches!(vote.subject, Subject::Anchor(_)) => {
                    self.ballots.recall(vote);
                }
                JournalEntry::Certified(certificate) if is_anchor(certificate) => {
                    logged.insert(certificate.vote.epoch, certificate.clone());
                }
                _ => {}
            }
        }
        let mut certificate_of = |epoch| logged.remove(&epoch).or_else(|| certificate_of(epoch));
        for commit in stored.commits {
            self.replay(commit.borrow(), &mut certificate_of)?;
        }
        for (proposal, items) in stored.blocks {
            if proposal.signed.header.height > self.chain.height() {
                for item in items {
                    let _ = self.bodies.keep_item(item.root(), item);
                }
                self.bodies.keep(proposal.signed.hash(), proposal);
            }
        }
        for envelope in stored.accepted {
            let Ok(verified) = envelope.verify_by(&self.chain.id(), &self.scheme) else { continue };
            if !self.booked.contains(verified.record_id()) {
                self.pool.add(verified, true);
            }
        }
        let is_lost = stored.journal == Journal::Lost || self.is_of_another_chain(entries);
        if is_lost {
            //= harness/spec/consensus.md#con-7-safety-life-and-evidence
            //# CON-7.13 (ours): A log that begins anew after a loss MUST hold as its first entry the
            //# reading of the clock at which the loss was found.
            self.lost_at = Some(now);
            effects.push(Effect::Persist(JournalEntry::Lost(now)));
        }
        self.consensus = consensus_of(&self.config, &self.chain, self.rules.clone(), self.lost_at);
        let mut inner = Vec::new();
        self.consensus.recover(entries, &mut inner)?;
        self.carry_out(inner, effects);
        self.vote_again(effects);
        self.anchor_again(effects);
        self.arm_anchors(effects);
        self.accuse(effects);
        Ok(())
    }

    /// Whether log and chain cannot be those of one node, whatever a crash has cut off. Then one of the two was lost, or is
    /// an older copy, and what the node has signed in the open epoch is not known.
    ///
    /// What a log says of an epoch that the chain does not reach is not recalled when the chain gets there: without its
    /// chain it is as good as none. Before the first block of an epoch is stored, the log has its entry.
    fn is_of_another_chain(&self, entries: &[JournalEntry]) -> bool {
        let open = self.chain.epoch();
        let is_fresh = self.chain.head() == self.chain.opened_at().0;
        let oldest = if is_fresh { open.get().saturating_sub(1) } else { open.get() };
        match entered(entries) {
            Some(entered) => entered > open || entered.get() < oldest,
            // A log that was found lost begins with that, and is followed by the epoch.
            None => self.chain.height() > Height::new(0) && self.lost_at.is_none(),
        }
    }

    fn replay(
        &mut self,
        commit: &Commit,
        certificate_of: &mut impl FnMut(Epoch) -> Option<Arc<Certificate>>,
    ) -> Result<(), RecoverNodeError> {
        for (proposal, items) in commit.decision.blocks.iter().zip(&commit.items) {
            let block = Block { header: proposal.signed.header, payload: proposal.payload.clone() };
            let plain: Vec<Item> = items.iter().map(|item| (**item).clone()).collect();
            let height = block.header.height;
            let mut chain = (*self.chain).clone();
            let committees = chain.roster().committees().clone();
            let checked = chain
                .check_by(&block, &plain, &self.booked, &self.scheme)
                .map_err(|error| RecoverNodeError::Block { height, error })?;
            let applied = chain.apply(checked);
            self.booked.book(height, &plain, &committees);
            if let Some(frozen) = applied.frozen {
                self.ballots.open(Ended {
                    certificate: certificate_of(committees.epoch),
                    committees,
                    root: frozen.anchor.root(),
                    ended: chain.opened_at().1,
                    opened: self.chain.opened_at().1,
                    last_view: chain.head_view(),
                });
                self.ended = Some(Arc::new(commit.decision.certificate.clone()));
                self.booked.freeze();
            }
            self.chain = Arc::new(chain);
            self.tip = Some(block.header);
        }
        Ok(())
    }
}
