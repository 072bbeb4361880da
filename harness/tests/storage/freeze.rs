//! STO-10.1, STO-12 and STO-13: what becomes a data block, when a window freezes, what is anchored.

use harness::build::{self, Network};
use harness::seed::Seed;
use mdsm_core::chain::{Applied, BlockError, Chain, StartError};
use mdsm_core::codec::Wire as _;
use mdsm_core::ledger::*;
use mdsm_core::types::*;
use rand_chacha::rand_core::Rng as _;

use super::naive::{level_root, sha};

/// No data block was cut.
const NONE: [usize; 0] = [];

fn sizes(applied: &Applied) -> Vec<usize> {
    applied.data_blocks.iter().map(|block| block.item_blocks.len()).collect()
}

/// Gives turns with one record each, at these times.
fn turns(network: &mut Network, times: impl IntoIterator<Item = i64>) -> Vec<Vec<usize>> {
    times.into_iter().map(|ms| sizes(&network.turn(ms, 1))).collect()
}

#[test]
fn sto_12_1_ten_item_blocks_form_a_data_block() {
    //= harness/spec/storage.md#sto-12-data-blocks-by-the-minute
    //= type=test
    //# STO-12.1 (paper): When 10 Item blocks exist at the check of a minute, they MUST become a
    //# data block.
    let mut network = Network::new();
    // Nine in the first minute, the tenth crosses into the second.
    let cut = turns(&mut network, (1..=10).map(|turn| turn * 6_000));
    assert_eq!(cut[..9], vec![Vec::<usize>::new(); 9]);
    assert_eq!(cut[9], [10], "at the check of the minute, with the block's own Item block");
    assert_eq!(
        network.data_blocks[0].item_blocks[..],
        network.item_blocks.iter().map(ItemBlock::root).collect::<Vec<_>>()
    );
}

#[test]
fn sto_12_1_nine_item_blocks_wait() {
    //= harness/spec/storage.md#sto-12-data-blocks-by-the-minute
    //= type=test
    //# STO-12.1 (paper): When 10 Item blocks exist at the check of a minute, they MUST become a
    //# data block.
    //= harness/spec/storage.md#sto-10-data-block-and-trees
    //= type=test
    //# STO-10.1 (paper): A data block MUST be made of exactly 10 Item blocks, except the one that
    //# closes a window.
    let mut network = Network::new();
    assert_eq!(turns(&mut network, (1..=8).map(|turn| turn * 6_000)).concat(), NONE);
    assert_eq!(turns(&mut network, [60_000]).concat(), NONE, "the ninth, in the next minute");
    assert_eq!(turns(&mut network, [119_999]).concat(), NONE, "ten now, but the same minute");
    assert_eq!(turns(&mut network, [120_000]), [vec![10]], "eleven, one stays");
    assert_eq!(network.data_blocks[0].index, 0);
}

#[test]
fn sto_12_2_the_check_follows_timestamps_not_turns() {
    //= harness/spec/storage.md#sto-12-data-blocks-by-the-minute
    //= type=test
    //# STO-12.2 (ours): The check of a minute MUST take place at each finalized block whose
    //# timestamp lies in another minute than the timestamp of its parent, after the block's own
    //# Item block has been appended.
    let mut network = Network::new();
    turns(&mut network, (1..=12).map(|turn| turn * 100));
    assert_eq!(sizes(&network.turn(59_999, 0)), NONE, "still the first minute");
    assert_eq!(sizes(&network.turn(60_000, 0)), [10], "an idle block crosses it");
    turns(&mut network, (1..=8).map(|turn| 60_000 + turn));
    assert_eq!(sizes(&network.turn(119_999, 0)), NONE);
    assert_eq!(sizes(&network.turn(300_000, 0)), [10], "one check for several minutes");
    turns(&mut network, (1..=10).map(|turn| 300_000 + turn));
    assert_eq!(sizes(&network.turn(361_234, 0)), [10], "a minute is crossed, not hit");
    turns(&mut network, (1..=10).map(|turn| 361_234 + turn));
    assert_eq!(sizes(&network.turn(419_999, 0)), NONE);
}

