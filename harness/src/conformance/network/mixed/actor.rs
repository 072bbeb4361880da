//! The actors of a mixed world: everything of our own simulator, and the node under test.

use std::rc::Rc;

use mdsm_core::codec::Wire as _;
use mdsm_core::consensus::Protocol;
use mdsm_core::node::Message;
use mdsm_core::types::RecordId;
use serde_json::{Value, json};

use super::super::foreign::Foreign;
use super::super::result::{self, Did};
use crate::conformance::protocol::Step;
use crate::conformance::value;
use crate::simulation::node::{self, Body, HostTimer, Saved, Wire};
use crate::simulation::world::{Action, Disk, Host, To};

/// What our own simulator runs.
type Own = node::Actor<Protocol>;

/// Somebody in a mixed world.
pub(super) enum Mixed<'a, 's> {
    /// Of our own simulator.
    Own(Box<Own>, Vec<Action<Own>>),
    /// The node under test.
    Tested(Box<Foreign<'a, 's>>, Users),
}

/// Where users are.
pub(super) type Users = u32;

/// An entry on a disk.
#[derive(Clone)]
pub(super) enum Entry {
    Own(node::Entry),
    Tested(Rc<[u8]>),
}

/// What replaces all entries.
#[derive(Clone)]
pub(super) enum Kept {
    Own(Saved),
    Tested(Rc<[Rc<[u8]>]>),
}

/// What rings.
#[derive(Clone, Copy, Debug)]
pub(super) enum Timer {
    Own(HostTimer),
    Tested(u64),
}

/// What is observed.
pub(super) enum Seen {
    Own(node::Seen),
    Tested(result::Seen),
}

/// Actions of our own simulator as those of this world.
fn lift(own: &mut Vec<Action<Own>>, out: &mut Vec<Action<Mixed<'_, '_>>>) {
    out.extend(own.drain(..).map(|action| match action {
        Action::Append(entry) => Action::Append(Entry::Own(entry)),
        Action::Checkpoint(saved) => Action::Checkpoint(Kept::Own(saved)),
        Action::Send { to, message } => Action::Send { to, message },
        Action::Arm { timer, after_ms } => Action::Arm { timer: Timer::Own(timer), after_ms },
        Action::Observe(seen) => Action::Observe(Seen::Own(seen)),
    }));
}

fn carry_out(
    node: &mut Foreign<'_, '_>,
    users: Users,
    did: Did,
    out: &mut Vec<Action<Mixed<'_, '_>>>,
) {
    let Did { replace, append, outbox, timers, seen } = did;
    if replace {
        out.push(Action::Checkpoint(Kept::Tested(append.into())));
    } else {
        out.extend(append.into_iter().map(|entry| Action::Append(Entry::Tested(entry))));
    }
    for (to, message) in outbox {
        let message = match Message::from_bytes(&message) {
            Ok(message) => Wire::new(Body::Node(message)),
            Err(error) => return node.fail(format!("sends what is no message: {error}")),
        };
        let to: Vec<u32> = to.into_iter().filter(|to| *to != node.institution).collect();
        out.push(Action::Send { to: To::Many(to.into()), message });
    }
    for (name, after_ms) in timers {
        out.push(Action::Arm { timer: Timer::Tested(node.arm(name)), after_ms });
    }
    for one in seen {
        if let result::Seen::Accepted { record, .. } = &one {
            let Some(record) = record else {
                return node.fail("accepts a record and does not name it".to_owned());
            };
            let message = Wire::new(Body::Acknowledged(RecordId::new(*record)));
            out.push(Action::Send { to: To::One(users), message });
        }
        out.push(Action::Observe(Seen::Tested(one)));
    }
}

/// What users ask, as the page writes it.
fn request(body: &Body) -> Option<Value> {
    match body {
        Body::Request(owner) => Some(json!({"request": {"owner": value::bytes(owner.as_bytes())}})),
        Body::Submit(envelope, is_file_stored) => Some(json!({"submit": {
            "envelope": value::bytes(envelope.to_bytes()),
            "is_file_stored": is_file_stored,
        }})),
        Body::Node(_) | Body::Acknowledged(_) | Body::Refused(..) => None,
    }
}

impl Host for Mixed<'_, '_> {
    type Message = Wire;
    type Entry = Entry;
    type Checkpoint = Kept;
    type Timer = Timer;
    type Observation = Seen;

    fn wake(&mut self, now_ms: u64, disk: &Disk<Entry, Kept>, out: &mut Vec<Action<Self>>) {
        match self {
            Self::Own(own, actions) => {
                let checkpoint = disk.checkpoint.as_ref().and_then(|kept| match kept {
                    Kept::Own(saved) => Some(saved.clone()),
                    Kept::Tested(_) => None,
                });
                let entries = disk.entries.iter().filter_map(|entry| match entry {
                    Entry::Own(entry) => Some(entry.clone()),
                    Entry::Tested(_) => None,
                });
                let entries = entries.collect();
                let disk = Disk { checkpoint, entries, is_whole: disk.is_whole };
                own.wake(now_ms, &disk, actions);
                lift(actions, out);
            }
            Self::Tested(node, users) => {
                let mut durable = Vec::new();
                if let Some(Kept::Tested(entries)) = &disk.checkpoint {
                    durable.extend(entries.iter().cloned());
                }
                durable.extend(disk.entries.iter().filter_map(|entry| match entry {
                    Entry::Tested(entry) => Some(entry.clone()),
                    Entry::Own(_) => None,
                }));
                let did = node.step(now_ms, Step { start: Some(durable), ..Step::default() });
                carry_out(node, *users, did, out);
            }
        }
    }

    fn fall(&mut self) {
        match self {
            Self::Own(own, _) => own.fall(),
            Self::Tested(node, _) => node.fall(),
        }
    }

    fn hear(&mut self, now_ms: u64, from: u32, message: &Rc<Wire>, out: &mut Vec<Action<Self>>) {
        match self {
            Self::Own(own, actions) => {
                own.hear(now_ms, from, message, actions);
                lift(actions, out);
            }
            Self::Tested(node, users) => {
                let step = match (&message.body, request(&message.body)) {
                    (Body::Node(message), _) => {
                        Step { inbox: vec![(from, message.to_bytes().into())], ..Step::default() }
                    }
                    (_, Some(request)) => Step { requests: vec![request], ..Step::default() },
                    (_, None) => return,
                };
                let did = node.step(now_ms, step);
                carry_out(node, *users, did, out);
            }
        }
    }

    fn ring(&mut self, now_ms: u64, timer: Timer, out: &mut Vec<Action<Self>>) {
        match (self, timer) {
            (Self::Own(own, actions), Timer::Own(timer)) => {
                own.ring(now_ms, timer, actions);
                lift(actions, out);
            }
            (Self::Tested(node, users), Timer::Tested(number)) => {
                let Some(name) = node.ring(number) else { return };
                let did = node.step(now_ms, Step { timers: vec![name], ..Step::default() });
                carry_out(node, *users, did, out);
            }
            _ => {}
        }
    }

    fn heeds(&self, timer: &Timer) -> bool {
        match (self, timer) {
            (Self::Own(own, _), Timer::Own(timer)) => own.heeds(timer),
            _ => true,
        }
    }
}
