//! What institutions sign to agree: proposals, votes, certificates, and the evidence against those
//! who sign two things. [CON-2] [CON-5] [CON-6] [CON-7]
//!
//! A signature is over a message that names the network, so that none is replayed on another one.
//! Who may sign what, and when, is the business of `consensus`; here is only what bytes prove.

mod certificate;
mod evidence;
mod fault;
mod finding;
mod offence;
mod proposal;
mod vote;

pub use certificate::{Certificate, CertificateError, Signers, faulty_max, quorum};
pub use evidence::{Evidence, EvidenceError, Registry, double_votes};
pub use fault::{Fault, FaultError, ItemPlace, PlacedBooking, RecordPlace};
pub use offence::{Offence, OffenceKind};
pub use proposal::{Proposal, ProposalError, SealedHeader, SignedHeader};
pub use vote::{SignedVote, Subject, Vote};
