//! Encodings of integers, options, texts, byte strings, lists, sets and maps.

use std::collections::{BTreeMap, BTreeSet};

use super::error::{DecodeError, DecodeErrorKind, Step};
use super::{Decode, Encode, Reader};
use crate::types::{
    Blob, BoundError, ChainId, Digest, Epoch, Height, InstitutionId, KeyId, List, Map, OwnerId,
    RecordId, Set, Signature, Text, Timestamp, View,
};

macro_rules! integer {
    ($($integer:ty),*) => { $(
        impl Encode for $integer {
            fn encode(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.to_le_bytes());
            }
        }

        impl Decode for $integer {
            fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
                Ok(Self::from_le_bytes(reader.array()?))
            }
        }
    )* };
}
integer!(u8, u16, u32, u64, i16, i64);

macro_rules! byte_string {
    ($($name:ident),*) => { $(
        impl Encode for $name {
            fn encode(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(self.as_bytes());
            }
        }

        impl Decode for $name {
            fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
                Ok(Self::new(reader.array()?))
            }
        }
    )* };
}
byte_string!(ChainId, Digest, KeyId, OwnerId, RecordId, Signature);

macro_rules! quantity {
    ($($name:ident),*) => { $(
        impl Encode for $name {
            fn encode(&self, out: &mut Vec<u8>) {
                self.get().encode(out);
            }
        }

        impl Decode for $name {
            fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
                Ok(Self::new(Decode::decode(reader)?))
            }
        }
    )* };
}
quantity!(Epoch, Height, InstitutionId, Timestamp, View);

impl<T: Encode> Encode for Option<T> {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            None => out.push(0),
            Some(value) => {
                out.push(1);
                value.encode(out);
            }
        }
    }
}

impl<T: Decode> Decode for Option<T> {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let offset = reader.offset();
        match reader.array()? {
            [0] => Ok(None),
            [1] => T::decode(reader).map(Some),
            //= harness/spec/storage.md#sto-1-hierarchy-and-encoding
            //# STO-1.3 (ours): A decoder MUST refuse every byte string that is not the encoding of
            //# the value which it would yield.
            [found] => Err(DecodeError::new(offset, DecodeErrorKind::Variant { found })),
        }
    }
}

impl<A: Encode, B: Encode> Encode for (A, B) {
    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
        self.1.encode(out);
    }
}

impl<A: Decode, B: Decode> Decode for (A, B) {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok((reader.field("0")?, reader.field("1")?))
    }
}

/// Writes a count. Bounded types keep every count far below `u32::MAX`.
fn encode_count(count: usize, out: &mut Vec<u8>) {
    u32::try_from(count).expect("bounded types hold fewer elements than u32::MAX").encode(out);
}

impl<const MIN: usize, const MAX: usize> Encode for Text<MIN, MAX> {
    fn encode(&self, out: &mut Vec<u8>) {
        encode_count(self.as_str().len(), out);
        out.extend_from_slice(self.as_str().as_bytes());
    }
}

impl<const MIN: usize, const MAX: usize> Decode for Text<MIN, MAX> {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let count = reader.count(MIN, MAX, 1)?;
        let start = reader.offset();
        let bytes = reader.take(count)?;
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => Self::new(text),
            Err(error) => {
                let offset = error.valid_up_to();
                Err(BoundError::Character { offset, byte: bytes[offset] })
            }
        };
        text.map_err(|bound| DecodeError::new(start, bound))
    }
}

impl<const MIN: usize, const MAX: usize> Encode for Blob<MIN, MAX> {
    fn encode(&self, out: &mut Vec<u8>) {
        encode_count(self.len(), out);
        out.extend_from_slice(self);
    }
}

impl<const MIN: usize, const MAX: usize> Decode for Blob<MIN, MAX> {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let count = reader.count(MIN, MAX, 1)?;
        let start = reader.offset();
        Self::new(reader.take(count)?).map_err(|bound| DecodeError::new(start, bound))
    }
}

impl<T: Encode, const MIN: usize, const MAX: usize> Encode for List<T, MIN, MAX> {
    fn encode(&self, out: &mut Vec<u8>) {
        encode_count(self.len(), out);
        for element in self.iter() {
            element.encode(out);
        }
    }
}

impl<T: Decode, const MIN: usize, const MAX: usize> Decode for List<T, MIN, MAX> {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let start = reader.offset();
        let count = reader.count(MIN, MAX, 1)?;
        // `count` is within the bound of the field; growing as elements arrive keeps memory in
        // proportion to the bytes received, not to the bytes announced.
        let mut elements = Vec::new();
        for index in 0..count {
            elements.push(reader.element(index)?);
        }
        Self::new(elements).map_err(|bound| DecodeError::new(start, bound))
    }
}

impl<T: Encode + Ord, const MAX: usize> Encode for Set<T, MAX> {
    fn encode(&self, out: &mut Vec<u8>) {
        encode_count(self.len(), out);
        for element in self.iter() {
            element.encode(out);
        }
    }
}

impl<T: Decode + Ord, const MAX: usize> Decode for Set<T, MAX> {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let start = reader.offset();
        let count = reader.count(0, MAX, 1)?;
        let mut elements = BTreeSet::new();
        for index in 0..count {
            let offset = reader.offset();
            let element = reader.element(index)?;
            ascending(elements.last(), &element, index, offset)?;
            elements.insert(element);
        }
        Self::new(elements).map_err(|bound| DecodeError::new(start, bound))
    }
}

impl<K: Encode + Ord, V: Encode, const MAX: usize> Encode for Map<K, V, MAX> {
    fn encode(&self, out: &mut Vec<u8>) {
        encode_count(self.len(), out);
        for (key, value) in self.iter() {
            key.encode(out);
            value.encode(out);
        }
    }
}

impl<K: Decode + Ord, V: Decode, const MAX: usize> Decode for Map<K, V, MAX> {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let start = reader.offset();
        let count = reader.count(0, MAX, 2)?;
        let mut entries = BTreeMap::new();
        for index in 0..count {
            let offset = reader.offset();
            let key: K = reader.element(index)?;
            //= harness/spec/storage.md#sto-1-hierarchy-and-encoding
            //# STO-1.5 (ours): A decoder MUST refuse a map whose keys are not strictly ascending by
            //# their bytes.
            ascending(entries.last_key_value().map(|(key, _)| key), &key, index, offset)?;
            entries.insert(key, reader.element(index)?);
        }
        Self::new(entries).map_err(|bound| DecodeError::new(start, bound))
    }
}

/// Order of the values is the order of their encodings: single bytes, and texts, whose keys are
/// compared as borsh does, by content.
fn ascending<T: Ord>(
    last: Option<&T>,
    next: &T,
    index: usize,
    offset: usize,
) -> Result<(), DecodeError> {
    match last {
        Some(last) if last >= next => {
            Err(DecodeError::new(offset, DecodeErrorKind::Order).step(Step::Element(index)))
        }
        _ => Ok(()),
    }
}