#[test]
fn sto_12_3_a_check_cuts_the_oldest_ten_again_and_again() {
    //= harness/spec/storage.md#sto-12-data-blocks-by-the-minute
    //= type=test
    //# STO-12.3 (ours): A check MUST form data blocks from the oldest 10 Item blocks that are in
    //# none, again and again while 10 exist.
    let mut network = Network::new();
    turns(&mut network, (1..=34).map(|turn| turn * 1_000));
    let applied = network.turn(60_000, 1);
    assert_eq!(sizes(&applied), [10, 10, 10]);
    let roots: Vec<_> = network.item_blocks.iter().map(ItemBlock::root).collect();
    let cut: Vec<_> =
        applied.data_blocks.iter().flat_map(|block| block.item_blocks.to_vec()).collect();
    assert_eq!(cut, roots[..30], "the oldest first, in order");
    let indices: Vec<_> = applied.data_blocks.iter().map(|block| block.index).collect();
    assert_eq!(indices, [0, 1, 2]);
}

#[test]
fn sto_12_4_what_remains_at_the_end_of_an_epoch_forms_the_last_data_block() {
    //= harness/spec/storage.md#sto-12-data-blocks-by-the-minute
    //= type=test
    //# STO-12.4 (ours): At the last block of an epoch the 1 to 9 Item blocks that remain after the
    //# check MUST form one data block of their own.
    //= harness/spec/storage.md#sto-10-data-block-and-trees
    //= type=test
    //# STO-10.1 (paper): A data block MUST be made of exactly 10 Item blocks, except the one that
    //# closes a window.
    for item_blocks in 0..=31_usize {
        let mut network = Network::new();
        turns(&mut network, (1..=item_blocks).map(|turn| i64::try_from(turn).unwrap() * 1_000));
        let applied = network.turn(600_000, 0);
        let mut expected = vec![10; item_blocks / 10];
        expected.extend((item_blocks % 10 > 0).then_some(item_blocks % 10));
        assert_eq!(sizes(&applied), expected, "{item_blocks} Item blocks");
        assert_eq!(applied.frozen.unwrap().data_blocks, applied.data_blocks);
    }
}

/// The spec's own words, over `(time, root of its Item block)` of the blocks of one epoch that
/// follows a block at `parent`: the data blocks that each forms.
fn by_the_spec(
    blocks: &[(i64, Option<Digest>)],
    mut parent: i64,
    mark: i64,
) -> Vec<Vec<Vec<Digest>>> {
    let (mut waiting, mut formed) = (Vec::new(), Vec::new());
    for (time, item_block) in blocks {
        let mut data_blocks = Vec::new();
        waiting.extend(*item_block);
        if time / 60_000 != parent / 60_000 {
            while waiting.len() >= 10 {
                data_blocks.push(waiting.drain(..10).collect());
            }
        }
        if *time >= mark && !waiting.is_empty() {
            data_blocks.push(std::mem::take(&mut waiting));
        }
        formed.push(data_blocks);
        parent = *time;
    }
    formed
}

