//! Proofs beside what the books say. [CLI-1]

use std::collections::BTreeSet;

use super::look_up::{block, known, misplaced, place, provable, sharing};
use super::{FullError, Library, Located, have};
use crate::client::answer::{
    Answer, BlockProof, Finality, KeysAnswer, ReceiptAnswer, RecordAnswer, RecordProof,
    RecordsAnswer, RosterAnswer, SharingAnswer, StatusAnswer,
};
use crate::client::dealing::Dealing;
use crate::client::hexed::{HexBytes, Hexed};
use crate::client::known::{Known, Sharing};
use crate::client::question::{Place, Question};
use crate::ledger::{Block, Content, Item};
use crate::merkle::Tree;
use crate::types::{Digest, Epoch, Height, OwnerId, RecordId};

/// Epochs of one answer about rosters, at most: some 640 KB in the paper's network.
const ROSTER_STEPS_MAX: u32 = 32;

type Result<T, L> = std::result::Result<T, FullError<<L as Library>::Error>>;

pub(super) fn answer<L: Library>(
    library: &L,
    question: &Question,
    by: Option<&OwnerId>,
) -> Result<Answer, L> {
    let without = (Vec::new(), Vec::new());
    Ok(match (question, known(library, question, by)?) {
        (Question::Records { .. }, Known::Records(known)) => {
            let ids: Vec<RecordId> = known.records.iter().map(|listed| listed.id).collect();
            let (blocks, records) = prove(library, &ids, &Contents::None)?;
            let (owner, at, next) = (known.owner, known.at, known.next);
            Answer::Records(RecordsAnswer { owner, at, blocks, records, next })
        }
        (Question::Record { id, at }, Known::Record(known)) => {
            let (blocks, records) = match known {
                Some(listed) => prove(library, &[listed.id], &Contents::All)?,
                None => without,
            };
            Answer::Record(RecordAnswer { id: *id, at: *at, blocks, records })
        }
        (Question::Sharing { person, role, at, after }, Known::Sharing(_)) => {
            let (known, shown) = sharing(library, (person, *role), *at, *after, by)?;
            let acts = known.dealings.iter().flat_map(Dealing::acts).map(|act| act.id).collect();
            let shown: Vec<RecordId> = shown.into_iter().collect();
            let (blocks, records) = prove(library, &shown, &Contents::Of(acts))?;
            let Sharing { person, role, at, next, .. } = known;
            Answer::Sharing(SharingAnswer { person, role, at, blocks, records, next })
        }
        (Question::Keys { owner, at }, Known::Keys(known)) => {
            let (blocks, records) = match known {
                Some(declared) => prove(library, &[declared.act.id], &Contents::All)?,
                None => without,
            };
            Answer::Keys(KeysAnswer { owner: *owner, at: *at, blocks, records })
        }
        (Question::Receipt { id, at }, Known::Receipt(known)) => {
            let (blocks, records) = match &known {
                Some(receipted) => prove(library, &[receipted.record.id], &Contents::None)?,
                None => without,
            };
            let receipt = known.and_then(|receipted| receipted.receipt).map(Hexed).map(Box::new);
            Answer::Receipt(ReceiptAnswer { id: *id, at: *at, blocks, records, receipt })
        }
        (Question::Roster { from }, _) => Answer::Roster(roster(library, *from)?),
        _ => Answer::Status(status(library)?),
    })
}

/// Whose content goes along.
enum Contents {
    None,
    Of(BTreeSet<RecordId>),
    All,
}

/// Proofs of booked records, in the order of booking.
fn prove<L: Library>(
    library: &L,
    ids: &[RecordId],
    contents: &Contents,
) -> Result<(Vec<BlockProof>, Vec<RecordProof>), L> {
    let mut located = Vec::with_capacity(ids.len());
    for id in ids {
        located.push((have(library.locate(id)?, || format!("record {id}"))?, *id));
    }
    located.sort_unstable();
    let (mut blocks, mut records) = (Vec::new(), Vec::new());
    for of_block in located.chunk_by(|(one, _), (other, _)| one.height == other.height) {
        let height = of_block[0].0.height;
        let block = block(library, height)?;
        let index = u32::try_from(blocks.len()).unwrap_or(u32::MAX);
        blocks.push(block_proof(library, &block)?);
        records.extend(of_one_block(library, &block, index, of_block, contents)?);
    }
    Ok((blocks, records))
}

