//! Messages of other institutions on their way to the node. [CON-7]
//!
//! Bytes become messages, and owners' signatures in Items and records are checked on all cores before the node
//! asks for them. A message whose signatures fail goes on as it is: the node finds out and knows what it means.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use super::metrics::Metrics;
use super::order::Order;
use super::signatures::Prechecked;
use crate::codec::Wire;
use crate::ledger::Envelope;
use crate::node::Message;
use crate::types::{ChainId, InstitutionId};

/// Kilobytes of messages whose signatures are checked or wait for it; more wait on their links. A block of ten thousand
/// small records fits, so that the votes that come behind it need not wait for it.
const UNCHECKED_KB_MAX: u32 = 64 * 1_024;
/// Messages that wait for it, at most.
const UNCHECKED_MAX: usize = 16_384;
/// Messages whose signatures are checked together, at half the cost of one message after another: an Item has
/// ten, and what a core checks fastest are some hundreds.
const TOGETHER_MAX: usize = 26;

/// Takes messages of other institutions. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Peers {
    orders: mpsc::Sender<Order>,
    metrics: Arc<Metrics>,
    unchecked: mpsc::Sender<Unchecked>,
    room: Arc<Semaphore>,
}

/// A message with signatures of owners.
struct Unchecked {
    from: InstitutionId,
    message: Message,
    /// Its place among those that wait.
    _place: OwnedSemaphorePermit,
}

/// Checks what waits.
struct Checker {
    chain: ChainId,
    scheme: Prechecked,
    orders: mpsc::Sender<Order>,
}

impl Peers {
    /// Hands on to a driver; `scheme` is the one of its node. What it checks is checked on the caller's runtime.
    #[must_use]
    pub fn new(
        chain: ChainId,
        scheme: Prechecked,
        orders: mpsc::Sender<Order>,
        metrics: Arc<Metrics>,
    ) -> Self {
        let (unchecked, waiting) = mpsc::channel(UNCHECKED_MAX);
        let checker = Checker { chain, scheme, orders: orders.clone() };
        tokio::spawn(Arc::new(checker).run(waiting));
        Self {
            orders,
            metrics,
            unchecked,
            room: Arc::new(Semaphore::new(UNCHECKED_KB_MAX as usize)),
        }
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
        if !matches!(message, Message::Item(_) | Message::Records(_)) {
            return self.orders.send(order(from, message)).await.is_ok();
        }
        let kilobytes = u32::try_from(bytes.len() / 1_024).unwrap_or(u32::MAX);
        let kilobytes = kilobytes.saturating_add(1).min(UNCHECKED_KB_MAX);
        let place = self.room.clone().acquire_many_owned(kilobytes).await;
        let Ok(place) = place else { return false };
        self.unchecked.send(Unchecked { from, message, _place: place }).await.is_ok()
    }
}

impl Checker {
    /// Checks whatever waits, on all cores, until nobody can send anything any more.
    async fn run(self: Arc<Self>, mut waiting: mpsc::Receiver<Unchecked>) {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let cores = Arc::new(Semaphore::new(cores));
        // A core first: what comes while all are busy is checked with what waits.
        while let Ok(core) = cores.clone().acquire_owned().await {
            let mut taken = Vec::new();
            if waiting.recv_many(&mut taken, TOGETHER_MAX).await == 0 {
                return;
            }
            let checker = self.clone();
            tokio::task::spawn_blocking(move || {
                checker.check(taken.iter().map(|one| &one.message));
                drop(core);
                // The node is busy when this waits, and then nothing more is taken from the links.
                for Unchecked { from, message, _place } in taken {
                    if checker.orders.blocking_send(order(from, message)).is_err() {
                        return;
                    }
                }
            });
        }
    }

    /// Whoever signs wrongly costs the others no more than a second check.
    fn check<'a>(&self, messages: impl Iterator<Item = &'a Message> + Clone) {
        let all: Vec<&Envelope> = messages.clone().flat_map(envelopes).collect();
        if !self.scheme.learn(&all, &self.chain) {
            for message in messages {
                self.scheme.learn(&envelopes(message).collect::<Vec<_>>(), &self.chain);
            }
        }
    }
}

fn envelopes(message: &Message) -> impl Iterator<Item = &Envelope> {
    let (item, records): (&[Envelope], &[Arc<Envelope>]) = match message {
        Message::Item(item) => (&item.records, &[]),
        Message::Records(records) => (&[], records),
        _ => (&[], &[]),
    };
    item.iter().chain(records.iter().map(Arc::as_ref))
}

fn order(from: InstitutionId, message: Message) -> Order {
    Order::Message { from, message: Box::new(message) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::sign::{Scheme, Signed, SigningKey};
    use crate::ledger::{Content, MediaType, Metadata, Record, ResourceType};
    use crate::types::{OwnerId, Signature, Timestamp};

    #[test]
    fn a_wrong_signature_takes_nothing_from_the_messages_beside_it() {
        let (chain, owner) = (ChainId::new([1; 32]), SigningKey::from_seed(&[2; 32]));
        let envelope = |number: u8| {
            let kind = ResourceType::new("Binary").unwrap();
            let media = MediaType::new("text/plain").unwrap();
            let metadata = Metadata::new(kind, media, Timestamp::new(0), 1);
            let content = Content::inline(vec![number]).unwrap();
            let record = Record::new(owner.owner(), metadata, content).unwrap();
            Envelope::sign(record, &chain, &owner, InstitutionId::new(1))
        };
        let sound: Vec<Envelope> = (0..5).map(envelope).collect();
        let mut wrong = envelope(9);
        wrong.owner_signature = sound[0].owner_signature;
        let message = |of: &[&Envelope]| {
            Message::Records(of.iter().map(|one| Arc::new((*one).clone())).collect())
        };
        let taken = [
            message(&[&sound[0], &sound[1]]),
            message(&[&sound[2], &wrong, &sound[3]]),
            message(&[&sound[4]]),
        ];
        let (orders, scheme) = (mpsc::channel(1).0, Prechecked::default());
        Checker { chain, scheme: scheme.clone(), orders }.check(taken.iter());
        let is_known = |one: &Envelope| one.check_by(&chain, &Known(&scheme)).is_ok();
        for at in [0, 1, 4] {
            assert!(is_known(&sound[at]), "{at}");
        }
        assert!(!is_known(&wrong));
    }

    /// Only what is remembered holds.
    struct Known<'a>(&'a Prechecked);

    impl Scheme for Known<'_> {
        fn holds(&self, key: &OwnerId, message: &[u8], signature: &Signature) -> bool {
            self.0.knows(&Signed { key, message, signature })
        }
    }
}
