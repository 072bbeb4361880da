//! Mistakes in the protocol: each changes one rule of `Rules`.

use mdsm_core::consensus::{JournalEntry, Own, Rules};
use mdsm_core::ledger::{CertificateError, Subject, faulty_max, quorum};
use mdsm_core::types::{Digest, Epoch, InstitutionId, View};

/// A mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mutation {
    /// None: the protocol.
    None,
    /// A certificate of one vote less.
    QuorumLess,
    /// A certificate of 2 f + 1, whatever n is.
    QuorumTwoThirds,
    /// A certificate of a simple majority.
    QuorumMajority,
    /// A certificate of everybody.
    QuorumAll,
    /// Notarize votes are not stored.
    NotarizeNotStored,
    /// Nullify votes are not stored.
    NullifyNotStored,
    /// Finalize votes are not stored.
    FinalizeNotStored,
    /// Notarizations are not stored.
    NotarizationNotStored,
    /// Nullifications are not stored.
    NullificationNotStored,
    /// Finalizations are not stored.
    FinalizationNotStored,
    /// No certificate is stored.
    CertificatesNotStored,
    /// Finalizes a view that it nullified.
    FinalizeAfterNullify,
    /// Nullifies a view that it finalized.
    NullifyAfterFinalize,
    /// A timer of a view that was left still nullifies.
    StaleTimer,
    /// Views between a block and its parent need not be nullified.
    NoGapCheck,
    /// Any block may be the parent.
    NoParentCheck,
    /// Two notarize votes in one view.
    TwoNotarizes,
    /// Notarizes a view that it nullified.
    NotarizeAfterNullify,
    /// Finalizes when it notarizes.
    FinalizeEarly,
    /// Does not nullify what it notarized.
    NoNullifyAfterNotarize,
    /// Never nullifies.
    NeverNullifies,
    /// Never finalizes.
    NeverFinalizes,
    /// Leaders extend the last final block.
    ExtendsFinalized,
    /// Votes for different blocks are counted together.
    MixesHashes,
    /// A vote that comes twice counts twice.
    CountsTwice,
    /// Messages of other epochs count.
    ForeignEpochs,
    /// Anybody may propose.
    AnyLeader,
    /// A node votes although its log is gone.
    VotesWithoutLog,
    /// Certificates are kept to oneself.
    KeepsCertificates,
    /// Votes are not cast again after a restart.
    NoRecast,
    /// Nothing is sent again.
    NoRetries,
    /// A block is notarized whatever its check says.
    IgnoresCheck,
    /// A certificate of the view that a node is in does not lead on.
    StaysInView,
    /// Certificates with too few signers are taken.
    TakesShort,
    /// Certificates with signers behind the last seat are taken.
    TakesPadded,
    /// Certificates with more signatures than signers are taken.
    TakesRepeated,
    /// Certificates with signatures that do not hold are taken.
    TakesForged,
}

/// What is said of a mistake.
#[derive(Clone, Copy, Debug)]
pub struct Mutant {
    /// The mistake.
    pub mutation: Mutation,
    /// Its name.
    pub name: &'static str,
    /// The requirement that it breaks.
    pub requirement: &'static str,
    /// The rule that is changed.
    pub rule: &'static str,
    /// Where something like it happened, if it is known to us.
    pub precedent: &'static str,
}

const fn mutant(
    mutation: Mutation,
    name: &'static str,
    requirement: &'static str,
    rule: &'static str,
    precedent: &'static str,
) -> Mutant {
    Mutant { mutation, name, requirement, rule, precedent }
}

