//! The straight way, a proxy that is killed, and the story of the demonstration.

use std::sync::Mutex;

use super::super::*;
use super::stage::{BLOCKS, added, asked, file, granted, label, network, seen};
use crate::access::{Act, ActKind, capsule_of};
use crate::client::Dealing;
use crate::codec::Wire as _;
use crate::environment::Secret;
use crate::reencryption::{
    Approvals, Capsule, Delivery, OpenError, Parcel, ParcelError, ParcelKey, PublicKey, Purpose,
    ReKey, Set, Variant, generate, open,
};
use crate::types::{Digest, InstitutionId, RecordId};

#[test]
fn pre_5_1_a_file_goes_from_its_owner_through_a_chosen_proxy_to_its_reader() {
    //= harness/spec/reencryption.md#pre-3-request-and-grant
    //= type=test
    //# PRE-3.1 (paper): A reader MUST be able to ask an owner for a part of the owner's records.
    //= harness/spec/reencryption.md#pre-3-request-and-grant
    //= type=test
    //# PRE-3.6 (ours): Request, grant, bid, choice, delivery and revocation MUST be signed and
    //# booked as ordinary records.
    //= harness/spec/reencryption.md#pre-4-competition
    //= type=test
    //# PRE-4.1 (paper): Producers and auditors MUST be able to bid for a re-encryption.
    //= harness/spec/reencryption.md#pre-4-competition
    //= type=test
    //# PRE-4.2 (paper): The owner MUST choose one of the bidders and send the re-encryption key to
    //# that one.
    //= harness/spec/reencryption.md#pre-5-re-encryption
    //= type=test
    //# PRE-5.1 (paper): The proxy MUST store the re-encrypted data under the reader's public key.
    //= harness/spec/reencryption.md#pre-5-re-encryption
    //= type=test
    //# PRE-5.2 (paper): The proxy MUST NOT be able to read what it re-encrypts.
    //= harness/spec/reencryption.md#pre-7-revocation
    //= type=test
    //# PRE-7.2 (paper): A look-up by an owner's public key MUST yield who may read which of its
    //# records.
    //= harness/spec/reencryption.md#pre-6-reading
    //= type=test
    //# PRE-6.1 (paper): The reader MUST be able to decrypt with its own private key only.
    //= harness/spec/database.md#ddb-3-finding
    //= type=test
    //# DDB-3.2 (paper): Re-encrypted data MUST be found by the public key of its reader.
    network(async |stage| {
        stage.serve_all();
        let (desk, other_desk) = (stage.desk(1), stage.desk(6));
        let [mut patient, doctor, stranger] = [1, 2, 3].map(|seed| stage.person(seed));
        let [wanted, kept] = [file(0x11), file(0x22)];
        let id = added(&desk, &patient, &wanted).await;
        let other = added(&desk, &patient, &kept).await;
        assert_eq!(patient.read(&*desk, id).await.unwrap(), wanted);
        // The doctor uses another institution than the patient.
        let grant = granted(&other_desk, (&patient, &doctor), id, Variant::Public).await;
        let everybody = stage.ids();
        seen(&desk, grant, |it| (it.bids.keys().eq(&everybody)).then_some(())).await;
        let early = doctor.open(&*other_desk, grant, id).await.unwrap_err();
        assert!(matches!(early, SharingError::NotNow { .. }), "{early}");
        let proxy = InstitutionId::new(4);
        patient.choose(&*desk, grant, proxy).await.unwrap();
        let files = seen(&other_desk, grant, |it| it.delivery).await.files;
        assert_eq!(doctor.open(&*other_desk, grant, id).await.unwrap(), wanted);
        for desk in [&desk, &stage.desk(8)] {
            seen(desk, grant, |it| it.delivery).await;
        }

        // Under the reader's key, and under no other.
        let found = other_desk.deliveries_for(doctor.keys().lattice).await.unwrap();
        let [delivered] = found[..] else { panic!("{found:?}") };
        assert_eq!((delivered.grant, delivered.delivery), (grant, files[&id]));
        assert_eq!(delivered.proxy, stage.proxy(proxy).key());
        assert_eq!(desk.deliveries_for(stranger.keys().lattice).await.unwrap(), []);

        // Nothing of it, and nobody else.
        let (dealing, nothing) =
            (desk.dealing(grant).await.unwrap().unwrap(), doctor.open(&*desk, grant, other).await);
        assert!(nothing.is_err(), "{other} was not granted");
        let denied = stranger.open(&*desk, grant, id).await.unwrap_err();
        assert!(matches!(denied, SharingError::NotMine { .. }), "{denied}");
        nobody_else(stage, &dealing, (id, &files[&id])).await;
        for object in stage.vault.all() {
            for open in [&wanted, &kept] {
                assert!(!object.windows(64).any(|window| window == &open[..64]), "in the clear");
            }
        }

        // What the chain says of it is what everybody can look up by the owner's key.
        let dealings = stage.desk(8).dealings_of(patient.id()).await.unwrap();
        assert_eq!(dealings, std::slice::from_ref(&dealing));
        assert_eq!(desk.dealings_of(doctor.id()).await.unwrap(), [dealing]);
        let mut kinds = acts(stage, 1, patient.id());
        kinds.extend(acts(stage, 1, doctor.id()));
        assert_eq!(kinds, [ActKind::Grant, ActKind::Choice, ActKind::Request]);

        // Once more by a key that names nobody.
        let grant = granted(&desk, (&patient, &doctor), id, Variant::KeyPrivate).await;
        seen(&desk, grant, |it| it.bids.get(&proxy).copied()).await;
        patient.choose(&*desk, grant, proxy).await.unwrap();
        seen(&desk, grant, |it| it.delivery).await;
        let name = desk.dealing(grant).await.unwrap().unwrap().reader_key;
        assert_ne!(name, doctor.keys().lattice);
        assert_eq!(doctor.open(&*desk, grant, id).await.unwrap(), wanted);
    });
}

