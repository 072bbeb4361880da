//! The retelling agrees with every node, and what it tells is what happened.

use std::collections::{BTreeMap, BTreeSet};

use harness::build::key;
use harness::oracle::ledger::{By, ledger};
use harness::rules::ledger::Told;
use harness::rules::roster::Why;
use mdsm_core::crypto::sign::Ed25519;

use super::story::{DOUBLE_PROPOSER, DOUBLE_VOTER, NEWCOMER, PROXY, SILENT, STORY, Story, WITNESS};

fn told() -> Told {
    ledger(&STORY.log, &STORY.claims, &By(Ed25519)).unwrap()
}

fn causes(told: &Told, of: u32) -> BTreeMap<String, (usize, i64)> {
    let mut causes = BTreeMap::new();
    let changes = told.blocks.iter().flat_map(|block| &block.changes);
    for (_, why, amount) in changes.filter(|(id, ..)| *id == of) {
        let entry: &mut (usize, i64) = causes.entry(format!("{why:?}")).or_default();
        *entry = (entry.0 + 1, entry.1 + amount);
    }
    causes
}

#[test]
fn com_9_1_every_node_says_what_the_log_of_one_yields() {
    //= harness/spec/committees.md#com-9-one-answer
    //= type=test
    //# COM-9.1 (paper): Nodes that hold the same finalized history MUST compute the same credit and
    //# the same committees.
    //= harness/spec/committees.md#com-9-one-answer
    //= type=test
    //# COM-9.2 (ours): Credit, committees and the order of turns MUST depend on nothing but the
    //# genesis and the finalized chain.
    //= harness/spec/storage.md#sto-12-data-blocks-by-the-minute
    //= type=test
    //# STO-12.6 (ours): Which records a window holds MUST follow from the finalized blocks alone.
    //= harness/spec/committees.md#com-9-one-answer
    //= type=test
    //# COM-9.4 (ours): The digest of committees and the bytes of the state MUST be those that
    //# section Digests draws.
    for id in STORY.live.nodes.keys() {
        let claims = Story::claims_of(&STORY.live, *id, STORY.grants);
        let verdict = ledger(&STORY.log, &claims, &By(Ed25519));
        assert!(verdict.is_ok(), "{id}: {:?}", verdict.err());
    }
    assert!(STORY.live.nodes.len() >= 10 && STORY.live.nodes.contains_key(&WITNESS));
}

#[test]
fn com_9_3_an_anchor_names_the_committees_of_the_next_epoch() {
    //= harness/spec/committees.md#com-9-one-answer
    //= type=test
    //# COM-9.3 (ours): The digest of the next committees in an anchor MUST be the digest of the
    //# committees that the finalized chain yields.
    let told = told();
    assert!(told.epochs.len() >= 4, "{} epochs", told.epochs.len());
    for (epoch, next) in told.epochs.iter().zip(&told.epochs[1..]) {
        let first = told.blocks.iter().find(|block| block.epoch == next.seats.epoch).unwrap();
        let last = told.blocks.iter().find(|block| block.height == epoch.last).unwrap();
        assert_eq!(epoch.anchor.next_committees, last.committees);
        assert_eq!(first.height, epoch.last + 1);
        assert!(epoch.is_certified);
    }
}

#[test]
fn com_4_4_what_was_done_is_charged_and_nothing_else() {
    //= harness/spec/committees.md#com-4-performance-record
    //= type=test
    //# COM-4.2 (ours): A turn MUST count as missed exactly when a finalized block names a parent of
    //# an earlier view and so skips the view of that turn.
    //= harness/spec/committees.md#com-4-performance-record
    //= type=test
    //# COM-4.3 (ours): An audit MUST count as done exactly when the auditor's signature stands in
    //# the parent certificate that a finalized block carries.
    //= harness/spec/committees.md#com-4-performance-record
    //= type=test
    //# COM-4.4 (ours): A wrong block or a wrong audit MUST count only on evidence that a finalized
    //# block carries and that anybody can check.
    let told = told();
    let of = |id: u32| causes(&told, id);
    assert_eq!(of(DOUBLE_VOTER)["Offence(2)"], (1, -200_000));
    assert_eq!(of(DOUBLE_PROPOSER)["Offence(1)"], (1, -200_000));
    assert_eq!(of(PROXY)["Service"], (2, 20));
    assert_eq!(of(NEWCOMER)["Joined"], (1, 20_000));
    let misses = of(SILENT)["Miss"];
    assert_eq!(misses, (2, -400), "more turns than two were missed in one epoch");
    for id in 1..=11 {
        let offended = of(id).keys().any(|why| why.starts_with("Offence"));
        assert_eq!(offended, [DOUBLE_VOTER, DOUBLE_PROPOSER].contains(&id), "{id}");
    }
    let audits: usize = (5..=9).filter_map(|id| of(id).get("Audit").map(|audit| audit.0)).sum();
    assert!(audits > 250, "{audits} audits");
}

#[test]
fn com_7_2_seats_move_at_the_freeze() {
    let told = told();
    let seats: Vec<_> = told.epochs.iter().map(|epoch| epoch.seats.clone()).collect();
    assert_eq!((&seats[0].producers, &seats[0].auditors), (&vec![1, 2, 3, 4], &vec![5, 6, 7, 8]));
    assert_eq!(seats[1].auditors, [5, 6, 7, 8], "evidence of an epoch has effect at its end");
    assert_eq!(seats[2].auditors, [5, 9, 7, 8]);
    assert!(!seats[3].producers.contains(&DOUBLE_PROPOSER), "{:?}", seats[3]);
    assert_eq!(told.epochs[1].freeze.expelled, [DOUBLE_VOTER]);
    assert_eq!(told.epochs[2].freeze.expelled, [DOUBLE_PROPOSER]);
}

