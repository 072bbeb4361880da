//! JSON-RPC of a Bitcoin node: Bitcoin Core's, and what bcoin and `embedded/serve.rs` have of it.
//! [ANC-1] [ANC-3]
//!
//! Nothing that an answer says is believed here beyond its form: whoever asks holds headers, blocks and
//! transactions against their hashes. No wallet is needed in the node. Bounds: five seconds and 16 MiB for
//! an answer; one request on a connection at a time. A request that failed on a connection is tried
//! once more, because the node may have closed one that was kept open; all requests may be repeated.

mod client;
mod connection;
mod error;
#[cfg(test)]
mod tests;

pub use client::{ChainInfo, Rpc};
pub use connection::{ANSWER_BYTES_MAX, ANSWER_MS_MAX, Endpoint, EndpointError};
pub use error::RpcError;