#[test]
fn sto_12_5_every_item_block_is_in_exactly_one_data_block() {
    //= harness/spec/storage.md#sto-12-data-blocks-by-the-minute
    //= type=test
    //# STO-12.5 (ours): Each finalized Item block MUST be in exactly one data block of the window
    //# of its epoch once the window is frozen.
    //= harness/spec/storage.md#sto-12-data-blocks-by-the-minute
    //= type=test
    //# STO-12.2 (ours): The check of a minute MUST take place at each finalized block whose
    //# timestamp lies in another minute than the timestamp of its parent, after the block's own
    //# Item block has been appended.
    //= harness/spec/storage.md#sto-12-data-blocks-by-the-minute
    //= type=test
    //# STO-12.6 (ours): Which records a window holds MUST follow from the finalized blocks alone.
    //= harness/spec/storage.md#sto-13-freeze
    //= type=test
    //# STO-13.1 (paper): Every ten minutes the roots of all data blocks formed since the previous
    //# freeze MUST be frozen into what is anchored.
    let mut windows = 0;
    for seed in 0..24 {
        let mut rng = Seed::new(seed).stream("schedule");
        let mut network = Network::new();
        let (mut ms, mut parent, mut mark) = (0, 0, 600_000);
        let (mut blocks, mut formed) = (Vec::new(), Vec::new());
        for _ in 0..150 {
            let step = 1 + i64::from(rng.next_u32() % 20_000);
            ms += if rng.next_u32().is_multiple_of(16) { 10 * step } else { step };
            let items = network.new_items(if rng.next_u32().is_multiple_of(3) { 0 } else { 1 });
            let block = network.block_of(ms, &items);
            let root = block.payload.item_block.as_ref().map(|item_block| item_block.header.root);
            // Another node that gets the same blocks comes to the same state and windows.
            let mut other = network.clone();
            let applied = network.add(&block, &items).unwrap();
            assert_eq!(other.add(&block, &items).as_ref(), Ok(&applied));
            assert_eq!(other.chain, network.chain);
            blocks.push((ms, root));
            let members = |block: &DataBlock| block.item_blocks.to_vec();
            formed.push(applied.data_blocks.iter().map(members).collect::<Vec<_>>());
            assert_eq!(applied.frozen.is_some(), ms >= mark, "{ms} {mark}");
            if let Some(frozen) = applied.frozen {
                assert_eq!(formed, by_the_spec(&blocks, parent, mark), "seed {seed}");
                let cut: Vec<_> = frozen.data_blocks.iter().map(members).collect();
                assert_eq!(cut, formed.concat());
                let carried: Vec<Digest> = blocks.drain(..).filter_map(|(_, root)| root).collect();
                assert_eq!(cut.concat(), carried, "each once, in the order of the chain");
                let roots: Vec<_> = frozen.data_blocks.iter().map(DataBlock::root).collect();
                assert_eq!(frozen.window.data_blocks[..], roots);
                formed.clear();
                (parent, mark) = (ms, (ms / 600_000 + 1) * 600_000);
                windows += 1;
            }
        }
    }
    assert!(windows > 30, "{windows}");
}

#[test]
fn sto_12_7_time_goes_forward() {
    //= harness/spec/storage.md#sto-12-data-blocks-by-the-minute
    //= type=test
    //# STO-12.7 (ours): The timestamp of a block MUST be above the timestamp of its parent.
    let mut network = Network::new();
    network.turn(6_000, 1);
    for ms in [6_000, 5_999, 0, -1, -build::START_MS] {
        let (found, parent) = (build::after_start(ms), build::after_start(6_000));
        let refused = BlockError::Timestamp { found, parent };
        assert_eq!(network.check(&network.block(ms, None), &[]), Err(refused), "{ms}");
    }
    assert_eq!(network.check(&network.block(6_001, None), &[]), Ok(()));
    // A time after which no window could follow.
    let beyond = network.block(i64::MAX - build::START_MS, None);
    let refused = network.check(&beyond, &[]).unwrap_err();
    assert!(matches!(refused, BlockError::Timestamp { .. }), "{refused}");
    let first = Network::new();
    let refused = first.check(&first.block(0, None), &[]).unwrap_err();
    assert!(matches!(refused, BlockError::Timestamp { .. }), "not above the start: {refused}");
}

