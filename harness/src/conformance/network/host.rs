//! The actors of a world: nodes behind the port, and the clients.

use std::rc::Rc;

use serde_json::Value;

use super::clients::Clients;
use super::foreign::Foreign;
use super::result::{Did, Seen};
use crate::conformance::protocol::Step;
use crate::simulation::world::{self, Action, Disk, Host, To, mix};

/// What travels, with its number among its sender's messages: what befalls it does not depend on what it
/// says.
#[derive(Clone, Debug)]
pub(super) struct Wire {
    pub mark: u64,
    pub body: Body,
}

/// What a message is.
#[derive(Clone, Debug)]
pub(super) enum Body {
    /// From node to node.
    Opaque(Rc<[u8]>),
    /// From a client.
    Request(Value),
}

impl world::Message for Wire {
    fn mark(&self) -> u64 {
        self.mark
    }
}

/// What rings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Timer {
    /// A node's, by its number among the node's.
    Node(u64),
    /// The clients look at what is to be done.
    Clients,
}

/// Somebody in the world.
pub(super) enum Actor<'a, 's> {
    /// A node of the adapter, and how many messages it has sent.
    Node(Box<Foreign<'a, 's>>, u64),
    /// All clients together.
    Clients(Box<Clients>),
}

fn carry_out<'a, 's>(
    node: &mut Foreign<'a, 's>,
    sent: &mut u64,
    did: Did,
    out: &mut Vec<Action<Actor<'a, 's>>>,
) {
    let Did { replace, append, outbox, timers, seen } = did;
    if replace {
        out.push(Action::Checkpoint(append.into()));
    } else {
        out.extend(append.into_iter().map(Action::Append));
    }
    for (to, message) in outbox {
        *sent += 1;
        let mark = mix(u64::from(node.node), *sent);
        let to: Vec<u32> = to.into_iter().filter(|to| *to != node.institution).collect();
        let message = Rc::new(Wire { mark, body: Body::Opaque(message) });
        out.push(Action::Send { to: To::Many(to.into()), message });
    }
    for (name, after_ms) in timers {
        out.push(Action::Arm { timer: Timer::Node(node.arm(name)), after_ms });
    }
    out.extend(seen.into_iter().map(Action::Observe));
}

impl Host for Actor<'_, '_> {
    type Message = Wire;
    type Entry = Rc<[u8]>;
    type Checkpoint = Rc<[Rc<[u8]>]>;
    type Timer = Timer;
    type Observation = Seen;

    fn wake(
        &mut self,
        now_ms: u64,
        disk: &Disk<Self::Entry, Self::Checkpoint>,
        out: &mut Vec<Action<Self>>,
    ) {
        match self {
            Self::Node(node, sent) => {
                let checkpoint = disk.checkpoint.iter().flat_map(|entries| entries.iter());
                let durable = checkpoint.chain(&disk.entries).cloned().collect();
                out.push(Action::Observe(Seen::Woke));
                let did = node.step(now_ms, Step { start: Some(durable), ..Step::default() });
                carry_out(node, sent, did, out);
            }
            Self::Clients(clients) => clients.begin(out),
        }
    }

    fn fall(&mut self) {
        if let Self::Node(node, _) = self {
            node.fall();
        }
    }

    fn hear(&mut self, now_ms: u64, from: u32, message: &Rc<Wire>, out: &mut Vec<Action<Self>>) {
        let Self::Node(node, sent) = self else { return };
        let step = match &message.body {
            Body::Opaque(bytes) => Step { inbox: vec![(from, bytes.clone())], ..Step::default() },
            Body::Request(request) => Step { requests: vec![request.clone()], ..Step::default() },
        };
        let did = node.step(now_ms, step);
        carry_out(node, sent, did, out);
    }

    fn ring(&mut self, now_ms: u64, timer: Timer, out: &mut Vec<Action<Self>>) {
        match (self, timer) {
            (Self::Node(node, sent), Timer::Node(number)) => {
                let Some(name) = node.ring(number) else { return };
                let did = node.step(now_ms, Step { timers: vec![name], ..Step::default() });
                carry_out(node, sent, did, out);
            }
            (Self::Clients(clients), Timer::Clients) => clients.tick(now_ms, out),
            _ => {}
        }
    }
}
