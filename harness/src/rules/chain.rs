//! Which data blocks are cut when, and which windows freeze with which roots. [STO-12] [STO-13]
//!
//! Input is the finalized chain as a list of times and roots, without the closing blocks of
//! STO-13.4, which change nothing.

use super::ids::{data_block_root, window_root};
use super::mirror::{Bytes32, DataBlock, Window};

/// The periods of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Periods {
    /// Start in the genesis, milliseconds since 1970.
    pub started_at: i64,
    /// Milliseconds of a minute.
    pub minute_ms: u32,
    /// Milliseconds of a window.
    pub window_ms: u32,
}

/// A finalized block, as far as freezing is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finalized {
    /// Time in the header, milliseconds since 1970.
    pub timestamp: i64,
    /// Root of its Item block, if it carries one.
    pub item_block: Option<Bytes32>,
}

/// What one block brings about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Effect {
    /// The data blocks cut at it.
    pub cut: Vec<DataBlock>,
    /// The window that it freezes.
    pub frozen: Option<Frozen>,
}

/// A frozen window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frozen {
    /// The window.
    pub window: Window,
    /// Its level root.
    pub root: Bytes32,
}

/// The effect of each block, in order.
#[must_use]
pub fn effects(periods: Periods, blocks: &[Finalized]) -> Vec<Effect> {
    let minute_of = |timestamp: i64| timestamp.div_euclid(periods.minute_ms.into());
    let mut effects: Vec<Effect> = Vec::new();
    // Everything is derived again from the whole past at every block.
    for (at, block) in blocks.iter().enumerate() {
        let parent = if at == 0 { periods.started_at } else { blocks[at - 1].timestamp };
        let epoch = epochs_ended(&effects);
        let first_of_epoch =
            effects.iter().rposition(|effect| effect.frozen.is_some()).map_or(0, |last| last + 1);
        let epoch_began = if first_of_epoch == 0 {
            periods.started_at
        } else {
            blocks[first_of_epoch - 1].timestamp
        };
        let is_last = block.timestamp >= mark_after(epoch_began, periods.window_ms);
        let so_far: Vec<DataBlock> =
            effects[first_of_epoch..].iter().flat_map(|effect| effect.cut.clone()).collect();
        let assigned: usize = so_far.iter().map(|data_block| data_block.item_blocks.len()).sum();
        let mut waiting: Vec<Bytes32> = blocks[first_of_epoch..=at]
            .iter()
            .filter_map(|block| block.item_block)
            .skip(assigned)
            .collect();
        let mut groups: Vec<Vec<Bytes32>> = Vec::new();
        if minute_of(block.timestamp) != minute_of(parent) {
            while waiting.len() >= 10 {
                groups.push(waiting.drain(..10).collect());
            }
        }
        // The mark is a whole minute, so at the last block of an epoch a minute has been crossed
        // and at most 9 wait.
        if is_last && !waiting.is_empty() {
            groups.push(waiting);
        }
        let cut: Vec<DataBlock> = groups
            .into_iter()
            .zip(so_far.len()..)
            .map(|(item_blocks, index)| {
                let index = u32::try_from(index).expect("a window has fewer than 2^32 data blocks");
                DataBlock { epoch, index, item_blocks }
            })
            .collect();
        let frozen = is_last.then(|| {
            let data_blocks = so_far.iter().chain(&cut).map(data_block_root).collect();
            let window = Window { epoch, data_blocks };
            Frozen { root: window_root(&window), window }
        });
        effects.push(Effect { cut, frozen });
    }
    effects
}

/// The first multiple of the window strictly above a time.
fn mark_after(timestamp: i64, window_ms: u32) -> i64 {
    let window_ms = i64::from(window_ms);
    (timestamp.div_euclid(window_ms) + 1) * window_ms
}

fn epochs_ended(effects: &[Effect]) -> u32 {
    let ended = effects.iter().filter(|effect| effect.frozen.is_some()).count();
    u32::try_from(ended).expect("fewer than 2^32 epochs")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAPER: Periods = Periods { started_at: 0, minute_ms: 60_000, window_ms: 600_000 };

    fn every_turn(turns: i64) -> Vec<Finalized> {
        let block = |turn| Finalized { timestamp: turn * 6_000, item_block: Some([1; 32]) };
        (1..=turns).map(block).collect()
    }

    #[test]
    fn sto_12_1_ten_turns_a_minute_give_a_data_block_a_minute() {
        let effects = effects(PAPER, &every_turn(100));
        for (turn, effect) in (1..).zip(&effects) {
            assert_eq!(effect.cut.len(), usize::from(turn % 10 == 0), "turn {turn}");
            assert_eq!(effect.frozen.is_some(), turn == 100, "turn {turn}");
        }
        let frozen = effects[99].frozen.as_ref().unwrap();
        assert_eq!(frozen.window.data_blocks.len(), 10);
    }

    #[test]
    fn sto_12_3_a_block_that_jumps_over_minutes_makes_up_for_them() {
        // 25 blocks in the first minute: nothing is cut; one after it: two data blocks, 6 wait.
        let mut blocks: Vec<Finalized> =
            (1..=25).map(|ms| Finalized { timestamp: ms, item_block: Some([2; 32]) }).collect();
        blocks.push(Finalized { timestamp: 200_000, item_block: Some([3; 32]) });
        blocks.push(Finalized { timestamp: 1_900_000, item_block: None });
        let effects = effects(PAPER, &blocks);
        assert!(effects[..25].iter().all(|effect| *effect == Effect::default()));
        assert_eq!(effects[25].cut.len(), 2);
        let rest: Vec<usize> =
            effects[26].cut.iter().map(|data_block| data_block.item_blocks.len()).collect();
        assert_eq!(rest, [6]);
        assert_eq!(effects[26].frozen.as_ref().unwrap().window.data_blocks.len(), 3);
    }

    #[test]
    fn sto_13_3_a_gap_of_several_windows_is_one_long_epoch() {
        let empty = |timestamp| Finalized { timestamp, item_block: None };
        let effects =
            effects(PAPER, &[empty(599_999), empty(1_800_000), empty(1_800_001), empty(2_400_000)]);
        let epochs: Vec<Option<u32>> = effects
            .iter()
            .map(|effect| effect.frozen.as_ref().map(|frozen| frozen.window.epoch))
            .collect();
        assert_eq!(epochs, [None, Some(0), None, Some(1)]);
    }
}
