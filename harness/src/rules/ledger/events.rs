//! What a block carries beside records. [COM-3] [COM-4] [COM-6] [CON-7]

use super::super::agreement::{
    Events, Registration, Service, Subject, Vote, registration_message, service_message,
};
use super::super::bounds::hold;
use super::super::mirror::{BlockHeader, Bytes32, Certificate, Proposal};
use super::super::roster::{self, Joining};
use super::certificate;
use super::evidence::Roll;
use super::retell::Ledger;

impl Ledger<'_> {
    /// What the block says about institutions, if it may say so.
    pub(super) fn facts(&self, proposal: &Proposal) -> Result<roster::Block, String> {
        let header = &proposal.signed.header;
        let Events { evidence, registrations, services, anchored } = &proposal.payload.events;
        let mut facts = roster::Block {
            view: header.view,
            parent_view: header.parent_view,
            producer: header.producer,
            ..roster::Block::default()
        };
        if let Some(carried) = &proposal.payload.parent_certificate {
            let signers = self.parent_signers(header, carried);
            facts.certificate = Some(signers.map_err(|why| format!("parent certificate: {why}"))?);
        }
        let key_of = |id: u32| self.key_of(id);
        let auditors_of = |epoch: u32| self.auditors_of(epoch);
        let (chain_id, signatures) = (self.chain_id, self.signatures);
        let roll = Roll { chain_id, key_of: &key_of, auditors_of: &auditors_of, signatures };
        for evidence in evidence {
            let offence = roll.judge(evidence).map_err(|why| format!("evidence: {why}"))?;
            let is_new =
                !self.roster.charged.contains(&offence) && !facts.offences.contains(&offence);
            hold(is_new, "evidence: the offence was charged before")?;
            hold(
                self.is_reportable(offence.epoch),
                "evidence: of an epoch that is not judged now",
            )?;
            facts.offences.push(offence);
        }
        for service in services {
            let counted = facts.services.iter().any(|other: &roster::Service| {
                (other.epoch, other.grant) == (service.epoch, service.grant)
            });
            let is_new = !counted && !self.roster.served.contains(&(service.epoch, service.grant));
            hold(is_new, "service: it was counted before")?;
            self.service(service).map_err(|why| format!("service: {why}"))?;
            let Service { epoch, grant, institution, .. } = *service;
            facts.services.push(roster::Service { epoch, grant, institution });
        }
        for registration in registrations {
            let is_free = !facts
                .joining
                .iter()
                .any(|other| other.id == registration.institution || other.key == registration.key);
            hold(is_free, "registration: id or key stands twice in the block")?;
            let joining =
                self.joining(registration).map_err(|why| format!("registration: {why}"))?;
            facts.joining.push(joining);
        }
        let mut before = None;
        for report in anchored {
            let is_in_order = before < Some(report.epoch) && report.epoch < self.roster.seats.epoch;
            hold(is_in_order, "report of an anchor: out of order, or the epoch has not ended")?;
            before = Some(report.epoch);
        }
        hold(!self.roster.refuses(&facts), "the rules in order refuse the block")?;
        Ok(facts)
    }

    fn parent_signers(
        &self,
        header: &BlockHeader,
        carried: &Certificate,
    ) -> Result<Vec<u32>, String> {
        hold(header.parent_view != 0, "the first block of an epoch has none to carry")?;
        let (epoch, view) = (header.epoch, header.parent_view);
        let vote = Vote { epoch, view, subject: Subject::Notarize(header.parent) };
        let auditors = self.seated(&self.roster.seats.auditors);
        certificate::check(carried, &vote, &auditors, &self.chain_id, self.signatures)
    }

    fn is_reportable(&self, epoch: u32) -> bool {
        let open = self.roster.seats.epoch;
        epoch == open || epoch.checked_add(1) == Some(open)
    }

    fn service(&self, service: &Service) -> Result<(), String> {
        hold(self.is_reportable(service.epoch), "of an epoch that is not counted now")?;
        // By what was booked before the open epoch.
        let told = self.access_before.service(&service.grant);
        let (owner, _, served_by) = told.ok_or("no such grant was booked before the epoch")?;
        hold(owner == service.client, "the client is not the owner of the grant")?;
        let has_served = served_by == Some(service.institution);
        hold(has_served, "the institution had not served under the grant before the epoch")?;
        let message = service_message(&self.chain_id, service);
        let is_by = self.signatures.holds(&service.client, &message, &service.signature);
        hold(is_by, "the client did not sign")
    }

    fn joining(&self, registration: &Registration) -> Result<Joining, String> {
        let Registration { institution, key, rating, centre, signature, approval } = registration;
        let key_is_sound = self.signatures.is_sound(key);
        hold(key_is_sound, "the key is unsound")?;
        hold(*rating <= 100, "more than 100 points")?;
        hold(!self.roster.joined.contains_key(institution), "the id is taken")?;
        hold(self.roster.joined.values().all(|other| other.key != *key), "the key is taken")?;
        let message = registration_message(&self.chain_id, registration);
        hold(self.signatures.holds(key, &message, signature), "the key did not sign")?;
        let registrar = &self.genesis.registrar;
        hold(self.signatures.holds(registrar, &message, approval), "the registrar did not sign")?;
        Ok(Joining { id: *institution, key: *key, key_is_sound, rating: *rating, centre: *centre })
    }

    pub(super) fn key_of(&self, id: u32) -> Option<Bytes32> {
        self.roster.joined.get(&id).map(|one| one.key)
    }

    fn auditors_of(&self, epoch: u32) -> Option<Vec<(u32, Bytes32)>> {
        let known = [Some(&self.roster.seats), self.roster.before.as_ref()];
        let seats = known.into_iter().flatten().find(|seats| seats.epoch == epoch)?;
        Some(self.seated(&seats.auditors))
    }

    /// Holders of seats with their keys.
    pub(super) fn seated(&self, ids: &[u32]) -> Vec<(u32, Bytes32)> {
        ids.iter().filter_map(|id| Some((*id, self.key_of(*id)?))).collect()
    }
}
