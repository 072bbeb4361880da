//! Entries of a node's disk as bytes: a letter, and what it tells of.

use std::rc::Rc;
use std::sync::Arc;

use mdsm_core::codec::{DecodeError, Wire};
use mdsm_core::consensus::JournalEntry;
use mdsm_core::ledger::{Envelope, Item, Proposal};
use mdsm_core::node::{Commit, Decision};

use crate::simulation::node::Entry;

/// Writes an entry.
pub(super) fn write(entry: &Entry) -> Vec<u8> {
    match entry {
        Entry::Journal(entry) => with(b'j', &[entry.to_bytes()]),
        Entry::Accepted(envelope) => with(b'a', &[envelope.to_bytes()]),
        Entry::Kept(proposal, items) => with(b'k', &parts(&**proposal, items.iter())),
        Entry::Commit(commit) => {
            with(b'c', &parts(&*commit.decision, commit.items.iter().flatten()))
        }
    }
}

fn parts<'a>(first: &impl Wire, items: impl Iterator<Item = &'a Arc<Item>>) -> Vec<Vec<u8>> {
    std::iter::once(first.to_bytes()).chain(items.map(|item| item.to_bytes())).collect()
}

/// A letter, and parts each behind its length.
fn with(kind: u8, parts: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = vec![kind];
    for part in parts {
        bytes.extend(u32::try_from(part.len()).unwrap_or(u32::MAX).to_le_bytes());
        bytes.extend(part);
    }
    bytes
}

/// Reads an entry that [`write`] wrote; the disk that hands it back is the harness's.
pub(super) fn read(bytes: &[u8]) -> Result<Entry, String> {
    let (kind, rest) = bytes.split_first().ok_or("an empty entry")?;
    let mut parts = Vec::new();
    let mut rest = rest;
    while let Some((length, behind)) = rest.split_at_checked(4) {
        let length = u32::from_le_bytes(length.try_into().map_err(|_| "no length")?) as usize;
        let (part, behind) = behind.split_at_checked(length).ok_or("a part is cut off")?;
        parts.push(part);
        rest = behind;
    }
    let (first, others) = parts.split_first().ok_or("an entry without parts")?;
    match kind {
        b'j' => Ok(Entry::Journal(decoded::<JournalEntry>(first)?)),
        b'a' => Ok(Entry::Accepted(Arc::new(decoded::<Envelope>(first)?))),
        b'k' => Ok(Entry::Kept(Arc::new(decoded::<Proposal>(first)?), items(others)?)),
        b'c' => {
            let commit = Commit::stored(decoded::<Decision>(first)?, items(others)?);
            Ok(Entry::Commit(Rc::new(commit.map_err(|error| error.to_string())?)))
        }
        other => Err(format!("an entry of kind {other}")),
    }
}

fn decoded<T: Wire>(bytes: &[u8]) -> Result<T, String> {
    T::from_bytes(bytes).map_err(|error: DecodeError| error.to_string())
}

fn items(parts: &[&[u8]]) -> Result<Vec<Arc<Item>>, String> {
    parts.iter().map(|part| decoded(part).map(Arc::new)).collect()
}
