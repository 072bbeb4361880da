//! Somebody else's implementation gets a verdict, through the adapter protocol.
//!
//! Spec: `harness/PROTOCOL.md`. What an adapter says is never trusted: lines, memory and time are bounded,
//! and none of its faults counts as a rejection.
//!
//! `protocol`, `value` and `class` are the page; `adapter` and `subject` somebody's program behind it, `reference`
//! ours; `vectors` and `properties` make the cases; `run` judges them, `verdicts` turns them into sentences;
//! `register` says which readings work together.

pub mod adapter;
pub mod case;
pub mod cases;
pub mod class;
pub mod doctor;
pub mod explain;
pub mod follows;
pub mod judge;
pub mod known;
pub mod network;
mod opened;
pub mod properties;
pub mod protocol;
pub mod reference;
pub mod register;
pub mod run;
pub mod sentences;
pub mod serve;
pub mod subject;
pub mod transcript;
pub mod value;
pub mod vectors;
mod verdicts;

pub use class::{Class, ClassError};