#[test]
fn sto_13_1_every_ten_minutes_all_roots_are_frozen() {
    //= harness/spec/storage.md#sto-13-freeze
    //= type=test
    //# STO-13.1 (paper): Every ten minutes the roots of all data blocks formed since the previous
    //# freeze MUST be frozen into what is anchored.
    let mut network = Network::new();
    for window in 0..3_i64 {
        let times = (1..=100).map(|turn| window * 600_000 + turn * 6_000);
        let mut cut = Vec::new();
        let mut frozen = None;
        for ms in times {
            assert!(frozen.is_none(), "frozen before the turn at {ms}");
            let applied = network.turn(ms, 1);
            cut.extend(applied.data_blocks);
            frozen = applied.frozen;
        }
        let frozen = frozen.expect("the hundredth turn ends the window");
        assert_eq!(cut.len(), 10);
        assert_eq!(frozen.data_blocks, cut, "all that were formed since the freeze before");
        assert_eq!(frozen.window.epoch.get(), u32::try_from(window).unwrap());
        let roots: Vec<_> = cut.iter().map(|block| block.root().as_bytes().to_vec()).collect();
        assert_eq!(*frozen.anchor.window.as_bytes(), level_root(4, &roots));
    }
}

#[test]
fn sto_13_2_the_first_block_at_or_above_the_mark_is_the_last_of_its_epoch() {
    //= harness/spec/storage.md#sto-13-freeze
    //= type=test
    //# STO-13.2 (ours): The first block of an epoch whose timestamp is at or above the mark MUST be
    //# the last block of that epoch.
    for ms in [600_000, 600_001, 700_000] {
        let mut network = Network::new();
        assert!(network.turn(599_999, 1).frozen.is_none());
        assert_eq!(network.chain.epoch(), Epoch::new(0));
        let applied = network.turn(ms, 1);
        let frozen = applied.frozen.expect("at or above the mark");
        assert_eq!(frozen.anchor.head, network.chain.head(), "it is the last");
        assert_eq!((frozen.anchor.epoch, network.chain.epoch()), (Epoch::new(0), Epoch::new(1)));
        // What follows belongs to the next epoch, or carries nothing.
        let items = network.new_items(1);
        let block = network.block_of(ms + 1, &items);
        assert_eq!(block.header.epoch, Epoch::new(1));
        assert_eq!(network.check(&block, &items), Ok(()));
        let mut late = network.closing(ms + 1, block.payload.clone());
        assert_eq!(late.header.epoch, Epoch::new(0));
        assert_eq!(network.check(&late, &items), Err(BlockError::Closing));
        late.header.epoch = Epoch::new(2);
        let refused = BlockError::Epoch { found: Epoch::new(2), expected: Epoch::new(1) };
        assert_eq!(network.check(&late, &items), Err(refused));
    }
}

#[test]
fn sto_13_3_the_mark_is_the_next_multiple_strictly_above() {
    //= harness/spec/storage.md#sto-13-freeze
    //= type=test
    //# STO-13.3 (ours): The mark of an epoch MUST be the first multiple of `window_ms` strictly
    //# above the timestamp of the last block of the epoch before it, or above the start in the
    //# genesis for the first epoch.
    let network = Network::new();
    assert_eq!(network.mark_ms(), 600_000, "strictly above the start");
    for (last, mark) in [
        (600_000, 1_200_000),
        (600_001, 1_200_000),
        (1_199_999, 1_200_000),
        (1_200_000, 1_800_000),
        (4_000_000, 4_200_000),
    ] {
        let mut network = Network::new();
        assert!(network.turn(last, 1).frozen.is_some());
        assert_eq!(network.mark_ms(), mark, "after {last}");
    }
    // A gap of several windows is one long epoch.
    let mut network = Network::new();
    network.turn(4_000_000, 1);
    assert_eq!(network.chain.epoch(), Epoch::new(1));
    let odd = Genesis { started_at: build::after_start(1), ..build::genesis() };
    let refused = Chain::new(odd, &build::founders());
    assert!(matches!(refused, Err(StartError::Genesis(GenesisError::Start { .. }))));
}

