//! Evidence: signed statements that an honest institution never makes, complete in themselves.
//! [CON-7] [COM-4] [COM-6]
//!
//! | kind | what is shown | who is convicted |
//! |---|---|---|
//! | E1 | two proposals for one view | the producer |
//! | E2, E3, E4, E7 | two votes that exclude each other | the voter |
//! | E5 | a signed block and what is wrong in it | the producer |
//! | E6 | a notarize vote for such a block | the voter |

use std::collections::BTreeMap;

use thiserror::Error;

use super::certificate::Certificate;
use super::fault::{Fault, FaultError};
use super::offence::{Offence, OffenceKind};
use super::proposal::SignedHeader;
use super::vote::{SignedVote, Subject, Vote};
use crate::codec::{Decode, DecodeError, DecodeErrorKind, Encode, Reader, Wire};
use crate::crypto::sign::Scheme;
use crate::types::{ChainId, Epoch, InstitutionId, OwnerId, View};

/// Proof of one offence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// Two different headers of one producer for one view.
    Proposals {
        /// One.
        first: SignedHeader,
        /// The other.
        second: SignedHeader,
    },
    /// Two votes of one voter that exclude each other.
    Votes {
        /// One.
        first: SignedVote,
        /// The other.
        second: SignedVote,
    },
    /// A signed block that breaks a rule.
    Block {
        /// The header of the block.
        header: SignedHeader,
        /// What is wrong.
        fault: Box<Fault>,
    },
    /// A vote for a block that breaks a rule.
    Audit {
        /// The header of the block; its producer's signature is not needed.
        header: SignedHeader,
        /// What is wrong.
        fault: Box<Fault>,
        /// The vote to notarize it.
        vote: SignedVote,
    },
}

/// Evidence that proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum EvidenceError {
    /// Nobody with this id is registered.
    #[error("evidence: {institution} is not registered")]
    Unknown {
        /// The id.
        institution: InstitutionId,
    },
    /// The two statements do not exclude each other, or are not of one signer.
    #[error("evidence: both statements can be honest")]
    NoConflict,
    /// A signature does not hold.
    #[error("evidence: a signature of {institution} does not hold")]
    Signature {
        /// Whose.
        institution: InstitutionId,
    },
    /// A header of another network.
    #[error("evidence.header.chain_id: another network")]
    ChainId,
    /// The vote is for another block.
    #[error("evidence.vote: is not for the block")]
    OtherBlock,
    /// The block keeps the rule.
    #[error("evidence.fault: {0}")]
    Fault(#[from] FaultError),
}

/// What evidence is held against: who has which key.
pub trait Registry {
    /// The network.
    fn chain_id(&self) -> ChainId;
    /// The key of an institution, also of an expelled one.
    fn key_of(&self, institution: InstitutionId) -> Option<OwnerId>;
    /// Keys of the auditors of an epoch, in the order of their seats, while they are kept.
    fn auditors_of(&self, epoch: Epoch) -> Option<Vec<OwnerId>>;
}

impl Evidence {
    /// What is proved, if it is. Cost: two signature checks and those of the fault.
    pub fn check(
        &self,
        registry: &impl Registry,
        scheme: &impl Scheme,
    ) -> Result<Offence, EvidenceError> {
        match self {
            Self::Proposals { first, second } => {
                let (one, other) = (&first.header, &second.header);
                let same = one.producer == other.producer
                    && (one.epoch, one.view) == (other.epoch, other.view);
                if !same || one == other {
                    return Err(EvidenceError::NoConflict);
                }
                check_header(first, registry, scheme)?;
                check_header(second, registry, scheme)?;
                Ok(offence_of(first, OffenceKind::DoubleProposal))
            }
            Self::Votes { first, second } => {
                let kind = conflict(&first.vote, &second.vote)
                    .filter(|_| first.signer == second.signer)
                    .ok_or(EvidenceError::NoConflict)?;
                check_vote(first, registry, scheme)?;
                check_vote(second, registry, scheme)?;
                let Vote { epoch, view, .. } = first.vote;
                Ok(Offence { institution: first.signer, epoch, view, kind })
            }
            Self::Block { header, fault } => {
                check_header(header, registry, scheme)?;
                fault.check(&header.header, registry, scheme)?;
                Ok(offence_of(header, OffenceKind::InvalidBlock))
            }
            Self::Audit { header, fault, vote } => {
                let Vote { epoch, view, subject } = vote.vote;
                let is_for_it = subject == Subject::Notarize(header.hash())
                    && (epoch, view) == (header.header.epoch, header.header.view);
                if !is_for_it {
                    return Err(EvidenceError::OtherBlock);
                }
                if header.header.chain_id != registry.chain_id() {
                    return Err(EvidenceError::ChainId);
                }
                check_vote(vote, registry, scheme)?;
                fault.check(&header.header, registry, scheme)?;
                let kind = OffenceKind::WrongAudit;
                Ok(Offence { institution: vote.signer, epoch, view, kind })
            }
        }
    }

