//! Requests, grants, bids, choices, deliveries, revocations and disputes as records: each sentence, each
//! order that is none, and the whole against a naive retelling. [PRE-3] [PRE-4] [PRE-5] [PRE-7] [PRE-8]
#![expect(clippy::unwrap_used, reason = "a failure here is a failure of the test")]

mod agree;
mod disputes;
mod flooding;
mod flow;
mod lattice;
mod orders;
mod records;
mod revocation;
mod scene;
