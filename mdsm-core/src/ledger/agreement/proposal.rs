//! A block as its producer signs and sends it. [CON-2] [CON-3]

use std::ops::Deref;

use thiserror::Error;

use crate::codec::{PREFIX_BYTES, Wire, prefix, wire_struct};
use crate::crypto::Identified;
use crate::crypto::sign::{Scheme, SigningKey};
use crate::ledger::{Block, BlockHeader, Payload};
use crate::types::{Digest, OwnerId, Signature};

/// A header with its producer's signature; says nothing about whether that holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SignedHeader {
    /// The header.
    pub header: BlockHeader,
    /// The producer's signature over the hash of the block.
    pub signature: Signature,
}

/// A signed header with the hash of its block, which is computed once however often it is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SealedHeader {
    signed: SignedHeader,
    hash: Digest,
}

/// What a producer sends in its turn; the Items travel on their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// The header, signed.
    pub signed: SignedHeader,
    /// What the header commits to.
    pub payload: Payload,
}

/// A proposal that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ProposalError {
    /// The producer did not sign it.
    #[error("proposal.signature: does not hold")]
    Signature,
    /// The header commits to another payload.
    #[error("proposal.header.payload: {found} is not the digest of the payload, {expected}")]
    Payload {
        /// Digest in the header.
        found: Digest,
        /// Digest of the payload.
        expected: Digest,
    },
}

impl SignedHeader {
    /// Signs a header.
    #[must_use]
    pub fn sign(header: BlockHeader, key: &SigningKey) -> Self {
        Self { header, signature: key.sign(&Self::message(&header.id())) }
    }

    /// What is signed: `"MPRO" 1 | hash of the block`, 37 bytes; the hash covers the network.
    //= harness/spec/consensus.md#con-2-booking-into-an-item
    //# CON-2.2 (ours): The signature of the delegate MUST be the one over the hash of the block that
    //# carries the Item.
    #[must_use]
    pub fn message(hash: &Digest) -> [u8; PREFIX_BYTES + Digest::BYTES] {
        let mut message = [0; PREFIX_BYTES + Digest::BYTES];
        message[..PREFIX_BYTES].copy_from_slice(&prefix(*b"MPRO"));
        message[PREFIX_BYTES..].copy_from_slice(hash.as_bytes());
        message
    }

    /// Hash of the block.
    #[must_use]
    pub fn hash(&self) -> Digest {
        self.header.id()
    }

    /// Whether the signature is by this key.
    #[must_use]
    pub fn holds(&self, key: &OwnerId, scheme: &impl Scheme) -> bool {
        scheme.holds(key, &Self::message(&self.hash()), &self.signature)
    }
}

impl SealedHeader {
    /// Computes the hash.
    #[must_use]
    pub fn new(signed: SignedHeader) -> Self {
        Self { signed, hash: signed.hash() }
    }

    /// Hash of the block.
    #[must_use]
    pub fn hash(&self) -> Digest {
        self.hash
    }

    /// Whether the signature is by this key.
    #[must_use]
    pub fn holds(&self, key: &OwnerId, scheme: &impl Scheme) -> bool {
        scheme.holds(key, &SignedHeader::message(&self.hash), &self.signed.signature)
    }
}

impl Deref for SealedHeader {
    type Target = SignedHeader;

    fn deref(&self) -> &SignedHeader {
        &self.signed
    }
}

impl Proposal {
    /// Checks what can be checked without the chain: the signature, and that header and payload
    /// belong together. A proposal that fails proves nothing against its producer, whose payload
    /// somebody may have exchanged on the way.
    pub fn check(&self, key: &OwnerId, scheme: &impl Scheme) -> Result<(), ProposalError> {
        let (found, expected) = (self.signed.header.payload, self.payload.commitment());
        if found != expected {
            return Err(ProposalError::Payload { found, expected });
        }
        if self.signed.holds(key, scheme) { Ok(()) } else { Err(ProposalError::Signature) }
    }

    /// The block.
    #[must_use]
    pub fn into_block(self) -> Block {
        Block { header: self.signed.header, payload: self.payload }
    }
}

wire_struct!(SignedHeader { header, signature });
wire_struct!(Proposal { signed, payload });

impl Wire for Proposal {
    const TAG: [u8; 4] = *b"MPRP";
    const NAME: &'static str = "Proposal";
}
