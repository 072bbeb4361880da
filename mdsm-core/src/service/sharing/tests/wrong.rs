//! Revocation, owners and proxies that do what they must not, and what comes of it.

use super::super::person::noted;
use super::super::*;
use super::stage::{BLOCKS, Stage, added, asked, chosen, file, granted, network, seen};
use crate::access::{
    AccessError, Act, Choice, Confirmation, Delivery as Delivers, Files, Finding, Grant, Refusal,
    capsule_of, note_approvals,
};
use crate::client::Dealing;
use crate::codec::Wire as _;
use crate::crypto::Identified as _;
use crate::environment::Clock;
use crate::environment::Secret;
use crate::ledger::{Service, ServiceKind};
use crate::node::{NodeConfig, Start};
use crate::reencryption::{Capsule, OpenError, RekeyError, Variant};
use crate::runtime::settings::NodeFile;
use crate::runtime::{Home, LiveNode, Prechecked};
use crate::types::{Digest, Height, InstitutionId, RecordId};

#[test]
fn pre_7_3_after_a_revocation_nothing_more_is_delivered() {
    //= harness/spec/reencryption.md#pre-7-revocation
    //= type=test
    //# PRE-7.1 (paper): The owner MUST be able to revoke a grant.
    //= harness/spec/reencryption.md#pre-7-revocation
    //= type=test
    //# PRE-7.3 (ours): A proxy MUST refuse a re-encryption under a grant whose revocation is
    //# finalized.
    network(async |stage| {
        let (desk, its) = (stage.desk(1), stage.desk(5));
        let mut proxy = stage.proxy(InstitutionId::new(5));
        let [mut patient, doctor] = [1, 2].map(|seed| stage.person(seed));
        let id = added(&desk, &patient, &file(0x11)).await;
        let delivered = granted(&desk, (&patient, &doctor), id, Variant::Public).await;
        chosen((&desk, &its), &mut patient, delivered, &mut proxy).await;
        assert_eq!(proxy.step(&*its).await.unwrap().deliveries.len(), 1);
        seen(&desk, delivered, |it| it.delivery).await;

        let grant = granted(&desk, (&patient, &doctor), id, Variant::Public).await;
        let dealing = chosen((&desk, &its), &mut patient, grant, &mut proxy).await;
        // The proxy is half way when the grant is taken back.
        let made = proxy.reencrypt(&*its, &dealing).await.unwrap();
        let by_other = doctor.revoke(&*desk, grant).await.unwrap_err();
        assert!(matches!(by_other, SharingError::NotMine { .. }), "{by_other}");
        for grant in [delivered, grant] {
            patient.revoke(&*desk, grant).await.unwrap();
            seen(&its, grant, |it| it.revocation).await;
        }
        assert_eq!(proxy.step(&*its).await.unwrap(), Step::default());
        for refused in [
            proxy.reencrypt(&*its, &dealing).await.map(|_| ()),
            proxy.hand_over(&*its, &dealing, &made).await.map(|_| ()),
        ] {
            let revoked = matches!(
                refused,
                Err(SharingError::Refused(Refusal::Grant(AccessError::Revoked { .. })))
            );
            assert!(revoked, "{refused:?}");
        }
        // One that books it all the same is booked without effect.
        let files = made.iter().map(|(id, delivery)| (*id, delivery.id())).collect();
        let act = Act::Delivery(Delivers { grant, files: Files::new(files).unwrap() });
        let secret = stage.secret(InstitutionId::new(5));
        let late = act.to_record(secret.signing().owner(), Clock::new().now()).unwrap();
        let late = super::super::person::book(&*its, late, &secret.signing()).await.unwrap();
        until(&*desk, async |x| Ok(x.record(late).await?)).await.unwrap();
        let after = desk.dealing(grant).await.unwrap().unwrap().grant.unwrap();
        assert_eq!(after.delivery, None);
        let closed = doctor.open(&*desk, grant, id).await.unwrap_err();
        assert!(matches!(closed, SharingError::NotNow { .. }), "{closed}");
        // A revocation stops the future.
        assert_eq!(doctor.open(&*desk, delivered, id).await.unwrap(), file(0x11));
    });
}

