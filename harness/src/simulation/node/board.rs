//! What users read on the chain, through an honest full client at their side.

use std::collections::BTreeMap;

use mdsm_core::chain::Chain;
use mdsm_core::node::Commit;
use mdsm_core::types::{Epoch, Height, InstitutionId, RecordId};

/// The chain as far as anybody has it.
#[derive(Debug)]
pub struct Board {
    /// Height of the last block.
    pub height: Height,
    /// The open epoch.
    pub epoch: Epoch,
    /// Who has a seat.
    pub seats: Vec<InstitutionId>,
    /// Where records are booked, with the epoch.
    pub booked: BTreeMap<RecordId, Epoch>,
}

impl Default for Board {
    fn default() -> Self {
        let (height, epoch) = (Height::new(0), Epoch::new(0));
        Self { height, epoch, seats: Vec::new(), booked: BTreeMap::new() }
    }
}

impl Board {
    /// Somebody has committed blocks.
    pub fn commit(&mut self, commit: &Commit, chain: &Chain) {
        if chain.height() <= self.height {
            return;
        }
        for (block, booked) in commit.decision.blocks.iter().zip(&commit.booked) {
            let header = &block.signed.header;
            if header.height > self.height {
                self.height = header.height;
                self.booked.extend(booked.iter().map(|record| (*record, header.epoch)));
            }
        }
        if chain.epoch() > self.epoch || self.seats.is_empty() {
            let committees = chain.roster().committees();
            self.seats = committees.electorate().map(|seat| seat.institution).collect();
        }
        self.epoch = chain.epoch().max(self.epoch);
    }
}
