//! What a node makes of messages that mean no good: votes, proposals, floods. [CON-4] [CON-6] [CON-7]
#![expect(clippy::unwrap_used, reason = "a failure here is a failure of the test")]

mod blame;
mod clients;
mod clock;
mod decisions;
mod flood;
mod proposals;
mod scene;
mod sending;
mod signing;
mod votes;
