//! The way of a sharing, sentence by sentence.

use mdsm_core::access::{AccessError, AccessEvent, Delivered, Permit, Reading, Refusal};
use mdsm_core::types::Height;

use crate::scene::{
    OWNER, PROXIES, READER, STRANGER, Scene, bid, choice, delivery, digest, file, grant,
    institution, key, reader_key, request, revocation,
};

#[test]
fn pre_3_1_a_reader_asks_an_owner_for_a_part_of_its_records() {
    //= harness/spec/reencryption.md#pre-3-request-and-grant
    //= type=test
    //# PRE-3.1 (paper): A reader MUST be able to ask an owner for a part of the owner's records.
    let mut scene = Scene::new();
    let (id, asked) = scene.book(READER, request(OWNER, READER, &[0, 4]));
    let (reader, owner) = (key(READER), key(OWNER));
    assert_eq!(asked, Ok(AccessEvent::Requested { request: id, reader, owner }));
    assert_eq!(scene.access.requests_to(&owner).collect::<Vec<_>>(), [&id]);
    assert_eq!(scene.access.requests_to(&reader).count(), 0, "nobody asked the reader");
    // Record 1 is another's; record 12 is none.
    for foreign in [1, 12] {
        let refused = scene.act(READER, request(OWNER, READER, &[0, foreign]));
        let record = file(foreign);
        assert_eq!(refused, Err(AccessError::NotOwned { record, owner }), "{foreign}");
    }
    // A part of what was asked for is given, and nothing else.
    let refused = scene.act(OWNER, grant(id, 50, &[0, 8]));
    assert_eq!(refused, Err(AccessError::NotRequested { record: file(8) }));
    let (granted, event) = scene.book(OWNER, grant(id, 50, &[4]));
    assert_eq!(event, Ok(AccessEvent::Granted { grant: granted, owner, reader }));
    assert_eq!(scene.access.requests_to(&owner).count(), 0, "it is answered");
    let again = scene.act(OWNER, grant(id, 50, &[0]));
    assert_eq!(again, Err(AccessError::UnknownRequest { request: id }), "one grant each");
}

#[test]
fn pre_3_8_only_the_owner_who_was_asked_grants() {
    //= harness/spec/reencryption.md#pre-3-request-and-grant
    //= type=test
    //# PRE-3.8 (ours): An act that comes out of order, or from another key than the one whose act
    //# it is, MUST have no effect.
    let mut scene = Scene::new();
    let id = scene.requested(&[0]);
    for other in [READER, STRANGER, PROXIES[0]] {
        let (signer, expected) = (key(other), key(OWNER));
        let refused = scene.act(other, grant(id, 50, &[0]));
        assert_eq!(refused, Err(AccessError::AnotherSigner { signer, expected }));
    }
}

#[test]
fn pre_4_1_every_institution_with_a_seat_bids_and_nobody_else() {
    //= harness/spec/reencryption.md#pre-4-competition
    //= type=test
    //# PRE-4.1 (paper): Producers and auditors MUST be able to bid for a re-encryption.
    let mut scene = Scene::new();
    let grant = scene.granted(&[0]);
    assert_eq!(scene.access.bidding().collect::<Vec<_>>(), [&grant]);
    for proxy in PROXIES {
        let institution = institution(proxy);
        assert_eq!(scene.act(proxy, bid(grant)), Ok(AccessEvent::Bid { grant, institution }));
        let again = scene.act(proxy, bid(grant));
        assert_eq!(again, Err(AccessError::AlreadyBid { institution }));
    }
    let bids: Vec<_> = PROXIES.iter().map(|proxy| (institution(*proxy), digest(3))).collect();
    assert_eq!(scene.access.bids(&grant).collect::<Vec<_>>(), bids);
    let mut scene = Scene::new();
    let grant = scene.granted(&[0]);
    let signer = key(STRANGER);
    assert_eq!(scene.act(STRANGER, bid(grant)), Err(AccessError::NoMember { signer }));
    let signer = key(PROXIES[0]);
    scene.registry.seats.remove(&signer);
    assert_eq!(scene.act(PROXIES[0], bid(grant)), Err(AccessError::NoMember { signer }));
}

