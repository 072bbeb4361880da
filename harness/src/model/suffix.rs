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
use super::universe::{Full, Universe};

/// Rounds after which nothing new is to be expected. A healthy run takes four: one to bring everybody to
/// one view, one to leave it, one for the block of the honest leader, and one in reserve for each epoch.
const ROUNDS_MAX: u32 = 12;

/// Suffixes that were run, by the machines that they start from.
#[derive(Debug, Default)]
pub(super) struct Suffixes {
    /// Machines from which a block becomes final.
    alive: FoldSet<u128>,
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
}

/// Machines of the actors, the leader's, epoch and view behind which leaders are honest, whether timers
/// run out.
type RoundKey = (u128, u32, u8, u8, bool);

/// One suffix under way.
struct Suffix<'a, R> {
    universe: &'a mut Universe,
    machines: &'a mut Machines<R>,
    /// Machines of the actors, then that of the leader.
    at: Vec<u32>,
    /// Place behind which leaders are honest: epoch, view.
    heard: (u8, u8),
    /// By node: votes cast in this round.
    cast: Vec<Bits>,
    /// By node: certificates that are on the way to it.
    due: Vec<Bits>,
    /// By node: certificates that it was given in this round.
    given: Vec<Bits>,
    /// Blocks proposed in this round.
    blocks: Vec<u16>,
    /// Who asks, for what, and whether the leader is asked.
    asked: Vec<(usize, u8, bool)>,
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
        if self.alive.contains(&start) {
            return Ok(true);
        }
        let place = |machines: &Machines<R>, machine: &u32| {
            (machines.epoch(*machine), machines.view(*machine))
        };
        let heard = actors.iter().map(|machine| place(machines, machine)).max().unwrap_or_default();
        let leader = self.leader(universe, machines, heard.0)?;
        let mut at = actors.to_vec();
        at.push(leader);
        let empty = vec![Bits::default(); at.len()];
        let (cast, due, given) = (empty.clone(), empty.clone(), empty);
        let (blocks, asked) = (Vec::new(), Vec::new());
        let mut suffix = Suffix { universe, machines, at, heard, cast, due, given, blocks, asked };
        self.runs += 1;
        let mut is_late = false;
        let mut passed = Vec::new();
        for round in 1..=ROUNDS_MAX {
            let before = suffix.at.clone();
            if round > 1 {
                let key = suffix.key(is_late);
                if self.rounds_alive.contains(&key) {
                    return Ok(self.note(passed, round, start));
                }
                passed.push(key);
            }
            self.rounds += 1;
            suffix.round(is_late)?;
            if suffix.is_done() {
                return Ok(self.note(passed, round, start));
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
    fn note(&mut self, passed: Vec<RoundKey>, round: u32, start: u128) -> bool {
        self.rounds_max = self.rounds_max.max(round);
        self.alive.insert(start);
        self.rounds_alive.extend(passed);
        true
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

impl<R: Rules> Suffix<'_, R> {
    fn key(&self, is_late: bool) -> RoundKey {
        let mut actors = [0u32; 8];
        let actors = &mut actors[..self.leader()];
        actors.copy_from_slice(&self.at[..self.leader()]);
        if self.universe.config.reduction.symmetry {
            actors.sort_unstable();
        }
        let packed =
            actors.iter().fold(0u128, |packed, machine| packed << 24 | u128::from(*machine));
        (packed, self.at[self.leader()], self.heard.0, self.heard.1, is_late)
    }

    fn place(&self, node: usize) -> (u8, u8) {
        (self.machines.epoch(self.at[node]), self.machines.view(self.at[node]))
    }

    fn leader(&self) -> usize {
        self.at.len() - 1
    }

    /// Every auditor of the epoch holds a block for final that an honest leader made, or went on to the
    /// next epoch.
    fn is_done(&self) -> bool {
        (0..self.leader()).all(|node| {
            let machine = &self.machines.local(self.at[node]).machine;
            let epoch = self.place(node).0;
            let is_new =
                epoch == self.heard.0 && machine.finalized().0.get() > u64::from(self.heard.1);
            !machine.votes() || epoch > self.heard.0 || is_new
        })
    }

    fn step(&mut self, node: usize, act: Act) -> Result<(), Full> {
        let step = self.machines.step(self.universe, self.at[node], act)?;
        self.at[node] = self.machines.outcome(step).to;
        let mut turns = false;
        for at in 0.. {
            let Some(fx) = self.machines.outcome(step).effects.get(at).copied() else { break };
            match fx {
                Fx::Cast(vote) => self.cast[node].set(vote),
                Fx::Publish(vote, To::All) => self.due.iter_mut().for_each(|due| due.set(vote)),
                Fx::Publish(vote, To::Leader) => {
                    self.due.iter_mut().next_back().into_iter().for_each(|due| due.set(vote))
                }
                Fx::Ask(view, of_leader) => self.asked.push((node, view, of_leader)),
                Fx::Propose(block) if !self.blocks.contains(&block) => self.blocks.push(block),
                Fx::Arm(TimerKind::Turn, _) if self.is_honest_turn(node) => turns = true,
                _ => {}
            }
        }
        if turns {
            let (_, view) = self.place(node);
            self.step(node, Act::Time(TimerKind::Turn, view))?;
        }
        Ok(())
    }

    /// Whether it is the turn of the one leader that is honest.
    fn is_honest_turn(&self, node: usize) -> bool {
        let (epoch, view) = self.heard;
        node == self.leader() && self.place(node) == (epoch, view.saturating_add(1))
    }

    /// Everybody repeats itself, and all of it arrives; with `is_late` the timers run out first.
    fn round(&mut self, is_late: bool) -> Result<(), Full> {
        for sets in [&mut self.cast, &mut self.due, &mut self.given] {
            sets.fill(Bits::default());
        }
        self.blocks.clear();
        self.asked.clear();
        for node in 0..self.at.len() {
            let (_, view) = self.place(node);
            if is_late && node != self.leader() {
                self.step(node, Act::Time(TimerKind::View, view))?;
            }
            // A leader that is silent does not repeat its block either.
            let (_, view) = self.place(node);
            if node != self.leader() || self.is_honest_turn(node) || self.place(node) < self.heard {
                self.step(node, Act::Time(TimerKind::Retry, view))?;
            }
        }
        self.catch_up();
        loop {
            let before = (self.at.clone(), self.cast.clone());
            self.certify();
            for node in 0..self.at.len() {
                let due = self.due[node].without(self.given[node]);
                self.given[node] = self.given[node].or(due);
                for vote in due.iter() {
                    self.step(node, Act::Certify(vote))?;
                }
            }
            for node in 0..self.leader() {
                for at in 0..self.blocks.len() {
                    self.step(node, Act::Offer(self.blocks[at]))?;
                }
            }
            for (from, view, of_leader) in std::mem::take(&mut self.asked) {
                self.answer(from, view, of_leader)?;
            }
            let is_quiet =
                self.due.iter().zip(&self.given).all(|(due, given)| due.without(*given).is_empty());
            if is_quiet && before == (self.at.clone(), self.cast.clone()) {
                return Ok(());
            }
        }
    }

    /// A node that left an epoch answers whoever is still in it with the finalization by which it left:
    /// the duty of the node around the machine.
    fn catch_up(&mut self) {
        let Some(newest) = (0..self.leader()).map(|node| self.place(node).0).max() else { return };
        let genesis = (0..self.leader()).find(|node| self.place(*node).0 == newest);
        let genesis = genesis.map(|node| self.machines.local(self.at[node]).machine.genesis());
        let last = genesis.and_then(|hash| self.universe.by_hash(&hash));
        let Some(last) = last.filter(|_| newest > 0) else { return };
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
            for node in 0..self.at.len() {
                if self.place(node).0 < newest {
                    self.due[node].set(*first);
                }
            }
        }
    }

    /// Votes of a quorum of distinct voters make a certificate at every auditor.
    fn certify(&mut self) {
        let need = self.machines.rules().quorum(usize::from(self.universe.config.voters));
        let made = in_at_least(need, self.cast.iter().copied());
        debug_assert!(need >= quorum(1), "a certificate needs a vote");
        for node in 0..self.leader() {
            self.due[node] = self.due[node].or(made);
        }
    }

    /// Those who are asked answer; only the one who asked hears it.
    fn answer(&mut self, from: usize, view: u8, of_leader: bool) -> Result<(), Full> {
        let asked = if of_leader { self.leader()..self.at.len() } else { 0..self.leader() };
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
