//! What only a whole node can do wrong: blocks that break a rule of their content, Items kept back.

use std::collections::VecDeque;
use std::fmt;
use std::rc::Rc;
use std::str::FromStr;
use std::sync::Arc;

use mdsm_core::consensus::Rules;
use mdsm_core::ledger::{Block, BlockHeader, Item, Proposal, Subject, Vote};
use mdsm_core::node::Message;
use rand_chacha::ChaCha12Rng;

use super::Action;
use super::host::NodeHost;
use super::puppet::own_proposal;
use super::wire::{Body, Wire};
use crate::build::{Draft, Flaw, flawed};
use crate::seed::Draw as _;
use crate::simulation::strategies::Name;
use crate::simulation::world::To;

/// Headers that are remembered, to find parents among them.
const HEADERS: usize = 64;

/// What a faulty node does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Deed {
    /// A strategy of consensus.
    Shared(Name),
    /// Proposes blocks with a flaw, each time another one.
    Flaws,
    /// Proposes blocks and keeps their Items back, or shows them to a few.
    ItemWithholder,
}

impl Deed {
    /// What a name of a plan stands for here: where content is one word, here are real flaws.
    #[must_use]
    pub fn of(name: Name) -> Self {
        match name {
            Name::InvalidPayload => Self::Flaws,
            Name::SelectiveSender => Self::ItemWithholder,
            other => Self::Shared(other),
        }
    }
}

impl fmt::Display for Deed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shared(name) => name.fmt(f),
            other => fmt::Debug::fmt(other, f),
        }
    }
}

impl FromStr for Deed {
    type Err = <Name as FromStr>::Err;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "Flaws" => Ok(Self::Flaws),
            "ItemWithholder" => Ok(Self::ItemWithholder),
            other => other.parse().map(Self::Shared),
        }
    }
}

/// Makes blocks with flaws.
#[derive(Debug)]
pub(super) struct Flawer {
    deed: Deed,
    random: ChaCha12Rng,
    headers: VecDeque<BlockHeader>,
    pub(super) acted: u64,
}

impl Flawer {
    pub(super) fn new(deed: Deed, random: ChaCha12Rng) -> Self {
        Self { deed, random, headers: VecDeque::new(), acted: 0 }
    }

    pub(super) fn hear(&mut self, message: &Wire) -> bool {
        if let Body::Node(Message::Proposal(proposal)) = &message.body {
            self.remember(proposal.signed.header);
        }
        true
    }

    fn remember(&mut self, header: BlockHeader) {
        self.headers.push_back(header);
        if self.headers.len() > HEADERS {
            self.headers.pop_front();
        }
    }

    pub(super) fn twist<R: Rules + 'static>(
        &mut self,
        host: &mut NodeHost<R>,
        honest: Vec<Action<R>>,
        out: &mut Vec<Action<R>>,
    ) {
        let items: Vec<Item> = honest.iter().filter_map(own_item).collect();
        for action in honest {
            let Action::Send { to, message } = action else {
                out.push(action);
                continue;
            };
            let own = own_proposal(&message, host.me()).cloned();
            match (self.deed, own) {
                (Deed::Flaws, Some(proposal)) => {
                    self.remember(proposal.signed.header);
                    self.spoil(host, &proposal, &items, to, message, out);
                }
                (Deed::ItemWithholder, None) => self.keep_back(to, message, out),
                _ => out.push(Action::Send { to, message }),
            }
        }
    }

    /// Sends a flawed block in the place of a sound one, and its Items.
    fn spoil<R: Rules + 'static>(
        &mut self,
        host: &mut NodeHost<R>,
        proposal: &Arc<Proposal>,
        items: &[Item],
        to: To,
        message: Rc<Wire>,
        out: &mut Vec<Action<R>>,
    ) {
        let header = proposal.signed.header;
        let known = |parent: &&BlockHeader| {
            use mdsm_core::crypto::Identified as _;
            parent.id() == header.parent
        };
        let parent = self.headers.iter().find(known).copied();
        let flaw = *self.random.pick(&Flaw::ALL);
        let block = Block { header, payload: proposal.payload.clone() };
        let draft = Draft { parent, block, items: items.to_vec() };
        let Some(flawed) = flawed(&draft, flaw).filter(|_| header.height.get() > 1) else {
            return out.push(Action::Send { to, message });
        };
        self.acted += 1;
        let signed = host.signed_header(flawed.block.header);
        let hash = flawed.block.hash();
        let bad = Proposal { signed, payload: flawed.block.payload };
        let send = |to: To, message| Action::Send { to, message: Wire::new(Body::Node(message)) };
        out.push(send(to, Message::Proposal(Arc::new(bad))));
        let auditors = To::Many(host.auditors());
        for item in flawed.items {
            out.push(send(auditors.clone(), Message::Item(Arc::new(item))));
        }
        if host.node().consensus().votes() {
            let (epoch, view) = (header.epoch, header.view);
            let vote = Vote { epoch, view, subject: Subject::Notarize(hash) };
            out.push(send(auditors, Message::Vote(host.signed(vote))));
        }
    }

    /// Items reach one auditor, or nobody.
    fn keep_back<R: Rules + 'static>(
        &mut self,
        to: To,
        message: Rc<Wire>,
        out: &mut Vec<Action<R>>,
    ) {
        let is_item = matches!(&message.body, Body::Node(Message::Item(_)));
        if !is_item {
            return out.push(Action::Send { to, message });
        }
        self.acted += 1;
        if let (true, To::Many(many)) = (self.random.chance(1, 2), &to)
            && !many.is_empty()
        {
            let to = To::One(*self.random.pick(many));
            out.push(Action::Send { to, message });
        }
    }
}

fn own_item<R: Rules + 'static>(action: &Action<R>) -> Option<Item> {
    let Action::Send { to: To::Many(_), message } = action else { return None };
    match &message.body {
        Body::Node(Message::Item(item)) => Some((**item).clone()),
        _ => None,
    }
}
