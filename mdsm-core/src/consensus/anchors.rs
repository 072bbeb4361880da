//! Votes on the anchor of a frozen epoch: producers and auditors together. [ANC-1] [CON-7] [COM-9]
//!
//! A member votes once in an epoch, for the root that follows from its own finalized chain. What it
//! signs lasts even where every auditor is faulty: two certificates of one epoch share a third of
//! both committees.

use std::sync::Arc;

use super::interface::{Audience, Effect};
use super::journal::JournalEntry;
use crate::crypto::sign::{Scheme, Signed};
use crate::ledger::{Certificate, Evidence, SignedVote, Subject, Vote, quorum};
use crate::roster::{Committees, Seat};
use crate::types::{ChainId, Digest, Epoch, InstitutionId, OwnerId, Signature, View};

/// The ballot on one epoch's anchor.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AnchorBallot {
    epoch: Epoch,
    electorate: Vec<Seat>,
    me: InstitutionId,
    /// The root that the node voted for.
    own: Option<Digest>,
    /// By seat.
    votes: Vec<Place>,
    /// By seat: whether a vote of the member came.
    heard: Vec<bool>,
    /// By seat: whether the member was convicted of two roots; once is enough.
    convicted: Vec<bool>,
    /// Whether it tells everybody of the certificate.
    is_on_duty: bool,
    certificate: Option<Arc<Certificate>>,
}

/// The vote of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Place {
    /// None yet.
    Empty,
    /// For this root; the signature was not checked.
    Waiting(Digest, Signature),
    /// For this root.
    Counted(Digest, Signature),
    /// What the member sent was not signed by it.
    Forged,
}

