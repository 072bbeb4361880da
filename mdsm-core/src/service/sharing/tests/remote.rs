//! People who trust no institution, over HTTP: the whole way, and institutions that lie.

use std::time::{Duration, Instant};

use super::super::*;
use super::stage::{BLOCKS, PACE, PATIENCE, file, label};
use crate::access::Act;
use crate::client::{Answer, Check, Granted};
use crate::codec::Wire as _;
use crate::environment::{Clock, Secret};
use crate::ledger::Envelope;
use crate::params::SMALL;
use crate::reencryption::{Set, Variant};
use crate::service::liars::{self, Lie};
use crate::service::{LightClient, Local, Objection, Served, Why};
use crate::types::{Height, InstitutionId, RecordId};
use crate::web::Server;

/// A network of 4 + 4 institutions that serve, some of which lie.
struct Town {
    local: Local,
    served: Vec<Served>,
    liars: Vec<Server>,
    folder: tempfile::TempDir,
}

/// Somebody with a light client.
struct Somebody {
    person: Person,
    remote: Remote,
}

fn town(lies: &[(u32, Lie)], test: impl AsyncFnOnce(&mut Town)) {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.worker_threads(4).enable_all().build().unwrap();
    let ended = runtime.block_on(async {
        let whole = async {
            let folder = tempfile::tempdir().unwrap();
            let local = Local::create(folder.path().join("network"), SMALL, PACE, None).unwrap();
            let (served, liars) = liars::start(&local, lies).await;
            let mut town = Town { local, served, liars, folder };
            test(&mut town).await;
            liars::stop(town.served, town.liars).await;
        };
        tokio::time::timeout(PATIENCE, whole).await
    });
    ended.expect("the test has come to its end");
}

impl Town {
    fn somebody(&self, seed: u8, delegate: u32) -> Somebody {
        let secret = Secret::from_seed([seed; 32]);
        let spent = self.folder.path().join(format!("spent-{seed}"));
        let person = Person::new(&secret, Set::S704, &spent).unwrap();
        Somebody { person, remote: self.remote(seed, delegate) }
    }

    fn remote(&self, seed: u8, delegate: u32) -> Remote {
        let network = self.local.network();
        let client = LightClient::open(network, None).unwrap();
        let signing = Secret::from_seed([seed; 32]).signing();
        Remote::new(network, client, signing, Some(InstitutionId::new(delegate))).unwrap()
    }
}

impl Somebody {
    async fn adds(&self, file: &[u8]) -> RecordId {
        self.person.declare(&self.remote).await.unwrap();
        let id = self.person.add(&self.remote, label(), file).await.unwrap();
        until(&self.remote, async |x| Ok(x.record(id).await?)).await.unwrap();
        until(&self.remote, async |x| Ok(x.keys_of(self.person.id()).await?)).await.unwrap();
        id
    }

    async fn asks(&self, owner: &Self, id: RecordId) -> RecordId {
        let asked = self.person.ask(&self.remote, owner.person.id(), [id].into(), Variant::Public);
        let request = asked.await.unwrap();
        until(&owner.remote, async |x| Ok(x.dealing(request).await?)).await.unwrap();
        request
    }

    async fn sees<T>(&self, id: RecordId, look: impl Fn(Granted) -> Option<T>) -> T {
        let look = &look;
        until(&self.remote, async |x| {
            Ok(x.dealing(id).await?.and_then(|it| it.grant).and_then(look))
        })
        .await
        .unwrap()
    }
}

fn terms(proxy: Option<u32>) -> Terms {
    Terms { records: [].into(), blocks: BLOCKS, proxy: proxy.map(InstitutionId::new) }
}

