//! Looks on and judges: histories of consensus, books, acknowledged records, anchors.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use mdsm_core::anchoring::machine::Effect as Anchoring;
use mdsm_core::consensus::{JournalEntry, Rules};
use mdsm_core::ledger::{Certificate, Proposal, SignedVote, Subject};
use mdsm_core::node::{Commit, Message};
use mdsm_core::roster::{Committees, Seat};
use mdsm_core::types::{Digest, Epoch, InstitutionId, RecordId, View};

use super::actor::Actor;
use super::books::Books;
use super::host::{Entry, Seen};
use super::puppet::hash_of;
use super::setup::Setup;
use super::wire::{Body, Wire};
use crate::oracle::consensus::{EpochHistory, History, quorum};
use crate::simulation::world::{Node, Observer, To};

/// Epochs that the history keeps.
const EPOCHS_KEPT: u32 = 4;

/// Looks on and judges.
#[derive(Debug)]
pub struct Judge<R> {
    setup: Rc<Setup<R>>,
    institutions: Vec<InstitutionId>,
    /// What was seen of consensus.
    pub history: History,
    /// The chain and what it brought about.
    pub books: Books,
    /// Records that honest delegates have accepted, and who did.
    pub accepted: BTreeMap<RecordId, Node>,
    /// Records that went with a log that lost something.
    pub gone: BTreeSet<RecordId>,
    /// Anchors that each honest node holds.
    pub certified: BTreeMap<Node, BTreeSet<Epoch>>,
    roots: BTreeMap<Epoch, Digest>,
    /// Nodes whose log lost something, and whether they voted since.
    lost: BTreeMap<Node, bool>,
    finals: BTreeSet<Epoch>,
    proposed: BTreeMap<Digest, Vec<Digest>>,
    items: BTreeMap<Digest, Vec<RecordId>>,
    epochs: BTreeMap<Node, Epoch>,
    /// Blocks on the disks of honest auditors.
    kept: BTreeSet<(InstitutionId, Digest)>,
    /// Offences that honest nodes found.
    pub convicted: BTreeSet<mdsm_core::ledger::Offence>,
}

