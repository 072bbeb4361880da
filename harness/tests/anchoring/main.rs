//! Requirements ANC-1 to ANC-3 of the spec: each test carries the id of the sentence that it holds the code to.
#![expect(clippy::unwrap_used, reason = "a failure here is a failure of the test")]

mod bitcoin_chain;
mod case;
mod fault;
mod forged;
mod headers;
mod hostile;
mod machine;
mod ots;
mod receipt;
mod reorganisation;
mod scene;
mod schedule;
mod size;
mod transaction;
mod watch;
