//! The interface of a full client over HTTP, and the page of an online client. [CLI-1] [CLI-3]
//!
//! ```text
//! listener -> server: connections, heads, times -> routes: table -> handlers -> Institution
//!                                                     |                 |
//!                                                   page            call: whose signature
//! ```
//! `web` knows no node: what it answers from is an [`Institution`] that somebody brings, so that a test brings a
//! liar.
//!
//! Invariants:
//! - no question about an owner reaches the institution without a call whose signature holds;
//! - nothing of a request is kept in memory beyond its bound, and nobody holds a connection beyond its time;
//! - an answer that is not 2xx says what is wrong, where, and the limit if there is one, in JSON.

mod bounds;
mod call;
mod failure;
mod handlers;
mod institution;
mod page;
mod routes;
mod server;
#[cfg(test)]
mod tests;

pub use bounds::Bounds;
pub use failure::Failure;
pub use institution::{Download, Institution, Upload};
pub use routes::{OPENAPI, router};
pub use server::{Server, serve};
