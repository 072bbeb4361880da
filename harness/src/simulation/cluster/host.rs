//! A node: consensus, its intake, the ballot on the last anchor, and the chain.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use mdsm_core::consensus::{
    AnchorBallot, AnchorEffect, Audience, Consensus, Effect, Input, Intake, JournalEntry,
    Membership, Rules, Timer,
};
use mdsm_core::crypto::Identified as _;
use mdsm_core::ledger::{
    BlockHeader, Certificate, Evidence, SignedHeader, SignedVote, Subject, Vote,
};
use mdsm_core::roster::Committees;
use mdsm_core::types::{Digest, Epoch, InstitutionId, View};

use super::Action;
use super::chain::{Chain, Doubt};
use super::setup::{STARTED_MS, Setup};
use super::wire::{Block, Body, Wire};
use crate::simulation::world::To;

/// A node of the cluster.
#[derive(Debug)]
pub struct ConsensusHost<R: Rules> {
    pub(super) setup: Rc<Setup<R>>,
    pub(super) me: InstitutionId,
    /// Its clock minus the world's.
    pub(super) skew_ms: i64,
    pub(super) now_ms: u64,
    pub(super) chain: Chain,
    pub(super) consensus: Consensus<R>,
    pub(super) intake: Intake,
    pub(super) ballot: Option<AnchorBallot>,
    pub(super) everyone: Rc<[u32]>,
    pub(super) auditors: Rc<[u32]>,
    /// Blocks whose check waits for an ancestor.
    pub(super) unchecked: Vec<(View, Digest)>,
    /// A block to build that waits for its parent.
    pub(super) unbuilt: Option<(View, View, Digest)>,
    /// A finalization that waits for blocks.
    pub(super) unfinished: Option<Arc<Certificate>>,
    /// When whom was told that an epoch is over.
    pub(super) told: BTreeMap<u32, u64>,
    /// When who was asked how an epoch ended that they have left.
    pub(super) asked: BTreeMap<u32, u64>,
    /// The highest epoch that a message was of, when this node is not there yet.
    pub(super) ahead: Option<Epoch>,
    /// Blocks that were asked for.
    pub(super) missing: BTreeSet<Digest>,
    /// Whether a timer to ask again is running; one is enough for all of them.
    pub(super) is_fetching: bool,
    /// Committees of the epoch before.
    pub(super) before: Arc<Committees>,
    /// Its log lost something: it signs nothing in this epoch.
    pub(super) is_mute: bool,
    effects: Vec<Effect>,
    own: Vec<SignedVote>,
}

/// What a node writes.
#[derive(Clone, Debug)]
pub enum Entry {
    /// Of consensus.
    Consensus(JournalEntry),
    /// A block that the node proposes or votes for: others may need it after a crash.
    Block(Arc<Block>),
    /// A final block.
    Final(Arc<Block>),
}

/// What a node waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostTimer {
    /// Of consensus.
    Consensus(Timer),
    /// Blocks that were asked for should be here.
    Fetch,
    /// The anchor should be certified.
    Ballot(Epoch),
    /// A strategy wants to be asked.
    Strategy,
}

/// What a judge may look at.
#[derive(Clone, Debug)]
pub enum Seen {
    /// A block is final here.
    Final(Arc<Block>),
    /// Somebody is convicted.
    Convicted(Box<Evidence>),
    /// An anchor is certified here.
    Anchored(Arc<Certificate>),
    /// A vote came whose signature does not hold.
    Forged(InstitutionId),
}

impl<R: Rules> ConsensusHost<R> {
    /// A node that has not woken up yet.
    #[must_use]
    pub fn new(setup: &Rc<Setup<R>>, me: InstitutionId, skew_ms: i64) -> Self {
        let chain = Chain::new(setup);
        let membership = Membership::new(&chain.committees, me);
        let consensus = open(setup, &chain, membership);
        let institutions = 1..=setup.shape.institutions();
        let everyone = institutions.filter(|other| *other != me.get()).collect();
        let auditors = auditors(&chain, me);
        let before = chain.before.clone();
        Self {
            setup: setup.clone(),
            me,
            skew_ms,
            now_ms: 0,
            chain,
            consensus,
            intake: Intake::default(),
            ballot: None,
            everyone,
            auditors,
            unchecked: Vec::new(),
            unbuilt: None,
            unfinished: None,
            told: BTreeMap::new(),
            asked: BTreeMap::new(),
            ahead: None,
            missing: BTreeSet::new(),
            is_fetching: false,
            before,
            is_mute: false,
            effects: Vec::new(),
            own: Vec::new(),
        }
    }

    /// The institution.
    #[must_use]
    pub fn me(&self) -> InstitutionId {
        self.me
    }

    /// Its consensus.
    #[must_use]
    pub fn consensus(&self) -> &Consensus<R> {
        &self.consensus
    }

    /// Its chain.
    #[must_use]
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// What all nodes know.
    #[must_use]
    pub fn setup(&self) -> &Rc<Setup<R>> {
        &self.setup
    }

