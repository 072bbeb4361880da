//! The task, and the handle that others hold. [ANC-3]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::book::{Book, BookError};
use super::config::WatcherConfig;
use super::inbox::Inbox;
use super::proof::{ProveError, prove};
use super::watch::{Status, Trouble, Watch};
use crate::anchoring::ChainParameters;
use crate::anchoring::machine::{Effect, Place};
use crate::bitcoin::Rpc;
use crate::ledger::BitcoinProof;
use crate::node::Input;
use crate::types::Epoch;

/// The longest pause between two looks that fail.
const PAUSE_MAX: Duration = Duration::from_secs(60);

/// A running watcher. It ends when this is dropped, or when the driver is gone.
#[derive(Debug)]
pub struct Watcher {
    rpc: Rpc,
    network: ChainParameters,
    finals: Arc<Mutex<BTreeMap<Epoch, Place>>>,
    looks: mpsc::Sender<oneshot::Sender<Status>>,
    status: watch::Receiver<Status>,
    task: JoinHandle<()>,
}

impl Watcher {
    /// Opens the file of own transactions and starts to follow Bitcoin. What the machine asks for comes by
    /// `effects`, what Bitcoin shows goes by `inputs`.
    pub fn start(
        config: WatcherConfig,
        rpc: Rpc,
        effects: mpsc::Receiver<Effect>,
        inputs: mpsc::Sender<Input>,
    ) -> Result<Self, BookError> {
        let book = Book::open(&config.file)?;
        let finals = book.finals();
        let (network, poll) = (config.network, config.poll);
        let (status_sender, status) = watch::channel(Status::default());
        let (looks, asked) = mpsc::channel(16);
        let watch = Watch::new(config, rpc.clone(), inputs, book, status_sender);
        let task = tokio::spawn(run(watch, effects, asked, poll));
        Ok(Self { rpc, network, finals, looks, status, task })
    }

    /// Looks now instead of when it is time, and tells how that went; whatever there is to tell the node has
    /// been sent by then. `None` when the watcher has ended.
    pub async fn look(&self) -> Option<Status> {
        let (sender, answer) = oneshot::channel();
        self.looks.send(sender).await.ok()?;
        answer.await.ok()
    }

    /// How it stands, and how that changes.
    #[must_use]
    pub fn status(&self) -> watch::Receiver<Status> {
        self.status.clone()
    }

    /// Where the final anchor of an epoch stands.
    #[must_use]
    pub fn place(&self, epoch: Epoch) -> Option<Place> {
        self.finals.lock().unwrap_or_else(PoisonError::into_inner).get(&epoch).copied()
    }

    /// The Bitcoin part of receipts of an epoch whose anchor is final.
    pub async fn proof(&self, epoch: Epoch) -> Result<BitcoinProof, ProveError> {
        let place = self.place(epoch).ok_or(ProveError::Unknown)?;
        prove(&self.rpc, &place, self.network).await
    }

    /// The chain of headers that receipts are verified with; `known` as an earlier call gave them.
    pub async fn headers(&self, known: Vec<u8>) -> Result<Vec<u8>, ProveError> {
        super::proof::headers(&self.rpc, known, self.network).await
    }

    /// Ends it, and returns when its file is closed.
    pub async fn stop(mut self) {
        self.task.abort();
        // It was cancelled, or had ended already.
        let _ = (&mut self.task).await;
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn run(
    mut watch: Watch,
    mut effects: mpsc::Receiver<Effect>,
    mut looks: mpsc::Receiver<oneshot::Sender<Status>>,
    poll: Duration,
) {
    let mut inbox = Inbox::default();
    let mut next = Instant::now();
    let mut failures = 0_u32;
    loop {
        let mut asker = None;
        let mut is_due = false;
        tokio::select! {
            effect = effects.recv() => match effect {
                Some(effect) => inbox.push(effect),
                None => return,
            },
            look = looks.recv() => match look {
                Some(look) => asker = Some(look),
                None => return,
            },
            () = tokio::time::sleep_until(next) => is_due = true,
        }
        while let Ok(effect) = effects.try_recv() {
            inbox.push(effect);
        }
        is_due |= asker.is_some();
        let outcome = work(&mut watch, &mut inbox, &mut effects, is_due).await;
        match outcome {
            Err(Trouble::Stopped) => return,
            Err(_) => failures = failures.saturating_add(1),
            Ok(()) => failures = 0,
        }
        if is_due || failures > 0 {
            next = Instant::now() + pause(poll, failures);
        }
        if let Some(asker) = asker {
            // Who asked may have gone.
            let _ = asker.send(watch.status.borrow().clone());
        }
    }
}

/// Works at what is there; the driver is never kept waiting meanwhile.
//= harness/spec/anchoring.md#anc-3-getting-it-confirmed
//# ANC-3.6 (ours): Consensus on blocks MUST go on while an anchor is late.
async fn work(
    watch: &mut Watch,
    inbox: &mut Inbox,
    effects: &mut mpsc::Receiver<Effect>,
    is_due: bool,
) -> Result<(), Trouble> {
    let mut is_due = is_due;
    loop {
        let mut later = Inbox::default();
        let outcome = {
            let round = async {
                if is_due { watch.round(inbox).await } else { watch.between(inbox).await }
            };
            tokio::pin!(round);
            loop {
                tokio::select! {
                    outcome = &mut round => break outcome,
                    effect = effects.recv() => match effect {
                        Some(effect) => later.push(effect),
                        None => return Err(Trouble::Stopped),
                    },
                }
            }
        };
        let has_more = !later.is_empty();
        inbox.append(later);
        if outcome.is_err() || !has_more {
            return outcome;
        }
        is_due = false;
    }
}

/// Twice as long after each failure.
fn pause(poll: Duration, failures: u32) -> Duration {
    let factor = 1_u32.checked_shl(failures).unwrap_or(u32::MAX);
    if failures == 0 { poll } else { poll.saturating_mul(factor).min(PAUSE_MAX.max(poll)) }
}
