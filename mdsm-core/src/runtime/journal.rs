//! The log of consensus on a disk: entries of [`crate::log`], each with one thing to remember or several
//! that were stored together. [CON-7]
//!
//! A log is made once, together with the key that signs; later it is only opened. A log that is missing
//! or damaged, or whose last entry is whole in length and does not verify, is put aside under another
//! name and begun anew with the reading of the clock: what it held may have been acted upon, so the node
//! stays silent for a while ([`Kept::Lost`]). A last entry that is cut short was never acted upon.
//!
//! What no file can tell about itself is that its end was cut exactly between two entries, or that an
//! older copy was put in its place. One that lacks the epoch in which the store has blocks is found out by the node
//! when it comes back; one of the same epoch is not, and such a node is a faulty one (spec: consensus, "Fault model").
//! Cost: what is stored together is one write and one `fdatasync`.

use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::codec::{Decode, DecodeError, Reader, Wire};
use crate::consensus::JournalEntry;
use crate::log::{Log, LogError};
use crate::types::Timestamp;

/// Bytes after which what a new log begins with goes on in another entry of the file, which takes but 64 MiB.
const PART_BYTES: usize = 1_024 * 1_024;

/// An open log.
#[derive(Debug)]
//= harness/spec/consensus.md#con-7-safety-life-and-evidence
//# CON-7.18 (ours): A node MUST keep the certificates that justify its votes until two epochs after
//# the epoch of the vote have ended.
pub struct Journal {
    log: Log,
}

/// What a log holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kept {
    /// Everything that was acted upon.
    Whole(Vec<JournalEntry>),
    /// Nobody knows what; the reason. The log begins anew, and holds that it does.
    Lost(String),
}

/// A log that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum JournalError {
    /// The file.
    #[error(transparent)]
    Log(#[from] LogError),
    /// An entry that verifies is none of consensus: the file is another log, or of another version.
    #[error("{}: entry {sequence}: {error}", file.display())]
    Entry {
        /// The file.
        file: PathBuf,
        /// Number of the entry.
        sequence: u64,
        /// Why.
        error: DecodeError,
    },
    /// A new log where there is one.
    #[error("{}: exists; a log is made once, with the key that signs", file.display())]
    Exists {
        /// The file.
        file: PathBuf,
    },
    /// The operating system refused.
    #[error("could not move {}: {message}", file.display())]
    Aside {
        /// The file.
        file: PathBuf,
        /// In the system's words.
        message: String,
    },
}

impl Journal {
    /// Makes the log of a key that never signed.
    pub fn create(path: impl AsRef<Path>) -> Result<Self, JournalError> {
        let path = path.as_ref();
        if path.exists() {
            return Err(JournalError::Exists { file: path.to_path_buf() });
        }
        let (log, _) = Log::open(path, |_, _| {})?;
        Ok(Self { log })
    }

    /// Opens the log of a key that has signed before; `now` is the reading of the node's clock.
    pub fn open(path: impl AsRef<Path>, now: Timestamp) -> Result<(Self, Kept), JournalError> {
        let path = path.as_ref();
        if !path.exists() {
            return Self::begin_anew(path, now, "it is missing".to_owned());
        }
        let (mut entries, mut wrong) = (Vec::new(), None);
        let visit = |sequence, payload: &[u8]| match read_all(payload) {
            Ok(mut stored) => entries.append(&mut stored),
            Err(error) => {
                let file = path.to_path_buf();
                wrong.get_or_insert(JournalError::Entry { file, sequence, error });
            }
        };
        // Strictly: were a damaged last entry cut off here, a crash before the log is put aside would leave
        // one that looks whole.
        let log = match Log::open_strictly(path, visit) {
            Ok((log, _)) => log,
            Err(error @ (LogError::Damaged { .. } | LogError::Header { .. })) => {
                return Self::begin_anew(path, now, error.to_string());
            }
            Err(error) => return Err(error.into()),
        };
        // Not even a header may have been there: the crash came before the first entry.
        wrong.map_or_else(|| Ok((Self { log }, Kept::Whole(entries))), Err)
    }

    /// Reads a log that no node has open and leaves it as it is; the number of things it holds.
    pub fn check(path: impl AsRef<Path>) -> Result<u64, JournalError> {
        let path = path.as_ref();
        let (mut held, mut wrong) = (0, None);
        let opened = Log::check(path, |sequence, payload| match read_all(payload) {
            Ok(entries) => held += entries.len() as u64,
            Err(error) => {
                let file = path.to_path_buf();
                wrong.get_or_insert(JournalError::Entry { file, sequence, error });
            }
        })?;
        if let Some(torn) = opened.torn.filter(|torn| !torn.is_cut_short) {
            let (file, offset) = (path.to_path_buf(), torn.offset);
            let unreadable = vec![torn.sequence..=torn.sequence];
            return Err(LogError::Damaged { file, offset, unreadable }.into());
        }
        wrong.map_or(Ok(held), Err)
    }