    /// Puts another node's state in the place of this one's, so that strategies look at that.
    pub fn mimic(
        &mut self,
        now_ms: u64,
        consensus: Consensus<R>,
        chain: Chain,
        everyone: Rc<[u32]>,
    ) {
        (self.now_ms, self.consensus, self.chain, self.everyone) =
            (now_ms, consensus, chain, everyone);
        self.auditors = auditors(&self.chain, self.me);
    }

    /// Everybody else.
    #[must_use]
    pub fn everyone(&self) -> &Rc<[u32]> {
        &self.everyone
    }

    /// The other auditors.
    #[must_use]
    pub fn auditors(&self) -> &Rc<[u32]> {
        &self.auditors
    }

    /// Things kept in memory that others could make grow: slots, waiting votes, blocks.
    #[must_use]
    pub fn load(&self) -> (usize, usize, usize) {
        (self.consensus.slots().count(), self.intake.waiting(), self.chain.kept())
    }

    /// Votes that wait in views behind the last final block.
    #[must_use]
    pub fn waiting_above_final(&self) -> u64 {
        self.intake.waiting_above(self.consensus.finalized().0) as u64
    }

    /// What it waits for, for people.
    #[must_use]
    pub fn waits(&self) -> String {
        let Self { unchecked, unbuilt, unfinished, missing, .. } = self;
        let unfinished = unfinished.as_ref().map(|certificate| certificate.vote);
        format!(
            "unchecked {unchecked:?} unbuilt {unbuilt:?} unfinished {unfinished:?} missing {missing:?}"
        )
    }

    /// Whether it has all blocks that it knows to be final.
    #[must_use]
    pub fn has_blocks(&self) -> bool {
        self.unfinished.is_none()
    }

