//! Two decoders of every wire type on valid values, on every kind of bad input, and on values with
//! one byte changed. [STO-1] [STO-4] [STO-8]

use std::collections::BTreeSet;
use std::path::Path;

use harness::generate::spoil::{metadata_of, spoilt};
use harness::generate::values::{Scale, value};
use harness::oracle::decode::{Refused, decode, judge, reference};
use harness::rules::sharing::capsule_bytes;
use harness::rules::wire::{self, Mirror, WireKind};
use harness::seed::{Draw, Seed};
use mdsm_core::codec::DecodeErrorKind;
use rand_chacha::ChaCha12Rng;

fn stream(kind: WireKind, label: &str) -> ChaCha12Rng {
    Seed::new(7).stream(&format!("wire/{label}/{kind}"))
}

fn hold(kind: WireKind, bytes: &[u8], what: &str) {
    decode(kind, bytes).unwrap_or_else(|broken| panic!("{what}: {broken}"));
}

fn refused(kind: WireKind, bytes: &[u8], what: &str) -> Refused {
    hold(kind, bytes, what);
    reference(kind, bytes).expect_err(&format!("{kind}: {what} is accepted"))
}

#[test]
fn both_decoders_allow_as_many_hops_as_the_table_of_sets() {
    let table = include_str!("../spec/reencryption.md");
    let mut sets = 0;
    for set in 0..9_u8 {
        let rows = table.lines().map(|line| line.split('|').map(str::trim).collect::<Vec<_>>());
        let row = rows.filter(|cells| cells.len() > 13).find(|cells| cells[2] == set.to_string());
        let hops: u8 = row.unwrap_or_else(|| panic!("set {set}"))[12].parse().unwrap();
        let bytes = capsule_bytes(set).unwrap();
        for (hop, fits) in [(hops, true), (hops + 1, false)] {
            let capsule = [&b"MCAP\x01"[..], &[set, hop], &[0; 96], &vec![0; bytes]].concat();
            hold(WireKind::Capsule, &capsule, "hops");
            let is_taken = reference(WireKind::Capsule, &capsule).is_ok();
            assert_eq!(is_taken, fits, "set {set}, {hop} of {hops} hops");
        }
        sets += 1;
    }
    assert_eq!(sets, 9);
}

#[test]
fn sto_1_2_valid_values_are_accepted_with_the_ids_of_the_spec() {
    for &kind in WireKind::ALL {
        let mut draw = stream(kind, "valid");
        for number in 0..60 {
            let scale = if number % 2 == 0 { Scale::Full } else { Scale::Small };
            let bytes = value(kind, scale, &mut draw).encode();
            hold(kind, &bytes, "valid");
            assert!(reference(kind, &bytes).is_ok(), "{kind} {number} is refused");
        }
    }
}

#[test]
fn sto_1_2_the_generator_reaches_the_bounds() {
    let mut metadata_bytes_max = 0;
    let (mut contents, mut extensions) = (BTreeSet::new(), BTreeSet::new());
    let mut draw = stream(WireKind::Record, "bounds");
    for _ in 0..400 {
        let mut mirror = value(WireKind::Record, Scale::Full, &mut draw);
        let metadata = metadata_of(&mut mirror).unwrap();
        metadata_bytes_max = metadata_bytes_max.max(wire::body(metadata).len());
        extensions.insert(metadata.ext.len());
        let Mirror::Record(record) = mirror else { panic!("another kind") };
        if let harness::rules::mirror::Content::Inline(bytes) = record.content {
            contents.insert(bytes.len());
        }
    }
    assert_eq!(metadata_bytes_max, 2_048);
    assert!(contents.contains(&1) && contents.contains(&102_400), "{contents:?}");
    assert!(extensions.contains(&0) && extensions.contains(&8), "{extensions:?}");
}

#[test]
fn sto_1_3_every_kind_of_bad_input_is_refused_by_both() {
    for &kind in WireKind::ALL {
        let mut draw = stream(kind, "spoilt");
        for _ in 0..3 {
            for spoilt in spoilt(kind, Scale::Full, &mut draw) {
                refused(kind, &spoilt.bytes, spoilt.fault);
            }
        }
    }
}

#[test]
fn sto_1_3_every_truncation_is_refused() {
    for &kind in WireKind::ALL {
        let mut draw = stream(kind, "truncated");
        for _ in 0..6 {
            let bytes = value(kind, Scale::Small, &mut draw).encode();
            for end in 0..bytes.len() {
                refused(kind, &bytes[..end], "a truncation");
            }
        }
    }
}

