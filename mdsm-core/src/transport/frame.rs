//! Frames on the wire: length, then one sealed Noise message.

use std::io;
use std::sync::Arc;

use snow::StatelessTransportState;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};

use super::error::{FrameFault, LinkEnd};

/// Bytes of a Noise message, at most.
pub(super) const FRAME_BYTES_MAX: usize = 65_535;
/// Bytes of the tag that seals one.
pub(super) const TAG_BYTES: usize = 16;
/// Bytes of a message in the frame that starts it, at most.
pub(super) const START_PART_MAX: usize = FRAME_BYTES_MAX - TAG_BYTES - 5;
/// Bytes of a message in a frame that goes on with it, at most.
pub(super) const MORE_PART_MAX: usize = FRAME_BYTES_MAX - TAG_BYTES - 1;
/// Small frames arrive many at once; large ones are read past this buffer.
const READ_BUFFER_BYTES: usize = 8 * 1_024;

pub(super) const ALIVE: u8 = 0;
pub(super) const START: u8 = 1;
pub(super) const MORE: u8 = 2;

/// What a frame says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Frame<'a> {
    /// Nothing.
    Alive,
    /// A message of so many bytes starts.
    Start { bytes: u32, part: &'a [u8] },
    /// It goes on.
    More { part: &'a [u8] },
}

impl<'a> Frame<'a> {
    /// Reads what was sealed.
    pub(super) fn parse(plain: &'a [u8]) -> Result<Self, FrameFault> {
        match plain {
            [ALIVE] => Ok(Self::Alive),
            [ALIVE, part @ ..] => Err(FrameFault::Part { bytes: part.len(), bytes_expected: 0 }),
            [START, a, b, c, d, part @ ..] => {
                Ok(Self::Start { bytes: u32::from_le_bytes([*a, *b, *c, *d]), part })
            }
            [MORE, part @ ..] => Ok(Self::More { part }),
            [] | [START, ..] => Err(FrameFault::Short { bytes: plain.len() }),
            [kind, ..] => Err(FrameFault::Kind { kind: *kind }),
        }
    }
}

/// Reads frames; its two buffers grow to the largest frame, 64 KiB, and no further.
#[derive(Debug)]
pub(super) struct FrameReader<R> {
    reader: BufReader<R>,
    noise: Arc<StatelessTransportState>,
    next: u64,
    sealed: Vec<u8>,
    plain: Vec<u8>,
}

impl<R: AsyncRead + Unpin> FrameReader<R> {
    pub(super) fn new(reader: R, noise: Arc<StatelessTransportState>) -> Self {
        let reader = BufReader::with_capacity(READ_BUFFER_BYTES, reader);
        Self { reader, noise, next: 0, sealed: Vec::new(), plain: Vec::new() }
    }

    /// Number of the frame that comes next, from 0.
    pub(super) fn number_of_next(&self) -> u64 {
        self.next
    }

    /// The next frame. Whoever drops this future before it is ready has lost the link.
    pub(super) async fn frame(&mut self) -> Result<Frame<'_>, LinkEnd> {
        if self.reader.fill_buf().await.map_err(ended("read a frame"))?.is_empty() {
            return Err(LinkEnd::Closed);
        }
        let length = self.reader.read_u16_le().await.map_err(ended("read a frame"))?;
        let length = usize::from(length);
        let frame = self.next;
        if length <= TAG_BYTES {
            return Err(LinkEnd::Frame { frame, what: FrameFault::Short { bytes: length } });
        }
        if self.sealed.len() < length {
            self.sealed.resize(length, 0);
            self.plain.resize(length, 0);
        }
        let sealed = &mut self.sealed[..length];
        self.reader.read_exact(sealed).await.map_err(ended("read a frame"))?;
        let bytes = self
            .noise
            .read_message(frame, sealed, &mut self.plain)
            .map_err(|_| LinkEnd::Sealed { frame })?;
        self.next = frame.checked_add(1).ok_or(LinkEnd::Sealed { frame })?;
        Frame::parse(&self.plain[..bytes]).map_err(|what| LinkEnd::Frame { frame, what })
    }

    /// Reads on without looking until the other side closes: a socket closed over unread bytes is reset,
    /// and what was sent to the other side before is lost with it.
    pub(super) async fn discard(&mut self) {
        loop {
            match self.reader.fill_buf().await.map(<[u8]>::len) {
                Ok(0) | Err(_) => return,
                Ok(bytes) => self.reader.consume(bytes),
            }
        }
    }
}