#[test]
fn pre_5_5_a_proxy_does_only_what_was_approved_and_an_owner_accepts_an_offer_once() {
    //= harness/spec/reencryption.md#pre-5-re-encryption
    //= type=test
    //# PRE-5.5 (ours): A proxy MUST re-encrypt under a grant only those capsules that the grant
    //# names and its owner has approved.
    //= harness/spec/reencryption.md#pre-3-request-and-grant
    //= type=test
    //# PRE-3.4 (ours): The value U = -X S_B + E that a reader sends to an owner MUST be used for
    //# one re-encryption key only.
    network(async |stage| {
        let (desk, its) = (stage.desk(1), stage.desk(3));
        let mut proxy = stage.proxy(InstitutionId::new(3));
        let [mut patient, doctor] = [1, 2].map(|seed| stage.person(seed));
        let signing = Secret::from_seed([1; 32]).signing();
        let id = added(&desk, &patient, &file(0x11)).await;
        let booking = desk.record(id).await.unwrap().unwrap();
        let capsule = capsule_of(&booking.metadata).unwrap();
        let sound = Capsule::from_bytes(&stage.vault.get(capsule).await.unwrap().unwrap()).unwrap();
        let mut words = sound.words().to_vec();
        words[0] ^= 1;
        let names = [sound.owner, sound.holder];
        let chosen_words = Capsule::new(sound.set(), 0, sound.key_id, names, words).unwrap();
        let changed = desk.put(chosen_words.to_bytes()).await.unwrap();

        // An owner that names a capsule that it has not approved, with the approvals of another one.
        let first = granted(&desk, (&patient, &doctor), id, Variant::Public).await;
        let approvals = seen(&desk, first, |it| it.approvals).await;
        for (note, what) in [(Some(approvals), "approval of another"), (None, "no approval")] {
            let request = asked(&desk, (&patient, &doctor), id, Variant::Public).await;
            let until_height = Height::new(desk.tip().await.unwrap().height.get() + BLOCKS);
            let (owner_key, files) = (patient.keys().lattice, Files::new([(id, changed)].into()));
            let files = files.unwrap();
            let act = Act::Grant(Grant { request, owner_key, until: until_height, files });
            let dated = (patient.id(), Clock::new().now());
            let record = noted(&act, dated, |metadata| {
                note.into_iter().for_each(|digest| note_approvals(metadata, digest));
            });
            let grant =
                super::super::person::book(&*desk, record.unwrap(), &signing).await.unwrap();
            seen(&its, grant, Some).await;
            let dealing = with_bid(stage, grant, &mut patient, &mut proxy).await;
            let refused = proxy.reencrypt(&*its, &dealing).await.unwrap_err();
            assert!(matches!(refused, SharingError::NoApproval { .. }), "{what}: {refused}");
            assert_eq!(proxy.step(&*its).await.unwrap().deliveries, [], "{what}");
            let again = patient.choose(&*desk, grant, InstitutionId::new(3)).await.unwrap_err();
            assert!(matches!(again, SharingError::NotNow { .. }), "{again}");
        }

        // A key that is not the one on the chain, and an offer that is spent.
        let bidder = InstitutionId::new(3);
        let choice = |parcel| Choice {
            grant: first,
            institution: bidder,
            rekey: Digest::new([9; 32]),
            parcel,
        };
        seen(&desk, first, |it| it.bids.get(&bidder).copied()).await;
        let dealings = desk.dealings_of(patient.id()).await.unwrap();
        let key_of = |it: &Dealing| Some(it.grant.as_ref()?.choice?.parcel);
        let other = dealings.into_iter().find(|dealing| key_of(dealing).is_some()).unwrap();
        let key_of_other = key_of(&other).unwrap();
        let act = Act::Choice(choice(key_of_other));
        let record = act.to_record(patient.id(), Clock::new().now()).unwrap();
        super::super::person::book(&*desk, record, &signing).await.unwrap();
        seen(&its, first, |it| it.choice).await;
        let dealing = its.dealing(first).await.unwrap().unwrap();
        let refused = proxy.reencrypt(&*its, &dealing).await.unwrap_err();
        assert!(matches!(refused, SharingError::AnotherKey { .. }), "{refused}");
        assert_eq!(proxy.step(&*its).await.unwrap(), Step::default(), "given up");

        // The same offer booked for a second request.
        let Dealing { owner, reader_key, offer, .. } = other;
        let records = crate::access::Records::new([id].into()).unwrap();
        let act = Act::Request(crate::access::Request { owner, reader_key, offer, records });
        let asks = Secret::from_seed([2; 32]).signing();
        let record = act.to_record(asks.owner(), Clock::new().now()).unwrap();
        let request = super::super::person::book(&*desk, record, &asks).await.unwrap();
        until(&*desk, async |x| Ok(x.dealing(request).await?)).await.unwrap();
        let grant = patient.grant(&*desk, request, &[id].into(), BLOCKS).await.unwrap();
        seen(&its, grant, Some).await;
        assert_eq!(proxy.step(&*its).await.unwrap().bids, [grant]);
        seen(&desk, grant, |it| it.bids.get(&bidder).copied()).await;
        let refused = patient.choose(&*desk, grant, bidder).await.unwrap_err();
        assert!(matches!(refused, SharingError::Rekey(RekeyError::Spent { .. })), "{refused}");
        let mut patient = stage.person(1);
        let refused = patient.choose(&*desk, grant, bidder).await.unwrap_err();
        assert!(matches!(refused, SharingError::Rekey(RekeyError::Spent { .. })), "{refused}");
    });
}

