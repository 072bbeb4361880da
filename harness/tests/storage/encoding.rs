//! STO-1: one encoding for each value.

use harness::build::{self, Network};
use mdsm_core::codec::Wire as _;
use mdsm_core::crypto::Identified;
use mdsm_core::ledger::*;
use mdsm_core::types::*;

use super::drawn::{self, all, stored_record};
use super::naive::sha;

#[test]
fn sto_1_1_above_the_item_stand_hashes_and_nothing_else() {
    //= harness/spec/storage.md#sto-1-hierarchy-and-encoding
    //= type=test
    //# STO-1.1 (paper): Every level above the Item MUST hold nothing of the level below it but
    //# hashes.
    let mut network = Network::new();
    let items = network.new_items(30);
    let item_block = network.item_block(6_000, &items);
    let roots: Vec<u8> = items.iter().flat_map(|item| *item.root().as_bytes()).collect();
    let bytes = item_block.to_bytes();
    assert_eq!(bytes[93..], roots, "behind the header");
    assert_eq!(bytes[57..89], *item_block.root().as_bytes());

    let block = network.block(6_000, Some(item_block.clone()));
    network.add(&block, &items).unwrap();
    let block = network.block(600_000, None);
    let frozen = network.add(&block, &[]).unwrap().frozen.unwrap();
    let data_block = &frozen.data_blocks[0];
    assert_eq!(
        data_block.to_bytes()[13..],
        [&[1, 0, 0, 0], &item_block.root().as_bytes()[..]].concat()
    );
    let window = frozen.window.to_bytes();
    assert_eq!(window[9..], [&[1, 0, 0, 0], &data_block.root().as_bytes()[..]].concat());
    assert_eq!(frozen.anchor.to_bytes()[41..73], *frozen.window.root().as_bytes());
}

#[test]
fn sto_1_2_every_value_is_encoded_byte_for_byte_as_drawn() {
    //= harness/spec/storage.md#sto-1-hierarchy-and-encoding
    //= type=test
    //# STO-1.2 (ours): Every value MUST be encoded, and its id hashed, byte for byte as section
    //# Formats draws it.
    for drawn in all() {
        assert_eq!(drawn.encoded, drawn.bytes, "{}", drawn.name);
        assert_eq!((drawn.again)(&drawn.bytes).as_ref(), Ok(&drawn.bytes), "{}", drawn.name);
    }
}

#[test]
fn sto_1_2_every_id_is_the_hash_that_is_drawn() {
    //= harness/spec/storage.md#sto-1-hierarchy-and-encoding
    //= type=test
    //# STO-1.2 (ours): Every value MUST be encoded, and its id hashed, byte for byte as section
    //# Formats draws it.
    let genesis = build::genesis();
    assert_eq!(*genesis.chain_id().as_bytes(), sha(&[&genesis.to_bytes()]));
    let network = Network::new();
    let block = network.block(1, None);
    assert_eq!(*block.hash().as_bytes(), sha(&[&block.header.to_bytes()]));
    let events = sha(&[b"MEVS", &[1], &[0; 16]]);
    assert_eq!(*block.header.payload.as_bytes(), sha(&[b"MSUM", &[1, 0, 0], &events]));
    assert_eq!(*stored_record().id().as_bytes(), {
        let body = drawn::stored_record_body(&drawn::full_metadata_fields());
        sha(&[b"MRID", &[1], &body])
    });
    assert_eq!(*Identified::id(&stored_record()).as_bytes(), sha(&[&stored_record().to_bytes()]));
    let [head, state, next] = [1, 2, 3].map(|byte| Digest::new([byte; 32]));
    let context = sha(&[b"MCTX", &[1], &[1; 32], &[2; 32], &[3; 32]]);
    assert_eq!(*mdsm_core::ledger::context(&head, &state, &next).as_bytes(), context);
}

#[test]
fn sto_1_3_bytes_that_decode_are_the_encoding_of_what_they_decode_to() {
    //= harness/spec/storage.md#sto-1-hierarchy-and-encoding
    //= type=test
    //# STO-1.3 (ours): A decoder MUST refuse every byte string that is not the encoding of the
    //# value which it would yield.
    let mut decoded = 0;
    for drawn in all() {
        let mut try_out = |bytes: &[u8]| {
            if let Ok(again) = (drawn.again)(bytes) {
                assert_eq!(again, bytes, "{}", drawn.name);
                decoded += 1;
            }
        };
        for at in 0..drawn.bytes.len() {
            let mut changed = drawn.bytes.clone();
            for flip in [0x01, 0x02, 0x03, 0x20, 0x80, 0xff] {
                changed[at] = drawn.bytes[at] ^ flip;
                try_out(&changed);
            }
            for byte in 0..=4 {
                changed[at] = byte;
                try_out(&changed);
            }
            changed.remove(at);
            try_out(&changed);
        }
    }
    assert!(decoded > 1_000, "most bytes are digests, which may be anything: {decoded}");
}

#[test]
fn sto_1_3_options_enumerations_and_version_have_no_other_bytes() {
    //= harness/spec/storage.md#sto-1-hierarchy-and-encoding
    //= type=test
    //# STO-1.3 (ours): A decoder MUST refuse every byte string that is not the encoding of the
    //# value which it would yield.
    for drawn in all() {
        for version in (0..=255).filter(|version| *version != 1) {
            let mut other = drawn.bytes.clone();
            other[4] = version;
            assert!((drawn.again)(&other).is_err(), "{} version {version}", drawn.name);
        }
    }
    let payload =
        |tags: [u8; 2]| Payload::from_bytes(&[b"MPAY", &[1][..], &tags, &[0; 16]].concat());
    assert!(payload([0, 0]).is_ok());
    for tag in 1..=255 {
        assert!(payload([tag, 0]).is_err() && payload([0, tag]).is_err(), "{tag}");
    }
}

#[test]
fn sto_1_4_bytes_behind_the_end_are_refused() {
    //= harness/spec/storage.md#sto-1-hierarchy-and-encoding
    //= type=test
    //# STO-1.4 (ours): A decoder MUST refuse bytes that follow the end of a value.
    for drawn in all() {
        for behind in [&[0][..], &[1], &[0; 32], &drawn.bytes] {
            let longer = [&drawn.bytes, behind].concat();
            assert!((drawn.again)(&longer).is_err(), "{} + {behind:?}", drawn.name);
        }
        for end in 0..drawn.bytes.len() {
            assert!((drawn.again)(&drawn.bytes[..end]).is_err(), "{} cut at {end}", drawn.name);
        }
    }
}
