//! Somebody else's implementation gets a verdict, through the adapter protocol.
//!
//! Spec: `harness/PROTOCOL.md`. What an adapter says is never trusted: lines, memory and time are bounded,
//! and none of its faults counts as a rejection.

pub mod adapter;
pub mod case;
mod class;
pub mod doctor;
pub mod explain;
pub mod known;
pub mod properties;
pub mod protocol;
pub mod run;
pub mod sentences;
pub mod subject;
pub mod transcript;
pub mod value;
mod verdicts;

pub use class::{Class, ClassError};