#[test]
fn sto_1_3_a_changed_byte_is_another_value_or_none() {
    for &kind in WireKind::ALL {
        let mut draw = stream(kind, "changed");
        let (mut accepted, mut refused) = (0, 0);
        for _ in 0..6 {
            let bytes = value(kind, Scale::Small, &mut draw).encode();
            for at in 0..bytes.len() {
                let mut changed = bytes.clone();
                changed[at] = match draw.below(4) {
                    0 => bytes[at] ^ 1,
                    1 => bytes[at].wrapping_add(1),
                    2 => 0xff,
                    _ => bytes[at] ^ u8::try_from(draw.between(1, 255)).unwrap(),
                };
                hold(kind, &changed, "a changed byte");
                match reference(kind, &changed) {
                    Ok(_) => accepted += 1,
                    Err(_) => refused += 1,
                }
            }
        }
        assert!(accepted > 0 && refused > 0, "{kind}: {accepted} accepted, {refused} refused");
    }
}

#[test]
fn sto_1_4_bytes_after_the_end_are_refused() {
    for &kind in WireKind::ALL {
        let mut draw = stream(kind, "trailing");
        for byte in [0, 1, 0xff] {
            let mut bytes = value(kind, Scale::Small, &mut draw).encode();
            let end = bytes.len();
            bytes.push(byte);
            let refused = refused(kind, &bytes, "a trailing byte");
            assert_eq!(refused.kind, DecodeErrorKind::Trailing { bytes: 1 }, "{kind}");
            assert_eq!((refused.field.as_str(), refused.offset), (kind.name(), end));
        }
    }
}

/// Where the metadata stands in a value of each kind that holds it.
const HOLDERS: [(WireKind, &str); 5] = [
    (WireKind::Record, "Record.metadata"),
    (WireKind::Envelope, "Envelope.record.metadata"),
    (WireKind::Booking, "Booking.metadata"),
    (WireKind::Item, "Item.records[0].record.metadata"),
    (WireKind::Receipt, "Receipt.booking.metadata"),
];

/// A value with two extensions, `mark-a` and `mark-b`, and where their keys stand.
fn with_extensions(kind: WireKind, security: &[u8]) -> (Vec<u8>, usize, usize) {
    let mut draw = stream(kind, "extensions");
    let mut mirror = value(kind, Scale::Small, &mut draw);
    if let Mirror::Item(item) = &mut mirror {
        item.records.truncate(1);
    }
    let metadata = metadata_of(&mut mirror).expect("a kind with metadata");
    metadata.ext = [("mark-a".to_owned(), vec![1]), ("mark-b".to_owned(), vec![2])].into();
    metadata.security = security.iter().copied().collect();
    metadata.consent = Some([0xc5; 32]);
    let bytes = mirror.encode();
    let find = |mark: &[u8]| bytes.windows(mark.len()).position(|window| window == mark);
    let (first, second) = (find(b"mark-a"), find(b"mark-b"));
    (bytes, first.expect("put in above"), second.expect("put in above"))
}

#[test]
fn sto_1_5_keys_that_do_not_ascend_are_refused_with_field_and_offset() {
    for (kind, path) in HOLDERS {
        let (bytes, first, second) = with_extensions(kind, &[]);
        for (one, two) in [(b"mark-b", b"mark-a"), (b"mark-a", b"mark-a"), (b"z    -", b"z    +")] {
            let mut bytes = bytes.clone();
            bytes[first..first + 6].copy_from_slice(one);
            bytes[second..second + 6].copy_from_slice(two);
            let refused = refused(kind, &bytes, "keys that do not ascend");
            assert_eq!(refused.kind, DecodeErrorKind::Order);
            assert_eq!(refused.field, format!("{path}.ext[1]"));
            assert_eq!(refused.offset, second - 4, "the key begins with its count");
        }
    }
}

#[test]
fn sto_1_5_labels_that_do_not_ascend_are_refused_with_field_and_offset() {
    for (kind, path) in HOLDERS {
        let (bytes, _, _) = with_extensions(kind, &[1, 2]);
        let consent = bytes.windows(32).position(|window| window == [0xc5; 32]).unwrap();
        let labels = consent - 3;
        assert_eq!(bytes[labels..labels + 2], [1, 2]);
        for pair in [[2, 1], [2, 2]] {
            let mut bytes = bytes.clone();
            bytes[labels..labels + 2].copy_from_slice(&pair);
            let refused = refused(kind, &bytes, "labels that do not ascend");
            assert_eq!(refused.kind, DecodeErrorKind::Order);
            assert_eq!(refused.field, format!("{path}.security[1]"));
            assert_eq!(refused.offset, labels + 1);
        }
    }
}

#[test]
fn sto_1_6_a_count_beyond_its_bound_is_refused_where_it_stands() {
    for (kind, path) in HOLDERS {
        let (bytes, first, _) = with_extensions(kind, &[]);
        let counts = [
            (first - 8, format!("{path}.ext")),
            (first - 4, format!("{path}.ext[0]")),
            (first + 6, format!("{path}.ext[0]")),
        ];
        for (at, field) in counts {
            let mut bytes = bytes.clone();
            bytes[at..at + 4].copy_from_slice(&u32::MAX.to_le_bytes());
            let refused = refused(kind, &bytes, "a count of 2^32 - 1");
            let bound = matches!(refused.kind, DecodeErrorKind::Bound(_));
            assert!(bound, "{kind}: {:?} is found only after the count", refused.kind);
            assert_eq!((refused.field, refused.offset), (field, at));
        }
    }
}

