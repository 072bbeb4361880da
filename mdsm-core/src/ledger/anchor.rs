//! The anchor of a window, and the 41 bytes that go into Bitcoin. [STO-13] [ANC-1] [ANC-2]

use thiserror::Error;

use crate::codec::{WIRE_VERSION, Wire, prefix, wire_struct};
use crate::crypto::sha256_parts;
use crate::types::{ChainId, Digest, Epoch};

/// Everything that a freeze commits to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// The network.
    pub chain_id: ChainId,
    /// The epoch that was frozen.
    pub epoch: Epoch,
    /// Root of the window.
    pub window: Digest,
    /// Hash of the last block of the epoch.
    pub head: Digest,
    /// Digest of the chain's state after it.
    pub state: Digest,
    /// Digest of the committees of the next epoch.
    pub next_committees: Digest,
}

impl Anchor {
    /// The 32 bytes that go into Bitcoin.
    #[must_use]
    pub fn root(&self) -> Digest {
        //= harness/spec/storage.md#sto-13-freeze
        //# STO-13.6 (ours): The anchor root MUST be computed from the chain id, the epoch, the root
        //# of the window and the context, as drawn under Anchor root.
        let context = context(&self.head, &self.state, &self.next_committees);
        anchor_root(&self.chain_id, self.epoch, &self.window, &context)
    }
}

/// `H("MCTX" 1 | head | state | next committees)`: all that a receipt needs of them is this digest.
#[must_use]
pub fn context(head: &Digest, state: &Digest, next_committees: &Digest) -> Digest {
    let parts = [&prefix(*b"MCTX")[..], head.as_bytes(), state.as_bytes()];
    sha256_parts(&[parts[0], parts[1], parts[2], next_committees.as_bytes()])
}

/// `H("MANR" 1 | chain | epoch | window | context)`.
#[must_use]
pub fn anchor_root(chain: &ChainId, epoch: Epoch, window: &Digest, context: &Digest) -> Digest {
    //= harness/spec/storage.md#sto-13-freeze
    //# STO-13.6 (ours): The anchor root MUST be computed from the chain id, the epoch, the root of
    //# the window and the context, as drawn under Anchor root.
    sha256_parts(&[
        &prefix(*b"MANR"),
        chain.as_bytes(),
        &epoch.get().to_le_bytes(),
        window.as_bytes(),
        context.as_bytes(),
    ])
}

/// Bytes of the OP_RETURN payload.
pub const ANCHOR_OUTPUT_BYTES: usize = 41;

/// What an anchor transaction says: which epoch has which root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AnchorOutput {
    /// The epoch.
    pub epoch: Epoch,
    /// The anchor root.
    pub root: Digest,
}

/// Bytes that are not the payload of an anchor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AnchorOutputError {
    /// The number of bytes is wrong.
    #[error("{bytes} bytes where an anchor has {ANCHOR_OUTPUT_BYTES}")]
    Length {
        /// Bytes found.
        bytes: usize,
    },
    /// Does not start with `MDSM` and the version.
    #[error("does not start with MDSM and version {WIRE_VERSION}")]
    Prefix,
}

impl AnchorOutput {
    /// `"MDSM" | version | epoch | root`.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; ANCHOR_OUTPUT_BYTES] {
        let mut bytes = [0; ANCHOR_OUTPUT_BYTES];
        bytes[..5].copy_from_slice(&prefix(*b"MDSM"));
        bytes[5..9].copy_from_slice(&self.epoch.get().to_le_bytes());
        bytes[9..].copy_from_slice(self.root.as_bytes());
        bytes
    }

    /// Reads the payload back.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, AnchorOutputError> {
        let bytes: &[u8; ANCHOR_OUTPUT_BYTES] =
            bytes.try_into().map_err(|_| AnchorOutputError::Length { bytes: bytes.len() })?;
        let (head, rest) = bytes.split_at(5);
        if head != prefix(*b"MDSM") {
            return Err(AnchorOutputError::Prefix);
        }
        let (epoch, root) = rest.split_at(4);
        let epoch = u32::from_le_bytes(epoch.try_into().expect("four bytes were split off"));
        let root = root.try_into().expect("32 bytes are left of 41");
        Ok(Self { epoch: Epoch::new(epoch), root: Digest::new(root) })
    }
}

wire_struct!(Anchor { chain_id, epoch, window, head, state, next_committees });

impl Wire for Anchor {
    const TAG: [u8; 4] = *b"MANC";
    const NAME: &'static str = "Anchor";
}
