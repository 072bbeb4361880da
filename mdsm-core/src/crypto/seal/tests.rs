//! What only the inside can show; the sentences of the spec have their tests in the harness.

use std::io::{self, Cursor, Read, Seek, SeekFrom};

use super::cipher::{Cipher, Place};
use super::format::{TAG_BYTES, header};
use super::*;
use crate::params::FILE_BYTES_MAX;

const COINS: SealCoins = SealCoins { nonce_prefix: [3; 19], salt: [4; 16] };

fn key() -> ContentKey {
    ContentKey::new([9; 32])
}

fn plaintext(bytes: usize) -> Vec<u8> {
    (0..251).cycle().take(bytes).collect()
}

#[test]
fn what_was_sealed_opens_at_every_boundary() {
    for bytes in [1, 2, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES] {
        let plaintext = plaintext(bytes);
        let sealed = seal(&plaintext, &key(), COINS).unwrap();
        assert_eq!(open(&sealed, &key()), Ok(plaintext), "{bytes} bytes");
    }
    assert_eq!(seal(&[], &key(), COINS), Err(SealError::Empty));
}

#[test]
fn ddb_1_any_changed_byte_and_any_cut_is_refused() {
    let sealed = seal(&[5; 300], &key(), COINS).unwrap();
    for at in 0..sealed.len() {
        let mut changed = sealed.clone();
        changed[at] ^= 0x40;
        assert!(open(&changed, &key()).is_err(), "byte {at}");
        assert!(open(&sealed[..at], &key()).is_err(), "cut at {at}");
    }
    let wrong = ContentKey::new([8; 32]);
    let offset = 26 + 300 + 16;
    assert_eq!(open(&sealed, &wrong), Err(OpenError::Trailer { chunks: 1, offset }));
}

#[test]
fn a_layout_follows_from_either_length_up_to_the_last_chunk_that_can_be_counted() {
    let (chunk, most) = (65_536, FILE_BYTES_MAX);
    for bytes in [1, 2, chunk - 1, chunk, chunk + 1, 5 * chunk, most - chunk, most - 1, most] {
        let layout = Layout::of_plaintext(bytes).unwrap();
        assert_eq!(Layout::of_sealed(layout.sealed_bytes()), Ok(layout), "{bytes} bytes");
        assert_eq!(u64::from(layout.chunks()), bytes.div_ceil(chunk));
        assert_eq!(layout.sealed_bytes(), 26 + bytes + 16 * bytes.div_ceil(chunk) + 72);
        let last = layout.chunk(layout.chunks() - 1);
        assert_eq!(last.end, layout.trailer().start);
        assert!((17..=65_552).contains(&(last.end - last.start)), "{last:?}");
        assert_eq!(layout.chunk(0).start, 26);
    }
    assert_eq!(Layout::of_plaintext(most).unwrap().chunks(), u32::MAX);
    let bytes_max = sealed_bytes(most).unwrap();
    for bytes in [bytes_max + 1, u64::MAX] {
        let refused = Err(OpenError::TooLarge { bytes, bytes_max });
        assert_eq!(Layout::of_sealed(bytes), refused);
    }
    // A last chunk without plaintext.
    for rest in 1..=16 {
        let offset = 26 + chunk + 16;
        let refused = Err(OpenError::Chunk { chunk: 1, offset });
        assert_eq!(Layout::of_sealed(offset + rest + 72), refused);
    }
}

#[test]
fn parts_of_an_arriving_file_hold_a_chunk_and_the_outer_parts_at_most() {
    let mut sealer = Sealer::new(&key(), COINS);
    let huge = plaintext(3 * CHUNK_BYTES + 9);
    let (mut rest, mut sealed, mut parts) = (huge.as_slice(), Vec::new(), Vec::new());
    while let Some(part) = sealer.push(&mut rest).unwrap() {
        parts.push(part.len());
        sealed.extend_from_slice(part);
    }
    assert!(rest.is_empty());
    // Nothing in, nothing out.
    assert_eq!(sealer.push(&mut &[][..]), Ok(None));
    assert_eq!(sealer.bytes(), 3 * 65_536 + 9);
    let end = sealer.finish().unwrap();
    parts.push(end.len());
    let chunk = CHUNK_BYTES + TAG_BYTES;
    assert_eq!(parts, [HEADER_BYTES + chunk, chunk, chunk, 9 + TAG_BYTES + TRAILER_BYTES]);
    sealed.extend(end);
    assert_eq!(sealed, seal(&huge, &key(), COINS).unwrap());
    assert!(matches!(Sealer::new(&key(), COINS).finish(), Err(SealError::Empty)));
}

