//! Texts, byte strings, lists, sets and maps with their bounds in the type, so that a decoder knows
//! them before it allocates and a value out of bounds cannot be built.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Deref;

use thiserror::Error;

/// Why a value does not fit its bounded type.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BoundError {
    /// Fewer or more bytes or elements than the field allows.
    #[error("{count} where {count_min} to {count_max} are allowed")]
    Count {
        /// Bytes or elements found.
        count: usize,
        /// Fewest allowed.
        count_min: usize,
        /// Most allowed.
        count_max: usize,
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

/// Checks a count against its bounds.
pub(crate) fn check_count(count: usize, min: usize, max: usize) -> Result<(), BoundError> {
    if (min..=max).contains(&count) {
        Ok(())
    } else {
        Err(BoundError::Count { count, count_min: min, count_max: max })
    }
}

/// Printable ASCII (0x20 to 0x7E) of `MIN` to `MAX` bytes.
///
/// Codes, media types and language tags need no more, and names of people do not get in by accident.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text<const MIN: usize, const MAX: usize>(String);

impl<const MIN: usize, const MAX: usize> Text<MIN, MAX> {
    /// Takes the text if it is within bounds.
    pub fn new(text: impl Into<String>) -> Result<Self, BoundError> {
        let text = text.into();
        check_count(text.len(), MIN, MAX)?;
        match text.bytes().enumerate().find(|(_, byte)| !matches!(byte, 0x20..=0x7e)) {
            Some((offset, byte)) => Err(BoundError::Character { offset, byte }),
            None => Ok(Self(text)),
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

/// `MIN` to `MAX` bytes. Their text form gives only their number: content does not end up in logs.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Blob<const MIN: usize, const MAX: usize>(Vec<u8>);

impl<const MIN: usize, const MAX: usize> Blob<MIN, MAX> {
    /// Takes the bytes if their number is within bounds.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Self, BoundError> {
        let bytes = bytes.into();
        check_count(bytes.len(), MIN, MAX)?;
        Ok(Self(bytes))
    }
}

impl<const MIN: usize, const MAX: usize> Deref for Blob<MIN, MAX> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl<const MIN: usize, const MAX: usize> fmt::Debug for Blob<MIN, MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Blob({} bytes)", self.0.len())
    }
}

/// `MIN` to `MAX` elements in an order that means something.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct List<T, const MIN: usize, const MAX: usize>(Vec<T>);

impl<T, const MIN: usize, const MAX: usize> List<T, MIN, MAX> {
    /// Takes the elements if their number is within bounds.
    pub fn new(elements: Vec<T>) -> Result<Self, BoundError> {
        check_count(elements.len(), MIN, MAX)?;
        Ok(Self(elements))
    }

    /// Gives the elements back.
    #[must_use]
    pub fn into_vec(self) -> Vec<T> {
        self.0
    }
}

impl<T, const MAX: usize> Default for List<T, 0, MAX> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T, const MIN: usize, const MAX: usize> Deref for List<T, MIN, MAX> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

/// At most `MAX` different elements, kept and encoded in ascending order.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Set<T: Ord, const MAX: usize>(BTreeSet<T>);

impl<T: Ord, const MAX: usize> Set<T, MAX> {
    /// Takes the elements if their number is within bounds.
    pub fn new(elements: BTreeSet<T>) -> Result<Self, BoundError> {
        check_count(elements.len(), 0, MAX)?;
        Ok(Self(elements))
    }
}

impl<T: Ord, const MAX: usize> Default for Set<T, MAX> {
    fn default() -> Self {
        Self(BTreeSet::new())
    }
}

impl<T: Ord, const MAX: usize> Deref for Set<T, MAX> {
    type Target = BTreeSet<T>;

    fn deref(&self) -> &BTreeSet<T> {
        &self.0
    }
}

/// At most `MAX` entries, kept and encoded in ascending order of their keys.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Map<K: Ord, V, const MAX: usize>(BTreeMap<K, V>);

impl<K: Ord, V, const MAX: usize> Map<K, V, MAX> {
    /// Takes the entries if their number is within bounds.
    pub fn new(entries: BTreeMap<K, V>) -> Result<Self, BoundError> {
        check_count(entries.len(), 0, MAX)?;
        Ok(Self(entries))
    }
}

impl<K: Ord, V, const MAX: usize> Default for Map<K, V, MAX> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<K: Ord, V, const MAX: usize> Deref for Map<K, V, MAX> {
    type Target = BTreeMap<K, V>;

    fn deref(&self) -> &BTreeMap<K, V> {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_hold_at_both_ends_and_say_what_they_are() {
        assert!(Text::<1, 3>::new("abc").is_ok());
        let count = |count| BoundError::Count { count, count_min: 1, count_max: 3 };
        assert_eq!(Text::<1, 3>::new(""), Err(count(0)));
        assert_eq!(Text::<1, 3>::new("abcd"), Err(count(4)));
        assert_eq!(Blob::<1, 3>::new([0; 4]), Err(count(4)));
        assert_eq!(List::<u8, 1, 3>::new(vec![]), Err(count(0)));
        assert_eq!(
            Text::<0, 9>::new("a\u{e9}"),
            Err(BoundError::Character { offset: 1, byte: 0xc3 })
        );
        assert!(Set::<u8, 1>::new([1, 2].into()).is_err());
        assert!(Map::<u8, u8, 1>::new([(1, 1), (2, 2)].into()).is_err());
    }
}
