//! The state after the last finalized block, and how a block changes it. [STO-12] [STO-13] [COM-9]

use std::collections::VecDeque;

use thiserror::Error;

use super::check::Checked;
use crate::codec::{Encode, prefix};
use crate::crypto::{Identified, sha256};
use crate::ledger::{Anchor, DataBlock, GenesisError, Window};
use crate::params::DATA_BLOCK_ITEM_BLOCKS;
use crate::roster::{CreditChange, FoundError, Founder, FreezeReport, Roster};
use crate::types::{
    ChainId, Digest, Epoch, Height, InstitutionId, List, RecordId, Timestamp, View,
};

pub use crate::ledger::Genesis;

/// The state of a chain. Plain data: equal chains are equal values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    pub(super) genesis: Genesis,
    pub(super) id: ChainId,
    pub(super) head: Head,
    /// The last closing block above a head that ended its epoch. No part of the state: the next
    /// epoch goes on from the head.
    pub(super) closing: Option<Head>,
    /// The epoch that the next block belongs to.
    pub(super) epoch: Epoch,
    /// The block that the first one of the epoch extends, and its time.
    opened_at: (Digest, Timestamp),
    /// First time at or after which a block ends the epoch.
    pub(super) mark: Timestamp,
    /// Roots of finalized Item blocks that are in no data block, oldest first.
    unassigned: VecDeque<Digest>,
    /// Data blocks cut in this epoch.
    data_blocks: Vec<DataBlock>,
    /// Blocks of this epoch so far.
    epoch_blocks: u64,
    totals: Totals,
    /// Institutions, their standing and their seats.
    pub(super) roster: Roster,
}

/// Why no chain starts from a genesis and these founders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum StartError {
    /// The genesis starts no network.
    #[error("genesis: {0}")]
    Genesis(#[from] GenesisError),
    /// The founders make no committees.
    #[error("founders: {0}")]
    Founders(#[from] FoundError),
    /// The genesis names other founders.
    #[error("genesis.committees: {named}, these founders give {given}")]
    Committees {
        /// Digest in the genesis.
        named: Digest,
        /// Digest of the founders.
        given: Digest,
    },
}

/// The last block that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) hash: Digest,
    pub(super) height: Height,
    pub(super) timestamp: Timestamp,
    pub(super) view: View,
}

/// What the chain holds altogether.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Records.
    pub records: u64,
    /// Items.
    pub items: u64,
    /// Item blocks.
    pub item_blocks: u64,
    /// Data blocks.
    pub data_blocks: u64,
}

/// What one block brought about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// Records that are booked from now on.
    pub booked: Vec<RecordId>,
    /// Data blocks that were cut.
    pub data_blocks: Vec<DataBlock>,
    /// Every change of credit that the block caused, absences at a freeze included.
    pub credit: Vec<CreditChange>,
    /// The window, if the block was the last of its epoch.
    pub frozen: Option<Frozen>,
}

/// A frozen window and what is to be anchored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frozen {
    /// The window.
    pub window: Window,
    /// Its data blocks.
    pub data_blocks: Vec<DataBlock>,
    /// What goes into Bitcoin.
    pub anchor: Anchor,
    /// Who lost and who got a seat.
    pub seats: FreezeReport,
}

impl Chain {
    /// The state before the first block; `founders` are those whose digest the genesis names.
    pub fn new(genesis: Genesis, founders: &[Founder]) -> Result<Self, StartError> {
        genesis.check()?;
        let roster = Roster::found(founders, genesis.producers, genesis.auditors)?;
        let (named, given) = (genesis.committees, roster.digest());
        if named != given {
            return Err(StartError::Committees { named, given });
        }
        let (id, started_at, window_ms) =
            (genesis.chain_id(), genesis.started_at, genesis.window_ms);
        let head = Head {
            hash: genesis.id(),
            height: Height::new(0),
            timestamp: started_at,
            view: View::new(0),
        };
        //= harness/spec/storage.md#sto-13-freeze
        //# STO-13.3 (ours): The mark of an epoch MUST be the first multiple of `window_ms` strictly
        //# above the timestamp of the last block of the epoch before it, or above the start in the
        //# genesis for the first epoch.
        let mark = started_at
            .next_multiple(window_ms)
            .ok_or(GenesisError::Start { started_at, window_ms })?;
        Ok(Self {
            genesis,
            id,
            head,
            closing: None,
            opened_at: (head.hash, head.timestamp),
            epoch: Epoch::new(0),
            mark,
            unassigned: VecDeque::new(),
            data_blocks: Vec::new(),
            epoch_blocks: 0,
            totals: Totals::default(),
            roster,
        })
    }

    /// The network.
    #[must_use]
    pub fn id(&self) -> ChainId {
        self.id
    }

    /// Hash of the last block, or of the genesis.
    #[must_use]
    pub fn head(&self) -> Digest {
        self.head.hash
    }

