//! Messages and clients. [CON-1] [CON-3]

use std::sync::Arc;

use super::ballots::is_anchor;
use super::interface::{Effect, Refusal, Submission, Wanted};
use super::limits::FORWARD_RECORDS_MAX;
use super::machine::Node;
use super::message::Message;
use super::pool::Added;
use crate::chain::RecordIndex;
use crate::consensus::{self, Audience, Rules};
use crate::crypto::sign::Scheme;
use crate::ledger::{Certificate, Content, Envelope, SignedVote, Subject};
use crate::types::{Epoch, InstitutionId, OwnerId, View};

impl<S: Scheme + Clone, R: Rules> Node<S, R> {
    pub(super) fn on_message(
        &mut self,
        from: InstitutionId,
        message: Message,
        effects: &mut Vec<Effect>,
    ) {
        match message {
            Message::Proposal(proposal) => {
                let header = &proposal.signed.header;
                if self.is_of_now(from, header.epoch, effects) {
                    if self.consensus.hears(header.view) && self.leads(&proposal.signed.header) {
                        self.on_proposal(proposal, effects);
                    } else {
                        self.on_block(proposal, effects);
                    }
                }
            }
            Message::Item(item) => self.on_item(&item, effects),
            Message::Vote(signed) => self.on_vote(from, signed, effects),
            Message::Certificate(certificate) => self.on_certificate(from, certificate, effects),
            Message::Ask { epoch, view } => {
                if self.is_of_now(from, epoch, effects) {
                    self.drive(consensus::Input::Asked { from, epoch, view }, effects);
                }
            }
            Message::WantItems(roots) => self.on_want_items(from, &roots, effects),
            Message::WantBlock(hash) => {
                if let Some(proposal) = self.bodies.proposal(&hash) {
                    let message = Message::Proposal(proposal.clone());
                    effects.push(Effect::Send { to: Audience::One(from), message });
                } else {
                    let wanted = Wanted::Block(hash);
                    effects.push(Effect::Serve { to: from, wanted });
                }
            }
            Message::WantAnchor(epoch) => self.on_want_anchor(from, epoch, effects),
            Message::WantDecision { after } => {
                if after < self.chain.height() {
                    let wanted = Wanted::Decision { after };
                    effects.push(Effect::Serve { to: from, wanted });
                }
            }
            Message::Decision(decision) => self.on_decision(from, &decision, effects),
            Message::Acceptance { .. } => {}
            Message::Records(records) => self.on_records(from, records),
            Message::Event(event) => self.on_event(event, effects),
        }
    }

    fn leads(&self, header: &crate::ledger::BlockHeader) -> bool {
        self.consensus.committees().leader(header.view).institution == header.producer
    }

    /// Whether a message is of the open epoch. A sender of an earlier one is told how that ended; one of
    /// a later one is asked what this node missed.
    fn is_of_now(&mut self, from: InstitutionId, epoch: Epoch, effects: &mut Vec<Effect>) -> bool {
        let open = self.consensus.epoch();
        if epoch < open {
            let ended = self.ended.clone().filter(|ended| ended.vote.epoch == epoch);
            let message = ended.map(Message::Certificate);
            effects
                .extend(message.map(|message| Effect::Send { to: Audience::One(from), message }));
        } else if epoch > open {
            self.ahead = self.ahead.max(Some(epoch));
            self.ask_for_decision(from, effects);
        }
        epoch == open
    }

    /// A node that comes late to an epoch asks for what it was sent of it before: whoever sent that sends it
    /// again behind the end of a view only, and by then a leader has missed its turn.
    pub(super) fn ask_for_epoch(&mut self, effects: &mut Vec<Effect>) {
        let epoch = self.consensus.epoch();
        if self.ahead.is_some_and(|ahead| ahead >= epoch) {
            let (to, view) = (Audience::Auditors { and: self.config.me }, View::new(0));
            effects.push(Effect::Send { to, message: Message::Ask { epoch, view } });
        }
        self.ahead = self.ahead.filter(|ahead| *ahead > epoch);
    }

