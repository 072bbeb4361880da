//! A file on its way to several places at once, a piece at a time. [DDB-2.4]

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use object_store::multipart::PartId;
use object_store::path::Path;
use object_store::{
    MultipartId, MultipartUpload, ObjectStoreExt as _, PutMode, PutOptions, PutPayload,
};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::task::JoinSet;

use super::error::{ObjectsError, PlaceError};
use super::patience::{Refusal, words};
use super::place::{Place, path};
use crate::crypto::Hasher;
use crate::types::Digest;

/// Bytes that are read, hashed and written at once. Clusters take parts of 5 MiB and more.
pub const PIECE_BYTES: usize = 8 * 1_024 * 1_024;

/// Pieces of a file, at most: a cluster takes no more parts.
pub(super) const PIECES_MAX: usize = 10_000;

/// Where the pieces of a file come from.
pub(super) trait Pieces {
    /// The next piece: [`PIECE_BYTES`] unless it is the last one, empty behind the end.
    fn next(&mut self) -> impl Future<Output = Result<Vec<u8>, String>> + Send;
}

/// Pieces from whoever can be read.
pub(super) struct FromReader<R> {
    pub(super) reader: R,
    /// Time for each read; without one whoever reads decides.
    pub(super) patience: Option<Duration>,
}

impl<R: AsyncRead + Send + Unpin> Pieces for FromReader<R> {
    async fn next(&mut self) -> Result<Vec<u8>, String> {
        let mut piece = Vec::new();
        while piece.len() < PIECE_BYTES {
            let mut rest = (&mut self.reader).take((PIECE_BYTES - piece.len()) as u64);
            let read = rest.read_buf(&mut piece);
            let read = match self.patience {
                None => read.await,
                Some(limit) => tokio::time::timeout(limit, read)
                    .await
                    .map_err(|_| format!("nothing came within {} ms", limit.as_millis()))?,
            };
            if read.map_err(|error| error.to_string())? == 0 {
                break;
            }
        }
        Ok(piece)
    }
}

/// What became of a file in one place.
#[derive(Debug)]
pub(super) enum Written {
    /// It is durable there.
    Done,
    /// Something lies there that was not there before.
    Exists,
    /// It is not.
    Failed(PlaceError),
}

/// Reads a file to its end, hashes it, and puts it in place in all places if it has the digest. `replace`
/// says whether something may lie there. Without places, only the digest is compared.
pub(super) async fn write(
    digest: &Digest,
    pieces: &mut impl Pieces,
    places: &[Place],
    replace: bool,
    bytes_max: u64,
) -> Result<Vec<Written>, ObjectsError> {
    let input = |why| ObjectsError::Input { digest: *digest, why };
    let mut uploads: Vec<Upload> =
        places.iter().map(|place| Upload::new(place, digest, replace)).collect();
    let (mut hasher, mut bytes) = (Hasher::new(), 0_u64);
    let end = loop {
        let piece = match pieces.next().await {
            Ok(piece) => piece,
            Err(why) => break Err(input(why)),
        };
        let is_last = piece.len() < PIECE_BYTES;
        bytes = bytes.saturating_add(piece.len() as u64);
        if bytes > bytes_max {
            break Err(ObjectsError::TooLarge { digest: *digest, bytes, bytes_max });
        }
        let hashed;
        (hasher, hashed) = match hash(hasher, piece).await {
            Ok(hashed) => hashed,
            Err(why) => break Err(input(why)),
        };
        if is_last {
            let found = hasher.finish();
            if found != *digest {
                break Err(ObjectsError::Digest { digest: *digest, found });
            }
            break Ok(hashed);
        }
        let piece = PutPayload::from(hashed);
        uploads = everywhere(uploads, move |upload| upload.part(piece.clone())).await;
    };
    match end {
        Ok(last) => {
            let last = PutPayload::from(last);
            let uploads = everywhere(uploads, move |upload| upload.finish(last.clone())).await;
            Ok(uploads.into_iter().map(Upload::outcome).collect())
        }
        Err(error) => {
            everywhere(uploads, Upload::abort).await;
            Err(error)
        }
    }
}

