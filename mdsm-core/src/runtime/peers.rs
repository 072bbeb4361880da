//! Messages of other institutions on their way to the node. [CON-7]
//!
//! Bytes become messages, and owners' signatures in Items and records are checked on all cores before the node
//! asks for them. A message whose signatures fail goes on as it is: the node finds out and knows what it means.

use std::sync::Arc;

use tokio::sync::{Semaphore, mpsc};

use super::metrics::Metrics;
use super::order::{Order, Room};
use super::signatures::Prechecked;
use crate::codec::Wire;
use crate::ledger::Envelope;
use crate::node::Message;
use crate::types::{ChainId, InstitutionId};

/// Messages whose signatures are checked together, at half the cost of one message after another: an Item has
/// ten, and what a core checks fastest are some hundreds.
const TOGETHER_MAX: usize = 26;

/// Takes messages of other institutions. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Peers {
    orders: mpsc::Sender<Order>,
    metrics: Arc<Metrics>,
    unchecked: mpsc::UnboundedSender<Unchecked>,
}

/// A message with signatures of owners.
struct Unchecked {
    from: InstitutionId,
    message: Message,
    room: Room,
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
        // No more waits there than has found room on its link.
        let (unchecked, waiting) = mpsc::unbounded_channel();
        let checker = Checker { chain, scheme, orders: orders.clone() };
        tokio::spawn(Arc::new(checker).run(waiting));
        Self { orders, metrics, unchecked }
    }

    /// Takes the bytes of one message; false when the driver has ended. `room` is dropped when the driver has taken the message:
    /// until then its peer has so much less, and nobody else. Waits while the node is busy with what need not be checked.
    pub async fn take(&self, from: InstitutionId, bytes: &[u8], room: impl Send + 'static) -> bool {
        let message = match Message::from_bytes(bytes) {
            Ok(message) => message,
            Err(error) => {
                self.metrics.garbage.inc();
                tracing::warn!(%from, %error, "a message that is none");
                return true;
            }
        };
        let room = Room::new(room);
        if !matches!(message, Message::Item(_) | Message::Records(_)) {
            return self.orders.send(order(from, message, room)).await.is_ok();
        }
        self.unchecked.send(Unchecked { from, message, room }).is_ok()
    }
}

impl Checker {
    /// Checks whatever waits, on all cores, until nobody can send anything any more.
    async fn run(self: Arc<Self>, mut waiting: mpsc::UnboundedReceiver<Unchecked>) {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let cores = Arc::new(Semaphore::new(cores));
        // A core first: what comes while all are busy is checked with what waits.
        while let Ok(core) = cores.clone().acquire_owned().await {
            let mut taken = Vec::new();
            if waiting.recv_many(&mut taken, TOGETHER_MAX).await == 0 {
                return;
            }
            let checker = self.clone();
            let checked = tokio::task::spawn_blocking(move || {
                checker.check(taken.iter().map(|one| &one.message));
                drop(core);
                taken
            });
            let orders = self.orders.clone();
            // The node is busy when this waits. No thread waits with it.
            tokio::spawn(async move {
                for Unchecked { from, message, room } in checked.await.unwrap_or_default() {
                    if orders.send(order(from, message, room)).await.is_err() {
                        return;
                    }
                }
            });
        }
    }

    /// Whoever signs wrongly costs the others no more than a second check, and the node, which has one thread, none.
    fn check<'a>(&self, messages: impl Iterator<Item = &'a Message> + Clone) {
        let all: Vec<&Envelope> = messages.clone().flat_map(envelopes).collect();
        if self.scheme.learn(&all, &self.chain) {
            return;
        }
        for message in messages {
            let all: Vec<&Envelope> = envelopes(message).collect();
            if !self.scheme.learn(&all, &self.chain) {
                self.scheme.learn_each(all.into_iter(), &self.chain);
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

fn order(from: InstitutionId, message: Message, room: Room) -> Order {
    Order::Message { from, message: Box::new(message), room }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::sign::{Scheme, Signed, SigningKey};
    use crate::ledger::{Content, MediaType, Metadata, Record, ResourceType};
    use crate::types::{OwnerId, Signature, Timestamp};

    #[test]
    fn a_driver_that_takes_nothing_costs_no_thread_and_holds_each_message_s_room() {
        // One thread for each core, which check at a time, and one more.
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let mut threads = tokio::runtime::Builder::new_current_thread();
        let threads = threads.max_blocking_threads(cores + 1).enable_all().build();
        threads.unwrap().block_on(async {
            let (orders, mut taken) = mpsc::channel(1);
            let chain = ChainId::new([1; 32]);
            let peers = Peers::new(chain, Prechecked::default(), orders, Arc::default());
            let bytes = Message::Records([Arc::new(envelope(&chain, 1))].into()).to_bytes();
            let (room, count) = (Arc::new(()), 2_000);
            for _ in 0..count {
                assert!(peers.take(InstitutionId::new(1), &bytes, room.clone()).await);
                tokio::task::yield_now().await;
            }
            tokio::task::spawn_blocking(|| ()).await.unwrap();
            for _ in 0..count {
                assert!(matches!(taken.recv().await, Some(Order::Message { .. })));
            }
            drop(peers);
            assert!(taken.recv().await.is_none());
            assert_eq!(Arc::strong_count(&room), 1);
        });
    }

    #[tokio::test]
    async fn an_order_that_waits_holds_the_room_of_its_message() {
        let (orders, mut taken) = mpsc::channel(4);
        let chain = ChainId::new([1; 32]);
        let peers = Peers::new(chain, Prechecked::default(), orders, Arc::default());
        let room = Arc::new(());
        for message in [
            Message::WantDecision { after: crate::types::Height::new(0) },
            Message::Records([Arc::new(envelope(&chain, 1))].into()),
        ] {
            let bytes = message.to_bytes();
            assert!(peers.take(InstitutionId::new(1), &bytes, room.clone()).await);
            let order = taken.recv().await.unwrap();
            assert_eq!(Arc::strong_count(&room), 2, "{order:?}");
            drop(order);
            assert_eq!(Arc::strong_count(&room), 1);
        }
    }

    fn envelope(chain: &ChainId, number: u8) -> Envelope {
        let owner = SigningKey::from_seed(&[2; 32]);
        let kind = ResourceType::new("Binary").unwrap();
        let media = MediaType::new("text/plain").unwrap();
        let metadata = Metadata::new(kind, media, Timestamp::new(0), 1);
        let content = Content::inline(vec![number]).unwrap();
        let record = Record::new(owner.owner(), metadata, content).unwrap();
        Envelope::sign(record, chain, &owner, InstitutionId::new(1))
    }

    #[test]
    fn a_wrong_signature_takes_nothing_from_the_messages_beside_it() {
        let chain = ChainId::new([1; 32]);
        let envelope = |number: u8| envelope(&chain, number);
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
        for (at, one) in sound.iter().enumerate() {
            assert!(is_known(one), "{at}");
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
