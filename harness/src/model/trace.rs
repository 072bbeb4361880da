//! A counterexample: as JSON, which replays against the code, and as a diagram for people.

use mdsm_core::consensus::{Rules, TimerKind};
use mdsm_core::ledger::{Subject, Vote};
use mdsm_core::types::{Epoch, View};
use serde::{Deserialize, Serialize};

use super::config::Config;
use super::machines::{Act, Fx};
use super::nodes::{Claim, Edge};
use super::search::{Limits, Search, SearchError};
use super::universe::Universe;

/// A run that breaks a claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trace {
    /// The configuration.
    pub config: Config,
    /// The rules: `protocol`, or the name of a mutant.
    pub rules: String,
    /// The claim.
    pub claim: Claim,
    /// The steps, in order.
    pub steps: Vec<Step>,
}

/// One step of one node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// The node, from 0.
    pub node: u8,
    /// What happens to it.
    pub event: Event,
    /// Effects that are carried out before it crashes and comes back; nothing when it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crash_after: Option<u8>,
}

/// What happens to a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Event {
    /// A block arrives, by its name.
    Proposal(String),
    /// A notarization arrives.
    Notarization(String),
    /// A finalization arrives. Both: of a block, certified in an epoch and a view.
    Finalization(String),
    /// A nullification of an epoch and a view arrives.
    Nullification(u8, u8),
    /// The timer of a view runs out.
    Timeout(u8),
    /// The timer for the proposal of a view runs out.
    ProposalTimeout(u8),
    /// The node crashes and comes back.
    Crash,
    /// The node crashes and comes back without its log.
    LogLost,
}

/// A trace that cannot be replayed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// The configuration is out of range.
    #[error(transparent)]
    Search(#[from] SearchError),
    /// A step cannot be taken.
    #[error("step {at}: {why}")]
    Step {
        /// Which, from 1.
        at: usize,
        /// Why.
        why: String,
    },
}

fn event(universe: &Universe, act: Act) -> Event {
    match act {
        Act::Propose(block) | Act::Offer(block) => {
            Event::Proposal(universe.known(block).name.clone())
        }
        Act::Certify(at) => {
            let vote = universe.vote_at(at);
            let narrow = |view: View| u8::try_from(view.get()).unwrap_or(u8::MAX);
            let epoch = u8::try_from(vote.epoch.get()).unwrap_or(u8::MAX);
            let name = || {
                let block = vote.subject.digest().and_then(|hash| universe.by_hash(hash));
                block.map_or_else(String::new, |block| universe.known(block).name.clone())
            };
            match vote.subject {
                Subject::Notarize(_) => Event::Notarization(name()),
                Subject::Finalize(_) => Event::Finalization(name()),
                Subject::Nullify | Subject::Anchor(_) => {
                    Event::Nullification(epoch, narrow(vote.view))
                }
            }
        }
        Act::Time(TimerKind::Proposal, view) => Event::ProposalTimeout(view),
        Act::Time(_, view) | Act::Asked(view) => Event::Timeout(view),
        Act::Crash => Event::Crash,
        Act::Forget => Event::LogLost,
    }
}

fn act(universe: &mut Universe, event: &Event) -> Result<Act, String> {
    let block = |universe: &Universe, name: &str| {
        universe.by_name(name).ok_or_else(|| format!("no block is called {name}"))
    };
    let certificate = |universe: &mut Universe, name: &str, is_final: bool| {
        let known = block(universe, name)?;
        let known = universe.known(known);
        let (epoch, view, hash) = (known.epoch, known.view, known.hash);
        let subject = if is_final { Subject::Finalize(hash) } else { Subject::Notarize(hash) };
        vote(universe, epoch, view, subject)
    };
    match event {
        Event::Proposal(name) => block(universe, name).map(Act::Propose),
        Event::Notarization(name) => certificate(universe, name, false),
        Event::Finalization(name) => certificate(universe, name, true),
        Event::Nullification(epoch, view) => vote(universe, *epoch, *view, Subject::Nullify),
        Event::Timeout(view) => Ok(Act::Time(TimerKind::View, *view)),
        Event::ProposalTimeout(view) => Ok(Act::Time(TimerKind::Proposal, *view)),
        Event::Crash => Ok(Act::Crash),
        Event::LogLost => Ok(Act::Forget),
    }
}

fn vote(universe: &mut Universe, epoch: u8, view: u8, subject: Subject) -> Result<Act, String> {
    let (epoch, view) = (Epoch::new(u32::from(epoch)), View::new(u64::from(view)));
    universe.vote(&Vote { epoch, view, subject }).map(Act::Certify).map_err(str::to_owned)
}