/// A file on its way to one place.
struct Upload {
    place: Place,
    path: Path,
    replace: bool,
    pieces: u32,
    state: State,
}

enum State {
    /// Nothing was sent; a file of one piece goes as a whole.
    New,
    /// To a directory, in order; what fails cannot be sent again. The lock is never waited for: it lets
    /// the upload be in a task.
    Stream(Mutex<Box<dyn MultipartUpload>>),
    /// To a cluster.
    Parts(MultipartId, Vec<PartId>),
    Over(Written),
}

impl Upload {
    fn new(place: &Place, digest: &Digest, replace: bool) -> Self {
        let (place, path) = (place.clone(), path(digest));
        Self { place, path, replace, pieces: 0, state: State::New }
    }

    fn outcome(self) -> Written {
        match self.state {
            State::Over(written) => written,
            _ => Written::Failed(self.error("write", "was not completed".to_owned())),
        }
    }

    fn error(&self, what: &'static str, why: String) -> PlaceError {
        let (place, name) = (self.place.shared_name(), self.path.to_string());
        PlaceError { place, what, name, why, attempts: 1 }
    }

    /// Sends a piece that is not the last one.
    async fn part(mut self, piece: PutPayload) -> Self {
        if matches!(self.state, State::New) {
            self.state = match self.begin().await {
                Ok(state) => state,
                Err(refusal) => State::Over(self.failed(refusal)),
            };
        }
        self.send(piece).await;
        self
    }

    async fn begin(&self) -> Result<State, Refusal> {
        let (place, path) = (&self.place, &self.path);
        if let Some(store) = place.parts() {
            let create = || store.create_multipart(path);
            let id = place.request("begin", path, Duration::ZERO, create).await?;
            return Ok(State::Parts(id, Vec::new()));
        }
        let begin = || place.store().put_multipart(path);
        place
            .request("begin", path, Duration::ZERO, begin)
            .await
            .map(|it| State::Stream(Mutex::new(it)))
    }

    async fn send(&mut self, piece: PutPayload) {
        let (place, path) = (self.place.clone(), self.path.clone());
        self.pieces += 1;
        let sent = match &mut self.state {
            State::New | State::Over(_) => return,
            State::Stream(upload) => {
                let limit = place.bounds().request;
                match tokio::time::timeout(limit, inside(upload).put_part(piece)).await {
                    Ok(Ok(())) => return,
                    Ok(Err(error)) => Err(words(&error)),
                    Err(_) => Err(format!("no answer within {} ms", limit.as_millis())),
                }
                .map_err(|why| Refusal::Failed(self.error("write", why)))
            }
            State::Parts(id, parts) => {
                let store = place.parts().expect("an upload in parts was begun with them");
                let put = || store.put_part(&path, id, parts.len(), piece.clone());
                let sent = place.request("write", &path, Duration::ZERO, put).await;
                sent.map(|part| parts.push(part))
            }
        };
        if let Err(refusal) = sent {
            let failed = self.failed(refusal);
            self.cancel().await;
            self.state = State::Over(failed);
        }
    }

    /// Sends the last piece, which may be empty, and puts the file in place.
    async fn finish(mut self, last: PutPayload) -> Self {
        if matches!(self.state, State::New) {
            let done = self.whole(last).await;
            self.state = State::Over(done);
            return self;
        }
        if last.content_length() > 0 {
            self.send(last).await;
        }
        if matches!(self.state, State::Over(_)) {
            return self;
        }
        // An upload in pieces replaces what it finds, so it is looked for. Whatever comes in between has the
        // same digest, or was damaged already.
        let found = self.place.store().clone();
        let head = || found.head(&self.path);
        let done = match self.place.request("look for", &self.path, Duration::ZERO, head).await {
            Ok(_) if !self.replace => Err(Refusal::Exists),
            Ok(_) | Err(Refusal::Absent) => self.complete().await,
            Err(refusal) => Err(refusal),
        };
        let done = match done {
            Ok(()) => Written::Done,
            Err(refusal) => {
                self.cancel().await;
                self.failed(refusal)
            }
        };
        self.state = State::Over(done);
        self
    }

