//! Files of the vault on their way: to and from others over HTTP, and for those who share. [DDB-2] [DDB-3]
//!
//! A file travels in pieces; nobody holds a whole one in memory but for what is shared, which has a bound.

use std::io::Read as _;

use axum::body::Bytes;
use tokio::io::AsyncWriteExt as _;
use tokio::sync::mpsc;

use super::sharing::{ExchangeError, Vault};
use crate::crypto::sha256;
use crate::objects::{NoSource, Objects};
use crate::params::ROW_FILE_BYTES_MAX;
use crate::types::Digest;
use crate::web::{Download, Failure, Upload};

/// Bytes of one piece.
const PIECE_BYTES: usize = 64 * 1_024;
/// Pieces on their way at a time.
const PIECES_MAX: usize = 8;

/// Files of an institution, for those who share.
#[derive(Clone, Debug)]
pub struct Files(Objects);

impl Files {
    /// The files that lie there.
    #[must_use]
    pub fn new(objects: Objects) -> Self {
        Self(objects)
    }

    /// Stores what somebody sends.
    pub(super) async fn take(&self, digest: &Digest, mut file: Upload) -> Result<(), Failure> {
        let (mut writer, reader) = tokio::io::duplex(PIECE_BYTES);
        let sending = async move {
            while let Some(piece) = file.next().await? {
                // Who reads has given up, and says why.
                if writer.write_all(&piece).await.is_err() {
                    break;
                }
            }
            Ok::<(), Failure>(())
        };
        let (sent, stored) = tokio::join!(sending, self.0.put_from(digest, reader));
        sent?;
        let failed = |error: crate::objects::ObjectsError| Failure::Request {
            at: "object",
            why: error.to_string(),
        };
        stored.map(|_| ()).map_err(failed)
    }

    /// A file for somebody: it is checked as a whole before its first byte leaves.
    pub(super) async fn give(&self, digest: &Digest) -> Result<Download, Failure> {
        let fault = |why: String| Failure::Fault { why };
        let folder = tempfile::tempdir().map_err(|error| fault(error.to_string()))?;
        let path = folder.path().join("file");
        let found = self.0.get_to(digest, &path, &NoSource).await;
        let bytes = found.map_err(|error| fault(error.to_string()))?;
        let bytes = bytes.ok_or_else(|| Failure::Absent { what: format!("object {digest}") })?;
        let (sender, pieces) = mpsc::channel(PIECES_MAX);
        tokio::task::spawn_blocking(move || {
            let piece = |file: &mut std::fs::File| -> std::io::Result<Option<Bytes>> {
                let mut piece = vec![0; PIECE_BYTES];
                let count = file.read(&mut piece)?;
                piece.truncate(count);
                Ok((count > 0).then(|| piece.into()))
            };
            let mut file = match std::fs::File::open(&path) {
                Ok(file) => file,
                Err(error) => return drop(sender.blocking_send(Err(error))),
            };
            // The folder goes with this closure.
            let _folder = folder;
            while let Some(next) = piece(&mut file).transpose() {
                let is_last = next.is_err();
                if sender.blocking_send(next).is_err() || is_last {
                    return;
                }
            }
        });
        Ok(Download { bytes, pieces })
    }
}

impl Vault for Files {
    async fn put(&self, bytes: Vec<u8>) -> Result<Digest, ExchangeError> {
        let digest = sha256(&bytes);
        let away =
            |error: crate::objects::ObjectsError| ExchangeError::Away { why: error.to_string() };
        self.0.put(&digest, &bytes).await.map_err(away)?;
        Ok(digest)
    }

    async fn has(&self, digest: Digest) -> Result<bool, ExchangeError> {
        let found = self.0.has(&digest).await;
        found.map_err(|error| ExchangeError::Away { why: error.to_string() })
    }

    async fn get(&self, digest: Digest) -> Result<Option<Vec<u8>>, ExchangeError> {
        let found = self.0.get(&digest, ROW_FILE_BYTES_MAX).await;
        found.map_err(|error| ExchangeError::Away { why: error.to_string() })
    }
}
