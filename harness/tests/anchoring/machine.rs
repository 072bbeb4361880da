//! ANC-1 and ANC-3: producers that get an anchor into Bitcoin, for real.

use mdsm_core::anchoring::machine::{Effect, Means, Stage};
use mdsm_core::anchoring::sighting;
use mdsm_core::bitcoin::SubmitError;

use super::scene::{HOUR, MINUTE, World, output};

fn sound(world: &World) {
    assert_eq!(world.watch.wrong, Vec::<String>::new());
}

#[test]
fn anc_1_1_the_producer_on_duty_commits_each_epoch_in_an_ordinary_transaction() {
    //= harness/spec/anchoring.md#anc-1-commitment
    //= type=test
    //# ANC-1.1 (paper): The producer on duty MUST commit the frozen roots of each epoch to Bitcoin in
    //# an ordinary transaction.
    //= harness/spec/anchoring.md#anc-1-commitment
    //= type=test
    //# ANC-1.2 (ours): An anchor transaction MUST carry exactly one output whose script is the 43
    //# bytes drawn as MDSM output.
    let mut world = World::new(3);
    for epoch in 0..3 {
        world.certify(epoch);
        world.wait(0);
        let waiting = world.chain.waiting();
        assert_eq!(waiting.len(), 1, "one producer submits");
        let root = *output(epoch).root.as_bytes();
        let drawn = [&[0x6a, 0x29][..], b"MDSM", &[1], &epoch.to_le_bytes(), &root].concat();
        let scripts = waiting[0].output.iter().map(|output| output.script_pubkey.as_bytes());
        let ours: Vec<&[u8]> = scripts.filter(|script| script.first() == Some(&0x6a)).collect();
        assert_eq!(ours, [&drawn[..]]);
        world.mine();
    }
    assert_eq!(
        (world.submitted(0).len(), world.submitted(1), world.submitted(2)),
        (3, vec![], vec![])
    );
    for _ in 0..5 {
        world.mine();
    }
    for (epoch, index) in [(0, 0), (1, 1), (2, 2)] {
        assert!(matches!(world.stage(index, epoch), Stage::Final(_)));
    }
    // The first to see one reports it; the others hear of it from the chain.
    let epochs: Vec<u32> = world.reports.iter().map(|report| report.epoch.get()).collect();
    assert_eq!(epochs, [0, 1, 2]);
    sound(&world);
}

#[test]
fn anc_1_3_whoever_submits_the_root_is_the_certified_one() {
    //= harness/spec/anchoring.md#anc-1-commitment
    //= type=test
    //# ANC-1.3 (ours): The anchor root that is submitted for an epoch MUST be the one that follows
    //# from the finalized chain, whoever submits it.
    let mut world = World::new(4);
    world.certify(7);
    // Nobody's transaction is mined, so that each gets the turn, and pays more again and again.
    for _ in 0..(4 * 60) {
        world.wait(MINUTE);
    }
    for index in 0..4 {
        let requests = world.submitted(index);
        assert!(requests.len() > 2, "{index}: {requests:?}");
        assert!(requests.iter().all(|request| request.output == output(7)));
    }
    for transaction in world.chain.waiting() {
        assert_eq!(sighting(transaction).unwrap().output, output(7));
    }
    sound(&world);
}

#[test]
fn anc_3_4_a_silent_producer_is_followed_by_the_next() {
    //= harness/spec/anchoring.md#anc-3-getting-it-confirmed
    //= type=test
    //# ANC-3.4 (ours): The duty to submit MUST pass to the next producer in turn when no anchor of
    //# the epoch is reported on the chain within the waiting time.
    let mut world = World::new(4);
    world.certify(0);
    world.producers[0].is_silent = true;
    world.producers[1].is_silent = true;
    for _ in 0..119 {
        world.wait(MINUTE);
        assert_eq!(world.chain.waiting(), []);
    }
    world.wait(MINUTE);
    assert_eq!((world.submitted(2).len(), world.chain.waiting().len()), (1, 1));
    // It stands in a block and is reported: nobody else submits.
    for _ in 0..50 {
        world.mine();
    }
    assert_eq!(world.submitted(3), []);
    assert!(matches!(world.stage(3, 0), Stage::Final(_)));
    // Who was silent comes back, sees it, and submits nothing.
    world.producers[0].is_silent = false;
    world.wait(0);
    assert_eq!(world.submitted(0), []);
    assert!(matches!(world.stage(0, 0), Stage::Final(_)));
    sound(&world);
}

#[test]
fn anc_3_3_a_transaction_that_stays_unconfirmed_is_replaced_by_one_that_pays_more() {
    //= harness/spec/anchoring.md#anc-3-getting-it-confirmed
    //= type=test
    //# ANC-3.3 (ours): A submitter MUST raise the fee of an anchor transaction that stays unconfirmed
    //# past its waiting time by replacing it.
    let mut world = World::new(1);
    world.certify(0);
    let script = world.miner.script.clone();
    // Miners take nothing below 12 satoshi a byte.
    let mut heights = Vec::new();
    for _ in 0..12 {
        world.wait(10 * MINUTE);
        let waited = world.chain.waiting().len();
        assert_eq!(waited, 1, "a replacement takes the place of what it replaces");
        let height = world.chain.mine_if(&script, 0, |transaction, fee| {
            fee.to_sat() > 12 * u64::try_from(transaction.vsize()).unwrap()
        });
        heights.push(height);
        if world.chain.waiting().is_empty() {
            break;
        }
    }
    let rates: Vec<u32> = world.submitted(0).iter().map(|request| request.rate.get()).collect();
    assert_eq!(rates, [1_000, 3_000, 5_000, 7_500, 11_250, 16_875]);
    for _ in 0..6 {
        world.mine();
    }
    let Stage::Final(place) = world.stage(0, 0) else { panic!("{:?}", world.stage(0, 0)) };
    assert_eq!(Some(&place.height), heights.last());
    sound(&world);
}

