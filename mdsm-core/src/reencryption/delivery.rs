//! What a proxy delivers, under its signature. [PRE-8]

use super::approve::Admitted;
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

    /// Holds the delivery to the proxy that was chosen, to its grant and reader, and to the capsule that
    /// went in. What comes out may be re-encrypted again: the chain of signatures accounts for its hops.
    ///
    /// Proxy, grant and reader have to come from a grant of the holder before: whoever takes them from
    /// the delivery itself lets a stranger invent a hop to anybody.
    ///
    /// # Errors
    /// When the signature is not this proxy's, or the delivery is of another grant, reader or capsule.
    pub fn check(
        &self,
        proxy: &OwnerId,
        [grant, reader]: [Digest; 2],
        before: &Admitted,
    ) -> Result<Admitted, AdmitError> {
        let (capsule, digest) = (&self.capsule, self.capsule.id());
        let signed = verify(proxy, &statement(&self.grant, &self.before, &digest), &self.signature);
        if signed.is_err() || self.proxy != *proxy {
            return Err(AdmitError::Signature { signer: *proxy });
        }
        if self.grant != grant {
            return Err(AdmitError::AnotherGrant { delivery: self.grant, grant });
        }
        if self.before != before.digest() {
            return Err(AdmitError::AnotherCapsule {
                capsule: self.before,
                approved: before.digest(),
            });
        }
        let original = before.capsule();
        let kept = |capsule: &Capsule| (capsule.set(), capsule.key_id, capsule.owner);
        if kept(capsule) != kept(original) || capsule.holder != reader {
            return Err(AdmitError::Unrelated);
        }
        //= harness/spec/reencryption.md#pre-1-scheme
        //# PRE-1.8 (ours): A capsule that has made hops MUST be refused for re-encryption unless signed
        //# deliveries account for each of them.
        let known = original.hop().saturating_add(1);
        if capsule.hop() != known {
            return Err(AdmitError::Hops { hop: capsule.hop(), known });
        }
        Ok(Admitted { capsule: capsule.clone(), digest })
    }
}

fn statement(grant: &Digest, before: &Digest, after: &Digest) -> Vec<u8> {
    [&prefix(*b"MDLM")[..], grant.as_bytes(), before.as_bytes(), after.as_bytes()].concat()
}
