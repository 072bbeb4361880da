//! Votes on anchors, in the order of their epochs. [ANC-1] [CON-7]
//!
//! A member signs the anchor of an epoch only when it holds the certificates of all epochs before and
//! its own chain has these very roots; that makes the anchors one chain, even where every auditor is
//! faulty (spec: consensus, T5).

use std::sync::Arc;

use super::ballot_box::Ballot;
use super::interface::{Effect, Timer, Wanted};
use super::machine::{Node, is_silent};
use super::message::Message;
use crate::consensus::{self, AnchorEffect, Audience, Rules};
use crate::crypto::sign::Scheme;
use crate::ledger::{AnchorOutput, Certificate, SignedVote, Subject};
use crate::types::{Epoch, InstitutionId};

impl<S: Scheme + Clone, R: Rules> Node<S, R> {
    /// Votes for the next anchor, if the node may.
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //# CON-7.11 (ours): An institution MUST NOT sign the anchor of an epoch unless it holds the anchor
    //# certificate of every epoch before and its own finalized chain yields all these roots.
    pub(super) fn vote_on_anchor(&mut self, effects: &mut Vec<Effect>) {
        self.ballots.advance();
        let next = self.ballots.next;
        let Some(Ballot { ballot, root, ended, opened, .. }) = self.ballots.by_epoch.get_mut(&next)
        else {
            return;
        };
        //= harness/spec/consensus.md#con-7-safety-life-and-evidence
        //# CON-7.20 (ours): An institution MUST NOT sign the anchor of an epoch whose last block is
        //# stamped more than 4,000 milliseconds ahead of its own clock.
        let latest = self.now.get().saturating_add(crate::params::CLOCKS_APART_MS_MAX);
        if ballot.certificate().is_some()
            || ended.get() > latest
            || is_silent(&self.rules, self.lost_at, next, *opened)
        {
            return;
        }
        let mut inner = Vec::new();
        ballot.vote(*root, &mut inner);
        self.carry_out_ballot(inner, effects);
    }

    /// Votes again, and sets the timer for the next time.
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //# CON-7.22 (ours): An institution MUST send again to both committees, at least every eight assumed
    //# delays, each anchor vote of its own whose certificate it lacks.
    pub(super) fn vote_again(&mut self, effects: &mut Vec<Effect>) {
        self.ballots.is_armed = false;
        self.vote_on_anchor(effects);
        if self.ballots.by_epoch.contains_key(&self.ballots.next) {
            self.ask_for_anchor(effects);
            self.arm_ballots(effects);
        }
    }

    /// Asks for the certificate of an anchor for which the node casts no vote: others answer votes.
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //# CON-7.24 (ours): A node that casts no vote for the next anchor of its chain and lacks the
    //# certificate MUST ask an auditor for it, at least every eight assumed delays.
    fn ask_for_anchor(&self, effects: &mut Vec<Effect>) {
        let next = self.ballots.next;
        let Some(Ballot { ballot, root, .. }) = self.ballots.by_epoch.get(&next) else { return };
        if !ballot.has_voted() && ballot.certificate().is_none() {
            let to = Audience::One(self.somebody(root));
            effects.push(Effect::Send { to, message: Message::WantAnchor(next) });
        }
    }

    pub(super) fn on_want_anchor(
        &self,
        from: InstitutionId,
        epoch: Epoch,
        effects: &mut Vec<Effect>,
    ) {
        let ballot = self.ballots.by_epoch.get(&epoch);
        if let Some(certificate) = ballot.and_then(|ballot| ballot.ballot.certificate()) {
            let message = Message::Certificate(certificate.clone());
            effects.push(Effect::Send { to: Audience::One(from), message });
        } else if epoch < self.ballots.next {
            effects.push(Effect::Serve { to: from, wanted: Wanted::Anchor(epoch) });
        }
    }

