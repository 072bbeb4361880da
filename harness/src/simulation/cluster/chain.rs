//! The chain that cluster nodes agree on: headers only; what a block carries is one word.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, Hasher};
use std::rc::Rc;
use std::sync::Arc;

use mdsm_core::consensus::Rules;
use mdsm_core::ledger::{BlockHeader, Certificate};
use mdsm_core::roster::Committees;
use mdsm_core::types::{Digest, Epoch, Height, Timestamp, View};

use super::setup::{GENESIS, STARTED_MS, Setup};
use super::wire::Block;
use crate::simulation::world::fold;

/// Blocks by hash; never walked through in order.
pub type Blocks = HashMap<Digest, Arc<Block>, BuildHasherDefault<FirstBytes>>;

/// Digests are hashes already.
#[derive(Clone, Copy, Debug, Default)]
pub struct FirstBytes(u64);

impl Hasher for FirstBytes {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk() {
            self.0 ^= u64::from_le_bytes(*first);
        }
    }
}

/// What closing blocks carry.
pub const EMPTY: Digest = Digest::new([0; 32]);
/// What no honest producer proposes.
pub const BAD: Digest = Digest::new([0xbd; 32]);
/// What every other block carries.
const FULL: Digest = Digest::new([1; 32]);
/// A block may be ahead of an auditor's clock by this much.
const AHEAD_MS_MAX: i64 = 2_000;

/// An epoch that is over: what shows that to those who lag behind.
#[derive(Clone, Debug)]
pub struct Past {
    /// Finalizes the last block of the epoch, or a closing block behind it.
    pub certificate: Arc<Certificate>,
    /// The blocks of the epoch.
    pub blocks: Rc<Blocks>,
}

/// The finalized chain of one node, and what it builds on.
#[derive(Clone, Debug)]
pub struct Chain {
    /// Committees of the open epoch.
    pub committees: Arc<Committees>,
    /// Committees of the epoch before; of the first one itself.
    pub before: Arc<Committees>,
    /// The block that the first one of the epoch extends.
    pub genesis: Digest,
    /// Height and time of that block.
    pub base: (Height, Timestamp),
    /// The mark: the first block at or past it closes the epoch.
    pub mark: Timestamp,
    /// Last final block of this epoch; the genesis before the first.
    pub tip: Digest,
    /// Height of the tip.
    pub height: Height,
    /// Anchor root of the epoch before.
    pub anchor: Digest,
    /// Epochs that are over, the latest few.
    pub past: Rc<BTreeMap<Epoch, Past>>,
    /// Blocks of this epoch by hash, final or not.
    blocks: Blocks,
}

/// Epochs that a node can show to others: a day of the paper's. A node that was down for longer needs what
/// whole nodes have on their disks.
const PAST_MAX: usize = 144;

/// Why a block cannot be judged yet, or is bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// This block is missing.
    Missing(Digest),
    /// It breaks a rule.
    Invalid,
}

impl Chain {
    /// The chain at its genesis.
    #[must_use]
    pub fn new<R: Rules>(setup: &Setup<R>) -> Self {
        let started = Timestamp::new(STARTED_MS);
        let committees = Arc::new(setup.first());
        Self {
            before: committees.clone(),
            committees,
            genesis: GENESIS,
            base: (Height::new(0), started),
            mark: setup.mark_after(started),
            tip: GENESIS,
            height: Height::new(0),
            anchor: GENESIS,
            past: Rc::default(),
            blocks: Blocks::default(),
        }
    }

    /// Keeps a block whose parent may still be missing.
    pub fn keep(&mut self, block: &Arc<Block>) {
        self.blocks.entry(block.hash()).or_insert_with(|| block.clone());
    }

    /// A block of this epoch or from the end of an earlier one.
    #[must_use]
    pub fn block(&self, hash: &Digest) -> Option<&Arc<Block>> {
        let older = || self.past.values().rev().find_map(|past| past.blocks.get(hash));
        self.blocks.get(hash).or_else(older)
    }

    /// The blocks of its epoch before a block, the parent first, as far as they are here.
    pub fn before<'a>(&'a self, block: &'a Block) -> impl Iterator<Item = &'a Arc<Block>> {
        let epoch = block.header.epoch;
        let blocks = match self.past.get(&epoch) {
            Some(past) => &past.blocks,
            None => &self.blocks,
        };
        let mut parent = block.header.parent;
        std::iter::from_fn(move || {
            let found = blocks.get(&parent)?;
            parent = found.header.parent;
            Some(found)
        })
    }

