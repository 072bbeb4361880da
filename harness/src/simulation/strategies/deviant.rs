//! The frame of all strategies.

use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use mdsm_core::consensus::Rules;
use mdsm_core::ledger::{BlockHeader, SignedHeader, SignedVote, Subject, Vote};
use mdsm_core::types::{Epoch, View};
use rand_chacha::ChaCha12Rng;

use super::Name;
use crate::seed::{Draw as _, Seed};
use crate::simulation::cluster::{Action, Block, Body, ConsensusHost, Wire};
use crate::simulation::scopes::Target;
use crate::simulation::world::To;

/// Messages that a strategy may remember.
const MEMORY: usize = 64;

/// What a strategy has at hand.
#[derive(Debug)]
pub struct Me<'a, R: Rules> {
    /// The node underneath.
    pub host: &'a ConsensusHost<R>,
    /// Its own coins.
    pub random: &'a mut ChaCha12Rng,
    /// Counts what it did.
    pub acted: &'a mut u64,
    /// Counts mutations by what they changed.
    pub mutated: &'a mut BTreeMap<Target, u64>,
    /// The latest messages that came.
    pub heard: &'a [Rc<Wire>],
}

/// Where a strategy puts what it sends.
pub type Out<R> = Vec<Action<R>>;

/// A way to deviate. The defaults follow the protocol.
pub trait Strategy<R: Rules> {
    /// The node wants to send.
    fn send(&mut self, me: &mut Me<'_, R>, to: To, message: Rc<Wire>, out: &mut Out<R>) {
        me.pass(to, message, out);
    }

    /// A message came; whether the node hears of it.
    fn hear(
        &mut self,
        _me: &mut Me<'_, R>,
        _from: u32,
        _message: &Rc<Wire>,
        _out: &mut Out<R>,
    ) -> bool {
        true
    }

    /// Some time has passed; whether the node shall forget everything.
    fn tick(&mut self, _me: &mut Me<'_, R>, _out: &mut Out<R>) -> bool {
        false
    }
}

impl<R: Rules> Me<'_, R> {
    /// Sends unchanged.
    pub fn pass(&self, to: To, message: Rc<Wire>, out: &mut Out<R>) {
        out.push(Action::Send { to, message });
    }

    /// Sends something of its own.
    pub fn say(&mut self, to: To, body: Body, out: &mut Out<R>) {
        *self.acted += 1;
        out.push(Action::Send { to, message: Rc::new(Wire::new(body)) });
    }

    /// Counts a mutation.
    pub fn did(&mut self, target: Target) {
        *self.mutated.entry(target).or_default() += 1;
        *self.acted += 1;
    }

    /// A vote of its own.
    #[must_use]
    pub fn vote(&self, view: View, subject: Subject) -> Body {
        self.vote_in(self.host.consensus().epoch(), view, subject)
    }

    /// A vote of its own in any epoch.
    #[must_use]
    pub fn vote_in(&self, epoch: Epoch, view: View, subject: Subject) -> Body {
        Body::Vote(self.host.signed(Vote { epoch, view, subject }))
    }

    /// A proposal of its own.
    #[must_use]
    pub fn proposal(&self, header: BlockHeader) -> Body {
        Body::Proposal(Arc::new(Block::new(self.host.signed_header(header))))
    }

    /// Everybody else.
    #[must_use]
    pub fn all(&self) -> To {
        To::Many(self.host.everyone().clone())
    }

    /// The other auditors.
    #[must_use]
    pub fn auditors(&self) -> To {
        To::Many(self.host.auditors().clone())
    }

    /// Some of those, by a rule.
    #[must_use]
    pub fn those(&self, to: &To, is_in: impl Fn(u32) -> bool) -> To {
        match to {
            To::One(one) if is_in(*one) => To::One(*one),
            To::One(_) => To::Many(Rc::from([])),
            To::Many(many) => To::Many(many.iter().copied().filter(|one| is_in(*one)).collect()),
        }
    }

    /// The own vote in a message, if it is one.
    #[must_use]
    pub fn own_vote<'w>(&self, message: &'w Wire) -> Option<&'w SignedVote> {
        match &message.body {
            Body::Vote(signed) => Some(signed),
            _ => None,
        }
    }

    /// The own proposal in a message, if it is one.
    #[must_use]
    pub fn own_proposal<'w>(&self, message: &'w Wire) -> Option<&'w SignedHeader> {
        match &message.body {
            Body::Proposal(signed) if signed.header.producer == self.host.me() => Some(signed),
            _ => None,
        }
    }

    /// Whether a coin falls so, one time of `out_of`.
    pub fn flips(&mut self, out_of: u32) -> bool {
        self.random.chance(1, out_of)
    }
}

/// A faulty node's deviation.
pub struct Deviant<R: Rules> {
    /// Its name.
    pub name: Name,
    /// How often it acted.
    pub acted: u64,
    /// How often it mutated what.
    pub mutated: BTreeMap<Target, u64>,
    random: ChaCha12Rng,
    heard: Vec<Rc<Wire>>,
    strategy: Box<dyn Strategy<R>>,
}

impl<R: Rules> fmt::Debug for Deviant<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Deviant({})", self.name)
    }
}

impl<R: Rules + 'static> Deviant<R> {
    /// A deviation by its name.
    #[must_use]
    pub fn new(name: Name, random: ChaCha12Rng, seed: Seed) -> Self {
        let (mutated, heard) = (BTreeMap::new(), Vec::new());
        Self { name, acted: 0, mutated, random, heard, strategy: name.strategy(seed) }
    }
}

impl<R: Rules> Deviant<R> {
    /// Changes what the node does.
    pub fn twist(&mut self, host: &ConsensusHost<R>, honest: Out<R>, out: &mut Out<R>) {
        let Self { acted, mutated, random, heard, strategy, .. } = self;
        let mut me = Me { host, random, acted, mutated, heard };
        for action in honest {
            match action {
                Action::Send { to, message } => strategy.send(&mut me, to, message, out),
                other => out.push(other),
            }
        }
    }

    /// A message came; whether the node hears of it.
    pub fn hear(
        &mut self,
        host: &ConsensusHost<R>,
        from: u32,
        message: &Rc<Wire>,
        out: &mut Out<R>,
    ) -> bool {
        if self.heard.len() >= MEMORY {
            self.heard.remove(0);
        }
        self.heard.push(message.clone());
        let Self { acted, mutated, random, heard, strategy, .. } = self;
        let mut me = Me { host, random, acted, mutated, heard };
        strategy.hear(&mut me, from, message, out)
    }

    /// Some time has passed; whether the node shall forget everything.
    pub fn tick(&mut self, host: &ConsensusHost<R>, out: &mut Out<R>) -> bool {
        let Self { acted, mutated, random, heard, strategy, .. } = self;
        let mut me = Me { host, random, acted, mutated, heard };
        strategy.tick(&mut me, out)
    }
}
