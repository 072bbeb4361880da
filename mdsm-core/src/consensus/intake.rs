//! Checking signatures: as few as a quorum needs, in batches, none twice. [CON-7]
//!
//! A vote waits unchecked until there are enough of its kind for a certificate, or until it contradicts
//! another vote of its voter; then all that wait are checked at once. A vote that can tell nothing new
//! is dropped before its signature is looked at, and so is a certificate that is held already.
//! Votes count only when their voter sends them: the links of the network are authenticated, so nobody
//! can fill another's place with a forged vote.
//!
//! Cost at 20 auditors: one batch of 14 for each certificate of a view, two in a good one.

use std::collections::BTreeMap;

use thiserror::Error;

use super::machine::Consensus;
use super::rules::Rules;
use crate::crypto::sign::{Scheme, Signed};
use crate::ledger::{Certificate, CertificateError, SealedHeader, SignedVote, Subject, Vote};
use crate::types::{ChainId, Epoch, InstitutionId, View};

/// Votes that wait for a check.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Intake {
    waiting: BTreeMap<View, Vec<SignedVote>>,
}

/// What a vote led to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Votes whose signatures hold, to be handed on in this order.
    pub votes: Vec<SignedVote>,
    /// Who sent a vote whose signature does not hold.
    pub forgers: Vec<InstitutionId>,
}

/// A message that means nothing here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum IntakeError {
    /// Sent by somebody else than its signer.
    #[error("a vote of {signer} came from {from}")]
    Sender {
        /// Who signed.
        signer: InstitutionId,
        /// Who sent.
        from: InstitutionId,
    },
    /// Signed by somebody who has no seat.
    #[error("{institution} has no seat among the auditors of epoch {epoch}")]
    Outsider {
        /// Who.
        institution: InstitutionId,
        /// The epoch.
        epoch: Epoch,
    },
    /// Of another epoch.
    #[error("epoch {found} where {expected} is open")]
    Epoch {
        /// Epoch named.
        found: Epoch,
        /// Epoch that is open.
        expected: Epoch,
    },
    /// Of a view that is over or too far ahead.
    #[error("view {found} where the node is in {current} and {finalized} is final")]
    View {
        /// View named.
        found: View,
        /// View of the node.
        current: View,
        /// Last final view.
        finalized: View,
    },
    /// Not a vote of consensus on blocks.
    #[error("an anchor vote is no vote on blocks")]
    Subject,
    /// Proposed by somebody whose turn it is not.
    #[error("view {view} is led by {leader}, not by {producer}")]
    Leader {
        /// The view.
        view: View,
        /// Its leader.
        leader: InstitutionId,
        /// Who proposed.
        producer: InstitutionId,
    },
    /// The signature of a proposal does not hold.
    #[error("the signature of {institution} does not hold")]
    Signature {
        /// Whose.
        institution: InstitutionId,
    },
    /// The certificate certifies nothing.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
}

impl Intake {
    /// Takes a vote. Nothing in the answer means that it waits, or that it is no news.
    pub fn vote<R: Rules>(
        &mut self,
        from: InstitutionId,
        signed: SignedVote,
        consensus: &Consensus<R>,
        chain: &ChainId,
        scheme: &impl Scheme,
    ) -> Result<Taken, IntakeError> {
        let (vote, signer) = (signed.vote, signed.signer);
        let (finalized, current) = (consensus.finalized().0, consensus.view());
        if from != signer {
            return Err(IntakeError::Sender { signer, from });
        }
        let (found, expected) = (vote.epoch, consensus.epoch());
        if !consensus.rules.is_of(expected, found) {
            return Err(IntakeError::Epoch { found, expected });
        }
        if matches!(vote.subject, Subject::Anchor(_)) {
            return Err(IntakeError::Subject);
        }
        if !consensus.hears(vote.view) {
            return Err(IntakeError::View { found: vote.view, current, finalized });
        }
        let outsider = IntakeError::Outsider { institution: signer, epoch: expected };
        let seat = consensus.seat_of(signer).ok_or(outsider)?;
        if self.waiting.first_key_value().is_some_and(|(view, _)| *view <= finalized) {
            self.waiting = self.waiting.split_off(&View::new(finalized.get() + 1));
        }
        let slot = consensus.slots.get(&vote.view);
        let held = slot.and_then(|slot| slot.certificate(&vote.subject));
        let is_news = slot.is_none_or(|slot| slot.tally.is_news(seat, &vote.subject));
        if !is_news || held.is_some_and(|held| held.vote == vote) {
            return Ok(Taken::default());
        }
        let waiting = self.waiting.entry(vote.view).or_default();
        let contradicts = |other: &SignedVote| {
            other.signer == signer && excludes(&other.vote.subject, &vote.subject)
        };
        if waiting.contains(&signed) {
            return Ok(Taken::default());
        }
        let is_contradiction = held.is_some()
            || waiting.iter().any(contradicts)
            || slot.is_some_and(|slot| slot.tally.contradicts(seat, &vote.subject));
        waiting.push(signed);
        let is_same = |other: &SignedVote| other.vote == vote;
        let counted = slot.map_or(0, |slot| slot.tally.votes(&vote.subject));
        let quorum = consensus.rules.quorum(consensus.committees.auditors.len());
        let is_enough = counted + waiting.iter().filter(|other| is_same(other)).count() >= quorum;
        if !is_contradiction && !is_enough {
            return Ok(Taken::default());
        }
        // A contradiction frees the voter's place at once, so nobody waits in two.
        let due: Vec<SignedVote> = waiting
            .extract_if(.., |other| {
                (is_enough && is_same(other)) || (is_contradiction && other.signer == signer)
            })
            .collect();
        Ok(check(due, consensus, chain, scheme))
    }

