//! Requirement DDB-1 of the spec: each test carries the id of the sentence that it holds the code to.
//! Damage of store and log: `mdsm-core/tests`, `mdsm-core/src/log/tests.rs`.
#![expect(clippy::unwrap_used, reason = "a failure here is a failure of the test")]

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use harness::build::Network;
use mdsm_core::crypto::seal::{ContentKey, OpenError, SealCoins, open, seal};
use mdsm_core::store::{Batch, Checked, Rows, Store as _, Table};
use sha2::{Digest as _, Sha256};

const KEY: [u8; 32] = [9; 32];
const COINS: SealCoins = SealCoins { nonce_prefix: [3; 19], salt: [4; 16] };
const CHUNK: usize = 65_536;

fn key() -> ContentKey {
    ContentKey::new(KEY)
}

fn plaintext(bytes: usize) -> Vec<u8> {
    (0..=250).cycle().take(bytes).collect()
}

fn header() -> Vec<u8> {
    [&b"MFIL\x01\x01\x10"[..], &[3; 19]].concat()
}

/// One chunk or trailer, as drawn under Sealed file.
fn chunk(header: &[u8], counter: u32, last: u8, msg: &[u8]) -> Vec<u8> {
    let nonce = [&header[7..26], &counter.to_be_bytes(), &[last]].concat();
    let nonce: [u8; 24] = nonce.try_into().unwrap();
    let cipher = XChaCha20Poly1305::new(&Key::from(KEY));
    cipher.encrypt(&XNonce::from(nonce), Payload { msg, aad: header }).unwrap()
}

fn commitment(salt: &[u8], plaintext: &[u8]) -> Vec<u8> {
    Sha256::digest([b"MCOM\x01", salt, plaintext].concat()).to_vec()
}

fn trailer(plaintext: &[u8]) -> Vec<u8> {
    let length = u64::try_from(plaintext.len()).unwrap().to_le_bytes();
    [&length[..], &COINS.salt, &commitment(&COINS.salt, plaintext)].concat()
}

/// A file with these data chunks and this trailer, by whoever holds the key.
fn file(header: &[u8], chunks: &[&[u8]], trailer: &[u8]) -> Vec<u8> {
    let mut file = header.to_vec();
    for (counter, data) in (0..).zip(chunks) {
        file.extend(chunk(header, counter, 0, data));
    }
    let counter = u32::try_from(chunks.len()).unwrap();
    file.extend(chunk(header, counter, 1, trailer));
    file
}

#[test]
fn ddb_1_1_nothing_of_a_file_is_readable_without_its_key() {
    //= harness/spec/database.md#ddb-1-encrypted-files-durable-store
    //= type=test
    //# DDB-1.1 (paper): A file outside the chain MUST be stored encrypted.
    let plaintext = b"a sentence that only its owner may read. ".repeat(5_000);
    let sealed = seal(&plaintext, &key(), COINS).unwrap();
    let parts: std::collections::BTreeSet<&[u8]> = plaintext.windows(6).take(100).collect();
    assert!(!sealed.windows(6).any(|window| parts.contains(window)));
    let other = seal(&plaintext, &ContentKey::new([8; 32]), COINS).unwrap();
    assert_eq!(sealed.len(), other.len());
    let offset = u64::try_from(sealed.len() - 72).unwrap();
    assert_eq!(open(&other, &key()), Err(OpenError::Trailer { chunks: 4, offset }));
    // Under its key alone, a file does not repeat itself: equal chunks have unequal ciphertexts.
    let zeros = seal(&vec![0; 3 * CHUNK], &key(), COINS).unwrap();
    assert_ne!(zeros[26..26 + CHUNK], zeros[26 + CHUNK + 16..26 + 2 * CHUNK + 16]);
}

