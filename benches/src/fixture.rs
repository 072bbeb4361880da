//! What the workloads share: one network, its owners, records as a hospital books them. Every value
//! follows from its arguments, so that a count is the same on every run.

use mdsm_core::crypto::sign::SigningKey;
use mdsm_core::ledger::{
    Code, CodeSystem, Confidentiality, Content, Encryption, Envelope, Item, MediaType, Metadata,
    Record, ResourceType, SealScheme,
};
use mdsm_core::params::ITEM_RECORDS_MAX;
use mdsm_core::types::{
    ChainId, Digest, InstitutionId, KeyId, List, OwnerId, Set, Text, Timestamp,
};

/// The network of the workloads that need no genesis.
pub const CHAIN: ChainId = ChainId::new([0x11; 32]);
/// 2026-11-22, 09:30 UTC.
pub const CREATED: Timestamp = Timestamp::new(1_795_339_800_000);
/// The delegate that books.
pub const BOOKED_BY: InstitutionId = InstitutionId::new(7);

/// How much a record says about its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// What every record must say.
    Least,
    /// A coded document of an institution, inline.
    Typical,
    /// The same as a sealed file: with the author's key and the name of the content key.
    Sealed,
}

/// Metadata of content of `size` bytes.
///
/// # Panics
/// When `size` is 0.
#[must_use]
pub fn metadata(detail: Detail, size: usize) -> Metadata {
    assert!(size > 0, "content has at least one byte");
    let resource_type = ResourceType::new("Observation").expect("a type of FHIR R4");
    let content_type = MediaType::new("application/fhir+json").expect("a media type");
    let size = u64::try_from(size).expect("usize fits in u64");
    let least = Metadata::new(resource_type, content_type, CREATED, size);
    if detail == Detail::Least {
        return least;
    }
    let loinc = |code: &str| Code {
        system: CodeSystem::Loinc,
        code: Text::new(code).expect("LOINC codes are short"),
    };
    let typical = Metadata {
        tz_offset_min: Some(480),
        kind: Some(loinc("11502-2")),
        category: Some(loinc("26436-6")),
        custodian: Some(OwnerId::new([0x22; 32])),
        security: Set::new([Confidentiality::Normal].into()).expect("one label of three"),
        ..least
    };
    if detail == Detail::Typical {
        return typical;
    }
    let scheme = SealScheme::XChaCha20Poly1305File;
    Metadata {
        author: Some(OwnerId::new([0x33; 32])),
        encryption: Some(Encryption { scheme, key_id: KeyId::new([0x44; 32]) }),
        ..typical
    }
}

/// The key of owner `number`.
#[must_use]
pub fn owner(number: u64) -> SigningKey {
    SigningKey::from_seed(filled(number).as_bytes())
}

/// A record of `bytes` bytes of content, distinct for each `number`, signed for a chain. The content
/// is inline unless the record is of a sealed file.
///
/// # Panics
/// When `bytes` is 0 or does not fit inline.
#[must_use]
pub fn envelope(chain: &ChainId, number: u64, detail: Detail, bytes: usize) -> Envelope {
    let key = owner(number);
    let content = match detail {
        Detail::Sealed => Content::Stored(filled(number)),
        Detail::Least | Detail::Typical => {
            let content = filled(number).as_bytes().repeat(bytes.div_ceil(Digest::BYTES));
            Content::inline(&content[..bytes]).expect("content that fits inline")
        }
    };
    let record = Record::new(key.owner(), metadata(detail, bytes), content)
        .expect("key, metadata and content follow the rules");
    Envelope::sign(record, chain, &key, BOOKED_BY)
}

/// An Item of ten typical records of 1,000 bytes; `number` tells Items apart.
#[must_use]
pub fn item(chain: &ChainId, number: u64) -> Item {
    let records = (0..ITEM_RECORDS_MAX).zip(number * 10..);
    let records =
        records.map(|(_, record)| envelope(chain, record, Detail::Typical, 1_000)).collect();
    Item { records: List::new(records).expect("ten records are an Item") }
}

/// 32 bytes that stand for a root or a seed; distinct for each `number`.
#[must_use]
pub fn filled(number: u64) -> Digest {
    let mut bytes = [0xa5; 32];
    bytes[..8].copy_from_slice(&number.to_le_bytes());
    Digest::new(bytes)
}
