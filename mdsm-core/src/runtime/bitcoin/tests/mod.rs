//! The watcher against the chain in the process, with the machine that anchors as its driver.

mod anchors;
mod lies;
mod real;

use std::ops::{Deref, DerefMut};
use std::path::PathBuf;

use bitcoin::hashes::Hash as _;
use bitcoin::secp256k1::SecretKey;
use bitcoin::{Amount, ScriptBuf, Transaction, Txid};
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::*;
use crate::anchoring::machine::{self, Bitcoin, Effect, Place, Stage, Submitter};
use crate::anchoring::{ChainParameters, funding_script};
use crate::bitcoin::{EmbeddedChain, EmbeddedNode, Endpoint, Rpc, ServedChain};
use crate::ledger::AnchorOutput;
use crate::node::Input;
use crate::types::{Digest, Epoch, InstitutionId, Timestamp};

const ME: InstitutionId = InstitutionId::new(7);
const STARTED_S: u32 = 1_700_000_000;
const PASSWORD: &str = "secret";

fn key(number: u8) -> SecretKey {
    SecretKey::from_slice(&[number; 32]).unwrap()
}

fn output(epoch: u32) -> AnchorOutput {
    AnchorOutput { epoch: Epoch::new(epoch), root: Digest::new([9; 32]) }
}

fn id(transaction: &Transaction) -> Digest {
    Digest::new(transaction.compute_txid().to_byte_array())
}

fn miner() -> ScriptBuf {
    funding_script(&key(2))
}

/// A chain on which our key has so many mature coins.
fn funded(coins: u32) -> EmbeddedNode {
    let mut chain = EmbeddedChain::new();
    for _ in 0..coins {
        chain.mine(&funding_script(&key(1)), STARTED_S);
    }
    for _ in 0..100 {
        chain.mine(&miner(), STARTED_S);
    }
    EmbeddedNode::new(chain, || STARTED_S)
}

async fn serve(node: EmbeddedNode, address: &str) -> ServedChain {
    let listener = TcpListener::bind(address).await.unwrap();
    ServedChain::start(node, listener, PASSWORD).unwrap()
}

fn rpc(url: &str) -> Rpc {
    Rpc::new(Endpoint::new(url).unwrap())
}

/// A follower of the chain in the process.
struct Scene {
    node: EmbeddedNode,
    follower: Follower,
}

impl Deref for Scene {
    type Target = Follower;

    fn deref(&self) -> &Follower {
        &self.follower
    }
}

impl DerefMut for Scene {
    fn deref_mut(&mut self) -> &mut Follower {
        &mut self.follower
    }
}

/// A watcher and the machine that it serves.
struct Follower {
    key: SecretKey,
    folder: tempfile::TempDir,
    look_back: u32,
    rpc: Rpc,
    watcher: Watcher,
    effects: mpsc::Sender<Effect>,
    inputs: mpsc::Receiver<Input>,
    machine: Submitter,
    now: Timestamp,
    /// All that the watcher told.
    told: Vec<Input>,
    /// All that the machine asked for.
    asked: Vec<Effect>,
}

impl Scene {
    fn new(node: EmbeddedNode, url: &str) -> Self {
        Self::within(node, url, tempfile::tempdir().unwrap(), 1_008)
    }

    fn within(node: EmbeddedNode, url: &str, folder: tempfile::TempDir, look_back: u32) -> Self {
        Self { node, follower: Follower::paying(key(1), url, folder, look_back) }
    }

    async fn restart(self) -> Self {
        Self { follower: self.follower.restart().await, ..self }
    }

    fn mine(&self, blocks: u32) {
        for _ in 0..blocks {
            self.node.chain().mine(&miner(), STARTED_S);
        }
    }

    fn waiting(&self) -> Vec<Transaction> {
        self.node.chain().waiting().to_vec()
    }
}

