//! COM-4 to COM-6: what is counted, what is earned, what is lost.

use mdsm_core::ledger::{Offence, OffenceKind};
use mdsm_core::roster::amounts::*;
use mdsm_core::roster::*;
use mdsm_core::types::*;

use super::world::{Say, World, id};

fn item(who: u32, cause: Cause, amount: i64) -> CreditChange {
    CreditChange { institution: id(who), cause, amount }
}

/// A block that says nothing.
fn plain() -> Say {
    Say::default()
}

#[test]
fn com_4_1_every_number_can_be_read() {
    //= harness/spec/committees.md#com-4-performance-record
    //= type=test
    //# COM-4.1 (paper): The chain MUST yield for every institution the numbers of blocks signed,
    //# missed and wrong, and of audits done and wrong.
    let mut world = World::small();
    world.block(&plain()).unwrap();
    world.block(&Say { skips: 4, without: vec![5], ..plain() }).unwrap();
    let offences = vec![
        world.offence(0, OffenceKind::InvalidBlock),
        world.offence(4, OffenceKind::WrongAudit),
        world.offence(4, OffenceKind::DoubleNotarize),
    ];
    let services = vec![world.service(9, 1), world.service(9, 2)];
    world.block(&Say { offences, services, ..plain() }).unwrap();
    let zero = Performance::default();
    let audits = |audits_done| Performance { audits_done, ..zero };
    let blocks =
        |blocks_signed, blocks_missed| Performance { blocks_signed, blocks_missed, ..zero };
    // Views 1, 6 and 7 of the turns 0 1 2 3 0 1 2.
    assert_eq!(world.of(0).performance, Performance { blocks_wrong: 1, ..blocks(1, 1) });
    assert_eq!(world.of(1).performance, blocks(1, 1));
    assert_eq!(world.of(2).performance, blocks(1, 1));
    assert_eq!(world.of(3).performance, blocks(0, 1));
    let twice = Performance { audits_wrong: 1, cheats: 1, ..audits(2) };
    assert_eq!(world.of(4).performance, twice);
    assert_eq!(world.of(5).performance, audits(1));
    assert_eq!(world.of(9).performance, Performance { services: 2, ..zero });
}

#[test]
fn com_4_2_skipped_views_are_missed_turns_and_nothing_else_is() {
    //= harness/spec/committees.md#com-4-performance-record
    //= type=test
    //# COM-4.2 (ours): A turn MUST count as missed exactly when a finalized block names a parent of
    //# an earlier view and so skips the view of that turn.
    let mut world = World::small();
    let missed = |world: &World| [0, 1, 2, 3].map(|who| world.of(who).performance.blocks_missed);
    world.block(&Say { skips: 2, ..plain() }).unwrap();
    assert_eq!(missed(&world), [1, 1, 0, 0], "from the first view of the epoch on");
    world.block(&plain()).unwrap();
    assert_eq!(missed(&world), [1, 1, 0, 0]);
    world.block(&Say { skips: 9, ..plain() }).unwrap();
    assert_eq!(missed(&world), [4, 3, 2, 2], "3 led view 4; 0 to 3 twice and 0 again were skipped");
    world.freeze();
    // View 14 was led by 1, so 2 is next.
    world.block(&Say { skips: 1, ..plain() }).unwrap();
    assert_eq!(missed(&world), [4, 3, 3, 2], "the order goes on behind the freeze");
}

#[test]
fn com_4_3_an_audit_is_a_signature_in_a_carried_certificate() {
    //= harness/spec/committees.md#com-4-performance-record
    //= type=test
    //# COM-4.3 (ours): An audit MUST count as done exactly when the auditor's signature stands in
    //# the parent certificate that a finalized block carries.
    let mut world = World::small();
    let audits = |world: &World| [4, 5, 6, 7].map(|who| world.of(who).performance.audits_done);
    world.block(&plain()).unwrap();
    assert_eq!(audits(&world), [0; 4], "nothing before the first block was audited here");
    world.block(&Say { without: vec![6], ..plain() }).unwrap();
    assert_eq!(audits(&world), [1, 1, 0, 1]);
    world.block(&Say { bare: true, ..plain() }).unwrap();
    assert_eq!(audits(&world), [1, 1, 0, 1]);
}

