//! COM-7 and the turns: who loses a seat, who gets it, who is next.

use mdsm_core::ledger::{Offence, OffenceKind};
use mdsm_core::roster::amounts::*;
use mdsm_core::roster::*;
use mdsm_core::types::*;

use super::world::{Say, World, id, ids};

const CHEAT: OffenceKind = OffenceKind::DoubleProposal;

fn cheats(world: &World, who: &[u32]) -> Vec<Offence> {
    who.iter().map(|one| world.offence(*one, CHEAT)).collect()
}

fn expelled(report: &FreezeReport) -> Vec<u32> {
    report.expelled.iter().map(|one| one.institution.get()).collect()
}

/// Gives an institution so much credit by service, 10 receipts an epoch of one block.
fn serve(world: &mut World, who: u32, epochs: u8) {
    for _ in 0..epochs {
        let services = (0..10).map(|n| world.service(who, n)).collect();
        world.block(&Say { services, ..Say::default() }).unwrap();
        world.freeze();
    }
}

/// Lets the producer of seat 0 miss its turns until its credit is below the threshold; the epoch
/// stays open.
fn let_fall(world: &mut World, who: u32) {
    loop {
        // The view behind a freeze is the fallen one's, or some view before the next round.
        let seats = world.roster.committees().clone();
        let round = u64::try_from(seats.producers.len()).unwrap();
        let its = |view: &u64| seats.leader(View::new(*view)).institution == id(who);
        let first = (1..=round).find(its).unwrap();
        for turn in [first, first + round] {
            while world.parent + 1 < turn {
                world.block(&Say::default()).unwrap();
            }
            world.block(&Say { skips: 1, ..Say::default() }).unwrap();
        }
        if world.credit(who) < THRESHOLD {
            return;
        }
        let report = world.freeze();
        assert_eq!(report, FreezeReport::default(), "nobody else falls, nobody too early");
    }
}

#[test]
fn com_7_1_below_the_threshold_a_producer_loses_its_seat() {
    //= harness/spec/committees.md#com-7-replacement
    //= type=test
    //# COM-7.1 (paper): A producer whose credit is below the threshold MUST be expelled from the
    //# MIFS.
    let mut world = World::new(12, 0, 4, 4);
    let_fall(&mut world, 2);
    assert!((THRESHOLD + 2 * MISS..THRESHOLD).contains(&world.credit(2)));
    assert_eq!(world.producers(), [0, 1, 2, 3], "not before the freeze");
    let report = world.freeze();
    let place = Place::Producer(2);
    let cause = ExpulsionCause::Credit;
    assert_eq!(report.expelled, [Expulsion { institution: id(2), place, cause }]);
    assert!(!world.producers().contains(&2) && !world.auditors().contains(&2));
}

#[test]
fn com_7_2_the_best_auditor_moves_up_into_the_seat() {
    //= harness/spec/committees.md#com-7-replacement
    //= type=test
    //# COM-7.2 (paper): The vacant seat of an expelled producer MUST go to the auditor with the
    //# most credit.
    let mut world = World::small();
    serve(&mut world, 6, 2);
    let offences = cheats(&world, &[1]);
    let report = world.convict(&offences);
    assert_eq!((report.promoted, report.queued), (ids(&[6]), vec![]));
    assert_eq!(world.producers(), [0, 6, 2, 3], "in place");
}

#[test]
fn com_7_3_equal_credit_goes_to_the_lowest_id() {
    //= harness/spec/committees.md#com-7-replacement
    //= type=test
    //# COM-7.3 (ours): Of auditors with equal credit the one with the lowest institution id MUST get
    //# the seat.
    let mut world = World::small();
    serve(&mut world, 7, 1);
    serve(&mut world, 5, 1);
    let offences = cheats(&world, &[1]);
    assert_eq!(world.convict(&offences).promoted, ids(&[5]));
}

