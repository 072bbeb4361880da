//! COM-8: classic delegated proof of stake, and why its last irreversible block is no finality.

use harness::baselines::dpos::{
    Block, BlockError, Delays, Election, ElectionError, Indicator, Limits, Message, Network, Node,
    Reason, Stakeholder, Suggestion, Turns, VoteError, conflict, search, shrink, story,
};
use mdsm_core::params::PAPER;
use mdsm_core::types::InstitutionId;

const LIMITS: Limits = Limits { missed_percent_max: 20, turns_min: 3 };

fn id(value: u32) -> InstitutionId {
    InstitutionId::new(value)
}

/// Candidates 1 to `count`, all willing, and a stakeholder of the same number with 1,000 less its
/// number who votes for it.
fn election(count: u32) -> Election {
    let mut election = Election::default();
    for number in 1..=count {
        let voter = Stakeholder::new(number);
        election.declare(id(number), true);
        election.stake(voter, u64::from(1_000 - number));
        election.vote(voter, [id(number)]).expect("voters have stakes");
    }
    election
}

#[test]
fn com_8_1_the_101_willing_candidates_with_most_votes_produce_in_turn() {
    //= harness/spec/committees.md#com-8-classic-delegated-proof-of-stake
    //= type=test
    //# COM-8.1 (paper): The comparison protocol MUST let stakeholders vote, seat the 101 willing candidates with the most votes, and let them produce in turn.
    let mut election = election(150);
    election.declare(id(7), false);
    // The stake of several adds up, and a name weighs the whole stake of its voter.
    election.stake(Stakeholder::new(900), 500);
    election.vote(Stakeholder::new(900), [id(150), id(7)]).unwrap();
    let turns = election.elect(PAPER.producers).unwrap();
    let expected: Vec<u32> = [150].into_iter().chain((1..=101).filter(|n| *n != 7)).collect();
    let seated: Vec<u32> = turns.producers().iter().map(|seat| seat.get()).collect();
    assert_eq!(seated, expected);

    // All of them produce, in this order, round after round.
    let network = Network::after(&turns, &Delays::none(&turns, 202));
    let last = network.nodes().iter().max_by_key(|node| node.head().height).unwrap();
    let producers: Vec<u32> =
        last.chain().iter().rev().skip(1).map(|block| block.producer.get()).collect();
    let in_turn: Vec<u32> = expected.iter().cycle().take(202).copied().collect();
    assert_eq!(producers, in_turn);
}

#[test]
fn com_8_equal_votes_go_by_id_and_nobody_is_seated_without_candidates() {
    let mut election = Election::default();
    for number in [5, 3, 4] {
        election.declare(id(number), true);
    }
    let seats =
        |election: &Election, seats| election.elect(seats).map(|turns| turns.producers().to_vec());
    assert_eq!(seats(&election, 2), Ok(vec![id(3), id(4)]));
    assert_eq!(seats(&election, 4), Err(ElectionError::TooFew { willing: 3, seats: 4 }));
    assert_eq!(seats(&election, 0), Err(ElectionError::NoSeats));
}

#[test]
fn com_8_2_a_stakeholder_changes_its_vote_at_any_time() {
    //= harness/spec/committees.md#com-8-classic-delegated-proof-of-stake
    //= type=test
    //# COM-8.2 (paper): A stakeholder of the comparison protocol MUST be able to change its vote at any time.
    let mut election = election(6);
    let seated = |election: &Election| election.elect(4).unwrap().producers().to_vec();
    assert_eq!(seated(&election), [1, 2, 3, 4].map(id));
    // Voter 1 turns from 1 to 6: its stake counts there and no longer here.
    election.vote(Stakeholder::new(1), [id(6)]).unwrap();
    assert_eq!(seated(&election), [6, 2, 3, 4].map(id));
    election.vote(Stakeholder::new(1), [id(5), id(1)]).unwrap();
    assert_eq!(seated(&election), [5, 1, 2, 3].map(id));
    election.vote(Stakeholder::new(1), []).unwrap();
    assert_eq!(election.tally()[&id(1)], 0);
    // Votes follow the stake, and without a stake there is no vote.
    election.stake(Stakeholder::new(2), 0);
    assert_eq!(election.tally()[&id(2)], 0);
    let refused = VoteError::NoStake { stakeholder: Stakeholder::new(2) };
    assert_eq!(election.vote(Stakeholder::new(2), [id(1)]), Err(refused));
}

