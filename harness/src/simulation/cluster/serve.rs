//! Messages of others, and coming back from a crash.

use mdsm_core::consensus::{AnchorBallot, Audience, Input, JournalEntry, Membership, Rules, Taken};
use mdsm_core::ledger::{Certificate, SignedVote, Subject, Vote};
use mdsm_core::types::{Digest, Epoch, InstitutionId, View};
use std::sync::Arc;

use super::Action;
use super::chain::Chain;
use super::host::{ConsensusHost, Entry, HostTimer, Seen};
use super::wire::{Block, Body, Wire};
use crate::simulation::world::{Disk, To};

/// Milliseconds after which blocks are asked for again, in delays.
const FETCH_DELAYS: u32 = 2;
/// Blocks before the one that was asked for that an answer holds.
const ANCESTORS_MAX: usize = 127;
/// Milliseconds after which an anchor vote is cast again, in delays.
const BALLOT_DELAYS: u32 = 8;

impl<R: Rules> ConsensusHost<R> {
    pub(super) fn take(&mut self, from: InstitutionId, message: &Wire, out: &mut Vec<Action<R>>) {
        match &message.body {
            Body::Vote(signed) if matches!(signed.vote.subject, Subject::Anchor(_)) => {
                self.on_anchor_vote(from, *signed, out);
            }
            Body::Vote(signed) => {
                if !self.is_of_now(from, signed.vote.epoch, out) {
                    return;
                }
                self.on_vote(from, *signed, out);
            }
            Body::Certificate(certificate) => self.on_certificate(from, certificate, out),
            Body::Proposal(signed) => self.on_proposal(from, signed, out),
            Body::Ask { epoch, view } => {
                if self.is_of_now(from, *epoch, out) {
                    let (epoch, view) = (*epoch, *view);
                    self.step(Input::Asked { from, epoch, view }, out);
                }
            }
            Body::AskBlock(hash) => {
                if let Some(block) = self.chain.block(hash) {
                    let ancestors = self.chain.before(block).take(ANCESTORS_MAX).cloned().collect();
                    let body = Body::Block { block: block.clone(), ancestors };
                    self.send(To::One(from.get()), body, out);
                }
            }
            Body::Block { block, ancestors } => {
                // Whoever asked for a block knows its hash, and by that its parent's, so no signature is
                // needed.
                if self.wants(&block.hash()) {
                    self.chain.keep(block);
                    let mut child = block;
                    for ancestor in ancestors {
                        if ancestor.hash() != child.header.parent {
                            break;
                        }
                        self.chain.keep(ancestor);
                        child = ancestor;
                    }
                    self.settle(out);
                }
            }
        }
    }

    /// Whether a message is of the open epoch. A sender whose epoch is over is told how it ended; one of
    /// a later epoch is asked how this one ended.
    fn is_of_now(&mut self, from: InstitutionId, epoch: Epoch, out: &mut Vec<Action<R>>) -> bool {
        let open = self.chain.committees.epoch;
        let patience = u64::from(self.setup.shape.delay_ms) * 2;
        let now_ms = self.now_ms;
        let is_recent = |at: Option<&u64>| at.is_some_and(|at| at + patience > now_ms);
        if epoch < open {
            let past = self.chain.past.clone();
            let Some(past) = past.get(&epoch) else { return false };
            if !is_recent(self.told.get(&from.get())) && now_ms > 0 {
                self.told.insert(from.get(), now_ms);
                self.send(To::One(from.get()), Body::Certificate(past.certificate.clone()), out);
            }
        } else if epoch > open {
            self.ahead = self.ahead.max(Some(epoch));
            if !is_recent(self.asked.get(&from.get())) {
                self.asked.insert(from.get(), now_ms);
                let ask = Body::Ask { epoch: open, view: self.consensus.finalized().0 };
                self.send(To::One(from.get()), ask, out);
            }
        }
        epoch == open
    }

    /// A node that comes late to an epoch asks for what it was sent of it before: whoever sent that sends it
    /// again behind the end of a view only, and by then a leader has missed its turn.
    pub(super) fn ask_for_epoch(&mut self, out: &mut Vec<Action<R>>) {
        let epoch = self.chain.committees.epoch;
        if self.ahead.is_some_and(|ahead| ahead >= epoch) {
            let (to, view) = (Audience::Auditors { and: self.me }, View::new(0));
            self.send_to(to, Body::Ask { epoch, view }, out);
        }
        self.ahead = self.ahead.filter(|ahead| *ahead > epoch);
    }

    pub(super) fn on_vote(
        &mut self,
        from: InstitutionId,
        signed: SignedVote,
        out: &mut Vec<Action<R>>,
    ) {
        if matches!(signed.vote.subject, Subject::Anchor(_)) {
            return self.on_anchor_vote(from, signed, out);
        }
        let (chain, scheme) = (&self.setup.chain, &self.setup.signatures);
        let taken = self.intake.vote(from, signed, &self.consensus, chain, scheme);
        let Ok(Taken { votes, forgers }) = taken else { return };
        for forger in forgers {
            out.push(Action::Observe(Seen::Forged(forger)));
        }
        for vote in votes {
            self.step(Input::Vote(vote), out);
        }
    }

    fn on_certificate(
        &mut self,
        from: InstitutionId,
        certificate: &Arc<Certificate>,
        out: &mut Vec<Action<R>>,
    ) {
        if matches!(certificate.vote.subject, Subject::Anchor(_)) {
            return self.on_anchor_certificate(certificate, out);
        }
        if !self.is_of_now(from, certificate.vote.epoch, out) {
            return;
        }
        let (chain, scheme) = (&self.setup.chain, &self.setup.signatures);
        let checked = self.intake.certificate(certificate, &self.consensus, chain, scheme);
        if checked == Ok(true) {
            self.step(Input::Certificate(certificate.clone()), out);
        }
    }

