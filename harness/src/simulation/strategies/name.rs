//! Names of strategies.

use std::fmt;
use std::str::FromStr;

use mdsm_core::consensus::Rules;
use thiserror::Error;

use super::deviant::Strategy;
use super::scoped::SmallScope;
use super::{couriers, leaders, liars, voters};
use crate::seed::Seed;

/// A way to deviate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Name {
    /// Proposes two blocks, one to each half, and votes for both.
    Equivocator,
    /// Proposes on a parent that is long buried.
    StaleParent,
    /// Proposes on the parent's parent, leaving out a view that was not nullified.
    GapSkipper,
    /// Proposes blocks of the future and of the past.
    TimeShifter,
    /// Proposes a block that breaks the rules, and votes for it.
    InvalidPayload,
    /// Proposes when everybody is about to give up.
    SlowLeader,
    /// Casts no votes.
    Withholder,
    /// Casts its votes seconds late.
    LateVoter,
    /// Nullifies every view that it should notarize.
    NullifyOnly,
    /// Notarizes everything, and nullifies and finalizes it as well.
    DoubleVoter,
    /// Finalizes what it nullified and nullifies what it finalized.
    DoubleFinalizer,
    /// Notarizes whatever is proposed, unchecked.
    LazyAuditor,
    /// Votes on in an epoch that is over, and in the one to come.
    EpochStraddler,
    /// Signs two anchors of one epoch.
    AnchorEquivocator,
    /// Votes for everything that anybody was shown, to exactly those who were shown it.
    Colluder,
    /// Passes nothing on and shows its votes to a single node.
    CertificateWithholder,
    /// Sends to every other institution only.
    SelectiveSender,
    /// Keeps everything back for long, then sends it at once.
    SilentThenBurst,
    /// Sends old messages of others and of its own again.
    Replayer,
    /// Sends everything three times.
    Stutterer,
    /// Sends nothing at all.
    Mute,
    /// Leaves honest signers out of the certificates that it publishes.
    BitmapCensor,
    /// Forgets its log and all it signed, and starts anew.
    Amnesiac,
    /// Sends votes and proposals whose signatures do not hold.
    Forger,
    /// Sends certificates without a quorum behind them.
    ForgedCertificate,
    /// Signs in the names of others, and proposes in their turns.
    Impersonator,
    /// Floods views that are far ahead.
    FarViewFlooder,
    /// Contradicts itself in every view, over and over.
    EvidenceSpammer,
    /// Changes single fields of its messages and signs them anew.
    Mutator,
    /// Changes one thing in one round, as the scope of the seed says; see `simulation::scopes`.
    SmallScope,
}

/// A text that names no strategy.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{text}` is no strategy; there are {}, {}", Name::ALL.map(|name| name.to_string()).join(", "), Name::SmallScope)]
pub struct NameError {
    /// The text.
    pub text: String,
}

impl Name {
    /// Every strategy that may be drawn.
    pub const ALL: [Self; 29] = [
        Self::Equivocator,
        Self::StaleParent,
        Self::GapSkipper,
        Self::TimeShifter,
        Self::InvalidPayload,
        Self::SlowLeader,
        Self::Withholder,
        Self::LateVoter,
        Self::NullifyOnly,
        Self::DoubleVoter,
        Self::DoubleFinalizer,
        Self::LazyAuditor,
        Self::EpochStraddler,
        Self::AnchorEquivocator,
        Self::Colluder,
        Self::CertificateWithholder,
        Self::SelectiveSender,
        Self::SilentThenBurst,
        Self::Replayer,
        Self::Stutterer,
        Self::Mute,
        Self::BitmapCensor,
        Self::Amnesiac,
        Self::Forger,
        Self::ForgedCertificate,
        Self::Impersonator,
        Self::FarViewFlooder,
        Self::EvidenceSpammer,
        Self::Mutator,
    ];

    /// The strategy.
    pub(super) fn strategy<R: Rules + 'static>(self, seed: Seed) -> Box<dyn Strategy<R>> {
        match self {
            Self::Equivocator => Box::<leaders::Equivocator>::default(),
            Self::StaleParent => Box::<leaders::StaleParent>::default(),
            Self::GapSkipper => Box::<leaders::GapSkipper>::default(),
            Self::TimeShifter => Box::<leaders::TimeShifter>::default(),
            Self::InvalidPayload => Box::<leaders::InvalidPayload>::default(),
            Self::SlowLeader => Box::<leaders::SlowLeader>::default(),
            Self::Withholder => Box::<voters::Withholder>::default(),
            Self::LateVoter => Box::<voters::LateVoter>::default(),
            Self::NullifyOnly => Box::<voters::NullifyOnly>::default(),
            Self::DoubleVoter => Box::<voters::DoubleVoter>::default(),
            Self::DoubleFinalizer => Box::<voters::DoubleFinalizer>::default(),
            Self::LazyAuditor => Box::<voters::LazyAuditor>::default(),
            Self::EpochStraddler => Box::<voters::EpochStraddler>::default(),
            Self::AnchorEquivocator => Box::<voters::AnchorEquivocator>::default(),
            Self::Colluder => Box::<voters::Colluder>::default(),
            Self::CertificateWithholder => Box::<couriers::CertificateWithholder>::default(),
            Self::SelectiveSender => Box::<couriers::SelectiveSender>::default(),
            Self::SilentThenBurst => Box::<couriers::SilentThenBurst>::default(),
            Self::Replayer => Box::<couriers::Replayer>::default(),
            Self::Stutterer => Box::<couriers::Stutterer>::default(),
            Self::Mute => Box::<couriers::Mute>::default(),
            Self::BitmapCensor => Box::<couriers::BitmapCensor>::default(),
            Self::Amnesiac => Box::<couriers::Amnesiac>::default(),
            Self::Forger => Box::<liars::Forger>::default(),
            Self::ForgedCertificate => Box::<liars::ForgedCertificate>::default(),
            Self::Impersonator => Box::<liars::Impersonator>::default(),
            Self::FarViewFlooder => Box::<liars::FarViewFlooder>::default(),
            Self::EvidenceSpammer => Box::<liars::EvidenceSpammer>::default(),
            Self::Mutator => Box::<liars::Mutator>::default(),
            Self::SmallScope => Box::new(SmallScope::new(seed)),
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let is_named = |name: &&Self| name.to_string().eq_ignore_ascii_case(text);
        let mut all = Self::ALL.iter().chain(&[Self::SmallScope]);
        all.find(is_named).copied().ok_or_else(|| NameError { text: text.to_owned() })
    }
}
