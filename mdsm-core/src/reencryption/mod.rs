//! Proxy re-encryption under plain LWE: an owner lets one reader open one file through a proxy that
//! cannot read it. [PRE-1] to [PRE-9]
//!
//! The scheme of Aono, Boyen, Phong and Wang ("Key-Private Proxy Re-Encryption under LWE", Indocrypt
//! 2013) with signed digits and a modulus that is a power of two. Deviations from the paper: its
//! re-encryption key, which as printed does not decrypt, and its claim of key privacy (spec,
//! reencryption, PRE-2 and PRE-9). What is not promised stands in the spec as well.
//!
//! | who | does | with |
//! |---|---|---|
//! | everybody | draws a key pair from a seed | [`generate`] |
//! | owner | seals a file's key into a capsule | [`encapsulate`] |
//! | owner | recomputes the capsule and signs that it may be re-encrypted | [`approve`] |
//! | reader | makes its part of a re-encryption key, for one owner | [`Offer`] |
//! | owner | adds its part, once for each offer | [`Offer::accept`] |
//! | proxy | re-encrypts what was approved, and signs what it delivers | [`WarmKey`], [`Delivery`] |
//! | reader | recomputes the owner's capsule, and opens the file | [`open`] |
//!
//! Offers and re-encryption keys travel in a [`Parcel`], sealed to their receiver.
//!
//! Everything follows from seeds given as arguments; equal seeds give equal bytes on every CPU.
//! [`bare`] holds the algorithms without their guards, for those who attack them.
//!
//! Cost, S704: encapsulation 0.7 million multiply-adds; a re-encryption 2.7 million, and 5 MB read
//! from memory for a batch of any size.

mod approvals;
mod approve;
pub mod bare;
mod capsule;
mod delivery;
mod digits;
mod encapsulate;
mod error;
mod expand;
mod kernel;
mod keys;
mod message;
mod noise;
mod offer;
mod open;
mod parcel;
mod reencrypt;
mod rekey;
mod set;
mod setup;
#[cfg(test)]
mod tests;
mod wiped;

pub use approvals::Approvals;
pub use approve::{Admission, Admitted, Approval, ApproveError, approve};
pub use capsule::{Capsule, CapsuleError};
pub use delivery::Delivery;
pub use encapsulate::encapsulate;
pub use error::{AdmitError, OpenError, ReencryptError, RekeyError};
pub use kernel::{Backend, Modulus};
pub use keys::{PublicKey, SecretKey, generate};
pub use message::Message;
pub use noise::Noise;
pub use offer::{Offer, SpentOffers, SpentOut};
pub use open::open;
pub use parcel::{Parcel, ParcelError, ParcelKey, ParcelPublicKey, Purpose};
pub use reencrypt::{ProxySecret, WarmKey};
pub use rekey::ReKey;
pub use set::{DigitShape, IMPOSSIBLE, Parameters, Set, Variant};
