//! What a watcher holds, and one round of its work. [ANC-3]

use std::collections::{BTreeMap, BTreeSet};

use bitcoin::ScriptBuf;
use thiserror::Error;
use tokio::sync::{mpsc, watch};

use super::book::{Book, BookError};
use super::check::Lie;
use super::coins::Coins;
use super::config::WatcherConfig;
use super::inbox::Inbox;
use super::told::Told;
use crate::anchoring::funding_script;
use crate::anchoring::machine::{Alarm, Bitcoin, Effect, FeeRate, Sighting};
use crate::bitcoin::{Rpc, RpcError};
use crate::ledger::AnchorReport;
use crate::node::Input;
use crate::types::{Digest, Epoch};

/// Blocks within which an anchor is to be mined: twenty minutes, as long as it waits for a replacement.
const ESTIMATE_BLOCKS: u16 = 2;

/// How a watcher stands towards its Bitcoin node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// Height and hash of the last block that was told.
    pub tip: Option<(u32, Digest)>,
    /// What the last look found.
    pub state: State,
    /// Looks that found a lie.
    pub lies: u64,
    /// Looks that failed for any reason.
    pub failures: u64,
    /// Reorganisations that were told.
    pub reorganisations: u64,
    /// Coins that can be spent in the next block.
    pub coins: usize,
    /// What they hold, in satoshi.
    pub satoshi: u64,
}

/// What the last look found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// There was none yet.
    #[default]
    Starting,
    /// Everything that the node shows is told.
    Following,
    /// Something was wrong; told is what was known before.
    Troubled(Trouble),
}

