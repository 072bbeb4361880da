//! Wrong protocols: each is noticed by the technique that is meant for it.

use std::collections::BTreeSet;

use harness::mutants::{MUTATIONS, Mutation, Technique, expected, judge};

#[test]
fn every_mistake_in_the_protocol_is_noticed() {
    let survivors: Vec<&str> = MUTATIONS
        .iter()
        .filter(|mutant| judge(mutant.mutation, expected(mutant)).unwrap().claim.is_none())
        .map(|mutant| mutant.name)
        .collect();
    assert!(survivors.is_empty(), "not noticed: {survivors:?}");
}

#[test]
fn there_are_thirty_mistakes_and_each_has_a_name_of_its_own() {
    let names: BTreeSet<&str> = MUTATIONS.iter().map(|mutant| mutant.name).collect();
    assert!(MUTATIONS.len() >= 30 && names.len() == MUTATIONS.len());
    assert!(MUTATIONS.iter().all(|mutant| Mutation::by_name(mutant.name) == Some(mutant.mutation)));
}

#[test]
fn what_only_single_votes_show_needs_the_level_of_messages() {
    // Certificates are taken for granted at their level, so it cannot see how votes are mixed up.
    let kill = judge(Mutation::MixesHashes, Technique::Messages).unwrap();
    assert!(kill.claim.is_some() && kill.states < 1_000, "{kill:?}");
}
