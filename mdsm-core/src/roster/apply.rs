//! How a finalized block changes the standing of institutions: the rules of the spec, committees,
//! section "One block", in its order. [COM-3] to [COM-6]

use std::sync::Arc;

use super::amounts::{
    AUDIT, BLOCK, FRAUD, MISS, MISSES_CHARGED_MAX, SERVICE, SERVICES_CREDITED_MAX,
};
use super::committee::Committees;
use super::credit::{Cause, CreditChange};
use super::facts::{Facts, RosterError, ServiceFact};
use super::institutions::{Institution, Roster};
use super::performance::count;
use super::registration::RegistrationFact;
use super::turn;
use crate::ledger::{Offence, OffenceKind};

impl Roster {
    /// Changes the standing as a finalized block demands; every change of credit is an item.
    ///
    /// # Panics
    /// When [`check`](Self::check) would refuse the facts.
    pub fn apply(&mut self, facts: &Facts<'_>) -> Vec<CreditChange> {
        self.step(facts).expect("facts are applied to the roster that they were checked against")
    }

    pub(super) fn step(&mut self, facts: &Facts<'_>) -> Result<Vec<CreditChange>, RosterError> {
        let mut changes = Vec::with_capacity(facts.signers.len() + 8);
        let current = Arc::clone(&self.current);
        self.book(facts, &mut changes)?;
        self.charge_misses(&current, facts, &mut changes)?;
        self.credit_audits(facts, &mut changes)?;
        self.charge_offences(facts.offences, &mut changes)?;
        self.credit_services(facts.services, &mut changes)?;
        self.register(facts.registrations, &mut changes);
        Ok(changes)
    }

    fn book(
        &mut self,
        facts: &Facts<'_>,
        changes: &mut Vec<CreditChange>,
    ) -> Result<(), RosterError> {
        let producer = self.known(facts.producer);
        count(&mut producer.performance.blocks_signed, 1);
        //= harness/spec/committees.md#com-6-earning-and-losing
        //# COM-6.1 (paper): Booking, auditing, answering queries and re-encrypting MUST raise
        //# credit.
        //= harness/spec/committees.md#com-6-earning-and-losing
        //# COM-6.10 (ours): A block after the first of its epoch that does not carry its parent's
        //# certificate MUST earn its producer nothing.
        if facts.carries_parent_certificate || facts.parent_view.get() == 0 {
            producer.change(Cause::Booked, BLOCK, changes)?;
        }
        Ok(())
    }

    fn charge_misses(
        &mut self,
        current: &Committees,
        facts: &Facts<'_>,
        changes: &mut Vec<CreditChange>,
    ) -> Result<(), RosterError> {
        //= harness/spec/committees.md#com-4-performance-record
        //# COM-4.2 (ours): A turn MUST count as missed exactly when a finalized block names a
        //# parent of an earlier view and so skips the view of that turn.
        let (parent_view, view) = (facts.parent_view.get(), facts.view.get());
        let seats = current.producers.len();
        for (seat, turns) in turn::skipped(current.offset, parent_view, view, seats) {
            let missing = self.known(current.producers[seat].institution);
            count(&mut missing.performance.blocks_missed, turns);
            //= harness/spec/committees.md#com-6-earning-and-losing
            //# COM-6.8 (ours): In one epoch an institution MUST be charged at most 2 missed turns
            //# and credited at most 10 services.
            let room = MISSES_CHARGED_MAX - missing.open.misses_charged;
            for _ in 0..turns.min(room.into()) {
                missing.open.misses_charged += 1;
                missing.change(Cause::Missed, MISS, changes)?;
            }
        }
        Ok(())
    }

    fn credit_audits(
        &mut self,
        facts: &Facts<'_>,
        changes: &mut Vec<CreditChange>,
    ) -> Result<(), RosterError> {
        //= harness/spec/committees.md#com-4-performance-record
        //# COM-4.3 (ours): An audit MUST count as done exactly when the auditor's signature stands
        //# in the parent certificate that a finalized block carries.
        self.certificates =
            self.certificates.saturating_add(facts.carries_parent_certificate.into());
        for signer in facts.signers {
            let auditor = self.known(*signer);
            count(&mut auditor.performance.audits_done, 1);
            auditor.open.audits = auditor.open.audits.saturating_add(1);
            auditor.change(Cause::Audited, AUDIT, changes)?;
        }
        Ok(())
    }

