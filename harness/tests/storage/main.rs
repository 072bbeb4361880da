//! Chapter STO of the spec: each test carries the id of the sentence that it holds the code to.
#![expect(clippy::unwrap_used, reason = "a failure here is a failure of the test")]

mod block;
mod drawn;
mod encoding;
mod freeze;
mod item;
mod metadata;
mod naive;
mod record;
mod refusals;
mod signature;
mod trees;
mod turn;
