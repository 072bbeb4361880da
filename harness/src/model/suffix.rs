//! Life: from a state, the network heals, and a new block has to become final.
//!
//! Everything that is under way is lost; the faulty voters are silent; the leader of the view that is
//! under way is silent too, and the next one is honest and knows nothing yet. Rounds follow: whoever is in a view sends
//! again what its retry sends; whatever is sent arrives at everybody; when a round changes nothing the
//! timers of the views run out. Only what the machines send in the suffix counts: a node that does not
//! repeat itself is on its own.

use mdsm_core::consensus::{Rules, TimerKind};
use mdsm_core::ledger::{Subject, quorum};

use super::bits::{Bits, FoldMap, FoldSet, in_at_least};
use super::machines::{Act, Fx, Machines, To};
use super::states::States;
use super::universe::{Full, Universe};

/// Rounds after which nothing new is to be expected. A healthy run takes four: one to bring everybody to
/// one view, one to leave it, one for the block of the honest leader, and one in reserve for each epoch.
const ROUNDS_MAX: u32 = 12;

/// Tags of machines.
const ASKED: u8 = 0;
const ALIVE: u8 = 1;
/// Nodes of a suffix at most: the actors and the leader.
const NODES_MAX: usize = 8;

/// Suffixes that were run, by the machines that they start from.
#[derive(Debug, Default)]
pub(super) struct Suffixes {
    /// Machines from which a suffix was run, and from which a block becomes final.
    alive: States,
    /// Rounds from which one does.
    rounds_alive: FoldSet<RoundKey>,
    /// How many suffixes were run.
    pub(super) runs: u64,
    /// How many rounds they took.
    pub(super) rounds: u64,
    /// The longest of them.
    pub(super) rounds_max: u32,
    /// Honest leaders before they know anything, by epoch.
    leaders: FoldMap<u8, u32>,
    /// Room for the lists of a suffix.
    lists: Lists,
}

/// What was said in a round beside certificates.
#[derive(Debug, Default)]
struct Lists {
    /// Blocks proposed in this round.
    blocks: Vec<u16>,
    /// Who asks, for what, and whether the leader is asked.
    asked: Vec<(usize, u8, bool)>,
}

/// Machines of the actors; that of the leader, epoch and view behind which leaders are honest, whether
/// timers run out.
type RoundKey = (u128, u64);

/// One suffix under way.
struct Suffix<'a, R> {
    universe: &'a mut Universe,
    machines: &'a mut Machines<R>,
    /// Machines of the actors, then that of the leader.
    at: [u32; NODES_MAX],
    /// Actors, which is the place of the leader.
    leader: usize,
    /// Place behind which leaders are honest: epoch, view.
    heard: (u8, u8),
    /// By node: votes cast in this round.
    cast: [Bits; NODES_MAX],
    /// By node: certificates that are on the way to it.
    due: [Bits; NODES_MAX],
    /// By node: certificates that it was given in this round.
    given: [Bits; NODES_MAX],
    /// Whether a machine or what was cast changed since this was last asked.
    changed: bool,
    lists: &'a mut Lists,
}

impl Suffixes {
    /// Whether a block becomes final from here; by the machines of the actors, packed as `start`.
    ///
    /// # Errors
    /// When more can be said than fits.
    pub(super) fn lives<R: Rules>(
        &mut self,
        universe: &mut Universe,
        machines: &mut Machines<R>,
        actors: &[u32],
        start: u128,
    ) -> Result<bool, Full> {
        let known = self.alive.note(start, ASKED);
        if known != 0 {
            return Ok(known >> ALIVE & 1 == 1);
        }
        let place = |machine: &u32| (machines.epoch(*machine), machines.view(*machine));
        let heard = actors.iter().map(place).max().unwrap_or_default();
        let leader = self.leader(universe, machines, heard.0)?;
        let mut at = [0; NODES_MAX];
        at[..actors.len()].copy_from_slice(actors);
        at[actors.len()] = leader;
        let empty = [Bits::default(); NODES_MAX];
        let mut lists = std::mem::take(&mut self.lists);
        let suffix = Suffix {
            universe,
            machines,
            at,
            leader: actors.len(),
            heard,
            cast: empty,
            due: empty,
            given: empty,
            changed: false,
            lists: &mut lists,
        };
        let lives = self.runs_to_life(suffix, start);
        self.lists = lists;
        lives
    }