#[test]
fn ddb_1_2_a_restarted_node_finds_chain_and_indexes_again() {
    //= harness/spec/database.md#ddb-1-encrypted-files-durable-store
    //= type=test
    //# DDB-1.2 (paper): The chain and its indexes MUST be kept in an ordered key-value store on
    //# disk from which a restarted node finds them again.
    //= harness/spec/database.md#ddb-1-encrypted-files-durable-store
    //= type=test
    //# DDB-1.8 (ours): Every record acknowledged as accepted MUST be found after the process is
    //# killed at any moment and started again.
    type Node = Rows<Checked<mdsm_core::store::Lsm>>;
    let directory = tempfile::tempdir().unwrap();
    let mut network = Network::new();
    let (mut blocks, mut records, mut anchors) = (Vec::new(), Vec::new(), Vec::new());
    for ms in [6_000, 12_000, 600_000, 606_000, 1_200_000] {
        // Opened anew for every block, and dropped without being closed in any other way.
        let (store, opened) = Checked::open_directory(directory.path()).unwrap();
        assert_eq!((opened.lost, opened.suspicious), (vec![], vec![]));
        let items = network.new_items(13);
        let block = network.block_of(ms, &items);
        let applied = network.add(&block, &items).unwrap();
        let mut batch = Batch::new();
        Node::put_finalized(&mut batch, &block, &items).unwrap();
        if let Some(frozen) = applied.frozen {
            Node::put_anchor(&mut batch, &frozen.anchor);
            anchors.push(frozen.anchor);
        }
        store.commit(batch).unwrap();
        records.extend(items.iter().flat_map(|item| item.records.to_vec()));
        blocks.push(block);
    }
    let rows = Rows::new(Checked::open_directory(directory.path()).unwrap().0);
    for block in &blocks {
        let found = rows.block(block.header.height, &block.hash()).unwrap();
        assert_eq!(found.as_ref(), Some(block));
    }
    for envelope in &records {
        let id = envelope.record.id();
        let (_, found) = rows.record(&id).unwrap().expect("it was booked");
        assert_eq!(found, *envelope);
        let (of_owner, _) = rows.records_of(envelope.record.owner(), None, 1_000).unwrap();
        assert!(of_owner.iter().any(|(found, _)| *found == id));
    }
    assert_eq!((records.len(), anchors.len()), (65, 2));
    for anchor in &anchors {
        assert_eq!(rows.anchor(anchor.epoch).unwrap(), Some(*anchor));
    }
    // Ordered: a scan of the blocks is the chain from its beginning.
    let page = rows.store().scan(Table::Blocks, &[], None, 100).unwrap();
    let heights: Vec<_> = page.rows.iter().map(|(key, _)| key[..8].to_vec()).collect();
    assert_eq!(
        heights,
        (1..=5_u64).map(|height| height.to_be_bytes().to_vec()).collect::<Vec<_>>()
    );
}

#[test]
fn ddb_1_3_a_sealed_file_is_header_chunks_and_trailer_as_drawn() {
    //= harness/spec/database.md#ddb-1-encrypted-files-durable-store
    //= type=test
    //# DDB-1.3 (ours): A sealed file MUST consist of header, data chunks and trailer as drawn under
    //# Sealed file.
    for bytes in [1, 2, 100, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 7] {
        let plaintext = plaintext(bytes);
        let chunks: Vec<&[u8]> = plaintext.chunks(CHUNK).collect();
        let drawn = file(&header(), &chunks, &trailer(&plaintext));
        assert_eq!(drawn.len(), 26 + bytes + 16 * bytes.div_ceil(CHUNK) + 72);
        assert!(seal(&plaintext, &key(), COINS).unwrap() == drawn, "{bytes} bytes");
        assert_eq!(open(&drawn, &key()), Ok(plaintext));
    }
    let sealed = seal(b"x", &key(), COINS).unwrap();
    for (offset, byte) in [(0, b'm'), (4, 2), (5, 2), (5, 0), (6, 15), (6, 17)] {
        let mut other = sealed.clone();
        other[usize::try_from(offset).unwrap()] = byte;
        assert_eq!(open(&other, &key()), Err(OpenError::Header { offset }));
    }
}

#[test]
fn ddb_1_4_chunks_are_full_except_the_last() {
    //= harness/spec/database.md#ddb-1-encrypted-files-durable-store
    //= type=test
    //# DDB-1.4 (ours): Every data chunk MUST hold 65,536 bytes of plaintext, except the last one,
    //# which holds the 1 to 65,536 bytes that remain.
    let whole = plaintext(2 * CHUNK);
    let (first, second) = whole.split_at(CHUNK);
    let opened =
        |chunks: &[&[u8]]| open(&file(&header(), chunks, &trailer(&chunks.concat())), &key());
    assert_eq!(opened(&[first, second]), Ok(whole.clone()));
    assert_eq!(opened(&[first, &second[..1]]), Ok(whole[..CHUNK + 1].to_vec()));
    for wrong in [
        &[&first[..CHUNK - 1], second][..],
        &[&first[..100], &second[..100]],
        &[&whole[..CHUNK + 1]],
        &[&whole[..]],
        &[first, second, &[]],
        &[first, &[]],
        &[&[], first],
    ] {
        let sizes: Vec<usize> = wrong.iter().map(|chunk| chunk.len()).collect();
        assert!(opened(wrong).is_err(), "{sizes:?}");
    }
    assert!(opened(&[&[]]).is_err(), "one empty chunk");
    assert!(opened(&[]).is_err(), "no chunk");
}

