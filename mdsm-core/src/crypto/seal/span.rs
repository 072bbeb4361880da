//! A range of plaintext: which chunks hold it, and what of each belongs to it.

use std::ops::Range;

use zeroize::Zeroizing;

use super::error::{OpenError, RangeError};
use super::reader::Frame;

/// A range of a file's plaintext on its way out, chunk by chunk.
///
/// Ask [`wanted`](Self::wanted) for the place of the next chunk, fetch those bytes of the sealed file
/// from wherever they lie, give them to [`open_next`](Self::open_next), until nothing is wanted.
/// Only the chunks that the range touches are wanted. What comes out was sealed with the key at this
/// place; whether the rest of the file is whole, and whether its commitment holds, is not looked at.
#[derive(Debug)]
pub struct Span<'a> {
    frame: &'a Frame,
    cursor: Cursor,
}

impl<'a> Span<'a> {
    pub(super) fn new(frame: &'a Frame, range: Range<u64>) -> Result<Self, RangeError> {
        let (Range { start, end }, bytes) = (range.clone(), frame.bytes());
        //= harness/spec/database.md#ddb-1-encrypted-files-durable-store
        //# DDB-1.18 (ours): Reading a range of a sealed file MUST refuse a range that ends before it
        //# starts or behind the end of the plaintext.
        if start > end || end > bytes {
            return Err(RangeError::Outside { start, end, bytes });
        }
        Ok(Self { frame, cursor: Cursor::new(frame, range) })
    }

    /// Where the next chunk lies in the sealed file; `None` at the end.
    #[must_use]
    pub fn wanted(&self) -> Option<Range<u64>> {
        self.cursor.wanted(self.frame)
    }

    /// Opens the chunk that was wanted and gives what of it belongs to the range. After an error the
    /// same chunk is wanted still, so that it can be fetched from another copy.
    pub fn open_next(&mut self, sealed: &[u8]) -> Result<&[u8], OpenError> {
        self.cursor.open_next(self.frame, sealed)
    }
}

/// How far a walk through a range has come. Holds the plaintext of one chunk.
pub(super) struct Cursor {
    range: Range<u64>,
    chunks: Range<u32>,
    plain: Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { range, chunks, plain: _ } = self;
        f.debug_struct("Cursor").field("range", range).field("chunks", chunks).finish()
    }
}

impl Cursor {
    /// At the start of a range that lies within the file.
    pub(super) fn new(frame: &Frame, range: Range<u64>) -> Self {
        let chunks = frame.layout().chunks_of(&range);
        Self { range, chunks, plain: Zeroizing::default() }
    }

    pub(super) fn wanted(&self, frame: &Frame) -> Option<Range<u64>> {
        (!self.chunks.is_empty()).then(|| frame.layout().chunk(self.chunks.start))
    }

    pub(super) fn open_next(&mut self, frame: &Frame, sealed: &[u8]) -> Result<&[u8], OpenError> {
        let number = self.chunks.start;
        if self.chunks.is_empty() {
            return Err(self.missing(frame));
        }
        self.plain.clear();
        //= harness/spec/database.md#ddb-1-encrypted-files-durable-store
        //# DDB-1.16 (ours): Reading a range of a sealed file MUST refuse each chunk that the range
        //# touches and that was not sealed at that place of that file.
        frame.open_chunk(number, sealed, &mut self.plain)?;
        self.chunks.start += 1;
        //= harness/spec/database.md#ddb-1-encrypted-files-durable-store
        //# DDB-1.17 (ours): Reading a range of a sealed file MUST yield the bytes of that range of
        //# the plaintext and no others.
        Ok(&self.plain[frame.layout().part_of(number, &self.range)])
    }

    /// The error for a chunk that is missing here, or that is none of the range's.
    pub(super) fn missing(&self, frame: &Frame) -> OpenError {
        let chunk = self.chunks.start;
        let place = self.wanted(frame).unwrap_or(frame.layout().trailer());
        OpenError::Chunk { chunk, offset: place.start }
    }
}