    /// Puts what is there aside, and starts a log that says so. It is made under another name and put in place
    /// when it does: an empty log there would look like that of a key that never signed.
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //# CON-7.13 (ours): A log that begins anew after a loss MUST hold as its first entry the reading of
    //# the clock at which the loss was found.
    fn begin_anew(path: &Path, now: Timestamp, why: String) -> Result<(Self, Kept), JournalError> {
        if path.exists() {
            let aside = path.with_extension(format!("lost-{now}"));
            std::fs::rename(path, &aside).map_err(aside_error(path))?;
        }
        Ok((put_in_place(path, &[JournalEntry::Lost(now)])?, Kept::Lost(why)))
    }

    /// Stores an entry and returns once it is on the disk.
    pub fn append(&mut self, entry: &JournalEntry) -> Result<(), JournalError> {
        self.append_all(std::slice::from_ref(entry))
    }

    /// Stores entries and returns once they are on the disk. They stand in one entry of the file, so that a
    /// crash leaves all of them or none.
    pub fn append_all(&mut self, entries: &[JournalEntry]) -> Result<(), JournalError> {
        if !entries.is_empty() {
            let bytes: Vec<u8> = entries.iter().flat_map(Wire::to_bytes).collect();
            self.log.append(&bytes)?;
        }
        Ok(())
    }

    /// Begins a shorter log with these entries in the place of this one: whoever leaves one out knows that it
    /// decides nothing any more.
    pub fn begin_with(&mut self, entries: &[JournalEntry]) -> Result<(), JournalError> {
        let path = self.log.path().to_path_buf();
        self.log = put_in_place(&path, entries)?.log;
        Ok(())
    }
}

/// Makes a log under another name and moves it to its place when it says what it has to, in as many entries of the
/// file as that takes: to move it is the barrier.
fn put_in_place(path: &Path, entries: &[JournalEntry]) -> Result<Journal, JournalError> {
    let begun = path.with_extension("begun");
    if begun.exists() {
        std::fs::remove_file(&begun).map_err(aside_error(&begun))?;
    }
    let (mut log, _) = Log::open(&begun, |_, _| {})?;
    let mut part = Vec::new();
    for entry in entries {
        part.extend(entry.to_bytes());
        if part.len() >= PART_BYTES {
            log.append(&std::mem::take(&mut part))?;
        }
    }
    if !part.is_empty() {
        log.append(&part)?;
    }
    drop(log);
    std::fs::rename(&begun, path).map_err(aside_error(&begun))?;
    crate::log::sync_directory(path)?;
    let (log, _) = Log::open_strictly(path, |_, _| {})?;
    Ok(Journal { log })
}

/// What one entry of the file holds.
fn read_all(payload: &[u8]) -> Result<Vec<JournalEntry>, DecodeError> {
    let mut reader = Reader::new(payload);
    let mut entries = Vec::new();
    let mut read = || {
        while reader.left() > 0 || entries.is_empty() {
            reader.expect_prefix(JournalEntry::TAG)?;
            entries.push(JournalEntry::decode(&mut reader)?);
        }
        Ok(())
    };
    read().map_err(|error: DecodeError| error.inside(JournalEntry::NAME))?;
    Ok(entries)
}

