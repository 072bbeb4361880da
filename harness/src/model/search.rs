//! Breadth first through every state, exactly: no state is left out because its hash was seen.

use std::time::Instant;

use mdsm_core::consensus::Rules;

use super::bits::{Bits, FoldMap, in_at_least};
use super::certified::{Seen, judge};
use super::config::{Config, ConfigError};
use super::nodes::{Checks, Claim, Edge, Nodes};
use super::states::{States, TAG_BITS, TAG_MAX};
use super::suffix::Suffixes;
use super::universe::{Full, Universe};

/// Bits of a node's number within a state.
const NODE_BITS: u32 = 24;
/// Bits of the number of crashes.
const CRASH_BITS: u32 = TAG_BITS;
/// States whose successors are looked at together.
const BATCH: usize = 32;
/// States between two looks at whether to stop.
const STATES_PER_LOOK: u64 = 4_096;

/// The actors' nodes and the crashes so far, in one number.
pub(super) type State = u128;

/// Why nothing can be searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SearchError {
    /// The configuration is out of range.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// More happens than can be numbered.
    #[error("the configuration is too large: {0}")]
    Full(Full),
}

impl From<Full> for SearchError {
    fn from(full: Full) -> Self {
        Self::Full(full)
    }
}

/// What a search looks at and when it ends.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// States, at most.
    pub states_max: u64,
    /// Which claims are checked.
    pub checks: Checks,
}

impl Default for Limits {
    fn default() -> Self {
        Self { states_max: u64::MAX, checks: Checks { steps: true } }
    }
}

/// What is known while a search runs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sofar {
    /// States.
    pub states: u64,
    /// Transitions.
    pub transitions: u64,
    /// Steps from the start.
    pub depth: u32,
}

/// How a search ended.
#[derive(Clone, Debug)]
pub struct Found {
    /// Counters.
    pub sofar: Sofar,
    /// Node states, machine states, and how often the machine ran.
    pub nodes: (u64, u64, u64),
    /// Suffixes that were run, and the rounds of the longest.
    pub suffixes: (u64, u32),
    /// Steps with a crash inside.
    pub cuts: u64,
    /// What was come across.
    pub seen: Seen,
    /// Bytes of the set of states, and of what is known about life from them.
    pub bytes: u64,
    /// Of these, bytes of what is known about life.
    pub life_bytes: u64,
    /// Seconds of the processor.
    pub cpu_s: f64,
    /// Seconds of the clock.
    pub wall_s: f64,
    /// Why it ended before all was seen.
    pub stopped: Option<String>,
    /// The claim that does not hold, and the steps to where it does not.
    pub broken: Option<(Claim, Vec<(u8, Edge)>)>,
}

/// A search under way.
pub struct Search<R> {
    /// The nodes.
    pub(super) nodes: Nodes<R>,
    config: Config,
    limits: Limits,
    suffixes: Suffixes,
    verdicts: FoldMap<(Bits, Bits), Option<Claim>>,
    /// What was judged last and holds: neighbours in the search mostly share it.
    sound: Option<(Bits, Bits)>,
    seen: Seen,
    sofar: Sofar,
    later: FoldMap<Bits, Bits>,
}

/// A state behind another one, and how it is reached.
#[derive(Clone, Copy, Debug)]
struct Successor {
    state: State,
    actor: u8,
    edge: u32,
}

/// Nanoseconds that this thread has run.
fn cpu_ns() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    text.split(' ').next()?.parse().ok()
}

/// Seconds of the processor since some moment, or of the clock where those are not known.
#[derive(Debug)]
pub(super) struct Watch(Instant, Option<u64>);

impl Watch {
    /// Starts now.
    #[must_use]
    pub(super) fn start() -> Self {
        Self(Instant::now(), cpu_ns())
    }

