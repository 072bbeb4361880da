//! All links of a node: accepts, dials, and keeps them.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use snow::StatelessTransportState;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep, timeout};
use tracing::{debug, info, warn};

use super::assembly::{Arrival, Budget, Rooms};
use super::bounds::{Bounds, ms};
use super::counts::{Counter, Counts, PeerStatus};
use super::error::{FrameFault, LinkEnd, SendError, StartError};
use super::frame::{Frame, FrameReader, FrameWriter};
use super::handshake::{Side, accept, dial};
use super::key::LinkSecret;
use super::link::{Shared, run, stopped};
use super::outbox::Queued;
use super::table::{Slot, Table};
use crate::types::{ChainId, InstitutionId, LinkPublic};

/// How long accepting rests after the system refused, for want of file handles say.
const ACCEPT_REST: Duration = Duration::from_millis(100);

/// Another institution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its id.
    pub institution: InstitutionId,
    /// The key of its links.
    pub link: LinkPublic,
    /// Where it listens: `host:port`.
    pub address: String,
}

/// What links are made from.
#[derive(Clone, Debug)]
pub struct MeshConfig {
    /// This institution.
    pub me: InstitutionId,
    /// The secret key of its links.
    pub secret: LinkSecret,
    /// The network.
    pub chain: ChainId,
    /// All others.
    pub peers: Vec<Peer>,
    /// What links may take.
    pub bounds: Bounds,
}

/// The links of a node. Dropping it ends them; [`Mesh::stop`] waits until they have ended.
#[derive(Debug)]
pub struct Mesh {
    inner: Arc<Inner>,
    stop: watch::Sender<bool>,
    /// Closed when the last task has ended.
    ended: mpsc::Receiver<()>,
    address: SocketAddr,
}

/// What tasks share.
#[derive(Debug)]
struct Inner {
    me: InstitutionId,
    secret: LinkSecret,
    chain: ChainId,
    shared: Shared,
    /// Gives every connection its number; a later one is accepted or dialled later.
    connections: AtomicU64,
    accepted: Counter,
    pending: Mutex<BTreeMap<u64, oneshot::Sender<()>>>,
    ends: Mutex<BTreeMap<&'static str, u64>>,
}

/// What a task needs to know when to end, and to tell that it has.
#[derive(Clone, Debug)]
struct Life {
    stop: watch::Receiver<bool>,
    _ended: mpsc::Sender<()>,
}

impl Mesh {
    /// Starts to accept and to dial, on the runtime of the caller. Whole messages go to `arrivals`.
    ///
    /// # Errors
    /// When the peers are not others, each with an id and a key of its own.
    pub fn start(
        config: MeshConfig,
        listener: TcpListener,
        arrivals: mpsc::Sender<Arrival>,
    ) -> Result<Self, StartError> {
        let MeshConfig { me, secret, chain, peers, bounds } = config;
        let address = listener
            .local_addr()
            .map_err(|error| StartError::Listener { message: error.to_string() })?;
        let shared = Shared {
            bounds,
            table: Table::new((me, secret.public()), peers, &bounds)?,
            budget: Arc::new(Budget::new(bounds.partial_bytes_all_max)),
            arrivals_all: Rooms::new(bounds.arrival_bytes_all_max),
            queued: Arc::new(Queued::new(bounds.queue_bytes_all_max)),
            arrivals,
        };
        let inner = Arc::new(Inner {
            me,
            secret,
            chain,
            shared,
            connections: AtomicU64::new(0),
            accepted: Counter::default(),
            pending: Mutex::default(),
            ends: Mutex::default(),
        });
        let (stop, is_stopping) = watch::channel(false);
        let (alive, ended) = mpsc::channel(1);
        let life = Life { stop: is_stopping, _ended: alive };
        for slot in inner.shared.table.slots().filter(|slot| inner.dials(slot)) {
            tokio::spawn(keep(Arc::clone(&inner), Arc::clone(slot), life.clone()));
        }
        tokio::spawn(listen(Arc::clone(&inner), listener, life));
        Ok(Self { inner, stop, ended, address })
    }

