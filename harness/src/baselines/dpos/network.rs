//! Delegates on an asynchronous network: who hears which block before which slot. [COM-8]
//!
//! Every delegate follows the rules. The only adversary is the network, which loses nothing and
//! forges nothing, but may hold back any block for any time.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use mdsm_core::types::{Digest, InstitutionId};

use super::chain::{Block, Node};
use super::schedule::Turns;

/// A block arrives, with all that it builds on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Message {
    /// Just before this slot.
    pub before: u32,
    /// Slot in which the block was made; below `before`.
    pub block: u32,
    /// Who hears it.
    pub to: InstitutionId,
}

/// All that arrives while slots 1 to `slots` pass; in a split the rest stays on its way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Delays {
    /// The last slot.
    pub slots: u32,
    /// What arrives, in the order of slots.
    pub messages: Vec<Message>,
}

/// Two nodes whose last irreversible blocks are on different chains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// One node and its last irreversible block.
    pub one: (InstitutionId, Block),
    /// The other node and its last irreversible block.
    pub other: (InstitutionId, Block),
}

/// One node for each delegate, and the blocks made so far. Plain data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    turns: Turns,
    nodes: Vec<Node>,
    /// Blocks with their hashes, that of slot 1 first.
    made: Vec<(Digest, Block)>,
    /// Slot of each block.
    slots: BTreeMap<Digest, u32>,
}

impl Delays {
    /// No delay at all: everybody hears each block before the next slot.
    #[must_use]
    pub fn none(turns: &Turns, slots: u32) -> Self {
        let hears = |block: u32| {
            turns.producers().iter().map(move |to| Message { before: block + 1, block, to: *to })
        };
        Self { slots, messages: (1..slots).flat_map(hears).collect() }
    }
}

impl Network {
    /// All nodes hold the genesis.
    #[must_use]
    pub fn new(turns: Turns) -> Self {
        let nodes = turns.producers().iter().map(|_| Node::new(turns.clone())).collect();
        Self { turns, nodes, made: Vec::new(), slots: BTreeMap::new() }
    }

    /// A network after all slots of a schedule.
    #[must_use]
    pub fn after(turns: &Turns, delays: &Delays) -> Self {
        let mut network = Self::new(turns.clone());
        for slot in 1..=delays.slots {
            for message in delays.messages.iter().filter(|message| message.before == slot) {
                network.deliver(message.block, message.to);
            }
            network.turn();
        }
        network
    }

    /// Every block reaches everybody, in the order in which they were made.
    pub fn heal(&mut self) {
        let everybody = self.turns.producers().to_vec();
        for slot in 1..=self.slots() {
            for to in &everybody {
                self.deliver(slot, *to);
            }
        }
    }

    /// The nodes in the order of their turns.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The next slot passes: its delegate builds on the head that it sees.
    pub fn turn(&mut self) {
        let slot = self.slots() + 1;
        let seat = self.seat(self.turns.producer(slot));
        let block = self.nodes[seat].produce(slot).expect("a node follows its own rules");
        let hash = block.hash();
        self.slots.insert(hash, slot);
        self.made.push((hash, block));
    }

    /// A node hears the block of a slot and what it lacks of its ancestors, oldest first. Nothing
    /// happens when the slot has not passed.
    pub fn deliver(&mut self, slot: u32, to: InstitutionId) {
        let seat = self.seat(to);
        let mut lacking = Vec::new();
        let mut next = self.made_in(slot);
        while let Some((hash, block)) = next
            && !self.nodes[seat].knows(hash)
        {
            lacking.push(block.clone());
            next = self.slots.get(&block.parent).and_then(|slot| self.made_in(*slot));
        }
        for block in lacking.iter().rev() {
            self.nodes[seat].receive(block).expect("blocks of honest delegates, parents first");
        }
    }

    /// The first two nodes whose irreversible blocks conflict.
    #[must_use]
    pub fn conflict(&self) -> Option<Conflict> {
        let held = || self.turns.producers().iter().zip(&self.nodes);
        held().enumerate().find_map(|(at, (one, first))| {
            let parted = |(_, second): &(_, &Node)| {
                let (a, b) = (first.irreversible().hash(), second.irreversible().hash());
                !first.follows(&b) && !second.follows(&a)
            };
            let (other, second) = held().skip(at + 1).find(parted)?;
            let pair = |id: &InstitutionId, node: &Node| (*id, node.irreversible().clone());
            Some(Conflict { one: pair(one, first), other: pair(other, second) })
        })
    }