#[test]
fn sto_13_4_closing_blocks_are_empty_and_change_nothing() {
    //= harness/spec/storage.md#sto-13-freeze
    //= type=test
    //# STO-13.4 (ours): A block that descends from the last block of its own epoch MUST carry an
    //# empty payload and change no state.
    let mut network = Network::new();
    network.turn(6_000, 12);
    network.turn(600_000, 3);
    let items = network.new_items(2);
    let carrying = network.block_of(606_000, &items).payload;
    let closing = |network: &Network, payload: &Payload| network.closing(606_000, payload.clone());
    assert_eq!(network.check(&closing(&network, &carrying), &items), Err(BlockError::Closing));
    let idle = Payload::default();
    assert_eq!(network.check(&closing(&network, &idle), &items), Err(BlockError::Closing));
    let seen = |chain: &Chain| {
        (chain.head(), chain.height(), chain.epoch(), chain.mark(), chain.state_digest())
    };
    let before = network.chain.clone();
    let empty = closing(&network, &idle);
    assert_eq!(network.add(&empty, &[]), Ok(Applied::default()));
    assert_eq!(seen(&network.chain), seen(&before));
    assert_eq!(network.chain.totals(), before.totals());
    // The next epoch follows the last block of the one before, not its closing blocks.
    let next = network.block_of(612_000, &items);
    assert_eq!(network.add(&next, &items).unwrap().booked.len(), 2);
    // An epoch that goes on has no closing blocks.
    let mut late = network.block(618_000, None);
    late.header.epoch = Epoch::new(0);
    let refused = BlockError::Epoch { found: Epoch::new(0), expected: Epoch::new(1) };
    assert_eq!(network.check(&late, &[]), Err(refused));
}

#[test]
fn sto_13_5_an_empty_window_is_anchored_with_the_root_over_no_leaves() {
    //= harness/spec/storage.md#sto-13-freeze
    //= type=test
    //# STO-13.5 (ours): A window without data blocks MUST be anchored with the level root over no
    //# leaves.
    let mut network = Network::new();
    let frozen = network.turn(600_000, 0).frozen.unwrap();
    assert_eq!(frozen.window.data_blocks.len(), 0);
    let root = sha(&[&[2, 4, 0, 0, 0, 0], &sha(&[])]);
    assert_eq!(*frozen.anchor.window.as_bytes(), root);
    assert_eq!(frozen.window.to_bytes(), b"MWIN\x01\0\0\0\0\0\0\0\0");
}

#[test]
fn sto_13_6_the_anchor_root_is_computed_as_drawn() {
    //= harness/spec/storage.md#sto-13-freeze
    //= type=test
    //# STO-13.6 (ours): The anchor root MUST be computed from the chain id, the epoch, the root of
    //# the window and the context, as drawn under Anchor root.
    let mut network = Network::new();
    network.turn(6_000, 3);
    let frozen = network.turn(600_000, 0).frozen.unwrap();
    let Anchor { chain_id, epoch, window, head, state, next_committees } = frozen.anchor;
    assert_eq!(chain_id, network.chain.id());
    assert_eq!((epoch, window), (Epoch::new(0), frozen.window.root()));
    assert_eq!((head, state), (network.chain.head(), network.chain.state_digest()));
    assert_eq!(next_committees, network.chain.roster().digest());
    assert_ne!(next_committees, build::genesis().committees, "another epoch, other turns");
    let parts = [head, state, next_committees].map(|digest| *digest.as_bytes());
    let context = sha(&[b"MCTX\x01", &parts[0], &parts[1], &parts[2]]);
    let root = sha(&[b"MANR\x01", chain_id.as_bytes(), &[0; 4], window.as_bytes(), &context]);
    assert_eq!(*frozen.anchor.root().as_bytes(), root);
    let other = Anchor { epoch: Epoch::new(0x0102_0304), ..frozen.anchor };
    let root = sha(&[b"MANR\x01", chain_id.as_bytes(), &[4, 3, 2, 1], window.as_bytes(), &context]);
    assert_eq!(*other.root().as_bytes(), root, "little endian");
}
