//! The store on disk: one LSM tree of LevelDB's family, through `fjall`.
//!
//! All tables share one tree, a row's key being `table | key`, so that one journal and one list of
//! tables hold a commit: it is lost as a whole or not at all, which is what the witness of
//! [`super::Checked`] relies on. Values above 16 KiB lie in files of their own, out of the way of
//! compaction.
//!
//! By itself this store is not to be trusted. When its journal is damaged it drops everything behind
//! the damaged place, opens, and says nothing; and on other damage it panics, which is turned into
//! an error here. Two panics at once end the process: known of damage that does not occur by itself.
//!
//! Cost: a commit is one write and one `fsync` of the journal.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::time::Duration;

use fjall::{
    AbstractTree, Database, Keyspace, KeyspaceCreateOptions, KvSeparationOptions, PersistMode,
};

use super::batch::{Batch, Page, Table};
use super::error::{StoreError, hex};
use super::{Store, manifest};

/// Bytes of rows held in memory before a table file is written.
const MEMORY_BYTES: u64 = 64 * 1_024 * 1_024;

/// Values from this size on lie in files of their own.
const SEPARATED_BYTES_MIN: u32 = 16 * 1_024;

/// Memtables that wait to be written to table files, and table files that wait to be merged, from
/// which on a commit waits. The engine has bounds of its own, 4 and 20, at which it waits for ever
/// when the thread that it waits for has died of a full disk; below them this store waits and looks.
const WAITING_MEMTABLES_MAX: usize = 2;
const WAITING_TABLES_MAX: usize = 16;

/// Time between two looks at the engine, which gives no event to wait for.
const LOOK: Duration = Duration::from_millis(1);

/// An LSM store in a directory.
pub struct Lsm {
    // Dropped in this order: the keyspace is a handle into the database.
    rows: Keyspace,
    database: Database,
}

impl Lsm {
    /// Opens or creates the store in a directory. One process at a time.
    ///
    /// # Errors
    /// When the directory is open elsewhere, or what lies in it cannot be read as a store.
    pub fn open(directory: impl AsRef<Path>) -> Result<Self, StoreError> {
        let directory = directory.as_ref();
        let what = || format!("open the store in {}", directory.display());
        manifest::check(directory)?;
        guarded(what, || {
            let database = Database::builder(directory).open()?;
            let rows = database.keyspace("rows", || {
                let separation = KvSeparationOptions::default();
                KeyspaceCreateOptions::default()
                    .max_memtable_size(MEMORY_BYTES)
                    .with_kv_separation(Some(separation.separation_threshold(SEPARATED_BYTES_MIN)))
            })?;
            Ok(Self { rows, database })
        })
    }

    /// Writes what is held in memory to table files, so that the next opening need not replay it.
    pub fn flush(&self) -> Result<(), StoreError> {
        let what = || "write tables".to_owned();
        guarded(what, || {
            self.rows.rotate_memtable()?;
            self.wait_while(|| self.rows.tree.sealed_memtable_count() > 0)
        })
    }

    /// Waits for the engine's threads, unless one of them has failed.
    fn wait_while(&self, is_busy: impl Fn() -> bool) -> Result<(), fjall::Error> {
        while is_busy() {
            // Fails when the engine takes no more writes; writes nothing otherwise.
            self.database.persist(PersistMode::Buffer)?;
            std::thread::park_timeout(LOOK);
        }
        Ok(())
    }
}

impl std::fmt::Debug for Lsm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Lsm({})", self.rows.path().display())
    }
}

impl Store for Lsm {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        let what = || format!("read row {} of {table:?}", hex(key));
        guarded(what, || Ok(self.rows.get(stored_key(table, key))?.map(|value| value.to_vec())))
    }

    fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        batch.check()?;
        guarded(
            || "commit".to_owned(),
            || {
                self.wait_while(|| {
                    self.rows.tree.sealed_memtable_count() >= WAITING_MEMTABLES_MAX
                        || self.rows.tree.l0_run_count() >= WAITING_TABLES_MAX
                })?;
                //= harness/spec/database.md#ddb-1-encrypted-files-durable-store
                //# DDB-1.2 (paper): The chain and its indexes MUST be kept in an ordered key-value
                //# store on disk from which a restarted node finds them again.
                //= harness/spec/database.md#ddb-1-encrypted-files-durable-store
                //# DDB-1.8 (ours): Every record acknowledged as accepted MUST be found after the
                //# process is killed at any moment and started again.
                let mut write = self.database.batch().durability(Some(PersistMode::SyncAll));
                let mut stored = Vec::new();
                for (table, key, value) in batch.iter() {
                    put_key(&mut stored, table, key);
                    match value {
                        Some(value) => write.insert(&self.rows, &stored[..], value),
                        None => write.remove(&self.rows, &stored[..]),
                    }
                }
                write.commit()
            },
        )
    }

    fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        from: Option<&[u8]>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        let start = stored_key(table, from.map_or(prefix, |from| from.max(prefix)));
        let prefix = stored_key(table, prefix);
        let what = || format!("scan {table:?} from {}", hex(&start[1..]));
        guarded(what, || {
            let mut page = Page::default();
            for row in self.rows.range(&start[..]..) {
                // The key decides first, so that the value of a row that is not asked for, and
                // that may lie in another file, is not read.
                if page.rows.len() == limit {
                    let key = row.key()?;
                    page.next = key.starts_with(&prefix).then(|| key[1..].to_vec());
                    break;
                }
                let (key, value) = row.into_inner_if(|key| key.starts_with(&prefix))?;
                let Some(value) = value else { break };
                page.rows.push((key[1..].to_vec(), value.to_vec()));
            }
            Ok(page)
        })
    }
}

/// `table | key`.
fn stored_key(table: Table, key: &[u8]) -> Vec<u8> {
    let mut stored = Vec::with_capacity(1 + key.len());
    put_key(&mut stored, table, key);
    stored
}

/// The same in a buffer that there is.
fn put_key(stored: &mut Vec<u8>, table: Table, key: &[u8]) {
    stored.clear();
    stored.push(table as u8);
    stored.extend_from_slice(key);
}

/// Runs the engine and turns its errors and its panics into errors of ours.
fn guarded<T>(
    what: impl Fn() -> String,
    run: impl FnOnce() -> Result<T, fjall::Error>,
) -> Result<T, StoreError> {
    let message = match catch_unwind(AssertUnwindSafe(run)) {
        Ok(Ok(value)) => return Ok(value),
        Ok(Err(fjall::Error::Io(error))) => error.to_string(),
        Ok(Err(fjall::Error::Poisoned)) => {
            "an earlier write of the engine failed; the disk may be full or failing".to_owned()
        }
        Ok(Err(error)) => error.to_string(),
        Err(panic) => {
            let words = panic
                .downcast_ref::<String>()
                .map(String::as_str)
                .or_else(|| panic.downcast_ref::<&str>().copied());
            format!("the engine gave up: {}", words.unwrap_or("without a word"))
        }
    };
    Err(StoreError::Engine { what: what(), message })
}