#[test]
fn pre_4_4_owner_and_reader_do_not_bid_for_their_own_grant() {
    //= harness/spec/reencryption.md#pre-4-competition
    //= type=test
    //# PRE-4.4 (ours): A bid by the owner or by the reader of the grant MUST be refused.
    let mut scene = Scene::new();
    let grant = scene.granted(&[0]);
    for party in [OWNER, READER] {
        scene.registry.seats.insert(key(party), institution(party));
        let signer = key(party);
        assert_eq!(scene.act(party, bid(grant)), Err(AccessError::Party { signer }));
    }
}

#[test]
fn pre_4_2_the_owner_chooses_one_of_the_bidders() {
    //= harness/spec/reencryption.md#pre-4-competition
    //= type=test
    //# PRE-4.2 (paper): The owner MUST choose one of the bidders and send the re-encryption key to
    //# that one.
    let mut scene = Scene::new();
    let grant = scene.granted(&[0]);
    for proxy in PROXIES {
        scene.act(proxy, bid(grant)).unwrap();
    }
    for other in [READER, STRANGER, PROXIES[1]] {
        let (signer, expected) = (key(other), key(OWNER));
        let refused = scene.act(other, choice(grant, PROXIES[1]));
        assert_eq!(refused, Err(AccessError::AnotherSigner { signer, expected }));
    }
    let chosen = institution(PROXIES[1]);
    assert_eq!(scene.access.chosen_proxy(&grant), None);
    let event = scene.act(OWNER, choice(grant, PROXIES[1]));
    assert_eq!(event, Ok(AccessEvent::Chosen { grant, institution: chosen }));
    assert_eq!(scene.access.chosen_proxy(&grant), Some(chosen));
    assert_eq!(scene.access.bidding().count(), 0);
    // The key that is on its way, and nobody else may use it.
    let permit = Permit {
        capsule: digest(0x10),
        owner_key: digest(2),
        reader_key: reader_key(READER),
        rekey: digest(4),
        parcel: digest(5),
        until: Height::new(51),
    };
    assert_eq!(scene.access.permit(&grant, &file(0), &key(PROXIES[1])), Ok(permit));
    let (signer, expected) = (key(PROXIES[0]), key(PROXIES[1]));
    let refused = AccessError::AnotherSigner { signer, expected };
    let asked = scene.access.permit(&grant, &file(0), &signer);
    assert_eq!(asked, Err(Refusal::Grant(refused)));
    let asked = scene.access.permit(&grant, &file(4), &key(PROXIES[1]));
    assert_eq!(asked, Err(Refusal::AnotherRecord { record: file(4) }));
    // It is final, and bidding is over.
    let institution = chosen;
    for proxy in PROXIES {
        let second = scene.act(OWNER, choice(grant, proxy));
        assert_eq!(second, Err(AccessError::AlreadyChosen { institution }));
    }
    assert_eq!(scene.act(6, bid(grant)), Err(AccessError::AlreadyChosen { institution }));
}

#[test]
fn pre_4_3_whoever_has_not_bid_is_not_chosen() {
    //= harness/spec/reencryption.md#pre-4-competition
    //= type=test
    //# PRE-4.3 (ours): A choice MUST be refused when it names an institution that has not bid.
    let mut scene = Scene::new();
    let grant = scene.granted(&[0]);
    let nobody = institution(PROXIES[1]);
    let refused = scene.act(OWNER, choice(grant, PROXIES[1]));
    assert_eq!(refused, Err(AccessError::NoBid { institution: nobody }), "before any bid");
    scene.act(PROXIES[0], bid(grant)).unwrap();
    let refused = scene.act(OWNER, choice(grant, PROXIES[1]));
    assert_eq!(refused, Err(AccessError::NoBid { institution: nobody }));
    // A bid for another grant is none for this one.
    let other = scene.granted(&[0]);
    scene.act(PROXIES[1], bid(other)).unwrap();
    let refused = scene.act(OWNER, choice(grant, PROXIES[1]));
    assert_eq!(refused, Err(AccessError::NoBid { institution: nobody }));
    // Nor is one whose seat was lost, or went to another key.
    let lost = institution(PROXIES[0]);
    scene.registry.seats.remove(&key(PROXIES[0]));
    scene.registry.seats.insert(key(STRANGER), lost);
    let refused = scene.act(OWNER, choice(grant, PROXIES[0]));
    assert_eq!(refused, Err(AccessError::LostSeat { institution: lost }));
}

