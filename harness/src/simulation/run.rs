//! One run: faults first, and safety is judged; then none, and life must show.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use mdsm_core::consensus::{Rules, VIEWS_AHEAD};
use mdsm_core::ledger::quorum;
use mdsm_core::roster::Committees;
use mdsm_core::types::{Epoch, InstitutionId, View};

use super::cluster::{Actor, ConsensusHost, Setup, Signatures};
use super::judge::Judge;
use super::plan::{Plan, calm};
use super::scopes::Target;
use super::strategies::{Deviant, Name};
use super::world::{Control, Fate, Fault, Node, World};
use crate::oracle::consensus::{Breach, accountability, authors};

/// What a run showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Broken claims.
    pub breaches: Vec<Breach>,
    /// Digest of everything that happened.
    pub digest: u128,
    /// Counts of what happened.
    pub counts: Counts,
    /// How often each strategy acted.
    pub acted: Vec<(Name, u64)>,
    /// How often each mutation of the scope happened.
    pub mutated: BTreeMap<Target, u64>,
    /// Auditors that are shown to have broken an agreement.
    pub authors: BTreeSet<InstitutionId>,
}

/// Counts of one run, or of many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Counts {
    /// Runs.
    pub runs: u64,
    /// Messages delivered.
    pub delivered: u64,
    /// Blocks that became final.
    pub finals: u64,
    /// Views that ended without a block.
    pub nullified: u64,
    /// Epochs that ended.
    pub epochs: u64,
    /// Anchors certified.
    pub anchors: u64,
    /// Logs that lost something.
    pub lost_logs: u64,
    /// Votes whose signature did not hold.
    pub forged: u64,
    /// Offences shown.
    pub offences: u64,
    /// Signed messages that were changed byte by byte, and refused.
    pub altered: u64,
    /// Most slots and waiting votes of a node at any time.
    pub load: u64,
    /// Milliseconds simulated.
    pub simulated_ms: u64,
    /// Longest time without a final block, milliseconds.
    pub gap_ms: u64,
}

impl Counts {
    /// Adds up.
    pub fn add(&mut self, other: &Self) {
        self.runs += other.runs;
        self.delivered += other.delivered;
        self.finals += other.finals;
        self.nullified += other.nullified;
        self.epochs += other.epochs;
        self.anchors += other.anchors;
        self.lost_logs += other.lost_logs;
        self.forged += other.forged;
        self.offences += other.offences;
        self.altered += other.altered;
        self.load = self.load.max(other.load);
        self.simulated_ms += other.simulated_ms;
        self.gap_ms = self.gap_ms.max(other.gap_ms);
    }
}

/// A run that can be looked into.
#[derive(Debug)]
pub struct Run<R: Rules> {
    /// Its plan.
    pub plan: Plan,
    /// The world.
    pub world: World<Actor<R>>,
    /// Who looks on.
    pub judge: Judge<R>,
    load: u64,
    gap_ms: u64,
}

/// Votes of one auditor that may wait in one view: notarize, and nullify or finalize. Others contradict one
/// of them and are judged at once. [I18]
const VOTES_WAITING_MAX: u64 = 2;

