//! Between world and oracles: what nodes send, write and find becomes a history.

use std::collections::BTreeSet;
use std::rc::Rc;

use mdsm_core::consensus::{JournalEntry, Rules};
use mdsm_core::ledger::Subject;
use mdsm_core::roster::{Committees, Seat};
use mdsm_core::types::{Digest, Epoch, InstitutionId};
use std::collections::BTreeMap;

use super::cluster::{Actor, Body, Entry, GENESIS, Seen, Setup, Wire};
use super::world::{Message as _, Node, Observer, To, mix};
use crate::oracle::consensus::{EpochHistory, History, wire};

/// Looks on and judges.
#[derive(Debug)]
pub struct Judge<R> {
    setup: Rc<Setup<R>>,
    /// Institutions by node; a twin has the same as its other.
    institutions: Vec<InstitutionId>,
    /// What was seen.
    pub history: History,
    committees: BTreeMap<Epoch, Committees>,
    /// The epoch that the highest honest node is in.
    open: Epoch,
    /// Honest nodes whose log lost something.
    pub lost: u32,
    /// Votes whose signature did not hold.
    pub forged: u64,
    /// Signed messages of which bytes were changed, all of them refused.
    pub altered: u64,
    /// Anchors certified.
    pub anchored: BTreeSet<Epoch>,
    /// What messages say, by their marks, when it is wanted.
    pub labels: Option<BTreeMap<u64, String>>,
    /// Whether epochs that are over are forgotten once judged.
    pub forgets: bool,
}

impl<R: Rules> Judge<R> {
    /// A judge of a run in which some institutions are faulty.
    #[must_use]
    pub fn new(
        setup: &Rc<Setup<R>>,
        institutions: Vec<InstitutionId>,
        faulty: BTreeSet<InstitutionId>,
    ) -> Self {
        let mut judge = Self {
            setup: setup.clone(),
            institutions,
            history: History::new(faulty),
            committees: BTreeMap::new(),
            open: Epoch::new(0),
            lost: 0,
            forged: 0,
            altered: 0,
            anchored: BTreeSet::new(),
            labels: None,
            forgets: false,
        };
        judge.open(setup.first(), (GENESIS, 0));
        judge
    }

    fn open(&mut self, committees: Committees, genesis: (Digest, u64)) {
        let of = |seats: &[Seat]| seats.iter().map(|seat| seat.institution).collect();
        self.open = committees.epoch;
        self.history.opened(EpochHistory {
            epoch: committees.epoch,
            producers: of(&committees.producers),
            offset: committees.offset,
            auditors: of(&committees.auditors),
            genesis,
            views: BTreeMap::new(),
            headers: BTreeMap::new(),
            evidence: BTreeMap::new(),
        });
        self.committees.insert(committees.epoch, committees);
        if let Some(old) = self.open.get().checked_sub(3).map(Epoch::new).filter(|_| self.forgets) {
            self.history.forget_before(old);
            self.committees = self.committees.split_off(&old);
        }
    }

    fn is_honest(&self, node: Node) -> bool {
        !self.history.faulty.contains(&self.institutions[usize::from(node)])
    }
}

impl<R: Rules> Observer<Actor<R>> for Judge<R> {
    fn sent(&mut self, now_ms: u64, node: Node, _: &To, message: &Rc<Wire>) {
        let from = self.institutions[usize::from(node)];
        if let Some(labels) = &mut self.labels {
            labels.entry(message.mark()).or_insert_with(|| message.label());
        }
        if message.mark().is_multiple_of(ALTERED_ONE_IN) {
            self.alter(message);
        }
        match &message.body {
            Body::Vote(signed) if signed.signer == from => {
                self.history.voted(now_ms, from, &signed.vote);
            }
            Body::Proposal(signed) => self.history.proposed(signed, signed.hash()),
            _ => {}
        }
    }

