//! What travels when a file is shared: the drawings of the re-encryption chapter as plain structs, with
//! the sizes of its table of sets. [PRE-1] [PRE-3]
//!
//! Words stay bytes: every pattern is a word, since the modulus is a power of 256. How many there are
//! follows from the set, so that these structs are read by hand where borsh would read a count.

use std::io::{self, Read, Write};

use borsh::{BorshDeserialize, BorshSerialize};

use super::bounds::{Bounds, hold};
use super::mirror::Bytes32;

/// Coefficients of an ML-KEM-768 public key lie below this.
const KYBER_PRIME: u16 = 3_329;
/// Bytes of these coefficients, two in three bytes; a seed and an X25519 key follow.
const KYBER_BYTES: usize = 1_152;

/// A line of the table of sets, as far as sizes follow from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// n.
    pub dimension: usize,
    /// Bytes of a word.
    pub word_bytes: usize,
    /// Columns of a key.
    pub columns: usize,
    /// Digits of a word.
    pub digits: usize,
    /// Hops that a capsule may make.
    pub hops_max: u8,
}

/// The line of a set's number.
#[must_use]
pub fn shape(set: u8) -> Option<Shape> {
    let (dimension, word_bytes, columns, digits, hops_max) = match set {
        0 => (16, 2, 64, 3, 2),
        1 => (704, 2, 256, 3, 2),
        2 => (704, 2, 256, 4, 3),
        3 => (976, 2, 256, 3, 2),
        4 => (1_344, 2, 256, 3, 5),
        5 => (1_152, 3, 86, 2, 10),
        6 => (1_792, 3, 86, 2, 10),
        7 => (1_152, 3, 86, 3, 3),
        8 => (704, 2, 256, 16, 3),
        _ => return None,
    };
    Some(Shape { dimension, word_bytes, columns, digits, hops_max })
}

/// Bytes of the words of a public key.
#[must_use]
pub fn key_bytes(set: u8) -> Option<usize> {
    let shape = shape(set)?;
    Some(shape.dimension * shape.columns * shape.word_bytes)
}

/// Bytes of the words of a capsule.
#[must_use]
pub fn capsule_bytes(set: u8) -> Option<usize> {
    let shape = shape(set)?;
    Some((shape.dimension + shape.columns) * shape.word_bytes)
}

/// Bytes of the rows of an offer, or of the key that is made of it; one block of rows for each digit,
/// and one more in variant KeyPrivate.
#[must_use]
pub fn rows_bytes(set: u8, variant: u8) -> Option<usize> {
    let blocks = match variant {
        0 => shape(set)?.digits,
        1 => shape(set)?.digits + 1,
        _ => return None,
    };
    Some(blocks * key_bytes(set)?)
}

