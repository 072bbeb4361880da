//! One run: faults first, then none, and life has to show.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use serde_json::{Value, json};

use super::claims::Claim;
use super::clients::{Board, Clients};
use super::foreign::Foreign;
use super::host::Actor;
use super::judge::{Judge, Ratings, first_committees};
use super::outcome::Ran;
use super::port::{Port, Shared};
use super::scenario::{self, END_MS, HEAL_MS, INSTITUTIONS, PATIENCE_MS, SHAPE, Scenario};
use crate::conformance::subject::{Interrupt, Subject};
use crate::conformance::value;
use crate::seed::Seed;
use crate::simulation::cluster::STARTED_MS;
use crate::simulation::plan::{Plan, calm};
use crate::simulation::world::{Control, Node, World};

/// Turns of a minute.
const MINUTE_TURNS: u32 = 10;
/// Milliseconds between two looks at the run.
const LOOK_MS: u64 = 500;
/// Blocks that a network has to make at every node once it is well.
const BLOCKS: u64 = 3;

/// Runs a scenario with a seed.
///
/// # Errors
/// Why it did not come to its end.
pub(super) fn run(
    subject: &mut Subject<'_>,
    scenario: Scenario,
    seed: Seed,
) -> Result<Ran<Claim>, Interrupt> {
    let plan = scenario.plan(seed);
    let absent = scenario.absent();
    let present = (1..=INSTITUTIONS).filter(|id| !absent.contains(id));
    let institutions: Vec<u32> = present.chain(scenario.twins()).collect();
    let port: Shared<'_, '_> = Rc::new(RefCell::new(Port::new(subject)));
    port.borrow_mut().open(network(&institutions));
    let board = Rc::new(RefCell::new(Board::default()));
    let mut world = world(&port, &board, &plan, &institutions, &absent);
    let judge = Judge::new(scenario, STARTED_MS, ratings(), institutions, &board);
    let mut play = Play { judge, nodes: world.nodes() - 1, port: port.clone() };
    world.start(&mut play.judge);
    play.until(&mut world, HEAL_MS);
    let target = play.judge.height() + BLOCKS;
    let alive = play.live(&mut world, target);
    play.judge.conclude(alive);
    let (broken, digest) = port.borrow_mut().end();
    if let Some(why) = broken {
        return Err(match why {
            Interrupt::Broken(what) => Interrupt::Broken(format!("seed {seed}: {what}")),
            other => other,
        });
    }
    let judge = play.judge;
    let steps = port.borrow().steps;
    let counts = [judge.height(), judge.records(), judge.windows(), steps];
    Ok(Ran { seed, breaches: judge.breaches, digest, counts })
}

struct Play<'a, 's> {
    judge: Judge,
    /// Without the clients.
    nodes: Node,
    port: Shared<'a, 's>,
}

impl<'a, 's> Play<'a, 's> {
    fn until(&mut self, world: &mut World<Actor<'a, 's>>, until_ms: u64) {
        while world.now_ms() < until_ms && !self.port.borrow().is_broken() {
            world.run((world.now_ms() + LOOK_MS).min(until_ms), &mut self.judge);
        }
    }

    /// Runs on until life shows everywhere.
    fn live(&mut self, world: &mut World<Actor<'a, 's>>, target: u64) -> Result<(), String> {
        self.until(world, END_MS);
        let most_ms = END_MS + PATIENCE_MS;
        while world.now_ms() < most_ms && !self.port.borrow().is_broken() {
            if self.is_alive(target) {
                return Ok(());
            }
            self.until(world, world.now_ms() + LOOK_MS);
        }
        if self.is_alive(target) {
            return Ok(());
        }
        let of = |node: Node| {
            let heights = &self.judge.heights;
            let frozen = &self.judge.frozen;
            let (height, windows) = (heights.get(&node), frozen.get(&node));
            format!("h{} w{}", height.unwrap_or(&0), windows.unwrap_or(&0))
        };
        let nodes: Vec<String> = (0..self.nodes).map(of).collect();
        Err(format!(
            "{} s after everything was mended not every node is at block {target} with the windows of the others, {} accepted records are not final; nodes: {}",
            (most_ms - HEAL_MS) / 1_000,
            self.judge.unbooked(),
            nodes.join(", "),
        ))
    }

