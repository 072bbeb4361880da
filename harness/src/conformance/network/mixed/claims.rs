//! What is claimed of a node among nodes of the reference.

use super::super::outcome::Asked;
use super::scenario::Mixture;
use crate::conformance::case::{Case, Check};
use crate::conformance::protocol::MIXED_NETWORK;

/// A claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MixedClaim {
    /// Its blocks are those of the others.
    Agrees,
    /// Its windows are.
    Freezes,
    /// Its credit and committees are.
    Credits,
    /// It signs nothing that convicts it.
    KeepsRules,
    /// It does its share.
    TakesPart,
    /// The others hold.
    OthersHold,
    /// All go on.
    Lives,
}

impl MixedClaim {
    /// Each.
    pub const ALL: [Self; 7] = [
        Self::Agrees,
        Self::Freezes,
        Self::Credits,
        Self::KeepsRules,
        Self::TakesPart,
        Self::OthersHold,
        Self::Lives,
    ];

    /// Its name in ids.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Agrees => "agrees",
            Self::Freezes => "freezes",
            Self::Credits => "credits",
            Self::KeepsRules => "keeps-rules",
            Self::TakesPart => "takes-part",
            Self::OthersHold => "others-hold",
            Self::Lives => "lives",
        }
    }

    /// In words.
    #[must_use]
    pub fn about(self) -> &'static str {
        match self {
            Self::Agrees => "a node finalizes the blocks that nodes of the reference finalize",
            Self::Freezes => "a node freezes the windows that they freeze, under the same roots",
            Self::Credits => "a node counts the credit and seats the committees that they do",
            Self::KeepsRules => "a node signs nothing that convicts it",
            Self::TakesPart => "a node does the work of its seat",
            Self::OthersHold => "with a node among them, those of the reference stay safe",
            Self::Lives => "with a node among them, and with it, blocks become final",
        }
    }

    /// What a run has to show, and by when.
    pub(in super::super) fn due(self) -> &'static str {
        match self {
            Self::Agrees => {
                "nothing; at no time does the node finalize another block than the others"
            }
            Self::Freezes => {
                "at the end the windows that the others froze but the last, with their roots"
            }
            Self::Credits => {
                "at the end the windows that the others froze but the last, with their credit and committees"
            }
            Self::KeepsRules => "nothing; at no time do the others hold evidence against the node",
            Self::TakesPart => {
                "at the end a producer has signed blocks and missed no turn, an auditor has audited a block"
            }
            Self::OthersHold => "nothing; at no time do the others contradict each other",
            Self::Lives => {
                "at the end the node and all honest others are three blocks above the highest one at the time when all was mended, and every accepted record is final"
            }
        }
    }

    fn requirements(self, mixture: Mixture) -> Vec<&'static str> {
        let is_producer = matches!(mixture, Mixture::Producer | Mixture::ProducerUnderFaults);
        match self {
            Self::Agrees => vec!["CON-4.2", "CON-7.6"],
            Self::Freezes => vec!["STO-13.1", "CON-8.1"],
            Self::Credits => vec!["COM-9.1"],
            Self::KeepsRules => vec!["CON-7.2", "CON-7.3", "CON-7.10", "CON-7.14"],
            Self::TakesPart if is_producer => vec!["CON-5.1", "CON-2.1"],
            Self::TakesPart => vec!["CON-5.2", "CON-4.1"],
            Self::OthersHold => vec!["CON-7.6"],
            Self::Lives => vec!["CON-7.7"],
        }
    }
}

/// A case for each mixture and claim; those of one mixture stand together.
#[must_use]
pub(in super::super) fn cases() -> Vec<Case> {
    let of = |mixture: Mixture| {
        let claims = MixedClaim::ALL.into_iter();
        // Under faults nobody owes its share.
        let owed = move |claim: &MixedClaim| *claim != MixedClaim::TakesPart || mixture.is_calm();
        claims.filter(owed).map(move |claim| Case {
            id: format!("mixed.{}.{}", mixture.name(), claim.name()),
            title: format!("{}: {}", claim.about(), mixture.about()),
            requirements: claim.requirements(mixture).into_iter().map(str::to_owned).collect(),
            ops: vec![MIXED_NETWORK.to_owned()],
            check: Check::Network(Asked::Mixed(mixture, claim)),
        })
    };
    Mixture::ALL.into_iter().flat_map(of).collect()
}
