//! A receipt of service: a client says that an institution served it. [COM-6] [PRE-5]

use crate::codec::{Wire, prefix, wire_enum, wire_struct};
use crate::crypto::sign::{Scheme, SigningKey};
use crate::types::{ChainId, Epoch, InstitutionId, OwnerId, RecordId, Signature};

wire_enum! {
    /// What was done.
    ServiceKind {
        /// A capsule was re-encrypted and delivered.
        Reencryption = 1,
        /// A query was answered.
        Query = 2,
    }
}

/// A service, signed by the owner of the booked grant that it was done under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Service {
    /// The record that holds the grant.
    pub grant: RecordId,
    /// The epoch for which it counts.
    pub epoch: Epoch,
    /// Who served.
    pub institution: InstitutionId,
    /// What was done.
    pub kind: ServiceKind,
    /// Owner of the grant.
    pub client: OwnerId,
    /// Signature by the client.
    pub signature: Signature,
}

/// Bytes of the message that a client signs.
const MESSAGE_BYTES: usize = 5 + 32 + 32 + 4 + 4 + 1;

impl Service {
    /// A signed receipt.
    #[must_use]
    pub fn sign(
        chain: &ChainId,
        grant: RecordId,
        epoch: Epoch,
        (institution, kind): (InstitutionId, ServiceKind),
        client: &SigningKey,
    ) -> Self {
        let signature = Signature::new([0; 64]);
        let client_id = client.owner();
        let unsigned = Self { grant, epoch, institution, kind, client: client_id, signature };
        Self { signature: client.sign(&unsigned.message(chain)), ..unsigned }
    }

    /// What is signed: `"MSRV" 1 | chain | grant | epoch | institution | kind`, 78 bytes.
    #[must_use]
    pub fn message(&self, chain: &ChainId) -> [u8; MESSAGE_BYTES] {
        let mut message = [0; MESSAGE_BYTES];
        message[..5].copy_from_slice(&prefix(*b"MSRV"));
        message[5..37].copy_from_slice(chain.as_bytes());
        message[37..69].copy_from_slice(self.grant.as_bytes());
        message[69..73].copy_from_slice(&self.epoch.get().to_le_bytes());
        message[73..77].copy_from_slice(&self.institution.get().to_le_bytes());
        message[77] = self.kind as u8;
        message
    }

    /// Whether the client signed it.
    #[must_use]
    pub fn holds(&self, chain: &ChainId, scheme: &impl Scheme) -> bool {
        scheme.holds(&self.client, &self.message(chain), &self.signature)
    }
}

wire_struct!(Service { grant, epoch, institution, kind, client, signature });

impl Wire for Service {
    const TAG: [u8; 4] = *b"MSVC";
    const NAME: &'static str = "Service";
}