    /// Height of the last block; 0 before the first.
    #[must_use]
    pub fn height(&self) -> Height {
        self.head.height
    }

    /// Height of a block that extends the last one, closing blocks included.
    #[must_use]
    pub fn next_height(&self) -> Option<Height> {
        self.closing.unwrap_or(self.head).height.next()
    }

    /// Timestamp of the last block, closing blocks included.
    #[must_use]
    pub fn tip_timestamp(&self) -> Timestamp {
        self.closing.unwrap_or(self.head).timestamp
    }

    /// View of the last block, closing blocks not counted; 0 before the first.
    #[must_use]
    pub fn head_view(&self) -> View {
        self.head.view
    }

    /// Timestamp of the last block, or the start.
    #[must_use]
    pub fn timestamp(&self) -> Timestamp {
        self.head.timestamp
    }

    /// The epoch that the next block belongs to.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The block that the first one of the open epoch extends, with its time: the last one of the epoch
    /// before, or the genesis.
    #[must_use]
    pub fn opened_at(&self) -> (Digest, Timestamp) {
        self.opened_at
    }

    /// First time at or after which a block is the last of its epoch.
    #[must_use]
    pub fn mark(&self) -> Timestamp {
        self.mark
    }

    /// Whether the head is the last block of its epoch, so that closing blocks may follow it.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.ended_epoch().is_some()
    }

    /// Institutions, their standing and their seats in the epoch of the next block.
    #[must_use]
    pub fn roster(&self) -> &Roster {
        &self.roster
    }

    /// The producer whose turn a view of the open epoch is.
    #[must_use]
    pub fn leader(&self, view: View) -> InstitutionId {
        self.roster.committees().leader(view).institution
    }

    /// What the members of the network agreed on.
    #[must_use]
    pub fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    /// What the chain holds altogether.
    #[must_use]
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// Digest of the state: `H("MSTA" 1 | records | items | item blocks | data blocks | roster)`.
    #[must_use]
    pub fn state_digest(&self) -> Digest {
        let Totals { records, items, item_blocks, data_blocks } = self.totals;
        let mut bytes = prefix(*b"MSTA").to_vec();
        for total in [records, items, item_blocks, data_blocks] {
            total.encode(&mut bytes);
        }
        self.roster.state_into(&mut bytes);
        sha256(&bytes)
    }

    /// Moves the head to a block that was checked against this very state.
    ///
    /// # Panics
    /// When the block was checked against another state; the caller holds on to the chain between
    /// check and application.
    //= harness/spec/storage.md#sto-12-data-blocks-by-the-minute
    //# STO-12.6 (ours): Which records a window holds MUST follow from the finalized blocks alone.
    pub fn apply(&mut self, checked: Checked<'_>) -> Applied {
        let tip = if checked.is_closing() { self.closing.unwrap_or(self.head) } else { self.head };
        assert_eq!(checked.parent(), tip.hash, "a block is applied to the head it was checked for");
        let header = &checked.block().header;
        let head = Head {
            hash: checked.hash(),
            height: header.height,
            timestamp: header.timestamp,
            view: header.view,
        };
        //= harness/spec/storage.md#sto-13-freeze
        //# STO-13.4 (ours): A block that descends from the last block of its own epoch MUST carry
        //# an empty payload and change no state.
        if checked.is_closing() {
            self.closing = Some(head);
            return Applied::default();
        }
        let minute_ms = self.genesis.minute_ms;
        //= harness/spec/storage.md#sto-12-data-blocks-by-the-minute
        //# STO-12.2 (ours): The check of a minute MUST take place at each finalized block whose
        //# timestamp lies in another minute than the timestamp of its parent, after the block's own
        //# Item block has been appended.
        //= harness/spec/consensus.md#con-8-clock
        //# CON-8.1 (paper): The checks of a minute and the freeze MUST follow the clock of the
        //# protocol and not the clock of one machine.
        //= harness/spec/consensus.md#con-8-clock
        //# CON-8.2 (ours): The clock of the protocol MUST be the timestamps of the finalized chain.
        let crossed = header.timestamp.period(minute_ms) != self.head.timestamp.period(minute_ms);
        (self.head, self.closing) = (head, None);
        self.epoch_blocks += 1;
        self.append(&checked);
        let mut credit = self.roster.apply(&checked.facts());
        //= harness/spec/storage.md#sto-13-freeze
        //# STO-13.2 (ours): The first block of an epoch whose timestamp is at or above the mark
        //# MUST be the last block of that epoch.
        let is_last = header.timestamp >= self.mark;
        let cut_before = self.data_blocks.len();
        if crossed {
            //= harness/spec/storage.md#sto-12-data-blocks-by-the-minute
            //# STO-12.1 (paper): When 10 Item blocks exist at the check of a minute, they MUST
            //# become a data block.
            //= harness/spec/storage.md#sto-12-data-blocks-by-the-minute
            //# STO-12.3 (ours): A check MUST form data blocks from the oldest 10 Item blocks that
            //# are in none, again and again while 10 exist.
            while self.unassigned.len() >= DATA_BLOCK_ITEM_BLOCKS {
                self.cut(DATA_BLOCK_ITEM_BLOCKS);
            }
        }
        if is_last {
            //= harness/spec/storage.md#sto-12-data-blocks-by-the-minute
            //# STO-12.4 (ours): At the last block of an epoch the 1 to 9 Item blocks that remain
            //# after the check MUST form one data block of their own.
            while !self.unassigned.is_empty() {
                self.cut(self.unassigned.len().min(DATA_BLOCK_ITEM_BLOCKS));
            }
        }
        let data_blocks = self.data_blocks[cut_before..].to_vec();
        let frozen = is_last.then(|| self.freeze());
        credit.extend(frozen.iter().flat_map(|frozen| frozen.seats.changes.iter().copied()));
        Applied { booked: checked.into_record_ids(), data_blocks, credit, frozen }
    }

    /// The epoch that the head ended, whose closing blocks may still follow it.
    pub(super) fn ended_epoch(&self) -> Option<Epoch> {
        let ended = self.head.height.get() > 0 && self.epoch_blocks == 0;
        ended.then(|| self.epoch.get().checked_sub(1).map(Epoch::new)).flatten()
    }

    /// What the next block of an epoch extends, and the view that it must give as its parent's: 0 for
    /// the first block of an epoch.
    pub(super) fn tip(&self, is_closing: bool) -> (Head, View) {
        if is_closing {
            let tip = self.closing.unwrap_or(self.head);
            return (tip, tip.view);
        }
        //= harness/spec/consensus.md#con-8-clock
        //# CON-8.4 (ours): The first block of an epoch MUST have the last block of the epoch before it
        //# as parent.
        let is_first = self.epoch_blocks == 0;
        (self.head, if is_first { View::new(0) } else { self.head.view })
    }

    /// Upper bound of the data blocks of this epoch if its next block ends it.
    pub(super) fn data_blocks_if_frozen_next(&self) -> usize {
        self.data_blocks.len() + self.unassigned.len() / DATA_BLOCK_ITEM_BLOCKS + 1
    }

    fn append(&mut self, checked: &Checked<'_>) {
        let Some(item_block) = &checked.block().payload.item_block else { return };
        self.unassigned.push_back(item_block.header.root);
        self.totals.item_blocks += 1;
        self.totals.items += count(item_block.items.len());
        self.totals.records += count(checked.record_ids().len());
    }

    fn cut(&mut self, item_blocks: usize) {
        //= harness/spec/storage.md#sto-10-data-block-and-trees
        //# STO-10.1 (paper): A data block MUST be made of exactly 10 Item blocks, except the one
        //# that closes a window.
        //= harness/spec/storage.md#sto-12-data-blocks-by-the-minute
        //# STO-12.5 (ours): Each finalized Item block MUST be in exactly one data block of the
        //# window of its epoch once the window is frozen.
        let roots = self.unassigned.drain(..item_blocks).collect();
        let index = u32::try_from(self.data_blocks.len()).expect("blocks of an epoch fit in u32");
        let item_blocks = List::new(roots).expect("cut takes 1 to 10 Item blocks");
        self.data_blocks.push(DataBlock { epoch: self.epoch, index, item_blocks });
        self.totals.data_blocks += 1;
    }

    fn freeze(&mut self) -> Frozen {
        //= harness/spec/storage.md#sto-13-freeze
        //# STO-13.1 (paper): Every ten minutes the roots of all data blocks formed since the
        //# previous freeze MUST be frozen into what is anchored.
        let data_blocks = std::mem::take(&mut self.data_blocks);
        let roots = data_blocks.iter().map(DataBlock::root).collect();
        let data_block_roots = List::new(roots).expect("check bounds the blocks of an epoch");
        let window = Window { epoch: self.epoch, data_blocks: data_block_roots };
        let seats = self.roster.freeze(self.head.view);
        let anchor = Anchor {
            chain_id: self.id,
            epoch: self.epoch,
            window: window.root(),
            head: self.head.hash,
            state: self.state_digest(),
            next_committees: self.roster.digest(),
        };
        self.epoch_blocks = 0;
        self.opened_at = (self.head.hash, self.head.timestamp);
        self.epoch = self.epoch.next().expect("check refuses a block that ends the last epoch");
        //= harness/spec/storage.md#sto-13-freeze
        //# STO-13.3 (ours): The mark of an epoch MUST be the first multiple of `window_ms` strictly
        //# above the timestamp of the last block of the epoch before it, or above the start in the
        //# genesis for the first epoch.
        self.mark = self
            .head
            .timestamp
            .next_multiple(self.genesis.window_ms)
            .expect("check refuses times that far ahead");
        Frozen { window, data_blocks, anchor, seats }
    }
}

fn count(elements: usize) -> u64 {
    u64::try_from(elements).expect("usize fits in u64")
}
