//! STO-2, STO-4 to STO-7: records, their parts, their signature, their content.

use std::io::Cursor;

use harness::build::{self, DELEGATE, Network, key};
use mdsm_core::codec::{DecodeErrorKind, Wire as _};
use mdsm_core::crypto::seal::{
    ContentKey, Frame, OpenError, SealCoins, SealError, StreamError, check_bytes, open, seal,
    sealed_bytes,
};
use mdsm_core::crypto::sha256;
use mdsm_core::crypto::sign::{self, KeyError, SignatureError};
use mdsm_core::ledger::*;
use mdsm_core::store::{Checked, Rows};
use mdsm_core::types::*;

use super::drawn::{self, chain_id, inline_record, owner, stored_record, u32_of};
use super::naive::sha;

#[test]
fn sto_2_1_a_record_is_owner_metadata_and_digest_or_content() {
    //= harness/spec/storage.md#sto-2-record-signature-acceptance
    //= type=test
    //# STO-2.1 (paper): A record MUST have exactly three parts, which are the public key of its
    //# owner, metadata, and a digest of the content or the content itself in the place of the
    //# digest.
    for (record, third) in [
        (inline_record(), [&[0][..], &u32_of(5), b"plain"].concat()),
        (stored_record(), [&[1][..], &[0xb1; 32]].concat()),
    ] {
        let bytes = record.to_bytes();
        let metadata_end = bytes.len() - third.len();
        assert_eq!(bytes[5..37], *record.owner().as_bytes());
        assert_eq!(bytes[metadata_end..], third);
        for part in [5..37, 37..metadata_end, metadata_end..bytes.len()] {
            let without = [&bytes[..part.start], &bytes[part.end..]].concat();
            assert!(Record::from_bytes(&without).is_err(), "without bytes {part:?}");
        }
        assert!(Record::from_bytes(&[&bytes[..], &third].concat()).is_err(), "a fourth part");
    }
    let third_kind = [&drawn::inline_record_body()[..], &[2]].concat();
    assert!(Record::from_bytes(&[b"MREC\x01", &third_kind[..]].concat()).is_err());
}

#[test]
fn sto_2_2_the_record_id_is_the_hash_drawn_with_the_digest_of_the_content() {
    //= harness/spec/storage.md#sto-2-record-signature-acceptance
    //= type=test
    //# STO-2.2 (ours): The id of a record MUST be the SHA-256 digest of the bytes drawn as Record
    //# id, in which the digest of the content stands also when the record carries the content
    //# itself.
    let metadata = drawn::least_metadata_fields(5).concat();
    let reference = [&[0][..], &sha(&[b"plain"])].concat();
    let id = sha(&[b"MRID\x01", owner().owner().as_bytes(), &metadata, &reference]);
    assert_eq!(*inline_record().id().as_bytes(), id);
    let envelope = Envelope::sign(inline_record(), &chain_id(), &owner(), DELEGATE);
    assert_eq!(*envelope.booking().record_id().as_bytes(), id, "without the content at hand");

    let metadata = drawn::full_metadata_fields().concat();
    let reference = [&[1][..], &[0xb1; 32]].concat();
    let id = sha(&[b"MRID\x01", owner().owner().as_bytes(), &metadata, &reference]);
    assert_eq!(*stored_record().id().as_bytes(), id);
}

/// All ways in which an envelope is checked give the same answer: alone, in a batch beside a sound
/// one, and by its booking.
#[expect(clippy::panic_in_result_fn, reason = "a contradiction fails the test")]
fn check(envelope: &Envelope, chain: &ChainId) -> Result<RecordId, EnvelopeError> {
    let answer = envelope.check(chain);
    let beside = build::envelope(chain, 77);
    let batch = Envelope::verify_all(vec![beside, envelope.clone()], chain, [9; 32]);
    assert!(batch[0].is_ok());
    let in_batch = batch[1].as_ref().map(|verified| *verified.record_id()).map_err(|error| *error);
    assert_eq!(in_batch, answer);
    assert_eq!(envelope.booking().verify_owner(chain), answer.map(|_| ()));
    answer
}

