//! What became of a case, of all cases, and of the program: outcomes, counts that close, exit codes.
//!
//! Invariant: undecided, unsupported, known to fail and skipped are never a pass, and a run that
//! tested nothing never conforms.

mod counts;
mod exit;
mod outcome;

pub use counts::{Counts, CountsError};
pub use exit::{Exit, UndecidedPolicy, UndecidedPolicyError};
pub use outcome::Outcome;

#[cfg(test)]
mod tests {
    use super::*;

    fn all_outcomes() -> [Outcome; 8] {
        [
            Outcome::Pass,
            Outcome::Fail,
            Outcome::Undecided,
            Outcome::Unsupported,
            Outcome::KnownFailing,
            Outcome::missing_tool("no browser", "apt-get install chromium"),
            Outcome::AdapterBroke,
            Outcome::OwnFault,
        ]
    }

    fn verdict_of(outcomes: &[Outcome]) -> Exit {
        let mut counts = Counts::planned(u64::try_from(outcomes.len()).unwrap());
        outcomes.iter().for_each(|outcome| counts.add(outcome));
        counts.verdict()
    }

    #[test]
    fn codes_are_the_documented_ones() {
        let codes = Exit::ALL.map(Exit::code);
        assert_eq!(codes, [0, 1, 2, 3, 4, 5]);
    }

    #[test]
    fn the_gravest_wins_in_every_pair_and_order() {
        let order = [
            Exit::Conforms,
            Exit::NothingTested,
            Exit::Undecided,
            Exit::AdapterBroke,
            Exit::DoesNotConform,
            Exit::OwnFault,
        ];
        for (low, lighter) in order.iter().enumerate() {
            for graver in &order[low..] {
                assert_eq!(lighter.gravest(*graver), *graver);
                assert_eq!(graver.gravest(*lighter), *graver);
            }
        }
    }

    #[test]
    fn each_outcome_decides_its_verdict() {
        let beside_a_pass = all_outcomes().map(|outcome| verdict_of(&[Outcome::Pass, outcome]));
        assert_eq!(
            beside_a_pass.map(Exit::code),
            [0, 1, 2, 0, 0, 0, 3, 4],
            "pass, fail, undecided, unsupported, known-failing, skipped, adapter, own"
        );
        let alone = all_outcomes().map(|outcome| verdict_of(&[outcome]));
        assert_eq!(alone.map(Exit::code), [0, 1, 2, 5, 5, 5, 3, 4]);
        assert_eq!(verdict_of(&all_outcomes()), Exit::OwnFault);
        assert_eq!(verdict_of(&[]), Exit::NothingTested, "zero matched is 5, never 0");
    }

    #[test]
    fn attention_goes_to_what_moves_the_exit_code() {
        for outcome in all_outcomes() {
            let moves = verdict_of(&[Outcome::Pass, outcome.clone()]) != Exit::Conforms;
            assert_eq!(outcome.needs_attention(), moves, "{}", outcome.word());
        }
        for (index, graver) in Outcome::GRAVEST_FIRST.iter().enumerate() {
            for lighter in &Outcome::GRAVEST_FIRST[index..] {
                let both = verdict_of(&[lighter.clone(), graver.clone()]);
                assert_eq!(both, verdict_of(std::slice::from_ref(graver)));
            }
        }
    }

    #[test]
    fn a_lost_or_doubled_case_is_our_own_fault() {
        let mut counts = Counts::planned(2);
        counts.add(&Outcome::Pass);
        assert_eq!(counts.check().unwrap_err().results, 1);
        assert_eq!(counts.verdict(), Exit::OwnFault);
        counts.add(&Outcome::skipped("deadline"));
        assert_eq!(counts.check(), Ok(()));
        assert_eq!(counts.verdict(), Exit::Conforms);
        counts.add(&Outcome::Pass);
        assert!(counts.check().is_err());

        let run_without_result = Counts { all: 1, run: 1, ..Counts::default() };
        assert!(run_without_result.check().is_err());
        let wraps = Counts { all: 1, run: 1, passed: 1, skipped: u64::MAX, ..Counts::default() };
        assert!(wraps.check().is_err());
    }

    #[test]
    fn a_warning_is_no_verdict_and_hides_nothing() {
        assert_eq!(Exit::Undecided.under(UndecidedPolicy::Fail).code(), 2);
        assert_eq!(Exit::Undecided.under(UndecidedPolicy::Warn).code(), 0);
        for exit in Exit::ALL.into_iter().filter(|exit| *exit != Exit::Undecided) {
            assert_eq!(exit.under(UndecidedPolicy::Warn), exit);
        }
        assert_eq!("warn".parse(), Ok(UndecidedPolicy::Warn));
        assert_eq!("fail".parse(), Ok(UndecidedPolicy::Fail));
        assert!("ignore".parse::<UndecidedPolicy>().is_err());
    }

    #[test]
    fn words_are_those_of_the_json() {
        for outcome in all_outcomes() {
            let json = serde_json::to_value(&outcome).unwrap();
            assert_eq!(json["outcome"], outcome.word());
            assert_eq!(serde_json::from_value::<Outcome>(json).unwrap(), outcome);
        }
    }
}
