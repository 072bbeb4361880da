//! The reader's part of a re-encryption key: X from a seed, and U = -X S + E. [PRE-3]
//!
//! U lets whoever also sees the owner's answer compute the owner's key, and one U used for two owners
//! gives away the difference of their keys. So an offer names the one key that it is for, is sealed
//! to its owner (`Parcel`), and is spent by its acceptance.

use std::collections::BTreeSet;

use thiserror::Error;
use zeroize::{Zeroize, Zeroizing};

use super::digits::weight;
use super::error::RekeyError;
use super::expand::{Coins, Uniform};
use super::kernel::Packed;
use super::keys::{SecretKey, put_matrix, subtract_product, take_matrix};
use super::rekey::ReKey;
use super::set::{Set, Variant};
use super::wiped::Wiped;
use crate::codec::{Decode, DecodeError, DecodeErrorKind, Encode, Reader, Wire, prefix};
use crate::crypto::sha256_parts;
use crate::params::SPENT_OFFERS_MAX;
use crate::types::Digest;

/// What a reader sends to one owner. Wiped on drop.
pub struct Offer {
    pub(super) set: Set,
    pub(super) variant: Variant,
    /// Digest of the public key whose owner may accept it.
    pub owner: Digest,
    /// Digest of the reader's public key, or a pseudonym.
    pub reader: Digest,
    pub(super) seed: [u8; 32],
    pub(super) matrix: Packed,
}

/// X, of so many rows as are asked for.
pub(super) fn uniform(set: Set, seed: &[u8; 32]) -> Uniform {
    Uniform::new(*b"MLWX", set, seed)
}

impl Offer {
    /// Makes an offer of the holder of `secret` to the owner of a public key with this digest.
    ///
    /// Equal arguments give equal offers; `coins` must be 32 fresh random bytes for each.
    #[must_use]
    pub fn new(secret: &SecretKey, owner: Digest, variant: Variant, coins: &[u8; 32]) -> Self {
        let set = secret.set();
        let parameters = set.parameters();
        //= harness/spec/reencryption.md#pre-3-request-and-grant
        //# PRE-3.4 (ours): The value U = -X S_B + E that a reader sends to an owner MUST be used for
        //# one re-encryption key only.
        // With the owner's name among the coins, two owners never get one U.
        let names = [owner.as_bytes().as_slice(), secret.public().as_bytes()].concat();
        let noise = sha256_parts(&[&prefix(*b"MOFN"), &[set as u8, variant as u8], &names, coins]);
        let noise = Zeroizing::new(*noise.as_bytes());
        let coins = Coins::new(&noise);
        let seed = *sha256_parts(&[&prefix(*b"MOFX"), noise.as_slice()]).as_bytes();
        //= harness/spec/reencryption.md#pre-9-defect-key-privacy
        //# PRE-9.4 (ours): A re-encryption key of that variant MUST name its reader by a pseudonym that is
        //# used once.
        let reader = match variant {
            Variant::Public => secret.public(),
            Variant::KeyPrivate => sha256_parts(&[&prefix(*b"MPSE"), &seed]),
        };
        let mut words = Wiped::zeros(set.parameters().rekey_rows(variant), parameters.columns);
        parameters.noise.add_to(coins.stream(0), words.entries_mut());
        subtract_product(&uniform(set, &seed), &secret.matrix, &mut words);
        let matrix = Packed::new(parameters.modulus, words.view());
        Self { set, variant, owner, reader, seed, matrix }
    }

    /// The parameter set.
    #[must_use]
    pub fn set(&self) -> Set {
        self.set
    }

    /// Whether the key made of it will name the reader.
    #[must_use]
    pub fn variant(&self) -> Variant {
        self.variant
    }

    /// Digest of U alone: an offer that says other things around the same U is the same offer.
    fn fingerprint(&self) -> Digest {
        let mut words = Zeroizing::new(Vec::new());
        put_matrix(&self.matrix, &mut words);
        sha256_parts(&[&prefix(*b"MOFU"), &words])
    }

