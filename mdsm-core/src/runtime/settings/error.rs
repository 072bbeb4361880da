//! Files of settings that cannot be used.

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
        source: std::io::Error,
    },
    /// It is too long.
    #[error("{}: {bytes} bytes, {FILE_BYTES_MAX} are allowed", file.display())]
    Long {
        /// The file.
        file: PathBuf,
        /// Its bytes.
        bytes: u64,
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
    let bytes = std::fs::metadata(path).map_err(failed)?.len();
    if bytes > FILE_BYTES_MAX {
        return Err(SettingsError::Long { file: path.to_path_buf(), bytes });
    }
    let text = std::fs::read_to_string(path).map_err(failed)?;
    parse(path, &text)
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
