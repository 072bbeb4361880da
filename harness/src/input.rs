//! The files of a run: generated ones, or those below `--input DIR`.
//!
//! A directory is somebody else's: names need not be UTF-8, links may form loops, files may be
//! unreadable, empty, huge, or no files at all. What cannot be taken is named with its reason and
//! becomes an undecided case, never a silent gap.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use mdsm_core::params::ROW_FILE_BYTES_MAX;

use crate::generate::{self, sniff};
use crate::seed::Seed;

/// A file to be booked.
#[derive(Clone, Debug)]
pub struct Input {
    /// Name to show; bytes that are not UTF-8 are replaced.
    pub name: String,
    source: Source,
}

#[derive(Clone, Debug)]
enum Source {
    Path(PathBuf),
    Edge(generate::File),
    /// Made when it is read, so that a long run needs no memory for files to come.
    Generated(Seed, usize),
}

/// A file that cannot be booked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Name to show.
    pub name: String,
    /// Why, with the limit that it breaks.
    pub reason: String,
}

/// Content and what it seems to be.
#[derive(Debug)]
pub struct Content {
    /// Media type.
    pub media_type: String,
    /// FHIR resource type.
    pub resource_type: String,
    /// Its bytes, or where they come from.
    pub body: Body,
}

/// The bytes of a file.
#[derive(Debug)]
pub enum Body {
    /// Up to [`WHOLE_BYTES_MAX`] of them.
    Whole(Vec<u8>),
    /// More of them, to be read in pieces.
    Stream(Stream),
}

/// A file that is too large to be held.
#[derive(Debug)]
pub struct Stream {
    file: fs::File,
    bytes: u64,
}

/// Bytes up to which a file is read whole: 4 MiB.
pub const WHOLE_BYTES_MAX: u64 = 4 * 1_024 * 1_024;

/// Bytes of a file, at most. Files of any size can be sealed as streams; but `verify` keeps sealed
/// files as rows of the node's store, which takes each of them whole.
pub const FILE_BYTES_MAX: u64 = ROW_FILE_BYTES_MAX as u64;

/// The first `count` generated files of a seed, and those on the edges of the limits.
#[must_use]
pub fn generated(seed: Seed, count: usize) -> Vec<Input> {
    let edges = generate::edges()
        .into_iter()
        .map(|file| Input { name: file.name.clone(), source: Source::Edge(file) });
    let files = (0..count)
        .map(|index| Input { name: generate::name(index), source: Source::Generated(seed, index) });
    edges.chain(files).collect()
}

/// All files below a directory, in the order of their names, links followed.
///
/// # Errors
/// When `directory` itself cannot be read.
pub fn directory(directory: &Path) -> io::Result<(Vec<Input>, Vec<Refusal>)> {
    let mut walk = Walk { root: directory, inputs: Vec::new(), refusals: Vec::new() };
    let mut ancestors = BTreeSet::from([fs::canonicalize(directory)?]);
    walk.enter(directory, fs::read_dir(directory)?, &mut ancestors);
    Ok((walk.inputs, walk.refusals))
}

struct Walk<'a> {
    root: &'a Path,
    inputs: Vec<Input>,
    refusals: Vec<Refusal>,
}