#[test]
fn cli_2_3_a_person_grants_and_revokes_with_a_light_client() {
    //= harness/spec/clients.md#cli-2-light-client
    //= type=test
    //# CLI-2.3 (paper): A person MUST be able to grant and to revoke with a light client.
    //= harness/spec/clients.md#cli-2-light-client
    //= type=test
    //# CLI-2.7 (ours): A light client MUST compute who may read a record from the acts that an answer
    //# proves.
    //= harness/spec/reencryption.md#pre-7-revocation
    //= type=test
    //# PRE-7.1 (paper): The owner MUST be able to revoke a grant.
    town(&[], async |town| {
        let (mut patient, doctor, stranger) =
            (town.somebody(1, 1), town.somebody(2, 6), town.somebody(3, 3));
        let id = patient.adds(&file(0x11)).await;
        assert_eq!(patient.person.read(&patient.remote, id).await.unwrap(), file(0x11));
        let nothing = doctor.person.received(&doctor.remote, id).await.unwrap();
        assert_eq!(nothing, None);
        let request = doctor.asks(&patient, id).await;
        let (mut told, wish) = (Vec::new(), terms(Some(4)));
        let grant =
            patient.person.settle(&patient.remote, request, &wish, |it| told.push(it)).await;
        let (grant, proxy) = (grant.unwrap(), InstitutionId::new(4));
        let [first, Reached::Chosen { proxy: chosen }, Reached::Delivered { .. }] = told[..] else {
            panic!("{told:?}")
        };
        assert!(matches!(first, Reached::Granted { grant: booked, .. } if booked == grant));
        assert_eq!(chosen, proxy);
        let received =
            until(&doctor.remote, async |x| doctor.person.received(x, id).await).await.unwrap();
        assert_eq!(received, grant);
        let opened = doctor.person.open(&doctor.remote, grant, id).await.unwrap();
        assert_eq!(opened, file(0x11));

        // It goes on where it was, whoever holds the secret.
        let mut again = town.somebody(1, 1);
        let (mut retold, other) = (Vec::new(), terms(Some(2)));
        let settled = again.person.settle(&again.remote, request, &other, |it| retold.push(it));
        assert_eq!((settled.await.unwrap(), &retold), (grant, &told));
        for one in [&patient, &again] {
            one.person.reward(&one.remote, grant).await.unwrap();
        }
        served_once(town, grant, proxy).await;

        // A full client knows the same.
        let desk = town.served[6].desk();
        let known = patient.remote.dealing(grant).await.unwrap().unwrap();
        assert_eq!(doctor.remote.dealing(request).await.unwrap().as_ref(), Some(&known));
        assert_eq!(desk.dealing(grant).await.unwrap(), Some(known));

        // A stranger is told nothing and can do nothing.
        let (theirs, remote) = (patient.person.id(), &stranger.remote);
        let reward = stranger.person.reward(remote, grant).await.unwrap_err();
        let revoked = stranger.person.revoke(remote, grant).await.unwrap_err();
        for refused in [reward, revoked] {
            assert!(matches!(refused, SharingError::NotBooked { .. }), "{refused}");
        }
        let record = remote.record(id).await.map(|_| ()).unwrap_err();
        let dealings = remote.dealings_of(theirs).await.map(|_| ()).unwrap_err();
        for refused in [record, dealings, remote.request(theirs).await.unwrap_err()] {
            let is_it =
                matches!(refused, ExchangeError::Refused { .. } | ExchangeError::Unproven { .. });
            assert!(is_it, "{refused}");
        }

        // Taken back before somebody is chosen: nothing comes of it.
        let request = doctor.asks(&patient, id).await;
        let wanted = [id].into();
        let second = patient.person.grant(&patient.remote, request, &wanted, BLOCKS).await.unwrap();
        patient.sees(second, |it| it.bids.get(&proxy).copied()).await;
        for grant in [grant, second] {
            patient.person.revoke(&patient.remote, grant).await.unwrap();
            patient.sees(grant, |it| it.revocation).await;
        }
        let over = patient.person.settle(&patient.remote, request, &wish, |_| {}).await;
        assert!(
            matches!(over, Err(SharingError::NotNow { why: "was taken back", .. })),
            "{over:?}"
        );
        doctor.sees(second, |it| it.revocation).await;
        let closed = doctor.person.open(&doctor.remote, second, id).await.unwrap_err();
        assert!(matches!(closed, SharingError::NotNow { .. }), "{closed}");
        let denied = doctor.remote.record(id).await.unwrap_err();
        assert!(matches!(denied, ExchangeError::Refused { .. }), "{denied}");
        for one in [&patient, &doctor] {
            assert_eq!(one.remote.take_objections(), []);
        }
    });
}

