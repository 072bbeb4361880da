//! Files of the vault on their way: to and from others over HTTP, and for those who share. [DDB-2] [DDB-3]
//!
//! A file travels in pieces; nobody holds a whole one in memory but for what is shared, which has a bound. Whoever
//! shares finds a file wherever it lies: what is not here is fetched from the other institutions, held against its
//! digest and kept. Others are given only what lies here, so that no question goes round in a circle.

use std::io::{Cursor, Read as _};
use std::sync::Arc;

use axum::body::Bytes;
use tokio::io::{AsyncRead, AsyncWriteExt as _};
use tokio::sync::mpsc;

use super::ask::Asker;
use super::sharing::{ExchangeError, Vault};
use crate::crypto::sha256;
use crate::objects::{NoSource, Objects, Source};
use crate::params::ROW_FILE_BYTES_MAX;
use crate::runtime::settings::NetworkFile;
use crate::types::{Digest, InstitutionId};
use crate::web::{Download, Failure, Upload};

/// Bytes of one piece.
const PIECE_BYTES: usize = 64 * 1_024;
/// Pieces on their way at a time.
const PIECES_MAX: usize = 8;

/// Files of an institution, for those who share.
#[derive(Clone, Debug)]
pub struct Files {
    objects: Objects,
    others: Others,
}

/// The other institutions, as a source of files.
#[derive(Clone, Debug)]
struct Others {
    asker: Asker,
    webs: Arc<[String]>,
}

impl Source for Others {
    async fn fetch(
        &self,
        digest: &Digest,
    ) -> std::io::Result<Option<impl AsyncRead + Send + Unpin>> {
        for web in self.webs.iter() {
            let Ok(bytes) = self.asker.object(web, digest, ROW_FILE_BYTES_MAX).await else {
                continue;
            };
            // One that hands out other bytes keeps nobody from those of the next.
            if sha256(&bytes) == *digest {
                return Ok(Some(Cursor::new(bytes)));
            }
            tracing::warn!(%digest, %web, "a file with other bytes was handed out");
        }
        Ok(None)
    }
}

impl Files {
    /// The files of an institution, and of the other members of its network.
    #[must_use]
    pub fn new(objects: Objects, me: InstitutionId, network: &NetworkFile) -> Self {
        let others = network.members.iter().filter(|it| it.founder.institution != me);
        let webs = others.filter_map(|member| member.web.clone()).collect();
        let asker = Asker::new(network.genesis.chain_id());
        Self { objects, others: Others { asker, webs } }
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
        let (sent, stored) = tokio::join!(sending, self.objects.put_from(digest, reader));
        sent?;
        let failed = |error: crate::objects::ObjectsError| Failure::Request {
            at: "object",
            why: error.to_string(),
        };
        stored.map(|_| ()).map_err(failed)
    }

    /// Whether a file lies here.
    pub(super) async fn holds(&self, digest: &Digest) -> Result<bool, Failure> {
        let held = self.objects.has(digest).await;
        held.map_err(|error| Failure::Busy { why: error.to_string() })
    }

    /// A file for somebody: it is checked as a whole before its first byte leaves.
    pub(super) async fn give(&self, digest: &Digest) -> Result<Download, Failure> {
        let fault = |why: String| Failure::Fault { why };
        let folder = tempfile::tempdir().map_err(|error| fault(error.to_string()))?;
        let path = folder.path().join("file");
        let found = self.objects.get_to(digest, &path, &NoSource).await;
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
        self.objects.put(&digest, &bytes).await.map_err(away)?;
        Ok(digest)
    }

    async fn has(&self, digest: Digest) -> Result<bool, ExchangeError> {
        let found = self.objects.has(&digest).await;
        let found = found.map_err(|error| ExchangeError::Away { why: error.to_string() })?;
        Ok(found || self.get(digest).await?.is_some())
    }

    async fn get(&self, digest: Digest) -> Result<Option<Vec<u8>>, ExchangeError> {
        let found = self.objects.get_or_fetch(&digest, ROW_FILE_BYTES_MAX, &self.others).await;
        found.map_err(|error| ExchangeError::Away { why: error.to_string() })
    }
}
