//! A record: owner, metadata, data. [STO-2] [STO-4] [STO-5] [STO-6] [STO-7]

use thiserror::Error;

use super::metadata::Metadata;
use crate::codec::{Decode, DecodeError, DecodeErrorKind, Encode, Reader, Wire, prefix};
use crate::crypto::sha256;
use crate::crypto::sign::{KeyError, check_key};
use crate::params::INLINE_CONTENT_BYTES_MAX;
use crate::types::{Blob, BoundError, Digest, OwnerId, RecordId};

/// A record has exactly three parts.
#[derive(Clone, Debug, PartialEq, Eq)]
//= harness/spec/storage.md#sto-2-record-signature-acceptance
//# STO-2.1 (paper): A record MUST have exactly three parts, which are the public key of its owner,
//# metadata, and a digest of the content or the content itself in the place of the digest.
pub struct Record {
    //= harness/spec/storage.md#sto-7-owner
    //# STO-7.1 (paper): An owner MUST be identified by its public key alone.
    owner: OwnerId,
    metadata: Metadata,
    content: Content,
}

/// The third part of a record: the data itself, or the digest under which it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Small and not encrypted; 1 to 102,400 bytes. A chain cannot erase it.
    //= harness/spec/storage.md#sto-4-size-of-a-record-in-an-item
    //# STO-4.1 (ours): A record held in an Item MUST carry at most 102,400 bytes of content,
    //# counted before encoding.
    //= harness/spec/storage.md#sto-4-size-of-a-record-in-an-item
    //# STO-4.2 (paper): A record held in an Item MUST be at most 100 KB in size, by the reading of
    //# AMB-STO-4 that the implementation declares.
    //= harness/spec/storage.md#sto-4-size-of-a-record-in-an-item
    //# STO-4.3 (ours): A record that carries exactly 102,400 bytes of content MUST NOT be refused
    //# for its size.
    //= harness/spec/storage.md#sto-4-size-of-a-record-in-an-item
    //# STO-4.4 (ours): A record with empty content MUST be refused.
    //= harness/spec/storage.md#sto-5-content-inside-the-record
    //# STO-5.1 (paper): A record of small content that its owner does not want encrypted MUST be
    //# bookable with the content itself in the place of the digest.
    Inline(Blob<1, INLINE_CONTENT_BYTES_MAX>),
    /// Stored as a sealed file under the digest of its ciphertext.
    Stored(Digest),
}

/// The content as the Item's leaf and every receipt carry it: never the data itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ContentRef {
    /// SHA-256 of inline content.
    Inline(Digest),
    /// Digest of the sealed file.
    Stored(Digest),
}