    /// Height, time and whether the epoch is over at a block, all of whose ancestors must be here.
    fn standing(&self, hash: &Digest) -> Result<(Height, Timestamp, bool), Digest> {
        if *hash == self.genesis {
            return Ok((self.base.0, self.base.1, false));
        }
        let signed = self.blocks.get(hash).ok_or(*hash)?;
        let header = &signed.header;
        // Once past the mark, every later block is past it: times only grow.
        Ok((header.height, header.timestamp, header.timestamp >= self.mark))
    }

    /// Whether a block may be notarized at this time of the auditor's clock.
    pub fn check(&self, header: &BlockHeader, clock_ms: i64) -> Result<(), Doubt> {
        let (height, time, is_closing) = self.standing(&header.parent).map_err(Doubt::Missing)?;
        //= harness/spec/consensus.md#con-4-audit
        //# CON-4.4 (ours): An auditor MUST NOT vote for a block whose timestamp is more than 2,000
        //# milliseconds ahead of its own clock.
        let is_sound = height.next() == Some(header.height)
            && header.timestamp > time
            && header.timestamp.get() <= clock_ms + AHEAD_MS_MAX
            && header.payload == if is_closing { EMPTY } else { FULL };
        if is_sound { Ok(()) } else { Err(Doubt::Invalid) }
    }

    /// A header on a parent, for a producer whose clock shows this time.
    pub fn build<R: Rules>(
        &self,
        setup: &Setup<R>,
        place: (View, View, Digest),
        clock_ms: i64,
    ) -> Result<BlockHeader, Digest> {
        let (view, parent_view, parent) = place;
        let (height, time, is_closing) = self.standing(&parent)?;
        Ok(BlockHeader {
            chain_id: setup.chain,
            epoch: self.committees.epoch,
            view,
            height: height.next().unwrap_or(height),
            parent,
            parent_view,
            timestamp: Timestamp::new(clock_ms.max(time.get() + 1)),
            producer: self.committees.leader(view).institution,
            payload: if is_closing { EMPTY } else { FULL },
        })
    }

    /// The final blocks up to this one that were not final before, in order; or one that is missing.
    pub fn behind(&self, hash: &Digest) -> Result<Vec<Arc<Block>>, Digest> {
        let mut found = Vec::new();
        let mut at = *hash;
        while at != self.tip && at != self.genesis {
            let signed = self.blocks.get(&at).ok_or(at)?;
            found.push(signed.clone());
            at = signed.header.parent;
        }
        found.reverse();
        Ok(found)
    }

    /// Appends a final block.
    pub fn append(&mut self, block: &Arc<Block>) {
        self.keep(block);
        (self.tip, self.height) = (block.hash(), block.header.height);
    }

    /// The last block of the epoch on the final chain, once there is one.
    #[must_use]
    pub fn closed(&self) -> Option<Arc<Block>> {
        let (mut last, mut at) = (None, self.tip);
        while at != self.genesis {
            let signed = self.blocks.get(&at)?;
            if signed.header.timestamp < self.mark {
                break;
            }
            (last, at) = (Some(signed.clone()), signed.header.parent);
        }
        last
    }

    /// Goes on to the next epoch: its first block extends the last block of this one.
    #[must_use]
    pub fn freeze<R: Rules>(
        &self,
        setup: &Setup<R>,
        last: &Block,
        certificate: Arc<Certificate>,
    ) -> Self {
        let (last, genesis) = (last.header, last.hash());
        //= harness/spec/consensus.md#con-5-turns
        //# CON-5.4 (ours): The order of turns MUST go on across a freeze without leaving out a
        //# producer.
        let committees = setup.next(&self.committees, last.view.get());
        let mut past = (*self.past).clone();
        let blocks = Rc::new(self.blocks.clone());
        past.insert(self.committees.epoch, Past { certificate, blocks });
        while past.len() > PAST_MAX {
            past.pop_first();
        }
        Self {
            before: self.committees.clone(),
            committees,
            genesis,
            base: (last.height, last.timestamp),
            mark: setup.mark_after(last.timestamp),
            tip: genesis,
            height: last.height,
            anchor: self.root(&genesis),
            past: Rc::new(past),
            blocks: Blocks::default(),
        }
    }

    /// The anchor root of the epoch that ends at a block: chained to the one before.
    fn root(&self, last: &Digest) -> Digest {
        let mut bytes = *last.as_bytes();
        let word = fold(fold(0, self.anchor.as_bytes()), last.as_bytes());
        bytes[..8].copy_from_slice(&word.to_le_bytes());
        Digest::new(bytes)
    }

    /// Blocks that are kept, for a measure of memory.
    #[must_use]
    pub fn kept(&self) -> usize {
        self.blocks.len()
    }
}
