//! The conformance kit: the protocol of `PROTOCOL.md` and what it is spoken with.
//!
//! `value` are the values of the protocol, `class` its error classes, `reference` answers its
//! operations, `vectors` holds the stored cases.

pub mod class;
pub mod reference;
pub mod value;
pub mod vectors;