#[test]
fn pre_5_1_what_is_delivered_is_found_under_the_reader_s_key() {
    //= harness/spec/reencryption.md#pre-5-re-encryption
    //= type=test
    //# PRE-5.1 (paper): The proxy MUST store the re-encrypted data under the reader's public key.
    let mut scene = Scene::new();
    let grant = scene.chosen(&[0, 4]);
    assert_eq!(scene.access.deliveries_for(&reader_key(READER)).count(), 0);
    let event = scene.act(PROXIES[0], delivery(grant, &[0, 4]));
    let (institution, stored) = (institution(PROXIES[0]), reader_key(READER));
    let expected = AccessEvent::Delivered { grant, institution, reader_key: stored };
    assert_eq!(event, Ok(expected));
    let of = |number: u8| Delivered {
        grant,
        record: file(number),
        delivery: digest(0x20 + number),
        owner: key(OWNER),
        proxy: key(PROXIES[0]),
    };
    assert_eq!(scene.access.deliveries_for(&stored).collect::<Vec<_>>(), [of(0), of(4)]);
    assert_eq!(scene.access.deliveries_for(&reader_key(STRANGER)).count(), 0);
}

#[test]
fn pre_5_3_service_is_that_of_the_proxy_whose_delivery_stands() {
    let mut scene = Scene::new();
    let grant = scene.granted(&[0]);
    let proxy = institution(PROXIES[0]);
    assert_eq!(scene.access.grant_owner(&grant), Some(key(OWNER)));
    assert_eq!(scene.access.served_by(&grant), None, "nobody was chosen");
    for bidder in &PROXIES[..2] {
        scene.act(*bidder, bid(grant)).unwrap();
    }
    scene.act(OWNER, choice(grant, PROXIES[0])).unwrap();
    assert_eq!(scene.access.served_by(&grant), None, "nothing was delivered");
    let client = |scene: &Scene, number| scene.access.client_of(&grant, institution(number));
    assert_eq!(client(&scene, PROXIES[0]), None, "no receipt yet");
    scene.act(PROXIES[0], delivery(grant, &[0])).unwrap();
    assert_eq!(scene.access.served_by(&grant), Some(proxy));
    assert_eq!(client(&scene, PROXIES[0]), Some(key(OWNER)));
    assert_eq!(client(&scene, PROXIES[1]), None, "a bid is no service");
    scene.act(OWNER, revocation(grant)).unwrap();
    assert_eq!(scene.access.served_by(&grant), Some(proxy), "it did what was asked");
    assert_eq!(scene.access.grant_owner(&file(0)), None, "no grant");
    assert_eq!(scene.access.served_by(&file(0)), None, "no grant");
}

#[test]
fn pre_7_2_an_owner_s_key_yields_who_may_read_which_of_its_records() {
    //= harness/spec/reencryption.md#pre-7-revocation
    //= type=test
    //# PRE-7.2 (paper): A look-up by an owner's public key MUST yield who may read which of its
    //# records.
    let mut scene = Scene::new();
    let one = scene.delivered(&[0, 4]);
    let two = scene.granted(&[4]);
    let asked = scene.book(READER, request(3, READER, &[3])).0;
    let (three, granted) = scene.book(3, grant(asked, 20, &[3]));
    granted.unwrap();
    let reading = |grant, number, until, is_delivered| Reading {
        record: file(number),
        reader: key(READER),
        reader_key: reader_key(READER),
        grant,
        until: Height::new(until),
        is_delivered,
    };
    let of = |scene: &Scene, owner| scene.access.readings_of(&key(owner)).collect::<Vec<_>>();
    let all = [reading(one, 0, 51, true), reading(one, 4, 51, true), reading(two, 4, 51, false)];
    assert_eq!(of(&scene, OWNER), all);
    assert_eq!(of(&scene, 3), [reading(three, 3, 20, false)]);
    assert_eq!(of(&scene, READER), [], "it granted nothing");
    scene.act(OWNER, revocation(one)).unwrap();
    assert_eq!(of(&scene, OWNER), all[2..]);
    scene.reach(20);
    assert_eq!(of(&scene, 3).len(), 1, "up to the last height");
    scene.reach(21);
    assert_eq!(of(&scene, 3), [], "and no longer");
}
