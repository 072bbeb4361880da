//! Evidence that takes a whole node: two blocks of one view that went to different nodes (E1), a signed
//! block that breaks a rule (E5), votes to notarize it (E6). [CON-6] [CON-7]
//!
//! Some faults show in the header ([`Fault::at_sight`]), whether consensus ever asks for a check or not;
//! the others are found where all Items are at hand. Of what [`BlockError`] names these make no evidence,
//! because no header commits to what would show them:
//!
//! | error | why |
//! |---|---|
//! | `ChainId` | a signature for another network is no offence here |
//! | `Parent`, `Producer`, `Closing`, `EpochFull`, `Delegate` | they follow from the state of the chain |
//! | `Event`, but for the certificate | a sound event can be booked, charged or outdated already |
//! | `Repeated`, booked by an ancestor | likewise |
//! | `Payload`, `ItemBlockRoot`, `ItemCount`, `ItemRoot` | another may have changed it on the way |
//! | `TurnBytes` | a header commits to no number of bytes |
//! | `Timestamp` beyond all windows | likewise, to no window |
//!
//! Nor do Items of no record, of eleven, or of a record too large: they have no encoding, so that nobody is
//! ever sent one. [`Fault::Item`] is for a producer's own papers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::interface::Effect;
use super::limits::BODIES_MAX;
use super::machine::Node;
use super::message::{Event, Message};
use crate::chain::{BlockError, EventError};
use crate::consensus::{Audience, Rules, VIEWS_AHEAD};
use crate::crypto::sign::Scheme;
use crate::ledger::{
    BlockHeader, Certificate, Evidence, Fault, Item, Proposal, SignedHeader, SignedVote, Subject,
    Vote,
};
use crate::types::{Digest, Epoch, InstitutionId};

/// Blocks of the open epoch, and of the one before, that break a rule.
#[derive(Clone, Debug, Default)]
pub(super) struct Blame {
    found: BTreeMap<Digest, Found>,
    /// Those found since the last input.
    untold: BTreeSet<Digest>,
    /// Auditors that were asked for what they voted for, since the view or the last retry began.
    asked: BTreeSet<InstitutionId>,
}

#[derive(Clone, Debug)]
struct Found {
    signed: SignedHeader,
    fault: Box<Fault>,
}

impl Blame {
    pub(super) fn has(&self, hash: &Digest) -> bool {
        self.found.contains_key(hash)
    }

    /// Whether the fault is known with this very signature: evidence against a voter shows a header whose
    /// producer may not have signed, and must not stand in the way of the one that it did sign.
    fn has_signed(&self, hash: &Digest, signed: &SignedHeader) -> bool {
        self.found.get(hash).is_some_and(|found| found.signed == *signed)
    }

    /// Keeps what is wrong with a block; of too many the lowest go.
    fn keep(&mut self, hash: Digest, signed: SignedHeader, fault: Box<Fault>) {
        self.found.insert(hash, Found { signed, fault });
        self.untold.insert(hash);
        if self.found.len() > BODIES_MAX {
            let place = |found: &Found| (found.signed.header.epoch, found.signed.header.view);
            let lowest = self.found.iter().min_by_key(|(_, found)| place(found));
            if let Some(lowest) = lowest.map(|(hash, _)| *hash) {
                self.found.remove(&lowest);
            }
        }
    }

    /// From now on everybody may be asked again.
    pub(super) fn ask_anew(&mut self) {
        self.asked.clear();
    }

    /// Another epoch begins; votes of the last one may still be on their way.
    pub(super) fn expire(&mut self, open: Epoch) {
        let oldest = Epoch::new(open.get().saturating_sub(1));
        self.found.retain(|_, found| found.signed.header.epoch >= oldest);
    }
}

impl<S: Scheme + Clone, R: Rules> Node<S, R> {
    /// A block did not pass its check: whatever shows that is kept.
    pub(super) fn blame_block(
        &mut self,
        hash: Digest,
        proposal: &Proposal,
        items: &[Item],
        error: &BlockError,
    ) {
        let payload = &proposal.payload;
        let fault = match *error {
            BlockError::Event(EventError::Parent | EventError::Certificate(_)) => {
                Fault::certificate(payload)
            }
            BlockError::Envelope { item, record, .. }
            | BlockError::CreatedAhead { item, record, .. } => {
                Fault::booking(payload, items, item, record)
            }
            BlockError::Repeated { item, record, .. } => {
                Fault::repeated(payload, items, item, record)
            }
            _ => self.at_sight(proposal),
        };
        self.note(hash, proposal.signed, fault);
    }

    fn at_sight(&self, proposal: &Proposal) -> Option<Fault> {
        let header = &proposal.signed.header;
        let parent = self.header_of(&header.parent);
        Fault::at_sight(header, &proposal.payload, parent.as_ref())
    }

    /// The header of a block that is at hand, or of the last final one.
    fn header_of(&self, hash: &Digest) -> Option<BlockHeader> {
        if *hash == self.chain.head() {
            return self.tip;
        }
        self.bodies.proposal(hash).map(|proposal| proposal.signed.header)
    }

    /// Keeps a fault if the block has it, judged as everybody else will judge it.
    fn note(&mut self, hash: Digest, signed: SignedHeader, fault: Option<Fault>) {
        let Some(fault) = fault.filter(|_| !self.blame.has_signed(&hash, &signed)) else { return };
        if fault.check(&signed.header, &*self.chain, &self.scheme).is_ok() {
            self.blame.keep(hash, signed, Box::new(fault));
        }
    }