#[test]
fn sto_2_3_the_owner_signs_69_bytes_of_chain_and_record() {
    //= harness/spec/storage.md#sto-2-record-signature-acceptance
    //= type=test
    //# STO-2.3 (ours): A record MUST be refused unless the Ed25519 signature in its envelope holds
    //# under its owner's key over the 69 bytes drawn as Owner's message.
    for record in [inline_record(), stored_record()] {
        let message = [&b"MSGR\x01"[..], chain_id().as_bytes(), record.id().as_bytes()].concat();
        assert_eq!(message.len(), 69);
        let envelope = Envelope::sign(record.clone(), &chain_id(), &owner(), DELEGATE);
        let signature = &envelope.owner_signature;
        assert_eq!(sign::verify(&owner().owner(), &message, signature), Ok(()));
        assert_eq!(check(&envelope, &chain_id()), Ok(record.id()));

        let refused = Err(EnvelopeError::Signature(SignatureError));
        assert_eq!(check(&envelope, &ChainId::new([0xc2; 32])), refused, "replayed elsewhere");
        for bit in (0..512).step_by(7) {
            let mut bytes = *signature.as_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let forged = Envelope { owner_signature: Signature::new(bytes), ..envelope.clone() };
            assert_eq!(check(&forged, &chain_id()), refused, "bit {bit}");
        }
        let by_another = Envelope::sign(record.clone(), &chain_id(), &key(2), DELEGATE);
        assert_eq!(check(&by_another, &chain_id()), refused);
        let plain = Envelope { owner_signature: owner().sign(record.id().as_bytes()), ..envelope };
        assert_eq!(check(&plain, &chain_id()), refused, "the id alone was signed");
    }
    let mut other = drawn::full_metadata();
    other.activity = Activity::Nullify;
    let other = Record::new(owner().owner(), other, stored_record().content().clone()).unwrap();
    let signed = Envelope::sign(stored_record(), &chain_id(), &owner(), DELEGATE);
    let moved = Envelope { record: other, ..signed };
    assert_eq!(check(&moved, &chain_id()), Err(EnvelopeError::Signature(SignatureError)));
}

#[test]
fn sto_2_5_keys_off_the_curve_or_of_small_order_own_nothing() {
    //= harness/spec/storage.md#sto-2-record-signature-acceptance
    //= type=test
    //# STO-2.5 (ours): A record whose owner key is not a point of the curve or is of small order
    //# MUST be refused.
    let small = super::signature::small_order_encodings().map(|key| (key, KeyError::SmallOrder));
    let mut off_curve = [0; 32];
    off_curve[0] = 2;
    let keys = [&small[..], &[(off_curve, KeyError::NotAPoint)]].concat();
    // R the neutral point and S = 0: a signature that small keys give to every message.
    let mut anything = [0; 64];
    anything[0] = 1;
    for (bytes, error) in keys {
        let owner = OwnerId::new(bytes);
        let made = Record::new(owner, build::metadata(5), Content::inline(*b"plain").unwrap());
        assert_eq!(made, Err(RecordError::Owner(error)), "{owner}");

        let mut received = drawn::inline_record_body();
        received[..32].copy_from_slice(&bytes);
        let bytes = [&b"MENV\x01"[..], &received, &anything, &[2, 0, 0, 0]].concat();
        let envelope = Envelope::from_bytes(&bytes).unwrap();
        assert_eq!(check(&envelope, &chain_id()), Err(EnvelopeError::Owner(error)), "{owner}");
    }
}

#[test]
fn sto_4_content_in_a_record_ends_at_102400_bytes() {
    //= harness/spec/storage.md#sto-4-size-of-a-record-in-an-item
    //= type=test
    //# STO-4.1 (ours): A record held in an Item MUST carry at most 102,400 bytes of content,
    //# counted before encoding.
    //= harness/spec/storage.md#sto-4-size-of-a-record-in-an-item
    //= type=test
    //# STO-4.2 (paper): A record held in an Item MUST be at most 100 KB in size, by the reading of
    //# AMB-STO-4 that the implementation declares.
    //= harness/spec/storage.md#sto-4-size-of-a-record-in-an-item
    //= type=test
    //# STO-4.3 (ours): A record that carries exactly 102,400 bytes of content MUST NOT be refused
    //# for its size.
    let largest = build::inline(&owner(), &[1; 102_400]);
    assert_eq!(Record::from_bytes(&largest.to_bytes()).as_ref(), Ok(&largest));
    let bound = BoundError::Count { count: 102_401, count_min: 1, count_max: 102_400 };
    assert_eq!(Content::inline(vec![1; 102_401]), Err(RecordError::Content(bound.clone())));

    let metadata = drawn::least_metadata_fields(102_401).concat();
    let owner_bytes = owner().owner();
    let head = [b"MREC\x01", &owner_bytes.as_bytes()[..], &metadata, &[0]].concat();
    let error = Record::from_bytes(&[&head[..], &u32_of(102_401), &[1; 102_401]].concat());
    let error = error.unwrap_err();
    assert_eq!((error.field().as_str(), error.offset), ("Record.content", head.len()));
    assert_eq!(error.kind, DecodeErrorKind::Bound(bound));

    // Ten of the largest fit in one Item, and the chain takes them.
    let mut network = Network::new();
    let envelopes = (0..10).map(|byte| {
        let record = build::inline(&owner(), &[byte; 102_400]);
        Envelope::sign(record, &network.chain.id(), &owner(), DELEGATE)
    });
    let items = [build::item_of(envelopes.collect())];
    let block = network.block_of(6_000, &items);
    assert_eq!(network.add(&block, &items).unwrap().booked.len(), 10);
}