#[test]
fn com_4_3_a_certificate_of_others_or_of_nothing_is_refused() {
    //= harness/spec/committees.md#com-4-performance-record
    //= type=test
    //# COM-4.3 (ours): An audit MUST count as done exactly when the auditor's signature stands in
    //# the parent certificate that a finalized block carries.
    let mut world = World::small();
    let verdict = |world: &World, carries, signers: &[u32]| {
        let view = View::new(world.parent + 1);
        let signers: Vec<_> = signers.iter().copied().map(id).collect();
        world.roster.check(&Facts {
            view,
            parent_view: View::new(world.parent),
            producer: world.roster.committees().leader(view).institution,
            carries_parent_certificate: carries,
            signers: &signers,
            offences: &[],
            services: &[],
            registrations: &[],
        })
    };
    assert_eq!(verdict(&world, true, &[4, 5, 6]), Err(RosterError::Certificate), "no parent");
    world.block(&plain()).unwrap();
    assert_eq!(verdict(&world, true, &[4, 5, 6]), Ok(()));
    assert_eq!(verdict(&world, false, &[4]), Err(RosterError::Certificate));
    for (signers, wrong) in [([0, 4, 5], 0), ([4, 4, 5], 4), ([5, 4, 6], 4), ([4, 5, 9], 9)] {
        let refused = RosterError::Signer { institution: id(wrong) };
        assert_eq!(verdict(&world, true, &signers), Err(refused), "{signers:?}");
    }
}

#[test]
fn com_4_4_nothing_is_wrong_without_evidence() {
    //= harness/spec/committees.md#com-4-performance-record
    //= type=test
    //# COM-4.4 (ours): A wrong block or a wrong audit MUST count only on evidence that a finalized
    //# block carries and that anybody can check.
    for (kind, expected) in
        OffenceKind::ALL.iter().zip([(0, 0), (0, 0), (0, 0), (0, 0), (1, 0), (0, 1), (0, 0)])
    {
        let mut world = World::small();
        for _ in 0..3 {
            world.block(&Say { skips: 3, without: vec![4], ..plain() }).unwrap();
        }
        let wrong = |world: &World| {
            let did = world.of(4).performance;
            ((did.blocks_wrong, did.audits_wrong), did.cheats)
        };
        assert_eq!(wrong(&world), ((0, 0), 0), "absence and skipped views prove nothing");
        let offences = vec![world.offence(4, *kind)];
        world.block(&Say { offences, ..plain() }).unwrap();
        let cheats = u64::from(expected == (0, 0));
        assert_eq!(wrong(&world), (expected, cheats), "{kind:?}");
    }
}

#[test]
fn com_5_1_credit_starts_from_the_rating() {
    //= harness/spec/committees.md#com-5-credit
    //= type=test
    //# COM-5.1 (paper): Credit MUST start from the rating of the institution.
    for rating in [0, 1, 50, 100] {
        let world = World::new(8, rating, 4, 4);
        assert_eq!(world.credit(3), i64::from(rating) * 500);
    }
}

#[test]
fn com_5_2_credit_falls_below_zero_and_goes_on() {
    //= harness/spec/committees.md#com-5-credit
    //= type=test
    //# COM-5.2 (paper): Credit MUST be able to fall below zero.
    let mut world = World::new(8, 0, 4, 4);
    world.block(&Say { skips: 1, ..plain() }).unwrap();
    assert_eq!(world.credit(0), MISS);
    world.block(&Say { skips: 3, ..plain() }).unwrap();
    assert_eq!(world.credit(0), 2 * MISS);
}

#[test]
fn com_5_3_credit_moves_only_for_what_its_owner_did() {
    //= harness/spec/committees.md#com-5-credit
    //= type=test
    //# COM-5.3 (paper): Credit MUST NOT be transferable or refundable.
    let mut world = World::small();
    let offences = vec![world.offence(5, OffenceKind::DoubleFinalize)];
    let services = vec![world.service(9, 1)];
    let before = world.roster.clone();
    let changes = world.block(&Say { skips: 1, offences, services, ..plain() }).unwrap();
    let named: Vec<_> = changes.iter().map(|change| change.institution.get()).collect();
    assert_eq!(named, [1, 0, 5, 9], "each for its own deed");
    for one in before.institutions() {
        let moved = world.of(one.id.get()).credit != one.credit;
        assert_eq!(moved, named.contains(&one.id.get()), "{}", one.id);
    }
    // Expelled with a fine, it gets nothing back, and nobody else gets what it lost.
    let fined = world.credit(5);
    let report = world.freeze();
    assert_eq!((report.changes, world.credit(5)), (vec![], fined));
}

