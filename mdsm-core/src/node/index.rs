//! What is booked, on the chain and on a branch above it. [STO-2] [COM-6]

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::chain::RecordIndex;
use crate::types::{InstitutionId, OwnerId, RecordId};

/// Ids of the records on the finalized chain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Booked {
    records: BTreeSet<RecordId>,
}

/// The index as a block sees it: the chain and the blocks between it and the block.
pub(super) struct Above<'a> {
    pub(super) booked: &'a Booked,
    /// Records of each block of the branch.
    pub(super) branch: Vec<Arc<BTreeSet<RecordId>>>,
}

impl Booked {
    pub(super) fn extend(&mut self, records: &[RecordId]) {
        self.records.extend(records);
    }

    /// Records on the chain.
    #[must_use]
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }
}

impl RecordIndex for Booked {
    fn contains(&self, record: &RecordId) -> bool {
        self.records.contains(record)
    }
}

impl RecordIndex for Above<'_> {
    fn contains(&self, record: &RecordId) -> bool {
        self.booked.contains(record) || self.branch.iter().any(|block| block.contains(record))
    }

    fn client_of(&self, grant: &RecordId, institution: InstitutionId) -> Option<OwnerId> {
        self.booked.client_of(grant, institution)
    }
}