    fn wrote(&mut self, now_ms: u64, node: Node, entry: &Entry) {
        if !self.is_honest(node) {
            return;
        }
        let me = self.institutions[usize::from(node)];
        match entry {
            Entry::Consensus(JournalEntry::Voted(vote)) => self.history.wrote(me, vote),
            Entry::Consensus(JournalEntry::Certified(certificate)) => {
                self.history.certified(me, certificate);
            }
            Entry::Consensus(_) | Entry::Block(_) => {}
            Entry::Final(signed) => {
                let (header, hash) = (&signed.header, signed.hash());
                self.history.finalized(now_ms, me, header, hash);
                // The first block at or past the mark ends its epoch.
                let is_first = header.epoch == self.open && {
                    let epoch = self.history.epochs.get(&header.epoch);
                    let before = epoch.and_then(|epoch| epoch.headers.get(&header.parent));
                    let started = before
                        .map_or_else(|| self.marks(header.epoch), |parent| Some(parent.timestamp));
                    started.is_some_and(|before| self.crosses(before, header.timestamp))
                };
                if is_first {
                    let old = &self.committees[&header.epoch];
                    let next = self.setup.next(old, header.view.get());
                    self.open((*next).clone(), (hash, header.height.get()));
                }
            }
        }
    }

    fn saw(&mut self, _: u64, node: Node, observation: Seen) {
        if !self.is_honest(node) {
            return;
        }
        match observation {
            Seen::Convicted(evidence) => self.history.convicted(*evidence),
            Seen::Anchored(certificate) => {
                self.anchored.insert(certificate.vote.epoch);
            }
            Seen::Forged(_) => self.forged += 1,
            Seen::Final(_) => {}
        }
    }

    fn lost(&mut self, _: u64, node: Node) {
        self.lost += u32::from(self.is_honest(node));
    }
}

/// Of so many messages one is changed, byte by byte.
const ALTERED_ONE_IN: u64 = 256;
/// Bytes that are changed in it, one at a time.
const CHANGES: u64 = 4;

impl<R: Rules> Judge<R> {
    /// Changes bytes of a signed message and sees that it is refused.
    fn alter(&mut self, message: &Wire) {
        let setup = self.setup.clone();
        let (chain, scheme) = (&setup.chain, &setup.signatures);
        let key = |id: InstitutionId| {
            let is_known = (1..=setup.shape.institutions()).contains(&id.get());
            is_known.then(|| setup.signatures.owner(id))
        };
        let changes = (0..CHANGES).map(|at| {
            let word = mix(message.mark(), at);
            (usize::try_from(word >> 8).unwrap_or(0), word.to_le_bytes()[0])
        });
        let verdict = match &message.body {
            Body::Vote(signed) => wire(signed, changes, |changed| {
                key(changed.signer).is_some_and(|key| changed.holds(chain, &key, scheme))
            }),
            Body::Proposal(block) | Body::Block { block, .. } => {
                wire(&***block, changes, |changed| {
                    key(changed.header.producer).is_some_and(|key| changed.holds(&key, scheme))
                })
            }
            Body::Certificate(certificate) => wire(&**certificate, changes, |changed| {
                let Some(committees) = self.committees.get(&changed.vote.epoch) else {
                    return false;
                };
                let keys = match changed.vote.subject {
                    Subject::Anchor(_) => committees.electorate().map(|seat| seat.key).collect(),
                    _ => committees.auditor_keys(),
                };
                changed.check(chain, &keys, scheme).is_ok()
            }),
            Body::Ask { .. } | Body::AskBlock(_) => return,
        };
        self.altered += 1;
        if let Err(what) = verdict {
            self.history.broken("wire", what);
        }
    }

    /// Time of the block under an epoch; the genesis' for the first.
    fn marks(&self, epoch: Epoch) -> Option<mdsm_core::types::Timestamp> {
        let seen = self.history.epochs.get(&epoch)?;
        let before = epoch.get().checked_sub(1).map(Epoch::new);
        let header = before
            .and_then(|before| self.history.epochs.get(&before))
            .and_then(|before| before.headers.get(&seen.genesis.0));
        let started = mdsm_core::types::Timestamp::new(super::cluster::STARTED_MS);
        Some(header.map_or(started, |header| header.timestamp))
    }

    fn crosses(
        &self,
        before: mdsm_core::types::Timestamp,
        after: mdsm_core::types::Timestamp,
    ) -> bool {
        let window = i64::from(self.setup.shape.epoch_ms);
        before.get().div_euclid(window) != after.get().div_euclid(window)
    }
}
