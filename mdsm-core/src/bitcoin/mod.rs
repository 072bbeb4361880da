//! Bitcoin: a node of it over JSON-RPC, and a regtest chain in the process. [ANC-1] [ANC-3]

pub mod embedded;
#[cfg(feature = "network")]
pub mod rpc;

pub use embedded::{EmbeddedChain, SubmitError};
#[cfg(feature = "network")]
pub use embedded::{EmbeddedNode, ServedChain};
#[cfg(feature = "network")]
pub use rpc::{Endpoint, Rpc, RpcError};