#[test]
fn a_miner_who_has_the_replaced_transaction_is_as_good() {
    let mut world = World::new(2);
    world.certify(0);
    world.wait(0);
    let first = world.chain.waiting()[0].clone();
    world.wait(20 * MINUTE);
    let second = world.chain.waiting()[0].clone();
    assert_ne!(first, second);
    // Never both: they spend one coin.
    assert!(matches!(world.chain.submit(first.clone()), Err(SubmitError::Fee { .. })));
    let script = world.miner.script.clone();
    world.chain.mine_these(&script, 0, vec![first]).unwrap();
    assert_eq!(world.chain.waiting(), []);
    assert!(matches!(world.chain.submit(second), Err(SubmitError::Unknown { .. })));
    for _ in 0..6 {
        world.mine();
    }
    for index in 0..2 {
        assert!(matches!(world.stage(index, 0), Stage::Final(_)));
    }
    assert_eq!(world.submitted(0).len(), 2);
    sound(&world);
}

#[test]
fn anc_3_5_anchors_of_two_producers_count_as_one() {
    //= harness/spec/anchoring.md#anc-3-getting-it-confirmed
    //= type=test
    //# ANC-3.5 (ours): Several confirmed anchors of one epoch with one root MUST count as one anchor.
    let mut world = World::new(3);
    world.certify(0);
    world.wait(0);
    world.wait(HOUR);
    world.wait(HOUR);
    assert_eq!(world.chain.waiting().len(), 3, "nothing was mined, so each had its turn");
    let script = world.miner.script.clone();
    // Two in this block, the third in the next.
    let third = world.chain.waiting()[2].clone();
    world.chain.mine_if(&script, 0, |transaction, _| *transaction != third);
    for _ in 0..9 {
        world.mine();
    }
    for index in 0..3 {
        let finals = world.producers[index].effects.iter();
        let finals: Vec<_> =
            finals.filter(|effect| matches!(effect, Effect::Final { .. })).collect();
        assert_eq!(finals.len(), 1, "{finals:?}");
        let reports = world.producers[index].effects.iter();
        let reports = reports.filter(|effect| matches!(effect, Effect::Report(_))).count();
        assert_eq!(reports, usize::from(index == 0), "the first to see it reports it");
    }
    assert_eq!(world.stage(0, 0), world.stage(2, 0), "all hold the same one");
    sound(&world);
}

#[test]
fn anc_3_9_nothing_is_submitted_for_what_stands_in_a_block() {
    //= harness/spec/anchoring.md#anc-3-getting-it-confirmed
    //= type=test
    //# ANC-3.9 (ours): A producer MUST NOT submit a transaction for an epoch while its own view of
    //# Bitcoin shows an anchor of that epoch in a block.
    // Somebody who knows the root was faster, even than the certificate.
    let mut world = World::new(2);
    let copied = world.strange(&output(0)).unwrap();
    world.mine();
    world.certify(0);
    for _ in 0..30 {
        world.wait(10 * MINUTE);
    }
    assert_eq!((world.submitted(0), world.submitted(1)), (vec![], vec![]));
    assert_eq!(world.stage(1, 0), Stage::Confirmed { confirmations: 1 });
    for _ in 0..5 {
        world.mine();
    }
    let Stage::Final(place) = world.stage(0, 0) else { panic!("{:?}", world.stage(0, 0)) };
    assert_eq!(place.txid, copied);
    sound(&world);
}

#[test]
fn anc_3_11_after_a_restart_the_same_coin_is_spent() {
    //= harness/spec/anchoring.md#anc-3-getting-it-confirmed
    //= type=test
    //# ANC-3.11 (ours): A further transaction of a submitter for an epoch MUST spend the coin of the
    //# one before it for as long as that one can be mined.
    let mut world = World::new(1);
    world.certify(0);
    world.wait(0);
    let coin = world.chain.waiting()[0].input[0].previous_output;
    for round in 0..3 {
        world.restart(0);
        world.wait(20 * MINUTE);
        let waiting = world.chain.waiting();
        assert_eq!((waiting.len(), waiting[0].input[0].previous_output), (1, coin), "{round}");
    }
    let means: Vec<bool> = world
        .submitted(0)
        .iter()
        .map(|request| matches!(request.means, Means::Replace(_)))
        .collect();
    assert_eq!(means, [false, true, true, true]);
    sound(&world);
}

#[test]
fn an_empty_wallet_raises_an_alarm_and_the_next_producer_pays() {
    let mut world = World::new(2);
    // The first one's coins are spent, each on another epoch that nobody mines.
    for epoch in 0..4 {
        world.certify(epoch);
        world.wait(0);
    }
    let before = world.producers[0].effects.len();
    world.certify(4);
    world.wait(0);
    let effects = &world.producers[0].effects[before..];
    assert!(matches!(effects[1..], [Effect::Submit(_), Effect::Alarm(_)]), "{effects:?}");
    world.wait(HOUR);
    assert!(world.submitted(1).iter().any(|request| request.output == output(4)));
    sound(&world);
}