#[test]
fn ddb_1_5_no_byte_can_be_changed_and_no_chunk_moved() {
    //= harness/spec/database.md#ddb-1-encrypted-files-durable-store
    //= type=test
    //# DDB-1.5 (ours): Opening MUST refuse a sealed file in which a header byte or a chunk has been
    //# changed, removed, repeated, moved, or taken from another file.
    let small = seal(&plaintext(300), &key(), COINS).unwrap();
    for at in 0..small.len() {
        for flip in [0x01, 0x80] {
            let mut changed = small.clone();
            changed[at] ^= flip;
            assert!(open(&changed, &key()).is_err(), "byte {at}");
        }
        assert!(open(&small[..at], &key()).is_err(), "cut at {at}");
    }
    assert!(open(&[&small[..], &[0]].concat(), &key()).is_err(), "a byte behind");

    let sealed = seal(&plaintext(3 * CHUNK), &key(), COINS).unwrap();
    let (head, body) = sealed.split_at(26);
    let (body, tail) = body.split_at(3 * (CHUNK + 16));
    let chunks: Vec<&[u8]> = body.chunks(CHUNK + 16).collect();
    let put = |order: &[usize]| {
        let body: Vec<u8> = order.iter().flat_map(|at| chunks[*at]).copied().collect();
        open(&[head, &body, tail].concat(), &key())
    };
    assert!(put(&[0, 1, 2]).is_ok());
    for order in [
        &[][..],
        &[0],
        &[0, 1],
        &[1, 2],
        &[0, 2],
        &[1, 0, 2],
        &[0, 2, 1],
        &[2, 1, 0],
        &[0, 0, 1, 2],
        &[0, 1, 1, 2],
        &[0, 1, 2, 2],
        &[0, 1, 1],
        &[0, 0, 0],
    ] {
        assert!(put(order).is_err(), "{order:?}");
    }

    // From another file under the same key: another nonce prefix keeps them apart.
    let coins = SealCoins { nonce_prefix: [5; 19], ..COINS };
    let other = seal(&plaintext(3 * CHUNK), &key(), coins).unwrap();
    for at in 0..3 {
        let place = 26 + at * (CHUNK + 16)..26 + (at + 1) * (CHUNK + 16);
        let mut mixed = sealed.clone();
        mixed[place.clone()].copy_from_slice(&other[place.clone()]);
        let offset = u64::try_from(place.start).unwrap();
        let refused = OpenError::Chunk { chunk: u32::try_from(at).unwrap(), offset };
        assert_eq!(open(&mixed, &key()), Err(refused));
    }
    let foreign_trailer = [&sealed[..sealed.len() - 72], &other[other.len() - 72..]].concat();
    assert!(open(&foreign_trailer, &key()).is_err());
}

#[test]
fn ddb_1_6_a_trailer_that_says_otherwise_is_refused() {
    //= harness/spec/database.md#ddb-1-encrypted-files-durable-store
    //= type=test
    //# DDB-1.6 (ours): Opening MUST refuse a sealed file whose trailer states another length or
    //# another commitment than its plaintext has.
    let plaintext = plaintext(70_000);
    let chunks: Vec<&[u8]> = plaintext.chunks(CHUNK).collect();
    let sound = trailer(&plaintext);
    assert!(open(&file(&header(), &chunks, &sound), &key()).is_ok());
    // Everything authentic under the key, so that only the comparison is left to refuse it.
    for at in 0..sound.len() {
        let mut other = sound.clone();
        other[at] ^= 1;
        let opened = open(&file(&header(), &chunks, &other), &key());
        assert_eq!(opened, Err(OpenError::Commitment), "byte {at} of the trailer");
    }
    let unsalted = [&sound[..24], &Sha256::digest(&plaintext)].concat();
    assert_eq!(open(&file(&header(), &chunks, &unsalted), &key()), Err(OpenError::Commitment));
    for length in [0, 55, 57] {
        let other = &[&sound[..], &[0]].concat()[..length];
        assert!(open(&file(&header(), &chunks, other), &key()).is_err(), "{length} bytes");
    }
}

#[test]
fn ddb_1_7_no_plaintext_comes_out_of_a_file_of_which_a_check_fails() {
    //= harness/spec/database.md#ddb-1-encrypted-files-durable-store
    //= type=test
    //# DDB-1.7 (ours): Opening MUST NOT hand out any plaintext of a sealed file of which a check
    //# fails.
    // The first chunks are sound, and only the very end is not: still nothing but an error comes.
    let sealed = seal(&plaintext(2 * CHUNK + 5), &key(), COINS).unwrap();
    for from_end in [1, 72, 73, 72 + 21] {
        let mut changed = sealed.clone();
        let at = changed.len() - from_end;
        changed[at] ^= 1;
        let bytes = u64::try_from(sealed.len()).unwrap();
        let refused = match from_end {
            ..=72 => OpenError::Trailer { chunks: 3, offset: bytes - 72 },
            _ => OpenError::Chunk { chunk: 2, offset: bytes - 93 },
        };
        assert_eq!(open(&changed, &key()), Err(refused));
    }
    let text = format!("{:?}", open(&sealed[..sealed.len() - 1], &key()).unwrap_err());
    assert!(text.len() < 100, "an error carries no content: {text}");
}