    fn is_alive(&self, target: u64) -> bool {
        // Time has passed for so many windows; the last one may be on its way.
        let windows = self.judge.windows().saturating_sub(1).max(1);
        let reached = |node: Node| {
            let height = self.judge.heights.get(&node).copied().unwrap_or(0);
            let frozen = self.judge.frozen.get(&node).copied().unwrap_or(0);
            height >= target && u64::from(frozen) >= windows
        };
        let mut honest = (0..self.nodes).filter(|node| self.judge.is_honest(*node));
        self.judge.unbooked() == 0 && honest.all(reached)
    }
}

fn world<'a, 's>(
    port: &Shared<'a, 's>,
    board: &Rc<RefCell<Board>>,
    plan: &Plan,
    institutions: &[u32],
    absent: &BTreeSet<u32>,
) -> World<Actor<'a, 's>> {
    let clock_of = |id: u32| plan.clocks.get(id as usize - 1).copied().unwrap_or((0, 0));
    let node = |(node, id): (Node, &u32)| {
        let started_ms = STARTED_MS + clock_of(*id).0;
        (*id, Actor::Node(Box::new(Foreign::new(port, node, *id, started_ms, plan.seed)), 0))
    };
    let mut actors: Vec<_> = (0..).zip(institutions).map(node).collect();
    let delegates: Vec<u32> =
        (1..=SHAPE.institutions()).filter(|id| !absent.contains(id)).collect();
    let patience_ms = u64::from(SHAPE.delay_ms) * 10;
    let clients = Clients::new(board, plan.seed, STARTED_MS, delegates, patience_ms, HEAL_MS);
    actors.push((INSTITUTIONS + 1, Actor::Clients(Box::new(clients))));
    let mut world = World::new(actors, plan.seed.get() ^ 0x12, plan.links);
    for (node, id) in (0..).zip(institutions) {
        world.set_rate(node, clock_of(*id).1);
    }
    // Institutions of the plan are nodes by their places; those that are absent have none.
    let places: Vec<Option<Node>> = (1..=INSTITUTIONS)
        .map(|id| institutions.iter().position(|one| *one == id))
        .map(|place| place.and_then(|place| Node::try_from(place).ok()))
        .collect();
    let place = |node: Node| places.get(usize::from(node)).copied().flatten();
    for (at_ms, control) in &plan.controls {
        let control = match control {
            Control::Crash(node, kind) => place(*node).map(|node| Control::Crash(node, *kind)),
            Control::Restart(node) => place(*node).map(Control::Restart),
            Control::Cut(from, to, is_cut) => {
                place(*from).zip(place(*to)).map(|(from, to)| Control::Cut(from, to, *is_cut))
            }
            other => Some(other.clone()),
        };
        if let Some(control) = control {
            world.plan(*at_ms, control);
        }
    }
    if let Some((second, first)) = twin(institutions) {
        let nodes = world.nodes() - 1;
        for (at_ms, control) in scenario::apart(plan.seed, (first, second), nodes) {
            world.plan(at_ms, control);
        }
    }
    world.plan(HEAL_MS, Control::Heal);
    world.plan(HEAL_MS, Control::Links(calm(&SHAPE)));
    world
}

/// The last node and the one that it is the twin of.
fn twin(institutions: &[u32]) -> Option<(Node, Node)> {
    let (last, others) = institutions.split_last()?;
    let first = others.iter().position(|one| one == last)?;
    Some((Node::try_from(others.len()).ok()?, Node::try_from(first).ok()?))
}

fn rating(id: u32) -> u32 {
    // The lowest ids are best, so that they have the seats.
    95 - id * 4
}

fn ratings() -> Ratings {
    (1..=INSTITUTIONS).map(|id| (id, i64::from(rating(id)))).collect()
}

/// What `reset` says of the network.
fn network(institutions: &[u32]) -> Value {
    let (producers, auditors) = first_committees();
    let one =
        |id: u32| json!({"institution": id, "rating": rating(id), "centre": INSTITUTIONS - id});
    let node = |(node, id): (u16, &u32)| json!({"node": node, "institution": id});
    json!({
        "profile": "paper",
        "started_at": value::decimal(STARTED_MS),
        "turn_ms": SHAPE.turn_ms,
        "minute_ms": SHAPE.turn_ms * MINUTE_TURNS,
        "window_ms": SHAPE.epoch_ms,
        "delay_ms": SHAPE.delay_ms,
        "institutions": (1..=INSTITUTIONS).map(one).collect::<Vec<_>>(),
        "producers": producers,
        "auditors": auditors,
        "nodes": (0..).zip(institutions).map(node).collect::<Vec<_>>(),
    })
}
