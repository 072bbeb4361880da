//! The shipped machine, one state a number, each step computed once.
//!
//! Around the machine stands what a node does with its effects: a block is checked at once, a node that
//! sees the last block of its epoch final goes on to the next one.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use mdsm_core::consensus::{
    Audience, Consensus, Effect, Input, JournalEntry, Membership, Own, Rules, Timer, TimerKind,
    Timing,
};
use mdsm_core::crypto::Identified as _;
use mdsm_core::ledger::Subject;
use mdsm_core::types::{Digest, Epoch, InstitutionId, View};

use super::bits::{Bits, FoldMap};
use super::universe::{Flaw, Full, HONEST, Known, Universe};

/// No time passes here; what is armed is looked at, not waited for.
const TIMING: Timing = Timing { turn_ms: 1, delay_ms: 1 };

/// What can happen to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Act {
    /// A block arrives.
    Propose(u16),
    /// A block arrives and is kept until its parent is certified; in suffixes.
    Offer(u16),
    /// A certificate arrives, by the number of its vote.
    Certify(u8),
    /// A timer of a view runs out.
    Time(TimerKind, u8),
    /// The node with this number asks what certifies a view.
    Asked(u8),
    /// It crashes and comes back from its log.
    Crash,
    /// It crashes and comes back without its log.
    Forget,
}

impl Act {
    /// A number of its own.
    fn code(self) -> u64 {
        let wide = |tag: u64, what: u16| tag << 16 | u64::from(what);
        match self {
            Self::Propose(block) => wide(0, block),
            Self::Offer(block) => wide(1, block),
            Self::Certify(vote) => wide(2, vote.into()),
            Self::Asked(view) => wide(3, view.into()),
            Self::Crash => wide(4, 0),
            Self::Forget => wide(4, 1),
            Self::Time(TimerKind::Turn, view) => wide(5, view.into()),
            Self::Time(TimerKind::Proposal, view) => wide(6, view.into()),
            Self::Time(TimerKind::View, view) => wide(7, view.into()),
            Self::Time(TimerKind::Retry, view) => wide(8, view.into()),
        }
    }
}

/// To whom a certificate goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum To {
    /// The auditors and the leader.
    All,
    /// The leader.
    Leader,
    /// The one who asked.
    Asker,
}

/// What a step does, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Fx {
    /// Stores an entry.
    Persist(u8),
    /// Sends a vote.
    Cast(u8),
    /// Passes a certificate on.
    Publish(u8, To),
    /// Asks for what certifies a view: the leader, or the auditors.
    Ask(u8, bool),
    /// Proposes a block.
    Propose(u16),
    /// Sets a timer of a view.
    Arm(TimerKind, u8),
    /// Holds a block for final.
    Final(u8),
    /// Has a block checked.
    Check(u16),
}

/// Where a step leads.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    /// The machine behind it.
    pub(super) to: u32,
    /// What it does, in order.
    pub(super) effects: Box<[Fx]>,
}

/// A node without its disk.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Local<R> {
    /// Whose it is.
    pub(super) me: InstitutionId,
    /// Whether it lost its log in this epoch.
    pub(super) is_silent: bool,
    /// Whether it keeps a proposal that waits for its parent's certificates.
    pub(super) keeps: bool,
    /// The machine of its epoch.
    pub(super) machine: Consensus<R>,
}

/// What tells machines apart.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Key<R> {
    /// Everything.
    Whole(Box<Local<R>>),
    /// Everything but proposals that were voted upon.
    Told(Box<Told>),
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Told {
    me: InstitutionId,
    is_silent: bool,
    epoch: Epoch,
    genesis: Digest,
    view: View,
    finalized: (View, Digest),
    slots: Vec<(View, Own, [Option<Digest>; 2], bool)>,
}

/// Where a machine stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Its epoch.
    pub(super) epoch: u8,
    /// Its view.
    pub(super) view: u8,
    /// The view of its last final block.
    pub(super) finalized: u8,
    /// Whether it has a vote.
    pub(super) votes: bool,
}

