//! What stands beside a record in its metadata: the capsule of a file, the approvals of a grant. [PRE-3]

use std::collections::BTreeMap;

use crate::ledger::Metadata;
use crate::types::{Blob, Digest, Map, Text};

/// Entry of a record's extension map: digest of the capsule with the key of its file.
const CAPSULE: &str = "capsule";
/// Entry of the extension map of a grant's record: digest of its approvals.
const APPROVALS: &str = "approvals";

/// Notes the digest of a file's capsule beside its record.
///
/// # Panics
/// When the metadata have notes of somebody else, and no room for one more.
pub fn note_capsule(metadata: &mut Metadata, capsule: Digest) {
    note(metadata, CAPSULE, capsule);
}

/// Notes the digest of a grant's approvals beside its act.
///
/// # Panics
/// When the metadata have notes of somebody else, and no room for one more.
pub fn note_approvals(metadata: &mut Metadata, approvals: Digest) {
    note(metadata, APPROVALS, approvals);
}

/// The capsule that a record names.
pub fn capsule_of(metadata: &Metadata) -> Option<Digest> {
    noted(metadata, CAPSULE)
}

/// The approvals that the record of a grant names.
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
    use crate::ledger::{MediaType, ResourceType};
    use crate::types::Timestamp;

    const NOW: Timestamp = Timestamp::new(1_700_000_000_000);

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