    /// Tells the leader how the epoch before ended, as long as nothing of this one tells it by itself. Of the
    /// old committee's certificates it may have got none: its turn had not come then.
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //# CON-7.19 (ours): An auditor MUST send to the leader of the view it is in, on entering it and
    //# whenever something is added, the highest notarization it holds in the epoch, every nullification
    //# above that, and, where it holds no notarization in the epoch, the finalization that ended the
    //# epoch before.
    fn tell_leader_end(&self, effects: &mut Vec<Effect>) {
        let leader = self.consensus.committees().leader(self.consensus.view()).institution;
        let has_notarized = self.consensus.slots().any(|(_, slot)| slot.notarized().is_some());
        let has_to = self.consensus.membership().is_auditor() && !has_notarized;
        if let Some(ended) = self.ended.clone().filter(|_| has_to && leader != self.config.me) {
            let message = Message::Certificate(ended);
            effects.push(Effect::Send { to: Audience::One(leader), message });
        }
    }

    /// Tells the auditors how the epoch before ended, in case one of them is still there.
    pub(super) fn tell_end(&self, effects: &mut Vec<Effect>) {
        let membership = self.consensus.membership();
        let leader = self.consensus.committees().leader(self.consensus.view()).institution;
        let has_to = membership.is_auditor() || leader == self.config.me;
        if let Some(ended) = self.ended.clone().filter(|_| has_to) {
            let to = Audience::Auditors { and: leader };
            effects.push(Effect::Send { to, message: Message::Certificate(ended) });
        }
    }

    fn on_vote(&mut self, from: InstitutionId, signed: SignedVote, effects: &mut Vec<Effect>) {
        if let Subject::Anchor(_) = signed.vote.subject {
            return self.on_anchor_vote(from, &signed, effects);
        }
        self.accuse_voter(&signed, effects);
        if !self.is_of_now(from, signed.vote.epoch, effects) {
            return;
        }
        let chain_id = self.chain.id();
        let taken = self.intake.vote(from, signed, &self.consensus, &chain_id, &self.scheme);
        if from == signed.signer {
            self.compare(&signed, effects);
        }
        for vote in taken.unwrap_or_default().votes {
            self.drive(consensus::Input::Vote(vote), effects);
        }
    }

    fn on_certificate(
        &mut self,
        from: InstitutionId,
        certificate: Arc<Certificate>,
        effects: &mut Vec<Effect>,
    ) {
        if is_anchor(&certificate) {
            return self.on_anchor_certificate(certificate, effects);
        }
        let vote = &certificate.vote;
        // How an earlier epoch ended is known here; an answer would be answered in turn.
        let is_end = matches!(vote.subject, Subject::Finalize(_));
        if is_end && vote.epoch < self.consensus.epoch() {
            return;
        }
        if !self.is_of_now(from, vote.epoch, effects) {
            return;
        }
        let chain_id = self.chain.id();
        let taken = self.intake.certificate(&certificate, &self.consensus, &chain_id, &self.scheme);
        if taken == Ok(true) {
            self.drive(consensus::Input::Certificate(certificate.clone()), effects);
            self.accuse_signers(&certificate, effects);
        }
    }

    fn on_want_items(
        &mut self,
        from: InstitutionId,
        roots: &[crate::types::Digest],
        effects: &mut Vec<Effect>,
    ) {
        let mut elsewhere = Vec::new();
        for root in roots.iter().take(super::limits::WANT_ITEMS_MAX) {
            match self.bodies.item(root) {
                Some(item) => {
                    let message = Message::Item(item.clone());
                    effects.push(Effect::Send { to: Audience::One(from), message });
                }
                None => elsewhere.push(*root),
            }
        }
        if !elsewhere.is_empty() {
            effects.push(Effect::Serve { to: from, wanted: Wanted::Items(elsewhere) });
        }
    }

    /// Steps 1 to 3.
    //= harness/spec/consensus.md#con-1-request-and-acceptance
    //# CON-1.1 (paper): A user MUST be able to ask for the booking of a record by presenting its public
    //# key.
    //= harness/spec/consensus.md#con-1-request-and-acceptance
    //# CON-1.2 (paper): The delegate that accepts a request MUST broadcast the acceptance.
    pub(super) fn on_request(&mut self, owner: OwnerId, effects: &mut Vec<Effect>) {
        self.pool.request(owner);
        let message = Message::Acceptance { owner };
        effects.push(Effect::Send { to: Audience::Everyone, message });
    }

