//! A store that reports what is lost: every row against its digest, every commit against a witness.
//! [DDB-1] [STO-2]
//!
//! A commit is one atomic, durable batch in the store below, which also numbers it, and then one
//! entry in the witness, a log of its own (`witness.log`), that names the rows it changed; it is
//! acknowledged after both. So when the two are compared at opening,
//! - a commit that only the witness has was acknowledged and is lost: its rows are named, and
//!   reading one of them is an error until it is written again;
//! - a commit that only the store has was never acknowledged: the witness gets its entry (*healed*);
//! - commits that the engine replayed in another order than they were made in show by their rows
//!   (drawn in `row`), and so does every older value that came back.
//!
//! A single damaged value shows when it is read. [`Checked::check`] reads everything. What to do when
//! a store does not open at all: `salvage`.
//!
//! What this cannot see: that the ends of the store and of the witness were both cut at the same
//! commit, as by a disk that lies about syncing. The chain's tip, known to peers, tells.
//!
//! Cost: a commit is two syncs, shared by all threads that wait at the time; opening reads the
//! witness (some 80 bytes a commit and 40 a row) and a small row for each commit; reading adds one
//! hash of the value.

mod audit;
mod group;
mod row;
mod salvage;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};

use super::batch::{Batch, Page, Table};
use super::error::StoreError;
use super::{Lsm, Store};
use crate::codec::Wire;
use crate::log::{ENTRY_PAYLOAD_BYTES_MAX, Log, Torn};

pub use audit::{Fault, Loss};
use audit::{Losses, Rows, audit, commits};
use group::Group;
pub use group::Ticket;
use row::{CHANGES_MAX, Changes, CommitRow};
pub use salvage::Salvaged;

/// A store below, and the log that bears witness to its commits.
#[derive(Debug)]
pub struct Checked<S> {
    store: S,
    group: Group,
    writer: Mutex<Writer>,
    lost: RwLock<Losses>,
}

/// What the one thread that writes needs.
#[derive(Debug)]
struct Writer {
    witness: Log,
    /// The last commit in the store, and the one before it.
    tip: Option<(u64, Option<u64>)>,
    poisoned: Option<StoreError>,
}

/// What opening a store found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opened {
    /// Commits that were acknowledged, and the healed one.
    pub commits: u64,
    /// Rows that were acknowledged and are not what they should be. Reading them is an error.
    pub lost: Vec<Loss>,
    /// Commits whose own row is missing or out of order; `lost` has those of their rows that were
    /// not written again since.
    pub suspicious: Vec<u64>,
    /// A tail that a crash left in the witness; it was cut off.
    pub torn: Option<Torn>,
    /// A commit that was not acknowledged, but is in the store: it counts from now on.
    pub healed: Option<u64>,
}

impl Checked<Lsm> {
    /// Opens or creates the store of a node in a directory: `rows/` and `witness.log`.
    pub fn open_directory(directory: impl AsRef<Path>) -> Result<(Self, Opened), StoreError> {
        let directory = directory.as_ref();
        let failed = |error: std::io::Error| StoreError::Engine {
            what: format!("make {}", directory.display()),
            message: error.to_string(),
        };
        fs::create_dir_all(directory).map_err(failed)?;
        crate::log::sync_directory(directory)?;
        Self::open(|| Lsm::open(directory.join("rows")), directory.join("witness.log"))
    }
}

