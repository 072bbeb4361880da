//! Links as a whole: sockets for what sockets do, pipes and a clock that stands for what time does.

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::{Arrival, Bounds, LinkSecret, Mesh, MeshConfig, Peer};
use crate::types::{ChainId, InstitutionId};

mod frames;
mod handshakes;
mod meshes;
mod pipe;
mod pressure;
mod raw;

const CHAIN: ChainId = ChainId::new([7; 32]);

fn id(institution: usize) -> InstitutionId {
    InstitutionId::new(u32::try_from(institution).unwrap())
}

fn secret(institution: usize) -> LinkSecret {
    let mut bytes = [9; 32];
    // X25519 does not look at the lowest three bits of a secret.
    bytes[8..16].copy_from_slice(&(institution as u64).to_le_bytes());
    LinkSecret::new(bytes)
}

fn peer(institution: usize, address: &str) -> Peer {
    Peer {
        institution: id(institution),
        link: secret(institution).public(),
        address: address.to_owned(),
    }
}

async fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}

fn config(me: usize, peers: Vec<Peer>, bounds: Bounds) -> MeshConfig {
    MeshConfig { me: id(me), secret: secret(me), chain: CHAIN, peers, bounds }
}

/// A node of a test.
struct TestNode {
    mesh: Mesh,
    arrivals: mpsc::Receiver<Arrival>,
}

fn start(me: usize, peers: Vec<Peer>, bounds: Bounds, listener: TcpListener) -> TestNode {
    let (sender, arrivals) = mpsc::channel(64);
    let mesh = Mesh::start(config(me, peers, bounds), listener, sender).unwrap();
    TestNode { mesh, arrivals }
}

/// So many nodes that all know each other.
async fn network(nodes: usize, bounds: Bounds) -> Vec<TestNode> {
    let mut listeners = Vec::new();
    for _ in 0..nodes {
        listeners.push(listener().await);
    }
    let addresses: Vec<String> = listeners.iter().map(|(_, address)| address.clone()).collect();
    let others = |me| {
        let all = addresses.iter().enumerate().filter(move |(other, _)| *other != me);
        all.map(|(other, address)| peer(other, address)).collect()
    };
    let listeners = listeners.into_iter().enumerate();
    listeners.map(|(me, (listener, _))| start(me, others(me), bounds, listener)).collect()
}

/// A hang fails instead of hanging; nothing is measured.
async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(120), future).await.expect("hangs")
}

/// Waits until a node is linked with exactly these.
async fn linked(mesh: &Mesh, expected: impl IntoIterator<Item = usize>) {
    let expected: BTreeSet<InstitutionId> = expected.into_iter().map(id).collect();
    within(mesh.linked().wait_for(|linked| *linked == expected)).await.unwrap();
}

/// Lets the other tasks run until something is so.
async fn until(mut is_so: impl FnMut() -> bool) {
    within(async {
        while !is_so() {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

fn ends(mesh: &Mesh, name: &str) -> u64 {
    mesh.counts().ends.get(name).copied().unwrap_or_default()
}

fn message(bytes: usize, seed: usize) -> Arc<[u8]> {
    let first = u8::try_from(seed % 251).unwrap();
    (first..=250).chain(0..first).cycle().take(bytes).collect()
}
