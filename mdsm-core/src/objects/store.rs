//! All files of an institution. [DDB-2] [DDB-3]

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::io::AsyncRead;

use super::error::{ObjectsError, PlaceError};
use super::patience::{Bounds, Refusal};
use super::place::Place;
use super::read::{FromPlace, Reading, Sink, blocking, read};
use super::source::{NoSource, Source};
use super::write::{FromReader, Written, everywhere, write};
use crate::types::Digest;

/// Copies that a network of more than one machine needs, at least.
const COPIES_MIN: usize = 2;

/// Sealed files by their digests, each in several places.
#[derive(Clone, Debug)]
pub struct Objects(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    places: Vec<Place>,
    copies_min: usize,
    bounds: Bounds,
    mended: AtomicU64,
}

/// A file that counts as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Copies that are durable.
    pub copies: usize,
    /// Copies that are not. They are made when the file is read.
    pub failed: Vec<PlaceError>,
}

impl Objects {
    /// Files in these places, each with a copy or, if it is a cluster, with those that it makes; a file
    /// counts as stored with `copies` of them.
    //= harness/spec/database.md#ddb-2-copies
    //# DDB-2.1 (paper): A stored file MUST lie on several storage nodes in several copies.
    pub fn new(places: Vec<Place>, copies: usize, bounds: Bounds) -> Result<Self, ObjectsError> {
        let made = places.iter().map(Place::copies).sum();
        if copies < COPIES_MIN || copies > made {
            return Err(ObjectsError::Configured { copies, places: made });
        }
        Ok(Self::of(places, copies, bounds))
    }

    /// Files in one place, in one copy: for a demonstration on one machine.
    #[must_use]
    pub fn demonstration(place: Place, bounds: Bounds) -> Self {
        Self::of(vec![place], 1, bounds)
    }

    /// Files in directories, a copy in each; a file counts as stored with `copies` of them.
    pub fn in_directories(
        directories: &[PathBuf],
        copies: usize,
        bounds: Bounds,
    ) -> Result<Self, ObjectsError> {
        if copies < COPIES_MIN || copies > directories.len() {
            return Err(ObjectsError::Configured { copies, places: directories.len() });
        }
        let (mut places, mut known) = (Vec::new(), BTreeSet::new());
        for directory in directories {
            fs::create_dir_all(directory).map_err(file_error(directory, "make"))?;
            let real = fs::canonicalize(directory).map_err(file_error(directory, "find"))?;
            if !known.insert(real) {
                return Err(ObjectsError::Twice { directory: directory.clone() });
            }
            places.push(Place::directory(directory, bounds)?);
        }
        Self::new(places, copies, bounds)
    }

    fn of(places: Vec<Place>, copies_min: usize, bounds: Bounds) -> Self {
        Self(Arc::new(Inner { places, copies_min, bounds, mended: AtomicU64::new(0) }))
    }

    /// Copies with which a file counts as stored.
    #[must_use]
    pub fn copies(&self) -> usize {
        self.0.copies_min
    }

    /// Copies that were damaged or missing and were made anew, since the start.
    #[must_use]
    pub fn mended(&self) -> u64 {
        self.0.mended.load(Ordering::Relaxed)
    }

    /// Its places.
    #[must_use]
    pub fn places(&self) -> &[Place] {
        &self.0.places
    }

    /// Stores a file; its bytes must have the digest.
    pub async fn put(&self, digest: &Digest, bytes: &[u8]) -> Result<Stored, ObjectsError> {
        self.put_from(digest, bytes).await
    }

