//! From the tip that was told to the one that the node shows. [ANC-3]
//!
//! The way is found from the shown tip down, by hashes alone, so it is one branch whatever happens
//! meanwhile. Nothing is told of a reorganisation until all of its blocks are read.

use bitcoin::block::Header;
use bitcoin::{BlockHash, Work};

use super::book::Checkpoint;
use super::check::{self, Lie};
use super::coins::{Coins, Gist};
use super::told::{Known, block_hash, digest};
use super::watch::{Trouble, Watch};
use crate::anchoring::machine::Bitcoin;
use crate::types::Digest;

/// Blocks between two states of the coins in the file.
const CHECKPOINT_BLOCKS: u32 = 144;

/// The way to another tip: the height of the last common block, and the headers above it.
struct Way {
    /// `None` when nothing was told yet.
    fork: Option<u32>,
    up: Vec<Known>,
}

impl Watch {
    /// Tells what is new on the chain; whether anything was.
    pub(super) async fn follow(&mut self) -> Result<bool, Trouble> {
        let info = self.rpc.chain_info().await?;
        let expected = check::network_name(self.config.network);
        if info.chain != expected {
            let found: String = info.chain.chars().take(32).collect();
            return Err(Lie::Network { found, expected }.into());
        }
        if self.told.tip().is_some_and(|tip| tip.block.hash == digest(info.best)) {
            return Ok(false);
        }
        let start = match self.told.tip() {
            Some(_) => 0,
            None => self.start(info.blocks).await?,
        };
        let way = self.way(info.blocks, info.best, start).await?;
        let told = self.told.tip().map_or(0, |tip| tip.block.height);
        if let Some(fork) = way.fork {
            let none = Work::from_be_bytes([0; 32]);
            let shown = way.up.iter().fold(none, |sum, known| sum + known.header.work());
            if shown < self.told.work_above(fork) {
                return Err(Trouble::Behind { shown: info.blocks, told });
            }
        }
        if way.fork.is_some_and(|fork| fork < told) {
            self.reorganise(way).await?;
        } else {
            for known in way.up {
                let gist = self.read(&known).await?;
                self.connect(known, gist).await?;
            }
        }
        Ok(true)
    }

    /// Height of the first block that is told: all that may hold coins not counted yet, and enough of late.
    async fn start(&mut self, tip: u32) -> Result<u32, Trouble> {
        let mut counted = None;
        for checkpoint in self.book.checkpoints.iter().rev() {
            let Checkpoint { height, block, .. } = checkpoint;
            if *height <= tip && digest(self.rpc.block_hash(*height).await?) == *block {
                counted = Some(checkpoint.clone());
                break;
            }
        }
        let late = tip.saturating_add(1).saturating_sub(self.config.look_back.max(1));
        let (coins, first) = match counted {
            Some(Checkpoint { coins, height, .. }) => (coins, height.saturating_add(1)),
            None => (Coins::default(), self.config.birth),
        };
        self.coins = coins;
        Ok(first.min(late))
    }

    async fn header(&self, hash: &BlockHash, height: u32) -> Result<Header, Trouble> {
        let header = self.rpc.header(hash).await?;
        check::header(&header, hash, height, self.config.network)?;
        Ok(header)
    }

    async fn way(&mut self, height: u32, best: BlockHash, start: u32) -> Result<Way, Trouble> {
        let mut up: Vec<Known> = Vec::new();
        let (mut height, mut hash, mut fork) = (height, best, None);
        loop {
            if self.told.hash_at(height) == Some(digest(hash)) {
                fork = Some(height);
                break;
            }
            if self.told.height_of(&digest(hash)).is_some_and(|told| told != height) {
                return Err(Lie::Height { height, hash }.into());
            }
            let known = Known::new(height, self.header(&hash, height).await?);
            if let Some(above) = up.last() {
                check::bits(&above.header, above.block.height, &known.header, self.config.network)?;
            }
            up.push(known);
            let is_first = self.told.tip().is_none() && height <= start;
            if is_first || height == 0 {
                break;
            }
            self.reach_below(height).await?;
            (height, hash) = (height - 1, known.header.prev_blockhash);
        }
        // A branch from before everything told has its own first block, so the genesis block is another.
        if fork.is_none() && self.told.tip().is_some() {
            return Err(Lie::Genesis { found: hash }.into());
        }
        if let (Some(fork), Some(lowest)) = (fork, up.last())
            && let Some(parent) = self.told.at(fork)
        {
            let height = lowest.block.height;
            check::bits(&lowest.header, height, &parent.header, self.config.network)?;
        }
        up.reverse();
        Ok(Way { fork, up })
    }

    /// Remembers the branch that was told down to below a height, as far as its node still has it.
    async fn reach_below(&mut self, height: u32) -> Result<(), Trouble> {
        let lowest = self.told.lowest().map(|known| known.block);
        let Some(lowest) = lowest.filter(|lowest| height < lowest.height) else { return Ok(()) };
        let below = lowest.height - 1;
        let header = self.header(&block_hash(&lowest.parent), below).await?;
        self.told.push_below(Known::new(below, header));
        Ok(())
    }

    /// Reads a block whose header is known.
    pub(super) async fn read(&self, known: &Known) -> Result<Gist, Trouble> {
        let hash = block_hash(&known.block.hash);
        let block = self.rpc.block(&hash).await?;
        check::block(&block, &hash, known.block.height, self.config.network)?;
        Ok(Gist::of(&block, &self.script))
    }

    async fn reorganise(&mut self, way: Way) -> Result<(), Trouble> {
        let mut added = Vec::new();
        for known in way.up {
            added.push((known, self.read(&known).await?));
        }
        let removed = |tip: u32| way.fork.is_some_and(|fork| tip > fork);
        while self.told.tip().is_some_and(|tip| removed(tip.block.height)) {
            let Some(known) = self.told.pop() else { break };
            self.coins.disconnect(known.block.height);
            self.tell(Bitcoin::Disconnected(known.block)).await?;
        }
        for (known, gist) in added {
            self.connect(known, gist).await?;
        }
        self.status.send_modify(|status| status.reorganisations += 1);
        Ok(())
    }

    async fn connect(&mut self, known: Known, gist: Gist) -> Result<(), Trouble> {
        let block = known.block;
        self.coins.connect(block.height, &gist);
        self.told.push(known, gist.sightings.clone());
        self.tell(Bitcoin::Connected { block, sightings: gist.sightings }).await?;
        let last = self.book.checkpoints.last().map(|last| (last.height, last.block));
        let is_due = block.height.is_multiple_of(CHECKPOINT_BLOCKS)
            && self.coins.counted == Some(block.height)
            && last != Some((block.height, block.hash));
        if is_due {
            let coins = self.coins.clone();
            self.book.check(&Checkpoint { height: block.height, block: block.hash, coins })?;
        }
        Ok(())
    }

    /// Whether the node's tip is still the one that was told.
    pub(super) async fn is_at_tip(&self) -> Result<bool, Trouble> {
        let best: Digest = digest(self.rpc.chain_info().await?.best);
        Ok(self.told.tip().is_some_and(|tip| tip.block.hash == best))
    }
}
