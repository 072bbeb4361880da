//! Somebody else's implementation gets a verdict, through the adapter protocol.
//!
//! Spec: `harness/PROTOCOL.md`. What an adapter says is never trusted: lines, memory and time are bounded,
//! and none of its faults counts as a rejection.

pub mod adapter;
mod class;
pub mod protocol;

pub use class::Class;