    /// Stores a file that is read to its end, a piece at a time. The reader takes the time it takes: whoever
    /// brings it bounds it.
    pub async fn put_from(
        &self,
        digest: &Digest,
        reader: impl AsyncRead + Send + Unpin,
    ) -> Result<Stored, ObjectsError> {
        let (mut whole, mut absent, mut failed) = (Vec::new(), Vec::new(), Vec::new());
        for (place, reading) in self.examine(self.0.places.clone(), digest).await {
            match reading {
                Reading::Whole(_) => whole.push(place),
                Reading::Absent => absent.push(place),
                Reading::Failed(error) => failed.push(error),
                reading => return Err(different(digest, &place, &reading)),
            }
        }
        let possible = whole.iter().chain(&absent).map(Place::copies).sum();
        if possible < self.0.copies_min {
            return Err(self.too_few(digest, possible, failed));
        }
        let bytes_max = self.0.bounds.file_bytes_max;
        let mut pieces = FromReader { reader, patience: None };
        let written = write(digest, &mut pieces, &absent, false, bytes_max).await?;
        let (mut copies, mut met) = (0, Vec::new());
        for (place, written) in absent.into_iter().zip(written) {
            match written {
                Written::Done => copies += place.copies(),
                Written::Exists => met.push(place),
                Written::Failed(error) => failed.push(error),
            }
        }
        //= harness/spec/database.md#ddb-2-copies
        //# DDB-2.3 (ours): Storing a file MUST be refused when a different file lies under its digest
        //# and succeed without effect when the same file does.
        for (place, reading) in self.examine(met, digest).await {
            match reading {
                Reading::Whole(_) => whole.push(place),
                Reading::Failed(error) => failed.push(error),
                reading => return Err(different(digest, &place, &reading)),
            }
        }
        for place in whole {
            match place.settle(digest).await {
                Ok(()) => copies += place.copies(),
                Err(Refusal::Failed(error)) => failed.push(error),
                Err(Refusal::Absent | Refusal::Exists) => {}
            }
        }
        //= harness/spec/database.md#ddb-2-copies
        //# DDB-2.4 (ours): A file MUST count as stored only when the storage has acknowledged it with
        //# the number of copies configured, which is 2 at least.
        if copies < self.0.copies_min {
            return Err(self.too_few(digest, copies, failed));
        }
        Ok(Stored { copies, failed })
    }

    /// The file with a digest, if it has at most `bytes_max` bytes.
    //= harness/spec/database.md#ddb-3-finding
    //# DDB-3.1 (paper): A stored file MUST be found by its digest.
    pub async fn get(
        &self,
        digest: &Digest,
        bytes_max: usize,
    ) -> Result<Option<Vec<u8>>, ObjectsError> {
        self.get_or_fetch(digest, bytes_max, &NoSource).await
    }

    /// The same, from somebody else when no copy here is whole; it is stored here then.
    pub async fn get_or_fetch(
        &self,
        digest: &Digest,
        bytes_max: usize,
        source: &impl Source,
    ) -> Result<Option<Vec<u8>>, ObjectsError> {
        let mut sink = Sink::Memory(Vec::new(), bytes_max as u64);
        let found = self.read(digest, &mut sink, source).await?;
        Ok(found.and(match sink {
            Sink::Memory(bytes, _) => Some(bytes),
            Sink::Nothing | Sink::File(_) => None,
        }))
    }

