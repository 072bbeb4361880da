//! An institution as it answers over HTTP. [CLI-1]
//!
//! Cost of an answer: what it looks up, on a thread that may wait for the disk. A receipt's way into Bitcoin is
//! asked for once an epoch, the headers once a block.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;
use tokio::sync::{Semaphore, watch};

use super::files::Files;
use super::shelf::{Shelf, ShelfError};
use crate::client::Question;
use crate::client::full::{self, FullError};
use crate::crypto::sign::{Ed25519, SigningKey};
use crate::environment::Clock;
use crate::ledger::{BitcoinProof, Content, Envelope, Service};
use crate::node::{Refusal, ServiceState};
use crate::runtime::bitcoin::Watcher;
use crate::runtime::{Institution, Intake, Metrics, Status, SubmitError};
use crate::types::{
    ChainId, Digest, Epoch, Height, InstitutionId, OwnerId, RecordId, Signature, Timestamp,
};
use crate::web::{self, Download, Failure, Upload};

/// Epochs whose way into Bitcoin is kept.
const PROOFS_KEPT: usize = 64;
/// Calls that wait for the headers of Bitcoin, each of which costs a copy of all of them.
const WAITING_MAX: usize = 16;
/// Look-ups at a time: each takes a thread of those that also check signatures, of which there are 512.
const LOOK_UPS_MAX: usize = 64;

/// What an institution answers others.
pub struct Interface {
    me: InstitutionId,
    chain: ChainId,
    key: SigningKey,
    clock: Clock,
    shelf: Arc<Shelf>,
    files: Files,
    status: watch::Receiver<Status>,
    intake: Intake,
    metrics: Arc<Metrics>,
    watcher: Option<Arc<Watcher>>,
    /// By epoch.
    proofs: Mutex<BTreeMap<Epoch, BitcoinProof>>,
    /// As the last call has left them; whoever asks for more waits behind who asks already.
    headers: Arc<tokio::sync::Mutex<Bytes>>,
    /// Places of those who wait for the headers.
    waiting: Arc<Semaphore>,
    /// Places of look-ups.
    looking: Arc<Semaphore>,
}

impl fmt::Debug for Interface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interface").field("institution", &self.me).finish_non_exhaustive()
    }
}

impl Interface {
    /// The interface of an institution whose key signs its answers.
    pub fn new(
        institution: &Institution,
        shelf: Arc<Shelf>,
        key: SigningKey,
        files: Files,
    ) -> Self {
        Self {
            me: institution.me(),
            chain: *shelf.chain(),
            key,
            clock: Clock::new(),
            shelf,
            files,
            status: institution.status(),
            intake: institution.intake().clone(),
            metrics: institution.metrics().clone(),
            watcher: institution.watcher().cloned(),
            proofs: Mutex::default(),
            headers: Arc::default(),
            waiting: Arc::new(Semaphore::new(WAITING_MAX)),
            looking: Arc::new(Semaphore::new(LOOK_UPS_MAX)),
        }
    }

    /// The books that answers are looked up in.
    #[must_use]
    pub fn shelf(&self) -> &Arc<Shelf> {
        &self.shelf
    }