/// All machines seen, and their steps.
#[derive(Debug)]
pub(super) struct Machines<R> {
    rules: R,
    known: Vec<Local<R>>,
    ids: HashMap<Key<R>, u32>,
    steps: FoldMap<u64, u32>,
    /// Of each machine what is asked most often, without a look at the whole of it.
    places: Vec<Place>,
    outcomes: Vec<Outcome>,
    /// How often the machine really ran.
    pub(super) runs: u64,
    /// A view that was entered without its timers.
    pub(super) unarmed: Option<u32>,
}

impl<R: Rules> Machines<R> {
    /// None yet.
    #[must_use]
    pub(super) fn new(rules: R) -> Self {
        Self {
            rules,
            known: Vec::new(),
            ids: HashMap::new(),
            steps: FoldMap::default(),
            places: Vec::new(),
            outcomes: Vec::new(),
            runs: 0,
            unarmed: None,
        }
    }

    /// The rules.
    #[must_use]
    pub(super) fn rules(&self) -> &R {
        &self.rules
    }

    /// A machine.
    #[must_use]
    pub(super) fn local(&self, machine: u32) -> &Local<R> {
        &self.known[usize::try_from(machine).unwrap_or(usize::MAX)]
    }

    /// How many machines are known.
    #[must_use]
    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    /// Where a machine stands.
    #[must_use]
    pub(super) fn place(&self, machine: u32) -> Place {
        self.places[usize::try_from(machine).unwrap_or(usize::MAX)]
    }

    /// The epoch of a machine.
    #[must_use]
    pub(super) fn epoch(&self, machine: u32) -> u8 {
        self.place(machine).epoch
    }

    /// The view of a machine.
    #[must_use]
    pub(super) fn view(&self, machine: u32) -> u8 {
        self.place(machine).view
    }

    /// Starts a node, or brings one back from its log.
    ///
    /// # Errors
    /// When more can be said than fits.
    pub(super) fn start(
        &mut self,
        universe: &mut Universe,
        me: InstitutionId,
        is_silent: bool,
        log: Option<Bits>,
    ) -> Result<Outcome, Full> {
        let entries: Vec<JournalEntry> =
            log.unwrap_or_default().iter().map(|entry| universe.entry_at(entry).clone()).collect();
        let left = entries.iter().find_map(|entry| match entry {
            JournalEntry::Certified(certificate) => match certificate.vote.subject {
                Subject::Finalize(hash) => {
                    universe.by_hash(&hash).and_then(|at| universe.last_below(at))
                }
                _ => None,
            },
            _ => None,
        });
        let left = left.filter(|at| universe.known(*at).epoch + 1 < universe.config.epochs);
        let (epoch, genesis) = match left {
            Some(last) => (universe.known(last).epoch + 1, universe.known(last).hash),
            None => (0, universe.genesis()),
        };
        let mut local = self.fresh(universe, me, is_silent, epoch, genesis);
        let mut effects = Vec::new();
        let recovered = match log {
            Some(_) => local.machine.recover(&entries, &mut effects).is_ok(),
            None => {
                local.machine.start(&mut effects);
                true
            }
        };
        if !recovered {
            // A log of another chain: nobody can vote with it.
            local.is_silent = true;
            local.machine.start(&mut effects);
        }
        self.runs += 1;
        let done = self.carry_out(universe, local, effects)?;
        self.check_timers(None, &done);
        Ok(done)
    }

    fn fresh(
        &self,
        universe: &Universe,
        me: InstitutionId,
        is_silent: bool,
        epoch: u8,
        genesis: Digest,
    ) -> Local<R> {
        let committees = universe.committees[usize::from(epoch)].clone();
        let place = Membership::new(&committees, me);
        let place = if is_silent { place.silent() } else { place };
        let machine = Consensus::new(self.rules.clone(), TIMING, committees, place, genesis);
        Local { me, is_silent, keeps: false, machine }
    }