    /// Evidence from elsewhere that holds: what it shows also convicts whoever voted for the block.
    pub(super) fn learn(&mut self, event: &Event) {
        let Event::Evidence(evidence) = event else { return };
        let (Evidence::Block { header, fault } | Evidence::Audit { header, fault, .. }) =
            &**evidence
        else {
            return;
        };
        // Views that nobody votes in yet are left out: one institution may confess to a fault in each of
        // them, and of too many the lowest go.
        let (open, place) = (self.consensus.epoch(), &header.header);
        let latest = self.consensus.view().get().saturating_add(VIEWS_AHEAD);
        let is_near =
            place.epoch.next() == Some(open) || (place.epoch == open && place.view.get() <= latest);
        let hash = header.hash();
        if is_near && !self.blame.has(&hash) {
            self.blame.keep(hash, *header, fault.clone());
        }
    }

    /// Looks at a proposal that has just come, and at what came before its parent or beside it.
    pub(super) fn look_at(&mut self, hash: &Digest, effects: &mut Vec<Effect>) {
        let Some(proposal) = self.bodies.proposal(hash).cloned() else { return };
        let signed = proposal.signed;
        if signed.header.producer == self.config.me {
            return;
        }
        let fault = self.at_sight(&proposal);
        self.note(*hash, signed, fault);
        let place = |header: &BlockHeader| (header.producer, header.epoch, header.view);
        let (mut children, mut rivals) = (Vec::new(), Vec::new());
        for (other, found) in self.bodies.proposals().filter(|(other, _)| *other != hash) {
            if found.signed.header.parent == *hash {
                children.push((*other, found.clone()));
            }
            if place(&found.signed.header) == place(&signed.header) {
                rivals.push(found.signed);
            }
        }
        for (child, proposal) in children {
            let fault = self.at_sight(&proposal);
            self.note(child, proposal.signed, fault);
        }
        for first in rivals {
            self.convict(Evidence::Proposals { first, second: signed }, effects);
        }
        for vote in self.intake.in_view(signed.header.view).to_vec() {
            self.compare(&vote, effects);
        }
    }

    /// An auditor voted for another block of a view than the one that came here. A leader that shows each
    /// block to some only is caught by whoever holds two, so the voter is asked for its own.
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //# CON-7.26 (ours): An auditor that holds a proposal for a view and receives a vote to notarize
    //# another block of that view MUST ask the voter for the other one.
    pub(super) fn compare(&mut self, signed: &SignedVote, effects: &mut Vec<Effect>) {
        let SignedVote { vote, signer, .. } = *signed;
        let Subject::Notarize(hash) = vote.subject else { return };
        if vote.epoch != self.consensus.epoch()
            || !self.consensus.hears(vote.view)
            || self.bodies.proposal(&hash).is_some()
        {
            return;
        }
        let leader = self.consensus.committees().leader(vote.view).institution;
        let is_rival = |found: &Proposal| {
            let header = &found.signed.header;
            (header.epoch, header.view, header.producer) == (vote.epoch, vote.view, leader)
        };
        let has_rival = self.bodies.proposals().any(|(_, found)| is_rival(found));
        let is_askable = self.consensus.seat_of(signer).is_some() && signer != self.config.me;
        if has_rival && is_askable && self.blame.asked.insert(signer) {
            let message = Message::WantBlock(hash);
            effects.push(Effect::Send { to: Audience::One(signer), message });
        }
    }

    /// Tells everybody what was found in this step.
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //# CON-7.25 (ours): A node that finds a breach in a signed block which evidence can show MUST send
    //# that evidence to both committees, and likewise evidence against every auditor whose vote to
    //# notarize the block it holds or receives.
    pub(super) fn accuse(&mut self, effects: &mut Vec<Effect>) {
        for hash in std::mem::take(&mut self.blame.untold) {
            let Some(Found { signed, fault }) = self.blame.found.get(&hash).cloned() else {
                continue;
            };
            let BlockHeader { epoch, view, .. } = signed.header;
            self.convict(Evidence::Block { header: signed, fault }, effects);
            if epoch != self.consensus.epoch() {
                continue;
            }
            let vote = Vote { epoch, view, subject: Subject::Notarize(hash) };
            let waiting = self.intake.in_view(view).iter().filter(|signed| signed.vote == vote);
            let mut votes: Vec<SignedVote> = waiting.copied().collect();
            votes.extend(self.consensus.votes_for(&vote));
            votes.iter().for_each(|vote| self.accuse_voter(vote, effects));
        }
    }

    /// A vote came: whoever notarizes what breaks a rule is convicted by it.
    pub(super) fn accuse_voter(&mut self, vote: &SignedVote, effects: &mut Vec<Effect>) {
        let Subject::Notarize(hash) = vote.vote.subject else { return };
        if let Some(Found { signed, fault }) = self.blame.found.get(&hash).cloned() {
            self.convict(Evidence::Audit { header: signed, fault, vote: *vote }, effects);
        }
    }

    /// The same for everybody who signed a certificate.
    pub(super) fn accuse_signers(&mut self, certificate: &Certificate, effects: &mut Vec<Effect>) {
        let vote = certificate.vote;
        if vote.subject.digest().is_some_and(|hash| self.blame.has(hash)) {
            let votes = self.consensus.votes_for(&vote);
            votes.iter().for_each(|vote| self.accuse_voter(vote, effects));
        }
    }

    /// Puts evidence among the events that wait, and passes it on if it is news.
    fn convict(&mut self, evidence: Evidence, effects: &mut Vec<Effect>) {
        let event = Event::Evidence(Arc::new(evidence.clone()));
        if self.events.take(&event, &self.chain, &self.booked, &self.scheme) {
            effects.push(Effect::Convict(Box::new(evidence)));
            let message = Message::Event(event);
            effects.push(Effect::Send { to: Audience::Everyone, message });
        }
    }
}
