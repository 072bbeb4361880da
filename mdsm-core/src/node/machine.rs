//! The state of a node, and where an input goes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::answers::Answers;
use super::ballot_box::Ballots;
use super::blame::Blame;
use super::bodies::Bodies;
use super::events::Waiting;
use super::index::Booked;
use super::interface::{Effect, Input, ServiceState, Timer};
use super::message::{Event, Message};
use super::pool::Pool;
use crate::anchoring::machine::{FeeRate, Sighting, Submitter};
use crate::chain::{Chain, Genesis, StartError};
use crate::consensus::{self, Audience, Consensus, Intake, Membership, Protocol, Rules, Timing};
use crate::crypto::sign::{Ed25519, Scheme};
use crate::ledger::{BlockHeader, Certificate, Service};
use crate::params::CLOCKS_APART_MS_MAX;
use crate::roster::Founder;
use crate::types::{Digest, Epoch, Height, InstitutionId, Timestamp, View};

/// What a node is told once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeConfig {
    /// Which institution it is.
    pub me: InstitutionId,
    /// Milliseconds that a message takes, as far as anybody assumes.
    pub delay_ms: u32,
}

/// What a network starts from.
#[derive(Clone, Debug)]
pub struct Start<'a> {
    /// What the members agreed on.
    pub genesis: Genesis,
    /// The founders whose digest the genesis names.
    pub founders: &'a [Founder],
}

/// One institution. `S` checks signatures, `R` are the rules of consensus.
#[derive(Clone, Debug)]
pub struct Node<S = Ed25519, R = Protocol> {
    pub(super) config: NodeConfig,
    pub(super) scheme: S,
    pub(super) rules: R,
    /// The chain behind its last final block.
    pub(super) chain: Arc<Chain>,
    pub(super) booked: Booked,
    pub(super) consensus: Consensus<R>,
    pub(super) intake: Intake,
    pub(super) pool: Pool,
    pub(super) events: Waiting,
    pub(super) bodies: Bodies,
    /// Blocks that break a rule, and who is asked for rivals of a block.
    pub(super) blame: Blame,
    /// Header of the last final block; none before the first.
    pub(super) tip: Option<BlockHeader>,
    /// Ballots on the anchors of frozen epochs.
    pub(super) ballots: Ballots,
    /// When the node found that its log is gone.
    pub(super) lost_at: Option<Timestamp>,
    /// Anchors on their way into Bitcoin.
    pub(super) submitter: Submitter,
    /// Anchor transactions from before a restart whose anchors are not certified here yet.
    pub(super) resumed: BTreeMap<Epoch, (Sighting, FeeRate)>,
    /// What made the last block of the epoch before final: an answer to stragglers.
    pub(super) ended: Option<Arc<Certificate>>,
    /// A finalization whose blocks are not all at hand.
    pub(super) undecided: Option<Arc<Certificate>>,
    /// The height above which decisions were asked for in this view, and whom.
    pub(super) asked_above: Option<(Height, BTreeSet<InstitutionId>)>,
    /// A block to build once its parent is at hand: view, view of the parent, parent.
    pub(super) unbuilt: Option<(View, View, Digest)>,
    /// The highest epoch that a message was of, when this node is not there yet.
    pub(super) ahead: Option<Epoch>,
    /// How often what was missing was asked for again.
    pub(super) repetitions: u64,
    /// What was sent to whoever asked.
    pub(super) answers: Answers,
    pub(super) now: Timestamp,
}

impl<S: Scheme + Clone, R: Rules> Node<S, R> {
    /// A node before it has done anything; [`Self::start`] or [`Self::recover`] sets it going.
    pub fn new(
        config: NodeConfig,
        start: &Start<'_>,
        scheme: S,
        rules: R,
    ) -> Result<Self, StartError> {
        let chain = Chain::new(start.genesis.clone(), start.founders)?;
        let consensus = consensus_of(&config, &chain, rules.clone(), None);
        Ok(Self {
            config,
            scheme,
            rules,
            now: chain.timestamp(),
            chain: Arc::new(chain),
            booked: Booked::default(),
            consensus,
            intake: Intake::default(),
            pool: Pool::default(),
            events: Waiting::default(),
            bodies: Bodies::default(),
            blame: Blame::default(),
            tip: None,
            ballots: Ballots::new(config.me),
            lost_at: None,
            submitter: Submitter::new(config.me),
            resumed: BTreeMap::new(),
            ended: None,
            undecided: None,
            asked_above: None,
            unbuilt: None,
            ahead: None,
            repetitions: 0,
            answers: Answers::default(),
        })
    }

    /// Begins with an empty log.
    pub fn start(&mut self, now: Timestamp, effects: &mut Vec<Effect>) {
        self.now = now;
        let mut inner = Vec::new();
        self.consensus.start(&mut inner);
        self.carry_out(inner, effects);
        self.arm_anchors(effects);
    }

    /// Takes an input at a time by the node's clock and appends what is to be done.
    pub fn step(&mut self, now: Timestamp, input: Input, effects: &mut Vec<Effect>) {
        self.now = now;
        match input {
            Input::Message { from, message } => {
                let answered_from = effects.len();
                self.on_message(from, message, effects);
                self.limit_answers(from, answered_from, effects);
            }
            Input::Timeout(Timer::Consensus(timer)) => {
                if timer.kind == consensus::TimerKind::Retry {
                    self.ask_again(effects);
                    self.tell_end(effects);
                }
                self.drive(consensus::Input::Timeout(timer), effects);
            }
            Input::Timeout(Timer::Items) => self.on_items_time(effects),
            Input::Timeout(Timer::Ballots) => self.vote_again(effects),
            Input::Timeout(Timer::Anchors) => self.on_anchor_time(effects),
            Input::Request(owner) => self.on_request(owner, effects),
            Input::Submit(submission) => self.on_submission(submission, effects),
            Input::Event(event) => self.on_event(event, effects),
            Input::Bitcoin(shown) => self.on_bitcoin(shown, effects),
            Input::Resumed { sighting, rate } => self.on_resumed(sighting, rate, effects),
        }
        self.accuse(effects);
    }