#[test]
fn com_8_3_the_indicator_names_who_misses_or_signs_wrong() {
    //= harness/spec/committees.md#com-8-classic-delegated-proof-of-stake
    //= type=test
    //# COM-8.3 (paper): An indicator of the comparison protocol MUST suggest for replacement a delegate that missed many blocks or signed a wrong one.
    let turns = Turns::of(5).unwrap();
    let mut node = Node::new(turns.clone());
    // Ten rounds: 2 is down all the time, 4 misses two of its ten turns, which is borne.
    for slot in 1..=50 {
        let producer = turns.producer(slot);
        let is_down = producer == id(2) || (producer == id(4) && slot < 10);
        if !is_down {
            node.produce(slot).unwrap();
        }
    }
    let mut indicator = Indicator::of(&node, &turns);
    let missed = Suggestion { delegate: id(2), reason: Reason::Missed { missed: 10, turns: 10 } };
    assert_eq!(indicator.suggestions(LIMITS), [missed]);

    // 3 signs a block that does not follow its parent.
    let head = node.head().clone();
    let slot = (51..).find(|slot| turns.producer(*slot) == id(3)).unwrap();
    let block = Block { slot, height: head.height + 2, producer: id(3), parent: head.hash() };
    let error = node.receive(&block).unwrap_err();
    assert!(matches!(error, BlockError::Wrong { .. }), "{error}");
    indicator.refused(&block, &error);
    let wrong = Suggestion { delegate: id(3), reason: Reason::Wrong { blocks: 1 } };
    assert_eq!(indicator.suggestions(LIMITS), [missed, wrong]);

    // A block in the name of somebody whose turn it is not says nothing about 1.
    let foreign = Block { slot, height: head.height + 1, producer: id(1), parent: head.hash() };
    let error = node.receive(&foreign).unwrap_err();
    assert!(matches!(error, BlockError::NotItsTurn { .. }), "{error}");
    indicator.refused(&foreign, &error);
    assert_eq!(indicator.suggestions(LIMITS), [missed, wrong]);

    // Voters may follow the suggestion.
    let mut election = election(6);
    for Suggestion { delegate, .. } in indicator.suggestions(LIMITS) {
        election.vote(Stakeholder::new(delegate.get()), [id(6)]).unwrap();
    }
    assert_eq!(election.elect(4).unwrap().producers(), [6, 1, 4, 5].map(id));
}

#[test]
fn com_8_4_delays_alone_make_conflicting_blocks_irreversible() {
    //= harness/spec/committees.md#com-8-classic-delegated-proof-of-stake
    //= type=test
    //# COM-8.4 (ours): The comparison protocol MUST show two nodes that hold conflicting irreversible blocks after a network split with two thirds of the delegates honest.
    // All four are honest, which is more than two thirds; only the network is slow.
    let turns = Turns::of(4).unwrap();
    assert_eq!(search(&turns, 7), None, "two rounds are needed: each side wants three to build on");
    let found = search(&turns, 8).expect("two rounds of four are enough");
    let least = shrink(&turns, &found);
    let mut network = Network::after(&turns, &least);
    let parted = network.conflict().expect("what is shrunk still conflicts");

    // Both blocks are real: neither node's chain contains the other's.
    for (_, block) in [&parted.one, &parted.other] {
        assert!(block.height > 0, "{}", story(&turns, &least));
    }
    // Healing does not help: each node holds on to what is irreversible for it.
    network.heal();
    for _ in 0..40 {
        network.turn();
        network.heal();
    }
    assert!(network.conflict().is_some(), "healed after\n{}", story(&turns, &least));
}

/// Delays that part a network of any size: the first half builds one chain, each delegate hearing
/// only the block before its own, the second half another. Then each side's first delegates, who
/// know only the beginning of their own chain, hear the other's whole chain and go on with it.
fn crossing(turns: &Turns) -> Delays {
    let [all, two_thirds] = [turns.producers().len(), turns.two_thirds()]
        .map(|count| u32::try_from(count).expect("few delegates"));
    let half = all.div_ceil(2);
    // The producer of a chain's first block does not count as having built on it.
    let from_first = two_thirds - (all - half - 1);
    let from_second = two_thirds - (half - 1);
    let hears = |before: u32, block: u32| Message { before, block, to: turns.producer(before) };
    let mut messages = Vec::new();
    messages.extend((2..=half).map(|slot| hears(slot, slot - 1)));
    messages.extend((half + 2..=all).map(|slot| hears(slot, slot - 1)));
    messages.extend((all + 1..=all + from_first).map(|slot| hears(slot, slot - 1)));
    let back = all + half + 1;
    messages.push(hears(back, half));
    messages.extend((back + 1..back + from_second).map(|slot| hears(slot, slot - 1)));
    Delays { slots: back + from_second - 1, messages }
}

