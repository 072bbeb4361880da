//! Key records and approvals: how public keys and approved capsules are found. [PRE-3] [PRE-5]

use std::collections::BTreeMap;

use super::record::ActError;
use crate::codec::{Decode, DecodeError, DecodeErrorKind, Encode, Reader, Wire, wire_struct};
use crate::ledger::{Content, MediaType, Metadata, Record, RecordError, ResourceType};
use crate::params::GRANT_FILES_MAX;
use crate::reencryption::Approval;
use crate::types::{Blob, Digest, Map, OwnerId, Text, Timestamp};

/// Media type of a key record.
pub const KEYS_MEDIA_TYPE: &str = "application/vnd.mdsm.keys";
/// FHIR R4 resource type of a key record.
const KEYS_RESOURCE_TYPE: &str = "Person";
/// Entry of a record's extension map: digest of the capsule with the key of its file.
const CAPSULE: &str = "capsule";
/// Entry of the extension map of a grant's record: digest of its approvals.
const APPROVALS: &str = "approvals";

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

/// What an owner signed of the capsules of a grant, by their digests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approvals(BTreeMap<Digest, Approval>);

impl Approvals {
    /// The approvals of a grant.
    #[must_use]
    pub fn new(approvals: impl IntoIterator<Item = Approval>) -> Self {
        Self(approvals.into_iter().map(|approval| (approval.capsule, approval)).collect())
    }

    /// That of a capsule.
    #[must_use]
    pub fn of(&self, capsule: &Digest) -> Option<&Approval> {
        self.0.get(capsule)
    }
}

impl Encode for Approvals {
    fn encode(&self, out: &mut Vec<u8>) {
        u32::try_from(self.0.len()).expect("one for each file of a grant").encode(out);
        self.0.values().for_each(|approval| approval.encode(out));
    }
}

impl Decode for Approvals {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        /// Three digests and a signature.
        const APPROVAL_BYTES: usize = 3 * 32 + 64;
        let count = reader.count(1, GRANT_FILES_MAX, APPROVAL_BYTES)?;
        let mut approvals = BTreeMap::new();
        for index in 0..count {
            let start = reader.offset();
            let approval: Approval = reader.element(index)?;
            if approvals.last_key_value().is_some_and(|(last, _)| *last >= approval.capsule) {
                let error = DecodeError::new(start, DecodeErrorKind::Order);
                return Err(error.inside_element(index));
            }
            approvals.insert(approval.capsule, approval);
        }
        Ok(Self(approvals))
    }
}

impl Wire for Approvals {
    const TAG: [u8; 4] = *b"MAPS";
    const NAME: &'static str = "Approvals";
}

/// Notes the digest of a file's capsule beside its record.
pub fn note_capsule(metadata: &mut Metadata, capsule: Digest) {
    note(metadata, CAPSULE, capsule);
}

/// Notes the digest of a grant's approvals beside its act.
pub fn note_approvals(metadata: &mut Metadata, approvals: Digest) {
    note(metadata, APPROVALS, approvals);
}

/// The capsule that a record names.
#[must_use]
pub fn capsule_of(metadata: &Metadata) -> Option<Digest> {
    noted(metadata, CAPSULE)
}

/// The approvals that the record of a grant names.
#[must_use]
pub fn approvals_of(metadata: &Metadata) -> Option<Digest> {
    noted(metadata, APPROVALS)
}

fn note(metadata: &mut Metadata, name: &str, digest: Digest) {
    let mut entries: BTreeMap<_, _> = (*metadata.ext).clone();
    let name = Text::new(name).expect("a short word");
    entries.insert(name, Blob::new(digest.as_bytes().as_slice()).expect("32 bytes"));
    metadata.ext = Map::new(entries).expect("the first entries of a new record");
}

fn noted(metadata: &Metadata, name: &str) -> Option<Digest> {
    let entry = metadata.ext.iter().find(|(key, _)| key.as_str() == name);
    Some(Digest::new(<[u8; 32]>::try_from(&**entry?.1).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::sign::SigningKey;
    use crate::reencryption::{Message, Set, approve, encapsulate, generate};
    use crate::types::KeyId;

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

    #[test]
    fn approvals_are_read_in_order_only() {
        let signing = SigningKey::from_seed(&[1; 32]);
        let (secret, public) = generate(Set::Toy16, &[2; 32]);
        let one = |byte: u8| {
            let (capsule, _) =
                encapsulate(&public, KeyId::new([byte; 32]), &Message::new([byte; 32]));
            approve((&secret, &public), &capsule, &signing).unwrap().0
        };
        let approvals = Approvals::new([one(1), one(2)]);
        let bytes = approvals.to_bytes();
        assert_eq!(Approvals::from_bytes(&bytes), Ok(approvals.clone()));
        assert_eq!(approvals.of(&one(1).capsule), Some(&one(1)));
        assert_eq!(approvals.of(&Digest::new([0; 32])), None);
        let (head, rest) = bytes.split_at(9);
        let (first, second) = rest.split_at(rest.len() / 2);
        assert!(Approvals::from_bytes(&[head, second, first].concat()).is_err());
        assert!(Approvals::from_bytes(&[head, first, first].concat()).is_err());
        assert!(Approvals::from_bytes(b"MAPS\x01\0\0\0\0").is_err());
    }

    #[test]
    fn what_is_noted_is_found_and_nothing_else() {
        let (kind, media) = (ResourceType::new("Observation"), MediaType::new("text/plain"));
        let mut metadata = Metadata::new(kind.unwrap(), media.unwrap(), NOW, 1);
        assert_eq!(capsule_of(&metadata), None);
        note_capsule(&mut metadata, Digest::new([7; 32]));
        assert_eq!(capsule_of(&metadata), Some(Digest::new([7; 32])));
        assert_eq!(approvals_of(&metadata), None);
        metadata.check().unwrap();
    }
}
