//! Nodes: a machine, its disk, and what it ever sent, one state a number.

use std::fmt;

use mdsm_core::consensus::{JournalEntry, Rules, TimerKind};
use mdsm_core::ledger::{Subject, Vote};
use mdsm_core::types::{InstitutionId, View};
use serde::{Deserialize, Serialize};

use super::bits::{Bits, FoldMap};
use super::machines::{Act, Fx, Machines};
use super::universe::{Flaw, Full, Kind, Universe};

/// A claim that did not hold. The names are those of the invariants of the protocol's notes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Claim {
    /// Two conflicting blocks can be certified to be final.
    I1Agreement,
    /// Two blocks of one view can be certified to be notarized.
    I2OneNotarization,
    /// One view can be certified to be finalized and nullified.
    I3Exclusion,
    /// An honest node votes for a block that is invalid or not by the leader.
    I4ValidBlock,
    /// A final block whose parent is not notarized, or that leaves out a view that is not nullified.
    I5ParentRule,
    /// An honest node sends two votes that exclude each other.
    I7NoContradiction,
    /// An honest node sends a vote before it stored it and what justifies it.
    I8StoredFirst,
    /// A node notarizes a view that it nullified before.
    S1Order,
    /// A block of an epoch is notarized before the last one of the epoch before is final.
    I14EpochOrder,
    /// A node that lost its log votes in the same epoch.
    NoVoteWithoutLog,
    /// A node whose return from its log was cut off comes back as another one.
    RestartRepeats,
    /// A node that comes back does not send again the votes that still matter.
    RestartCasts,
    /// A certificate that is new to a node is not passed on.
    PassedOn,
    /// A view is entered without timers.
    TimersRun,
    /// No new block becomes final after the network heals.
    I17Life,
    /// A certificate rests on fewer distinct voters than it must.
    I9Certificate,
    /// Somebody is accused of what it did not do.
    I12JustAccusation,
    /// A contradiction that was heard leaves no evidence.
    Evidence,
    /// Votes of a quorum make no certificate.
    Counted,
    /// A message that means nothing was taken.
    Refused,
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::I1Agreement => "I1: two conflicting blocks can be certified to be final",
            Self::I2OneNotarization => "I2: two blocks of one view can be certified to be notarized",
            Self::I3Exclusion => "I3: one view can be certified to be finalized and nullified",
            Self::I4ValidBlock => "I4: an honest auditor votes for a block that is invalid or not by the leader",
            Self::I5ParentRule => "I5: a final block breaks the parent rule",
            Self::I7NoContradiction => "I7: an honest auditor sends votes that exclude each other",
            Self::I8StoredFirst => "I8: a vote is sent before it and what justifies it are stored",
            Self::S1Order => "S1: a view is notarized by a node that nullified it before",
            Self::I14EpochOrder => "I14: a block of an epoch is notarized before the last one of the epoch before is final",
            Self::NoVoteWithoutLog => "CON-7.5: a node without its log votes in the same epoch",
            Self::RestartRepeats => "a restart that was cut off ends elsewhere than one that was not",
            Self::RestartCasts => "a node that comes back does not send its votes again",
            Self::PassedOn => "a new certificate is not passed on",
            Self::TimersRun => "a view is entered without timers",
            Self::I17Life => "I17: no new block becomes final after the network heals",
            Self::I9Certificate => "I9: a certificate rests on too few distinct voters",
            Self::I12JustAccusation => "I12: an honest voter is accused",
            Self::Evidence => "a contradiction that was heard leaves no evidence",
            Self::Counted => "votes of a quorum make no certificate",
            Self::Refused => "a message that means nothing was taken",
        })
    }
}

/// Which claims are checked; to see what a mistake leads to, those that name it can be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checks {
    /// Claims about single steps of a node: I4, I7, I8, S1 and those on restarts and timers.
    pub steps: bool,
}

/// A node.
#[derive(Clone, Debug)]
struct Node {
    machine: u32,
    log: Bits,
    sent: Bits,
    /// Certificates that are known to change nothing.
    inert: Bits,
    /// What can happen to it whatever the others do.
    local: Option<(u32, u32)>,
    /// What certificates do: ranges of edges by number of the vote.
    certified: Vec<Option<(u32, u32)>>,
    fault: Option<Claim>,
}

