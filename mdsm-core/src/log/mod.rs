//! An append-only file whose entries are numbered, chained and verify themselves. [DDB-1]
//!
//! ```text
//! file   "MLOG" | version 1 | entry 0 | entry 1 | ...
//! entry  "MENT" | length u32 | sequence u64 | previous [32] | payload | digest [32]
//!         4        4           8              32              length    SHA-256 of all before it in the entry
//! ```
//! Integers are little endian; `length` counts the payload alone; `previous` is the digest of the
//! entry before, and of entry 0 the SHA-256 of the five bytes that start the file.
//!
//! Invariants:
//! - an append that returned a number is on the disk, and every later [`Log::open`] yields it or
//!   says that it is gone;
//! - a *torn* tail, behind which no entry with that number or a higher one verifies, is what a
//!   crash in the middle of an append leaves: it is cut off and reported;
//! - *damage*, behind which such an entry does verify, is an error with file, offset and the
//!   numbers that are gone. The file is left as it was found.
//!
//! What a file cannot tell about itself is that its end was cut exactly between two entries; whoever
//! keeps a log compares its length with something outside (the store does: `store::Checked`).
//! Whoever writes payloads may plant something that looks like a later entry; then a torn tail is
//! taken for damage, never damage for a torn tail.
//!
//! Cost: an append is one write, one `fdatasync` and one hash; opening reads and hashes the file
//! once, holding one entry at a time.

mod entry;
mod error;
mod read;

use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::types::Digest;

pub use entry::ENTRY_OVERHEAD_BYTES;
use entry::{HEADER, encode};
pub use error::LogError;

/// Payload bytes of one entry, at most: 64 MiB. (ours: a bound for readers; see `store::Checked`)
pub const ENTRY_PAYLOAD_BYTES_MAX: usize = 64 * 1_024 * 1_024;

/// A log that is open for appending; one process at a time.
#[derive(Debug)]
pub struct Log {
    path: PathBuf,
    file: File,
    next: u64,
    tip: Digest,
    end: u64,
    /// Why appending ended for good.
    poisoned: Option<String>,
}

/// What opening a log found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Entries in the log.
    pub entries: u64,
    /// The tail that was cut off, if there was one.
    pub torn: Option<Torn>,
}

/// A tail that an interrupted append left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Torn {
    /// Offset in the file at which it started.
    pub offset: u64,
    /// Bytes cut off.
    pub bytes: u64,
    /// The number that its entry would have had.
    pub sequence: u64,
    /// Whether the file ends before the entry does, by the entry's own length. Then its append never
    /// returned. Otherwise it may have, and what was lost may have been acted upon: whoever must not
    /// forget treats it as damage.
    pub is_cut_short: bool,
}

impl Log {
    /// Opens or creates the log at `path` and hands every entry, in order, to `visit`.
    ///
    /// # Errors
    /// [`LogError::Damaged`] when an entry before the last is unreadable, [`LogError::Locked`] when
    /// somebody else has the log open, [`LogError::Header`] when the file is not a log.
    pub fn open(
        path: impl AsRef<Path>,
        visit: impl FnMut(u64, &[u8]),
    ) -> Result<(Self, Opened), LogError> {
        Self::open_with(path.as_ref(), visit, false)
    }

    /// The same for a log whose entries must not be forgotten: a torn tail that is whole in length is
    /// [`LogError::Damaged`], and the file is left as it was found.
    pub fn open_strictly(
        path: impl AsRef<Path>,
        visit: impl FnMut(u64, &[u8]),
    ) -> Result<(Self, Opened), LogError> {
        Self::open_with(path.as_ref(), visit, true)
    }

    /// Reads a log that nobody has open and leaves it as it is, a torn tail included.
    ///
    /// # Errors
    /// As when it is opened.
    pub fn check(
        path: impl AsRef<Path>,
        mut visit: impl FnMut(u64, &[u8]),
    ) -> Result<Opened, LogError> {
        let path = path.as_ref();
        let file = File::open(path).map_err(LogError::io(path, "open"))?;
        lock(path, &file)?;
        let walk = read::walk(path, &file, u64::MAX, |sequence, payload| {
            visit(sequence, payload);
            Ok::<(), LogError>(())
        })?;
        Ok(Opened { entries: walk.entries, torn: walk.torn })
    }

