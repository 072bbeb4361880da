//! Votes on the anchor of a frozen epoch: producers and auditors together. [ANC-1] [CON-7] [COM-9]
//!
//! A member votes once in an epoch, for the root that follows from its own finalized chain. What it
//! signs lasts even where every auditor is faulty: two certificates of one epoch share a third of
//! both committees.

use std::sync::Arc;

use super::interface::{Audience, Effect};
use super::journal::JournalEntry;
use crate::ledger::{Certificate, Evidence, SignedVote, Subject, Vote, quorum};
use crate::roster::Committees;
use crate::types::{Digest, Epoch, InstitutionId, OwnerId, Signature, View};

/// The ballot on one epoch's anchor.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AnchorBallot {
    epoch: Epoch,
    electorate: Vec<InstitutionId>,
    me: InstitutionId,
    /// The root that the node voted for.
    own: Option<Digest>,
    /// By seat: root and signature.
    votes: Vec<Option<(Digest, Signature)>>,
    certificate: Option<Arc<Certificate>>,
}

/// What a ballot asks for, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "lives as long as one step; a box for each would cost more"
)]
pub enum AnchorEffect {
    /// As in consensus.
    Consensus(Effect),
    /// The anchor is certified.
    Certified(Arc<Certificate>),
}

impl AnchorBallot {
    /// The ballot of an epoch, whose committees these are.
    #[must_use]
    pub fn new(committees: &Committees, me: InstitutionId) -> Self {
        let electorate: Vec<_> = committees.electorate().map(|seat| seat.institution).collect();
        let votes = vec![None; electorate.len()];
        Self { epoch: committees.epoch, electorate, me, own: None, votes, certificate: None }
    }

    /// The epoch.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The certificate, once there is one.
    #[must_use]
    pub fn certificate(&self) -> Option<&Arc<Certificate>> {
        self.certificate.as_ref()
    }

    /// Whether the node has voted.
    #[must_use]
    pub fn has_voted(&self) -> bool {
        self.own.is_some()
    }

    /// Remembers a vote that was stored before a restart.
    pub fn recall(&mut self, vote: &Vote) {
        if let (Subject::Anchor(root), true) = (vote.subject, vote.epoch == self.epoch) {
            self.own = Some(root);
        }
    }

    /// Votes for the root of the epoch's anchor; again when it is asked again, and never for another.
    /// The vote is stored the first time only.
    pub fn vote(&mut self, root: Digest, effects: &mut Vec<AnchorEffect>) {
        if !self.electorate.contains(&self.me) {
            return;
        }
        //= harness/spec/consensus.md#con-7-safety-life-and-evidence
        //# CON-7.10 (ours): An institution MUST NOT sign two anchor roots for one epoch, also not
        //# across a restart.
        let is_stored = self.own.is_some();
        let subject = Subject::Anchor(*self.own.get_or_insert(root));
        let vote = Vote { epoch: self.epoch, view: View::new(0), subject };
        if !is_stored {
            effects.push(AnchorEffect::Consensus(Effect::Persist(JournalEntry::Voted(vote))));
        }
        effects.push(AnchorEffect::Consensus(Effect::Cast(vote)));
    }

    /// Keys of the electorate, in the order of their seats; `key_of` knows every member.
    pub fn keys(&self, key_of: impl Fn(InstitutionId) -> Option<OwnerId>) -> Vec<OwnerId> {
        self.electorate.iter().filter_map(|member| key_of(*member)).collect()
    }

    /// Whether a vote could tell anything new.
    #[must_use]
    pub fn is_news(&self, signed: &SignedVote) -> bool {
        let Some(seat) = self.seat_of(signed.signer) else { return false };
        let Some(place) = self.votes.get(seat) else { return false };
        place.map(|(root, _)| Subject::Anchor(root)) != Some(signed.vote.subject)
    }

    /// The seat of a member.
    #[must_use]
    pub fn seat_of(&self, institution: InstitutionId) -> Option<usize> {
        self.electorate.iter().position(|member| *member == institution)
    }

    /// Counts a vote whose signature was checked.
    pub fn on_vote(&mut self, signed: &SignedVote, effects: &mut Vec<AnchorEffect>) {
        let SignedVote { vote, signer, signature } = *signed;
        let Subject::Anchor(root) = vote.subject else { return };
        let Some(seat) = self.seat_of(signer) else { return };
        if vote.epoch != self.epoch || vote.view != View::new(0) || self.certificate.is_some() {
            return;
        }
        if let Some((before, first)) = self.votes[seat] {
            if before != root {
                let vote = Vote { subject: Subject::Anchor(before), ..vote };
                let first = SignedVote { vote, signer, signature: first };
                let evidence = Evidence::Votes { first, second: *signed };
                effects.push(AnchorEffect::Consensus(Effect::Convict(evidence)));
            }
            return;
        }
        self.votes[seat] = Some((root, signature));
        let signed: Vec<(usize, Signature)> = self
            .votes
            .iter()
            .enumerate()
            .filter_map(|(seat, cast)| {
                cast.filter(|(cast, _)| *cast == root).map(|(_, s)| (seat, s))
            })
            .collect();
        let seats = self.electorate.len();
        if signed.len() >= quorum(seats)
            && let Some(certificate) = Certificate::assemble(vote, seats, &signed)
        {
            self.on_certificate(Arc::new(certificate), effects);
        }
    }

    /// Takes a certificate whose signatures were checked.
    pub fn on_certificate(
        &mut self,
        certificate: Arc<Certificate>,
        effects: &mut Vec<AnchorEffect>,
    ) {
        let is_anchor = matches!(certificate.vote.subject, Subject::Anchor(_))
            && certificate.vote.view == View::new(0);
        if self.certificate.is_some() || !is_anchor || certificate.vote.epoch != self.epoch {
            return;
        }
        self.certificate = Some(certificate.clone());
        self.votes = Vec::new();
        let entry = JournalEntry::Certified(certificate.clone());
        effects.push(AnchorEffect::Consensus(Effect::Persist(entry)));
        let (published, to) = (certificate.clone(), Audience::Everyone);
        let publish = Effect::Publish { certificate: published, to };
        effects.push(AnchorEffect::Consensus(publish));
        effects.push(AnchorEffect::Certified(certificate));
    }
}
