//! Encodings within JSON, as lower-case hex. [CLI-1]
//!
//! What is hashed or signed travels as the very bytes; a second form of it in JSON could only differ.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::codec::Wire;

/// A value by the hex of its encoding, tag and version included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hexed<T>(pub T);

/// Bytes as hex.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HexBytes(pub Vec<u8>);

const DIGITS: [u8; 16] = *b"0123456789abcdef";

fn to_hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble & 15)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}

fn from_hex(text: &str) -> Result<Vec<u8>, String> {
    let digit = |at: usize, digit: u8| match digit {
        b'0'..=b'9' => Ok(digit - b'0'),
        b'a'..=b'f' => Ok(digit - b'a' + 10),
        _ => Err(format!("character {at} is not a lower-case hex digit")),
    };
    if !text.len().is_multiple_of(2) {
        return Err(format!("{} hex digits, an odd number", text.len()));
    }
    let pairs = text.as_bytes().chunks_exact(2).enumerate();
    let byte =
        |(at, pair): (usize, &[u8])| Ok(digit(2 * at, pair[0])? << 4 | digit(2 * at + 1, pair[1])?);
    pairs.map(byte).collect()
}

impl Serialize for HexBytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&to_hex(&self.0))
    }
}

impl<'de> Deserialize<'de> for HexBytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <Cow<'de, str>>::deserialize(deserializer)?;
        from_hex(&text).map(Self).map_err(D::Error::custom)
    }
}

impl<T: Wire> Serialize for Hexed<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&to_hex(&self.0.to_bytes()))
    }
}

impl<'de, T: Wire> Deserialize<'de> for Hexed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let HexBytes(bytes) = HexBytes::deserialize(deserializer)?;
        T::from_bytes(&bytes).map(Self).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::{BlockHeader, Summary};
    use crate::types::Digest;

    #[test]
    fn values_come_back_and_faults_are_named() {
        let summary =
            Summary { item_block: None, parent_certificate: None, events: Digest::new([7; 32]) };
        let text = serde_json::to_string(&Hexed(summary)).unwrap();
        assert!(text.starts_with("\"4d53554d01"), "{text}");
        assert_eq!(serde_json::from_str::<Hexed<Summary>>(&text).unwrap(), Hexed(summary));
        let error =
            |text: &str| serde_json::from_str::<Hexed<Summary>>(text).unwrap_err().to_string();
        assert!(error("\"4d5\"").starts_with("3 hex digits, an odd number"));
        assert!(error("\"4D53\"").starts_with("character 1 is not a lower-case hex digit"));
        assert!(error("\"4d53554d01\"").contains("Summary"));
        assert!(serde_json::from_str::<Hexed<BlockHeader>>(&text).is_err());
        assert!(serde_json::from_str::<HexBytes>("7").is_err());
    }
}
