//! Chapter PRE of the spec: the core beside the rules, stored vectors, and every number of the parameter
//! table computed again.
#![expect(clippy::unwrap_used, reason = "a failure here is a failure of the test")]

mod chain;
mod equal;
mod measured;
mod numbers;
mod printed;
mod scheme;
mod table;
mod vectors;