impl<R: Rules + 'static> Run<R> {
    /// Sets a run up.
    #[must_use]
    pub fn new(plan: Plan, rules: R, is_real: bool) -> Self {
        let shape = plan.shape;
        let secret = plan.seed.get();
        let signatures = if is_real {
            Signatures::real(shape.institutions(), secret)
        } else {
            Signatures::ideal(secret)
        };
        let is_faulty = |id: &u32| plan.faulty.contains_key(id) || plan.twins.contains(id);
        let movable = (1..=shape.institutions()).filter(|id| !is_faulty(id));
        let movable = movable.map(InstitutionId::new).collect();
        let setup = Rc::new(Setup::new(rules, shape, signatures, movable));
        let actor = |id: u32| {
            let skew_ms = plan.clocks.get(id as usize - 1).map_or(0, |clock| clock.0);
            let mut actor =
                Actor::honest(ConsensusHost::new(&setup, InstitutionId::new(id), skew_ms));
            if let Some(name) = plan.faulty.get(&id) {
                let random = plan.seed.stream(&format!("simulation/strategy/{id}"));
                actor.deviant = Some(Box::new(Deviant::new(*name, random, plan.seed)));
            }
            (id, actor)
        };
        let ids = (1..=shape.institutions()).chain(plan.twins.iter().copied());
        let actors: Vec<_> = ids.map(actor).collect();
        let institutions = actors.iter().map(|(id, _)| InstitutionId::new(*id)).collect();
        let faulty = (1..=shape.institutions()).filter(is_faulty).map(InstitutionId::new).collect();
        let mut world = World::new(actors, secret ^ 0x51, plan.links);
        for (node, clock) in (0..).zip(&plan.clocks) {
            world.set_rate(node, clock.1);
        }
        for (at_ms, control) in &plan.controls {
            world.plan(*at_ms, control.clone());
        }
        world.plan(plan.heal_ms, Control::Heal);
        world.plan(plan.heal_ms, Control::Links(calm(&shape)));
        let judge = Judge::new(&setup, institutions, faulty);
        Self { plan, world, judge, load: 0, gap_ms: 0 }
    }

    /// Runs to the end and judges.
    #[must_use]
    pub fn finish(mut self) -> Outcome {
        self.go();
        self.outcome()
    }

    /// The same, with what was said.
    #[must_use]
    pub fn finish_labelled(mut self) -> (Outcome, Option<BTreeMap<u64, String>>) {
        self.go();
        let labels = self.judge.labels.take();
        (self.outcome(), labels)
    }

    /// The same, with what happened to messages and what they said.
    #[must_use]
    pub fn finish_recorded(mut self) -> (Record, BTreeMap<u64, String>) {
        self.go();
        (self.world.network.take_record(), self.judge.labels.take().unwrap_or_default())
    }

    /// Runs to the end and judges, and leaves the run to be looked into.
    pub fn go(&mut self) {
        self.world.start(&mut self.judge);
        self.advance(self.plan.heal_ms);
        if self.plan.end_ms > self.plan.heal_ms {
            self.live();
        }
        self.judge.history.judge_all();
    }

    /// Runs for some time, looking at the load now and then.
    fn advance(&mut self, until_ms: u64) {
        while self.world.now_ms() < until_ms {
            let step = (until_ms - self.world.now_ms()).min(5_000);
            self.world.run(self.world.now_ms() + step, &mut self.judge);
            self.weigh();
            let gap_ms = self.world.now_ms() - self.judge.history.last_final_ms;
            self.gap_ms = self.gap_ms.max(gap_ms);
        }
    }

    fn honest(&self) -> impl Iterator<Item = Node> + '_ {
        (0..self.world.nodes()).filter(|node| {
            let me = self.world.host(*node).host.me();
            !self.judge.history.faulty.contains(&me)
        })
    }

    fn weigh(&mut self) {
        let auditors = u64::from(self.plan.shape.auditors);
        let (mut heaviest, mut broken) = (self.load, None);
        for node in self.honest() {
            let host = &self.world.host(node).host;
            let (slots, waiting, _) = host.load();
            let load = slots as u64 + waiting as u64;
            heaviest = heaviest.max(load);
            // A node hears views behind the last final one up to some ahead of its own; each has a slot.
            let consensus = host.consensus();
            let heard = host.waiting_above_final();
            let behind = consensus.view().get().saturating_sub(consensus.finalized().0.get());
            let bound = (behind + VIEWS_AHEAD + 1) * (1 + VOTES_WAITING_MAX * auditors);
            // What waits for views that are over goes with the next vote, and had its bound before.
            if slots as u64 + heard > bound {
                let what =
                    format!("node {node} holds {slots} slots and {heard} votes, {bound} at most");
                broken.get_or_insert(what);
            }
        }
        self.load = heaviest;
        if let Some(what) = broken {
            self.judge.history.broken("memory", what);
        }
    }

    /// The place of a node: epoch and view.
    fn place(&self, node: Node) -> (Epoch, View) {
        let consensus = self.world.host(node).host.consensus();
        (consensus.epoch(), consensus.view())
    }

    /// Runs to the moment G of T6 and gives the highest place at it. At G whatever was under way when the
    /// network healed has arrived or is lost, everything was sent again once, and a quorum of auditors
    /// is lively: an auditor further behind than one epoch counts from when it has caught up.
    fn settle(&mut self, end_ms: u64) -> Option<(Epoch, View)> {
        let Plan { shape, links, heal_ms, .. } = &self.plan;
        let delay = |node: Node| self.world.host(node).host.consensus().assumed_delay_ms();
        let delay_ms = u64::from(self.honest().map(delay).max().unwrap_or(shape.delay_ms));
        let now = calm(shape);
        // The slowest clock takes a twentieth longer.
        let again_ms = (u64::from(shape.turn_ms) + delay_ms * 4) * 21 / 20
            + u64::from(now.base_ms + now.jitter_ms);
        let late_ms = u64::from(links.late_ms + 4 * links.jitter_ms) + 500;
        self.advance(heal_ms + again_ms.max(late_ms));
        loop {
            let start = self.honest().map(|node| self.place(node)).max()?;
            if self.lively(start.0) || self.world.now_ms() >= end_ms {
                return Some(start);
            }
            self.advance(self.world.now_ms() + 20);
        }
    }

    /// Whether a quorum of the auditors of an epoch is lively.
    fn lively(&self, epoch: Epoch) -> bool {
        let Some(committees) = self.committees(epoch) else { return false };
        let is_lively = |node: &Node| {
            let host = &self.world.host(*node).host;
            let sits = committees.auditors.iter().any(|seat| seat.institution == host.me());
            sits && !host.is_silent() && self.place(*node).0.next() >= Some(epoch)
        };
        self.honest().filter(is_lively).count() >= quorum(committees.auditors.len())
    }

    fn committees(&self, epoch: Epoch) -> Option<Arc<Committees>> {
        let consensus = self.honest().map(|node| self.world.host(node).host.consensus());
        let mut found = consensus.map(|consensus| consensus.committees());
        found.find(|committees| committees.epoch == epoch).cloned()
    }

    /// The longest run of leaders, in the order of turns, that are not ready: faulty, silent behind a
    /// loss, or without the committees and blocks that messages of this epoch refer to.
    fn unready_in_a_row(&self, epoch: Epoch) -> u64 {
        let Some(committees) = self.committees(epoch) else { return 0 };
        let is_ready = |node: &Node| {
            let host = &self.world.host(*node).host;
            !host.is_silent() && self.place(*node).0 == epoch && host.has_blocks()
        };
        let ready: BTreeSet<InstitutionId> =
            self.honest().filter(is_ready).map(|node| self.world.host(node).host.me()).collect();
        let turns = committees.producers.iter().chain(&committees.producers);
        let (mut longest, mut run) = (0, 0);
        for seat in turns {
            run = if ready.contains(&seat.institution) { 0 } else { run + 1 };
            longest = longest.max(run);
        }
        longest
    }

    /// Views that may be nullified before the assumed delay of every honest auditor is what T6 asks for:
    /// 2 D (1 - rho) >= 3 delta + 2 rho P. D grows by half with each.
    fn impatient_views(&self) -> u64 {
        let Plan { shape, clocks, .. } = &self.plan;
        let wrong =
            clocks.iter().map(|(_, rate)| u64::from(rate.unsigned_abs())).max().unwrap_or(0);
        let now = calm(shape);
        let delta_ms = u64::from(now.base_ms + now.jitter_ms);
        let delay =
            |node: Node| u64::from(self.world.host(node).host.consensus().assumed_delay_ms());
        let shortest = self.honest().map(delay).min().unwrap_or(shape.delay_ms.into());
        views_until(shortest, wrong, delta_ms, shape.turn_ms.into())
    }

    /// After the network healed: of so many views as the longest run of leaders that are not ready, and
    /// one more, one must finalize a block, and every honest node must have it in time. (T6)
    fn live(&mut self) {
        let shape = self.plan.shape;
        // Delays grow to 64 times while faults last, and shrink when a block is notarized.
        let patience_ms = |views: u64| {
            (u64::from(shape.turn_ms) + u64::from(shape.delay_ms) * 64 * 5) * (views + 2)
        };
        let Some(start) = self.settle(self.plan.heal_ms + patience_ms(0)) else { return };
        let views = self.unready_in_a_row(start.0) + self.impatient_views() + 2;
        let mut target: Option<u64> = None;
        let patience_ms = patience_ms(views);
        let end_ms = (self.world.now_ms() + patience_ms).max(self.plan.end_ms);
        while self.world.now_ms() < end_ms {
            self.world
                .run(self.world.now_ms() + u64::from(shape.delay_ms.max(20)), &mut self.judge);
            if target.is_none() && self.judge.history.last_final > start {
                target = self.judge.history.heights.values().max().copied();
            }
            if let Some(target) = target {
                let heights = &self.judge.history.heights;
                let is_up = |node: Node| {
                    let me = self.world.host(node).host.me();
                    heights.get(&me).is_some_and(|height| *height >= target)
                };
                if self.honest().all(is_up) {
                    return;
                }
                continue;
            }
            let ahead = self.honest().map(|node| self.place(node)).max().unwrap_or(start);
            let limit = start.1.get() + views;
            if ahead.0 == start.0 && ahead.1.get() > limit {
                let what = format!(
                    "epoch {} view {} is reached and nothing behind view {} is final",
                    ahead.0, ahead.1, start.1
                );
                return self.judge.history.broken("life", what);
            }
        }
        let lag: Vec<String> = self
            .honest()
            .map(|node| (node, self.place(node), self.world.host(node).host.chain().height))
            .map(|(node, place, height)| format!("{node}: e{} v{} h{height}", place.0, place.1))
            .collect();
        let what = format!("no progress for all in {patience_ms} ms: {}", lag.join(", "));
        self.judge.history.broken("life", what);
    }

    /// What the run showed.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let history = &self.judge.history;
        let acted = (0..self.world.nodes())
            .filter_map(|node| self.world.host(node).deviant.as_ref())
            .map(|deviant| (deviant.name, deviant.acted))
            .collect();
        let mut mutated: BTreeMap<Target, u64> = BTreeMap::new();
        for deviant in (0..self.world.nodes()).filter_map(|n| self.world.host(n).deviant.as_ref()) {
            deviant.mutated.iter().for_each(|(t, n)| *mutated.entry(*t).or_default() += n);
        }
        let offences = history.epochs.values().map(|epoch| epoch.evidence.len() as u64).sum();
        let epoch = self.honest().map(|node| self.place(node).0.get()).max().unwrap_or(0);
        let counts = Counts {
            runs: 1,
            delivered: self.world.delivered(),
            finals: history.finals,
            nullified: history.nullified,
            epochs: u64::from(epoch),
            anchors: self.judge.anchored.len() as u64,
            lost_logs: u64::from(self.judge.lost),
            forged: self.judge.forged,
            offences,
            altered: self.judge.altered,
            load: self.load,
            simulated_ms: self.world.now_ms(),
            gap_ms: self.gap_ms,
        };
        Outcome {
            breaches: history.breaches.iter().cloned().collect(),
            digest: self.world.digest(),
            counts,
            acted,
            mutated,
            authors: authors(history),
        }
    }

    /// Whether a broken agreement names its authors.
    pub fn held_to_account(&self) -> Result<(), String> {
        accountability(&self.judge.history)
    }
}