#[test]
fn com_6_1_good_work_raises_credit() {
    //= harness/spec/committees.md#com-6-earning-and-losing
    //= type=test
    //# COM-6.1 (paper): Booking, auditing, answering queries and re-encrypting MUST raise credit.
    let mut world = World::small();
    assert_eq!(world.block(&plain()), Ok(vec![item(0, Cause::Booked, BLOCK)]));
    let services = vec![world.service(9, 1)];
    let changes = world.block(&Say { without: vec![5], services, ..plain() });
    assert_eq!(
        changes,
        Ok(vec![
            item(1, Cause::Booked, BLOCK),
            item(4, Cause::Audited, AUDIT),
            item(6, Cause::Audited, AUDIT),
            item(7, Cause::Audited, AUDIT),
            item(9, Cause::Served, SERVICE),
        ])
    );
    assert!([BLOCK, AUDIT, SERVICE].iter().all(|amount| *amount > 0));
}

#[test]
fn com_6_2_bad_work_lowers_credit() {
    //= harness/spec/committees.md#com-6-earning-and-losing
    //= type=test
    //# COM-6.2 (paper): Signing an invalid block, cheating, missing a turn and a wrong audit MUST
    //# lower credit.
    for kind in OffenceKind::ALL {
        let mut world = World::small();
        let offences = vec![world.offence(4, *kind)];
        let changes = world.block(&Say { skips: 1, offences, ..plain() });
        assert_eq!(
            changes,
            Ok(vec![
                item(1, Cause::Booked, BLOCK),
                item(0, Cause::Missed, MISS),
                item(4, Cause::Offended(*kind), FRAUD),
            ])
        );
    }
    assert!([MISS, FRAUD, ABSENCE].iter().all(|amount| *amount < 0));
}

#[test]
fn com_6_3_a_service_counts_once_for_each_grant_and_epoch() {
    //= harness/spec/committees.md#com-6-earning-and-losing
    //= type=test
    //# COM-6.3 (ours): Service MUST raise credit only through a receipt that its client signed, at
    //# most once for each grant and epoch.
    let mut world = World::small();
    let service = world.service(9, 1);
    let served = |world: &mut World, services: Vec<ServiceFact>| {
        world
            .block(&Say { services, ..plain() })
            .map(|changes| changes.iter().filter(|change| change.cause == Cause::Served).count())
    };
    let repeated = |index| Err(RosterError::Repeated { what: "service", index });
    assert_eq!(served(&mut world, vec![service, service]), repeated(1));
    assert_eq!(served(&mut world, vec![service]), Ok(1));
    let second = world.service(9, 2);
    assert_eq!(served(&mut world, vec![second, service]), repeated(1));
    let other = ServiceFact { institution: id(8), ..service };
    assert_eq!(served(&mut world, vec![other]), repeated(0), "whoever served");
    world.freeze();
    assert_eq!(served(&mut world, vec![service]), repeated(0), "also behind a freeze");
    let next = ServiceFact { epoch: Epoch::new(1), ..service };
    assert_eq!(served(&mut world, vec![next]), Ok(1), "another epoch, another service");
    assert_eq!(world.credit(9), 25_000 + 2 * SERVICE);
}

#[test]
fn com_6_4_an_offence_is_charged_once() {
    //= harness/spec/committees.md#com-6-earning-and-losing
    //= type=test
    //# COM-6.4 (ours): One offence MUST be charged once, however often its evidence is handed in.
    let mut world = World::small();
    let offence = world.offence(4, OffenceKind::DoubleNotarize);
    let charge = |world: &mut World, offences: Vec<Offence>| {
        world.block(&Say { offences, ..plain() }).map(drop)
    };
    let repeated = |index| Err(RosterError::Repeated { what: "offence", index });
    assert_eq!(charge(&mut world, vec![offence, offence]), repeated(1));
    assert_eq!(charge(&mut world, vec![offence]), Ok(()));
    assert_eq!(charge(&mut world, vec![offence]), repeated(0));
    world.freeze();
    assert_eq!(charge(&mut world, vec![offence]), repeated(0), "also behind a freeze");
    assert_eq!(world.credit(4), 25_000 + FRAUD);
    // What differs in view, kind or offender is another offence.
    let others = [
        Offence { view: View::new(2), ..offence },
        Offence { kind: OffenceKind::DoubleFinalize, ..offence },
        Offence { institution: id(5), ..offence },
        Offence { epoch: Epoch::new(1), ..offence },
    ];
    assert_eq!(charge(&mut world, others.to_vec()), Ok(()));
    assert_eq!(world.credit(4), 25_000 + 4 * FRAUD);
}

