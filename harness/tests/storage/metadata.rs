//! STO-8.1 to STO-8.6: every bound of the metadata, at it and beyond it.

use mdsm_core::codec::{DecodeError, Wire as _};
use mdsm_core::ledger::*;
use mdsm_core::types::*;

use super::drawn::{self, text, u32_of};

/// Decodes a record whose metadata has these bytes in field `number` of the table, counted from 1.
fn with(number: usize, bytes: &[u8]) -> Result<Record, DecodeError> {
    let mut fields = drawn::full_metadata_fields();
    fields[number - 1] = bytes.to_vec();
    decode(&fields)
}

fn decode(fields: &[Vec<u8>]) -> Result<Record, DecodeError> {
    Record::from_bytes(&[&b"MREC\x01"[..], &drawn::stored_record_body(fields)].concat())
}

/// Every one of `good` is taken as that field; every one of `bad` is refused, by the field's name.
fn bounds(number: usize, field: &str, good: &[Vec<u8>], bad: &[Vec<u8>]) {
    for bytes in good {
        assert!(with(number, bytes).is_ok(), "{field}: {bytes:?}: {:?}", with(number, bytes));
    }
    for bytes in bad {
        let error = with(number, bytes).expect_err(field);
        let named = error.field();
        let path = format!("Record.metadata.{field}");
        assert!(named.starts_with(&path), "{named} where {path} is at fault: {bytes:?}");
    }
}

fn texts(these: &[&str]) -> Vec<Vec<u8>> {
    these.iter().map(|these| text(these)).collect()
}

fn optional(these: &[&str]) -> Vec<Vec<u8>> {
    these.iter().map(|these| [&[1][..], &text(these)].concat()).collect()
}

#[test]
fn sto_8_1_metadata_says_when_the_resource_was_created() {
    //= harness/spec/storage.md#sto-8-metadata
    //= type=test
    //# STO-8.1 (paper): The metadata of a record MUST state when the resource was created.
    let mut fields = drawn::full_metadata_fields();
    let record = decode(&fields).unwrap();
    assert_eq!(record.metadata().created, Timestamp::new(1_767_225_600_123));
    fields[2] = 5_i64.to_le_bytes().to_vec();
    let other = decode(&fields).unwrap();
    assert_eq!(other.metadata().created, Timestamp::new(5));
    assert_ne!(other.id(), record.id(), "the owner signs the time");
    fields[2].clear();
    assert!(decode(&fields).is_err(), "left out");
}

#[test]
fn sto_8_2_the_time_of_creation_lies_between_1970_and_9999() {
    //= harness/spec/storage.md#sto-8-metadata
    //= type=test
    //# STO-8.2 (ours): The time of creation MUST be an integer of milliseconds since
    //# 1970-01-01T00:00:00Z from 0 to 253,402,300,799,999.
    let times = |these: &[i64]| -> Vec<Vec<u8>> {
        these.iter().map(|time| time.to_le_bytes().to_vec()).collect()
    };
    let good = times(&[0, 1, 1_767_225_600_123, 253_402_300_799_999]);
    let bad = times(&[-1, 253_402_300_800_000, i64::MIN, i64::MAX]);
    bounds(3, "created", &good, &bad);
    // A value made here is held to the same.
    for (ms, sound) in
        [(0, true), (253_402_300_799_999, true), (-1, false), (253_402_300_800_000, false)]
    {
        let metadata = Metadata { created: Timestamp::new(ms), ..drawn::full_metadata() };
        let content = Content::Stored(Digest::new([1; 32]));
        let made = Record::new(drawn::owner().owner(), metadata, content);
        assert_eq!(made.is_ok(), sound, "{ms}");
    }
}

/// The record with extensions that make the metadata exactly so long.
fn of_length(bytes: usize) -> Vec<Vec<u8>> {
    let mut fields = drawn::full_metadata_fields();
    fields[17] = u32_of(8).to_vec();
    let mut left = bytes - fields.concat().len();
    for (index, key) in ["a", "b", "c", "d", "e", "f", "g", "h"].into_iter().enumerate() {
        left -= 9;
        let value = left.saturating_sub(9 * (7 - index)).min(256);
        left -= value;
        fields[17].extend([&text(key)[..], &u32_of(value), &vec![0x5a; value]].concat());
    }
    assert_eq!(fields.concat().len(), bytes);
    fields
}