/// Every mistake.
pub const MUTATIONS: [Mutant; 37] = [
    mutant(Mutation::QuorumLess, "quorum-less", "CON-7.1", "quorum", ""),
    mutant(
        Mutation::QuorumTwoThirds,
        "quorum-2f+1",
        "CON-7.1",
        "quorum",
        "the textbook number where n is not 3 f + 1",
    ),
    mutant(
        Mutation::QuorumMajority,
        "quorum-majority",
        "CON-7.1",
        "quorum",
        "crash-tolerant protocols",
    ),
    mutant(Mutation::QuorumAll, "quorum-all", "CON-7.7", "quorum", ""),
    mutant(
        Mutation::NotarizeNotStored,
        "notarize-not-stored",
        "CON-7.2",
        "stores",
        "commonware PR 2050",
    ),
    mutant(
        Mutation::NullifyNotStored,
        "nullify-not-stored",
        "CON-7.3",
        "stores",
        "HotShot PR 3686",
    ),
    mutant(
        Mutation::FinalizeNotStored,
        "finalize-not-stored",
        "CON-7.3",
        "stores",
        "commonware PR 2050",
    ),
    mutant(
        Mutation::NotarizationNotStored,
        "notarization-not-stored",
        "CON-7.4",
        "stores",
        "our own first draft",
    ),
    mutant(Mutation::NullificationNotStored, "nullification-not-stored", "CON-7.4", "stores", ""),
    mutant(Mutation::FinalizationNotStored, "finalization-not-stored", "CON-7.4", "stores", ""),
    mutant(
        Mutation::CertificatesNotStored,
        "certificates-not-stored",
        "CON-7.4",
        "stores",
        "our own first draft",
    ),
    mutant(Mutation::FinalizeAfterNullify, "finalize-after-nullify", "CON-7.3", "may_finalize", ""),
    mutant(Mutation::NullifyAfterFinalize, "nullify-after-finalize", "CON-7.3", "may_nullify", ""),
    mutant(Mutation::StaleTimer, "stale-timer", "CON-7.3", "may_nullify", "Malachite issue 850"),
    mutant(Mutation::NoGapCheck, "no-gap-check", "CON-6.3", "may_extend", ""),
    mutant(Mutation::NoParentCheck, "no-parent-check", "CON-7.6", "may_extend", ""),
    mutant(Mutation::TwoNotarizes, "two-notarizes", "CON-7.2", "may_notarize", ""),
    mutant(Mutation::NotarizeAfterNullify, "notarize-after-nullify", "CON-7.2", "may_notarize", ""),
    mutant(Mutation::FinalizeEarly, "finalize-early", "CON-7.6", "finalizes_early", ""),
    mutant(
        Mutation::NoNullifyAfterNotarize,
        "no-nullify-after-notarize",
        "CON-7.7",
        "nullifies_after_notarizing",
        "",
    ),
    mutant(Mutation::NeverNullifies, "never-nullifies", "CON-6.1", "may_nullify", ""),
    mutant(Mutation::NeverFinalizes, "never-finalizes", "CON-7.7", "may_finalize", ""),
    mutant(Mutation::ExtendsFinalized, "extends-finalized", "CON-7.7", "extends_notarized", ""),
    mutant(Mutation::MixesHashes, "mixes-hashes", "CON-7.1", "agree", ""),
    mutant(Mutation::CountsTwice, "counts-twice", "CON-7.1", "counts_again", ""),
    mutant(Mutation::ForeignEpochs, "foreign-epochs", "CON-7.1", "is_of", ""),
    mutant(Mutation::AnyLeader, "any-leader", "CON-5.3", "leads", ""),
    mutant(
        Mutation::VotesWithoutLog,
        "votes-without-log",
        "CON-7.5",
        "votes_without_log",
        "validators restored from a backup",
    ),
    mutant(Mutation::KeepsCertificates, "keeps-certificates", "CON-7.7", "passes_on", ""),
    mutant(Mutation::NoRecast, "no-recast", "CON-7.7", "casts_again", "commonware PR 4275"),
    mutant(Mutation::NoRetries, "no-retries", "CON-7.7", "retries", ""),
    mutant(Mutation::IgnoresCheck, "ignores-check", "CON-6.2", "heeds_check", ""),
    mutant(Mutation::StaysInView, "stays-in-view", "CON-7.7", "enters", ""),
    mutant(Mutation::TakesShort, "takes-short", "CON-7.1", "admits", ""),
    mutant(Mutation::TakesPadded, "takes-padded", "CON-7.1", "admits", ""),
    mutant(Mutation::TakesRepeated, "takes-repeated", "CON-7.1", "admits", ""),
    mutant(Mutation::TakesForged, "takes-forged", "CON-7.1", "admits", ""),
];

impl Mutation {
    /// The mistake of this name; `protocol` for none.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        let known = MUTATIONS.iter().find(|mutant| mutant.name == name);
        known.map(|mutant| mutant.mutation).or((name == "protocol").then_some(Self::None))
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        let known = MUTATIONS.iter().find(|mutant| mutant.mutation == self);
        known.map_or("protocol", |mutant| mutant.name)
    }
}

