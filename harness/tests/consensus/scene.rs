//! One auditor of the small network, and the others as this test plays them.

use std::sync::Arc;

use harness::build::{self, Network, Roll, institution_key};
use mdsm_core::consensus::{self, Audience, JournalEntry, Protocol, TimerKind};
use mdsm_core::crypto::sign::Ed25519;
use mdsm_core::ledger::{Block, Envelope, Item, Proposal, SignedHeader, Subject, Vote};
use mdsm_core::node::{
    Commit, Effect, Input, Journal, Message, Node, NodeConfig, Recovered, Start, Timer,
};
use mdsm_core::types::{Digest, Epoch, InstitutionId, View};

/// The auditor under test.
pub(crate) const ME: InstitutionId = InstitutionId::new(5);

pub(crate) fn id(number: u32) -> InstitutionId {
    InstitutionId::new(number)
}

pub(crate) struct Scene {
    pub(crate) node: Node,
    /// The chain as the leaders see it, to make blocks.
    pub(crate) network: Network,
    pub(crate) ms: i64,
}

impl Scene {
    pub(crate) fn new() -> Self {
        Self::of(ME)
    }

    pub(crate) fn of(me: InstitutionId) -> Self {
        let mut scene = Self { node: fresh(me), network: Network::new(), ms: 6_000 };
        scene.node.start(build::after_start(0), &mut Vec::new());
        scene
    }

    /// The same institution after a crash, with what it had stored and nothing committed.
    pub(crate) fn again(&self, journal: Journal<'_>) -> (Self, Vec<Effect>) {
        self.again_with(journal, Vec::new())
    }

    /// The same with records that it had accepted.
    pub(crate) fn again_with(
        &self,
        journal: Journal<'_>,
        accepted: Vec<Envelope>,
    ) -> (Self, Vec<Effect>) {
        let mut node = fresh(self.node.me());
        let mut effects = Vec::new();
        let stored = Recovered {
            commits: [] as [Commit; 0],
            certificate_of: |_| None,
            journal,
            blocks: Vec::new(),
            accepted,
        };
        node.recover(build::after_start(self.ms), stored, &mut effects).expect("a sound disk");
        (Self { node, network: Network::new(), ms: self.ms }, effects)
    }

    /// A certificate of these seats, from auditor 6.
    pub(crate) fn certify(&mut self, vote: Vote, seats: [usize; 3]) -> Vec<Effect> {
        let certificate = Roll::new(self.network.chain.id(), 4).certificate(vote, seats);
        self.hear(id(6), Message::Certificate(Arc::new(certificate)))
    }

    /// The timer of this kind for a view goes off.
    pub(crate) fn time_out(&mut self, view: u64, kind: TimerKind) -> Vec<Effect> {
        let timer = consensus::Timer { epoch: Epoch::new(0), view: View::new(view), kind };
        self.feed(Input::Timeout(Timer::Consensus(timer)))
    }

    pub(crate) fn feed(&mut self, input: Input) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.node.step(build::after_start(self.ms), input, &mut effects);
        effects
    }

    pub(crate) fn hear(&mut self, from: InstitutionId, message: Message) -> Vec<Effect> {
        self.feed(Input::Message { from, message })
    }

    /// The leader of the block signs and sends it, then its Items.
    pub(crate) fn propose(&mut self, block: &Block, items: &[Item]) -> Vec<Effect> {
        let producer = block.header.producer;
        let signed = SignedHeader::sign(block.header, &institution_key(producer));
        let proposal = Arc::new(Proposal { signed, payload: block.payload.clone() });
        let mut effects = self.hear(producer, Message::Proposal(proposal));
        for item in items {
            effects.extend(self.hear(producer, Message::Item(Arc::new(item.clone()))));
        }
        effects
    }

    /// A vote of another auditor, sent by itself.
    pub(crate) fn vote(&mut self, voter: u32, vote: Vote) -> Vec<Effect> {
        let signed = vote.sign(&self.network.chain.id(), id(voter), &institution_key(id(voter)));
        self.hear(id(voter), Message::Vote(signed))
    }
}

fn fresh(me: InstitutionId) -> Node {
    let founders = build::founders();
    let config = NodeConfig { me, delay_ms: 500 };
    let start = Start { genesis: build::genesis(), founders: &founders };
    Node::new(config, &start, Ed25519, Protocol).expect("a sound start")
}

/// What the effects store, in order.
pub(crate) fn stored(effects: &[Effect]) -> Vec<JournalEntry> {
    let entries = effects.iter().filter_map(|effect| match effect {
        Effect::Persist(entry) => Some(entry.clone()),
        _ => None,
    });
    entries.collect()
}

pub(crate) fn vote(view: u64, subject: Subject) -> Vote {
    Vote { epoch: Epoch::new(0), view: View::new(view), subject }
}

/// What the node votes for in these effects.
pub(crate) fn cast(effects: &[Effect]) -> Vec<Subject> {
    let votes = effects.iter().filter_map(|effect| match effect {
        Effect::Cast { vote, to: Audience::Auditors { .. } } => Some(vote.subject),
        _ => None,
    });
    votes.collect()
}

/// Certificates that the node passes on.
pub(crate) fn certified(effects: &[Effect]) -> Vec<Subject> {
    let certificates = effects.iter().filter_map(|effect| match effect {
        Effect::Send { message: Message::Certificate(certificate), .. } => {
            Some(certificate.vote.subject)
        }
        _ => None,
    });
    certificates.collect()
}

pub(crate) fn wants_items(effects: &[Effect]) -> Vec<Digest> {
    let wanted = effects.iter().filter_map(|effect| match effect {
        Effect::Send { message: Message::WantItems(roots), .. } => Some(roots.clone()),
        _ => None,
    });
    wanted.flatten().collect()
}
