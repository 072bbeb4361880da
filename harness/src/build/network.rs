//! A chain that grows turn by turn, and everything that went into it.

use std::collections::BTreeSet;

use mdsm_core::chain::{Applied, BlockError, Chain, RecordIndex};
use mdsm_core::crypto::Identified;
use mdsm_core::ledger::{
    Block, BlockHeader, DataBlock, Item, ItemBlock, ItemBlockHeader, Level, Payload, root_of,
};
use mdsm_core::params::ITEM_RECORDS_MAX;
use mdsm_core::types::{Epoch, InstitutionId, List, RecordId, Timestamp, View};

use super::{after_start, founders, genesis, item};

/// A chain, with all that it was given.
#[derive(Clone, Debug)]
pub struct Network {
    /// The chain.
    pub chain: Chain,
    /// Every record booked so far.
    pub booked: BTreeSet<RecordId>,
    /// Every Item of the open epoch, in order.
    pub items: Vec<Item>,
    /// Every Item block of the open epoch, in order.
    pub item_blocks: Vec<ItemBlock>,
    /// Every data block of the open epoch, in order.
    pub data_blocks: Vec<DataBlock>,
    /// View of the head, 0 before the first block of an epoch.
    view: View,
    /// The last block that was taken, closing blocks included.
    tip: Option<BlockHeader>,
    records: u32,
}

impl Default for Network {
    fn default() -> Self {
        Self::new()
    }
}

impl Network {
    /// The network before its first block.
    #[must_use]
    pub fn new() -> Self {
        Self {
            chain: Chain::new(genesis(), &founders()).expect("the genesis is sound"),
            booked: BTreeSet::new(),
            items: Vec::new(),
            item_blocks: Vec::new(),
            data_blocks: Vec::new(),
            view: View::new(0),
            tip: None,
            records: 0,
        }
    }

    /// Items of ten new records each, and a shorter one where the count asks for it.
    pub fn new_items(&mut self, records: u32) -> Vec<Item> {
        let first = self.records;
        self.records += records;
        let numbers: Vec<u32> = (first..self.records).collect();
        let id = self.chain.id();
        numbers.chunks(ITEM_RECORDS_MAX).map(|some| item(&id, some.iter().copied())).collect()
    }

    /// Whose turn the next block is.
    ///
    /// # Panics
    /// When the epoch is at its last view.
    #[must_use]
    pub fn producer(&self) -> InstitutionId {
        self.chain.leader(self.view.next().expect("a short epoch"))
    }

    /// The leader of a view of the open epoch or the one before it.
    ///
    /// # Panics
    /// When the epoch is another one.
    #[must_use]
    pub fn leader(&self, epoch: Epoch, view: View) -> InstitutionId {
        let roster = self.chain.roster();
        let mut known = roster.previous_committees().into_iter().chain([roster.committees()]);
        let of_epoch = known.find(|committees| committees.epoch == epoch);
        of_epoch.expect("the open epoch or the one before").leader(view).institution
    }

    /// The Item block of the next block, closed `ms` after the start.
    ///
    /// # Panics
    /// When there is no Item, or more than an Item block can name.
    #[must_use]
    pub fn item_block(&self, ms: i64, items: &[Item]) -> ItemBlock {
        let roots: Vec<_> = items.iter().map(Item::root).collect();
        let header = ItemBlockHeader {
            chain_id: self.chain.id(),
            height: self.chain.height().next().expect("a short chain"),
            producer: self.producer(),
            closed_at: after_start(ms),
            root: root_of(Level::ItemBlock, &roots),
        };
        ItemBlock { header, items: List::new(roots).expect("1 to 16,384 Items") }
    }

    /// The next block, `ms` after the start, around an Item block.
    ///
    /// # Panics
    /// When the chain is at its last height.
    #[must_use]
    pub fn block(&self, ms: i64, item_block: Option<ItemBlock>) -> Block {
        self.block_with(ms, Payload { item_block, ..Payload::default() })
    }

