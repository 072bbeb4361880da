//! Opening in pieces. Doubt is a type: a [`Frame`] has an authentic header and trailer, a
//! [`Checked`] file has passed every check, and only from a checked file is plaintext released.
//! Ranges come from a frame, under promises of their own (spec, database, DDB-1.15 to DDB-1.17).

use std::ops::Range;

use zeroize::Zeroizing;

use super::cipher::{Cipher, ContentKey, Place};
use super::error::{OpenError, RangeError};
use super::format::{
    HEADER_BYTES, Layout, TRAILER_BYTES, TRAILER_PLAIN_BYTES, Trailer, check_header, commitment,
};
use super::span::{Cursor, Span};
use crate::crypto::hash::Hasher;
use crate::types::Digest;

/// Header, trailer and length of a sealed file that belong together under its key.
///
/// The trailer was sealed behind this number of chunks and states this length, so a file that was
/// cut short or added to has no frame. Of the chunks nothing is known yet.
pub struct Frame {
    cipher: Cipher,
    layout: Layout,
    trailer: Trailer,
}

impl std::fmt::Debug for Frame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Frame").field("layout", &self.layout).finish_non_exhaustive()
    }
}

impl Frame {
    /// Checks the outer parts of a sealed file of `sealed_bytes` bytes: its first and its last bytes.
    pub fn open(
        key: &ContentKey,
        sealed_bytes: u64,
        header: &[u8; HEADER_BYTES],
        trailer: &[u8; TRAILER_BYTES],
    ) -> Result<Self, OpenError> {
        check_header(header)?;
        let layout = Layout::of_sealed(sealed_bytes)?;
        let cipher = Cipher::new(key, *header);
        let (chunks, offset) = (layout.chunks(), layout.trailer().start);
        let mut found = Zeroizing::new(Vec::with_capacity(TRAILER_PLAIN_BYTES));
        //= harness/spec/database.md#ddb-1-encrypted-files-durable-store
        //# DDB-1.15 (ours): Reading a range of a sealed file MUST refuse the file before any chunk is
        //# opened when its header, its trailer, its number of chunks or its length fails a check.
        if !cipher.open(Place::Trailer(chunks), trailer, &mut found) {
            return Err(OpenError::Trailer { chunks, offset });
        }
        let trailer = found.as_slice().try_into().expect("the trailer has its fixed length");
        let trailer = Trailer::from_bytes(trailer);
        //= harness/spec/database.md#ddb-1-encrypted-files-durable-store
        //# DDB-1.6 (ours): Opening MUST refuse a sealed file whose trailer states another length or
        //# another commitment than its plaintext has.
        if trailer.length != layout.plaintext_bytes() {
            return Err(OpenError::Commitment);
        }
        Ok(Self { cipher, layout, trailer })
    }

    /// Bytes of the plaintext.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.layout.plaintext_bytes()
    }

    /// Where the parts lie.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Begins to read a range of the plaintext, which may be empty.
    pub fn span(&self, range: Range<u64>) -> Result<Span<'_>, RangeError> {
        Span::new(self, range)
    }

    /// Begins to check the whole file.
    #[must_use]
    pub fn check(self) -> Check {
        let walk = Walk::new(&self);
        Check { frame: self, walk }
    }

    pub(super) fn trailer(&self) -> &Trailer {
        &self.trailer
    }

    /// Appends the plaintext of a chunk that exists to `plain`, or nothing.
    pub(super) fn open_chunk(
        &self,
        chunk: u32,
        sealed: &[u8],
        plain: &mut Vec<u8>,
    ) -> Result<(), OpenError> {
        let place = self.layout.chunk(chunk);
        // Whoever holds the key can seal a chunk of any length; here it has one.
        let is_whole = u64::try_from(sealed.len()) == Ok(place.end - place.start);
        if is_whole && self.cipher.open(Place::Chunk(chunk), sealed, plain) {
            Ok(())
        } else {
            Err(OpenError::Chunk { chunk, offset: place.start })
        }
    }

    /// Compares the commitment to a whole plaintext with the one in the trailer.
    pub(super) fn compare(&self, found: Hasher) -> Result<(), OpenError> {
        if found.finish() == self.trailer.commitment { Ok(()) } else { Err(OpenError::Commitment) }
    }
}

