//! Chapter COM of the spec: each test carries the id of the sentence that it holds the code to.
#![expect(clippy::unwrap_used, reason = "a failure here is a failure of the test")]

mod amounts;
mod beside;
mod credit;
mod histories;
mod rating;
mod replacement;
mod world;
