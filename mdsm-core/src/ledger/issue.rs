//! Issuing receipts for a frozen window. [STO-11] [STO-13] [ANC-2]

use std::collections::BTreeMap;

use thiserror::Error;

use super::anchor::{Anchor, context};
use super::data_block::DataBlock;
use super::item::Item;
use super::item_block::ItemBlock;
use super::receipt::{Position, Receipt};
use crate::merkle::Tree;
use crate::types::{ChainId, Digest, Epoch, List};

/// The trees of one frozen window, from which the receipt of any of its records is cut.
///
/// Holds about two hashes per Item; a receipt costs one lookup and one copy per level.
#[derive(Clone, Debug)]
pub struct Issuer {
    chain_id: ChainId,
    epoch: Epoch,
    context: Digest,
    window: Tree,
    data_blocks: Vec<Tree>,
    item_blocks: Vec<PlacedBlock>,
    /// Item root -> index of its Item block, index in it.
    items: BTreeMap<Digest, (usize, usize)>,
}

#[derive(Clone, Debug)]
struct PlacedBlock {
    tree: Tree,
    data_block: usize,
    index: usize,
}

/// A receipt that cannot be issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum IssueError {
    /// The Item blocks or data blocks are not those of the window.
    #[error("{what} {index} does not belong to the window of epoch {epoch}")]
    NotOfWindow {
        /// What does not belong.
        what: &'static str,
        /// Its index.
        index: usize,
        /// The epoch.
        epoch: Epoch,
    },
    /// The Item is not in the window.
    #[error("Item {root} is not in the window of epoch {epoch}")]
    UnknownItem {
        /// Root of the Item.
        root: Digest,
        /// The epoch.
        epoch: Epoch,
    },
    /// The Item has no such record.
    #[error("record {index} of an Item of {records}")]
    UnknownRecord {
        /// Index asked for.
        index: usize,
        /// Records of the Item.
        records: usize,
    },
}

impl Issuer {
    /// Builds the trees of the window that `anchor` froze.
    pub fn new(
        anchor: &Anchor,
        data_blocks: &[DataBlock],
        item_blocks: &[ItemBlock],
    ) -> Result<Self, IssueError> {
        let not_of_window =
            |what, index| IssueError::NotOfWindow { what, index, epoch: anchor.epoch };
        let roots: Vec<Digest> = data_blocks.iter().map(DataBlock::root).collect();
        if super::root_of(super::Level::Window, &roots) != anchor.window {
            return Err(not_of_window("list of data blocks up to", data_blocks.len()));
        }
        let mut placed = Vec::new();
        let mut items = BTreeMap::new();
        for (data_block, block) in data_blocks.iter().enumerate() {
            for (index, root) in block.item_blocks.iter().enumerate() {
                let at = placed.len();
                let item_block = item_blocks
                    .get(at)
                    .filter(|item_block| item_block.root() == *root)
                    .ok_or(not_of_window("Item block", at))?;
                for (place, item) in item_block.items.iter().enumerate() {
                    items.insert(*item, (at, place));
                }
                let tree = Tree::from_digests(&item_block.items);
                placed.push(PlacedBlock { tree, data_block, index });
            }
        }
        if item_blocks.len() > placed.len() {
            return Err(not_of_window("Item block", placed.len()));
        }
        Ok(Self {
            chain_id: anchor.chain_id,
            epoch: anchor.epoch,
            context: context(&anchor.head, &anchor.state, &anchor.next_committees),
            window: Tree::from_digests(&roots),
            data_blocks: data_blocks
                .iter()
                .map(|block| Tree::from_digests(&block.item_blocks))
                .collect(),
            item_blocks: placed,
            items,
        })
    }

    /// The receipt of record `index` of `item`, without the way into Bitcoin.
    pub fn issue(&self, item: &Item, index: usize) -> Result<Receipt, IssueError> {
        let leaves = item.leaf_hashes();
        let records = leaves.len();
        let envelope =
            item.records.get(index).ok_or(IssueError::UnknownRecord { index, records })?;
        let root = Item::root_of_leaves(&leaves);
        let unknown = IssueError::UnknownItem { root, epoch: self.epoch };
        let &(block, place) = self.items.get(&root).ok_or(unknown)?;
        let placed = &self.item_blocks[block];
        let data_block = &self.data_blocks[placed.data_block];
        let in_item = Tree::from_hashes(leaves);
        let trees = [
            (&in_item, index),
            (&placed.tree, place),
            (data_block, placed.index),
            (&self.window, placed.data_block),
        ];
        let mut path = Vec::new();
        for (tree, index) in trees {
            let index = u64::try_from(index).map_err(|_| unknown)?;
            //= harness/spec/storage.md#sto-11-change-and-proof
            //# STO-11.2 (paper): A record MUST be provable under the root of its window by a path
            //# of at most the sum, over the four trees, of the binary logarithm of the number of
            //# leaves, each rounded up.
            path.extend(tree.prove(index).ok_or(unknown)?);
        }
        Ok(Receipt {
            chain_id: self.chain_id,
            epoch: self.epoch,
            booking: envelope.booking(),
            position: Position {
                item_index: bounded(index),
                item_size: bounded(records),
                block_index: bounded(place),
                block_size: bounded(placed.tree.len()),
                data_index: bounded(placed.index),
                data_size: bounded(data_block.len()),
                window_index: bounded(placed.data_block),
                window_size: bounded(self.window.len()),
            },
            path: List::new(path).expect("four trees of bounded size have at most 64 levels"),
            context: self.context,
            bitcoin: None,
        })
    }
}

/// Positions come from bounded lists, whose bounds their integers were chosen for.
fn bounded<T: TryFrom<usize>>(value: usize) -> T {
    T::try_from(value).unwrap_or_else(|_| unreachable!("a bounded list has {value} elements"))
}
