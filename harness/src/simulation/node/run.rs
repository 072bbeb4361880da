//! One run of whole nodes: faults first, and safety is judged; then none, and life must show.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use mdsm_core::consensus::Rules;
use mdsm_core::node::limits;
use mdsm_core::types::InstitutionId;

use super::actor::{Actor, NodeActor};
use super::books::Sometimes;
use super::flaws::Deed;
use super::host::NodeHost;
use super::judge::Judge;
use super::puppet::Puppet;
use super::setup::{Scale, Setup};
use super::users::Users;
use crate::oracle::consensus::Breach;
use crate::seed::{Draw as _, Seed};
use crate::simulation::plan::{Faults, Plan, calm};
use crate::simulation::world::{Control, Crash, Node, World};

/// Views and waiting votes that a node may hold, per auditor, beside views that were nullified. [I18]
const LOAD_PER_AUDITOR: u64 = 64;

/// One run, in full.
#[derive(Clone, Debug)]
pub struct NodePlan {
    /// What befalls the network.
    pub plan: Plan,
    /// The network.
    pub scale: Scale,
    /// Who deviates, and how.
    pub deeds: BTreeMap<u32, Deed>,
    /// Whether signatures are real.
    pub is_real: bool,
}

impl NodePlan {
    /// A run of a seed.
    #[must_use]
    pub fn draw(seed: Seed, scale: Scale, faults: Faults, heal_ms: u64, end_ms: u64) -> Self {
        Self::around(Plan::draw(seed, scale.shape, faults, heal_ms, end_ms), scale, faults)
    }

    /// A run of what befalls a network of this scale, with what befalls those without a seat.
    #[must_use]
    pub fn around(mut plan: Plan, scale: Scale, faults: Faults) -> Self {
        // A full client is down for epochs now and then.
        let mut random = plan.seed.stream("simulation/full");
        let heal_ms = plan.heal_ms;
        if faults.crashes && random.chance(1, 2) {
            let node = u16::try_from(scale.shape.institutions()).unwrap_or(0);
            let down_ms = u64::from(scale.shape.epoch_ms) * 5 / 2;
            let at_ms = u64::from(random.below(u32::try_from(heal_ms / 2).unwrap_or(1).max(1)));
            plan.controls.push((at_ms, Control::Crash(node, Crash::Clean)));
            plan.controls.push(((at_ms + down_ms).min(heal_ms), Control::Restart(node)));
            plan.controls.sort_by_key(|(at, _)| *at);
        }
        let deeds = plan.faulty.iter().map(|(id, name)| (*id, Deed::of(*name))).collect();
        Self { plan, scale, deeds, is_real: false }
    }
}

/// What a run showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Broken claims.
    pub breaches: Vec<Breach>,
    /// Digest of everything that happened.
    pub digest: u128,
    /// What happened how often.
    pub sometimes: Sometimes,
    /// How often each deviation acted.
    pub acted: Vec<(Deed, u64)>,
    /// Blocks of the chain.
    pub height: u64,
    /// Records on it.
    pub records: u64,
    /// Messages delivered.
    pub delivered: u64,
    /// Milliseconds simulated.
    pub simulated_ms: u64,
}

/// A run that can be looked into.
#[derive(Debug)]
pub struct Run<R: Rules + 'static> {
    /// Its plan.
    pub plan: NodePlan,
    /// What all have in common.
    pub setup: Rc<Setup<R>>,
    /// The world.
    pub world: World<Actor<R>>,
    /// Who looks on.
    pub judge: Judge<R>,
}

