//! Records, Items, Item blocks, data blocks, windows.

use std::collections::BTreeSet;

use mdsm_core::chain::{BlockError, Chain};
use mdsm_core::codec::Wire as _;
use mdsm_core::ledger::{Block, Item};
use mdsm_core::params::{
    DATA_BLOCK_ITEM_BLOCKS, ITEM_RECORDS_MAX, TURN_ITEM_BYTES_MAX, TURN_ITEMS_MAX,
};
use mdsm_core::types::{Digest, Height, List, RecordId, Timestamp, View};

use super::super::producer::{Finalized, genesis};
use super::super::world::World;
use super::{Case, Check, Fault, case, hold, nothing, refused, text};
use crate::build::founders;
use crate::rules;

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(
            "storage.all-booked",
            "every accepted record is booked exactly once",
            &["STO-2", "STO-3"],
            all_booked,
        ),
        case(
            "storage.items",
            "Items hold 1 to 10 records, turns stay within their bounds",
            &["STO-3", "STO-10"],
            items,
        ),
        case(
            "storage.idle-turns",
            "a turn without records carries no Item block",
            &["STO-9", "STO-10"],
            idle_turns,
        ),
        case(
            "storage.data-blocks",
            "data blocks are cut by the minute, as the naive rules cut them",
            &["STO-10", "STO-12"],
            data_blocks,
        ),
        case(
            "storage.windows",
            "windows and anchors are those that the naive rules compute",
            &["STO-13"],
            windows,
        ),
        case(
            "storage.idle-window",
            "an idle window anchors the root over no leaves",
            &["STO-13"],
            idle_window,
        ),
        case(
            "storage.replay",
            "the same blocks give the same state and the same anchors",
            &["STO-12", "STO-13"],
            replay,
        ),
        case(
            "storage.owners",
            "an owner's key finds that owner's records and no other",
            &["STO-7"],
            owners,
        ),
        case(
            "storage.bad-blocks",
            "a block that breaks a rule is refused by the name of the rule",
            &["STO-2", "STO-9", "STO-12"],
            bad_blocks,
        ),
        case(
            "storage.wire",
            "every value on the chain is the encoding of itself",
            &["STO-1"],
            wire,
        ),
    ]
}

fn all_booked(world: &World) -> Check {
    let mut seen = BTreeSet::new();
    for finalized in &world.producer.finalized {
        for envelope in finalized.items.iter().flat_map(|item| item.records.iter()) {
            let id = envelope.record.id();
            hold(seen.insert(id), || format!("{id} is booked twice"))?;
        }
    }
    let accepted: BTreeSet<RecordId> = world.taken.iter().map(|file| file.record_id).collect();
    hold(accepted.len() == world.taken.len(), || "two files have one record id".to_owned())?;
    hold(seen == accepted, || format!("{} accepted, {} booked", accepted.len(), seen.len()))?;
    Ok(format!("{} records, by {} threads", seen.len(), world.jobs))
}

fn items(world: &World) -> Check {
    let (mut items, mut full, mut largest) = (0, 0, 0);
    for Finalized { block, items: of_turn, .. } in &world.producer.finalized {
        let bytes: usize = of_turn.iter().map(|item| item.to_bytes().len()).sum();
        let height = block.header.height;
        hold(of_turn.len() <= TURN_ITEMS_MAX, || {
            format!("block {height}: {} Items", of_turn.len())
        })?;
        hold(bytes <= TURN_ITEM_BYTES_MAX, || format!("block {height}: {bytes} bytes"))?;
        largest = largest.max(bytes);
        for (index, item) in of_turn.iter().enumerate() {
            let records = item.records.len();
            let is_last = index + 1 == of_turn.len();
            let fits =
                if is_last { 1..=ITEM_RECORDS_MAX } else { ITEM_RECORDS_MAX..=ITEM_RECORDS_MAX };
            hold(fits.contains(&records), || {
                format!("block {height}, Item {index}: {records} records")
            })?;
            items += 1;
            full += usize::from(records == ITEM_RECORDS_MAX);
        }
    }
    Ok(format!("{items} Items, {full} of them full; the largest turn carries {largest} bytes"))
}