#[test]
fn com_8_4_the_flaw_does_not_go_away_with_more_delegates() {
    for count in [4, 5, 6, 7, 21, 101] {
        let turns = Turns::of(count).unwrap();
        let delays = crossing(&turns);
        assert!(conflict(&turns, &delays).is_some(), "{}", story(&turns, &delays));
    }
}

/// Two halves that hear each other only from the slot of healing on.
fn halves(turns: &Turns, slots: u32, healed: u32) -> Delays {
    let side = |slot: u32| turns.producer(slot).get() % 2;
    let mut messages = Vec::new();
    for before in 2..=slots {
        let heard = if before == healed { 1..before } else { before - 1..before };
        for block in heard {
            let reached = turns
                .producers()
                .iter()
                .filter(|to| before >= healed || side(block) == to.get() % 2);
            messages.extend(reached.map(|to| Message { before, block, to: *to }));
        }
    }
    Delays { slots, messages }
}

#[test]
fn com_8_control_without_delays_or_without_changing_sides_nothing_conflicts() {
    for count in [4, 7, 21, 101] {
        let turns = Turns::of(count).unwrap();
        for delays in [Delays::none(&turns, 4 * count), halves(&turns, 6 * count, 3 * count)] {
            // A conflict would be shown in its shortest form.
            let parted = conflict(&turns, &delays);
            assert_eq!(parted, None, "{}", story(&turns, &shrink(&turns, &delays)));
            let network = Network::after(&turns, &delays);
            let least = network.nodes().iter().map(|node| node.irreversible().height).min();
            assert!(least > Some(0), "the control finalizes something: {least:?}");
        }
    }
}

#[test]
fn com_8_4_what_is_shrunk_conflicts_and_nothing_can_be_left_out() {
    let turns = Turns::of(4).unwrap();
    let least = shrink(&turns, &crossing(&turns));
    assert!(conflict(&turns, &least).is_some());
    for at in 0..least.messages.len() {
        let mut fewer = least.clone();
        fewer.messages.remove(at);
        assert_eq!(conflict(&turns, &fewer), None, "{}", story(&turns, &least));
    }
    let told = "\
slot   1: 1 builds height 1 on the genesis
         2 hears the block of slot 1
slot   2: 2 builds height 2 on slot 1
slot   3: 3 builds height 1 on the genesis
         4 hears the block of slot 3
slot   4: 4 builds height 2 on slot 3
         1 hears the block of slot 4
slot   5: 1 builds height 3 on slot 4
         2 hears the block of slot 5
slot   6: 2 builds height 4 on slot 5
         3 hears the block of slot 2
slot   7: 3 builds height 3 on slot 2
         4 hears the block of slot 7
slot   8: 4 builds height 4 on slot 7
irreversible for 2: slot 3 at height 1; for 4: slot 1 at height 1";
    assert_eq!(story(&turns, &least), told);
}

#[test]
fn com_8_a_node_leaves_its_chain_only_for_a_longer_one() {
    let turns = Turns::of(4).expect("four producers");
    let mut network = Network::new(turns.clone());
    // 1 and 2 build side by side; 3 hears 2 first.
    network.turn();
    network.turn();
    network.deliver(2, id(3));
    network.deliver(1, id(3));
    assert_eq!(network.nodes()[2].head().slot, 2, "of equal chains the first is kept");
    // 4 hears only 1 and makes its chain the longer one, so 3 changes over.
    network.deliver(1, id(4));
    let mut fourth = network.nodes()[3].clone();
    let longer = fourth.produce(4).unwrap();
    let mut third = network.nodes()[2].clone();
    third.receive(&longer).unwrap();
    assert_eq!(third.head(), &longer);

    // A block without its parent waits outside.
    let orphan = third.produce(7).unwrap();
    let mut stranger = Node::new(turns);
    assert_eq!(stranger.receive(&orphan), Err(BlockError::UnknownParent { slot: 7 }));
}
