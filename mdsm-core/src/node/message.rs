//! What nodes say to each other. [CON-1] [CON-3] [CON-7]

use std::sync::Arc;

use crate::codec::{Wire, wire_struct};
use crate::ledger::{
    Certificate, Envelope, Evidence, Item, Proposal, Registration, Service, SignedHeader,
    SignedVote,
};
use crate::types::{Digest, Epoch, Height, List, OwnerId, View};

/// A message. Links are authenticated, so its sender is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// A producer proposes a block.
    Proposal(Arc<Proposal>),
    /// An Item of a block.
    Item(Arc<Item>),
    /// A vote, sent by its voter.
    Vote(SignedVote),
    /// A certificate.
    Certificate(Arc<Certificate>),
    /// Asks for what certifies a view.
    Ask {
        /// Of which epoch.
        epoch: Epoch,
        /// Which view.
        view: View,
    },
    /// Asks for Items by their roots.
    WantItems(Vec<Digest>),
    /// Asks for a block; whoever has it as final answers with the decision.
    WantBlock(Digest),
    /// Asks for the certificate of an epoch's anchor.
    WantAnchor(Epoch),
    /// Asks for the decision that leads on from a height.
    WantDecision {
        /// The asker's height.
        after: Height,
    },
    /// Final blocks with what proves it.
    Decision(Arc<Decision>),
    /// A delegate accepted a request. [CON-1]
    Acceptance {
        /// Whose records it takes.
        owner: OwnerId,
    },
    /// Accepted records, on their way to the leader.
    Records(Vec<Arc<Envelope>>),
    /// Something that a block should carry.
    Event(Event),
}

/// Something that waits for a block and is no record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Proof of an offence.
    Evidence(Arc<Evidence>),
    /// An institution wants to join.
    Registration(Registration),
    /// A client confirms a service.
    Service(Service),
}

/// Blocks that became final together, and what proves it: a certificate for the last of them, or for a
/// closing block above it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The blocks, each the parent of the next.
    pub blocks: List<Proposal, 1, 65_536>,
    /// Closing blocks above the last one, each the parent of the next.
    pub closing: List<SignedHeader, 0, 65_536>,
    /// Finalizes the last of all these.
    pub certificate: Certificate,
}

wire_struct!(Decision { blocks, closing, certificate });

impl Wire for Decision {
    const TAG: [u8; 4] = *b"MDCN";
    const NAME: &'static str = "Decision";
}
