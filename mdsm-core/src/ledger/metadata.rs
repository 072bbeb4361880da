//! What a record says about its content: typed, bounded, without names or free text. [STO-8]
//!
//! The vocabulary is that of FHIR R4 (DocumentReference, Provenance, Consent); each field names the
//! element it becomes in `fhir`. Metadata is replicated for ever, so it holds codes and keys only.

use crate::codec::{Decode, DecodeError, DecodeErrorKind, Encode, Reader, wire_enum, wire_struct};
use crate::params::METADATA_BYTES_MAX;
use crate::types::{Blob, KeyId, Map, OwnerId, RecordId, Set, Text, Timestamp};

/// Metadata of a record; encoded in the order of the fields, at most 2,048 bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Metadata {
    /// FHIR resource type of the content, `Binary` when it is none.
    pub resource_type: ResourceType,
    /// Media type. DocumentReference.content.attachment.contentType.
    pub content_type: MediaType,
    /// When the content was made, as its author claims. attachment.creation.
    //= harness/spec/storage.md#sto-8-metadata
    //# STO-8.1 (paper): The metadata of a record MUST state when the resource was created.
    pub created: Timestamp,
    /// Minutes that local time was ahead of UTC, -840 to 840, for display.
    pub tz_offset_min: Option<i16>,
    /// Bytes of the plaintext, at least 1. attachment.size.
    pub size: u64,
    /// Kind of document. DocumentReference.type.
    pub kind: Option<Code>,
    /// Class of document. DocumentReference.category.
    pub category: Option<Code>,
    /// DocumentReference.status.
    pub status: RecordStatus,
    /// What the record does to an earlier one. DocumentReference.relatesTo.
    pub relates_to: Option<(Relation, RecordId)>,
    /// Template or transfer syntax. content.format.
    pub format: Option<Text<1, 96>>,
    /// Language of the content. attachment.language.
    pub language: Option<LanguageTag>,
    /// Key of the institution that keeps the original. DocumentReference.custodian.
    pub custodian: Option<OwnerId>,
    /// Key of the clinician or device. DocumentReference.author.
    pub author: Option<OwnerId>,
    /// Provenance.activity, v3-DataOperation.
    pub activity: Activity,
    /// DocumentReference.securityLabel, v3-Confidentiality.
    //= harness/spec/storage.md#sto-8-metadata
    //# STO-8.5 (ours): The security labels MUST be at most 3 and strictly ascending.
    pub security: Set<Confidentiality, 3>,
    /// The Consent, itself a record, under which the content is shared.
    pub consent: Option<RecordId>,
    /// How the content was sealed; absent for plaintext.
    pub encryption: Option<Encryption>,
    /// Extensions: kept and hashed, never interpreted.
    //= harness/spec/storage.md#sto-8-metadata
    //# STO-8.6 (ours): The extension map MUST hold at most 8 entries with keys of 1 to 32 bytes and
    //# values of at most 256 bytes.
    pub ext: Map<Text<1, 32>, Blob<0, 256>, 8>,
}

/// A code of a published system.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code {
    /// The system.
    pub system: CodeSystem,
    /// The code in it.
    pub code: Text<1, 18>,
}

/// How content was sealed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Encryption {
    /// Construction.
    pub scheme: SealScheme,
    /// Name of the content key.
    pub key_id: KeyId,
}

wire_enum!(
    /// Code systems.
    CodeSystem {
        /// Logical Observation Identifiers Names and Codes.
        Loinc = 1,
        /// SNOMED Clinical Terms.
        SnomedCt = 2,
        /// International Classification of Diseases, 10th revision.
        Icd10 = 3,
        /// A code of the institution or its country.
        Local = 4,
    }
);
wire_enum!(
    /// Whether a record stands. A chain cannot delete: a correction is a new record.
    RecordStatus {
        /// Stands.
        Current = 1,
        /// Replaced by a later one.
        Superseded = 2,
        /// Should not have been booked.
        EnteredInError = 3,
    }
);
wire_enum!(
    /// FHIR document-relationship-type.
    Relation {
        /// Replaces the earlier record.
        Replaces = 1,
        /// Is the earlier record in another form.
        Transforms = 2,
        /// Signs the earlier record.
        Signs = 3,
        /// Adds to the earlier record.
        Appends = 4,
    }
);
wire_enum!(
    /// HL7 v3-DataOperation.
    Activity {
        /// Made.
        Create = 1,
        /// Changed.
        Update = 2,
        /// Added to.
        Append = 3,
        /// Declared void.
        Nullify = 4,
    }
);
wire_enum!(
    /// HL7 v3-Confidentiality.
    Confidentiality {
        /// Normal.
        Normal = 1,
        /// Restricted.
        Restricted = 2,
        /// Very restricted.
        VeryRestricted = 3,
    }
);
wire_enum!(
    /// Constructions of sealed content.
    SealScheme {
        /// `crypto::seal`.
        XChaCha20Poly1305File = 1,
    }
);

