//! What the world runs: a cluster node that may deviate.

use std::rc::Rc;

use mdsm_core::consensus::{Input, Own, Rules};
use mdsm_core::types::InstitutionId;

use super::Action;
use super::chain::Chain;
use super::host::{ConsensusHost, Entry, HostTimer, Seen};
use super::wire::Wire;
use crate::simulation::strategies::Deviant;
use crate::simulation::world::{self, Disk, Host};

/// A node and, if it is faulty, how.
#[derive(Debug)]
pub struct Actor<R: Rules> {
    /// The node.
    pub host: ConsensusHost<R>,
    /// How it deviates.
    pub deviant: Option<Box<Deviant<R>>>,
}

impl<R: Rules> Actor<R> {
    /// A node that follows the rules.
    #[must_use]
    pub fn honest(host: ConsensusHost<R>) -> Self {
        Self { host, deviant: None }
    }

    /// Lets the node act, and its deviation change what it does.
    fn act(
        &mut self,
        now_ms: u64,
        out: &mut Vec<Action<R>>,
        act: impl FnOnce(&mut ConsensusHost<R>, &mut Vec<Action<R>>),
    ) {
        self.host.now_ms = now_ms;
        match &mut self.deviant {
            None => act(&mut self.host, out),
            Some(deviant) => {
                let mut honest = Vec::new();
                act(&mut self.host, &mut honest);
                deviant.twist(&self.host, honest, out);
            }
        }
    }
}

impl<R: Rules> Host for Actor<R> {
    type Message = Wire;
    type Entry = Entry;
    type Checkpoint = Chain;
    type Timer = HostTimer;
    type Observation = Seen;

    fn wake(&mut self, now_ms: u64, disk: &world::Disk<Entry, Chain>, out: &mut Vec<Action<R>>) {
        self.act(now_ms, out, |host, out| host.recover(disk, out));
        if self.deviant.is_some() {
            let after_ms = self.host.setup.shape.delay_ms;
            out.push(Action::Arm { timer: HostTimer::Strategy, after_ms });
        }
    }

    fn fall(&mut self) {
        let host = &self.host;
        self.host = ConsensusHost::new(&host.setup, host.me, host.skew_ms);
    }

    fn hear(&mut self, now_ms: u64, from: u32, message: &Rc<Wire>, out: &mut Vec<Action<R>>) {
        if let Some(deviant) = &mut self.deviant {
            self.host.now_ms = now_ms;
            if !deviant.hear(&self.host, from, message, out) {
                return;
            }
        }
        let from = InstitutionId::new(from);
        self.act(now_ms, out, |host, out| host.take(from, message, out));
    }

    fn ring(&mut self, now_ms: u64, timer: HostTimer, out: &mut Vec<Action<R>>) {
        match timer {
            HostTimer::Consensus(timer) => {
                self.act(now_ms, out, |host, out| host.step(Input::Timeout(timer), out));
            }
            HostTimer::Fetch => self.act(now_ms, out, |host, out| {
                host.missing.clear();
                host.is_fetching = false;
                host.settle(out);
            }),
            HostTimer::Ballot(epoch) => {
                if self.host.ballot.as_ref().is_some_and(|ballot| ballot.epoch() == epoch) {
                    self.act(now_ms, out, ConsensusHost::vote_anchor);
                }
            }
            HostTimer::Strategy => {
                let Some(deviant) = &mut self.deviant else { return };
                self.host.now_ms = now_ms;
                let forgets = deviant.tick(&self.host, out);
                let after_ms = self.host.setup.shape.delay_ms;
                out.push(Action::Arm { timer: HostTimer::Strategy, after_ms });
                if forgets {
                    self.fall();
                    let (checkpoint, entries) = (None, Vec::new());
                    let empty = Disk { checkpoint, entries, is_whole: true };
                    self.act(now_ms, out, |host, out| host.recover(&empty, out));
                }
            }
        }
    }

    /// Timers of views that were left mean nothing, unless the rules under test say otherwise.
    fn heeds(&self, timer: &HostTimer) -> bool {
        let HostTimer::Consensus(timer) = timer else { return true };
        let consensus = self.host.consensus();
        (timer.epoch, timer.view) == (consensus.epoch(), consensus.view())
            || self.host.setup.rules.may_nullify(&Own::default(), false)
    }
}
