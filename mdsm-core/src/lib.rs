//! Reference implementation of MDSM, the Medical Data Sharing Model.

#[cfg(feature = "node")]
pub mod anchoring;
#[cfg(feature = "node")]
pub mod bitcoin;
pub mod chain;
pub mod codec;
pub mod crypto;
pub mod merkle;
pub mod params;
pub(crate) mod sync;
pub mod types;
