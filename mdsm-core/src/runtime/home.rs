//! The directory of an institution, and how its node comes back from it. [CON-7] [DDB-1] [STO-2]
//!
//! ```text
//! secret          the seed of all its keys, see environment/keyring
//! consensus.log   the log of consensus
//! store/          rows/ and witness.log, see store
//! objects/        files, unless they lie elsewhere
//! ```
//! It is made once, as a whole: a log that is missing later was lost, and the node behaves as one that does not
//! know what it signed. What the store cannot read any more, the node fetches from the others.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;

use super::books::Books;
use super::disk::Disk;
use super::driver::LiveNode;
use super::journal::{Journal, JournalError, Kept};
use super::signatures::Prechecked;
use crate::chain::StartError;
use crate::consensus::{JournalEntry, Protocol};
use crate::environment::{Secret, SecretError};
use crate::ledger::{Envelope, Item, Proposal};
use crate::log::LogError;
use crate::node::{
    Commit, Effect, Journal as Recalled, Node, NodeConfig, RecoverNodeError, Recovered, Start,
};
use crate::store::{Opened, StoreError, Table};
use crate::types::{ChainId, Height, RecordId, Timestamp};

/// Rows read at a time.
const PAGE_ROWS: usize = 1_024;

/// The directory of an institution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    directory: PathBuf,
}

/// A directory that is no home, or one that cannot be read.
#[derive(Debug, Error)]
pub enum HomeError {
    /// The operating system refused.
    #[error("{}: {source}", path.display())]
    File {
        /// File or directory.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// There is something already.
    #[error("{}: is not empty; the home of an institution is made once", directory.display())]
    NotEmpty {
        /// The directory.
        directory: PathBuf,
    },
    /// It is no home.
    #[error(
        "{}: {why}; the home of an institution is the directory that `mdsm keys institution` has made, which `home` \
         names in the settings of its node",
        directory.display()
    )]
    NoHome {
        /// The directory.
        directory: PathBuf,
        /// What it is instead.
        why: &'static str,
    },
    /// The secret.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The log of consensus.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A store that is damaged beyond what a node starts with.
    #[error(
        "{}: {error}; if a file of it is damaged, `mdsm store check` names what is lost. Move this directory away and start \
         again: the blocks are fetched anew from the others, the node votes in no epoch that is open by then, and records \
         that it has accepted and that no block has yet are lost",
        store.display()
    )]
    Damaged {
        /// The directory of the store.
        store: PathBuf,
        /// What is wrong.
        error: StoreError,
    },
    /// The network.
    #[error(transparent)]
    Start(#[from] StartError),
    /// Stored blocks contradict each other or the network.
    #[error(transparent)]
    Recover(#[from] RecoverNodeError),
}

/// A node that has come back, or begun.
#[derive(Debug)]
pub struct Roused {
    /// The node.
    pub node: LiveNode,
    /// What it asks for first.
    pub effects: Vec<Effect>,
    /// Its disk.
    pub disk: Disk,
    /// What opening the store found.
    pub opened: Opened,
    /// What went wrong and was dealt with, for the operator.
    pub warnings: Vec<String>,
}

impl Home {
    /// Makes a home in a directory that is empty or not there.
    pub fn create(directory: impl Into<PathBuf>, secret: &Secret) -> Result<Self, HomeError> {
        let home = Self { directory: directory.into() };
        let directory = &home.directory;
        fs::create_dir_all(directory).map_err(failed(directory))?;
        if fs::read_dir(directory).map_err(failed(directory))?.next().is_some() {
            return Err(HomeError::NotEmpty { directory: directory.clone() });
        }
        Journal::create(home.journal())?;
        Books::open(&home.store())?;
        fs::create_dir_all(home.objects()).map_err(failed(&home.objects()))?;
        // Last, because without a secret nothing is a home.
        secret.store(&home.secret_file())?;
        Ok(home)
    }

    /// A home that was made before, and its secret.
    pub fn open(directory: impl Into<PathBuf>) -> Result<(Self, Secret), HomeError> {
        let home = Self { directory: directory.into() };
        let secret = Secret::read(home.secret_file())?;
        Ok((home, secret))
    }

    /// A home whose secret is not needed.
    #[must_use]
    pub fn at(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into() }
    }

    /// Whether this is a home, or what is left of one.
    pub(super) fn check(&self) -> Result<(), HomeError> {
        let parts = [self.secret_file(), self.journal(), self.store()];
        let why = match self.directory.is_dir() {
            true if parts.iter().any(|part| part.exists()) => return Ok(()),
            true => "has no secret, no consensus.log and no store",
            false if self.directory.exists() => "is not a directory",
            false => "is not there",
        };
        Err(HomeError::NoHome { directory: self.directory.clone(), why })
    }

    /// The file with the secret.
    #[must_use]
    pub fn secret_file(&self) -> PathBuf {
        self.directory.join("secret")
    }

    /// Where files lie, unless they lie elsewhere.
    #[must_use]
    pub fn objects(&self) -> PathBuf {
        self.directory.join("objects")
    }

    /// The directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The directory of the store.
    #[must_use]
    pub fn store(&self) -> PathBuf {
        self.directory.join("store")
    }

    pub(super) fn journal(&self) -> PathBuf {
        self.directory.join("consensus.log")
    }

    /// Says what to do about a store that does not open, unless somebody has it open.
    fn unusable(&self, error: StoreError) -> HomeError {
        match error {
            StoreError::Witness(LogError::Locked { .. }) => error.into(),
            error => HomeError::Damaged { store: self.store(), error },
        }
    }

    /// Takes up what is stored and goes on, or begins.
    ///
    /// # Errors
    /// When a file cannot be read at all, or when what is stored contradicts itself.
    pub fn rouse(
        &self,
        config: NodeConfig,
        start: &Start<'_>,
        scheme: Prechecked,
        now: Timestamp,
    ) -> Result<Roused, HomeError> {
        let (journal, kept) = Journal::open(self.journal(), now)?;
        let (books, opened) = Books::open(&self.store()).map_err(|error| self.unusable(error))?;
        let mut warnings = Vec::new();
        let entries = match kept {
            Kept::Whole(entries) => entries,
            Kept::Lost(why) => {
                warnings.push(format!("the log of consensus begins anew: {why}"));
                vec![JournalEntry::Lost(now)]
            }
        };
        let mut stored = Stored::of(&books);
        let first = stored.next();
        let mut node = Node::new(config, start, scheme.clone(), Protocol)?;
        let (mut effects, mut voted_for) = (Vec::new(), BTreeSet::new());
        if entries.is_empty() && first.is_none() {
            node.start(now, &mut effects);
        } else {
            let blocks = books.rows().kept().unwrap_or_else(|error| {
                warnings.push(format!("blocks that this node voted for: {error}"));
                Vec::new()
            });
            let place = |(block, _): &(Proposal, Vec<Item>)| {
                (block.signed.header.height, block.signed.hash())
            };
            voted_for = blocks.iter().map(place).collect();
            let blocks = blocks
                .into_iter()
                .map(|(block, items)| (Arc::new(block), items.into_iter().map(Arc::new).collect()));
            let accepted = accepted(&books, &opened, &mut warnings);
            learn(&scheme, &accepted, &start.genesis.chain_id());
            let certificate_of = |epoch| {
                let read = books.rows().certificate(epoch).unwrap_or_else(|error| {
                    warnings.push(format!(
                        "the certificate of the anchor of epoch {epoch} is fetched anew: {error}"
                    ));
                    None
                });
                read.map(Arc::new)
            };
            let recovered = Recovered {
                commits: first.into_iter().chain(&mut stored),
                certificate_of,
                journal: Recalled::Whole(&entries),
                blocks: blocks.collect(),
                accepted,
            };
            node.recover(now, recovered, &mut effects)?;
        }
        warnings.extend(stored.unread);
        if node.consensus().membership().is_silent() {
            let epoch = node.chain().epoch();
            warnings.push(format!(
                "it does not vote in epoch {epoch}, nor in any other that was open before now: what it has signed is not known \
                 for certain, because its log of consensus or its store was lost"
            ));
        }
        let disk = Disk::new(Arc::new(books), journal, entries, voted_for);
        Ok(Roused { node, effects, disk, opened, warnings })
    }
}

