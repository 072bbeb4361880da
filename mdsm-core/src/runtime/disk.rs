//! Carries out what a node wants stored, in order, with as few syncs as order allows. [CON-7] [STO-2]
//!
//! Two files: the log of consensus and the store. What follows each other in the same one is written
//! together; before anything goes into the other, it is on the disk. So whatever a crash leaves is what a
//! node that stores one thing at a time could have left.

use std::collections::BTreeSet;
use std::sync::Arc;

use thiserror::Error;

use super::books::{Books, BooksError, Table};
use super::journal::{Journal, JournalError};
use crate::codec::Wire;
use crate::consensus::JournalEntry;
use crate::ledger::{Certificate, Envelope, Item, Proposal, Subject, Verified};
use crate::node::Commit;
use crate::roster::RosterCommitment;
use crate::store::{Batch, Store, StoreError};
use crate::types::{Digest, Epoch, Height};

/// Rows after which a batch is written although more could join it.
const BATCH_ROWS: usize = 200_000;
/// Bytes after which a batch is written although more could join it.
const BATCH_BYTES: usize = 32 * 1_024 * 1_024;
/// Epochs for which entries of the log are kept behind the one that ended last.
const EPOCHS_KEPT: u32 = 2;

/// The disk of one institution, for the thread that writes.
#[derive(Debug)]
pub struct Disk {
    books: Arc<Books>,
    journal: Journal,
    /// What the log holds, as far as it still decides anything.
    entries: Vec<JournalEntry>,
    /// Blocks that were kept and are not final, by height.
    kept: BTreeSet<(Height, Digest)>,
    pending: Pending,
    syncs: u64,
}

/// What is to be written next.
#[derive(Debug)]
enum Pending {
    Journal(Vec<JournalEntry>),
    Store(Batch),
}

