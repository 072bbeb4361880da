//! Reference implementation of MDSM, the Medical Data Sharing Model.

pub mod codec;
pub mod crypto;
pub mod freezing;
pub mod ledger;
#[cfg(feature = "node")]
pub mod log;
pub mod merkle;
pub mod params;
#[cfg(feature = "node")]
pub mod store;
pub(crate) mod sync;
pub mod types;