#[test]
fn con_5_4_turns_go_on_across_freezes() {
    //= harness/spec/consensus.md#con-5-turns
    //= type=test
    //# CON-5.4 (ours): The order of turns MUST go on across a freeze without leaving out a
    //# producer.
    let told = told();
    for (ended, next) in told.epochs.iter().zip(&told.epochs[1..]) {
        let last = told.blocks.iter().find(|block| block.height == ended.last).unwrap();
        let seat =
            |view: u64, offset: u64, all: usize| usize::try_from(offset + view - 1).unwrap() % all;
        let producers = &ended.seats.producers;
        let led = seat(last.view, ended.seats.offset, producers.len());
        let follows = producers[(led + 1) % producers.len()];
        let first = next.seats.producers[seat(1, next.seats.offset, next.seats.producers.len())];
        // Whoever came into the seat of the one that follows has its turn.
        let risen = ended.freeze.promoted.contains(&first);
        assert!(first == follows || (risen && ended.freeze.expelled.contains(&follows)));
    }
}

#[test]
fn con_8_2_windows_follow_the_stamps_of_the_chain() {
    //= harness/spec/consensus.md#con-8-clock
    //= type=test
    //# CON-8.1 (paper): The checks of a minute and the freeze MUST follow the clock of the protocol
    //# and not the clock of one machine.
    //= harness/spec/consensus.md#con-8-clock
    //= type=test
    //# CON-8.2 (ours): The clock of the protocol MUST be the timestamps of the finalized chain.
    let told = told();
    let sizes: BTreeSet<usize> = told
        .epochs
        .iter()
        .flat_map(|epoch| epoch.data_blocks.iter().map(|block| block.item_blocks.len()))
        .collect();
    assert!(sizes.contains(&10) && sizes.len() > 1, "{sizes:?}");
    for pair in told.blocks.windows(2) {
        let minute = |at: usize| pair[at].timestamp.div_euclid(10_000);
        let is_last = told.epochs.iter().any(|epoch| epoch.last == pair[1].height);
        assert!(pair[1].cut.is_empty() || minute(0) != minute(1) || is_last);
        let crossed = pair[0].timestamp.div_euclid(30_000) != pair[1].timestamp.div_euclid(30_000);
        assert_eq!(is_last, crossed, "block {}", pair[1].height);
    }
}

#[test]
fn pre_7_1_acts_have_effect_once_and_in_order() {
    let told = told();
    let acts: usize = told.blocks.iter().map(|block| block.acts.len()).sum();
    // Request, grant, bid, choice, delivery; request, grant, revocation; one delivery too many.
    assert_eq!(acts, 8);
    let [delivered, revoked] = STORY.grants.map(|grant| *grant.as_bytes());
    let owner = *key(1).owner().as_bytes();
    let readings = told.access.readings(&owner);
    let grants: Vec<_> = readings.iter().map(|reading| (reading.0, reading.3)).collect();
    assert_eq!(grants, [(delivered, true)]);
    assert_eq!(told.access.service(&delivered), Some((owner, Some(PROXY), Some(PROXY))));
    assert_eq!(told.access.service(&revoked), Some((owner, None, None)));
}

#[test]
fn com_5_4_credit_is_the_sum_of_its_items() {
    let told = told();
    let mut sums = STORY.claims.founded.clone();
    for block in &told.blocks {
        for (id, why, amount) in &block.changes {
            assert_ne!(*amount, 0, "{why:?}");
            *sums.entry(*id).or_default() += amount;
        }
        assert_eq!(sums, block.credit);
    }
    let joined = told.blocks.iter().flat_map(|block| &block.changes);
    assert!(joined.clone().any(|(_, why, _)| *why == Why::Joined));
}

#[test]
fn pre_5_3_a_proxy_earns_credit_for_its_delivery_from_the_next_epoch_on() {
    //= harness/spec/reencryption.md#pre-5-re-encryption
    //= type=test
    //# PRE-5.3 (paper): The proxy MUST earn credit for a delivery.
    //= harness/spec/committees.md#com-6-earning-and-losing
    //= type=test
    //# COM-6.14 (ours): A receipt of service MUST be judged by the acts that were booked before the
    //# open epoch.
    let told = told();
    let epoch_of = |height: u64| told.epochs.iter().filter(|epoch| epoch.last < height).count();
    let served: Vec<_> = told
        .blocks
        .iter()
        .filter(|block| {
            let is_served = |why: &str| why.contains("Serv");
            block.changes.iter().any(|(id, why, amount)| {
                *id == PROXY && is_served(&format!("{why:?}")) && *amount > 0
            })
        })
        .map(|block| epoch_of(block.height))
        .collect();
    assert!(!served.is_empty() && served.is_sorted_by(|a, b| a < b), "once an epoch: {served:?}");
    // Request, grant, bid, choice and then the delivery.
    let acts = told.blocks.iter().flat_map(|block| block.acts.iter().map(move |_| block.height));
    let delivered = acts.map(epoch_of).nth(4).expect("the story has a delivery");
    assert!(served[0] > delivered, "first credited in epoch {} of {delivered}", served[0]);
}
