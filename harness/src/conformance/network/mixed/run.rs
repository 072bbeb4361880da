//! One run: faults first, then none, and life has to show.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use mdsm_core::consensus::Protocol;
use mdsm_core::types::InstitutionId;

use super::super::foreign::Foreign;
use super::super::outcome::Ran;
use super::super::port::{Port, Shared};
use super::actor::Mixed;
use super::claims::MixedClaim;
use super::judge::MixedJudge;
use super::scenario::{END_MS, HEAL_MS, Mixture};
use crate::conformance::opened::network;
use crate::conformance::subject::{Interrupt, Subject};
use crate::seed::Seed;
use crate::simulation::cluster::STARTED_MS;
use crate::simulation::node::{
    Actor, Judge, NodeActor, NodeHost, NodePlan, Puppet, Scale, Setup, Users,
};
use crate::simulation::plan::{Faults, calm};
use crate::simulation::world::{Control, Node, World};

/// Milliseconds between two looks at the run.
const LOOK_MS: u64 = 500;
/// Blocks that every node has to gain once all is well.
const BLOCKS: u64 = 3;
/// How much longer life may take to show.
const PATIENCE_MS: u64 = 60_000;

/// Runs a mixture with a seed.
///
/// # Errors
/// Why it did not come to its end.
pub(in super::super) fn run(
    subject: &mut Subject<'_>,
    mixture: Mixture,
    seed: Seed,
) -> Result<Ran<MixedClaim>, Interrupt> {
    let scale = Scale::SMALL;
    let setup = Setup::new(Protocol, scale, seed, true);
    let me = mixture.institution();
    let tested = Node::try_from(me - 1).unwrap_or(Node::MAX);
    let port: Shared<'_, '_> = Rc::new(RefCell::new(Port::new(subject)));
    port.borrow_mut().open(network(&setup, tested, me));
    let plan = NodePlan::around(mixture.plan(seed), scale, Faults::NONE);
    let (mut world, judge) = scene(&port, &setup, &plan, me);
    let mut play = Play { judge: MixedJudge::new(judge, tested, InstitutionId::new(me)), port };
    world.start(&mut play.judge);
    play.until(&mut world, HEAL_MS);
    setup.bitcoin.borrow_mut().calm();
    let target = play.judge.own.books.height() + BLOCKS;
    play.until(&mut world, END_MS);
    while !play.is_alive(&world, target) && world.now_ms() < END_MS + PATIENCE_MS {
        let next_ms = world.now_ms() + LOOK_MS;
        play.until(&mut world, next_ms);
        if play.port.borrow().is_broken() {
            break;
        }
    }
    if !play.is_alive(&world, target) {
        let own = play.judge.own.books.height();
        let tested = play.judge.reached();
        let unbooked = play.judge.own.unbooked();
        let what = format!(
            "{} s after all was mended not everybody is at block {target}: the others are at {own}, it is at {tested}; {unbooked} accepted records are not final",
            (END_MS + PATIENCE_MS - HEAL_MS) / 1_000
        );
        play.judge.broken(MixedClaim::Lives, what);
    }
    play.judge.conclude(mixture.is_calm());
    let (broken, digest) = play.port.borrow_mut().end();
    if let Some(why) = broken {
        return Err(match why {
            Interrupt::Broken(what) => Interrupt::Broken(format!("seed {seed}: {what}")),
            other => other,
        });
    }
    let judge = play.judge;
    let counts = [
        judge.own.books.height(),
        judge.own.books.records.len() as u64,
        judge.windows.len() as u64,
        play.port.borrow().steps,
    ];
    Ok(Ran { seed, breaches: judge.breaches, digest, counts })
}

struct Play<'a, 's> {
    judge: MixedJudge,
    port: Shared<'a, 's>,
}

impl<'a, 's> Play<'a, 's> {
    fn until(&mut self, world: &mut World<Mixed<'a, 's>>, until_ms: u64) {
        while world.now_ms() < until_ms && !self.port.borrow().is_broken() {
            world.run((world.now_ms() + LOOK_MS).min(until_ms), &mut self.judge);
        }
    }

    fn is_alive(&self, world: &World<Mixed<'a, 's>>, target: u64) -> bool {
        let reached = |node: Node| match world.host(node) {
            Mixed::Own(own, _) => match &**own {
                Actor::Node(actor) if self.judge.own.is_honest(node) => {
                    actor.host.node().chain().height().get() >= target
                }
                _ => true,
            },
            Mixed::Tested(..) => self.judge.reached() >= target,
        };
        self.judge.own.unbooked() == 0 && (0..world.nodes()).all(reached)
    }
}

fn scene<'a, 's>(
    port: &Shared<'a, 's>,
    setup: &Rc<Setup<Protocol>>,
    plan: &NodePlan,
    me: u32,
) -> (World<Mixed<'a, 's>>, Judge<Protocol>) {
    let (scale, seed) = (plan.scale, plan.plan.seed);
    let clock_of = |id: u32| plan.plan.clocks.get(id as usize - 1).copied().unwrap_or((0, 0));
    let actor = |id: u32| {
        let skew_ms = clock_of(id).0;
        if id == me {
            let node = Node::try_from(id - 1).unwrap_or(Node::MAX);
            let foreign = Foreign::new(port, node, id, STARTED_MS + skew_ms, seed);
            return (id, Mixed::Tested(Box::new(foreign), scale.users()));
        }
        let host = NodeHost::new(setup, InstitutionId::new(id), skew_ms);
        let deed = plan.deeds.get(&id);
        let puppet = deed.map(|deed| Puppet::new(*deed, &host, seed));
        let own = Actor::Node(Box::new(NodeActor { host, puppet }));
        (id, Mixed::Own(Box::new(own), Vec::new()))
    };
    let mut actors: Vec<_> = (1..=scale.newcomer()).map(actor).collect();
    let users = Actor::Users(Box::new(Users::new(setup, seed, plan.plan.heal_ms)));
    actors.push((scale.users(), Mixed::Own(Box::new(users), Vec::new())));
    let institutions = actors.iter().map(|(id, _)| InstitutionId::new(*id)).collect();
    // For the others the node under test may be as faulty as any.
    let faulty: BTreeSet<InstitutionId> =
        plan.deeds.keys().chain([&me]).map(|id| InstitutionId::new(*id)).collect();
    let mut world = World::new(actors, seed.get() ^ 0x33, plan.plan.links);
    for (node, id) in (0..).zip(1..=scale.newcomer()) {
        world.set_rate(node, clock_of(id).1);
    }
    for (at_ms, control) in &plan.plan.controls {
        world.plan(*at_ms, control.clone());
    }
    world.plan(HEAL_MS, Control::Heal);
    world.plan(HEAL_MS, Control::Links(calm(&scale.shape)));
    (world, Judge::new(setup, institutions, faulty))
}
