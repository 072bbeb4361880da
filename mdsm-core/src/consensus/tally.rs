//! Counting the votes of one view: distinct voters, one subject at a time. [CON-7]
//!
//! A voter has one place for each kind of vote, so a flood of votes fills nothing. Cost of a vote: one
//! comparison for each subject that was voted for, of which honest voters name three at most.

use super::rules::Rules;
use crate::ledger::{Evidence, SignedVote, Subject, Vote};
use crate::types::{InstitutionId, Signature};

/// The votes of one view.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Tally {
    /// Notarize, nullify, finalize, by seat; empty until somebody casts a vote of the kind.
    kinds: [Vec<Option<Cast>>; 3],
    /// How often each subject was voted for.
    counts: Vec<(Subject, usize)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Cast {
    subject: Subject,
    signature: Signature,
}

/// What a vote did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Counted {
    /// It was counted before.
    Again,
    /// So many are for it now.
    Votes(usize),
    /// The voter contradicted itself; the first vote counts.
    Contradiction(Box<Evidence>),
}

fn kind(subject: &Subject) -> Option<usize> {
    match subject {
        Subject::Notarize(_) => Some(0),
        Subject::Nullify => Some(1),
        Subject::Finalize(_) => Some(2),
        Subject::Anchor(_) => None,
    }
}

impl Tally {
    /// Counts a vote of the auditor on `seat`.
    pub(super) fn count(
        &mut self,
        rules: &impl Rules,
        seats: usize,
        seat: usize,
        signed: &SignedVote,
    ) -> Counted {
        let SignedVote { vote, signer, signature } = *signed;
        let Some(kind) = kind(&vote.subject) else { return Counted::Again };
        if seat >= seats {
            return Counted::Again;
        }
        if self.kinds[kind].is_empty() {
            self.kinds[kind] = vec![None; seats];
        }
        if let Some(before) = self.cast(kind, seat) {
            if before.subject == vote.subject {
                if !rules.counts_again() {
                    return Counted::Again;
                }
            } else if !rules.agree(&before.subject, &vote.subject) {
                return contradiction(vote, signer, before, signature);
            } else {
                return Counted::Again;
            }
        }
        // Nullify and finalize exclude each other; the second is evidence and counts for nothing.
        let excluded = match kind {
            1 => self.cast(2, seat),
            2 => self.cast(1, seat),
            _ => None,
        };
        if let Some(before) = excluded {
            return contradiction(vote, signer, before, signature);
        }
        self.kinds[kind][seat] = Some(Cast { subject: vote.subject, signature });
        let known = self.counts.iter_mut().find(|(known, _)| rules.agree(known, &vote.subject));
        match known {
            Some((_, count)) => {
                *count += 1;
                Counted::Votes(*count)
            }
            None => {
                self.counts.push((vote.subject, 1));
                self.counts.sort_unstable();
                Counted::Votes(1)
            }
        }
    }

    fn cast(&self, kind: usize, seat: usize) -> Option<&Cast> {
        self.kinds[kind].get(seat)?.as_ref()
    }

    /// Votes counted for a subject.
    #[must_use]
    pub fn votes(&self, subject: &Subject) -> usize {
        self.counts.iter().find(|(known, _)| known == subject).map_or(0, |(_, count)| *count)
    }

    /// Whether a vote of this seat could tell anything new.
    #[must_use]
    pub fn is_news(&self, seat: usize, subject: &Subject) -> bool {
        let Some(kind) = kind(subject) else { return false };
        self.cast(kind, seat).is_none_or(|before| before.subject != *subject)
    }

    /// Whether a vote of this seat excludes one that was counted.
    #[must_use]
    pub fn contradicts(&self, seat: usize, subject: &Subject) -> bool {
        let Some(kind) = kind(subject) else { return false };
        let has = |kind| self.cast(kind, seat).is_some();
        let differs = self.cast(kind, seat).is_some_and(|before| before.subject != *subject);
        differs || (kind == 1 && has(2)) || (kind == 2 && has(1))
    }

    /// The signatures for a subject, by ascending seat.
    pub(super) fn signatures(
        &self,
        rules: &impl Rules,
        subject: &Subject,
    ) -> Vec<(usize, Signature)> {
        let Some(kind) = kind(subject) else { return Vec::new() };
        let cast = self.kinds[kind].iter().enumerate().filter_map(|(seat, cast)| {
            let cast = cast.as_ref().filter(|cast| rules.agree(&cast.subject, subject))?;
            Some((seat, cast.signature))
        });
        let mut signatures = Vec::with_capacity(self.votes(subject));
        signatures.extend(cast);
        signatures
    }
}

fn contradiction(
    vote: Vote,
    signer: InstitutionId,
    before: &Cast,
    signature: Signature,
) -> Counted {
    let first_vote = Vote { subject: before.subject, ..vote };
    let first = SignedVote { vote: first_vote, signer, signature: before.signature };
    let second = SignedVote { vote, signer, signature };
    Counted::Contradiction(Box::new(Evidence::Votes { first, second }))
}
