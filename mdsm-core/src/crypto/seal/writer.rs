//! Sealing in pieces: plaintext in, of any size at a time; sealed chunks out, in their order.

use zeroize::Zeroizing;

use super::cipher::{Cipher, ContentKey, Place, SealCoins};
use super::error::SealError;
use super::format::{
    CHUNK_BYTES, HEADER_BYTES, SALT_BYTES, TAG_BYTES, TRAILER_BYTES, Trailer, check_bytes,
    commitment, header,
};
use crate::crypto::hash::Hasher;

/// A file that is being sealed. Holds one chunk at most.
pub struct Sealer {
    cipher: Cipher,
    salt: [u8; SALT_BYTES],
    commitment: Hasher,
    /// Sealed bytes that were yielded, to be dropped at the next call, or plaintext of an open chunk.
    buffer: Zeroizing<Vec<u8>>,
    /// Where the open chunk's plaintext starts: behind the header in the first.
    from: usize,
    /// Whether `buffer` was yielded.
    is_yielded: bool,
    /// Chunks sealed.
    chunks: u32,
    /// Plaintext taken.
    bytes: u64,
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sealer").field("bytes", &self.bytes).finish_non_exhaustive()
    }
}

impl Sealer {
    /// Begins a file.
    #[must_use]
    pub fn new(key: &ContentKey, coins: SealCoins) -> Self {
        let header = header(&coins.nonce_prefix);
        let bytes = HEADER_BYTES + CHUNK_BYTES + TAG_BYTES + TRAILER_BYTES;
        let mut buffer = Zeroizing::new(Vec::with_capacity(bytes));
        buffer.extend_from_slice(&header);
        Self {
            cipher: Cipher::new(key, header),
            salt: coins.salt,
            commitment: commitment(&coins.salt),
            buffer,
            from: HEADER_BYTES,
            is_yielded: false,
            chunks: 0,
            bytes: 0,
        }
    }

    /// Takes plaintext from the front of `piece`: all of it, or as much as fills a chunk. Yields the
    /// next part of the sealed file when a chunk is full; `None` when `piece` is used up and more is
    /// needed. The first part begins with the header.
    ///
    /// A file that grows past the limit is refused; what was yielded is then worth nothing.
    pub fn push(&mut self, piece: &mut &[u8]) -> Result<Option<&[u8]>, SealError> {
        self.forget_yielded();
        let room = CHUNK_BYTES - (self.buffer.len() - self.from);
        let (taken, rest) = piece.split_at(room.min(piece.len()));
        let bytes = self.bytes + u64::try_from(taken.len()).expect("a chunk at most");
        if !taken.is_empty() {
            check_bytes(bytes)?;
        }
        //= harness/spec/database.md#ddb-1-encrypted-files-durable-store
        //# DDB-1.12 (ours): Sealing in pieces MUST yield the same bytes as sealing at once, wherever
        //# the plaintext is parted.
        self.commitment.update(taken);
        self.buffer.extend_from_slice(taken);
        (self.bytes, *piece) = (bytes, rest);
        if taken.len() < room {
            return Ok(None);
        }
        self.seal_chunk();
        self.is_yielded = true;
        Ok(Some(&self.buffer))
    }

    /// Ends the file: yields the last part, which ends with the trailer.
    pub fn finish(mut self) -> Result<Vec<u8>, SealError> {
        check_bytes(self.bytes)?;
        self.forget_yielded();
        if self.buffer.len() > self.from {
            self.seal_chunk();
        }
        let trailer =
            Trailer { length: self.bytes, salt: self.salt, commitment: self.commitment.finish() };
        let mut rest = std::mem::take(&mut *self.buffer);
        let from = rest.len();
        rest.extend_from_slice(Zeroizing::new(trailer.to_bytes()).as_slice());
        self.cipher.seal(Place::Trailer(self.chunks), &mut rest, from);
        Ok(rest)
    }

    /// Plaintext bytes taken so far.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    fn forget_yielded(&mut self) {
        if self.is_yielded {
            self.buffer.clear();
            (self.from, self.is_yielded) = (0, false);
        }
    }

    fn seal_chunk(&mut self) {
        //= harness/spec/database.md#ddb-1-encrypted-files-durable-store
        //# DDB-1.1 (paper): A file outside the chain MUST be stored encrypted.
        self.cipher.seal(Place::Chunk(self.chunks), &mut self.buffer, self.from);
        self.chunks = self.chunks.checked_add(1).expect("check_bytes holds the number of chunks");
    }
}