    /// Where this node listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Queues a message for a peer, and never waits.
    ///
    /// # Errors
    /// When it is dropped instead; that is counted, see [`PeerStatus`].
    pub fn send(&self, to: InstitutionId, message: Arc<[u8]>) -> Result<(), SendError> {
        self.inner.shared.table.send(to, message)
    }

    /// Who is linked, and whenever that changes.
    #[must_use]
    pub fn linked(&self) -> watch::Receiver<BTreeSet<InstitutionId>> {
        self.inner.shared.table.linked()
    }

    /// All peers, ascending by id.
    #[must_use]
    pub fn peers(&self) -> Vec<PeerStatus> {
        self.inner.shared.table.statuses()
    }

    /// Numbers of the node.
    #[must_use]
    pub fn counts(&self) -> Counts {
        Counts {
            accepted: self.inner.accepted.get(),
            pending: self.inner.pending().len(),
            queued_bytes: self.inner.shared.queued.bytes(),
            ends: self.inner.ends().clone(),
        }
    }

    /// Takes no more messages, lets what is queued leave for [`Bounds::stop_ms`], and returns when no
    /// task is left.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        // Nobody sends; the last task to end closes the channel.
        let _ = self.ended.recv().await;
    }
}

impl Inner {
    fn pending(&self) -> MutexGuard<'_, BTreeMap<u64, oneshot::Sender<()>>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ends(&self) -> MutexGuard<'_, BTreeMap<&'static str, u64>> {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this node dials a peer, or waits for it.
    fn dials(&self, slot: &Slot) -> bool {
        self.me < slot.peer.institution
    }

    fn side(&self) -> Side<'_> {
        Side { secret: &self.secret, chain: self.chain }
    }

    fn number(&self) -> u64 {
        self.connections.fetch_add(1, Ordering::Relaxed)
    }

    /// Counts an end, and remembers it where it is known whose it is.
    fn ended(&self, slot: Option<&Slot>, end: &LinkEnd) {
        *self.ends().entry(end.name()).or_default() += 1;
        if let Some(slot) = slot {
            slot.note(end);
        }
    }
}

/// Accepts until the node stops.
async fn listen(inner: Arc<Inner>, listener: TcpListener, life: Life) {
    let mut stop = life.stop.clone();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stopped(&mut stop) => return,
        };
        match accepted {
            Ok((stream, from)) => {
                let number = inner.number();
                inner.accepted.add(1);
                let crowded = enter(&inner, number);
                tokio::spawn(answer(
                    Arc::clone(&inner),
                    stream,
                    from,
                    number,
                    crowded,
                    life.clone(),
                ));
            }
            Err(error) => {
                let end = LinkEnd::io("accept")(error);
                warn!(%end, "no connection accepted");
                inner.ended(None, &end);
                tokio::select! {
                    () = sleep(ACCEPT_REST) => {}
                    () = stopped(&mut stop) => return,
                }
            }
        }
    }
}

/// Notes a connection as being in its handshake, and lets the oldest give way to it.
fn enter(inner: &Inner, number: u64) -> oneshot::Receiver<()> {
    let (crowd, crowded) = oneshot::channel();
    let mut pending = inner.pending();
    pending.insert(number, crowd);
    if pending.len() > inner.shared.bounds.pending_max {
        // Dropping it tells its task.
        pending.pop_first();
    }
    crowded
}

/// One connection that came in, from its handshake to the end of its link.
async fn answer(
    inner: Arc<Inner>,
    stream: TcpStream,
    from: SocketAddr,
    number: u64,
    crowded: oneshot::Receiver<()>,
    mut life: Life,
) {
    let (bounds, mut stream) = (inner.shared.bounds, stream);
    let greeted = tokio::select! {
        greeted = timeout(ms(bounds.handshake_ms), greet(&inner, &mut stream)) => greeted
            .unwrap_or(Err((None, LinkEnd::HandshakeTimeout { ms: bounds.handshake_ms }))),
        _ = crowded => Err((None, LinkEnd::Crowded { pending_max: bounds.pending_max })),
        () = stopped(&mut life.stop) => Err((None, LinkEnd::Stopped)),
    };
    inner.pending().remove(&number);
    let (slot, end) = match greeted {
        Ok((slot, noise)) => {
            info!(peer = %slot.peer.institution, %from, "accepted");
            let (reader, writer) = stream.into_split();
            let noise = Arc::new(noise);
            let reader = FrameReader::new(reader, Arc::clone(&noise));
            let writer = FrameWriter::new(writer, noise);
            let end = run(&inner.shared, &slot, number, (reader, writer), &mut life.stop).await;
            (Some(slot), end)
        }
        Err(refused) => refused,
    };
    let peer = slot.as_ref().map(|slot| slot.peer.institution.get());
    debug!(peer, %from, %end, "ended");
    inner.ended(slot.as_deref(), &end);
}

