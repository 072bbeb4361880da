//! An institution that runs: node, disk, links, intake and Bitcoin put together. [CON-7] [ANC-1]

use std::io;
use std::sync::Arc;
use std::time::Duration;

use ::bitcoin::secp256k1::SecretKey;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use zeroize::Zeroizing;

use super::bitcoin::{BookError, Watcher, WatcherConfig};
use super::books::Books;
use super::driver::{Driver, Parts};
use super::ending::{EndError, Ending};
use super::home::{Home, HomeError};
use super::intake::Intake;
use super::links::Links;
use super::metrics::Metrics;
use super::order::Order;
use super::peers::Peers;
use super::settings::NetworkFile;
use super::signatures::Prechecked;
use super::status::Status;
use crate::anchoring::ChainParameters;
use crate::anchoring::machine;
use crate::bitcoin::Rpc;
use crate::environment::{Clock, Secret};
use crate::node::{Input, NodeConfig, Start};
use crate::transport::{Arrival, Bounds, LinkSecret, Mesh, MeshConfig, Peer, StartError};
use crate::types::InstitutionId;

/// Orders that wait for the driver; more make links and clients wait.
const ORDERS_MAX: usize = 4_096;
/// Messages of links that wait to be decoded.
const ARRIVALS_MAX: usize = 256;
/// What the machine that anchors asks for at a time, on its way to the watcher.
const ANCHORS_MAX: usize = 1_024;

/// What an institution is started with.
#[derive(Debug)]
pub struct InstitutionConfig {
    /// Which it is.
    pub me: InstitutionId,
    /// Its home.
    pub home: Home,
    /// Its secret.
    pub secret: Secret,
    /// The network.
    pub network: NetworkFile,
    /// Milliseconds that a message takes, as far as anybody assumes.
    pub delay_ms: u32,
    /// Its node of Bitcoin; without one anchors wait.
    pub bitcoin: Option<BitcoinConfig>,
}

/// A node of Bitcoin and how it is followed.
#[derive(Clone, Debug)]
pub struct BitcoinConfig {
    /// The node.
    pub rpc: Rpc,
    /// Its network.
    pub network: ChainParameters,
    /// Height from which own coins are looked for.
    pub birth: u32,
    /// Time between two looks.
    pub poll: Duration,
}

