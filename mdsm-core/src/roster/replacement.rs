//! The freeze: who loses a seat, who gets it, whose turn is next. [COM-7] [CON-5]
//!
//! One change is the loss of one seat with the moves that fill it, or one empty seat that is filled.
//! So at most one auditor's seat and one producer's seat get another holder in a change. Where nobody
//! is left to move up, the committee shrinks, but not below 4 auditors or 1 producer: then the
//! expulsion waits. Cost: a sort of the guilty, one walk over the institutions for each change.

use std::cmp::Reverse;
use std::sync::Arc;

use super::amounts::{
    ABSENCE, AUDITORS_MIN, CERTIFICATES_MIN, CHANGES_MAX, PRESENCE_DIVISOR, THRESHOLD,
};
use super::committee::{Committees, Place, Seat};
use super::credit::{Cause, CreditChange};
use super::facts::oldest_reported;
use super::institutions::{Institution, Open, Roster};
use super::turn;
use crate::ledger::faulty_max;
use crate::types::{InstitutionId, View};

/// Why an institution lost its seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ExpulsionCause {
    /// Fraud was proven.
    Fraud,
    /// Its credit is below the threshold.
    Credit,
}

/// A seat lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Expulsion {
    /// Who lost it.
    pub institution: InstitutionId,
    /// The seat, as it was in the epoch that ends.
    pub place: Place,
    /// Why.
    pub cause: ExpulsionCause,
}

/// What a freeze changed, each list in the order of the changes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FreezeReport {
    /// Credit lost by absence.
    pub changes: Vec<CreditChange>,
    /// Who lost a seat.
    pub expelled: Vec<Expulsion>,
    /// Auditors that became producers.
    pub promoted: Vec<InstitutionId>,
    /// Institutions from outside that became auditors.
    pub seated: Vec<InstitutionId>,
    /// Who keeps a seat only until a later freeze.
    pub queued: Vec<InstitutionId>,
}

/// Changes that one freeze may make with so many auditors.
//= harness/spec/committees.md#com-7-replacement
//# COM-7.9 (ours): The changes of one freeze MUST NOT be more than the faulty auditors that the
//# committee which ends tolerates, which are (n - 1) / 3 rounded down for n auditors.
fn changes_max(auditors: usize) -> usize {
    CHANGES_MAX.min(faulty_max(auditors))
}

impl Institution {
    /// Why it may hold no seat, if so.
    //= harness/spec/committees.md#com-7-replacement
    //# COM-7.12 (ours): An auditor that is barred or below the threshold MUST NOT become a producer,
    //# nor such an institution an auditor.
    fn guilt(&self) -> Option<ExpulsionCause> {
        if self.is_barred {
            Some(ExpulsionCause::Fraud)
        } else if self.credit.get() < THRESHOLD {
            Some(ExpulsionCause::Credit)
        } else {
            None
        }
    }

    /// Ascending order is that of preference.
    fn preference(&self) -> (Reverse<i64>, InstitutionId) {
        (Reverse(self.credit.get()), self.id)
    }

    fn seat(&self) -> Seat {
        Seat { institution: self.id, key: self.key }
    }
}

/// The committees as they become.
struct Draft<'a> {
    roster: &'a Roster,
    producers: Vec<Seat>,
    auditors: Vec<Seat>,
    /// Seat of the producer whose turn is next.
    next: usize,
    changes_left: usize,
    report: FreezeReport,
}