    fn charge_offences(
        &mut self,
        offences: &[Offence],
        changes: &mut Vec<CreditChange>,
    ) -> Result<(), RosterError> {
        for offence in offences {
            let offender = self.known(offence.institution);
            //= harness/spec/committees.md#com-4-performance-record
            //# COM-4.4 (ours): A wrong block or a wrong audit MUST count only on evidence that a
            //# finalized block carries and that anybody can check.
            let counters = &mut offender.performance;
            let counter = match offence.kind {
                OffenceKind::InvalidBlock => &mut counters.blocks_wrong,
                OffenceKind::WrongAudit => &mut counters.audits_wrong,
                OffenceKind::DoubleProposal
                | OffenceKind::DoubleNotarize
                | OffenceKind::NullifyAndFinalize
                | OffenceKind::DoubleFinalize
                | OffenceKind::DoubleAnchor => &mut counters.cheats,
            };
            count(counter, 1);
            //= harness/spec/committees.md#com-7-replacement
            //# COM-7.6 (ours): A key with proven fraud MUST be barred from both committees for
            //# ever.
            offender.is_barred = true;
            //= harness/spec/committees.md#com-6-earning-and-losing
            //# COM-6.2 (paper): Signing an invalid block, cheating, missing a turn and a wrong
            //# audit MUST lower credit.
            offender.change(Cause::Offended(offence.kind), FRAUD, changes)?;
        }
        self.charged.add(offences.to_vec());
        Ok(())
    }

    fn credit_services(
        &mut self,
        services: &[ServiceFact],
        changes: &mut Vec<CreditChange>,
    ) -> Result<(), RosterError> {
        for service in services {
            let server = self.known(service.institution);
            count(&mut server.performance.services, 1);
            if server.open.services_credited < SERVICES_CREDITED_MAX {
                server.open.services_credited += 1;
                server.change(Cause::Served, SERVICE, changes)?;
            }
        }
        self.served.add(services.iter().map(|one| (one.epoch, one.grant)).collect());
        Ok(())
    }

    fn register(&mut self, joining: &[RegistrationFact], changes: &mut Vec<CreditChange>) {
        for fact in joining {
            //= harness/spec/committees.md#com-3-registration
            //# COM-3.1 (paper): An institution MUST register on line with its public key before it
            //# can become a delegate.
            let joined = Institution::new(fact);
            let at = self.institutions.partition_point(|one| one.id < joined.id);
            self.institutions.insert(at, joined);
            let (institution, amount) = (joined.id, joined.credit.get());
            if amount != 0 {
                changes.push(CreditChange { institution, cause: Cause::Registered, amount });
            }
        }
    }
}

impl Institution {
    pub(super) fn change(
        &mut self,
        cause: Cause,
        amount: i64,
        changes: &mut Vec<CreditChange>,
    ) -> Result<(), RosterError> {
        let (institution, credit) = (self.id, self.credit);
        let (credit, amount) =
            credit.plus(amount).ok_or(RosterError::Overflow { institution, credit, amount })?;
        self.credit = credit;
        //= harness/spec/committees.md#com-6-earning-and-losing
        //# COM-6.11 (ours): The total change of an institution's credit MUST be the sum of the
        //# listed items, each with its cause.
        if amount != 0 {
            changes.push(CreditChange { institution, cause, amount });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::sign::SigningKey;
    use crate::roster::Founder;
    use crate::roster::credit::Credit;
    use crate::types::{Epoch, InstitutionId, View};

    #[test]
    fn com_5_4_a_block_whose_charges_have_no_room_is_refused() {
        //= harness/spec/committees.md#com-5-credit
        //= type=test
        //# COM-5.4 (ours): Credit MUST be computed in integers, with overflow refused rather than
        //# wrapped.
        let founders: Vec<_> = (0..8)
            .map(|n| Founder {
                institution: InstitutionId::new(n),
                key: SigningKey::from_seed(&[u8::try_from(n).unwrap(); 32]).owner(),
                rating: 50,
                centre: 1,
            })
            .collect();
        let mut roster = Roster::found(&founders, 4, 4).unwrap();
        let offence = |view| Offence {
            institution: InstitutionId::new(7),
            epoch: Epoch::new(0),
            view: View::new(view),
            kind: OffenceKind::DoubleNotarize,
        };
        let offences = [offence(1), offence(2)];
        let facts = Facts {
            view: View::new(1),
            parent_view: View::new(0),
            producer: InstitutionId::new(0),
            carries_parent_certificate: false,
            signers: &[],
            offences: &offences,
            services: &[],
            registrations: &[],
        };
        let credit = Credit::of(i64::MIN - 2 * FRAUD);
        roster.institutions[7].credit = credit;
        assert_eq!(roster.check(&facts), Ok(()));
        roster.institutions[7].credit = Credit::of(credit.get() - 1);
        let before = roster.clone();
        let refused = RosterError::Overflow {
            institution: InstitutionId::new(7),
            credit: Credit::of(i64::MIN - (1 + FRAUD)),
            amount: FRAUD,
        };
        assert_eq!(roster.check(&facts), Err(refused));
        assert_eq!(roster, before, "a refusal changes nothing");
    }
}
