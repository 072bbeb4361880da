//! Eight institutions on sockets, who asks them, and two that lie.

mod storage;

use std::time::Duration;

use axum::body::Bytes;

use super::liars::{self, Lie};
use super::*;
use crate::client::full;
use crate::client::{Answer, Check, Hexed, Known, Question, Records, Refused};
use crate::codec::Wire as _;
use crate::crypto::sign::SigningKey;
use crate::ledger::{Content, Envelope, MediaType, Metadata, Record, ResourceType};
use crate::params::SMALL;
use crate::runtime::settings::NetworkFile;
use crate::types::{Height, InstitutionId, RecordId};
use crate::web::Server;

const PACE: Pace = Pace { turn_ms: 100, minute_ms: 500, window_ms: 3_000, delay_ms: 50 };
const PATIENCE: Duration = Duration::from_secs(120);

/// The second record is left out.
fn leaves_out(answer: Answer) -> Answer {
    let Answer::Records(mut answer) = answer else { return answer };
    answer.records.remove(1);
    Answer::Records(answer)
}

/// The first record is somebody else's.
fn alters(answer: Answer) -> Answer {
    let Answer::Records(mut answer) = answer else { return answer };
    let mut booking = answer.records[0].booking.0.clone();
    booking.owner = SigningKey::from_seed(&[77; 32]).owner();
    answer.records[0].booking = Hexed(booking);
    Answer::Records(answer)
}

struct Stage {
    folder: tempfile::TempDir,
    network: NetworkFile,
    served: Vec<Served>,
    liars: Vec<Server>,
    patient: SigningKey,
}