#[test]
fn a_parcel_that_cannot_be_reached_keeps_no_other_delivery_waiting() {
    network(async |stage| {
        let (desk, its) = (stage.desk(1), stage.desk(5));
        let (mut proxy, bidder) = (stage.proxy(InstitutionId::new(5)), its.delegate());
        let [mut patient, doctor] = [1, 2].map(|seed| stage.person(seed));
        let id = added(&desk, &patient, &file(0x11)).await;
        let mut grants = Vec::new();
        for _ in 0..2 {
            let grant = granted(&desk, (&patient, &doctor), id, Variant::Public).await;
            seen(&its, grant, Some).await;
            assert_eq!(proxy.step(&*its).await.unwrap().bids, [grant]);
            seen(&desk, grant, |it| it.bids.get(&bidder).copied()).await;
            grants.push(grant);
        }
        for grant in &grants {
            patient.choose(&*desk, *grant, bidder).await.unwrap();
        }
        // A proxy goes through its grants in this order.
        grants.sort_unstable();
        let mut parcels = Vec::new();
        for grant in &grants {
            parcels.push(seen(&its, *grant, |it| it.choice).await.parcel);
        }
        for (hidden, expected) in [(Some(parcels[0]), grants[1]), (None, grants[0])] {
            stage.vault.hide(hidden);
            let step = proxy.step(&*its).await.unwrap();
            let delivered: Vec<RecordId> =
                step.deliveries.iter().map(|(grant, _)| *grant).collect();
            assert_eq!(delivered, [expected]);
        }
    });
}

/// Bids for a grant, perhaps beside others, and is chosen.
async fn with_bid(
    stage: &Stage,
    grant: RecordId,
    owner: &mut Person,
    proxy: &mut Proxy,
) -> Dealing {
    let (desk, its) = (stage.desk(1), stage.desk(3));
    assert!(proxy.step(&*its).await.unwrap().bids.contains(&grant));
    seen(&desk, grant, |it| it.bids.get(&its.delegate()).copied()).await;
    owner.choose(&*desk, grant, its.delegate()).await.unwrap();
    seen(&desk, grant, |it| it.choice).await;
    seen(&its, grant, |it| it.choice).await;
    its.dealing(grant).await.unwrap().unwrap()
}