impl Walk<'_> {
    fn enter(&mut self, directory: &Path, entries: fs::ReadDir, ancestors: &mut BTreeSet<PathBuf>) {
        let mut paths = Vec::new();
        for entry in entries {
            match entry {
                Ok(entry) => paths.push(entry.path()),
                Err(error) => self.refuse(directory, error.to_string()),
            }
        }
        paths.sort();
        for path in paths {
            if let Err(reason) = self.visit(&path, ancestors) {
                self.refuse(&path, reason);
            }
        }
    }

    fn visit(&mut self, path: &Path, ancestors: &mut BTreeSet<PathBuf>) -> Result<(), String> {
        let metadata = fs::metadata(path).map_err(|error| error.to_string())?;
        if metadata.is_dir() {
            let real = fs::canonicalize(path).map_err(|error| error.to_string())?;
            if !ancestors.insert(real.clone()) {
                return Err(format!("directory loop: it is {} again", real.display()));
            }
            let entries = fs::read_dir(path).map_err(|error| error.to_string());
            let entered = entries.map(|entries| self.enter(path, entries, ancestors));
            ancestors.remove(&real);
            return entered;
        }
        if !metadata.is_file() {
            return Err("neither a file nor a directory".to_owned());
        }
        check_size(metadata.len())?;
        fs::File::open(path).map_err(|error| error.to_string())?;
        let name = self.name(path);
        self.inputs.push(Input { name, source: Source::Path(path.to_owned()) });
        Ok(())
    }

    fn name(&self, path: &Path) -> String {
        path.strip_prefix(self.root).unwrap_or(path).to_string_lossy().into_owned()
    }

    fn refuse(&mut self, path: &Path, reason: String) {
        let name = self.name(path);
        self.refusals.push(Refusal { name, reason });
    }
}

fn check_size(bytes: u64) -> Result<(), String> {
    match bytes {
        0 => Err("empty: a record needs at least 1 byte of content".to_owned()),
        1..=FILE_BYTES_MAX => Ok(()),
        _ => Err(format!(
            "{bytes} bytes, at most {FILE_BYTES_MAX} are taken: the store of this run keeps a \
             sealed file as one row"
        )),
    }
}

impl Input {
    /// What reports count the file under: itself where it was given, its format where it was made.
    #[must_use]
    pub fn group(&self) -> String {
        let media_type = match &self.source {
            Source::Path(_) => return self.name.clone(),
            Source::Edge(file) => file.media_type,
            Source::Generated(_, index) => generate::media_type(*index),
        };
        let essence = media_type.split(';').next().unwrap_or_default();
        // No name below a directory starts like this.
        format!("/generated/{essence}")
    }

    /// Reads the content, or opens it if it is large; a file may have changed since it was found, so
    /// its size is held again.
    pub fn read(&self) -> Result<Content, String> {
        let made = match &self.source {
            Source::Path(path) => {
                return self.read_path(path).map_err(|error| error.to_string())?;
            }
            Source::Edge(file) => file.clone(),
            Source::Generated(seed, index) => generate::file(*seed, *index),
        };
        Ok(Content::new(made.media_type, made.resource_type, Body::Whole(made.bytes)))
    }

    fn read_path(&self, path: &Path) -> io::Result<Result<Content, String>> {
        let mut file = fs::File::open(path)?;
        let mut start = Vec::new();
        file.by_ref().take(WHOLE_BYTES_MAX + 1).read_to_end(&mut start)?;
        let bytes = match u64::try_from(start.len()).unwrap_or(u64::MAX) {
            bytes @ ..=WHOLE_BYTES_MAX => bytes,
            _ => file.seek(SeekFrom::End(0))?,
        };
        if let Err(refused) = check_size(bytes) {
            return Ok(Err(refused));
        }
        if bytes <= WHOLE_BYTES_MAX {
            let (media_type, resource_type) = sniff::media_type(&start, &self.name);
            return Ok(Ok(Content::new(media_type, resource_type, Body::Whole(start))));
        }
        drop(start);
        file.rewind()?;
        let (media_type, resource_type) = sniff::media_type_of_stream(&mut file, &self.name);
        let stream = Stream { file, bytes };
        Ok(Ok(Content::new(media_type, resource_type, Body::Stream(stream))))
    }
}

impl Content {
    fn new(media_type: &str, resource_type: &str, body: Body) -> Self {
        Self { media_type: media_type.to_owned(), resource_type: resource_type.to_owned(), body }
    }
}

