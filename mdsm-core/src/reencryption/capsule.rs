//! The capsule: the ciphertext that holds the key of one file, under somebody's lattice key. [PRE-1]

use thiserror::Error;

use super::kernel::Modulus;
use super::set::{Parameters, Set};
use crate::codec::{Decode, DecodeError, Encode, Reader, Wire};
use crate::types::{Digest, KeyId};

/// A capsule as it was sealed, or as a proxy re-encrypted it.
///
/// Words: c1, as many as the dimension, then c2, as many as the columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capsule {
    set: Set,
    hop: u8,
    /// Name of the file's key.
    pub key_id: KeyId,
    /// Digest of the public key under which the capsule was sealed.
    pub owner: Digest,
    /// Digest of the public key under which it is now, or the pseudonym of a key-private key.
    pub holder: Digest,
    words: Vec<u32>,
}

/// Words that are no capsule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CapsuleError {
    /// Too few or too many words for the set.
    #[error("{words} words, a capsule of {} has {words_expected}", set.parameters().name)]
    Length {
        /// The set.
        set: Set,
        /// Words given.
        words: usize,
        /// Words of a capsule of this set.
        words_expected: usize,
    },
    /// A word is not below the modulus.
    #[error("word {place} is {word}, the highest is {highest}")]
    Word {
        /// Its place.
        place: usize,
        /// The word.
        word: u32,
        /// The modulus less 1.
        highest: u32,
    },
    /// More hops than the set allows.
    #[error("{hop} hops, a capsule of {} makes at most {hops_max}", set.parameters().name)]
    Hops {
        /// The set.
        set: Set,
        /// Hops given.
        hop: u8,
        /// Most hops of this set.
        hops_max: usize,
    },
}

impl Capsule {
    /// Takes words, c1 before c2, if they are a capsule of the set.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn new(
        set: Set,
        hop: u8,
        key_id: KeyId,
        [owner, holder]: [Digest; 2],
        words: Vec<u32>,
    ) -> Result<Self, CapsuleError> {
        let parameters = set.parameters();
        let (words_expected, highest) = (parameters.capsule_words(), parameters.modulus.mask());
        if words.len() != words_expected {
            return Err(CapsuleError::Length { set, words: words.len(), words_expected });
        }
        if let Some((place, word)) = words.iter().enumerate().find(|(_, word)| **word > highest) {
            return Err(CapsuleError::Word { place, word: *word, highest });
        }
        let hops_max = parameters.hops_max();
        if usize::from(hop) > hops_max {
            return Err(CapsuleError::Hops { set, hop, hops_max });
        }
        Ok(Self { set, hop, key_id, owner, holder, words })
    }

    /// The capsule after one more hop, of sums that are not yet reduced.
    ///
    /// # Panics
    /// When the words are not as many as before, or all hops are made.
    pub(super) fn next(&self, holder: Digest, mut sums: Vec<u32>) -> Self {
        assert_eq!(sums.len(), self.words.len(), "words of a capsule");
        assert!(usize::from(self.hop) < self.parameters().hops_max(), "a hop to spare");
        let mask = self.parameters().modulus.mask();
        sums.iter_mut().for_each(|sum| *sum &= mask);
        let Self { set, hop, key_id, owner, .. } = *self;
        Self { set, hop: hop + 1, key_id, owner, holder, words: sums }
    }

    /// The parameter set.
    #[must_use]
    pub fn set(&self) -> Set {
        self.set
    }

    /// How often it was re-encrypted.
    #[must_use]
    pub fn hop(&self) -> u8 {
        self.hop
    }

    /// All words, c1 before c2.
    #[must_use]
    pub fn words(&self) -> &[u32] {
        &self.words
    }

    /// The words that a secret key is multiplied by.
    #[must_use]
    pub fn c1(&self) -> &[u32] {
        &self.words[..self.parameters().dimension]
    }

    /// The words that hold the message.
    #[must_use]
    pub fn c2(&self) -> &[u32] {
        &self.words[self.parameters().dimension..]
    }

    pub(super) fn parameters(&self) -> &'static Parameters {
        self.set.parameters()
    }
}

impl Encode for Capsule {
    fn encode(&self, out: &mut Vec<u8>) {
        self.set.encode(out);
        self.hop.encode(out);
        self.key_id.encode(out);
        self.owner.encode(out);
        self.holder.encode(out);
        put_words(self.parameters().modulus, &self.words, out);
    }
}

impl Decode for Capsule {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        //= harness/spec/reencryption.md#pre-1-scheme
        //# PRE-1.7 (ours): Every key and every capsule MUST name its parameter set, which is one of
        //# S704, S704x3, S976, S1344, W1152-B3, W1792-B3, H1152, Bits704 and Toy16.
        let set: Set = reader.field("set")?;
        let hop = reader.field_where("hop", |hop: &u8| {
            let known = usize::from(*hop) <= set.parameters().hops_max();
            if known { Ok(()) } else { Err("more hops than the parameter set allows") }
        })?;
        let (key_id, owner, holder) =
            (reader.field("key_id")?, reader.field("owner")?, reader.field("holder")?);
        let parameters = set.parameters();
        let words = take_words(parameters.modulus, parameters.capsule_words(), reader)
            .map_err(|error| error.inside("words"))?;
        Ok(Self { set, hop, key_id, owner, holder, words })
    }
}

impl Wire for Capsule {
    const TAG: [u8; 4] = *b"MCAP";
    const NAME: &'static str = "Capsule";
}

/// Appends words in as many little-endian bytes as the modulus has.
pub(super) fn put_words(modulus: Modulus, words: &[u32], out: &mut Vec<u8>) {
    let start = out.len();
    out.resize(start + words.len() * modulus.word_bytes(), 0);
    let bytes = &mut out[start..];
    match modulus {
        Modulus::Q16 => {
            for (bytes, word) in bytes.as_chunks_mut().0.iter_mut().zip(words) {
                let [first, second, ..] = word.to_le_bytes();
                *bytes = [first, second];
            }
        }
        Modulus::Q24 => {
            for (bytes, word) in bytes.as_chunks_mut().0.iter_mut().zip(words) {
                let [first, second, third, _] = word.to_le_bytes();
                *bytes = [first, second, third];
            }
        }
    }
}

/// Reads so many words. Every pattern of bytes is a word, since the modulus is a power of 256.
pub(super) fn take_words(
    modulus: Modulus,
    count: usize,
    reader: &mut Reader<'_>,
) -> Result<Vec<u32>, DecodeError> {
    let bytes = reader.take(count * modulus.word_bytes())?;
    let (pairs, triples) = (bytes.as_chunks().0.iter(), bytes.as_chunks().0.iter());
    Ok(match modulus {
        Modulus::Q16 => pairs.map(|bytes| u16::from_le_bytes(*bytes).into()).collect(),
        Modulus::Q24 => triples.map(|[a, b, c]| u32::from_le_bytes([*a, *b, *c, 0])).collect(),
    })
}
