//! A run is a seed: every random draw of the harness comes from one number by way of a label.
//!
//! Invariant: equal seeds and labels give equal bytes on every platform and with every version of
//! our dependencies. So the key is plain SHA-256, the cipher is ChaCha12, and the draws below are
//! ours: distributions of the `rand` crate may change their values between minor versions.

use std::fmt;
use std::str::FromStr;

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use sha2::{Digest, Sha256};
use thiserror::Error;

/// The number that a whole run follows from. Shown in decimal, read in decimal or as `0x` and hex.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seed(u64);

/// Why a text is not a [`Seed`].
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "`{text}` is not a seed: expected 0 to 18446744073709551615, or 0x and up to 16 hex digits"
)]
pub struct SeedError {
    /// The text that was given.
    pub text: String,
}

impl Seed {
    /// Wraps the number.
    #[must_use]
    pub const fn new(value: u64) -> Self {
        Self(value)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The stream of random bytes that belongs to a label, keyed by SHA-256(label, seed as u64 LE).
    ///
    /// Streams of different labels are independent, so a new consumer never shifts an old one. The
    /// seed has a fixed size and comes last, so no two pairs of label and seed share a key.
    #[must_use]
    pub fn stream(self, label: &str) -> ChaCha12Rng {
        let mut hasher = Sha256::new();
        hasher.update(label.as_bytes());
        hasher.update(self.0.to_le_bytes());
        ChaCha12Rng::from_seed(hasher.finalize().into())
    }
}

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Seed {
    type Err = SeedError;

    fn from_str(text: &str) -> Result<Self, SeedError> {
        let (digits, radix) = match text.strip_prefix("0x") {
            Some(digits) => (digits, 16),
            None => (text, 10),
        };
        // `from_str_radix` alone would also take a sign.
        let plain = digits.bytes().all(|byte| byte.is_ascii_alphanumeric());
        match u64::from_str_radix(digits, radix) {
            Ok(value) if plain => Ok(Self(value)),
            _ => Err(SeedError { text: text.to_owned() }),
        }
    }
}

/// In JSON a seed is a decimal string: readers with 53-bit numbers would round it.
impl serde::Serialize for Seed {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Seed {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Draws that every generator of the harness is written in; on any source of random words.
pub trait Draw: Rng {
    /// A number below `bound`, each equally likely (Lemire's method, with rejection).
    ///
    /// # Panics
    /// When `bound` is 0.
    fn below(&mut self, bound: u32) -> u32 {
        assert!(bound > 0, "there is no number below 0");
        let rejected = u64::from(bound.wrapping_neg() % bound);
        loop {
            let product = u64::from(self.next_u32()) * u64::from(bound);
            if product & u64::from(u32::MAX) >= rejected {
                return u32::try_from(product >> 32).expect("32 of 64 bits are left");
            }
        }
    }

    /// A number from `low` to `high`, both included, each equally likely.
    ///
    /// # Panics
    /// When `low` is above `high`, or the range is all of `u32`.
    fn between(&mut self, low: u32, high: u32) -> u32 {
        low + self.below(high - low + 1)
    }

    /// One of the items, each equally likely.
    ///
    /// # Panics
    /// When there is none, or more than `u32` can count.
    fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        let count = u32::try_from(items.len()).expect("a list to pick from is short");
        &items[usize::try_from(self.below(count)).expect("an index of the list")]
    }

    /// True `numerator` times out of `denominator`.
    ///
    /// # Panics
    /// When `denominator` is 0.
    fn chance(&mut self, numerator: u32, denominator: u32) -> bool {
        self.below(denominator) < numerator
    }
}

impl<R: Rng + ?Sized> Draw for R {}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes_of(seed: u64, label: &str) -> [u8; 16] {
        let mut bytes = [0u8; 16];
        Seed::new(seed).stream(label).fill_bytes(&mut bytes);
        bytes
    }

    #[test]
    fn a_seed_reads_what_it_shows_and_refuses_the_rest() {
        for value in [0, 7, u64::MAX] {
            let seed = Seed::new(value);
            assert_eq!(seed.to_string().parse(), Ok(seed));
            assert_eq!(format!("0x{value:x}").parse(), Ok(seed));
            let json = serde_json::to_string(&seed).unwrap();
            assert_eq!(json, format!("\"{value}\""));
            assert_eq!(serde_json::from_str::<Seed>(&json).unwrap(), seed);
        }
        for text in ["", "0x", "+7", "-7", "0x+7", "7f", " 7", "18446744073709551616", "seven"] {
            assert!(text.parse::<Seed>().is_err(), "{text}");
        }
    }

    #[test]
    fn streams_are_the_same_everywhere_and_differ_by_seed_and_label() {
        // From an independent ChaCha12 (RFC 8439 layout, 64-bit counter) keyed by SHA-256.
        let expected: [u8; 16] = [
            0x7c, 0x99, 0x62, 0x37, 0xba, 0x86, 0xc1, 0x2f, 0xaf, 0x66, 0x3e, 0x3c, 0x9b, 0x73,
            0x60, 0x44,
        ];
        assert_eq!(bytes_of(42, "generate/fhir"), expected);
        assert_ne!(bytes_of(43, "generate/fhir"), expected);
        assert_ne!(bytes_of(42, "generate/fhi"), expected);
    }

    #[test]
    fn draws_stay_in_range_and_reach_both_ends() {
        let mut stream = Seed::new(1).stream("draws");
        let mut seen = [0u32; 6];
        for _ in 0..600 {
            let value = stream.between(10, 15);
            seen[usize::try_from(value - 10).unwrap()] += 1;
        }
        assert!(seen.iter().all(|&count| (50..=150).contains(&count)), "{seen:?}");
        assert!(!stream.chance(0, 3));
        assert!(stream.chance(3, 3));
        assert_eq!(*stream.pick(&["only"]), "only");
    }

    /// Words that a test chooses.
    struct Words(Vec<u32>);

    impl rand_chacha::rand_core::TryRng for Words {
        type Error = std::convert::Infallible;

        fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
            Ok(self.0.remove(0))
        }

        fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
            Ok(u64::from(self.0.remove(0)))
        }

        fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
            bytes.fill(0);
            Ok(())
        }
    }

    #[test]
    fn a_word_that_would_bias_the_draw_is_drawn_again() {
        // 2^32 mod 3 is 1: only the word 0 leaves a low half below 1.
        let mut words = Words(vec![0, u32::MAX]);
        assert_eq!(words.below(3), 2);
        assert!(words.0.is_empty(), "the first word was rejected");
    }
}
