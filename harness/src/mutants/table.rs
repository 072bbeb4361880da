//! Which technique notices which mistake, and after how many states.

use crate::model::{Checks, Claim, Config, Limits, Messages, Search, SearchError, hear};

use super::protocol::{Mutant, Mutation};

/// A way to notice a mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Technique {
    /// Claims about single steps of a node, in every state.
    Steps,
    /// Claims about what can be certified, in every state: what the mistake leads to.
    Safety,
    /// A new block becomes final, from every state.
    Life,
    /// Two epochs with other committees.
    Epochs,
    /// Every order of single votes.
    Messages,
}

impl Technique {
    /// Every technique.
    pub const ALL: [Self; 5] =
        [Self::Steps, Self::Safety, Self::Life, Self::Epochs, Self::Messages];

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Steps => "steps",
            Self::Safety => "safety",
            Self::Life => "life",
            Self::Epochs => "epochs",
            Self::Messages => "messages",
        }
    }
}

/// The technique that is bound to notice a mistake; others may as well.
#[must_use]
pub fn expected(mutant: &Mutant) -> Technique {
    match mutant.rule {
        "agree" | "counts_again" | "admits" => Technique::Messages,
        "is_of" => Technique::Epochs,
        // Retries make up for both, later; the claims on single steps see it.
        "passes_on" | "casts_again" => Technique::Steps,
        _ if mutant.requirement == "CON-7.7" || mutant.requirement == "CON-6.1" => Technique::Life,
        _ => Technique::Steps,
    }
}

/// What a technique made of a mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kill {
    /// States that were searched.
    pub states: u64,
    /// The claim that broke; nothing when all held.
    pub claim: Option<Claim>,
}

/// A mistake and what each technique made of it.
#[derive(Clone, Debug)]
pub struct Row {
    /// The mistake.
    pub mutant: Mutant,
    /// By technique.
    pub kills: Vec<(Technique, Kill)>,
}

impl Row {
    /// Whether anything noticed it.
    #[must_use]
    pub fn is_killed(&self) -> bool {
        self.kills.iter().any(|(_, kill)| kill.claim.is_some())
    }
}

/// The configuration in which a technique looks for a mistake: as small as may be.
fn config(mutation: Mutation, technique: Technique) -> Config {
    let small = Config {
        values: 1,
        crashes: 1,
        liveness: technique == Technique::Life,
        ..Config::default()
    };
    match mutation {
        // 2 f + 1 and a majority are less than n - f for five, not for four.
        Mutation::QuorumTwoThirds | Mutation::QuorumMajority => {
            Config { voters: 5, crashes: 0, ..small }
        }
        _ if technique == Technique::Epochs => Config { views: 1, epochs: 2, crashes: 0, ..small },
        Mutation::VotesWithoutLog => {
            Config { amnesia: true, views: 1, values: 2, liveness: false, ..small }
        }
        _ => small,
    }
}

/// Lets one technique look for one mistake.
///
/// # Errors
/// When the configuration is too large.
pub fn judge(mutation: Mutation, technique: Technique) -> Result<Kill, SearchError> {
    if technique == Technique::Messages {
        let mut kill = Kill { states: 0, claim: None };
        for (intake, set) in [(false, 0), (true, 0), (false, 1), (false, 2), (true, 1), (true, 2)] {
            let heard = hear(Messages { voters: 4, set, intake }, mutation);
            kill.states += heard.states;
            kill.claim = heard.broken.map(|broken| broken.0);
            if kill.claim.is_some() {
                break;
            }
        }
        return Ok(kill);
    }
    let limits = Limits {
        states_max: 2_000_000,
        checks: Checks { steps: matches!(technique, Technique::Steps | Technique::Epochs) },
    };
    let found = Search::new(&config(mutation, technique), mutation, limits)?.run(|_| None)?;
    Ok(Kill { states: found.sofar.states, claim: found.broken.map(|broken| broken.0) })
}

/// Lets every technique look for a mistake; with `first` only until one finds it.
///
/// # Errors
/// When a configuration is too large.
pub fn row(mutant: Mutant, first: bool) -> Result<Row, SearchError> {
    let mut row = Row { mutant, kills: Vec::new() };
    for technique in Technique::ALL {
        row.kills.push((technique, judge(mutant.mutation, technique)?));
        if first && row.is_killed() {
            break;
        }
    }
    Ok(row)
}
