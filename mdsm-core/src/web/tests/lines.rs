//! Line by line: who is answered what.

use super::*;
use crate::client::{Place, Role, Speaker};
use crate::codec::Wire as _;
use crate::ledger::{Content, MediaType, Metadata, Record, ResourceType, ServiceKind};
use crate::types::Epoch;

fn owner() -> OwnerId {
    key(1).owner()
}

/// A question of each kind about somebody.
fn private() -> [Question; 6] {
    let (id, at) = (RecordId::new([2; 32]), HEAD);
    let after = Some(Place { height: Height::new(1), item: 2, index: 3 });
    [
        Question::Records { owner: owner(), at, after },
        Question::Record { id, at },
        Question::Sharing { person: owner(), role: Role::Owner, at, after: None },
        Question::Sharing { person: owner(), role: Role::Reader, at, after },
        Question::Keys { owner: owner(), at },
        Question::Receipt { id, at },
    ]
}

#[tokio::test]
async fn cli_1_5_no_line_about_an_owner_answers_without_a_call_for_it() {
    //= harness/spec/clients.md#cli-1-full-client
    //= type=test
    //# CLI-1.5 (ours): A full client MUST answer a question about the records of an owner only to a call
    //# signed, at most 60,000 milliseconds away from its clock, by the owner or by a reader to whom a
    //# grant that holds opens what is answered.
    let fake = Fake::new();
    let router = open(&fake);
    for question in private() {
        let line = question.line();
        let other = line.replace("at=9", "at=8");
        let late = Timestamp::new(NOW.get() - 60_001);
        let late = Caller::sign(&CHAIN, "GET", &line, late, &key(1)).to_string();
        let foreign = Caller::sign(&ChainId::new([8; 32]), "GET", &line, NOW, &key(1)).to_string();
        let forged =
            call(1, "GET", &line).replace(&owner().to_string(), &key(3).owner().to_string());
        for (call, why) in [
            (None, "authorization: this is answered to a signed call only"),
            (Some(String::new()), "authorization: `MDSM key="),
            (Some("Basic bWRzbTptZHNt".to_owned()), "authorization: `MDSM key="),
            (Some(call(1, "GET", &other)), "authorization.signature: does not hold"),
            (Some(call(1, "POST", &line)), "authorization.signature: does not hold"),
            (Some(late), "authorization.time: 999939999 is more than 60000 ms away"),
            (Some(foreign), "authorization.signature: does not hold"),
            (Some(forged), "authorization.signature: does not hold"),
        ] {
            let (status, response) = ask(&router, get(&line, call.clone())).await;
            assert_eq!(status, 401, "{line} {call:?}");
            assert_eq!(response.headers()["www-authenticate"], "MDSM");
            assert!(told(&response).starts_with(why), "{}", told(&response));
        }
        let mut twice = get(&line, Some(call(1, "GET", &line)));
        twice.headers_mut().append("authorization", "MDSM".parse().unwrap());
        assert_eq!(ask(&router, twice).await.0, 400);
    }
    assert_eq!(*fake.asked.lock().unwrap(), [], "nothing of it has reached the institution");
    for question in private() {
        let line = question.line();
        assert_eq!(ask(&router, get(&line, Some(call(4, "GET", &line)))).await.0, 200);
    }
    let expected = private().map(|question| (question, Some(key(4).owner())));
    assert_eq!(*fake.asked.lock().unwrap(), expected, "the institution is told who asks");
}

#[tokio::test]
async fn cli_1_6_every_answer_carries_the_signature_of_the_institution() {
    //= harness/spec/clients.md#cli-1-full-client
    //= type=test
    //# CLI-1.6 (ours): An institution MUST sign each answer that it gives, together with the question.
    let fake = Fake::new();
    let router = open(&fake);
    let mut lines: Vec<String> = private().iter().map(Question::line).collect();
    lines.extend(["/v1/status", "/v1/roster", "/v1/roster?from=3"].map(str::to_owned));
    for line in lines {
        let (status, response) = ask(&router, get(&line, Some(call(1, "GET", &line)))).await;
        assert_eq!(status, 200, "{line}");
        let field = |name: &str| response.headers()[name].to_str().unwrap();
        assert_eq!(field("mdsm-institution"), "5");
        let signature = field("mdsm-signature").parse().unwrap();
        let speaker = Speaker { institution: ME, signature };
        let check = |line: &str| speaker.check(&CHAIN, line, response.body(), &key(5).owner());
        assert_eq!((check(&line).is_ok(), check("/v1/status?").is_ok()), (true, false), "{line}");
    }
    let public = [Question::Status, Question::Roster { from: Epoch::new(0) }];
    for question in public {
        assert_eq!(ask(&router, get(&question.line(), None)).await.0, 200, "anybody may ask");
    }
    // A height that is not named is the highest that can be proven.
    let line = format!("/v1/owners/{}/records", owner());
    ask(&router, get(&line, Some(call(1, "GET", &line)))).await;
    let asked = fake.asked.lock().unwrap().last().unwrap().0;
    assert_eq!(asked, Question::Records { owner: owner(), at: HEAD, after: None });
}

