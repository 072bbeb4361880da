//! One copy of all files: a directory, or a cluster that makes copies itself. [DDB-2]

use std::fs::{self, File, TryLockError};
use std::io;
use std::ops::Range;
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use object_store::local::LocalFileSystem;
use object_store::multipart::MultipartStore;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};

use super::error::ObjectsError;
use super::patience::{Bounds, Refusal};
use crate::types::Digest;

/// Name of the file in a directory that the process which has it open holds locked.
const LOCK: &str = "lock";

/// A place for one copy of each file.
#[derive(Clone, Debug)]
pub struct Place(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    name: Arc<str>,
    store: Arc<dyn ObjectStore>,
    parts: Option<Parts>,
    copies: usize,
    bounds: Bounds,
    /// Whether the last request was not answered.
    away: AtomicBool,
    /// Where it lies, and the lock that is held as long as it is open.
    directory: Option<(PathBuf, File)>,
}

/// A store whose uploads consist of parts that can be sent again.
#[derive(Clone)]
pub(super) struct Parts(pub(super) Arc<dyn MultipartStore>);

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Parts")
    }
}

impl Place {
    /// A place in any store that makes what it acknowledges durable, `copies` times.
    pub fn new(
        name: impl Into<Arc<str>>,
        store: Arc<dyn ObjectStore>,
        parts: Option<Arc<dyn MultipartStore>>,
        copies: usize,
        bounds: Bounds,
    ) -> Self {
        let (name, parts, away) = (name.into(), parts.map(Parts), AtomicBool::new(false));
        Self(Arc::new(Inner { name, store, parts, copies, bounds, away, directory: None }))
    }

    /// A directory, which is made when it is not there; one process at a time. What a killed process left
    /// half-written is removed.
    pub fn directory(directory: &FilePath, bounds: Bounds) -> Result<Self, ObjectsError> {
        let failed = |what| {
            move |error: io::Error| ObjectsError::File {
                file: directory.to_path_buf(),
                what,
                why: error.to_string(),
            }
        };
        fs::create_dir_all(directory).map_err(failed("make"))?;
        let lock = File::create(directory.join(LOCK)).map_err(failed("lock"))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(ObjectsError::Locked { directory: directory.to_path_buf() });
            }
            Err(TryLockError::Error(error)) => return Err(failed("lock")(error)),
        }
        sweep(directory).map_err(failed("remove what was half-written in"))?;
        // Without it, what is acknowledged may be gone after a loss of power.
        let store = LocalFileSystem::new_with_prefix(directory)
            .map_err(|error| failed("open")(io::Error::other(error)))?
            .with_fsync(true);
        let name: Arc<str> = directory.display().to_string().into();
        let away = AtomicBool::new(false);
        let store = Arc::new(store);
        let directory = Some((directory.to_path_buf(), lock));
        let inner = Inner { name, store, parts: None, copies: 1, bounds, away, directory };
        Ok(Self(Arc::new(inner)))
    }

    /// How it is called: its directory or address.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Copies that it makes.
    #[must_use]
    pub fn copies(&self) -> usize {
        self.0.copies
    }

    pub(super) fn shared_name(&self) -> Arc<str> {
        self.0.name.clone()
    }

    pub(super) fn bounds(&self) -> &Bounds {
        &self.0.bounds
    }

    pub(super) fn store(&self) -> &Arc<dyn ObjectStore> {
        &self.0.store
    }

    pub(super) fn parts(&self) -> Option<&Arc<dyn MultipartStore>> {
        self.0.parts.as_ref().map(|parts| &parts.0)
    }

    pub(super) fn is_away(&self) -> bool {
        self.0.away.load(Ordering::Relaxed)
    }

    pub(super) fn goes_away(&self) {
        self.0.away.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_back(&self) {
        self.0.away.store(false, Ordering::Relaxed);
    }

    /// Bytes of the file with a digest, which may not be those it should have.
    pub(super) async fn size(&self, digest: &Digest) -> Result<u64, Refusal> {
        let path = path(digest);
        let head = || self.0.store.head(&path);
        self.request("look for", &path, Duration::ZERO, head).await.map(|meta| meta.size)
    }

    /// Makes a file durable that was found in place: whoever put it there may not have come so far.
    pub(super) async fn settle(&self, digest: &Digest) -> Result<(), Refusal> {
        let Some((directory, _)) = &self.0.directory else { return Ok(()) };
        let path = path(digest);
        let file = directory.join(path.as_ref());
        let sync = || {
            let (file, directory) = (file.clone(), directory.clone());
            let synced = tokio::task::spawn_blocking(move || {
                File::open(&file)?.sync_all()?;
                let folder = file.parent().map_or(directory.as_path(), |folder| folder);
                File::open(folder)?.sync_all()?;
                File::open(&directory)?.sync_all()
            });
            async move {
                let synced = synced.await.unwrap_or_else(|error| Err(io::Error::other(error)));
                synced.map_err(|source| object_store::Error::Generic {
                    store: "directory",
                    source: Box::new(source),
                })
            }
        };
        let extra = self.bounds().request;
        self.request("sync", &path, extra, sync).await
    }

    /// Some bytes of the file with a digest.
    pub(super) async fn range(
        &self,
        digest: &Digest,
        range: Range<u64>,
    ) -> Result<Vec<u8>, Refusal> {
        let path = path(digest);
        let read = || self.0.store.get_range(&path, range.clone());
        self.request("read", &path, Duration::ZERO, read).await.map(Into::into)
    }

    /// The names in one of the 256 folders, and whatever else lies there.
    pub(super) async fn folder(&self, first: u8) -> Result<(Vec<Digest>, Vec<String>), Refusal> {
        let folder = Path::from(format!("{first:02x}"));
        let list = || self.0.store.list_with_delimiter(Some(&folder));
        let listed = self.request("list", &folder, Duration::ZERO, list).await?;
        let (mut digests, mut strange) = (Vec::new(), Vec::new());
        strange.extend(listed.common_prefixes.iter().map(ToString::to_string));
        for object in listed.objects {
            let digest = object.location.filename().and_then(|name| name.parse().ok());
            match digest.filter(|digest| path(digest) == object.location) {
                Some(digest) => digests.push(digest),
                None => strange.push(object.location.to_string()),
            }
        }
        Ok((digests, strange))
    }
}

/// Where the file with a digest lies.
pub(super) fn path(digest: &Digest) -> Path {
    let name = digest.to_string();
    Path::from(format!("{}/{name}", &name[..2]))
}

/// Removes files that were being written when their process ended.
fn sweep(directory: &FilePath) -> io::Result<()> {
    for first in 0..=u8::MAX {
        let folder = match fs::read_dir(directory.join(format!("{first:02x}"))) {
            Ok(folder) => folder,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        for entry in folder {
            let entry = entry?;
            let name = entry.file_name();
            if name.to_str().is_some_and(is_half_written) {
                fs::remove_file(entry.path())?;
            }
        }
    }
    Ok(())
}

/// Whether a name is one that `object_store` gives to a file before it has its own.
fn is_half_written(name: &str) -> bool {
    let Some((digest, number)) = name.split_once('#') else { return false };
    digest.parse::<Digest>().is_ok() && number.parse::<u32>().is_ok()
}
