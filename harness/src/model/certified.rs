//! What a set of certificates that can be made says: the claims on safety, and what was seen.
//!
//! Judged are certificates that can be made of the votes on the wire and those of the faulty voters,
//! not only those that somebody holds.

use mdsm_core::ledger::{Subject, Vote};
use mdsm_core::types::{Digest, View};

use super::bits::Bits;
use super::nodes::Claim;
use super::universe::{Kind, Universe};

/// Things that a search has to come across, or it shows nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// A view that is both notarized and nullified.
    pub both: bool,
    /// A final block.
    pub finalized: bool,
    /// A notarized block that leaves out a nullified view.
    pub skipped: bool,
    /// A final block on top of another one.
    pub chain: bool,
    /// A final block of the second epoch.
    pub second_epoch: bool,
    /// A last block that became final by a closing block.
    pub closed: bool,
}

impl Seen {
    /// What was seen in either.
    #[must_use]
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            both: self.both || other.both,
            finalized: self.finalized || other.finalized,
            skipped: self.skipped || other.skipped,
            chain: self.chain || other.chain,
            second_epoch: self.second_epoch || other.second_epoch,
            closed: self.closed || other.closed,
        }
    }
}

/// Judges a set of certificates; `later` are votes that were cast for blocks behind a freeze.
#[must_use]
pub(super) fn judge(universe: &Universe, certified: Bits, later: Bits) -> (Option<Claim>, Seen) {
    let votes: Vec<Vote> = certified.iter().map(|vote| *universe.vote_at(vote)).collect();
    let has = |vote: Vote| votes.contains(&vote);
    let mut seen = Seen::default();
    let mut broken = None;
    let mut fail = |claim| broken = broken.or(Some(claim));
    for (at, a) in votes.iter().enumerate() {
        let nullify = Vote { subject: Subject::Nullify, ..*a };
        for b in votes[at + 1..].iter().filter(|b| (a.epoch, a.view) == (b.epoch, b.view)) {
            if let (Subject::Notarize(x), Subject::Notarize(y)) = (a.subject, b.subject)
                && x != y
            {
                fail(Claim::I2OneNotarization);
            }
        }
        match a.subject {
            Subject::Finalize(hash) => {
                seen.finalized = true;
                if has(nullify) {
                    fail(Claim::I3Exclusion);
                }
                if let Some(claim) = parent_rule(universe, &votes, a, &hash, &mut seen) {
                    fail(claim);
                }
                let others = votes[at + 1..].iter().filter_map(|b| match b.subject {
                    Subject::Finalize(other) => Some(other),
                    _ => None,
                });
                others
                    .filter(|other| conflict(universe, &hash, other))
                    .for_each(|_| fail(Claim::I1Agreement));
            }
            Subject::Notarize(_) => seen.both |= has(nullify),
            Subject::Nullify | Subject::Anchor(_) => {}
        }
    }
    for vote in later.iter() {
        let hash = universe.vote_at(vote).subject.digest().copied();
        let Some(block) = hash.and_then(|hash| universe.by_hash(&hash)) else { continue };
        let epoch = universe.known(block).epoch;
        let last = universe.chain(block).find(|at| universe.known(*at).epoch < epoch);
        let is_final = votes.iter().any(|vote| match vote.subject {
            Subject::Finalize(hash) => {
                let block = universe.by_hash(&hash);
                block.and_then(|block| universe.last_below(block)) == last && last.is_some()
            }
            _ => false,
        });
        if !is_final {
            fail(Claim::I14EpochOrder);
        }
    }
    (broken, seen)
}

/// Whether neither of two final blocks is an ancestor of the other. Closing blocks change nothing, so
/// below a freeze only the last block counts.
fn conflict(universe: &Universe, one: &Digest, other: &Digest) -> bool {
    let (Some(one), Some(other)) = (universe.by_hash(one), universe.by_hash(other)) else {
        return true;
    };
    let settle = |block: u16, against: u16| {
        let is_over = universe.known(block).epoch < universe.known(against).epoch;
        if is_over { universe.last_below(block).unwrap_or(block) } else { block }
    };
    let (a, b) = (settle(one, other), settle(other, one));
    !universe.chain(a).any(|at| at == b) && !universe.chain(b).any(|at| at == a)
}

/// Every block of a final chain is notarized or final, and every view that it leaves out is nullified.
fn parent_rule(
    universe: &Universe,
    votes: &[Vote],
    a: &Vote,
    hash: &Digest,
    seen: &mut Seen,
) -> Option<Claim> {
    let Some(block) = universe.by_hash(hash) else { return Some(Claim::I5ParentRule) };
    let top = universe.known(block);
    if u64::from(top.view) != a.view.get() || u32::from(top.epoch) != a.epoch.get() {
        return Some(Claim::I5ParentRule);
    }
    seen.second_epoch |= top.epoch > 0;
    seen.closed |= top.kind == Kind::Closing;
    for at in universe.chain(block) {
        let known = universe.known(at);
        let in_view = |view: u8, subject| Vote {
            epoch: known.sealed.header.epoch,
            view: View::new(u64::from(view)),
            subject,
        };
        let is_held = |subject| votes.contains(&in_view(known.view, subject));
        if !is_held(Subject::Notarize(known.hash)) && !is_held(Subject::Finalize(known.hash)) {
            return Some(Claim::I5ParentRule);
        }
        for skipped in known.parent_view + 1..known.view {
            seen.skipped = true;
            if !votes.contains(&in_view(skipped, Subject::Nullify)) {
                return Some(Claim::I5ParentRule);
            }
        }
        seen.chain |= known.parent.is_some() && is_held(Subject::Finalize(known.hash));
    }
    None
}
