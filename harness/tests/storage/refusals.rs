//! STO-1.5 to STO-1.7: what a decoder says when it refuses.

use mdsm_core::codec::{DecodeErrorKind, Wire};
use mdsm_core::ledger::*;
use mdsm_core::types::BoundError;

use super::drawn::{self, text, u32_of};

/// Path of the field, offset, kind.
type Refusal = (String, usize, DecodeErrorKind);

fn refusal<T: Wire + std::fmt::Debug>(bytes: &[u8]) -> Refusal {
    let error = T::from_bytes(bytes).expect_err("a refusal");
    (error.field(), error.offset, error.kind)
}

fn record(fields: &[Vec<u8>]) -> Vec<u8> {
    [&b"MREC\x01"[..], &drawn::stored_record_body(fields)].concat()
}

/// The record with these extensions, and the offset of the first entry.
fn extended(entries: &[(&str, &[u8])]) -> (Vec<u8>, usize) {
    let mut fields = drawn::full_metadata_fields();
    let mut map = u32_of(entries.len()).to_vec();
    for (key, value) in entries {
        map.extend([&text(key)[..], &u32_of(value.len()), value].concat());
    }
    fields[17] = map;
    (record(&fields), 5 + 32 + fields[..17].concat().len() + 4)
}

#[test]
fn sto_1_5_keys_of_a_map_that_do_not_strictly_ascend_are_refused() {
    //= harness/spec/storage.md#sto-1-hierarchy-and-encoding
    //= type=test
    //# STO-1.5 (ours): A decoder MUST refuse a map whose keys are not strictly ascending by their
    //# bytes.
    let sound: [&[(&str, &[u8])]; 4] =
        [&[], &[("a", b"1")], &[("a", b"1"), ("ab", b"")], &[("B", b""), ("a", b"1"), ("b", b"")]];
    for entries in sound {
        assert!(Record::from_bytes(&extended(entries).0).is_ok(), "{entries:?}");
    }
    let wrong: [&[(&str, &[u8])]; 3] =
        [&[("b", b""), ("a", b"")], &[("a", b"1"), ("a", b"2")], &[("ab", b""), ("a", b"")]];
    for entries in wrong {
        let (bytes, first) = extended(entries);
        let second = first + 4 + entries[0].0.len() + 4 + entries[0].1.len();
        let expected = ("Record.metadata.ext[1]".to_owned(), second, DecodeErrorKind::Order);
        assert_eq!(refusal::<Record>(&bytes), expected, "{entries:?}");
    }
}

#[test]
fn sto_1_6_a_count_is_held_to_its_bound_and_to_the_bytes_left() {
    //= harness/spec/storage.md#sto-1-hierarchy-and-encoding
    //= type=test
    //# STO-1.6 (ours): A decoder MUST compare a count with the bound of its field and with the
    //# number of bytes left before it allocates memory for the elements.
    let bound = |count, count_min, count_max| {
        DecodeErrorKind::Bound(BoundError::Count { count, count_min, count_max })
    };
    let announced = |head: &[u8], count: usize| [head, &u32_of(count)].concat();
    let most = usize::try_from(u32::MAX).unwrap();
    let item_block = [&b"MIBL\x01"[..], &[0; 84]].concat();
    let data_block = [&b"MDBL\x01"[..], &[0; 8]].concat();
    let window = [&b"MWIN\x01"[..], &[0; 4]].concat();
    let body = drawn::inline_record_body();
    let content = [&b"MREC\x01"[..], &body[..body.len() - 9]].concat();
    type Decoder = fn(&[u8]) -> Refusal;
    let cases: [(Decoder, &[u8], &str, usize, usize); 5] = [
        (refusal::<Item>, b"MITM\x01", "Item.records", 1, 10),
        (refusal::<ItemBlock>, &item_block, "ItemBlock.items", 1, 16_384),
        (refusal::<DataBlock>, &data_block, "DataBlock.item_blocks", 1, 10),
        (refusal::<Window>, &window, "Window.data_blocks", 0, 65_536),
        (refusal::<Record>, &content, "Record.content", 1, 102_400),
    ];
    for (refusal, head, field, min, max) in cases {
        for count in [max + 1, most] {
            let expected = (field.to_owned(), head.len(), bound(count, min, max));
            assert_eq!(refusal(&announced(head, count)), expected);
        }
        // Within the bound, and nothing there: refused at the count, before any element.
        let kind = DecodeErrorKind::Truncated { needed: max, left: 1 };
        let expected = (field.to_owned(), head.len(), kind);
        assert_eq!(refusal(&[announced(head, max), vec![9]].concat()), expected);
    }
}

