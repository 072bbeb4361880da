//! Messages of other institutions on their way to the node. [CON-7]
//!
//! Bytes become messages, and owners' signatures in Items and records are checked on all cores before the node
//! asks for them. A message whose signatures fail goes on as it is: the node finds out and knows what it means.

use std::sync::Arc;

use tokio::sync::{Semaphore, mpsc};

use super::metrics::Metrics;
use super::order::Order;
use super::signatures::Prechecked;
use crate::codec::Wire;
use crate::ledger::Envelope;
use crate::node::Message;
use crate::types::{ChainId, InstitutionId};

/// Messages whose signatures are checked at a time; more wait on their links.
const CHECKED_AT_ONCE: usize = 16;

/// Takes messages of other institutions. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Peers {
    chain: ChainId,
    scheme: Prechecked,
    orders: mpsc::Sender<Order>,
    metrics: Arc<Metrics>,
    checks: Arc<Semaphore>,
}

impl Peers {
    /// Hands on to a driver; `scheme` is the one of its node.
    #[must_use]
    pub fn new(
        chain: ChainId,
        scheme: Prechecked,
        orders: mpsc::Sender<Order>,
        metrics: Arc<Metrics>,
    ) -> Self {
        let checks = Arc::new(Semaphore::new(CHECKED_AT_ONCE));
        Self { chain, scheme, orders, metrics, checks }
    }

    /// Takes the bytes of one message; false when the driver has ended. Waits while the node is busy.
    pub async fn take(&self, from: InstitutionId, bytes: &[u8]) -> bool {
        let message = match Message::from_bytes(bytes) {
            Ok(message) => message,
            Err(error) => {
                self.metrics.garbage.inc();
                tracing::warn!(%from, %error, "a message that is none");
                return true;
            }
        };
        let order = move |message| Order::Message { from, message: Box::new(message) };
        if !matches!(message, Message::Item(_) | Message::Records(_)) {
            return self.orders.send(order(message)).await.is_ok();
        }
        let Ok(permit) = self.checks.clone().acquire_owned().await else { return false };
        let (peers, orders) = (self.clone(), self.orders.clone());
        tokio::task::spawn_blocking(move || {
            peers.check(&message);
            // The node is busy when this waits, and then nothing more is taken from the links.
            let sent = orders.blocking_send(order(message));
            drop((sent, permit));
        });
        true
    }

    fn check(&self, message: &Message) {
        let envelopes: Vec<&Envelope> = match message {
            Message::Item(item) => item.records.iter().collect(),
            Message::Records(records) => records.iter().map(Arc::as_ref).collect(),
            _ => return,
        };
        self.scheme.learn(&envelopes, &self.chain);
    }
}
