//! What nodes and users of a simulation send each other.

use std::rc::Rc;

use mdsm_core::ledger::{Certificate, Envelope, Evidence, SignedVote};
use mdsm_core::node::{Event, Message};
use mdsm_core::types::{OwnerId, RecordId, Signature};

use crate::simulation::world::{self, fold, mix};

/// A message with the word that follows from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wire {
    mark: u64,
    /// What it says.
    pub body: Body,
}

/// What a message says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// Between institutions; users send events too.
    Node(Message),
    /// A user asks for the booking of records.
    Request(OwnerId),
    /// A user sends a record, and whether its file is in the vault.
    Submit(Rc<Envelope>, bool),
    /// The record is accepted.
    Acknowledged(RecordId),
    /// The record is not taken; whether because it is here already.
    Refused(RecordId, bool),
}

impl Wire {
    /// A message.
    #[must_use]
    pub fn new(body: Body) -> Rc<Self> {
        Rc::new(Self { mark: mark(&body), body })
    }
}

impl world::Message for Wire {
    #[inline]
    fn mark(&self) -> u64 {
        self.mark
    }
}

fn word(signature: &Signature) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&signature.as_bytes()[..8]);
    u64::from_le_bytes(word)
}

fn short(bytes: &[u8]) -> u64 {
    fold(0, &bytes[..bytes.len().min(16)])
}

fn mark(body: &Body) -> u64 {
    match body {
        Body::Node(message) => of_node(message),
        Body::Request(owner) => mix(20, short(owner.as_bytes())),
        Body::Submit(envelope, is_stored) => {
            mix(21 + u64::from(*is_stored), word(&envelope.owner_signature))
        }
        Body::Acknowledged(record) => mix(23, short(record.as_bytes())),
        Body::Refused(record, known) => mix(24 + u64::from(*known), short(record.as_bytes())),
    }
}

fn of_node(message: &Message) -> u64 {
    match message {
        Message::Proposal(proposal) => mix(1, word(&proposal.signed.signature)),
        Message::Item(item) => {
            let words = item.records.iter().map(|one| word(&one.owner_signature));
            words.fold(2, mix)
        }
        Message::Vote(signed) => of_vote(signed),
        Message::Certificate(certificate) => mix(4, of_certificate(certificate)),
        Message::Ask { epoch, view } => mix(5 ^ u64::from(epoch.get()) << 8, view.get()),
        Message::WantItems(roots) => {
            roots.iter().fold(6, |sum, root| mix(sum, short(root.as_bytes())))
        }
        Message::WantBlock(hash) => mix(7, short(hash.as_bytes())),
        Message::WantAnchor(epoch) => mix(15, u64::from(epoch.get())),
        Message::WantDecision { after } => mix(8, after.get()),
        Message::Decision(decision) => mix(9, of_certificate(&decision.certificate)),
        Message::Acceptance { owner } => mix(10, short(owner.as_bytes())),
        Message::Records(records) => {
            records.iter().fold(11, |sum, one| mix(sum, word(&one.owner_signature)))
        }
        Message::Event(Event::Evidence(evidence)) => mix(12, of_evidence(evidence)),
        Message::Event(Event::Registration(joining)) => mix(13, word(&joining.signature)),
        Message::Event(Event::Service(service)) => mix(14, word(&service.signature)),
    }
}

fn of_vote(signed: &SignedVote) -> u64 {
    mix(3, word(&signed.signature))
}

fn of_certificate(certificate: &Certificate) -> u64 {
    let vote = &certificate.vote;
    let subject = vote.subject.digest().map_or(0, |digest| short(digest.as_bytes()));
    let tag = u64::from(vote.subject.tag()) << 32 | u64::from(vote.epoch.get());
    let signers =
        certificate.signers.seats().fold(0u64, |sum, seat| sum.rotate_left(7) ^ seat as u64);
    mix(mix(subject, tag), mix(vote.view.get(), signers))
}

fn of_evidence(evidence: &Evidence) -> u64 {
    match evidence {
        Evidence::Proposals { first, second } => {
            mix(word(&first.signature), word(&second.signature))
        }
        Evidence::Votes { first, second } => mix(word(&first.signature), word(&second.signature)),
        Evidence::Block { header, .. } => word(&header.signature),
        Evidence::Audit { header, vote, .. } => mix(word(&header.signature), word(&vote.signature)),
    }
}