impl<R: Rules + 'static> Judge<R> {
    /// A judge of a run in which some institutions are faulty.
    #[must_use]
    pub fn new(
        setup: &Rc<Setup<R>>,
        institutions: Vec<InstitutionId>,
        faulty: BTreeSet<InstitutionId>,
    ) -> Self {
        let node = setup.node(InstitutionId::new(1));
        let committees = node.chain().roster().committees().clone();
        let newcomer = InstitutionId::new(setup.scale.newcomer());
        let is_thorough = setup.scale.is_thorough;
        let books =
            Books::new(&setup.genesis, &setup.founders, committees.clone(), newcomer, is_thorough);
        let mut history = History::new(faulty);
        history.opened(opened(&committees, (node.chain().head(), 0)));
        Self {
            setup: setup.clone(),
            institutions,
            history,
            books,
            accepted: BTreeMap::new(),
            gone: BTreeSet::new(),
            certified: BTreeMap::new(),
            roots: BTreeMap::new(),
            lost: BTreeMap::new(),
            finals: BTreeSet::new(),
            proposed: BTreeMap::new(),
            items: BTreeMap::new(),
            epochs: BTreeMap::new(),
            kept: BTreeSet::new(),
            convicted: BTreeSet::new(),
        }
    }

    /// Whether a node follows the rules. Users do, but have no say.
    #[must_use]
    pub fn is_honest(&self, node: Node) -> bool {
        !self.history.faulty.contains(&self.institutions[usize::from(node)])
    }

    /// Nodes whose log lost something.
    #[must_use]
    pub fn lost(&self) -> usize {
        self.lost.len()
    }

    fn claim(&mut self, claim: &'static str, judged: Result<(), String>) {
        if let Err(what) = judged {
            self.history.broken(claim, what);
        }
    }

    /// Accepted records that are not booked yet.
    #[must_use]
    pub fn unbooked(&self) -> usize {
        let is_open = |record: &&RecordId| !self.books.records.contains_key(*record);
        self.accepted.keys().filter(is_open).count()
    }

    /// Judges what can be judged at the end only.
    pub fn conclude(&mut self) {
        self.history.judge_all();
        let windows = self.books.windows();
        self.claim("windows", windows);
        let chain = self.books.hashes();
        let passed_over = self.proposed.iter().filter(|(hash, _)| !chain.contains(*hash));
        let records = passed_over
            .flat_map(|(_, items)| items.iter().filter_map(|root| self.items.get(root)).flatten());
        let again = records.filter(|record| self.books.records.contains_key(*record)).count();
        if again > 0 {
            self.books.sometimes.insert("record of a nullified block booked", again as u64);
        }
    }

    fn sent_vote(&mut self, now_ms: u64, node: Node, signed: &SignedVote) {
        let me = self.institutions[usize::from(node)];
        if signed.signer != me {
            return;
        }
        self.history.voted(now_ms, me, &signed.vote);
        if !self.is_honest(node) {
            return;
        }
        if let Some(has_voted) = self.lost.get_mut(&node)
            && !std::mem::replace(has_voted, true)
        {
            self.books.count("lost log came back");
        }
        if let Subject::Notarize(hash) = signed.vote.subject
            && !self.kept.contains(&(me, hash))
        {
            self.history.broken("stored first", format!("{me} votes for {hash}, which it lacks"));
        }
        if let Subject::Anchor(root) = signed.vote.subject {
            let judged = self.may_sign(node, signed.vote.epoch, &root);
            self.claim("anchors in order", judged);
        }
    }

    fn may_sign(&self, node: Node, epoch: Epoch, root: &Digest) -> Result<(), String> {
        let held = self.certified.get(&node);
        let lacks = (0..epoch.get())
            .map(Epoch::new)
            .find(|before| !held.is_some_and(|held| held.contains(before)));
        if let Some(lacks) = lacks {
            return Err(format!("{node} signs the anchor of {epoch} and lacks that of {lacks}"));
        }
        match self.books.anchors.get(&epoch).map(mdsm_core::ledger::Anchor::root) {
            Some(expected) if expected == *root => Ok(()),
            expected => Err(format!("{node} signs {root} for {epoch}, frozen is {expected:?}")),
        }
    }

    fn sent_proposal(&mut self, node: Node, proposal: &Proposal) {
        let hash = hash_of(proposal);
        self.history.proposed_by(self.institutions[usize::from(node)], &proposal.signed, hash);
        if let Some(item_block) = proposal.payload.item_block.as_ref()
            && self.setup.scale.is_thorough
        {
            self.proposed.insert(hash, item_block.items.iter().copied().collect());
        }
    }

    fn moved(&mut self, node: Node, commit: &Rc<Commit>, chain: &Arc<mdsm_core::chain::Chain>) {
        let is_new = chain.height().get() > self.books.height();
        if is_new {
            let judged = self.is_final(commit);
            self.claim("final", judged);
        }
        let epoch = chain.epoch();
        let before = self.epochs.insert(node, epoch).unwrap_or(Epoch::new(0));
        if epoch > before && self.books.open().get() > epoch.get() {
            self.books.count("caught up over an epoch");
        }
        match self.books.moved(commit, chain) {
            Err(what) => self.history.broken("one answer", what),
            Ok(false) => {}
            Ok(true) => {
                let committees = self.books.committees.clone();
                let last = self.books.ended.last().copied();
                let Some((hash, height, _)) = last else { return };
                self.history.opened(opened(&committees, (hash, height)));
                let old = committees.epoch.get().checked_sub(EPOCHS_KEPT).map(Epoch::new);
                if let Some(old) = old {
                    self.history.forget_before(old);
                }
            }
        }
    }

    /// A quorum of the auditors of its epoch finalized the last of these blocks, or one behind it.
    fn is_final(&self, commit: &Commit) -> Result<(), String> {
        let certificate: &Certificate = &commit.decision.certificate;
        let vote = certificate.vote;
        let blocks = commit.decision.blocks.iter().map(|block| &block.signed);
        let last = blocks.chain(commit.decision.closing.iter()).last();
        let epoch = self.books.open();
        let committees = &self.books.committees;
        let keys: Vec<_> = committees.auditors.iter().map(|seat| seat.key).collect();
        let is_for_it = last.map(|signed| Subject::Finalize(signed.hash())) == Some(vote.subject);
        let enough = certificate.signers.count() >= quorum(keys.len());
        let holds = certificate.check(&self.setup.chain_id(), &keys, &self.setup.keys).is_ok();
        if is_for_it && enough && holds && vote.epoch == epoch {
            Ok(())
        } else {
            Err(format!("blocks above {} are committed on {vote:?}", self.books.height()))
        }
    }

    fn certified(&mut self, node: Node, certificate: &Certificate) {
        let Subject::Anchor(root) = certificate.vote.subject else { return };
        let epoch = certificate.vote.epoch;
        self.certified.entry(node).or_default().insert(epoch);
        let known = *self.roots.entry(epoch).or_insert(root);
        if known != root {
            self.history.broken("anchors", format!("epoch {epoch} is certified with two roots"));
        }
        self.books.count("anchor certified");
    }

    fn anchoring(&mut self, effect: &Anchoring) {
        match effect {
            Anchoring::Final { output, .. } => {
                if self.roots.get(&output.epoch) != Some(&output.root) {
                    let what = format!("epoch {} is final with another root", output.epoch);
                    self.history.broken("anchors", what);
                }
                if self.finals.insert(output.epoch) {
                    self.books.count("anchor final");
                    if self.setup.bitcoin.borrow().removed.contains(&output.epoch) {
                        self.books.count("anchor reorganised and final again");
                    }
                }
            }
            Anchoring::Submit(_) => self.books.count("anchor submitted"),
            Anchoring::Foreign { .. } => {
                self.history.broken("anchors", format!("a foreign anchor: {effect:?}"));
            }
            Anchoring::Alarm(_) => self.books.count("alarm about anchors"),
            _ => {}
        }
    }
}

