//! The conformance kit as its users meet it: adapters of all kinds behind the program.
//!
//! The bad adapters lie in `adapters/`, POSIX sh each; its README says what each does.
#![allow(clippy::unwrap_used, clippy::allow_attributes, reason = "a test fails by panicking")]

mod bad;
mod bundle;
mod kit;
mod known;
mod mixed;
mod networks;
mod nodes;
mod program;
mod shipped;
