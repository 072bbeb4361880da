//! Reference implementation of MDSM, the Medical Data Sharing Model.

pub mod codec;
pub mod crypto;
pub mod merkle;
pub mod params;
pub mod types;
