//! One institution's driver in a simulated world: carries out what its node asks for, in order.

use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;

use mdsm_core::anchoring::machine;
use mdsm_core::chain::Chain;
use mdsm_core::consensus::{Audience, JournalEntry, Rules};
use mdsm_core::crypto::Identified as _;
use mdsm_core::ledger::{
    Anchor, BlockHeader, Certificate, Envelope, Evidence, Item, Payload, Proposal, SignedHeader,
    SignedVote, Subject, Verified, Vote,
};
use mdsm_core::node::{Commit, Effect, Input, Message, Node, Refusal, Submission, Timer, Wanted};
use mdsm_core::types::{InstitutionId, RecordId, Timestamp};

use super::Action;
use super::bitcoin::Lookout;
use super::disk::Saved;
use super::keys::Keys;
use super::setup::Setup;
use super::wire::{Body, Wire};
use crate::build;
use crate::simulation::cluster::STARTED_MS;
use crate::simulation::world::To;

/// Decisions sent in one answer.
const DECISIONS: usize = 8;

/// A node of the world.
#[derive(Debug)]
pub struct NodeHost<R: Rules + 'static> {
    pub(super) setup: Rc<Setup<R>>,
    pub(super) me: InstitutionId,
    /// Its clock minus the world's.
    pub(super) skew_ms: i64,
    pub(super) now_ms: u64,
    pub(super) node: Node<Keys, R>,
    pub(super) saved: Saved,
    pub(super) lookout: Lookout,
    pub(super) everyone: Rc<[u32]>,
    /// The other auditors, and of which committees.
    auditors: (mdsm_core::types::Epoch, Rc<[u32]>),
    inputs: VecDeque<Input>,
    effects: Vec<Effect>,
}

/// What a node writes.
#[derive(Clone, Debug)]
pub enum Entry {
    /// Of consensus.
    Journal(JournalEntry),
    /// A record that it accepts.
    Accepted(Arc<Envelope>),
    /// A block that it votes for.
    Kept(Arc<Proposal>, Vec<Arc<Item>>),
    /// Final blocks.
    Commit(Rc<Commit>),
}

/// What a host waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostTimer {
    /// Of the node.
    Node(Timer),
    /// Time to look at Bitcoin.
    Bitcoin,
    /// A strategy wants to be asked.
    Strategy,
    /// Users look at what is to be done.
    Users,
}

/// What a judge may look at.
#[derive(Clone, Debug)]
pub enum Seen {
    /// Blocks are final here, and this is the chain behind them.
    Moved(Rc<Commit>, Arc<Chain>),
    /// An epoch is frozen.
    Frozen(Anchor),
    /// An anchor is certified here.
    Certified(Arc<Certificate>),
    /// A record is accepted.
    Acknowledged(RecordId),
    /// A record is not taken.
    Refused(Refusal),
    /// Somebody is convicted.
    Convicted(Box<Evidence>),
    /// What became of an anchor.
    Anchoring(machine::Effect),
    /// Something that must not happen.
    Broken(String),
    /// Users have sent a record for the first time.
    Submitted(RecordId),
}