#[test]
fn sto_4_4_empty_content_is_refused() {
    //= harness/spec/storage.md#sto-4-size-of-a-record-in-an-item
    //= type=test
    //# STO-4.4 (ours): A record with empty content MUST be refused.
    let bound = BoundError::Count { count: 0, count_min: 1, count_max: 102_400 };
    assert_eq!(Content::inline([]), Err(RecordError::Content(bound.clone())));
    let metadata = drawn::least_metadata_fields(1).concat();
    let body = [&owner().owner().as_bytes()[..], &metadata, &[0], &u32_of(0)].concat();
    let error = Record::from_bytes(&[b"MREC\x01", &body[..]].concat()).unwrap_err();
    assert_eq!(error.kind, DecodeErrorKind::Bound(bound));
    assert!(Content::inline([0]).is_ok());
}

#[test]
fn sto_5_1_small_plain_content_is_booked_in_the_record_itself() {
    //= harness/spec/storage.md#sto-5-content-inside-the-record
    //= type=test
    //# STO-5.1 (paper): A record of small content that its owner does not want encrypted MUST be
    //# bookable with the content itself in the place of the digest.
    let mut network = Network::new();
    let record = build::inline(&owner(), b"blood pressure 120/80");
    let envelope = Envelope::sign(record.clone(), &network.chain.id(), &owner(), DELEGATE);
    let items = [build::item_of(vec![envelope])];
    let block = network.block_of(6_000, &items);
    assert_eq!(network.add(&block, &items).unwrap().booked, [record.id()]);
    let bytes = items[0].to_bytes();
    assert!(bytes.windows(21).any(|window| window == b"blood pressure 120/80"));
}

#[test]
fn sto_5_3_an_encryption_is_named_exactly_when_the_content_is_stored() {
    //= harness/spec/storage.md#sto-5-content-inside-the-record
    //= type=test
    //# STO-5.3 (ours): A record MUST name an encryption in its metadata when it is booked by digest
    //# and none when it carries its content.
    let (plain, sealed) = (build::metadata(5), build::sealed_metadata(5));
    let inline = Content::inline(*b"plain").unwrap();
    let stored = Content::Stored(Digest::new([0xb1; 32]));
    for (metadata, content, sound) in [
        (&plain, &inline, true),
        (&sealed, &stored, true),
        (&sealed, &inline, false),
        (&plain, &stored, false),
    ] {
        let made = Record::new(owner().owner(), metadata.clone(), content.clone());
        assert_eq!(made.is_ok(), sound);
        assert!(sound || matches!(made, Err(RecordError::Contradiction(_))));

        let mut fields = drawn::least_metadata_fields(5);
        if metadata.encryption.is_some() {
            fields[16] = [&[1, 1][..], &[7; 32]].concat();
        }
        let head = [&owner().owner().as_bytes()[..], &fields.concat()].concat();
        let (third, reference) = match content {
            Content::Inline(_) => ([&[0][..], &u32_of(5), b"plain"].concat(), 0),
            Content::Stored(_) => ([&[1][..], &[0xb1; 32]].concat(), 1),
        };
        let record = Record::from_bytes(&[b"MREC\x01", &head[..], &third].concat());
        assert_eq!(record.is_ok(), sound);
        let booking = [b"MBKG\x01", &head[..], &[reference], &[0; 100]].concat();
        let booking = Booking::from_bytes(&booking);
        assert_eq!(booking.is_ok(), sound, "as a receipt carries it");
        if let (Err(record), Err(booking)) = (record, booking) {
            assert_eq!(record.field(), "Record.content");
            assert_eq!(booking.field(), "Booking.content");
        }
    }
}

const COINS: SealCoins = SealCoins { nonce_prefix: [3; 19], salt: [4; 16] };

fn content_key() -> ContentKey {
    ContentKey::new([9; 32])
}