impl<R: Rules + 'static> Run<R> {
    /// Sets a run up.
    #[must_use]
    pub fn new(plan: NodePlan, rules: R) -> Self {
        let (scale, seed) = (plan.scale, plan.plan.seed);
        let setup = Setup::new(rules, scale, seed, plan.is_real);
        let node = |id: u32| {
            let skew_ms = plan.plan.clocks.get(id as usize - 1).map_or(0, |clock| clock.0);
            let host = NodeHost::new(&setup, InstitutionId::new(id), skew_ms);
            let deed = plan.deeds.get(&id);
            let puppet = deed.map(|deed| Puppet::new(*deed, &host, seed));
            (id, Actor::Node(Box::new(NodeActor { host, puppet })))
        };
        let ids = (1..=scale.newcomer()).chain(plan.plan.twins.iter().copied());
        let mut actors: Vec<_> = ids.map(node).collect();
        let users = Users::new(&setup, seed, plan.plan.heal_ms);
        actors.push((scale.users(), Actor::Users(Box::new(users))));
        let institutions = actors.iter().map(|(id, _)| InstitutionId::new(*id)).collect();
        let faulty: BTreeSet<InstitutionId> =
            plan.deeds.keys().chain(&plan.plan.twins).map(|id| InstitutionId::new(*id)).collect();
        let mut world = World::new(actors, seed.get() ^ 0x51, plan.plan.links);
        for (node, clock) in (0..).zip(&plan.plan.clocks) {
            world.set_rate(node, clock.1);
        }
        for (at_ms, control) in &plan.plan.controls {
            world.plan(*at_ms, control.clone());
        }
        world.plan(plan.plan.heal_ms, Control::Heal);
        world.plan(plan.plan.heal_ms, Control::Links(calm(&scale.shape)));
        let judge = Judge::new(&setup, institutions, faulty);
        Self { plan, setup, world, judge }
    }

    /// Runs to the end and judges.
    #[must_use]
    pub fn finish(mut self) -> Outcome {
        self.play();
        self.judge.conclude();
        self.outcome()
    }

    /// Runs to the end.
    pub fn play(&mut self) {
        self.world.start(&mut self.judge);
        self.advance(self.plan.plan.heal_ms);
        if self.plan.plan.end_ms > self.plan.plan.heal_ms {
            self.setup.bitcoin.borrow_mut().calm();
            self.live();
        }
    }

    /// Runs for some time, looking at the load now and then.
    pub fn advance(&mut self, until_ms: u64) {
        while self.world.now_ms() < until_ms {
            let step = (until_ms - self.world.now_ms()).min(10_000);
            self.world.run(self.world.now_ms() + step, &mut self.judge);
            self.weigh();
        }
    }

    /// Honest institutions.
    pub fn honest(&self) -> impl Iterator<Item = (Node, &NodeHost<R>)> + '_ {
        (0..self.world.nodes()).filter_map(|node| match self.world.host(node) {
            Actor::Node(actor) if self.judge.is_honest(node) => Some((node, &actor.host)),
            _ => None,
        })
    }

    /// I18: whatever others send, a node keeps no more than this.
    fn weigh(&mut self) {
        let auditors = u64::from(self.plan.scale.shape.auditors);
        let load_max = LOAD_PER_AUDITOR * auditors + self.judge.history.nullified + 64;
        let maxima = [
            usize::try_from(load_max).unwrap_or(usize::MAX),
            usize::try_from(load_max).unwrap_or(usize::MAX),
            limits::BODIES_MAX,
            limits::ITEMS_MAX,
            limits::BODIES_MAX + 1,
            limits::BODIES_MAX,
            limits::BALLOTS_MAX,
        ];
        let broken = self.honest().find_map(|(node, host)| {
            let sizes = host.node().sizes();
            let is_over = sizes.iter().zip(&maxima).any(|(size, most)| size > most);
            is_over.then(|| format!("node {node} keeps {sizes:?}, {maxima:?} at most"))
        });
        if let Some(what) = broken {
            self.judge.history.broken("memory", what);
        }
    }

    /// After the network healed: new blocks at every honest node, every accepted record booked, every
    /// anchor certified while enough members are honest.
    fn live(&mut self) {
        let shape = self.plan.scale.shape;
        let views = self.plan.plan.faulty_in_a_row() + 2;
        let patience_ms =
            (u64::from(shape.turn_ms) + u64::from(shape.delay_ms) * 64 * 5) * (views + 2);
        // A lost log keeps silent until an epoch ends that began after the loss was found.
        let silence_ms = if self.judge.lost() > 0 { u64::from(shape.epoch_ms) * 2 } else { 0 };
        let begin_ms = self.world.now_ms();
        let target = self.judge.books.height() + 2;
        let end_ms = (begin_ms + patience_ms + silence_ms).max(self.plan.plan.end_ms);
        while self.world.now_ms() < end_ms {
            let step_ms = u64::from(shape.turn_ms.max(100) / 2);
            self.advance(self.world.now_ms() + step_ms);
            if self.is_alive(target) && self.world.now_ms() >= self.plan.plan.end_ms {
                return;
            }
        }
        let what = self.lag(target);
        self.judge.history.broken("life", format!("behind {} ms: {what}", end_ms - begin_ms));
    }

    fn can_anchor(&self) -> bool {
        let seats: Vec<_> = self.judge.books.committees.electorate().collect();
        let faulty = &self.judge.history.faulty;
        let bad = seats.iter().filter(|seat| faulty.contains(&seat.institution)).count();
        3 * bad < seats.len() && self.plan.deeds.len() * 3 < seats.len()
    }

    fn is_alive(&self, target: u64) -> bool {
        let reached = |host: &NodeHost<R>| host.node().chain().height().get() >= target;
        let ended = self.judge.books.open().get();
        let holds = |node: Node| {
            let held = self.judge.certified.get(&node).map_or(0, BTreeSet::len);
            // The last one may be on its way.
            held + 1 >= ended as usize
        };
        let anchors = self.can_anchor();
        self.judge.unbooked() == 0
            && self.honest().all(|(node, host)| reached(host) && (!anchors || holds(node)))
    }

    fn lag(&self, target: u64) -> String {
        let nodes = self.honest().map(|(node, host)| {
            let (chain, consensus) = (host.node().chain(), host.node().consensus());
            let anchors = self.judge.certified.get(&node).map_or(0, BTreeSet::len);
            let (epoch, view) = (consensus.epoch(), consensus.view());
            let waiting = host.node().waiting();
            format!("{}: h{} e{epoch} v{view} a{anchors} w{waiting}", host.me(), chain.height())
        });
        let nodes: Vec<String> = nodes.collect();
        let unbooked = self.judge.unbooked();
        format!("target {target}, {unbooked} accepted records unbooked; {}", nodes.join(", "))
    }

    fn outcome(self) -> Outcome {
        let acted = (0..self.world.nodes())
            .filter_map(|node| match self.world.host(node) {
                Actor::Node(actor) => actor.puppet.as_ref(),
                Actor::Users(_) => None,
            })
            .map(|puppet| (puppet.deed, puppet.acted()))
            .collect();
        let mut sometimes = self.judge.books.sometimes.clone();
        sometimes.insert("view nullified", self.judge.history.nullified);
        sometimes.insert("offence shown", self.judge.convicted.len() as u64);
        let reorganised = self.setup.bitcoin.borrow().reorganisations;
        sometimes.insert("Bitcoin reorganised", reorganised);
        Outcome {
            breaches: self.judge.history.breaches.iter().cloned().collect(),
            digest: self.world.digest(),
            sometimes,
            acted,
            height: self.judge.books.height(),
            records: self.judge.books.records.len() as u64,
            delivered: self.world.delivered(),
            simulated_ms: self.world.now_ms(),
        }
    }
}

/// Runs a plan.
#[must_use]
pub fn run<R: Rules + 'static>(plan: &NodePlan, rules: R) -> Outcome {
    Run::new(plan.clone(), rules).finish()
}
