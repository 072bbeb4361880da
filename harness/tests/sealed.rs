//! Requirement DDB-1: sealed files in pieces, as streams and in ranges. Sealing and opening at once:
//! `database.rs`.
#![expect(clippy::unwrap_used, reason = "a failure here is a failure of the test")]

use std::io::{self, Cursor, Read};
use std::ops::Range;

use harness::rules::sealed::{self as rules, Parts};
use mdsm_core::crypto::seal::{
    ContentKey, OpenError, RangeError, SealCoins, SealError, Sealer, StreamError, check_stream,
    open, open_range, open_stream, read_frame, release_stream, seal, seal_stream,
};
use mdsm_core::crypto::sha256;
use proptest::prelude::*;

const KEY: [u8; 32] = [9; 32];
const COINS: SealCoins = SealCoins { nonce_prefix: [3; 19], salt: [4; 16] };
const CHUNK: usize = 65_536;
const HEADER: usize = 26;
const TRAILER: usize = 72;
/// Plaintext bytes of the file under attack: three full chunks and a short one.
const BYTES: usize = 3 * CHUNK + 500;

fn key() -> ContentKey {
    ContentKey::new(KEY)
}

fn plaintext(bytes: usize) -> Vec<u8> {
    (0..=250).cycle().take(bytes).collect()
}

fn sealed(bytes: usize) -> Vec<u8> {
    Parts::of(&plaintext(bytes), COINS.nonce_prefix, COINS.salt).seal(&KEY)
}

/// The plaintext, given out in pieces of these sizes, then in one.
struct Pieces<'a> {
    rest: &'a [u8],
    sizes: std::slice::Iter<'a, usize>,
}

impl Read for Pieces<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let size = self.sizes.next().copied().unwrap_or(usize::MAX);
        let bytes = size.max(1).min(self.rest.len()).min(buffer.len());
        let (piece, rest) = self.rest.split_at(bytes);
        buffer[..bytes].copy_from_slice(piece);
        self.rest = rest;
        Ok(bytes)
    }
}

/// Seals in pieces of these sizes, and what is left in one piece.
fn in_pieces(plaintext: &[u8], sizes: &[usize]) -> Result<Vec<u8>, SealError> {
    let mut sealer = Sealer::new(&key(), COINS);
    let mut sealed = Vec::new();
    let mut rest = plaintext;
    for size in sizes.iter().copied().chain([usize::MAX]) {
        let (mut piece, behind) = rest.split_at(size.min(rest.len()));
        while let Some(part) = sealer.push(&mut piece)? {
            sealed.extend_from_slice(part);
        }
        rest = behind;
    }
    sealed.extend(sealer.finish()?);
    Ok(sealed)
}

fn holds_in_pieces(plaintext: &[u8], sizes: &[usize]) {
    let whole = seal(plaintext, &key(), COINS).unwrap();
    assert!(in_pieces(plaintext, sizes).unwrap() == whole, "{sizes:?}");
    let mut streamed = Vec::new();
    let source = Pieces { rest: plaintext, sizes: sizes.iter() };
    let outcome = seal_stream(source, &mut streamed, &key(), COINS).unwrap();
    assert!(streamed == whole, "{sizes:?}");
    assert_eq!(usize::try_from(outcome.plaintext_bytes), Ok(plaintext.len()));
    assert_eq!(usize::try_from(outcome.sealed_bytes), Ok(whole.len()));
    assert_eq!(outcome.digest, sha256(&whole));
}

