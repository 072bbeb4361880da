//! Rules with one of them broken: what a check is worth shows in what it catches.

use std::fmt;
use std::str::FromStr;

use mdsm_core::consensus::{JournalEntry, Own, Protocol, Rules};
use mdsm_core::types::Digest;

/// The protocol with one rule broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Broken {
    /// A certificate needs one vote less.
    QuorumTooSmall,
    /// Nothing is sent again.
    NoRetries,
    /// Certificates are not passed on.
    NothingPassedOn,
    /// A node votes without its log.
    VotesWithoutLog,
    /// Votes are not written.
    VotesNotStored,
    /// Certificates are not written.
    CertificatesNotStored,
    /// A finalize vote follows the own notarize vote.
    FinalizesEarly,
    /// A finalize vote may follow a nullify vote.
    FinalizesNullified,
    /// A nullify vote may follow a finalize vote.
    NullifiesFinalized,
    /// Two notarize votes in a view.
    NotarizesTwice,
    /// Views that are left out need not be nullified.
    SkipsFreely,
    /// Blocks that failed their check are notarized.
    HeedsNoCheck,
    /// Leaders extend the last final block.
    ExtendsFinal,
}

impl Broken {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::QuorumTooSmall,
        Self::NoRetries,
        Self::NothingPassedOn,
        Self::VotesWithoutLog,
        Self::VotesNotStored,
        Self::CertificatesNotStored,
        Self::FinalizesEarly,
        Self::FinalizesNullified,
        Self::NullifiesFinalized,
        Self::NotarizesTwice,
        Self::SkipsFreely,
        Self::HeedsNoCheck,
        Self::ExtendsFinal,
    ];
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl FromStr for Broken {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is_named = |rule: &&Self| rule.to_string().eq_ignore_ascii_case(text);
        Self::ALL.iter().find(is_named).copied().ok_or_else(|| {
            let known: Vec<String> = Self::ALL.iter().map(Self::to_string).collect();
            format!("`{text}` is no broken rule; there are {}", known.join(", "))
        })
    }
}

impl Rules for Broken {
    fn quorum(&self, seats: usize) -> usize {
        Protocol.quorum(seats) - usize::from(*self == Self::QuorumTooSmall)
    }

    fn may_notarize(&self, own: &Own, in_view: bool) -> bool {
        match self {
            Self::NotarizesTwice => in_view && !own.nullified,
            _ => Protocol.may_notarize(own, in_view),
        }
    }

    fn may_nullify(&self, own: &Own, in_view: bool) -> bool {
        match self {
            Self::NullifiesFinalized => !own.nullified,
            _ => Protocol.may_nullify(own, in_view),
        }
    }

    fn may_finalize(&self, own: &Own, notarized: Option<&Digest>, block: &Digest) -> bool {
        match self {
            Self::FinalizesNullified => own.finalized.is_none() && notarized == Some(block),
            _ => Protocol.may_finalize(own, notarized, block),
        }
    }

    fn may_extend(&self, notarized: Option<&Digest>, parent: &Digest, gap_nullified: bool) -> bool {
        let gap_nullified = gap_nullified || *self == Self::SkipsFreely;
        Protocol.may_extend(notarized, parent, gap_nullified)
    }

    fn stores(&self, entry: &JournalEntry) -> bool {
        match (self, entry) {
            (Self::VotesNotStored, JournalEntry::Voted(_))
            | (Self::CertificatesNotStored, JournalEntry::Certified(_)) => false,
            _ => Protocol.stores(entry),
        }
    }

    fn votes_without_log(&self) -> bool {
        *self == Self::VotesWithoutLog
    }

    fn finalizes_early(&self) -> bool {
        *self == Self::FinalizesEarly
    }

    fn extends_notarized(&self) -> bool {
        *self != Self::ExtendsFinal
    }

    fn passes_on(&self) -> bool {
        *self != Self::NothingPassedOn
    }

    fn retries(&self) -> bool {
        *self != Self::NoRetries
    }

    fn heeds_check(&self) -> bool {
        *self != Self::HeedsNoCheck
    }
}
