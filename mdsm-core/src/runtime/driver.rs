//! Drives a node: hands it what happens, carries out what it asks for, in order. [CON-7] [STO-2]
//!
//! ```text
//! links, clients, Bitcoin -> orders -> step, step, ... -> stored, one sync -> sent, answered
//! ```
//! Orders that wait are taken together: the node takes one after another, what is to be stored is stored with
//! as few syncs as its order allows, and only then anything leaves. So a barrier is kept for every effect, and
//! its cost is shared. An own vote or proposal goes back into the node at once; it leaves when it is stored.
//!
//! Invariant: nothing leaves an institution whose disk has failed. The driver ends with the error.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use tokio::sync::{mpsc, watch};

use super::disk::{Disk, DiskError};
use super::links::Links;
use super::metrics::Metrics;
use super::order::{Answer, Order};
use super::outbox::{Outbox, Outgoing};
use super::signatures::Prechecked;
use super::status::Status;
use super::timers::Timers;
use crate::anchoring::machine;
use crate::consensus::Protocol;
use crate::crypto::sign::SigningKey;
use crate::environment::Clock;
use crate::ledger::{Proposal, SignedHeader, SignedVote};
use crate::node::{Effect, Event, Input, Message, Node};
use crate::types::{Epoch, InstitutionId, Signature};

/// Orders taken together, at most: what becomes durable with one sync.
const TOGETHER_MAX: usize = 4_096;
/// Bytes that wait to be stored after which they are, although more orders are there: one sync is a small part
/// of writing so many, the clients who wait for it are answered and send on, and memory stays small.
const TOGETHER_BYTES: usize = 4 * 1_024 * 1_024;

/// The node of an institution that runs.
pub type LiveNode = Node<Prechecked, Protocol>;

/// What a driver works with.
pub struct Parts<L> {
    /// The node, started or recovered.
    pub node: LiveNode,
    /// Signs for it.
    pub key: SigningKey,
    /// Its clock.
    pub clock: Clock,
    /// Its disk.
    pub disk: Disk,
    /// To the others.
    pub links: L,
    /// Everybody who is enrolled, but this one.
    pub others: Vec<InstitutionId>,
    /// To whoever speaks with Bitcoin.
    pub anchors: mpsc::UnboundedSender<machine::Effect>,
    /// Numbers for the operator.
    pub metrics: Arc<Metrics>,
}

/// Drives one node.
pub struct Driver<L> {
    node: LiveNode,
    key: SigningKey,
    clock: Clock,
    disk: Disk,
    timers: Timers,
    outbox: Outbox<L>,
    anchors: mpsc::UnboundedSender<machine::Effect>,
    metrics: Arc<Metrics>,
    status: watch::Sender<Status>,
    /// What the node said to itself.
    inputs: VecDeque<Input>,
    effects: Vec<Effect>,
    certified: Option<Epoch>,
    anchored: Option<Epoch>,
}

impl<L: Links> Driver<L> {
    /// A driver that has not begun; `first` is what the node asked for when it was started or recovered.
    pub fn new(parts: Parts<L>, first: Vec<Effect>) -> Self {
        let Parts { node, key, clock, disk, links, others, anchors, metrics } = parts;
        let outbox = Outbox::new(node.me(), links, others);
        let status = watch::Sender::new(status(&node, 0));
        Self {
            node,
            key,
            clock,
            disk,
            timers: Timers::default(),
            outbox,
            anchors,
            metrics,
            status,
            inputs: VecDeque::new(),
            effects: first,
            certified: None,
            anchored: None,
        }
    }

    /// How far the node is, from now on.
    #[must_use]
    pub fn status(&self) -> watch::Receiver<Status> {
        self.status.subscribe()
    }

    /// Runs until it is told to stop or nobody can tell it anything any more.
    ///
    /// # Errors
    /// When something cannot be stored; nothing that depends on it has left.
    pub async fn run(mut self, mut orders: mpsc::Receiver<Order>) -> Result<(), DiskError> {
        let first = std::mem::take(&mut self.effects);
        self.carry_out(first, &mut None)?;
        self.settle()?;
        loop {
            let mut taken = Vec::new();
            let rings = self.timers.next();
            tokio::select! {
                count = orders.recv_many(&mut taken, TOGETHER_MAX) => {
                    if count == 0 {
                        return self.settle();
                    }
                }
                () = until(rings) => {}
            }
            let mut is_last = false;
            for order in taken {
                is_last |= matches!(order, Order::Stop);
                self.take(order)?;
                if self.disk.waiting_bytes() >= TOGETHER_BYTES {
                    self.settle()?;
                }
            }
            while let Some(timer) = self.timers.due(Instant::now()) {
                self.step(Input::Timeout(timer), None)?;
            }
            self.settle()?;
            if is_last {
                return Ok(());
            }
        }
    }

    fn take(&mut self, order: Order) -> Result<(), DiskError> {
        match order {
            Order::Message { from, message, room } => {
                self.metrics.messages_in.inc();
                let taken = self.step(Input::Message { from, message: *message }, None);
                drop(room);
                taken
            }
            Order::Submit { submission, answer } => {
                self.step(Input::Submit(submission), Some(answer))
            }
            Order::Report { service, answer } => {
                self.step(Input::Event(Event::Service(service)), None)?;
                let state = self.node.service_state(&service);
                self.outbox.extend([Outgoing::Report(answer, state)]);
                Ok(())
            }
            Order::Input(input) => self.step(*input, None),
            Order::Stop => Ok(()),
        }
    }