#[test]
fn com_7_4_an_auditors_seat_goes_to_the_best_outside() {
    //= harness/spec/committees.md#com-7-replacement
    //= type=test
    //# COM-7.4 (ours): A vacant auditor's seat MUST go to the institution outside both committees
    //# that has the most credit, and among equals to the lowest institution id.
    let mut world = World::small();
    serve(&mut world, 11, 1);
    serve(&mut world, 10, 1);
    let offences = cheats(&world, &[6]);
    assert_eq!(world.convict(&offences).seated, ids(&[10]));
    assert_eq!(world.auditors(), [4, 5, 10, 7]);
    // The seat of one that moves up is filled in the same way.
    let offences = cheats(&world, &[0]);
    let report = world.convict(&offences);
    assert_eq!((report.promoted, report.seated), (ids(&[10]), ids(&[11])));
    assert_eq!((world.producers(), world.auditors()), (vec![10, 1, 2, 3], vec![4, 5, 11, 7]));
}

#[test]
fn com_7_5_six_changes_fraud_first_the_rest_later() {
    //= harness/spec/committees.md#com-7-replacement
    //= type=test
    //# COM-7.5 (ours): Committees MUST change only at a freeze, by at most 6 changes, those for
    //# fraud first and the rest at later freezes.
    let mut world = World::new(160, 0, 101, 22);
    // 3 falls by missing, lower than any of the honest.
    let mut epochs = 0;
    while world.credit(3) >= THRESHOLD {
        let seats = world.roster.committees().clone();
        let round = 101;
        let first = (1..=round).find(|v| seats.leader(View::new(*v)).institution == id(3)).unwrap();
        for turn in [first, first + round] {
            while world.parent + 1 < turn {
                world.block(&Say::default()).unwrap();
            }
            world.block(&Say { skips: 1, ..Say::default() }).unwrap();
        }
        epochs += 1;
        if world.credit(3) >= THRESHOLD {
            assert_eq!(world.freeze(), FreezeReport::default());
        }
    }
    assert_eq!(epochs, 151, "2 misses of 200 an epoch from 0 to below -60,000");
    let mut offences = cheats(&world, &[50, 40, 110, 20, 105, 90, 80]);
    // A second offence puts 80 lowest.
    offences.push(world.offence(80, OffenceKind::InvalidBlock));
    let before = world.roster.committees().clone();
    world.block(&Say { offences, ..Say::default() }).unwrap();
    assert_eq!(world.roster.committees(), &before);
    let credit = |world: &World, who| world.credit(who);
    let mut order = [20, 40, 50, 80, 90, 105, 110].map(|who| (credit(&world, who), who));
    order.sort_unstable();
    let order = order.map(|(_, who)| who);
    assert_eq!(order[0], 80);
    let report = world.freeze();
    assert_eq!(expelled(&report), order[..6], "lowest credit first");
    assert_eq!(report.queued, ids(&[order[6], 3]), "fraud before missing");
    assert_eq!(world.roster.previous_committees(), Some(&before));
    world.block(&Say::default()).unwrap();
    let report = world.freeze();
    assert_eq!((expelled(&report), report.queued), (vec![order[6], 3], vec![]));
}

#[test]
fn com_7_6_fraud_bars_for_ever() {
    //= harness/spec/committees.md#com-7-replacement
    //= type=test
    //# COM-7.6 (ours): A key with proven fraud MUST be barred from both committees for ever.
    let mut world = World::new(9, 100, 4, 4);
    let offences = cheats(&world, &[2]);
    let report = world.convict(&offences);
    assert_eq!(report.expelled[0].cause, ExpulsionCause::Fraud);
    // It serves until no credit outside is better, and another seat falls vacant.
    while world.credit(2) < 50_000 {
        let services = (0..10).map(|n| world.service(2, n)).collect();
        world.block(&Say { services, ..Say::default() }).unwrap();
        assert_eq!(world.freeze(), FreezeReport::default());
    }
    let offences = cheats(&world, &[5]);
    let report = world.convict(&offences);
    assert_eq!((report.seated, report.queued), (vec![], ids(&[5])), "rather nobody than 2");
    assert!(world.of(2).is_barred);
}