#[test]
fn sto_1_7_a_refusal_names_kind_field_and_offset() {
    //= harness/spec/storage.md#sto-1-hierarchy-and-encoding
    //= type=test
    //# STO-1.7 (ours): A refusal by a decoder SHOULD name the kind of fault, the path of the field
    //# and the offset of the byte.
    let fields = drawn::full_metadata_fields();
    let sound = record(&fields);
    let start = |field: usize| 5 + 32 + fields[..field].concat().len();
    let with = |field: usize, bytes: &[u8]| {
        let mut fields = fields.clone();
        fields[field] = bytes.to_vec();
        refusal::<Record>(&record(&fields))
    };
    let named = |field: &str, offset, kind| (format!("Record{field}"), offset, kind);

    let found = *b"MENV";
    let tag = DecodeErrorKind::Tag { found, expected: *b"MREC" };
    assert_eq!(refusal::<Record>(&[&found, &sound[4..]].concat()), named("", 0, tag));
    let version = DecodeErrorKind::Version { found: 2, known: 1 };
    assert_eq!(
        refusal::<Record>(&[&sound[..4], &[2], &sound[5..]].concat()),
        named("", 4, version)
    );
    assert_eq!(
        refusal::<Record>(&[&sound[..], &[0; 3]].concat()),
        named("", sound.len(), DecodeErrorKind::Trailing { bytes: 3 })
    );
    assert_eq!(
        refusal::<Record>(&sound[..20]),
        named(".owner", 5, DecodeErrorKind::Truncated { needed: 32, left: 15 })
    );
    assert_eq!(
        with(7, &[4]),
        named(".metadata.status", start(7), DecodeErrorKind::Variant { found: 4 })
    );
    assert_eq!(
        with(15, &[2]),
        named(".metadata.consent", start(15), DecodeErrorKind::Variant { found: 2 })
    );
    let character = BoundError::Character { offset: 3, byte: 0x7f };
    assert_eq!(
        with(9, &[&[1][..], &text("1.2\x7f")].concat()),
        named(".metadata.format", start(9) + 5, DecodeErrorKind::Bound(character))
    );
    let (field, offset, kind) = with(2, &(-1_i64).to_le_bytes());
    assert_eq!((field.as_str(), offset), ("Record.metadata.created", start(2)));
    assert!(matches!(kind, DecodeErrorKind::Rule { .. }), "{kind:?}");

    // The path leads through lists: the third record of an Item, whose status stands for nothing.
    let envelope = [&sound[5..], &[0; 68]].concat();
    let mut bad = envelope.clone();
    bad[start(7) - 5] = 9;
    let item = [&b"MITM\x01"[..], &u32_of(3), &envelope, &envelope, &bad].concat();
    let (field, offset, kind) = refusal::<Item>(&item);
    assert_eq!(field, "Item.records[2].record.metadata.status");
    assert_eq!(offset, 9 + 2 * envelope.len() + start(7) - 5);
    assert_eq!(kind, DecodeErrorKind::Variant { found: 9 });
    let error = Item::from_bytes(&item).unwrap_err().to_string();
    assert_eq!(error, format!("{field} at byte {offset}: tag 9 stands for nothing here"));
}
