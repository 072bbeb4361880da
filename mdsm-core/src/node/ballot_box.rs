//! Which ballots on anchors are open, and which epoch is next. [ANC-1] [CON-7.11]
//!
//! Invariant: the ballot of the next epoch is open whenever that epoch is frozen here. A ballot takes some 20 KB with its
//! votes; an epoch that waits for one takes 5 KB, and there are as many of those as the chain is ahead of its anchors:
//! a thousand a week, which nobody can hasten.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::anchor::duty_of;
use super::limits::{BALLOTS_CERTIFIED_MAX, BALLOTS_MAX};
use crate::consensus::AnchorBallot;
use crate::ledger::{Certificate, Vote};
use crate::roster::Committees;
use crate::types::{Digest, Epoch, InstitutionId, Timestamp, View};

/// Ballots that are open, and the last ones that are certified.
#[derive(Clone, Debug)]
pub(super) struct Ballots {
    me: InstitutionId,
    pub(super) by_epoch: BTreeMap<Epoch, Ballot>,
    /// Epochs behind these, for whose ballots there is no room yet.
    later: BTreeMap<Epoch, Ended>,
    /// Own votes from before a restart whose ballots are not open yet.
    votes: BTreeMap<Epoch, Vote>,
    /// The first epoch whose anchor is not certified with this node's own root.
    pub(super) next: Epoch,
    /// Whether the timer runs.
    pub(super) is_armed: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Ballot {
    pub(super) ballot: AnchorBallot,
    /// The root that follows from this node's chain.
    pub(super) root: Digest,
    /// Time of the last block of the epoch, and of the block that opened it.
    pub(super) ended: Timestamp,
    pub(super) opened: Timestamp,
    /// Who has to anchor it, in turn.
    pub(super) duty: Vec<InstitutionId>,
}

/// An epoch that is frozen here.
#[derive(Clone, Debug)]
pub(super) struct Ended {
    pub(super) committees: Arc<Committees>,
    /// The root that follows from this node's chain.
    pub(super) root: Digest,
    /// Time of its last block, and of the block that opened it.
    pub(super) ended: Timestamp,
    pub(super) opened: Timestamp,
    /// View of its last block.
    pub(super) last_view: View,
    /// The certificate of its anchor, where it was stored before a restart.
    pub(super) certificate: Option<Arc<Certificate>>,
}

impl Ballot {
    fn new(ended: Ended, me: InstitutionId, vote: Option<&Vote>) -> Self {
        let Ended { committees, root, ended, opened, last_view, certificate } = ended;
        let mut ballot = AnchorBallot::new(&committees, me);
        if let Some(vote) = vote {
            ballot.recall(vote);
        }
        if let Some(certificate) = certificate {
            // What follows from it was done before the restart.
            ballot.on_certificate(certificate, &mut Vec::new());
        }
        Self { ballot, root, ended, opened, duty: duty_of(&committees, last_view) }
    }

    /// Whether its anchor is certified with the own root.
    fn is_settled(&self) -> bool {
        let certified = self.ballot.certificate();
        certified.and_then(|certificate| certificate.vote.subject.digest()) == Some(&self.root)
    }
}

impl Ballots {
    /// None yet.
    pub(super) fn new(me: InstitutionId) -> Self {
        let (by_epoch, later, votes) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { me, by_epoch, later, votes, next: Epoch::new(0), is_armed: false }
    }

    /// Opens the ballot of an epoch, once there is room. Epochs come in order.
    pub(super) fn open(&mut self, ended: Ended) {
        self.later.insert(ended.committees.epoch, ended);
        self.advance();
    }

    /// Remembers a vote that was stored before a restart, for the ballot that is opened later.
    pub(super) fn recall(&mut self, vote: &Vote) {
        self.votes.insert(vote.epoch, *vote);
    }

    /// Goes on to the first epoch that is not certified with the own root, and opens what there is room for.
    pub(super) fn advance(&mut self) {
        loop {
            while let (Some(ballot), Some(next)) = (self.by_epoch.get(&self.next), self.next.next())
                && ballot.is_settled()
            {
                self.next = next;
            }
            // Only behind the next one: what is certified before its turn is needed when that comes.
            let settled = self.by_epoch.range(..self.next).count();
            for _ in BALLOTS_CERTIFIED_MAX..settled {
                self.by_epoch.pop_first();
            }
            // Certified in order, the lowest are needed first.
            if self.by_epoch.len() >= BALLOTS_MAX {
                return;
            }
            let Some((epoch, ended)) = self.later.pop_first() else { return };
            let vote = self.votes.remove(&epoch);
            self.by_epoch.insert(epoch, Ballot::new(ended, self.me, vote.as_ref()));
        }
    }

