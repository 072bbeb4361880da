//! A node that follows the rules but for the mutations of its scope.

use std::rc::Rc;
use std::sync::Arc;

use mdsm_core::consensus::Rules;
use mdsm_core::ledger::{BlockHeader, Certificate, Subject, Vote};
use mdsm_core::types::{Digest, Epoch, Height, Timestamp, View};

use super::deviant::{Me, Out, Strategy};
use crate::seed::Seed;
use crate::simulation::cluster::{BAD, Body, Wire};
use crate::simulation::scopes::{Change, Kind, Mutation, Scope};
use crate::simulation::world::To;

/// Applies the scope of a seed.
#[derive(Debug)]
pub(super) struct SmallScope {
    seed: Seed,
    scope: Option<Scope>,
    /// What was sent before, to be sent again.
    sent: Vec<(Kind, Rc<Wire>)>,
}

impl SmallScope {
    pub(super) fn new(seed: Seed) -> Self {
        Self { seed, scope: None, sent: Vec::new() }
    }
}

/// The round that a message belongs to, when it is the node's own to change.
fn round<R: Rules>(me: &Me<'_, R>, message: &Wire) -> Option<(Epoch, View, Kind)> {
    let of = |vote: &Vote| match vote.subject {
        Subject::Notarize(_) => Some(Kind::Notarize),
        Subject::Nullify => Some(Kind::Nullify),
        Subject::Finalize(_) => Some(Kind::Finalize),
        Subject::Anchor(_) => None,
    };
    match &message.body {
        Body::Vote(signed) => Some((signed.vote.epoch, signed.vote.view, of(&signed.vote)?)),
        Body::Certificate(certificate) => {
            let vote = &certificate.vote;
            of(vote).map(|_| (vote.epoch, vote.view, Kind::Certificate))
        }
        Body::Proposal(_) => {
            let header = &me.own_proposal(message)?.header;
            Some((header.epoch, header.view, Kind::Proposal))
        }
        _ => None,
    }
}

impl<R: Rules> Strategy<R> for SmallScope {
    fn send(&mut self, me: &mut Me<'_, R>, to: To, message: Rc<Wire>, out: &mut Out<R>) {
        let shape = me.host.setup().shape;
        let scope = self.scope.get_or_insert_with(|| Scope::of(self.seed, &shape));
        let Some((epoch, view, kind)) = round(me, &message) else {
            return me.pass(to, message, out);
        };
        let sender = me.host.me().get();
        let mutation = scope.mutations.iter().find(|mutation| {
            epoch == Epoch::new(0)
                && (mutation.sender, mutation.view) == (sender, view.get())
                && mutation.target.0 == kind
        });
        let (mutation, auditor) = (mutation.copied(), scope.auditor);
        if let Some(mutation) = mutation {
            let body = self.changed(me, &mutation, &message);
            let is_omitted = mutation.target.1 == Change::Omit;
            if body.is_some() || is_omitted {
                let some = me.those(&to, |one| mutation.is_for(&shape, auditor, one));
                let rest = me.those(&to, |one| !mutation.is_for(&shape, auditor, one));
                if !some.is_empty() {
                    me.did(mutation.target);
                }
                if let Some(body) = body {
                    me.say(some, body, out);
                }
                me.pass(rest, message, out);
                return;
            }
        }
        if self.sent.len() < 64 {
            self.sent.push((kind, message.clone()));
        }
        me.pass(to, message, out);
    }
}

impl SmallScope {
    /// The message with the change; nothing when it is left out or cannot be changed so.
    fn changed<R: Rules>(
        &self,
        me: &Me<'_, R>,
        mutation: &Mutation,
        message: &Wire,
    ) -> Option<Body> {
        let (kind, change) = mutation.target;
        match (change, &message.body) {
            (Change::Omit, _) => None,
            (Change::Old, Body::Proposal(_)) => {
                let is_other =
                    |old: &&Rc<Wire>| matches!(old.body, Body::Proposal(_)) && ***old != *message;
                me.heard.iter().rev().find(is_other).map(|old| old.body.clone())
            }
            (Change::Old, _) => {
                let is_certificate = |kind: Kind| kind == Kind::Certificate;
                let old = self.sent.iter().rev().find(|(known, old)| {
                    is_certificate(*known) == is_certificate(kind) && **old != *message
                });
                old.map(|(_, old)| old.body.clone())
            }
            (_, Body::Vote(signed)) => {
                let vote = changed_vote(me, change, signed.vote)?;
                Some(me.vote_in(vote.epoch, vote.view, vote.subject))
            }
            (_, Body::Certificate(certificate)) => {
                let made = changed_certificate(me, change, certificate)?;
                Some(Body::Certificate(Arc::new(made)))
            }
            (_, Body::Proposal(signed)) => {
                Some(me.proposal(changed_header(me, change, signed.header)?))
            }
            _ => None,
        }
    }
}

