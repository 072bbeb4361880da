//! Sealed files by the SHA-256 of their bytes, in copies. [DDB-2] [DDB-3] [STO-6]
//!
//! ```text
//! Objects     put, get, has, list, check: whole files, all copies       store, read, check
//! Writing     pieces to many copies at once, hashed on their way        write
//! Place       one copy: a directory, or a cluster that copies itself    place, s3
//! request     5 s, some attempts, then an error that names the place    patience
//! Source      another institution, whose bytes are held against the digest
//!
//! a place     ab/abcd..   file with digest abcd.. (64 hex digits)
//!             ab/abcd..#1 file that is being written; it is put in place when its digest holds
//!             lock        of the process that has a directory open
//! ```
//! Invariants:
//! - what is put in place has the digest of its name, and what is handed out was compared with it;
//! - a file counts as stored when as many copies as configured are durable: files and their directories
//!   are synced before a place acknowledges them;
//! - of a file of any size no more than a piece of 8 MiB for each direction is in memory;
//! - a place that does not answer is not a place where the file is absent.
//!
//! What a killed process leaves behind in a directory is removed when the directory is opened; a cluster has
//! its own rules for uploads that were never completed.

mod check;
mod error;
mod patience;
mod place;
mod read;
#[cfg(feature = "s3")]
mod s3;
mod source;
mod store;
mod write;

pub use check::{Checked, Fault, Finding};
pub use error::{ObjectsError, PlaceError};
pub use patience::Bounds;
pub use place::Place;
#[cfg(feature = "s3")]
pub use s3::Cluster;
pub use source::{NoSource, Source};
pub use store::{Objects, Stored};
pub use write::PIECE_BYTES;

#[cfg(test)]
mod tests;
