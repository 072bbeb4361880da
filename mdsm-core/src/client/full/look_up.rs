//! What the books say. [CLI-4]

use std::collections::BTreeSet;

use super::{FullError, Library, Located, have};
use crate::client::acts::Thread;
use crate::client::known::{Known, Listed, Receipted, Records, Sharing, Standing, Status};
use crate::client::question::{Place, Question};
use crate::ledger::{Block, Content, Envelope};
use crate::types::{Height, OwnerId, RecordId};

/// Records of one page, at most; and the acts and records of one page of [`Sharing`], but that at least
/// one thread is on it.
const PAGE_RECORDS_MAX: usize = 256;

type Result<T, L> = std::result::Result<T, FullError<<L as Library>::Error>>;

pub(super) fn known<L: Library>(
    library: &L,
    question: &Question,
    by: Option<&OwnerId>,
) -> Result<Known, L> {
    match question {
        Question::Records { owner, at, after } => {
            records(library, owner, *at, *after, by).map(Known::Records)
        }
        Question::Record { id, at } => {
            let found = record(library, id, *at, by)?;
            let with_content = found.map(|(listed, envelope)| {
                let content = match envelope.record.content() {
                    Content::Inline(bytes) => Some(bytes.to_vec()),
                    Content::Stored(_) => None,
                };
                Box::new(Listed { content, ..listed })
            });
            Ok(Known::Record(with_content))
        }
        Question::Sharing { owner, at, after } => {
            let (known, _) = sharing(library, owner, *at, *after, by)?;
            Ok(Known::Sharing(known))
        }
        Question::Receipt { id, at } => receipt(library, id, *at, by).map(Known::Receipt),
        Question::Status | Question::Roster { .. } => status(library).map(Known::Status),
    }
}

fn records<L: Library>(
    library: &L,
    owner: &OwnerId,
    at: Height,
    after: Option<Place>,
    by: Option<&OwnerId>,
) -> Result<Records, L> {
    check_height(library, at)?;
    let opened = opened_to(library, owner, at, by)?;
    let mut found = library.records_of(owner)?;
    found.retain(|(id, located)| {
        located.height <= at
            && after.is_none_or(|after| located.height >= after.height)
            && opened.as_ref().is_none_or(|opened| opened.contains(id))
    });
    found.sort_unstable_by_key(|(_, located)| located.height);
    let mut records: Vec<Listed> = Vec::new();
    for (height, of_block) in by_height(&found) {
        if records.len() > PAGE_RECORDS_MAX {
            break;
        }
        let block = block(library, height)?;
        let mut placed = Vec::new();
        for (id, located) in of_block {
            let place = place(&block, located).ok_or_else(|| misplaced(id, height))?;
            if after.is_none_or(|after| place > after) {
                placed.push((place, *id, *located));
            }
        }
        //= harness/spec/clients.md#cli-4-one-answer
        //# CLI-4.2 (ours): The records of an owner MUST be listed in the order of booking, by height,
        //# then Item, then place in the Item.
        placed.sort_unstable();
        for (_, id, located) in placed {
            records.push(listed(library, &id, &located, &block)?.0);
        }
    }
    let next = (records.len() > PAGE_RECORDS_MAX).then(|| records[PAGE_RECORDS_MAX - 1].place);
    records.truncate(PAGE_RECORDS_MAX);
    Ok(Records { owner: *owner, at, records, next })
}

/// A record that the caller may see, if it is booked.
fn record<L: Library>(
    library: &L,
    id: &RecordId,
    at: Height,
    by: Option<&OwnerId>,
) -> Result<Option<(Listed, Envelope)>, L> {
    check_height(library, at)?;
    // Whoever is nobody learns nothing, not even that there is nothing.
    let by = by.ok_or(FullError::Denied)?;
    let located = library.locate(id)?.filter(|located| located.height <= at);
    let Some(located) = located else { return Ok(None) };
    let (listed, envelope) = listed(library, id, &located, &block(library, located.height)?)?;
    let opened = opened_to(library, &listed.booking.owner, at, Some(by))?;
    if opened.is_some_and(|opened| !opened.contains(id)) {
        return Err(FullError::Denied);
    }
    Ok(Some((listed, envelope)))
}

fn receipt<L: Library>(
    library: &L,
    id: &RecordId,
    at: Height,
    by: Option<&OwnerId>,
) -> Result<Option<Box<Receipted>>, L> {
    let Some((record, _)) = record(library, id, at, by)? else { return Ok(None) };
    let receipt = match record.standing {
        Standing::Final(_) => None,
        Standing::Anchored(_) => {
            let receipt = library.receipt(id)?;
            Some(have(receipt, || format!("the receipt of record {id}"))?)
        }
    };
    Ok(Some(Box::new(Receipted { record, receipt })))
}