    /// Seconds of the processor, seconds of the clock.
    #[must_use]
    pub(super) fn read(&self) -> (f64, f64) {
        let wall = self.0.elapsed().as_secs_f64();
        let cpu = self.1.zip(cpu_ns()).map(|(start, now)| now.saturating_sub(start));
        #[expect(clippy::cast_precision_loss, reason = "a time to be printed")]
        let cpu = cpu.map_or(wall, |ns| ns as f64 / 1e9);
        (cpu, wall)
    }
}

impl<R: Rules> Search<R> {
    /// Prepares a search of a configuration under some rules.
    ///
    /// # Errors
    /// When the configuration is too large.
    pub fn new(config: &Config, rules: R, limits: Limits) -> Result<Self, SearchError> {
        config.check()?;
        let universe = Universe::new(config, rules.quorum(usize::from(config.voters)))?;
        Ok(Self {
            nodes: Nodes::new(universe, rules, limits.checks),
            config: config.clone(),
            limits,
            suffixes: Suffixes::default(),
            verdicts: FoldMap::default(),
            sound: None,
            seen: Seen::default(),
            sofar: Sofar::default(),
            later: FoldMap::default(),
        })
    }

    fn actors(&self) -> usize {
        usize::from(self.config.actors())
    }

    pub(super) fn pack(&self, nodes: &[u32], crashes: u8) -> Result<State, Full> {
        let mut sorted = [0u32; 8];
        let sorted = &mut sorted[..nodes.len()];
        sorted.copy_from_slice(nodes);
        if self.config.reduction.symmetry {
            sorted.sort_unstable();
        }
        let mut state = State::from(crashes);
        for (at, node) in (0u32..).zip(sorted.iter()) {
            if *node >> NODE_BITS != 0 {
                return Err("more than 2^24 node states");
            }
            state |= State::from(*node) << (CRASH_BITS + at * NODE_BITS);
        }
        Ok(state)
    }

    /// The nodes of a state, and the crashes so far.
    #[must_use]
    pub(super) fn unpack(&self, state: State) -> ([u32; 8], u8) {
        let low = |bits: u128, mask: u32| u32::try_from(bits & u128::from(mask)).unwrap_or(0);
        let mut nodes = [0; 8];
        for (at, node) in (0u32..).zip(&mut nodes[..self.actors()]) {
            *node = low(state >> (CRASH_BITS + at * NODE_BITS), (1 << NODE_BITS) - 1);
        }
        (nodes, u8::try_from(low(state, 0xFF)).unwrap_or(0))
    }

    /// Votes that the honest cast often enough, with the faulty, for a certificate.
    pub(super) fn certified(&self, nodes: &[u32]) -> Bits {
        in_at_least(
            self.nodes.universe.honest_quorum,
            nodes.iter().map(|node| self.nodes.sent(*node)),
        )
    }

    /// Everything that can happen in a state.
    fn successors(&mut self, state: State, out: &mut Vec<Successor>) -> Result<(), Full> {
        let (nodes, crashes) = self.unpack(state);
        let actors = self.actors();
        let certified = self.certified(&nodes[..actors]);
        for actor in 0..actors {
            let node = nodes[actor];
            if self.config.reduction.symmetry && actor > 0 && nodes[actor - 1] == node {
                continue;
            }
            let local = self.nodes.local(node)?;
            self.follow((&nodes, crashes), actor, local, out)?;
            for vote in self.nodes.matters(node, certified).iter() {
                let range = self.nodes.certify(node, vote)?;
                self.follow((&nodes, crashes), actor, range, out)?;
            }
        }
        Ok(())
    }

    /// The states behind a range of edges of one actor.
    fn follow(
        &self,
        (nodes, crashes): (&[u32; 8], u8),
        actor: usize,
        (from, to): (u32, u32),
        out: &mut Vec<Successor>,
    ) -> Result<(), Full> {
        for edge_at in from..to {
            let edge = self.nodes.edge(edge_at);
            let after = crashes + u8::from(edge.crashes());
            if after > self.config.crashes {
                continue;
            }
            let mut next = *nodes;
            next[actor] = edge.to;
            let state = self.pack(&next[..self.actors()], after)?;
            let actor = u8::try_from(actor).unwrap_or(u8::MAX);
            out.push(Successor { state, actor, edge: edge_at });
        }
        Ok(())
    }