    /// Checks a proposal: turn, then signature.
    pub fn proposal<R: Rules>(
        &self,
        sealed: &SealedHeader,
        consensus: &Consensus<R>,
        scheme: &impl Scheme,
    ) -> Result<(), IntakeError> {
        let header = &sealed.header;
        let (found, expected) = (header.epoch, consensus.epoch());
        if !consensus.rules.is_of(expected, found) {
            return Err(IntakeError::Epoch { found, expected });
        }
        if !consensus.hears(header.view) {
            let (current, finalized) = (consensus.view(), consensus.finalized().0);
            return Err(IntakeError::View { found: header.view, current, finalized });
        }
        let leader = consensus.committees.leader(header.view);
        let producer = header.producer;
        if !consensus.rules.leads(leader.institution, producer) {
            let (view, leader) = (header.view, leader.institution);
            return Err(IntakeError::Leader { view, leader, producer });
        }
        let holds = sealed.holds(&leader.key, scheme);
        if holds { Ok(()) } else { Err(IntakeError::Signature { institution: producer }) }
    }

    /// Checks a certificate; `false` when it is held already, and then no signature is checked. Only the
    /// next leader looks at who else signed: it puts the certificate into its block, and whoever is
    /// missing there seems absent.
    pub fn certificate<R: Rules>(
        &self,
        certificate: &Certificate,
        consensus: &Consensus<R>,
        chain: &ChainId,
        scheme: &impl Scheme,
    ) -> Result<bool, IntakeError> {
        let vote = &certificate.vote;
        let (found, expected) = (vote.epoch, consensus.epoch());
        if !consensus.rules.is_of(expected, found) {
            return Err(IntakeError::Epoch { found, expected });
        }
        let slot = consensus.slots.get(&vote.view);
        let held = slot.and_then(|slot| slot.certificate(&vote.subject));
        let held = held.filter(|held| held.vote == *vote);
        let is_known = held.is_some() && !consensus.widens(vote);
        if vote.view < consensus.finalized().0 || is_known {
            return Ok(false);
        }
        let keys = consensus.committees.auditor_keys();
        if let Some(held) = held {
            certificate.check_shape(keys.len())?;
            let (message, further) = (vote.message(chain), held.lacks_of(certificate));
            let signed: Vec<Signed<'_>> = further
                .iter()
                .map(|(seat, signature)| Signed { key: &keys[*seat], message: &message, signature })
                .collect();
            return Ok(!further.is_empty() && scheme.all_hold(&signed));
        }
        match certificate.check(chain, &keys, scheme) {
            Err(fault) if !consensus.rules.admits(&fault) => Err(fault.into()),
            Ok(()) | Err(_) => Ok(true),
        }
    }

    /// Votes of a view that wait unchecked.
    #[must_use]
    pub fn in_view(&self, view: View) -> &[SignedVote] {
        self.waiting.get(&view).map_or(&[], Vec::as_slice)
    }

    /// Votes that wait, for a measure of memory; those of views that are over go with the next vote.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.waiting.values().map(Vec::len).sum()
    }

    /// Of them, those of views above this one.
    #[must_use]
    pub fn waiting_above(&self, view: View) -> usize {
        self.waiting.range(view..).filter(|(of, _)| **of > view).map(|(_, votes)| votes.len()).sum()
    }
}

/// Whether no honest voter casts both in one view.
fn excludes(one: &Subject, other: &Subject) -> bool {
    match (one, other) {
        (Subject::Notarize(a), Subject::Notarize(b))
        | (Subject::Finalize(a), Subject::Finalize(b)) => a != b,
        (Subject::Nullify, Subject::Finalize(_)) | (Subject::Finalize(_), Subject::Nullify) => true,
        _ => false,
    }
}

/// Checks votes in one batch; one by one when that does not hold, so that one forger spoils nothing.
fn check<R: Rules>(
    due: Vec<SignedVote>,
    consensus: &Consensus<R>,
    chain: &ChainId,
    scheme: &impl Scheme,
) -> Taken {
    let me = consensus.membership.me;
    // Most often all are the same vote.
    let mut votes: Vec<Vote> = due.iter().map(|signed| signed.vote).collect();
    votes.dedup();
    let messages: Vec<_> = votes.iter().map(|vote| (vote, vote.message(chain))).collect();
    let seated = |signed: &SignedVote| {
        let seat = consensus.seat_of(signed.signer)?;
        let (_, message) = messages.iter().find(|(vote, _)| **vote == signed.vote)?;
        Some((&consensus.committees.auditors[seat].key, message))
    };
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //# CON-7.17 (ours): An auditor MUST count its own votes like those of others, also after a
    //# restart.
    // An own vote comes from the node itself.
    let mut batch = Vec::with_capacity(due.len());
    batch.extend(due.iter().filter(|signed| signed.signer != me).filter_map(|signed| {
        let (key, message) = seated(signed)?;
        Some(Signed { key, message, signature: &signed.signature })
    }));
    if scheme.all_hold(&batch) {
        return Taken { votes: due, forgers: Vec::new() };
    }
    let holds = |signed: &SignedVote| {
        let is_own = signed.signer == me;
        is_own
            || seated(signed)
                .is_some_and(|(key, message)| scheme.holds(key, message, &signed.signature))
    };
    let (votes, forged): (Vec<_>, Vec<_>) = due.into_iter().partition(holds);
    Taken { votes, forgers: forged.iter().map(|signed| signed.signer).collect() }
}
