//! Where the world meets the adapter: one request for each step, until something breaks.

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::Value;

use super::result::Did;
use crate::conformance::protocol::{Request, Step};
use crate::conformance::subject::{Interrupt, Subject};
use crate::simulation::world::fold;

/// Steps of a run, at most. Runs of nodes that do their work take some thousands.
const STEPS_MAX: u64 = 50_000;
/// Messages, one for each receiver, and timers of a run, at most.
const EVENTS_MAX: u64 = 500_000;
/// Bytes of all results of a run, at most.
const BYTES_MAX: u64 = 256 << 20;

/// The adapter, as all nodes of a run share it.
pub(super) type Shared<'a, 's> = Rc<RefCell<Port<'a, 's>>>;

/// The adapter within one run.
pub(super) struct Port<'a, 's> {
    subject: &'a mut Subject<'s>,
    /// Why the run goes no further.
    broken: Option<Interrupt>,
    /// What was asked and answered, folded.
    digest: u64,
    /// Steps taken.
    pub steps: u64,
    /// Messages and timers asked for.
    events: u64,
    /// Bytes of results.
    bytes: u64,
}

impl<'a, 's> Port<'a, 's> {
    pub(super) fn new(subject: &'a mut Subject<'s>) -> Self {
        Self { subject, broken: None, digest: 0, steps: 0, events: 0, bytes: 0 }
    }

    /// Opens the network.
    pub(super) fn open(&mut self, network: Value) {
        if let Err(why) = self.subject.open(network) {
            self.broken = Some(why);
        }
    }

    /// Takes a step. Nothing happens any more once something broke.
    pub(super) fn step(&mut self, step: Step) -> Did {
        let node = step.node;
        self.steps += 1;
        let Some(result) = self.ask(&Request::Step(Box::new(step))) else { return Did::default() };
        let text = Value::Object(result.clone()).to_string();
        self.digest = fold(self.digest, text.as_bytes());
        self.bytes += text.len() as u64;
        match Did::read(&result) {
            Ok(did) if self.is_within(&did) => did,
            Ok(_) => Did::default(),
            Err(error) => {
                self.fail(format!("step {} of node {node}: {error}", self.steps));
                Did::default()
            }
        }
    }

    /// A network that never rests would run for ever, and fill the memory of the simulator.
    fn is_within(&mut self, did: &Did) -> bool {
        let sent: usize = did.outbox.iter().map(|(to, _)| to.len()).sum();
        self.events += (sent + did.timers.len()) as u64;
        let spent = [
            (self.steps, STEPS_MAX, "steps"),
            (self.events, EVENTS_MAX, "messages and timers"),
            (self.bytes, BYTES_MAX, "bytes of results"),
        ];
        let over = spent.into_iter().find(|(spent, most, _)| spent > most);
        if let Some((_, most, what)) = over {
            self.fail(format!("a run has at most {most} {what}"));
        }
        over.is_none()
    }

    /// Tells that a node has crashed.
    pub(super) fn crash(&mut self, node: u16) {
        self.ask(&Request::Crash { node });
    }

    fn ask(&mut self, request: &Request) -> Option<serde_json::Map<String, Value>> {
        if self.broken.is_some() {
            return None;
        }
        self.subject.happen(request).map_err(|why| self.broken = Some(why)).ok()
    }

    /// Something about a node's deeds breaks the page.
    pub(super) fn fail(&mut self, what: String) {
        self.broken.get_or_insert(Interrupt::Broken(what));
    }

    /// Whether the run goes no further.
    pub(super) fn is_broken(&self) -> bool {
        self.broken.is_some()
    }

    /// Why the run went no further, and the digest of what was said.
    pub(super) fn end(&mut self) -> (Option<Interrupt>, u64) {
        (self.broken.take(), self.digest)
    }
}