    async fn whole(&self, payload: PutPayload) -> Written {
        let mode = if self.replace { PutMode::Overwrite } else { PutMode::Create };
        let (place, path) = (&self.place, &self.path);
        let put = || {
            let options = PutOptions { mode: mode.clone(), ..PutOptions::default() };
            place.store().put_opts(path, payload.clone(), options)
        };
        match place.request("write", path, Duration::ZERO, put).await {
            Ok(_) => Written::Done,
            // Also when the first attempt wrote it and its answer was lost.
            Err(refusal) => self.failed(refusal),
        }
    }

    async fn complete(&mut self) -> Result<(), Refusal> {
        let (place, path) = (&self.place, &self.path);
        let extra = place.bounds().piece.saturating_mul(self.pieces);
        match &mut self.state {
            State::Stream(upload) => {
                let limit = place.bounds().request.saturating_add(extra);
                let why = match tokio::time::timeout(limit, inside(upload).complete()).await {
                    Ok(Ok(_)) => return Ok(()),
                    Ok(Err(error)) => words(&error),
                    Err(_) => format!("no answer within {} ms", limit.as_millis()),
                };
                Err(Refusal::Failed(self.error("complete", why)))
            }
            State::Parts(id, parts) => {
                let store = place.parts().expect("an upload in parts was begun with them");
                let complete = || store.complete_multipart(path, id, parts.clone());
                match place.request("complete", path, extra, complete).await {
                    // The first attempt succeeded and its answer was lost: then there is no such upload.
                    Err(Refusal::Absent) => {
                        let head = || place.store().head(path);
                        place.request("look for", path, Duration::ZERO, head).await.map(|_| ())
                    }
                    other => other.map(|_| ()),
                }
            }
            State::New | State::Over(_) => Ok(()),
        }
    }

    fn failed(&self, refusal: Refusal) -> Written {
        match refusal {
            Refusal::Exists => Written::Exists,
            Refusal::Absent => {
                Written::Failed(self.error("write", "there is no such place".to_owned()))
            }
            Refusal::Failed(error) => Written::Failed(error),
        }
    }

    /// Leaves nothing behind, as far as the place answers.
    async fn cancel(&mut self) {
        let limit = self.place.bounds().request;
        let gone = match &mut self.state {
            State::Stream(upload) => tokio::time::timeout(limit, inside(upload).abort()).await,
            State::Parts(id, _) => {
                let store = self.place.parts().expect("an upload in parts was begun with them");
                tokio::time::timeout(limit, store.abort_multipart(&self.path, id)).await
            }
            State::New | State::Over(_) => return,
        };
        if !matches!(gone, Ok(Ok(()))) {
            tracing::debug!(place = self.place.name(), "an upload was not taken back: {gone:?}");
        }
    }

    async fn abort(mut self) -> Self {
        self.cancel().await;
        self
    }
}

fn inside(upload: &mut Mutex<Box<dyn MultipartUpload>>) -> &mut Box<dyn MultipartUpload> {
    upload.get_mut().unwrap_or_else(PoisonError::into_inner)
}

/// Hashes a piece where nobody waits for the thread.
pub(super) async fn hash(hasher: Hasher, piece: Vec<u8>) -> Result<(Hasher, Vec<u8>), String> {
    let hashing = tokio::task::spawn_blocking(move || {
        let mut hasher = hasher;
        hasher.update(&piece);
        (hasher, piece)
    });
    hashing.await.map_err(|error| error.to_string())
}

/// Does the same with all, at the same time; in the order in which they were given.
pub(super) async fn everywhere<T, U, F>(all: Vec<T>, mut what: impl FnMut(T) -> F) -> Vec<U>
where
    U: Send + 'static,
    F: Future<Output = U> + Send + 'static,
{
    let mut tasks = JoinSet::new();
    for (index, one) in all.into_iter().enumerate() {
        let task = what(one);
        tasks.spawn(async move { (index, task.await) });
    }
    let mut done = tasks.join_all().await;
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, one)| one).collect()
}
