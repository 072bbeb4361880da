//! An institution joins. [COM-1] [COM-3]

use thiserror::Error;

use crate::codec::{Encode, Wire, prefix, wire_struct};
use crate::crypto::sign::{self, KeyError, Scheme, SigningKey};
use crate::types::{ChainId, InstitutionId, OwnerId, Signature};

/// An institution with its key and rating, signed by that key and by the body that rates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Registration {
    /// The id that it asks for.
    //= harness/spec/committees.md#com-3-registration
    //# COM-3.4 (ours): The id MUST be an integer of 32 bits.
    pub institution: InstitutionId,
    /// Its key.
    pub key: OwnerId,
    /// Points, 0 to 100.
    pub rating: u8,
    /// Size of its information centre.
    pub centre: u32,
    /// Signature by the key.
    pub signature: Signature,
    /// Signature by the registrar.
    pub approval: Signature,
}

/// A registration that must not be booked, whatever the state of the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RegistrationError {
    /// The key cannot sign for an institution.
    #[error("registration.key: {0}")]
    Key(#[from] KeyError),
    /// More points than there are.
    #[error("registration.rating: {rating} where 100 are the most")]
    Rating {
        /// Points claimed.
        rating: u8,
    },
    /// The key did not sign.
    #[error("registration.signature: does not hold")]
    Signature,
    /// The registrar did not sign.
    #[error("registration.approval: does not hold")]
    Approval,
}

/// Points that a rating has at most.
const RATING_MAX: u8 = 100;

impl Registration {
    /// A registration signed by both.
    #[must_use]
    pub fn sign(
        chain: &ChainId,
        institution: InstitutionId,
        (rating, centre): (u8, u32),
        key: &SigningKey,
        registrar: &SigningKey,
    ) -> Self {
        let none = Signature::new([0; 64]);
        let (owner, signature) = (key.owner(), none);
        let unsigned = Self { institution, key: owner, rating, centre, signature, approval: none };
        let message = unsigned.message(chain);
        let (signature, approval) = (key.sign(&message), registrar.sign(&message));
        Self { signature, approval, ..unsigned }
    }

    /// What both sign: `"MREG" 1 | chain | institution | key | rating | centre`.
    #[must_use]
    pub fn message(&self, chain: &ChainId) -> Vec<u8> {
        let mut message = prefix(*b"MREG").to_vec();
        message.extend_from_slice(chain.as_bytes());
        self.institution.encode(&mut message);
        self.key.encode(&mut message);
        self.rating.encode(&mut message);
        self.centre.encode(&mut message);
        message
    }

    /// Checks key, rating and signatures. Cost: two signature checks.
    pub fn check(
        &self,
        chain: &ChainId,
        registrar: &OwnerId,
        scheme: &impl Scheme,
    ) -> Result<(), RegistrationError> {
        sign::check_key(&self.key)?;
        if self.rating > RATING_MAX {
            return Err(RegistrationError::Rating { rating: self.rating });
        }
        let message = self.message(chain);
        if !scheme.holds(&self.key, &message, &self.signature) {
            return Err(RegistrationError::Signature);
        }
        if !scheme.holds(registrar, &message, &self.approval) {
            return Err(RegistrationError::Approval);
        }
        Ok(())
    }
}

wire_struct!(Registration { institution, key, rating, centre, signature, approval });

impl Wire for Registration {
    const TAG: [u8; 4] = *b"MRGN";
    const NAME: &'static str = "Registration";
}