/// What a ballot asks for, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
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
        let electorate: Vec<Seat> = committees.electorate().copied().collect();
        let votes = vec![Place::Empty; electorate.len()];
        let heard = vec![false; electorate.len()];
        let epoch = committees.epoch;
        let on_duty = committees.auditor_on_duty(View::new(epoch.get().into())).institution;
        let is_on_duty = on_duty == me;
        let (own, convicted, certificate) = (None, heard.clone(), None);
        Self { epoch, electorate, me, own, votes, heard, convicted, is_on_duty, certificate }
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
        if self.seat_of(self.me).is_none() {
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

    /// Keys of the electorate, in the order of their seats.
    #[must_use]
    pub fn keys(&self) -> Vec<OwnerId> {
        self.electorate.iter().map(|seat| seat.key).collect()
    }

    /// The seat of a member.
    #[must_use]
    pub fn seat_of(&self, institution: InstitutionId) -> Option<usize> {
        self.electorate.iter().position(|seat| seat.institution == institution)
    }

    /// Takes a vote that its signer sent. Signatures are checked when there are enough for a certificate,
    /// in one batch, or when a member contradicts itself; one that does not hold leaves its member without
    /// a vote on this anchor. The answer is the certificate for a member that votes again although there is
    /// one: it lacks it.
    pub fn on_vote(
        &mut self,
        signed: &SignedVote,
        chain: &ChainId,
        scheme: &impl Scheme,
        effects: &mut Vec<AnchorEffect>,
    ) -> Option<Arc<Certificate>> {
        let SignedVote { vote, signer, .. } = *signed;
        let Subject::Anchor(root) = vote.subject else { return None };
        if vote.epoch != self.epoch || vote.view != View::new(0) {
            return None;
        }
        let seat = self.seat_of(signer)?;
        let is_again = std::mem::replace(&mut self.heard[seat], true);
        if let Some(certificate) = &self.certificate {
            return Some(certificate.clone()).filter(|_| is_again);
        }
        let seats = self.electorate.len();
        let key = self.electorate[seat].key;
        let holds = |vote: &SignedVote| vote.holds(chain, &key, scheme);
        if !self.place(seat, root, signed, holds, effects)
            || self.signatures(root).count() < quorum(seats)
        {
            return None;
        }
        self.check(root, chain, scheme);
        let signed: Vec<_> = self.signatures(root).collect();
        if signed.len() >= quorum(seats)
            && let Some(certificate) = Certificate::assemble(vote, seats, &signed)
        {
            self.on_certificate(Arc::new(certificate), effects);
        }
        None
    }

    /// Puts a vote into its place; whether it is one more.
    fn place(
        &mut self,
        seat: usize,
        root: Digest,
        signed: &SignedVote,
        holds: impl Fn(&SignedVote) -> bool,
        effects: &mut Vec<AnchorEffect>,
    ) -> bool {
        let SignedVote { signer, signature, .. } = *signed;
        match self.votes[seat] {
            Place::Empty => {
                self.votes[seat] = Place::Waiting(root, signature);
                return true;
            }
            Place::Waiting(before, first) | Place::Counted(before, first)
                if before != root && !self.convicted[seat] =>
            {
                let first = SignedVote { vote: self.vote_for(before), signer, signature: first };
                if holds(&first) && holds(signed) {
                    self.convicted[seat] = true;
                    let evidence = Box::new(Evidence::Votes { first, second: *signed });
                    effects.push(AnchorEffect::Consensus(Effect::Convict(evidence)));
                }
            }
            Place::Waiting(..) | Place::Counted(..) | Place::Forged => {}
        }
        false
    }

    fn vote_for(&self, root: Digest) -> Vote {
        Vote { epoch: self.epoch, view: View::new(0), subject: Subject::Anchor(root) }
    }

    /// Signatures for a root, checked or not, by ascending seat.
    fn signatures(&self, root: Digest) -> impl Iterator<Item = (usize, Signature)> {
        self.votes.iter().enumerate().filter_map(move |(seat, place)| match place {
            Place::Waiting(cast, signature) | Place::Counted(cast, signature) if *cast == root => {
                Some((seat, *signature))
            }
            _ => None,
        })
    }

    /// Checks all that wait for a root, in one batch; one by one when that does not hold.
    fn check(&mut self, root: Digest, chain: &ChainId, scheme: &impl Scheme) {
        let message = self.vote_for(root).message(chain);
        let waits = |place: &Place| matches!(place, Place::Waiting(cast, _) if *cast == root);
        let waiting: Vec<(usize, Signature)> =
            self.signatures(root).filter(|(seat, _)| waits(&self.votes[*seat])).collect();
        let batch: Vec<Signed<'_>> = waiting
            .iter()
            .map(|(seat, signature)| {
                let key = &self.electorate[*seat].key;
                Signed { key, message: &message, signature }
            })
            .collect();
        let all_hold = scheme.all_hold(&batch);
        for (seat, signature) in &waiting {
            let key = &self.electorate[*seat].key;
            let holds = all_hold || scheme.holds(key, &message, signature);
            self.votes[*seat] =
                if holds { Place::Counted(root, *signature) } else { Place::Forged };
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
        // Whoever lacks it votes again or asks, and is answered. [CON-7.22] [CON-7.24]
        if self.is_on_duty {
            let (certificate, to) = (certificate.clone(), Audience::Everyone);
            effects.push(AnchorEffect::Consensus(Effect::Publish { certificate, to }));
        }
        effects.push(AnchorEffect::Certified(certificate));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::sign::{Ed25519, SigningKey};

    const CHAIN: ChainId = ChainId::new([1; 32]);
    const ROOT: Digest = Digest::new([7; 32]);
    /// Two producers and five auditors: five of seven make a certificate.
    const QUORUM: u32 = 5;

    fn key(id: u32) -> SigningKey {
        SigningKey::from_seed(&[u8::try_from(id).unwrap(); 32])
    }

    fn ballot(me: u32) -> AnchorBallot {
        let seat = |id| Seat { institution: InstitutionId::new(id), key: key(id).owner() };
        let committees = Committees {
            epoch: Epoch::new(3),
            producers: (1..=2).map(seat).collect(),
            auditors: (3..=7).map(seat).collect(),
            offset: 0,
        };
        AnchorBallot::new(&committees, InstitutionId::new(me))
    }

    fn vote(id: u32, root: Digest) -> SignedVote {
        let subject = Subject::Anchor(root);
        let vote = Vote { epoch: Epoch::new(3), view: View::new(0), subject };
        vote.sign(&CHAIN, InstitutionId::new(id), &key(id))
    }

    fn hear(ballot: &mut AnchorBallot, signed: &SignedVote) -> (bool, Vec<AnchorEffect>) {
        let mut effects = Vec::new();
        let answer = ballot.on_vote(signed, &CHAIN, &Ed25519, &mut effects);
        (answer.is_some(), effects)
    }

    #[test]
    fn a_forged_vote_is_found_at_the_quorum_and_costs_its_member_the_vote() {
        let mut ballot = ballot(1);
        let forged = SignedVote { signature: key(2).sign(b"another"), ..vote(2, ROOT) };
        assert_eq!(hear(&mut ballot, &forged), (false, vec![]));
        for id in 3..3 + QUORUM - 1 {
            assert_eq!(hear(&mut ballot, &vote(id, ROOT)), (false, vec![]), "{id}");
        }
        assert_eq!(ballot.certificate(), None, "one of five is forged");
        assert_eq!(hear(&mut ballot, &vote(2, ROOT)), (false, vec![]));
        assert_eq!(ballot.certificate(), None, "its member has no vote any more");
        let (_, effects) = hear(&mut ballot, &vote(7, ROOT));
        let certificate = ballot.certificate().expect("five good votes").clone();
        assert!(effects.contains(&AnchorEffect::Certified(certificate.clone())), "{effects:?}");
        assert_eq!(certificate.check(&CHAIN, &ballot.keys(), &Ed25519), Ok(()));
    }

    #[test]
    fn two_roots_convict_only_with_both_signatures() {
        let other = Digest::new([8; 32]);
        let forged = SignedVote { signature: key(1).sign(b"another"), ..vote(4, other) };
        let mut ballot = ballot(1);
        assert_eq!(hear(&mut ballot, &vote(4, ROOT)), (false, vec![]));
        assert_eq!(hear(&mut ballot, &forged), (false, vec![]), "somebody else signed that");
        let (first, second) = (vote(4, ROOT), vote(4, other));
        let evidence = Box::new(Evidence::Votes { first, second });
        let convict = AnchorEffect::Consensus(Effect::Convict(evidence));
        assert_eq!(hear(&mut ballot, &second), (false, vec![convict]));
        for again in [8, 9] {
            let repeated = vote(4, Digest::new([again; 32]));
            assert_eq!(hear(&mut ballot, &repeated), (false, vec![]), "an offence is shown once");
        }
    }

    #[test]
    fn whoever_votes_again_behind_the_certificate_is_given_it_and_late_voters_are_not() {
        let mut ballot = ballot(1);
        for id in 2..2 + QUORUM {
            hear(&mut ballot, &vote(id, ROOT));
        }
        assert!(ballot.certificate().is_some());
        assert_eq!(hear(&mut ballot, &vote(7, ROOT)), (false, vec![]), "its first");
        assert_eq!(hear(&mut ballot, &vote(7, ROOT)), (true, vec![]), "its second");
        assert_eq!(hear(&mut ballot, &vote(2, ROOT)), (true, vec![]));
    }

    #[test]
    fn the_auditor_on_duty_tells_everybody() {
        let publishes = |me| {
            let mut ballot = ballot(me);
            let votes = (1..=QUORUM).map(|id| vote(id, ROOT));
            let effects: Vec<_> = votes.flat_map(|vote| hear(&mut ballot, &vote).1).collect();
            let publish = |effect: &AnchorEffect| {
                matches!(effect, AnchorEffect::Consensus(Effect::Publish { .. }))
            };
            effects.iter().any(publish)
        };
        let on_duty: Vec<u32> = (1..=7).filter(|me| publishes(*me)).collect();
        assert_eq!(on_duty, [6], "the auditor of seat 3 in epoch 3");
    }
}
