//! What can go wrong with stored files.

use std::path::PathBuf;
use std::sync::Arc;

use thiserror::Error;

use crate::types::Digest;

/// A place that did not do what was asked of it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{place}: could not {what} {name}: {why} (attempts: {attempts})")]
pub struct PlaceError {
    /// The place.
    pub place: Arc<str>,
    /// What was tried.
    pub what: &'static str,
    /// Name of the object there.
    pub name: String,
    /// Why, in the words of whoever refused.
    pub why: String,
    /// How often it was tried.
    pub attempts: u32,
}

/// Files that could not be stored, found or read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ObjectsError {
    /// Another file than the digest says.
    #[error("file {digest}: the bytes given have digest {found}")]
    Digest {
        /// The digest given.
        digest: Digest,
        /// That of the bytes.
        found: Digest,
    },
    /// What lies under the digest is not the file with this digest.
    #[error("file {digest}: another file lies under its digest in {place}, {what}")]
    Different {
        /// The digest.
        digest: Digest,
        /// Where.
        place: Arc<str>,
        /// What lies there.
        what: String,
    },
    /// Too few copies are durable.
    #[error("file {digest}: {copies} of {copies_min} copies are durable: {}", list(failed))]
    Copies {
        /// The digest.
        digest: Digest,
        /// Copies that are.
        copies: usize,
        /// Copies that must be.
        copies_min: usize,
        /// What became of the others.
        failed: Vec<PlaceError>,
    },
    /// Every copy is damaged.
    #[error("file {digest}: no copy is whole: {}", places.join("; "))]
    Damaged {
        /// The digest.
        digest: Digest,
        /// The places, and what is wrong in each.
        places: Vec<String>,
    },
    /// A place did not answer, and the others do not have the file.
    #[error("file {digest}: not found, but not all places answered: {}", list(failed))]
    Unreachable {
        /// The digest.
        digest: Digest,
        /// The places.
        failed: Vec<PlaceError>,
    },
    /// Places that did not answer, for no particular file.
    #[error("{}", list(failed))]
    Places {
        /// The places.
        failed: Vec<PlaceError>,
    },
    /// A file that is too large for what is to be done with it.
    #[error("file {digest}: {bytes} bytes or more, at most {bytes_max} are allowed")]
    TooLarge {
        /// The digest.
        digest: Digest,
        /// Its bytes, as far as they were read.
        bytes: u64,
        /// Bytes allowed.
        bytes_max: u64,
    },
    /// Whoever brings the bytes failed.
    #[error("file {digest}: reading what is to be stored: {why}")]
    Input {
        /// The digest.
        digest: Digest,
        /// Why.
        why: String,
    },
    /// A file of the caller.
    #[error("could not {what} {}: {why}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What was tried.
        what: &'static str,
        /// In the system's words.
        why: String,
    },
    /// Another process has the directory open.
    #[error("{} is open elsewhere", directory.display())]
    Locked {
        /// The directory.
        directory: PathBuf,
    },
    /// The same directory twice.
    #[error("{} is named twice; each copy needs a place of its own", directory.display())]
    Twice {
        /// The directory.
        directory: PathBuf,
    },
    /// A number of copies that cannot be.
    #[error(
        "{copies} copies in {places} places: at least 2 are needed, and as many as there are places at most"
    )]
    Configured {
        /// Copies asked for.
        copies: usize,
        /// Copies that the places make.
        places: usize,
    },
    /// A cluster that cannot be described so.
    #[error("{endpoint}: {why}")]
    Cluster {
        /// Where it is.
        endpoint: String,
        /// What is wrong.
        why: String,
    },
}

fn list(failed: &[PlaceError]) -> String {
    failed.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}
