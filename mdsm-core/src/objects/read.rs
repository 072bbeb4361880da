//! Reading one copy of a file, a piece at a time. [DDB-3]

use std::fs::File;
use std::io::{self, Seek as _, Write as _};
use std::sync::Arc;

use super::error::PlaceError;
use super::patience::Refusal;
use super::place::Place;
use super::write::{PIECE_BYTES, Pieces, hash};
use crate::crypto::Hasher;
use crate::types::Digest;

/// Where the bytes of a file go. What it holds counts only when the reading was [`Reading::Whole`].
#[derive(Debug)]
pub(super) enum Sink {
    /// They are only compared.
    Nothing,
    /// Into memory, up to a bound.
    Memory(Vec<u8>, u64),
    /// Into a file.
    File(Arc<File>),
}

/// What reading a copy came to.
#[derive(Debug)]
pub(super) enum Reading {
    /// The file has its digest; its bytes.
    Whole(u64),
    /// It is not there.
    Absent,
    /// Something else is there.
    Damaged(String),
    /// It is larger than the sink takes.
    TooLarge(u64),
    /// The place did not do what was asked.
    Failed(PlaceError),
    /// The sink did not take it.
    Sink(io::Error),
}

impl Sink {
    async fn clear(&mut self) -> io::Result<()> {
        match self {
            Self::Nothing => Ok(()),
            Self::Memory(bytes, _) => {
                bytes.clear();
                Ok(())
            }
            Self::File(file) => {
                let file = file.clone();
                blocking(move || {
                    file.set_len(0)?;
                    (&*file).rewind()
                })
                .await
            }
        }
    }

    async fn take(&mut self, piece: Vec<u8>) -> io::Result<()> {
        match self {
            Self::Nothing => Ok(()),
            Self::Memory(bytes, _) => {
                bytes.extend_from_slice(&piece);
                Ok(())
            }
            Self::File(file) => {
                let file = file.clone();
                blocking(move || (&*file).write_all(&piece)).await
            }
        }
    }

    pub(super) fn bytes_max(&self) -> u64 {
        match self {
            Self::Memory(_, bytes_max) => *bytes_max,
            Self::Nothing | Self::File(_) => u64::MAX,
        }
    }
}

/// Reads the copy in a place and compares it with its digest.
//= harness/spec/database.md#ddb-1-encrypted-files-durable-store
//# DDB-1.9 (ours): A node MUST compare whatever it reads from its store with the digest under which
//# it is known, and report a difference instead of the value.
pub(super) async fn read(place: &Place, digest: &Digest, sink: &mut Sink) -> Reading {
    if let Err(error) = sink.clear().await {
        return Reading::Sink(error);
    }
    let mut pieces = match FromPlace::open(place, digest).await {
        Ok(pieces) => pieces,
        Err(refusal) => return of(refusal),
    };
    let size = pieces.size;
    if size > sink.bytes_max() {
        return Reading::TooLarge(size);
    }
    let mut hasher = Hasher::new();
    while pieces.offset < size {
        let piece = match pieces.read().await {
            Ok(piece) => piece,
            Err(reading) => return reading,
        };
        let hashed;
        (hasher, hashed) = match hash(hasher, piece).await.map_err(io::Error::other) {
            Ok(hashed) => hashed,
            Err(error) => return Reading::Sink(error),
        };
        if let Err(error) = sink.take(hashed).await {
            return Reading::Sink(error);
        }
    }
    let found = hasher.finish();
    if found == *digest {
        Reading::Whole(size)
    } else {
        Reading::Damaged(format!("{size} bytes with digest {found}"))
    }
}

/// The pieces of a copy.
pub(super) struct FromPlace<'a> {
    place: &'a Place,
    digest: &'a Digest,
    offset: u64,
    size: u64,
}

impl<'a> FromPlace<'a> {
    pub(super) async fn open(place: &'a Place, digest: &'a Digest) -> Result<Self, Refusal> {
        let size = place.size(digest).await?;
        Ok(Self { place, digest, offset: 0, size })
    }

    async fn read(&mut self) -> Result<Vec<u8>, Reading> {
        let end = self.size.min(self.offset.saturating_add(PIECE_BYTES as u64));
        let piece = self.place.range(self.digest, self.offset..end).await.map_err(of)?;
        if piece.len() as u64 != end - self.offset {
            let (bytes, wanted) = (piece.len(), end - self.offset);
            return Err(Reading::Damaged(format!("{bytes} bytes where {wanted} were said to be")));
        }
        self.offset = end;
        Ok(piece)
    }
}

impl Pieces for FromPlace<'_> {
    async fn next(&mut self) -> Result<Vec<u8>, String> {
        if self.offset == self.size {
            return Ok(Vec::new());
        }
        self.read().await.map_err(|reading| match reading {
            Reading::Failed(error) => error.to_string(),
            other => format!("{}: {other:?}", self.place.name()),
        })
    }
}

fn of(refusal: Refusal) -> Reading {
    match refusal {
        Refusal::Absent => Reading::Absent,
        Refusal::Exists => Reading::Damaged("it changed while it was read".to_owned()),
        Refusal::Failed(error) => Reading::Failed(error),
    }
}

/// Does what waits for a disk where nobody waits for the thread.
pub(super) async fn blocking<T: Send + 'static>(
    what: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(what).await.unwrap_or_else(|error| Err(io::Error::other(error)))
}
