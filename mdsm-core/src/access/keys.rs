//! Public keys that somebody declares as its own, as the content of an ordinary record. [PRE-3]

use super::record::ActError;
use crate::codec::{Wire, wire_struct};
use crate::ledger::{Content, MediaType, Metadata, Record, RecordError, ResourceType};
use crate::types::{Digest, OwnerId, Timestamp};

/// Media type of a key record.
pub const KEYS_MEDIA_TYPE: &str = "application/vnd.mdsm.keys";
/// FHIR R4 resource type of a key record.
const KEYS_RESOURCE_TYPE: &str = "Person";

/// Public keys that a person declares as its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyRecord {
    /// Digest of the lattice key.
    pub lattice: Digest,
    /// Digest of the key that parcels are sealed to.
    pub parcels: Digest,
}

wire_struct!(KeyRecord { lattice, parcels });

impl Wire for KeyRecord {
    const TAG: [u8; 4] = *b"MKYR";
    const NAME: &'static str = "KeyRecord";
}

impl KeyRecord {
    /// The record that declares these keys, to be signed by its owner.
    pub fn to_record(self, owner: OwnerId, created: Timestamp) -> Result<Record, RecordError> {
        let bytes = self.to_bytes();
        let size = u64::try_from(bytes.len()).expect("69 bytes");
        let resource_type = ResourceType::new(KEYS_RESOURCE_TYPE).expect("letters");
        let media_type = MediaType::new(KEYS_MEDIA_TYPE).expect("a type and a subtype");
        let metadata = Metadata::new(resource_type, media_type, created, size);
        Record::new(owner, metadata, Content::inline(bytes)?)
    }

    /// The keys that a record declares; `None` where it does not say that it declares any.
    //= harness/spec/reencryption.md#pre-3-request-and-grant
    //# PRE-3.11 (ours): A key record MUST be drawn as under Keys and capsules in the vault, inline in a
    //# record of its media type and resource type, and holds until its owner books another.
    pub fn of_record(record: &Record) -> Option<Result<Self, ActError>> {
        let metadata = record.metadata();
        if metadata.content_type.as_str() != KEYS_MEDIA_TYPE {
            return None;
        }
        let Content::Inline(bytes) = record.content() else { return Some(Err(ActError::Stored)) };
        let found = metadata.resource_type.as_str();
        if found != KEYS_RESOURCE_TYPE {
            let (found, expected) = (found.to_owned(), KEYS_RESOURCE_TYPE);
            return Some(Err(ActError::ResourceType { found, expected }));
        }
        Some(Self::from_bytes(bytes).map_err(ActError::Malformed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::sign::SigningKey;

    const NOW: Timestamp = Timestamp::new(1_700_000_000_000);

    #[test]
    fn pre_3_11_a_key_record_is_what_it_says_or_an_error() {
        //= harness/spec/reencryption.md#pre-3-request-and-grant
        //= type=test
        //# PRE-3.11 (ours): A key record MUST be drawn as under Keys and capsules in the vault, inline in a
        //# record of its media type and resource type, and holds until its owner books another.
        let owner = SigningKey::from_seed(&[1; 32]).owner();
        let keys = KeyRecord { lattice: Digest::new([2; 32]), parcels: Digest::new([3; 32]) };
        let drawn = [b"MKYR\x01".as_slice(), &[2; 32], &[3; 32]].concat();
        assert_eq!(keys.to_bytes(), drawn);
        let record = keys.to_record(owner, NOW).unwrap();
        assert_eq!(KeyRecord::of_record(&record), Some(Ok(keys)));
        let changed = |change: &dyn Fn(&mut Metadata), content: Vec<u8>| {
            let mut metadata = record.metadata().clone();
            metadata.size = content.len() as u64;
            change(&mut metadata);
            let content = Content::inline(content).unwrap();
            KeyRecord::of_record(&Record::new(owner, metadata, content).unwrap())
        };
        let text = |metadata: &mut Metadata| {
            metadata.content_type = MediaType::new("text/plain").unwrap();
        };
        let patient = |metadata: &mut Metadata| {
            metadata.resource_type = ResourceType::new("Patient").unwrap();
        };
        assert_eq!(changed(&|_| {}, drawn.clone()), Some(Ok(keys)));
        assert_eq!(changed(&text, drawn.clone()), None);
        let refused = changed(&patient, drawn.clone());
        assert!(matches!(refused, Some(Err(ActError::ResourceType { .. }))), "{refused:?}");
        let refused = changed(&|_| {}, drawn[..68].to_vec());
        assert!(matches!(refused, Some(Err(ActError::Malformed(_)))), "{refused:?}");
    }
}