impl<R: Rules + 'static> NodeHost<R> {
    /// A node that has not woken up yet.
    #[must_use]
    pub fn new(setup: &Rc<Setup<R>>, me: InstitutionId, skew_ms: i64) -> Self {
        let others = (1..=setup.scale.newcomer()).filter(|other| *other != me.get());
        let node = setup.node(me);
        let auditors = auditors(&node);
        Self {
            setup: setup.clone(),
            me,
            skew_ms,
            now_ms: 0,
            node,
            saved: Saved::default(),
            lookout: Lookout::default(),
            everyone: others.collect(),
            auditors,
            inputs: VecDeque::new(),
            effects: Vec::new(),
        }
    }

    /// The institution.
    #[must_use]
    pub fn me(&self) -> InstitutionId {
        self.me
    }

    /// The node underneath.
    #[must_use]
    pub fn node(&self) -> &Node<Keys, R> {
        &self.node
    }

    /// Final blocks on its disk.
    #[must_use]
    pub fn commits(&self) -> &[Rc<Commit>] {
        &self.saved.commits
    }

    /// Its clock.
    #[must_use]
    pub fn clock(&self) -> Timestamp {
        let since = i64::try_from(self.now_ms).unwrap_or(i64::MAX - STARTED_MS);
        Timestamp::new(STARTED_MS + since + self.skew_ms)
    }

    /// A vote, signed.
    #[must_use]
    pub fn signed(&self, vote: Vote) -> SignedVote {
        let message = vote.message(&self.setup.chain_id());
        let signature = self.setup.keys.sign(&self.setup.keys.institution(self.me), &message);
        SignedVote { vote, signer: self.me, signature }
    }

    /// A header, signed.
    #[must_use]
    pub fn signed_header(&self, header: BlockHeader) -> SignedHeader {
        let key = self.setup.keys.institution(self.me);
        let message = SignedHeader::message(&header.id());
        SignedHeader { header, signature: self.setup.keys.sign(&key, &message) }
    }

    /// Feeds an input, then what the node said to itself.
    pub(super) fn step(&mut self, input: Input, out: &mut Vec<Action<R>>) {
        self.inputs.push_back(input);
        self.drain(out);
    }

    /// Feeds what waits.
    pub(super) fn drain(&mut self, out: &mut Vec<Action<R>>) {
        while let Some(input) = self.inputs.pop_front() {
            let mut effects = std::mem::take(&mut self.effects);
            self.node.step(self.clock(), input, &mut effects);
            self.carry_out(&mut effects, out);
            self.effects = effects;
        }
    }

    /// Carries out effects in order.
    pub(super) fn carry_out(&mut self, effects: &mut Vec<Effect>, out: &mut Vec<Action<R>>) {
        for effect in effects.drain(..) {
            match effect {
                Effect::Persist(entry) => self.write(Entry::Journal(entry), out),
                Effect::Accept(envelope) => self.write(Entry::Accepted(envelope.share()), out),
                Effect::Keep { proposal, items } => self.write(Entry::Kept(proposal, items), out),
                Effect::Acknowledge(record) => {
                    self.tell_users(Body::Acknowledged(record), out);
                    out.push(Action::Observe(Seen::Acknowledged(record)));
                }
                Effect::Refuse(refusal) => self.refuse(refusal, out),
                Effect::Propose { header, payload } => self.propose(header, &payload, out),
                Effect::Cast { vote, to } => {
                    let message = Message::Vote(self.signed(vote));
                    self.send(to, message.clone(), out);
                    self.inputs.push_back(Input::Message { from: self.me, message });
                }
                Effect::Send { to, message } => self.send(to, message, out),
                Effect::Serve { to, wanted } => self.serve(to, &wanted, out),
                Effect::Arm { timer, after_ms } => {
                    out.push(Action::Arm { timer: HostTimer::Node(timer), after_ms });
                }
                Effect::Commit(commit) => {
                    let commit = self.setup.archive.borrow_mut().share(*commit);
                    let chain = self.node.chain();
                    self.setup.board.borrow_mut().commit(&commit, chain);
                    self.write(Entry::Commit(commit.clone()), out);
                    out.push(Action::Observe(Seen::Moved(commit, chain_of(&self.node))));
                }
                Effect::Frozen(anchor) => {
                    self.saved.freeze();
                    out.push(Action::Checkpoint(self.saved.clone()));
                    out.push(Action::Observe(Seen::Frozen(anchor)));
                }
                Effect::Certified(certificate) => {
                    out.push(Action::Observe(Seen::Certified(certificate)));
                }
                Effect::Anchor(effect) => {
                    let mut bitcoin = self.setup.bitcoin.borrow_mut();
                    let answers = self.lookout.carry_out(&effect, &mut bitcoin);
                    self.inputs.extend(answers.into_iter().map(Input::Bitcoin));
                    out.push(Action::Observe(Seen::Anchoring(effect)));
                }
                Effect::AnchorRefused(error) => {
                    out.push(Action::Observe(Seen::Broken(format!("anchors: {error}"))));
                }
                Effect::Convict(evidence) => {
                    out.push(Action::Observe(Seen::Convicted(evidence)));
                }
            }
        }
    }

    fn write(&mut self, entry: Entry, out: &mut Vec<Action<R>>) {
        self.saved.add(&entry);
        out.push(Action::Append(entry));
    }

    fn tell_users(&self, body: Body, out: &mut Vec<Action<R>>) {
        let to = To::One(self.setup.scale.users());
        out.push(Action::Send { to, message: Wire::new(body) });
    }

    fn refuse(&self, refusal: Refusal, out: &mut Vec<Action<R>>) {
        let (record, is_known) = match refusal {
            Refusal::Repeated { record } => (record, true),
            Refusal::NotRequested { record }
            | Refusal::Delegate { record, .. }
            | Refusal::NoFile { record }
            | Refusal::Full { record, .. } => (record, false),
        };
        self.tell_users(Body::Refused(record, is_known), out);
        out.push(Action::Observe(Seen::Refused(refusal)));
    }

    fn propose(&mut self, header: BlockHeader, payload: &Arc<Payload>, out: &mut Vec<Action<R>>) {
        let signed = self.signed_header(header);
        let proposal = Proposal { signed, payload: (**payload).clone() };
        let message = Message::Proposal(Arc::new(proposal));
        self.send(Audience::Everyone, message.clone(), out);
        self.inputs.push_back(Input::Message { from: self.me, message });
    }

    /// The other auditors of the open epoch.
    #[must_use]
    pub fn auditors(&mut self) -> Rc<[u32]> {
        if self.auditors.0 != self.node.consensus().epoch() {
            self.auditors = auditors(&self.node);
        }
        self.auditors.1.clone()
    }

    fn send(&mut self, to: Audience, message: Message, out: &mut Vec<Action<R>>) {
        let message = Wire::new(Body::Node(message));
        let to = match to {
            Audience::Everyone => To::Many(self.everyone.clone()),
            Audience::One(one) if one == self.me => return,
            Audience::One(one) => To::One(one.get()),
            Audience::Auditors { and } => {
                let auditors = self.auditors();
                if and != self.me && !auditors.contains(&and.get()) {
                    let to = To::One(and.get());
                    out.push(Action::Send { to, message: message.clone() });
                }
                To::Many(auditors)
            }
        };
        out.push(Action::Send { to, message });
    }

    /// Answers from what is on the disk.
    fn serve(&mut self, to: InstitutionId, wanted: &Wanted, out: &mut Vec<Action<R>>) {
        let mut messages = Vec::new();
        match wanted {
            Wanted::Decision { after } => {
                let commits = &self.saved.commits;
                let first = commits.partition_point(|commit| last_height(commit) <= Some(*after));
                let found = commits[first..].iter().take(DECISIONS);
                messages.extend(found.map(|commit| Message::Decision(commit.decision.clone())));
            }
            Wanted::Block(hash) => {
                let holds = |commit: &&Rc<Commit>| {
                    commit.decision.blocks.iter().any(|block| block.signed.hash() == *hash)
                };
                let found = self.saved.commits.iter().rev().take(200).find(holds);
                messages.extend(found.map(|commit| Message::Decision(commit.decision.clone())));
            }
            Wanted::Items(roots) => {
                let commits = self.saved.commits.iter().rev().take(200).map(|commit| &**commit);
                let items = build::items_of(commits, roots);
                messages.extend(items.into_iter().map(Message::Item));
            }
            Wanted::Anchor(epoch) => {
                let entries = self.saved.journal.iter().filter_map(|entry| match entry {
                    JournalEntry::Certified(certificate) => Some(certificate),
                    _ => None,
                });
                let anchors = entries.filter(|certificate| {
                    let Vote { epoch: of, subject, .. } = certificate.vote;
                    of == *epoch && matches!(subject, Subject::Anchor(_))
                });
                messages.extend(anchors.cloned().map(Message::Certificate));
            }
        }
        for message in messages {
            if self.node.may_answer(to, &message) {
                self.send(Audience::One(to), message, out);
            }
        }
    }

    /// Looks at Bitcoin.
    pub(super) fn look(&mut self, out: &mut Vec<Action<R>>) {
        let shown = self.lookout.look(self.now_ms, &mut self.setup.bitcoin.borrow_mut());
        self.inputs.extend(shown.into_iter().map(Input::Bitcoin));
        self.drain(out);
        let after_ms = self.setup.scale.block_ms / 6;
        out.push(Action::Arm { timer: HostTimer::Bitcoin, after_ms });
    }

    /// A user sends a record: what is not signed never reaches the node.
    pub(super) fn submit(&mut self, envelope: &Envelope, stored: bool, out: &mut Vec<Action<R>>) {
        let checked: Result<Verified<Envelope>, _> =
            envelope.clone().verify_by(&self.setup.chain_id(), &self.setup.keys);
        if let Ok(envelope) = checked {
            self.step(Input::Submit(Submission { envelope, is_file_stored: stored }), out);
        }
    }
}

fn chain_of<R: Rules + 'static>(node: &Node<Keys, R>) -> Arc<Chain> {
    node.chain().clone()
}

/// Height of the last block of a commit.
pub(super) fn last_height(commit: &Commit) -> Option<mdsm_core::types::Height> {
    commit.decision.blocks.last().map(|block| block.signed.header.height)
}

fn auditors<R: Rules + 'static>(node: &Node<Keys, R>) -> (mdsm_core::types::Epoch, Rc<[u32]>) {
    let committees = node.consensus().committees();
    let seats = committees.auditors.iter().map(|seat| seat.institution);
    let others = seats.filter(|other| *other != node.me()).map(InstitutionId::get).collect();
    (node.consensus().epoch(), others)
}