    fn on_proposal(&mut self, from: InstitutionId, signed: &Arc<Block>, out: &mut Vec<Action<R>>) {
        if !self.is_of_now(from, signed.header.epoch, out) {
            return;
        }
        let scheme = &self.setup.signatures;
        let is_of_chain = signed.header.chain_id == self.setup.chain;
        if is_of_chain && self.intake.proposal(signed, &self.consensus, scheme).is_ok() {
            self.chain.keep(signed);
            self.step(Input::Proposal(signed.clone()), out);
        }
    }

    fn on_anchor_vote(
        &mut self,
        from: InstitutionId,
        signed: SignedVote,
        out: &mut Vec<Action<R>>,
    ) {
        let Some(ballot) = self.ballot.as_mut().filter(|_| from == signed.signer) else { return };
        let (chain, scheme) = (&self.setup.chain, &self.setup.signatures);
        let mut effects = Vec::new();
        let held = ballot.on_vote(&signed, chain, scheme, &mut effects);
        if let Some(certificate) = held.filter(|_| from != self.me) {
            self.send(To::One(from.get()), Body::Certificate(certificate), out);
        }
        self.anchor_effects(effects, out);
    }

    fn on_anchor_certificate(&mut self, certificate: &Arc<Certificate>, out: &mut Vec<Action<R>>) {
        let Some(ballot) = self.ballot.as_mut() else { return };
        if ballot.certificate().is_some() || ballot.epoch() != certificate.vote.epoch {
            return;
        }
        if certificate.check(&self.setup.chain, &ballot.keys(), &self.setup.signatures).is_ok() {
            let mut effects = Vec::new();
            ballot.on_certificate(certificate.clone(), &mut effects);
            self.anchor_effects(effects, out);
        }
    }

    /// Votes for the anchor of the epoch before, until it is certified.
    pub(super) fn vote_anchor(&mut self, out: &mut Vec<Action<R>>) {
        let Some(ballot) = self.ballot.as_mut().filter(|ballot| ballot.certificate().is_none())
        else {
            return;
        };
        let mut effects = Vec::new();
        if !self.is_mute {
            ballot.vote(self.chain.anchor, &mut effects);
        }
        let timer = HostTimer::Ballot(ballot.epoch());
        let after_ms = self.setup.shape.delay_ms.saturating_mul(BALLOT_DELAYS);
        out.push(Action::Arm { timer, after_ms });
        self.anchor_effects(effects, out);
    }

    /// Asks for a block, two of the auditors at a time, in turn.
    pub(super) fn fetch(&mut self, missing: Digest, out: &mut Vec<Action<R>>) {
        if !self.missing.insert(missing) || self.auditors.is_empty() {
            return;
        }
        let auditors = self.auditors.len();
        let turn = self.now_ms / u64::from(self.setup.shape.delay_ms.max(1));
        let at = usize::try_from(turn % auditors as u64).unwrap_or(0);
        for step in 0..2 {
            let auditor = self.auditors[(at + step) % auditors];
            self.send(To::One(auditor), Body::AskBlock(missing), out);
        }
        if !std::mem::replace(&mut self.is_fetching, true) {
            let after_ms = self.setup.shape.delay_ms.saturating_mul(FETCH_DELAYS);
            out.push(Action::Arm { timer: HostTimer::Fetch, after_ms });
        }
    }

    /// Whether a block is one that was asked for.
    fn wants(&mut self, hash: &Digest) -> bool {
        self.missing.remove(hash)
    }

    /// Comes back from the disk. A log that lost something tells nothing about what was signed.
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //# CON-7.5 (ours): A node whose log is damaged or missing MUST NOT vote before the next epoch.
    pub(super) fn recover(&mut self, disk: &Disk<Entry, Chain>, out: &mut Vec<Action<R>>) {
        if let Some(chain) = &disk.checkpoint {
            (self.chain, self.before) = (chain.clone(), chain.before.clone());
        }
        let mut journal: Vec<&JournalEntry> = Vec::new();
        let mut last = None;
        for entry in &disk.entries {
            match entry {
                Entry::Consensus(entry) => {
                    if let JournalEntry::Certified(certificate) = entry
                        && matches!(certificate.vote.subject, Subject::Finalize(_))
                    {
                        last = Some(certificate.clone());
                    }
                    journal.push(entry);
                }
                Entry::Block(signed) => self.chain.keep(signed),
                Entry::Final(signed) => self.chain.append(signed),
            }
        }
        let membership = Membership::new(&self.chain.committees, self.me);
        self.is_mute = !disk.is_whole && !self.setup.rules.votes_without_log();
        self.begin(if self.is_mute { membership.silent() } else { membership });
        let mut effects = Vec::new();
        if self.consensus.recover(journal.iter().copied(), &mut effects).is_err() {
            return;
        }
        self.unfinished = last.filter(|certificate| certificate.vote.view > View::new(0));
        self.carry_out(effects, out);
        if self.chain.committees.epoch > Epoch::new(0) {
            let mut ballot = AnchorBallot::new(&self.before, self.me);
            journal.iter().for_each(|entry| {
                if let JournalEntry::Voted(vote @ Vote { subject: Subject::Anchor(_), .. }) = entry
                {
                    ballot.recall(vote);
                }
            });
            self.ballot = Some(ballot);
            self.vote_anchor(out);
        }
    }
}