fn aside_error(file: &Path) -> impl Fn(std::io::Error) -> JournalError {
    let file = file.to_path_buf();
    move |error| JournalError::Aside { file: file.clone(), message: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::consensus::EpochStart;
    use crate::ledger::{Subject, Vote};
    use crate::types::{Digest, Epoch, View};

    const NOW: Timestamp = Timestamp::new(77_000);

    fn entries() -> Vec<JournalEntry> {
        let vote = |view, subject| Vote { epoch: Epoch::new(3), view: View::new(view), subject };
        let hash = Digest::new([8; 32]);
        vec![
            JournalEntry::Epoch(EpochStart { epoch: Epoch::new(3), genesis: hash }),
            JournalEntry::Voted(vote(1, Subject::Notarize(hash))),
            JournalEntry::Voted(vote(1, Subject::Finalize(hash))),
            JournalEntry::Voted(vote(2, Subject::Nullify)),
        ]
    }

    fn written(directory: &tempfile::TempDir) -> (PathBuf, Vec<u8>, usize) {
        let path = directory.path().join("consensus.log");
        let mut journal = Journal::create(&path).unwrap();
        let mut last = 0;
        for entry in entries() {
            last = usize::try_from(std::fs::metadata(&path).unwrap().len()).unwrap();
            journal.append(&entry).unwrap();
        }
        let bytes = std::fs::read(&path).unwrap();
        (path, bytes, last)
    }

    #[test]
    fn con_7_4_what_was_stored_is_there_and_a_second_log_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let (path, _, _) = written(&directory);
        assert!(matches!(Journal::create(&path), Err(JournalError::Exists { .. })));
        let (_, kept) = Journal::open(&path, NOW).unwrap();
        assert_eq!(kept, Kept::Whole(entries()));
    }

    #[test]
    fn con_7_5_a_log_cut_in_its_last_entry_is_whole_and_nothing_else_is() {
        let directory = tempfile::tempdir().unwrap();
        let (path, bytes, last) = written(&directory);
        for cut in last..bytes.len() {
            std::fs::write(&path, &bytes[..cut]).unwrap();
            let (_, kept) = Journal::open(&path, NOW).unwrap();
            assert_eq!(kept, Kept::Whole(entries()[..3].to_vec()), "cut at {cut}");
        }
    }

    #[test]
    fn con_7_13_a_log_damaged_at_any_byte_begins_anew_and_says_so_ever_after() {
        //= harness/spec/consensus.md#con-7-safety-life-and-evidence
        //= type=test
        //# CON-7.13 (ours): A log that begins anew after a loss MUST hold as its first entry the reading
        //# of the clock at which the loss was found.
        let directory = tempfile::tempdir().unwrap();
        let (path, bytes, _) = written(&directory);
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x40;
            std::fs::write(&path, &damaged).unwrap();
            let (journal, kept) = Journal::open(&path, NOW).unwrap();
            drop(journal);
            assert!(matches!(kept, Kept::Lost(_)), "byte {at}: {kept:?}");
            let (_, again) = Journal::open(&path, NOW).unwrap();
            assert_eq!(again, Kept::Whole(vec![JournalEntry::Lost(NOW)]), "byte {at}");
        }
    }

    #[test]
    fn con_7_5_a_missing_log_is_a_lost_one() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("consensus.log");
        let (_, kept) = Journal::open(&path, NOW).unwrap();
        assert_eq!(kept, Kept::Lost("it is missing".to_owned()));
    }

    #[test]
    fn con_7_18_a_shorter_log_that_is_large_begins_in_several_entries_of_its_file() {
        let directory = tempfile::tempdir().unwrap();
        let (path, _, _) = written(&directory);
        let many: Vec<JournalEntry> = entries().into_iter().cycle().take(30_000).collect();
        let (mut journal, _) = Journal::open(&path, NOW).unwrap();
        journal.begin_with(&many).unwrap();
        let bytes: usize = many.iter().map(|entry| entry.to_bytes().len()).sum();
        assert!(bytes > PART_BYTES);
        assert_eq!(journal.log.entries(), bytes.div_ceil(PART_BYTES) as u64);
        drop(journal);
        assert_eq!(Journal::open(&path, NOW).unwrap().1, Kept::Whole(many));
    }

    #[test]
    fn another_log_is_not_taken_for_one_of_consensus() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("consensus.log");
        Log::open(&path, |_, _| {}).unwrap().0.append(b"something else").unwrap();
        let refused = Journal::open(&path, NOW);
        assert!(matches!(refused, Err(JournalError::Entry { sequence: 0, .. })), "{refused:?}");
    }

    #[test]
    fn con_7_5_a_loss_that_could_not_be_put_aside_is_a_loss_the_next_time_too() {
        let directory = tempfile::tempdir().unwrap();
        let (path, mut bytes, _) = written(&directory);
        // The last entry is whole in length: it may have been acted upon.
        *bytes.last_mut().unwrap() ^= 0x40;
        std::fs::write(&path, &bytes).unwrap();
        let in_the_way = directory.path().join(format!("consensus.lost-{NOW}"));
        std::fs::create_dir(&in_the_way).unwrap();
        let refused = Journal::open(&path, NOW);
        assert!(matches!(refused, Err(JournalError::Aside { .. })), "{refused:?}");
        assert_eq!(std::fs::read(&path).unwrap(), bytes, "left as it was found");
        let later = Timestamp::new(NOW.get() + 1);
        let (_, kept) = Journal::open(&path, later).unwrap();
        assert!(matches!(kept, Kept::Lost(_)), "{kept:?}");
    }

    #[test]
    fn con_7_13_no_log_stands_in_its_place_before_it_says_that_one_was_lost() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("consensus.log");
        // What a crash may leave behind: a log that was begun and says nothing yet.
        let begun = directory.path().join("consensus.begun");
        drop(Log::open(&begun, |_, _| {}).unwrap());
        let (journal, kept) = Journal::open(&path, NOW).unwrap();
        assert_eq!(kept, Kept::Lost("it is missing".to_owned()));
        drop(journal);
        assert!(!begun.exists(), "it is this one that is put in place");
        let (_, again) = Journal::open(&path, NOW).unwrap();
        assert_eq!(again, Kept::Whole(vec![JournalEntry::Lost(NOW)]));
    }
}