    /// Whether it signs nothing in the open epoch, having lost its log.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.consensus.membership().is_silent()
    }

    /// Its clock.
    #[must_use]
    pub fn clock_ms(&self) -> i64 {
        STARTED_MS + i64::try_from(self.now_ms).unwrap_or(i64::MAX) + self.skew_ms
    }

    /// A vote of its own, signed.
    #[must_use]
    pub fn signed(&self, vote: Vote) -> SignedVote {
        let message = vote.message(&self.setup.chain);
        let signature = self.setup.signatures.sign(self.me, &message);
        SignedVote { vote, signer: self.me, signature }
    }

    /// A header, signed.
    #[must_use]
    pub fn signed_header(&self, header: BlockHeader) -> SignedHeader {
        let message = SignedHeader::message(&header.id());
        SignedHeader { header, signature: self.setup.signatures.sign(self.me, &message) }
    }

    pub(super) fn step(&mut self, input: Input, out: &mut Vec<Action<R>>) {
        let mut effects = std::mem::take(&mut self.effects);
        self.consensus.step(input, &mut effects);
        self.carry_out(effects, out);
    }

    /// Carries out effects, and those of their answers behind them.
    pub(super) fn carry_out(&mut self, mut effects: Vec<Effect>, out: &mut Vec<Action<R>>) {
        let mut own = std::mem::take(&mut self.own);
        for effect in effects.drain(..) {
            match effect {
                Effect::Persist(entry) => out.push(Action::Append(Entry::Consensus(entry))),
                Effect::Propose(header) => {
                    let block = Arc::new(Block::new(self.signed_header(*header)));
                    self.chain.keep(&block);
                    self.send(To::Many(self.everyone.clone()), Body::Proposal(block), out);
                }
                Effect::Cast(vote) => {
                    let signed = self.signed(vote);
                    let to = match vote.subject {
                        Subject::Anchor(_) => self.everyone.clone(),
                        _ => self.auditors.clone(),
                    };
                    self.send(To::Many(to), Body::Vote(signed), out);
                    own.push(signed);
                }
                Effect::Publish { certificate, to } => {
                    self.send_to(to, Body::Certificate(certificate), out);
                }
                Effect::Ask { to, epoch, view } => self.send_to(to, Body::Ask { epoch, view }, out),
                Effect::Build { view, parent_view, parent } => {
                    self.unbuilt = Some((view, parent_view, parent));
                }
                Effect::Validate { view, hash } => self.unchecked.push((view, hash)),
                Effect::Arm { timer, after_ms } => {
                    let timer = HostTimer::Consensus(timer);
                    out.push(Action::Arm { timer, after_ms });
                }
                Effect::Finalized(certificate) => self.unfinished = Some(certificate),
                Effect::Convict(evidence) => {
                    out.push(Action::Observe(Seen::Convicted(evidence)));
                }
            }
        }
        self.effects = effects;
        for signed in own.drain(..) {
            self.on_vote(self.me, signed, out);
        }
        self.own = own;
        self.settle(out);
    }

    /// Does what waits, as far as the blocks for it are here.
    pub(super) fn settle(&mut self, out: &mut Vec<Action<R>>) {
        if let Some(certificate) = self.unfinished.take() {
            self.finish(certificate, out);
        }
        if let Some(place) = self.unbuilt.take() {
            match self.chain.build(&self.setup, place, self.clock_ms()) {
                Ok(header) => {
                    let block = Arc::new(Block::new(self.signed_header(header)));
                    out.push(Action::Append(Entry::Block(block)));
                    self.step(Input::Built(Arc::new(header)), out);
                }
                Err(missing) => {
                    self.unbuilt = Some(place);
                    self.fetch(missing, out);
                }
            }
        }
        while let Some((view, hash)) = self.unchecked.pop() {
            let Some(signed) = self.chain.block(&hash).cloned() else { continue };
            match self.chain.check(&signed.header, self.clock_ms()) {
                Err(Doubt::Missing(missing)) => {
                    self.unchecked.push((view, hash));
                    return self.fetch(missing, out);
                }
                judged => {
                    let is_valid = judged.is_ok();
                    if is_valid {
                        out.push(Action::Append(Entry::Block(signed)));
                    }
                    self.step(Input::Validated { view, hash, is_valid }, out);
                }
            }
        }
    }

    /// The block of this certificate is final, once all up to it are here.
    fn finish(&mut self, certificate: Arc<Certificate>, out: &mut Vec<Action<R>>) {
        let Some(hash) = certificate.vote.subject.digest() else { return };
        let blocks = match self.chain.behind(hash) {
            Ok(blocks) => blocks,
            Err(missing) => {
                self.unfinished = Some(certificate);
                return self.fetch(missing, out);
            }
        };
        for signed in blocks {
            // Closing blocks make the last block of the epoch final and are no part of the chain.
            if self.chain.closed().is_some() {
                break;
            }
            self.chain.append(&signed);
            out.push(Action::Append(Entry::Final(signed.clone())));
            out.push(Action::Observe(Seen::Final(signed)));
        }
        if let Some(last) = self.chain.closed() {
            self.freeze(&last, certificate, out);
        }
    }

    /// The epoch is over: the next one begins, and this one's anchor is voted upon.
    fn freeze(&mut self, last: &Block, certificate: Arc<Certificate>, out: &mut Vec<Action<R>>) {
        self.before = self.chain.committees.clone();
        self.is_mute = false;
        self.chain = self.chain.freeze(&self.setup, last, certificate);
        out.push(Action::Checkpoint(self.chain.clone()));
        self.begin(Membership::new(&self.chain.committees, self.me));
        let mut effects = Vec::new();
        self.consensus.start(&mut effects);
        self.carry_out(effects, out);
        self.ask_for_epoch(out);
        self.ballot = Some(AnchorBallot::new(&self.before, self.me));
        self.vote_anchor(out);
    }

    /// A new consensus for the epoch of the chain.
    pub(super) fn begin(&mut self, membership: Membership) {
        self.consensus = open(&self.setup, &self.chain, membership);
        self.intake = Intake::default();
        self.auditors = auditors(&self.chain, self.me);
        self.unchecked.clear();
        (self.unbuilt, self.unfinished) = (None, None);
    }

    pub(super) fn send_to(&self, to: Audience, body: Body, out: &mut Vec<Action<R>>) {
        let message = Rc::new(Wire::new(body));
        let (to, and) = match to {
            Audience::Everyone => (To::Many(self.everyone.clone()), None),
            Audience::One(one) => (To::One(one.get()), None),
            Audience::Auditors { and } => (To::Many(self.auditors.clone()), Some(and)),
        };
        let is_new = |and: &InstitutionId| *and != self.me && !self.auditors.contains(&and.get());
        if let Some(and) = and.filter(is_new) {
            let to = To::One(and.get());
            out.push(Action::Send { to, message: message.clone() });
        }
        out.push(Action::Send { to, message });
    }

    pub(super) fn send(&self, to: To, body: Body, out: &mut Vec<Action<R>>) {
        out.push(Action::Send { to, message: Rc::new(Wire::new(body)) });
    }

    pub(super) fn anchor_effects(&mut self, effects: Vec<AnchorEffect>, out: &mut Vec<Action<R>>) {
        for effect in effects {
            match effect {
                AnchorEffect::Consensus(effect) => self.carry_out(vec![effect], out),
                AnchorEffect::Certified(certificate) => {
                    out.push(Action::Observe(Seen::Anchored(certificate)));
                }
            }
        }
    }
}

fn open<R: Rules>(setup: &Setup<R>, chain: &Chain, membership: Membership) -> Consensus<R> {
    let (timing, committees) = (setup.timing(), chain.committees.clone());
    Consensus::new(setup.rules.clone(), timing, committees, membership, chain.genesis)
}

fn auditors(chain: &Chain, me: InstitutionId) -> Rc<[u32]> {
    let seats = chain.committees.auditors.iter().map(|seat| seat.institution);
    seats.filter(|other| *other != me).map(InstitutionId::get).collect()
}
