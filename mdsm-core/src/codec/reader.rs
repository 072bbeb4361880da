//! A cursor over received bytes that never reads past their end and never trusts a count.

use super::error::{DecodeError, DecodeErrorKind, Step};
use super::{Decode, WIRE_VERSION};
use crate::types::check_count;

/// A cursor over an encoding.
#[derive(Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Reader<'a> {
    /// Starts at the first byte.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, offset: 0 }
    }

    /// Bytes read so far.
    #[inline]
    #[must_use]
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// Bytes left.
    #[inline]
    #[must_use]
    pub fn left(&self) -> usize {
        self.bytes.len() - self.offset
    }

    /// The next `count` bytes.
    #[inline]
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], DecodeError> {
        let rest = &self.bytes[self.offset..];
        let Some((taken, _)) = rest.split_at_checked(count) else {
            return Err(self.error(DecodeErrorKind::Truncated { needed: count, left: rest.len() }));
        };
        self.offset += count;
        Ok(taken)
    }

    /// The next `N` bytes.
    #[inline]
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let taken = self.take(N)?;
        Ok(taken.try_into().expect("take returns as many bytes as asked"))
    }

    /// Reads the value of a field and names the field in its error.
    #[inline]
    pub fn field<T: Decode>(&mut self, name: &'static str) -> Result<T, DecodeError> {
        T::decode(self).map_err(|error| error.inside(name))
    }

    /// Reads a field and holds it to a rule.
    #[inline]
    pub fn field_where<T: Decode>(
        &mut self,
        name: &'static str,
        check: impl FnOnce(&T) -> Result<(), &'static str>,
    ) -> Result<T, DecodeError> {
        let offset = self.offset;
        let value = self.field(name)?;
        match check(&value) {
            Ok(()) => Ok(value),
            Err(rule) => Err(DecodeError::new(offset, DecodeErrorKind::Rule { rule }).inside(name)),
        }
    }

    /// Reads element `index` of a list and names it in its error.
    #[inline]
    pub fn element<T: Decode>(&mut self, index: usize) -> Result<T, DecodeError> {
        T::decode(self).map_err(|error| error.step(Step::Element(index)))
    }

    /// Reads a `u32` count within `min..=max` of elements that take at least `element_bytes_min`
    /// bytes each, which must still be there.
    #[inline]
    pub fn count(
        &mut self,
        min: usize,
        max: usize,
        element_bytes_min: usize,
    ) -> Result<usize, DecodeError> {
        let start = self.offset;
        let count = u32::from_le_bytes(self.array()?);
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        //= harness/spec/storage.md#sto-1-hierarchy-and-encoding
        //# STO-1.6 (ours): A decoder MUST compare a count with the bound of its field and with the
        //# number of bytes left before it allocates memory for the elements.
        check_count(count, min, max).map_err(|bound| DecodeError::new(start, bound))?;
        let needed = count.saturating_mul(element_bytes_min);
        if needed > self.left() {
            let left = self.left();
            return Err(DecodeError::new(start, DecodeErrorKind::Truncated { needed, left }));
        }
        Ok(count)
    }

    /// Holds what was read since `start` to a number of bytes.
    pub(crate) fn check_bytes(&self, start: usize, bytes_max: usize) -> Result<(), DecodeError> {
        check_count(self.offset - start, 0, bytes_max)
            .map_err(|bound| DecodeError::new(start, bound))
    }

    /// Reads tag and version.
    pub(crate) fn expect_prefix(&mut self, expected: [u8; 4]) -> Result<(), DecodeError> {
        let start = self.offset;
        let found = self.array()?;
        if found != expected {
            return Err(DecodeError::new(start, DecodeErrorKind::Tag { found, expected }));
        }
        let start = self.offset;
        let [found] = self.array()?;
        if found != WIRE_VERSION {
            let kind = DecodeErrorKind::Version { found, known: WIRE_VERSION };
            return Err(DecodeError::new(start, kind));
        }
        Ok(())
    }

    /// Ends the reading: nothing may be left.
    pub fn finish(&self) -> Result<(), DecodeError> {
        //= harness/spec/storage.md#sto-1-hierarchy-and-encoding
        //# STO-1.4 (ours): A decoder MUST refuse bytes that follow the end of a value.
        match self.left() {
            0 => Ok(()),
            bytes => Err(self.error(DecodeErrorKind::Trailing { bytes })),
        }
    }

    pub(crate) fn error(&self, kind: DecodeErrorKind) -> DecodeError {
        DecodeError::new(self.offset, kind)
    }
}