    fn slots(&self) -> u32 {
        u32::try_from(self.made.len()).expect("slots are counted in 32 bits")
    }

    fn made_in(&self, slot: u32) -> Option<&(Digest, Block)> {
        self.made.get(usize::try_from(slot.checked_sub(1)?).ok()?)
    }

    fn seat(&self, id: InstitutionId) -> usize {
        let found = self.turns.producers().iter().position(|producer| *producer == id);
        found.expect("messages go to delegates")
    }
}

/// Whether the delays end in conflicting irreversible blocks.
#[must_use]
pub fn conflict(turns: &Turns, delays: &Delays) -> Option<Conflict> {
    //= harness/spec/committees.md#com-8-classic-delegated-proof-of-stake
    //# COM-8.4 (ours): The comparison protocol MUST show two nodes that hold conflicting irreversible blocks after a network split with two thirds of the delegates honest.
    Network::after(turns, delays).conflict()
}

/// Tries all delays of the form "before its turn a delegate hears at most one block more", depth
/// first up to a number of slots, and returns the first that end in a conflict.
#[must_use]
pub fn search(turns: &Turns, slots: u32) -> Option<Delays> {
    fn deeper(network: &Network, delays: &mut Delays, slots_max: u32) -> bool {
        if network.conflict().is_some() {
            return true;
        }
        if delays.slots == slots_max {
            return false;
        }
        delays.slots += 1;
        let (before, to) = (delays.slots, network.turns.producer(delays.slots));
        for heard in 0..before {
            let mut next = network.clone();
            // Slot 0 is the genesis: nothing is heard.
            if heard > 0 {
                next.deliver(heard, to);
                delays.messages.push(Message { before, block: heard, to });
            }
            next.turn();
            if deeper(&next, delays, slots_max) {
                return true;
            }
            if heard > 0 {
                delays.messages.pop();
            }
        }
        delays.slots -= 1;
        false
    }
    let mut delays = Delays { slots: 0, messages: Vec::new() };
    deeper(&Network::new(turns.clone()), &mut delays, slots).then_some(delays)
}

/// Leaves out slots from the end and messages, one after another, as long as a conflict remains.
#[must_use]
pub fn shrink(turns: &Turns, delays: &Delays) -> Delays {
    let mut least = delays.clone();
    while least.slots > 0 {
        let slots = least.slots - 1;
        let messages = least.messages.iter().filter(|message| message.before <= slots).copied();
        let fewer = Delays { slots, messages: messages.collect() };
        if conflict(turns, &fewer).is_none() {
            break;
        }
        least = fewer;
    }
    let mut at = 0;
    while at < least.messages.len() {
        let mut fewer = least.clone();
        fewer.messages.remove(at);
        if conflict(turns, &fewer).is_some() {
            least = fewer;
            at = 0;
        } else {
            at += 1;
        }
    }
    least
}

/// One line a slot, as a person follows it: what is heard, and on which slot's block is built.
#[must_use]
pub fn story(turns: &Turns, delays: &Delays) -> String {
    let network = Network::after(turns, delays);
    let mut text = String::new();
    for (_, block) in &network.made {
        let heard = delays.messages.iter().filter(|message| message.before == block.slot);
        for message in heard {
            let (to, slot) = (message.to.get(), message.block);
            let _ = writeln!(text, "         {to} hears the block of slot {slot}");
        }
        let parent = network.slots.get(&block.parent);
        let on = parent.map_or("the genesis".to_owned(), |slot| format!("slot {slot}"));
        let (slot, producer, height) = (block.slot, block.producer.get(), block.height);
        let _ = writeln!(text, "slot {slot:3}: {producer} builds height {height} on {on}");
    }
    match network.conflict() {
        Some(conflict) => {
            let _ = write!(text, "{conflict}");
        }
        None => text.push_str("no conflict"),
    }
    text
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ((one, block), (other, rival)) = (&self.one, &self.other);
        write!(
            f,
            "irreversible for {}: slot {} at height {}; for {}: slot {} at height {}",
            one.get(),
            block.slot,
            block.height,
            other.get(),
            rival.slot,
            rival.height
        )
    }
}
