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

/// SHA-256 of bytes that arrive in pieces.
#[derive(Clone, Debug, Default)]
pub struct Hasher(Sha256);

impl Hasher {
    /// Before the first byte.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// SHA-256 of all that was taken.
    #[must_use]
    pub fn finish(self) -> Digest {
        Digest::new(self.0.finalize().into())
    }
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