impl Stream {
    /// Bytes of the file when it was opened.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Lets `take` read the file from its beginning. A file whose size is another one by then is
    /// refused, whatever was made of it; no more is read than shows that it grew.
    pub fn read<T>(
        mut self,
        take: impl FnOnce(&mut dyn io::Read) -> Result<T, String>,
    ) -> Result<T, String> {
        self.file.rewind().map_err(|error| error.to_string())?;
        let mut bounded = self.file.take(self.bytes + 1);
        let taken = take(&mut bounded)?;
        match bounded.limit() {
            1 => Ok(taken),
            left => {
                let more = if left == 0 { "more" } else { "fewer" };
                Err(format!("{more} than the {} bytes that it had when it was opened", self.bytes))
            }
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn odd_directories_are_walked_to_their_end_and_every_refusal_has_a_reason() {
        let scratch = tempfile::tempdir().unwrap();
        let root = scratch.path();
        fs::create_dir(root.join("deep")).unwrap();
        fs::write(root.join("deep/note.txt"), "note").unwrap();
        fs::write(root.join(OsStr::from_bytes(b"\xff\xfe.dcm")), "bytes").unwrap();
        fs::write(root.join("empty"), "").unwrap();
        symlink(root, root.join("deep/loop")).unwrap();
        symlink("nowhere", root.join("dangling")).unwrap();
        symlink("self", root.join("self")).unwrap();
        let huge = fs::File::create(root.join("huge")).unwrap();
        huge.set_len(FILE_BYTES_MAX + 1).unwrap();
        let (inputs, refusals) = directory(root).unwrap();
        let names: Vec<&str> = inputs.iter().map(|input| input.name.as_str()).collect();
        assert_eq!(names, ["deep/note.txt", "\u{fffd}\u{fffd}.dcm"]);
        let reason = |name: &str| {
            let refusal = refusals.iter().find(|refusal| refusal.name == name);
            refusal.unwrap_or_else(|| panic!("{name} is refused")).reason.clone()
        };
        assert!(reason("empty").contains("at least 1 byte"));
        assert!(reason("huge").contains("268435457 bytes, at most 268435456 are taken"));
        assert!(reason("deep/loop").contains("directory loop"));
        assert!(reason("dangling").contains("No such file"));
        assert!(!reason("self").is_empty());
        assert_eq!(refusals.len(), 5);
        assert!(directory(&root.join("nowhere")).is_err());
    }

    #[test]
    fn a_file_that_vanished_or_was_emptied_is_an_error_and_not_a_panic() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("file");
        fs::write(&path, "x").unwrap();
        let (inputs, _) = directory(scratch.path()).unwrap();
        let read = inputs[0].read().unwrap();
        assert!(matches!(read.body, Body::Whole(bytes) if bytes == b"x"));
        fs::write(&path, "").unwrap();
        assert!(inputs[0].read().unwrap_err().contains("at least 1 byte"));
        fs::remove_file(&path).unwrap();
        assert!(inputs[0].read().unwrap_err().contains("No such file"));
    }

    #[test]
    fn a_large_file_is_opened_and_not_held_and_must_stay_as_long_as_it_was() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("file");
        let bytes = WHOLE_BYTES_MAX + 1;
        let length = |bytes: u64| fs::File::create(&path).unwrap().set_len(bytes).unwrap();
        let opened = |bytes: u64| {
            length(bytes);
            directory(scratch.path()).unwrap().0[0].read().map(|content| content.body)
        };
        let stream = |bytes: u64| match opened(bytes) {
            Ok(Body::Stream(stream)) => stream,
            other => panic!("{other:?}"),
        };
        assert!(matches!(opened(bytes - 1), Ok(Body::Whole(_))));
        assert_eq!(stream(bytes).bytes(), bytes);
        let read = |stream: Stream| {
            stream
                .read(|source| io::copy(source, &mut io::sink()).map_err(|error| error.to_string()))
        };
        assert_eq!(read(stream(bytes)), Ok(bytes));
        let (grew, shrank) = (stream(bytes), stream(bytes));
        length(bytes + 500);
        assert!(read(grew).unwrap_err().starts_with("more than the 4194305 bytes"));
        length(bytes - 500);
        assert!(read(shrank).unwrap_err().starts_with("fewer than"));
        length(FILE_BYTES_MAX);
        let (inputs, _) = directory(scratch.path()).unwrap();
        length(FILE_BYTES_MAX + 1);
        assert!(inputs[0].read().unwrap_err().contains("268435457 bytes, at most"));
    }
}
