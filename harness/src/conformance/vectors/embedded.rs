//! The files as they were stored, in this program.

use super::sequence::SequenceFile;
use super::shape::{Vector, VectorFile};

macro_rules! embedded {
    ($($name:literal),* $(,)?) => {
        /// Name and text of every file of calls.
        pub const FILES: &[(&str, &str)] = &[
            $(($name, include_str!(concat!("../../../vectors/", $name, ".json")))),*
        ];

        /// The same, and the file of sequences.
        pub const STORED: &[(&str, &str)] = &[
            $(($name, include_str!(concat!("../../../vectors/", $name, ".json"))),)*
            (SequenceFile::NAME, SEQUENCES),
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
    "deliveries",
    "paper",
    "gaps",
);

/// Text of the file of sequences.
const SEQUENCES: &str = include_str!("../../../vectors/sequences.json");

/// Intermediate words of the re-encryption, in a shape of their own; no case is judged with them.
pub const KNOWN_ANSWERS: (&str, &str) =
    ("reencryption", include_str!("../../../vectors/reencryption.json"));

/// The JSON Schema of the file of sequences.
pub const SCHEMA_OF_SEQUENCES: &str = include_str!("../../../vectors/sequences-schema.json");

/// The JSON Schema of the files of calls.
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

/// The sequences, read.
///
/// # Panics
/// Never: a test reads the file that is embedded.
#[must_use]
pub fn sequences() -> SequenceFile {
    SequenceFile::read(SEQUENCES).expect("the stored sequences have their shape")
}
