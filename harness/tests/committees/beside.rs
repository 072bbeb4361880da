//! The roster of the code beside the one of the rules, block by block.

use harness::generate::history::{self, Habits, Step, Words};
use harness::rules::roster as rules;
use mdsm_core::ledger::{Offence, OffenceKind};
use mdsm_core::roster::*;
use mdsm_core::types::*;

pub(crate) fn founder(one: &rules::Joining) -> Founder {
    Founder {
        institution: InstitutionId::new(one.id),
        key: OwnerId::new(one.key),
        rating: one.rating,
        centre: one.centre,
    }
}

fn offence(one: &rules::Offence) -> Offence {
    Offence {
        institution: InstitutionId::new(one.institution),
        epoch: Epoch::new(one.epoch),
        view: View::new(one.view),
        kind: OffenceKind::ALL[usize::from(one.kind - 1)],
    }
}

fn service(one: &rules::Service) -> ServiceFact {
    ServiceFact {
        grant: RecordId::new(one.grant),
        epoch: Epoch::new(one.epoch),
        institution: InstitutionId::new(one.institution),
    }
}

fn change(one: &CreditChange) -> rules::Change {
    let why = match one.cause {
        Cause::Registered => rules::Why::Joined,
        Cause::Booked => rules::Why::Block,
        Cause::Missed => rules::Why::Miss,
        Cause::Audited => rules::Why::Audit,
        Cause::Offended(kind) => rules::Why::Offence(kind as u8),
        Cause::Served => rules::Why::Service,
        Cause::Absent => rules::Why::Absence,
    };
    (one.institution.get(), why, one.amount)
}

fn ids(ids: &[InstitutionId]) -> Vec<u32> {
    ids.iter().map(|id| id.get()).collect()
}

fn freeze(report: &FreezeReport) -> rules::Freeze {
    rules::Freeze {
        changes: report.changes.iter().map(change).collect(),
        expelled: report.expelled.iter().map(|one| one.institution.get()).collect(),
        promoted: ids(&report.promoted),
        seated: ids(&report.seated),
        queued: ids(&report.queued),
    }
}

/// Both, and the view of the last block.
#[derive(Clone, Debug)]
pub(crate) struct Beside {
    pub(crate) roster: Roster,
    pub(crate) rules: rules::State,
    pub(crate) parent_view: u64,
    /// Sum of all items of each institution.
    pub(crate) items: std::collections::BTreeMap<u32, i64>,
}

/// What became of a block.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) is_refused: bool,
    pub(crate) changes: Vec<rules::Change>,
    pub(crate) freeze: Option<rules::Freeze>,
}

impl Beside {
    pub(crate) fn new(founders: &[rules::Joining], producers: u16, auditors: u16) -> Self {
        let converted: Vec<_> = founders.iter().map(founder).collect();
        let roster = Roster::found(&converted, producers, auditors).unwrap();
        let rules = rules::State::found(rules::TABLE, founders, producers, auditors);
        let items = rules.credit.clone();
        let beside = Self { roster, rules, parent_view: 0, items };
        beside.compare();
        beside
    }

    /// Reads the words against the state and gives the block to both.
    pub(crate) fn drawn(&mut self, words: &Words, habits: Habits) -> Outcome {
        let step = history::step(words, self.parent_view, habits, &self.rules);
        self.step(&step)
    }

    pub(crate) fn step(&mut self, step: &Step) -> Outcome {
        let block = &step.block;
        let signers: Vec<_> = block.certificate.iter().flatten().copied().collect();
        let signers: Vec<_> = signers.into_iter().map(InstitutionId::new).collect();
        let offences: Vec<_> = block.offences.iter().map(offence).collect();
        let services: Vec<_> = block.services.iter().map(service).collect();
        let registrations: Vec<_> = block.joining.iter().map(founder).collect();
        let facts = Facts {
            view: View::new(block.view),
            parent_view: View::new(block.parent_view),
            producer: InstitutionId::new(block.producer),
            carries_parent_certificate: block.certificate.is_some(),
            signers: &signers,
            offences: &offences,
            services: &services,
            registrations: &registrations,
        };
        let verdict = self.roster.check(&facts);
        let is_refused = self.rules.refuses(block);
        assert_eq!(verdict.is_err(), is_refused, "{verdict:?} {block:?}");
        if is_refused {
            return Outcome { is_refused, ..Outcome::default() };
        }
        let changes: Vec<_> = self.roster.apply(&facts).iter().map(change).collect();
        assert_eq!(changes, self.rules.block(block));
        self.parent_view = block.view;
        let mut frozen = None;
        if step.is_last {
            let report = freeze(&self.roster.freeze(View::new(block.view)));
            assert_eq!(report, self.rules.freeze(block.view));
            self.parent_view = 0;
            frozen = Some(report);
        }
        let absences = frozen.iter().flat_map(|frozen| &frozen.changes);
        for (id, _, amount) in changes.iter().chain(absences) {
            *self.items.entry(*id).or_default() += amount;
        }
        self.compare();
        Outcome { is_refused, changes, freeze: frozen }
    }

    /// Same bytes, same digest, same leaders, and credit that is the sum of its items.
    pub(crate) fn compare(&self) {
        let mut bytes = Vec::new();
        self.roster.state_into(&mut bytes);
        assert_eq!(bytes, self.rules.bytes());
        assert_eq!(*self.roster.digest().as_bytes(), self.rules.digest());
        for view in 1..=self.rules.seats.producers.len() {
            let view = u64::try_from(view).unwrap();
            let leader = self.roster.committees().leader(View::new(view)).institution.get();
            assert_eq!(leader, self.rules.leader(view));
        }
        for institution in self.roster.institutions() {
            let sum = self.items.get(&institution.id.get()).copied().unwrap_or_default();
            assert_eq!(institution.credit.get(), sum, "{}", institution.id);
        }
    }
}