/// Who may read what, with the acts and records that show it.
pub(super) fn sharing<L: Library>(
    library: &L,
    owner: &OwnerId,
    at: Height,
    after: Option<Place>,
    by: Option<&OwnerId>,
) -> Result<(Sharing, BTreeSet<RecordId>), L> {
    check_height(library, at)?;
    let by = by.ok_or(FullError::Denied)?;
    let mut threads = library.threads(owner)?;
    threads.retain(|thread| {
        let is_behind = after.is_none_or(|after| thread.request.1 > after);
        let concerns = by == owner || *by == thread.reader;
        is_behind && concerns && thread.acts_at(at).is_some()
    });
    if by != owner && threads.is_empty() && after.is_none() {
        return Err(FullError::Denied);
    }
    threads.sort_unstable_by_key(|thread| thread.request.1);
    let mut shown = BTreeSet::new();
    let mut sharing =
        Sharing { owner: *owner, at, readings: Vec::new(), asking: Vec::new(), next: None };
    let mut last = None;
    for thread in &threads {
        let with = thread.acts_at(at).into_iter().flatten().chain(thread.records.iter().copied());
        let with: BTreeSet<RecordId> = with.chain(shown.iter().copied()).collect();
        if last.is_some() && with.len() > PAGE_RECORDS_MAX {
            sharing.next = last;
            break;
        }
        (shown, last) = (with, Some(thread.request.1));
        let readings = thread.readings_at(at);
        if readings.is_empty() {
            sharing.asking.push(thread.request.0);
        }
        sharing.readings.extend(readings);
    }
    sharing.readings.sort_unstable_by_key(|reading| (reading.grant, reading.record));
    sharing.asking.sort_unstable();
    Ok((sharing, shown))
}

fn status<L: Library>(library: &L) -> Result<Status, L> {
    let (institution, head, height) = (library.institution(), library.head()?, provable(library)?);
    if height == Height::new(0) {
        let (epoch, timestamp) = (crate::types::Epoch::new(0), crate::types::Timestamp::new(0));
        return Ok(Status { institution, height, epoch, timestamp, head });
    }
    let header = block(library, height)?.header;
    let (epoch, timestamp) = (header.epoch, header.timestamp);
    Ok(Status { institution, height, epoch, timestamp, head })
}

pub(super) fn provable<L: Library>(library: &L) -> Result<Height, L> {
    let (head, certified) = (library.head()?, library.certified()?);
    // Epochs rise with heights, and almost always the head is one that can be proven.
    let (mut low, mut high) = (0, head.get());
    let mut middle = high;
    while low < high {
        if block(library, Height::new(middle))?.header.epoch <= certified {
            low = middle;
        } else {
            high = middle - 1;
        }
        middle = low + (high - low).div_ceil(2);
    }
    Ok(Height::new(low))
}

/// Records of an owner that a grant opens to the caller; nothing for the owner, who sees them all.
//= harness/spec/clients.md#cli-1-full-client
//# CLI-1.5 (ours): A full client MUST answer a question about the records of an owner only to a call
//# signed, at most 60,000 milliseconds away from its clock, by the owner or by a reader to whom a grant
//# that holds opens what is answered.
fn opened_to<L: Library>(
    library: &L,
    owner: &OwnerId,
    at: Height,
    by: Option<&OwnerId>,
) -> Result<Option<BTreeSet<RecordId>>, L> {
    let by = by.ok_or(FullError::Denied)?;
    if by == owner {
        return Ok(None);
    }
    let threads = library.threads(owner)?;
    let to_caller = threads.iter().filter(|thread| thread.reader == *by);
    let readings = to_caller.flat_map(|thread: &Thread| thread.readings_at(at));
    let opened: BTreeSet<RecordId> = readings.map(|reading| reading.record).collect();
    if opened.is_empty() { Err(FullError::Denied) } else { Ok(Some(opened)) }
}

fn check_height<L: Library>(library: &L, at: Height) -> Result<(), L> {
    let provable = provable(library)?;
    if at > provable { Err(FullError::Ahead { at, provable }) } else { Ok(()) }
}

pub(super) fn block<L: Library>(library: &L, height: Height) -> Result<Block, L> {
    have(library.block(height)?, || format!("block {height}"))
}

/// Where the block says that the record stands.
pub(super) fn place(block: &Block, located: &Located) -> Option<Place> {
    let items = &block.payload.item_block.as_ref()?.items;
    let item = items.iter().position(|root| *root == located.item)?;
    let item = u16::try_from(item).ok()?;
    Some(Place { height: located.height, item, index: located.index })
}

pub(super) fn misplaced<E>(id: &RecordId, height: Height) -> FullError<E> {
    FullError::Missing(format!("record {id} in block {height}, where it should stand"))
}

fn listed<L: Library>(
    library: &L,
    id: &RecordId,
    located: &Located,
    block: &Block,
) -> Result<(Listed, Envelope), L> {
    let item = have(library.item(&located.item)?, || format!("Item {}", located.item))?;
    let envelope = item.records.get(usize::from(located.index)).cloned();
    let misplaced = || misplaced(id, located.height);
    let envelope = envelope.filter(|envelope| envelope.record.id() == *id).ok_or_else(misplaced)?;
    let place = place(block, located).ok_or_else(misplaced)?;
    let standing = Standing::of(block.header.epoch, library.certified()?);
    let booking = envelope.booking();
    Ok((Listed { id: *id, place, booking, content: None, standing }, envelope))
}

/// Neighbours of one height.
fn by_height(
    found: &[(RecordId, Located)],
) -> impl Iterator<Item = (Height, &[(RecordId, Located)])> {
    found.chunk_by(|(_, one), (_, other)| one.height == other.height).filter_map(|of_block| {
        let (_, located) = of_block.first()?;
        Some((located.height, of_block))
    })
}