#[test]
fn sto_1_6_a_count_within_its_bound_but_beyond_the_bytes_is_refused_where_it_stands() {
    // Nothing follows the count, so an answer that names the count allocated nothing for it.
    let (kinds, most): (&[WireKind], u32) = (&[WireKind::ItemBlock, WireKind::Window], 16_384);
    for &kind in kinds {
        let mut draw = stream(kind, "beyond");
        let bytes = value(kind, Scale::Small, &mut draw).encode();
        let (at, field) = match kind {
            WireKind::ItemBlock => (89, "ItemBlock.items"),
            _ => (9, "Window.data_blocks"),
        };
        let cut = [&bytes[..at], &most.to_le_bytes()].concat();
        let refused = refused(kind, &cut, "a count without elements");
        assert!(matches!(refused.kind, DecodeErrorKind::Truncated { left: 0, .. }), "{refused:?}");
        assert_eq!((refused.field.as_str(), refused.offset), (field, at));
    }
}

#[test]
fn sto_1_7_a_refusal_names_kind_field_and_byte() {
    let cases: &[(WireKind, &str, &str)] = &[
        (WireKind::Record, "created-before-1970", "Record.metadata.created"),
        (WireKind::Envelope, "activity-5", "Envelope.record.metadata.activity"),
        (WireKind::Record, "content-empty", "Record.content"),
        (WireKind::Booking, "status-0", "Booking.metadata.status"),
        (WireKind::Receipt, "code-19", "Receipt.booking.metadata.category.code"),
        (WireKind::Genesis, "text-control", "Genesis.name"),
        (WireKind::Block, "list-count-max", "Block.payload.item_block.items"),
        (WireKind::DataBlock, "list-above-limit", "DataBlock.item_blocks"),
        (WireKind::Receipt, "transaction-above-limit", "Receipt.bitcoin.transaction"),
        (WireKind::Anchor, "wrong-tag", "Anchor"),
        (WireKind::Window, "version-2", "Window"),
    ];
    for &(kind, fault, field) in cases {
        let mut draw = stream(kind, "named");
        let spoilt = spoilt(kind, Scale::Full, &mut draw);
        let spoilt = spoilt.iter().find(|spoilt| spoilt.fault == fault).expect(fault);
        assert_eq!(refused(kind, &spoilt.bytes, fault).field, field, "{kind}: {fault}");
    }
}

#[test]
fn the_oracle_tells_a_wrong_decoder_from_a_right_one() {
    let kind = WireKind::Record;
    let mut draw = stream(kind, "oracle");
    let good = value(kind, Scale::Small, &mut draw).encode();
    let bad = [&good[..], &[0]].concat();
    let accepted = reference(kind, &good);
    let refused = reference(kind, &bad);
    assert!(judge(kind, &good, &refused).is_err(), "refuses what is valid");
    assert!(judge(kind, &bad, &accepted).is_err(), "accepts what is not");
    let mut other = accepted.clone().unwrap();
    other.digests[0].1[0] ^= 1;
    assert!(judge(kind, &good, &Ok(other)).is_err(), "another id");
    let mut other = accepted.unwrap();
    other.bytes.push(0);
    assert!(judge(kind, &good, &Ok(other)).is_err(), "another encoding");
    let mut nowhere = refused.clone().unwrap_err();
    nowhere.offset = bad.len() + 1;
    assert!(judge(kind, &bad, &Err(nowhere)).is_err(), "a byte outside the input");
    let mut nameless = refused.unwrap_err();
    nameless.field.clear();
    assert!(judge(kind, &bad, &Err(nameless)).is_err(), "no field");
}

#[test]
fn no_wire_type_of_the_reference_is_forgotten() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../mdsm-core/src");
    let mut found = BTreeSet::new();
    collect(&source, &mut found);
    let known = WireKind::ALL.iter().map(ToString::to_string);
    // Rows on a node's own disk, not drawn in the spec: they never travel. The store's tests read
    // damaged ones, `agreement/journal.rs` damaged entries of the journal.
    let local = ["Changes", "Entry", "JournalEntry", "Locator"].map(str::to_owned);
    assert_eq!(found, known.chain(local).collect());
}

fn collect(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).expect("the sources lie beside the harness") {
        let path = entry.expect("a readable folder").path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).expect("a readable source");
            let names = text.lines().filter_map(|line| line.strip_prefix("impl Wire for "));
            found.extend(names.map(|name| name.trim_end_matches([' ', '{']).to_owned()));
        }
    }
}