impl<S: Store> Checked<S> {
    /// Opens the witness, then the store, and compares them.
    ///
    /// The witness comes first, because an engine may cut off what it cannot read when it opens: not
    /// before it is known what ought to be there.
    ///
    /// # Errors
    /// When either cannot be opened, and [`StoreError::WitnessShort`] when the witness lacks more
    /// than the one commit that may have been under way.
    pub fn open(
        store: impl FnOnce() -> Result<S, StoreError>,
        witness: impl AsRef<Path>,
    ) -> Result<(Self, Opened), StoreError> {
        let (mut witness, log) = Log::open(witness, |_, _| {})?;
        let store = store()?;
        let mut found = commits(&store, log.entries);
        let mut opened = Opened { torn: log.torn, ..Opened::default() };
        if let Some((tip, row)) = &found.tip
            && *tip >= log.entries
        {
            let short = StoreError::WitnessShort { witnessed: log.entries, store_tip: *tip };
            let Some(changes) = row.changes.as_ref().filter(|_| *tip == log.entries) else {
                return Err(short);
            };
            witness.append(&changes.to_bytes())?;
            opened.healed = Some(*tip);
        }
        opened.commits = witness.entries();
        let lost = if found.suspicious.is_empty() {
            Losses::new()
        } else {
            audit(&store, &witness.reader(), Rows::Of(&found.suspicious))?
        };
        //= harness/spec/database.md#ddb-1-encrypted-files-durable-store
        //# DDB-1.10 (ours): A node that opens a damaged or shortened store MUST report which
        //# heights and which records are lost.
        opened.lost = lost.values().cloned().collect();
        opened.suspicious = found.suspicious.into_iter().collect();
        let tip = found.tip.take().map(|(tip, row)| (tip, row.previous));
        let writer = Mutex::new(Writer { witness, tip, poisoned: None });
        let lost = RwLock::new(lost);
        Ok((Self { store, group: Group::default(), writer, lost }, opened))
    }

    /// Queues a batch. It is written when somebody waits for it, or for one that was queued later.
    pub fn submit(&self, batch: Batch) -> Result<Ticket, StoreError> {
        batch.check()?;
        if let Some((table, ..)) = batch.iter().find(|(table, ..)| *table == Table::Commits) {
            return Err(StoreError::Reserved { table });
        }
        let (rows, rows_max, key_bytes_max) = (batch.len(), CHANGES_MAX, ENTRY_PAYLOAD_BYTES_MAX);
        let key_bytes = batch.iter().map(|(_, key, _)| key.len()).sum();
        if rows > rows_max || key_bytes + 6 * rows + 16 > key_bytes_max {
            return Err(StoreError::BatchTooLarge { rows, rows_max, key_bytes, key_bytes_max });
        }
        Ok(self.group.submit(batch))
    }

    /// Returns when a batch is durable. One commit and two syncs serve all that were queued.
    ///
    /// # Errors
    /// After a failed commit everything waiting and everything later fails, until the store is
    /// opened anew: only then is it known what reached the disk.
    pub fn wait(&self, ticket: &Ticket) -> Result<(), StoreError> {
        self.group.wait(ticket, |batch| self.write(batch))
    }

    /// Reads every row that was ever acknowledged and names those that are not what they should be.
    ///
    /// Commits go on meanwhile. Cost: the witness, and a look-up for each change in it.
    pub fn check(&self) -> Result<Vec<Loss>, StoreError> {
        let witness = self.writer().witness.reader();
        let doubtful = audit(&self.store, &witness, Rows::All)?;
        if doubtful.is_empty() {
            return Ok(Vec::new());
        }
        // A row that a commit removed behind the reader's back looks missing; look again in peace.
        let writer = self.writer();
        let lost = audit(&self.store, &writer.witness.reader(), Rows::Named(&doubtful))?;
        let found = lost.values().cloned().collect();
        self.lost.write().unwrap_or_else(PoisonError::into_inner).extend(lost);
        Ok(found)
    }

    /// Commits that were acknowledged.
    #[must_use]
    pub fn commits(&self) -> u64 {
        self.writer().witness.entries()
    }