    /// Feeds an input, and then what the node said to itself.
    fn step(&mut self, input: Input, answer: Option<Answer>) -> Result<(), DiskError> {
        let (mut next, mut answer) = (Some(input), answer);
        while let Some(input) = next {
            let mut effects = std::mem::take(&mut self.effects);
            self.node.step(self.clock.now(), input, &mut effects);
            self.carry_out(effects, &mut answer)?;
            next = self.inputs.pop_front();
        }
        Ok(())
    }

    /// Stores what is to be stored, and puts what is to leave behind it.
    fn carry_out(
        &mut self,
        mut effects: Vec<Effect>,
        answer: &mut Option<Answer>,
    ) -> Result<(), DiskError> {
        for effect in effects.drain(..) {
            match effect {
                Effect::Persist(entry) => self.disk.persist(entry)?,
                Effect::Accept(envelope) => {
                    self.metrics.accepted.inc();
                    self.disk.accept(&envelope)?;
                }
                Effect::Keep { proposal, items } => self.disk.keep(&proposal, &items)?,
                Effect::Acknowledge(record) => {
                    let answer = answer.take().map(|answer| Outgoing::Answer(answer, Ok(record)));
                    self.outbox.extend(answer);
                }
                Effect::Refuse(refusal) => {
                    self.metrics.refused.inc();
                    let answer = answer.take().map(|answer| Outgoing::Answer(answer, Err(refusal)));
                    self.outbox.extend(answer);
                }
                Effect::Propose { header, payload } => {
                    let signed = SignedHeader::sign(header, &self.key);
                    let proposal = Proposal { signed, payload: (*payload).clone() };
                    let message = Message::Proposal(Arc::new(proposal));
                    self.outbox.everyone(message.clone());
                    self.hear_oneself(message);
                }
                Effect::Cast { vote, to } => {
                    let signature: Signature =
                        self.key.sign(&vote.message(&self.node.chain().id()));
                    let signer = self.node.me();
                    let message = Message::Vote(SignedVote { vote, signer, signature });
                    self.outbox.send(to, message.clone(), &self.node);
                    self.hear_oneself(message);
                }
                Effect::Send { to, message } => self.outbox.send(to, message, &self.node),
                Effect::Serve { to, wanted } => {
                    self.outbox.extend([Outgoing::Serve(to, wanted)]);
                }
                Effect::Arm { timer, after_ms } => {
                    self.timers.arm(Instant::now(), timer, after_ms);
                }
                Effect::Commit(commit) => {
                    let next = self.node.chain().roster().commitment();
                    self.disk.commit(&commit, &next)?;
                    self.metrics.committed(&commit);
                }
                Effect::Frozen(anchor) => {
                    tracing::info!(epoch = %anchor.epoch, root = %anchor.root(), "frozen");
                    self.disk.freeze(anchor.epoch)?;
                }
                Effect::Certified(certificate) => {
                    self.certified = self.certified.max(Some(certificate.vote.epoch));
                    self.disk.certify(&certificate)?;
                }
                Effect::Anchor(effect) => {
                    if let machine::Effect::Final { output, .. } = effect {
                        tracing::info!(epoch = %output.epoch, "anchor is final in Bitcoin");
                        self.anchored = self.anchored.max(Some(output.epoch));
                    }
                    self.outbox.extend([Outgoing::Anchor(effect)]);
                }
                Effect::AnchorRefused(error) => tracing::warn!(%error, "told of Bitcoin"),
                Effect::Convict(evidence) => {
                    self.metrics.convictions.inc();
                    tracing::warn!(?evidence, "an institution is convicted");
                }
            }
        }
        self.effects = effects;
        Ok(())
    }

    fn hear_oneself(&mut self, message: Message) {
        self.inputs.push_back(Input::Message { from: self.node.me(), message });
    }

    /// Everything is stored, then sent.
    fn settle(&mut self) -> Result<(), DiskError> {
        while let Some(input) = self.inputs.pop_front() {
            self.step(input, None)?;
        }
        self.disk.flush()?;
        let books = self.disk.books().clone();
        for outgoing in self.outbox.take() {
            match outgoing {
                Outgoing::Message(to, message) => {
                    self.metrics.messages_out.inc_by(to.len() as u64);
                    self.outbox.deliver(&to, &message);
                }
                Outgoing::Answer(answer, result) => answer.send(result),
                // Nobody may be there any more.
                Outgoing::Report(answer, state) => drop(answer.send(state)),
                Outgoing::Serve(to, wanted) => {
                    let mut answers = super::serve::answers(&books, &wanted);
                    // Before anything is read: of orders taken together all may have been let pass.
                    while self.node.may_be_answered(to)
                        && let Some(message) = answers.next()
                        && self.node.may_answer(to, &message)
                    {
                        self.outbox.deliver(&[to], &message);
                    }
                }
                Outgoing::Anchor(effect) => drop(self.anchors.send(effect)),
            }
        }
        let mut now = status(&self.node, self.outbox.connected());
        (now.certified, now.anchored) = (self.certified, self.anchored);
        self.metrics.observe(&now, self.disk.syncs());
        self.status.send_if_modified(|before| {
            let is_news = *before != now;
            *before = now;
            is_news
        });
        Ok(())
    }
}

fn status(node: &LiveNode, connected: usize) -> Status {
    let chain = node.chain();
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    Status {
        institution: node.me(),
        height: chain.height(),
        head: chain.head(),
        timestamp: chain.timestamp(),
        epoch: chain.epoch(),
        view: node.consensus().view(),
        records: count(node.booked().len()),
        waiting: count(node.waiting()),
        connected: count(connected),
        certified: None,
        anchored: None,
    }
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}
