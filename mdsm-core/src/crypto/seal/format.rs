//! The parts of a sealed file and where they lie: spec, database, "Sealed file".

use std::ops::Range;

use super::error::{OpenError, SealError};
use crate::codec::{PREFIX_BYTES, prefix};
use crate::crypto::hash::Hasher;
use crate::params::{FILE_BYTES_MAX, SEALED_CHUNK_LOG2};
use crate::types::Digest;

/// Tag of a sealed file.
pub const SEALED_TAG: [u8; 4] = *b"MFIL";
/// Suite 1: XChaCha20-Poly1305 in chunks.
pub const SUITE_XCHACHA20_POLY1305: u8 = 1;
/// Bytes before the first chunk: tag, version, suite, chunk size, nonce prefix.
pub const HEADER_BYTES: usize = FIXED_BYTES + NONCE_PREFIX_BYTES;
/// Plaintext bytes of every chunk but the last.
pub const CHUNK_BYTES: usize = 1 << SEALED_CHUNK_LOG2;
/// Bytes behind the last chunk: length, salt and commitment, sealed.
pub const TRAILER_BYTES: usize = TRAILER_PLAIN_BYTES + TAG_BYTES;

/// Bytes of the header that are the same in every file of this suite.
pub(super) const FIXED_BYTES: usize = PREFIX_BYTES + 2;
pub(super) const NONCE_PREFIX_BYTES: usize = 19;
pub(super) const TAG_BYTES: usize = 16;
pub(super) const SALT_BYTES: usize = 16;
pub(super) const TRAILER_PLAIN_BYTES: usize = 8 + SALT_BYTES + Digest::BYTES;

// The same numbers as lengths and places within a file, which may be longer than memory.
const CHUNK: u64 = CHUNK_BYTES as u64;
const TAG: u64 = TAG_BYTES as u64;
const HEADER: u64 = HEADER_BYTES as u64;
const TRAILER: u64 = TRAILER_BYTES as u64;

/// Bytes of the longest sealed file.
const SEALED_BYTES_MAX: u64 = HEADER + FILE_BYTES_MAX + FILE_BYTES_MAX / CHUNK * TAG + TRAILER;
const _: () = assert!(
    FILE_BYTES_MAX / CHUNK == u32::MAX as u64 && FILE_BYTES_MAX.is_multiple_of(CHUNK),
    "the trailer's counter is the number of chunks, and one more chunk would not fit in it"
);

/// Says whether a plaintext of so many bytes can be sealed, before it is read.
pub fn check_bytes(bytes: u64) -> Result<(), SealError> {
    //= harness/spec/storage.md#sto-6-content-outside-the-record
    //# STO-6.6 (ours): The plaintext of a sealed file MUST hold at least 1 byte and at most
    //# 281,474,976,645,120 bytes.
    match bytes {
        0 => Err(SealError::Empty),
        1..=FILE_BYTES_MAX => Ok(()),
        _ => Err(SealError::TooLarge { bytes, bytes_max: FILE_BYTES_MAX }),
    }
}

/// Bytes of a sealed file whose plaintext has so many.
pub fn sealed_bytes(plaintext_bytes: u64) -> Result<u64, SealError> {
    Ok(Layout::of_plaintext(plaintext_bytes)?.sealed_bytes())
}

/// Where the parts of a sealed file lie. Its length alone decides: an honest file of the length has
/// no other number of chunks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layout {
    plaintext_bytes: u64,
    chunks: u32,
}

impl Layout {
    /// The layout of a plaintext of so many bytes.
    pub fn of_plaintext(bytes: u64) -> Result<Self, SealError> {
        check_bytes(bytes)?;
        Ok(Self { plaintext_bytes: bytes, chunks: chunk_at(bytes.div_ceil(CHUNK)) })
    }

    /// The layout of a sealed file of so many bytes.
    pub fn of_sealed(bytes: u64) -> Result<Self, OpenError> {
        let (bytes_min, bytes_max) = (HEADER + 1 + TAG + TRAILER, SEALED_BYTES_MAX);
        if bytes < bytes_min {
            return Err(OpenError::Truncated { bytes, bytes_min });
        }
        //= harness/spec/storage.md#sto-6-content-outside-the-record
        //# STO-6.6 (ours): The plaintext of a sealed file MUST hold at least 1 byte and at most
        //# 281,474,976,645,120 bytes.
        if bytes > bytes_max {
            return Err(OpenError::TooLarge { bytes, bytes_max });
        }
        let body = bytes - HEADER - TRAILER;
        let chunks = chunk_at(body.div_ceil(CHUNK + TAG));
        // An empty chunk at the end would give one plaintext a second sealed form.
        if (1..=TAG).contains(&(body % (CHUNK + TAG))) {
            let chunk = chunks - 1;
            return Err(OpenError::Chunk { chunk, offset: start_of(chunk) });
        }
        Ok(Self { plaintext_bytes: body - u64::from(chunks) * TAG, chunks })
    }

