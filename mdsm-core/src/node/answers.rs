//! How much a peer is answered. [CON-7]
//!
//! To ask costs a few bytes and brings up to a thousand Items, so a member could have a node send without
//! end. Counted are the bytes that go to one peer in one turn by the node's own clock: of what is at hand
//! here, of what lies in the store where the driver carries out [`Effect::Serve`].

use std::collections::BTreeMap;

use super::interface::{Effect, Wanted};
use super::machine::Node;
use super::message::Message;
use crate::codec::{Encode as _, Wire as _};
use crate::consensus::{Audience, Rules};
use crate::crypto::sign::Scheme;
use crate::params::ANSWER_BYTES_MAX;
use crate::types::{InstitutionId, Signature};

/// What was sent in this turn, by peer.
#[derive(Clone, Debug, Default)]
pub(super) struct Answers {
    /// The turn, counted by the clock.
    turn: i64,
    sent: BTreeMap<InstitutionId, usize>,
    refused: u64,
}

impl Answers {
    fn begin(&mut self, turn: i64) {
        if self.turn != turn {
            self.turn = turn;
            self.sent.clear();
        }
    }

    /// Whether a peer is answered at all.
    fn is_open(&mut self, to: InstitutionId) -> bool {
        let is_open = self.sent.get(&to).is_none_or(|sent| *sent < ANSWER_BYTES_MAX);
        self.refused = self.refused.saturating_add(u64::from(!is_open));
        is_open
    }

    /// Whether a peer is answered with so many bytes, which are counted then.
    fn admits(&mut self, to: InstitutionId, bytes: usize) -> bool {
        let is_open = self.is_open(to);
        if is_open {
            let sent = self.sent.entry(to).or_default();
            *sent = sent.saturating_add(bytes);
        }
        is_open
    }
}

impl<S: Scheme + Clone, R: Rules> Node<S, R> {
    /// Whether a peer is answered at all, which is asked before anything is read for it.
    pub fn may_be_answered(&mut self, to: InstitutionId) -> bool {
        self.answers.begin(self.now.period(self.chain.genesis().turn_ms));
        self.answers.is_open(to)
    }

    /// Whether an answer from the store may go to a peer; it is counted then. For the driver that carries
    /// out [`Effect::Serve`].
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //# CON-7.28 (ours): A node MUST NOT begin an answer to a peer to which it has sent 67,108,864 bytes
    //# of answers or more in the same turn by its own clock.
    pub fn may_answer(&mut self, to: InstitutionId, answer: &Message) -> bool {
        self.answers.begin(self.now.period(self.chain.genesis().turn_ms));
        bytes_of(answer).is_none_or(|bytes| self.answers.admits(to, bytes))
    }

    /// Answers that were not given, because the peer had had its share.
    #[must_use]
    pub fn refused_answers(&self) -> u64 {
        self.answers.refused
    }

    /// Takes out what is too much of the answers to the message that was just handled.
    pub(super) fn limit_answers(
        &mut self,
        from: InstitutionId,
        first: usize,
        effects: &mut Vec<Effect>,
    ) {
        let mut refused = Vec::new();
        for (at, effect) in effects.iter().enumerate().skip(first) {
            let is_given = match effect {
                Effect::Send { to: Audience::One(to), message } if *to == from => {
                    self.may_answer(from, message)
                }
                Effect::Serve { to, wanted } => {
                    self.answers.begin(self.now.period(self.chain.genesis().turn_ms));
                    self.answers.admits(*to, look_ups(wanted).saturating_mul(LOOK_UP_BYTES))
                }
                _ => true,
            };
            if !is_given {
                refused.push(at);
            }
        }
        for at in refused.into_iter().rev() {
            effects.remove(at);
        }
    }
}

/// How often the store is looked into for what a peer wants, whether it is there or not.
fn look_ups(wanted: &Wanted) -> usize {
    match wanted {
        Wanted::Items(roots) => roots.len(),
        Wanted::Anchor(_) | Wanted::Block(_) | Wanted::Decision { .. } => 1,
    }
}

/// What a look into the store counts of a peer's share, so that to ask for what is not there has an end.
const LOOK_UP_BYTES: usize = 64;

/// Encoded bytes of an answer, those of a certificate to a few bytes; nothing of a message that is none.
fn bytes_of(message: &Message) -> Option<usize> {
    match message {
        Message::Proposal(proposal) => {
            let mut bytes = Vec::new();
            proposal.encode(&mut bytes);
            Some(bytes.len())
        }
        Message::Item(item) => Some(item.to_bytes().len()),
        Message::Certificate(certificate) => {
            Some(SIGNED_BYTES + certificate.signatures.len() * Signature::BYTES)
        }
        Message::Decision(decision) => Some(decision.to_bytes().len()),
        Message::Vote(_)
        | Message::Ask { .. }
        | Message::WantItems(_)
        | Message::WantBlock(_)
        | Message::WantAnchor(_)
        | Message::WantDecision { .. }
        | Message::Acceptance { .. }
        | Message::Records(_)
        | Message::Event(_) => None,
    }
}

/// Bytes of a certificate beside its signatures: the vote and a bitmap of the largest electorate.
const SIGNED_BYTES: usize = 45 + 4 + 128;