    /// Writes the file with a digest to `path`, a piece at a time, and says how many bytes it has. The file
    /// is there as a whole or not at all.
    pub async fn get_to(
        &self,
        digest: &Digest,
        path: &Path,
        source: &impl Source,
    ) -> Result<Option<u64>, ObjectsError> {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".part");
        let part = path.with_file_name(name);
        let made = part.clone();
        let file = blocking(move || File::create(made)).await.map_err(file_error(&part, "make"))?;
        let file = Arc::new(file);
        let found = self.read(digest, &mut Sink::File(file.clone()), source).await;
        let is_found = matches!(found, Ok(Some(_)));
        let (from, to) = (part.clone(), path.to_path_buf());
        let placed = blocking(move || {
            if is_found {
                file.sync_all()?;
                fs::rename(from, to)
            } else {
                fs::remove_file(from)
            }
        });
        placed.await.map_err(file_error(&part, "put in place"))?;
        found
    }

    /// Whether a file is stored; it is not read.
    pub async fn has(&self, digest: &Digest) -> Result<bool, ObjectsError> {
        let mut failed = Vec::new();
        for place in self.in_order() {
            match place.size(digest).await {
                Ok(_) => return Ok(true),
                Err(Refusal::Failed(error)) => failed.push(error),
                Err(Refusal::Absent | Refusal::Exists) => {}
            }
        }
        if failed.is_empty() {
            return Ok(false);
        }
        Err(ObjectsError::Unreachable { digest: *digest, failed })
    }

    /// Digests of all files that lie in any place, in order.
    pub async fn list(&self) -> Result<BTreeSet<Digest>, ObjectsError> {
        let mut found = BTreeSet::new();
        for first in 0..=u8::MAX {
            for place in self.places() {
                match place.folder(first).await {
                    Ok((digests, _)) => found.extend(digests),
                    Err(Refusal::Failed(error)) => {
                        return Err(ObjectsError::Places { failed: vec![error] });
                    }
                    Err(Refusal::Absent | Refusal::Exists) => {}
                }
            }
        }
        Ok(found)
    }

    /// Reads all copies of a file and makes those anew that are damaged or missing, from one that is whole, or
    /// from elsewhere. Reading a file stops at the first whole copy and sees of the others only whether they
    /// are there, with the right length; this sees everything. `None` when the file is nowhere.
    pub async fn mend(
        &self,
        digest: &Digest,
        source: &impl Source,
    ) -> Result<Option<()>, ObjectsError> {
        let mut seen = Seen::default();
        let mut whole = None;
        for (place, reading) in self.examine(self.0.places.clone(), digest).await {
            if seen.take(&place, reading, digest)?.is_some() {
                whole = whole.or(Some(place));
            }
        }
        let Some(whole) = whole else {
            return Ok(self.read(digest, &mut Sink::Nothing, source).await?.map(|_| ()));
        };
        let targets: Vec<Place> = seen.to_mend().cloned().collect();
        self.copy(digest, &whole, &targets).await;
        Ok(Some(()))
    }

    /// Reads the copies of a file in these places, and compares them with the digest.
    pub(super) async fn examine(
        &self,
        places: Vec<Place>,
        digest: &Digest,
    ) -> Vec<(Place, Reading)> {
        let digest = *digest;
        let look = move |place: Place| async move {
            let reading = read(&place, &digest, &mut Sink::Nothing).await;
            (place, reading)
        };
        everywhere(places, look).await
    }

    /// Reads a file from the first copy that is whole. The others are made like it.
    async fn read(
        &self,
        digest: &Digest,
        sink: &mut Sink,
        source: &impl Source,
    ) -> Result<Option<u64>, ObjectsError> {
        let mut seen = Seen::default();
        for place in self.in_order() {
            if let Some(bytes) = seen.take(&place, read(&place, digest, sink).await, digest)? {
                //= harness/spec/database.md#ddb-2-copies
                //# DDB-2.2 (paper): The loss of one storage node MUST NOT lose a stored file.
                self.complete(digest, &place, bytes, seen).await;
                return Ok(Some(bytes));
            }
        }
        let to_mend: Vec<Place> = seen.to_mend().cloned().collect();
        let (kept, mut failed) = match self.fetch(digest, to_mend, source).await {
            Ok(kept) => (kept, Vec::new()),
            Err(why) => (Vec::new(), vec![why]),
        };
        for place in kept {
            if let Some(bytes) = seen.take(&place, read(&place, digest, sink).await, digest)? {
                return Ok(Some(bytes));
            }
        }
        failed.append(&mut seen.failed);
        if let Some(bytes) = seen.too_large {
            return Err(ObjectsError::TooLarge {
                digest: *digest,
                bytes,
                bytes_max: sink.bytes_max(),
            });
        }
        if !seen.damaged.is_empty() {
            let places =
                seen.damaged.iter().map(|(place, what)| format!("{}: {what}", place.name()));
            let places = places.chain(failed.iter().map(ToString::to_string)).collect();
            return Err(ObjectsError::Damaged { digest: *digest, places });
        }
        if !failed.is_empty() {
            return Err(ObjectsError::Unreachable { digest: *digest, failed });
        }
        //= harness/spec/database.md#ddb-3-finding
        //# DDB-3.4 (ours): A look-up of a digest that is not stored MUST yield absence and not an error
        //# of the storage.
        Ok(None)
    }

    /// Makes copies like a whole one where it is damaged, missing or of another length.
    async fn complete(&self, digest: &Digest, whole: &Place, bytes: u64, seen: Seen) {
        let mut targets: Vec<Place> = seen.to_mend().cloned().collect();
        for place in self.places() {
            let is_seen = seen.names.contains(place.name());
            if is_seen || place.is_away() {
                continue;
            }
            match place.size(digest).await {
                Ok(size) if size == bytes => {}
                Ok(_) | Err(Refusal::Absent) => targets.push(place.clone()),
                Err(Refusal::Exists | Refusal::Failed(_)) => {}
            }
        }
        self.copy(digest, whole, &targets).await;
    }

    async fn copy(&self, digest: &Digest, whole: &Place, targets: &[Place]) {
        if targets.is_empty() {
            return;
        }
        let bytes_max = self.0.bounds.file_bytes_max;
        let written = match FromPlace::open(whole, digest).await {
            Ok(mut pieces) => write(digest, &mut pieces, targets, true, bytes_max).await,
            Err(_) => return,
        };
        match written {
            Ok(written) => self.count(digest, targets, &written),
            Err(error) => tracing::warn!(%digest, "copies were not made anew: {error}"),
        }
    }

    /// Fetches a file from elsewhere into places that lack it; those that have it then.
    async fn fetch(
        &self,
        digest: &Digest,
        targets: Vec<Place>,
        source: &impl Source,
    ) -> Result<Vec<Place>, PlaceError> {
        let failed = |why: String| PlaceError {
            place: "elsewhere".into(),
            what: "fetch",
            name: digest.to_string(),
            why,
            attempts: 1,
        };
        if targets.is_empty() {
            return Ok(Vec::new());
        }
        let patience = Some(self.0.bounds.request);
        let reader = match tokio::time::timeout(self.0.bounds.request, source.fetch(digest)).await {
            Ok(Ok(Some(reader))) => reader,
            Ok(Ok(None)) => return Ok(Vec::new()),
            Ok(Err(error)) => return Err(failed(error.to_string())),
            Err(_) => return Err(failed("no answer".to_owned())),
        };
        let (bytes_max, mut pieces) =
            (self.0.bounds.file_bytes_max, FromReader { reader, patience });
        let written = write(digest, &mut pieces, &targets, true, bytes_max).await;
        let written = written.map_err(|error| failed(error.to_string()))?;
        self.count(digest, &targets, &written);
        let kept = targets.into_iter().zip(written);
        Ok(kept.filter(|(_, it)| matches!(it, Written::Done)).map(|(place, _)| place).collect())
    }

    fn count(&self, digest: &Digest, places: &[Place], written: &[Written]) {
        for (place, written) in places.iter().zip(written) {
            match written {
                Written::Done => {
                    self.0.mended.fetch_add(1, Ordering::Relaxed);
                    tracing::info!(%digest, place = place.name(), "a copy was made anew");
                }
                Written::Exists => {}
                Written::Failed(error) => {
                    tracing::warn!(%digest, "a copy was not made anew: {error}");
                }
            }
        }
    }

    /// Its places, those last that did not answer the last time.
    fn in_order(&self) -> Vec<Place> {
        let mut places = self.0.places.clone();
        places.sort_by_key(Place::is_away);
        places
    }

    fn too_few(&self, digest: &Digest, copies: usize, failed: Vec<PlaceError>) -> ObjectsError {
        ObjectsError::Copies { digest: *digest, copies, copies_min: self.0.copies_min, failed }
    }
}

