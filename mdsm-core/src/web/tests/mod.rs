mod hostile;
mod lines;
mod openapi;
mod times;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{Request, Response};
use http_body_util::BodyExt as _;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;
use serde_json::{Value, json};
use tokio::sync::{Semaphore, mpsc};

use super::{Bounds, Download, Failure, Institution, Upload, router};
use crate::client::{Caller, Question};
use crate::crypto::sha256;
use crate::crypto::sign::{Ed25519, SigningKey};
use crate::ledger::{Envelope, Service};
use crate::node::ServiceState;
use crate::types::{
    ChainId, Digest, Height, InstitutionId, OwnerId, RecordId, Signature, Timestamp,
};

const CHAIN: ChainId = ChainId::new([7; 32]);
const NOW: Timestamp = Timestamp::new(1_000_000_000);
const HEAD: Height = Height::new(9);
const ME: InstitutionId = InstitutionId::new(5);

/// An institution that notes what it is asked.
struct Fake {
    key: SigningKey,
    asked: Mutex<Vec<(Question, Option<OwnerId>)>>,
    requests: Mutex<Vec<OwnerId>>,
    records: Mutex<Vec<RecordId>>,
    services: Mutex<Vec<Service>>,
    objects: Mutex<BTreeMap<Digest, Vec<u8>>>,
    /// Grows when somebody asks for a status.
    arrived: Semaphore,
    /// A status is answered when there is one of these.
    allowed: Semaphore,
}

impl Fake {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            key: key(5),
            asked: Mutex::default(),
            requests: Mutex::default(),
            records: Mutex::default(),
            services: Mutex::default(),
            objects: Mutex::default(),
            arrived: Semaphore::new(0),
            allowed: Semaphore::new(Semaphore::MAX_PERMITS),
        })
    }
}

impl Institution for Fake {
    fn me(&self) -> InstitutionId {
        ME
    }

    fn chain(&self) -> ChainId {
        CHAIN
    }

    fn now(&self) -> Timestamp {
        NOW
    }

    fn sign(&self, message: &[u8]) -> Signature {
        self.key.sign(message)
    }

    async fn head(&self) -> Result<Height, Failure> {
        Ok(HEAD)
    }

    async fn answer(&self, question: Question, by: Option<OwnerId>) -> Result<Vec<u8>, Failure> {
        if question == Question::Status {
            self.arrived.add_permits(1);
            self.allowed.acquire().await.unwrap().forget();
        }
        self.asked.lock().unwrap().push((question, by));
        Ok(json!({ "asked": question.line() }).to_string().into_bytes())
    }

    async fn request(&self, owner: OwnerId) -> Result<(), Failure> {
        self.requests.lock().unwrap().push(owner);
        Ok(())
    }

    async fn submit(&self, envelope: Envelope) -> Result<RecordId, Failure> {
        let id = envelope
            .check(&CHAIN)
            .map_err(|error| Failure::Request { at: "body", why: error.to_string() })?;
        self.records.lock().unwrap().push(id);
        Ok(id)
    }

    async fn report(&self, service: Service) -> Result<ServiceState, Failure> {
        if !service.holds(&CHAIN, &Ed25519) {
            return Err(Failure::Request { at: "body", why: "is not signed".into() });
        }
        let mut services = self.services.lock().unwrap();
        if services.contains(&service) {
            return Ok(ServiceState::Booked);
        }
        services.push(service);
        Ok(ServiceState::Waiting)
    }

    async fn put_object(
        &self,
        digest: Digest,
        _: OwnerId,
        mut file: Upload,
    ) -> Result<(), Failure> {
        let mut bytes = Vec::new();
        while let Some(piece) = file.next().await? {
            bytes.extend_from_slice(&piece);
        }
        if sha256(&bytes) != digest {
            return Err(Failure::Request { at: "body", why: "has another digest".into() });
        }
        self.objects.lock().unwrap().insert(digest, bytes);
        Ok(())
    }

    async fn object(&self, digest: Digest) -> Result<Download, Failure> {
        let found = self.objects.lock().unwrap().get(&digest).cloned();
        let found = found.ok_or_else(|| Failure::Absent { what: format!("object {digest}") })?;
        let bytes = found.len().try_into().unwrap();
        let (sender, pieces) = mpsc::channel(1);
        tokio::spawn(async move {
            for piece in found.chunks(3) {
                sender.send(Ok(Bytes::copy_from_slice(piece))).await.unwrap();
            }
        });
        Ok(Download { bytes, pieces })
    }

    async fn headers(&self) -> Result<Bytes, Failure> {
        Ok(Bytes::from_static(&[3; 160]))
    }

    fn metrics(&self) -> String {
        "# EOF\n".to_owned()
    }
}

fn key(of: u8) -> SigningKey {
    SigningKey::from_seed(&[of; 32])
}

/// The signature of a call, as its field carries it.
fn call(of: u8, method: &str, line: &str) -> String {
    Caller::sign(&CHAIN, method, line, NOW, &key(of)).to_string()
}

fn open(fake: &Arc<Fake>) -> Router {
    router(fake.clone(), Bounds::default())
}

/// What a router answers without a socket: status, fields and body.
async fn ask(router: &Router, request: Request<Body>) -> (u16, Response<Bytes>) {
    let service = TowerToHyperService::new(router.clone());
    let response = service.call(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    (parts.status.as_u16(), Response::from_parts(parts, body))
}

fn request(method: &str, line: &str, call: Option<String>, body: impl Into<Body>) -> Request<Body> {
    let request = Request::builder().method(method).uri(line);
    let request = call.into_iter().fold(request, |it, call| it.header("authorization", call));
    request.body(body.into()).unwrap()
}

fn get(line: &str, call: Option<String>) -> Request<Body> {
    request("GET", line, call, Body::empty())
}

/// The error that an answer tells.
fn told(response: &Response<Bytes>) -> String {
    let value: Value = serde_json::from_slice(response.body()).unwrap();
    value["error"].as_str().unwrap().to_owned()
}