    /// What it says to prove, unchecked; for sorting and for dropping what is known.
    #[must_use]
    pub fn claim(&self) -> Option<Offence> {
        match self {
            Self::Proposals { first, .. } => Some(offence_of(first, OffenceKind::DoubleProposal)),
            Self::Votes { first, second } => conflict(&first.vote, &second.vote).map(|kind| {
                let Vote { epoch, view, .. } = first.vote;
                Offence { institution: first.signer, epoch, view, kind }
            }),
            Self::Block { header, .. } => Some(offence_of(header, OffenceKind::InvalidBlock)),
            Self::Audit { vote, .. } => {
                let Vote { epoch, view, .. } = vote.vote;
                let kind = OffenceKind::WrongAudit;
                Some(Offence { institution: vote.signer, epoch, view, kind })
            }
        }
    }
}

fn offence_of(signed: &SignedHeader, kind: OffenceKind) -> Offence {
    let header = &signed.header;
    Offence { institution: header.producer, epoch: header.epoch, view: header.view, kind }
}

/// Why no honest voter casts both votes; `None` when one may.
//= harness/spec/consensus.md#con-7-safety-life-and-evidence
//# CON-7.9 (ours): Evidence MUST NOT exist against an institution that follows the protocol.
fn conflict(first: &Vote, second: &Vote) -> Option<OffenceKind> {
    if (first.epoch, first.view) != (second.epoch, second.view) {
        return None;
    }
    match (first.subject, second.subject) {
        (Subject::Notarize(a), Subject::Notarize(b)) if a != b => Some(OffenceKind::DoubleNotarize),
        (Subject::Finalize(a), Subject::Finalize(b)) if a != b => Some(OffenceKind::DoubleFinalize),
        // An anchor vote that names a view is none: no ballot counts it, and one offence for each view
        // would be charged over and over.
        (Subject::Anchor(a), Subject::Anchor(b)) if a != b && first.view == View::new(0) => {
            Some(OffenceKind::DoubleAnchor)
        }
        (Subject::Nullify, Subject::Finalize(_)) | (Subject::Finalize(_), Subject::Nullify) => {
            Some(OffenceKind::NullifyAndFinalize)
        }
        _ => None,
    }
}

/// Evidence against everybody who signed both certificates, when no honest voter signs both. The
/// certificates are taken as checked; `electorate` is theirs, in the order of their seats.
//= harness/spec/consensus.md#con-7-safety-life-and-evidence
//# CON-7.8 (ours): Two conflicting finalizations MUST yield signed evidence against at least n - 2 f
//# auditors.
#[must_use]
pub fn double_votes(
    first: &Certificate,
    second: &Certificate,
    electorate: &[InstitutionId],
) -> Vec<Evidence> {
    if conflict(&first.vote, &second.vote).is_none() {
        return Vec::new();
    }
    let by_signer: BTreeMap<_, _> = second.signers_of(electorate).collect();
    first
        .signers_of(electorate)
        .filter_map(|(signer, signature)| {
            let other = by_signer.get(&signer)?;
            let first = SignedVote { vote: first.vote, signer, signature: *signature };
            let second = SignedVote { vote: second.vote, signer, signature: **other };
            Some(Evidence::Votes { first, second })
        })
        .collect()
}

fn check_header(
    signed: &SignedHeader,
    registry: &impl Registry,
    scheme: &impl Scheme,
) -> Result<(), EvidenceError> {
    if signed.header.chain_id != registry.chain_id() {
        return Err(EvidenceError::ChainId);
    }
    let institution = signed.header.producer;
    let key = registry.key_of(institution).ok_or(EvidenceError::Unknown { institution })?;
    let holds = signed.holds(&key, scheme);
    if holds { Ok(()) } else { Err(EvidenceError::Signature { institution }) }
}

fn check_vote(
    signed: &SignedVote,
    registry: &impl Registry,
    scheme: &impl Scheme,
) -> Result<(), EvidenceError> {
    let institution = signed.signer;
    let key = registry.key_of(institution).ok_or(EvidenceError::Unknown { institution })?;
    let holds = signed.holds(&registry.chain_id(), &key, scheme);
    if holds { Ok(()) } else { Err(EvidenceError::Signature { institution }) }
}

impl Encode for Evidence {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Proposals { first, second } => {
                out.push(1);
                first.encode(out);
                second.encode(out);
            }
            Self::Votes { first, second } => {
                out.push(2);
                first.encode(out);
                second.encode(out);
            }
            Self::Block { header, fault } => {
                out.push(3);
                header.encode(out);
                fault.encode(out);
            }
            Self::Audit { header, fault, vote } => {
                out.push(4);
                header.encode(out);
                fault.encode(out);
                vote.encode(out);
            }
        }
    }
}

impl Decode for Evidence {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let offset = reader.offset();
        match reader.array()? {
            [1] => {
                let (first, second) = (reader.field("first")?, reader.field("second")?);
                Ok(Self::Proposals { first, second })
            }
            [2] => {
                let (first, second) = (reader.field("first")?, reader.field("second")?);
                Ok(Self::Votes { first, second })
            }
            [3] => {
                let (header, fault) = (reader.field("header")?, reader.field("fault")?);
                Ok(Self::Block { header, fault: Box::new(fault) })
            }
            [4] => {
                let (header, fault) = (reader.field("header")?, reader.field("fault")?);
                let vote = reader.field("vote")?;
                Ok(Self::Audit { header, fault: Box::new(fault), vote })
            }
            [found] => Err(DecodeError::new(offset, DecodeErrorKind::Variant { found })),
        }
    }
}

impl Wire for Evidence {
    const TAG: [u8; 4] = *b"MEVD";
    const NAME: &'static str = "Evidence";
}
