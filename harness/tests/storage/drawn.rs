//! Every value of the spec, beside its bytes, written down by hand as section Formats draws them.

use harness::build::{self, DELEGATE};
use mdsm_core::codec::{DecodeError, Wire};
use mdsm_core::crypto::sign::SigningKey;
use mdsm_core::ledger::*;
use mdsm_core::types::*;

/// A value as bytes, with what decoding and encoding again makes of bytes of its type.
pub(crate) struct Drawn {
    pub(crate) name: &'static str,
    /// As drawn by hand.
    pub(crate) bytes: Vec<u8>,
    /// As the code encodes the same value.
    pub(crate) encoded: Vec<u8>,
    pub(crate) again: fn(&[u8]) -> Result<Vec<u8>, DecodeError>,
}

fn drawn<T: Wire>(value: &T, bytes: Vec<u8>) -> Drawn {
    let again = |bytes: &[u8]| T::from_bytes(bytes).map(|value| value.to_bytes());
    Drawn { name: T::NAME, bytes, encoded: value.to_bytes(), again }
}

pub(crate) fn u32_of(count: usize) -> [u8; 4] {
    u32::try_from(count).unwrap().to_le_bytes()
}

pub(crate) fn text(text: &str) -> Vec<u8> {
    [&u32_of(text.len())[..], text.as_bytes()].concat()
}

/// Metadata with every field present.
pub(crate) fn full_metadata() -> Metadata {
    let code = |system, code: &str| Some(Code { system, code: Text::new(code).unwrap() });
    let key = |key: &str| Text::new(key).unwrap();
    let blob = |bytes: &[u8]| Blob::new(bytes).unwrap();
    Metadata {
        resource_type: ResourceType::new("Observation").unwrap(),
        content_type: MediaType::new("text/plain; charset=utf-8").unwrap(),
        created: Timestamp::new(1_767_225_600_123),
        tz_offset_min: Some(-570),
        size: 300,
        kind: code(CodeSystem::Loinc, "8867-4"),
        category: code(CodeSystem::Local, "x"),
        status: RecordStatus::Superseded,
        relates_to: Some((Relation::Appends, RecordId::new([0xa1; 32]))),
        format: Some(Text::new("1.2.840.10008.1.2.1").unwrap()),
        language: Some(LanguageTag::new("zh-CN").unwrap()),
        custodian: Some(OwnerId::new([0xa2; 32])),
        author: Some(OwnerId::new([0xa3; 32])),
        activity: Activity::Append,
        security: Set::new([Confidentiality::VeryRestricted, Confidentiality::Normal].into())
            .unwrap(),
        consent: Some(RecordId::new([0xa4; 32])),
        encryption: Some(Encryption {
            scheme: SealScheme::XChaCha20Poly1305File,
            key_id: KeyId::new([0xa5; 32]),
        }),
        ext: Map::new([(key("b"), blob(&[])), (key("ab"), blob(&[1, 2]))].into()).unwrap(),
    }
}

/// The fields of [`full_metadata`], in the order of the table Metadata.
pub(crate) fn full_metadata_fields() -> Vec<Vec<u8>> {
    vec![
        text("Observation"),
        text("text/plain; charset=utf-8"),
        1_767_225_600_123_i64.to_le_bytes().to_vec(),
        [&[1][..], &(-570_i16).to_le_bytes()].concat(),
        300_u64.to_le_bytes().to_vec(),
        [&[1, 1][..], &text("8867-4")].concat(),
        [&[1, 4][..], &text("x")].concat(),
        vec![2],
        [&[1, 4][..], &[0xa1; 32]].concat(),
        [&[1][..], &text("1.2.840.10008.1.2.1")].concat(),
        [&[1][..], &text("zh-CN")].concat(),
        [&[1][..], &[0xa2; 32]].concat(),
        [&[1][..], &[0xa3; 32]].concat(),
        vec![3],
        [&u32_of(2)[..], &[1, 3]].concat(),
        [&[1][..], &[0xa4; 32]].concat(),
        [&[1, 1][..], &[0xa5; 32]].concat(),
        [&u32_of(2)[..], &text("ab"), &u32_of(2), &[1, 2], &text("b"), &u32_of(0)].concat(),
    ]
}

