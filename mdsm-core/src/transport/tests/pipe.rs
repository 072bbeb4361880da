//! One node's links over pipes, so that a test has the clock in its hand.

use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, duplex, split};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::super::assembly::{Budget, Rooms};
use super::super::counts::PeerStatus;
use super::super::error::LinkEnd;
use super::super::frame::{FrameReader, FrameWriter};
use super::super::handshake::{Side, accept, dial};
use super::super::link::{Shared, run};
use super::super::outbox::Queued;
use super::super::table::Table;
use super::raw::Raw;
use super::*;

/// The node; its peers are the others below 10.
pub(super) struct Pipes {
    pub(super) shared: Arc<Shared>,
    pub(super) arrivals: mpsc::Receiver<Arrival>,
    stop: watch::Sender<bool>,
    links: u64,
}

pub(super) type Running = JoinHandle<LinkEnd>;

impl Pipes {
    pub(super) fn new(me: usize, bounds: Bounds) -> Self {
        let (sender, arrivals) = mpsc::channel(64);
        let peers = (0..10).filter(|other| *other != me).map(|other| peer(other, "")).collect();
        let shared = Shared {
            bounds,
            table: Table::new((id(me), secret(me).public()), peers, &bounds).unwrap(),
            budget: Arc::new(Budget::new(bounds.partial_bytes_all_max)),
            arrivals_all: Rooms::new(bounds.arrival_bytes_all_max),
            queued: Arc::new(Queued::new(bounds.queue_bytes_all_max)),
            arrivals: sender,
        };
        Self { shared: Arc::new(shared), arrivals, stop: watch::Sender::new(false), links: 0 }
    }

    /// A link with somebody who can say anything, through a pipe of so many bytes.
    pub(super) async fn raw(&mut self, other: usize, bytes: usize) -> (Raw<DuplexStream>, Running) {
        let (near, far) = duplex(bytes);
        let (raw, running) = tokio::join!(Raw::greet(far, other), self.accept(near));
        let mut linked = self.shared.table.linked();
        linked.wait_for(|linked| linked.contains(&id(other))).await.unwrap();
        (raw.unwrap(), running)
    }

    /// Accepts over a stream and runs the link.
    pub(super) async fn accept<S>(&mut self, mut stream: S) -> Running
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let secret = secret(0);
        let side = Side { secret: &secret, chain: CHAIN };
        let (noise, key) = accept(&mut stream, side).await.unwrap();
        self.run(stream, noise, key)
    }

    /// Dials over a stream and runs the link, without waiting for the welcome.
    pub(super) async fn dial<S>(&mut self, mut stream: S, me: usize, other: usize) -> Running
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let secret_key = secret(me);
        let side = Side { secret: &secret_key, chain: CHAIN };
        let noise = dial(&mut stream, side, |_| Ok(())).await.unwrap();
        self.run(stream, noise, secret(other).public())
    }

    fn run<S>(
        &mut self,
        stream: S,
        noise: snow::StatelessTransportState,
        key: crate::types::LinkPublic,
    ) -> Running
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (reader, writer) = split(stream);
        let noise = Arc::new(noise);
        let reader = FrameReader::new(reader, Arc::clone(&noise));
        let halves = (reader, FrameWriter::new(writer, noise));
        let shared = Arc::clone(&self.shared);
        let slot = Arc::clone(shared.table.find(&key).unwrap());
        let mut stop = self.stop.subscribe();
        let number = self.links;
        self.links += 1;
        tokio::spawn(async move { run(&shared, &slot, number, halves, &mut stop).await })
    }

    pub(super) fn status(&self, of: usize) -> PeerStatus {
        let statuses = self.shared.table.statuses();
        statuses.into_iter().find(|status| status.institution == id(of)).unwrap()
    }
}