/// Whoever is not the reader gets nothing from what lies in the vault.
async fn nobody_else(
    stage: &super::stage::Stage,
    dealing: &Dealing,
    (id, delivery): (RecordId, &Digest),
) {
    let granted = dealing.grant.as_ref().unwrap();
    let chosen = granted.choice.unwrap();
    let get = async |digest: &Digest| stage.vault.get(*digest).await.unwrap().unwrap();
    let capsule = Capsule::from_bytes(&get(&granted.files[&id]).await).unwrap();
    let delivery = Delivery::from_bytes(&get(delivery).await).unwrap();
    let owner = PublicKey::from_bytes(&get(&granted.owner_key).await).unwrap();
    let parcel = Parcel::from_bytes(&get(&chosen.parcel).await).unwrap();
    let institutions = stage.ids().into_iter().map(|id| (Some(id), stage.secret(id)));
    for (institution, secret) in institutions.chain([(None, Secret::from_seed([3; 32]))]) {
        let (lattice, _) = generate(Set::S704, &secret.derive("lattice"));
        for received in [&capsule, &delivery.capsule] {
            let opened = open(&lattice, &owner, &capsule, received);
            assert_eq!(opened.unwrap_err(), OpenError::NotTheOriginal, "{institution:?}");
        }
        let key = ParcelKey::from_seed(&secret.derive("parcels"));
        let opened: Result<ReKey, _> = parcel.open(Purpose::ReKey, &dealing.owner, &key);
        match opened {
            Ok(rekey) => {
                assert_eq!((institution, rekey.digest()), (Some(chosen.institution), chosen.rekey));
            }
            Err(error) => assert!(matches!(error, ParcelError::Another { .. }), "{error}"),
        }
    }
}

/// Kinds of the booked acts of somebody, as one institution has them.
fn acts(stage: &super::stage::Stage, at: u32, owner: crate::types::OwnerId) -> Vec<ActKind> {
    let books = stage.houses[&InstitutionId::new(at)].served.institution().books();
    let (records, _) = books.rows().records_of(&owner, None, 1_000).unwrap();
    let mut found = Vec::new();
    for (id, locator) in records {
        let (_, envelope) = books.rows().record(&id).unwrap().unwrap();
        let act = Act::of_record(&envelope.record);
        found.extend(act.map(|act| (locator.height, act.unwrap().kind())));
    }
    found.sort_unstable();
    found.into_iter().map(|(_, kind)| kind).collect()
}