    /// Ballots kept, for a measure of memory.
    pub(super) fn len(&self) -> usize {
        self.by_epoch.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Subject;
    use crate::roster::Seat;
    use crate::types::{OwnerId, Signature};

    const ME: InstitutionId = InstitutionId::new(1);
    const EPOCHS: u32 = 1_600;
    const _: () = assert!(EPOCHS as usize > BALLOTS_MAX + BALLOTS_CERTIFIED_MAX);

    fn vote(epoch: u32) -> Vote {
        let subject = Subject::Anchor(Digest::new([7; 32]));
        Vote { epoch: Epoch::new(epoch), view: View::new(0), subject }
    }

    fn certificate(epoch: u32) -> Arc<Certificate> {
        let signed: Vec<_> = (0..5).map(|seat| (seat, Signature::new([0; 64]))).collect();
        Arc::new(Certificate::assemble(vote(epoch), 7, &signed).unwrap())
    }

    fn ended(epoch: u32, certificate: Option<Arc<Certificate>>) -> Ended {
        let seat = |id| Seat { institution: InstitutionId::new(id), key: OwnerId::new([9; 32]) };
        let (producers, auditors) = ((1..=2).map(seat).collect(), (3..=7).map(seat).collect());
        let committees = Committees { epoch: Epoch::new(epoch), producers, auditors, offset: 0 };
        let committees = Arc::new(committees);
        let root = Digest::new([7; 32]);
        let (opened, ended) = (Timestamp::new(0), Timestamp::new(1));
        Ended { committees, root, opened, ended, last_view: View::new(1), certificate }
    }

    /// The certificate of the next anchor comes from others.
    fn certify_next(ballots: &mut Ballots) {
        let next = ballots.next;
        let ballot = ballots.by_epoch.get_mut(&next).unwrap_or_else(|| panic!("no ballot {next}"));
        ballot.ballot.on_certificate(certificate(next.get()), &mut Vec::new());
        ballots.advance();
        assert!(ballots.next > next);
        assert!(ballots.len() <= BALLOTS_MAX);
    }

    #[test]
    fn con_7_11_more_epochs_than_ballots_are_certified_one_after_another() {
        let mut ballots = Ballots::new(ME);
        (0..EPOCHS).for_each(|epoch| ballots.open(ended(epoch, None)));
        assert_eq!(ballots.len(), BALLOTS_MAX);
        for _ in 0..EPOCHS {
            certify_next(&mut ballots);
        }
        assert_eq!(ballots.next, Epoch::new(EPOCHS));
        assert_eq!(ballots.len(), BALLOTS_CERTIFIED_MAX);
    }

    #[test]
    fn con_7_11_what_was_certified_before_a_restart_takes_no_room() {
        let mut ballots = Ballots::new(ME);
        (0..EPOCHS).for_each(|epoch| ballots.open(ended(epoch, Some(certificate(epoch)))));
        assert_eq!(ballots.next, Epoch::new(EPOCHS));
        ballots.open(ended(EPOCHS, None));
        assert!(ballots.by_epoch.contains_key(&ballots.next), "the next one is open");
        assert_eq!(ballots.len(), BALLOTS_CERTIFIED_MAX + 1);
    }

    #[test]
    fn con_7_10_one_lost_certificate_hides_neither_those_above_nor_an_own_vote() {
        let mut ballots = Ballots::new(ME);
        ballots.recall(&vote(EPOCHS));
        let stored = |epoch| Some(certificate(epoch)).filter(|_| epoch != 5);
        (0..EPOCHS).for_each(|epoch| ballots.open(ended(epoch, stored(epoch))));
        ballots.open(ended(EPOCHS, None));
        assert_eq!(ballots.next, Epoch::new(5));
        certify_next(&mut ballots);
        assert_eq!(ballots.next, Epoch::new(EPOCHS));
        assert!(ballots.by_epoch[&ballots.next].ballot.has_voted());
    }
}