impl Roster {
    /// Ends the epoch behind its last block, which had this view.
    ///
    /// # Panics
    /// When there is no epoch after this one; a chain refuses the block that would end the last.
    //= harness/spec/committees.md#com-7-replacement
    //# COM-7.5 (ours): Committees MUST change only at a freeze, by at most 6 changes, those for fraud
    //# first and the rest at later freezes.
    pub fn freeze(&mut self, last_view: View) -> FreezeReport {
        let ending = Arc::clone(&self.current);
        let changes = self.charge_absences(&ending);
        let mut draft = Draft {
            roster: self,
            producers: ending.producers.clone(),
            auditors: ending.auditors.clone(),
            //= harness/spec/consensus.md#con-5-turns
            //# CON-5.4 (ours): The order of turns MUST go on across a freeze without leaving out a
            //# producer.
            next: turn::next(ending.offset, last_view.get(), ending.producers.len()),
            changes_left: changes_max(ending.auditors.len()),
            report: FreezeReport { changes, ..FreezeReport::default() },
        };
        draft.expel();
        draft.fill();
        let Draft { producers, auditors, next, report, .. } = draft;
        let epoch = ending.epoch.next().expect("a chain refuses the block that ends the last");
        let offset = u64::try_from(next % producers.len()).expect("usize fits in u64");
        self.current = Arc::new(Committees { epoch, producers, auditors, offset });
        self.previous = Some(ending);
        self.certificates = 0;
        self.institutions.iter_mut().for_each(|one| one.open = Open::default());
        let oldest = oldest_reported(epoch);
        self.charged.retain(|offence| offence.epoch >= oldest);
        self.served.retain(|(epoch, _)| *epoch >= oldest);
        report
    }

    fn charge_absences(&mut self, ending: &Committees) -> Vec<CreditChange> {
        let mut changes = Vec::new();
        let certificates = self.certificates;
        if certificates < CERTIFICATES_MIN {
            return changes;
        }
        for seat in &ending.auditors {
            let auditor = self.known(seat.institution);
            let audits = auditor.open.audits.saturating_mul(PRESENCE_DIVISOR);
            //= harness/spec/committees.md#com-6-earning-and-losing
            //# COM-6.9 (ours): An auditor whose signature stands in less than a third of the
            //# certificates that the blocks of an epoch carried MUST lose credit at the freeze if
            //# there were at least 10.
            if audits < certificates {
                // Credit at the end of its range stays there: nothing is left to lose.
                let _ = auditor.change(Cause::Absent, ABSENCE, &mut changes);
            }
        }
        changes
    }

    fn at(&self, id: InstitutionId) -> &Institution {
        self.institution(id).expect("every seat is held by a known institution")
    }
}