/// How often a delay has to grow by half until it is enough for timers that are wrong by so many
/// thousandths.
fn views_until(delay_ms: u64, thousandths: u64, delta_ms: u64, turn_ms: u64) -> u64 {
    let is_enough = |delay_ms: u64| {
        2 * delay_ms * (1_000 - thousandths) >= 3 * delta_ms * 1_000 + 2 * thousandths * turn_ms
    };
    let mut delay_ms = delay_ms.max(1);
    let mut views = 0;
    while !is_enough(delay_ms) {
        delay_ms += (delay_ms / 2).max(1);
        views += 1;
    }
    views
}

/// Runs a plan.
#[must_use]
pub fn run<R: Rules + 'static>(plan: &Plan, rules: R) -> Outcome {
    Run::new(plan.clone(), rules, false).finish()
}

/// Faults of a run, as they were recorded.
pub type Record = Vec<(Fault, Fate)>;

#[cfg(test)]
mod tests {
    use super::views_until;

    #[test]
    fn timers_that_are_wrong_take_views_until_the_delay_has_grown() {
        // 105 ms of delay, turns of 6 s: exact timers need 158 ms, a twentieth 482, a ten-thousandth 159.
        assert_eq!(views_until(158, 0, 105, 6_000), 0);
        assert_eq!(views_until(157, 0, 105, 6_000), 1);
        assert_eq!(views_until(482, 50, 105, 6_000), 0);
        assert_eq!(views_until(200, 50, 105, 6_000), 3);
        assert_eq!(views_until(0, 50, 105, 6_000), 16);
    }
}