    pub(super) fn arm_ballots(&mut self, effects: &mut Vec<Effect>) {
        if std::mem::replace(&mut self.ballots.is_armed, true) {
            return;
        }
        let after_ms = self.config.delay_ms.saturating_mul(8).max(1);
        effects.push(Effect::Arm { timer: Timer::Ballots, after_ms });
    }

    pub(super) fn on_anchor_vote(
        &mut self,
        from: InstitutionId,
        signed: &SignedVote,
        effects: &mut Vec<Effect>,
    ) {
        let epoch = signed.vote.epoch;
        let is_own = from == self.config.me;
        if from != signed.signer {
            return;
        }
        let Some(Ballot { ballot, .. }) = self.ballots.by_epoch.get_mut(&epoch) else {
            // Certified and put away, or not frozen here yet.
            if epoch < self.ballots.next {
                effects.push(Effect::Serve { to: from, wanted: Wanted::Anchor(epoch) });
            }
            return;
        };
        let mut inner = Vec::new();
        let held = ballot.on_vote(signed, &self.chain.id(), &self.scheme, &mut inner);
        if let Some(certificate) = held.filter(|_| !is_own) {
            let message = Message::Certificate(certificate);
            effects.push(Effect::Send { to: Audience::One(from), message });
        }
        self.carry_out_ballot(inner, effects);
    }

    pub(super) fn on_anchor_certificate(
        &mut self,
        certificate: Arc<Certificate>,
        effects: &mut Vec<Effect>,
    ) {
        let epoch = certificate.vote.epoch;
        let Some(Ballot { ballot, .. }) = self.ballots.by_epoch.get_mut(&epoch) else { return };
        let is_news = ballot.certificate().is_none();
        if is_news && certificate.check(&self.chain.id(), &ballot.keys(), &self.scheme).is_ok() {
            let mut inner = Vec::new();
            ballot.on_certificate(certificate, &mut inner);
            self.carry_out_ballot(inner, effects);
        }
    }

    fn carry_out_ballot(&mut self, inner: Vec<AnchorEffect>, effects: &mut Vec<Effect>) {
        let mut is_certified = false;
        for effect in inner {
            match effect {
                AnchorEffect::Certified(certificate) => {
                    is_certified = true;
                    self.anchor_certified(certificate.vote.epoch, effects);
                    effects.push(Effect::Certified(certificate));
                }
                AnchorEffect::Consensus(consensus::Effect::Cast(vote)) => {
                    effects.push(Effect::Cast { vote, to: Audience::Everyone });
                }
                AnchorEffect::Consensus(other) => self.carry_out(vec![other], effects),
            }
        }
        if is_certified {
            self.vote_on_anchor(effects);
        }
    }

    /// Hands the certified anchor of an epoch on to be submitted, if it is the one of this node's chain.
    //= harness/spec/anchoring.md#anc-1-commitment
    //# ANC-1.3 (ours): The anchor root that is submitted for an epoch MUST be the one that follows from
    //# the finalized chain, whoever submits it.
    pub(super) fn anchor_certified(&mut self, epoch: Epoch, effects: &mut Vec<Effect>) {
        let Some(Ballot { ballot, root, duty, .. }) = self.ballots.by_epoch.get(&epoch) else {
            return;
        };
        let certified = ballot.certificate().and_then(|c| c.vote.subject.digest());
        if certified == Some(root) {
            let output = AnchorOutput { epoch, root: *root };
            self.anchor(output, duty.clone(), effects);
        }
    }

    /// After a restart: every anchor that was certified before.
    pub(super) fn anchor_again(&mut self, effects: &mut Vec<Effect>) {
        let epochs: Vec<Epoch> = self.ballots.by_epoch.keys().copied().collect();
        epochs.into_iter().for_each(|epoch| self.anchor_certified(epoch, effects));
    }
}

/// Whether a certificate is about an anchor.
pub(super) fn is_anchor(certificate: &Certificate) -> bool {
    matches!(certificate.vote.subject, Subject::Anchor(_))
}