#[test]
fn com_7_7_who_only_missed_turns_comes_back() {
    //= harness/spec/committees.md#com-7-replacement
    //= type=test
    //# COM-7.7 (ours): Missed turns MUST NOT bar a key from coming back.
    let mut world = World::new(9, 0, 4, 4);
    let_fall(&mut world, 2);
    let report = world.freeze();
    assert_eq!((expelled(&report), report.seated), (vec![2], ids(&[8])));
    assert!(!world.of(2).is_barred);
    // Below the threshold it is no candidate; the services of a few epochs make it one again.
    let offences = cheats(&world, &[5]);
    assert_eq!(world.clone().convict(&offences).queued, ids(&[5]));
    serve(&mut world, 2, 4);
    assert!(world.credit(2) >= THRESHOLD);
    let offences = cheats(&world, &[5]);
    assert_eq!(world.convict(&offences).seated, ids(&[2]));
    assert!(world.auditors().contains(&2));
}

#[test]
fn com_7_8_an_auditor_below_the_threshold_loses_its_seat() {
    //= harness/spec/committees.md#com-7-replacement
    //= type=test
    //# COM-7.8 (ours): An auditor whose credit is below the threshold MUST be expelled from the AFS.
    let mut world = World::new(12, 0, 4, 4);
    let mut epochs = 0;
    let report = loop {
        for _ in 0..11 {
            world.block(&Say { without: vec![6], ..Say::default() }).unwrap();
        }
        epochs += 1;
        let report = world.freeze();
        assert_eq!(report.changes.len(), 1);
        if !report.expelled.is_empty() {
            break report;
        }
    };
    assert_eq!(epochs, 301, "from 0 to below -60,000 by 200 an epoch");
    let (place, cause) = (Place::Auditor(2), ExpulsionCause::Credit);
    assert_eq!(report.expelled, [Expulsion { institution: id(6), place, cause }]);
    assert_eq!((report.seated, world.auditors()), (ids(&[8]), vec![4, 5, 8, 7]));
}

#[test]
fn com_7_9_small_committees_change_less() {
    //= harness/spec/committees.md#com-7-replacement
    //= type=test
    //# COM-7.9 (ours): The changes of one freeze MUST NOT be more than the faulty auditors that the
    //# committee which ends tolerates, which are (n - 1) / 3 rounded down for n auditors.
    for (auditors, limit) in [(4, 1), (6, 1), (7, 2), (10, 3), (18, 5), (19, 6), (22, 6), (31, 6)] {
        let mut world = World::new(80, 50, 12, auditors);
        let offences = cheats(&world, &[0, 1, 2, 3, 4, 5, 6, 7]);
        let report = world.convict(&offences);
        assert_eq!(report.expelled.len(), limit, "{auditors} auditors");
        assert_eq!(report.queued.len(), 8 - limit);
    }
}

#[test]
fn com_7_10_seats_that_nobody_can_fill_go_but_for_the_last() {
    //= harness/spec/committees.md#com-7-replacement
    //= type=test
    //# COM-7.10 (ours): A seat that nobody can fill MUST go, except that the 4 last auditors and the
    //# last producer keep theirs until somebody can.
    // 3 producers, 5 auditors, nobody outside.
    let mut world = World::new(8, 50, 3, 5);
    let offences = cheats(&world, &[6]);
    let report = world.convict(&offences);
    assert_eq!((expelled(&report), world.auditors()), (vec![6], vec![3, 4, 5, 7]));
    let offences = cheats(&world, &[4]);
    let report = world.convict(&offences);
    assert_eq!((expelled(&report), report.queued), (vec![], ids(&[4])), "4 are the fewest");
    // The auditor waits, so the producer's seat can go in its stead.
    let offences = cheats(&world, &[0]);
    let report = world.convict(&offences);
    assert_eq!((expelled(&report), world.producers()), (vec![0], vec![1, 2]), "nobody moves up");
    assert_eq!(report.queued, ids(&[4]));
    let offences = cheats(&world, &[1]);
    world.convict(&offences);
    let offences = cheats(&world, &[2]);
    let report = world.convict(&offences);
    assert_eq!((report.queued, world.producers()), (ids(&[4, 2]), vec![2]), "1 is the fewest");
    assert_eq!(world.auditors(), [3, 4, 5, 7]);
}

