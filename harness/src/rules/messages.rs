//! What nodes say to each other: the drawing as a plain enumeration, and its bounds. [CON-1] [CON-7]
//!
//! Spec: consensus, section Messages.

use borsh::{BorshDeserialize, BorshSerialize};

use super::bounds::{Bounds, hold};
use super::mirror::{
    Bytes32, Certificate, Decision, Envelope, Evidence, Item, Proposal, Registration, Service,
    SignedVote,
};

/// A message: tag 1 to 15.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[borsh(use_discriminant = true)]
#[repr(u8)]
#[expect(missing_docs, reason = "the names are those of the spec, line by line")]
pub enum Message {
    Proposal(Proposal) = 1,
    Item(Item) = 2,
    Vote(SignedVote) = 3,
    Certificate(Certificate) = 4,
    Ask { epoch: u32, view: u64 } = 5,
    WantItems(Vec<Bytes32>) = 6,
    WantBlock(Bytes32) = 7,
    WantAnchor(u32) = 8,
    WantDecision(u64) = 9,
    Decision(Decision) = 10,
    Acceptance(Bytes32) = 11,
    Records(Vec<Envelope>) = 12,
    Evidence(Evidence) = 13,
    Registration(Registration) = 14,
    Service(Service) = 15,
}

impl Bounds for Message {
    fn check(&self) -> Result<(), String> {
        match self {
            Self::Proposal(proposal) => proposal.check(),
            Self::Item(item) => item.check(),
            Self::Vote(vote) => vote.check(),
            Self::Certificate(certificate) => certificate.check(),
            Self::WantItems(roots) => {
                hold((1..=1_024).contains(&roots.len()), "roots: not 1 to 1,024")
            }
            Self::Decision(decision) => decision.check(),
            Self::Records(records) => {
                hold((1..=1_024).contains(&records.len()), "records: not 1 to 1,024")?;
                records.iter().try_for_each(Bounds::check)
            }
            Self::Evidence(evidence) => evidence.check(),
            Self::Registration(registration) => registration.check(),
            Self::Service(service) => service.check(),
            Self::Ask { .. }
            | Self::WantBlock(_)
            | Self::WantAnchor(_)
            | Self::WantDecision(_)
            | Self::Acceptance(_) => Ok(()),
        }
    }
}
