//! What a block carries beside records: evidence, registrations, receipts of service, reports of
//! anchors. Nothing else from outside counts on the chain. [COM-3] [COM-6] [CON-7] [ANC-3]

mod registration;
mod service;

use super::agreement::Evidence;
use crate::codec::{Wire, wire_struct};
use crate::params::{
    BLOCK_ANCHOR_REPORTS_MAX, BLOCK_EVIDENCE_MAX, BLOCK_REGISTRATIONS_MAX, BLOCK_SERVICES_MAX,
};
use crate::types::{Digest, Epoch, List};

pub use registration::{Registration, RegistrationError};
pub use service::{Service, ServiceKind};

/// The events of one block, each kind within its bound.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Events {
    /// Offences with their proofs.
    pub evidence: List<Evidence, 0, BLOCK_EVIDENCE_MAX>,
    /// Institutions that join.
    pub registrations: List<Registration, 0, BLOCK_REGISTRATIONS_MAX>,
    /// Services that clients confirm.
    pub services: List<Service, 0, BLOCK_SERVICES_MAX>,
    /// Anchors that were seen in Bitcoin.
    pub anchored: List<AnchorReport, 0, BLOCK_ANCHOR_REPORTS_MAX>,
}

/// An anchor that the producer of the block saw in Bitcoin. A hint: every node holds it against its
/// own view of Bitcoin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AnchorReport {
    /// The epoch.
    pub epoch: Epoch,
    /// The transaction, in the byte order in which Bitcoin hashes.
    pub txid: Digest,
    /// Height of its Bitcoin block.
    pub height: u32,
}

impl Events {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.evidence.is_empty()
            && self.registrations.is_empty()
            && self.services.is_empty()
            && self.anchored.is_empty()
    }
}

wire_struct!(Events { evidence, registrations, services, anchored });
wire_struct!(AnchorReport { epoch, txid, height });

impl Wire for Events {
    const TAG: [u8; 4] = *b"MEVS";
    const NAME: &'static str = "Events";
}
