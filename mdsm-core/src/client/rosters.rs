//! The roster chain: who produces and who audits, each epoch certified by the one before. [CLI-2]
//!
//! Cost of an epoch of the paper's network: 81 signatures in one batch and about 10 KB to receive. What is
//! kept is 64 bytes an epoch, and the seats where they changed.

use std::collections::BTreeMap;

use super::answer::{RosterAnswer, RosterStep};
use super::kept::KeptError;
use super::refused::{Check, Refused};
use crate::crypto::sign::Ed25519;
use crate::ledger::{Genesis, Subject};
use crate::roster::{Committees, Seat};
use crate::types::{ChainId, Digest, Epoch, OwnerId};

/// What is known of the committees.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Rosters {
    /// Seats of the epoch named and of all behind it, up to the next entry.
    changes: BTreeMap<Epoch, Committees>,
    /// Certified anchors: of epoch i at place i.
    anchors: Vec<Certified>,
}

/// A certified anchor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Certified {
    /// Its root.
    pub(super) root: Digest,
    /// Hash of the last block of the epoch.
    pub(super) head: Digest,
}

impl Rosters {
    /// The first epoch whose anchor is not known to be certified. Its committees are known, unless
    /// nothing is.
    pub(super) fn open_epoch(&self) -> Epoch {
        Epoch::new(u32::try_from(self.anchors.len()).unwrap_or(u32::MAX))
    }

    /// Who serves in an epoch. Epoch and offset of the value may be those of an earlier one with the
    /// same seats.
    pub(super) fn of(&self, epoch: Epoch) -> Option<&Committees> {
        let is_known = epoch <= self.open_epoch();
        let found = self.changes.range(..=epoch).next_back().filter(|_| is_known);
        found.map(|(_, committees)| committees)
    }

    /// The newest that are known.
    pub(super) fn newest(&self) -> Option<&Committees> {
        self.of(self.open_epoch())
    }

    /// The certified anchor of an epoch.
    pub(super) fn anchor(&self, epoch: Epoch) -> Option<&Certified> {
        self.anchors.get(usize::try_from(epoch.get()).ok()?)
    }

    /// Committees, where they changed.
    pub(super) fn changes(&self) -> impl Iterator<Item = &Committees> {
        self.changes.values()
    }

    /// Root and head of each certified anchor.
    pub(super) fn kept_anchors(&self) -> Vec<(Digest, Digest)> {
        self.anchors.iter().map(|anchor| (anchor.root, anchor.head)).collect()
    }

    /// Takes in what was kept, where nothing is known yet.
    pub(super) fn resume(
        &mut self,
        changes: impl Iterator<Item = Committees>,
        anchors: &[(Digest, Digest)],
    ) -> Result<(), KeptError> {
        let certified = |(root, head): &(Digest, Digest)| Certified { root: *root, head: *head };
        self.anchors = anchors.iter().map(certified).collect();
        let (mut expected_first, open) = (self.changes.is_empty(), self.open_epoch());
        for committees in changes {
            let epoch = committees.epoch;
            let is_empty = committees.producers.is_empty() || committees.auditors.is_empty();
            let is_known = epoch <= open && (!expected_first || epoch == Epoch::new(0));
            if is_empty || !is_known || self.changes.insert(epoch, committees).is_some() {
                return Err(KeptError::Committees { epoch });
            }
            expected_first = false;
        }
        let is_rootless = self.changes.is_empty() && !self.anchors.is_empty();
        if is_rootless { Err(KeptError::Committees { epoch: Epoch::new(0) }) } else { Ok(()) }
    }

    /// Goes on by what an answer proves. What it proves before it fails stays known.
    pub(super) fn learn(
        &mut self,
        genesis: &Genesis,
        chain: &ChainId,
        answer: &RosterAnswer,
    ) -> Result<(), Refused> {
        if let Some(first) = &answer.first {
            let found = first.0.digest();
            Check::Roster.holds(found == genesis.committees, || {
                format!("first: {found} is not the digest in the genesis, {}", genesis.committees)
            })?;
            self.changes.entry(Epoch::new(0)).or_insert_with(|| first.0.committees.clone());
        }
        answer.steps.iter().try_for_each(|step| self.step(chain, step))
    }

    fn step(&mut self, chain: &ChainId, step: &RosterStep) -> Result<(), Refused> {
        let (anchor, certificate, next) = (&step.anchor.0, &step.certificate.0, &step.next.0);
        let epoch = anchor.epoch;
        Check::Network.holds(anchor.chain_id == *chain, || {
            format!("anchor of epoch {epoch}: of network {}", anchor.chain_id)
        })?;
        let root = anchor.root();
        if let Some(known) = self.anchor(epoch) {
            return Check::OneHistory.holds(known.root == root, || {
                format!("epoch {epoch}: anchor {root}, and {} was certified before", known.root)
            });
        }
        let open = self.open_epoch();
        let Some(electorate) = self.newest().filter(|_| epoch == open) else {
            let why = format!("anchor of epoch {epoch}, where that of {open} is the next to learn");
            return Err(Check::Roster.refuses(why));
        };
        let vote = &certificate.vote;
        let is_for_it = vote.epoch == epoch && vote.subject == Subject::Anchor(root);
        Check::Roster.holds(is_for_it, || {
            format!("epoch {epoch}: the certificate is not for the anchor {root}")
        })?;
        let keys: Vec<OwnerId> = electorate.electorate().map(|seat| seat.key).collect();
        certificate
            .check(chain, &keys, &Ed25519)
            .map_err(|error| Check::Roster.refuses(format!("anchor of epoch {epoch}: {error}")))?;
        let found = next.digest();
        Check::Roster.holds(found == anchor.next_committees, || {
            let named = anchor.next_committees;
            format!("epoch {epoch}: {found} is not the digest of the next committees, {named}")
        })?;
        let next = &next.committees;
        let next_epoch = epoch.next().filter(|next_epoch| *next_epoch == next.epoch);
        let next_epoch = next_epoch.ok_or_else(|| {
            Check::Roster.refuses(format!("committees of epoch {} behind {epoch}", next.epoch))
        })?;
        let seats = |committees: &Committees| -> [Vec<Seat>; 2] {
            [committees.producers.clone(), committees.auditors.clone()]
        };
        if seats(electorate) != seats(next) {
            self.changes.insert(next_epoch, next.clone());
        }
        self.anchors.push(Certified { root, head: anchor.head });
        Ok(())
    }
}
