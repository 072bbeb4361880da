//! What is left out makes no difference: small configurations with and without it.

use harness::model::{Config, Reduction};
use harness::mutants::Mutation;

use super::{claim, search, small};

fn without() -> [Reduction; 4] {
    let all = Reduction::default();
    [
        Reduction { symmetry: false, ..all },
        Reduction { proposals: false, ..all },
        Reduction { crashes: false, ..all },
        Reduction { symmetry: false, proposals: false, crashes: false, observers: false },
    ]
}

#[test]
fn the_protocol_holds_without_reductions_too() {
    let config = Config { views: 1, crashes: 1, liveness: true, ..small() };
    let reduced = search(&config, Mutation::None);
    assert_eq!(claim(&reduced), None);
    for reduction in without() {
        let found = search(&Config { reduction, ..config.clone() }, Mutation::None);
        assert_eq!(claim(&found), None, "{reduction:?}");
        assert!(found.sofar.states > reduced.sofar.states, "{reduction:?}");
        assert_eq!(found.seen, reduced.seen, "{reduction:?}");
    }
}

#[test]
fn a_mistake_is_found_after_as_many_steps_without_reductions() {
    let config = Config { views: 1, crashes: 1, ..small() };
    for mutation in [
        Mutation::QuorumLess,
        Mutation::NullifyNotStored,
        Mutation::FinalizeAfterNullify,
        Mutation::NotarizationNotStored,
        Mutation::IgnoresCheck,
        Mutation::AnyLeader,
    ] {
        let steps = |reduction| {
            let found = search(&Config { reduction, ..config.clone() }, mutation);
            let (_, way) = found.broken.unwrap_or_else(|| panic!("{mutation:?} {reduction:?}"));
            way.len()
        };
        let reduced = steps(Reduction::default());
        for reduction in without() {
            assert_eq!(steps(reduction), reduced, "{mutation:?} {reduction:?}");
        }
    }
}

#[test]
fn what_nodes_without_a_vote_learn_makes_no_difference_to_safety() {
    let config = Config { views: 1, epochs: 2, crashes: 1, liveness: false, ..small() };
    let without = Reduction { observers: false, ..Reduction::default() };
    let (reduced, found) = (
        search(&config, Mutation::None),
        search(&Config { reduction: without, ..config.clone() }, Mutation::None),
    );
    assert_eq!((claim(&reduced), claim(&found)), (None, None));
    assert_eq!(found.seen, reduced.seen);
    assert!(reduced.seen.second_epoch && found.sofar.states > 2 * reduced.sofar.states);
    for mutation in [
        Mutation::ForeignEpochs,
        Mutation::QuorumLess,
        Mutation::NotarizationNotStored,
        Mutation::NullifyNotStored,
        Mutation::FinalizeAfterNullify,
        Mutation::VotesWithoutLog,
        Mutation::AnyLeader,
        Mutation::IgnoresCheck,
    ] {
        let end = |reduction| {
            let found = search(&Config { reduction, ..config.clone() }, mutation);
            found.broken.map(|(claim, way)| (claim, way.len()))
        };
        assert_eq!(end(without), end(Reduction::default()), "{mutation:?}");
    }
}
