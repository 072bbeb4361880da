//! Data blocks, windows and the digest of the state. [STO-12] [STO-13] [COM-9]

use super::super::chain::{Effect, Finalized, Periods, effects};
use super::super::ids::window_root;
use super::super::merkle::sha256;
use super::super::mirror::{Bytes32, DataBlock, Genesis, Window};
use super::super::roster;

/// The open epoch, as far as freezing is concerned.
#[derive(Clone, Debug)]
pub(super) struct Window0 {
    periods: Periods,
    epoch: u32,
    blocks: Vec<Finalized>,
    pub(super) data_blocks: Vec<DataBlock>,
}

impl Window0 {
    /// An epoch that begins behind a block of this time, or with the network.
    pub(super) fn open(genesis: &Genesis, began_at: i64, epoch: u32) -> Self {
        let (minute_ms, window_ms) = (genesis.minute_ms, genesis.window_ms);
        let periods = Periods { started_at: began_at, minute_ms, window_ms };
        Self { periods, epoch, blocks: Vec::new(), data_blocks: Vec::new() }
    }

    /// Takes a block; the data blocks cut at it, and the window if it is the last.
    pub(super) fn take(&mut self, block: Finalized) -> (Vec<DataBlock>, Option<(Window, Bytes32)>) {
        self.blocks.push(block);
        // The effects of the whole epoch are told again at each of its blocks.
        let Effect { cut, frozen } = effects(self.periods, &self.blocks).pop().unwrap_or_default();
        let epoch = self.epoch;
        let cut: Vec<_> = cut.into_iter().map(|block| DataBlock { epoch, ..block }).collect();
        self.data_blocks.extend(cut.iter().cloned());
        let frozen = frozen.map(|frozen| {
            let window = Window { epoch, data_blocks: frozen.window.data_blocks };
            let root = window_root(&window);
            (window, root)
        });
        (cut, frozen)
    }
}

/// Digest of the state: records, Items, Item blocks, data blocks, roster.
pub(super) fn state_digest(totals: &[u64; 4], roster: &roster::State) -> Bytes32 {
    let numbers: Vec<u8> = totals.iter().flat_map(|total| total.to_le_bytes()).collect();
    sha256(&[b"MSTA\x01", &numbers, &roster.bytes()])
}
