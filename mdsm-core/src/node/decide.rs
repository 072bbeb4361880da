//! Final blocks: the chain moves, the pool empties, an epoch ends. [CON-4] [CON-8] [STO-12] [STO-13]

use std::sync::Arc;

use super::ballot_box::Ended;
use super::bodies::Missing;
use super::interface::{Commit, Effect};
use super::machine::{Node, consensus_of};
use super::message::Decision;
use crate::chain::Frozen;
use crate::consensus::{Intake, Rules};
use crate::crypto::sign::Scheme;
use crate::ledger::Certificate;
use crate::types::{Digest, List, Timestamp};

impl<S: Scheme + Clone, R: Rules> Node<S, R> {
    /// A block is final, whether it is at hand or not.
    pub(super) fn on_finalized(
        &mut self,
        certificate: Arc<Certificate>,
        effects: &mut Vec<Effect>,
    ) {
        self.undecided = Some(certificate);
        self.asked_above = None;
        self.decide(effects);
    }

    /// Commits the blocks up to the last finalization, once they are all at hand.
    pub(super) fn decide(&mut self, effects: &mut Vec<Effect>) {
        let Some(certificate) = self.undecided.clone() else { return };
        let Some(hash) = certificate.vote.subject.digest().copied() else { return };
        if hash == self.chain.head() {
            self.undecided = None;
            return;
        }
        match self.examine(hash) {
            Ok(()) => {
                self.undecided = None;
                self.commit(hash, certificate, effects);
            }
            //= harness/spec/consensus.md#con-4-audit
            //# CON-4.7 (ours): A node MUST NOT apply a finalized block that fails its own check.
            Err(Missing::Invalid) => {
                // A quorum notarized what the rules refuse: more than f auditors are faulty. The node
                // stays where it is rather than follow them.
                self.undecided = None;
            }
            Err(missing) => {
                // Others may have it as final by now, with everything up to it.
                if let Missing::Block(hash) = missing {
                    self.ask_for_decision(self.somebody(&hash), effects);
                }
                self.ask_for(missing, effects);
            }
        }
    }

    /// Moves the chain to a final block whose branch is at hand.
    //= harness/spec/storage.md#sto-2-record-signature-acceptance
    //# STO-2.8 (ours): A node MUST NOT report a record as booked before the block that carries it is
    //# finalized.
    pub(super) fn commit(
        &mut self,
        hash: Digest,
        certificate: Arc<Certificate>,
        effects: &mut Vec<Effect>,
    ) {
        let mut path = Vec::new();
        let mut at = hash;
        while at != self.chain.head() {
            let Some(branch) = self.bodies.branch(&at) else { return };
            at = branch.proposal.signed.header.parent;
            path.push(branch.clone());
        }
        path.reverse();
        let closing_at = path.iter().position(|branch| branch.is_closing).unwrap_or(path.len());
        let closing = path.split_off(closing_at);
        let Some(last) = path.last() else { return };
        let (chain, height) = (last.chain.clone(), path[0].proposal.signed.header.height);
        let mut booked = Vec::with_capacity(path.len());
        let mut frozen = None;
        let mut acts = Vec::with_capacity(path.len());
        for branch in &path {
            let applied = &branch.applied;
            let committees = self.consensus.committees().clone();
            let height = branch.proposal.signed.header.height;
            let items = branch.items.iter().map(Arc::as_ref);
            acts.push(self.booked.book(height, items, &committees));
            applied.booked.iter().for_each(|record| self.pool.remove(record));
            self.events.forget(&branch.proposal.payload.events);
            booked.push(applied.booked.clone());
            frozen = applied.frozen.clone().or(frozen);
        }
        let blocks = path.iter().map(|branch| (*branch.proposal).clone()).collect();
        let closing = closing.iter().map(|branch| branch.proposal.signed).collect();
        let decision = Decision {
            blocks: List::new(blocks).expect("the path holds a block, and no more than bodies"),
            closing: List::new(closing).expect("closing blocks are no more than bodies"),
            certificate: (*certificate).clone(),
        };
        let commit = Commit {
            decision: Arc::new(decision),
            items: path.iter().map(|branch| branch.items.clone()).collect(),
            height,
            booked,
            acts,
            credit: path.iter().map(|branch| branch.applied.credit.clone()).collect(),
            timestamp: chain.timestamp(),
            frozen: frozen.clone().map(Box::new),
        };
        let opened = self.chain.opened_at().1;
        self.chain = chain;
        self.tip = Some(last.proposal.signed.header);
        self.asked_above = None;
        effects.push(Effect::Commit(Box::new(commit)));
        let reports = path.iter().flat_map(|b| b.proposal.payload.events.anchored.iter().copied());
        reports.for_each(|report| self.on_report(report, effects));
        match frozen {
            Some(frozen) => self.end_epoch(&frozen, opened, certificate, effects),
            None => self.bodies.prune(self.chain.height(), &self.chain.head()),
        }
    }

    /// The last block of the epoch is final: the anchor is voted upon, the next epoch begins.
    //= harness/spec/consensus.md#con-8-clock
    //# CON-8.4 (ours): The first block of an epoch MUST have the last block of the epoch before it as
    //# parent.
    //= harness/spec/consensus.md#con-8-clock
    //# CON-8.5 (ours): A payload of an epoch MUST NOT be notarized before the last block of the epoch
    //# before it is final.
    fn end_epoch(
        &mut self,
        frozen: &Frozen,
        opened: Timestamp,
        certificate: Arc<Certificate>,
        effects: &mut Vec<Effect>,
    ) {
        effects.push(Effect::Frozen(frozen.anchor));
        self.ballots.open(Ended {
            committees: self.consensus.committees().clone(),
            root: frozen.anchor.root(),
            ended: self.chain.opened_at().1,
            opened,
            last_view: self.chain.head_view(),
            certificate: None,
        });
        self.vote_on_anchor(effects);
        self.arm_ballots(effects);
        self.ended = Some(certificate);
        self.booked.freeze();
        self.undecided = None;
        self.unbuilt = None;
        self.bodies.clear();
        self.events.expire(self.chain.epoch(), &self.booked);
        self.blame.expire(self.chain.epoch());
        self.intake = Intake::default();
        self.consensus = consensus_of(&self.config, &self.chain, self.rules.clone(), self.lost_at);
        let mut inner = Vec::new();
        self.consensus.start(&mut inner);
        self.carry_out(inner, effects);
        self.ask_for_epoch(effects);
    }
}