#[test]
fn a_record_that_waits_to_be_booked_is_no_refusal_to_who_sends_it_again() {
    town(&[], async |town| {
        let patient = town.somebody(1, 1);
        let (key, owner) = (Secret::from_seed([1; 32]).signing(), patient.person.id());
        let keys = patient.person.keys().to_record(owner, Clock::new().now()).unwrap();
        let remote = &patient.remote;
        let sent = || person::book(remote, keys.clone(), &key);
        let (one, other, third) = tokio::join!(sent(), sent(), sent());
        assert_eq!([one.unwrap(), other.unwrap(), third.unwrap()], [keys.id(); 3]);
        // Another refusal stays one, and comes at once: nobody has asked for this booking.
        let stranger = town.somebody(2, 1);
        let (key, owner) = (Secret::from_seed([2; 32]).signing(), stranger.person.id());
        let keys = stranger.person.keys().to_record(owner, Clock::new().now()).unwrap();
        let remote = &stranger.remote;
        let envelope = Envelope::sign(keys, &remote.chain(), &key, remote.delegate());
        let before = remote.tip().await.unwrap().height;
        let refused = remote.submit(envelope).await.unwrap_err();
        assert!(matches!(refused, ExchangeError::Refused { .. }), "{refused}");
        let passed = remote.tip().await.unwrap().height.get() - before.get();
        assert!(passed < 10, "{passed} blocks have passed");
    });
}

#[test]
fn who_waits_for_a_chain_that_stands_is_told_for_what_and_how_long() {
    town(&[], async |town| {
        let (patient, doctor) = (town.somebody(1, 1), town.somebody(2, 2));
        let id = patient.adds(&file(0x33)).await;
        // Two of four auditors can still prove what is final, and make nothing final.
        for one in town.served.drain(6..) {
            one.stop().await.unwrap();
        }
        let Somebody { person, remote } = doctor;
        let remote = remote.with_patience(Duration::from_secs(2));
        let asked = person.ask(&remote, patient.person.id(), [id].into(), Variant::Public);
        let request = asked.await.unwrap();
        let begun = Instant::now();
        let waited = has_effect(&remote, request, async |x| {
            Ok(x.dealing(request).await?.map(|dealing| dealing.request))
        });
        let error = waited.await.unwrap_err();
        let SharingError::Waits { act, error: ExchangeError::Stands { height, waited_s } } = error
        else {
            panic!("{error}")
        };
        assert_eq!(act, request);
        assert!(waited_s >= 2, "{waited_s}");
        assert_eq!(height, remote.tip().await.unwrap().height);
        assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    });
}

/// The chain has one receipt of the proxy's service in each epoch at most, and one at all.
async fn served_once(town: &Town, grant: RecordId, proxy: InstitutionId) {
    let desk = town.served[0].desk();
    let books = town.served[0].interface().shelf().books();
    let (mut height, mut services) = (Height::new(0), Vec::new());
    while services.is_empty() {
        desk.above(height).await.unwrap();
        while let Some(commit) = books.commit_above(height).unwrap() {
            for block in commit.decision.blocks.iter() {
                height = block.signed.header.height;
                services.extend(block.payload.events.services.iter().copied());
            }
        }
    }
    for service in &services {
        assert_eq!((service.grant, service.institution), (grant, proxy));
    }
    let mut epochs: Vec<_> = services.iter().map(|service| service.epoch).collect();
    epochs.dedup();
    assert_eq!(epochs.len(), services.len());
}

/// Bids and revocations are left out.
fn leaves_out(answer: Answer) -> Answer {
    let Answer::Sharing(mut answer) = answer else { return answer };
    answer.records.retain(|record| {
        let act = record.content.as_ref().and_then(|bytes| Act::from_bytes(&bytes.0).ok());
        !matches!(act, Some(Act::Bid(_) | Act::Revocation(_)))
    });
    Answer::Sharing(answer)
}

/// A request says something else than its reader signed.
fn forges(answer: Answer) -> Answer {
    let Answer::Sharing(mut answer) = answer else { return answer };
    let content = answer.records.iter_mut().find_map(|record| record.content.as_mut());
    if let Some(byte) = content.and_then(|bytes| bytes.0.last_mut()) {
        *byte ^= 1;
    }
    Answer::Sharing(answer)
}