/// A source without contents of its own, that counts what was read and what at once.
struct Counting {
    bytes: u64,
    at: u64,
    read: u64,
    read_at_once_max: usize,
}

impl Read for Counting {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = usize::try_from(self.bytes - self.at).unwrap().min(buffer.len());
        buffer[..bytes].fill(u8::try_from(self.at % 251).unwrap());
        self.at += u64::try_from(bytes).unwrap();
        self.read += u64::try_from(bytes).unwrap();
        self.read_at_once_max = self.read_at_once_max.max(buffer.len());
        Ok(bytes)
    }
}

/// A sink that keeps nothing.
#[derive(Default)]
struct Largest {
    bytes: u64,
    written_at_once_max: usize,
}

impl io::Write for Largest {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes += u64::try_from(bytes.len()).unwrap();
        self.written_at_once_max = self.written_at_once_max.max(bytes.len());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_large_file_is_sealed_without_ever_holding_more_than_some_chunks() {
    let bytes = 8 * 1_024 * 1_024 + 1;
    let mut source = Counting { bytes, at: 0, read: 0, read_at_once_max: 0 };
    let mut sink = Largest::default();
    let sealed = seal_stream(&mut source, &mut sink, &key(), COINS).unwrap();
    assert_eq!((sealed.plaintext_bytes, source.read), (bytes, bytes));
    assert_eq!((sealed.sealed_bytes, sink.bytes), (sealed_bytes(bytes).unwrap(), sink.bytes));
    assert_eq!(sealed.sealed_bytes, sink.bytes);
    assert!(source.read_at_once_max <= CHUNK_BYTES);
    let part_bytes_max = HEADER_BYTES + CHUNK_BYTES + TAG_BYTES + TRAILER_BYTES;
    assert!(sink.written_at_once_max <= part_bytes_max, "{}", sink.written_at_once_max);
}

/// A sealed file that counts which of its bytes were read.
struct Watched {
    file: Cursor<Vec<u8>>,
    read: Vec<bool>,
}

impl Watched {
    fn new(file: Vec<u8>) -> Self {
        Self { read: vec![false; file.len()], file: Cursor::new(file) }
    }
}

impl Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let from = usize::try_from(self.file.position()).unwrap();
        let bytes = self.file.read(buffer)?;
        self.read[from..from + bytes].fill(true);
        Ok(bytes)
    }
}

