//! The spec in naive code with its own arithmetic: what the oracles ask. [STO-1] [STO-10] [STO-12]
//! [STO-13] [COM-1] to [COM-7] [ANC-2] [PRE-1] [PRE-2]
//!
//! Nothing here uses the code that is judged: bytes are read by borsh into plain structs, held to
//! the bounds of the spec afterwards, and hashed with SHA-256 as the drawings say. Slow on purpose:
//! each function should be seen to be right by reading it beside its section of the spec.

pub mod access;
pub mod acts;
pub mod agreement;
pub mod bounds;
pub mod chain;
pub mod clients;
pub mod ed25519;
pub mod headers;
pub mod ids;
pub mod lattice;
pub mod ledger;
pub mod merkle;
pub mod messages;
pub mod mirror;
pub mod ots;
pub mod privacy;
pub mod receipt;
pub mod roster;
pub mod sealed;
pub mod sharing;
pub mod transaction;
pub mod wire;
