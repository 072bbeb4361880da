//! How offers and re-encryption keys travel: sealed to their receiver, signed by their sender. [PRE-3]
//!
//! HPKE (RFC 9180) in base mode with the X-Wing KEM, which holds as long as X25519 or ML-KEM-768 does,
//! SHAKE256 and ChaCha20-Poly1305; an Ed25519 signature over the whole names the sender.

use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::KdfShake256;
use hpke::kem::XWing;
use hpke::{
    Deserializable as _, Kem as _, OpModeR, OpModeS, Serializable as _, single_shot_open,
    single_shot_seal_with_rng,
};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng as _;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::codec::{
    Decode, DecodeError, DecodeErrorKind, Encode, Reader, Wire, prefix, wire_enum, wire_struct,
};
use crate::crypto::sha256_parts;
use crate::crypto::sign::{SigningKey, verify};
use crate::params::PARCEL_BYTES_MAX;
use crate::types::{Blob, Digest, OwnerId, Signature};

/// Bytes of an X-Wing public key.
const PUBLIC_KEY_BYTES: usize = 1_216;
/// Bytes of an X-Wing ciphertext.
const ENCAPSULATED_BYTES: usize = 1_120;
const TAG_BYTES: usize = 16;

wire_enum!(
    /// What a parcel holds; sealed for one purpose it opens for no other.
    Purpose {
        /// An `Offer`, from reader to owner.
        Offer = 1,
        /// A `ReKey`, from owner to proxy.
        ReKey = 2,
    }
);

/// The secret key of a receiver of parcels. Wiped on drop, never printed.
pub struct ParcelKey {
    secret: <XWing as hpke::Kem>::PrivateKey,
    public: ParcelPublicKey,
}

/// The public key of a receiver of parcels.
#[derive(Clone, PartialEq, Eq)]
pub struct ParcelPublicKey([u8; PUBLIC_KEY_BYTES]);

/// A sealed value on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parcel {
    /// What it holds.
    pub purpose: Purpose,
    /// Who sent it.
    pub sender: OwnerId,
    /// SHA-256 of the receiver's public key.
    pub receiver: Digest,
    encapsulated: Blob<ENCAPSULATED_BYTES, ENCAPSULATED_BYTES>,
    sealed: Blob<TAG_BYTES, { PARCEL_BYTES_MAX + TAG_BYTES }>,
    signature: Signature,
}

wire_struct!(Parcel { purpose, sender, receiver, encapsulated, sealed, signature });

impl Wire for Parcel {
    const TAG: [u8; 4] = *b"MPCL";
    const NAME: &'static str = "Parcel";
}

/// A parcel that cannot be sealed or does not open.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ParcelError {
    /// The receiver's key is not one.
    #[error("the receiver's public key is not an X-Wing key")]
    ReceiverKey,
    /// Too much to send.
    #[error("{bytes} bytes to seal, at most {bytes_max} are taken")]
    TooLarge {
        /// Bytes given.
        bytes: usize,
        /// Most bytes.
        bytes_max: usize,
    },
    /// Not of this sender, for this receiver, or for this purpose.
    #[error("the parcel is a {purpose:?} from {sender} to {receiver}")]
    Another {
        /// What it holds.
        purpose: Purpose,
        /// Who sent it.
        sender: OwnerId,
        /// For whom.
        receiver: Digest,
    },
    /// The sender did not sign this.
    #[error("the sender's signature does not hold")]
    Signature,
    /// Not what was sealed for this key.
    #[error("the seal does not open")]
    Seal,
    /// What was sealed is not a value of the kind that is expected.
    #[error(transparent)]
    Content(#[from] DecodeError),
}

impl ParcelKey {
    /// The key pair of 32 random bytes.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        let (secret, public) = XWing::derive_keypair(seed);
        let public = public.to_bytes().as_slice().try_into().expect("X-Wing keys have this size");
        Self { secret, public: ParcelPublicKey(public) }
    }

    /// The public key.
    #[must_use]
    pub fn public(&self) -> &ParcelPublicKey {
        &self.public
    }
}

impl std::fmt::Debug for ParcelKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ParcelKey(of {})", self.public.digest())
    }
}

impl ParcelPublicKey {
    /// SHA-256 of the key: its name.
    #[must_use]
    pub fn digest(&self) -> Digest {
        sha256_parts(&[&prefix(Self::TAG), &self.0])
    }
}

impl std::fmt::Debug for ParcelPublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ParcelPublicKey({})", self.digest())
    }
}