    /// The next block, `ms` after the start, with this payload.
    ///
    /// # Panics
    /// When the chain is at its last height.
    #[must_use]
    pub fn block_with(&self, ms: i64, payload: Payload) -> Block {
        let header = BlockHeader {
            chain_id: self.chain.id(),
            epoch: self.chain.epoch(),
            view: self.view.next().expect("a short epoch"),
            height: self.chain.height().next().expect("a short chain"),
            parent: self.chain.head(),
            parent_view: self.view,
            timestamp: after_start(ms),
            producer: self.producer(),
            payload: payload.commitment(),
        };
        Block { header, payload }
    }

    /// The next closing block, `ms` after the start, with this payload, which must be empty to be
    /// taken.
    ///
    /// # Panics
    /// Before the first block.
    #[must_use]
    pub fn closing(&self, ms: i64, payload: Payload) -> Block {
        let tip = self.tip.expect("the last block of an epoch");
        let view = tip.view.next().expect("a short epoch");
        let header = BlockHeader {
            view,
            producer: self.leader(tip.epoch, view),
            height: tip.height.next().expect("a short chain"),
            parent: tip.id(),
            parent_view: tip.view,
            timestamp: after_start(ms),
            payload: payload.commitment(),
            ..tip
        };
        Block { header, payload }
    }

    /// The next block, `ms` after the start, that carries these Items.
    #[must_use]
    pub fn block_of(&self, ms: i64, items: &[Item]) -> Block {
        let carried = (!items.is_empty()).then(|| self.item_block(ms, items));
        self.block(ms, carried)
    }

    /// Says whether the block may follow, and nothing else.
    pub fn check(&self, block: &Block, items: &[Item]) -> Result<(), BlockError> {
        self.chain.check(block, items, &self.booked).map(|_| ())
    }

    /// Checks and applies a block.
    pub fn add(&mut self, block: &Block, items: &[Item]) -> Result<Applied, BlockError> {
        let booked = std::mem::take(&mut self.booked);
        let applied = self.add_by(block, items, &booked);
        let added = std::mem::replace(&mut self.booked, booked);
        self.booked.extend(added);
        applied
    }

    /// The same, asking another index what is booked.
    pub fn add_by(
        &mut self,
        block: &Block,
        items: &[Item],
        index: &impl RecordIndex,
    ) -> Result<Applied, BlockError> {
        let checked = self.chain.check(block, items, index)?;
        let applied = self.chain.apply(checked);
        self.booked.extend(&applied.booked);
        self.items.extend_from_slice(items);
        self.item_blocks.extend(block.payload.item_block.clone());
        self.data_blocks.extend_from_slice(&applied.data_blocks);
        self.tip = Some(block.header);
        if block.hash() == self.chain.head() {
            self.view = block.header.view;
        }
        if applied.frozen.is_some() {
            self.view = View::new(0);
            self.items.clear();
            self.item_blocks.clear();
            self.data_blocks.clear();
        }
        Ok(applied)
    }

    /// One turn, `ms` after the start, with so many new records; 0 is an idle turn.
    ///
    /// # Panics
    /// When the block is refused.
    pub fn turn(&mut self, ms: i64, records: u32) -> Applied {
        let items = self.new_items(records);
        let block = self.block_of(ms, &items);
        self.add(&block, &items).expect("a sound turn is taken")
    }

    /// Header of the last block that was taken, closing blocks included.
    #[must_use]
    pub fn tip(&self) -> Option<BlockHeader> {
        self.tip
    }

    /// Milliseconds from the start to the time at which the epoch ends.
    #[must_use]
    pub fn mark_ms(&self) -> i64 {
        since_start(self.chain.mark())
    }
}

fn since_start(time: Timestamp) -> i64 {
    time.get() - after_start(0).get()
}
