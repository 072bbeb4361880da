//! Whose turn a slot is. [COM-8]

use mdsm_core::types::InstitutionId;

/// The producers in the order of their turns; at least one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Turns {
    producers: Vec<InstitutionId>,
}

impl Turns {
    /// The order as given; none without a producer.
    #[must_use]
    pub fn new(producers: Vec<InstitutionId>) -> Option<Self> {
        (!producers.is_empty()).then_some(Self { producers })
    }

    /// Producers 1 to `count` in the order of their ids.
    #[must_use]
    pub fn of(count: u32) -> Option<Self> {
        Self::new((1..=count).map(InstitutionId::new).collect())
    }

    /// The producers, first turn first.
    #[must_use]
    pub fn producers(&self) -> &[InstitutionId] {
        &self.producers
    }

    /// Who produces in a slot, counted from 1; slot 0 is that of the genesis, which stays alone in it.
    #[must_use]
    pub fn producer(&self, slot: u32) -> InstitutionId {
        let turn = usize::try_from(slot.saturating_sub(1)).expect("an index has at least 32 bits");
        self.producers[turn % self.producers.len()]
    }

    /// How many producers make a block irreversible: the smallest number above two thirds.
    #[must_use]
    pub fn two_thirds(&self) -> usize {
        self.producers.len() * 2 / 3 + 1
    }
}