fn idle_turns(world: &World) -> Check {
    let mut idle = 0;
    for Finalized { block, items, .. } in &world.producer.finalized {
        let carries = block.payload.item_block.is_some();
        hold(carries != items.is_empty(), || format!("block {}", block.header.height))?;
        idle += usize::from(!carries);
    }
    if idle == 0 {
        return Err(nothing("no turn was idle"));
    }
    Ok(format!("{idle} of {} turns were idle", world.producer.finalized.len()))
}

/// What the naive rules say that each block brings about.
fn naive(world: &World) -> Vec<rules::chain::Effect> {
    let genesis = genesis();
    let periods = rules::chain::Periods {
        started_at: genesis.started_at.get(),
        minute_ms: genesis.minute_ms,
        window_ms: genesis.window_ms,
    };
    let blocks: Vec<_> = world
        .producer
        .finalized
        .iter()
        .map(|finalized| rules::chain::Finalized {
            timestamp: finalized.block.header.timestamp.get(),
            item_block: finalized.items_root(),
        })
        .collect();
    rules::chain::effects(periods, &blocks)
}

impl Finalized {
    /// The root of the turn's Item block, computed by the naive rules from the records themselves.
    fn items_root(&self) -> Option<[u8; 32]> {
        let roots: Vec<[u8; 32]> = self
            .items
            .iter()
            .map(|item| {
                let leaves: Vec<Vec<u8>> =
                    item.records.iter().map(|envelope| envelope.booking().to_bytes()).collect();
                let root = rules::merkle::root(&leaves);
                rules::merkle::level_root(1, leaves.len(), &root)
            })
            .collect();
        (!roots.is_empty()).then(|| rules::merkle::level_over(2, &roots))
    }
}

/// One effect a block: a shorter list would hide what it leaves out.
fn same_length(world: &World, naive: &[rules::chain::Effect]) -> Result<(), Fault> {
    let blocks = world.producer.finalized.len();
    hold(naive.len() == blocks, || format!("{blocks} blocks, the naive rules see {}", naive.len()))
}

fn data_blocks(world: &World) -> Check {
    let (mut blocks, mut short) = (0, 0);
    let naive = naive(world);
    same_length(world, &naive)?;
    for (finalized, naive) in world.producer.finalized.iter().zip(naive) {
        let height = finalized.block.header.height;
        let cut = &finalized.applied.data_blocks;
        let what = || {
            format!(
                "block {height}: {} data blocks, the naive rules cut {}",
                cut.len(),
                naive.cut.len()
            )
        };
        hold(cut.len() == naive.cut.len(), what)?;
        for (ours, naive) in cut.iter().zip(&naive.cut) {
            let roots: Vec<[u8; 32]> =
                ours.item_blocks.iter().map(|root| *root.as_bytes()).collect();
            let same = (ours.epoch.get(), ours.index) == (naive.epoch, naive.index);
            hold(same && roots == naive.item_blocks, || {
                format!("block {height}: another data block")
            })?;
        }
        blocks += cut.len();
        short +=
            cut.iter().filter(|block| block.item_blocks.len() < DATA_BLOCK_ITEM_BLOCKS).count();
    }
    if blocks == short {
        return Err(nothing("no data block is full"));
    }
    Ok(format!("{blocks} data blocks, {short} of them short"))
}

fn windows(world: &World) -> Check {
    let mut windows = world.producer.windows.iter();
    let naive = naive(world);
    same_length(world, &naive)?;
    for (finalized, naive) in world.producer.finalized.iter().zip(naive) {
        let height = finalized.block.header.height;
        let (Some(frozen), Some(naive)) = (&finalized.applied.frozen, &naive.frozen) else {
            let both = finalized.applied.frozen.is_none() && naive.frozen.is_none();
            hold(both, || format!("block {height}: one freezes, the other does not"))?;
            continue;
        };
        let anchor = &frozen.anchor;
        hold(*anchor.window.as_bytes() == naive.root, || {
            format!("block {height}: another window")
        })?;
        hold(anchor.head == finalized.block.hash(), || format!("block {height}: another head"))?;
        let context = rules::merkle::sha256(&[
            b"MCTX\x01",
            anchor.head.as_bytes(),
            anchor.state.as_bytes(),
            anchor.next_committees.as_bytes(),
        ]);
        let epoch = anchor.epoch.get().to_le_bytes();
        let parts = [b"MANR\x01", &anchor.chain_id.as_bytes()[..], &epoch, &naive.root, &context];
        let root = rules::merkle::sha256(&parts);
        hold(*anchor.root().as_bytes() == root, || format!("block {height}: another anchor root"))?;
        let known = windows.next().map(|window| &window.frozen);
        hold(known == Some(frozen), || format!("block {height}: its window was not anchored"))?;
    }
    hold(windows.next().is_none(), || "a window was anchored that no block froze".to_owned())?;
    Ok(format!("{} anchors", world.producer.windows.len()))
}