/// A record that cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RecordError {
    /// The owner's key cannot own records.
    #[error("owner: {0}")]
    Owner(#[from] KeyError),
    /// The metadata breaks a rule.
    #[error(transparent)]
    Metadata(#[from] DecodeError),
    /// The content does not fit inline.
    #[error("content: {0}")]
    Content(#[from] BoundError),
    /// Metadata and content contradict each other.
    #[error("metadata: {0}")]
    Contradiction(&'static str),
}

impl Record {
    /// Makes a record if its parts follow the rules.
    pub fn new(owner: OwnerId, metadata: Metadata, content: Content) -> Result<Self, RecordError> {
        //= harness/spec/storage.md#sto-2-record-signature-acceptance
        //# STO-2.5 (ours): A record whose owner key is not a point of the curve or is of small
        //# order MUST be refused.
        check_key(&owner)?;
        metadata.check()?;
        agree(&metadata, &content).map_err(RecordError::Contradiction)?;
        Ok(Self { owner, metadata, content })
    }

    /// The owner's public key.
    #[must_use]
    pub fn owner(&self) -> &OwnerId {
        &self.owner
    }

    /// What the record says about its content.
    #[must_use]
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// The data or its digest.
    #[must_use]
    pub fn content(&self) -> &Content {
        &self.content
    }

    /// The record's id. Cost: one hash of the content, one of about 200 bytes.
    #[must_use]
    pub fn id(&self) -> RecordId {
        self.names().0
    }

    /// The record's id, and what it names in place of the content.
    pub(super) fn names(&self) -> (RecordId, ContentRef) {
        let content = self.content.to_ref();
        (record_id(&self.owner, &self.metadata, &content), content)
    }
}

impl Content {
    /// Inline content; refused when empty or above 102,400 bytes.
    pub fn inline(bytes: impl Into<Vec<u8>>) -> Result<Self, RecordError> {
        Ok(Self::Inline(Blob::new(bytes)?))
    }

    /// The content without its data.
    #[must_use]
    pub fn to_ref(&self) -> ContentRef {
        match self {
            //= harness/spec/storage.md#sto-2-record-signature-acceptance
            //# STO-2.2 (ours): The id of a record MUST be the SHA-256 digest of the bytes drawn as
            //# Record id, in which the digest of the content stands also when the record carries
            //# the content itself.
            Self::Inline(bytes) => ContentRef::Inline(sha256(bytes)),
            Self::Stored(digest) => ContentRef::Stored(*digest),
        }
    }
}

impl ContentRef {
    /// The digest, of whichever kind.
    #[must_use]
    pub fn digest(&self) -> &Digest {
        match self {
            Self::Inline(digest) | Self::Stored(digest) => digest,
        }
    }
}

/// `H("MRID" 1 | owner | metadata | content)`: what the owner signs, and the record's only name.
#[must_use]
pub fn record_id(owner: &OwnerId, metadata: &Metadata, content: &ContentRef) -> RecordId {
    //= harness/spec/storage.md#sto-2-record-signature-acceptance
    //# STO-2.2 (ours): The id of a record MUST be the SHA-256 digest of the bytes drawn as Record
    //# id, in which the digest of the content stands also when the record carries the content
    //# itself.
    let mut bytes = prefix(*b"MRID").to_vec();
    owner.encode(&mut bytes);
    metadata.encode(&mut bytes);
    content.encode(&mut bytes);
    RecordId::new(*sha256(&bytes).as_bytes())
}

/// Inline content has the size stated; stored content is sealed and says so.
fn agree(metadata: &Metadata, content: &Content) -> Result<(), &'static str> {
    let stored = match content {
        //= harness/spec/storage.md#sto-6-content-outside-the-record
        //# STO-6.4 (ours): A record MUST be refused when the size in its metadata is not the number
        //# of bytes of its plaintext, as soon as the plaintext is at hand.
        Content::Inline(bytes) if u64::try_from(bytes.len()) != Ok(metadata.size) => {
            return Err("size is not the number of bytes of the content");
        }
        Content::Inline(_) => false,
        Content::Stored(_) => true,
    };
    names_encryption(metadata, stored)
}

/// An encryption is named if and only if the content is stored.
pub(super) fn names_encryption(metadata: &Metadata, stored: bool) -> Result<(), &'static str> {
    //= harness/spec/storage.md#sto-5-content-inside-the-record
    //# STO-5.3 (ours): A record MUST name an encryption in its metadata when it is booked by digest
    //# and none when it carries its content.
    match (stored, &metadata.encryption) {
        (false, Some(_)) => Err("inline content is not encrypted, yet an encryption is named"),
        (true, None) => Err("stored content is encrypted, yet no encryption is named"),
        _ => Ok(()),
    }
}

impl Encode for Record {
    fn encode(&self, out: &mut Vec<u8>) {
        self.owner.encode(out);
        self.metadata.encode(out);
        self.content.encode(out);
    }
}

impl Decode for Record {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let (owner, metadata) = (reader.field("owner")?, reader.field("metadata")?);
        let content = reader.field_where("content", |content| agree(&metadata, content))?;
        Ok(Self { owner, metadata, content })
    }
}

impl Wire for Record {
    const TAG: [u8; 4] = *b"MREC";
    const NAME: &'static str = "Record";
}

impl Encode for Content {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Inline(bytes) => {
                out.push(0);
                bytes.encode(out);
            }
            Self::Stored(digest) => {
                out.push(1);
                digest.encode(out);
            }
        }
    }
}

impl Decode for Content {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let offset = reader.offset();
        match reader.array()? {
            [0] => Ok(Self::Inline(Decode::decode(reader)?)),
            [1] => Ok(Self::Stored(Decode::decode(reader)?)),
            [found] => Err(DecodeError::new(offset, DecodeErrorKind::Variant { found })),
        }
    }
}

impl Encode for ContentRef {
    fn encode(&self, out: &mut Vec<u8>) {
        out.push(match self {
            Self::Inline(_) => 0,
            Self::Stored(_) => 1,
        });
        self.digest().encode(out);
    }
}

impl Decode for ContentRef {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let offset = reader.offset();
        match reader.array()? {
            [0] => Ok(Self::Inline(Decode::decode(reader)?)),
            [1] => Ok(Self::Stored(Decode::decode(reader)?)),
            [found] => Err(DecodeError::new(offset, DecodeErrorKind::Variant { found })),
        }
    }
}
