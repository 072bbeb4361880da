//! What a node keeps on disk: an ordered map of rows, written in atomic batches. [DDB-1] [STO-2] [STO-7]
//!
//! ```text
//! Rows      ledger values <-> rows                          rows, history
//! Checked   every row against its digest, every commit
//!           against a witness; many threads, one fsync      checked/ (group, audit)
//! Store     get, scan, commit                               memory | lsm (manifest)
//! ```
//! A node uses [`Checked`] over [`Lsm`] and nothing below it: no embedded store reports all damage
//! by itself. Invariants of every [`Store`]: a commit is there as a whole or not at all; when
//! `commit` returns it survives the loss of power.

mod batch;
mod checked;
mod error;
mod history;
mod lsm;
mod manifest;
mod memory;
mod rows;

pub use batch::{Batch, KEY_BYTES_MAX, Page, Table, VALUE_BYTES_MAX};
pub use checked::{Checked, Fault, Loss, Opened, Salvaged, Ticket};
pub use error::StoreError;
pub use lsm::Lsm;
pub use memory::Memory;
pub use rows::{Found, Locator, Rows};

/// An ordered map of rows on disk or in memory.
pub trait Store: Send + Sync {
    /// The value of a row, `None` when there is none.
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError>;

    /// Writes a batch, all of it or nothing. Durable when it returns `Ok`; after an error the
    /// batch may or may not be found when the store is opened anew.
    fn commit(&self, batch: Batch) -> Result<(), StoreError>;

    /// At most `limit` rows of a table whose keys start with `prefix`, in the order of the keys,
    /// from the key `from` on. What follows is read with [`Page::next`] as the new `from`.
    fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        from: Option<&[u8]>,
        limit: usize,
    ) -> Result<Page, StoreError>;
}
