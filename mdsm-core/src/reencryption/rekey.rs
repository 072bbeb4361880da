//! The re-encryption key: X from a seed, and -X S_B + E + Power(S_A). [PRE-2] [PRE-9]

use zeroize::{Zeroize, Zeroizing};

use super::expand::Uniform;
use super::kernel::Packed;
use super::keys::{put_matrix, take_matrix};
use super::offer::uniform;
use super::set::{Set, Variant};
use crate::codec::{Decode, DecodeError, Encode, Reader, Wire};
use crate::crypto::sha256;
use crate::types::Digest;

/// Turns capsules of one owner into capsules of one reader. Wiped on drop.
pub struct ReKey {
    set: Set,
    variant: Variant,
    grant: Digest,
    owner: Digest,
    reader: Digest,
    seed: [u8; 32],
    pub(super) matrix: Packed,
    digest: Digest,
}

//= harness/spec/reencryption.md#pre-5-re-encryption
//# PRE-5.2 (paper): The proxy MUST NOT be able to read what it re-encrypts.
// Under LWE it sees random words; with the reader's secret it would see the owner's.
impl ReKey {
    pub(super) fn new(
        set: Set,
        variant: Variant,
        grant: Digest,
        [owner, reader]: [Digest; 2],
        seed: [u8; 32],
        matrix: Packed,
    ) -> Self {
        let digest = Digest::new([0; 32]);
        let mut key = Self { set, variant, grant, owner, reader, seed, matrix, digest };
        // The encoding holds the owner's key in weighted form.
        key.digest = sha256(&Zeroizing::new(key.to_bytes()));
        key
    }

    /// The parameter set.
    #[must_use]
    pub fn set(&self) -> Set {
        self.set
    }

    /// Whether it names its reader.
    #[must_use]
    pub fn variant(&self) -> Variant {
        self.variant
    }

    /// Digest of the record that allows its use.
    #[must_use]
    pub fn grant(&self) -> Digest {
        self.grant
    }

    /// Digest of the public key whose capsules it takes.
    #[must_use]
    pub fn owner(&self) -> Digest {
        self.owner
    }

    /// Digest of the public key whose capsules it makes, or a pseudonym.
    #[must_use]
    pub fn reader(&self) -> Digest {
        self.reader
    }

    /// SHA-256 of the encoding.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    pub(super) fn uniform(&self) -> Uniform {
        uniform(self.set, &self.seed)
    }
}

impl Drop for ReKey {
    fn drop(&mut self) {
        self.matrix.zeroize();
    }
}

impl std::fmt::Debug for ReKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { set, variant, owner, reader, .. } = self;
        write!(f, "ReKey({set:?} {variant:?}, {owner} to {reader})")
    }
}

impl Encode for ReKey {
    fn encode(&self, out: &mut Vec<u8>) {
        self.set.encode(out);
        self.variant.encode(out);
        self.grant.encode(out);
        self.owner.encode(out);
        self.reader.encode(out);
        out.extend_from_slice(&self.seed);
        put_matrix(&self.matrix, out);
    }
}

impl Decode for ReKey {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let set = reader.field("set")?;
        let variant: Variant = reader.field("variant")?;
        let grant = reader.field("grant")?;
        let names = [reader.field("owner")?, reader.field("reader")?];
        let seed = reader.array().map_err(|error| error.inside("seed"))?;
        let matrix = take_matrix(set, set.parameters().rekey_rows(variant), reader)
            .map_err(|error| error.inside("matrix"))?;
        Ok(Self::new(set, variant, grant, names, seed, matrix))
    }
}

impl Wire for ReKey {
    const TAG: [u8; 4] = *b"MRKY";
    const NAME: &'static str = "ReKey";
}