/// The fields of the least metadata of an inline text of so many bytes.
pub(crate) fn least_metadata_fields(bytes: u64) -> Vec<Vec<u8>> {
    let none = || vec![0];
    vec![
        text("DocumentReference"),
        text("text/plain"),
        (build::START_MS - 3_600_000).to_le_bytes().to_vec(),
        none(),
        bytes.to_le_bytes().to_vec(),
        none(),
        none(),
        vec![1],
        none(),
        none(),
        none(),
        none(),
        none(),
        vec![1],
        u32_of(0).to_vec(),
        none(),
        none(),
        u32_of(0).to_vec(),
    ]
}

pub(crate) fn owner() -> SigningKey {
    build::key(1)
}

/// A record with every field of metadata, booked by the digest of its file.
pub(crate) fn stored_record() -> Record {
    let content = Content::Stored(Digest::new([0xb1; 32]));
    Record::new(owner().owner(), full_metadata(), content).unwrap()
}

/// `owner | metadata | content` of that record, from metadata fields as they are given.
pub(crate) fn stored_record_body(fields: &[Vec<u8>]) -> Vec<u8> {
    [&owner().owner().as_bytes()[..], &fields.concat(), &[1], &[0xb1; 32]].concat()
}

pub(crate) fn inline_record() -> Record {
    build::inline(&owner(), b"plain")
}

pub(crate) fn inline_record_body() -> Vec<u8> {
    let metadata = least_metadata_fields(5).concat();
    [&owner().owner().as_bytes()[..], &metadata, &[0], &u32_of(5), b"plain"].concat()
}

pub(crate) fn chain_id() -> ChainId {
    ChainId::new([0xc1; 32])
}

fn signed(record: Record) -> Envelope {
    Envelope::sign(record, &chain_id(), &owner(), DELEGATE)
}