#[test]
fn sto_8_3_metadata_holds_at_most_2048_bytes() {
    //= harness/spec/storage.md#sto-8-metadata
    //= type=test
    //# STO-8.3 (ours): The encoding of the metadata MUST hold at most 2,048 bytes.
    for bytes in [1_000, 2_047, 2_048] {
        assert!(decode(&of_length(bytes)).is_ok(), "{bytes}");
    }
    let bound = |count| BoundError::Count { count, count_min: 0, count_max: 2_048 };
    for bytes in [2_049, 2_300] {
        let error = decode(&of_length(bytes)).unwrap_err();
        assert_eq!(error.field(), "Record.metadata");
        assert_eq!(error.kind, bound(bytes).into(), "{bytes}");
    }
    // A value made here is held to the same.
    let long = |value: usize| {
        let name = |letter: char| Text::new(letter.to_string()).unwrap();
        let blob = |bytes: usize| Blob::new(vec![0; bytes]).unwrap();
        let mut ext: Vec<_> = ('a'..='f').map(|letter| (name(letter), blob(256))).collect();
        ext.push((name('g'), blob(value)));
        let ext = Map::new(ext.into_iter().collect()).unwrap();
        let metadata = Metadata { ext, ..drawn::full_metadata() };
        Record::new(drawn::owner().owner(), metadata, Content::Stored(Digest::new([1; 32])))
    };
    let seventh = (0..=256).find(|value| long(*value).is_err()).expect("six entries come close");
    assert!(
        seventh > 0
            && matches!(long(seventh), Err(RecordError::Metadata(error))
        if error.kind == bound(2_049).into())
    );
}

#[test]
fn sto_8_4_texts_keep_their_bounds() {
    //= harness/spec/storage.md#sto-8-metadata
    //= type=test
    //# STO-8.4 (ours): Each field of the metadata MUST keep within the bounds that the table
    //# Metadata gives for it.
    let long = |letter: &str, count: usize| letter.repeat(count);
    bounds(
        1,
        "resource_type",
        &texts(&["B", "Binary", &long("A", 64), "ImagingStudy"]),
        &texts(&["", &long("A", 65), "binary", "Bin ary", "Bin1", "1A", "Bin-ary"]),
    );
    bounds(
        2,
        "content_type",
        &texts(&[
            "a/b",
            &format!("a/{}", long("b", 125)),
            "application/fhir+json",
            "0/!#$&^_.+-z9",
            "text/plain;",
            "text/plain; charset=\"UTF 8\"/x",
        ]),
        &texts(&[
            "",
            "ab",
            &format!("a/{}", long("b", 126)),
            "a/b/c",
            "/ab",
            "ab/",
            "ab;/",
            "Text/plain",
            "text/plain ",
            "text/(x)",
            "text plain",
        ]),
    );
    bounds(10, "format", &optional(&["x", &long("x", 96)]), &optional(&["", &long("x", 97), "\t"]));
    bounds(
        11,
        "language",
        &optional(&["zh", "zh-CN", &long("x", 35), "--", "A-1"]),
        &optional(&["", "z", &long("x", 36), "zh_CN", "zh CN"]),
    );
    for number in [1, 2] {
        for byte in [0x1f, 0x7f, 0x80, 0xff] {
            let bytes = [&u32_of(5)[..], b"A/b;", &[byte]].concat();
            assert!(with(number, &bytes).is_err(), "0x{byte:02x} is not printable ASCII");
        }
    }
}

