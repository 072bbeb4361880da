//! What a node has on its disk, and how it comes back from it. [CON-7] [STO-2]

use std::rc::Rc;
use std::sync::Arc;

use mdsm_core::consensus::{JournalEntry, Rules};
use mdsm_core::ledger::{Envelope, Item, Proposal, Subject};
use mdsm_core::node::{Commit, Input, Journal, Recovered};

use super::Action;
use super::host::{Entry, NodeHost, Seen, last_height};
use crate::simulation::world::Disk;

/// A block with its Items.
pub(super) type Kept = (Arc<Proposal>, Vec<Arc<Item>>);

/// Everything that is stored.
#[derive(Clone, Debug, Default)]
pub struct Saved {
    /// Final blocks, in order.
    pub commits: Rc<Vec<Rc<Commit>>>,
    /// The log of consensus.
    pub journal: Vec<JournalEntry>,
    /// Blocks that it voted for and that are not final.
    pub(super) kept: Vec<Kept>,
    /// Accepted records that are not booked.
    pub accepted: Vec<Arc<Envelope>>,
}

impl Saved {
    /// One more entry.
    pub fn add(&mut self, entry: &Entry) {
        match entry {
            Entry::Journal(entry) => self.journal.push(entry.clone()),
            Entry::Accepted(envelope) => self.accepted.push(envelope.clone()),
            Entry::Kept(proposal, items) => self.kept.push((proposal.clone(), items.clone())),
            Entry::Commit(commit) => {
                let last = last_height(commit);
                self.kept.retain(|(proposal, _)| Some(proposal.signed.header.height) > last);
                let is_open = |envelope: &Arc<Envelope>| {
                    let id = envelope.record.id();
                    !commit.booked.iter().any(|block| block.contains(&id))
                };
                self.accepted.retain(is_open);
                Rc::make_mut(&mut self.commits).push(commit.clone());
            }
        }
    }

    /// Entries that say all of it.
    #[must_use]
    pub fn entries(&self) -> Vec<Entry> {
        let commits = self.commits.iter().cloned().map(Entry::Commit);
        let journal = self.journal.iter().cloned().map(Entry::Journal);
        let kept = self.kept.iter().cloned().map(|(block, items)| Entry::Kept(block, items));
        let accepted = self.accepted.iter().cloned().map(Entry::Accepted);
        commits.chain(journal).chain(kept).chain(accepted).collect()
    }

    /// An epoch has ended: of its log only anchors are of use.
    pub fn freeze(&mut self) {
        self.journal.retain(|entry| match entry {
            JournalEntry::Lost(_) => true,
            JournalEntry::Voted(vote) => matches!(vote.subject, Subject::Anchor(_)),
            JournalEntry::Certified(certificate) => {
                matches!(certificate.vote.subject, Subject::Anchor(_))
            }
            _ => false,
        });
    }
}

impl<R: Rules + 'static> NodeHost<R> {
    /// Comes back from the disk, or begins. A log that lost something says nothing of what was signed.
    pub(super) fn wake(&mut self, disk: &Disk<Entry, Saved>, out: &mut Vec<Action<R>>) {
        let mut saved = disk.checkpoint.clone().unwrap_or_default();
        disk.entries.iter().for_each(|entry| saved.add(entry));
        let now = self.clock();
        let is_new = disk.is_whole && saved.journal.is_empty() && saved.commits.is_empty();
        let mut effects = Vec::new();
        if is_new {
            self.saved = saved;
            self.node.start(now, &mut effects);
        } else {
            let accepted = saved.accepted.iter().map(|one| (**one).clone()).collect();
            let entries = std::mem::take(&mut saved.journal);
            let journal = if disk.is_whole { Journal::Whole(&entries) } else { Journal::Lost };
            let blocks = saved.kept.clone();
            let commits = saved.commits.iter().map(|one| &**one);
            let stored = Recovered { commits, certificate_of: |_| None, journal, blocks, accepted };
            if let Err(error) = self.node.recover(now, stored, &mut effects) {
                out.push(Action::Observe(Seen::Broken(format!("recovery: {error}"))));
            }
            if disk.is_whole {
                saved.journal = entries;
            } else {
                let first = effects.first().cloned();
                match first {
                    Some(mdsm_core::node::Effect::Persist(entry @ JournalEntry::Lost(_))) => {
                        effects.remove(0);
                        saved.journal.push(entry);
                    }
                    other => {
                        let what = format!("the new log begins with {other:?}");
                        out.push(Action::Observe(Seen::Broken(what)));
                    }
                }
                // The new log and its first entry are there together, or the old one still is.
                out.push(Action::Checkpoint(saved.clone()));
            }
            self.saved = saved;
        }
        self.carry_out(&mut effects, out);
        let resumed = self.lookout.resumed(&self.setup.bitcoin.borrow());
        for (sighting, rate) in resumed {
            self.step(Input::Resumed { sighting, rate }, out);
        }
        self.drain(out);
        self.look(out);
    }
}
