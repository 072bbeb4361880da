//! A block with everything in it, above another one.

use harness::build::{DELEGATE, Draft, Network, Roll};
use mdsm_core::crypto::sign::Ed25519;
use mdsm_core::ledger::{
    Block, Evidence, EvidenceError, Fault, Offence, OffenceKind, Payload, Registry, SignedHeader,
};
use mdsm_core::types::{Epoch, InstitutionId, View};

/// Four auditors; DELEGATE is one of the producers.
pub(crate) struct Scene {
    pub(crate) roll: Roll,
    pub(crate) network: Network,
    pub(crate) draft: Draft,
}

/// The second block of the first epoch: three Items of 10, 10 and 5 records, and the certificate
/// of the first block.
pub(crate) fn scene() -> Scene {
    let mut network = Network::new();
    let roll = Roll::new(network.chain.id(), 4);
    network.turn(6_000, 3);
    let parent = network.tip().unwrap();
    let items = network.new_items(25);
    let payload = Payload {
        parent_certificate: Some(roll.notarization(&parent)),
        ..network.block_of(12_000, &items).payload
    };
    let block = network.block_with(12_000, payload);
    Scene { roll, network, draft: Draft { parent: Some(parent), block, items } }
}

impl Scene {
    /// The header of a block, signed by its producer.
    pub(crate) fn signed(&self, block: &Block) -> SignedHeader {
        self.roll.signed(block.header)
    }

    /// What evidence of the fifth kind comes to.
    pub(crate) fn convict(&self, block: &Block, fault: Fault) -> Result<Offence, EvidenceError> {
        let evidence = Evidence::Block { header: self.signed(block), fault: Box::new(fault) };
        check(&evidence, &self.roll)
    }
}

/// What evidence comes to; what it claims must be what it proves.
#[expect(clippy::panic_in_result_fn, reason = "the result is what the test looks at")]
pub(crate) fn check(evidence: &Evidence, roll: &impl Registry) -> Result<Offence, EvidenceError> {
    let proved = evidence.check(roll, &Ed25519);
    if let Ok(offence) = proved {
        assert_eq!(evidence.claim(), Some(offence));
    }
    proved
}

pub(crate) fn offence(institution: InstitutionId, view: u64, kind: OffenceKind) -> Offence {
    Offence { institution, epoch: Epoch::new(0), view: View::new(view), kind }
}

pub(crate) const PRODUCER: InstitutionId = DELEGATE;
