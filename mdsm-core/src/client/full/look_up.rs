//! What the books say. [CLI-4]

use std::collections::BTreeSet;

use super::{FullError, Library, Located, have};
use crate::client::dealing::Dealing;
use crate::client::known::{Known, Listed, Receipted, Records, Sharing, Standing, Status};
use crate::client::question::{Place, Question, Role};
use crate::client::register::Declared;
use crate::ledger::{Block, Content, Envelope};
use crate::types::{Height, OwnerId, RecordId};

/// Records of one page, at most; and the acts and records of one page of [`Sharing`], but that at least
/// one dealing is on it.
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
        Question::Sharing { person, role, at, after } => {
            let (known, _) = sharing(library, (person, *role), *at, *after, by)?;
            Ok(Known::Sharing(known))
        }
        Question::Keys { owner, at } => keys(library, owner, *at, by).map(Known::Keys),
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

/// Keys that somebody has declared last.
//= harness/spec/clients.md#cli-1-full-client
//# CLI-1.7 (ours): A full client MUST answer which keys somebody has declared last to every signed call.
fn keys<L: Library>(
    library: &L,
    owner: &OwnerId,
    at: Height,
    by: Option<&OwnerId>,
) -> Result<Option<Declared>, L> {
    check_height(library, at)?;
    by.ok_or(FullError::Denied)?;
    Ok(library.keys_of(owner, at)?)
}

/// Dealings, with the acts and records that show them.
pub(super) fn sharing<L: Library>(
    library: &L,
    (person, role): (&OwnerId, Role),
    at: Height,
    after: Option<Place>,
    by: Option<&OwnerId>,
) -> Result<(Sharing, BTreeSet<RecordId>), L> {
    check_height(library, at)?;
    let by = by.ok_or(FullError::Denied)?;
    let concerns = |dealing: &Dealing| match role {
        Role::Owner => dealing.owner == *person && (by == person || *by == dealing.reader),
        //= harness/spec/clients.md#cli-1-full-client
        //# CLI-1.8 (ours): A full client MUST answer what a reader has asked for and been granted to a call
        //# signed by that reader only.
        Role::Reader => dealing.reader == *person && by == person,
    };
    let dealings = library.dealings_of(person)?.into_iter().filter(concerns);
    let mut dealings: Vec<Dealing> = dealings.filter_map(|dealing| dealing.at(at)).collect();
    if by != person && dealings.is_empty() {
        return Err(FullError::Denied);
    }
    dealings.retain(|dealing| after.is_none_or(|after| dealing.request.place > after));
    dealings.sort_unstable_by_key(|dealing| dealing.request.place);
    let mut shown = BTreeSet::new();
    let mut sharing = Sharing { person: *person, role, at, dealings: Vec::new(), next: None };
    for dealing in dealings {
        let with = dealing.acts().map(|act| act.id).chain(named(&dealing, at, by));
        let with: BTreeSet<RecordId> = with.chain(shown.iter().copied()).collect();
        let last = sharing.dealings.last();
        if let Some(last) = last.filter(|_| with.len() > PAGE_RECORDS_MAX) {
            sharing.next = Some(last.request.place);
            break;
        }
        shown = with;
        sharing.dealings.push(dealing);
    }
    Ok((sharing, shown))
}

/// Records that a dealing names, as far as the caller may see them.
fn named(dealing: &Dealing, at: Height, by: &OwnerId) -> Vec<RecordId> {
    if *by == dealing.owner {
        return dealing.records.iter().copied().collect();
    }
    dealing.readings(at).map(|reading| reading.record).collect()
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
    let is_theirs = |it: &Dealing| it.owner == *owner && it.reader == *by;
    let dealings = library.dealings_of(owner)?.into_iter().filter(is_theirs);
    let dealings = dealings.filter_map(|dealing| dealing.at(at));
    let opened = dealings.flat_map(|it| it.readings(at).map(|it| it.record).collect::<Vec<_>>());
    let opened: BTreeSet<RecordId> = opened.collect();
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