    /// Looks something up on a thread that may wait for the disk.
    async fn look_up<T: Send + 'static>(
        &self,
        by: Option<OwnerId>,
        look_up: impl FnOnce(&Shelf, Height) -> Result<T, FullError<ShelfError>> + Send + 'static,
    ) -> Result<T, Failure> {
        let (shelf, head) = (self.shelf.clone(), self.status.borrow().height);
        let place = self.looking.clone().acquire_owned().await;
        let place = place.map_err(|error| Failure::Fault { why: error.to_string() })?;
        let looked = tokio::task::spawn_blocking(move || {
            // Its thread is taken until this ends, whether or not anybody still waits for it.
            let _place = place;
            look_up(&shelf, head)
        });
        let looked = looked.await;
        let looked = looked.map_err(|error| Failure::Fault { why: error.to_string() })?;
        looked.map_err(|error| failure(error, by))
    }

    /// The way of the anchor above a record into Bitcoin. Without it a receipt says less, and holds.
    async fn bitcoin(&self, id: RecordId) -> Result<Option<(Epoch, BitcoinProof)>, Failure> {
        let Some(watcher) = &self.watcher else { return Ok(None) };
        let epoch = self.look_up(None, move |shelf, _| {
            let Some(located) = shelf.books().rows().locate(&id).map_err(ShelfError::from)? else {
                return Ok(None);
            };
            Ok(shelf.books().epoch_at(located.height).map_err(ShelfError::from)?)
        });
        let Some(epoch) = epoch.await? else { return Ok(None) };
        if let Some(known) = self.proofs().get(&epoch) {
            return Ok(Some((epoch, known.clone())));
        }
        if watcher.place(epoch).is_none() {
            return Ok(None);
        }
        match watcher.proof(epoch).await {
            Ok(proof) => {
                let mut proofs = self.proofs();
                proofs.insert(epoch, proof.clone());
                while proofs.len() > PROOFS_KEPT {
                    proofs.pop_first();
                }
                Ok(Some((epoch, proof)))
            }
            Err(error) => {
                tracing::warn!(%error, %epoch, "a receipt goes without its way into Bitcoin");
                Ok(None)
            }
        }
    }

    fn proofs(&self) -> std::sync::MutexGuard<'_, BTreeMap<Epoch, BitcoinProof>> {
        // Each entry is put in whole.
        self.proofs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl web::Institution for Interface {
    fn me(&self) -> InstitutionId {
        self.me
    }

    fn chain(&self) -> ChainId {
        self.chain
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn sign(&self, message: &[u8]) -> Signature {
        self.key.sign(message)
    }

    async fn head(&self) -> Result<Height, Failure> {
        self.look_up(None, |shelf, head| full::provable(&shelf.at(head, None)?)).await
    }

    async fn answer(&self, question: Question, by: Option<OwnerId>) -> Result<Vec<u8>, Failure> {
        let bitcoin = match question {
            Question::Receipt { id, .. } => self.bitcoin(id).await?,
            _ => None,
        };
        let answer = self.look_up(by, move |shelf, head| {
            full::answer(&shelf.at(head, bitcoin)?, &question, by.as_ref())
        });
        let answer = answer.await?;
        serde_json::to_vec(&answer).map_err(|error| Failure::Fault { why: error.to_string() })
    }

    async fn request(&self, owner: OwnerId) -> Result<(), Failure> {
        self.intake.request(owner).await.map_err(refused)
    }

    async fn submit(&self, envelope: Envelope) -> Result<RecordId, Failure> {
        let is_file_stored = match envelope.record.content() {
            Content::Inline(_) => false,
            Content::Stored(digest) => self.files.holds(digest).await?,
        };
        self.intake.submit(envelope, is_file_stored).await.map_err(refused)
    }

    async fn report(&self, service: Service) -> Result<ServiceState, Failure> {
        if !service.holds(&self.chain, &Ed25519) {
            let why = "the client of the service has not signed it for this network".to_owned();
            return Err(Failure::Request { at: "body", why });
        }
        let earned = self.look_up(None, move |shelf, head| {
            let register = shelf.register(head)?;
            Ok(register.access().client_of(&service.grant, service.institution))
        });
        if earned.await? != Some(service.client) {
            let why = "the chain does not say that this client was served so".to_owned();
            return Err(Failure::Conflict { at: "service", why, limit: None });
        }
        self.intake.report(service).await.map_err(refused)
    }

    async fn put_object(&self, digest: Digest, by: OwnerId, file: Upload) -> Result<(), Failure> {
        tracing::debug!(%digest, %by, "a file arrives");
        self.files.take(&digest, file).await
    }

    async fn object(&self, digest: Digest) -> Result<Download, Failure> {
        self.files.give(&digest).await
    }

    async fn headers(&self) -> Result<Bytes, Failure> {
        let Some(watcher) = self.watcher.clone() else {
            let why = "no Bitcoin node is configured here";
            return Err(Failure::NotOffered { at: "headers", why });
        };
        let Ok(place) = self.waiting.clone().try_acquire_owned() else {
            let why = format!("headers: {WAITING_MAX} wait for them already");
            return Err(Failure::Busy { why });
        };
        let kept = self.headers.clone();
        // The first time on mainnet takes longer than anybody waits; it goes on without them.
        let read = tokio::spawn(async move {
            let _place = place;
            let mut kept = kept.lock().await;
            let headers = watcher.headers(kept.to_vec()).await?;
            *kept = headers.into();
            Ok::<Bytes, crate::runtime::bitcoin::ProveError>(kept.clone())
        });
        let read = read.await.map_err(|error| Failure::Fault { why: error.to_string() })?;
        read.map_err(|error| Failure::Busy { why: format!("headers: {error}") })
    }

    fn metrics(&self) -> String {
        self.metrics.text()
    }
}

fn failure(error: FullError<ShelfError>, by: Option<OwnerId>) -> Failure {
    match (error, by) {
        (FullError::Denied, Some(by)) => Failure::Denied { by },
        (FullError::Denied, None) => Failure::Unsigned,
        (error @ FullError::Ahead { provable, .. }, _) => {
            let why = error.to_string();
            Failure::Conflict { at: "line", why, limit: Some(provable.get()) }
        }
        (error, _) => Failure::Fault { why: error.to_string() },
    }
}

fn refused(error: SubmitError) -> Failure {
    let why = error.to_string();
    match error {
        SubmitError::Envelope(_) => Failure::Request { at: "body", why },
        SubmitError::Refused(Refusal::Full { .. }) | SubmitError::Stopping => Failure::Busy { why },
        SubmitError::Service { .. } => Failure::Conflict { at: "service", why, limit: None },
        SubmitError::Refused(_) => Failure::Conflict { at: "record", why, limit: None },
        SubmitError::Entropy(_) => Failure::Fault { why },
    }
}