/// Why an institution does not start.
#[derive(Debug, Error)]
pub enum InstitutionError {
    /// It is not a member.
    #[error("institution {me} is not in the file of the network")]
    Stranger {
        /// Which.
        me: InstitutionId,
    },
    /// Its secret makes other keys than the network knows.
    #[error("institution {me}: {what} in the file of the network is not that of the secret, {own}")]
    Key {
        /// Which.
        me: InstitutionId,
        /// Which key.
        what: &'static str,
        /// What the secret makes.
        own: String,
    },
    /// Its home.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// Its links.
    #[error(transparent)]
    Links(#[from] StartError),
    /// Its own transactions.
    #[error(transparent)]
    Book(#[from] BookError),
    /// No thread for the driver.
    #[error("no thread for the driver: {0}")]
    Thread(io::Error),
}

/// Keys that the file of the network has of an institution, made from its secret.
#[must_use]
pub fn link_secret(secret: &Secret) -> LinkSecret {
    LinkSecret::new(*secret.derive("link"))
}

/// The key that pays for anchors.
#[must_use]
pub fn funding_key(secret: &Secret) -> SecretKey {
    let bytes: Zeroizing<[u8; 32]> = secret.derive("bitcoin");
    SecretKey::from_slice(&*bytes).expect("all but one in 2^127 strings of 32 bytes are keys")
}

/// An institution that runs. Dropping it leaves its driver running until the last handle is gone.
#[derive(Debug)]
pub struct Institution {
    me: InstitutionId,
    orders: mpsc::Sender<Order>,
    intake: Intake,
    books: Arc<Books>,
    status: watch::Receiver<Status>,
    metrics: Arc<Metrics>,
    mesh: Arc<Mesh>,
    watcher: Option<Arc<Watcher>>,
    ending: Ending,
    warnings: Vec<String>,
}

/// The mesh as the driver sees it.
struct Linked(Arc<Mesh>);

impl Links for Linked {
    fn send(&self, to: InstitutionId, message: Arc<[u8]>) {
        // The mesh counts what it drops.
        let _ = self.0.send(to, message);
    }

    fn connected(&self) -> usize {
        self.0.linked().borrow().len()
    }
}

impl Institution {
    /// Starts on the runtime of the caller; links are answered by `listener`.
    pub fn start(
        config: InstitutionConfig,
        listener: TcpListener,
    ) -> Result<Self, InstitutionError> {
        let InstitutionConfig { me, home, secret, network, delay_ms, bitcoin } = config;
        check_member(me, &secret, &network)?;
        let (clock, scheme) = (Clock::new(), Prechecked::default());
        let founders = network.founders();
        let start = Start { genesis: network.genesis.clone(), founders: &founders };
        let node = NodeConfig { me, delay_ms };
        let roused = home.rouse(node, &start, scheme.clone(), clock.now())?;
        for warning in &roused.warnings {
            tracing::warn!(institution = %me, "{warning}");
        }
        let chain = network.genesis.chain_id();
        let (orders, taken) = mpsc::channel(ORDERS_MAX);
        let (arrivals, mut arrived) = mpsc::channel(ARRIVALS_MAX);
        let others = network.members.iter().filter(|it| it.founder.institution != me);
        let peers = others.clone().map(|member| Peer {
            institution: member.founder.institution,
            link: member.link,
            address: member.address.clone(),
        });
        let links = MeshConfig {
            me,
            secret: link_secret(&secret),
            chain,
            peers: peers.collect(),
            bounds: Bounds::default(),
        };
        let mesh = Arc::new(Mesh::start(links, listener, arrivals)?);
        let metrics = Arc::new(Metrics::default());
        let hearing = Peers::new(chain, scheme, orders.clone(), metrics.clone());
        tokio::spawn(async move {
            while let Some(arrival) = arrived.recv().await {
                let Arrival { from, bytes, room } = arrival;
                if !hearing.take(from, &bytes, room).await {
                    return;
                }
            }
        });
        let (anchors, asked) = mpsc::unbounded_channel();
        let file = home.directory().join("anchors");
        let watcher = watch_bitcoin(bitcoin, &secret, file, asked, &orders)?;
        let books = roused.disk.books().clone();
        let parts = Parts {
            node: roused.node,
            key: secret.signing(),
            clock,
            disk: roused.disk,
            links: Linked(mesh.clone()),
            others: others.map(|member| member.founder.institution).collect(),
            anchors,
            metrics: metrics.clone(),
        };
        let driver = Driver::new(parts, roused.effects);
        let status = driver.status();
        let ending = Ending::of(driver.run(taken)).map_err(InstitutionError::Thread)?;
        let workers = std::thread::available_parallelism().map_or(1, usize::from);
        let intake = Intake::start(chain, orders.clone(), workers);
        let warnings = roused.warnings;
        Ok(Self { me, orders, intake, books, status, metrics, mesh, watcher, ending, warnings })
    }

    /// Which it is.
    #[must_use]
    pub fn me(&self) -> InstitutionId {
        self.me
    }

    /// Takes records of clients.
    #[must_use]
    pub fn intake(&self) -> &Intake {
        &self.intake
    }

    /// Takes anything else that a node takes.
    #[must_use]
    pub fn orders(&self) -> &mpsc::Sender<Order> {
        &self.orders
    }

    /// What it has stored.
    #[must_use]
    pub fn books(&self) -> &Arc<Books> {
        &self.books
    }

    /// How far it is, and how that changes.
    #[must_use]
    pub fn status(&self) -> watch::Receiver<Status> {
        self.status.clone()
    }

    /// Numbers for an operator.
    #[must_use]
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// Its links.
    #[must_use]
    pub fn mesh(&self) -> &Mesh {
        &self.mesh
    }

    /// Its view of Bitcoin.
    #[must_use]
    pub fn watcher(&self) -> Option<&Arc<Watcher>> {
        self.watcher.as_ref()
    }

    /// What was found wrong at the start and was dealt with.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Returns when the driver has ended by itself, which it does when its disk fails. May be asked again.
    pub async fn ended(&mut self) -> Result<(), EndError> {
        self.ending.wait().await
    }

    /// Stores and sends what is under way, then ends everything; after a driver that has failed its links and its view
    /// of Bitcoin all the same.
    pub async fn stop(mut self) -> Result<(), EndError> {
        // A driver that has ended takes no orders.
        let _ = self.orders.send(Order::Stop).await;
        let result = self.ending.wait().await;
        // Whoever else holds it ends it by letting go.
        if let Some(watcher) = self.watcher.and_then(Arc::into_inner) {
            watcher.stop().await;
        }
        // The driver held the other reference, and is gone.
        if let Ok(mesh) = Arc::try_unwrap(self.mesh) {
            mesh.stop().await;
        }
        result
    }
}

fn check_member(
    me: InstitutionId,
    secret: &Secret,
    network: &NetworkFile,
) -> Result<(), InstitutionError> {
    let member = network.member(me).ok_or(InstitutionError::Stranger { me })?;
    let (key, link) = (secret.signing().owner(), link_secret(secret).public());
    if member.founder.key != key {
        return Err(InstitutionError::Key { me, what: "key", own: key.to_string() });
    }
    if member.link != link {
        return Err(InstitutionError::Key { me, what: "link", own: link.to_string() });
    }
    Ok(())
}

/// Follows Bitcoin, if there is a node of it.
fn watch_bitcoin(
    config: Option<BitcoinConfig>,
    secret: &Secret,
    file: std::path::PathBuf,
    mut asked: mpsc::UnboundedReceiver<machine::Effect>,
    orders: &mpsc::Sender<Order>,
) -> Result<Option<Arc<Watcher>>, InstitutionError> {
    let Some(BitcoinConfig { rpc, network, birth, poll }) = config else { return Ok(None) };
    let (effects, taken) = mpsc::channel(ANCHORS_MAX);
    let (inputs, mut shown) = mpsc::channel::<Input>(ANCHORS_MAX);
    let config =
        WatcherConfig { birth, poll, ..WatcherConfig::new(network, funding_key(secret), file) };
    let watcher = Watcher::start(config, rpc, taken, inputs)?;
    tokio::spawn(async move {
        while let Some(effect) = asked.recv().await {
            if effects.send(effect).await.is_err() {
                return;
            }
        }
    });
    let orders = orders.clone();
    tokio::spawn(async move {
        while let Some(input) = shown.recv().await {
            if orders.send(Order::Input(Box::new(input))).await.is_err() {
                return;
            }
        }
    });
    Ok(Some(Arc::new(watcher)))
}
