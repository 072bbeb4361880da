//! Items, windows and proofs, without a word on formats. [STO-3] [STO-4] [STO-10] [STO-11] [STO-12]

use mdsm_core::codec::Wire as _;
use mdsm_core::crypto::seal::{ContentKey, SealCoins};
use mdsm_core::freezing::{Accepted, TURN_RECORDS_MAX, close_turn};
use mdsm_core::ledger::{
    Booking, Content, Item, Level, MediaType, Metadata, Placement, Position, Receipt, ResourceType,
    place, root_of,
};
use mdsm_core::merkle::Tree;
use mdsm_core::params::INLINE_CONTENT_BYTES_MAX;
use mdsm_core::types::{
    ChainId, Digest, Epoch, InstitutionId, KeyId, List, OwnerId, Signature, Timestamp,
};
use serde_json::{Value, json};

use super::super::super::class::Class;
use super::super::super::value::{Field, bytes, list_of_bytes};
use super::super::{Outcome, Refusal, digest, reject, windows, wire};
use crate::build;

pub(crate) fn admit(args: &Field<'_>) -> Outcome {
    let (size, is_private): (u64, _) = (args.get("bytes")?.decimal()?, args.get("private")?.yes()?);
    // What is too large by one byte goes where everything larger goes.
    let most = INLINE_CONTENT_BYTES_MAX + 1;
    let content = vec![0; usize::try_from(size).map_or(most, |size| size.min(most))];
    let placement = if is_private { Placement::Sealed } else { Placement::Inline };
    let coins = SealCoins { nonce_prefix: [0; 19], salt: [0; 16] };
    let (key, key_id) = (ContentKey::new([0; 32]), KeyId::new([0; 32]));
    let placed = place(&content, placement, &key, key_id, coins)
        .or_else(|error| reject(Class::Bound, error))?;
    let is_inline = matches!(placed.content, Content::Inline(_));
    Ok(json!({"place": if is_inline { "item" } else { "database" }}))
}

pub(crate) fn items(args: &Field<'_>) -> Outcome {
    let records: usize = args.get("records")?.integer::<u32>()?.try_into().unwrap_or(usize::MAX);
    if records > TURN_RECORDS_MAX {
        return reject(Class::Bound, format!("a turn holds {TURN_RECORDS_MAX} records"));
    }
    let chain = ChainId::new([0; 32]);
    let envelope = build::envelope(&chain, 0).verify(&chain).expect("it was signed just now");
    let turn = close_turn(vec![Accepted::new(envelope); records]);
    let counts = turn.items.iter().map(|sealed| Value::from(sealed.item.records.len()));
    Ok(json!({"items": counts.collect::<Value>()}))
}

/// The bookings of a window, level by level.
struct Records(Vec<Vec<Vec<Vec<Booking>>>>);

/// The hashes of a window, level by level.
struct Roots {
    items: Vec<Vec<Vec<Digest>>>,
    item_blocks: Vec<Vec<Digest>>,
    data_blocks: Vec<Digest>,
}

fn booking(record: &Field<'_>) -> Result<Booking, Refusal> {
    let content = record.get("content")?.bytes()?;
    let size = u64::try_from(content.len()).unwrap_or(u64::MAX);
    let created = Timestamp::new(record.get("created")?.decimal()?);
    let resource_type = ResourceType::new("DocumentReference").expect("letters");
    let media_type = MediaType::new("application/octet-stream").expect("a type and a subtype");
    let content = Content::inline(content).or_else(|error| reject(Class::Bound, error))?;
    let metadata = Metadata::new(resource_type, media_type, created, size);
    metadata.check()?;
    Ok(Booking {
        owner: OwnerId::new(record.get("owner")?.array()?),
        metadata,
        content: content.to_ref(),
        owner_signature: Signature::new([0; 64]),
        booked_by: InstitutionId::new(0),
    })
}

fn records(args: &Field<'_>) -> Result<Records, Refusal> {
    let item = |item: &Field<'_>| bounded(item.each(booking)?, Level::Item);
    let item_block = |block: &Field<'_>| bounded(block.each(item)?, Level::ItemBlock);
    let data_block = |block: &Field<'_>| bounded(block.each(item_block)?, Level::DataBlock);
    Ok(Records(args.get("records")?.each(data_block)?))
}

fn bounded<T>(parts: Vec<T>, level: Level) -> Result<Vec<T>, Refusal> {
    if (1..=level.leaves_max()).contains(&parts.len()) {
        return Ok(parts);
    }
    reject(Class::Bound, format!("{} parts on level {level:?}", parts.len()))
}

fn leaf_hashes(item: &[Booking]) -> Vec<Digest> {
    item.iter().map(Booking::leaf_hash).collect()
}

