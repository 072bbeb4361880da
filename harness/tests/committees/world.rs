//! A small network for tests by hand: institution `n` has id `n` and rank `n + 1`.

use mdsm_core::crypto::sign::SigningKey;
use mdsm_core::ledger::{Offence, OffenceKind};
use mdsm_core::roster::*;
use mdsm_core::types::*;

pub(crate) fn id(id: u32) -> InstitutionId {
    InstitutionId::new(id)
}

pub(crate) fn ids(all: &[u32]) -> Vec<InstitutionId> {
    all.iter().copied().map(id).collect()
}

/// An institution with a key of its own.
pub(crate) fn institution(number: u32, rating: u8) -> Founder {
    let mut seed = [0x77; 32];
    seed[..4].copy_from_slice(&number.to_le_bytes());
    let key = SigningKey::from_seed(&seed).owner();
    Founder { institution: id(number), key, rating, centre: 1_000 - number }
}

/// What a block says beside its place in the chain.
#[derive(Clone, Debug, Default)]
pub(crate) struct Say {
    /// Views skipped before it.
    pub(crate) skips: u64,
    /// Auditors left out of the parent's certificate.
    pub(crate) without: Vec<u32>,
    /// Whether it carries no certificate at all.
    pub(crate) bare: bool,
    pub(crate) offences: Vec<Offence>,
    pub(crate) services: Vec<ServiceFact>,
    pub(crate) joining: Vec<Founder>,
}

#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) roster: Roster,
    pub(crate) parent: u64,
}

impl World {
    /// So many institutions, all of one rating.
    pub(crate) fn new(count: u32, rating: u8, producers: u16, auditors: u16) -> Self {
        let founders: Vec<_> = (0..count).map(|number| institution(number, rating)).collect();
        Self { roster: Roster::found(&founders, producers, auditors).unwrap(), parent: 0 }
    }

    /// 4 producers, 0 to 3; 4 auditors, 4 to 7; 8 to 11 outside.
    pub(crate) fn small() -> Self {
        Self::new(12, 50, 4, 4)
    }

    /// Gives the next block to the roster if the roster takes it.
    pub(crate) fn block(&mut self, say: &Say) -> Result<Vec<CreditChange>, RosterError> {
        let view = View::new(self.parent + 1 + say.skips);
        let seats = self.roster.committees().clone();
        let carries = self.parent > 0 && !say.bare;
        let auditors = seats.auditors.iter().map(|seat| seat.institution);
        let signers: Vec<_> =
            auditors.filter(|one| carries && !say.without.contains(&one.get())).collect();
        let facts = Facts {
            view,
            parent_view: View::new(self.parent),
            producer: seats.leader(view).institution,
            carries_parent_certificate: carries,
            signers: &signers,
            offences: &say.offences,
            services: &say.services,
            registrations: &say.joining,
        };
        self.roster.check(&facts)?;
        self.parent = view.get();
        Ok(self.roster.apply(&facts))
    }

    pub(crate) fn freeze(&mut self) -> FreezeReport {
        let last = std::mem::take(&mut self.parent);
        self.roster.freeze(View::new(last))
    }

    /// A block with these offences, then the freeze.
    pub(crate) fn convict(&mut self, offences: &[Offence]) -> FreezeReport {
        self.block(&Say { offences: offences.to_vec(), ..Say::default() }).unwrap();
        self.freeze()
    }

    pub(crate) fn offence(&self, who: u32, kind: OffenceKind) -> Offence {
        let epoch = self.roster.committees().epoch;
        Offence { institution: id(who), epoch, view: View::new(1), kind }
    }

    pub(crate) fn service(&self, who: u32, grant: u8) -> ServiceFact {
        let epoch = self.roster.committees().epoch;
        ServiceFact { grant: RecordId::new([grant; 32]), epoch, institution: id(who) }
    }

    pub(crate) fn of(&self, who: u32) -> &Institution {
        self.roster.institution(id(who)).unwrap()
    }

    pub(crate) fn credit(&self, who: u32) -> i64 {
        self.of(who).credit.get()
    }

    pub(crate) fn producers(&self) -> Vec<u32> {
        self.roster.committees().producers.iter().map(|seat| seat.institution.get()).collect()
    }

    pub(crate) fn auditors(&self) -> Vec<u32> {
        self.roster.committees().auditors.iter().map(|seat| seat.institution.get()).collect()
    }
}
