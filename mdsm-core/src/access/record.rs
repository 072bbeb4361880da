//! An act as the content of an ordinary record. [PRE-3]

use thiserror::Error;

use super::act::{Act, ActKind};
use crate::codec::{DecodeError, Wire as _};
use crate::ledger::{Content, MediaType, Metadata, Record, RecordError, ResourceType};
use crate::types::{OwnerId, Timestamp};

/// Media type of a record whose content is an act.
pub const ACCESS_MEDIA_TYPE: &str = "application/vnd.mdsm.access";

/// A record that says it holds an act, and does not.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ActError {
    /// Not everybody could read it.
    #[error("content: an act is carried inline")]
    Stored,
    /// The content is not the encoding of an act.
    #[error(transparent)]
    Malformed(#[from] DecodeError),
    /// The metadata calls it another thing.
    #[error("metadata.resource_type: {found} where an act of this kind is {expected}")]
    ResourceType {
        /// Type in the metadata.
        found: String,
        /// Type of this kind of act.
        expected: &'static str,
    },
}

impl ActKind {
    /// The FHIR R4 resource that states the like.
    #[must_use]
    pub fn resource_type(self) -> &'static str {
        match self {
            Self::Request => "CommunicationRequest",
            Self::Grant | Self::Revocation => "Consent",
            Self::Bid | Self::Choice => "Task",
            Self::Delivery => "Communication",
            Self::Dispute | Self::Confirmation => "AuditEvent",
        }
    }
}

impl Act {
    /// The record of this act, to be signed by its owner as every record is.
    ///
    /// # Errors
    /// When the key cannot own records, or the time lies outside what metadata can say.
    pub fn to_record(&self, owner: OwnerId, created: Timestamp) -> Result<Record, RecordError> {
        //= harness/spec/reencryption.md#pre-3-request-and-grant
        //# PRE-3.6 (ours): Request, grant, bid, choice, delivery and revocation MUST be signed and
        //# booked as ordinary records.
        let bytes = self.to_bytes();
        let size = u64::try_from(bytes.len()).expect("an act has some KB");
        let resource_type = ResourceType::new(self.kind().resource_type());
        let resource_type = resource_type.expect("the names above are letters");
        let media_type = MediaType::new(ACCESS_MEDIA_TYPE).expect("a type and a subtype");
        let metadata = Metadata::new(resource_type, media_type, created, size);
        Record::new(owner, metadata, Content::inline(bytes)?)
    }

    /// The act that a record holds; `None` where the record does not say that it holds one.
    ///
    /// # Errors
    /// When it says so and does not.
    pub fn of_record(record: &Record) -> Option<Result<Self, ActError>> {
        let is_act = record.metadata().content_type.as_str() == ACCESS_MEDIA_TYPE;
        is_act.then(|| Self::of_content(record))
    }

    //= harness/spec/reencryption.md#pre-3-request-and-grant
    //# PRE-3.10 (ours): An act MUST be the inline content of a record with the media type and the
    //# resource type that section Access records gives for it.
    fn of_content(record: &Record) -> Result<Self, ActError> {
        let Content::Inline(bytes) = record.content() else { return Err(ActError::Stored) };
        let act = Self::from_bytes(bytes)?;
        let (found, expected) =
            (record.metadata().resource_type.as_str(), act.kind().resource_type());
        if found != expected {
            return Err(ActError::ResourceType { found: found.to_owned(), expected });
        }
        Ok(act)
    }
}