/// A sealed file that is being checked, chunk by chunk; nothing of its plaintext comes out.
#[derive(Debug)]
pub struct Check {
    frame: Frame,
    walk: Walk,
}

impl Check {
    /// Where the next chunk lies in the sealed file; `None` when all were taken.
    #[must_use]
    pub fn wanted(&self) -> Option<Range<u64>> {
        self.walk.cursor.wanted(&self.frame)
    }

    /// Takes the chunk that was wanted. After an error the same chunk is wanted still.
    pub fn take(&mut self, sealed: &[u8]) -> Result<(), OpenError> {
        self.walk.open_next(&self.frame, sealed).map(|_| ())
    }

    /// Ends the check: every chunk was taken, and they are what the trailer commits to.
    pub fn finish(self) -> Result<Checked, OpenError> {
        self.walk.finish(&self.frame)?;
        Ok(Checked { frame: self.frame })
    }
}

/// A sealed file that has passed every check.
#[derive(Debug)]
pub struct Checked {
    frame: Frame,
}

impl Checked {
    /// Bytes of the plaintext.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.frame.bytes()
    }

    /// The salted commitment to the plaintext.
    #[must_use]
    pub fn commitment(&self) -> Digest {
        self.frame.trailer.commitment
    }

    /// The frame, to read ranges.
    #[must_use]
    pub fn frame(&self) -> &Frame {
        &self.frame
    }

    /// Begins to release the plaintext from its first byte.
    //= harness/spec/database.md#ddb-1-encrypted-files-durable-store
    //# DDB-1.13 (ours): Opening a sealed file in pieces MUST make every check of the file before it
    //# hands out the first byte of plaintext.
    #[must_use]
    pub fn release(&self) -> Release<'_> {
        Release { frame: &self.frame, walk: Walk::new(&self.frame) }
    }
}

/// The plaintext of a checked file on its way out.
///
/// The file may have changed since it was checked, so every chunk is authenticated again: what came
/// out before an error was sealed with the key, at its place.
#[derive(Debug)]
pub struct Release<'a> {
    frame: &'a Frame,
    walk: Walk,
}

impl Release<'_> {
    /// Where the next chunk lies in the sealed file; `None` at the end.
    #[must_use]
    pub fn wanted(&self) -> Option<Range<u64>> {
        self.walk.cursor.wanted(self.frame)
    }

    /// Opens the chunk that was wanted and gives its plaintext. After an error the same chunk is
    /// wanted still.
    pub fn open_next(&mut self, sealed: &[u8]) -> Result<&[u8], OpenError> {
        //= harness/spec/database.md#ddb-1-encrypted-files-durable-store
        //# DDB-1.14 (ours): Opening a sealed file in pieces MUST check each chunk again, at its place,
        //# before it hands out the plaintext of that chunk.
        self.walk.open_next(self.frame, sealed)
    }

    /// Ends the release: all came out, and it is what was checked. It fails when a holder of the key
    /// has put other chunks in their places meanwhile.
    pub fn finish(self) -> Result<(), OpenError> {
        self.walk.finish(self.frame)
    }
}

/// A walk through the whole file, with the commitment to what was seen.
#[derive(Debug)]
struct Walk {
    cursor: Cursor,
    commitment: Hasher,
}

impl Walk {
    fn new(frame: &Frame) -> Self {
        let cursor = Cursor::new(frame, 0..frame.bytes());
        Self { cursor, commitment: commitment(&frame.trailer.salt) }
    }

    fn open_next(&mut self, frame: &Frame, sealed: &[u8]) -> Result<&[u8], OpenError> {
        let plain = self.cursor.open_next(frame, sealed)?;
        self.commitment.update(plain);
        Ok(plain)
    }

    fn finish(self, frame: &Frame) -> Result<(), OpenError> {
        match self.cursor.wanted(frame) {
            Some(_) => Err(self.cursor.missing(frame)),
            None => frame.compare(self.commitment),
        }
    }
}
