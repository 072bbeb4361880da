//! Tables, batches and pages.

use std::collections::BTreeMap;

use super::error::StoreError;
use crate::codec::wire_enum;
use crate::params::ROW_FILE_BYTES_MAX;

/// Bytes of a key, at most.
pub const KEY_BYTES_MAX: usize = 255;

/// Bytes of a value, at most: the largest sealed file that is kept as a row, with room for its
/// framing.
pub const VALUE_BYTES_MAX: usize = ROW_FILE_BYTES_MAX + 1_024 * 1_024;

wire_enum!(
    /// The tables of a node's store.
    Table {
        /// Record id -> envelope that this node has accepted and that is not booked yet.
        Accepted = 1,
        /// Record id -> where the booked record stands.
        Records = 2,
        /// Root -> Item.
        Items = 3,
        /// Height, hash -> block.
        Blocks = 4,
        /// Owner, record id -> where the booked record stands.
        Owners = 5,
        /// Digest -> sealed file.
        Objects = 6,
        /// Epoch -> anchor.
        Anchors = 7,
        /// Bookkeeping of [`super::Checked`]; nobody else writes it.
        Commits = 8,
        /// Last height -> final blocks with what proves them final.
        Decisions = 9,
        /// Hash of a block that may be asked for -> its height.
        Heights = 10,
        /// Height, hash -> block that this node voted for and that is not final.
        Kept = 11,
        /// Epoch -> certificate of its anchor.
        Certificates = 12,
        /// Epoch, index -> data block.
        DataBlocks = 13,
        /// Epoch -> committees of that epoch.
        Committees = 14,
    }
);

/// Changes that are made together. A later change of a row replaces an earlier one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    changes: BTreeMap<(Table, Vec<u8>), Option<Vec<u8>>>,
    bytes: usize,
}

impl Batch {
    /// A batch without changes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Writes a row.
    pub fn put(&mut self, table: Table, key: impl Into<Vec<u8>>, value: impl Into<Vec<u8>>) {
        self.change(table, key.into(), Some(value.into()));
    }

    /// Removes a row; one that is not there stays so.
    pub fn delete(&mut self, table: Table, key: impl Into<Vec<u8>>) {
        self.change(table, key.into(), None);
    }

    /// Adds all changes of a later batch.
    pub fn append(&mut self, later: Self) {
        if self.is_empty() {
            *self = later;
            return;
        }
        for ((table, key), value) in later.changes {
            self.change(table, key, value);
        }
    }

    /// Rows changed.
    #[must_use]
    pub fn len(&self) -> usize {
        self.changes.len()
    }

    /// Whether nothing is changed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Bytes of keys and values, an upper bound when rows were changed twice.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The changes in the order of tables and keys: `None` removes.
    pub fn iter(&self) -> impl Iterator<Item = (Table, &[u8], Option<&[u8]>)> {
        self.changes.iter().map(|((table, key), value)| (*table, &key[..], value.as_deref()))
    }

    /// Changes each value where it stands.
    pub(super) fn each_value(&mut self, mut change: impl FnMut(Table, &[u8], &mut Vec<u8>)) {
        for ((table, key), value) in &mut self.changes {
            if let Some(value) = value {
                let before = value.len();
                change(*table, key, value);
                self.bytes = self.bytes.saturating_sub(before).saturating_add(value.len());
            }
        }
    }

    /// Refuses keys and values that no store takes.
    pub fn check(&self) -> Result<(), StoreError> {
        for (table, key, value) in self.iter() {
            let of = |what, bytes, bytes_max| {
                Err(StoreError::TooLarge { what, table, bytes, bytes_max })
            };
            if key.len() > KEY_BYTES_MAX {
                return of("key", key.len(), KEY_BYTES_MAX);
            }
            match value.map(<[u8]>::len) {
                Some(bytes) if bytes > VALUE_BYTES_MAX => {
                    return of("value", bytes, VALUE_BYTES_MAX);
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn change(&mut self, table: Table, key: Vec<u8>, value: Option<Vec<u8>>) {
        self.bytes += key.len() + value.as_ref().map_or(0, Vec::len);
        self.changes.insert((table, key), value);
    }
}

/// Some rows of a scan.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Keys, whole, and values, ascending by key.
    pub rows: Vec<(Vec<u8>, Vec<u8>)>,
    /// The key of the first row that is not in this page; `None` when there are no more.
    pub next: Option<Vec<u8>>,
}