#[test]
fn ddb_1_12_wherever_the_plaintext_is_parted_the_sealed_file_is_the_same() {
    //= harness/spec/database.md#ddb-1-encrypted-files-durable-store
    //= type=test
    //# DDB-1.12 (ours): Sealing in pieces MUST yield the same bytes as sealing at once, wherever the
    //# plaintext is parted.
    for bytes in [1, 2, 300, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 2 * CHUNK + 7] {
        let plaintext = plaintext(bytes);
        assert!(seal(&plaintext, &key(), COINS).unwrap() == sealed(bytes), "{bytes} bytes");
        for cut in [0, 1, 2, 299, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK - 1, 2 * CHUNK] {
            holds_in_pieces(&plaintext, &[cut]);
            holds_in_pieces(&plaintext, &[0, cut, 0, 1]);
        }
    }
    let note = plaintext(40);
    for cut in 0..=40 {
        for second in 0..=40 - cut {
            holds_in_pieces(&note, &[cut, second]);
        }
    }
    holds_in_pieces(&plaintext(CHUNK + 3), &[997; 70]);
    assert_eq!(in_pieces(&[], &[]), Err(SealError::Empty));
    assert_eq!(in_pieces(&[], &[0, 0]), Err(SealError::Empty));
}

/// What an attacker without the key makes of a file; the length alone, or the place of a chunk,
/// gives each of them away.
fn attacks() -> Vec<(String, Vec<u8>)> {
    let file = sealed(BYTES);
    let chunk = |number: usize| {
        let start = HEADER + number * (CHUNK + 16);
        &file[start..(file.len() - TRAILER).min(start + CHUNK + 16)]
    };
    let (header, trailer) = (&file[..HEADER], &file[file.len() - TRAILER..]);
    let put = |order: &[usize]| {
        let body: Vec<u8> = order.iter().flat_map(|number| chunk(*number)).copied().collect();
        [header, &body, trailer].concat()
    };
    assert!(put(&[0, 1, 2, 3]) == file);
    let orders: [(&str, &[usize]); 9] = [
        ("swapped", &[1, 0, 2, 3]),
        ("reversed", &[2, 1, 0, 3]),
        ("first dropped", &[1, 2, 3]),
        ("middle dropped", &[0, 1, 3]),
        ("last dropped", &[0, 1, 2]),
        ("repeated", &[0, 0, 1, 2, 3]),
        ("repeated at the end", &[0, 1, 2, 3, 3]),
        ("repeated in place", &[0, 0, 2, 3]),
        ("none left", &[]),
    ];
    let mut all: Vec<(String, Vec<u8>)> =
        orders.iter().map(|(name, order)| ((*name).to_owned(), put(order))).collect();
    for at in [0, HEADER, HEADER + 1, 70_000, file.len() - TRAILER - 1, file.len() - TRAILER] {
        all.push((format!("cut at {at}"), file[..at].to_vec()));
    }
    all.push(("last byte cut".to_owned(), file[..file.len() - 1].to_vec()));
    for more in [1, 16, 17, TRAILER, CHUNK + 16] {
        all.push((format!("{more} bytes behind"), [&file[..], &vec![0; more]].concat()));
    }
    // Each part of the file in turn: the fixed header, the nonce prefix, each chunk, the trailer.
    let last = file.len() - 1;
    for at in
        [0, 4, 5, 6, 7, 25, HEADER, HEADER + CHUNK + 15, 2 * CHUNK, 3 * CHUNK, last - 80, last]
    {
        let mut other = file.clone();
        other[at] ^= 1;
        all.push((format!("byte {at} changed"), other));
    }
    let coins = SealCoins { nonce_prefix: [5; 19], ..COINS };
    let other = seal(&plaintext(BYTES), &key(), coins).unwrap();
    all.push(("header of another".to_owned(), [&other[..HEADER], &file[HEADER..]].concat()));
    let foreign = [&file[..last + 1 - TRAILER], &other[last + 1 - TRAILER..]].concat();
    all.push(("trailer of another".to_owned(), foreign));
    let mut mixed = file.clone();
    mixed[HEADER..HEADER + CHUNK].copy_from_slice(&other[HEADER..HEADER + CHUNK]);
    all.push(("chunk of another".to_owned(), mixed));
    let wrong = ContentKey::new([8; 32]);
    all.push(("another key".to_owned(), seal(&plaintext(BYTES), &wrong, COINS).unwrap()));
    all
}