/// Every type of the spec that travels on its own.
pub(crate) fn all() -> Vec<Drawn> {
    let top = |tag: &[u8; 4], parts: &[&[u8]]| [&tag[..], &[1], &parts.concat()].concat();
    let (inline, stored) = (signed(inline_record()), signed(stored_record()));
    let stored_body = stored_record_body(&full_metadata_fields());
    let signatures = [&inline, &stored].map(|envelope| *envelope.owner_signature.as_bytes());
    let tails = signatures.map(|signature| [&signature[..], &[2, 0, 0, 0]].concat());
    let inline_ref = [&[0][..], &super::naive::sha(&[b"plain"])].concat();
    let inline_booking = [
        &owner().owner().as_bytes()[..],
        &least_metadata_fields(5).concat(),
        &inline_ref,
        &tails[0],
    ]
    .concat();
    let item = build::item_of(vec![inline.clone(), stored.clone()]);
    let digests = |count: u8| -> Vec<Digest> { (0..count).map(|n| Digest::new([n; 32])).collect() };
    let digest_bytes = |count: u8| -> Vec<u8> { (0..count).flat_map(|n| [n; 32]).collect() };
    let item_block = ItemBlock {
        header: ItemBlockHeader {
            chain_id: chain_id(),
            height: Height::new(0x0102_0304_0506_0708),
            producer: InstitutionId::new(0x1112_1314),
            closed_at: Timestamp::new(0x2122_2324_2526_2728),
            root: Digest::new([0xc2; 32]),
        },
        items: List::new(digests(3)).unwrap(),
    };
    let item_block_body = [
        &[0xc1; 32][..],
        &[8, 7, 6, 5, 4, 3, 2, 1],
        &[0x14, 0x13, 0x12, 0x11],
        &[0x28, 0x27, 0x26, 0x25, 0x24, 0x23, 0x22, 0x21],
        &[0xc2; 32],
        &u32_of(3),
        &digest_bytes(3),
    ]
    .concat();
    let payload = Payload { item_block: Some(item_block.clone()), ..Payload::default() };
    let header = BlockHeader {
        chain_id: chain_id(),
        epoch: Epoch::new(0x3132_3334),
        view: View::new(5),
        height: Height::new(6),
        parent: Digest::new([0xc3; 32]),
        parent_view: View::new(4),
        timestamp: Timestamp::new(-2),
        producer: InstitutionId::new(7),
        payload: Digest::new([0xc4; 32]),
    };
    let header_body = [
        &[0xc1; 32][..],
        &[0x34, 0x33, 0x32, 0x31],
        &[5, 0, 0, 0, 0, 0, 0, 0],
        &[6, 0, 0, 0, 0, 0, 0, 0],
        &[0xc3; 32],
        &[4, 0, 0, 0, 0, 0, 0, 0],
        &[0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        &[7, 0, 0, 0],
        &[0xc4; 32],
    ]
    .concat();
    assert_eq!(5 + header_body.len(), 141, "as drawn");
    let some_payload = [&[1][..], &item_block_body, &[0], &[0; 16]].concat();
    let data_block =
        DataBlock { epoch: Epoch::new(1), index: 2, item_blocks: List::new(digests(10)).unwrap() };
    let window =
        |count| Window { epoch: Epoch::new(1), data_blocks: List::new(digests(count)).unwrap() };
    let anchor = Anchor {
        chain_id: chain_id(),
        epoch: Epoch::new(9),
        window: Digest::new([0xd1; 32]),
        head: Digest::new([0xd2; 32]),
        state: Digest::new([0xd3; 32]),
        next_committees: Digest::new([0xd4; 32]),
    };
    let anchor_body =
        [&[0xc1; 32][..], &[9, 0, 0, 0], &[0xd1; 32], &[0xd2; 32], &[0xd3; 32], &[0xd4; 32]]
            .concat();
    let genesis_body = [
        &text("small")[..],
        &build::START_MS.to_le_bytes(),
        &6_000_u32.to_le_bytes(),
        &60_000_u32.to_le_bytes(),
        &600_000_u32.to_le_bytes(),
        &[4, 0, 4, 0],
        build::genesis().committees.as_bytes(),
        build::registrar().owner().as_bytes(),
    ]
    .concat();
    let receipt = Receipt {
        chain_id: chain_id(),
        epoch: Epoch::new(9),
        booking: inline.booking(),
        position: Position {
            item_index: 1,
            item_size: 2,
            block_index: 3,
            block_size: 0x1020,
            data_index: 5,
            data_size: 6,
            window_index: 7,
            window_size: 0x8090,
        },
        path: List::new(digests(4)).unwrap(),
        context: Digest::new([0xe1; 32]),
        bitcoin: None,
    };
    let receipt_body = [
        &[0xc1; 32][..],
        &[9, 0, 0, 0],
        &inline_booking,
        &[1, 2, 3, 0, 0x20, 0x10, 5, 6, 7, 0, 0, 0, 0x90, 0x80, 0, 0],
        &u32_of(4),
        &digest_bytes(4),
        &[0xe1; 32],
    ]
    .concat();
    let proof = BitcoinProof {
        height: 840_000,
        transaction: Blob::new([0x77; 100]).unwrap(),
        transaction_index: 258,
        branch: List::new(digests(2)).unwrap(),
    };
    let proof_body = [
        &840_000_u32.to_le_bytes()[..],
        &u32_of(100),
        &[0x77; 100],
        &[2, 1, 0, 0],
        &u32_of(2),
        &digest_bytes(2),
    ]
    .concat();
    vec![
        drawn(&build::genesis(), top(b"MGEN", &[&genesis_body])),
        drawn(&inline.record, top(b"MREC", &[&inline_record_body()])),
        drawn(&stored.record, top(b"MREC", &[&stored_body])),
        drawn(&inline, top(b"MENV", &[&inline_record_body(), &tails[0]])),
        drawn(&stored, top(b"MENV", &[&stored_body, &tails[1]])),
        drawn(&inline.booking(), top(b"MBKG", &[&inline_booking])),
        drawn(&stored.booking(), top(b"MBKG", &[&stored_body, &tails[1]])),
        drawn(
            &item,
            top(b"MITM", &[&u32_of(2), &inline_record_body(), &tails[0], &stored_body, &tails[1]]),
        ),
        drawn(&item_block, top(b"MIBL", &[&item_block_body])),
        drawn(&payload, top(b"MPAY", &[&some_payload])),
        drawn(&Payload::default(), top(b"MPAY", &[&[0, 0], &[0; 16]])),
        drawn(&header, top(b"MBHD", &[&header_body])),
        drawn(&Block { header, payload }, top(b"MBLK", &[&header_body, &some_payload])),
        drawn(
            &data_block,
            top(b"MDBL", &[&[1, 0, 0, 0], &[2, 0, 0, 0], &u32_of(10), &digest_bytes(10)]),
        ),
        drawn(&window(2), top(b"MWIN", &[&[1, 0, 0, 0], &u32_of(2), &digest_bytes(2)])),
        drawn(&window(0), top(b"MWIN", &[&[1, 0, 0, 0], &u32_of(0)])),
        drawn(&anchor, top(b"MANC", &[&anchor_body])),
        drawn(&receipt, top(b"MRCP", &[&receipt_body, &[0]])),
        drawn(
            &Receipt { bitcoin: Some(proof), ..receipt.clone() },
            top(b"MRCP", &[&receipt_body, &[1], &proof_body]),
        ),
    ]
}
