//! Every act in every stage: what is out of order is refused, by name.

use mdsm_core::access::{AccessError, Act, Finding};
use mdsm_core::types::{Height, RecordId};

use crate::scene::{
    OWNER, PROXIES, READER, STRANGER, Scene, bid, choice, confirmation, delivery, dispute, file,
    grant, institution, key, request, revocation,
};

/// A grant and its stage's name.
type Stage = (&'static str, fn(&mut Scene) -> RecordId);

const STAGES: [Stage; 7] = [
    ("granted", |scene| scene.granted(&[0])),
    ("bidding", |scene| {
        let grant = scene.granted(&[0]);
        scene.act(PROXIES[0], bid(grant)).unwrap();
        grant
    }),
    ("chosen", |scene| scene.chosen(&[0])),
    ("delivered", |scene| scene.delivered(&[0])),
    ("disputed", Scene::disputed),
    ("found wrong", |scene| settled(scene, Finding::Wrong)),
    ("found sound", |scene| settled(scene, Finding::Sound)),
];

fn settled(scene: &mut Scene, finding: Finding) -> RecordId {
    let grant = scene.disputed();
    scene.act(OWNER, confirmation(grant, finding)).unwrap();
    grant
}

/// Each act by the one whose act it is.
fn acts(grant: RecordId) -> [(&'static str, u8, Act); 6] {
    [
        ("bid", PROXIES[1], bid(grant)),
        ("choice", OWNER, choice(grant, PROXIES[0])),
        ("delivery", PROXIES[0], delivery(grant, &[0])),
        ("revocation", OWNER, revocation(grant)),
        ("dispute", READER, dispute(grant, 0)),
        ("confirmation", OWNER, confirmation(grant, Finding::Wrong)),
    ]
}

#[test]
fn pre_3_8_each_act_has_its_place_in_the_order() {
    //= harness/spec/reencryption.md#pre-3-request-and-grant
    //= type=test
    //# PRE-3.8 (ours): An act that comes out of order, or from another key than the one whose act
    //# it is, MUST have no effect.
    let proxy = institution(PROXIES[0]);
    let (no_bid, chosen) = (
        Err(AccessError::NoBid { institution: proxy }),
        Err(AccessError::AlreadyChosen { institution: proxy }),
    );
    let (not_chosen, not_delivered) = (Err(AccessError::NotChosen), Err(AccessError::NotDelivered));
    let (again, undisputed) = (Err(AccessError::AlreadyDisputed), Err(AccessError::NotDisputed));
    let delivered = Err(AccessError::AlreadyDelivered);
    let expected: [[Result<(), AccessError>; 6]; 7] = [
        [Ok(()), no_bid, not_chosen, Ok(()), not_delivered, undisputed],
        [Ok(()), Ok(()), not_chosen, Ok(()), not_delivered, undisputed],
        [chosen, chosen, Ok(()), Ok(()), not_delivered, undisputed],
        [chosen, chosen, delivered, Ok(()), Ok(()), undisputed],
        [chosen, chosen, delivered, Ok(()), again, Ok(())],
        [chosen, chosen, delivered, Ok(()), again, undisputed],
        [chosen, chosen, delivered, Ok(()), again, undisputed],
    ];
    for ((stage, reach), row) in STAGES.iter().zip(expected) {
        let mut scene = Scene::new();
        let grant = reach(&mut scene);
        for ((name, signer, act), expected) in acts(grant).into_iter().zip(row) {
            let applied = scene.clone().act(signer, act).map(|_| ());
            assert_eq!(applied, expected, "{name} when {stage}");
        }
    }
}

#[test]
fn pre_3_8_no_act_is_done_by_another_key() {
    //= harness/spec/reencryption.md#pre-3-request-and-grant
    //= type=test
    //# PRE-3.8 (ours): An act that comes out of order, or from another key than the one whose act
    //# it is, MUST have no effect.
    for (at, stage) in [(1, "bidding"), (2, "chosen"), (3, "delivered"), (4, "disputed")] {
        let (name, reach) = STAGES[at];
        assert_eq!(name, stage);
        let mut scene = Scene::new();
        let grant = reach(&mut scene);
        for (name, doer, act) in acts(grant).into_iter().skip(1) {
            if scene.clone().act(doer, act.clone()).is_err() {
                continue;
            }
            for other in (0..10).filter(|other| *other != doer) {
                let refused = scene.clone().act(other, act.clone());
                let expected =
                    AccessError::AnotherSigner { signer: key(other), expected: key(doer) };
                assert_eq!(refused, Err(expected), "{name} by {other} when {stage}");
            }
        }
    }
}

#[test]
fn pre_3_8_an_act_about_nothing_is_refused() {
    let mut scene = Scene::new();
    let asked = scene.requested(&[0]);
    for nothing in [file(0), asked] {
        for (name, signer, act) in acts(nothing) {
            let refused = scene.act(signer, act);
            assert_eq!(refused, Err(AccessError::UnknownGrant { grant: nothing }), "{name}");
        }
    }
    let refused = scene.act(OWNER, grant(file(0), 50, &[0]));
    assert_eq!(refused, Err(AccessError::UnknownRequest { request: file(0) }));
}

#[test]
fn pre_3_8_a_record_is_applied_once() {
    let mut scene = Scene::new();
    let act = request(OWNER, READER, &[0]);
    let (asked, applied) = scene.book(READER, act.clone());
    applied.unwrap();
    let again = scene.access.apply(asked, &key(READER), &act, &scene.registry);
    assert_eq!(again, Err(AccessError::Repeated { record: asked }));
    let act = grant(asked, 50, &[0]);
    let (granted, applied) = scene.book(OWNER, act.clone());
    applied.unwrap();
    let again = scene.access.apply(granted, &key(OWNER), &act, &scene.registry);
    assert_eq!(again, Err(AccessError::Repeated { record: granted }));
}

#[test]
fn a_delivery_holds_the_files_of_the_grant_and_no_others() {
    let mut scene = Scene::new();
    let grant = scene.chosen(&[0, 4]);
    for files in [&[0][..], &[4], &[0, 8], &[0, 4, 8]] {
        let refused = scene.act(PROXIES[0], delivery(grant, files));
        assert_eq!(refused, Err(AccessError::OtherFiles { granted: 2 }), "{files:?}");
    }
    scene.act(PROXIES[0], delivery(grant, &[0, 4])).unwrap();
}

#[test]
fn a_bidder_that_was_not_chosen_does_not_deliver() {
    let mut scene = Scene::new();
    let grant = scene.chosen(&[0]);
    for other in [PROXIES[1], STRANGER, OWNER] {
        let (signer, expected) = (key(other), key(PROXIES[0]));
        let refused = scene.act(other, delivery(grant, &[0]));
        assert_eq!(refused, Err(AccessError::AnotherSigner { signer, expected }));
    }
    // Its seat may be gone by then: what it was chosen for it still does.
    scene.registry.seats.clear();
    scene.act(PROXIES[0], delivery(grant, &[0])).unwrap();
}

#[test]
fn a_grant_holds_between_one_block_and_a_year() {
    let mut scene = Scene::new();
    let asked = scene.requested(&[0]);
    let (after, until_max) = (Height::new(1), Height::new(101));
    for until in [0, 1, 102, u64::MAX] {
        let refused = scene.act(OWNER, grant(asked, until, &[0]));
        let until = Height::new(until);
        assert_eq!(refused, Err(AccessError::Until { until, after, until_max }));
    }
    for until in [2, 101] {
        scene.clone().act(OWNER, grant(asked, until, &[0])).unwrap();
    }
}

#[test]
fn pre_7_3_nothing_is_done_under_a_grant_that_has_run_out() {
    for (stage, reach) in &STAGES[..3] {
        let mut scene = Scene::new();
        let grant = reach(&mut scene);
        scene.reach(51);
        let at_its_end = scene.clone();
        scene.reach(52);
        let until = Height::new(51);
        for (name, signer, act) in acts(grant).into_iter().take(4) {
            let Ok(_) = at_its_end.clone().act(signer, act.clone()) else { continue };
            let refused = scene.clone().act(signer, act);
            assert_eq!(refused, Err(AccessError::Expired { until }), "{name} when {stage}");
        }
    }
}
