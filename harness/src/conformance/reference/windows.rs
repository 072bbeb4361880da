//! `windows`: what the chain of the reference cuts and freezes. [STO-12] [STO-13]
//!
//! The chain takes whole blocks with their Items, and the operation gives roots alone; so blocks of
//! our own stand in, one record each, and the roots are put in the place of theirs.

use std::collections::{BTreeMap, BTreeSet};

use mdsm_core::chain::{BlockError, Chain};
use mdsm_core::crypto::sign::SigningKey;
use mdsm_core::ledger::{
    Block, BlockHeader, Content, DataBlock, Envelope, Genesis, Item, ItemBlock, ItemBlockHeader,
    Level, Metadata, Payload, Record, Window, root_of,
};
use mdsm_core::types::{Digest, Epoch, List, Timestamp, View};
use serde_json::{Value, json};

use super::super::class::Class;
use super::super::value::{Field, bytes, list_of_bytes};
use super::{Outcome, Refusal, digest, reject};
use crate::build;

/// What one block brought about.
pub(super) struct Effect {
    /// Numbers of the blocks whose Item blocks each data block holds.
    pub(super) cut: Vec<Vec<usize>>,
    /// Whether it was the last of its epoch.
    pub(super) is_last: bool,
}

pub(super) fn windows(args: &Field<'_>) -> Outcome {
    let mut roots = Vec::new();
    let mut blocks = Vec::new();
    for block in args.get("blocks")?.list()? {
        let root = block.find("item_block")?.map(|root| digest(&root)).transpose()?;
        blocks.push((block.get("timestamp")?.decimal()?, root.is_some()));
        roots.push(root);
    }
    let (mut epoch, mut data_blocks, mut written) = (Epoch::new(0), Vec::new(), Vec::new());
    for Effect { cut, is_last } in effects(args, &blocks)? {
        let before = data_blocks.len();
        for numbers in cut {
            let item_blocks = numbers.iter().filter_map(|number| roots[*number]).collect();
            let item_blocks = List::new(item_blocks).expect("the chain cut 1 to 10 Item blocks");
            let index = u32::try_from(data_blocks.len()).expect("a short chain");
            data_blocks.push(DataBlock { epoch, index, item_blocks }.root());
        }
        let cut = list_of_bytes(data_blocks[before..].iter().map(Digest::as_bytes));
        let mut block = json!({"cut": cut});
        if is_last {
            let data_blocks = List::new(std::mem::take(&mut data_blocks)).expect("a short chain");
            block["frozen"] = bytes(Window { epoch, data_blocks }.root().as_bytes());
            epoch = epoch.next().expect("a short chain");
        }
        written.push(block);
    }
    Ok(json!({"blocks": Value::from(written)}))
}

/// What each block brings about: its time, and whether it carries an Item block.
pub(super) fn effects(args: &Field<'_>, blocks: &[(i64, bool)]) -> Result<Vec<Effect>, Refusal> {
    let minute_ms = args.get("minute_ms")?.integer()?;
    let genesis = Genesis {
        started_at: Timestamp::new(args.get("started_at")?.decimal()?),
        turn_ms: minute_ms,
        minute_ms,
        window_ms: args.get("window_ms")?.integer()?,
        ..build::genesis()
    };
    let mut chain =
        Chain::new(genesis, &build::founders()).or_else(|error| reject(Class::Refused, error))?;
    let (mut numbers, mut effects) = (BTreeMap::new(), Vec::new());
    for (number, (timestamp, carries)) in blocks.iter().enumerate() {
        let timestamp = Timestamp::new(*timestamp);
        let items: Vec<Item> = carries.then(|| item(&chain, number)).into_iter().collect();
        let block = block(&chain, timestamp, &items)?;
        if let Some(item_block) = &block.payload.item_block {
            numbers.insert(item_block.header.root, number);
        }
        let refused = |error: BlockError| reject(Class::Refused, error);
        let checked = chain.check(&block, &items, &BTreeSet::new()).or_else(refused)?;
        let applied = chain.apply(checked);
        let of = |block: &DataBlock| block.item_blocks.iter().map(|root| numbers[root]).collect();
        let cut = applied.data_blocks.iter().map(of).collect();
        effects.push(Effect { cut, is_last: applied.frozen.is_some() });
    }
    Ok(effects)
}

/// An Item of one record, made in 1970 and another for every number.
fn item(chain: &Chain, number: usize) -> Item {
    let owner = SigningKey::from_seed(&[1; 32]);
    let content = number.to_be_bytes();
    let metadata = Metadata { created: Timestamp::new(0), ..build::metadata(content.len()) };
    let content = Content::inline(content).expect("eight bytes");
    let record = Record::new(owner.owner(), metadata, content).expect("a sound record");
    build::item_of(vec![Envelope::sign(record, &chain.id(), &owner, build::DELEGATE)])
}

fn block(chain: &Chain, timestamp: Timestamp, items: &[Item]) -> Result<Block, Refusal> {
    let is_first = chain.has_ended() || chain.height().get() == 0;
    let parent_view = if is_first { View::new(0) } else { chain.head_view() };
    let (Some(view), Some(height)) = (parent_view.next(), chain.next_height()) else {
        return reject(Class::Bound, "more blocks than a chain can count");
    };
    let producer = chain.leader(view);
    let roots: Vec<Digest> = items.iter().map(Item::root).collect();
    let root = root_of(Level::ItemBlock, &roots);
    let closed_at = timestamp;
    let header = ItemBlockHeader { chain_id: chain.id(), height, producer, closed_at, root };
    let item_block = List::new(roots).ok().map(|items| ItemBlock { header, items });
    let payload = Payload { item_block, ..Payload::default() };
    let header = BlockHeader {
        chain_id: chain.id(),
        epoch: chain.epoch(),
        view,
        height,
        parent: chain.head(),
        parent_view,
        timestamp,
        producer,
        payload: payload.commitment(),
    };
    Ok(Block { header, payload })
}
