//! A node of Bitcoin for a network on one machine: the chain in this process, mined on a clock. [ANC-1]
//!
//! What is simulated: who mines, and how fast. Transactions, blocks, proof of work and the protocol to ask for
//! them are real.

use std::io;
use std::time::Duration;

use ::bitcoin::ScriptBuf;
use ::bitcoin::secp256k1::SecretKey;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::local::LOOPBACK;
use crate::anchoring::funding_script;
use crate::bitcoin::embedded::{EmbeddedChain, EmbeddedNode, ServedChain};
use crate::environment::{Clock, draw};

/// Blocks above a reward before it can be spent.
const MATURITY: u32 = 100;

/// A chain that is served and mined.
#[derive(Debug)]
pub struct Regtest {
    served: ServedChain,
    miner: Option<JoinHandle<()>>,
}

impl Regtest {
    /// Serves an empty chain on a free port.
    pub async fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((LOOPBACK, 0)).await?;
        let password: [u8; 16] = draw().map_err(io::Error::other)?;
        let password: String = password.iter().map(|byte| format!("{byte:02x}")).collect();
        let clock = Clock::new();
        let node = EmbeddedNode::new(EmbeddedChain::new(), move || seconds(&clock));
        Ok(Self { served: ServedChain::start(node, listener, &password)?, miner: None })
    }

    /// Where it listens, with user and password.
    #[must_use]
    pub fn url(&self) -> &str {
        self.served.url()
    }

    /// The node, for looking.
    #[must_use]
    pub fn node(&self) -> &EmbeddedNode {
        self.served.node()
    }

    /// Gives each script a coin that can be spent: mines a block for each, and as many above as that takes.
    pub fn fund(&self, scripts: &[ScriptBuf]) {
        let clock = Clock::new();
        let nobody = nobody();
        let mut chain = self.served.node().chain();
        let count = u32::try_from(scripts.len()).unwrap_or(u32::MAX).saturating_add(MATURITY);
        let above = std::iter::repeat_n(&nobody, MATURITY as usize);
        let times = seconds(&clock).saturating_sub(count)..;
        for (time, script) in times.zip(scripts.iter().chain(above)) {
            chain.mine(script, time);
        }
    }

    /// Mines a block each time so much has passed, until this is stopped.
    pub fn mine_every(&mut self, period: Duration) {
        let node = self.served.node().clone();
        let (clock, nobody) = (Clock::new(), nobody());
        let mining = tokio::spawn(async move {
            let mut ticks = tokio::time::interval(period);
            loop {
                ticks.tick().await;
                node.chain().mine(&nobody, seconds(&clock));
            }
        });
        if let Some(before) = self.miner.replace(mining) {
            before.abort();
        }
    }

    /// Stops mining and serving.
    pub async fn stop(self) {
        if let Some(miner) = self.miner {
            miner.abort();
        }
        drop(self.served.stop().await);
    }
}

fn nobody() -> ScriptBuf {
    funding_script(&SecretKey::from_slice(&[0x51; 32]).expect("a number below the group's order"))
}

fn seconds(clock: &Clock) -> u32 {
    u32::try_from(clock.now().get() / 1_000).unwrap_or(u32::MAX)
}
