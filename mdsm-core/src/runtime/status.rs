//! How far an institution is.

use serde::Serialize;

use crate::types::{Digest, Epoch, Height, InstitutionId, Timestamp, View};

/// A reading of an institution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Status {
    /// Which.
    pub institution: InstitutionId,
    /// Height of the last final block.
    pub height: Height,
    /// Its hash.
    pub head: Digest,
    /// Its time.
    pub timestamp: Timestamp,
    /// The epoch that is open.
    pub epoch: Epoch,
    /// The view of consensus.
    pub view: View,
    /// Records on the chain.
    pub records: u64,
    /// Records that wait for a block.
    pub waiting: u64,
    /// Institutions that can be reached.
    pub connected: u64,
    /// The last epoch whose anchor is certified here.
    pub certified: Option<Epoch>,
    /// The last epoch whose anchor is final in Bitcoin.
    pub anchored: Option<Epoch>,
}
