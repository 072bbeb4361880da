//! A store in memory, for tests, light clients and demonstrations. Durable as long as it lives.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::Store;
use super::batch::{Batch, Page, Table};
use super::error::StoreError;

type Map = BTreeMap<(Table, Vec<u8>), Vec<u8>>;

/// Rows in memory.
#[derive(Debug, Default)]
pub struct Memory {
    rows: Mutex<Map>,
}

impl Memory {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn rows(&self) -> std::sync::MutexGuard<'_, Map> {
        // A thread that panicked held the lock between two whole insertions.
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for Memory {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.rows().get(&(table, key.to_vec())).cloned())
    }

    fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        batch.check()?;
        let mut rows = self.rows();
        for (table, key, value) in batch.iter() {
            let row = (table, key.to_vec());
            match value {
                Some(value) => rows.insert(row, value.to_vec()),
                None => rows.remove(&row),
            };
        }
        Ok(())
    }

    fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        from: Option<&[u8]>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        let start = from.map_or(prefix, |from| from.max(prefix));
        let mut page = Page::default();
        for ((of, key), value) in self.rows().range((table, start.to_vec())..) {
            if *of != table || !key.starts_with(prefix) {
                break;
            }
            if page.rows.len() == limit {
                page.next = Some(key.clone());
                break;
            }
            page.rows.push((key.clone(), value.clone()));
        }
        Ok(page)
    }
}