impl Seek for Watched {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

#[test]
fn a_range_reads_the_outer_parts_and_the_chunks_that_it_touches_and_no_other_byte() {
    let chunk = CHUNK_BYTES + TAG_BYTES;
    let bytes = 5 * CHUNK_BYTES + 7;
    let sealed = seal(&plaintext(bytes), &key(), COINS).unwrap();
    for (range, touched) in [
        (0..1, 0..1),
        (65_535..65_536, 0..1),
        (65_535..65_537, 0..2),
        (65_536..131_072, 1..2),
        (327_680..327_687, 5..6),
        (327_687..327_687, 0..0),
        (70_000..70_000, 0..0),
    ] {
        let mut source = Watched::new(sealed.clone());
        let frame = read_frame(&mut source, &key()).unwrap();
        open_range(&frame, &mut source, range.clone()).unwrap();
        for (at, read) in source.read.iter().enumerate() {
            let outer = at < HEADER_BYTES || at >= sealed.len() - TRAILER_BYTES;
            let number = at.saturating_sub(HEADER_BYTES) / chunk;
            assert_eq!(*read, outer || touched.contains(&number), "byte {at} for {range:?}");
        }
    }
}

#[test]
fn a_chunk_that_failed_is_wanted_still_and_one_too_many_is_refused() {
    let plaintext = plaintext(CHUNK_BYTES + 100);
    let sealed = seal(&plaintext, &key(), COINS).unwrap();
    let frame = read_frame(&mut Cursor::new(&sealed), &key()).unwrap();
    let (first, second) = (26..26 + 65_552, 26 + 65_552..26 + 65_552 + 116);
    let mut span = frame.span(65_530..65_540).unwrap();
    assert_eq!(span.wanted(), Some(26..26 + 65_552));
    let refused = OpenError::Chunk { chunk: 0, offset: 26 };
    assert_eq!(span.open_next(&sealed[second.clone()]), Err(refused));
    assert_eq!(span.wanted(), Some(26..26 + 65_552));
    assert_eq!(span.open_next(&sealed[first]).unwrap(), &plaintext[65_530..65_536]);
    assert_eq!(span.open_next(&sealed[second.clone()]).unwrap(), &plaintext[65_536..65_540]);
    assert_eq!(span.wanted(), None);
    assert!(span.open_next(&sealed[second]).is_err());
    assert!(matches!(frame.check().finish(), Err(OpenError::Chunk { chunk: 0, .. })), "none taken");
}

#[test]
fn a_chunk_of_another_length_by_the_holder_of_the_key_is_refused() {
    let sealed = seal(&plaintext(CHUNK_BYTES + 100), &key(), COINS).unwrap();
    let frame = read_frame(&mut Cursor::new(&sealed), &key()).unwrap();
    let cipher = Cipher::new(&key(), header(&COINS.nonce_prefix));
    let (mut short, mut long) = (vec![1; 100], vec![1; CHUNK_BYTES + 1]);
    cipher.seal(Place::Chunk(0), &mut short, 0);
    cipher.seal(Place::Chunk(0), &mut long, 0);
    for chunk in [&short[..], &long, &[]] {
        let mut span = frame.span(0..50).unwrap();
        let refused = OpenError::Chunk { chunk: 0, offset: 26 };
        assert_eq!(span.open_next(chunk), Err(refused), "{} bytes", chunk.len());
    }
}

#[test]
fn an_interrupted_source_is_read_on_and_a_broken_one_named() {
    struct Broken(Vec<Option<io::ErrorKind>>);
    impl Read for Broken {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            match self.0.pop() {
                None => Ok(0),
                Some(Some(kind)) => Err(kind.into()),
                Some(None) => {
                    buffer[0] = 7;
                    Ok(1)
                }
            }
        }
    }
    let sealed = |mut events: Vec<Option<io::ErrorKind>>| {
        events.reverse();
        let mut sealed = Vec::new();
        seal_stream(Broken(events), &mut sealed, &key(), COINS).map(|_| sealed)
    };
    let interrupted = sealed(vec![None, Some(io::ErrorKind::Interrupted), None]).unwrap();
    assert_eq!(open(&interrupted, &key()), Ok(vec![7, 7]));
    let broken = sealed(vec![None, Some(io::ErrorKind::TimedOut), None]);
    assert!(matches!(broken, Err(StreamError::Read(_))), "{broken:?}");
    assert!(matches!(sealed(vec![]), Err(StreamError::Refused(SealError::Empty))));
    let full = seal_stream(&[1; 300][..], &mut [0; 50][..], &key(), COINS);
    assert!(matches!(full, Err(StreamError::Write(_))), "{full:?}");
}

#[test]
fn nothing_of_a_key_or_a_plaintext_is_printed() {
    let secret = b"7777777777";
    let sealed = seal(secret, &ContentKey::new([77; 32]), COINS).unwrap();
    let frame = read_frame(&mut Cursor::new(&sealed), &ContentKey::new([77; 32])).unwrap();
    let mut span = frame.span(0..10).unwrap();
    span.open_next(&sealed[26..52]).unwrap();
    let mut sealer = Sealer::new(&ContentKey::new([77; 32]), COINS);
    sealer.push(&mut &secret[..]).unwrap();
    for text in [format!("{span:?}"), format!("{sealer:?}"), format!("{frame:?}")] {
        assert!(!text.contains("77") && !text.contains("55, 55"), "{text}");
    }
    assert_eq!(header(&[0; 19]).len(), HEADER_BYTES);
}
