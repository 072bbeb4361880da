//! Where the world meets the adapter: one request for each step, until something breaks.

use std::cell::RefCell;
use std::rc::Rc;

use serde_json::Value;

use super::result::Did;
use crate::conformance::protocol::{Request, Step};
use crate::conformance::subject::{Interrupt, Subject};
use crate::simulation::world::fold;

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
}

impl<'a, 's> Port<'a, 's> {
    pub(super) fn new(subject: &'a mut Subject<'s>) -> Self {
        Self { subject, broken: None, digest: 0, steps: 0 }
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
        self.digest = fold(self.digest, Value::Object(result.clone()).to_string().as_bytes());
        Did::read(&result).unwrap_or_else(|error| {
            let what = format!("step {} of node {node}: {error}", self.steps);
            self.broken = Some(Interrupt::Broken(what));
            Did::default()
        })
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
