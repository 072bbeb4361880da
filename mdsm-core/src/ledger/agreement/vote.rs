//! Votes. [CON-7]

use crate::codec::{
    Decode, DecodeError, DecodeErrorKind, Encode, Reader, Wire, prefix, wire_struct,
};
use crate::crypto::sign::{Scheme, SigningKey};
use crate::types::{ChainId, Digest, Epoch, InstitutionId, OwnerId, Signature, View};

/// What a vote is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// The block of this hash is checked and may become part of the chain.
    Notarize(Digest),
    /// The view is over without a block.
    Nullify,
    /// The block of this hash, which is notarized, is final.
    Finalize(Digest),
    /// The epoch was frozen with this anchor root; the view is 0 then, and members of both
    /// committees vote.
    Anchor(Digest),
}

/// What is voted for, where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Vote {
    /// The epoch whose committee votes.
    pub epoch: Epoch,
    /// The view, 0 for an anchor.
    pub view: View,
    /// For what.
    pub subject: Subject,
}

/// A vote with its voter's signature, as it travels; says nothing about whether that holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SignedVote {
    /// The vote.
    pub vote: Vote,
    /// Who voted.
    pub signer: InstitutionId,
    /// Signature over [`Vote::message`].
    pub signature: Signature,
}

/// Bytes of the message that a voter signs.
const MESSAGE_BYTES: usize = 5 + 32 + 4 + 8 + 1 + 32;

impl Subject {
    /// The tag of the encoding, and of the message.
    #[must_use]
    pub const fn tag(&self) -> u8 {
        match self {
            Self::Notarize(_) => 1,
            Self::Nullify => 2,
            Self::Finalize(_) => 3,
            Self::Anchor(_) => 4,
        }
    }

    /// Hash of the block, or the anchor root; nothing of a nullification.
    #[must_use]
    pub const fn digest(&self) -> Option<&Digest> {
        match self {
            Self::Notarize(digest) | Self::Finalize(digest) | Self::Anchor(digest) => Some(digest),
            Self::Nullify => None,
        }
    }
}

impl Vote {
    /// What is signed: `"MVOT" 1 | chain | epoch | view | tag | digest`, 82 bytes; the digest of a
    /// nullification is 32 zeros.
    #[must_use]
    pub fn message(&self, chain: &ChainId) -> [u8; MESSAGE_BYTES] {
        let mut message = [0; MESSAGE_BYTES];
        message[..5].copy_from_slice(&prefix(*b"MVOT"));
        message[5..37].copy_from_slice(chain.as_bytes());
        message[37..41].copy_from_slice(&self.epoch.get().to_le_bytes());
        message[41..49].copy_from_slice(&self.view.get().to_le_bytes());
        message[49] = self.subject.tag();
        if let Some(digest) = self.subject.digest() {
            message[50..].copy_from_slice(digest.as_bytes());
        }
        message
    }

    /// Signs.
    #[must_use]
    pub fn sign(self, chain: &ChainId, signer: InstitutionId, key: &SigningKey) -> SignedVote {
        SignedVote { vote: self, signer, signature: key.sign(&self.message(chain)) }
    }
}

impl SignedVote {
    /// Whether the signature is by this key.
    #[must_use]
    pub fn holds(&self, chain: &ChainId, key: &OwnerId, scheme: &impl Scheme) -> bool {
        scheme.holds(key, &self.vote.message(chain), &self.signature)
    }
}

impl Encode for Subject {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(self.tag());
        if let Some(digest) = self.digest() {
            digest.encode(out);
        }
    }
}

impl Decode for Subject {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let offset = reader.offset();
        match reader.array()? {
            [1] => Ok(Self::Notarize(reader.field("notarize")?)),
            [2] => Ok(Self::Nullify),
            [3] => Ok(Self::Finalize(reader.field("finalize")?)),
            [4] => Ok(Self::Anchor(reader.field("anchor")?)),
            [found] => Err(DecodeError::new(offset, DecodeErrorKind::Variant { found })),
        }
    }
}

wire_struct!(Vote { epoch, view, subject });
wire_struct!(SignedVote { vote, signer, signature });

impl Wire for SignedVote {
    const TAG: [u8; 4] = *b"MSVT";
    const NAME: &'static str = "SignedVote";
}