/// A block that is known and not this one.
fn other_block<R: Rules>(me: &Me<'_, R>, than: Option<&Digest>) -> Digest {
    let heard = me.heard.iter().rev().filter_map(|message| match &message.body {
        Body::Proposal(block) | Body::Block { block, .. } => Some(block.hash()),
        _ => None,
    });
    let chain = me.host.chain();
    heard.chain([chain.tip, chain.genesis]).find(|hash| Some(hash) != than).unwrap_or(chain.tip)
}

fn changed_vote<R: Rules>(me: &Me<'_, R>, change: Change, vote: Vote) -> Option<Vote> {
    let other = || other_block(me, vote.subject.digest());
    Some(match change {
        Change::OtherBlock => {
            let subject = match vote.subject {
                Subject::Finalize(_) => Subject::Finalize(other()),
                _ => Subject::Notarize(other()),
            };
            Vote { subject, ..vote }
        }
        Change::OtherSubject => {
            let subject = match vote.subject {
                Subject::Notarize(hash) => Subject::Finalize(hash),
                Subject::Nullify => Subject::Finalize(other()),
                _ => Subject::Nullify,
            };
            Vote { subject, ..vote }
        }
        Change::ViewUp => Vote { view: vote.view.next()?, ..vote },
        Change::ViewDown => Vote { view: View::new(vote.view.get().checked_sub(1)?), ..vote },
        Change::EpochUp => Vote { epoch: vote.epoch.next()?, ..vote },
        _ => return None,
    })
}

fn changed_certificate<R: Rules>(
    me: &Me<'_, R>,
    change: Change,
    certificate: &Certificate,
) -> Option<Certificate> {
    let seats = me.host.consensus().committees().auditors.len();
    let mut signed: Vec<_> =
        certificate.signers.seats().zip(certificate.signatures.iter().copied()).collect();
    let mut vote = certificate.vote;
    match change {
        Change::FewerSigners => {
            signed.pop()?;
        }
        _ => vote = changed_vote(me, change, vote)?,
    }
    Certificate::assemble(vote, seats, &signed)
}

/// The header on another block that is known, or on the genesis of the epoch, as if that were right.
fn other_parent<R: Rules>(me: &Me<'_, R>, header: BlockHeader) -> BlockHeader {
    let heard = me.heard.iter().rev().filter_map(|message| match &message.body {
        Body::Proposal(block) | Body::Block { block, .. } => Some((block.hash(), block.header)),
        _ => None,
    });
    let mut earlier = heard.filter(|(hash, other)| {
        *hash != header.parent && other.epoch == header.epoch && other.view < header.view
    });
    let chain = me.host.chain();
    let (parent, parent_view, height) = match earlier.next() {
        Some((hash, other)) => (hash, other.view, other.height),
        None => (chain.genesis, View::new(0), chain.base.0),
    };
    BlockHeader { parent, parent_view, height: height.next().unwrap_or(height), ..header }
}

fn changed_header<R: Rules>(
    me: &Me<'_, R>,
    change: Change,
    header: BlockHeader,
) -> Option<BlockHeader> {
    Some(match change {
        Change::OtherBlock => other_parent(me, header),
        Change::ViewUp => BlockHeader { view: header.view.next()?, ..header },
        Change::ViewDown => {
            BlockHeader { view: View::new(header.view.get().checked_sub(1)?), ..header }
        }
        Change::EpochUp => BlockHeader { epoch: header.epoch.next()?, ..header },
        Change::ParentViewDown => {
            let parent_view = View::new(header.parent_view.get().checked_sub(1)?);
            BlockHeader { parent_view, ..header }
        }
        Change::HeightUp => {
            BlockHeader { height: Height::new(header.height.get().checked_add(1)?), ..header }
        }
        Change::TimeUp => {
            let timestamp = Timestamp::new(header.timestamp.get().checked_add(1)?);
            BlockHeader { timestamp, ..header }
        }
        Change::Payload => BlockHeader { payload: BAD, ..header },
        _ => return None,
    })
}
