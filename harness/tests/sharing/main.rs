//! Chapter PRE of the spec, by those who would break it: each attack succeeds against the bare algorithms
//! and is refused by the guarded ones; and what is refused says why.
#![expect(clippy::unwrap_used, reason = "a failure here is a failure of the test")]

mod averaging;
mod blind;
mod collusion;
mod file;
mod hops;
mod malformed;
mod middle;
mod parcel;
mod privacy;
mod refusals;
mod scene;
mod tampering;
mod time;
mod wire;
mod zeros;
