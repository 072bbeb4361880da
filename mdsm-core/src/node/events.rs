//! Events that wait for a block. [COM-3] [COM-6] [CON-7]

use std::collections::BTreeMap;
use std::sync::Arc;

use super::index::Booked;
use super::limits::EVENTS_MAX;
use super::message::Event;
use crate::chain::{Chain, RecordIndex};
use crate::crypto::sign::Scheme;
use crate::ledger::{AnchorReport, Events, Evidence, Offence, Registration, Service};
use crate::params::{
    BLOCK_ANCHOR_REPORTS_MAX, BLOCK_EVIDENCE_MAX, BLOCK_REGISTRATIONS_MAX, BLOCK_SERVICES_MAX,
};
use crate::types::{Epoch, InstitutionId, List, RecordId};

/// What waits, without repetitions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Waiting {
    evidence: BTreeMap<Offence, Arc<Evidence>>,
    registrations: BTreeMap<InstitutionId, Registration>,
    /// One for each grant and epoch, as the chain takes them.
    services: BTreeMap<(Epoch, RecordId), Service>,
    anchored: BTreeMap<Epoch, AnchorReport>,
}

impl Waiting {
    /// Takes an event that holds; false when it is no news, does not hold, or there is no room.
    pub(super) fn take(
        &mut self,
        event: &Event,
        chain: &Chain,
        booked: &Booked,
        scheme: &impl Scheme,
    ) -> bool {
        match event {
            Event::Evidence(evidence) => {
                let is_known = |claim: &Offence| self.evidence.contains_key(claim);
                let Some(claim) = evidence.claim().filter(|claim| !is_known(claim)) else {
                    return false;
                };
                let is_charged = chain.roster().has_charged(&claim);
                if is_charged || !is_near(claim.epoch, chain.epoch()) || !self.has_room(&claim) {
                    return false;
                }
                let holds = evidence.check(chain, scheme).is_ok();
                if holds {
                    self.make_room();
                    self.evidence.insert(claim, evidence.clone());
                }
                holds
            }
            Event::Registration(joining) => {
                let is_known = self.registrations.contains_key(&joining.institution);
                let registrar = &chain.genesis().registrar;
                let is_taken = chain.roster().institution(joining.institution).is_some();
                !is_known
                    && !is_taken
                    && self.registrations.len() < EVENTS_MAX
                    && joining.check(&chain.id(), registrar, scheme).is_ok()
                    && self.registrations.insert(joining.institution, *joining).is_none()
            }
            Event::Service(service) => {
                //= harness/spec/committees.md#com-6-earning-and-losing
                //# COM-6.15 (ours): A node MUST NOT keep or pass on a receipt of service that its
                //# finalized chain does not bear out.
                let place = (service.epoch, service.grant);
                !self.services.contains_key(&place)
                    && self.services.len() < EVENTS_MAX
                    && is_near(service.epoch, chain.epoch())
                    && !chain.roster().has_served(service.epoch, &service.grant)
                    && booked.bears_out(service)
                    && service.holds(&chain.id(), scheme)
                    && self.services.insert(place, *service).is_none()
            }
        }
    }

    /// Whether this very receipt of service waits.
    pub(super) fn has_service(&self, service: &Service) -> bool {
        self.services.get(&(service.epoch, service.grant)) == Some(service)
    }

    /// Whether evidence for this claim may go in: an institution can confess to a new offence in every view,
    /// and keeps nobody else's out by that.
    fn has_room(&self, claim: &Offence) -> bool {
        let of_most = self.most_accused();
        self.evidence.len() < EVENTS_MAX || of_most != Some(claim.institution)
    }

    /// Of too many the last one of whoever has most goes.
    fn make_room(&mut self) {
        if self.evidence.len() < EVENTS_MAX {
            return;
        }
        let most = self.most_accused();
        let last =
            self.evidence.keys().rev().find(|claim| Some(claim.institution) == most).copied();
        last.and_then(|last| self.evidence.remove(&last));
    }

    fn most_accused(&self) -> Option<InstitutionId> {
        let mut counts: BTreeMap<InstitutionId, usize> = BTreeMap::new();
        self.evidence.keys().for_each(|claim| *counts.entry(claim.institution).or_default() += 1);
        counts.into_iter().max_by_key(|(_, count)| *count).map(|(institution, _)| institution)
    }