fn booking_of(file: Digest, bytes: usize) -> Booking {
    let record = build::stored(&owner(), file, bytes);
    Envelope::sign(record, &chain_id(), &owner(), DELEGATE).booking()
}

#[test]
fn sto_6_1_large_content_is_stored_sealed_and_booked_by_digest() {
    //= harness/spec/storage.md#sto-6-content-outside-the-record
    //= type=test
    //# STO-6.1 (paper): Content that is too large for an Item, or that its owner wants encrypted,
    //# MUST be stored encrypted in the distributed database, with its digest in the Item.
    //= harness/spec/storage.md#sto-6-content-outside-the-record
    //= type=test
    //# STO-6.2 (paper): The digest in the Item MUST serve both as the key under which the stored
    //# file is found and as the check of its integrity.
    let directory = tempfile::tempdir().unwrap();
    let rows = Rows::new(Checked::open_directory(directory.path()).unwrap().0);
    let plaintext = b"content that is too large for an Item. ".repeat(3_000);
    assert!(Content::inline(&plaintext[..]).is_err());
    let sealed = seal(&plaintext, &content_key(), COINS).unwrap();
    let digest = sha256(&sealed);
    rows.put_object(&digest, &sealed).unwrap();

    let mut network = Network::new();
    let record = build::stored(&owner(), digest, plaintext.len());
    let envelope = Envelope::sign(record, &network.chain.id(), &owner(), DELEGATE);
    let booking = envelope.booking();
    let items = [build::item_of(vec![envelope])];
    let block = network.block_of(6_000, &items);
    assert_eq!(network.add(&block, &items).unwrap().booked, [booking.record_id()]);

    // What the Item holds finds the file, and shows that it is the one.
    let found = rows.object(booking.content.digest()).unwrap().unwrap();
    assert_eq!(booking.open(&found, &content_key()), Ok(plaintext));
    //= harness/spec/database.md#ddb-3-finding
    //= type=test
    //# DDB-3.3 (ours): A reader MUST compare a file with the digest it asked for before opening it.
    let mut other = found;
    other[1_000] ^= 1;
    assert!(matches!(booking.open(&other, &content_key()), Err(ContentError::Digest { .. })));
    assert!(rows.put_object(&digest, &other).is_err());
}

#[test]
fn sto_6_3_a_stored_file_is_named_by_the_hash_of_all_its_bytes() {
    //= harness/spec/storage.md#sto-6-content-outside-the-record
    //= type=test
    //# STO-6.3 (ours): The digest of a stored file MUST be the SHA-256 digest of the whole sealed
    //# file, from the first byte of its header to the last byte of its trailer.
    let sealed = seal(b"a plaintext", &content_key(), COINS).unwrap();
    let open = |digest| booking_of(digest, 11).open(&sealed, &content_key());
    let whole = Digest::new(sha(&[&sealed]));
    assert_eq!(open(whole), Ok(b"a plaintext".to_vec()));
    let end = sealed.len();
    for part in [&sealed[1..], &sealed[26..], &sealed[..end - 1], &sealed[..end - 72]] {
        let other = Digest::new(sha(&[part]));
        let refused = ContentError::Digest { found: whole, expected: other };
        assert_eq!(open(other), Err(refused), "{} of {end} bytes", part.len());
    }
    let plaintext = sha256(b"a plaintext");
    assert!(matches!(open(plaintext), Err(ContentError::Digest { .. })), "not of the plaintext");
}

#[test]
fn sto_6_4_the_size_stated_is_that_of_the_plaintext() {
    //= harness/spec/storage.md#sto-6-content-outside-the-record
    //= type=test
    //# STO-6.4 (ours): A record MUST be refused when the size in its metadata is not the number of
    //# bytes of its plaintext, as soon as the plaintext is at hand.
    for bytes in [4, 6, 0x0500] {
        let content = Content::inline(*b"plain").unwrap();
        let made = Record::new(owner().owner(), build::metadata(bytes), content);
        assert!(matches!(made, Err(RecordError::Contradiction(_))), "{bytes}");
        let metadata = drawn::least_metadata_fields(u64::try_from(bytes).unwrap()).concat();
        let owner = owner().owner();
        let parts = [b"MREC\x01", &owner.as_bytes()[..], &metadata, &[0], &u32_of(5), b"plain"];
        let error = Record::from_bytes(&parts.concat()).unwrap_err();
        assert_eq!(error.field(), "Record.content");
    }
    let sealed = seal(b"plain", &content_key(), COINS).unwrap();
    for stated in [1, 4, 6, 1 << 40] {
        let opened = booking_of(sha256(&sealed), stated).open(&sealed, &content_key());
        let stated = u64::try_from(stated).unwrap();
        assert_eq!(opened, Err(ContentError::Size { bytes: 5, stated }));
    }
    assert_eq!(booking_of(sha256(&sealed), 5).open(&sealed, &content_key()), Ok(b"plain".to_vec()));

    // As a stream: the digest first, then the file, then its size.
    let checked = |digest, stated| {
        let booking = booking_of(digest, stated);
        booking.check(&mut Cursor::new(&sealed), &content_key()).map(|checked| checked.bytes())
    };
    assert_eq!(checked(sha256(&sealed), 5).unwrap(), 5);
    let refused = |answer: Result<u64, StreamError<ContentError>>| match answer {
        Err(StreamError::Refused(error)) => error,
        other => panic!("{other:?}"),
    };
    let size = ContentError::Size { bytes: 5, stated: 4 };
    assert_eq!(refused(checked(sha256(&sealed), 4)), size);
    let digest = ContentError::Digest { found: sha256(&sealed), expected: sha256(b"plain") };
    assert_eq!(refused(checked(sha256(b"plain"), 5)), digest);
}