macro_rules! ruled_text {
    ($(#[$doc:meta])* $name:ident, $min:literal..=$max:literal, $holds:path, $rule:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Text<$min, $max>);

        impl $name {
            /// Takes the text if it follows the rule.
            pub fn new(text: impl Into<String>) -> Result<Self, DecodeErrorKind> {
                let text = Text::new(text)?;
                if $holds(text.as_str()) {
                    Ok(Self(text))
                } else {
                    Err(DecodeErrorKind::Rule { rule: $rule })
                }
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl Encode for $name {
            fn encode(&self, out: &mut Vec<u8>) {
                self.0.encode(out);
            }
        }

        impl Decode for $name {
            fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
                let offset = reader.offset();
                let text = Text::<$min, $max>::decode(reader)?;
                Self::new(text.as_str()).map_err(|kind| DecodeError::new(offset, kind))
            }
        }
    };
}

ruled_text!(
    /// Name of a FHIR resource type, as `Observation`.
    ResourceType, 1..=64, is_type_name, "a resource type is a capital letter, then letters"
);
ruled_text!(
    /// Media type with the characters of RFC 6838 in lower case, and parameters after a semicolon.
    MediaType, 3..=127, is_media_type, "a media type is type/subtype in lower case"
);
ruled_text!(
    /// Language tag with the characters of BCP 47, as `zh-CN`; its registry is not consulted.
    LanguageTag, 2..=35, is_language_tag, "a language tag is letters, digits and '-'"
);

fn is_type_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_uppercase())
        && text.bytes().all(|b| b.is_ascii_alphabetic())
}

fn is_media_type(text: &str) -> bool {
    let essence = text.split(';').next().unwrap_or_default();
    let is_name = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9') || b"!#$&-^_.+".contains(&b))
    };
    essence.split_once('/').is_some_and(|(kind, subtype)| is_name(kind) && is_name(subtype))
}

fn is_language_tag(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// Last millisecond of the year 9999, the last that RFC 3339 can write.
const CREATED_MAX: i64 = 253_402_300_799_999;

fn created_in_range(created: &Timestamp) -> Result<(), &'static str> {
    //= harness/spec/storage.md#sto-8-metadata
    //# STO-8.2 (ours): The time of creation MUST be an integer of milliseconds since
    //# 1970-01-01T00:00:00Z from 0 to 253,402,300,799,999.
    if (0..=CREATED_MAX).contains(&created.get()) {
        Ok(())
    } else {
        Err("a creation time lies between 1970 and 9999")
    }
}

fn offset_in_range(offset: &Option<i16>) -> Result<(), &'static str> {
    match offset {
        Some(minutes) if !(-840..=840).contains(minutes) => {
            Err("an offset from UTC is at most 840 minutes either way")
        }
        _ => Ok(()),
    }
}

fn size_is_positive(size: &u64) -> Result<(), &'static str> {
    if *size == 0 { Err("a plaintext has at least 1 byte") } else { Ok(()) }
}

wire_struct!(Code { system, code });
wire_struct!(Encryption { scheme, key_id });

//= harness/spec/storage.md#sto-8-metadata
//# STO-8.3 (ours): The encoding of the metadata MUST hold at most 2,048 bytes.
//= harness/spec/storage.md#sto-8-metadata
//# STO-8.4 (ours): Each field of the metadata MUST keep within the bounds that the table Metadata
//# gives for it.
wire_struct!(Metadata at most METADATA_BYTES_MAX {
    resource_type,
    content_type,
    created if created_in_range,
    tz_offset_min if offset_in_range,
    size if size_is_positive,
    kind,
    category,
    status,
    relates_to,
    format,
    language,
    custodian,
    author,
    activity,
    security,
    consent,
    encryption,
    ext,
});

impl Metadata {
    /// Metadata with what every record must say, and nothing else.
    #[must_use]
    pub fn new(
        resource_type: ResourceType,
        content_type: MediaType,
        created: Timestamp,
        size: u64,
    ) -> Self {
        Self {
            resource_type,
            content_type,
            created,
            tz_offset_min: None,
            size,
            kind: None,
            category: None,
            status: RecordStatus::Current,
            relates_to: None,
            format: None,
            language: None,
            custodian: None,
            author: None,
            activity: Activity::Create,
            security: Set::default(),
            consent: None,
            encryption: None,
            ext: Map::default(),
        }
    }

    /// Holds a value made here to the rules that hold for one received.
    pub fn check(&self) -> Result<(), DecodeError> {
        let mut bytes = Vec::new();
        self.encode(&mut bytes);
        Self::decode(&mut Reader::new(&bytes)).map(|_| ()).map_err(|error| error.inside("Metadata"))
    }
}