/// Why a look ended early.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Trouble {
    /// No answer, or none of use.
    #[error(transparent)]
    Away(#[from] RpcError),
    /// A lie; an alarm.
    #[error("the Bitcoin node lies: {0}")]
    Lie(#[from] Lie),
    /// The node's chain has less work than the one that was told: it is not there yet, or again.
    #[error("the Bitcoin node is behind: its tip is at {shown}, told is {told}")]
    Behind {
        /// Height that it shows.
        shown: u32,
        /// Height that was told.
        told: u32,
    },
    /// The file of own transactions.
    #[error(transparent)]
    Book(#[from] BookError),
    /// The driver takes no inputs any more.
    #[error("the node has stopped")]
    Stopped,
}

/// A watcher's state; its work is in the files beside this one.
pub(super) struct Watch {
    pub(super) config: WatcherConfig,
    pub(super) script: ScriptBuf,
    pub(super) rpc: Rpc,
    pub(super) inputs: mpsc::Sender<Input>,
    pub(super) told: Told,
    pub(super) coins: Coins,
    pub(super) book: Book,
    /// The last answer of each epoch, with its number.
    pub(super) answers: BTreeMap<Epoch, (u32, Bitcoin)>,
    /// Ids in the memory pool at the last look that were looked at.
    pub(super) pool: BTreeSet<Digest>,
    /// Those of them that say something of an epoch.
    pub(super) waiting: BTreeSet<Digest>,
    /// Own transactions that no look has shown, and in how many.
    pub(super) missed: BTreeMap<Digest, u32>,
    estimate: Option<FeeRate>,
    /// Whether what was in flight before a restart has been told.
    is_resumed: bool,
    pub(super) status: watch::Sender<Status>,
}

impl Watch {
    pub(super) fn new(
        config: WatcherConfig,
        rpc: Rpc,
        inputs: mpsc::Sender<Input>,
        book: Book,
        status: watch::Sender<Status>,
    ) -> Self {
        Self {
            script: funding_script(&config.key),
            config,
            rpc,
            inputs,
            told: Told::default(),
            coins: Coins::default(),
            book,
            answers: BTreeMap::new(),
            pool: BTreeSet::new(),
            waiting: BTreeSet::new(),
            missed: BTreeMap::new(),
            estimate: None,
            is_resumed: false,
            status,
        }
    }

    /// Looks at Bitcoin, then does what was asked for; what could not be done stays in the inbox.
    pub(super) async fn round(&mut self, inbox: &mut Inbox) -> Result<(), Trouble> {
        let outcome = match self.look().await {
            Ok(()) => self.carry_out(inbox).await,
            Err(trouble) => Err(trouble),
        };
        self.note(&outcome);
        outcome
    }

    /// Does what was asked for between two looks, if the last one found everything in order.
    pub(super) async fn between(&mut self, inbox: &mut Inbox) -> Result<(), Trouble> {
        if self.status.borrow().state != State::Following {
            return Ok(());
        }
        let outcome = self.carry_out(inbox).await;
        self.note(&outcome);
        outcome
    }

    async fn look(&mut self) -> Result<(), Trouble> {
        let has_moved = self.follow().await?;
        self.look_at_pool().await?;
        if has_moved || self.estimate.is_none() {
            let rate = self.rpc.estimate(ESTIMATE_BLOCKS).await?;
            let rate = rate.and_then(|rate| u32::try_from(rate).ok());
            let rate = rate.map_or(FeeRate::MIN, FeeRate::new);
            if self.estimate != Some(rate) {
                self.tell(Bitcoin::Estimate(rate)).await?;
                self.estimate = Some(rate);
            }
        }
        if !self.is_resumed {
            self.resume().await?;
            self.is_resumed = true;
        }
        Ok(())
    }

    /// Tells of each epoch the transaction that may still be mined: the one that Bitcoin has or that
    /// waits, else the last.
    //= harness/spec/anchoring.md#anc-3-getting-it-confirmed
    //# ANC-3.11 (ours): A further transaction of a submitter for an epoch MUST spend the coin of the
    //# one before it for as long as that one can be mined.
    async fn resume(&self) -> Result<(), Trouble> {
        let lives = |txid: &Digest| self.told.holds(txid) || self.pool.contains(txid);
        for (_, made) in self.book.epochs() {
            let alive = made.iter().rev().find(|made| lives(&made.sighting.txid));
            if let Some(made) = alive.or(made.last()) {
                let (sighting, rate) = (made.sighting, made.rate);
                self.send(Input::Resumed { sighting, rate }).await?;
            }
        }
        Ok(())
    }

    async fn carry_out(&mut self, inbox: &mut Inbox) -> Result<(), Trouble> {
        while let Some(effect) = inbox.first() {
            self.one(effect).await?;
            inbox.done();
        }
        Ok(())
    }

    async fn one(&mut self, effect: Effect) -> Result<(), Trouble> {
        match effect {
            Effect::Watch(output) => {
                self.tell_found(|seen| seen.output.epoch == output.epoch).await?;
            }
            Effect::Look(report) => self.look_up(report).await?,
            Effect::Submit(request) => self.submit(request).await?,
            Effect::Final { output, place } => {
                self.book.settle(output.epoch, place)?;
                self.answers.remove(&output.epoch);
            }
            Effect::Alarm(Alarm::FinalRemoved { output, .. }) => {
                self.book.unsettle(output.epoch)?;
            }
            // A coin is free as soon as its epoch is final; the rest is for the operator.
            Effect::Release { .. }
            | Effect::Report(_)
            | Effect::Foreign { .. }
            | Effect::Alarm(_) => {}
        }
        Ok(())
    }

    async fn tell_found(&self, is_wanted: impl Fn(&Sighting) -> bool) -> Result<bool, Trouble> {
        let found = self.told.find(is_wanted);
        let has_any = !found.is_empty();
        for shown in found {
            self.tell(shown).await?;
        }
        Ok(has_any)
    }

    /// Tells whether the transaction of a report stands where it says; of older blocks the block is read.
    //= harness/spec/anchoring.md#anc-3-getting-it-confirmed
    //# ANC-3.10 (ours): A report of an anchor on the chain MUST count only where the node's own view
    //# of Bitcoin shows that transaction in a block.
    async fn look_up(&mut self, report: AnchorReport) -> Result<(), Trouble> {
        if self.tell_found(|seen| seen.txid == report.txid).await? {
            return Ok(());
        }
        let (height, Some(known)) = (report.height, self.told.at(report.height).copied()) else {
            return Ok(());
        };
        let gist = self.read(&known).await?;
        let block = known.block.hash;
        for sighting in gist.sightings.into_iter().filter(|seen| seen.txid == report.txid) {
            self.tell(Bitcoin::Found { sighting, height, block }).await?;
        }
        Ok(())
    }

    pub(super) async fn tell(&self, shown: Bitcoin) -> Result<(), Trouble> {
        self.send(Input::Bitcoin(shown)).await
    }

    async fn send(&self, input: Input) -> Result<(), Trouble> {
        self.inputs.send(input).await.map_err(|_| Trouble::Stopped)
    }

    fn note(&self, outcome: &Result<(), Trouble>) {
        let tip = self.told.tip().map(|known| (known.block.height, known.block.hash));
        let values: Vec<u64> =
            self.coins.spendable().map(|(_, coin)| coin.value.to_sat()).collect();
        self.status.send_modify(|status| {
            status.tip = tip;
            status.coins = values.len();
            status.satoshi = values.iter().fold(0, |sum, value| sum.saturating_add(*value));
            let Err(trouble) = outcome else {
                status.state = State::Following;
                return;
            };
            status.failures += 1;
            let state = State::Troubled(trouble.clone());
            if let Trouble::Lie(_) = trouble {
                status.lies += 1;
                tracing::error!(%trouble, "alarm");
            } else if status.state != state {
                tracing::warn!(%trouble, "Bitcoin cannot be followed");
            }
            status.state = state;
        });
    }
}