    /// The store below. What is read there is not checked.
    #[must_use]
    pub fn store(&self) -> &S {
        &self.store
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        // After a panic in the middle of a commit the group refuses all that follow.
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes one commit: the store, then the witness.
    fn write(&self, batch: Batch) -> Result<(), StoreError> {
        let Some(changes) = Changes::of(&batch) else { return Ok(()) };
        let mut writer = self.writer();
        if let Some(error) = &writer.poisoned {
            return Err(error.clone());
        }
        let done = self.write_both(&mut writer, batch, changes);
        if let Err(error) = &done {
            writer.poisoned = Some(StoreError::Poisoned { why: error.to_string() });
        }
        done
    }

    fn write_both(
        &self,
        writer: &mut Writer,
        mut batch: Batch,
        changes: Changes,
    ) -> Result<(), StoreError> {
        let number = writer.witness.entries();
        let found = self.lost_among(&batch);
        batch.each_value(|table, key, value| row::seal(table, key, number, value));
        let entry = changes.to_bytes();
        let previous = writer.tip.map(|(tip, _)| tip);
        let mut put = |commit: u64, row: &CommitRow| {
            let (table, key, mut value) = (Table::Commits, commit.to_be_bytes(), row.to_bytes());
            row::seal(table, &key, number, &mut value);
            batch.put(table, key, value);
        };
        put(number, &CommitRow { previous, changes: Some(changes) });
        if let Some((tip, previous)) = writer.tip {
            put(tip, &CommitRow { previous, changes: None });
        }
        self.store.commit(batch)?;
        //= harness/spec/database.md#ddb-1-encrypted-files-durable-store
        //# DDB-1.8 (ours): Every record acknowledged as accepted MUST be found after the process is
        //# killed at any moment and started again.
        writer.witness.append(&entry)?;
        writer.tip = Some((number, previous));
        // Rows that were lost and are written or removed now are lost no more.
        if !found.is_empty() {
            let mut lost = self.lost.write().unwrap_or_else(PoisonError::into_inner);
            lost.retain(|row, _| !found.contains(row));
        }
        Ok(())
    }

    /// Rows of a batch that are lost.
    fn lost_among(&self, batch: &Batch) -> BTreeSet<(Table, Vec<u8>)> {
        let lost = self.lost.read().unwrap_or_else(PoisonError::into_inner);
        if lost.is_empty() {
            return BTreeSet::new();
        }
        let rows = batch.iter().map(|(table, key, _)| (table, key.to_vec()));
        rows.filter(|row| lost.contains_key(row)).collect()
    }

    /// The error of the first lost row in a range of keys that start with `prefix`.
    fn lost_between(
        &self,
        table: Table,
        prefix: &[u8],
        from: &[u8],
        before: Option<&[u8]>,
    ) -> Result<(), StoreError> {
        let lost = self.lost.read().unwrap_or_else(PoisonError::into_inner);
        let first = lost.range((table, from.to_vec())..).next().map(|(_, loss)| loss);
        match first {
            Some(loss)
                if loss.table == table
                    && loss.key.starts_with(prefix)
                    && before.is_none_or(|before| loss.key[..] < *before) =>
            {
                Err(loss.error())
            }
            _ => Ok(()),
        }
    }
}

impl<S: Store> Store for Checked<S> {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        if table == Table::Commits {
            return Err(StoreError::Reserved { table });
        }
        if let Some(loss) =
            self.lost.read().unwrap_or_else(PoisonError::into_inner).get(&(table, key.to_vec()))
        {
            return Err(loss.error());
        }
        let Some(bytes) = self.store.get(table, key)? else { return Ok(None) };
        row::open(table, key, bytes).map(|(_, value)| Some(value))
    }

    fn commit(&self, batch: Batch) -> Result<(), StoreError> {
        let ticket = self.submit(batch)?;
        self.wait(&ticket)
    }

    fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        from: Option<&[u8]>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        if table == Table::Commits {
            return Err(StoreError::Reserved { table });
        }
        let mut page = self.store.scan(table, prefix, from, limit)?;
        let start = from.map_or(prefix, |from| from.max(prefix));
        self.lost_between(table, prefix, start, page.next.as_deref())?;
        for (key, value) in &mut page.rows {
            *value = row::open(table, key, std::mem::take(value))?.1;
        }
        Ok(page)
    }
}