#[test]
fn com_7_10_an_auditor_moves_up_where_its_seat_can_be_spared() {
    //= harness/spec/committees.md#com-7-replacement
    //= type=test
    //# COM-7.10 (ours): A seat that nobody can fill MUST go, except that the 4 last auditors and the
    //# last producer keep theirs until somebody can.
    let mut world = World::new(9, 50, 4, 5);
    let offences = cheats(&world, &[1]);
    let report = world.convict(&offences);
    assert_eq!((report.promoted, report.seated), (ids(&[4]), vec![]));
    assert_eq!((world.producers(), world.auditors()), (vec![0, 4, 2, 3], vec![5, 6, 7, 8]));
}

#[test]
fn com_7_11_seats_come_back_with_institutions() {
    //= harness/spec/committees.md#com-7-replacement
    //= type=test
    //# COM-7.11 (ours): Seats that went MUST come back at later freezes as soon as institutions can
    //# fill them, within the limits on changes, auditors first.
    let mut world = World::new(8, 50, 3, 5);
    for who in [6, 0] {
        let offences = cheats(&world, &[who]);
        world.convict(&offences);
    }
    assert_eq!((world.producers(), world.auditors()), (vec![1, 2], vec![3, 4, 5, 7]));
    let joining = vec![super::world::institution(20, 10), super::world::institution(21, 20)];
    world.block(&Say { joining, ..Say::default() }).unwrap();
    let report = world.freeze();
    assert_eq!((report.seated, report.promoted), (ids(&[21]), vec![]), "auditors first, 1 change");
    assert_eq!(world.auditors(), [3, 4, 5, 7, 21]);
    world.block(&Say::default()).unwrap();
    let report = world.freeze();
    assert_eq!((report.promoted, report.seated), (ids(&[3]), ids(&[20])));
    assert_eq!((world.producers(), world.auditors()), (vec![1, 2, 3], vec![20, 4, 5, 7, 21]));
    world.block(&Say::default()).unwrap();
    assert_eq!(world.freeze(), FreezeReport::default(), "all seats are taken");
}

#[test]
fn com_7_12_the_guilty_are_passed_over() {
    //= harness/spec/committees.md#com-7-replacement
    //= type=test
    //# COM-7.12 (ours): An auditor that is barred or below the threshold MUST NOT become a producer,
    //# nor such an institution an auditor.
    let mut world = World::new(16, 50, 4, 7);
    // The best auditor and the best outsider cheat, and so does a producer, whose credit is lowest.
    serve(&mut world, 6, 3);
    serve(&mut world, 13, 3);
    let mut offences = cheats(&world, &[6, 13, 1]);
    offences.push(world.offence(1, OffenceKind::InvalidBlock));
    let report = world.convict(&offences);
    assert_eq!(expelled(&report), [1, 6]);
    assert_eq!((report.promoted, report.seated), (ids(&[4]), ids(&[11, 12])));
}