/// Writes frames; its two buffers grow to the largest frame, 64 KiB, and no further.
#[derive(Debug)]
pub(super) struct FrameWriter<W> {
    writer: W,
    noise: Arc<StatelessTransportState>,
    next: u64,
    plain: Vec<u8>,
    sealed: Vec<u8>,
}

impl<W: AsyncWrite + Unpin> FrameWriter<W> {
    pub(super) fn new(writer: W, noise: Arc<StatelessTransportState>) -> Self {
        Self { writer, noise, next: 0, plain: Vec::new(), sealed: Vec::new() }
    }

    /// A sign of life.
    pub(super) async fn alive(&mut self) -> Result<(), LinkEnd> {
        self.write(&[ALIVE], &[]).await
    }

    /// The first frame of a message; gives back what is left for others.
    pub(super) async fn start<'a>(&mut self, message: &'a [u8]) -> Result<&'a [u8], LinkEnd> {
        // Longer messages are not queued.
        let bytes = u32::try_from(message.len()).unwrap_or(u32::MAX);
        let mut head = [START, 0, 0, 0, 0];
        head[1..].copy_from_slice(&bytes.to_le_bytes());
        let (part, rest) = message.split_at(message.len().min(START_PART_MAX));
        self.write(&head, part).await?;
        Ok(rest)
    }

    /// A further frame of it.
    pub(super) async fn more<'a>(&mut self, rest: &'a [u8]) -> Result<&'a [u8], LinkEnd> {
        let (part, rest) = rest.split_at(rest.len().min(MORE_PART_MAX));
        self.write(&[MORE], part).await?;
        Ok(rest)
    }

    /// Seals and writes what the caller has made fit.
    pub(super) async fn write(&mut self, head: &[u8], part: &[u8]) -> Result<(), LinkEnd> {
        self.plain.clear();
        self.plain.extend_from_slice(head);
        self.plain.extend_from_slice(part);
        let frame = self.next;
        let needed = 2 + self.plain.len() + TAG_BYTES;
        if self.sealed.len() < needed {
            self.sealed.resize(needed, 0);
        }
        let bytes = self
            .noise
            .write_message(frame, &self.plain, &mut self.sealed[2..])
            .map_err(|_| LinkEnd::Sealed { frame })?;
        self.next = frame.checked_add(1).ok_or(LinkEnd::Sealed { frame })?;
        let length = u16::try_from(bytes).map_err(|_| LinkEnd::Sealed { frame })?;
        self.sealed[..2].copy_from_slice(&length.to_le_bytes());
        self.writer.write_all(&self.sealed[..2 + bytes]).await.map_err(LinkEnd::io("write a frame"))
    }

    /// Tells the other side that nothing more comes.
    pub(super) async fn shutdown(&mut self) -> Result<(), LinkEnd> {
        self.writer.shutdown().await.map_err(LinkEnd::io("shut down"))
    }
}

/// Tells bytes that end too early from other refusals.
pub(super) fn ended(what: &'static str) -> impl FnOnce(io::Error) -> LinkEnd {
    move |error| match error.kind() {
        io::ErrorKind::UnexpectedEof => LinkEnd::Truncated,
        _ => LinkEnd::io(what)(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_told_apart() {
        assert_eq!(Frame::parse(&[0]), Ok(Frame::Alive));
        assert_eq!(
            Frame::parse(&[1, 2, 0, 0, 0, 7, 8]),
            Ok(Frame::Start { bytes: 2, part: &[7, 8] })
        );
        assert_eq!(Frame::parse(&[2, 7]), Ok(Frame::More { part: &[7] }));
        assert_eq!(Frame::parse(&[]), Err(FrameFault::Short { bytes: 0 }));
        assert_eq!(Frame::parse(&[1, 2, 0, 0]), Err(FrameFault::Short { bytes: 4 }));
        assert_eq!(Frame::parse(&[0, 9]), Err(FrameFault::Part { bytes: 1, bytes_expected: 0 }));
        assert_eq!(Frame::parse(&[3]), Err(FrameFault::Kind { kind: 3 }));
    }
}