    fn open_with(
        path: &Path,
        mut visit: impl FnMut(u64, &[u8]),
        is_strict: bool,
    ) -> Result<(Self, Opened), LogError> {
        let path = path.to_path_buf();
        let io = |what| LogError::io(&path, what);
        let is_new = !path.try_exists().map_err(io("look for"))?;
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(io("open"))?;
        lock(&path, &file)?;
        let walk = read::walk(&path, &file, u64::MAX, |sequence, payload| {
            visit(sequence, payload);
            Ok::<(), LogError>(())
        })?;
        if let Some(torn) = walk.torn.as_ref().filter(|torn| is_strict && !torn.is_cut_short) {
            let (offset, unreadable) = (torn.offset, vec![torn.sequence..=torn.sequence]);
            return Err(LogError::Damaged { file: path, offset, unreadable });
        }
        if walk.end < HEADER.len() as u64 {
            file.set_len(0).map_err(io("truncate"))?;
            file.rewind().map_err(io("seek in"))?;
            file.write_all(&HEADER).map_err(io("write the header of"))?;
        } else if walk.torn.is_some() {
            file.set_len(walk.end).map_err(io("cut the torn tail of"))?;
        }
        file.sync_all().map_err(io("sync"))?;
        if is_new {
            sync_directory(&path)?;
        }
        let end = walk.end.max(HEADER.len() as u64);
        file.seek(SeekFrom::Start(end)).map_err(io("seek in"))?;
        let opened = Opened { entries: walk.entries, torn: walk.torn };
        let log = Self { path, file, next: walk.entries, tip: walk.tip, end, poisoned: None };
        Ok((log, opened))
    }

    /// Appends an entry and returns its number once it is on the disk.
    ///
    /// # Errors
    /// When the write fails (a full disk, say) nothing was appended: what was written of it is cut
    /// off again and the log stays usable. When that does not succeed either, or when the sync
    /// fails, nobody knows what is on the disk: the log refuses everything until it is opened anew.
    pub fn append(&mut self, payload: &[u8]) -> Result<u64, LogError> {
        if let Some(why) = &self.poisoned {
            return Err(LogError::Poisoned { file: self.path.clone(), why: why.clone() });
        }
        let too_large =
            LogError::TooLarge { bytes: payload.len(), bytes_max: ENTRY_PAYLOAD_BYTES_MAX };
        let (bytes, digest) = encode(self.next, &self.tip, payload).ok_or(too_large)?;
        if let Err(error) = self.file.write_all(&bytes) {
            let cut = self.file.set_len(self.end);
            if let Err(cut) =
                cut.and_then(|()| self.file.seek(SeekFrom::Start(self.end))).map(|_| ())
            {
                self.poisoned = Some(format!("{error}, and then could not be cut: {cut}"));
            }
            return Err(LogError::io(&self.path, "append to")(error));
        }
        if let Err(error) = self.file.sync_data() {
            self.poisoned = Some(format!("sync failed: {error}"));
            return Err(LogError::io(&self.path, "sync")(error));
        }
        let sequence = self.next;
        self.next += 1;
        self.end += bytes.len() as u64;
        self.tip = digest;
        Ok(sequence)
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Entries in the log; the number of the next one.
    #[must_use]
    pub fn entries(&self) -> u64 {
        self.next
    }

    /// Digest of the last entry; of the file's header when there is none.
    #[must_use]
    pub fn tip(&self) -> &Digest {
        &self.tip
    }

    /// A reader of what is in the log by now; appends may go on meanwhile.
    #[must_use]
    pub fn reader(&self) -> Reader {
        Reader { path: self.path.clone(), entries: self.next }
    }
}

/// Reads the first entries of a log.
#[derive(Clone, Debug)]
pub struct Reader {
    path: PathBuf,
    entries: u64,
}

impl Reader {
    /// Hands every entry, in order, to `visit`, one at a time, until it returns an error.
    ///
    /// # Errors
    /// Those of `visit`, and [`LogError`] when the file can no longer be read as it could before.
    pub fn each<E: From<LogError>>(
        &self,
        visit: impl FnMut(u64, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let file = File::open(&self.path).map_err(LogError::io(&self.path, "open"))?;
        let walk = read::walk(&self.path, &file, self.entries, visit)?;
        if walk.entries < self.entries {
            let (offset, first) = (walk.end, walk.entries);
            let unreadable = vec![first..=self.entries - 1];
            return Err(LogError::Damaged { file: self.path.clone(), offset, unreadable }.into());
        }
        Ok(())
    }
}

fn lock(path: &Path, file: &File) -> Result<(), LogError> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(std::fs::TryLockError::WouldBlock) => {
            Err(LogError::Locked { file: path.to_path_buf() })
        }
        Err(std::fs::TryLockError::Error(error)) => Err(LogError::io(path, "lock")(error)),
    }
}

/// Makes the name of a new file durable; without it a crash may take the whole file away.
pub(crate) fn sync_directory(file: &Path) -> Result<(), LogError> {
    let directory = match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    File::open(directory)
        .and_then(|directory| directory.sync_all())
        .map_err(LogError::io(directory, "sync"))
}

#[cfg(test)]
mod tests;
