//! Requirement ANC-2 of the spec: each test carries the id of the sentence that it holds the code to.
#![expect(clippy::unwrap_used, reason = "a failure here is a failure of the test")]

mod case;
mod headers;
mod ots;
mod receipt;
mod size;
mod transaction;
