//! Opening the file behind a booking. [STO-6] [DDB-1] [DDB-3]

use std::io::{Read, Seek};

use thiserror::Error;

use super::envelope::Booking;
use super::record::ContentRef;
use crate::crypto::seal::{self, Checked, ContentKey, OpenError, StreamError};
use crate::crypto::sha256;
use crate::types::Digest;

/// A file that is not what its booking says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ContentError {
    /// The record carries its content, there is no file.
    #[error("booking.content: inline, no sealed file belongs to it")]
    Inline,
    /// Another file than the one booked.
    #[error("booking.content: the sealed file has digest {found}, {expected} is booked")]
    Digest {
        /// Digest of the file given.
        found: Digest,
        /// Digest booked.
        expected: Digest,
    },
    /// The file does not open.
    #[error("sealed file: {0}")]
    Sealed(#[from] OpenError),
    /// The metadata states another size than the plaintext has.
    #[error("booking.metadata.size: {stated}, the plaintext has {bytes} bytes")]
    Size {
        /// Bytes of the plaintext.
        bytes: u64,
        /// Size stated.
        stated: u64,
    },
}

impl Booking {
    /// Opens the sealed file of this booking; the digest is compared before a key is used. Gives the
    /// whole plaintext or an error, never a part. Cost: one hash and one decryption of the file.
    pub fn open(&self, sealed: &[u8], key: &ContentKey) -> Result<Vec<u8>, ContentError> {
        let ContentRef::Stored(expected) = self.content else {
            return Err(ContentError::Inline);
        };
        let found = sha256(sealed);
        //= harness/spec/storage.md#sto-6-content-outside-the-record
        //# STO-6.3 (ours): The digest of a stored file MUST be the SHA-256 digest of the whole
        //# sealed file, from the first byte of its header to the last byte of its trailer.
        if found != expected {
            return Err(ContentError::Digest { found, expected });
        }
        let plaintext = seal::open(sealed, key)?;
        self.check_size(u64::try_from(plaintext.len()).expect("usize fits in u64"))?;
        Ok(plaintext)
    }

    /// Checks a sealed file of any size without handing out plaintext, which
    /// [`seal::release_stream`] then does. The digest is compared before a key is used. Cost: one
    /// pass of SHA-256 over the file, one decryption of it and one hash of its plaintext.
    pub fn check(
        &self,
        sealed: &mut (impl Read + Seek),
        key: &ContentKey,
    ) -> Result<Checked, StreamError<ContentError>> {
        let ContentRef::Stored(expected) = self.content else {
            return Err(ContentError::Inline.into());
        };
        let found = seal::digest_stream(sealed).map_err(StreamError::Read)?;
        //= harness/spec/database.md#ddb-3-finding
        //# DDB-3.3 (ours): A reader MUST compare a file with the digest it asked for before opening it.
        if found != expected {
            return Err(ContentError::Digest { found, expected }.into());
        }
        let checked = seal::check_stream(sealed, key).map_err(StreamError::in_terms_of)?;
        self.check_size(checked.bytes())?;
        Ok(checked)
    }

    fn check_size(&self, bytes: u64) -> Result<(), ContentError> {
        let stated = self.metadata.size;
        //= harness/spec/storage.md#sto-6-content-outside-the-record
        //# STO-6.4 (ours): A record MUST be refused when the size in its metadata is not the number
        //# of bytes of its plaintext, as soon as the plaintext is at hand.
        if bytes == stated { Ok(()) } else { Err(ContentError::Size { bytes, stated }) }
    }
}
