//! Sequences: what the file says happens to one node, which is then held against the rules of the file.
//!
//! The node's messages are read by `rules`, so nothing here is the reference's.

use std::rc::Rc;

use serde_json::Value;

use super::port::Port;
use super::result::{Did, Seen};
use crate::conformance::case::{Case, Check};
use crate::conformance::protocol::{MIXED_NETWORK, Step};
use crate::conformance::subject::{Interrupt, Subject};
use crate::conformance::vectors::{self, Deed, Kind, NODE, Rule, Sequence, What};
use crate::rules::agreement::{Subject as Of, Vote};
use crate::rules::messages::Message;
use crate::rules::wire::{Mirror, WireKind, decode};

/// A case for each stored sequence.
pub(super) fn cases() -> Vec<Case> {
    let case = |sequence: Sequence| Case {
        id: sequence.id.clone(),
        title: sequence.title.clone(),
        requirements: sequence.requirements.clone(),
        ops: vec![MIXED_NETWORK.to_owned()],
        check: Check::Sequence(Box::new(sequence)),
    };
    vectors::sequences().sequences.into_iter().map(case).collect()
}

/// Lets everything happen to a node, in order, and holds it against the rules behind each move.
///
/// # Errors
/// The first rule that is broken, or why it did not come to its end.
pub fn follow(subject: &mut Subject<'_>, sequence: &Sequence) -> Result<String, Interrupt> {
    let mut port = Port::new(subject);
    port.open(Value::clone(&sequence.network));
    let me = sequence.network["nodes"][usize::from(NODE)]["institution"].as_u64();
    let me = me.and_then(|me| u32::try_from(me).ok()).unwrap_or_default();
    let mut node = Observed::new(port, me);
    for (number, one) in (1..).zip(&sequence.moves) {
        node.take(&one.what);
        // What departs from the page comes first: `end` tells it.
        if node.port.is_broken() {
            break;
        }
        let unmet = one.must.iter().find(|rule| !node.has_done(&rule.deed));
        let broken = unmet.or_else(|| one.never.iter().find(|rule| node.has_done(&rule.deed)));
        if let Some(Rule { otherwise, .. }) = broken {
            let votes = node.shown();
            return Err(Interrupt::Broken(format!(
                "move {number}: {otherwise}; its votes: {votes}"
            )));
        }
    }
    let (votes, steps) = (node.votes.len(), node.port.steps);
    match node.port.end() {
        (Some(why), _) => Err(why),
        (None, _) => Ok(format!("{steps} steps, {votes} votes")),
    }
}

/// The node under test: its disk, its timers, and what it has done.
struct Observed<'a, 's> {
    port: Port<'a, 's>,
    /// Its institution.
    me: u32,
    now: i64,
    disk: Vec<Rc<[u8]>>,
    /// Names of timers that run, and when each is due.
    timers: Vec<(i64, String)>,
    sent: Vec<Rc<[u8]>>,
    /// What it voted for in its own name.
    votes: Vec<Vote>,
    /// Names of blocks that are final.
    finals: Vec<Vec<u8>>,
}

impl<'a, 's> Observed<'a, 's> {
    fn new(port: Port<'a, 's>, me: u32) -> Self {
        let (disk, timers, sent) = (Vec::new(), Vec::new(), Vec::new());
        let (votes, finals) = (Vec::new(), Vec::new());
        Self { port, me, now: i64::MIN, disk, timers, sent, votes, finals }
    }

    fn take(&mut self, what: &What) {
        match what {
            What::Start { now, random } => {
                self.now = *now;
                let start = Some(self.disk.clone());
                self.step(*random, Step { start, ..Step::default() });
            }
            What::Step { now, random, inbox } => {
                self.now = *now;
                let inbox = inbox.iter().map(|(from, bytes)| (*from, bytes.as_slice().into()));
                self.step(*random, Step { inbox: inbox.collect(), ..Step::default() });
            }
            What::Ring { until, random } => self.ring(*until, *random),
            What::Crash => {
                self.port.crash(NODE);
                self.timers.clear();
            }
        }
    }

    /// Timers ring when they are due, the one that was set first before others of that time.
    fn ring(&mut self, until: i64, random: [u8; 32]) {
        while !self.port.is_broken() {
            let due = self.timers.iter().enumerate().filter(|(_, (due, _))| *due <= until);
            let Some((place, _)) = due.min_by_key(|(_, (due, _))| *due) else { break };
            let (due, name) = self.timers.remove(place);
            self.now = self.now.max(due);
            self.step(random, Step { timers: vec![name], ..Step::default() });
        }
        self.now = until;
    }

    fn step(&mut self, random: [u8; 32], what: Step) {
        let did = self.port.step(Step { node: NODE, now: self.now, random, ..what });
        let Did { replace, append, outbox, timers, seen } = did;
        if replace {
            self.disk.clear();
        }
        self.disk.extend(append);
        for (_, message) in outbox {
            match decode(WireKind::Message, &message) {
                Ok(Mirror::Message(Message::Vote(signed))) if signed.signer == self.me => {
                    self.votes.push(signed.vote);
                }
                Ok(_) => {}
                Err(error) => self.port.fail(format!("it sends what is no message: {error}")),
            }
            self.sent.push(message);
        }
        let now = self.now;
        let due = |(name, after_ms): (String, u32)| (now.saturating_add(after_ms.into()), name);
        self.timers.extend(timers.into_iter().map(due));
        self.finals.extend(seen.into_iter().filter_map(|one| match one {
            Seen::Final(block) => Some(block.name.clone()),
            _ => None,
        }));
    }

    fn has_done(&self, deed: &Deed) -> bool {
        match deed {
            Deed::Message(bytes) => self.sent.iter().any(|sent| **sent == **bytes),
            Deed::Vote { kind, view, block, other_than } => {
                let is_it = |vote: &Vote| {
                    let (of, named) = match vote.subject {
                        Of::Notarize(block) => (Kind::Notarize, Some(block)),
                        Of::Nullify => (Kind::Nullify, None),
                        Of::Finalize(block) => (Kind::Finalize, Some(block)),
                        Of::Anchor(_) => return false,
                    };
                    of == *kind
                        && vote.view == *view
                        && block.is_none_or(|block| named == Some(block))
                        && other_than.is_none_or(|other| named != Some(other))
                };
                self.votes.iter().any(is_it)
            }
            Deed::Final { block } => {
                let is_it = |name: &Vec<u8>| block.is_none_or(|block| block[..] == name[..]);
                self.finals.iter().any(is_it)
            }
        }
    }

    fn shown(&self) -> String {
        let shown = |vote: &Vote| {
            let (kind, block) = match vote.subject {
                Of::Notarize(block) => ("notarize", Some(block)),
                Of::Nullify => ("nullify", None),
                Of::Finalize(block) => ("finalize", Some(block)),
                Of::Anchor(root) => ("anchor", Some(root)),
            };
            let begins = block.iter().flat_map(|block| &block[..4]);
            let hex: String = begins.map(|byte| format!("{byte:02x}")).collect();
            format!("view {} {kind} {hex}", vote.view).trim_end().to_owned()
        };
        self.votes.iter().map(shown).collect::<Vec<_>>().join(", ")
    }
}
