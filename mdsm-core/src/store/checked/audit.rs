//! Compares the store with its witness: which acknowledged rows are not what they should be.

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

use super::super::Store;
use super::super::batch::Table;
use super::super::error::{StoreError, hex};
use super::row::{self, Change, Changes, CommitRow, Effect};
use crate::codec::Wire;
use crate::log::Reader;

/// Commit rows read at once.
const PAGE_ROWS: usize = 4_096;

/// What is in the place of a row that was acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Fault {
    /// Nothing.
    #[error("it is missing")]
    Missing,
    /// An older value, or a value although the row was removed.
    #[error("what commit {commit} wrote is there instead")]
    Stale {
        /// The commit that wrote what is there.
        commit: u64,
    },
    /// Something that cannot be read.
    #[error("{why}")]
    Unreadable {
        /// The error of reading it.
        why: String,
    },
}

/// A row that was acknowledged and is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// The last commit that changed the row.
    pub commit: u64,
    /// The table.
    pub table: Table,
    /// The key.
    pub key: Vec<u8>,
    /// What is there instead.
    pub fault: Fault,
}

impl Loss {
    /// The error of reading this row.
    pub(super) fn error(&self) -> StoreError {
        StoreError::Lost {
            table: self.table,
            key: hex(&self.key),
            commit: self.commit,
            fault: self.fault.clone(),
        }
    }
}

/// Losses by the row.
pub(super) type Losses = BTreeMap<(Table, Vec<u8>), Loss>;

/// What the commit rows of a store say.
#[derive(Debug, Default)]
pub(super) struct Commits {
    /// The last commit, the one before it, and what it changed.
    pub(super) tip: Option<(u64, CommitRow)>,
    /// Commits whose row is missing, unreadable, or out of order.
    pub(super) suspicious: BTreeSet<u64>,
}

/// Reads the commit rows; `witnessed` commits ought to be there. Cost: one scan of small rows.
pub(super) fn commits(store: &impl Store, witnessed: u64) -> Commits {
    let mut survey = Survey { witnessed, ..Survey::default() };
    let mut from = Vec::new();
    loop {
        match store.scan(Table::Commits, &[], Some(&from), PAGE_ROWS) {
            Ok(page) => {
                for (key, value) in page.rows {
                    survey.visit(&key, value);
                }
                let Some(next) = page.next else { return survey.end() };
                from = next;
            }
            Err(_) => return commits_by_number(store, witnessed),
        }
    }
}

/// A damaged block hides its neighbours from a scan; this asks for each row alone.
fn commits_by_number(store: &impl Store, witnessed: u64) -> Commits {
    let mut survey = Survey { witnessed, ..Survey::default() };
    for number in 0..=witnessed {
        let key = number.to_be_bytes();
        if let Ok(Some(value)) = store.get(Table::Commits, &key) {
            survey.visit(&key, value);
        }
    }
    survey.end()
}

/// A pass over the commit rows in the order of their numbers.
#[derive(Default)]
struct Survey {
    witnessed: u64,
    /// The number that comes next when none is missing.
    expected: u64,
    /// Commits whose row no later commit has put anew.
    unfollowed: BTreeSet<u64>,
    found: Commits,
}

impl Survey {
    fn visit(&mut self, key: &[u8], value: Vec<u8>) {
        let Ok(number) = key.try_into().map(u64::from_be_bytes) else { return };
        let row = row::open(Table::Commits, key, value)
            .and_then(|(by, value)| Ok((by, CommitRow::from_bytes(key, &value)?)));
        // One that cannot be read counts as missing.
        let Ok((written_by, row)) = row else { return };
        self.found.suspicious.extend(self.expected..number.min(self.witnessed));
        self.expected = number.saturating_add(1);
        if let Some(previous) = row.previous
            && self.unfollowed.contains(&previous)
        {
            self.found.suspicious.extend([previous, number]);
        }
        if written_by == number {
            self.unfollowed.insert(number);
        }
        self.found.tip = Some((number, row));
    }

    fn end(mut self) -> Commits {
        self.found.suspicious.extend(self.expected..self.witnessed);
        self.found
    }
}

/// Which rows an audit looks at.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rows<'a> {
    /// All that were ever written.
    All,
    /// Those that one of these commits changed: when the engine has a commit in a wrong place, its
    /// rows may stand in the light of later ones, or in the shade of earlier ones.
    Of(&'a BTreeSet<u64>),
    /// These.
    Named(&'a Losses),
}

/// Holds rows to what the witness says of them, change by change. Cost: a look-up for each change of
/// a row that is looked at; memory for those of `Rows::Of`, and for wrong rows, among them, for a
/// while, those that a later commit has removed.
pub(super) fn audit(
    store: &impl Store,
    witness: &Reader,
    rows: Rows<'_>,
) -> Result<Losses, StoreError> {
    let mut losses = Losses::new();
    let mut followed = BTreeSet::new();
    witness.each(|commit, payload| {
        for change in changes(commit, payload)?.changes.iter() {
            let name = (change.table, change.key.to_vec());
            let is_looked_at = match rows {
                Rows::All => true,
                Rows::Named(named) => named.contains_key(&name),
                Rows::Of(commits) if commits.contains(&commit) => {
                    followed.insert(name.clone());
                    true
                }
                Rows::Of(_) => followed.contains(&name),
            };
            if !is_looked_at {
                continue;
            }
            losses.remove(&name);
            if let Some(fault) = fault(store, commit, change) {
                let (table, key) = name.clone();
                losses.insert(name, Loss { commit, table, key, fault });
            }
        }
        Ok::<(), StoreError>(())
    })?;
    Ok(losses)
}

/// An entry of the witness.
fn changes(commit: u64, payload: &[u8]) -> Result<Changes, StoreError> {
    Changes::from_bytes(payload).map_err(|error| {
        let what = format!("read entry {commit} of the witness");
        StoreError::Engine { what, message: error.to_string() }
    })
}

/// What is wrong with a row right after the commit that changed it, as far as one can still tell: a
/// row of a later commit is right, and held to that commit when its turn comes.
fn fault(store: &impl Store, commit: u64, change: &Change) -> Option<Fault> {
    let stored = store.get(change.table, &change.key).and_then(|bytes| {
        bytes.map(|bytes| row::open(change.table, &change.key, bytes)).transpose()
    });
    match (stored, change.effect) {
        (Ok(None), Effect::Removed) => None,
        (Ok(None), Effect::Written) => Some(Fault::Missing),
        (Ok(Some((by, _))), Effect::Written) if by >= commit => None,
        (Ok(Some((by, _))), Effect::Removed) if by > commit => None,
        (Ok(Some((by, _))), _) => Some(Fault::Stale { commit: by }),
        (Err(error), _) => Some(Fault::Unreadable { why: error.to_string() }),
    }
}
