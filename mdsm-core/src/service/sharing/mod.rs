//! A shared file's way as booked acts on a living network: who owns, who reads, who re-encrypts.
//! [PRE-3] [PRE-4] [PRE-5] [PRE-6] [PRE-7] [PRE-8] [DDB-3]
//!
//! ```text
//! reader          owner            institutions                      on the chain     in the vault
//!   |               | file, capsule                                  record           sealed file, capsule
//!   | asks -------->|                                                request          parcel with the offer
//!   |               | grants ------->|                               grant            approvals
//!   |               |<---------- bid | .. each of them               bids             keys of bidders
//!   |               | chooses ------>| proxy                         choice           parcel with the key
//!   |<-------------------- delivers  | re-encrypts                   delivery         signed deliveries
//!   | opens         | revokes                                        revocation
//!   | disputes ---->| confirms                                       dispute, confirmation
//! ```
//! Institutions stand on their own books (desk), people on what a light client can prove to them (remote).
//!
//! On the chain are signatures and digests; in the vault, found by these digests, are public keys and what
//! only its receiver can open. Nothing else passes between the three.
//!
//! Invariants: what comes out of the vault is compared with the digest that the chain has before anybody uses
//! it; what a proxy does next follows from the chain and its secret alone, so that one that was killed goes on
//! where it was and does nothing twice; a spent offer is on the disk before the key made of it leaves.
//!
//! Cost, S704: an offer travels in a parcel of 1.1 MB, a re-encryption key in one of the same size, a
//! delivery has 2.2 KB.

mod desk;
mod error;
mod exchange;
mod fetch;
mod person;
mod proxy;
mod remote;
mod spent;
mod story;
#[cfg(test)]
mod tests;

pub use desk::Desk;
pub use error::{DeliveryFault, SharingError};
pub use exchange::{Exchange, ExchangeError, Tip, Vault, Watch};
pub use person::{Label, Person, Reached, Terms, has_effect, sealed, until};
pub use proxy::{Proxy, Step};
pub use remote::{DelegateError, Remote};
pub use spent::{SpentBook, SpentError};
pub use story::{Told, story};