impl Encode for ParcelPublicKey {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.0);
    }
}

impl Decode for ParcelPublicKey {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let start = reader.offset();
        let bytes: [u8; PUBLIC_KEY_BYTES] = reader.array()?;
        if <XWing as hpke::Kem>::PublicKey::from_bytes(&bytes).is_err() {
            let rule = "an X-Wing public key";
            return Err(DecodeError::new(start, DecodeErrorKind::Rule { rule }));
        }
        Ok(Self(bytes))
    }
}

impl Wire for ParcelPublicKey {
    const TAG: [u8; 4] = *b"MPPK";
    const NAME: &'static str = "ParcelPublicKey";
}

impl Parcel {
    /// Seals a value to its receiver. `coins` must be 32 fresh random bytes.
    ///
    /// # Errors
    /// When the value is too large, or the receiver's key is none.
    pub fn seal<T: Wire>(
        purpose: Purpose,
        value: &T,
        sender: &SigningKey,
        receiver: &ParcelPublicKey,
        coins: [u8; 32],
    ) -> Result<Self, ParcelError> {
        //= harness/spec/reencryption.md#pre-3-request-and-grant
        //# PRE-3.5 (ours): Key material between two parties MUST travel encrypted and authenticated
        //# to its receiver.
        let payload = Zeroizing::new(value.to_bytes());
        if payload.len() > PARCEL_BYTES_MAX {
            return Err(ParcelError::TooLarge {
                bytes: payload.len(),
                bytes_max: PARCEL_BYTES_MAX,
            });
        }
        let (sender_id, receiver_id) = (sender.owner(), receiver.digest());
        let key = <XWing as hpke::Kem>::PublicKey::from_bytes(&receiver.0)
            .map_err(|_| ParcelError::ReceiverKey)?;
        let (encapsulated, sealed) =
            single_shot_seal_with_rng::<ChaCha20Poly1305, KdfShake256, XWing>(
                &OpModeS::Base,
                &key,
                &label(purpose, &sender_id, &receiver_id),
                &payload,
                &[],
                &mut ChaCha20Rng::from_seed(coins),
            )
            .map_err(|_| ParcelError::ReceiverKey)?;
        let mut parcel = Self {
            purpose,
            sender: sender_id,
            receiver: receiver_id,
            encapsulated: Blob::new(encapsulated.to_bytes().as_slice()).expect("X-Wing's size"),
            sealed: Blob::new(sealed).expect("the payload and its tag"),
            signature: Signature::new([0; 64]),
        };
        parcel.signature = sender.sign(&parcel.statement());
        Ok(parcel)
    }

    /// Opens a parcel from a sender whom the receiver expects.
    ///
    /// # Errors
    /// When it is from somebody else, for somebody else or something else, or was changed.
    pub fn open<T: Wire>(
        &self,
        purpose: Purpose,
        sender: &OwnerId,
        key: &ParcelKey,
    ) -> Result<T, ParcelError> {
        let receiver = key.public.digest();
        if (self.purpose, self.sender, self.receiver) != (purpose, *sender, receiver) {
            let Self { purpose, sender, receiver, .. } = *self;
            return Err(ParcelError::Another { purpose, sender, receiver });
        }
        verify(sender, &self.statement(), &self.signature).map_err(|_| ParcelError::Signature)?;
        let encapsulated = <XWing as hpke::Kem>::EncappedKey::from_bytes(&self.encapsulated)
            .map_err(|_| ParcelError::Seal)?;
        let payload = single_shot_open::<ChaCha20Poly1305, KdfShake256, XWing>(
            &OpModeR::Base,
            &key.secret,
            &encapsulated,
            &label(purpose, sender, &receiver),
            &self.sealed,
            &[],
        )
        .map_err(|_| ParcelError::Seal)?;
        Ok(T::from_bytes(&Zeroizing::new(payload))?)
    }

    fn statement(&self) -> Vec<u8> {
        let label = label(self.purpose, &self.sender, &self.receiver);
        let content = sha256_parts(&[&self.encapsulated, &self.sealed]);
        [&prefix(*b"MPCS")[..], &label, content.as_bytes()].concat()
    }
}

fn label(purpose: Purpose, sender: &OwnerId, receiver: &Digest) -> Vec<u8> {
    let purpose = [purpose as u8];
    [&prefix(Parcel::TAG)[..], &purpose, sender.as_bytes(), receiver.as_bytes()].concat()
}