#[test]
fn pre_5_6_a_proxy_killed_before_its_delivery_delivers_once_after_its_restart() {
    //= harness/spec/reencryption.md#pre-5-re-encryption
    //= type=test
    //# PRE-5.6 (ours): A proxy MUST book at most one bid and one delivery for a grant, however often it is
    //# stopped and started again.
    network(async |stage| {
        stage.serve_all();
        let (desk, killed) = (stage.desk(1), InstitutionId::new(7));
        let [mut patient, doctor] = [1, 2].map(|seed| stage.person(seed));
        let wanted = file(0x33);
        let id = added(&desk, &patient, &wanted).await;
        let grant = granted(&desk, (&patient, &doctor), id, Variant::Public).await;
        seen(&desk, grant, |it| it.bids.get(&killed).copied()).await;
        stage.close_house(killed).await;
        patient.choose(&*desk, grant, killed).await.unwrap();
        seen(&desk, grant, |it| it.choice).await;
        assert!(desk.dealing(grant).await.unwrap().unwrap().grant.unwrap().delivery.is_none());

        // Ends again and again where it must not matter: with the deliveries in the vault, and with the record
        // accepted, while a proxy that knows nothing of it takes over.
        stage.open_house(killed).await;
        let its = stage.desk(killed.get());
        seen(&its, grant, |it| it.choice).await;
        let dealing = its.dealing(grant).await.unwrap().unwrap();
        let made = stage.proxy(killed).reencrypt(&*its, &dealing).await.unwrap();
        for delivery in made.values() {
            its.put(delivery.to_bytes()).await.unwrap();
        }
        let again = stage.proxy(killed).reencrypt(&*its, &dealing).await.unwrap();
        assert_eq!(made, again, "to the byte");
        let mut records = Vec::new();
        for _ in 0..3 {
            let mut proxy = stage.proxy(killed);
            let step = proxy.step(&*its).await.unwrap();
            records.extend(step.deliveries.into_iter().map(|(_, record)| record));
            assert_eq!(proxy.step(&*its).await.unwrap(), Step::default(), "once is enough");
        }
        assert!(records.windows(2).all(|two| two[0] == two[1]), "{records:?}");
        drop(its);
        stage.close_house(killed).await;
        stage.open_house(killed).await;
        stage.serve(killed);
        seen(&desk, grant, |it| it.delivery).await;
        assert_eq!(doctor.open(&*desk, grant, id).await.unwrap(), wanted);

        // A last restart, two blocks later: there is nothing left to do.
        stage.close_house(killed).await;
        stage.open_house(killed).await;
        let its = stage.desk(killed.get());
        seen(&its, grant, |it| it.delivery).await;
        let step = stage.proxy(killed).step(&*its).await.unwrap();
        assert_eq!(step, Step::default());
        let height = its.tip().await.unwrap().height;
        its.above(crate::types::Height::new(height.get() + 2)).await.unwrap();
        let key = stage.proxy(killed).key();
        assert_eq!(acts(stage, killed.get(), key), [ActKind::Bid, ActKind::Delivery]);
    });
}