    /// Bytes of the plaintext.
    #[must_use]
    pub fn plaintext_bytes(&self) -> u64 {
        self.plaintext_bytes
    }

    /// Bytes of the sealed file.
    #[must_use]
    pub fn sealed_bytes(&self) -> u64 {
        self.trailer().end
    }

    /// Data chunks.
    #[must_use]
    pub fn chunks(&self) -> u32 {
        self.chunks
    }

    /// Where a chunk lies in the sealed file, its tag included.
    ///
    /// # Panics
    /// When there is no such chunk.
    #[must_use]
    pub fn chunk(&self, number: u32) -> Range<u64> {
        //= harness/spec/database.md#ddb-1-encrypted-files-durable-store
        //# DDB-1.4 (ours): Every data chunk MUST hold 65,536 bytes of plaintext, except the last
        //# one, which holds the 1 to 65,536 bytes that remain.
        assert!(number < self.chunks, "chunk {number} of {}", self.chunks);
        let start = start_of(number);
        start..self.trailer().start.min(start + CHUNK + TAG)
    }

    /// Where the trailer lies in the sealed file.
    #[must_use]
    pub fn trailer(&self) -> Range<u64> {
        let start = HEADER + self.plaintext_bytes + u64::from(self.chunks) * TAG;
        start..start + TRAILER
    }

    /// The chunks that hold a range of plaintext that lies within the file; none for an empty one.
    pub(super) fn chunks_of(&self, range: &Range<u64>) -> Range<u32> {
        if range.is_empty() {
            return 0..0;
        }
        chunk_at(range.start / CHUNK)..chunk_at(range.end.div_ceil(CHUNK))
    }

    /// The range of plaintext within a chunk that belongs to a range of the whole.
    pub(super) fn part_of(&self, chunk: u32, range: &Range<u64>) -> Range<usize> {
        let before = u64::from(chunk) * CHUNK;
        let within = |at: u64| {
            let at = at.saturating_sub(before).min(CHUNK);
            usize::try_from(at).expect("a place within a chunk fits in memory")
        };
        within(range.start)..within(range.end)
    }
}

/// Where a chunk starts in the sealed file.
fn start_of(chunk: u32) -> u64 {
    HEADER + u64::from(chunk) * (CHUNK + TAG)
}

/// A count of chunks of a length within bounds.
fn chunk_at(count: u64) -> u32 {
    u32::try_from(count).expect("FILE_BYTES_MAX keeps the number of chunks within u32")
}

/// The header of a file.
pub(super) fn header(nonce_prefix: &[u8; NONCE_PREFIX_BYTES]) -> [u8; HEADER_BYTES] {
    let mut header = [0; HEADER_BYTES];
    header[..PREFIX_BYTES].copy_from_slice(&prefix(SEALED_TAG));
    header[PREFIX_BYTES] = SUITE_XCHACHA20_POLY1305;
    header[PREFIX_BYTES + 1] = SEALED_CHUNK_LOG2;
    header[FIXED_BYTES..].copy_from_slice(nonce_prefix);
    header
}

/// Refuses a header of another tag, version, suite or chunk size.
pub(super) fn check_header(found: &[u8; HEADER_BYTES]) -> Result<(), OpenError> {
    let expected = header(&[0; NONCE_PREFIX_BYTES]);
    match (0..).zip(found.iter().zip(&expected)).take(FIXED_BYTES).find(|(_, (a, b))| a != b) {
        Some((offset, _)) => Err(OpenError::Header { offset }),
        None => Ok(()),
    }
}

/// What the trailer says of the plaintext.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Trailer {
    pub(super) length: u64,
    pub(super) salt: [u8; SALT_BYTES],
    pub(super) commitment: Digest,
}

impl Trailer {
    pub(super) fn to_bytes(self) -> [u8; TRAILER_PLAIN_BYTES] {
        let mut bytes = [0; TRAILER_PLAIN_BYTES];
        bytes[..8].copy_from_slice(&self.length.to_le_bytes());
        bytes[8..8 + SALT_BYTES].copy_from_slice(&self.salt);
        bytes[8 + SALT_BYTES..].copy_from_slice(self.commitment.as_bytes());
        bytes
    }

    pub(super) fn from_bytes(bytes: &[u8; TRAILER_PLAIN_BYTES]) -> Self {
        let (length, rest) = bytes.split_at(8);
        let (salt, commitment) = rest.split_at(SALT_BYTES);
        Self {
            length: u64::from_le_bytes(length.try_into().expect("8 bytes are cut off")),
            salt: salt.try_into().expect("the salt's bytes are cut off"),
            commitment: Digest::new(commitment.try_into().expect("a digest's bytes remain")),
        }
    }
}

/// The commitment to a plaintext, before the first byte of it.
pub(super) fn commitment(salt: &[u8; SALT_BYTES]) -> Hasher {
    let mut hasher = Hasher::new();
    hasher.update(&prefix(*b"MCOM"));
    hasher.update(salt);
    hasher
}
