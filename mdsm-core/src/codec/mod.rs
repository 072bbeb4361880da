//! One encoding per value: `decode(b) = x` implies `encode(x) = b`. [STO-11]
//!
//! The bytes are those of borsh: fixed-width little-endian integers, `u32` counts, one tag byte for
//! an enum or an option, sets and maps strictly ascending. On top of it every count is checked
//! against the bound of its field, and against the bytes that are left, before anything is
//! allocated. A value that travels on its own, or is hashed, starts with a tag of four letters and a
//! version, so that no value can be taken for one of another type. Spec: storage, "Wire format".
//!
//! Cost: one pass, one allocation per list or text; the path of an error is built only when one
//! occurs.

mod error;
mod macros;
mod primitives;
mod reader;

pub use error::{DecodeError, DecodeErrorKind};
pub(crate) use macros::{wire_enum, wire_struct};
pub use reader::Reader;

/// The version byte of every top-level value.
pub const WIRE_VERSION: u8 = 1;

/// Bytes of tag and version before a top-level value.
pub const PREFIX_BYTES: usize = 5;

/// Bytes that a buffer begins with: most values fit.
const TYPICAL_BYTES: usize = 512;

/// A value that can be written.
pub trait Encode {
    /// Appends the encoding.
    fn encode(&self, out: &mut Vec<u8>);
}

/// A value that can be read.
pub trait Decode: Sized {
    /// Reads one value and leaves the reader behind it.
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError>;
}

/// A value that travels on its own: tag, version, body, and nothing after it.
pub trait Wire: Encode + Decode {
    /// Four letters that start the encoding.
    const TAG: [u8; 4];
    /// Name in error messages.
    const NAME: &'static str;

    /// The whole encoding.
    #[must_use]
    fn to_bytes(&self) -> Vec<u8> {
        self.to_bytes_within(TYPICAL_BYTES)
    }

    /// The whole encoding in a buffer that begins with so many bytes, for whoever knows better what fits.
    #[must_use]
    fn to_bytes_within(&self, bytes: usize) -> Vec<u8> {
        //= harness/spec/storage.md#sto-1-hierarchy-and-encoding
        //# STO-1.2 (ours): Every value MUST be encoded, and its id hashed, byte for byte as section
        //# Formats draws it.
        let mut out = Vec::with_capacity(bytes);
        out.extend_from_slice(&prefix(Self::TAG));
        self.encode(&mut out);
        out
    }

    /// Decodes the whole of `bytes`.
    fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader::new(bytes);
        reader
            //= harness/spec/storage.md#sto-1-hierarchy-and-encoding
            //# STO-1.3 (ours): A decoder MUST refuse every byte string that is not the encoding of
            //# the value which it would yield.
            .expect_prefix(Self::TAG)
            .and_then(|()| Self::decode(&mut reader))
            .and_then(|value| reader.finish().map(|()| value))
            .map_err(|error| error.inside(Self::NAME))
    }
}

/// Tag and version, as they start a top-level value or a message that is hashed or signed.
#[must_use]
pub const fn prefix(tag: [u8; 4]) -> [u8; PREFIX_BYTES] {
    [tag[0], tag[1], tag[2], tag[3], WIRE_VERSION]
}