impl<R: Rules + 'static> Observer<Actor<R>> for Judge<R> {
    fn sent(&mut self, now_ms: u64, node: Node, _: &To, message: &Rc<Wire>) {
        match &message.body {
            Body::Node(Message::Vote(signed)) => self.sent_vote(now_ms, node, signed),
            Body::Node(Message::Proposal(proposal)) => self.sent_proposal(node, proposal),
            Body::Node(Message::Item(item)) if self.setup.scale.is_thorough => {
                let ids = item.records.iter().map(|envelope| envelope.record.id());
                self.items.insert(item.root(), ids.collect());
            }
            _ => {}
        }
    }

    fn wrote(&mut self, now_ms: u64, node: Node, entry: &Entry) {
        if !self.is_honest(node) {
            return;
        }
        let me = self.institutions[usize::from(node)];
        match entry {
            Entry::Journal(JournalEntry::Voted(vote)) => self.history.wrote(me, vote),
            Entry::Journal(JournalEntry::Certified(certificate)) => {
                self.history.certified(me, certificate);
                if let Subject::Anchor(_) = certificate.vote.subject {
                    self.certified.entry(node).or_default().insert(certificate.vote.epoch);
                }
            }
            Entry::Kept(proposal, _) => {
                self.kept.insert((me, hash_of(proposal)));
            }
            Entry::Journal(_) | Entry::Accepted(_) => {}
            Entry::Commit(commit) => {
                for block in commit.decision.blocks.iter() {
                    let header = &block.signed.header;
                    self.history.finalized(now_ms, me, header, hash_of(block));
                }
            }
        }
    }

    fn saw(&mut self, _: u64, node: Node, observation: Seen) {
        if !self.is_honest(node) {
            return;
        }
        match observation {
            Seen::Moved(commit, chain) => self.moved(node, &commit, &chain),
            Seen::Frozen(anchor) => {
                let judged = self.books.frozen(&anchor);
                self.claim("one answer", judged);
            }
            Seen::Certified(certificate) => self.certified(node, &certificate),
            Seen::Acknowledged(record) => {
                self.accepted.insert(record, node);
                self.books.count("record accepted");
            }
            Seen::Refused(_) => self.books.count("record refused"),
            Seen::Convicted(evidence) => {
                self.convicted.extend(evidence.claim());
                self.history.convicted(*evidence);
            }
            Seen::Anchoring(effect) => self.anchoring(&effect),
            Seen::Broken(what) => self.history.broken("driver", format!("{node}: {what}")),
            Seen::Submitted(_) => self.books.count("record submitted"),
        }
    }

    fn lost(&mut self, _: u64, node: Node) {
        if !self.is_honest(node) {
            return;
        }
        self.lost.insert(node, false);
        self.certified.remove(&node);
        self.epochs.remove(&node);
        self.books.count("log lost something");
        let booked = &self.books.records;
        let gone: Vec<RecordId> = self
            .accepted
            .iter()
            .filter(|(record, by)| **by == node && !booked.contains_key(*record))
            .map(|(record, _)| *record)
            .collect();
        for record in gone {
            self.accepted.remove(&record);
            self.gone.insert(record);
        }
    }
}

fn opened(committees: &Committees, genesis: (Digest, u64)) -> EpochHistory {
    let of = |seats: &[Seat]| seats.iter().map(|seat| seat.institution).collect();
    EpochHistory {
        epoch: committees.epoch,
        producers: of(&committees.producers),
        offset: committees.offset,
        auditors: of(&committees.auditors),
        genesis,
        views: BTreeMap::<View, _>::new(),
        headers: BTreeMap::new(),
        evidence: BTreeMap::new(),
    }
}
