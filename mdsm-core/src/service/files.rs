//! Files of the vault on their way: to and from others over HTTP, and for those who share. [DDB-2] [DDB-3]
//!
//! A file travels in pieces; nobody holds a whole one in memory but for what is shared, which has a bound. Whoever
//! shares finds a file wherever it lies: what is not here is fetched from the other institutions, held against its
//! digest and kept. Others are given only what lies here, so that no question goes round in a circle.

use std::io::Cursor;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use tokio::fs::File;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::{Semaphore, mpsc};

use super::ask::Asker;
use super::sharing::{ExchangeError, Vault};
use crate::crypto::sha256;
use crate::objects::{NoSource, Objects, ObjectsError, Source};
use crate::params::ROW_FILE_BYTES_MAX;
use crate::runtime::settings::NetworkFile;
use crate::types::{Digest, InstitutionId};
use crate::web::{Download, Failure, Upload};

/// Bytes of one piece.
const PIECE_BYTES: usize = 64 * 1_024;
/// Pieces of a file on their way at a time.
const PIECES_MAX: usize = 8;
/// Time in which the next piece has to be taken.
const PIECE_TIME: Duration = Duration::from_secs(30);
/// Files that are given at a time.
const GIVEN_MAX: usize = 64;

/// Files of an institution, for those who share.
#[derive(Clone, Debug)]
pub struct Files {
    objects: Objects,
    others: Others,
    /// Places for those to whom a file is given.
    places: Arc<Semaphore>,
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
        let places = Arc::new(Semaphore::new(GIVEN_MAX));
        Self { objects, others: Others { asker, webs }, places }
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
        stored.map(|_| ()).map_err(untaken)
    }

    /// Whether a file lies here.
    pub(super) async fn holds(&self, digest: &Digest) -> Result<bool, Failure> {
        let held = self.objects.has(digest).await;
        held.map_err(failure)
    }

    /// A file for somebody: it is checked as a whole before its first byte leaves. So many are given at a time; whoever
    /// comes then waits, as does one who asks while another is slow, and no thread waits with them.
    pub(super) async fn give(&self, digest: &Digest) -> Result<Download, Failure> {
        let place = self.places.clone().acquire_owned().await;
        let place = place.map_err(|error| fault(&error))?;
        let folder = tempfile::tempdir().map_err(|error| fault(&error))?;
        let path = folder.path().join("file");
        let bytes = self.objects.get_to(digest, &path, &NoSource).await.map_err(failure)?;
        let bytes = bytes.ok_or_else(|| Failure::Absent { what: format!("object {digest}") })?;
        let file = File::open(&path).await.map_err(|error| fault(&error))?;
        let (sender, pieces) = mpsc::channel(PIECES_MAX);
        tokio::spawn(async move {
            hand_out(file, sender).await;
            drop((folder, place));
        });
        Ok(Download { bytes, pieces })
    }
}

/// Why a file that somebody sends is not taken: what is wrong with the file is the sender's.
fn untaken(error: ObjectsError) -> Failure {
    match error {
        ObjectsError::TooLarge { bytes_max, .. } => Failure::Long { at: "body", bytes_max },
        ObjectsError::Digest { .. } | ObjectsError::Input { .. } => {
            Failure::Request { at: "object", why: error.to_string() }
        }
        other => failure(other),
    }
}

/// What the storage does not do. Its places have names that are for the operator alone.
fn failure(error: ObjectsError) -> Failure {
    match &error {
        ObjectsError::Different { .. } => {
            tracing::error!(%error, "another file lies under a digest");
            let why = "another file lies under its digest here".to_owned();
            Failure::Conflict { at: "object", why, limit: None }
        }
        ObjectsError::Copies { .. }
        | ObjectsError::Unreachable { .. }
        | ObjectsError::Places { .. } => {
            tracing::warn!(%error, "the storage does not do what is asked of it");
            Failure::Busy { why: "object: not enough of the storage answers now".to_owned() }
        }
        _ => fault(&error),
    }
}

fn fault(error: &dyn std::error::Error) -> Failure {
    tracing::error!(%error, "the storage fails");
    Failure::Fault { why: "its storage".to_owned() }
}

/// Hands out a file piece by piece, to its end or until nobody takes the next.
async fn hand_out(mut file: File, sender: mpsc::Sender<std::io::Result<Bytes>>) {
    loop {
        let mut piece = vec![0; PIECE_BYTES];
        let next = match file.read(&mut piece).await {
            Ok(0) => return,
            Ok(count) => {
                piece.truncate(count);
                Ok(piece.into())
            }
            Err(error) => Err(error),
        };
        let is_last = next.is_err();
        let taken = tokio::time::timeout(PIECE_TIME, sender.send(next)).await;
        if is_last || !matches!(taken, Ok(Ok(()))) {
            return;
        }
    }
}

impl Vault for Files {
    async fn put(&self, bytes: Vec<u8>) -> Result<Digest, ExchangeError> {
        let digest = sha256(&bytes);
        let away = |error: ObjectsError| ExchangeError::Away { why: error.to_string() };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::{Bounds, Place};
    use crate::params::SMALL;
    use crate::service::{Local, Pace};

    /// Threads for what blocks.
    const THREADS: usize = 4;

    #[test]
    fn who_takes_nothing_of_a_file_holds_no_thread() {
        let threads = tokio::runtime::Builder::new_current_thread()
            .max_blocking_threads(THREADS)
            .enable_all()
            .build();
        threads.unwrap().block_on(async {
            let folder = tempfile::tempdir().unwrap();
            let pace = Pace { turn_ms: 100, minute_ms: 500, window_ms: 3_000, delay_ms: 50 };
            let network = Local::create(folder.path().join("network"), SMALL, pace, None).unwrap();
            let place = Place::directory(&folder.path().join("objects"), Bounds::default());
            let objects = Objects::demonstration(place.unwrap(), Bounds::default());
            let files = Files::new(objects, InstitutionId::new(1), network.network());
            // More than fits between the file and who takes it.
            let bytes = vec![7; (PIECES_MAX + 2) * PIECE_BYTES];
            let digest = files.put(bytes.clone()).await.unwrap();
            let mut given = Vec::new();
            for _ in 0..2 * THREADS {
                given.push(files.give(&digest).await.unwrap());
            }
            tokio::task::spawn_blocking(|| ()).await.unwrap();
            // And each gets the file when it takes it.
            for Download { bytes: length, mut pieces } in given {
                assert_eq!(length, bytes.len() as u64);
                let mut taken = Vec::new();
                while let Some(piece) = pieces.recv().await {
                    taken.extend_from_slice(&piece.unwrap());
                }
                assert_eq!(taken, bytes);
            }
        });
    }
}
