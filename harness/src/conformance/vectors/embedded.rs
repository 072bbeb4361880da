//! The files as they were stored, in this program.

use super::shape::{Vector, VectorFile};

macro_rules! embedded {
    ($($name:literal),* $(,)?) => {
        /// Name and text of every file of vectors.
        pub const FILES: &[(&str, &str)] = &[
            $(($name, include_str!(concat!("../../../vectors/", $name, ".json")))),*
        ];
    };
}

embedded!(
    "codec",
    "trees",
    "signatures",
    "bookings",
    "certificates",
    "evidence",
    "receipts",
    "windows",
    "roster",
    "access",
    "files",
    "sharing",
    "paper",
    "gaps",
);

/// The JSON Schema of the files.
pub const SCHEMA: &str = include_str!("../../../vectors/schema.json");

/// Every file, read.
///
/// # Panics
/// Never: a test reads every file that is embedded.
#[must_use]
pub fn files() -> Vec<VectorFile> {
    let read = |(name, text): &(&str, &str)| VectorFile::read(name, text);
    FILES.iter().map(read).collect::<Result<_, _>>().expect("the stored vectors have their shape")
}

/// Every vector.
#[must_use]
pub fn all() -> Vec<Vector> {
    files().into_iter().flat_map(|file| file.vectors).collect()
}