/// What looking through the places has found so far.
#[derive(Debug, Default)]
struct Seen {
    names: BTreeSet<String>,
    absent: Vec<Place>,
    damaged: Vec<(Place, String)>,
    too_large: Option<u64>,
    failed: Vec<PlaceError>,
}

impl Seen {
    /// The bytes of the file, if this copy is whole.
    fn take(
        &mut self,
        place: &Place,
        reading: Reading,
        digest: &Digest,
    ) -> Result<Option<u64>, ObjectsError> {
        self.names.insert(place.name().to_owned());
        match reading {
            Reading::Whole(bytes) => return Ok(Some(bytes)),
            Reading::Absent => self.absent.push(place.clone()),
            Reading::Damaged(what) => {
                tracing::warn!(%digest, place = place.name(), "a copy is damaged: {what}");
                self.damaged.push((place.clone(), what));
            }
            Reading::TooLarge(bytes) => self.too_large = Some(bytes),
            Reading::Failed(error) => self.failed.push(error),
            Reading::Sink(error) => {
                let why = error.to_string();
                return Err(ObjectsError::Input { digest: *digest, why });
            }
        }
        Ok(None)
    }

    fn to_mend(&self) -> impl Iterator<Item = &Place> {
        self.damaged.iter().map(|(place, _)| place).chain(&self.absent)
    }
}

fn different(digest: &Digest, place: &Place, reading: &Reading) -> ObjectsError {
    let what = match reading {
        Reading::Damaged(what) => what.clone(),
        other => format!("{other:?}"),
    };
    ObjectsError::Different { digest: *digest, place: place.shared_name(), what }
}

fn file_error(file: &Path, what: &'static str) -> impl Fn(io::Error) -> ObjectsError {
    let file = file.to_path_buf();
    move |error| ObjectsError::File { file: file.clone(), what, why: error.to_string() }
}