impl Trace {
    /// The trace of a way that a search found.
    #[must_use]
    pub(super) fn of<R: Rules>(
        search: &Search<R>,
        rules: &str,
        claim: Claim,
        way: &[(u8, Edge)],
    ) -> Self {
        let universe = &search.nodes.universe;
        let step = |(node, edge): &(u8, Edge)| {
            let (event, crash_after) = (event(universe, edge.act), edge.cut);
            Step { node: *node, event, crash_after }
        };
        let steps = way.iter().map(step).collect();
        Self { config: universe.config.clone(), rules: rules.to_owned(), claim, steps }
    }

    /// Takes the steps again, on the code as it is now: the claim that breaks at their end, and the
    /// diagram.
    ///
    /// # Errors
    /// When a step cannot be taken.
    pub fn replay<R: Rules>(&self, rules: R) -> Result<(Option<Claim>, String), ReplayError> {
        let mut search = Search::new(&self.config, rules, Limits::default())?;
        let full = |why: &'static str| ReplayError::Search(SearchError::Full(why));
        let root = search.root().map_err(full)?;
        let (start, _) = search.unpack(root);
        let mut nodes = start[..usize::from(self.config.actors())].to_vec();
        let mut rows = Vec::new();
        let mut crashes = 0u8;
        let mut broken = search.judge(root).map_err(full)?;
        for (number, step) in (1..).zip(&self.steps) {
            let fault = |why: String| ReplayError::Step { at: number, why };
            let column = usize::from(step.node);
            let node =
                *nodes.get(column).ok_or_else(|| fault("there is no such node".to_owned()))?;
            let act = act(&mut search.nodes.universe, &step.event).map_err(fault)?;
            if let Act::Certify(vote) = act {
                let made = search.certified(&nodes);
                if !made.has(vote) {
                    return Err(fault("nobody can make this certificate yet".to_owned()));
                }
            }
            let to = search.nodes.take(node, act, step.crash_after);
            let to = to.map_err(|why| fault(why.to_owned()))?;
            let edge = Edge { to, act, cut: step.crash_after };
            crashes += u8::from(edge.crashes());
            rows.push((column, says(&mut search, node, &edge)));
            nodes[column] = to;
            if broken.is_none() {
                let state = search.pack(&nodes, crashes).map_err(full)?;
                broken = search.judge(state).map_err(full)?;
            }
        }
        let mut text = diagram(nodes.len(), &rows);
        if let Some(claim) = broken {
            text.push_str(&format!("\n{claim}\n"));
        }
        Ok((broken, text))
    }
}

/// A step in words: what comes in, what goes out.
fn says<R: Rules>(search: &mut Search<R>, node: u32, edge: &Edge) -> Vec<String> {
    let machine = search.nodes.machine(node);
    let universe = &mut search.nodes.universe;
    let mut words = vec![match edge.act {
        Act::Propose(block) | Act::Offer(block) => {
            format!("> block {}", universe.known(block).name)
        }
        Act::Certify(vote) => format!("> all: {}", universe.say(universe.vote_at(vote))),
        Act::Time(_, view) => format!("> timer {view}"),
        Act::Asked(view) => format!("> asked {view}"),
        Act::Crash => "crash, restart".to_owned(),
        Act::Forget => "crash, log lost".to_owned(),
    }];
    let effects = match edge.act {
        Act::Crash | Act::Forget => Vec::new(),
        act => match search.nodes.machines.step(universe, machine, act) {
            Ok(step) => search.nodes.machines.outcome(step).effects.to_vec(),
            Err(_) => Vec::new(),
        },
    };
    let cut = edge.cut.map_or(effects.len(), usize::from);
    for fx in effects.iter().take(cut) {
        if let Fx::Cast(vote) = fx {
            words.push(universe.say(universe.vote_at(*vote)));
        }
    }
    if edge.cut.is_some() {
        words.push("crash, restart".to_owned());
    }
    words
}

/// One column a node, time downwards.
fn diagram(nodes: usize, rows: &[(usize, Vec<String>)]) -> String {
    let longest = rows.iter().flat_map(|(_, words)| words).map(String::len).max();
    let width = longest.unwrap_or(0).max(10) + 2;
    let mut text = format!("{:>4}  ", "");
    for node in 0..nodes {
        text.push_str(&format!("{:<width$}", format!("node {node}")));
    }
    let mut text = format!("{}\n", text.trim_end());
    for (number, (column, words)) in (1..).zip(rows) {
        for (line, word) in words.iter().enumerate() {
            let number = if line == 0 { number.to_string() } else { String::new() };
            let mut row = format!("{number:>4}  ");
            for node in 0..nodes {
                let cell = if node == *column { word.as_str() } else { "|" };
                row.push_str(&format!("{cell:<width$}"));
            }
            text.push_str(row.trim_end());
            text.push('\n');
        }
    }
    text
}
