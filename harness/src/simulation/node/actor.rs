//! What the world runs: institutions, faulty or not, and their users.

use std::rc::Rc;

use mdsm_core::consensus::{Own, Rules};
use mdsm_core::node::{Input, Timer};
use mdsm_core::types::InstitutionId;

use super::Action;
use super::disk::Saved;
use super::host::{Entry, HostTimer, NodeHost, Seen};
use super::puppet::Puppet;
use super::users::Users;
use super::wire::{Body, Wire};
use crate::simulation::world::{self, Host};

/// Somebody in the world.
#[derive(Debug)]
pub enum Actor<R: Rules + 'static> {
    /// An institution.
    Node(Box<NodeActor<R>>),
    /// All users together.
    Users(Box<Users<R>>),
}

/// An institution and, if it is faulty, how.
#[derive(Debug)]
pub struct NodeActor<R: Rules + 'static> {
    /// The institution.
    pub host: NodeHost<R>,
    /// How it deviates.
    pub puppet: Option<Puppet<R>>,
}

impl<R: Rules + 'static> NodeActor<R> {
    /// Lets the node act, and its deviation change what it does.
    fn act(
        &mut self,
        out: &mut Vec<Action<R>>,
        act: impl FnOnce(&mut NodeHost<R>, &mut Vec<Action<R>>),
    ) {
        match &mut self.puppet {
            None => act(&mut self.host, out),
            Some(puppet) => {
                let mut honest = Vec::new();
                act(&mut self.host, &mut honest);
                puppet.twist(&mut self.host, honest, out);
            }
        }
    }

    fn hear(&mut self, from: u32, message: &Rc<Wire>, out: &mut Vec<Action<R>>) {
        let host = &mut self.host;
        if let Some(puppet) = &mut self.puppet
            && !puppet.hear(host, from, message, out)
        {
            return;
        }
        let from = InstitutionId::new(from);
        self.act(out, |host, out| match &message.body {
            Body::Node(message) => {
                host.step(Input::Message { from, message: message.clone() }, out);
            }
            Body::Request(owner) => host.step(Input::Request(*owner), out),
            Body::Submit(envelope, is_stored) => host.submit(envelope, *is_stored, out),
            Body::Acknowledged(_) | Body::Refused(..) => {}
        });
    }

    fn ring(&mut self, timer: HostTimer, out: &mut Vec<Action<R>>) {
        match timer {
            HostTimer::Node(timer) => {
                self.act(out, |host, out| host.step(Input::Timeout(timer), out));
            }
            HostTimer::Bitcoin => self.act(out, NodeHost::look),
            HostTimer::Strategy => {
                let after_ms = self.host.setup.scale.shape.delay_ms;
                out.push(Action::Arm { timer: HostTimer::Strategy, after_ms });
                let Some(puppet) = &mut self.puppet else { return };
                if puppet.tick(&mut self.host, out) {
                    self.fall();
                    let (checkpoint, entries) = (None, Vec::new());
                    let empty = world::Disk { checkpoint, entries, is_whole: true };
                    self.act(out, |host, out| host.wake(&empty, out));
                }
            }
            HostTimer::Users => {}
        }
    }

    fn fall(&mut self) {
        let NodeHost { setup, me, skew_ms, lookout, .. } = &mut self.host;
        let mut lookout = std::mem::take(lookout);
        lookout.restart();
        self.host = NodeHost::new(setup, *me, *skew_ms);
        self.host.lookout = lookout;
    }
}

impl<R: Rules + 'static> Host for Actor<R> {
    type Message = Wire;
    type Entry = Entry;
    type Checkpoint = Saved;
    type Timer = HostTimer;
    type Observation = Seen;

    fn wake(&mut self, now_ms: u64, disk: &world::Disk<Entry, Saved>, out: &mut Vec<Action<R>>) {
        match self {
            Self::Node(actor) => {
                actor.host.now_ms = now_ms;
                actor.act(out, |host, out| host.wake(disk, out));
                if actor.puppet.is_some() {
                    let after_ms = actor.host.setup.scale.shape.delay_ms;
                    out.push(Action::Arm { timer: HostTimer::Strategy, after_ms });
                }
            }
            Self::Users(users) => users.begin(out),
        }
    }

    fn fall(&mut self) {
        if let Self::Node(actor) = self {
            actor.fall();
        }
    }

    fn hear(&mut self, now_ms: u64, from: u32, message: &Rc<Wire>, out: &mut Vec<Action<R>>) {
        match self {
            Self::Node(actor) => {
                actor.host.now_ms = now_ms;
                actor.hear(from, message, out);
            }
            Self::Users(users) => users.hear(&message.body),
        }
    }

    fn ring(&mut self, now_ms: u64, timer: HostTimer, out: &mut Vec<Action<R>>) {
        match self {
            Self::Node(actor) => {
                actor.host.now_ms = now_ms;
                actor.ring(timer, out);
            }
            Self::Users(users) => users.tick(now_ms, out),
        }
    }

    /// Timers of views that were left mean nothing, unless the rules under test say otherwise.
    fn heeds(&self, timer: &HostTimer) -> bool {
        let (Self::Node(actor), HostTimer::Node(Timer::Consensus(timer))) = (self, timer) else {
            return true;
        };
        let consensus = actor.host.node.consensus();
        (timer.epoch, timer.view) == (consensus.epoch(), consensus.view())
            || actor.host.setup.rules.may_nullify(&Own::default(), false)
    }
}