    /// What an act does to a machine.
    ///
    /// # Errors
    /// When more can be said than fits.
    pub(super) fn step(
        &mut self,
        universe: &mut Universe,
        machine: u32,
        act: Act,
    ) -> Result<u32, Full> {
        let key = u64::from(machine) << 32 | act.code();
        if let Some(outcome) = self.steps.get(&key) {
            return Ok(*outcome);
        }
        let epoch = self.local(machine).machine.epoch();
        let input = match act {
            Act::Propose(block) | Act::Offer(block) => {
                Input::Proposal(universe.known(block).sealed.clone())
            }
            Act::Certify(vote) => Input::Certificate(universe.certificate(vote).clone()),
            Act::Time(kind, view) => {
                Input::Timeout(Timer { epoch, view: View::new(u64::from(view)), kind })
            }
            Act::Asked(view) => {
                let from = self.local(machine).me;
                Input::Asked { from, epoch, view: View::new(u64::from(view)) }
            }
            Act::Crash | Act::Forget => return Err("a crash is no step of a machine"),
        };
        let mut local = self.local(machine).clone();
        let mut effects = Vec::new();
        local.machine.step(input, &mut effects);
        self.runs += 1;
        let checks = effects.iter().any(|effect| matches!(effect, Effect::Validate { .. }));
        let view = local.machine.view();
        local.keeps &= !checks && view == self.local(machine).machine.view();
        if let Act::Offer(block) = act {
            let is_next = u64::from(universe.known(block).view) == view.get();
            local.keeps |= is_next && !checks && local.machine.votes();
        }
        let is_early = matches!(act, Act::Propose(_)) && !checks;
        let done = if is_early && universe.config.reduction.proposals {
            Outcome { to: machine, effects: Box::default() }
        } else {
            self.carry_out(universe, local, effects)?
        };
        self.check_timers(Some(machine), &done);
        let at = u32::try_from(self.outcomes.len()).map_err(|_| "more than 2^32 steps")?;
        self.outcomes.push(done);
        self.steps.insert(key, at);
        Ok(at)
    }

    /// The outcome of a step.
    #[must_use]
    pub(super) fn outcome(&self, at: u32) -> &Outcome {
        &self.outcomes[usize::try_from(at).unwrap_or(usize::MAX)]
    }

    /// Answers what the machine asks of its node, in order, until nothing is left.
    fn carry_out(
        &mut self,
        universe: &mut Universe,
        mut local: Local<R>,
        effects: Vec<Effect>,
    ) -> Result<Outcome, Full> {
        let mut done = Vec::new();
        let mut queue: VecDeque<Effect> = effects.into();
        let mut answers = VecDeque::new();
        let mut left = None;
        loop {
            let Some(effect) = queue.pop_front() else {
                if let Some(last) = left.take() {
                    // What the old machine still asked for is nobody's business any more.
                    answers.clear();
                    let (epoch, genesis): (u8, Digest) = {
                        let last: &Known = universe.known(last);
                        (last.epoch + 1, last.hash)
                    };
                    // The new committee starts with a log that is whole: the silence ends.
                    local = self.fresh(universe, local.me, false, epoch, genesis);
                    let mut effects = Vec::new();
                    local.machine.start(&mut effects);
                    queue.extend(effects);
                    continue;
                }
                let Some(input) = answers.pop_front() else { break };
                let mut effects = Vec::new();
                local.machine.step(input, &mut effects);
                queue.extend(effects);
                continue;
            };
            match effect {
                Effect::Persist(entry) => done.push(Fx::Persist(universe.entry(&entry)?)),
                Effect::Propose(header) => {
                    let block = universe.by_hash(&header.id());
                    done.extend(block.map(Fx::Propose));
                }
                Effect::Cast(vote) => done.push(Fx::Cast(universe.vote(&vote)?)),
                Effect::Publish { certificate, to } => {
                    let vote = universe.vote(&certificate.vote)?;
                    let leader = universe.leader(self.epoch_of(&local));
                    let to = match to {
                        Audience::Everyone | Audience::Auditors { .. } => To::All,
                        Audience::One(one) if one == leader => To::Leader,
                        Audience::One(_) => To::Asker,
                    };
                    done.push(Fx::Publish(vote, to));
                }
                Effect::Ask { to, view, .. } => {
                    let leader = universe.leader(self.epoch_of(&local));
                    let of_leader = to == Audience::One(leader);
                    done.push(Fx::Ask(narrow(view), of_leader));
                }
                Effect::Build { view, parent_view: _, parent } => {
                    let epoch = self.epoch_of(&local);
                    let parent = universe.by_hash(&parent);
                    let block = universe.block(epoch, narrow(view), parent, HONEST, Flaw::None)?;
                    answers.push_back(Input::Built(Arc::new(universe.known(block).sealed.header)));
                }
                Effect::Validate { view, hash } => {
                    let block = universe.by_hash(&hash).ok_or("an unknown block is checked")?;
                    let is_valid = universe.known(block).flaw != Flaw::Invalid;
                    done.push(Fx::Check(block));
                    answers.push_back(Input::Validated { view, hash, is_valid });
                }
                Effect::Arm { timer, .. } => done.push(Fx::Arm(timer.kind, narrow(timer.view))),
                Effect::Finalized(certificate) => {
                    let vote = universe.vote(&certificate.vote)?;
                    done.push(Fx::Final(vote));
                    let hash = certificate.vote.subject.digest();
                    let block = hash.and_then(|hash| universe.by_hash(hash));
                    let last = block.and_then(|block| universe.last_below(block));
                    let epoch = self.epoch_of(&local);
                    left = last.filter(|last| {
                        universe.known(*last).epoch == epoch && epoch + 1 < universe.config.epochs
                    });
                }
                // Signers of canonical certificates are nobody in particular; see `message`.
                Effect::Convict(_) => {}
            }
        }
        let to = self.intern(universe, local)?;
        Ok(Outcome { to, effects: done.into() })
    }

