//! A small network from fixed seeds: sound values, for tests to bend until something refuses them.
//!
//! Nothing here checks or repairs anything, so that a wrong value can be built as easily as a right
//! one. Equal calls give equal bytes.

mod anchored;
mod faults;
mod live;
mod network;
mod roll;

use mdsm_core::crypto::sign::SigningKey;
use mdsm_core::ledger::{
    Content, Encryption, Envelope, Genesis, Item, MediaType, Metadata, Record, ResourceType,
    SealScheme,
};
use mdsm_core::params::{MINUTE_MS, SMALL, TURN_MS, WINDOW_MS};
use mdsm_core::roster::{Founder, Roster};
use mdsm_core::types::{ChainId, Digest, InstitutionId, KeyId, List, Text, Timestamp};

pub use anchored::{Anchored, anchored};
pub use faults::{Draft, Flaw, Flawed, bookings, flawed, item_place, placed, sealed};
pub use live::{Disk, Live, Wrongs, items_of};
pub use network::Network;
pub use roll::{Roll, institution_key};

/// When the network starts: 2026-01-01T00:00:00Z, a multiple of its window.
pub const START_MS: i64 = 1_767_225_600_000;

/// The delegate that books every record.
pub const DELEGATE: InstitutionId = InstitutionId::new(2);

/// The key of owner `number`.
#[must_use]
pub fn key(number: u8) -> SigningKey {
    SigningKey::from_seed(&[number; 32])
}

/// The key of the body that rates institutions.
#[must_use]
pub fn registrar() -> SigningKey {
    SigningKey::from_seed(&[0xe0; 32])
}

/// A time so many milliseconds after the start.
#[must_use]
pub fn after_start(ms: i64) -> Timestamp {
    Timestamp::new(START_MS + ms)
}

/// Ten institutions, the lowest ids best: 1 to 4 produce, 5 to 8 audit, 9 and 10 are full clients.
#[must_use]
pub fn founders() -> Vec<Founder> {
    founders_of(10)
}

/// So many institutions, the lowest ids best.
#[must_use]
pub fn founders_of(count: u32) -> Vec<Founder> {
    let founder = |number: u32| Founder {
        institution: InstitutionId::new(number),
        key: institution_key(InstitutionId::new(number)).owner(),
        rating: 100 - u8::try_from(number.min(99)).unwrap_or(99),
        centre: 1_000,
    };
    (1..=count).map(founder).collect()
}

/// Digest of the first committees of the founders.
///
/// # Panics
/// Never: eight of ten founders have seats.
#[must_use]
pub fn committees() -> Digest {
    let roster = Roster::found(&founders(), SMALL.producers, SMALL.auditors);
    roster.expect("ten founders fill eight seats").digest()
}

/// What the members of the small network agreed on.
#[must_use]
pub fn genesis() -> Genesis {
    Genesis {
        name: Text::new("small").expect("five letters"),
        started_at: after_start(0),
        turn_ms: TURN_MS,
        minute_ms: MINUTE_MS,
        window_ms: WINDOW_MS,
        producers: SMALL.producers,
        auditors: SMALL.auditors,
        committees: committees(),
        registrar: registrar().owner(),
    }
}

/// The least metadata of a plaintext of `bytes`, made an hour before the network started.
///
/// # Panics
/// When `bytes` does not fit in 64 bits.
#[must_use]
pub fn metadata(bytes: usize) -> Metadata {
    let resource_type = ResourceType::new("DocumentReference").expect("a FHIR type");
    let content_type = MediaType::new("text/plain").expect("a media type");
    let size = u64::try_from(bytes).expect("usize fits in u64");
    Metadata::new(resource_type, content_type, after_start(-3_600_000), size)
}

/// The least metadata of a sealed file with a plaintext of `bytes`.
#[must_use]
pub fn sealed_metadata(bytes: usize) -> Metadata {
    let scheme = SealScheme::XChaCha20Poly1305File;
    let encryption = Some(Encryption { scheme, key_id: KeyId::new([7; 32]) });
    Metadata { encryption, ..metadata(bytes) }
}

/// A record that carries its content.
///
/// # Panics
/// When the content is empty or above 102,400 bytes.
#[must_use]
pub fn inline(owner: &SigningKey, content: &[u8]) -> Record {
    let inline = Content::inline(content).expect("content within bounds");
    Record::new(owner.owner(), metadata(content.len()), inline).expect("a sound record")
}

/// A record of a sealed file with a plaintext of `bytes`.
#[must_use]
pub fn stored(owner: &SigningKey, file: Digest, bytes: usize) -> Record {
    let metadata = sealed_metadata(bytes);
    Record::new(owner.owner(), metadata, Content::Stored(file)).expect("a sound record")
}

/// Record `number` of the network, by one of five owners; every number is another record.
#[must_use]
pub fn envelope(chain: &ChainId, number: u32) -> Envelope {
    let [low, ..] = (number % 5).to_le_bytes();
    let owner = key(low + 1);
    let record = inline(&owner, format!("content of record {number}").as_bytes());
    Envelope::sign(record, chain, &owner, DELEGATE)
}

/// An Item of these records.
///
/// # Panics
/// When there are none or more than ten.
#[must_use]
pub fn item(chain: &ChainId, numbers: impl IntoIterator<Item = u32>) -> Item {
    item_of(numbers.into_iter().map(|number| envelope(chain, number)).collect())
}

/// An Item of these envelopes.
///
/// # Panics
/// When there are none or more than ten.
#[must_use]
pub fn item_of(envelopes: Vec<Envelope>) -> Item {
    Item { records: List::new(envelopes).expect("1 to 10 records") }
}
