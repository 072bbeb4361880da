//! A node of Bitcoin for a network on one machine: the chain in this process, or a node of its own on a test
//! network; mined on a clock. [ANC-1]
//!
//! What is simulated: who mines, and how fast. Transactions, blocks, proof of work and the protocol to ask for
//! them are real.

use std::io;
use std::time::Duration;

use ::bitcoin::ScriptBuf;
use ::bitcoin::secp256k1::SecretKey;
use thiserror::Error;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::local::LOOPBACK;
use crate::anchoring::{ChainParameters, funding_script};
use crate::bitcoin::embedded::{EmbeddedChain, EmbeddedNode, ServedChain};
use crate::bitcoin::rpc::{EndpointError, RpcError};
use crate::bitcoin::{Endpoint, Rpc};
use crate::environment::{Clock, draw};
use crate::runtime::bitcoin::{ProveError, headers};

/// Blocks above a reward before it can be spent.
const MATURITY: u32 = 100;
/// Height from which every node of a test network has segregated witness: three periods of 144 blocks
/// (BIP 9), and one block more.
const WITNESS_HEIGHT: u32 = 3 * 144 + 1;
/// Blocks that a node is asked to mine at a time.
const MINED_AT_ONCE: u32 = 50;

/// A chain that is served and mined.
#[derive(Debug)]
pub struct Regtest {
    node: Node,
    url: String,
    rpc: Rpc,
    miner: Option<JoinHandle<()>>,
}

#[derive(Debug)]
enum Node {
    /// In this process.
    Embedded(ServedChain),
    /// Somebody else's.
    Attached,
}

/// Why there is no node to mine with.
#[derive(Debug, Error)]
pub enum RegtestError {
    /// It cannot be served.
    #[error("the embedded chain: {0}")]
    Serve(#[from] io::Error),
    /// No address of a node.
    #[error("{0}")]
    Endpoint(#[from] EndpointError),
    /// The node does not do what it is asked for.
    #[error("the node of Bitcoin: {0}")]
    Rpc(#[from] RpcError),
    /// Blocks of other networks have a price.
    #[error("the node of Bitcoin follows `{chain}`; blocks are made on `regtest` only")]
    Network {
        /// What it says.
        chain: String,
    },
}

impl Regtest {
    /// Serves an empty chain on a free port.
    pub async fn start() -> Result<Self, RegtestError> {
        let listener = TcpListener::bind((LOOPBACK, 0)).await?;
        let password: [u8; 16] = draw().map_err(io::Error::other)?;
        let password: String = password.iter().map(|byte| format!("{byte:02x}")).collect();
        let clock = Clock::new();
        let node = EmbeddedNode::new(EmbeddedChain::new(), move || seconds(&clock));
        let served = ServedChain::start(node, listener, &password)?;
        let url = served.url().to_owned();
        let rpc = Rpc::new(Endpoint::new(&url)?);
        Ok(Self { node: Node::Embedded(served), url, rpc, miner: None })
    }

    /// A node that runs already, at this address with user and password.
    pub async fn attach(url: &str) -> Result<Self, RegtestError> {
        let rpc = Rpc::new(Endpoint::new(url)?);
        let chain = rpc.chain_info().await?.chain;
        if chain != "regtest" {
            return Err(RegtestError::Network { chain });
        }
        Ok(Self { node: Node::Attached, url: url.to_owned(), rpc, miner: None })
    }

    /// Where it listens, with user and password.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Headers up to its tip, from the genesis block on, as it tells them; they were checked.
    pub async fn headers(&self) -> Result<Vec<u8>, ProveError> {
        headers(&self.rpc, Vec::new(), ChainParameters::Regtest).await
    }

    /// Gives each script a coin that can be spent: mines a block for each, and as many above as that takes.
    pub async fn fund(&self, scripts: &[ScriptBuf]) -> Result<(), RegtestError> {
        match &self.node {
            Node::Embedded(served) => {
                // All in the past, so that no header is ahead of the clock.
                let count = u32::try_from(scripts.len()).unwrap_or(u32::MAX);
                let times = seconds(&Clock::new()).saturating_sub(count.saturating_add(MATURITY))..;
                let (nobody, mut chain) = (nobody(), served.node().chain());
                let above = std::iter::repeat_n(&nobody, MATURITY as usize);
                for (time, script) in times.zip(scripts.iter().chain(above)) {
                    chain.mine(script, time);
                }
            }
            Node::Attached => {
                for script in scripts {
                    self.rpc.generate(1, script).await?;
                }
                let height = self.rpc.block_count().await?;
                let mut left = MATURITY.max(WITNESS_HEIGHT.saturating_sub(height));
                while left > 0 {
                    let blocks = left.min(MINED_AT_ONCE);
                    self.rpc.generate(blocks, &nobody()).await?;
                    left -= blocks;
                }
            }
        }
        Ok(())
    }

    /// Mines a block each time so much has passed, until this is stopped.
    pub fn mine_every(&mut self, period: Duration) {
        let (rpc, nobody) = (self.rpc.clone(), nobody());
        let mining = tokio::spawn(async move {
            let mut ticks = tokio::time::interval(period);
            loop {
                ticks.tick().await;
                if let Err(error) = rpc.generate(1, &nobody).await {
                    tracing::warn!(%error, "no block of Bitcoin was mined");
                }
            }
        });
        if let Some(before) = self.miner.replace(mining) {
            before.abort();
        }
    }

    /// Stops mining and, where it serves itself, serving.
    pub async fn stop(self) {
        if let Some(miner) = self.miner {
            miner.abort();
        }
        if let Node::Embedded(served) = self.node {
            drop(served.stop().await);
        }
    }
}

fn nobody() -> ScriptBuf {
    funding_script(&SecretKey::from_slice(&[0x51; 32]).expect("a number below the group's order"))
}

fn seconds(clock: &Clock) -> u32 {
    u32::try_from(clock.now().get() / 1_000).unwrap_or(u32::MAX)
}