    /// The owner's part: adds the powers of its secret key, and spends the offer.
    ///
    /// `grant` is the digest of the record that allows it.
    ///
    /// # Errors
    /// When the offer is another owner's, of another set, or was accepted before.
    pub fn accept(
        self,
        secret: &SecretKey,
        grant: Digest,
        spent: &mut SpentOffers,
    ) -> Result<ReKey, RekeyError> {
        if self.set != secret.set() {
            return Err(RekeyError::Set { offer: self.set, key: secret.set() });
        }
        //= harness/spec/reencryption.md#pre-3-request-and-grant
        //# PRE-3.7 (ours): An owner MUST refuse an offer that was made for another key.
        if self.owner != secret.public() {
            return Err(RekeyError::AnotherOwner { offered_to: self.owner, key: secret.public() });
        }
        spent.spend(self.fingerprint())?;
        //= harness/spec/reencryption.md#pre-3-request-and-grant
        //# PRE-3.2 (paper): The owner MUST encrypt the part asked for and make a re-encryption key from
        //# itself to that reader.
        //= harness/spec/reencryption.md#pre-2-defect-the-printed-re-encryption-key
        //# PRE-2.1 (ours): Re-encryption MUST compute [ Digits(c1), h1 ] Q + (h2, h3 + c2) with
        //# Q = [[ X, -X S_B + E + Power(S_A) ], [ A, P_B ]].
        let parameters = self.set.parameters();
        let secret_words = Wiped::new(secret.matrix.unpacked());
        let mut words = Wiped::new(self.matrix.unpacked());
        for (number, mut row) in words.outer_iter_mut().enumerate().take(parameters.digit_rows()) {
            let (place, row_of_secret) =
                (number / parameters.dimension, number % parameters.dimension);
            let weight = weight(parameters.digits, place);
            for (word, secret) in row.iter_mut().zip(secret_words.row(row_of_secret)) {
                let sum = word.wrapping_add(secret.wrapping_mul(weight));
                *word = sum & parameters.modulus.mask();
            }
        }
        let matrix = Packed::new(parameters.modulus, words.view());
        let Self { set, variant, owner, reader, seed, .. } = self;
        Ok(ReKey::new(set, variant, grant, [owner, reader], seed, matrix))
    }
}

impl Drop for Offer {
    fn drop(&mut self) {
        self.matrix.zeroize();
    }
}

impl std::fmt::Debug for Offer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { set, variant, owner, reader, .. } = self;
        write!(f, "Offer({set:?} {variant:?}, to {owner}, of {reader})")
    }
}

impl Encode for Offer {
    fn encode(&self, out: &mut Vec<u8>) {
        self.set.encode(out);
        self.variant.encode(out);
        self.owner.encode(out);
        self.reader.encode(out);
        out.extend_from_slice(&self.seed);
        put_matrix(&self.matrix, out);
    }
}

impl Decode for Offer {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let set = reader.field("set")?;
        let variant: Variant = reader.field("variant")?;
        let (owner, name) = (reader.field("owner")?, reader.field("reader")?);
        let seed = reader.array().map_err(|error| error.inside("seed"))?;
        let matrix = take_matrix(set, set.parameters().rekey_rows(variant), reader)
            .map_err(|error| error.inside("matrix"))?;
        Ok(Self { set, variant, owner, reader: name, seed, matrix })
    }
}

impl Wire for Offer {
    const TAG: [u8; 4] = *b"MOFF";
    const NAME: &'static str = "Offer";
}

/// Offers that an owner has accepted, by the digests of their U. Kept for as long as the key is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SpentOffers(BTreeSet<Digest>);

/// No room for another spent offer: the key has to be replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{offers_max} offers were accepted with this key; it has to be replaced")]
pub struct SpentOut {
    /// Offers that a key may accept.
    pub offers_max: usize,
}

impl SpentOffers {
    fn spend(&mut self, offer: Digest) -> Result<(), RekeyError> {
        if self.0.len() >= SPENT_OFFERS_MAX {
            return Err(RekeyError::SpentOut(SpentOut { offers_max: SPENT_OFFERS_MAX }));
        }
        if self.0.insert(offer) { Ok(()) } else { Err(RekeyError::Spent { offer }) }
    }
}

impl Encode for SpentOffers {
    fn encode(&self, out: &mut Vec<u8>) {
        u32::try_from(self.0.len()).expect("far below 2^32").encode(out);
        self.0.iter().for_each(|offer| offer.encode(out));
    }
}

impl Decode for SpentOffers {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let count = reader.count(0, SPENT_OFFERS_MAX, Digest::BYTES)?;
        let mut offers = BTreeSet::new();
        for index in 0..count {
            let start = reader.offset();
            let offer = reader.element(index)?;
            if offers.last().is_some_and(|last| *last >= offer) {
                let error = DecodeError::new(start, DecodeErrorKind::Order);
                return Err(error.inside_element(index));
            }
            offers.insert(offer);
        }
        Ok(Self(offers))
    }
}

impl Wire for SpentOffers {
    const TAG: [u8; 4] = *b"MSPO";
    const NAME: &'static str = "SpentOffers";
}