    /// Where it starts.
    ///
    /// # Errors
    /// When the configuration is too large.
    pub(super) fn root(&mut self) -> Result<State, Full> {
        let mut nodes = Vec::new();
        for actor in 0..self.config.actors() {
            nodes.push(self.nodes.boot(actor)?);
        }
        self.pack(&nodes, 0)
    }

    /// Judges a state.
    ///
    /// # Errors
    /// When the configuration is too large.
    pub(super) fn judge(&mut self, state: State) -> Result<Option<Claim>, Full> {
        let (nodes, _) = self.unpack(state);
        let nodes = &nodes[..self.actors()];
        if let Some(claim) = nodes.iter().find_map(|node| self.nodes.fault(*node)) {
            return Ok(Some(claim));
        }
        let certified = self.certified(nodes);
        let mut later = Bits::default();
        if self.config.epochs > 1 {
            let sent = nodes.iter().fold(later, |all, node| all.or(self.nodes.sent(*node)));
            let nodes = &self.nodes;
            later = *self.later.entry(sent).or_insert_with(|| nodes.later_notarize(sent));
        }
        let broken = self.broken(certified, later);
        if broken.is_some() || !self.config.liveness {
            return Ok(broken);
        }
        let (machines, key) = self.machines(state)?;
        let machines = &machines[..nodes.len()];
        let Nodes { universe, machines: known, .. } = &mut self.nodes;
        let lives = self.suffixes.lives(universe, known, machines, key)?;
        Ok((!lives).then_some(Claim::I17Life))
    }

    /// The machines of a state, and their number together.
    fn machines(&self, state: State) -> Result<([u32; 8], u128), Full> {
        let (mut machines, _) = self.unpack(state);
        let known = &mut machines[..self.actors()];
        known.iter_mut().for_each(|node| *node = self.nodes.machine(*node));
        if self.config.reduction.symmetry {
            known.sort_unstable();
        }
        let key = self.pack(known, 0)? >> CRASH_BITS;
        Ok((machines, key))
    }

    /// The claim that a set of certificates breaks; each set is judged once.
    fn broken(&mut self, certified: Bits, later: Bits) -> Option<Claim> {
        let key = (certified, later);
        if self.sound == Some(key) {
            return None;
        }
        let known = self.verdicts.get(&key).copied();
        let broken = known.unwrap_or_else(|| {
            let (broken, seen) = judge(&self.nodes.universe, certified, later);
            self.seen = self.seen.or(seen);
            self.verdicts.insert(key, broken);
            broken
        });
        self.sound = broken.is_none().then_some(key);
        broken
    }

