//! The files of a run: generated ones, or those below `--input DIR`.
//!
//! A directory is somebody else's: names need not be UTF-8, links may form loops, files may be
//! unreadable, empty, huge, or no files at all. What cannot be taken is named with its reason and
//! becomes an undecided case, never a silent gap.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read as _};
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
#[derive(Clone, Debug)]
pub struct Content {
    /// Media type.
    pub media_type: String,
    /// FHIR resource type.
    pub resource_type: String,
    /// 1 to 256 MiB.
    pub bytes: Vec<u8>,
}

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
    let bytes_max = u64::try_from(ROW_FILE_BYTES_MAX).unwrap_or(u64::MAX);
    match bytes {
        0 => Err("empty: a record needs at least 1 byte of content".to_owned()),
        _ if bytes > bytes_max => Err(format!("{bytes} bytes, at most {bytes_max} are taken")),
        _ => Ok(()),
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

    /// Reads the content; a file may have changed since it was found, so its size is held again.
    pub fn read(&self) -> Result<Content, String> {
        let made = match &self.source {
            Source::Path(path) => {
                let bytes = read_bounded(path)?;
                let (media_type, resource_type) = sniff::media_type(&bytes, &self.name);
                return Ok(Content::new(media_type, resource_type, bytes));
            }
            Source::Edge(file) => file.clone(),
            Source::Generated(seed, index) => generate::file(*seed, *index),
        };
        Ok(Content::new(made.media_type, made.resource_type, made.bytes))
    }
}

impl Content {
    fn new(media_type: &str, resource_type: &str, bytes: Vec<u8>) -> Self {
        Self { media_type: media_type.to_owned(), resource_type: resource_type.to_owned(), bytes }
    }
}

fn read_bounded(path: &Path) -> Result<Vec<u8>, String> {
    let limit = u64::try_from(ROW_FILE_BYTES_MAX).unwrap_or(u64::MAX) + 1;
    let mut bytes = Vec::new();
    fs::File::open(path)
        .and_then(|file| file.take(limit).read_to_end(&mut bytes))
        .map_err(|error| error.to_string())?;
    check_size(u64::try_from(bytes.len()).unwrap_or(u64::MAX))?;
    Ok(bytes)
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
        huge.set_len(u64::try_from(ROW_FILE_BYTES_MAX).unwrap() + 1).unwrap();
        let (inputs, refusals) = directory(root).unwrap();
        let names: Vec<&str> = inputs.iter().map(|input| input.name.as_str()).collect();
        assert_eq!(names, ["deep/note.txt", "\u{fffd}\u{fffd}.dcm"]);
        let reason = |name: &str| {
            let refusal = refusals.iter().find(|refusal| refusal.name == name);
            refusal.unwrap_or_else(|| panic!("{name} is refused")).reason.clone()
        };
        assert!(reason("empty").contains("at least 1 byte"));
        assert!(reason("huge").contains("at most 268435456"));
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
        assert_eq!(inputs[0].read().unwrap().bytes, b"x");
        fs::write(&path, "").unwrap();
        assert!(inputs[0].read().unwrap_err().contains("at least 1 byte"));
        fs::remove_file(&path).unwrap();
        assert!(inputs[0].read().unwrap_err().contains("No such file"));
    }
}