    fn runs_to_life<R: Rules>(
        &mut self,
        mut suffix: Suffix<'_, R>,
        start: u128,
    ) -> Result<bool, Full> {
        self.runs += 1;
        let mut is_late = false;
        let mut passed = Passed::default();
        for round in 1..=ROUNDS_MAX {
            let before = suffix.at;
            if round > 1 {
                let key = suffix.key(is_late);
                if self.rounds_alive.contains(&key) {
                    return Ok(self.note(&passed, round, start));
                }
                passed.push(key);
            }
            self.rounds += 1;
            suffix.round(is_late)?;
            if suffix.is_done() {
                return Ok(self.note(&passed, round, start));
            }
            let is_stuck = suffix.at == before;
            if is_stuck && is_late {
                return Ok(false);
            }
            is_late = is_stuck;
        }
        Ok(false)
    }

    /// A block becomes final from the start of this suffix, and from each of its rounds.
    fn note(&mut self, passed: &Passed, round: u32, start: u128) -> bool {
        self.rounds_max = self.rounds_max.max(round);
        self.alive.note(start, ALIVE);
        self.rounds_alive.extend(passed.keys());
        true
    }

    /// Machines that are asked about soon.
    pub(super) fn warm(&self, starts: impl Iterator<Item = u128>) {
        self.alive.warm(starts);
    }

    /// Bytes that it takes.
    #[must_use]
    pub(super) fn bytes(&self) -> usize {
        // One byte of control for each place of the set, as std's table has it.
        let places = (self.rounds_alive.capacity() * 8 / 7).next_power_of_two();
        self.alive.bytes() + places * (size_of::<RoundKey>() + 1)
    }

    fn leader<R: Rules>(
        &mut self,
        universe: &mut Universe,
        machines: &mut Machines<R>,
        epoch: u8,
    ) -> Result<u32, Full> {
        if let Some(leader) = self.leaders.get(&epoch) {
            return Ok(*leader);
        }
        let done = machines.start(universe, universe.leader(epoch), false, None)?;
        self.leaders.insert(epoch, done.to);
        Ok(done.to)
    }
}

/// Rounds that a suffix went through.
#[derive(Default)]
struct Passed {
    keys: [RoundKey; ROUNDS_MAX as usize],
    count: usize,
}

impl Passed {
    fn push(&mut self, key: RoundKey) {
        self.keys[self.count] = key;
        self.count += 1;
    }

    fn keys(&self) -> impl Iterator<Item = RoundKey> + '_ {
        self.keys[..self.count].iter().copied()
    }
}

