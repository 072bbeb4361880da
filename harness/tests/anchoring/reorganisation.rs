//! ANC-3.2, ANC-3.15: Bitcoin takes blocks back.

use mdsm_core::anchoring::machine::{Alarm, Effect, Means, Stage};

use super::scene::{MINUTE, World, output};

fn alarms(world: &World, index: usize) -> usize {
    let effects = world.producers[index].effects.iter();
    effects.filter(|effect| matches!(effect, Effect::Alarm(Alarm::FinalRemoved { .. }))).count()
}

#[test]
fn anc_3_2_an_anchor_that_was_removed_is_submitted_again_at_every_depth() {
    //= harness/spec/anchoring.md#anc-3-getting-it-confirmed
    //= type=test
    //# ANC-3.2 (ours): An anchor whose block a reorganisation of Bitcoin removed MUST be submitted
    //# again with the same anchor root.
    //= harness/spec/anchoring.md#anc-3-getting-it-confirmed
    //= type=test
    //# ANC-3.15 (ours): A node MUST raise an alarm when a reorganisation of Bitcoin removes the block
    //# of a final anchor.
    for depth in 1..=8 {
        let mut world = World::new(3);
        world.certify(0);
        world.wait(0);
        let anchor = world.producers[0].made[0].0.txid;
        for _ in 0..depth {
            world.mine();
        }
        let was_final = depth >= 6;
        assert_eq!(matches!(world.stage(0, 0), Stage::Final(_)), was_final, "{depth}");
        // Another branch, one longer, in which nobody has mined the anchor.
        world.reorganise(depth, |_| false);
        for index in 0..3 {
            assert_eq!(alarms(&world, index), usize::from(was_final), "{depth}");
        }
        let requests = world.submitted(0);
        let last = requests.last().unwrap();
        assert_eq!((requests.len(), last.means, last.output), (2, Means::Again(anchor), output(0)));
        assert!(world.waits(&anchor));
        assert_eq!(world.stage(1, 0), Stage::Waiting, "the others leave it to the first");
        for _ in 0..6 {
            world.mine();
        }
        for index in 0..3 {
            let Stage::Final(place) = world.stage(index, 0) else { panic!("{depth}") };
            assert_eq!(Some(place), world.find(&anchor).map(|found| found.1), "{depth}");
        }
        let others = (world.submitted(1).len(), world.submitted(2).len());
        assert_eq!(others, (0, 0), "{depth}");
        assert_eq!(world.watch.wrong, Vec::<String>::new(), "{depth}");
    }
}

#[test]
fn an_anchor_that_stands_on_both_branches_is_not_submitted_again() {
    for depth in 1..=8 {
        let mut world = World::new(2);
        world.certify(0);
        world.wait(0);
        for _ in 0..depth {
            world.mine();
        }
        world.reorganise(depth, |_| true);
        assert_eq!(world.submitted(0).len(), 1, "{depth}");
        for _ in 0..5 {
            world.mine();
        }
        assert!(matches!(world.stage(1, 0), Stage::Final(_)));
        assert_eq!(world.watch.wrong, Vec::<String>::new(), "{depth}");
    }
}

#[test]
fn what_a_lost_producer_submitted_is_submitted_by_the_next() {
    let mut world = World::new(3);
    world.certify(0);
    world.wait(0);
    world.mine();
    world.producers[0].is_silent = true;
    // Gone from the chain and, because its coin is gone, from the memory pool as well.
    let coin = world.producers[0].made[0].2;
    let theft = world.producers[0].wallet.pay(&output(9), (coin, world.producers[0].made[0].3), {
        mdsm_core::anchoring::machine::FeeRate::new(5_000)
    });
    world.chain.invalidate(world.chain.height());
    let script = world.miner.script.clone();
    world.chain.mine_these(&script, 0, vec![theft]).unwrap();
    world.chain.mine(&script, 0);
    world.wait(0);
    assert_eq!(world.chain.waiting(), []);
    // The duty begins anew one waiting time later, so the second has its turn after two.
    let mut minutes = 0;
    while world.chain.waiting().is_empty() {
        world.wait(MINUTE);
        minutes += 1;
        assert!(minutes <= 120, "the second has had its turn");
    }
    assert_eq!((minutes, world.submitted(1).len(), world.submitted(2).len()), (120, 1, 0));
    // The first comes back: its coin is gone, and another anchor waits and is then mined.
    world.producers[0].is_silent = false;
    for _ in 0..7 {
        world.mine();
    }
    for index in 0..3 {
        assert!(matches!(world.stage(index, 0), Stage::Final(_)), "{index}");
    }
    assert_eq!(world.watch.wrong, Vec::<String>::new());
}

#[test]
fn one_of_two_anchors_that_is_removed_leaves_the_other() {
    let mut world = World::new(2);
    world.certify(0);
    world.wait(0);
    world.wait(60 * MINUTE);
    let waiting = world.chain.waiting().to_vec();
    assert_eq!(waiting.len(), 2);
    let script = world.miner.script.clone();
    world.chain.mine_if(&script, 0, |transaction, _| *transaction == waiting[0]);
    world.mine();
    world.reorganise(1, |_| false);
    let submitted = world.submitted(0).len() + world.submitted(1).len();
    for _ in 0..4 {
        world.wait(10 * MINUTE);
    }
    assert_eq!(world.submitted(0).len() + world.submitted(1).len(), submitted, "one is enough");
    for _ in 0..5 {
        world.mine();
    }
    assert_eq!(world.stage(0, 0), world.stage(1, 0));
    assert!(matches!(world.stage(0, 0), Stage::Final(_)));
    assert_eq!(world.watch.wrong, Vec::<String>::new());
}

#[test]
fn reorganisations_without_end_end_in_a_final_anchor() {
    let mut world = World::new(3);
    world.certify(0);
    for round in 0..40_u32 {
        world.mine();
        if round % 3 > 0 {
            world.reorganise(1 + round % 8, |_| round % 2 == 0);
        }
    }
    for _ in 0..8 {
        world.mine();
    }
    assert!(matches!(world.stage(0, 0), Stage::Final(_)));
    assert_eq!(world.watch.wrong, Vec::<String>::new());
}