/// Something that can happen to a node, and what becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// The node behind it.
    pub to: u32,
    /// What happens.
    pub act: Act,
    /// How many effects are carried out before the node crashes; nothing when it does not.
    pub cut: Option<u8>,
}

impl Edge {
    /// Whether a crash is part of it.
    #[must_use]
    pub(super) fn crashes(&self) -> bool {
        self.cut.is_some() || matches!(self.act, Act::Crash | Act::Forget)
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Key {
    machine: u32,
    log: Bits,
    sent: Bits,
}

/// The machine that came back, and what it did.
type Recovered = (u32, Box<[Fx]>);

/// All nodes seen, and what can happen to them.
#[derive(Debug)]
pub(super) struct Nodes<R> {
    /// What can be said.
    pub(super) universe: Universe,
    /// Their machines.
    pub(super) machines: Machines<R>,
    checks: Checks,
    known: Vec<Node>,
    ids: FoldMap<Key, u32>,
    edges: Vec<Edge>,
    restarts: FoldMap<(InstitutionId, bool, Bits), Recovered>,
    /// Crashes inside a step, told apart.
    pub(super) cuts: u64,
}

fn at(index: u32) -> usize {
    usize::try_from(index).unwrap_or(usize::MAX)
}

fn count(len: usize) -> Result<u32, Full> {
    u32::try_from(len).map_err(|_| "more than 2^32 edges")
}

impl<R: Rules> Nodes<R> {
    /// None yet.
    #[must_use]
    pub(super) fn new(universe: Universe, rules: R, checks: Checks) -> Self {
        Self {
            universe,
            machines: Machines::new(rules),
            checks,
            known: Vec::new(),
            ids: FoldMap::default(),
            edges: Vec::new(),
            restarts: FoldMap::default(),
            cuts: 0,
        }
    }

    /// How many nodes are known.
    #[must_use]
    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    /// The machine of a node.
    #[must_use]
    pub(super) fn machine(&self, node: u32) -> u32 {
        self.known[at(node)].machine
    }

    /// The votes that a node ever sent.
    #[must_use]
    pub(super) fn sent(&self, node: u32) -> Bits {
        self.known[at(node)].sent
    }

    /// What a node stored.
    #[must_use]
    pub(super) fn log(&self, node: u32) -> Bits {
        self.known[at(node)].log
    }

    /// The claim that the way to a node broke.
    #[must_use]
    pub(super) fn fault(&self, node: u32) -> Option<Claim> {
        self.known[at(node)].fault
    }

    /// An edge.
    #[must_use]
    pub(super) fn edge(&self, edge: u32) -> Edge {
        self.edges[at(edge)]
    }

    /// Certificates that may change a node, of those that can be made.
    #[must_use]
    pub(super) fn matters(&self, node: u32, certified: Bits) -> Bits {
        certified.without(self.known[at(node)].inert)
    }

    /// An actor that has just started.
    ///
    /// # Errors
    /// When more can be said than fits.
    pub(super) fn boot(&mut self, actor: u8) -> Result<u32, Full> {
        let me = self.universe.actor(actor);
        let done = self.machines.start(&mut self.universe, me, false, None)?;
        let (log, sent, fault) =
            self.carry_out(Bits::default(), Bits::default(), done.to, &done.effects);
        self.intern(done.to, log, sent, fault)
    }

    fn intern(
        &mut self,
        machine: u32,
        log: Bits,
        sent: Bits,
        fault: Option<Claim>,
    ) -> Result<u32, Full> {
        let key = Key { machine, log, sent };
        let fault = fault.filter(|_| self.checks.steps);
        if let (Some(node), None) = (self.ids.get(&key), fault) {
            return Ok(*node);
        }
        let fault = fault.or_else(|| self.contradiction(sent));
        let node = count(self.known.len())?;
        let (inert, certified) = (Bits::default(), Vec::new());
        self.known.push(Node { machine, log, sent, inert, local: None, certified, fault });
        if fault.is_none() {
            self.ids.insert(key, node);
        }
        Ok(node)
    }

    /// What happens to a node whatever the others do: blocks, timers, crashes.
    ///
    /// # Errors
    /// When more can be said than fits.
    pub(super) fn local(&mut self, node: u32) -> Result<(u32, u32), Full> {
        if let Some(range) = self.known[at(node)].local {
            return Ok(range);
        }
        let first = count(self.edges.len())?;
        let machine = self.machine(node);
        if self.only_watches(machine) {
            self.known[at(node)].local = Some((first, first));
            return Ok((first, first));
        }
        let (epoch, view) = (self.machines.epoch(machine), self.machines.view(machine));
        let views = self.universe.config.views_of(epoch);
        let is_reduced = self.universe.config.reduction.proposals;
        let first_view = if is_reduced { view } else { 1 };
        let last_view = if is_reduced { view.min(views) } else { views };
        for view in first_view..=last_view {
            for block in self.universe.offers(view).to_vec() {
                self.act(node, Act::Propose(block))?;
            }
        }
        for past in 1..=view.min(views) {
            self.act(node, Act::Time(TimerKind::View, past))?;
            if !is_reduced {
                self.act(node, Act::Time(TimerKind::Proposal, past))?;
            }
        }
        if self.universe.config.crashes > 0 {
            let back = self.restart(self.known[at(node)].log, self.sent(node), node, false)?;
            self.push(node, Edge { to: back, act: Act::Crash, cut: None });
            if self.universe.config.amnesia {
                let back = self.restart(Bits::default(), self.sent(node), node, true)?;
                self.push(node, Edge { to: back, act: Act::Forget, cut: None });
            }
        }
        let range = (first, count(self.edges.len())?);
        self.known[at(node)].local = Some(range);
        Ok(range)
    }

    /// What a certificate does to a node.
    ///
    /// # Errors
    /// When more can be said than fits.
    pub(super) fn certify(&mut self, node: u32, vote: u8) -> Result<(u32, u32), Full> {
        let known = &self.known[at(node)].certified;
        if let Some(Some(range)) = known.get(usize::from(vote)) {
            return Ok(*range);
        }
        let first = count(self.edges.len())?;
        if !self.only_watches(self.machine(node)) || self.ends_epoch(vote) {
            self.act(node, Act::Certify(vote))?;
        }
        let range = (first, count(self.edges.len())?);
        let node = &mut self.known[at(node)];
        let len = node.certified.len().max(usize::from(vote) + 1);
        node.certified.resize(len, None);
        node.certified[usize::from(vote)] = Some(range);
        if range.0 == range.1 {
            node.inert.set(vote);
        }
        Ok(range)
    }

    /// Whether a node has no vote in its epoch, and is not followed while the epoch lasts.
    fn only_watches(&self, machine: u32) -> bool {
        self.universe.config.skips_observers() && !self.machines.place(machine).votes
    }

    /// Whether a certificate makes the last block of an epoch final.
    fn ends_epoch(&self, vote: u8) -> bool {
        let vote = self.universe.vote_at(vote);
        let block = match &vote.subject {
            Subject::Finalize(hash) => self.universe.by_hash(hash),
            _ => None,
        };
        block.is_some_and(|block| self.universe.last_below(block).is_some())
    }

    /// Takes an edge again by what it says, for a replay.
    ///
    /// # Errors
    /// When more can be said than fits, or nothing like it can happen.
    pub(super) fn take(&mut self, node: u32, act: Act, cut: Option<u8>) -> Result<u32, Full> {
        let first = self.edges.len();
        match act {
            Act::Crash => return self.restart(self.log(node), self.sent(node), node, false),
            Act::Forget => return self.restart(Bits::default(), self.sent(node), node, true),
            _ => self.act(node, act)?,
        }
        let edge = self.edges[first..].iter().find(|edge| edge.cut == cut);
        edge.map(|edge| edge.to).ok_or("nothing happens")
    }

    fn push(&mut self, node: u32, edge: Edge) {
        if edge.to != node {
            self.edges.push(edge);
        }
    }

    /// Adds the edge of an act, and those on which the node crashes inside it.
    fn act(&mut self, node: u32, act: Act) -> Result<(), Full> {
        let (machine, log, sent) = (self.machine(node), self.log(node), self.sent(node));
        let step = self.machines.step(&mut self.universe, machine, act)?;
        let outcome = self.machines.outcome(step).clone();
        let (log_after, sent_after, mut fault) =
            self.carry_out(log, sent, outcome.to, &outcome.effects);
        if let Act::Certify(vote) = act {
            fault = fault.or_else(|| self.not_passed_on(machine, vote, &outcome.effects));
        }
        let to = self.intern(outcome.to, log_after, sent_after, fault)?;
        let whole = (log_after, sent_after);
        self.push(node, Edge { to, act, cut: None });
        if self.universe.config.crashes == 0 || outcome.effects.len() < 2 {
            return Ok(());
        }
        let mut before = (log, sent);
        let mut seen = Vec::new();
        for cut in 1..outcome.effects.len() {
            let (log, sent, fault) = self.carry_out(log, sent, outcome.to, &outcome.effects[..cut]);
            // Between two effects that leave no trace a crash is the same.
            let is_new = (log, sent) != before && (log, sent) != whole;
            before = (log, sent);
            if !is_new || fault.is_some() {
                continue;
            }
            let back = self.restart(log, sent, node, false)?;
            if seen.contains(&back) {
                continue;
            }
            seen.push(back);
            self.cuts += 1;
            let cut = u8::try_from(cut).map_err(|_| "more than 255 effects of a step")?;
            self.push(node, Edge { to: back, act, cut: Some(cut) });
        }
        Ok(())
    }

    /// A node comes back from a log; `forgets` when the log is not its own, whole one.
    fn restart(&mut self, log: Bits, sent: Bits, node: u32, forgets: bool) -> Result<u32, Full> {
        let local = self.machines.local(self.machine(node));
        let me = local.me;
        let is_silent = local.is_silent || (forgets && !self.machines.rules().votes_without_log());
        let (to, effects) = self.recover(me, is_silent, log)?;
        let (log_after, sent_after, mut fault) = self.carry_out(log, sent, to, &effects);
        if !forgets && !is_silent {
            let cast = effects.iter().fold(Bits::default(), |cast, fx| match fx {
                Fx::Cast(vote) => cast.with(*vote),
                _ => cast,
            });
            fault = fault.or_else(|| self.not_cast_again(to, log, cast));
            for cut in 1..effects.len() {
                let (log, _, _) = self.carry_out(log, sent, to, &effects[..cut]);
                let (again, _) = self.recover(me, is_silent, log)?;
                if again != to {
                    fault = fault.or(Some(Claim::RestartRepeats));
                }
            }
        }
        if forgets && !self.machines.local(to).is_silent {
            fault = fault.or(Some(Claim::NoVoteWithoutLog));
        }
        self.intern(to, log_after, sent_after, fault)
    }

    fn recover(
        &mut self,
        me: InstitutionId,
        is_silent: bool,
        log: Bits,
    ) -> Result<Recovered, Full> {
        if let Some((to, effects)) = self.restarts.get(&(me, is_silent, log)) {
            return Ok((*to, effects.clone()));
        }
        let done = self.machines.start(&mut self.universe, me, is_silent, Some(log))?;
        self.restarts.insert((me, is_silent, log), (done.to, done.effects.clone()));
        Ok((done.to, done.effects))
    }

    /// Carries effects out: what is stored, what is sent, and the first claim that this breaks.
    fn carry_out(
        &mut self,
        log: Bits,
        sent: Bits,
        to: u32,
        effects: &[Fx],
    ) -> (Bits, Bits, Option<Claim>) {
        let (mut log, mut sent, mut fault) = (log, sent, None);
        for fx in effects {
            match *fx {
                Fx::Persist(entry) => log.set(entry),
                Fx::Cast(vote) => {
                    fault = fault.or_else(|| self.unjustified(vote, log, sent));
                    sent.set(vote);
                }
                _ => {}
            }
        }
        if self.machines.unarmed == Some(to) {
            fault = fault.or(Some(Claim::TimersRun));
        }
        (log, sent, fault)
    }

    /// What is wrong with sending a vote, given what is stored and was sent.
    fn unjustified(&self, vote: u8, log: Bits, sent: Bits) -> Option<Claim> {
        let cast = *self.universe.vote_at(vote);
        let has =
            |entry: &JournalEntry| self.universe.entry_known(entry).is_some_and(|at| log.has(at));
        let is_certified = |subject, view| {
            let certified = self.universe.vote_known(&Vote { epoch: cast.epoch, view, subject });
            let certificate = certified.map(|at| self.universe.certificate(at).clone());
            certificate.is_some_and(|held| has(&JournalEntry::Certified(held)))
        };
        let block = cast.subject.digest().and_then(|hash| self.universe.by_hash(hash));
        let known = block.map(|block| self.universe.known(block));
        if matches!(cast.subject, Subject::Notarize(_)) {
            if known.is_none_or(|known| known.flaw != Flaw::None) {
                return Some(Claim::I4ValidBlock);
            }
            let nullify = Vote { subject: Subject::Nullify, ..cast };
            let is_again = sent.has(vote);
            if !is_again && self.universe.vote_known(&nullify).is_some_and(|at| sent.has(at)) {
                return Some(Claim::S1Order);
            }
        }
        if !has(&JournalEntry::Voted(cast)) {
            return Some(Claim::I8StoredFirst);
        }
        // What justifies a finalize vote is its notarization; the others, that the view was entered.
        let is_justified = match cast.subject {
            Subject::Finalize(hash) => is_certified(Subject::Notarize(hash), cast.view),
            _ if cast.view == View::new(1) => true,
            _ => log.iter().any(|entry| match self.universe.entry_at(entry) {
                JournalEntry::Certified(held) => {
                    held.vote.epoch == cast.epoch && held.vote.view.next() == Some(cast.view)
                }
                _ => false,
            }),
        };
        (!is_justified).then_some(Claim::I8StoredFirst)
    }

    /// Whether votes that a node sent exclude each other.
    fn contradiction(&self, sent: Bits) -> Option<Claim> {
        let votes: Vec<&Vote> = sent.iter().map(|vote| self.universe.vote_at(vote)).collect();
        let excludes = |a: &Vote, b: &Vote| {
            (a.epoch, a.view) == (b.epoch, b.view)
                && match (a.subject, b.subject) {
                    (Subject::Notarize(x), Subject::Notarize(y))
                    | (Subject::Finalize(x), Subject::Finalize(y)) => x != y,
                    (Subject::Nullify, Subject::Finalize(_)) => true,
                    _ => false,
                }
        };
        let broken = votes.iter().any(|a| votes.iter().any(|b| excludes(a, b)));
        (broken && self.checks.steps).then_some(Claim::I7NoContradiction)
    }

    /// A node that comes back sends its finalize votes for blocks that are not final, and its votes of
    /// the view that it is in.
    fn not_cast_again(&self, to: u32, log: Bits, cast: Bits) -> Option<Claim> {
        let machine = &self.machines.local(to).machine;
        if !machine.votes() {
            return None;
        }
        let due = |vote: &Vote| {
            vote.epoch == machine.epoch()
                && vote.view > machine.finalized().0
                && (vote.view == machine.view() || matches!(vote.subject, Subject::Finalize(_)))
        };
        let missing = log.iter().any(|entry| match self.universe.entry_at(entry) {
            JournalEntry::Voted(vote) => {
                due(vote) && self.universe.vote_known(vote).is_none_or(|at| !cast.has(at))
            }
            _ => false,
        });
        missing.then_some(Claim::RestartCasts)
    }

    /// An auditor passes on what is new to it.
    fn not_passed_on(&self, machine: u32, vote: u8, effects: &[Fx]) -> Option<Claim> {
        let is_auditor =
            self.machines.local(machine).machine.seat_of(self.machines.local(machine).me).is_some();
        let certificate = JournalEntry::Certified(self.universe.certificate(vote).clone());
        let entry = self.universe.entry_known(&certificate);
        let is_new = entry.is_some_and(|entry| effects.contains(&Fx::Persist(entry)));
        let passed = effects.iter().any(|fx| matches!(fx, Fx::Publish(at, _) if *at == vote));
        (is_auditor && is_new && !passed).then_some(Claim::PassedOn)
    }

    /// Whether a node voted for a block that opens or carries an epoch behind another, closing ones
    /// excepted; by the votes it sent.
    #[must_use]
    pub(super) fn later_notarize(&self, sent: Bits) -> Bits {
        let is_later = |vote: &Vote| match vote.subject {
            Subject::Notarize(hash) => self.universe.by_hash(&hash).is_some_and(|at| {
                let known = self.universe.known(at);
                known.epoch > 0 && known.kind != Kind::Closing
            }),
            _ => false,
        };
        let votes = sent.iter().filter(|vote| is_later(self.universe.vote_at(*vote)));
        votes.fold(Bits::default(), Bits::with)
    }
}