    /// Step 4: checks, stores, acknowledges, passes on to the leader.
    //= harness/spec/storage.md#sto-2-record-signature-acceptance
    //# STO-2.7 (ours): A delegate MUST have stored a record durably before it acknowledges that record
    //# as accepted.
    pub(super) fn on_submission(&mut self, submission: Submission, effects: &mut Vec<Effect>) {
        let Submission { envelope, is_file_stored } = submission;
        let (record, inner) = (*envelope.record_id(), envelope.get());
        let me = self.config.me;
        let stored = matches!(inner.record.content(), Content::Stored(_));
        let refusal = if inner.booked_by != me {
            Some(Refusal::Delegate { record, named: inner.booked_by, me })
        } else if !self.pool.has_request(inner.record.owner()) {
            Some(Refusal::NotRequested { record })
        } else if stored && !is_file_stored {
            //= harness/spec/consensus.md#con-3-item-confirmation
            //# CON-3.3 (ours): A delegate MUST NOT book a record by digest before the vault has
            //# acknowledged the file.
            Some(Refusal::NoFile { record })
        } else if self.booked.contains(&record) {
            Some(Refusal::Repeated { record })
        } else {
            match self.pool.add(envelope.clone(), true) {
                Added::Yes => None,
                Added::Repeated => Some(Refusal::Repeated { record }),
                Added::Full => {
                    let (records, bytes) = (self.pool.len(), self.pool.bytes());
                    Some(Refusal::Full { record, records, bytes })
                }
            }
        };
        if let Some(refusal) = refusal {
            return effects.push(Effect::Refuse(refusal));
        }
        let shared = envelope.share();
        effects.push(Effect::Accept(envelope));
        effects.push(Effect::Acknowledge(record));
        self.forward(vec![shared], effects);
    }

    /// Sends records to the leader of the view, whose turn gathers them.
    fn forward(&self, records: Vec<Arc<Envelope>>, effects: &mut Vec<Effect>) {
        let leader = self.consensus.committees().leader(self.consensus.view()).institution;
        if leader != self.config.me && !records.is_empty() {
            let message = Message::Records(records);
            effects.push(Effect::Send { to: Audience::One(leader), message });
        }
    }

    /// A new view: its leader gets what waits here.
    //= harness/spec/consensus.md#con-1-request-and-acceptance
    //# CON-1.4 (ours): An accepted record that no finalized block carries MUST stay in the pool of its
    //# delegate.
    pub(super) fn on_view(&mut self, effects: &mut Vec<Effect>) {
        self.bodies.ask_anew();
        self.blame.ask_anew();
        self.tell_leader_end(effects);
        let own = self.pool.iter().filter(|waiting| waiting.is_own).take(FORWARD_RECORDS_MAX);
        let records = own.map(|waiting| waiting.accepted.envelope().share());
        self.forward(records.collect(), effects);
    }

    /// Records from other delegates, for the turn of this node; each hands in its own, because no signature
    /// says who accepted a record.
    //= harness/spec/consensus.md#con-2-booking-into-an-item
    //# CON-2.3 (ours): A record MUST be booked under the id of the delegate that accepted it, whichever
    //# producer leads.
    fn on_records(&mut self, from: InstitutionId, records: Vec<Arc<Envelope>>) {
        let chain_id = self.chain.id();
        if !self.chain.is_registered(from) {
            return;
        }
        for envelope in records.into_iter().take(FORWARD_RECORDS_MAX) {
            if envelope.booked_by != from {
                continue;
            }
            let record = envelope.record.id();
            if self.pool.contains(&record) || self.booked.contains(&record) {
                continue;
            }
            if let Ok(verified) = Envelope::verify_shared(envelope, &chain_id, &self.scheme) {
                self.pool.add(verified, false);
            }
        }
    }
}
