//! What a block carries beside records: the parent's certificate, evidence, registrations, receipts
//! of service, reports of anchors. [COM-3] [COM-4] [COM-6] [CON-7]
//!
//! Cost: the signatures of the certificate in one batch, and those of each event.

use thiserror::Error;

use super::apply::Chain;
use super::check::{Checked, RecordIndex};
use crate::crypto::sign::Scheme;
use crate::ledger::{
    Block, BlockHeader, Certificate, CertificateError, EvidenceError, Offence, RegistrationError,
    Registry, Subject, Vote,
};
use crate::roster::{Facts, Founder, RosterError, ServiceFact};
use crate::types::{ChainId, Epoch, InstitutionId, OwnerId, View};

/// The events of a block, as the roster takes them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct CheckedEvents {
    certified: bool,
    signers: Vec<InstitutionId>,
    offences: Vec<Offence>,
    services: Vec<ServiceFact>,
    registrations: Vec<Founder>,
}

/// An event that must not be booked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum EventError {
    /// The certificate is for something else than the parent, or there is nothing to certify.
    #[error("parent_certificate: does not notarize the parent")]
    Parent,
    /// The certificate of the parent certifies nothing.
    #[error("parent_{0}")]
    Certificate(#[from] CertificateError),
    /// Evidence proves nothing.
    #[error("events.evidence {index}: {error}")]
    Evidence {
        /// Index in its list.
        index: usize,
        /// Why.
        error: EvidenceError,
    },
    /// A registration is not signed as it must be.
    #[error("events.registrations {index}: {error}")]
    Registration {
        /// Index in its list.
        index: usize,
        /// Why.
        error: RegistrationError,
    },
    /// A receipt of service is not by the owner of a grant to that institution.
    #[error("events.services {index}: no booked grant of that client to that institution")]
    Grant {
        /// Index in its list.
        index: usize,
    },
    /// The client did not sign the receipt of service.
    #[error("events.services {index}: the signature does not hold")]
    Service {
        /// Index in its list.
        index: usize,
    },
    /// A report of an anchor that cannot exist yet, or not in ascending order of epochs.
    #[error("events.anchored {index}: epoch {epoch} is open or out of order")]
    Anchored {
        /// Index in its list.
        index: usize,
        /// Epoch named.
        epoch: Epoch,
    },
    /// Refused by the state of the institutions.
    #[error("events: {0}")]
    Roster(#[from] RosterError),
}

impl Chain {
    pub(super) fn check_events(
        &self,
        block: &Block,
        booked: &impl RecordIndex,
        scheme: &impl Scheme,
    ) -> Result<CheckedEvents, EventError> {
        let (header, payload) = (&block.header, &block.payload);
        let mut checked = CheckedEvents::default();
        if let Some(certificate) = &payload.parent_certificate {
            checked.certified = true;
            checked.signers = self.check_parent(header, certificate, scheme)?;
        }
        for (index, evidence) in payload.events.evidence.iter().enumerate() {
            let offence = evidence.check(self, scheme);
            checked.offences.push(offence.map_err(|error| EventError::Evidence { index, error })?);
        }
        for (index, joining) in payload.events.registrations.iter().enumerate() {
            joining
                .check(&self.id, &self.genesis.registrar, scheme)
                .map_err(|error| EventError::Registration { index, error })?;
            let (institution, key) = (joining.institution, joining.key);
            let (rating, centre) = (joining.rating, joining.centre);
            checked.registrations.push(Founder { institution, key, rating, centre });
        }
        for (index, service) in payload.events.services.iter().enumerate() {
            //= harness/spec/committees.md#com-6-earning-and-losing
            //# COM-6.3 (ours): Service MUST raise credit only through a receipt that its client
            //# signed, at most once for each grant and epoch.
            //= harness/spec/reencryption.md#pre-5-re-encryption
            //# PRE-5.3 (paper): The proxy MUST earn credit for a delivery.
            if !booked.has_earned(service) {
                return Err(EventError::Grant { index });
            }
            if !service.holds(&self.id, scheme) {
                return Err(EventError::Service { index });
            }
            let (grant, epoch, institution) = (service.grant, service.epoch, service.institution);
            checked.services.push(ServiceFact { grant, epoch, institution });
        }
        let mut reported = None;
        for (index, report) in payload.events.anchored.iter().enumerate() {
            let epoch = report.epoch;
            if epoch >= self.epoch || reported.is_some_and(|before| before >= epoch) {
                return Err(EventError::Anchored { index, epoch });
            }
            reported = Some(epoch);
        }
        self.roster.check(&checked.facts(header))?;
        Ok(checked)
    }

    /// Who notarized the parent.
    fn check_parent(
        &self,
        header: &BlockHeader,
        certificate: &Certificate,
        scheme: &impl Scheme,
    ) -> Result<Vec<InstitutionId>, EventError> {
        let (epoch, view) = (header.epoch, header.parent_view);
        let vote = Vote { epoch, view, subject: Subject::Notarize(header.parent) };
        if certificate.vote != vote || view == View::new(0) {
            return Err(EventError::Parent);
        }
        let committees = self.roster.committees();
        certificate.check(&self.id, &committees.auditor_keys(), scheme)?;
        let electorate: Vec<InstitutionId> =
            committees.auditors.iter().map(|seat| seat.institution).collect();
        Ok(certificate.signers_of(&electorate).map(|(signer, _)| signer).collect())
    }
}

impl CheckedEvents {
    fn facts(&self, header: &BlockHeader) -> Facts<'_> {
        Facts {
            view: header.view,
            parent_view: header.parent_view,
            producer: header.producer,
            carries_parent_certificate: self.certified,
            signers: &self.signers,
            offences: &self.offences,
            services: &self.services,
            registrations: &self.registrations,
        }
    }
}

impl Checked<'_> {
    pub(super) fn facts(&self) -> Facts<'_> {
        self.events.facts(&self.block().header)
    }
}

impl Registry for Chain {
    fn chain_id(&self) -> ChainId {
        self.id
    }

    fn key_of(&self, institution: InstitutionId) -> Option<OwnerId> {
        self.roster.key_of(institution).copied()
    }

    fn auditors_of(&self, epoch: Epoch) -> Option<Vec<OwnerId>> {
        let current = Some(self.roster.committees());
        let known = [current, self.roster.previous_committees()].into_iter().flatten();
        let mut of_epoch = known.filter(|committees| committees.epoch == epoch);
        of_epoch.next().map(|committees| committees.auditor_keys())
    }
}