    /// Evidence in the order in which it is booked: the first offence of everybody, then the second.
    fn in_turn(&self) -> Vec<&Arc<Evidence>> {
        let mut seen: BTreeMap<InstitutionId, usize> = BTreeMap::new();
        let mut ranked: Vec<_> = self
            .evidence
            .iter()
            .map(|(claim, evidence)| {
                let rank = seen.entry(claim.institution).or_default();
                *rank += 1;
                (*rank, evidence)
            })
            .collect();
        ranked.sort_by_key(|(rank, _)| *rank);
        ranked.into_iter().map(|(_, evidence)| evidence).collect()
    }

    /// Keeps a report of an anchor until the chain has it.
    pub(super) fn report(&mut self, report: AnchorReport) {
        if self.anchored.len() < EVENTS_MAX {
            self.anchored.insert(report.epoch, report);
        }
    }

    /// As many as a block may carry that sees this index.
    pub(super) fn pick(&self, index: &impl RecordIndex) -> Events {
        fn first<T, const MAX: usize>(
            waiting: impl Iterator<Item = T>,
            most: usize,
        ) -> List<T, 0, MAX> {
            List::new(waiting.take(most).collect()).unwrap_or_default()
        }
        let services = self.services.values().filter(|service| index.has_earned(service));
        Events {
            evidence: first(self.in_turn().into_iter().map(|e| (**e).clone()), BLOCK_EVIDENCE_MAX),
            registrations: first(self.registrations.values().copied(), BLOCK_REGISTRATIONS_MAX),
            services: first(services.copied(), BLOCK_SERVICES_MAX),
            anchored: first(self.anchored.values().copied(), BLOCK_ANCHOR_REPORTS_MAX),
        }
    }

    /// Of what may exclude each other, registrations and receipts of service, the first one; for a block in
    /// which all together are refused. The rest is judged anew once these are booked, so that nobody can
    /// keep evidence off the chain by two events that are sound only one at a time.
    pub(super) fn pick_few(&self, index: &impl RecordIndex) -> Events {
        let Events { evidence, registrations, services, anchored } = self.pick(index);
        let first = |events: usize| events.min(1);
        Events {
            registrations: List::new(registrations[..first(registrations.len())].to_vec())
                .unwrap_or_default(),
            services: List::new(services[..first(services.len())].to_vec()).unwrap_or_default(),
            evidence,
            anchored,
        }
    }

    /// Forgets what a final block carried.
    pub(super) fn forget(&mut self, carried: &Events) {
        for evidence in carried.evidence.iter() {
            if let Some(claim) = evidence.claim() {
                self.evidence.remove(&claim);
            }
        }
        for joined in carried.registrations.iter() {
            self.registrations.remove(&joined.institution);
        }
        for service in carried.services.iter() {
            self.services.remove(&(service.epoch, service.grant));
        }
        for report in carried.anchored.iter() {
            self.anchored.remove(&report.epoch);
        }
    }

    /// Forgets what no block can carry any more: reports on epochs that are no longer remembered, and
    /// receipts of service that the acts of the epochs before do not bear out.
    pub(super) fn expire(&mut self, open: Epoch, index: &impl RecordIndex) {
        let oldest = Epoch::new(open.get().saturating_sub(1));
        self.evidence.retain(|claim, _| claim.epoch >= oldest);
        self.services.retain(|(epoch, _), service| *epoch >= oldest && index.has_earned(service));
    }

    /// Takes out everything that the chain refuses, so that one bad event cannot spoil every block.
    /// Receipts of service for which it is too early stay: no block carries them.
    pub(super) fn purge(&mut self, index: &impl RecordIndex, refused: impl Fn(&Events) -> bool) {
        let of_evidence = |evidence: &Arc<Evidence>| Events {
            evidence: List::new(vec![(**evidence).clone()]).unwrap_or_default(),
            ..Events::default()
        };
        self.evidence.retain(|_, evidence| !refused(&of_evidence(evidence)));
        self.registrations.retain(|_, joining| {
            let registrations = List::new(vec![*joining]).unwrap_or_default();
            !refused(&Events { registrations, ..Events::default() })
        });
        self.services.retain(|_, service| {
            let services = List::new(vec![*service]).unwrap_or_default();
            !index.has_earned(service) || !refused(&Events { services, ..Events::default() })
        });
        self.anchored.retain(|_, report| {
            let anchored = List::new(vec![*report]).unwrap_or_default();
            !refused(&Events { anchored, ..Events::default() })
        });
    }
}

/// Whether a block of the open epoch or of the next one may carry a report on this epoch.
fn is_near(epoch: Epoch, open: Epoch) -> bool {
    epoch.get() <= open.get().saturating_add(1) && epoch.get() >= open.get().saturating_sub(1)
}