fn idle_window(world: &World) -> Check {
    let idle = world
        .producer
        .windows
        .iter()
        .find(|window| window.frozen.data_blocks.is_empty())
        .ok_or_else(|| nothing("no window was idle"))?;
    let expected = rules::merkle::level_over(4, &[]);
    hold(*idle.frozen.anchor.window.as_bytes() == expected, || "another root".to_owned())?;
    Ok(format!("epoch {}", idle.frozen.window.epoch))
}

fn replay(world: &World) -> Check {
    let mut chain = Chain::new(genesis(), &founders()).map_err(text)?;
    let mut booked = BTreeSet::new();
    let mut certified = 0;
    for Finalized { block, items, applied } in &world.producer.finalized {
        let (has_parent, carried) =
            (block.header.parent_view.get() > 0, &block.payload.parent_certificate);
        hold(has_parent == carried.is_some(), || {
            format!("block {} is not the one that an honest producer makes", block.header.height)
        })?;
        certified += usize::from(has_parent);
        let checked = chain.check(block, items, &booked).map_err(text)?;
        let again = chain.apply(checked);
        hold(again == *applied, || {
            format!("block {} brought about something else", block.header.height)
        })?;
        booked.extend(again.booked);
    }
    hold(chain == world.producer.chain, || "the states differ".to_owned())?;
    let blocks = world.producer.finalized.len();
    Ok(format!(
        "{blocks} blocks, {certified} with the parent's certificate, state {}",
        chain.state_digest()
    ))
}

fn owners(world: &World) -> Check {
    let keys = super::super::intake::owners(world.seed);
    let mut found = 0;
    for (owner, key) in keys.iter().enumerate() {
        let expected: BTreeSet<RecordId> = world
            .taken
            .iter()
            .filter(|file| file.owner == owner)
            .map(|file| file.record_id)
            .collect();
        let records: BTreeSet<RecordId> =
            world.archive.records_of(&key.owner())?.into_iter().collect();
        hold(records == expected, || {
            format!("owner {owner}: {} of {}", records.len(), expected.len())
        })?;
        found += records.len();
    }
    let stranger = mdsm_core::types::OwnerId::new([9; 32]);
    hold(world.archive.records_of(&stranger)?.is_empty(), || "a stranger has records".to_owned())?;
    Ok(format!("{found} records of {} owners", keys.len()))
}

/// The first block with Items, and the chain and the records before it.
fn before_first(world: &World) -> Result<(Chain, &Finalized), Fault> {
    let mut chain = Chain::new(genesis(), &founders()).map_err(text)?;
    for finalized in &world.producer.finalized {
        if !finalized.items.is_empty() {
            return Ok((chain, finalized));
        }
        let checked = chain.check(&finalized.block, &[], &BTreeSet::new()).map_err(text)?;
        chain.apply(checked);
    }
    Err(nothing("no block has Items"))
}