#[tokio::test]
async fn what_is_not_answered_says_what_is_wrong_and_where() {
    let router = open(&Fake::new());
    let (id, digest) = (RecordId::new([2; 32]), sha256(b"sealed"));
    for (method, line, expected, why) in [
        ("GET", "/v1".to_owned(), 404, "path: nothing is here"),
        ("GET", "/v2/status".to_owned(), 404, "path: nothing is here"),
        ("DELETE", "/v1/status".to_owned(), 405, "method: DELETE is not among"),
        ("GET", "/v1/requests".to_owned(), 405, "method: GET is not among"),
        ("GET", "/v1/status?at=1".to_owned(), 400, "line.query: `at` is unknown here"),
        ("GET", format!("/v1/records/{id}?at=x"), 400, "line.at: `x` is no number"),
        ("GET", "/v1/records/12".to_owned(), 400, "line.id: 2 characters where 64"),
        ("GET", "/v1/owners/..%2f/records".to_owned(), 400, "line.owner: 5 characters"),
        ("GET", "/v1/objects/..%2fsecret".to_owned(), 400, "line.digest: 11 characters"),
        ("GET", format!("/v1/objects/{digest}"), 404, "object 8df5"),
        ("POST", "/v1/requests".to_owned(), 401, "authorization: this is answered"),
        ("PUT", format!("/v1/objects/{digest}"), 401, "authorization: this is answered"),
        ("POST", "/v1/records".to_owned(), 400, "body: "),
        ("POST", "/v1/services".to_owned(), 400, "body: "),
        ("GET", "/v1/readers/12/grants".to_owned(), 400, "line.reader: 2 characters where 64"),
    ] {
        let (status, response) = ask(&router, request(method, &line, None, Body::empty())).await;
        assert_eq!(status, expected, "{method} {line}");
        let told = told(&response);
        assert!(told.starts_with(why) || why == "object 8df5" && told.ends_with("is not here"));
        assert!(!response.headers().contains_key("mdsm-signature"), "no answer, no signature");
    }
}

#[tokio::test]
async fn whatever_comes_a_browser_may_do_nothing_else_with_it() {
    let router = open(&Fake::new());
    for line in ["/", "/v1/status", "/v1/nothing", "/openapi.json", "/metrics", "/v1/headers"] {
        let (_, response) = ask(&router, get(line, None)).await;
        let field = |name: &str| response.headers()[name].to_str().unwrap();
        assert!(field("content-security-policy").starts_with("default-src 'none'"), "{line}");
        assert!(!field("content-security-policy").contains("unsafe"), "{line}");
        assert_eq!(field("x-content-type-options"), "nosniff");
        assert!(response.headers().contains_key("content-type"), "{line}");
    }
}

fn envelope(content: &[u8]) -> Envelope {
    let metadata = Metadata::new(
        ResourceType::new("Observation").unwrap(),
        MediaType::new("text/plain").unwrap(),
        NOW,
        content.len().try_into().unwrap(),
    );
    let record = Record::new(owner(), metadata, Content::inline(content).unwrap()).unwrap();
    Envelope::sign(record, &CHAIN, &key(1), ME)
}

