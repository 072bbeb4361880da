//! What can go wrong with a store.

use thiserror::Error;

use super::batch::Table;
use super::checked::Fault;
use crate::log::LogError;

/// A store that could not be opened, read or written. A row is named by table and key, the key as
/// lower-case hex.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum StoreError {
    /// The engine below refused, or gave up.
    #[error("could not {what}: {message}")]
    Engine {
        /// What was tried.
        what: String,
        /// The engine's words; of an error of the operating system its words.
        message: String,
    },
    /// What is stored is not what was written.
    #[error("row {key} of {table:?} is damaged: {why}")]
    Damaged {
        /// The table.
        table: Table,
        /// The key.
        key: String,
        /// What does not fit.
        why: String,
    },
    /// A row that was acknowledged is not what it should be, as opening the store has found.
    #[error("row {key} of {table:?}, written by commit {commit}, is lost: {fault}")]
    Lost {
        /// The table.
        table: Table,
        /// The key.
        key: String,
        /// The commit whose effect is gone.
        commit: u64,
        /// What is there instead.
        fault: Fault,
    },
    /// The witness is shorter than what it should witness.
    #[error(
        "the store holds commits up to {store_tip}, its witness only {witnessed}: the witness was \
         shortened and cannot vouch for the rows"
    )]
    WitnessShort {
        /// Commits in the witness.
        witnessed: u64,
        /// Number of the last commit in the store.
        store_tip: u64,
    },
    /// The witness could not be read or written.
    #[error("witness: {0}")]
    Witness(#[from] LogError),
    /// A key or a value larger than any store takes.
    #[error("{what} of {bytes} bytes in {table:?}, at most {bytes_max} are allowed")]
    TooLarge {
        /// Key or value.
        what: &'static str,
        /// The table.
        table: Table,
        /// Its bytes.
        bytes: usize,
        /// Bytes allowed.
        bytes_max: usize,
    },
    /// A batch with more than one entry of the witness can name.
    #[error(
        "a batch of {rows} rows with {key_bytes} bytes of keys, at most {rows_max} and {key_bytes_max}"
    )]
    BatchTooLarge {
        /// Rows changed.
        rows: usize,
        /// Rows allowed.
        rows_max: usize,
        /// Bytes of their keys.
        key_bytes: usize,
        /// Bytes allowed, less 6 for each row.
        key_bytes_max: usize,
    },
    /// A value that would go under a name that is not its own.
    #[error("{what} goes under {expected}, not under {found}")]
    WrongName {
        /// What was to be stored, or was read.
        what: &'static str,
        /// The name that follows from its bytes.
        expected: String,
        /// The name given.
        found: String,
    },
    /// A table that only the store itself writes.
    #[error("{table:?} is written by the store itself")]
    Reserved {
        /// The table.
        table: Table,
    },
    /// An earlier commit failed; what of it is on the disk shows when the store is opened anew.
    #[error("the store takes no commits until it is opened anew: {why}")]
    Poisoned {
        /// What failed.
        why: String,
    },
}

impl StoreError {
    /// A damaged row.
    pub(crate) fn damaged(table: Table, key: &[u8], why: impl ToString) -> Self {
        Self::Damaged { table, key: hex(key), why: why.to_string() }
    }
}

/// Lower-case hex, as keys are shown.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a String does not fail");
        text
    })
}