    fn epoch_of(&self, local: &Local<R>) -> u8 {
        u8::try_from(local.machine.epoch().get()).unwrap_or(u8::MAX)
    }

    fn intern(&mut self, universe: &Universe, local: Local<R>) -> Result<u32, Full> {
        let leads = universe
            .committees
            .iter()
            .any(|c| c.producers.iter().any(|p| p.institution == local.me));
        let key = if universe.config.reduction.proposals && !leads && !local.keeps {
            let machine = &local.machine;
            let slots = machine.slots().map(|(view, slot)| {
                let certified = [&slot.notarization, &slot.finalization]
                    .map(|held| held.as_ref().and_then(|held| held.vote.subject.digest().copied()));
                (view, slot.own, certified, slot.is_nullified())
            });
            // A slot in which nothing happened is no slot.
            let slots = slots.filter(|(_, own, certified, is_nullified)| {
                *own != Own::default() || *certified != [None; 2] || *is_nullified
            });
            Key::Told(Box::new(Told {
                me: local.me,
                is_silent: local.is_silent,
                epoch: machine.epoch(),
                genesis: machine.genesis(),
                view: machine.view(),
                finalized: machine.finalized(),
                slots: slots.collect(),
            }))
        } else {
            Key::Whole(Box::new(local.clone()))
        };
        if let Some(machine) = self.ids.get(&key) {
            return Ok(*machine);
        }
        let at = u32::try_from(self.known.len()).map_err(|_| "more than 2^32 machines")?;
        self.places.push(Place {
            epoch: u8::try_from(local.machine.epoch().get()).unwrap_or(u8::MAX),
            view: narrow(local.machine.view()),
            finalized: narrow(local.machine.finalized().0),
            votes: local.machine.votes(),
        });
        self.known.push(local);
        self.ids.insert(key, at);
        Ok(at)
    }

    /// Whoever enters a view, or comes back to one, has to have its timers running: nothing else will
    /// take it out of a view in which nothing happens.
    fn check_timers(&mut self, before: Option<u32>, done: &Outcome) {
        let place = |machine| (self.epoch(machine), self.view(machine));
        if before.is_some_and(|before| place(before) == place(done.to)) {
            return;
        }
        let view = self.view(done.to);
        let has = |kind| done.effects.contains(&Fx::Arm(kind, view));
        let votes = self.local(done.to).machine.votes();
        if !has(TimerKind::Retry) || (votes && !(has(TimerKind::View) && has(TimerKind::Proposal)))
        {
            self.unarmed.get_or_insert(done.to);
        }
    }
}

fn narrow(view: View) -> u8 {
    u8::try_from(view.get()).unwrap_or(u8::MAX)
}