#[test]
fn pre_8_1_a_proxy_that_reencrypts_wrongly_is_found_out_and_earns_nothing() {
    //= harness/spec/reencryption.md#pre-8-wrong-re-encryption
    //= type=test
    //# PRE-8.1 (paper): A proxy that re-encrypts wrongly MUST be found out.
    //= harness/spec/reencryption.md#pre-8-wrong-re-encryption
    //= type=test
    //# PRE-8.3 (ours): A signed delivery that does not decrypt to the original capsule MUST count as
    //# evidence against its proxy once reader and owner have shown it.
    //= harness/spec/reencryption.md#pre-5-re-encryption
    //= type=test
    //# PRE-5.3 (paper): The proxy MUST earn credit for a delivery.
    network(async |stage| {
        let desk = stage.desk(1);
        let [honest, crook] = [5, 6].map(InstitutionId::new);
        let [mut patient, doctor] = [1, 2].map(|seed| stage.person(seed));
        let id = added(&desk, &patient, &file(0x11)).await;

        let its = stage.desk(honest.get());
        let mut proxy = stage.proxy(honest);
        let sound = granted(&desk, (&patient, &doctor), id, Variant::Public).await;
        chosen((&desk, &its), &mut patient, sound, &mut proxy).await;
        assert_eq!(proxy.step(&*its).await.unwrap().deliveries.len(), 1);
        seen(&desk, sound, |it| it.delivery).await;
        let nothing = doctor.dispute(&*desk, sound, id).await.unwrap_err();
        assert!(matches!(nothing, SharingError::Sound { .. }), "{nothing}");
        let early = patient.confirm(&*desk, sound, Finding::Wrong).await.unwrap_err();
        assert!(matches!(early, SharingError::NotNow { .. }), "{early}");

        let its = stage.desk(crook.get());
        let mut proxy = stage.proxy(crook).turning(spoilt);
        let wrong = granted(&desk, (&patient, &doctor), id, Variant::Public).await;
        chosen((&desk, &its), &mut patient, wrong, &mut proxy).await;
        assert_eq!(proxy.step(&*its).await.unwrap().deliveries.len(), 1);
        seen(&desk, wrong, |it| it.delivery).await;
        let found = doctor.open(&*desk, wrong, id).await.unwrap_err();
        let expected = DeliveryFault::Wrong(OpenError::NotTheOriginal);
        assert!(
            matches!(&found, SharingError::Delivery { fault, .. } if *fault == expected),
            "{found}"
        );
        doctor.dispute(&*desk, wrong, id).await.unwrap();
        seen(&desk, wrong, |it| it.dispute).await;
        let early = patient.reward(&*desk, wrong).await.unwrap_err();
        assert!(matches!(early, SharingError::NotNow { why: "is in dispute", .. }), "{early}");
        patient.confirm(&*desk, wrong, Finding::Wrong).await.unwrap();
        seen(&desk, wrong, |it| it.confirmation.filter(|it| it.finding == Finding::Wrong)).await;
        // What another act has come to is not the effect of a later one.
        let act = Act::Confirmation(Confirmation { grant: wrong, finding: Finding::Sound });
        let late = act.to_record(patient.id(), Clock::new().now()).unwrap();
        let signing = Secret::from_seed([1; 32]).signing();
        let late = super::super::person::book(&*desk, late, &signing).await.unwrap();
        let effect = has_effect(&*desk, late, async |x| {
            let granted = x.dealing(wrong).await?.and_then(|dealing| dealing.grant);
            Ok(granted.and_then(|it| it.confirmation).map(|it| it.act))
        });
        let effect = effect.await;
        assert!(matches!(effect, Err(SharingError::NoEffect { act }) if act == late), "{effect:?}");

        // An epoch is judged by what was booked before it, so the finding counts from the next one on.
        let epoch = desk.tip().await.unwrap().epoch;
        until(&*desk, async |x| Ok((x.tip().await?.epoch > epoch).then_some(()))).await.unwrap();
        // Both are said to have served; what was wrong earns nothing.
        let unearned = patient.reward(&*desk, wrong).await.unwrap_err();
        let is_wrong = matches!(unearned, SharingError::NotNow { why: "was served wrongly", .. });
        assert!(is_wrong, "{unearned}");
        let (epoch, key) = (desk.tip().await.unwrap().epoch, Secret::from_seed([1; 32]).signing());
        let served = (crook, ServiceKind::Reencryption);
        let bought = Service::sign(&desk.chain(), wrong, epoch, served, &key);
        let refused = desk.report(bought).await.unwrap_err();
        assert!(refused.to_string().contains("not bear it out"), "{refused}");
        patient.reward(&*desk, sound).await.unwrap();
        let booked = rewarded(stage, sound).await;
        assert!(!booked.contains(&wrong), "{booked:?}");
        let home = NodeFile::read(stage.local.settings(InstitutionId::new(1))).unwrap().home;
        drop((desk, its));
        let network = stage.local.network().clone();
        stage.stop().await;
        let node = roused(&home, &network);
        let roster = node.chain().roster();
        let services = |id| roster.institution(id).unwrap().performance.services;
        assert_eq!((services(honest), services(crook)), (1, 0));
        let access = node.booked().access();
        assert_eq!((access.wrong_deliveries(honest), access.wrong_deliveries(crook)), (0, 1));
    });
}

/// The same capsule with one bit of its last word changed.
fn spoilt(capsule: Capsule) -> Capsule {
    let mut words = capsule.words().to_vec();
    *words.last_mut().unwrap() ^= 1 << 15;
    let names = [capsule.owner, capsule.holder];
    Capsule::new(capsule.set(), capsule.hop(), capsule.key_id, names, words).unwrap()
}

/// Waits until a service under a grant is booked; gives all grants with a booked service.
async fn rewarded(stage: &Stage, grant: RecordId) -> Vec<RecordId> {
    let house = &stage.houses[&InstitutionId::new(1)];
    let books = house.served.institution().books();
    let (mut height, mut booked) = (Height::new(0), Vec::new());
    while !booked.contains(&grant) {
        house.desk.above(height).await.unwrap();
        let Some(commit) = books.commit_above(height).unwrap() else { continue };
        for block in commit.decision.blocks.iter() {
            let services = block.payload.events.services.iter();
            booked.extend(services.map(|service| service.grant));
            height = block.signed.header.height;
        }
    }
    booked
}

/// The node of a home that nobody serves, as its books have it.
fn roused(home: &std::path::Path, network: &crate::runtime::settings::NetworkFile) -> LiveNode {
    let (home, _) = Home::open(home).unwrap();
    let founders = network.founders();
    let start = Start { genesis: network.genesis.clone(), founders: &founders };
    let config = NodeConfig { me: InstitutionId::new(1), delay_ms: 50 };
    home.rouse(config, &start, Prechecked::default(), Clock::new().now()).unwrap().node
}
