//! Sealing and opening over `std::io`. Nothing here opens a file: whoever calls brings a source
//! that holds the sealed file, or the plaintext, and nothing else, and a sink.
//!
//! Memory: two chunks, but for `open_range`, which holds the range.

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::ops::Range;

use zeroize::Zeroizing;

use super::cipher::{ContentKey, SealCoins};
use super::error::{OpenError, RangeError, SealError, StreamError};
use super::format::{CHUNK_BYTES, HEADER_BYTES, Layout, TRAILER_BYTES};
use super::reader::{Checked, Frame};
use super::writer::Sealer;
use crate::crypto::hash::Hasher;
use crate::types::Digest;

/// What a file became when it was sealed as a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// Bytes of the plaintext.
    pub plaintext_bytes: u64,
    /// Bytes of the sealed file.
    pub sealed_bytes: u64,
    /// SHA-256 of the sealed file: its name.
    pub digest: Digest,
}

/// Seals what `plaintext` yields until its end. After an error `sealed` holds a file that does not
/// open.
pub fn seal_stream(
    mut plaintext: impl Read,
    mut sealed: impl Write,
    key: &ContentKey,
    coins: SealCoins,
) -> Result<Sealed, StreamError<SealError>> {
    let mut sealer = Sealer::new(key, coins);
    let mut out = Counted { sink: &mut sealed, bytes: 0, digest: Hasher::new() };
    let mut buffer = Zeroizing::new(vec![0; CHUNK_BYTES]);
    loop {
        let mut piece = match plaintext.read(&mut buffer) {
            Ok(0) => break,
            Ok(bytes) => &buffer[..bytes],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(StreamError::Read(error)),
        };
        while let Some(part) = sealer.push(&mut piece)? {
            out.write(part).map_err(StreamError::Write)?;
        }
    }
    let plaintext_bytes = sealer.bytes();
    out.write(&sealer.finish()?).map_err(StreamError::Write)?;
    out.sink.flush().map_err(StreamError::Write)?;
    Ok(Sealed { plaintext_bytes, sealed_bytes: out.bytes, digest: out.digest.finish() })
}

/// Reads and checks the outer parts of a sealed file.
pub fn read_frame(
    source: &mut (impl Read + Seek),
    key: &ContentKey,
) -> Result<Frame, StreamError<OpenError>> {
    let bytes = source.seek(SeekFrom::End(0)).map_err(StreamError::Read)?;
    let layout = Layout::of_sealed(bytes)?;
    let (mut header, mut trailer) = ([0; HEADER_BYTES], [0; TRAILER_BYTES]);
    read_at(source, 0, &mut header).map_err(StreamError::Read)?;
    read_at(source, layout.trailer().start, &mut trailer).map_err(StreamError::Read)?;
    Ok(Frame::open(key, bytes, &header, &trailer)?)
}

/// Makes every check of a sealed file; hands out no plaintext.
pub fn check_stream(
    source: &mut (impl Read + Seek),
    key: &ContentKey,
) -> Result<Checked, StreamError<OpenError>> {
    let mut check = read_frame(source, key)?.check();
    let mut chunks = Chunks::default();
    while let Some(place) = check.wanted() {
        check.take(chunks.read(source, place).map_err(StreamError::Read)?)?;
    }
    Ok(check.finish()?)
}

/// Writes the plaintext of a file that was checked. An error means that the source changed since
/// then, or that the sink is full; what was written before it was authentic and in its place.
pub fn release_stream(
    checked: &Checked,
    source: &mut (impl Read + Seek),
    mut sink: impl Write,
) -> Result<(), StreamError<OpenError>> {
    let mut release = checked.release();
    let mut chunks = Chunks::default();
    while let Some(place) = release.wanted() {
        let plain = release.open_next(chunks.read(source, place).map_err(StreamError::Read)?)?;
        sink.write_all(plain).map_err(StreamError::Write)?;
    }
    release.finish()?;
    sink.flush().map_err(StreamError::Write)
}

/// Checks a sealed file, then writes its plaintext.
pub fn open_stream(
    source: &mut (impl Read + Seek),
    sink: impl Write,
    key: &ContentKey,
) -> Result<Checked, StreamError<OpenError>> {
    let checked = check_stream(source, key)?;
    release_stream(&checked, source, sink)?;
    Ok(checked)
}

/// Reads a range of the plaintext: all of it, or an error and nothing. Reads no other chunks than
/// those that the range touches.
pub fn open_range(
    frame: &Frame,
    source: &mut (impl Read + Seek),
    range: Range<u64>,
) -> Result<Vec<u8>, StreamError<RangeError>> {
    let bytes = range.end.saturating_sub(range.start);
    let mut span = frame.span(range)?;
    let mut plaintext = Zeroizing::new(Vec::new());
    let too_large = |_| StreamError::Refused(RangeError::Memory { bytes });
    plaintext.try_reserve_exact(usize::try_from(bytes).unwrap_or(usize::MAX)).map_err(too_large)?;
    let mut chunks = Chunks::default();
    while let Some(place) = span.wanted() {
        let sealed = chunks.read(source, place).map_err(StreamError::Read)?;
        plaintext.extend_from_slice(span.open_next(sealed).map_err(RangeError::Open)?);
    }
    Ok(std::mem::take(&mut *plaintext))
}

/// The digest of a sealed file, which is its name.
pub fn digest_stream(source: &mut (impl Read + Seek)) -> io::Result<Digest> {
    //= harness/spec/storage.md#sto-6-content-outside-the-record
    //# STO-6.3 (ours): The digest of a stored file MUST be the SHA-256 digest of the whole sealed
    //# file, from the first byte of its header to the last byte of its trailer.
    source.seek(SeekFrom::Start(0))?;
    let mut hasher = Hasher::new();
    let mut buffer = vec![0; CHUNK_BYTES];
    loop {
        match source.read(&mut buffer) {
            Ok(0) => return Ok(hasher.finish()),
            Ok(bytes) => hasher.update(&buffer[..bytes]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// A sink that counts and hashes.
struct Counted<'a, W> {
    sink: &'a mut W,
    bytes: u64,
    digest: Hasher,
}

impl<W: Write> Counted<'_, W> {
    fn write(&mut self, part: &[u8]) -> io::Result<()> {
        self.sink.write_all(part)?;
        self.bytes += u64::try_from(part.len()).expect("usize fits in u64");
        self.digest.update(part);
        Ok(())
    }
}

/// Memory for one sealed chunk.
#[derive(Default)]
struct Chunks(Vec<u8>);

impl Chunks {
    fn read(&mut self, source: &mut (impl Read + Seek), place: Range<u64>) -> io::Result<&[u8]> {
        let bytes = usize::try_from(place.end - place.start).expect("one chunk fits in memory");
        self.0.resize(bytes, 0);
        read_at(source, place.start, &mut self.0)?;
        Ok(&self.0)
    }
}

fn read_at(source: &mut (impl Read + Seek), at: u64, bytes: &mut [u8]) -> io::Result<()> {
    source.seek(SeekFrom::Start(at))?;
    source.read_exact(bytes)
}
