//! What was seen of a network, by epoch and view.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use mdsm_core::ledger::{BlockHeader, Certificate, Evidence, Offence, SignedHeader, Subject, Vote};
use mdsm_core::types::{Digest, Epoch, InstitutionId, View};

use super::{CLAIMS, quorum};

/// A broken claim.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Breach {
    /// Name of the claim.
    pub claim: &'static str,
    /// What happened.
    pub what: String,
}

/// What was seen in one view.
#[derive(Clone, Debug, Default)]
pub struct ViewHistory {
    /// Votes on the wire: voter and subject, with when it was first sent.
    pub votes: BTreeMap<(InstitutionId, Subject), u64>,
    /// Votes on disks of honest nodes.
    pub written: BTreeSet<(InstitutionId, Subject)>,
    /// Certificates on disks of honest nodes, by what they certify.
    pub stored: BTreeSet<(InstitutionId, Subject)>,
    /// Certificates that honest nodes hold, one of each subject.
    pub held: BTreeMap<Subject, Arc<Certificate>>,
}

/// What was seen in one epoch.
#[derive(Clone, Debug)]
pub struct EpochHistory {
    /// The epoch.
    pub epoch: Epoch,
    /// Producers in order, and the one that leads view 1.
    pub producers: Vec<InstitutionId>,
    /// Place of the first leader.
    pub offset: u64,
    /// Auditors by seat.
    pub auditors: Vec<InstitutionId>,
    /// The block that the first one extends, and its height.
    pub genesis: (Digest, u64),
    /// By view; anchors are votes of view 0.
    pub views: BTreeMap<View, ViewHistory>,
    /// Blocks seen on the wire.
    pub headers: BTreeMap<Digest, BlockHeader>,
    /// Evidence that honest nodes found.
    pub evidence: BTreeMap<Offence, Evidence>,
}

/// Everything seen.
#[derive(Clone, Debug)]
pub struct History {
    /// Institutions that deviate, or may.
    pub faulty: BTreeSet<InstitutionId>,
    /// Epochs that are not judged yet, and the latest judged one.
    pub epochs: BTreeMap<Epoch, EpochHistory>,
    /// Final blocks by height, as the first node had them.
    pub chain: BTreeMap<u64, Digest>,
    /// How high each honest node is.
    pub heights: BTreeMap<InstitutionId, u64>,
    /// What honest producers proposed in their turns.
    turns: BTreeMap<(Epoch, View, InstitutionId), Digest>,
    /// What went wrong so far.
    pub breaches: BTreeSet<Breach>,
    /// Highest view in which a block became final somewhere, by epoch.
    pub last_final: (Epoch, View),
    /// When.
    pub last_final_ms: u64,
    /// Blocks that became final.
    pub finals: u64,
    /// Views that ended without a block, as certificates show.
    pub nullified: u64,
}

impl History {
    /// A history in which these deviate.
    #[must_use]
    pub fn new(faulty: BTreeSet<InstitutionId>) -> Self {
        Self {
            faulty,
            epochs: BTreeMap::new(),
            chain: BTreeMap::new(),
            heights: BTreeMap::new(),
            turns: BTreeMap::new(),
            breaches: BTreeSet::new(),
            last_final: (Epoch::new(0), View::new(0)),
            last_final_ms: 0,
            finals: 0,
            nullified: 0,
        }
    }

    /// An epoch opens with these committees, on this block.
    pub fn opened(&mut self, epoch: EpochHistory) {
        self.epochs.entry(epoch.epoch).or_insert(epoch);
    }

    /// Notes a breach.
    pub fn broken(&mut self, claim: &'static str, what: String) {
        if self.breaches.len() < 64 {
            self.breaches.insert(Breach { claim, what });
        }
    }

    fn is_honest(&self, institution: InstitutionId) -> bool {
        !self.faulty.contains(&institution)
    }

    /// A node sends a vote of its own.
    pub fn voted(&mut self, now_ms: u64, voter: InstitutionId, vote: &Vote) {
        let is_honest = self.is_honest(voter);
        let Some(epoch) = self.epochs.get_mut(&vote.epoch) else { return };
        let view = epoch.views.entry(vote.view).or_default();
        view.votes.entry((voter, vote.subject)).or_insert(now_ms);
        if !is_honest {
            return;
        }
        let is_justified = match vote.subject {
            Subject::Finalize(hash) => view.stored.contains(&(voter, Subject::Notarize(hash))),
            _ => true,
        };
        if !view.written.contains(&(voter, vote.subject)) {
            self.broken("stored first", format!("{voter} sent {vote:?} before it was on its disk"));
        } else if !is_justified {
            self.broken("stored first", format!("{voter} sent {vote:?} without the notarization"));
        }
    }

    /// A node wrote a vote.
    pub fn wrote(&mut self, voter: InstitutionId, vote: &Vote) {
        if let Some(epoch) = self.epochs.get_mut(&vote.epoch) {
            epoch.views.entry(vote.view).or_default().written.insert((voter, vote.subject));
        }
    }

    /// A header is on the wire.
    pub fn proposed(&mut self, signed: &SignedHeader, hash: Digest) {
        if let Some(epoch) = self.epochs.get_mut(&signed.header.epoch) {
            epoch.headers.entry(hash).or_insert(signed.header);
        }
    }

