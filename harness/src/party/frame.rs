//! Messages on a stream of bytes: a length of four bytes, little endian, then so many bytes.

use std::io::{self, Read, Write};

use mdsm_core::codec::{DecodeError, Wire};
use mdsm_core::params::PARCEL_BYTES_MAX;
use thiserror::Error;

use super::message::SEALED_BYTES_MAX;

/// Bytes of the longest frame: a sealed file with everything that a reader needs beside it.
pub const FRAME_BYTES_MAX: usize = SEALED_BYTES_MAX + PARCEL_BYTES_MAX;

/// What comes in the place of a message.
#[derive(Debug, Error)]
pub enum FrameError {
    /// The stream ended, perhaps within a frame.
    #[error("the stream ended after {bytes} bytes of a frame")]
    Ended {
        /// Bytes of the frame that came, those of the length included.
        bytes: usize,
    },
    /// More than any message has.
    #[error("a frame of {bytes} bytes is announced, at most {FRAME_BYTES_MAX} are taken")]
    TooLong {
        /// Bytes announced.
        bytes: usize,
    },
    /// The bytes are not a message.
    #[error(transparent)]
    Message(#[from] DecodeError),
    /// The stream failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Writes one message and sends it off.
///
/// # Errors
/// When it is too long, or the stream fails.
pub fn write(stream: &mut impl Write, message: &impl Wire) -> io::Result<()> {
    let message = message.to_bytes();
    let length = u32::try_from(message.len()).ok();
    let length = length.filter(|_| message.len() <= FRAME_BYTES_MAX).ok_or_else(|| {
        io::Error::new(io::ErrorKind::InvalidInput, "the message is longer than a frame may be")
    })?;
    stream.write_all(&length.to_le_bytes())?;
    stream.write_all(&message)?;
    stream.flush()
}

/// Reads one message; `None` when the stream ends between two.
///
/// # Errors
/// When what comes is not a message. Memory is taken as bytes arrive, whatever length is announced.
pub fn read<T: Wire>(stream: &mut impl Read) -> Result<Option<T>, FrameError> {
    let mut length = Vec::new();
    stream.by_ref().take(4).read_to_end(&mut length)?;
    let length = match <[u8; 4]>::try_from(length) {
        Ok(length) => u32::from_le_bytes(length),
        Err(length) if length.is_empty() => return Ok(None),
        Err(length) => return Err(FrameError::Ended { bytes: length.len() }),
    };
    let bytes = usize::try_from(length).unwrap_or(usize::MAX);
    if bytes > FRAME_BYTES_MAX {
        return Err(FrameError::TooLong { bytes });
    }
    let mut message = Vec::new();
    stream.by_ref().take(length.into()).read_to_end(&mut message)?;
    if message.len() < bytes {
        return Err(FrameError::Ended { bytes: 4 + message.len() });
    }
    Ok(Some(T::from_bytes(&message)?))
}

#[cfg(test)]
mod tests {
    use super::super::message::Reply;
    use super::*;

    #[test]
    fn a_frame_is_read_as_it_was_written_and_nothing_else_is() {
        let mut stream = Vec::new();
        write(&mut stream, &Reply::Done).unwrap();
        let twice = stream.repeat(2);
        let mut rest = twice.as_slice();
        for _ in 0..2 {
            assert!(matches!(read(&mut rest), Ok(Some(Reply::Done))));
        }
        assert!(matches!(read::<Reply>(&mut rest), Ok(None)));
        for end in 1..stream.len() {
            let cut = read::<Reply>(&mut &stream[..end]);
            assert!(matches!(cut, Err(FrameError::Ended { bytes }) if bytes == end), "{end}");
        }
        let long = read::<Reply>(&mut &[0xff; 90][..]);
        assert!(matches!(long, Err(FrameError::TooLong { bytes: 0xffff_ffff })));
        let garbage = read::<Reply>(&mut &[3, 0, 0, 0, 1, 2, 3][..]);
        assert!(matches!(garbage, Err(FrameError::Message(_))));
    }
}
