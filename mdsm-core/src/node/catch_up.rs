//! Catching up by decisions: final blocks with a certificate of an epoch whose committee the node
//! knows. [CON-4] [CON-7]

use std::sync::Arc;

use super::interface::Effect;
use super::machine::Node;
use super::message::{Decision, Message};
use crate::consensus::{self, Audience, Rules};
use crate::crypto::sign::Scheme;
use crate::ledger::{Payload, Proposal, SignedHeader, Subject, faulty_max};
use crate::types::{Digest, InstitutionId};

impl<S: Scheme + Clone, R: Rules> Node<S, R> {
    /// Asks for what leads on from this node's height: in a view as many auditors as cannot all be faulty,
    /// each once. Of others anybody may say that it is ahead, so they are no better than a chosen auditor.
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //# CON-7.27 (ours): A node that lacks a block which a certificate or another block names MUST ask
    //# f + 1 auditors for it at once, and up to f + 1 of the auditors that speak to it of a later epoch
    //# for what it missed.
    pub(super) fn ask_for_decision(&mut self, whom: InstitutionId, effects: &mut Vec<Effect>) {
        let after = self.chain.height();
        let is_auditor = self.consensus.seat_of(whom).is_some();
        let whom = if is_auditor { whom } else { self.somebody(&self.chain.head()) };
        let asked_max = faulty_max(self.consensus.committees().auditors.len()) + 1;
        let before = self.asked_above.take().filter(|(height, _)| *height == after);
        let mut asked = before.map(|(_, asked)| asked).unwrap_or_default();
        let asks = asked.len() < asked_max && asked.insert(whom);
        self.asked_above = Some((after, asked));
        if asks {
            let message = Message::WantDecision { after };
            effects.push(Effect::Send { to: Audience::One(whom), message });
        }
    }

    /// Asks again for whatever a view was waiting for.
    pub(super) fn ask_again(&mut self, effects: &mut Vec<Effect>) {
        self.asked_above = None;
        self.repetitions = self.repetitions.wrapping_add(1);
        self.bodies.ask_anew();
        self.blame.ask_anew();
        self.validate_all(effects);
        self.decide(effects);
        if self.undecided.is_some() {
            let somebody = self.somebody(&self.chain.head());
            self.ask_for_decision(somebody, effects);
        }
    }

    /// Takes final blocks: the certificate is checked, then that all blocks hang together below it.
    /// They are committed by themselves, whatever later finalization the node has heard of.
    pub(super) fn on_decision(
        &mut self,
        from: InstitutionId,
        decision: &Decision,
        effects: &mut Vec<Effect>,
    ) {
        let certificate = &decision.certificate;
        let open = self.consensus.epoch();
        let Some(tip) = tip_of(decision) else { return };
        let is_for_it =
            certificate.vote.subject == Subject::Finalize(tip) && certificate.vote.epoch == open;
        let last = decision.blocks.last().map(|block| block.signed.header.height);
        if last <= Some(self.chain.height()) {
            return;
        }
        let keys = self.consensus.committees().auditor_keys();
        if !is_for_it || certificate.check(&self.chain.id(), &keys, &self.scheme).is_err() {
            return;
        }
        let height = self.chain.height();
        // The certificate is for hashes, and these do not cover the signatures of the producers.
        let blocks = decision.blocks.iter().map(|proposal| &proposal.signed);
        if !self.are_signed(blocks.chain(decision.closing.iter())) {
            return;
        }
        for proposal in decision.blocks.iter().filter(|p| p.signed.header.height > height) {
            self.bodies.keep(proposal.signed.hash(), Arc::new(proposal.clone()));
        }
        for signed in decision.closing.iter() {
            let proposal = Proposal { signed: *signed, payload: Payload::default() };
            self.bodies.keep(signed.hash(), Arc::new(proposal));
        }
        let certificate = Arc::new(certificate.clone());
        match self.examine(tip) {
            Ok(()) => self.commit(tip, certificate.clone(), effects),
            Err(missing) => self.ask_for(missing, effects),
        }
        if self.consensus.epoch() == open {
            self.drive(consensus::Input::Certificate(certificate), effects);
        }
        self.decide(effects);
        if self.undecided.is_some() && self.chain.height() > height {
            self.ask_for_decision(from, effects);
        }
    }
}

/// The block that the certificate must be for; nothing when the blocks do not hang together.
fn tip_of(decision: &Decision) -> Option<Digest> {
    let blocks = decision.blocks.iter().map(|proposal| &proposal.signed);
    let mut chain = blocks.chain(decision.closing.iter());
    let first: &SignedHeader = chain.next()?;
    let mut tip = first.hash();
    for signed in chain {
        if signed.header.parent != tip {
            return None;
        }
        tip = signed.hash();
    }
    let commits =
        |proposal: &Proposal| proposal.payload.is_committed_by(&proposal.signed.header.payload);
    // What is kept under the hash of a closing block is an empty payload; with the hash of another block
    // here, anybody could put that in the place of its real one.
    let nothing = Payload::default().commitment();
    let are_empty = decision.closing.iter().all(|signed| signed.header.payload == nothing);
    (are_empty && decision.blocks.iter().all(commits)).then_some(tip)
}