#[test]
fn sto_8_4_numbers_codes_and_enumerations_keep_their_bounds() {
    //= harness/spec/storage.md#sto-8-metadata
    //= type=test
    //# STO-8.4 (ours): Each field of the metadata MUST keep within the bounds that the table
    //# Metadata gives for it.
    let some = |parts: &[&[u8]]| [&[1][..], &parts.concat()].concat();
    let minutes = |these: &[i16]| -> Vec<Vec<u8>> {
        these.iter().map(|minutes| some(&[&minutes.to_le_bytes()])).collect()
    };
    let good = [minutes(&[-840, 0, 840]), vec![vec![0]]].concat();
    bounds(4, "tz_offset_min", &good, &minutes(&[-841, 841, i16::MIN, i16::MAX]));
    let sizes = |these: &[u64]| -> Vec<Vec<u8>> {
        these.iter().map(|size| size.to_le_bytes().to_vec()).collect()
    };
    bounds(5, "size", &sizes(&[1, 300, u64::MAX]), &sizes(&[0]));
    for (number, field) in [(6, "kind"), (7, "category")] {
        let code = |system: u8, code: &str| some(&[&[system], &text(code)]);
        let long = "9".repeat(18);
        let good: Vec<_> = (1..=4).map(|system| code(system, &long)).collect();
        bounds(
            number,
            field,
            &[&good[..], &[vec![0], code(1, "x")]].concat(),
            &[
                code(0, "x"),
                code(5, "x"),
                code(1, ""),
                code(1, &"9".repeat(19)),
                code(1, "\n"),
                vec![2],
            ],
        );
    }
    let one_byte = |range: std::ops::RangeInclusive<u8>| -> Vec<Vec<u8>> {
        range.map(|byte| vec![byte]).collect()
    };
    bounds(8, "status", &one_byte(1..=3), &one_byte(4..=255));
    bounds(8, "status", &[], &one_byte(0..=0));
    bounds(14, "activity", &one_byte(1..=4), &[one_byte(5..=255), one_byte(0..=0)].concat());
    let relation = |kind: u8| some(&[&[kind], &[0xa1; 32]]);
    let good: Vec<_> = (1..=4).map(relation).collect();
    bounds(9, "relates_to", &good, &[relation(0), relation(5), relation(255)]);
    bounds(
        17,
        "encryption",
        &[some(&[&[1], &[9; 32]])],
        &[some(&[&[0], &[9; 32]]), some(&[&[2], &[9; 32]])],
    );
    for (number, field) in [(12, "custodian"), (13, "author"), (16, "consent")] {
        bounds(number, field, &[vec![0], some(&[&[0xff; 32]])], &[vec![2], vec![0xff]]);
    }
}

#[test]
fn sto_8_5_security_labels_are_few_and_strictly_ascending() {
    //= harness/spec/storage.md#sto-8-metadata
    //= type=test
    //# STO-8.5 (ours): The security labels MUST be at most 3 and strictly ascending.
    let labels = |these: &[u8]| [&u32_of(these.len())[..], these].concat();
    let good = [&[][..], &[1], &[3], &[1, 2], &[1, 3], &[1, 2, 3]].map(labels);
    let bad = [&[0][..], &[4], &[2, 1], &[1, 1], &[1, 2, 2], &[1, 3, 2], &[1, 2, 3, 3]].map(labels);
    bounds(15, "security", &good, &bad);
}

#[test]
fn sto_8_6_extensions_keep_their_bounds() {
    //= harness/spec/storage.md#sto-8-metadata
    //= type=test
    //# STO-8.6 (ours): The extension map MUST hold at most 8 entries with keys of 1 to 32 bytes and
    //# values of at most 256 bytes.
    let map = |entries: &[(String, usize)]| {
        let mut bytes = u32_of(entries.len()).to_vec();
        for (key, value) in entries {
            bytes.extend([&text(key)[..], &u32_of(*value), &vec![0; *value]].concat());
        }
        bytes
    };
    let one = |key: usize, value: usize| map(&[("k".repeat(key), value)]);
    let many = |count: u8| -> Vec<u8> {
        map(&(0..count).map(|n| (char::from(b'a' + n).to_string(), 1)).collect::<Vec<_>>())
    };
    let control = [&u32_of(1)[..], &u32_of(1), &[0x0a], &u32_of(0)].concat();
    let good = [many(0), many(1), many(8), one(1, 0), one(32, 256)];
    bounds(18, "ext", &good, &[many(9), one(0, 1), one(33, 1), one(1, 257), control]);
}
