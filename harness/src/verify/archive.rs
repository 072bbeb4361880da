//! What the network keeps on disk: the LSM store, each row checked, in a scratch directory.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use tempfile::TempDir;

use mdsm_core::crypto::sha256;
use mdsm_core::ledger::{Anchor, Block, Envelope, Item, Verified};
use mdsm_core::store::{Batch, Checked, Lsm, Rows, Store as _};
use mdsm_core::types::{Digest, OwnerId, RecordId};

use super::cases::text;

/// Rows that a look-up reads at once.
const PAGE: usize = 1_000;

/// The store of the run, deleted with it.
pub(super) struct Archive {
    rows: Rows<Checked<Lsm>>,
    directory: TempDir,
    /// Keeps copies of the directory from seeing a half-written commit.
    writing: Mutex<()>,
}

impl Archive {
    pub(super) fn open() -> Result<Self, String> {
        let directory = tempfile::tempdir().map_err(text)?;
        let rows = rows(directory.path())?;
        Ok(Self { rows, directory, writing: Mutex::new(()) })
    }

    /// Makes an envelope durable; it counts as accepted when this returns. [STO-2.7]
    pub(super) fn accept(&self, envelope: &Verified<Envelope>) -> Result<(), String> {
        let mut batch = Batch::new();
        Rows::<Checked<Lsm>>::put_accepted(&mut batch, envelope);
        self.rows.store().commit(batch).map_err(text)
    }

    /// Keeps a sealed file under its digest.
    pub(super) fn put_object(&self, sealed: &[u8]) -> Result<Digest, String> {
        let digest = sha256(sealed);
        self.rows.put_object(&digest, sealed).map_err(text)?;
        Ok(digest)
    }

    /// A sealed file by its digest.
    pub(super) fn object(&self, digest: &Digest) -> Result<Option<Vec<u8>>, String> {
        self.rows.object(digest).map_err(text)
    }

    /// Books a finalized block with its Items.
    pub(super) fn book(&self, block: &Block, items: &[Item]) -> Result<(), String> {
        let mut batch = Batch::new();
        Rows::<Checked<Lsm>>::put_finalized(&mut batch, block, items).map_err(text)?;
        self.rows.store().commit(batch).map_err(text)
    }

    /// Keeps the anchor of a window.
    pub(super) fn anchor(&self, anchor: &Anchor) -> Result<(), String> {
        let mut batch = Batch::new();
        Rows::<Checked<Lsm>>::put_anchor(&mut batch, anchor);
        self.rows.store().commit(batch).map_err(text)
    }

    /// All booked records of an owner.
    pub(super) fn records_of(&self, owner: &OwnerId) -> Result<Vec<RecordId>, String> {
        let (mut found, mut from) = (Vec::new(), None);
        loop {
            let (records, next) = self.rows.records_of(owner, from.as_ref(), PAGE).map_err(text)?;
            found.extend(records.into_iter().map(|(id, _)| id));
            match next {
                Some(_) => from = next,
                None => return Ok(found),
            }
        }
    }

    /// The rows.
    pub(super) fn rows(&self) -> &Rows<Checked<Lsm>> {
        &self.rows
    }

    /// A copy of the directory as a crash would leave it now: synced files, and no clean end.
    pub(super) fn crash_copy(&self) -> Result<TempDir, String> {
        let _writing = self.writing.lock().map_err(text)?;
        let copy = tempfile::tempdir().map_err(text)?;
        copy_directory(self.directory.path(), copy.path()).map_err(text)?;
        Ok(copy)
    }
}

/// Opens a store and demands that nothing is missing.
pub(super) fn rows(directory: &Path) -> Result<Rows<Checked<Lsm>>, String> {
    let (store, opened) = Checked::open_directory(directory).map_err(text)?;
    if opened.lost.is_empty() {
        Ok(Rows::new(store))
    } else {
        Err(format!("{} rows are lost", opened.lost.len()))
    }
}

fn copy_directory(from: &Path, to: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(from)? {
        let (source, target) = (entry?.path(), to.to_owned());
        let target: PathBuf = target.join(source.file_name().unwrap_or_default());
        if source.is_dir() {
            std::fs::create_dir(&target)?;
            copy_directory(&source, &target)?;
        } else {
            std::fs::copy(&source, &target)?;
        }
    }
    Ok(())
}