    /// Feeds consensus and carries out what it asks for.
    pub(super) fn drive(&mut self, input: consensus::Input, effects: &mut Vec<Effect>) {
        let mut inner = Vec::new();
        self.consensus.step(input, &mut inner);
        self.carry_out(inner, effects);
    }

    /// Translates effects of consensus, in order; those that the node answers itself feed it again.
    pub(super) fn carry_out(&mut self, inner: Vec<consensus::Effect>, effects: &mut Vec<Effect>) {
        for effect in inner {
            match effect {
                consensus::Effect::Persist(entry) => effects.push(Effect::Persist(entry)),
                consensus::Effect::Propose(header) => self.propose(&header, effects),
                consensus::Effect::Cast(vote) => {
                    let to = Audience::Auditors { and: self.config.me };
                    effects.push(Effect::Cast { vote, to });
                }
                consensus::Effect::Publish { certificate, to } => {
                    effects.push(Effect::Send { to, message: Message::Certificate(certificate) });
                }
                consensus::Effect::Ask { to, epoch, view } => {
                    effects.push(Effect::Send { to, message: Message::Ask { epoch, view } });
                }
                consensus::Effect::Build { view, parent_view, parent } => {
                    self.build(view, parent_view, parent, effects);
                }
                consensus::Effect::Validate { view, hash } => {
                    self.bodies.begin(hash, view);
                    self.validate(hash, effects);
                }
                consensus::Effect::Arm { timer, after_ms } => {
                    if timer.kind == consensus::TimerKind::Retry {
                        self.on_view(effects);
                    }
                    effects.push(Effect::Arm { timer: Timer::Consensus(timer), after_ms });
                }
                consensus::Effect::Finalized(certificate) => {
                    self.on_finalized(certificate, effects);
                }
                consensus::Effect::Convict(evidence) => {
                    effects.push(Effect::Convict(evidence.clone()));
                    self.on_event(Event::Evidence(evidence.into()), effects);
                }
            }
        }
    }

    /// Takes an event, and passes it on when it is news.
    pub(super) fn on_event(&mut self, event: Event, effects: &mut Vec<Effect>) {
        if self.events.take(&event, &self.chain, &self.booked, &self.scheme) {
            self.learn(&event);
            let message = Message::Event(event);
            effects.push(Effect::Send { to: Audience::Everyone, message });
        }
    }

    /// How a receipt of service stands here; nothing where it is neither booked nor waits to be.
    #[must_use]
    pub fn service_state(&self, service: &Service) -> Option<ServiceState> {
        if self.chain.roster().has_served(service.epoch, &service.grant) {
            return Some(ServiceState::Booked);
        }
        self.events.has_service(service).then_some(ServiceState::Waiting)
    }

    /// The chain behind its last final block.
    #[must_use]
    pub fn chain(&self) -> &Arc<Chain> {
        &self.chain
    }

    /// Consensus of the open epoch.
    #[must_use]
    pub fn consensus(&self) -> &Consensus<R> {
        &self.consensus
    }

    /// What is booked.
    #[must_use]
    pub fn booked(&self) -> &Booked {
        &self.booked
    }

    /// Anchors on their way into Bitcoin.
    #[must_use]
    pub fn submitter(&self) -> &Submitter {
        &self.submitter
    }

    /// Records that wait for a block.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.pool.len()
    }

    /// How much a node keeps of what others sent, for a measure of memory: views, votes that wait,
    /// then proposals, Items, branches, blocks asked for, anchor ballots.
    #[must_use]
    pub fn sizes(&self) -> [usize; 7] {
        let [proposals, items, branches, wanted] = self.bodies.sizes();
        let views = self.consensus.slots().count();
        [views, self.intake.waiting(), proposals, items, branches, wanted, self.ballots.len()]
    }

    /// Which institution it is.
    #[must_use]
    pub fn me(&self) -> InstitutionId {
        self.config.me
    }
}

/// Consensus for the epoch that the chain has open.
pub(super) fn consensus_of<R: Rules>(
    config: &NodeConfig,
    chain: &Chain,
    rules: R,
    lost_at: Option<Timestamp>,
) -> Consensus<R> {
    let committees = chain.roster().committees().clone();
    let membership = Membership::new(&committees, config.me);
    let (genesis, opened) = chain.opened_at();
    let is_silent = is_silent(&rules, lost_at, committees.epoch, opened);
    let membership = if is_silent { membership.silent() } else { membership };
    let timing = Timing { turn_ms: chain.genesis().turn_ms, delay_ms: config.delay_ms };
    Consensus::new(rules, timing, committees, membership, genesis)
}

/// Whether a node whose log is gone must sign nothing in an epoch that opened with a block of this time.
//= harness/spec/consensus.md#con-7-safety-life-and-evidence
//# CON-7.12 (ours): A node that found its log damaged or missing MUST NOT sign anything for the first
//# epoch or for one whose predecessor ended with a block stamped at most 4,000 milliseconds after the
//# reading of its clock when it found the log so.
pub(super) fn is_silent(
    rules: &impl Rules,
    lost_at: Option<Timestamp>,
    epoch: Epoch,
    opened: Timestamp,
) -> bool {
    let Some(lost_at) = lost_at.filter(|_| !rules.votes_without_log()) else { return false };
    epoch == Epoch::new(0) || opened.get() <= lost_at.get().saturating_add(CLOCKS_APART_MS_MAX)
}
