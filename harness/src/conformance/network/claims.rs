//! What is claimed of a network, and a case for each scenario and claim.

use super::outcome::Asked;
use super::scenario::Scenario;
use crate::conformance::case::{Case, Check};
use crate::conformance::protocol::PAPER_NETWORK;

/// Something that holds of every network, or of every network to which certain things do not happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Claim {
    /// One chain.
    Agrees,
    /// Records become final: none is lost, invented or repeated.
    Books,
    /// Seats in order.
    TakesTurns,
    /// Auditors stand behind every block.
    Audits,
    /// One freeze of every window, by the clock of the chain.
    Freezes,
    /// One root for every window, handed to Bitcoin.
    Anchors,
    /// Blocks are counted.
    Counts,
    /// Credit follows the chain.
    Credits,
    /// Committees follow credit.
    Seats,
    /// A network that is well goes on.
    Lives,
}

impl Claim {
    /// Each.
    pub const ALL: [Self; 10] = [
        Self::Agrees,
        Self::Books,
        Self::TakesTurns,
        Self::Audits,
        Self::Freezes,
        Self::Anchors,
        Self::Counts,
        Self::Credits,
        Self::Seats,
        Self::Lives,
    ];

    /// Its name in ids.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Agrees => "agrees",
            Self::Books => "books",
            Self::TakesTurns => "takes-turns",
            Self::Audits => "audits",
            Self::Freezes => "freezes",
            Self::Anchors => "anchors",
            Self::Counts => "counts",
            Self::Credits => "credits",
            Self::Seats => "seats",
            Self::Lives => "lives",
        }
    }

    /// In words.
    #[must_use]
    pub fn about(self) -> &'static str {
        match self {
            Self::Agrees => {
                "all nodes finalize the same blocks, and none takes one back, also after a crash"
            }
            Self::Books => {
                "every accepted record becomes final once, with the id of its delegate, and nothing else does"
            }
            Self::TakesTurns => {
                "blocks are those of producers with a seat, in order; one that is absent is passed over"
            }
            Self::Audits => "more than half of the auditors stand behind each block",
            Self::Freezes => {
                "every node freezes the same windows, one after another, by the times of the blocks"
            }
            Self::Anchors => {
                "somebody on duty hands the root of each window to Bitcoin, and never another root"
            }
            Self::Counts => "the numbers of signed and missed blocks are those of the chain",
            Self::Credits => {
                "credit starts from the rating, rises by work and falls by missed turns, the same at all nodes"
            }
            Self::Seats => {
                "committees are the same at all nodes; a seat that is vacant goes to the auditor with the most credit"
            }
            Self::Lives => {
                "what is well goes on: blocks, windows and every accepted record become final"
            }
        }
    }

    /// What a run has to show, and by when.
    pub(super) fn due(self, scenario: Scenario) -> &'static str {
        match self {
            Self::Agrees => {
                "nothing; at no time does a node finalize another block or leave a height out, but behind a crash"
            }
            Self::Books if scenario == Scenario::Calm => {
                "at the end half of the records that clients sent are final, and every accepted one"
            }
            Self::Books => "at the end one record is final at least, and every accepted one",
            Self::TakesTurns => "nothing; no block is out of turn",
            Self::Audits if scenario == Scenario::Calm => {
                "at the end each of the first auditors stands behind a block; no block has half of them or fewer behind it"
            }
            Self::Audits => "nothing; no block has half of the auditors or fewer behind it",
            Self::Freezes => "nothing; no window ends elsewhere than the times of the blocks say",
            Self::Anchors => {
                "at the end a root of each window but the last was handed to Bitcoin; at no time another root than the frozen one"
            }
            Self::Counts => "with each window the numbers of the chain up to its last block",
            Self::Credits => {
                "with each window more than at the start for who signed and missed nothing, less for who is absent, the same for who did nothing"
            }
            Self::Seats => "with each window full committees, in which nobody sits twice",
            Self::Lives => {
                "at the end every node is three blocks above the highest one at the time when all was mended, has frozen all windows but the last, one at least, and every accepted record is final"
            }
        }
    }

    fn requirements(self, scenario: Scenario) -> Vec<&'static str> {
        let mut ids = match self {
            Self::Agrees => vec!["CON-4.2"],
            Self::Books => vec!["CON-2.1", "COM-3.3"],
            Self::TakesTurns => vec!["CON-5.1"],
            Self::Audits => vec!["CON-5.2"],
            Self::Freezes => vec!["STO-13.1", "CON-8.1"],
            Self::Anchors => vec!["ANC-1.1"],
            Self::Counts => vec!["COM-4.1"],
            Self::Credits => vec!["COM-5.1", "COM-6.1", "COM-9.1"],
            // Whether a seat falls vacant is up to the implementation's amounts, so COM-7.2 is not claimed.
            Self::Seats => vec!["COM-9.1"],
            Self::Lives => vec!["CON-2.1", "STO-13.1"],
        };
        match (self, scenario) {
            (Self::TakesTurns | Self::Lives, Scenario::Silent) => ids.push("CON-6.1"),
            (Self::Credits, Scenario::Silent) => ids.push("COM-6.2"),
            (Self::Agrees, Scenario::Crashes | Scenario::Everything) => ids.push("DDB-1.2"),
            _ => {}
        }
        ids
    }
}

/// A case for each scenario and claim; those of one scenario stand together.
#[must_use]
pub(super) fn cases() -> Vec<Case> {
    let of = |scenario: Scenario| {
        Claim::ALL.into_iter().map(move |claim| Case {
            id: format!("network.{}.{}", scenario.name(), claim.name()),
            title: format!("{}, while {}", claim.about(), scenario.about()),
            requirements: claim.requirements(scenario).into_iter().map(str::to_owned).collect(),
            ops: vec![PAPER_NETWORK.to_owned()],
            check: Check::Network(Asked::Alone(scenario, claim)),
        })
    };
    Scenario::ALL.into_iter().flat_map(of).collect()
}
