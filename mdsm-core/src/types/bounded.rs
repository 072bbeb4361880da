//! Byte strings and texts with a bound in their type, so that a decoder knows it before it allocates.

use std::fmt;

use thiserror::Error;

/// Why a string is not a [`Text`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TextError {
    /// Shorter or longer than the field allows.
    #[error("{bytes} bytes, the field takes {bytes_min} to {bytes_max}")]
    Length {
        /// Bytes found.
        bytes: usize,
        /// Fewest bytes allowed.
        bytes_min: usize,
        /// Most bytes allowed.
        bytes_max: usize,
    },
    /// Holds something else than printable ASCII.
    #[error("byte {offset} is 0x{byte:02x}, not printable ASCII")]
    Character {
        /// Position of the first bad byte.
        offset: usize,
        /// The byte.
        byte: u8,
    },
}

/// Printable ASCII of `MIN` to `MAX` bytes.
///
/// Codes, media types and language tags need no more, and names of people do not fit in by accident.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text<const MIN: usize, const MAX: usize>(String);

impl<const MIN: usize, const MAX: usize> Text<MIN, MAX> {
    /// Takes the text if it is within bounds.
    pub fn new(text: impl Into<String>) -> Result<Self, TextError> {
        let text = text.into();
        Self::check(text.as_bytes())?;
        Ok(Self(text))
    }

    /// The rule, on bytes that are not yet known to be a text.
    pub fn check(bytes: &[u8]) -> Result<(), TextError> {
        if bytes.len() < MIN || bytes.len() > MAX {
            let bytes = bytes.len();
            return Err(TextError::Length {
                bytes,
                bytes_min: MIN,
                bytes_max: MAX,
            });
        }
        match bytes.iter().position(|byte| !matches!(byte, 0x20..=0x7e)) {
            Some(offset) => Err(TextError::Character {
                offset,
                byte: bytes[offset],
            }),
            None => Ok(()),
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const MIN: usize, const MAX: usize> fmt::Debug for Text<MIN, MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<const MIN: usize, const MAX: usize> fmt::Display for Text<MIN, MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Bytes, `MIN` to `MAX` of them.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Blob<const MIN: usize, const MAX: usize>(Vec<u8>);

impl<const MIN: usize, const MAX: usize> Blob<MIN, MAX> {
    /// Takes the bytes if their number is within bounds; otherwise says how many there are.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Self, TextError> {
        let bytes = bytes.into();
        if bytes.len() < MIN || bytes.len() > MAX {
            let bytes = bytes.len();
            return Err(TextError::Length {
                bytes,
                bytes_min: MIN,
                bytes_max: MAX,
            });
        }
        Ok(Self(bytes))
    }

    /// The bytes.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        &self.0
    }
}

impl<const MIN: usize, const MAX: usize> fmt::Debug for Blob<MIN, MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Blob({} bytes)", self.0.len())
    }
}