impl Follower {
    fn paying(key: SecretKey, url: &str, folder: tempfile::TempDir, look_back: u32) -> Self {
        let rpc = rpc(url);
        let (watcher, effects, inputs) = start(key, &folder, look_back, rpc.clone());
        let (machine, now) = (Submitter::new(ME), Timestamp::new(0));
        let (told, asked) = (Vec::new(), Vec::new());
        Self { key, folder, look_back, rpc, watcher, effects, inputs, machine, now, told, asked }
    }

    /// As after a crash: nothing is left but the file.
    async fn restart(mut self) -> Self {
        let gone = std::mem::replace(&mut self.effects, mpsc::channel(1).0);
        self.watcher.stop().await;
        drop(gone);
        let (folder, rpc) = (&self.folder, self.rpc.clone());
        let (watcher, effects, inputs) = start(self.key, folder, self.look_back, rpc);
        let (machine, told, asked) = (Submitter::new(ME), Vec::new(), Vec::new());
        Self { watcher, effects, inputs, machine, told, asked, ..self }
    }

    fn step(&mut self, input: machine::Input) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.machine.step(self.now, input, &mut effects).unwrap();
        self.asked.extend(effects.iter().copied());
        effects
    }

    async fn send(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            self.effects.send(effect).await.unwrap();
        }
    }

    async fn certify(&mut self, epoch: u32) {
        let certified = machine::Input::Certified { output: output(epoch), duty: vec![ME] };
        let effects = self.step(certified);
        self.send(effects).await;
    }

    /// Looks until nothing more follows; how the last look went.
    async fn settle(&mut self) -> Status {
        loop {
            let status = self.watcher.look().await.unwrap();
            let mut effects = Vec::new();
            let mut is_quiet = true;
            while let Ok(input) = self.inputs.try_recv() {
                is_quiet = false;
                self.told.push(input.clone());
                let input = match input {
                    Input::Bitcoin(shown) => machine::Input::Bitcoin(shown),
                    Input::Resumed { sighting, rate } => {
                        if self.machine.stage(sighting.output.epoch).is_none() {
                            self.certify(sighting.output.epoch.get()).await;
                        }
                        machine::Input::Resumed { sighting, rate }
                    }
                    other => panic!("a watcher does not tell {other:?}"),
                };
                effects.extend(self.step(input));
            }
            self.send(effects).await;
            if is_quiet {
                return status;
            }
        }
    }

    /// Time passes, and what follows from it.
    async fn wait(&mut self, waited_ms: i64) -> Status {
        self.now = Timestamp::new(self.now.get() + waited_ms);
        let effects = self.step(machine::Input::Time);
        self.send(effects).await;
        self.settle().await
    }

    fn stage(&self, epoch: u32) -> Stage {
        self.machine.stage(Epoch::new(epoch)).unwrap()
    }

    /// Heights of blocks added and, below zero, removed, since the last call.
    fn heights(&mut self) -> Vec<i64> {
        let moves = self.told.drain(..).filter_map(|input| match input {
            Input::Bitcoin(Bitcoin::Connected { block, .. }) => Some(i64::from(block.height)),
            Input::Bitcoin(Bitcoin::Disconnected(block)) => Some(-i64::from(block.height)),
            _ => None,
        });
        moves.collect()
    }
}

type Started = (Watcher, mpsc::Sender<Effect>, mpsc::Receiver<Input>);

/// The timer is an hour, so that looks happen when a test asks for them.
fn start(key: SecretKey, folder: &tempfile::TempDir, look_back: u32, rpc: Rpc) -> Started {
    let file: PathBuf = folder.path().join("bitcoin.log");
    let mut config = WatcherConfig::new(ChainParameters::Regtest, key, file);
    config.look_back = look_back;
    config.poll = std::time::Duration::from_secs(3_600);
    let (effects, asked) = mpsc::channel(1_024);
    let (tell, inputs) = mpsc::channel(16_384);
    (Watcher::start(config, rpc, asked, tell).unwrap(), effects, inputs)
}
