//! What a finalized block says about institutions, and whether it may say so. [COM-3] [COM-6] [CON-5]

use thiserror::Error;

use super::amounts::EPOCHS_BACK;
use super::credit::Credit;
use super::institutions::Roster;
use super::registration::{self, RegistrationFact, RegistrationRefused};
use crate::ledger::Offence;
use crate::types::{Epoch, InstitutionId, RecordId, View};

/// A service that its client signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceFact {
    /// The booked grant under which it was done.
    pub grant: RecordId,
    /// The epoch for which it counts.
    pub epoch: Epoch,
    /// Who served.
    pub institution: InstitutionId,
}

/// What a finalized block says about institutions; signatures and certificates are checked.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// View of the block.
    pub view: View,
    /// View of its parent, 0 for the first block of an epoch.
    pub parent_view: View,
    /// Who signed it.
    pub producer: InstitutionId,
    /// Whether it carries the certificate of its parent.
    pub carries_parent_certificate: bool,
    /// Auditors whose signatures that certificate holds, in the order of their seats.
    pub signers: &'a [InstitutionId],
    /// Offences that its evidence proves.
    pub offences: &'a [Offence],
    /// Services that it reports.
    pub services: &'a [ServiceFact],
    /// Institutions that join.
    pub registrations: &'a [RegistrationFact],
}

/// Facts that no block may bring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RosterError {
    /// Not after its parent.
    #[error("view: {view} is not above the parent's, {parent_view}")]
    View {
        /// View of the block.
        view: View,
        /// View of its parent.
        parent_view: View,
    },
    /// Another producer leads.
    #[error("producer: {found} where {leader} leads")]
    Producer {
        /// Producer named.
        found: InstitutionId,
        /// The leader of the view.
        leader: InstitutionId,
    },
    /// The first block of an epoch has no parent that its committee certified; a block without
    /// certificate has no signers.
    #[error("parent certificate: there is none to carry")]
    Certificate,
    /// Not an auditor, or not in the order of seats, as one named twice is.
    #[error("signer {institution}: no auditor of this epoch, or out of the order of seats")]
    Signer {
        /// The signer.
        institution: InstitutionId,
    },
    /// Nobody has the id.
    #[error("{what} {index}: institution {institution} is unknown")]
    Unknown {
        /// Offence or service.
        what: &'static str,
        /// Index in its list.
        index: usize,
        /// The id.
        institution: InstitutionId,
    },
    /// Too old, or of an epoch that has not begun.
    #[error("{what} {index}: epoch {found} where {open} is open")]
    Epoch {
        /// Offence or service.
        what: &'static str,
        /// Index in its list.
        index: usize,
        /// Epoch named.
        found: Epoch,
        /// The open epoch.
        open: Epoch,
    },
    /// Counted before, on the chain or in the same block.
    #[error("{what} {index}: has been counted")]
    Repeated {
        /// Offence or service.
        what: &'static str,
        /// Index in its list.
        index: usize,
    },
    /// An institution cannot join.
    #[error("registration {index}: {reason}")]
    Registration {
        /// Index in its list.
        index: usize,
        /// Why not.
        reason: RegistrationRefused,
    },
    /// The credit would leave the range of the integer.
    #[error("credit of {institution}: {credit} has no room for {amount}")]
    Overflow {
        /// Whose credit.
        institution: InstitutionId,
        /// The credit.
        credit: Credit,
        /// The amount.
        amount: i64,
    },
}

impl Roster {
    /// Whether a block may bring these facts. A refusal is a fault of its producer.
    pub fn check(&self, facts: &Facts<'_>) -> Result<(), RosterError> {
        self.check_turn(facts)?;
        self.check_offences(facts.offences)?;
        self.check_services(facts.services)?;
        registration::check(&self.institutions, facts.registrations)
            .map_err(|(index, reason)| RosterError::Registration { index, reason })?;
        // Only charges can leave the range, and only of credit near its end.
        self.clone().step(facts).map(drop)
    }

    /// Whether an offence of the open epoch or the one before it was charged.
    #[must_use]
    pub fn has_charged(&self, offence: &Offence) -> bool {
        self.charged.contains(offence)
    }

    /// Whether a receipt of service under a grant is booked for an epoch, as long as it is remembered.
    #[must_use]
    pub fn has_served(&self, epoch: Epoch, grant: &RecordId) -> bool {
        self.served.contains(&(epoch, *grant))
    }

    fn check_turn(&self, facts: &Facts<'_>) -> Result<(), RosterError> {
        let Facts { view, parent_view, producer, .. } = *facts;
        if view <= parent_view {
            return Err(RosterError::View { view, parent_view });
        }
        let leader = self.current.leader(view).institution;
        if producer != leader {
            return Err(RosterError::Producer { found: producer, leader });
        }
        let certified = parent_view.get() > 0;
        if facts.carries_parent_certificate && !certified
            || !facts.carries_parent_certificate && !facts.signers.is_empty()
        {
            return Err(RosterError::Certificate);
        }
        let mut seats = self.current.auditors.iter();
        for institution in facts.signers {
            if !seats.any(|seat| seat.institution == *institution) {
                return Err(RosterError::Signer { institution: *institution });
            }
        }
        Ok(())
    }

    fn check_offences(&self, offences: &[Offence]) -> Result<(), RosterError> {
        let what = "offence";
        for (index, offence) in offences.iter().enumerate() {
            self.check_reported((what, index), offence.institution, offence.epoch)?;
            //= harness/spec/committees.md#com-6-earning-and-losing
            //# COM-6.4 (ours): One offence MUST be charged once, however often its evidence is
            //# handed in.
            if self.charged.contains(offence) || offences[..index].contains(offence) {
                return Err(RosterError::Repeated { what, index });
            }
        }
        Ok(())
    }

    fn check_services(&self, services: &[ServiceFact]) -> Result<(), RosterError> {
        let what = "service";
        let of = |service: &ServiceFact| (service.epoch, service.grant);
        for (index, service) in services.iter().enumerate() {
            self.check_reported((what, index), service.institution, service.epoch)?;
            //= harness/spec/committees.md#com-6-earning-and-losing
            //# COM-6.3 (ours): Service MUST raise credit only through a receipt that its client
            //# signed, at most once for each grant and epoch.
            let in_block = services[..index].iter().any(|earlier| of(earlier) == of(service));
            if self.served.contains(&of(service)) || in_block {
                return Err(RosterError::Repeated { what, index });
            }
        }
        Ok(())
    }

    /// What is reported is about a known institution, and of an epoch whose reports are remembered.
    fn check_reported(
        &self,
        (what, index): (&'static str, usize),
        institution: InstitutionId,
        found: Epoch,
    ) -> Result<(), RosterError> {
        if self.index_of(institution).is_none() {
            return Err(RosterError::Unknown { what, index, institution });
        }
        let open = self.current.epoch;
        //= harness/spec/committees.md#com-6-earning-and-losing
        //# COM-6.12 (ours): A block that reports an offence or a service of an epoch other than the
        //# open one and the one before it MUST be refused.
        if found > open || found < oldest_reported(open) {
            return Err(RosterError::Epoch { what, index, found, open });
        }
        Ok(())
    }
}

/// The oldest epoch that a report in a block of the open epoch may be about.
pub(super) fn oldest_reported(open: Epoch) -> Epoch {
    Epoch::new(open.get().saturating_sub(EPOCHS_BACK))
}
