//! The rules that safety and life rest on, one function each. [CON-6] [CON-7]
//!
//! The protocol is [`Protocol`]. It is a trait so that the harness can break one rule at a time and show
//! that its checks notice; nothing else implements it.

use std::fmt::Debug;
use std::hash::Hash;

use crate::consensus::JournalEntry;
use crate::ledger::{self, CertificateError, Subject};
use crate::types::{Digest, Epoch, InstitutionId, View};

/// What a node itself did in one view.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Own {
    /// The block that it proposed.
    pub proposed: Option<Digest>,
    /// The block that it voted to notarize.
    pub notarized: Option<Digest>,
    /// Whether it voted to nullify the view.
    pub nullified: bool,
    /// The block that it voted to finalize.
    pub finalized: Option<Digest>,
}

/// Rules of the protocol; every default is the protocol's.
pub trait Rules: Clone + Debug + PartialEq + Eq + Hash {
    /// Votes that make a certificate.
    fn quorum(&self, seats: usize) -> usize {
        ledger::quorum(seats)
    }

    /// S1: one notarize vote in a view, cast in that view only, and none behind a nullify vote.
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //# CON-7.2 (ours): An honest auditor MUST NOT sign two notarize votes in one view, also not across
    //# a restart.
    fn may_notarize(&self, own: &Own, in_view: bool) -> bool {
        in_view && own.notarized.is_none() && !own.nullified
    }

    /// S2: no nullify vote beside a finalize vote; only for the view that the node is in.
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //# CON-7.3 (ours): An honest auditor MUST NOT sign both a nullify vote and a finalize vote in one
    //# view, also not across a restart.
    fn may_nullify(&self, own: &Own, in_view: bool) -> bool {
        in_view && own.finalized.is_none() && !own.nullified
    }

    /// S2: no finalize vote beside a nullify vote; one in a view, for a notarized block.
    fn may_finalize(&self, own: &Own, notarized: Option<&Digest>, block: &Digest) -> bool {
        !own.nullified && own.finalized.is_none() && notarized == Some(block)
    }

    /// S3: the parent is what its view notarized, and every view between is nullified.
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //# CON-7.6 (ours): Two honest nodes MUST NOT finalize conflicting blocks while at most f
    //# auditors are faulty.
    fn may_extend(&self, notarized: Option<&Digest>, parent: &Digest, gap_nullified: bool) -> bool {
        notarized == Some(parent) && gap_nullified
    }

    /// Whether a proposal of a view comes from its leader.
    fn leads(&self, leader: InstitutionId, producer: InstitutionId) -> bool {
        leader == producer
    }

    /// Whether a message of another epoch means anything.
    fn is_of(&self, epoch: Epoch, found: Epoch) -> bool {
        epoch == found
    }

    /// Whether two votes of one view are for the same thing.
    fn agree(&self, one: &Subject, other: &Subject) -> bool {
        one == other
    }

    /// Whether a voter's vote of one kind counts that has cast one of this kind before.
    fn counts_again(&self) -> bool {
        false
    }

    /// Whether a certificate is taken although this is wrong with it.
    fn admits(&self, _fault: &CertificateError) -> bool {
        false
    }

    /// Whether something is stored before it is acted upon.
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //# CON-7.4 (ours): A node MUST have stored a vote and the certificates that justify it before it
    //# sends the vote.
    fn stores(&self, _entry: &JournalEntry) -> bool {
        true
    }

    /// Whether a node whose log is gone or damaged may vote in the epoch in which it wakes up.
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //# CON-7.5 (ours): A node whose log is damaged or missing MUST NOT vote before the next epoch.
    fn votes_without_log(&self) -> bool {
        false
    }

    /// Whether a finalize vote follows an own notarize vote at once, instead of the notarization.
    fn finalizes_early(&self) -> bool {
        false
    }

    /// Whether an auditor that notarized may still nullify when the view goes nowhere.
    fn nullifies_after_notarizing(&self) -> bool {
        true
    }

    /// Whether a leader extends the highest notarized block; the last finalized one otherwise.
    fn extends_notarized(&self) -> bool {
        true
    }

    /// Whether a certificate is passed on when it is first held.
    fn passes_on(&self) -> bool {
        true
    }

    /// Whether own votes are cast again after a restart.
    fn casts_again(&self) -> bool {
        true
    }

    /// Whether votes and certificates are sent again in a view that goes nowhere.
    fn retries(&self) -> bool {
        true
    }

    /// Whether a block that failed its check is not notarized.
    fn heeds_check(&self) -> bool {
        true
    }

    /// Whether a node enters the view behind a certificate of this view; it is in `current`.
    fn enters(&self, current: View, certified: View) -> bool {
        certified >= current
    }
}

/// The protocol as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Protocol;

impl Rules for Protocol {}