/// What cannot be stored. Nothing that depends on it may leave the node.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DiskError {
    /// The log of consensus.
    #[error("log of consensus: {0}")]
    Journal(#[from] JournalError),
    /// The store.
    #[error("store: {0}")]
    Store(#[from] StoreError),
    /// The books.
    #[error("store: {0}")]
    Books(#[from] BooksError),
}

impl Disk {
    /// A disk whose log holds these entries and whose store these kept blocks.
    #[must_use]
    pub fn new(
        books: Arc<Books>,
        journal: Journal,
        entries: Vec<JournalEntry>,
        kept: BTreeSet<(Height, Digest)>,
    ) -> Self {
        let pending = Pending::Store(Batch::new());
        Self { books, journal, entries, kept, pending, syncs: 0 }
    }

    /// The books, for reading.
    #[must_use]
    pub fn books(&self) -> &Arc<Books> {
        &self.books
    }

    /// How often something was made durable.
    #[must_use]
    pub fn syncs(&self) -> u64 {
        self.syncs
    }

    /// Bytes of rows that wait for the next flush.
    #[must_use]
    pub fn waiting_bytes(&self) -> usize {
        match &self.pending {
            Pending::Store(batch) => batch.bytes(),
            Pending::Journal(_) => 0,
        }
    }

    /// Stores an entry of the log.
    pub fn persist(&mut self, entry: JournalEntry) -> Result<(), DiskError> {
        if let Pending::Journal(entries) = &mut self.pending {
            entries.push(entry);
            return Ok(());
        }
        self.flush()?;
        self.pending = Pending::Journal(vec![entry]);
        Ok(())
    }

    /// Stores a record that is accepted.
    //= harness/spec/database.md#ddb-1-encrypted-files-durable-store
    //# DDB-1.8 (ours): Every record acknowledged as accepted MUST be found after the process is killed
    //# at any moment and started again.
    pub fn accept(&mut self, envelope: &Verified<Envelope>) -> Result<(), DiskError> {
        Table::put_accepted(self.batch()?, envelope);
        Ok(())
    }

    /// Stores a block that the node is about to vote for, with its Items.
    pub fn keep(&mut self, proposal: &Proposal, items: &[Arc<Item>]) -> Result<(), DiskError> {
        Table::put_kept(self.batch()?, proposal, items.iter().map(Arc::as_ref));
        self.kept.insert((proposal.signed.header.height, proposal.signed.hash()));
        Ok(())
    }

    /// Stores final blocks and, at the end of an epoch, what it froze. The decision comes last: a commit is
    /// there when its decision is.
    pub fn commit(&mut self, commit: &Commit, next: &RosterCommitment) -> Result<(), DiskError> {
        let (blocks, mut hashes) = (&commit.decision.blocks, Vec::new());
        for (proposal, items) in blocks.iter().zip(&commit.items) {
            hashes.push(proposal.signed.hash());
            let block = proposal.clone().into_block();
            let items: Vec<Item> = items.iter().map(|item| (**item).clone()).collect();
            Table::put_finalized(self.batch()?, &block, &items)?;
        }
        hashes.reverse();
        let Some(last) = blocks.last().map(|block| block.signed.header.height) else {
            return Ok(());
        };
        let higher =
            self.kept.split_off(&(Height::new(last.get().saturating_add(1)), Digest::new([0; 32])));
        let dropped = std::mem::replace(&mut self.kept, higher);
        let batch = self.batch()?;
        if let Some(frozen) = &commit.frozen {
            Table::put_anchor(batch, &frozen.anchor);
            Table::put_data_blocks(batch, &frozen.data_blocks);
            Table::put_committees(batch, next.committees.epoch, next.to_bytes());
        }
        dropped.iter().for_each(|(height, hash)| Table::drop_kept(batch, *height, hash));
        Table::put_decision(batch, last, &hashes, commit.decision.to_bytes());
        Ok(())
    }

    /// Stores the certificate of an anchor.
    pub fn certify(&mut self, certificate: &Certificate) -> Result<(), DiskError> {
        Table::put_certificate(self.batch()?, certificate);
        Ok(())
    }

    /// An epoch has ended: what the log says of those long before decides nothing any more.
    //= harness/spec/consensus.md#con-7-safety-life-and-evidence
    //# CON-7.18 (ours): A node MUST keep the certificates that justify its votes until two epochs after
    //# the epoch of the vote have ended.
    pub fn freeze(&mut self, ended: Epoch) -> Result<(), DiskError> {
        self.flush()?;
        let certified: BTreeSet<Epoch> = self.entries.iter().filter_map(certified_anchor).collect();
        let (kept, dropped): (Vec<_>, Vec<_>) = std::mem::take(&mut self.entries)
            .into_iter()
            .partition(|entry| decides(entry, ended, &certified));
        self.entries = kept;
        if dropped.is_empty() {
            return Ok(());
        }
        // A crash may have come between the log and the store: from here on the store is the only one that has them.
        for entry in &dropped {
            if let (JournalEntry::Certified(held), Some(_)) = (entry, certified_anchor(entry)) {
                self.certify(held)?;
            }
        }
        self.flush()?;
        self.journal.begin_with(&self.entries)?;
        self.syncs += 1;
        Ok(())
    }

    /// Returns when everything is on the disk.
    pub fn flush(&mut self) -> Result<(), DiskError> {
        match std::mem::replace(&mut self.pending, Pending::Store(Batch::new())) {
            Pending::Journal(mut entries) => {
                self.journal.append_all(&entries)?;
                self.entries.append(&mut entries);
            }
            Pending::Store(batch) if batch.is_empty() => return Ok(()),
            Pending::Store(batch) => self.books.rows().store().commit(batch)?,
        }
        self.syncs += 1;
        Ok(())
    }

    /// The batch to which rows are added, which is not too large yet.
    fn batch(&mut self) -> Result<&mut Batch, DiskError> {
        let has_room = match &self.pending {
            Pending::Store(batch) => batch.len() < BATCH_ROWS && batch.bytes() < BATCH_BYTES,
            Pending::Journal(_) => false,
        };
        if !has_room {
            self.flush()?;
        }
        match &mut self.pending {
            Pending::Store(batch) => Ok(batch),
            Pending::Journal(_) => unreachable!("flush leaves an empty batch"),
        }
    }
}

/// Whether an entry still matters after the end of an epoch, where these have certified anchors.
///
/// A vote on an anchor matters until its certificate is in the store: a node signs no anchor that it holds the
/// certificate of, and comes back with those of the store. Should a row of these be lost, its chain yields the root that it
/// signed before; without that chain it finds that log and store are not of one node, and stays silent (CON-7.12).
fn decides(entry: &JournalEntry, ended: Epoch, certified: &BTreeSet<Epoch>) -> bool {
    let recent = |epoch: Epoch| epoch.get().saturating_add(EPOCHS_KEPT) >= ended.get();
    let vote = match entry {
        JournalEntry::Lost(_) => return true,
        JournalEntry::Epoch(start) => return recent(start.epoch),
        JournalEntry::Proposed(header) => return recent(header.epoch),
        JournalEntry::Voted(vote) => vote,
        JournalEntry::Certified(certificate) => &certificate.vote,
    };
    let is_open = matches!(vote.subject, Subject::Anchor(_)) && !certified.contains(&vote.epoch);
    is_open || recent(vote.epoch)
}

/// The epoch whose anchor an entry certifies.
fn certified_anchor(entry: &JournalEntry) -> Option<Epoch> {
    match entry {
        JournalEntry::Certified(held) if matches!(held.vote.subject, Subject::Anchor(_)) => {
            Some(held.vote.epoch)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Vote;
    use crate::types::{Signature, View};

    #[test]
    fn con_7_10_a_log_forgets_an_anchor_when_the_store_has_its_certificate() {
        let directory = tempfile::tempdir().unwrap();
        let (books, _) = Books::open(&directory.path().join("store")).unwrap();
        let journal = Journal::create(directory.path().join("consensus.log")).unwrap();
        let mut disk = Disk::new(Arc::new(books), journal, Vec::new(), BTreeSet::new());
        let signed = [(0, Signature::new([0; 64])), (1, Signature::new([0; 64]))];
        let last = 30;
        for epoch in (0..=last).map(Epoch::new) {
            let subject = Subject::Anchor(Digest::new([7; 32]));
            let vote = Vote { epoch, view: View::new(0), subject };
            disk.freeze(epoch).unwrap();
            disk.persist(JournalEntry::Voted(vote)).unwrap();
            // That of the fifth never comes; none reached the store before a crash.
            if epoch.get() != 5 {
                let certificate = Certificate::assemble(vote, 2, &signed).unwrap();
                disk.persist(JournalEntry::Certified(Arc::new(certificate))).unwrap();
            }
        }
        disk.freeze(Epoch::new(last)).unwrap();
        let votes = disk.entries.iter().filter_map(|entry| match entry {
            JournalEntry::Voted(vote) => Some(vote.epoch.get()),
            _ => None,
        });
        assert_eq!(votes.collect::<Vec<_>>(), [5, last - 2, last - 1, last]);
        for epoch in (0..last - 2).filter(|epoch| *epoch != 5) {
            let stored = disk.books.rows().certificate(Epoch::new(epoch)).unwrap();
            assert!(stored.is_some(), "the certificate of {epoch}");
        }
    }
}
