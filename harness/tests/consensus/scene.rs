//! One auditor of the small network, and the others as this test plays them.

use std::sync::Arc;

use harness::build::{self, Network, institution_key};
use mdsm_core::consensus::{Audience, Protocol};
use mdsm_core::crypto::sign::Ed25519;
use mdsm_core::ledger::{Block, Item, Proposal, SignedHeader, Subject, Vote};
use mdsm_core::node::{Effect, Input, Message, Node, NodeConfig, Start};
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
        let founders = build::founders();
        let config = NodeConfig { me: ME, delay_ms: 500 };
        let start = Start { genesis: build::genesis(), founders: &founders };
        let mut node = Node::new(config, &start, Ed25519, Protocol).unwrap();
        node.start(build::after_start(0), &mut Vec::new());
        Self { node, network: Network::new(), ms: 6_000 }
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