impl Stage {
    async fn set(lies: &[(u32, Lie)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let local = Local::create(folder.path().join("network"), SMALL, PACE, None).unwrap();
        let network = local.network().clone();
        let (served, liars) = liars::start(&local, lies).await;
        let patient = SigningKey::from_seed(&[41; 32]);
        Self { folder, network, served, liars, patient }
    }

    fn web(&self, institution: u32) -> &str {
        let member = self.network.member(InstitutionId::new(institution)).unwrap();
        member.web.as_deref().unwrap()
    }

    fn client(&self) -> LightClient {
        LightClient::open(&self.network, None).unwrap()
    }

    fn envelope(&self, content: &str, delegate: u32) -> Envelope {
        let metadata = Metadata::new(
            ResourceType::new("Observation").unwrap(),
            MediaType::new("text/plain").unwrap(),
            self.network.genesis.started_at,
            content.len().try_into().unwrap(),
        );
        let content = Content::inline(content).unwrap();
        let record = Record::new(self.patient.owner(), metadata, content).unwrap();
        let chain = self.network.genesis.chain_id();
        Envelope::sign(record, &chain, &self.patient, InstitutionId::new(delegate))
    }

    /// A visit: records over HTTP, then a height at which all of them can be shown.
    async fn visit(&self, client: &mut LightClient, contents: &[&str]) -> Height {
        let asker = client.asker().clone();
        let (web, key) = (self.web(1), Some(&self.patient));
        asker.post(web, "/v1/requests", key, Bytes::new()).await.unwrap();
        for content in contents {
            let envelope = self.envelope(content, 1);
            let told = asker.post(web, "/v1/records", None, envelope.to_bytes()).await.unwrap();
            let expected = format!("{{\"record\":\"{}\"}}", envelope.record.id());
            assert_eq!(told.body, expected.as_bytes());
        }
        let count = u64::try_from(contents.len()).unwrap();
        for one in &self.served {
            let mut status = one.institution().status();
            let booked = status.wait_for(|now| now.records >= count);
            tokio::time::timeout(PATIENCE, booked).await.expect("booked in time").unwrap();
        }
        // A block whose committees are not certified yet cannot be shown yet.
        let booked_at = self.served[0].institution().status().borrow().height;
        let mut status = self.served[0].institution().status();
        let shown = async {
            loop {
                let height = client.follow().await.unwrap();
                if height >= booked_at {
                    return height;
                }
                status.changed().await.unwrap();
            }
        };
        tokio::time::timeout(PATIENCE, shown).await.expect("shown in time")
    }

    /// What a full client itself knows of the patient's records.
    fn known(&self, institution: usize, at: Height) -> Records {
        let one = &self.served[institution - 1];
        let owner = self.patient.owner();
        let head = one.institution().status().borrow().height;
        let view = one.interface().shelf().at(head, None).unwrap();
        let question = Question::Records { owner, at, after: None };
        let Ok(Known::Records(known)) = full::known(&view, &question, Some(&owner)) else {
            panic!()
        };
        known
    }

    async fn clear(self) {
        liars::stop(self.served, self.liars).await;
    }
}

/// Where and what; standings rise while one looks.
fn places(records: &Records) -> Vec<(RecordId, String)> {
    records.records.iter().map(|one| (one.id, one.place.to_string())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn cli_4_1_a_light_client_over_http_says_what_full_clients_know() {
    //= harness/spec/clients.md#cli-4-one-answer
    //= type=test
    //# CLI-4.1 (paper): The three clients MUST give the same answer to the same question at the same
    //# finalized height.
    //= harness/spec/clients.md#cli-1-full-client
    //= type=test
    //# CLI-1.2 (paper): An institution MUST be able to offer an interface on its full client to others.
    //= harness/spec/clients.md#cli-2-light-client
    //= type=test
    //# CLI-2.1 (paper): A light client MUST answer from other nodes without storing records itself.
    let stage = Stage::set(&[]).await;
    let mut client = stage.client();
    let at = stage.visit(&mut client, &["one", "two", "three"]).await;
    let (found, objections) = client.records(&stage.patient, at).await.unwrap();
    assert_eq!((found.records.len(), objections.len()), (3, 0), "{objections:?}");
    for institution in [1, 4, 5, 8] {
        assert_eq!(places(&stage.known(institution, at)), places(&found));
    }
    let id = found.records[0].id;
    let answered = client.ask(&Question::Record { id, at }, &stage.patient).await.unwrap();
    let Known::Record(Some(record)) = answered.known() else { panic!() };
    let contents = [&b"one"[..], b"two", b"three"];
    assert!(record.content.as_deref().is_some_and(|content| contents.contains(&content)));

    // Nobody else is answered, however the call looks.
    let asker = client.asker().clone();
    let line = Question::Records { owner: stage.patient.owner(), at, after: None }.line();
    let stranger = SigningKey::from_seed(&[42; 32]);
    for (key, expected) in [(None, 401), (Some(&stranger), 403)] {
        let declined = asker.get(stage.web(5), &line, key).await.unwrap_err();
        let is_it = matches!(&declined, AskError::Declined { status, .. } if *status == expected);
        assert!(is_it, "{declined}");
    }
    // A record that is not asked for, and one again.
    let again = stage.envelope("one", 1).to_bytes();
    let again = asker.post(stage.web(1), "/v1/records", None, again).await.unwrap_err();
    assert!(again.to_string().contains("409: record: record"), "{again}");
    let elsewhere = stage.envelope("four", 2).to_bytes();
    let unasked = asker.post(stage.web(2), "/v1/records", None, elsewhere).await.unwrap_err();
    assert!(unasked.to_string().contains("no accepted request"), "{unasked}");
    let headers = asker.headers(stage.web(1)).await.unwrap_err();
    assert!(headers.to_string().contains("501: headers: no Bitcoin node"), "{headers}");

    // What is kept is enough to go on, and nothing else is taken for it.
    let file = stage.folder.path().join("kept");
    let mut keeping = LightClient::open(&stage.network, Some(file.clone())).unwrap();
    keeping.follow().await.unwrap();
    let resumed = LightClient::open(&stage.network, Some(file.clone())).unwrap();
    assert_eq!(resumed.light(), keeping.light());
    let text = std::fs::read_to_string(&file).unwrap();
    let forged = text.replace("\"offset\":0", "\"offset\":1");
    assert_ne!(forged, text);
    std::fs::write(&file, forged).unwrap();
    let damaged = LightClient::open(&stage.network, Some(file)).unwrap_err();
    assert!(matches!(damaged, LightError::Damaged { .. }), "{damaged}");
    stage.clear().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn cli_2_4_a_full_client_that_lies_is_refused_by_name() {
    //= harness/spec/clients.md#cli-2-light-client
    //= type=test
    //# CLI-2.2 (paper): A light client MUST check every answer itself.
    //= harness/spec/clients.md#cli-2-light-client
    //= type=test
    //# CLI-2.4 (ours): A light client MUST report an answer that fails its check as refused, with the
    //# check that failed, and never as an empty answer.
    //= harness/spec/clients.md#cli-2-light-client
    //= type=test
    //# CLI-2.6 (ours): A light client MUST refuse answers to one question unless f + 1 auditors of the
    //# newest committees it knows have given and signed them and they agree.
    let stage = Stage::set(&[(5, Lie::Answers(leaves_out)), (6, Lie::Answers(alters))]).await;
    let mut client = stage.client();
    let at = stage.visit(&mut client, &["one", "two", "three"]).await;
    let (found, objections) = client.records(&stage.patient, at).await.unwrap();
    assert_eq!(places(&found), places(&stage.known(7, at)), "two honest auditors are enough");
    assert_eq!(found.records.len(), 3);
    let refused = |id: u32| {
        let of = objections.iter().find(|it| it.from == InstitutionId::new(id)).unwrap();
        let Why::Refused(refused) = &of.why else { panic!("{of}") };
        refused.clone()
    };
    let (left_out, altered) = (refused(5), refused(6));
    let missing = found.records[1].id;
    assert_eq!(left_out.check, Check::Agreement);
    assert!(left_out.why.starts_with(&format!("record {missing}: ")), "{left_out}");
    assert!(left_out.why.ends_with("has it, 5 has not"), "{left_out}");
    assert_eq!(altered.check, Check::Item);
    assert!(altered.why.contains(&found.records[0].id.to_string()), "{altered}");

    // Those who say no have answered: that nobody answers is something else.
    let (owner, after) = (stage.patient.owner(), None);
    let (question, stranger) =
        (Question::Records { owner, at, after }, SigningKey::from_seed(&[42; 32]));
    let denied = client.ask(&question, &stranger).await.unwrap_err().to_string();
    assert!(denied.starts_with("the auditors do not answer this key:\n  institution "), "{denied}");

    // Where too few honest ones can be asked there is no answer, and it says why.
    let mut network = stage.network.clone();
    network.members[6].web = None;
    let mut client = LightClient::open(&network, None).unwrap();
    client.follow().await.unwrap();
    let error = client.records(&stage.patient, at).await.unwrap_err();
    let LightError::Refused { refused: Refused { check, why }, objections } = error else {
        panic!()
    };
    assert_eq!(check, Check::Agreement);
    assert_eq!(why, format!("record {missing}: institution 8 has it, 5 has not"));
    assert_eq!(objections.len(), 1, "{objections:?}");
    network.members[7].web = None;
    let mut client = LightClient::open(&network, None).unwrap();
    client.follow().await.unwrap();
    let error = client.records(&stage.patient, at).await.unwrap_err().to_string();
    let offline = "the file of the network has no `web` for institution 7, 8:\n";
    let too_few = format!("1 auditors have answered where 2 are needed; {offline}");
    assert!(error.contains(&too_few), "{error}");
    assert!(error.contains("\n  institution 6: refused at the check of Item: "), "{error}");
    stage.clear().await;
}