    /// A node sends a proposal; one of its own must be the first and only one of its view.
    pub fn proposed_by(&mut self, sender: InstitutionId, signed: &SignedHeader, hash: Digest) {
        self.proposed(signed, hash);
        let BlockHeader { epoch, view, producer, .. } = signed.header;
        if producer == sender && self.is_honest(sender) {
            let first = *self.turns.entry((epoch, view, sender)).or_insert(hash);
            if first != hash {
                let what =
                    format!("{sender} proposed {first} and {hash} in view {view} of {epoch}");
                self.broken("honesty", what);
            }
        }
    }

    /// An honest node holds a certificate.
    pub fn certified(&mut self, node: InstitutionId, certificate: &Arc<Certificate>) {
        let vote = &certificate.vote;
        let Some(epoch) = self.epochs.get_mut(&vote.epoch) else { return };
        let seats = match vote.subject {
            Subject::Anchor(_) => epoch.producers.len() + epoch.auditors.len(),
            _ => epoch.auditors.len(),
        };
        let signers = certificate.signers.count();
        let is_inside = certificate.signers.seats().all(|seat| seat < seats);
        let view = epoch.views.entry(vote.view).or_default();
        view.stored.insert((node, vote.subject));
        if view.held.insert(vote.subject, certificate.clone()).is_none()
            && vote.subject == Subject::Nullify
        {
            self.nullified += 1;
        }
        if signers < quorum(seats) || signers != certificate.signatures.len() || !is_inside {
            let what = format!("{node} took {signers} signers of {seats} seats for {vote:?}");
            self.broken("certificate", what);
        }
    }

    /// An honest node appended a block to its final chain.
    pub fn finalized(
        &mut self,
        now_ms: u64,
        node: InstitutionId,
        header: &BlockHeader,
        hash: Digest,
    ) {
        let height = header.height.get();
        let known = self.chain.get(&height).copied();
        let first = known.is_none();
        let other = *self.chain.entry(height).or_insert(hash);
        if other != hash {
            let what = format!("height {height} is {hash} at {node} and {other} elsewhere");
            self.broken("logs", what);
        }
        let last = self.heights.entry(node).or_default();
        let gap = height > *last + 1;
        *last = height.max(*last);
        if gap {
            self.broken("logs", format!("{node} appended height {height} and left some out"));
        }
        if first {
            self.finals += 1;
        }
        let place = (header.epoch, header.view);
        if place > self.last_final {
            (self.last_final, self.last_final_ms) = (place, now_ms);
        }
    }

    /// An honest node found evidence.
    pub fn convicted(&mut self, evidence: Evidence) {
        let Some(claim) = evidence.claim() else { return };
        if let Some(epoch) = self.epochs.get_mut(&claim.epoch) {
            epoch.evidence.entry(claim).or_insert(evidence);
        }
    }

    /// Judges an epoch.
    pub fn judge(&mut self, epoch: Epoch) {
        let Some(seen) = self.epochs.remove(&epoch) else { return };
        for (claim, judge) in CLAIMS {
            if let Err(what) = judge(self, &seen) {
                self.broken(claim, what);
            }
        }
        self.epochs.insert(epoch, seen);
    }

    /// Judges the epochs before this one and forgets them, for runs of any length.
    pub fn forget_before(&mut self, epoch: Epoch) {
        self.turns.retain(|(of, _, _), _| *of >= epoch);
        while let Some((&first, _)) = self.epochs.first_key_value().filter(|(at, _)| **at < epoch) {
            self.judge(first);
            self.epochs.remove(&first);
        }
        let lowest = self.heights.values().min().copied().unwrap_or(0);
        self.chain = self.chain.split_off(&lowest);
    }

    /// Judges all that is left.
    pub fn judge_all(&mut self) {
        let epochs: Vec<Epoch> = self.epochs.keys().copied().collect();
        epochs.into_iter().for_each(|epoch| self.judge(epoch));
    }
}

impl EpochHistory {
    /// Who leads a view, counted step by step.
    #[must_use]
    pub fn leader(&self, view: View) -> InstitutionId {
        let seats = self.producers.len() as u64;
        let at = (self.offset % seats + (view.get() - 1) % seats) % seats;
        self.producers[usize::try_from(at).unwrap_or(0)]
    }

    /// Whether a quorum could be shown for a subject, if every faulty auditor signs it.
    #[must_use]
    pub fn is_certifiable(&self, history: &History, view: View, subject: &Subject) -> bool {
        let Some(seen) = self.views.get(&view) else { return false };
        let is_for = |auditor: &&InstitutionId| {
            history.faulty.contains(*auditor) || seen.votes.contains_key(&(**auditor, *subject))
        };
        self.auditors.iter().filter(is_for).count() >= quorum(self.auditors.len())
    }

    /// Subjects of a view that honest auditors voted for.
    #[must_use]
    pub fn subjects(&self, history: &History, seen: &ViewHistory) -> BTreeSet<Subject> {
        let honest = seen
            .votes
            .keys()
            .filter(|(voter, _)| !history.faulty.contains(voter) && self.auditors.contains(voter));
        honest.map(|(_, subject)| *subject).collect()
    }

    /// Walks from a block to its ancestor at or below a view.
    #[must_use]
    pub fn ancestor(&self, hash: &Digest, view: View) -> Option<Digest> {
        let mut at = *hash;
        loop {
            if at == self.genesis.0 {
                return Some(at);
            }
            let header = self.headers.get(&at)?;
            if header.view <= view {
                return Some(at);
            }
            at = header.parent;
        }
    }
}