impl<R: Rules> Suffix<'_, R> {
    fn key(&self, is_late: bool) -> RoundKey {
        let mut at = self.at;
        let actors = &mut at[..self.leader];
        if self.universe.config.reduction.symmetry {
            actors.sort_unstable();
        }
        let packed =
            actors.iter().fold(0u128, |packed, machine| packed << 24 | u128::from(*machine));
        let (epoch, view) = self.heard;
        let rest = u64::from(self.at[self.leader]) << 24
            | u64::from(epoch) << 16
            | u64::from(view) << 8
            | u64::from(is_late);
        (packed, rest)
    }

    fn place(&self, node: usize) -> (u8, u8) {
        let place = self.machines.place(self.at[node]);
        (place.epoch, place.view)
    }

    /// Every auditor of the epoch holds a block for final that an honest leader made, or went on to the
    /// next epoch.
    fn is_done(&self) -> bool {
        self.at[..self.leader].iter().all(|machine| {
            let place = self.machines.place(*machine);
            let is_new = place.epoch == self.heard.0 && place.finalized > self.heard.1;
            !place.votes || place.epoch > self.heard.0 || is_new
        })
    }

    fn step(&mut self, node: usize, act: Act) -> Result<(), Full> {
        let step = self.machines.step(self.universe, self.at[node], act)?;
        let outcome = self.machines.outcome(step);
        self.changed |= self.at[node] != outcome.to;
        self.at[node] = outcome.to;
        let mut turns = false;
        for fx in &outcome.effects {
            match *fx {
                Fx::Cast(vote) => {
                    self.changed |= !self.cast[node].has(vote);
                    self.cast[node].set(vote);
                }
                Fx::Publish(vote, To::All) => {
                    self.due[..=self.leader].iter_mut().for_each(|due| due.set(vote));
                }
                Fx::Publish(vote, To::Leader) => self.due[self.leader].set(vote),
                Fx::Ask(view, of_leader) => self.lists.asked.push((node, view, of_leader)),
                Fx::Propose(block) if !self.lists.blocks.contains(&block) => {
                    self.lists.blocks.push(block);
                }
                Fx::Arm(TimerKind::Turn, _) => turns = true,
                _ => {}
            }
        }
        if turns && self.is_honest_turn(node) {
            let (_, view) = self.place(node);
            self.step(node, Act::Time(TimerKind::Turn, view))?;
        }
        Ok(())
    }

    /// Whether it is the turn of the one leader that is honest.
    fn is_honest_turn(&self, node: usize) -> bool {
        let (epoch, view) = self.heard;
        node == self.leader && self.place(node) == (epoch, view.saturating_add(1))
    }

    /// Everybody repeats itself, and all of it arrives; with `is_late` the timers run out first.
    fn round(&mut self, is_late: bool) -> Result<(), Full> {
        for sets in [&mut self.cast, &mut self.due, &mut self.given] {
            sets.fill(Bits::default());
        }
        self.lists.blocks.clear();
        self.lists.asked.clear();
        for node in 0..=self.leader {
            let (_, view) = self.place(node);
            if is_late && node != self.leader {
                self.step(node, Act::Time(TimerKind::View, view))?;
            }
            // A leader that is silent does not repeat its block either.
            let (_, view) = self.place(node);
            if node != self.leader || self.is_honest_turn(node) || self.place(node) < self.heard {
                self.step(node, Act::Time(TimerKind::Retry, view))?;
            }
        }
        self.catch_up();
        loop {
            self.changed = false;
            self.certify();
            for node in 0..=self.leader {
                let due = self.due[node].without(self.given[node]);
                self.given[node] = self.given[node].or(due);
                for vote in due.iter() {
                    self.step(node, Act::Certify(vote))?;
                }
            }
            for node in 0..self.leader {
                for at in 0..self.lists.blocks.len() {
                    self.step(node, Act::Offer(self.lists.blocks[at]))?;
                }
            }
            // Answers ask nothing, so the list does not grow while it is read.
            for at in 0..self.lists.asked.len() {
                let (from, view, of_leader) = self.lists.asked[at];
                self.answer(from, view, of_leader)?;
            }
            self.lists.asked.clear();
            let is_quiet = !self.changed
                && self
                    .due
                    .iter()
                    .zip(&self.given)
                    .all(|(due, given)| due.without(*given).is_empty());
            if is_quiet {
                return Ok(());
            }
        }
    }

    /// A node that left an epoch answers whoever is still in it with the finalization by which it left:
    /// the duty of the node around the machine.
    fn catch_up(&mut self) {
        let newest = (0..self.leader).map(|node| self.place(node).0).max();
        let Some(newest) = newest.filter(|newest| *newest > 0) else { return };
        let genesis = (0..self.leader).find(|node| self.place(*node).0 == newest);
        let genesis = genesis.map(|node| self.machines.local(self.at[node]).machine.genesis());
        let last = genesis.and_then(|hash| self.universe.by_hash(&hash));
        let Some(last) = last else { return };
        let finals = (0u8..=u8::MAX).take(self.universe.votes()).filter(|vote| {
            match self.universe.vote_at(*vote).subject {
                Subject::Finalize(hash) => {
                    let block = self.universe.by_hash(&hash);
                    block.and_then(|block| self.universe.last_below(block)) == Some(last)
                }
                _ => false,
            }
        });
        let finals: Vec<u8> = finals.collect();
        if let Some(first) = finals.first() {
            for node in 0..=self.leader {
                if self.place(node).0 < newest {
                    self.due[node].set(*first);
                }
            }
        }
    }

    /// Votes of a quorum of distinct voters make a certificate at every auditor.
    fn certify(&mut self) {
        let need = self.machines.rules().quorum(usize::from(self.universe.config.voters));
        let made = in_at_least(need, self.cast[..=self.leader].iter().copied());
        debug_assert!(need >= quorum(1), "a certificate needs a vote");
        for node in 0..self.leader {
            self.due[node] = self.due[node].or(made);
        }
    }

    /// Those who are asked answer; only the one who asked hears it.
    fn answer(&mut self, from: usize, view: u8, of_leader: bool) -> Result<(), Full> {
        let asked = if of_leader { self.leader..self.leader + 1 } else { 0..self.leader };
        for node in asked.filter(|node| *node != from) {
            if self.place(node).0 != self.place(from).0 {
                continue;
            }
            let step = self.machines.step(self.universe, self.at[node], Act::Asked(view))?;
            for fx in self.machines.outcome(step).effects.iter() {
                if let Fx::Publish(vote, _) = fx {
                    self.due[from].set(*vote);
                }
            }
        }
        Ok(())
    }
}
