//! Workloads of MDSM, each written once: `benches/instructions.rs` counts them for the gate,
//! `benches/time.rs` times them for the reader.
//!
//! A module here has the inputs and the work and knows no measuring tool. A new one joins with a
//! file of its name in `benches/instructions/` and in `benches/time/`, and a line in both lists.

pub mod chain;
pub mod codec;
pub mod consensus;
pub mod fixture;
pub mod freezing;
pub mod ledger;
pub mod merkle;
pub mod reencryption;
pub mod seal;
pub mod signatures;