macro_rules! of_words {
    ($(
        $(#[$doc:meta])* $name:ident { $($field:ident: $type:ty),* $(,)? } then $bytes:expr;
    )*) => { $(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[expect(missing_docs, reason = "the fields are those of the spec, name by name")]
        pub struct $name { $(pub $field: $type,)* pub words: Vec<u8> }

        impl BorshSerialize for $name {
            fn serialize<W: Write>(&self, writer: &mut W) -> io::Result<()> {
                $(self.$field.serialize(writer)?;)*
                writer.write_all(&self.words)
            }
        }

        impl BorshDeserialize for $name {
            fn deserialize_reader<R: Read>(reader: &mut R) -> io::Result<Self> {
                $(let $field = <$type>::deserialize_reader(reader)?;)*
                let words = words(reader, $bytes)?;
                Ok(Self { $($field,)* words })
            }
        }
    )* };
}

of_words! {
    /// P.
    PublicKey { set: u8 } then key_bytes(set);
    /// The key of a file, under somebody's key.
    Capsule { set: u8, hop: u8, key_id: Bytes32, owner: Bytes32, holder: Bytes32 }
        then capsule_bytes(set);
    /// A reader's part of a key.
    Offer { set: u8, variant: u8, owner: Bytes32, reader: Bytes32, seed: Bytes32 }
        then rows_bytes(set, variant);
    /// What a proxy re-encrypts with.
    ReKey {
        set: u8,
        variant: u8,
        grant: Bytes32,
        owner: Bytes32,
        reader: Bytes32,
        seed: Bytes32,
    } then rows_bytes(set, variant);
}

/// An owner's word on a capsule.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[expect(missing_docs, reason = "the fields are those of the spec, name by name")]
pub struct Approval {
    pub capsule: Bytes32,
    pub key: Bytes32,
    pub owner: Bytes32,
    pub signature: [u8; 64],
}

/// What an owner signed of the capsules of a grant.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[expect(missing_docs, reason = "the fields are those of the spec, name by name")]
pub struct Approvals {
    pub approvals: Vec<Approval>,
}

/// The keys that a person declares.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[expect(missing_docs, reason = "the fields are those of the spec, name by name")]
pub struct KeyRecord {
    pub lattice: Bytes32,
    pub parcels: Bytes32,
}

/// What a proxy stands by.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[expect(missing_docs, reason = "the fields are those of the spec, name by name")]
pub struct Delivery {
    pub grant: Bytes32,
    pub before: Bytes32,
    pub capsule: Capsule,
    pub proxy: Bytes32,
    pub signature: [u8; 64],
}

/// Offers that were accepted.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[expect(missing_docs, reason = "the fields are those of the spec, name by name")]
pub struct SpentOffers {
    pub offers: Vec<Bytes32>,
}

/// A sealed value on its way.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[expect(missing_docs, reason = "the fields are those of the spec, name by name")]
pub struct Parcel {
    pub purpose: u8,
    pub sender: Bytes32,
    pub receiver: Bytes32,
    pub encapsulated: Vec<u8>,
    pub sealed: Vec<u8>,
    pub signature: [u8; 64],
}

/// An X-Wing key.
#[derive(Clone, Debug, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
#[expect(missing_docs, reason = "the fields are those of the spec, name by name")]
pub struct ParcelPublicKey {
    pub key: Box<[u8; 1_216]>,
}

/// Reads so many bytes, and takes no memory for those that do not come.
fn words(reader: &mut impl Read, bytes: Option<usize>) -> io::Result<Vec<u8>> {
    let fault = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what);
    let bytes = bytes.ok_or_else(|| fault("no such set, or no such variant"))?;
    let mut words = Vec::new();
    let limit = u64::try_from(bytes).map_err(|_| fault("more than a u64 counts"))?;
    reader.take(limit).read_to_end(&mut words)?;
    if words.len() == bytes { Ok(words) } else { Err(fault("the words end too early")) }
}

impl Bounds for PublicKey {
    fn check(&self) -> Result<(), String> {
        Ok(())
    }
}

impl Bounds for Capsule {
    fn check(&self) -> Result<(), String> {
        let hops_max = shape(self.set).ok_or("set: unknown")?.hops_max;
        hold(self.hop <= hops_max, "hop: more than the set allows")
    }
}

impl Bounds for Offer {
    fn check(&self) -> Result<(), String> {
        Ok(())
    }
}

impl Bounds for ReKey {
    fn check(&self) -> Result<(), String> {
        Ok(())
    }
}

impl Bounds for Approval {
    fn check(&self) -> Result<(), String> {
        Ok(())
    }
}

impl Bounds for Approvals {
    fn check(&self) -> Result<(), String> {
        hold((1..=64).contains(&self.approvals.len()), "approvals: not 1 to 64")?;
        let capsules = self.approvals.iter().map(|approval| approval.capsule);
        hold(capsules.is_sorted_by(|one, next| one < next), "approvals: not ascending")
    }
}

impl Bounds for KeyRecord {
    fn check(&self) -> Result<(), String> {
        Ok(())
    }
}

impl Bounds for Delivery {
    fn check(&self) -> Result<(), String> {
        self.capsule.check()
    }
}

impl Bounds for SpentOffers {
    fn check(&self) -> Result<(), String> {
        hold(self.offers.len() <= 1 << 20, "offers: more than 2^20")?;
        hold(self.offers.is_sorted_by(|one, next| one < next), "offers: not ascending")
    }
}

impl Bounds for Parcel {
    fn check(&self) -> Result<(), String> {
        hold((1..=2).contains(&self.purpose), "purpose: unknown")?;
        hold(self.encapsulated.len() == 1_120, "encapsulated: not 1,120 bytes")?;
        hold((16..=8_388_624).contains(&self.sealed.len()), "sealed: not a tag and up to 8 MiB")
    }
}

impl Bounds for ParcelPublicKey {
    fn check(&self) -> Result<(), String> {
        // FIPS 203, 7.2, "Modulus check".
        let reduced = self.key[..KYBER_BYTES].chunks(3).all(|three| {
            let [low, middle, high] = [three[0], three[1], three[2]].map(u16::from);
            (middle & 15) << 8 | low < KYBER_PRIME && high << 4 | middle >> 4 < KYBER_PRIME
        });
        hold(reduced, "key: a coefficient is not below 3,329")
    }
}