#[test]
fn com_7_5_one_that_was_seated_now_does_not_move_up_now() {
    //= harness/spec/committees.md#com-7-replacement
    //= type=test
    //# COM-7.5 (ours): Committees MUST change only at a freeze, by at most 6 changes, those for
    //# fraud first and the rest at later freezes.
    let mut world = World::new(16, 50, 4, 7);
    serve(&mut world, 13, 3);
    // 13, the best of all, gets the auditor's seat first; 4 moves up nevertheless.
    let mut offences = cheats(&world, &[5, 1]);
    offences.push(world.offence(5, OffenceKind::InvalidBlock));
    let report = world.convict(&offences);
    assert_eq!((expelled(&report), report.promoted), (vec![5, 1], ids(&[4])));
}

#[test]
fn con_5_4_the_order_of_turns_goes_on_across_freezes() {
    //= harness/spec/consensus.md#con-5-turns
    //= type=test
    //# CON-5.4 (ours): The order of turns MUST go on across a freeze without leaving out a producer.
    //= harness/spec/consensus.md#con-5-turns
    //= type=test
    //# CON-5.1 (paper): Producers MUST take turns to produce blocks.
    //= harness/spec/consensus.md#con-5-turns
    //= type=test
    //# CON-5.3 (ours): The leader of a view MUST follow from epoch, view and committee alone.
    let mut world = World::new(20, 50, 7, 4);
    let mut led = Vec::new();
    for blocks in [1, 3, 7, 10, 2, 14] {
        for _ in 0..blocks {
            let view = View::new(world.parent + 1);
            led.push(world.roster.committees().leader(view).institution.get());
            world.block(&Say::default()).unwrap();
        }
        world.freeze();
    }
    let expected: Vec<u32> = (0..7).cycle().take(led.len()).collect();
    assert_eq!(led, expected);
}

#[test]
fn con_5_4_seats_that_go_move_the_turn_with_them() {
    //= harness/spec/consensus.md#con-5-turns
    //= type=test
    //# CON-5.4 (ours): The order of turns MUST go on across a freeze without leaving out a producer.
    for (blocks, gone, next) in
        [(1, 0, 1), (1, 1, 2), (1, 3, 1), (3, 0, 3), (3, 3, 0), (4, 0, 1), (2, 1, 2), (7, 3, 0)]
    {
        let mut world = World::new(8, 50, 4, 4);
        for at in 0..blocks {
            let offences = if at == 0 { cheats(&world, &[gone]) } else { vec![] };
            world.block(&Say { offences, ..Say::default() }).unwrap();
        }
        assert_eq!(expelled(&world.freeze()), [gone]);
        let leader = world.roster.committees().leader(View::new(1)).institution;
        assert_eq!(leader, id(next), "{blocks} blocks, seat of {gone} went");
        assert_eq!(world.producers().len(), 3);
    }
}

#[test]
fn con_5_2_auditors_are_on_duty_in_turn() {
    //= harness/spec/consensus.md#con-5-turns
    //= type=test
    //# CON-5.2 (paper): Auditors MUST take turns to check every signed block.
    let world = World::new(20, 50, 7, 5);
    let seats = world.roster.committees();
    let duty: Vec<u32> =
        (1..=7).map(|view| seats.auditor_on_duty(View::new(view)).institution.get()).collect();
    assert_eq!(duty, [8, 9, 10, 11, 7, 8, 9]);
}

#[test]
fn com_9_3_the_next_committees_have_the_digest_that_is_anchored() {
    //= harness/spec/committees.md#com-9-one-answer
    //= type=test
    //# COM-9.3 (ours): The digest of the next committees in an anchor MUST be the digest of the
    //# committees that the finalized chain yields.
    let mut world = World::small();
    let first = world.roster.digest();
    world.block(&Say::default()).unwrap();
    assert_eq!(world.roster.digest(), first, "credit is no part of it");
    let mut other = world.clone();
    world.freeze();
    let offences = cheats(&other, &[1]);
    other.convict(&offences);
    let joined = Roster::digest;
    assert_ne!(joined(&world.roster), first, "epoch and turn are");
    assert_ne!(joined(&other.roster), joined(&world.roster), "and seats");
}
