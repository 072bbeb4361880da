//! A revocation before and after everything else, at the very height too.

use mdsm_core::access::{AccessError, AccessEvent, Finding, Lapse, Refusal};
use mdsm_core::types::Height;

use crate::scene::{
    LIMITS, OWNER, PROXIES, READER, Scene, bid, choice, confirmation, delivery, dispute, file,
    institution, key, reader_key, revocation,
};

#[test]
fn pre_7_1_the_owner_revokes_in_every_stage_and_once() {
    //= harness/spec/reencryption.md#pre-7-revocation
    //= type=test
    //# PRE-7.1 (paper): The owner MUST be able to revoke a grant.
    let stages: [fn(&mut Scene) -> _; 4] = [
        |scene| scene.granted(&[0]),
        |scene| scene.chosen(&[0]),
        |scene| scene.delivered(&[0]),
        Scene::disputed,
    ];
    for (number, reach) in stages.into_iter().enumerate() {
        let mut scene = Scene::new();
        let grant = reach(&mut scene);
        let institution = (number > 0).then(|| institution(PROXIES[0]));
        let revoked = scene.act(OWNER, revocation(grant));
        assert_eq!(revoked, Ok(AccessEvent::Revoked { grant, institution }));
        assert_eq!(scene.access.readings_of(&key(OWNER)).count(), 0);
        assert_eq!(scene.access.bidding().count(), 0);
        let again = scene.act(OWNER, revocation(grant));
        assert_eq!(again, Err(AccessError::Revoked { at: Height::new(1) }));
    }
}

#[test]
fn pre_7_3_a_proxy_refuses_once_the_revocation_is_final() {
    //= harness/spec/reencryption.md#pre-7-revocation
    //= type=test
    //# PRE-7.3 (ours): A proxy MUST refuse a re-encryption under a grant whose revocation is
    //# finalized.
    for is_delivered in [false, true] {
        let mut scene = Scene::new();
        let grant = if is_delivered { scene.delivered(&[0]) } else { scene.chosen(&[0]) };
        let proxy = key(PROXIES[0]);
        scene.reach(7);
        assert!(scene.access.permit(&grant, &file(0), &proxy).is_ok(), "it holds");
        scene.act(OWNER, revocation(grant)).unwrap();
        let refused = Err(Refusal::Grant(AccessError::Revoked { at: Height::new(7) }));
        assert_eq!(scene.access.permit(&grant, &file(0), &proxy), refused, "at that height");
        scene.reach(8);
        assert_eq!(scene.access.permit(&grant, &file(0), &proxy), refused, "and after it");
    }
    // A grant that has run out is as little use.
    let mut scene = Scene::new();
    let (grant, proxy) = (scene.chosen(&[0]), key(PROXIES[0]));
    scene.reach(51);
    assert!(scene.access.permit(&grant, &file(0), &proxy).is_ok());
    assert_eq!(scene.reach(52), [Lapse::Grant(grant)]);
    let refused = Err(Refusal::Grant(AccessError::Expired { until: Height::new(51) }));
    assert_eq!(scene.access.permit(&grant, &file(0), &proxy), refused);
}

#[test]
fn pre_7_3_within_one_block_the_order_of_records_decides() {
    let delivered = |scene: &Scene| scene.access.deliveries_for(&reader_key(READER)).count();
    let mut scene = Scene::new();
    let grant = scene.chosen(&[0]);
    scene.reach(9);
    let mut other = scene.clone();
    scene.act(PROXIES[0], delivery(grant, &[0])).unwrap();
    scene.act(OWNER, revocation(grant)).unwrap();
    assert_eq!(delivered(&scene), 1, "it came first");
    other.act(OWNER, revocation(grant)).unwrap();
    let revoked = Err(AccessError::Revoked { at: Height::new(9) });
    assert_eq!(other.act(PROXIES[0], delivery(grant, &[0])), revoked);
    assert_eq!(delivered(&other), 0, "it came too late");
    assert_eq!(other.access.served_by(&grant), None);
}

#[test]
fn a_revoked_grant_takes_no_bid_and_no_choice() {
    let mut scene = Scene::new();
    let grant = scene.granted(&[0]);
    scene.act(PROXIES[0], bid(grant)).unwrap();
    scene.act(OWNER, revocation(grant)).unwrap();
    let revoked = Err(AccessError::Revoked { at: Height::new(1) });
    assert_eq!(scene.act(PROXIES[1], bid(grant)), revoked);
    assert_eq!(scene.act(OWNER, choice(grant, PROXIES[0])), revoked);
}

#[test]
fn what_was_delivered_is_answered_for_after_the_revocation() {
    let mut scene = Scene::new();
    let grant = scene.delivered(&[0]);
    scene.act(OWNER, revocation(grant)).unwrap();
    scene.after(LIMITS.dispute_blocks);
    scene.act(READER, dispute(grant, 0)).unwrap();
    scene.after(LIMITS.confirm_blocks);
    scene.act(OWNER, confirmation(grant, Finding::Wrong)).unwrap();
    assert_eq!(scene.access.wrong_deliveries(institution(PROXIES[0])), 1);
    scene.after(1);
    assert_eq!(scene.access.grant_owner(&grant), None, "all is settled, and it is forgotten");
    assert_eq!(scene.access.entries(), 1, "but for the count");
    let unknown = Err(AccessError::UnknownGrant { grant });
    assert_eq!(scene.act(OWNER, revocation(grant)), unknown);
}