/// Commits from the first one on, as far as they can be read.
struct Stored<'a> {
    books: &'a Books,
    above: Height,
    /// Why not further.
    unread: Option<String>,
}

impl<'a> Stored<'a> {
    fn of(books: &'a Books) -> Self {
        Self { books, above: Height::new(0), unread: None }
    }
}

impl Iterator for Stored<'_> {
    type Item = Commit;

    fn next(&mut self) -> Option<Commit> {
        let above = self.above;
        let read = self.books.commit_above(above).unwrap_or_else(|error| {
            self.unread = Some(format!("blocks above {above} are fetched anew: {error}"));
            None
        });
        let commit = read?;
        self.above = commit.decision.blocks.last()?.signed.header.height;
        Some(commit)
    }
}

/// Records that were accepted and are not booked, but those that are lost: an institution without them serves all others.
//= harness/spec/database.md#ddb-1-encrypted-files-durable-store
//# DDB-1.10 (ours): A node that opens a damaged or shortened store MUST report which heights and
//# which records are lost.
fn accepted(books: &Books, opened: &Opened, warnings: &mut Vec<String>) -> Vec<Envelope> {
    let missing = opened.lost.iter().filter(|loss| loss.table == Table::Accepted);
    let missing = missing.filter_map(|loss| loss.key[..].try_into().ok().map(RecordId::new));
    let (mut ids, mut from): (BTreeSet<RecordId>, _) = (missing.collect(), None);
    loop {
        match books.rows().accepted_ids(from.as_ref(), PAGE_ROWS) {
            Ok((page, next)) => {
                ids.extend(page);
                from = next;
            }
            Err(error) => {
                let above = from.take().map(|id| format!(" from {id} on")).unwrap_or_default();
                warnings.push(format!("accepted records{above} are lost: {error}"));
            }
        }
        if from.is_none() {
            break;
        }
    }
    let mut read = |id: RecordId| match books.rows().accepted(&id) {
        Ok(envelope) => envelope,
        Err(error) => {
            warnings.push(format!("accepted record {id} is lost: {error}"));
            None
        }
    };
    ids.into_iter().filter_map(&mut read).collect()
}

/// Checks the signatures of many records on all cores, so that the node need not one after another.
fn learn(scheme: &Prechecked, envelopes: &[Envelope], chain: &ChainId) {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for part in envelopes.chunks(envelopes.len().div_ceil(cores).max(1)) {
            scope.spawn(move || scheme.learn(&part.iter().collect::<Vec<_>>(), chain));
        }
    });
}

fn failed(path: &Path) -> impl Fn(std::io::Error) -> HomeError {
    let path = path.to_path_buf();
    move |source| HomeError::File { path: path.clone(), source }
}
