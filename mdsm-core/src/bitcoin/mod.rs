//! Bitcoin: a node of it over JSON-RPC, and a regtest chain in the process. [ANC-1] [ANC-3]

pub mod embedded;
pub mod rpc;

pub use embedded::{EmbeddedChain, EmbeddedNode, ServedChain, SubmitError};
pub use rpc::{Endpoint, Rpc, RpcError};
