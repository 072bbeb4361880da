//! What a proxy delivers, under its signature. [PRE-8]

use super::approve::{Admission, Admitted};
use super::capsule::Capsule;
use super::error::AdmitError;
use crate::codec::{Wire, prefix, wire_struct};
use crate::crypto::Identified as _;
use crate::crypto::sign::{SigningKey, verify};
use crate::types::{Digest, OwnerId, Signature};

/// A re-encrypted capsule that its proxy stands by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Digest of the record that allowed it.
    pub grant: Digest,
    /// Digest of the capsule that went in.
    pub before: Digest,
    /// The capsule that came out.
    pub capsule: Capsule,
    /// The proxy.
    pub proxy: OwnerId,
    /// Signature over grant and both capsules.
    pub signature: Signature,
}

wire_struct!(Delivery { grant, before, capsule, proxy, signature });

impl Wire for Delivery {
    const TAG: [u8; 4] = *b"MDLV";
    const NAME: &'static str = "Delivery";
}

impl Delivery {
    /// Signs what came out.
    #[must_use]
    pub fn sign(grant: Digest, before: &Admitted, capsule: Capsule, key: &SigningKey) -> Self {
        //= harness/spec/reencryption.md#pre-8-wrong-re-encryption
        //# PRE-8.2 (ours): A delivery MUST carry the proxy's signature over the grant, the original
        //# capsule and the re-encrypted one.
        let before = before.digest();
        let signature = key.sign(&statement(&grant, &before, &capsule.id()));
        Self { grant, before, capsule, proxy: key.owner(), signature }
    }

    /// Holds the delivery to the proxy that was chosen, to its grant, and to the capsule that went in.
    /// What comes out may be re-encrypted again: the chain of signatures accounts for its hops.
    ///
    /// # Errors
    /// When the signature is not this proxy's, or the delivery is of another grant or capsule.
    pub fn check(
        &self,
        proxy: &OwnerId,
        grant: Digest,
        before: &Admission,
    ) -> Result<Admission, AdmitError> {
        let capsule = self.capsule.id();
        let signed =
            verify(proxy, &statement(&self.grant, &self.before, &capsule), &self.signature);
        if signed.is_err() || self.proxy != *proxy {
            return Err(AdmitError::Signature { signer: *proxy });
        }
        if self.grant != grant {
            return Err(AdmitError::AnotherGrant { delivery: self.grant, grant });
        }
        if self.before != before.capsule {
            return Err(AdmitError::AnotherCapsule {
                capsule: self.before,
                approved: before.capsule,
            });
        }
        let known = before.hop.saturating_add(1);
        if self.capsule.hop() != known {
            return Err(AdmitError::Hops { hop: self.capsule.hop(), known });
        }
        Ok(Admission { capsule, owner: before.owner, hop: known })
    }
}

fn statement(grant: &Digest, before: &Digest, after: &Digest) -> Vec<u8> {
    [&prefix(*b"MDLM")[..], grant.as_bytes(), before.as_bytes(), after.as_bytes()].concat()
}