impl Records {
    fn roots(&self) -> Roots {
        let item = |item: &Vec<Booking>| Item::root_of_leaves(&leaf_hashes(item));
        let items: Vec<Vec<Vec<Digest>>> = self
            .0
            .iter()
            .map(|block| block.iter().map(|block| block.iter().map(item).collect()).collect())
            .collect();
        let root = |level| move |below: &Vec<Digest>| root_of(level, below);
        let item_blocks: Vec<Vec<Digest>> =
            items.iter().map(|block| block.iter().map(root(Level::ItemBlock)).collect()).collect();
        let data_blocks = item_blocks.iter().map(root(Level::DataBlock)).collect();
        Roots { items, item_blocks, data_blocks }
    }
}

pub(crate) fn window(args: &Field<'_>) -> Outcome {
    let Roots { items, item_blocks, data_blocks } = records(args)?.roots();
    let list = |digests: &[Digest]| list_of_bytes(digests.iter().map(Digest::as_bytes));
    let lists =
        |lists: &Vec<Vec<Digest>>| lists.iter().map(|digests| list(digests)).collect::<Value>();
    Ok(json!({
        "window": bytes(root_of(Level::Window, &data_blocks).as_bytes()),
        "data_blocks": list(&data_blocks),
        "item_blocks": item_blocks.iter().map(|digests| list(digests)).collect::<Value>(),
        "items": items.iter().map(lists).collect::<Value>(),
    }))
}

pub(crate) fn prove(args: &Field<'_>) -> Outcome {
    let records = records(args)?;
    let roots = records.roots();
    let at: Vec<usize> = args.get("at")?.each(|index| index.integer::<u32>()).map(|at| {
        at.into_iter().map(|index| usize::try_from(index).unwrap_or(usize::MAX)).collect()
    })?;
    let [window, data, block, item] = at[..] else {
        return Err(args.get("at")?.wrong("four indices are expected").into());
    };
    let proof = proof(&records, &roots, [window, data, block, item]);
    let Some(proof) = proof else { return reject(Class::Shape, "no record stands there") };
    Ok(json!({"hashes": proof.path.len(), "proof": bytes(proof.to_bytes())}))
}

/// The receipt of a record, without the way into Bitcoin. `None` where no record stands.
fn proof(records: &Records, roots: &Roots, at: [usize; 4]) -> Option<Receipt> {
    let [window, data, block, item] = at;
    let of_item = records.0.get(window)?.get(data)?.get(block)?;
    let trees = [
        (Tree::from_hashes(leaf_hashes(of_item)), item),
        (Tree::from_digests(&roots.items[window][data]), block),
        (Tree::from_digests(&roots.item_blocks[window]), data),
        (Tree::from_digests(&roots.data_blocks), window),
    ];
    let mut path = Vec::new();
    for (tree, index) in &trees {
        path.extend(tree.prove(u64::try_from(*index).ok()?)?);
    }
    let [items, blocks, datas, windows] = trees.map(|(tree, _)| tree.len());
    Some(Receipt {
        chain_id: ChainId::new([0; 32]),
        epoch: Epoch::new(0),
        booking: of_item.get(item)?.clone(),
        position: Position {
            item_index: item.try_into().ok()?,
            item_size: items.try_into().ok()?,
            block_index: block.try_into().ok()?,
            block_size: blocks.try_into().ok()?,
            data_index: data.try_into().ok()?,
            data_size: datas.try_into().ok()?,
            window_index: window.try_into().ok()?,
            window_size: windows.try_into().ok()?,
        },
        path: List::new(path).ok()?,
        context: Digest::new([0; 32]),
        bitcoin: None,
    })
}

pub(crate) fn verify(args: &Field<'_>) -> Outcome {
    let (booking, receipt): (_, Receipt) =
        (booking(&args.get("record")?)?, wire(&args.get("proof")?)?);
    let window = digest(&args.get("window")?)?;
    if receipt.booking != booking {
        return reject(Class::Content, "the proof is of another record");
    }
    let found = receipt.window_root().or_else(|error| reject(Class::Shape, error))?;
    if found != window {
        return reject(Class::Root, format!("the proof leads to {found}"));
    }
    Ok(json!({}))
}

pub(crate) fn minutes(args: &Field<'_>) -> Outcome {
    let blocks = args.get("blocks")?.each(|block| {
        Ok::<_, Refusal>((block.get("timestamp")?.decimal()?, block.get("has_items")?.yes()?))
    })?;
    let (mut data_blocks, mut windows, mut open) = (Vec::new(), Vec::new(), Vec::new());
    for windows::Effect { cut, is_last } in windows::effects(args, &blocks)? {
        for numbers in cut {
            open.push(data_blocks.len());
            data_blocks.push(numbers);
        }
        if is_last {
            windows.push(std::mem::take(&mut open));
        }
    }
    Ok(json!({"data_blocks": data_blocks, "windows": windows}))
}