#[test]
fn ddb_1_13_a_stream_gives_nothing_of_a_file_of_which_any_check_fails() {
    //= harness/spec/database.md#ddb-1-encrypted-files-durable-store
    //= type=test
    //# DDB-1.13 (ours): Opening a sealed file in pieces MUST make every check of the file before it
    //# hands out the first byte of plaintext.
    let stream = |file: &[u8]| {
        let mut sink = Vec::new();
        (open_stream(&mut Cursor::new(file), &mut sink, &key()), sink)
    };
    for bytes in [1, CHUNK - 1, CHUNK, CHUNK + 1, BYTES] {
        let (opened, sink) = stream(&sealed(bytes));
        let checked = opened.unwrap();
        assert_eq!(usize::try_from(checked.bytes()), Ok(bytes));
        assert!(sink == plaintext(bytes), "{bytes} bytes");
        assert_eq!(*checked.commitment().as_bytes(), rules::commitment(&COINS.salt, &sink));
    }
    for (name, file) in attacks() {
        let (opened, sink) = stream(&file);
        assert!(matches!(opened, Err(StreamError::Refused(_))), "{name}: {opened:?}");
        assert!(sink.is_empty(), "{name}: {} bytes came out", sink.len());
        assert_eq!(opened.err().map(refusal), open(&file, &key()).err(), "{name}: as at once");
    }
    // By a holder of the key: all is authentic, and only the last comparison is left to refuse it.
    let mut parts = Parts::of(&plaintext(BYTES), COINS.nonce_prefix, COINS.salt);
    parts.commitment[31] ^= 1;
    let (opened, sink) = stream(&parts.seal(&KEY));
    assert_eq!((opened.err().map(refusal), sink), (Some(OpenError::Commitment), vec![]));
}

