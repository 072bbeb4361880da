//! What recrypt calls of ed25519-dalek, over ed25519-zebra.

pub use ed25519_zebra::Signature;
pub use ed25519_zebra::ed25519::signature::{Error, Signer, Verifier};
use rand_core::CryptoRng;

/// A secret key with its public key.
pub struct SigningKey(ed25519_zebra::SigningKey);

impl SigningKey {
    /// A fresh key.
    pub fn generate<R: CryptoRng>(rng: &mut R) -> Self {
        Self(ed25519_zebra::SigningKey::new(rng))
    }

    /// The key of this seed.
    #[must_use]
    pub fn from_bytes(seed: &[u8; 32]) -> Self {
        Self((*seed).into())
    }

    /// Seed | public key.
    #[must_use]
    pub fn to_keypair_bytes(&self) -> [u8; 64] {
        let mut bytes = [0; 64];
        bytes[..32].copy_from_slice(self.0.as_ref());
        bytes[32..].copy_from_slice(&VerifyingKey::from(self).to_bytes());
        bytes
    }
}

impl Signer<Signature> for SigningKey {
    fn try_sign(&self, message: &[u8]) -> Result<Signature, Error> {
        Ok(self.0.sign(message))
    }
}

/// A public key.
pub struct VerifyingKey(ed25519_zebra::VerificationKey);

impl VerifyingKey {
    /// The key of these bytes.
    ///
    /// # Errors
    /// When they are no point of the curve.
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, Error> {
        let key = ed25519_zebra::VerificationKey::try_from(*bytes);
        key.map(Self).map_err(|_| Error::new())
    }

    /// The key as it travels.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 32] {
        self.0.into()
    }
}

impl From<&SigningKey> for VerifyingKey {
    fn from(key: &SigningKey) -> Self {
        Self(key.0.verification_key())
    }
}

impl Verifier<Signature> for VerifyingKey {
    fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), Error> {
        Verifier::verify(&self.0, message, signature)
    }
}
