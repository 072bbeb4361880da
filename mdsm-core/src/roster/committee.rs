//! The two committees of an epoch. [COM-2] [CON-5]

use super::turn;
use crate::types::{Epoch, InstitutionId, OwnerId, View};

/// A seat and who holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seat {
    /// The holder.
    pub institution: InstitutionId,
    /// Its key.
    pub key: OwnerId,
}

/// Where an institution sits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// Index among the producers.
    Producer(usize),
    /// Index among the auditors.
    Auditor(usize),
}

/// Who produces and who audits in an epoch. Never without a producer or an auditor.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Committees {
    /// The epoch.
    pub epoch: Epoch,
    /// Producers in the order of their turns.
    pub producers: Vec<Seat>,
    /// Auditors in the order of their seats.
    pub auditors: Vec<Seat>,
    /// Index of the producer that leads view 1.
    pub offset: u64,
}

impl Committees {
    /// The producer whose turn a view is.
    #[must_use]
    pub fn leader(&self, view: View) -> &Seat {
        //= harness/spec/consensus.md#con-5-turns
        //# CON-5.1 (paper): Producers MUST take turns to produce blocks.
        //= harness/spec/consensus.md#con-5-turns
        //# CON-5.3 (ours): The leader of a view MUST follow from epoch, view and committee alone.
        &self.producers[turn::seat(self.offset, view.get(), self.producers.len())]
    }

    /// The auditor that gathers the votes of a view.
    #[must_use]
    pub fn auditor_on_duty(&self, view: View) -> &Seat {
        //= harness/spec/consensus.md#con-5-turns
        //# CON-5.2 (paper): Auditors MUST take turns to check every signed block.
        &self.auditors[turn::next(0, view.get(), self.auditors.len())]
    }

    /// Keys of the producers, in the order of their turns.
    #[must_use]
    pub fn producer_keys(&self) -> Vec<OwnerId> {
        self.producers.iter().map(|seat| seat.key).collect()
    }

    /// Keys of the auditors, in the order of their seats: the electorate of blocks.
    #[must_use]
    pub fn auditor_keys(&self) -> Vec<OwnerId> {
        self.auditors.iter().map(|seat| seat.key).collect()
    }

    /// Producers, then auditors: the electorate of the anchor.
    pub fn electorate(&self) -> impl ExactSizeIterator<Item = &Seat> + Clone {
        let producers = self.producers.len();
        (0..producers + self.auditors.len())
            .map(move |at| self.producers.get(at).unwrap_or_else(|| &self.auditors[at - producers]))
    }

    /// Where an institution sits, if it does.
    #[must_use]
    pub fn seat_of(&self, institution: InstitutionId) -> Option<Place> {
        let at = |seats: &[Seat]| seats.iter().position(|seat| seat.institution == institution);
        at(&self.producers).map(Place::Producer).or_else(|| at(&self.auditors).map(Place::Auditor))
    }
}