impl Rules for Mutation {
    fn quorum(&self, seats: usize) -> usize {
        match self {
            Self::QuorumLess => quorum(seats) - 1,
            Self::QuorumTwoThirds => 2 * faulty_max(seats) + 1,
            Self::QuorumMajority => seats / 2 + 1,
            Self::QuorumAll => seats,
            _ => quorum(seats),
        }
    }

    fn may_notarize(&self, own: &Own, in_view: bool) -> bool {
        match self {
            Self::TwoNotarizes => in_view && !own.nullified,
            Self::NotarizeAfterNullify => in_view && own.notarized.is_none(),
            _ => in_view && own.notarized.is_none() && !own.nullified,
        }
    }

    fn may_nullify(&self, own: &Own, in_view: bool) -> bool {
        match self {
            Self::NullifyAfterFinalize => !own.nullified,
            Self::StaleTimer => own.finalized.is_none() && !own.nullified,
            Self::NeverNullifies => false,
            _ => in_view && own.finalized.is_none() && !own.nullified,
        }
    }

    fn may_finalize(&self, own: &Own, notarized: Option<&Digest>, block: &Digest) -> bool {
        match self {
            Self::FinalizeAfterNullify => own.finalized.is_none() && notarized == Some(block),
            Self::NeverFinalizes => false,
            _ => !own.nullified && own.finalized.is_none() && notarized == Some(block),
        }
    }

    fn may_extend(&self, notarized: Option<&Digest>, parent: &Digest, gap_nullified: bool) -> bool {
        match self {
            Self::NoGapCheck => notarized == Some(parent),
            Self::NoParentCheck => gap_nullified,
            _ => notarized == Some(parent) && gap_nullified,
        }
    }

    fn leads(&self, leader: InstitutionId, producer: InstitutionId) -> bool {
        *self == Self::AnyLeader || leader == producer
    }

    fn is_of(&self, epoch: Epoch, found: Epoch) -> bool {
        *self == Self::ForeignEpochs || epoch == found
    }

    fn agree(&self, one: &Subject, other: &Subject) -> bool {
        one == other || (*self == Self::MixesHashes && one.tag() == other.tag())
    }

    fn counts_again(&self) -> bool {
        *self == Self::CountsTwice
    }

    fn stores(&self, entry: &JournalEntry) -> bool {
        let subject = match entry {
            JournalEntry::Voted(vote) => Some((false, vote.subject)),
            JournalEntry::Certified(held) => Some((true, held.vote.subject)),
            JournalEntry::Epoch(_) | JournalEntry::Proposed(_) | JournalEntry::Lost(_) => None,
        };
        !matches!(
            (self, subject),
            (Self::NotarizeNotStored, Some((false, Subject::Notarize(_))))
                | (Self::NullifyNotStored, Some((false, Subject::Nullify)))
                | (Self::FinalizeNotStored, Some((false, Subject::Finalize(_))))
                | (Self::NotarizationNotStored, Some((true, Subject::Notarize(_))))
                | (Self::NullificationNotStored, Some((true, Subject::Nullify)))
                | (Self::FinalizationNotStored, Some((true, Subject::Finalize(_))))
                | (Self::CertificatesNotStored, Some((true, _)))
        )
    }

    fn votes_without_log(&self) -> bool {
        *self == Self::VotesWithoutLog
    }

    fn finalizes_early(&self) -> bool {
        *self == Self::FinalizeEarly
    }

    fn nullifies_after_notarizing(&self) -> bool {
        *self != Self::NoNullifyAfterNotarize
    }

    fn extends_notarized(&self) -> bool {
        *self != Self::ExtendsFinalized
    }

    fn passes_on(&self) -> bool {
        *self != Self::KeepsCertificates
    }

    fn casts_again(&self) -> bool {
        *self != Self::NoRecast
    }

    fn retries(&self) -> bool {
        *self != Self::NoRetries
    }

    fn heeds_check(&self) -> bool {
        *self != Self::IgnoresCheck
    }

    fn enters(&self, current: View, certified: View) -> bool {
        certified > current || (certified == current && *self != Self::StaysInView)
    }

    fn admits(&self, fault: &CertificateError) -> bool {
        match fault {
            CertificateError::Quorum { .. } => *self == Self::TakesShort,
            CertificateError::Padding { .. } => *self == Self::TakesPadded,
            CertificateError::Count { .. } => *self == Self::TakesRepeated,
            CertificateError::Signature => *self == Self::TakesForged,
            CertificateError::Bitmap { .. } | CertificateError::AnchorView { .. } => false,
        }
    }
}