#[test]
fn sto_6_6_a_sealed_file_holds_1_byte_to_as_many_chunks_as_can_be_counted() {
    //= harness/spec/storage.md#sto-6-content-outside-the-record
    //= type=test
    //# STO-6.6 (ours): The plaintext of a sealed file MUST hold at least 1 byte and at most
    //# 281,474,976,645,120 bytes.
    let most = 281_474_976_645_120;
    assert_eq!(most, (u64::from(u32::MAX)) * 65_536, "the counter of the trailer is a u32");
    let too_large = |bytes| SealError::TooLarge { bytes, bytes_max: most };
    for (bytes, answer) in [
        (0, Err(SealError::Empty)),
        (1, Ok(())),
        (268_435_457, Ok(())),
        (most, Ok(())),
        (most + 1, Err(too_large(most + 1))),
        (u64::MAX, Err(too_large(u64::MAX))),
    ] {
        assert_eq!(check_bytes(bytes), answer);
        assert_eq!(sealed_bytes(bytes).map(|_| ()), answer);
    }
    assert_eq!(seal(&[], &content_key(), COINS), Err(SealError::Empty));
    let least = seal(&[7], &content_key(), COINS).unwrap();
    assert_eq!(open(&least, &content_key()), Ok(vec![7]));

    // Whoever holds the key can seal more or less elsewhere; it is refused by its length.
    let bytes_min = 26 + 1 + 16 + 72;
    assert_eq!(u64::try_from(least.len()), Ok(bytes_min));
    let short = open(&[0; 26 + 72], &content_key());
    assert_eq!(short, Err(OpenError::Truncated { bytes: 98, bytes_min }));
    // No test holds a file of this length, and none need be held to see that it is too long.
    let bytes_max = 26 + most + 16 * 4_294_967_295 + 72;
    assert_eq!(sealed_bytes(most), Ok(bytes_max));
    let header = least[..26].try_into().unwrap();
    let frame = |bytes| Frame::open(&content_key(), bytes, header, &[0; 72]).unwrap_err();
    let bytes = bytes_max + 1;
    assert_eq!(frame(bytes), OpenError::TooLarge { bytes, bytes_max });
    let (chunks, offset) = (u32::MAX, bytes_max - 72);
    assert_eq!(frame(bytes_max), OpenError::Trailer { chunks, offset }, "of a possible length");
}

#[test]
fn sto_7_1_an_owner_is_a_public_key_and_nothing_else() {
    //= harness/spec/storage.md#sto-7-owner
    //= type=test
    //# STO-7.1 (paper): An owner MUST be identified by its public key alone.
    let record = inline_record();
    assert_eq!(record.owner(), &key(1).owner());
    assert_eq!(OwnerId::BYTES, 32);
    assert_eq!(record.to_bytes()[5..37], *key(1).owner().as_bytes());
    // The key suffices to check a record: no register of owners is asked.
    let envelope = Envelope::sign(record.clone(), &chain_id(), &key(1), DELEGATE);
    let message = [&b"MSGR\x01"[..], chain_id().as_bytes(), record.id().as_bytes()].concat();
    assert!(sign::verify(envelope.record.owner(), &message, &envelope.owner_signature).is_ok());
    let other = build::inline(&key(2), b"plain");
    assert_ne!(other.owner(), record.owner());
    assert_ne!(other.id(), record.id(), "another owner, another record");
    assert_eq!(other.metadata(), record.metadata());
}