fn of(objections: &[Objection], institution: u32) -> Vec<(Check, String)> {
    let theirs = objections.iter().filter(|it| it.from == InstitutionId::new(institution));
    let refused = theirs.map(|it| match &it.why {
        Why::Refused(refused) => (refused.check, refused.why.clone()),
        Why::Silent(error) => panic!("{error}"),
    });
    refused.collect()
}

#[test]
fn cli_2_2_institutions_that_lie_to_those_who_share_are_found_out() {
    //= harness/spec/clients.md#cli-2-light-client
    //= type=test
    //# CLI-2.2 (paper): A light client MUST check every answer itself.
    //= harness/spec/database.md#ddb-3-finding
    //= type=test
    //# DDB-3.3 (ours): A reader MUST compare a file with the digest it asked for before opening it.
    let lies = [
        (2, Lie::Objects),
        (4, Lie::Accepts),
        (5, Lie::Answers(leaves_out)),
        (6, Lie::Answers(forges)),
    ];
    town(&lies, async |town| {
        let (mut patient, doctor) = (town.somebody(1, 3), town.somebody(2, 7));
        let id = patient.adds(&file(0x22)).await;
        let request = doctor.asks(&patient, id).await;
        let wish = terms(Some(1));
        let settled = patient.person.settle(&patient.remote, request, &wish, |_| {}).await;
        let grant = settled.unwrap();
        until(&doctor.remote, async |x| doctor.person.received(x, id).await).await.unwrap();
        let opened = doctor.person.open(&doctor.remote, grant, id).await.unwrap();
        assert_eq!(opened, file(0x22));
        let objections = doctor.remote.take_objections();
        let other_bytes = of(&objections, 2);
        assert!(!other_bytes.is_empty(), "{objections:?}");
        assert!(other_bytes.iter().all(|(check, _)| *check == Check::Content), "{other_bytes:?}");

        let objections = patient.remote.take_objections();
        let (left_out, forged) = (of(&objections, 5), of(&objections, 6));
        let is_bid = |(check, why): &(Check, String)| {
            *check == Check::Agreement && why.starts_with("act ") && why.ends_with("5 has not")
        };
        assert!(left_out.iter().any(is_bid), "{objections:?}");
        assert!(!forged.is_empty(), "{objections:?}");
        assert!(forged.iter().all(|(check, _)| *check == Check::Content), "{forged:?}");

        patient.person.revoke(&patient.remote, grant).await.unwrap();
        let revocation = patient.sees(grant, |it| it.revocation).await;
        let left_out = of(&patient.remote.take_objections(), 5);
        assert!(!left_out.is_empty(), "the revocation {revocation:?} is left out");

        // Where only one honest auditor can be asked, nothing is known.
        let mut network = town.local.network().clone();
        network.members[7].web = None;
        let client = LightClient::open(&network, None).unwrap();
        let signing = Secret::from_seed([1; 32]).signing();
        let alone = Remote::new(&network, client, signing, None).unwrap();
        let unknown = alone.dealing(grant).await.unwrap_err();
        assert!(matches!(unknown, ExchangeError::Unproven { .. }), "{unknown}");
        assert!(unknown.to_string().contains("institution 6: refused at the check of content"));

        // A delegate that signs for something else.
        let theirs = town.somebody(4, 4);
        let unsigned = theirs.person.add_inline(&theirs.remote, label(), b"one".to_vec()).await;
        let unproven = |error: &SharingError| {
            matches!(error, SharingError::Exchange(ExchangeError::Unproven { .. }))
        };
        assert!(unsigned.as_ref().is_err_and(unproven), "{unsigned:?}");
        // Nobody but a member with an interface can be one.
        let signing = Secret::from_seed([1; 32]).signing();
        let client = LightClient::open(&network, None).unwrap();
        let institution = InstitutionId::new(8);
        let offline = Remote::new(&network, client, signing, Some(institution)).unwrap_err();
        assert_eq!(offline, DelegateError::Offline { institution });
    });
}
