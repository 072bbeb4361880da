//! How [`super::Checked`] writes a row, a commit, and an entry of the witness.
//!
//! ```text
//! stored value  commit u64 | digest [32] | value
//! digest        SHA-256( "MROW" 1 | table u8 | commit u64 | length of key u32 | key | value )
//! witness entry "MCMT" 1 | list of changes; its number in the log is the number of the commit
//! change        table u8 | 1 written, 2 removed | key
//! commit row    table Commits, key = commit u64 big endian,
//!               value = previous option u64 | option list of changes
//! ```
//! Commit n puts its own commit row, with its changes, and puts the row of the commit before anew,
//! without them. So a commit row that still has its changes although a later commit names it as its
//! previous says that the engine has the two in the wrong order.

use super::super::StoreError;
use super::super::batch::{Batch, KEY_BYTES_MAX, Table};
use crate::codec::{
    Decode, DecodeError, DecodeErrorKind, Encode, Reader, Wire, prefix, wire_struct,
};
use crate::crypto::sha256_parts;
use crate::types::{Blob, Digest, List};

/// Rows that one commit may change.
pub(super) const CHANGES_MAX: usize = 1 << 20;

/// Bytes before the value.
const HEAD_BYTES: usize = 8 + Digest::BYTES;

/// What a commit did to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    Written = 1,
    Removed = 2,
}

/// One row that a commit changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) table: Table,
    pub(super) effect: Effect,
    pub(super) key: Blob<0, KEY_BYTES_MAX>,
}

/// The rows that a commit changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Changes {
    pub(super) changes: List<Change, 1, CHANGES_MAX>,
}

/// What the store says about a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CommitRow {
    /// The commit that was the last one when this one was made.
    pub(super) previous: Option<u64>,
    /// Gone as soon as a later commit is made.
    pub(super) changes: Option<Changes>,
}

wire_struct!(Change { table, effect, key });
wire_struct!(Changes { changes });
wire_struct!(CommitRow { previous, changes });

impl Encode for Effect {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(*self as u8);
    }
}

impl Decode for Effect {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match reader.array()? {
            [1] => Ok(Self::Written),
            [2] => Ok(Self::Removed),
            [found] => Err(reader.error(DecodeErrorKind::Variant { found })),
        }
    }
}

impl Wire for Changes {
    const TAG: [u8; 4] = *b"MCMT";
    const NAME: &'static str = "Changes";
}

impl Changes {
    /// What a batch changes; `None` when it changes nothing.
    pub(super) fn of(batch: &Batch) -> Option<Self> {
        let changes = batch.iter().map(|(table, key, value)| Change {
            table,
            effect: if value.is_some() { Effect::Written } else { Effect::Removed },
            key: Blob::new(key).expect("keys of a checked batch are within bounds"),
        });
        Some(Self { changes: List::new(changes.collect()).ok()? })
    }
}

impl CommitRow {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.encode(&mut bytes);
        bytes
    }

    pub(super) fn from_bytes(key: &[u8], bytes: &[u8]) -> Result<Self, StoreError> {
        let mut reader = Reader::new(bytes);
        let row = reader.field("CommitRow").and_then(|row| reader.finish().map(|()| row));
        row.map_err(|error| StoreError::damaged(Table::Commits, key, error))
    }
}

/// Makes of a value the bytes that are stored for it. A buffer with room for the head is not moved.
pub(super) fn seal(table: Table, key: &[u8], commit: u64, value: &mut Vec<u8>) {
    let (digest, bytes) = (digest(table, key, commit, value), value.len());
    value.resize(bytes + HEAD_BYTES, 0);
    value.copy_within(..bytes, HEAD_BYTES);
    value[..8].copy_from_slice(&commit.to_le_bytes());
    value[8..HEAD_BYTES].copy_from_slice(digest.as_bytes());
}

/// The commit that wrote a row, and its value, if they are what was written.
pub(super) fn open(
    table: Table,
    key: &[u8],
    mut bytes: Vec<u8>,
) -> Result<(u64, Vec<u8>), StoreError> {
    let Some((commit, rest)) = bytes.split_first_chunk::<8>() else {
        return Err(StoreError::damaged(table, key, "it is too short"));
    };
    let commit = u64::from_le_bytes(*commit);
    match rest.split_first_chunk::<{ Digest::BYTES }>() {
        //= harness/spec/database.md#ddb-1-encrypted-files-durable-store
        //# DDB-1.9 (ours): A node MUST compare whatever it reads from its store with the digest
        //# under which it is known, and report a difference instead of the value.
        Some((stored, value)) if digest(table, key, commit, value).as_bytes() == stored => {
            bytes.drain(..HEAD_BYTES);
            Ok((commit, bytes))
        }
        Some(_) => Err(StoreError::damaged(table, key, "its digest does not hold")),
        None => Err(StoreError::damaged(table, key, "it is too short")),
    }
}

fn digest(table: Table, key: &[u8], commit: u64, value: &[u8]) -> Digest {
    let length = u32::try_from(key.len()).expect("keys have at most 255 bytes").to_le_bytes();
    sha256_parts(&[&prefix(*b"MROW"), &[table as u8], &commit.to_le_bytes(), &length, key, value])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ddb_1_9_a_stored_row_verifies_as_it_was_written_and_in_its_place_only() {
        let (key, value) = (b"key", b"value");
        let mut stored = value.to_vec();
        seal(Table::Items, key, 7, &mut stored);
        assert_eq!(open(Table::Items, key, stored.clone()), Ok((7, value.to_vec())));
        for bit in 0..8 * stored.len() {
            let mut damaged = stored.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let error = open(Table::Items, key, damaged).unwrap_err();
            let expected = "row 6b6579 of Items is damaged: its digest does not hold";
            assert_eq!(error.to_string(), expected, "bit {bit}");
        }
        for length in 0..stored.len() {
            assert!(open(Table::Items, key, stored[..length].to_vec()).is_err());
        }
        assert!(open(Table::Owners, key, stored.clone()).is_err(), "it is a row of another table");
        assert!(open(Table::Items, b"kez", stored).is_err(), "it is the row of another key");
    }

    #[test]
    fn the_rows_of_a_commit_come_back_as_they_were_named() {
        let mut batch = Batch::new();
        batch.put(Table::Items, [1], [2]);
        batch.delete(Table::Accepted, [3, 4]);
        let changes = Changes::of(&batch).unwrap();
        assert_eq!(Changes::from_bytes(&changes.to_bytes()), Ok(changes.clone()));
        let effects: Vec<_> = changes.changes.iter().map(|change| change.effect).collect();
        assert_eq!(effects, [Effect::Removed, Effect::Written], "in the order of the tables");
        let row = CommitRow { previous: Some(6), changes: Some(changes) };
        assert_eq!(CommitRow::from_bytes(&[0], &row.to_bytes()), Ok(row));
        assert_eq!(Changes::of(&Batch::new()), None);
    }
}