#[test]
fn pre_3_12_what_the_vault_lost_or_changed_is_not_used() {
    //= harness/spec/reencryption.md#pre-3-request-and-grant
    //= type=test
    //# PRE-3.12 (ours): Whoever takes a key, a capsule, an approval, a parcel or a delivery out of the vault
    //# MUST compare it with the digest by which the chain names it.
    //= harness/spec/reencryption.md#pre-3-request-and-grant
    //= type=test
    //# PRE-3.13 (ours): The record of a grant MUST name the approvals of its capsules as drawn under Keys
    //# and capsules in the vault.
    network(async |stage| {
        let (desk, mut proxy) = (stage.desk(1), stage.proxy(InstitutionId::new(2)));
        let (its, vault) = (stage.desk(2), stage.vault.clone());
        let [mut patient, doctor] = [1, 2].map(|seed| stage.person(seed));
        let id = added(&desk, &patient, &file(0x44)).await;
        // The parcel key and the lattice key of the owner.
        let spoiled = async |digest: Digest, vault: &super::stage::Shared| {
            let sound = vault.get(digest).await.unwrap().unwrap();
            let mut changed = sound.clone();
            *changed.last_mut().unwrap() ^= 1;
            vault.set(digest, Some(changed));
            sound
        };
        let keys = patient.keys();
        let sound = spoiled(keys.parcels, &vault).await;
        let refused = doctor.ask(&*desk, patient.id(), [id].into(), Variant::Public).await;
        assert!(matches!(refused, Err(SharingError::Digest { .. })), "{refused:?}");
        vault.set(keys.parcels, Some(sound));
        let request = asked(&desk, (&patient, &doctor), id, Variant::Public).await;
        let booking = desk.record(id).await.unwrap().unwrap();
        let capsule = capsule_of(&booking.metadata).unwrap();
        let sound = spoiled(capsule, &vault).await;
        let refused = patient.grant(&*desk, request, &[id].into(), BLOCKS).await;
        assert!(matches!(refused, Err(SharingError::Digest { .. })), "{refused:?}");
        vault.set(capsule, Some(sound));
        let grant = patient.grant(&*desk, request, &[id].into(), BLOCKS).await.unwrap();
        let dealing = super::stage::chosen((&desk, &its), &mut patient, grant, &mut proxy).await;
        let granted = dealing.grant.as_ref().unwrap();
        let approvals = granted.approvals.unwrap();
        let noted = Approvals::from_bytes(&vault.get(approvals).await.unwrap().unwrap()).unwrap();
        let approval = noted.of(&capsule).unwrap();
        approval.check(&patient.id(), keys.lattice).unwrap();

        let parcel = granted.choice.unwrap().parcel;
        for digest in [approvals, parcel, capsule, doctor.keys().lattice] {
            let sound = spoiled(digest, &vault).await;
            let refused = proxy.reencrypt(&*its, &dealing).await;
            assert!(matches!(refused, Err(SharingError::Digest { .. })), "{refused:?}");
            vault.set(digest, None);
            assert_eq!(proxy.step(&*its).await.unwrap(), Step::default(), "it waits");
            vault.set(digest, Some(sound));
        }
        let step = proxy.step(&*its).await.unwrap();
        assert_eq!(step.deliveries.len(), 1, "what came back is used");
        let files = seen(&desk, grant, |it| it.delivery).await.files;
        let sealed = *desk.record(id).await.unwrap().unwrap().content.digest();
        for digest in [files[&id], keys.lattice, approvals, capsule, sealed] {
            let sound = spoiled(digest, &vault).await;
            let refused = doctor.open(&*desk, grant, id).await;
            assert!(matches!(refused, Err(SharingError::Digest { .. })), "{refused:?}");
            vault.set(digest, Some(sound));
        }
        assert_eq!(doctor.open(&*desk, grant, id).await.unwrap(), file(0x44));
    });
}

#[test]
fn the_story_is_told_to_its_end() {
    network(async |stage| {
        stage.serve_all();
        let desk = stage.desk(1);
        let said = Mutex::new(Vec::new());
        let [mut patient, doctor] = [1, 2].map(|seed| stage.person(seed));
        let say = |words: &str| said.lock().unwrap().push(words.to_owned());
        let told = story(&*desk, (&mut patient, &doctor), (label(), &file(0x55)), say).await;
        let told = told.unwrap();
        assert!(said.lock().unwrap().len() >= 6, "{said:?}");
        let dealing = desk.dealing(told.grant).await.unwrap().unwrap();
        assert!(dealing.grant.unwrap().revocation.is_some());
        // A second person of the same secret knows what the first one has spent.
        let file = tempfile::tempdir().unwrap();
        let again = Person::new(&Secret::from_seed([1; 32]), Set::S704, &file.path().join("spent"));
        assert_eq!(again.unwrap().keys(), patient.keys());
    });
}
