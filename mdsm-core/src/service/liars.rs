//! Institutions for tests, of which some lie in what they sign or hand out.

use std::sync::Arc;

use axum::body::Bytes;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::{Interface, Local, Served};
use crate::client::{Answer, Question};
use crate::ledger::{Envelope, Service};
use crate::node::ServiceState;
use crate::runtime::settings::NodeFile;
use crate::types::{
    ChainId, Digest, Height, InstitutionId, OwnerId, RecordId, Signature, Timestamp,
};
use crate::web::{self, Bounds, Download, Failure, Server, Upload};

/// How an institution lies. It is honest otherwise.
#[derive(Clone, Copy, Debug)]
pub(super) enum Lie {
    /// It changes its answers.
    Answers(fn(Answer) -> Answer),
    /// It hands out other bytes, whatever is asked for.
    Objects,
    /// It says that it has accepted another record.
    Accepts,
}

struct Liar(Arc<Interface>, Lie);

/// Starts all institutions of a network; those named with a lie offer what a liar answers.
pub(super) async fn start(local: &Local, lies: &[(u32, Lie)]) -> (Vec<Served>, Vec<Server>) {
    let (mut served, mut liars) = (Vec::new(), Vec::new());
    for member in &local.network().members {
        let me = member.founder.institution;
        let mut settings = NodeFile::read(local.settings(me)).unwrap();
        let lie = lies.iter().find(|(id, _)| *id == me.get());
        let address = settings.web.take_if(|_| lie.is_some());
        let one = Served::start(&settings).await.unwrap();
        if let (Some((_, lie)), Some(address)) = (lie, address) {
            assert!(one.web().is_none());
            let listener = TcpListener::bind(address).await.unwrap();
            let liar = Arc::new(Liar(one.interface().clone(), *lie));
            liars.push(web::serve(listener, liar, Bounds::default()).unwrap());
        }
        served.push(one);
    }
    (served, liars)
}

/// Ends all of them.
pub(super) async fn stop(served: Vec<Served>, liars: Vec<Server>) {
    for liar in liars {
        liar.stop().await;
    }
    for one in served {
        one.stop().await.unwrap();
    }
}

impl web::Institution for Liar {
    fn me(&self) -> InstitutionId {
        self.0.me()
    }

    fn chain(&self) -> ChainId {
        self.0.chain()
    }

    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn sign(&self, message: &[u8]) -> Signature {
        self.0.sign(message)
    }

    async fn head(&self) -> Result<Height, Failure> {
        self.0.head().await
    }

    async fn answer(&self, question: Question, by: Option<OwnerId>) -> Result<Vec<u8>, Failure> {
        let bytes = self.0.answer(question, by).await?;
        let Lie::Answers(lie) = self.1 else { return Ok(bytes) };
        Ok(serde_json::to_vec(&lie(serde_json::from_slice(&bytes).unwrap())).unwrap())
    }

    async fn request(&self, owner: OwnerId) -> Result<(), Failure> {
        self.0.request(owner).await
    }

    async fn submit(&self, envelope: Envelope) -> Result<RecordId, Failure> {
        let record = self.0.submit(envelope).await?;
        if matches!(self.1, Lie::Accepts) { Ok(RecordId::new([0; 32])) } else { Ok(record) }
    }

    async fn report(&self, service: Service) -> Result<ServiceState, Failure> {
        self.0.report(service).await
    }

    async fn put_object(&self, digest: Digest, by: OwnerId, file: Upload) -> Result<(), Failure> {
        self.0.put_object(digest, by, file).await
    }

    async fn object(&self, digest: Digest) -> Result<Download, Failure> {
        if !matches!(self.1, Lie::Objects) {
            return self.0.object(digest).await;
        }
        let (sender, pieces) = mpsc::channel(1);
        let other = Bytes::from_static(b"other bytes");
        let bytes = u64::try_from(other.len()).unwrap();
        sender.send(Ok(other)).await.unwrap();
        Ok(Download { bytes, pieces })
    }

    async fn headers(&self) -> Result<Bytes, Failure> {
        self.0.headers().await
    }

    fn metrics(&self) -> String {
        self.0.metrics()
    }
}
