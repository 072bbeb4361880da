//! What can go wrong with a log.

use std::fmt;
use std::io;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// A log that could not be opened, read or appended to.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LogError {
    /// The operating system refused.
    #[error("could not {what} {}: {message}", file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// What was tried.
        what: &'static str,
        /// Kind of the refusal, `StorageFull` on a full disk.
        kind: io::ErrorKind,
        /// The refusal in the system's words.
        message: String,
    },
    /// The file does not start as a log does.
    #[error("{} does not start with MLOG and version 1; {}", file.display(), if *entries_follow {
        "entries of a log follow, so its first bytes are damaged"
    } else {
        "nothing in it is an entry of a log"
    })]
    Header {
        /// The file.
        file: PathBuf,
        /// Whether an entry verifies behind the bad bytes.
        entries_follow: bool,
    },
    /// Entries are unreadable although later ones are not.
    #[error(
        "{} is damaged at byte {offset}: entries {} are unreadable",
        file.display(), Ranges(unreadable)
    )]
    Damaged {
        /// The file.
        file: PathBuf,
        /// Where the first unreadable entry starts.
        offset: u64,
        /// Numbers of the entries that are unreadable or not chained to the entry before.
        unreadable: Vec<RangeInclusive<u64>>,
    },
    /// Another process, or another part of this one, has the log open.
    #[error("{} is open elsewhere", file.display())]
    Locked {
        /// The file.
        file: PathBuf,
    },
    /// The payload is larger than an entry may be.
    #[error("{bytes} bytes where an entry holds at most {bytes_max}")]
    TooLarge {
        /// Bytes of the payload.
        bytes: usize,
        /// Bytes allowed.
        bytes_max: usize,
    },
    /// An earlier append failed in a way that leaves the end of the file unknown.
    #[error("{} takes no entries until it is opened anew: {why}", file.display())]
    Poisoned {
        /// The file.
        file: PathBuf,
        /// What failed.
        why: String,
    },
}

impl LogError {
    /// Says of a refused call what it was for.
    pub(crate) fn io<'a>(
        file: &'a Path,
        what: &'static str,
    ) -> impl FnOnce(io::Error) -> Self + use<'a> {
        move |error| Self::Io {
            file: file.to_path_buf(),
            what,
            kind: error.kind(),
            message: error.to_string(),
        }
    }
}

/// Numbers as a person writes them: `3, 7-9`.
struct Ranges<'a>(&'a [RangeInclusive<u64>]);

impl fmt::Display for Ranges<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, range) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            match (range.start(), range.end()) {
                (first, last) if first == last => write!(f, "{comma}{first}")?,
                (first, last) => write!(f, "{comma}{first}-{last}")?,
            }
        }
        Ok(())
    }
}
