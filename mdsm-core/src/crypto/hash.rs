//! SHA-256 of one message. Many messages at once: `multi`.

use sha2::{Digest as _, Sha256};

use crate::codec::Wire;
use crate::types::Digest;

/// SHA-256 of the bytes.
#[must_use]
pub fn sha256(bytes: &[u8]) -> Digest {
    Digest::new(Sha256::digest(bytes).into())
}

/// SHA-256 of the parts, one after another, without copying them together.
#[must_use]
pub fn sha256_parts(parts: &[&[u8]]) -> Digest {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    Digest::new(hasher.finalize().into())
}

/// A value named by the digest of its encoding.
pub trait Identified: Wire {
    /// SHA-256 of the whole encoding, tag and version included.
    #[must_use]
    fn id(&self) -> Digest {
        //= harness/spec/storage.md#sto-1-hierarchy-and-encoding
        //# STO-1.2 (ours): Every value MUST be encoded, and its id hashed, byte for byte as section
        //# Formats draws it.
        sha256(&self.to_bytes())
    }
}

impl<T: Wire> Identified for T {}
