//! Fixed-size byte strings: digests, ids, keys and signatures. Shown and read as lower-case hex.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// Why a text is not the hex form of a fixed-size value.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum HexError {
    /// The text has the wrong number of characters.
    #[error("{characters} characters where {characters_expected} hex digits are expected")]
    Length {
        /// Characters found.
        characters: usize,
        /// Characters that the type needs.
        characters_expected: usize,
    },
    /// A character is not a lower-case hex digit.
    #[error("character {offset} is not a lower-case hex digit")]
    Digit {
        /// Position of the first bad character.
        offset: usize,
    },
}

macro_rules! byte_string {
    ($(#[$doc:meta])* $name:ident, $bytes:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; $bytes]);

        impl $name {
            /// Bytes of this type.
            pub const BYTES: usize = $bytes;

            /// Wraps the bytes.
            #[must_use]
            pub const fn new(bytes: [u8; $bytes]) -> Self {
                Self(bytes)
            }

            /// The bytes.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; $bytes] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl FromStr for $name {
            type Err = HexError;

            fn from_str(text: &str) -> Result<Self, HexError> {
                let mut bytes = [0u8; $bytes];
                parse_hex(text, &mut bytes)?;
                Ok(Self(bytes))
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

byte_string!(
    /// A SHA-256 digest.
    Digest,
    32
);
byte_string!(
    /// The id of a record: the digest of all its parts, with the content's digest in its place.
    RecordId,
    32
);
byte_string!(
    /// The id of a network: the digest of its genesis.
    ChainId,
    32
);
byte_string!(
    /// An owner, named by the bytes of an Ed25519 public key. [STO-7]
    OwnerId,
    32
);
byte_string!(
    /// The name of a content key, in metadata; says nothing about the key itself.
    KeyId,
    32
);
byte_string!(
    /// The X25519 public key under which an institution's links are known. Says nothing about whether
    /// it may be enrolled.
    LinkPublic,
    32
);
byte_string!(
    /// An Ed25519 signature, as it travels: R then S. Says nothing about whether it is valid.
    Signature,
    64
);

fn parse_hex(text: &str, out: &mut [u8]) -> Result<(), HexError> {
    let characters_expected = out.len() * 2;
    let characters = text.chars().count();
    if characters != characters_expected {
        return Err(HexError::Length { characters, characters_expected });
    }
    // Characters of several bytes make them more: the first of those is the first that is no digit.
    let digits = text.as_bytes();
    for (index, byte) in out.iter_mut().enumerate() {
        let high = hex_digit(digits, 2 * index)?;
        let low = hex_digit(digits, 2 * index + 1)?;
        *byte = high << 4 | low;
    }
    Ok(())
}

fn hex_digit(digits: &[u8], offset: usize) -> Result<u8, HexError> {
    match digits[offset] {
        digit @ b'0'..=b'9' => Ok(digit - b'0'),
        digit @ b'a'..=b'f' => Ok(digit - b'a' + 10),
        _ => Err(HexError::Digit { offset }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_round_trips_and_names_what_is_wrong() {
        let digest = Digest::new([0xa5; 32]);
        assert_eq!(digest.to_string().parse::<Digest>(), Ok(digest));
        assert_eq!(
            "a5".parse::<Digest>(),
            Err(HexError::Length { characters: 2, characters_expected: 64 })
        );
        let upper = digest.to_string().to_uppercase();
        assert_eq!(upper.parse::<Digest>(), Err(HexError::Digit { offset: 0 }));
    }
}