fn of_one_block<L: Library>(
    library: &L,
    block: &Block,
    index: u32,
    located: &[(Located, RecordId)],
    contents: &Contents,
) -> Result<Vec<RecordProof>, L> {
    let height = block.header.height;
    let items = block.payload.item_block.as_ref().map_or(&[][..], |item_block| &item_block.items);
    let tree = Tree::from_digests(items);
    let mut proven: Vec<(Place, RecordProof)> = Vec::new();
    let mut held: Option<(Digest, Item, Tree)> = None;
    for (located, id) in located {
        let place = place(block, located).ok_or_else(|| misplaced(id, height))?;
        if held.as_ref().is_none_or(|(root, ..)| *root != located.item) {
            let item = have(library.item(&located.item)?, || format!("Item {}", located.item))?;
            let leaves = Tree::from_hashes(item.leaf_hashes());
            held = Some((located.item, item, leaves));
        }
        let held = held.as_ref();
        let proof = held.and_then(|(_, item, leaves)| {
            record_proof(index, id, place, (item, leaves), (items.len(), &tree), contents)
        });
        proven.push((place, proof.ok_or_else(|| misplaced(id, height))?));
    }
    proven.sort_by_key(|(place, _)| *place);
    Ok(proven.into_iter().map(|(_, proof)| proof).collect())
}

fn record_proof(
    block: u32,
    id: &RecordId,
    place: Place,
    (item, leaves): (&Item, &Tree),
    (items, tree): (usize, &Tree),
    contents: &Contents,
) -> Option<RecordProof> {
    let envelope = item.records.get(usize::from(place.index))?;
    let goes_along = match contents {
        Contents::None => false,
        Contents::Of(acts) => acts.contains(id),
        Contents::All => true,
    };
    let content = match envelope.record.content() {
        Content::Inline(bytes) if goes_along => Some(HexBytes(bytes.to_vec())),
        _ => None,
    };
    Some(RecordProof {
        id: *id,
        block,
        booking: Hexed(envelope.booking()),
        content,
        item: item.root(),
        in_item: (place.index, u8::try_from(item.records.len()).ok()?),
        item_path: leaves.prove(place.index.into())?,
        in_block: (place.item, u16::try_from(items).ok()?),
        block_path: tree.prove(place.item.into())?,
    })
}

fn block_proof<L: Library>(library: &L, block: &Block) -> Result<BlockProof, L> {
    let finality = finality(library, block.header.height)?;
    Ok(BlockProof { finality, summary: Hexed(block.payload.summary()) })
}

fn finality<L: Library>(library: &L, height: Height) -> Result<Finality, L> {
    have(library.finality(height)?, || format!("the certificate of block {height}"))
}

fn status<L: Library>(library: &L) -> Result<StatusAnswer, L> {
    let provable = provable(library)?;
    let proven = (provable > Height::new(0)).then(|| finality(library, provable)).transpose()?;
    let (chain_id, institution) = (library.chain_id(), library.institution());
    Ok(StatusAnswer { chain_id, institution, head: library.head()?, proven })
}

fn roster<L: Library>(library: &L, from: Epoch) -> Result<RosterAnswer, L> {
    let is_first = from == Epoch::new(0);
    let first = if is_first { Some(Hexed(library.first_roster()?)) } else { None };
    let end = library.certified()?.get().min(from.get().saturating_add(ROSTER_STEPS_MAX));
    let mut steps = Vec::new();
    for epoch in from.get()..end {
        let step = library.roster_step(Epoch::new(epoch))?;
        steps.push(have(step, || format!("the certified anchor of epoch {epoch}"))?);
    }
    Ok(RosterAnswer { first, steps })
}
