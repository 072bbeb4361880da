//! Saving what can be read when a store or its witness can no longer be opened.
//!
//! - The store is beyond opening: move `rows/` away and open again. The witness then names every row
//!   there was as lost, and what is fetched from peers is written again.
//! - The witness is beyond opening: open a store in a new directory and let it take every row of the
//!   old one that verifies itself. What the old witness knew is lost with it: rows that are missing
//!   stay unknown, and rows of a lost removal come back.

use super::super::batch::{Batch, Table};
use super::super::{Store, StoreError};
use super::{Checked, row};

/// Rows that are taken over in one commit.
const PAGE_ROWS: usize = 256;

/// What was taken from another store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Salvaged {
    /// Rows taken.
    pub rows: u64,
    /// Rows that did not verify.
    pub damaged: Vec<(Table, Vec<u8>)>,
    /// Tables in which something could not be read at all, and what the store said. The rows behind
    /// that place were not taken.
    pub cut_short: Vec<(Table, StoreError)>,
}

impl<S: Store> Checked<S> {
    /// Takes over every row that verifies itself from the store below another `Checked`.
    ///
    /// # Errors
    /// Those of writing; what cannot be read is in the answer.
    pub fn salvage(&self, from: &impl Store) -> Result<Salvaged, StoreError> {
        let mut salvaged = Salvaged::default();
        for table in Table::ALL.iter().copied().filter(|table| *table != Table::Commits) {
            let mut start = Vec::new();
            loop {
                let page = match from.scan(table, &[], Some(&start), PAGE_ROWS) {
                    Ok(page) => page,
                    Err(error) => {
                        salvaged.cut_short.push((table, error));
                        break;
                    }
                };
                let mut batch = Batch::new();
                for (key, value) in page.rows {
                    match row::open(table, &key, value) {
                        Ok((_, value)) => batch.put(table, key, value),
                        Err(_) => salvaged.damaged.push((table, key)),
                    }
                }
                salvaged.rows += batch.len() as u64;
                self.commit(batch)?;
                let Some(next) = page.next else { break };
                start = next;
            }
        }
        Ok(salvaged)
    }
}