impl Draft<'_> {
    /// Takes seats from the guilty: fraud first, then the lowest credit, then the lowest id.
    fn expel(&mut self) {
        let ending = Arc::clone(&self.roster.current);
        let holders = ending.electorate().map(|seat| self.roster.at(seat.institution));
        let mut guilty: Vec<_> =
            holders.filter_map(|one| Some((one.guilt()?, one.credit, one.id))).collect();
        guilty.sort_unstable();
        for (cause, _, institution) in guilty {
            let place = ending.seat_of(institution).expect("the guilty were taken from the seats");
            if self.changes_left > 0 && self.vacate(institution, place) {
                self.changes_left -= 1;
                self.report.expelled.push(Expulsion { institution, place, cause });
            } else {
                self.report.queued.push(institution);
            }
        }
    }

    /// Empties a seat and fills it; false when the expulsion has to wait.
    fn vacate(&mut self, institution: InstitutionId, place: Place) -> bool {
        let holds = |seat: &Seat| seat.institution == institution;
        match place {
            //= harness/spec/committees.md#com-7-replacement
            //# COM-7.1 (paper): A producer whose credit is below the threshold MUST be expelled
            //# from the MIFS.
            Place::Producer(_) => {
                let seat = self.producers.iter().position(holds).expect("it holds a seat yet");
                match self.promotable() {
                    //= harness/spec/committees.md#com-7-replacement
                    //# COM-7.2 (paper): The vacant seat of an expelled producer MUST go to the
                    //# auditor with the most credit.
                    Some(auditor) => self.producers[seat] = self.promote(auditor),
                    None => return self.remove_producer(seat),
                }
            }
            //= harness/spec/committees.md#com-7-replacement
            //# COM-7.8 (ours): An auditor whose credit is below the threshold MUST be expelled from
            //# the AFS.
            Place::Auditor(_) => {
                let seat = self.auditors.iter().position(holds).expect("it holds a seat yet");
                return self.refill(seat);
            }
        }
        true
    }

    /// The auditor that moves up, by its seat, if its own seat can be refilled or spared.
    fn promotable(&self) -> Option<usize> {
        if self.outsider().is_none() && self.auditors.len() <= AUDITORS_MIN {
            return None;
        }
        let ending = &self.roster.current.auditors;
        let candidates = self.auditors.iter().enumerate().filter(|(_, seat)| ending.contains(seat));
        let innocent = candidates
            .map(|(at, seat)| (at, self.roster.at(seat.institution)))
            .filter(|(_, one)| one.guilt().is_none());
        //= harness/spec/committees.md#com-7-replacement
        //# COM-7.3 (ours): Of auditors with equal credit the one with the lowest institution id MUST
        //# get the seat.
        innocent.min_by_key(|(_, one)| one.preference()).map(|(at, _)| at)
    }

    /// Takes an auditor from its seat, which is refilled.
    fn promote(&mut self, auditor: usize) -> Seat {
        let seat = self.auditors[auditor];
        self.report.promoted.push(seat.institution);
        let refilled = self.refill(auditor);
        assert!(refilled, "only an auditor that can be spared is promotable");
        seat
    }

    /// Gives an auditor's seat to the best outsider; without one the seat goes, if it can be spared.
    fn refill(&mut self, seat: usize) -> bool {
        match self.outsider() {
            //= harness/spec/committees.md#com-7-replacement
            //# COM-7.4 (ours): A vacant auditor's seat MUST go to the institution outside both
            //# committees that has the most credit, and among equals to the lowest institution id.
            Some(outsider) => {
                self.report.seated.push(outsider.institution);
                self.auditors[seat] = outsider;
                true
            }
            //= harness/spec/committees.md#com-7-replacement
            //# COM-7.10 (ours): A seat that nobody can fill MUST go, except that the 4 last auditors
            //# and the last producer keep theirs until somebody can.
            None if self.auditors.len() > AUDITORS_MIN => {
                self.auditors.remove(seat);
                true
            }
            None => false,
        }
    }

    fn remove_producer(&mut self, seat: usize) -> bool {
        if self.producers.len() <= 1 {
            return false;
        }
        self.producers.remove(seat);
        if seat < self.next {
            self.next -= 1;
        }
        self.next %= self.producers.len();
        true
    }

    /// The best institution outside both committees that may hold a seat.
    fn outsider(&self) -> Option<Seat> {
        let sits = |id: InstitutionId| {
            self.producers.iter().chain(&self.auditors).any(|seat| seat.institution == id)
        };
        let eligible =
            self.roster.institutions.iter().filter(|one| one.guilt().is_none() && !sits(one.id));
        //= harness/spec/committees.md#com-7-replacement
        //# COM-7.7 (ours): Missed turns MUST NOT bar a key from coming back.
        eligible.min_by_key(|one| one.preference()).map(Institution::seat)
    }

    /// Fills seats that earlier freezes had to let go, with what is left of the changes.
    //= harness/spec/committees.md#com-7-replacement
    //# COM-7.11 (ours): Seats that went MUST come back at later freezes as soon as institutions can
    //# fill them, within the limits on changes, auditors first.
    fn fill(&mut self) {
        let (producers, auditors) = self.roster.seats;
        while self.changes_left > 0 && self.auditors.len() < usize::from(auditors) {
            let Some(outsider) = self.outsider() else { return };
            self.report.seated.push(outsider.institution);
            self.auditors.push(outsider);
            self.changes_left -= 1;
        }
        while self.changes_left > 0 && self.producers.len() < usize::from(producers) {
            // Here a seat is not worth the loss of another: only with a successor at hand.
            let Some(auditor) = self.outsider().and_then(|_| self.promotable()) else { return };
            let promoted = self.promote(auditor);
            self.producers.push(promoted);
            self.changes_left -= 1;
        }
    }
}