#[test]
fn com_6_8_misses_and_services_have_a_limit_in_an_epoch() {
    //= harness/spec/committees.md#com-6-earning-and-losing
    //= type=test
    //# COM-6.8 (ours): In one epoch an institution MUST be charged at most 2 missed turns and
    //# credited at most 10 services.
    let mut world = World::small();
    for epoch in 1..=2 {
        world.block(&Say { skips: 40, ..plain() }).unwrap();
        world.block(&Say { skips: 40, ..plain() }).unwrap();
        for half in 0..2 {
            let services = (0..6).map(|n| world.service(9, 10 * half + n)).collect();
            world.block(&Say { services, ..plain() }).unwrap();
        }
        assert_eq!(world.credit(9), 25_000 + epoch * 10 * SERVICE);
        let charged: i64 = (0..4).map(|who| world.credit(who)).sum();
        assert_eq!(charged, 4 * 25_000 + epoch * (4 * BLOCK + 8 * MISS));
        world.freeze();
    }
    assert_eq!(world.of(9).performance.services, 24, "all are counted");
    assert_eq!((0..4).map(|who| world.of(who).performance.blocks_missed).sum::<u64>(), 160);
}

#[test]
fn com_6_9_absence_is_less_than_a_third_of_at_least_ten() {
    //= harness/spec/committees.md#com-6-earning-and-losing
    //= type=test
    //# COM-6.9 (ours): An auditor whose signature stands in less than a third of the certificates
    //# that the blocks of an epoch carried MUST lose credit at the freeze if there were at least 10.
    let absent = |certificates: u32, audits: u32| {
        let mut world = World::small();
        world.block(&plain()).unwrap();
        for at in 0..certificates {
            let without = if at < audits { vec![] } else { vec![5] };
            world.block(&Say { without, ..plain() }).unwrap();
        }
        // Blocks without a certificate say nothing about auditors.
        for _ in 0..20 {
            world.block(&Say { bare: true, ..plain() }).unwrap();
        }
        let before = world.credit(5);
        let changes = world.freeze().changes;
        let sum: i64 = changes.iter().map(|change| change.amount).sum();
        assert_eq!(world.credit(5) - before, sum);
        changes
    };
    let charged = vec![item(5, Cause::Absent, ABSENCE)];
    assert_eq!(absent(9, 0), []);
    assert_eq!(absent(10, 0), charged);
    assert_eq!(absent(12, 3), charged);
    assert_eq!(absent(12, 4), [], "a third");
    assert_eq!(absent(13, 4), charged);
}

#[test]
fn com_6_10_a_block_without_its_parents_certificate_earns_nothing() {
    //= harness/spec/committees.md#com-6-earning-and-losing
    //= type=test
    //# COM-6.10 (ours): A block after the first of its epoch that does not carry its parent's
    //# certificate MUST earn its producer nothing.
    let mut world = World::small();
    assert_eq!(world.block(&plain()), Ok(vec![item(0, Cause::Booked, BLOCK)]));
    assert_eq!(world.block(&Say { bare: true, ..plain() }), Ok(vec![]));
    assert_eq!(world.of(1).performance.blocks_signed, 1, "signed all the same");
    world.freeze();
    assert_eq!(world.block(&plain()), Ok(vec![item(2, Cause::Booked, BLOCK)]));
}

#[test]
fn com_6_12_reports_reach_back_one_epoch() {
    //= harness/spec/committees.md#com-6-earning-and-losing
    //= type=test
    //# COM-6.12 (ours): A block that reports an offence or a service of an epoch other than the open
    //# one and the one before it MUST be refused.
    let mut world = World::new(40, 50, 4, 4);
    for _ in 0..3 {
        world.block(&plain()).unwrap();
        world.freeze();
    }
    for found in 0..6 {
        let epoch = Epoch::new(found);
        let refused =
            |what| RosterError::Epoch { what, index: 0, found: epoch, open: Epoch::new(3) };
        let offence = Offence { epoch, ..world.offence(7, OffenceKind::DoubleAnchor) };
        let service = ServiceFact { epoch, ..world.service(9, 1) };
        let offences = world.clone().block(&Say { offences: vec![offence], ..plain() });
        let services = world.clone().block(&Say { services: vec![service], ..plain() });
        if found == 2 || found == 3 {
            assert!(offences.is_ok() && services.is_ok());
        } else {
            assert_eq!(offences, Err(refused("offence")));
            assert_eq!(services, Err(refused("service")));
        }
    }
    let stranger = world.offence(99, OffenceKind::DoubleAnchor);
    let unknown = RosterError::Unknown { what: "offence", index: 0, institution: id(99) };
    assert_eq!(world.block(&Say { offences: vec![stranger], ..plain() }), Err(unknown));
}
