//! What a light client keeps between two runs: no more than it knows. [CLI-2]
//!
//! Whoever can change it can make the client believe anything, as whoever changes its program can: it lies
//! where its keys lie.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::hexed::Hexed;
use super::light::Light;
use crate::ledger::{BlockHeader, Genesis, GenesisError};
use crate::roster::{Committees, Seat};
use crate::types::{ChainId, Digest, Epoch, InstitutionId, OwnerId};

/// Headers kept, at most: the highest. What is below is proven again when it is needed.
const HEADERS_KEPT: usize = 1_024;

/// Rosters and headers of one network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    pub(super) chain: ChainId,
    /// Where they changed.
    pub(super) committees: Vec<Seats>,
    /// Root and head of each certified anchor, from epoch 0 on.
    pub(super) anchors: Vec<(Digest, Digest)>,
    pub(super) headers: Vec<Hexed<BlockHeader>>,
}

/// Committees as they are written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Seats {
    epoch: Epoch,
    offset: u64,
    producers: Vec<(InstitutionId, OwnerId)>,
    auditors: Vec<(InstitutionId, OwnerId)>,
}

/// What was kept is not of this network, or nothing that a client can have kept.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum KeptError {
    /// The genesis.
    #[error(transparent)]
    Genesis(#[from] GenesisError),
    /// Another network.
    #[error("kept of network {found}, this is {expected}")]
    Network {
        /// Whose it is.
        found: ChainId,
        /// This one.
        expected: ChainId,
    },
    /// Committees that nobody has shown.
    #[error("kept committees of epoch {epoch}: there are none, or nothing leads to them")]
    Committees {
        /// Of which epoch.
        epoch: Epoch,
    },
    /// Headers that are no client's.
    #[error("kept headers: at height {height} there is one too many")]
    Headers {
        /// At which height.
        height: crate::types::Height,
    },
}

impl Light {
    /// What is to be kept.
    #[must_use]
    pub fn keep(&self) -> Kept {
        let committees = self.rosters.changes().map(Seats::of).collect();
        let headers = self.headers.highest(HEADERS_KEPT).map(Hexed).collect();
        Kept { chain: self.chain_id(), committees, anchors: self.rosters.kept_anchors(), headers }
    }

    /// Goes on with what was kept.
    pub fn resume(genesis: Genesis, kept: &Kept) -> Result<Self, KeptError> {
        let mut light = Self::new(genesis)?;
        let (found, expected) = (kept.chain, light.chain_id());
        if found != expected {
            return Err(KeptError::Network { found, expected });
        }
        light.rosters.resume(kept.committees.iter().map(Seats::committees), &kept.anchors)?;
        for Hexed(header) in &kept.headers {
            let height = header.height;
            light.headers.keep(header).map_err(|_| KeptError::Headers { height })?;
        }
        Ok(light)
    }
}

impl Seats {
    fn of(committees: &Committees) -> Self {
        let seats = |seats: &[Seat]| seats.iter().map(|it| (it.institution, it.key)).collect();
        let (producers, auditors) = (seats(&committees.producers), seats(&committees.auditors));
        Self { epoch: committees.epoch, offset: committees.offset, producers, auditors }
    }

    fn committees(&self) -> Committees {
        let seat = |(institution, key): &(InstitutionId, OwnerId)| Seat {
            institution: *institution,
            key: *key,
        };
        let seats = |seats: &[_]| seats.iter().map(seat).collect();
        let (producers, auditors) = (seats(&self.producers), seats(&self.auditors));
        Committees { epoch: self.epoch, offset: self.offset, producers, auditors }
    }
}