/// The acceptor's side of the handshake, and who it is.
async fn greet(
    inner: &Inner,
    stream: &mut TcpStream,
) -> Result<(Arc<Slot>, StatelessTransportState), (Option<Arc<Slot>>, LinkEnd)> {
    stream.set_nodelay(true).map_err(|error| (None, LinkEnd::io("set TCP_NODELAY")(error)))?;
    let (noise, key) = accept(stream, inner.side()).await.map_err(|end| (None, end))?;
    let slot = inner.shared.table.find(&key).ok_or((None, LinkEnd::UnknownKey { key }))?;
    if inner.dials(slot) {
        let end = LinkEnd::WrongSide { from: slot.peer.institution };
        return Err((Some(Arc::clone(slot)), end));
    }
    Ok((Arc::clone(slot), noise))
}

/// Dials a peer again and again until the node stops.
async fn keep(inner: Arc<Inner>, slot: Arc<Slot>, mut life: Life) {
    let bounds = inner.shared.bounds;
    let (least, most) = (ms(bounds.redial_min_ms), ms(bounds.redial_max_ms));
    let mut rest = least;
    loop {
        let (end, lasted) = link(&inner, &slot, &mut life.stop).await;
        debug!(peer = %slot.peer.institution, %end, "ended");
        inner.ended(Some(&slot), &end);
        if end == LinkEnd::Stopped {
            return;
        }
        if lasted >= most {
            rest = least;
        }
        tokio::select! {
            () = sleep(rest) => {}
            () = stopped(&mut life.stop) => return,
        }
        rest = (2 * rest).min(most);
    }
}

/// One link that this node dials; also how long it lasted.
async fn link(inner: &Inner, slot: &Slot, stop: &mut watch::Receiver<bool>) -> (LinkEnd, Duration) {
    let handshake_ms = inner.shared.bounds.handshake_ms;
    let called = tokio::select! {
        called = timeout(ms(handshake_ms), call(inner, slot)) => {
            called.unwrap_or(Err(LinkEnd::HandshakeTimeout { ms: handshake_ms }))
        }
        () = stopped(stop) => Err(LinkEnd::Stopped),
    };
    let halves = match called {
        Ok(halves) => halves,
        Err(end) => return (end, Duration::ZERO),
    };
    info!(peer = %slot.peer.institution, address = slot.peer.address, "linked");
    let began = Instant::now();
    let end = run(&inner.shared, slot, inner.number(), halves, stop).await;
    (end, began.elapsed())
}

type Halves =
    (FrameReader<tokio::net::tcp::OwnedReadHalf>, FrameWriter<tokio::net::tcp::OwnedWriteHalf>);

/// The dialler's side of the handshake, up to the welcome.
async fn call(inner: &Inner, slot: &Slot) -> Result<Halves, LinkEnd> {
    let address = slot.peer.address.as_str();
    let mut stream = TcpStream::connect(address).await.map_err(LinkEnd::io("connect"))?;
    stream.set_nodelay(true).map_err(LinkEnd::io("set TCP_NODELAY"))?;
    let noise = dial(&mut stream, inner.side(), |key| {
        let dialled = slot.peer.institution;
        if key == slot.peer.link { Ok(()) } else { Err(LinkEnd::WrongKey { dialled, key }) }
    });
    let noise = Arc::new(noise.await?);
    let (reader, writer) = stream.into_split();
    let mut reader = FrameReader::new(reader, Arc::clone(&noise));
    match reader.frame().await? {
        Frame::Alive => Ok((reader, FrameWriter::new(writer, noise))),
        _ => Err(LinkEnd::Frame { frame: 0, what: FrameFault::Welcome }),
    }
}
