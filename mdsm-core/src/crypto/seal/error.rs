//! What can be wrong with a file, a sealed file, a range, or with reading and writing them.

use std::io;

use thiserror::Error;

/// A file that cannot be sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum SealError {
    /// Nothing to seal.
    #[error("the file is empty, at least 1 byte is needed")]
    Empty,
    /// Above the limit.
    #[error("the file has {bytes} bytes, at most {bytes_max} are taken")]
    TooLarge {
        /// Bytes of the file, as far as it was read.
        bytes: u64,
        /// Limit.
        bytes_max: u64,
    },
}

/// A sealed file that does not open. Names the byte at which the offending part starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum OpenError {
    /// Not a sealed file of a known version and suite.
    #[error("byte {offset}: not the header of a sealed file of a known version and suite")]
    Header {
        /// First byte that differs.
        offset: u64,
    },
    /// Ends within the header or the trailer.
    #[error("{bytes} bytes are too few for a sealed file, it has at least {bytes_min}")]
    Truncated {
        /// Bytes found.
        bytes: u64,
        /// Fewest possible.
        bytes_min: u64,
    },
    /// Longer than any file may be.
    #[error("{bytes} bytes are too many for a sealed file, it has at most {bytes_max}")]
    TooLarge {
        /// Bytes found.
        bytes: u64,
        /// Most possible.
        bytes_max: u64,
    },
    /// The trailer does not close so many chunks: cut short, extended, or another key.
    #[error("trailer at byte {offset}: wrong key, or not what was sealed behind {chunks} chunks")]
    Trailer {
        /// Chunks that the file's length leaves room for.
        chunks: u32,
        /// Where the trailer starts.
        offset: u64,
    },
    /// A chunk is not what was sealed with this key at this place.
    #[error("chunk {chunk} at byte {offset}: wrong key, or not what was sealed there")]
    Chunk {
        /// Number of the chunk, from 0.
        chunk: u32,
        /// Where it starts.
        offset: u64,
    },
    /// Length or commitment in the trailer contradict the content.
    #[error("the trailer does not belong to this content")]
    Commitment,
}

/// A range of a sealed file's plaintext that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RangeError {
    /// Reaches beyond the plaintext, or ends before it starts.
    #[error("bytes {start} to {end} are no range of the file's {bytes} bytes")]
    Outside {
        /// First byte asked for.
        start: u64,
        /// Behind the last byte asked for.
        end: u64,
        /// Bytes of the plaintext.
        bytes: u64,
    },
    /// Larger than what this machine can hold at once.
    #[error("{bytes} bytes do not fit in memory at once")]
    Memory {
        /// Bytes asked for.
        bytes: u64,
    },
    /// The sealed file does not open there.
    #[error(transparent)]
    Open(#[from] OpenError),
}

/// A stream that broke, or that was refused for the reason `E`.
#[derive(Debug, Error)]
pub enum StreamError<E> {
    /// The source could not be read.
    #[error("reading: {0}")]
    Read(#[source] io::Error),
    /// The sink could not be written.
    #[error("writing: {0}")]
    Write(#[source] io::Error),
    /// What was read is refused.
    #[error("{0}")]
    Refused(E),
}

impl<E> StreamError<E> {
    /// The same stream, refused in other words.
    #[must_use]
    pub fn in_terms_of<F: From<E>>(self) -> StreamError<F> {
        match self {
            Self::Read(error) => StreamError::Read(error),
            Self::Write(error) => StreamError::Write(error),
            Self::Refused(error) => StreamError::Refused(error.into()),
        }
    }
}

impl<E> From<E> for StreamError<E> {
    fn from(refused: E) -> Self {
        Self::Refused(refused)
    }
}