    /// Searches until all is seen, a claim breaks, or `stop` says why to end.
    ///
    /// # Errors
    /// When the configuration is too large.
    pub fn run(
        &mut self,
        mut stop: impl FnMut(Sofar) -> Option<String>,
    ) -> Result<Found, SearchError> {
        let watch = Watch::start();
        let root = self.root()?;
        let mut visited = States::default();
        visited.note(root >> CRASH_BITS, 0);
        let mut frontier = vec![root];
        let mut broken = self.judge(root)?.map(|claim| (claim, root));
        let mut stopped = None;
        self.sofar = Sofar { states: 1, ..Sofar::default() };
        let (mut successors, mut fresh) = (Vec::new(), Vec::new());
        while !frontier.is_empty() && broken.is_none() && stopped.is_none() {
            let mut next = Vec::new();
            'layer: for batch in std::mem::take(&mut frontier).chunks(BATCH) {
                successors.clear();
                for state in batch {
                    self.successors(*state, &mut successors)?;
                }
                self.sofar.transitions += u64::try_from(successors.len()).unwrap_or(u64::MAX);
                visited.warm(successors.iter().map(|to| to.state >> CRASH_BITS));
                fresh.clear();
                for to in &successors {
                    let crashes = u8::try_from(to.state & 0xFF).unwrap_or(u8::MAX);
                    let before = visited.note(to.state >> CRASH_BITS, crashes);
                    // As many crashes, or fewer when that is enough.
                    let prunes = self.config.reduction.crashes;
                    let enough = if prunes { u8::MAX >> (TAG_MAX - crashes) } else { 1 << crashes };
                    if before & enough == 0 {
                        fresh.push(to.state);
                    }
                }
                if self.config.liveness {
                    let keys = fresh.iter().flat_map(|state| self.machines(*state));
                    self.suffixes.warm(keys.map(|(_, key)| key));
                }
                for state in &fresh {
                    self.sofar.states += 1;
                    next.push(*state);
                    if let Some(claim) = self.judge(*state)? {
                        broken = Some((claim, *state));
                        break 'layer;
                    }
                    if self.sofar.states.is_multiple_of(STATES_PER_LOOK) {
                        let most = self.sofar.states >= self.limits.states_max;
                        stopped = most.then(|| "as many states as asked for".to_owned());
                        stopped = stopped.take().or_else(|| stop(self.sofar));
                        if stopped.is_some() {
                            break 'layer;
                        }
                    }
                }
            }
            self.sofar.depth += u32::from(!next.is_empty());
            frontier = next;
        }
        let (cpu_s, wall_s) = watch.read();
        let broken = match broken {
            Some((claim, state)) => Some((claim, self.path(root, state)?)),
            None => None,
        };
        let wide = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let life_bytes = wide(self.suffixes.bytes());
        Ok(Found {
            sofar: self.sofar,
            nodes: (
                wide(self.nodes.len()),
                wide(self.nodes.machines.len()),
                self.nodes.machines.runs,
            ),
            suffixes: (self.suffixes.runs, self.suffixes.rounds_max),
            cuts: self.nodes.cuts,
            seen: self.seen,
            bytes: wide(visited.bytes()) + life_bytes,
            life_bytes,
            cpu_s,
            wall_s,
            stopped,
            broken,
        })
    }

    /// A shortest way to a state: the search again, this time with a way back.
    fn path(&mut self, root: State, target: State) -> Result<Vec<(u8, Edge)>, Full> {
        let mut from: FoldMap<State, (State, u8, u32)> = FoldMap::default();
        let mut frontier = vec![root];
        let mut is_found = root == target;
        let mut successors = Vec::new();
        while !is_found && !frontier.is_empty() {
            let mut next = Vec::new();
            for state in std::mem::take(&mut frontier) {
                successors.clear();
                self.successors(state, &mut successors)?;
                for Successor { state: to, actor, edge } in &successors {
                    if *to != root && !from.contains_key(to) {
                        from.insert(*to, (state, *actor, *edge));
                        next.push(*to);
                    }
                    is_found |= *to == target;
                }
                if is_found {
                    break;
                }
            }
            frontier = next;
        }
        let mut path = Vec::new();
        let mut at = target;
        while let Some((before, actor, edge)) = from.get(&at) {
            path.push((*actor, self.nodes.edge(*edge)));
            at = *before;
        }
        path.reverse();
        self.columns(root, path)
    }

    /// Gives every step the column of its actor: within a state actors have no names.
    fn columns(&mut self, root: State, path: Vec<(u8, Edge)>) -> Result<Vec<(u8, Edge)>, Full> {
        let (mut columns, _) = self.unpack(root);
        let actors = self.actors();
        let mut state = root;
        let mut named = Vec::new();
        for (actor, edge) in path {
            let (nodes, crashes) = self.unpack(state);
            let node = nodes[usize::from(actor)];
            let column =
                columns[..actors].iter().position(|at| *at == node).ok_or("no such column")?;
            columns[column] = edge.to;
            named.push((u8::try_from(column).unwrap_or(u8::MAX), edge));
            state = self.pack(&columns[..actors], crashes + u8::from(edge.crashes()))?;
        }
        Ok(named)
    }
}
