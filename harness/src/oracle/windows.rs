//! The chain of the reference beside the rules of freezing. [STO-12] [STO-13]
//!
//! Input: one byte a block. Its low half chooses the time since the block before, from a
//! millisecond to several windows; its high half whether the block carries an Item block (a
//! quarter do not).

use std::collections::BTreeSet;
use std::sync::LazyLock;

use mdsm_core::chain::Chain;
use mdsm_core::codec::Wire as _;
use mdsm_core::crypto::sign::SigningKey;
use mdsm_core::ledger;

use super::{Verdict, claim};
use crate::build::{committees, founders};
use crate::generate::sound::sign;
use crate::rules::agreement::{commitment, no_events};
use crate::rules::chain::{Effect, Finalized, Periods, effects};
use crate::rules::ids::{self, anchor_root, item_block_root, item_root};
use crate::rules::mirror::{
    Block, BlockHeader, Bytes32, Content, DataBlock, Genesis, Item, ItemBlock, ItemBlockHeader,
    Metadata, Payload, Record,
};
use crate::rules::wire::{self, Mirror, WireKind};

const PERIODS: Periods = Periods { started_at: 1_200_000, minute_ms: 60_000, window_ms: 600_000 };
const STEPS_MS: [i64; 16] = [
    1, 5_999, 6_000, 6_000, 6_000, 6_000, 6_001, 12_000, 30_000, 59_999, 60_000, 60_001, 180_000,
    599_999, 600_000, 1_900_000,
];
/// Blocks of one input, a window of the paper and some; each costs the check of a signature.
const BLOCKS_MAX: usize = 120;

/// Genesis and its id, and the Item of each height, signed once.
static GENESIS: LazyLock<(Mirror, Bytes32)> = LazyLock::new(|| {
    let genesis = Mirror::from(genesis());
    let chain_id = ids::id(&genesis);
    (genesis, chain_id)
});
static ITEMS: LazyLock<Vec<Item>> =
    LazyLock::new(|| (0..=BLOCKS_MAX).map(|height| item(&GENESIS.1, height)).collect());

/// Holds cutting and freezing to the rules, block by block.
pub fn windows(schedule: &[u8]) -> Verdict {
    let mut timestamp = PERIODS.started_at;
    let mut blocks = Vec::new();
    for byte in schedule.iter().take(BLOCKS_MAX) {
        timestamp += STEPS_MS[usize::from(byte % 16)];
        blocks.push((timestamp, byte / 16 >= 4));
    }
    let (genesis, chain_id) = &*GENESIS;
    let chain_id = *chain_id;
    let mut chain = decoded::<ledger::Genesis>(genesis)
        .and_then(|genesis| Chain::new(genesis, &founders()).map_err(|error| error.to_string()))?;
    let (mut head, mut finalized, mut found) = (chain_id, Vec::new(), Vec::new());
    let mut offset = 0;
    for ((timestamp, carries), height) in blocks.into_iter().zip(1..) {
        let item = if carries { ITEMS.get(height) } else { None };
        let epoch = found.iter().filter(|effect: &&Effect| effect.frozen.is_some()).count();
        let epoch = u32::try_from(epoch).expect("fewer epochs than blocks");
        let ended = found.last().is_none_or(|effect| effect.frozen.is_some());
        let parent_view = if ended { 0 } else { wide(height) - 1 };
        // Four producers lead in turn, and the turn goes on behind the last view of each epoch.
        let producer = u32::try_from((offset + wide(height) - 1) % 4).expect("0 to 3") + 1;
        let height = wide(height);
        let place = Place { chain_id, head, epoch, height, parent_view, producer, timestamp };
        let block = place.block(item);
        finalized.push(Finalized { timestamp, item_block: root_of(&block) });
        head = ids::id(&Mirror::from(block.header.clone()));
        let effect = applied(&mut chain, block, item, head)?;
        offset += if effect.frozen.is_some() { height } else { 0 };
        found.push(effect);
    }
    let expected = effects(PERIODS, &finalized);
    let differs = found.iter().zip(&expected).position(|(found, expected)| found != expected);
    claim(differs.is_none() && found.len() == expected.len(), || {
        format!("windows: block {differs:?} of {finalized:?} has another effect than by the rules")
    })
}

