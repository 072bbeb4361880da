//! All institutions with their standing, and the first of them. [COM-2] [COM-9]
//!
//! Invariant: `institutions` ascends by id; every seat of the committees is held by one of them.

use std::sync::Arc;

use thiserror::Error;

use super::amounts::AUDITORS_MIN;
use super::committee::{Committees, Seat};
use super::credit::Credit;
use super::performance::Performance;
use super::rating::{Founder, ranked};
use super::registration::{self, RegistrationRefused};
use super::seen::Seen;
use crate::ledger::Offence;
use crate::types::{Epoch, InstitutionId, OwnerId, RecordId};

/// One institution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Institution {
    /// Its id, never used by another.
    pub id: InstitutionId,
    /// Its key.
    pub key: OwnerId,
    /// Points at its registration.
    pub rating: u8,
    /// Size of its information centre at its registration.
    pub centre: u32,
    /// Its standing.
    pub credit: Credit,
    /// What it did.
    pub performance: Performance,
    /// Whether fraud was proven.
    pub is_barred: bool,
    pub(super) open: Open,
}

/// What the open epoch has counted for one institution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Open {
    pub(super) misses_charged: u32,
    pub(super) services_credited: u32,
    pub(super) audits: u32,
}

/// Institutions and committees after a finalized block. Plain data.
//= harness/spec/committees.md#com-9-one-answer
//# COM-9.1 (paper): Nodes that hold the same finalized history MUST compute the same credit and the
//# same committees.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Roster {
    /// Seats that the genesis names: producers, auditors.
    pub(super) seats: (u16, u16),
    pub(super) institutions: Vec<Institution>,
    pub(super) current: Arc<Committees>,
    pub(super) previous: Option<Arc<Committees>>,
    /// Certificates that blocks of the open epoch carried.
    pub(super) certificates: u32,
    /// Offences of the open epoch and the one before it that were charged.
    pub(super) charged: Seen<Offence>,
    /// Services of the open epoch and the one before it that were counted.
    pub(super) served: Seen<(Epoch, RecordId)>,
}

/// Founders of whom no network can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum FoundError {
    /// More seats than founders.
    #[error("{founders} founders where {producers} producers and {auditors} auditors have seats")]
    TooFew {
        /// Founders given.
        founders: usize,
        /// Seats of the producers.
        producers: u16,
        /// Seats of the auditors.
        auditors: u16,
    },
    /// Too few seats in a committee.
    #[error("{producers} producers and {auditors} auditors: 1 and {AUDITORS_MIN} are the fewest")]
    Seats {
        /// Seats of the producers.
        producers: u16,
        /// Seats of the auditors.
        auditors: u16,
    },
    /// A founder cannot join.
    #[error("founder {index}: {reason}")]
    Founder {
        /// Index in the list given.
        index: usize,
        /// Why not.
        reason: RegistrationRefused,
    },
}

impl Roster {
    /// The state before the first block: the best founders produce, the next best audit.
    pub fn found(founders: &[Founder], producers: u16, auditors: u16) -> Result<Self, FoundError> {
        //= harness/spec/committees.md#com-2-seats
        //# COM-2.4 (ours): A network of other size MUST seat the numbers of producers and auditors
        //# that its genesis names, with at least 4 auditors.
        if producers == 0 || usize::from(auditors) < AUDITORS_MIN {
            return Err(FoundError::Seats { producers, auditors });
        }
        if founders.len() < usize::from(producers) + usize::from(auditors) {
            return Err(FoundError::TooFew { founders: founders.len(), producers, auditors });
        }
        registration::check(&[], founders)
            .map_err(|(index, reason)| FoundError::Founder { index, reason })?;
        //= harness/spec/committees.md#com-2-seats
        //# COM-2.1 (paper): The institutions ranked 1 to 101 MUST be the producers.
        //= harness/spec/committees.md#com-2-seats
        //# COM-2.2 (paper): The 20 institutions ranked 102 to 121 MUST be the auditors.
        let mut ranking = ranked(founders)
            .into_iter()
            .map(|founder| Seat { institution: founder.institution, key: founder.key });
        let current = Arc::new(Committees {
            epoch: Epoch::new(0),
            producers: ranking.by_ref().take(producers.into()).collect(),
            auditors: ranking.take(auditors.into()).collect(),
            offset: 0,
        });
        let mut institutions: Vec<_> = founders.iter().map(Institution::new).collect();
        institutions.sort_unstable_by_key(|one| one.id);
        Ok(Self {
            seats: (producers, auditors),
            institutions,
            current,
            previous: None,
            certificates: 0,
            charged: Seen::default(),
            served: Seen::default(),
        })
    }

    /// Committees of the open epoch.
    #[must_use]
    pub fn committees(&self) -> &Arc<Committees> {
        &self.current
    }

    /// Committees of the epoch before.
    #[must_use]
    pub fn previous_committees(&self) -> Option<&Arc<Committees>> {
        self.previous.as_ref()
    }

    /// All institutions, by ascending id, with a seat or without.
    //= harness/spec/committees.md#com-2-seats
    //# COM-2.3 (paper): Every other institution MUST be able to take part with a full client.
    #[must_use]
    pub fn institutions(&self) -> &[Institution] {
        &self.institutions
    }

    /// An institution.
    #[must_use]
    pub fn institution(&self, id: InstitutionId) -> Option<&Institution> {
        self.index_of(id).map(|at| &self.institutions[at])
    }

    /// Key of an institution.
    #[must_use]
    pub fn key_of(&self, id: InstitutionId) -> Option<&OwnerId> {
        self.institution(id).map(|one| &one.key)
    }

    pub(super) fn index_of(&self, id: InstitutionId) -> Option<usize> {
        self.institutions.binary_search_by_key(&id, |one| one.id).ok()
    }

    pub(super) fn known(&mut self, id: InstitutionId) -> &mut Institution {
        let at = self.index_of(id).expect("seats and checked facts name known institutions");
        &mut self.institutions[at]
    }
}

impl Institution {
    pub(super) fn new(founder: &Founder) -> Self {
        Self {
            id: founder.institution,
            key: founder.key,
            rating: founder.rating,
            centre: founder.centre,
            credit: Credit::start(founder.rating),
            performance: Performance::default(),
            is_barred: false,
            open: Open::default(),
        }
    }
}
