//! Records of clients on their way to the node: signatures are checked in batches, on all cores. [CON-1]
//!
//! ```text
//! submit -> queue -> worker: up to 256 together, one batch of signatures -> driver -> disk -> answer
//! ```
//! Cost of a record: half a signature check, two hashes of its bytes, its share of a sync. A queue that is full
//! makes clients wait, and nothing grows.

use std::sync::Arc;

use thiserror::Error;
use tokio::sync::{Mutex, mpsc, oneshot};

use super::order::{Answer, Order};
use crate::environment::{EntropyError, draw};
use crate::ledger::{Envelope, EnvelopeError, Service};
use crate::node::{Input, Refusal, ServiceState, Submission};
use crate::types::{ChainId, Epoch, OwnerId, RecordId};

/// Records in one batch of signatures: from there on a larger batch saves nothing.
const BATCH_MAX: usize = 256;
/// Records that wait, at most.
const QUEUE_MAX: usize = 4_096;

/// Takes records of clients. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Intake {
    queue: mpsc::Sender<Incoming>,
    orders: mpsc::Sender<Order>,
}

#[derive(Debug)]
struct Incoming {
    envelope: Arc<Envelope>,
    is_file_stored: bool,
    answer: oneshot::Sender<Result<RecordId, SubmitError>>,
}

/// A record that was not accepted.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SubmitError {
    /// Its signature or its key.
    #[error("envelope: {0}")]
    Envelope(#[from] EnvelopeError),
    /// The node does not take it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A receipt of service that no block can carry.
    #[error(
        "receipt of service under grant {grant}: not taken; epoch {epoch} is neither open nor near, the chain does \
         not bear it out, or too many wait"
    )]
    Service {
        /// The grant.
        grant: RecordId,
        /// The epoch it is for.
        epoch: Epoch,
    },
    /// No randomness for the check of signatures.
    #[error(transparent)]
    Entropy(#[from] EntropyError),
    /// The institution is stopping; whether the record was stored is unknown.
    #[error("the institution is stopping")]
    Stopping,
}

impl Intake {
    /// Starts workers, at least one, on the runtime of the caller. They end when the driver does.
    #[must_use]
    pub fn start(chain: ChainId, orders: mpsc::Sender<Order>, workers: usize) -> Self {
        let (queue, incoming) = mpsc::channel(QUEUE_MAX);
        let incoming = Arc::new(Mutex::new(incoming));
        for _ in 0..workers.max(1) {
            tokio::spawn(work(chain, incoming.clone(), orders.clone()));
        }
        Self { queue, orders }
    }

    /// Step 1: a client asks for the booking of records of an owner.
    pub async fn request(&self, owner: OwnerId) -> Result<(), SubmitError> {
        let order = Order::Input(Box::new(Input::Request(owner)));
        self.orders.send(order).await.map_err(|_| SubmitError::Stopping)
    }

    /// A client reports a service, whose receipt somebody has checked; says how it stands.
    pub async fn report(&self, service: Service) -> Result<ServiceState, SubmitError> {
        let (answer, answered) = oneshot::channel();
        let order = Order::Report { service, answer };
        self.orders.send(order).await.map_err(|_| SubmitError::Stopping)?;
        let state = answered.await.map_err(|_| SubmitError::Stopping)?;
        let Service { grant, epoch, .. } = service;
        state.ok_or(SubmitError::Service { grant, epoch })
    }

    /// Step 4: a client sends a record; returns when it is durable. Whether the file of a record by digest is
    /// in the vault, the caller has found out.
    pub async fn submit(
        &self,
        envelope: Envelope,
        is_file_stored: bool,
    ) -> Result<RecordId, SubmitError> {
        let (answer, answered) = oneshot::channel();
        let incoming = Incoming { envelope: Arc::new(envelope), is_file_stored, answer };
        self.queue.send(incoming).await.map_err(|_| SubmitError::Stopping)?;
        answered.await.unwrap_or(Err(SubmitError::Stopping))
    }
}

async fn work(
    chain: ChainId,
    incoming: Arc<Mutex<mpsc::Receiver<Incoming>>>,
    orders: mpsc::Sender<Order>,
) {
    // The driver has places for a whole batch.
    let batch_max = BATCH_MAX.min(orders.max_capacity());
    let mut batch = Vec::with_capacity(batch_max);
    loop {
        if incoming.lock().await.recv_many(&mut batch, batch_max).await == 0 {
            return;
        }
        let taken = std::mem::replace(&mut batch, Vec::with_capacity(batch_max));
        let checked = tokio::task::spawn_blocking(move || check(taken, &chain)).await;
        let checked = checked.unwrap_or_default();
        // One wait for all of them.
        let Ok(places) = orders.reserve_many(checked.len()).await else { return };
        for (place, (submission, answer)) in places.zip(checked) {
            place.send(Order::Submit { submission, answer });
        }
    }
}

/// Checks a batch; what fails is answered at once.
fn check(batch: Vec<Incoming>, chain: &ChainId) -> Vec<(Submission, Answer)> {
    let seed = match draw() {
        Ok(seed) => seed,
        Err(error) => {
            for incoming in batch {
                drop(incoming.answer.send(Err(error.clone().into())));
            }
            return Vec::new();
        }
    };
    let (mut envelopes, mut waiting) = (Vec::new(), Vec::new());
    for Incoming { envelope, is_file_stored, answer } in batch {
        envelopes.push(envelope);
        waiting.push((is_file_stored, answer));
    }
    let mut passed = Vec::new();
    for (verdict, (is_file_stored, client)) in
        Envelope::verify_all(envelopes, chain, seed).into_iter().zip(waiting)
    {
        match verdict {
            Ok(envelope) => {
                let submission = Submission { envelope, is_file_stored };
                passed.push((submission, Answer::new(client)));
            }
            Err(error) => drop(client.send(Err(error.into()))),
        }
    }
    passed
}