fn refusal<E: std::fmt::Debug>(error: StreamError<E>) -> E {
    match error {
        StreamError::Refused(error) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn ddb_1_14_what_changed_since_it_was_checked_is_not_handed_out() {
    //= harness/spec/database.md#ddb-1-encrypted-files-durable-store
    //= type=test
    //# DDB-1.14 (ours): Opening a sealed file in pieces MUST check each chunk again, at its place,
    //# before it hands out the plaintext of that chunk.
    let file = sealed(BYTES);
    let checked = check_stream(&mut Cursor::new(&file), &key()).unwrap();
    let release = |file: &[u8]| {
        let mut sink = Vec::new();
        (release_stream(&checked, &mut Cursor::new(file), &mut sink), sink)
    };
    let (outcome, sink) = release(&file);
    assert!(outcome.is_ok() && sink == plaintext(BYTES));
    let place = |chunk: usize| HEADER + chunk * (CHUNK + 16);
    for chunk in 0..4 {
        let mut other = file.clone();
        other[place(chunk) + 100] ^= 1;
        let (outcome, sink) = release(&other);
        let offset = u64::try_from(place(chunk)).unwrap();
        let refused = OpenError::Chunk { chunk: u32::try_from(chunk).unwrap(), offset };
        assert_eq!(outcome.map_err(refusal), Err(refused));
        assert!(sink == plaintext(chunk * CHUNK), "what came out was right and in its place");
    }
    let mut swapped = file.clone();
    swapped[place(1)..place(3)].rotate_left(CHUNK + 16);
    let (outcome, sink) = release(&swapped);
    assert!(outcome.is_err() && sink == plaintext(CHUNK));
    let (outcome, sink) = release(&file[..place(2) + 5]);
    assert!(matches!(outcome, Err(StreamError::Read(_))), "{outcome:?}");
    assert!(sink == plaintext(2 * CHUNK));
    // A holder of the key can put an authentic chunk in the place of another one: found at the end.
    let mut parts = Parts::of(&plaintext(BYTES), COINS.nonce_prefix, COINS.salt);
    parts.chunks[2][7] ^= 1;
    let (outcome, _) = release(&parts.seal(&KEY));
    assert_eq!(outcome.map_err(refusal), Err(OpenError::Commitment));
}

/// What a range of a file gives, and why not.
fn ranged(file: &[u8], range: Range<u64>) -> Result<Vec<u8>, StreamError<RangeError>> {
    let mut source = Cursor::new(file);
    let frame = read_frame(&mut source, &key()).map_err(StreamError::in_terms_of)?;
    open_range(&frame, &mut source, range)
}

#[test]
fn ddb_1_15_a_range_of_a_file_of_another_length_header_or_trailer_is_refused_at_once() {
    //= harness/spec/database.md#ddb-1-encrypted-files-durable-store
    //= type=test
    //# DDB-1.15 (ours): Reading a range of a sealed file MUST refuse the file before any chunk is
    //# opened when its header, its trailer, its number of chunks or its length fails a check.
    let file = sealed(BYTES);
    let (mut by_frame, mut by_chunk) = (0, Vec::new());
    for (name, other) in attacks() {
        let same_outside = other.len() == file.len()
            && other[..HEADER] == file[..HEADER]
            && other[file.len() - TRAILER..] == file[file.len() - TRAILER..];
        let frame = read_frame(&mut Cursor::new(&other), &key());
        assert_eq!(frame.is_ok(), same_outside, "{name}: {frame:?}");
        if same_outside {
            by_chunk.push(name);
        } else {
            by_frame += 1;
            assert!(ranged(&other, 0..0).is_err(), "{name}: even of an empty range");
        }
    }
    assert!(by_frame >= 20 && by_chunk.len() >= 7, "{by_frame}, {by_chunk:?}");
    // By a holder of the key: a trailer at the right place that states another length.
    let mut parts = Parts::of(&plaintext(BYTES), COINS.nonce_prefix, COINS.salt);
    parts.length += 1;
    let refused = ranged(&parts.seal(&KEY), 0..1).unwrap_err();
    assert_eq!(refusal(refused), RangeError::Open(OpenError::Commitment));
}

#[test]
fn ddb_1_16_a_range_is_refused_for_its_own_chunks_and_for_no_others() {
    //= harness/spec/database.md#ddb-1-encrypted-files-durable-store
    //= type=test
    //# DDB-1.16 (ours): Reading a range of a sealed file MUST refuse each chunk that the range
    //# touches and that was not sealed at that place of that file.
    let (file, plain) = (sealed(BYTES), plaintext(BYTES));
    let mut seen = 0;
    for (name, other) in attacks() {
        if read_frame(&mut Cursor::new(&other), &key()).is_err() {
            continue;
        }
        seen += 1;
        let is_same = |chunk: usize| {
            let end = (file.len() - TRAILER).min(HEADER + (chunk + 1) * (CHUNK + 16));
            let place = HEADER + chunk * (CHUNK + 16)..end;
            other[place.clone()] == file[place]
        };
        assert!((0..4).any(|chunk| !is_same(chunk)), "{name} changes something");
        for first in 0..4 {
            for last in first..4 {
                let (start, end) = (first * CHUNK, BYTES.min((last + 1) * CHUNK));
                for (start, end) in [(start, end), (end.min(start + 7), end), (end - 1, end)] {
                    let touched = start / CHUNK..=(end - 1) / CHUNK;
                    let range = u64::try_from(start).unwrap()..u64::try_from(end).unwrap();
                    let found = ranged(&other, range.clone());
                    if touched.clone().all(is_same) {
                        assert!(found.unwrap() == plain[start..end], "{name}: {range:?}");
                    } else {
                        let bad = touched.into_iter().find(|chunk| !is_same(*chunk)).unwrap();
                        let refused = refusal(found.unwrap_err());
                        let RangeError::Open(OpenError::Chunk { chunk, .. }) = refused else {
                            panic!("{name}: {refused:?}");
                        };
                        assert_eq!(usize::try_from(chunk), Ok(bad), "{name}: {range:?}");
                    }
                }
            }
        }
    }
    assert!(seen >= 7, "{seen} attacks keep length, header and trailer");
}

#[test]
fn ddb_1_17_a_range_gives_its_bytes_and_no_others() {
    //= harness/spec/database.md#ddb-1-encrypted-files-durable-store
    //= type=test
    //# DDB-1.17 (ours): Reading a range of a sealed file MUST yield the bytes of that range of the
    //# plaintext and no others.
    for bytes in [1, 300, CHUNK, CHUNK + 1, BYTES] {
        let (file, plain) = (sealed(bytes), plaintext(bytes));
        let mut source = Cursor::new(&file);
        let frame = read_frame(&mut source, &key()).unwrap();
        let edges: Vec<usize> = [0, 1, 2, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK]
            .into_iter()
            .chain([bytes - 1, bytes])
            .filter(|edge| *edge <= bytes)
            .collect();
        for &start in &edges {
            for &end in edges.iter().filter(|end| start <= **end) {
                let range = u64::try_from(start).unwrap()..u64::try_from(end).unwrap();
                let found = open_range(&frame, &mut source, range).unwrap();
                assert!(found == plain[start..end], "{start}..{end} of {bytes}");
            }
        }
    }
}

#[test]
fn ddb_1_18_a_range_that_is_none_is_refused() {
    //= harness/spec/database.md#ddb-1-encrypted-files-durable-store
    //= type=test
    //# DDB-1.18 (ours): Reading a range of a sealed file MUST refuse a range that ends before it
    //# starts or behind the end of the plaintext.
    let file = sealed(CHUNK + 5);
    let bytes = u64::try_from(CHUNK + 5).unwrap();
    for (start, end) in [
        (0, bytes + 1),
        (bytes, bytes + 1),
        (bytes + 1, bytes + 1),
        (bytes - 1, bytes + 16),
        (0, u64::MAX),
        (u64::MAX, u64::MAX),
        (u64::MAX - 1, u64::MAX),
        (1, 0),
        (bytes, 0),
        (u64::MAX, 0),
        (u64::MAX, 1),
    ] {
        let refused = refusal(ranged(&file, start..end).unwrap_err());
        assert_eq!(refused, RangeError::Outside { start, end, bytes });
    }
    assert_eq!(ranged(&file, bytes..bytes).unwrap(), Vec::<u8>::new());
}

/// A length at and around the borders of chunks.
fn lengths() -> impl Strategy<Value = usize> {
    let borders = prop_oneof![Just(CHUNK), Just(2 * CHUNK), Just(3 * CHUNK)];
    prop_oneof![1_usize..2_000, (borders, 0_usize..40).prop_map(|(border, by)| border - 20 + by)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn ddb_1_12_any_pieces_give_what_the_rules_give(
        bytes in lengths(),
        sizes in proptest::collection::vec(prop_oneof![0_usize..50, 0_usize..140_000], 0..12),
    ) {
        prop_assert!(in_pieces(&plaintext(bytes), &sizes) == Ok(sealed(bytes)));
        holds_in_pieces(&plaintext(bytes), &sizes);
    }

    #[test]
    fn ddb_1_17_any_range_of_any_file_is_what_the_rules_say(
        bytes in lengths(),
        flips in proptest::collection::vec((any::<prop::sample::Index>(), 1_u8..), 0..3),
        ends in (any::<prop::sample::Index>(), any::<prop::sample::Index>()),
    ) {
        let mut file = sealed(bytes);
        for (at, flip) in flips {
            let at = at.index(file.len());
            file[at] ^= flip;
        }
        let place = |index: prop::sample::Index| u64::try_from(index.index(bytes + 3)).unwrap();
        let (start, end) = (place(ends.0), place(ends.1));
        let found = ranged(&file, start..end);
        prop_assert_eq!(found.ok(), rules::open_range(&file, &KEY, start, end));
        let mut sink = Vec::new();
        let opened = open_stream(&mut Cursor::new(&file), &mut sink, &key());
        let expected = rules::open(&file, &KEY);
        prop_assert_eq!(opened.is_ok(), expected.is_some());
        prop_assert_eq!(sink, expected.unwrap_or_default());
    }
}
