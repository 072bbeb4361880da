//! Acts as ordinary records: signed, booked, found again.

use mdsm_core::access::{ACCESS_MEDIA_TYPE, Act, ActError, ActKind, Finding};
use mdsm_core::codec::{DecodeErrorKind, Wire as _};
use mdsm_core::crypto::sign::SigningKey;
use mdsm_core::ledger::{
    Content, Encryption, Envelope, MediaType, Metadata, Record, ResourceType, SealScheme,
};
use mdsm_core::types::{ChainId, InstitutionId, KeyId, Timestamp};

use crate::scene::{
    OWNER, PROXIES, READER, bid, choice, confirmation, delivery, digest, dispute, file, grant,
    request, revocation,
};

const CHAIN: ChainId = ChainId::new([0xc4; 32]);

fn all() -> [Act; 8] {
    let id = file(0);
    [
        request(OWNER, READER, &[0, 4]),
        grant(id, 50, &[0, 4]),
        bid(id),
        choice(id, PROXIES[0]),
        delivery(id, &[0]),
        revocation(id),
        dispute(id, 0),
        confirmation(id, Finding::Wrong),
    ]
}

#[test]
fn pre_3_6_every_act_is_signed_and_booked_as_an_ordinary_record() {
    //= harness/spec/reencryption.md#pre-3-request-and-grant
    //= type=test
    //# PRE-3.6 (ours): Request, grant, bid, choice, delivery and revocation MUST be signed and booked
    //# as ordinary records.
    let (signing, other) = (SigningKey::from_seed(&[1; 32]), SigningKey::from_seed(&[2; 32]));
    for (act, kind) in all().into_iter().zip(ActKind::ALL) {
        assert_eq!(act.kind(), *kind);
        let record = act.to_record(signing.owner(), Timestamp::new(7)).unwrap();
        let delegate = InstitutionId::new(9);
        let envelope = Envelope::sign(record.clone(), &CHAIN, &signing, delegate);
        let envelope = Envelope::from_bytes(&envelope.to_bytes()).unwrap();
        let verified = envelope.clone().verify(&CHAIN).unwrap();
        assert_eq!(*verified.record_id(), record.id());
        assert_eq!(Act::of_record(&verified.get().record), Some(Ok(act.clone())), "{kind:?}");
        // Nobody else can have said it.
        let forged = Envelope::sign(record, &CHAIN, &other, delegate);
        assert!(forged.verify(&CHAIN).is_err(), "{kind:?}");
        let mut changed = envelope;
        changed.record = act.to_record(other.owner(), Timestamp::new(7)).unwrap();
        assert!(changed.verify(&CHAIN).is_err(), "{kind:?}");
    }
}

/// A record with this content, whatever its metadata says.
fn record(resource_type: &str, media_type: &str, content: Content, size: u64) -> Record {
    let resource_type = ResourceType::new(resource_type).unwrap();
    let media_type = MediaType::new(media_type).unwrap();
    let mut metadata = Metadata::new(resource_type, media_type, Timestamp::new(7), size);
    if let Content::Stored(_) = content {
        let (scheme, key_id) = (SealScheme::XChaCha20Poly1305File, KeyId::new([1; 32]));
        metadata.encryption = Some(Encryption { scheme, key_id });
    }
    Record::new(SigningKey::from_seed(&[1; 32]).owner(), metadata, content).unwrap()
}

#[test]
fn pre_3_10_what_is_no_act_is_named() {
    //= harness/spec/reencryption.md#pre-3-request-and-grant
    //= type=test
    //# PRE-3.10 (ours): An act MUST be the inline content of a record with the media type and the
    //# resource type that section Access records gives for it.
    let text = include_str!("../../spec/reencryption.md");
    for act in all() {
        let (kind, bytes) = (act.kind(), act.to_bytes());
        let name = format!("{kind:?}").to_lowercase();
        let row = text.lines().find(|line| line.starts_with(&format!("| {name} |"))).unwrap();
        let expected = row.split('|').nth(3).unwrap().trim();
        assert_eq!(kind.resource_type(), expected);
        let size = u64::try_from(bytes.len()).unwrap();
        let inline = |bytes: &[u8]| Content::inline(bytes).unwrap();
        let read = |record: &Record| Act::of_record(record);
        let good = record(expected, ACCESS_MEDIA_TYPE, inline(&bytes), size);
        assert_eq!(read(&good), Some(Ok(act)));
        let other = record(expected, "application/json", inline(&bytes), size);
        assert_eq!(read(&other), None, "it does not say that it is an act");
        let wrong = record("Binary", ACCESS_MEDIA_TYPE, inline(&bytes), size);
        let error = ActError::ResourceType { found: "Binary".to_owned(), expected };
        assert_eq!(read(&wrong), Some(Err(error)));
        let stored = record(expected, ACCESS_MEDIA_TYPE, Content::Stored(digest(1)), size);
        assert_eq!(read(&stored), Some(Err(ActError::Stored)));
        let cut = record(expected, ACCESS_MEDIA_TYPE, inline(&bytes[..bytes.len() - 1]), size - 1);
        let Some(Err(ActError::Malformed(error))) = read(&cut) else { panic!("{kind:?} is cut") };
        assert!(matches!(error.kind, DecodeErrorKind::Truncated { .. }), "{error}");
    }
    let (media, quoted) = (ACCESS_MEDIA_TYPE, format!("`{ACCESS_MEDIA_TYPE}`"));
    assert!(text.contains(&quoted), "{media}");
}