#[tokio::test]
async fn cli_1_3_a_record_is_declared_after_a_visit() {
    //= harness/spec/clients.md#cli-1-full-client
    //= type=test
    //# CLI-1.3 (paper): A hospital MUST be able to declare a patient's record to the producers with a
    //# full client at the end of a visit.
    //= harness/spec/consensus.md#con-1-request-and-acceptance
    //= type=test
    //# CON-1.1 (paper): A user MUST be able to ask for the booking of a record by presenting its public
    //# key.
    let fake = Fake::new();
    let router = open(&fake);
    let line = "/v1/requests";
    let signed = request("POST", line, Some(call(1, "POST", line)), Body::empty());
    assert_eq!(ask(&router, signed).await.0, 202);
    assert_eq!(*fake.requests.lock().unwrap(), [owner()]);
    let with_body = request("POST", line, Some(call(1, "POST", line)), "x");
    assert_eq!(ask(&router, with_body).await.0, 413);

    // The largest record there is, and each of its bytes in turn of the head and tail damaged.
    let sound = envelope(&vec![9; crate::params::INLINE_CONTENT_BYTES_MAX]);
    let bytes = sound.to_bytes();
    assert!(bytes.len() < Bounds::default().record_bytes_max);
    let send = |bytes: Vec<u8>| ask(&router, request("POST", "/v1/records", None, bytes));
    let (status, response) = send(bytes.clone()).await;
    assert_eq!((status, response.body().len()), (202, r#"{"record":""}"#.len() + 64));
    assert_eq!(*fake.records.lock().unwrap(), [sound.record.id()]);
    for at in (0..60).chain(bytes.len() - 60..bytes.len()) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1;
        let delegate = bytes.len() - 4;
        let (status, response) = send(damaged).await;
        // The owner does not sign which delegate books.
        assert_eq!(status, if at >= delegate { 202 } else { 400 }, "{at}");
        assert!(status == 202 || told(&response).starts_with("body: "));
    }
}

#[tokio::test]
async fn a_receipt_of_service_is_taken_as_its_client_signed_it() {
    let fake = Fake::new();
    let router = open(&fake);
    let served = (ME, ServiceKind::Reencryption);
    let service = Service::sign(&CHAIN, RecordId::new([2; 32]), Epoch::new(3), served, &key(1));
    let send = |bytes: Vec<u8>| ask(&router, request("POST", "/v1/services", None, bytes));
    let bytes = service.to_bytes();
    let (status, response) = send(bytes.clone()).await;
    assert_eq!(status, 202);
    let told: Value = serde_json::from_slice(response.body()).unwrap();
    assert_eq!(told, json!({ "grant": service.grant, "epoch": 3, "booked": false }));
    assert!(response.headers().contains_key("mdsm-signature"));
    let (status, response) = send(bytes.clone()).await;
    let told: Value = serde_json::from_slice(response.body()).unwrap();
    assert_eq!((status, &told["booked"]), (200, &json!(true)));
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1;
        assert_eq!(send(damaged).await.0, 400, "{at}");
    }
    let long = [bytes.as_slice(), &[0]].concat();
    assert_eq!(send(long).await.0, 413, "one byte more");
    assert_eq!(send(bytes[..140].to_vec()).await.0, 400);
    assert_eq!(*fake.services.lock().unwrap(), [service]);
}

#[tokio::test]
async fn bodies_are_bounded_whether_they_say_how_long_they_are_or_not() {
    let fake = Fake::new();
    let bounds = Bounds { record_bytes_max: 100, object_bytes_max: 10, ..Bounds::default() };
    let router = router(fake.clone(), bounds);
    // A stream of pieces says no length.
    let stream = |bytes: usize| {
        let (sender, pieces) = mpsc::channel(64);
        for _ in 0..bytes {
            sender.try_send(Ok(Bytes::from_static(b"x"))).unwrap();
        }
        Body::new(Download { bytes: 0, pieces })
    };
    let file = vec![b'x'; 11];
    let line = format!("/v1/objects/{}", sha256(&file));
    let put = |body: Body| request("PUT", &line, Some(call(1, "PUT", &line)), body);
    let mut said = put(stream(3));
    said.headers_mut().insert("content-length", 11.into());
    for (request, limit) in [
        (request("POST", "/v1/records", None, vec![0; 101]), 100),
        (put(file.clone().into()), 10),
        (put(stream(11)), 10),
        (said, 10),
    ] {
        let (status, response) = ask(&router, request).await;
        let value: Value = serde_json::from_slice(response.body()).unwrap();
        assert_eq!((status, &value["limit"]), (413, &json!(limit)));
        assert_eq!(value["error"], format!("body: more than {limit} bytes"));
        assert_eq!(response.headers()["connection"], "close");
    }
    assert!(fake.objects.lock().unwrap().is_empty());
    assert_eq!(ask(&router, put(stream(10))).await.0, 400, "another digest");
}

#[tokio::test]
async fn a_sealed_file_comes_back_as_it_was_sent_and_a_sender_has_a_name() {
    let fake = Fake::new();
    let router = open(&fake);
    let file = b"sealed bytes".to_vec();
    let line = format!("/v1/objects/{}", sha256(&file));
    let put = |call| request("PUT", &line, call, file.clone());
    assert_eq!(ask(&router, put(None)).await.0, 401);
    assert_eq!(ask(&router, put(Some(call(1, "GET", &line)))).await.0, 401);
    assert_eq!(ask(&router, put(Some(call(1, "PUT", &line)))).await.0, 201);
    let (status, response) = ask(&router, get(&line, None)).await;
    assert_eq!((status, response.body().as_ref()), (200, file.as_slice()));
    assert_eq!(response.headers()["content-length"], "12");
}
