//! A delivery that does not open: who has to say so, and until when.

use mdsm_core::access::{AccessError, AccessEvent, Act, Dispute, Finding, Lapse, Refusal};
use mdsm_core::types::Height;

use crate::scene::{
    LIMITS, OWNER, PROXIES, READER, Scene, confirmation, digest, dispute, file, institution, key,
};

const WRONG: Finding = Finding::Wrong;

#[test]
fn pre_8_3_reader_and_owner_together_show_a_wrong_delivery() {
    //= harness/spec/reencryption.md#pre-8-wrong-re-encryption
    //= type=test
    //# PRE-8.3 (ours): A signed delivery that does not decrypt to the original capsule MUST count as
    //# evidence against its proxy once reader and owner have shown it.
    let mut scene = Scene::new();
    let grant = scene.delivered(&[0, 4]);
    let proxy = institution(PROXIES[0]);
    let counted = |scene: &Scene| scene.access.wrong_deliveries(proxy);
    let early = scene.act(OWNER, confirmation(grant, WRONG));
    assert_eq!(early, Err(AccessError::NotDisputed), "the owner alone shows nothing");
    let disputed = scene.act(READER, dispute(grant, 4));
    assert_eq!(disputed, Ok(AccessEvent::Disputed { grant, institution: proxy }));
    assert_eq!(counted(&scene), 0, "nor does the reader alone");
    assert_eq!(scene.access.served_by(&grant), None, "nothing is earned meanwhile");
    let shown = scene.act(OWNER, confirmation(grant, WRONG));
    let (institution, record, delivery) = (proxy, file(4), digest(0x24));
    let expected = AccessEvent::WrongDelivery { institution, grant, record, delivery };
    assert_eq!(shown, Ok(expected));
    assert_eq!(counted(&scene), 1);
    assert_eq!(scene.access.served_by(&grant), None, "nor afterwards");
    let refused = Err(Refusal::Grant(AccessError::AlreadyDisputed));
    assert_eq!(scene.access.permit(&grant, &file(0), &key(PROXIES[0])), refused);
    // The next grant of the same proxy counts for itself.
    let next = scene.disputed();
    scene.act(OWNER, confirmation(next, WRONG)).unwrap();
    assert_eq!(counted(&scene), 2);
}

#[test]
fn pre_8_4_a_delivery_is_disputed_once() {
    //= harness/spec/reencryption.md#pre-8-wrong-re-encryption
    //= type=test
    //# PRE-8.4 (ours): A dispute over a delivery that was disputed before MUST have no effect.
    for finding in [None, Some(WRONG), Some(Finding::Sound)] {
        let mut scene = Scene::new();
        let grant = scene.delivered(&[0, 4]);
        scene.act(READER, dispute(grant, 0)).unwrap();
        if let Some(finding) = finding {
            scene.act(OWNER, confirmation(grant, finding)).unwrap();
        }
        for number in [0, 4] {
            let again = scene.act(READER, dispute(grant, number));
            assert_eq!(again, Err(AccessError::AlreadyDisputed), "{finding:?}");
        }
        let wrong = scene.access.wrong_deliveries(institution(PROXIES[0]));
        assert_eq!(wrong, u64::from(finding == Some(WRONG)));
    }
}

#[test]
fn pre_8_5_without_the_owner_s_word_in_time_the_proxy_is_without_fault() {
    //= harness/spec/reencryption.md#pre-8-wrong-re-encryption
    //= type=test
    //# PRE-8.5 (ours): A dispute that the owner does not confirm in the time that section Access
    //# records gives MUST leave the proxy without fault.
    let mut scene = Scene::new();
    let grant = scene.disputed();
    let proxy = institution(PROXIES[0]);
    assert_eq!(scene.after(LIMITS.confirm_blocks), []);
    let mut in_time = scene.clone();
    in_time.act(OWNER, confirmation(grant, WRONG)).unwrap();
    assert_eq!(in_time.access.wrong_deliveries(proxy), 1);
    assert_eq!(in_time.after(1), [], "nothing is left to lapse");
    assert_eq!(scene.after(1), [Lapse::Dispute(grant)]);
    assert_eq!(scene.act(OWNER, confirmation(grant, WRONG)), Err(AccessError::NotDisputed));
    assert_eq!(scene.access.wrong_deliveries(proxy), 0);
    assert_eq!(scene.access.served_by(&grant), Some(proxy), "it has earned what it earns");
}

#[test]
fn an_owner_that_finds_the_proxy_without_fault_ends_the_dispute() {
    let mut scene = Scene::new();
    let grant = scene.disputed();
    let cleared = scene.act(OWNER, confirmation(grant, Finding::Sound));
    let institution = institution(PROXIES[0]);
    assert_eq!(cleared, Ok(AccessEvent::Cleared { institution, grant }));
    assert_eq!(scene.access.wrong_deliveries(institution), 0);
    assert_eq!(scene.access.served_by(&grant), Some(institution));
    assert!(scene.access.permit(&grant, &file(0), &key(PROXIES[0])).is_ok());
    let changed = scene.act(OWNER, confirmation(grant, WRONG));
    assert_eq!(changed, Err(AccessError::NotDisputed), "an owner says it once");
}

#[test]
fn a_dispute_is_about_what_was_delivered_and_comes_in_time() {
    let mut scene = Scene::new();
    let grant = scene.delivered(&[0, 4]);
    for (number, delivery) in [(0, digest(0x24)), (0, digest(0x10)), (8, digest(0x28))] {
        let record = file(number);
        let refused = scene.act(READER, Act::Dispute(Dispute { grant, record, delivery }));
        assert_eq!(refused, Err(AccessError::AnotherDelivery { record, delivery }));
    }
    scene.after(LIMITS.dispute_blocks);
    scene.clone().act(READER, dispute(grant, 0)).unwrap();
    scene.after(1);
    let until = Height::new(1 + LIMITS.dispute_blocks);
    assert_eq!(scene.act(READER, dispute(grant, 0)), Err(AccessError::TooLate { until }));
}