/// Lets the reference apply a block and gives what it brought about in the words of the rules.
fn applied(
    chain: &mut Chain,
    block: Block,
    item: Option<&Item>,
    head: Bytes32,
) -> Result<Effect, String> {
    let block = decoded::<ledger::Block>(&block.into())?;
    let items: Vec<ledger::Item> =
        item.into_iter().map(|item| decoded(&item.clone().into())).collect::<Result<_, _>>()?;
    let checked = chain
        .check(&block, &items, &BTreeSet::new())
        .map_err(|error| format!("windows: a block by the rules is refused: {error}"))?;
    let applied = chain.apply(checked);
    let cut = applied.data_blocks.iter().map(mirrored).collect::<Result<Vec<DataBlock>, _>>()?;
    let Some(frozen) = applied.frozen else { return Ok(Effect { cut, frozen: None }) };
    let anchor = &frozen.anchor;
    let context = ids::context(&head, anchor.state.as_bytes(), anchor.next_committees.as_bytes());
    let window = anchor.window.as_bytes();
    let root = anchor_root(anchor.chain_id.as_bytes(), frozen.window.epoch.get(), window, &context);
    claim(anchor.root().as_bytes() == &root, || "windows: another anchor root".to_owned())?;
    let Mirror::Window(mirror) = wire::decode(WireKind::Window, &frozen.window.to_bytes())? else {
        return Err("windows: a window of another kind".to_owned());
    };
    let frozen = crate::rules::chain::Frozen { window: mirror, root: *window };
    Ok(Effect { cut, frozen: Some(frozen) })
}

/// Where a block stands.
struct Place {
    chain_id: Bytes32,
    head: Bytes32,
    epoch: u32,
    height: u64,
    parent_view: u64,
    producer: u32,
    timestamp: i64,
}

impl Place {
    fn block(&self, item: Option<&Item>) -> Block {
        let item_block = item.map(|item| {
            let mut block = ItemBlock {
                header: ItemBlockHeader {
                    chain_id: self.chain_id,
                    height: self.height,
                    producer: self.producer,
                    closed_at: self.timestamp,
                    root: [0; 32],
                },
                items: vec![item_root(item)],
            };
            block.header.root = item_block_root(&block);
            block
        });
        let events = no_events();
        let payload = Payload { item_block, parent_certificate: None, events };
        let header = BlockHeader {
            chain_id: self.chain_id,
            epoch: self.epoch,
            view: self.height,
            height: self.height,
            parent: self.head,
            parent_view: self.parent_view,
            timestamp: self.timestamp,
            producer: self.producer,
            payload: commitment(&payload),
        };
        Block { header, payload }
    }
}

fn root_of(block: &Block) -> Option<Bytes32> {
    block.payload.item_block.as_ref().map(|item_block| item_block.header.root)
}

fn genesis() -> Genesis {
    Genesis {
        name: "oracle".to_owned(),
        started_at: PERIODS.started_at,
        turn_ms: 6_000,
        minute_ms: PERIODS.minute_ms,
        window_ms: PERIODS.window_ms,
        producers: 4,
        auditors: 4,
        committees: *committees().as_bytes(),
        registrar: [0xc1; 32],
    }
}

/// An Item with one record, another one at each height.
fn item(chain_id: &Bytes32, height: usize) -> Item {
    let key = SigningKey::from_seed(&[9; 32]);
    let content = wide(height).to_le_bytes().to_vec();
    let metadata = Metadata {
        resource_type: "Binary".to_owned(),
        content_type: "application/octet-stream".to_owned(),
        created: 0,
        tz_offset_min: None,
        size: 8,
        kind: None,
        category: None,
        status: 1,
        relates_to: None,
        format: None,
        language: None,
        custodian: None,
        author: None,
        activity: 1,
        security: [].into(),
        consent: None,
        encryption: None,
        ext: [].into(),
    };
    let record =
        Record { owner: *key.owner().as_bytes(), metadata, content: Content::Inline(content) };
    Item { records: vec![sign(record, chain_id, &key, 7)] }
}

fn decoded<T: mdsm_core::codec::Wire>(mirror: &Mirror) -> Result<T, String> {
    T::from_bytes(&mirror.encode()).map_err(|error| format!("windows: {error}"))
}

fn mirrored(block: &ledger::DataBlock) -> Result<DataBlock, String> {
    match wire::decode(WireKind::DataBlock, &block.to_bytes())? {
        Mirror::DataBlock(block) => Ok(block),
        _ => Err("windows: a data block of another kind".to_owned()),
    }
}

fn wide(number: usize) -> u64 {
    u64::try_from(number).expect("usize fits in u64")
}
