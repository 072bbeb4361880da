//! Files of settings that cannot be used.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use thiserror::Error;

use crate::chain::StartError;
use crate::roster::FoundError;

/// Bytes of a file of settings, at most: a thousand members with long addresses.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// A file of settings that cannot be used.
#[derive(Debug, Error)]
pub enum SettingsError {
    /// It cannot be read.
    #[error("{}: {source}", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is too long.
    #[error("{}: more than {FILE_BYTES_MAX} bytes", file.display())]
    Long {
        /// The file.
        file: PathBuf,
    },
    /// It is not TOML, or not of the shape.
    #[error("{}:{line}: {why}", file.display())]
    Shape {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong there.
        why: String,
    },
    /// What it says cannot be used.
    #[error("{}: {error}", file.display())]
    Content {
        /// The file.
        file: PathBuf,
        /// Why not.
        error: Box<Self>,
    },
    /// A value that no network can have.
    #[error("{field}: {why}")]
    Value {
        /// The field.
        field: String,
        /// What is wrong.
        why: String,
    },
    /// The members make no committees.
    #[error("members: {0}")]
    Founders(#[from] FoundError),
    /// No network starts from it.
    #[error(transparent)]
    Start(#[from] StartError),
}

/// Reads a file of settings; its errors name the line.
pub(super) fn read<T: DeserializeOwned>(path: &Path) -> Result<T, SettingsError> {
    let failed = |source| SettingsError::Read { file: path.to_path_buf(), source };
    // Read and not asked for its length: a device has none, and gives bytes without an end.
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(failed)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > FILE_BYTES_MAX) {
        return Err(SettingsError::Long { file: path.to_path_buf() });
    }
    let text = String::from_utf8(bytes).map_err(|error| failed(io::Error::other(error)))?;
    parse(path, &text)
}

/// Names the file whose content cannot be used.
pub(super) fn within(path: &Path) -> impl FnOnce(SettingsError) -> SettingsError {
    |error| SettingsError::Content { file: path.to_path_buf(), error: Box::new(error) }
}

/// The same from text that was read.
pub(super) fn parse<T: DeserializeOwned>(path: &Path, text: &str) -> Result<T, SettingsError> {
    toml::from_str(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start.min(text.len()));
        let line = 1 + text.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count();
        let why = error.message().to_owned();
        SettingsError::Shape { file: path.to_path_buf(), line, why }
    })
}

/// A value that cannot be used.
pub(super) fn value(field: impl Into<String>, why: impl ToString) -> SettingsError {
    SettingsError::Value { field: field.into(), why: why.to_string() }
}