fn bad_blocks(world: &World) -> Check {
    let (chain, Finalized { block, items, applied }) = before_first(world)?;
    let none = BTreeSet::new();
    chain.check(block, items, &none).map_err(text)?;
    let mut tried = 0;
    let mut expect =
        |what: &str, block: &Block, items: &[Item], expected: fn(&BlockError) -> bool| {
            tried += 1;
            refused(what, chain.check(block, items, &none), expected)
        };
    let header = |change: fn(&mut Block)| {
        let mut block = block.clone();
        change(&mut block);
        block
    };
    let resealed = |change: fn(&mut Block)| {
        let mut block = header(change);
        block.header.payload = block.payload.commitment();
        block
    };
    expect(
        "another chain",
        &header(|b| b.header.chain_id = mdsm_core::types::ChainId::new([1; 32])),
        items,
        |e| matches!(e, BlockError::ChainId { .. }),
    )?;
    expect("another parent", &header(|b| b.header.parent = Digest::new([1; 32])), items, |e| {
        matches!(e, BlockError::Parent { .. })
    })?;
    expect(
        "another view of the parent",
        &header(|b| b.header.parent_view = View::new(99)),
        items,
        |e| matches!(e, BlockError::ParentView { .. }),
    )?;
    expect(
        "a view not above its parent's",
        &header(|b| b.header.view = View::new(0)),
        items,
        |e| matches!(e, BlockError::View { .. }),
    )?;
    expect("a height too far", &header(|b| b.header.height = Height::new(99)), items, |e| {
        matches!(e, BlockError::Height { .. })
    })?;
    expect(
        "another epoch",
        &header(|b| b.header.epoch = mdsm_core::types::Epoch::new(7)),
        items,
        |e| matches!(e, BlockError::Epoch { .. }),
    )?;
    expect(
        "not after its parent",
        &header(|b| b.header.timestamp = super::super::producer::STARTED_AT),
        items,
        |e| matches!(e, BlockError::Timestamp { .. }),
    )?;
    expect(
        "beyond all windows",
        &header(|b| b.header.timestamp = Timestamp::new(i64::MAX)),
        items,
        |e| matches!(e, BlockError::Timestamp { .. }),
    )?;
    expect("another payload", &header(|b| b.header.payload = Digest::new([1; 32])), items, |e| {
        matches!(e, BlockError::Payload { .. })
    })?;
    expect("an Item missing", block, &items[1..], |e| matches!(e, BlockError::ItemCount { .. }))?;
    expect(
        "closed after the block",
        &resealed(|b| {
            if let Some(ib) = &mut b.payload.item_block {
                ib.header.closed_at = Timestamp::new(ib.header.closed_at.get() + 1)
            }
        }),
        items,
        |e| matches!(e, BlockError::ItemBlockHeader { field: "closed_at" }),
    )?;
    expect(
        "another producer",
        &resealed(|b| {
            if let Some(ib) = &mut b.payload.item_block {
                ib.header.producer = mdsm_core::types::InstitutionId::new(77)
            }
        }),
        items,
        |e| matches!(e, BlockError::ItemBlockHeader { field: "producer" }),
    )?;
    expect(
        "another Item block root",
        &resealed(|b| {
            if let Some(ib) = &mut b.payload.item_block {
                ib.header.root = Digest::new([1; 32])
            }
        }),
        items,
        |e| matches!(e, BlockError::ItemBlockRoot { .. }),
    )?;
    let mut other = items.clone();
    other[0].records = List::new(
        other[0]
            .records
            .iter()
            .cloned()
            .chain(other[0].records.first().cloned())
            .take(ITEM_RECORDS_MAX)
            .collect(),
    )
    .map_err(text)?;
    if other[0] == items[0] {
        let mut records = other[0].records.to_vec();
        records.swap(0, 1);
        other[0].records = List::new(records).map_err(text)?;
    }
    expect("another Item", block, &other, |e| matches!(e, BlockError::ItemRoot { .. }))?;
    let booked: BTreeSet<RecordId> = applied.booked.iter().take(1).copied().collect();
    tried += 1;
    refused("a record that is booked already", chain.check(block, items, &booked), |e| {
        matches!(e, BlockError::Repeated { .. })
    })?;
    Ok(format!("{tried} bad blocks refused"))
}

fn wire(world: &World) -> Check {
    let mut values = 0;
    for Finalized { block, items, .. } in &world.producer.finalized {
        same(block)?;
        items.iter().try_for_each(same)?;
        values += 1 + items.len();
    }
    for window in &world.producer.windows {
        same(&window.frozen.window)?;
        same(&window.frozen.anchor)?;
        window.frozen.data_blocks.iter().try_for_each(same)?;
        values += 2 + window.frozen.data_blocks.len();
    }
    Ok(format!("{values} values"))
}

fn same<T: mdsm_core::codec::Wire + PartialEq>(value: &T) -> Result<(), Fault> {
    let bytes = value.to_bytes();
    let back = T::from_bytes(&bytes).map_err(text)?;
    hold(back == *value && back.to_bytes() == bytes, || format!("{} changed on its way", T::NAME))
}
